"""Google Play: reviews of one app (https://developers.google.com/android-publisher/reply-to-reviews, 2026-11)."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

import httpx

from socialsupport_core.contract import Flow
from socialsupport_core.contract.lax import Json, Unreadable, needed, number_of, object_of, objects_of, text_of
from socialsupport_core.model import (
    Capabilities,
    Credentials,
    Facts,
    Receipt,
    TextLimit,
)
from socialsupport_reviews import review, tokens
from socialsupport_reviews.claims import capabilities
from socialsupport_reviews.review import Review, Said
from socialsupport_reviews.settings import GooglePlaySettings
from socialsupport_reviews.site import ReviewSite

HOST = "androidpublisher.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
PAGE = "100"
LIFETIME = 3600
"""Seconds: the longest. https://developers.google.com/identity/protocols/oauth2/service-account (2026-11)"""


class GooglePlay(ReviewSite[GooglePlaySettings]):
    name = "googleplay"
    settings_model = GooglePlaySettings
    capabilities: ClassVar[Capabilities] = capabilities(
        TextLimit(limit=350, unit="characters"),  # …/api-ref/rest/v3/reviews/reply (2026-11): "approximately 350"
        timedelta(days=7),  # …/reply-to-reviews (2026-11)
        deletes=False,
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({HOST, httpx.URL(tokens.GOOGLE).host})

    # credentials

    @property
    def grants_itself(self) -> bool:
        return True

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return tokens.grant({"grant_type": tokens.JWT_BEARER})  # the assertion is dated, and added when it is sent

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        if str(request.url) == tokens.GOOGLE:
            account = self.settings.account
            claims = {"iss": account.email, "scope": SCOPE, "aud": tokens.GOOGLE, **tokens.until(now, LIFETIME)}
            assertion = tokens.signed(claims, account.key, account.key_id)
            form = {"grant_type": tokens.JWT_BEARER, "assertion": assertion}
            return httpx.Request("POST", request.url, data=form)
        if credentials is not None:
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        yield httpx.Request("GET", self._at(), params={"maxResults": "1"})
        return Facts(own_account=self.settings.package, name=self.settings.package)

    # the site

    @property
    def _own(self) -> str:
        return self.settings.package

    @property
    def _list(self) -> httpx.Request:
        return httpx.Request("GET", self._at(), params={"maxResults": PAGE})

    def _onward(self, found: Json) -> dict[str, str] | None:
        token = text_of(object_of(found, "tokenPagination"), "nextPageToken")
        return {"token": token} if token else None

    def _reviewed(self, one: Json, found: Json) -> Review:
        """https://developers.google.com/android-publisher/api-ref/rest/v3/reviews (2026-11)"""
        users = [told for part in objects_of(one, "comments") if (told := object_of(part, "userComment"))]
        answers = [told for part in objects_of(one, "comments") if (told := object_of(part, "developerComment"))]
        if not users:
            raise Unreadable("userComment is missing")
        subject, _, text = (text_of(users[-1], "text") or "").rpartition("\t")
        at = _time(object_of(users[-1], "lastModified"))
        return Review(
            needed(one, "reviewId"),
            text_of(one, "authorName"),
            number_of(users[-1], "starRating"),
            Said(text.strip() or None, at, at, subject.strip() or None),
            _said(answers[-1]) if answers else None,
            text_of(users[-1], "reviewerLanguage"),
        )

    def _answer(self, id: str) -> Flow[Said | None]:
        response: httpx.Response = yield httpx.Request("GET", self._at(id))
        return self._reviewed(response.json(), {}).answer

    def _reply(self, id: str, text: str) -> Flow[Receipt]:
        response: httpx.Response = yield httpx.Request("POST", self._at(id, ":reply"), json={"replyText": text})
        return review.receipt(self._site, id, _time(response.json()["result"]["lastEdited"]))

    def _at(self, id: str = "", verb: str = "") -> str:
        one = f"/{quote(id, safe='')}" if id else ""
        return f"https://{HOST}/androidpublisher/v3/applications/{self.settings.package}/reviews{one}{verb}"


def _said(told: Json) -> Said:
    at = _time(object_of(told, "lastModified"))
    return Said(text_of(told, "text"), at, at)


def _time(told: Json) -> datetime:
    """Seconds since 1970 as text, and nanoseconds."""
    try:
        return datetime.fromtimestamp(int(needed(told, "seconds")), UTC) + timedelta(
            microseconds=int(number_of(told, "nanos") or 0) // 1000
        )
    except (ValueError, OverflowError, OSError):
        raise Unreadable("lastModified is no time") from None

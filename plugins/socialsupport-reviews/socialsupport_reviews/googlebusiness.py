"""Google Business Profile: reviews of one place (https://developers.google.com/my-business/content/review-data,
2026-11)."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx

from socialsupport_core.contract import Flow, SignIn
from socialsupport_core.contract.lax import Json, needed, object_of, text_of
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
from socialsupport_reviews.settings import GoogleBusinessSettings
from socialsupport_reviews.site import ReviewSite

HOST = "mybusiness.googleapis.com"
SIGN_IN = "https://accounts.google.com/o/oauth2/v2/auth"
SCOPE = "https://www.googleapis.com/auth/business.manage"
PAGE = "50"
"""The most: https://developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews/list (2026-11)"""
STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}


class GoogleBusiness(ReviewSite[GoogleBusinessSettings]):
    name = "googlebusiness"
    settings_model = GoogleBusinessSettings
    capabilities: ClassVar[Capabilities] = capabilities(
        # …/reference/rest/v4/accounts.locations.reviews#ReviewReply (2026-11)
        TextLimit(limit=4096, unit="utf8_bytes"),
        timedelta(days=3650),
        deletes=True,
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({HOST, httpx.URL(tokens.GOOGLE).host})

    # credentials: https://developers.google.com/identity/protocols/oauth2/web-server (2026-11)

    def connect_with(self, sign_in: SignIn) -> str:
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": sign_in.redirect,
            "scope": SCOPE,
            "state": sign_in.state,
            "access_type": "offline",
            "prompt": "consent",
            "code_challenge": sign_in.challenge,
            "code_challenge_method": "S256",
        }
        return f"{SIGN_IN}?{urlencode(asked)}"

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return tokens.grant(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": sign_in.redirect,
                "code_verifier": sign_in.verifier.get_secret_value(),
                **self._app,
            }
        )

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        old = tokens.renewing(credentials)
        form = {"grant_type": "refresh_token", "refresh_token": old.get_secret_value(), **self._app}
        fresh = yield from tokens.grant(form)
        return fresh if fresh.refresh_token else fresh.model_copy(update={"refresh_token": old})

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        if credentials is not None and request.url.host == HOST:
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        yield httpx.Request("GET", self._at(), params={"pageSize": "1"})
        return Facts(own_account=self.settings.place, name=self.settings.place)

    @property
    def _app(self) -> dict[str, str]:
        secret = self.settings.client_secret.get_secret_value()
        return {"client_id": self.settings.client_id, "client_secret": secret}

    # the site

    @property
    def _own(self) -> str:
        return self.settings.place

    @property
    def _list(self) -> httpx.Request:
        return httpx.Request("GET", self._at(), params={"pageSize": PAGE, "orderBy": "updateTime desc"})

    def _onward(self, found: Json) -> dict[str, str] | None:
        token = text_of(found, "nextPageToken")
        return {"pageToken": token} if token else None

    def _reviewed(self, one: Json, found: Json) -> Review:
        """https://developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews (2026-11)"""
        writer, answer = object_of(one, "reviewer"), object_of(one, "reviewReply")
        written = review.moment(needed(one, "createTime")).astimezone(UTC)
        changed = review.moment(text_of(one, "updateTime") or needed(one, "createTime")).astimezone(UTC)
        return Review(
            needed(one, "reviewId"),
            text_of(writer, "displayName"),
            STARS.get(text_of(one, "starRating") or ""),
            Said(text_of(one, "comment"), written, max(written, changed)),
            _said(answer) if answer else None,
            avatar=text_of(writer, "profilePhotoUrl"),
        )

    def _answer(self, id: str) -> Flow[Said | None]:
        response: httpx.Response = yield httpx.Request("GET", self._at(id))
        return self._reviewed(response.json(), {}).answer

    def _reply(self, id: str, text: str) -> Flow[Receipt]:
        response: httpx.Response = yield httpx.Request("PUT", self._at(id, "/reply"), json={"comment": text})
        return review.receipt(self._site, id, review.moment(response.json()["updateTime"]))

    def _withdraw(self, id: str) -> Flow[None]:
        yield httpx.Request("DELETE", self._at(id, "/reply"))

    def _at(self, id: str = "", more: str = "") -> str:
        one = f"/{quote(id, safe='')}" if id else ""
        return f"https://{HOST}/v4/{self.settings.place}/reviews{one}{more}"


def _said(told: Json) -> Said:
    at = review.moment(needed(told, "updateTime")).astimezone(UTC)
    return Said(text_of(told, "comment"), at, at)

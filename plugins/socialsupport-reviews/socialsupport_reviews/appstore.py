"""The App Store: reviews of one app (https://developer.apple.com/documentation/appstoreconnectapi/customer-reviews,
2026-11)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

import httpx

from socialsupport_core.contract import Connector, ContentRejected, DeliveryError, Flow, Unsupported
from socialsupport_core.contract.lax import Json, Unreadable, needed, number_of, object_of, objects_of, text_of
from socialsupport_core.model import (
    Capabilities,
    Credentials,
    DeleteMessage,
    EditMessage,
    Event,
    Facts,
    Intent,
    Page,
    Payload,
    Receipt,
    SendMessage,
    TextLimit,
)
from socialsupport_reviews import failures, review, tokens
from socialsupport_reviews.claims import capabilities
from socialsupport_reviews.review import Listing, Review, Said, Site
from socialsupport_reviews.settings import AppStoreSettings

HOST = "api.appstoreconnect.apple.com"
RESPONSES = f"https://{HOST}/v1/customerReviewResponses"
WITH_ANSWERS = {"include": "response"}
PAGE = "100"
LIFETIME = 600
"""Seconds; at most 20 minutes:
https://developer.apple.com/documentation/appstoreconnectapi/generating-tokens-for-api-requests (2026-11)"""


class AppStore(Connector[AppStoreSettings]):
    name = "appstore"
    settings_model = AppStoreSettings
    capabilities: ClassVar[Capabilities] = capabilities(
        TextLimit(limit=5970, unit="characters"),  # https://developer.apple.com/help/app-store-connect/ (2026-11)
        None,
        deletes=True,
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({HOST})

    # inbound: pure

    def parse(self, payload: Payload) -> Iterable[Event]:
        return review.translated(payload, self._site, "data", _review)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return self._listing.poll(cursor)

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        return self._listing.history(cursor)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage():
                review.unanswered((yield from self._read(intent.thread.id))[0].answer, intent)
                return (yield from self._respond(intent.thread.id, review.text_of(intent)))
            case EditMessage():
                return (yield from self._respond(review.own(intent), review.text_of(intent)))
            case DeleteMessage():
                return (yield from self._withdraw(review.own(intent)))
            case _:
                raise Unsupported(f"the App Store cannot carry out {intent.type}")

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        """There is one answer: it is there as it was written, or it is not."""
        answer = (yield from self._read(intent.thread.id))[0].answer
        if isinstance(intent, DeleteMessage):
            return None if answer else review.receipt(self._site, intent.thread.id)
        if answer is None or answer.text != review.text_of(intent):
            return None
        return review.receipt(self._site, intent.thread.id, answer.edited_at)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response)

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        settings = self.settings
        claims = {"iss": settings.issuer_id, "aud": "appstoreconnect-v1", **tokens.until(now, LIFETIME)}
        request.headers["authorization"] = f"Bearer {tokens.signed(claims, settings.key, settings.key_id)}"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        """https://developer.apple.com/documentation/appstoreconnectapi/get-v1-apps-_id_ (2026-11)"""
        response: httpx.Response = yield httpx.Request("GET", f"https://{HOST}/v1/apps/{self.settings.app}")
        told = object_of(response.json()["data"], "attributes")
        return Facts(own_account=self.settings.app, name=text_of(told, "name"), handle=text_of(told, "bundleId"))

    # inside

    @property
    def _site(self) -> Site:
        return Site(self.name, self.settings.app)

    @property
    def _listing(self) -> Listing:
        asked = WITH_ANSWERS | {"sort": "-createdDate", "limit": PAGE}
        address = f"https://{HOST}/v1/apps/{self.settings.app}/customerReviews"
        return Listing(httpx.Request("GET", address, params=asked), "data", _newest, _onward)

    def _read(self, id: str) -> Flow[tuple[Review, str | None]]:
        """And the id of our answer."""
        address = f"https://{HOST}/v1/customerReviews/{quote(id, safe='')}"
        response: httpx.Response = yield httpx.Request("GET", address, params=WITH_ANSWERS)
        found = response.json()
        return _review(found["data"], found), _answer_of(found["data"])

    def _respond(self, id: str, text: str) -> Flow[Receipt]:
        """Makes it, or puts it in the place of the one before."""
        body = {
            "data": {
                "type": "customerReviewResponses",
                "attributes": {"responseBody": text},
                "relationships": {"review": {"data": {"type": "customerReviews", "id": id}}},
            }
        }
        response: httpx.Response = yield httpx.Request("POST", RESPONSES, json=body)
        told = response.json()["data"]["attributes"]
        return review.receipt(self._site, id, review.moment(told["lastModifiedDate"]))

    def _withdraw(self, id: str) -> Flow[Receipt]:
        _, answer = yield from self._read(id)
        if answer is None:
            raise ContentRejected("this review has no answer of ours", code="unanswered")
        yield httpx.Request("DELETE", f"{RESPONSES}/{quote(answer, safe='')}")
        return review.receipt(self._site, id)


def _review(one: Json, found: Json) -> Review:
    """Raises Unreadable."""
    told = object_of(one, "attributes")
    at = review.moment(needed(told, "createdDate")).astimezone(UTC)
    answers = {text_of(each, "id"): object_of(each, "attributes") for each in objects_of(found, "included")}
    answer = answers.get(_answer_of(one) or "")
    return Review(
        needed(one, "id"),
        text_of(told, "reviewerNickname"),
        number_of(told, "rating"),
        Said(text_of(told, "body"), at, at, text_of(told, "title")),
        _answer(answer) if answer else None,
    )


def _answer_of(one: Json) -> str | None:
    return text_of(object_of(object_of(object_of(one, "relationships"), "response"), "data"), "id")


def _answer(told: Json) -> Said:
    at = review.moment(needed(told, "lastModifiedDate")).astimezone(UTC)
    return Said(text_of(told, "responseBody"), at, at)


def _newest(one: Json) -> str | None:
    try:
        return _review(one, {}).said.edited_at.isoformat()
    except Unreadable:
        return None


def _onward(found: Json) -> dict[str, str] | None:
    """Only what it says of the place is taken from its address."""
    address = text_of(object_of(found, "links"), "next")
    try:
        cursor = httpx.URL(address or "").params.get("cursor")
    except httpx.InvalidURL:
        cursor = None
    return {"cursor": cursor} if cursor else None

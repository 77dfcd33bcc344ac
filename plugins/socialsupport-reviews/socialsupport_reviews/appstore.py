"""The App Store: reviews of one app (https://developer.apple.com/documentation/appstoreconnectapi/customer-reviews,
2026-11)."""

from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

import httpx

from socialsupport_core.contract import ContentRejected, Flow
from socialsupport_core.contract.lax import Json, needed, number_of, object_of, objects_of, text_of
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
from socialsupport_reviews.settings import AppStoreSettings
from socialsupport_reviews.site import ReviewSite

HOST = "api.appstoreconnect.apple.com"
RESPONSES = f"https://{HOST}/v1/customerReviewResponses"
WITH_ANSWERS = {"include": "response"}
PAGE = "100"
LIFETIME = 600
"""Seconds; at most 20 minutes:
https://developer.apple.com/documentation/appstoreconnectapi/generating-tokens-for-api-requests (2026-11)"""


class AppStore(ReviewSite[AppStoreSettings]):
    name = "appstore"
    settings_model = AppStoreSettings
    listed = "data"
    capabilities: ClassVar[Capabilities] = capabilities(
        TextLimit(limit=5970, unit="characters"),  # https://developer.apple.com/help/app-store-connect/ (2026-11)
        None,
        deletes=True,
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({HOST})

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

    # the site

    @property
    def _own(self) -> str:
        return self.settings.app

    @property
    def _list(self) -> httpx.Request:
        asked = WITH_ANSWERS | {"sort": "-createdDate", "limit": PAGE}
        return httpx.Request("GET", f"https://{HOST}/v1/apps/{self.settings.app}/customerReviews", params=asked)

    def _onward(self, found: Json) -> dict[str, str] | None:
        """Only what it says of the place is taken from its address."""
        address = text_of(object_of(found, "links"), "next")
        try:
            cursor = httpx.URL(address or "").params.get("cursor")
        except httpx.InvalidURL:
            cursor = None
        return {"cursor": cursor} if cursor else None

    def _reviewed(self, one: Json, found: Json) -> Review:
        told = object_of(one, "attributes")
        at = review.moment(needed(told, "createdDate")).astimezone(UTC)
        answers = {text_of(each, "id"): object_of(each, "attributes") for each in objects_of(found, "included")}
        answer = answers.get(_answer_of(one) or "")
        return Review(
            needed(one, "id"),
            text_of(told, "reviewerNickname"),
            number_of(told, "rating"),
            Said(text_of(told, "body"), at, at, text_of(told, "title")),
            _said(answer) if answer else None,
        )

    def _answer(self, id: str) -> Flow[Said | None]:
        found = yield from self._read(id)
        return self._reviewed(found["data"], found).answer

    def _reply(self, id: str, text: str) -> Flow[Receipt]:
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

    def _withdraw(self, id: str) -> Flow[None]:
        answer = _answer_of((yield from self._read(id))["data"])
        if answer is None:
            raise ContentRejected("this review has no answer of ours", code="unanswered")
        yield httpx.Request("DELETE", f"{RESPONSES}/{quote(answer, safe='')}")

    def _read(self, id: str) -> Flow[Json]:
        address = f"https://{HOST}/v1/customerReviews/{quote(id, safe='')}"
        response: httpx.Response = yield httpx.Request("GET", address, params=WITH_ANSWERS)
        found: Json = response.json()
        return found


def _answer_of(one: Json) -> str | None:
    return text_of(object_of(object_of(object_of(one, "relationships"), "response"), "data"), "id")


def _said(told: Json) -> Said:
    at = review.moment(needed(told, "lastModifiedDate")).astimezone(UTC)
    return Said(text_of(told, "responseBody"), at, at)

"""The three sites, played: reviews that people write and change, one answer each, pages of them."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_reviews import appstore, googlebusiness, googleplay, tokens
from socialsupport_reviews.settings import AppStoreSettings, GoogleBusinessSettings, GooglePlaySettings

Json = dict[str, Any]
STARS = ("ONE", "TWO", "THREE", "FOUR", "FIVE")


@dataclass(slots=True)
class Answer:
    id: str
    text: str
    at: datetime


@dataclass(slots=True)
class Written:
    """A review."""

    id: str
    person: str
    rating: int
    title: str
    text: str
    created: datetime
    changed: datetime
    answer: Answer | None = None


class ReviewSite(Simulator):
    """What the sites have in common. Subclasses say who may call, and how it is written."""

    places: ClassVar[tuple[Place, ...]] = (Place("reviews", "Reviews", "public"),)
    longest: ClassVar[int]

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.reviews: list[Written] = []

    # people

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`rating` from 1 to 5, `title`."""
        now = self.clock()
        id = f"{self.network}-review-{len(self.reviews) + 1}"
        self.reviews.append(Written(id, person, more.get("rating", 3), more.get("title", ""), text, now, now))
        said = Said(id, "reviews", id, person, text, now)
        self.said.append(said)
        return said

    def revise(self, id: str, text: str, rating: int) -> None:
        """Its author thinks again."""
        found = self.found(id)
        found.text, found.rating, found.changed = text, rating, self.clock()

    # the site

    def found(self, id: str) -> Written:
        return next(one for one in self.reviews if one.id == id)

    def respond(self, request: httpx.Request) -> httpx.Response:
        if refused := self.refused(request):
            return refused
        try:
            return self.answered(request)
        except StopIteration:
            return httpx.Response(404, json=self.trouble("NOT_FOUND", "there is no such review"))

    def refused(self, request: httpx.Request) -> httpx.Response | None:
        raise NotImplementedError

    def answered(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    def trouble(self, code: str, words: str) -> Json:
        return {"error": {"code": 400, "message": words, "status": code}}

    def expired(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json=self.trouble("UNAUTHENTICATED", "the token has expired"))

    def newest(self) -> list[Written]:
        return sorted(self.reviews, key=lambda one: (one.changed, one.id), reverse=True)

    def page(self, size: int, token: str | None) -> tuple[list[Written], str | None]:
        """Where the page after it begins, if there is one."""
        start = int(token or 0)
        after = start + size
        return self.newest()[start:after], str(after) if after < len(self.reviews) else None

    def reply(self, id: str, text: str) -> Answer | None:
        """None if it is longer than may be."""
        review = self.found(id)
        if not text or len(text) > self.longest:
            return None
        kept = review.answer.id if review.answer else f"answer-to-{id}"
        review.answer = Answer(kept, text, self.clock())
        self.said = [one for one in self.said if one.id != kept]
        self.said.append(Said(kept, "reviews", id, "us", text, self.clock()))
        return review.answer

    def withdraw(self, id: str) -> None:
        review = self.found(id)
        if review.answer is None:
            raise StopIteration
        self.said = [one for one in self.said if one.id != f"answer-to-{id}"]
        review.answer = None


class _Google(ReviewSite):
    """Tokens as Google gives them."""

    host: ClassVar[str]

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.tokens: set[str] = set()

    def refused(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.host != self.host:
            return self._granted(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return self.expired(request)
        return None

    def expired(self, request: httpx.Request) -> httpx.Response:
        self.tokens.clear()
        return super().expired(request)

    def _granted(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if not self.trusts(form):
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "Bad Request"})
        token = f"granted-{len(self.calls)}"
        self.tokens.add(token)
        told = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        first = {"refresh_token": "renewing-token"} if form["grant_type"] == "authorization_code" else {}
        return httpx.Response(200, json=told | first)

    def trusts(self, form: Json) -> bool:
        raise NotImplementedError


class GooglePlayServer(_Google):
    network = "googleplay"
    host = googleplay.HOST
    hosts = frozenset({googleplay.HOST, "oauth2.googleapis.com"})
    longest = 350
    settings: GooglePlaySettings

    def trusts(self, form: Json) -> bool:
        if form.get("grant_type") != tokens.JWT_BEARER:
            return False
        account = self.settings.account
        head, claims, said, signature = opened(form.get("assertion", ""))
        try:
            account.key.public_key().verify(signature, said, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        now = self.clock().timestamp()
        return (
            head == {"alg": "RS256", "kid": account.key_id, "typ": "JWT"}
            and (claims["iss"], claims["scope"], claims["aud"]) == (account.email, googleplay.SCOPE, tokens.GOOGLE)
            and claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 3600
        )

    def answered(self, request: httpx.Request) -> httpx.Response:
        top = f"/androidpublisher/v3/applications/{self.settings.package}/reviews"
        path = unquote(request.url.path)
        if not path.startswith(top):
            return httpx.Response(404, json=self.trouble("NOT_FOUND", "there is no such app"))
        id, _, verb = path[len(top) :].removeprefix("/").partition(":")
        if request.method == "POST" and verb == "reply":
            return self._replied(id, json.loads(request.content))
        if id:
            return httpx.Response(200, json=self._shown(self.found(id)))
        found, onward = self.page(int(request.url.params.get("maxResults", "10")), request.url.params.get("token"))
        more = {"tokenPagination": {"nextPageToken": onward}} if onward else {}
        listed = {"reviews": [self._shown(one) for one in found]} if found else {}
        return httpx.Response(200, json=listed | more)

    def _replied(self, id: str, body: Json) -> httpx.Response:
        answer = self.reply(id, body["replyText"]) if set(body) == {"replyText"} else None
        if answer is None:
            return httpx.Response(400, json=self.trouble("INVALID_ARGUMENT", "the reply is too long"))
        return httpx.Response(200, json={"result": {"replyText": answer.text, "lastEdited": _seconds(answer.at)}})

    def _shown(self, one: Written) -> Json:
        text = f"{one.title}\t{one.text}" if one.title else one.text
        user = {"text": text, "lastModified": _seconds(one.changed), "starRating": one.rating, "reviewerLanguage": "en"}
        comments: list[Json] = [{"userComment": user}]
        if one.answer:
            comments.append({"developerComment": {"text": one.answer.text, "lastModified": _seconds(one.answer.at)}})
        return {"reviewId": one.id, "authorName": one.person.title(), "comments": comments}


class GoogleBusinessServer(_Google):
    network = "googlebusiness"
    host = googlebusiness.HOST
    hosts = frozenset({googlebusiness.HOST, "oauth2.googleapis.com"})
    longest = 4096
    settings: GoogleBusinessSettings

    def trusts(self, form: Json) -> bool:
        ours = {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret.get_secret_value()}
        if any(form.get(name) != value for name, value in ours.items()):
            return False
        return form.get("refresh_token") == "renewing-token" or form.get("code") == "granted-code"

    def answered(self, request: httpx.Request) -> httpx.Response:
        top = f"/v4/{self.settings.place}/reviews"
        path = unquote(request.url.path)
        if not path.startswith(top):
            return httpx.Response(404, json=self.trouble("NOT_FOUND", "there is no such location"))
        id, _, verb = path[len(top) :].removeprefix("/").partition("/")
        if verb == "reply" and request.method == "PUT":
            answer = self.reply(id, json.loads(request.content)["comment"])
            if answer is None:
                return httpx.Response(400, json=self.trouble("INVALID_ARGUMENT", "the reply is too long"))
            return httpx.Response(200, json={"comment": answer.text, "updateTime": _zulu(answer.at)})
        if verb == "reply" and request.method == "DELETE":
            self.withdraw(id)
            return httpx.Response(200, json={})
        if id:
            return httpx.Response(200, json=self._shown(self.found(id)))
        found, onward = self.page(int(request.url.params.get("pageSize", "50")), request.url.params.get("pageToken"))
        more = {"nextPageToken": onward} if onward else {}
        listed = {"reviews": [self._shown(one) for one in found], "totalReviewCount": len(self.reviews)}
        return httpx.Response(200, json=(listed if found else {}) | more)

    def _shown(self, one: Written) -> Json:
        shown: Json = {
            "name": f"{self.settings.place}/reviews/{one.id}",
            "reviewId": one.id,
            "reviewer": {"displayName": one.person.title()},
            "starRating": STARS[one.rating - 1],
            "comment": one.text,
            "createTime": _zulu(one.created),
            "updateTime": _zulu(one.changed),
        }
        if one.answer:
            shown["reviewReply"] = {"comment": one.answer.text, "updateTime": _zulu(one.answer.at)}
        return shown


class AppStoreServer(ReviewSite):
    network = "appstore"
    hosts = frozenset({appstore.HOST})
    longest = 5970
    settings: AppStoreSettings

    def trouble(self, code: str, words: str) -> Json:
        return {"errors": [{"code": code, "status": "400", "title": code.title(), "detail": words}]}

    def refused(self, request: httpx.Request) -> httpx.Response | None:
        head, claims, said, signature = opened(request.headers.get("authorization", "").removeprefix("Bearer "))
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        try:
            self.settings.key.public_key().verify(encode_dss_signature(r, s), said, ECDSA(SHA256()))
        except InvalidSignature:
            return self.expired(request)
        now = self.clock().timestamp()
        right = (
            head == {"alg": "ES256", "kid": self.settings.key_id, "typ": "JWT"}
            and (claims["iss"], claims["aud"]) == (self.settings.issuer_id, "appstoreconnect-v1")
            and claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 1200
        )
        return None if right else self.expired(request)

    def answered(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path).strip("/").split("/")
        match [request.method, *path]:
            case ["GET", "v1", "apps", self.settings.app]:
                told = {"name": "Acme Shop", "bundleId": "com.acme.shop"}
                return httpx.Response(200, json={"data": {"type": "apps", "id": path[2], "attributes": told}})
            case ["GET", "v1", "apps", self.settings.app, "customerReviews"]:
                return self._listed(request)
            case ["GET", "v1", "customerReviews", id]:
                one = self.found(id)
                return httpx.Response(200, json={"data": self._shown(one), "included": _included([one])})
            case ["POST", "v1", "customerReviewResponses"]:
                return self._responded(json.loads(request.content)["data"])
            case ["DELETE", "v1", "customerReviewResponses", answer]:
                self.withdraw(answer.removeprefix("answer-to-"))
                return httpx.Response(204)
        return httpx.Response(404, json=self.trouble("NOT_FOUND", "there is no such resource"))

    def _listed(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        found, onward = self.page(int(asked.get("limit", "50")), asked.get("cursor"))
        links = {"self": str(request.url)}
        if onward:
            links["next"] = str(request.url.copy_merge_params({"cursor": onward}))
        listed = {"data": [self._shown(one) for one in found], "links": links, "included": _included(found)}
        return httpx.Response(200, json=listed)

    def _responded(self, data: Json) -> httpx.Response:
        about = data["relationships"]["review"]["data"]
        right = data["type"] == "customerReviewResponses" and about["type"] == "customerReviews"
        answer = self.reply(about["id"], data["attributes"]["responseBody"]) if right else None
        if answer is None:
            return httpx.Response(409, json=self.trouble("ENTITY_ERROR.ATTRIBUTE.INVALID", "too long"))
        return httpx.Response(201, json={"data": _response(answer)})

    def _shown(self, one: Written) -> Json:
        told = {
            "rating": one.rating,
            "title": one.title,
            "body": one.text,
            "reviewerNickname": one.person,
            "createdDate": _zulu(one.changed),
            "territory": "USA",
        }
        answer = {"type": "customerReviewResponses", "id": one.answer.id} if one.answer else None
        relations = {"response": {"data": answer}}
        return {"type": "customerReviews", "id": one.id, "attributes": told, "relationships": relations}


def opened(token: str) -> tuple[Json, Json, bytes, bytes]:
    """Head and claims of a JSON Web Token, what is signed, and the signature; empty ones if it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}, {}, b"", b""
    head, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
    return json.loads(head), json.loads(claims), token.rpartition(".")[0].encode(), signature


def _included(found: list[Written]) -> list[Json]:
    return [_response(one.answer) for one in found if one.answer]


def _response(answer: Answer) -> Json:
    told = {"responseBody": answer.text, "lastModifiedDate": _zulu(answer.at), "state": "PUBLISHED"}
    return {"type": "customerReviewResponses", "id": answer.id, "attributes": told}


def _seconds(at: datetime) -> Json:
    return {"seconds": str(int(at.timestamp())), "nanos": at.microsecond * 1000}


def _zulu(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

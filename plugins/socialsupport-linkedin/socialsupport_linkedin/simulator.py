"""LinkedIn, played on this machine: a page, a post of its own, and members who comment on it or name it in theirs.

Written from the documentation named in the connector (2026-07), with nothing of it but the settings.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

import httpx

from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_linkedin.settings import LinkedInSettings

Json = dict[str, Any]
PAGE = "2414183"
MEMBER = "urn:li:person:yrZCpj2ZYQ"
"""Who has signed in."""
POST = "urn:li:activity:7094637247890620418"
LONGEST = 1250


class Refusal(Exception):
    def __init__(self, status: int, message: str, code: str = "ILLEGAL_ARGUMENT") -> None:
        super().__init__(message)
        self.response = httpx.Response(status, json={"status": status, "code": code, "message": message})


class LinkedInSimulator(Simulator):
    """Its people are named by keys such as `kerry`. `mutely`: notifications leave out the words, as they may; `flatly`:
    which comment is a reply."""

    network = "linkedin"
    hosts = frozenset({"api.linkedin.com", "www.linkedin.com", "media.licdn.com"})
    places: ClassVar = (
        Place("post", "Comments under Acme's post", "public"),
        Place("mention", "Posts that name Acme", "public"),
    )
    settings: LinkedInSettings

    def __init__(self, settings: LinkedInSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.page = settings.organization or PAGE
        self.us = f"urn:li:organization:{self.page}"
        self.tokens = {settings.access_token.get_secret_value()} if settings.access_token else set()
        self.parents: dict[str, str] = {}
        """The comment above a comment."""
        self.edited: dict[str, datetime] = {}
        self.reactions: dict[str, str] = {}
        self.notifications: list[Json] = []
        self.webhook: str | None = None
        self.mutely = self.flatly = False

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self.name_us(person, text) if place == "mention" else self.comment(person, text, **more)

    def comment(self, person: str, text: str, *, under: str = "") -> Said:
        """On our post, or `under` another comment."""
        said = self._put(person, text, POST, under)
        self._tell("ADMIN_COMMENT" if person == "us" else "COMMENT", said)
        return said

    def name_us(self, person: str, text: str) -> Said:
        """A post of theirs."""
        share = f"urn:li:share:{self._number()}"
        said = self._say(share, "mention", share, person, text)
        self._tell("SHARE_MENTION", said)
        return said

    def like(self, person: str) -> None:
        said = Said(f"urn:li:reaction:({self.urn(person)},{POST})", "post", POST, person, "", self.clock())
        self._tell("LIKE", said)

    def edit(self, said: Said, text: str) -> None:
        self.edited[said.id] = self.clock()
        self._tell("COMMENT_EDIT", self._rewrite(said, text=text, edited=True))

    def remove(self, said: Said) -> None:
        self._tell("COMMENT_DELETE", self._rewrite(said, deleted=True))

    def urn(self, person: str) -> str:
        return self.us if person == "us" else f"urn:li:person:{person}"

    def challenge(self, code: str) -> Payload:
        return Payload(method="GET", url=f"{self.door}?challengeCode={code}", received_at=self.clock())

    # what we ask

    def respond(self, request: httpx.Request) -> httpx.Response:
        try:
            if request.url.host == "www.linkedin.com":
                return self._granted(request)
            if request.url.host != "api.linkedin.com":
                return httpx.Response(200, content=b"pixels", headers={"content-type": "image/png"})
            self._check(request)
            return self._answered(request, json.loads(request.content or b"{}"))
        except Refusal as refusal:
            return refusal.response

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        words = "Comment create throttled: creation rate limit exceeded for member"
        return httpx.Response(429, json={"status": 429, "code": "TOO_MANY_REQUESTS", "message": words})

    def expired(self, request: httpx.Request) -> httpx.Response:
        self.tokens.clear()
        words = {"status": 401, "serviceErrorCode": 65601, "message": "The token used in the request has been revoked"}
        return httpx.Response(401, json=words)

    def _check(self, request: httpx.Request) -> None:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Refusal(401, "Empty oauth2_access_token", "UNAUTHORIZED")
        if not re.fullmatch(r"20\d{4}", request.headers.get("linkedin-version", "")):
            raise Refusal(400, "A version must be present", "VERSION_MISSING")
        if request.headers["linkedin-version"] < "202512":
            raise Refusal(426, "Requested version is not active", "NONEXISTENT_VERSION")
        if request.headers.get("x-restli-protocol-version") != "2.0.0":
            raise Refusal(400, "X-Restli-Protocol-Version must be 2.0.0")
        if re.search(r"urn:li:", request.url.raw_path.decode()):
            raise Refusal(400, "URNs are to be encoded")

    def _answered(self, request: httpx.Request, body: Json) -> httpx.Response:
        raw = request.url.raw_path.decode().partition("?")[0].removeprefix("/rest/")
        path = [unquote(one) for one in raw.split("/")]
        match [request.method, *path]:
            case ["GET", "organizationAcls"]:
                role = {"role": "ADMINISTRATOR", "organization": self.us, "roleAssignee": MEMBER, "state": "APPROVED"}
                return httpx.Response(200, json={"elements": [role]})
            case ["GET", "organizations", self.page]:
                return httpx.Response(200, json={"id": int(self.page), "localizedName": "Acme", "vanityName": "acme"})
            case ["GET", "organizationalEntityNotifications"]:
                return self._listed(request.url.query.decode())
            case ["PUT", "eventSubscriptions", key]:
                return self._subscribed(key, body)
        return self._spoken(request, path, body)

    def _spoken(self, request: httpx.Request, path: list[str], body: Json) -> httpx.Response:
        match [request.method, *path]:
            case ["GET", "socialActions", about, "comments"]:
                return self._paged(request, [one for one in self._comments(about) if not one.deleted])
            case ["POST", "socialActions", about, "comments"]:
                return self._commented(about, body)
            case [method, "socialActions", _, "comments", id]:
                return self._one(method, request, id, body)
            case [method, "reactions", *key]:
                return self._reacted(method, key, body)
        raise Refusal(404, "Not found", "NOT_FOUND")

    def _listed(self, query: str) -> httpx.Response:
        asked = parse_qs(query)
        if asked.get("organizationalEntity") != [self.us] or not asked["actions"][0].startswith("List("):
            raise Refusal(400, "organizationalEntity and actions are needed")
        since = int((re.search(r"timeRange=\(start:(\d+)\)", query) or [0, 0])[1])
        wanted = asked["actions"][0][5:-1].split(",")
        told = [one for one in self.notifications if one["action"] in wanted and one["lastModifiedAt"] >= since]
        start, count = int(asked["start"][0]), int(asked["count"][0])
        return httpx.Response(200, json={"elements": told[::-1][start : start + count]})

    def _subscribed(self, key: str, body: Json) -> httpx.Response:
        if self.us not in key or MEMBER not in key or not body["webhook"].startswith("https://"):
            raise Refusal(403, "the member is no longer an administrator of the company", "ACCESS_DENIED")
        self.webhook = body["webhook"]
        return httpx.Response(200)

    def _comments(self, about: str) -> list[Said]:
        return [
            one
            for one in self.said
            if one.id.startswith("urn:li:comment:")
            and (self.parents.get(one.id) == about or (one.thread == about and one.id not in self.parents))
        ]

    def _paged(self, request: httpx.Request, found: list[Said]) -> httpx.Response:
        start, count = int(request.url.params.get("start", "0")), int(request.url.params.get("count", "10"))
        return httpx.Response(200, json={"elements": [self._shown(one) for one in found[start : start + count]]})

    def _commented(self, about: str, body: Json) -> httpx.Response:
        if unknown := set(body) - {"actor", "object", "message", "parentComment"}:
            raise Refusal(403, f"Unpermitted fields present in REQUEST_BODY: {sorted(unknown)}", "ACCESS_DENIED")
        parent = body.get("parentComment", "")
        if parent and (parent != about or parent in self.parents or parent not in {one.id for one in self.said}):
            raise Refusal(400, "parentComment is no first-level comment of this thread")
        if body["actor"] != self.us or about not in (parent, body["object"]):
            raise Refusal(403, "Not enough permissions to create a comment", "ACCESS_DENIED")
        said = self._put("us", self._text(body["message"]), body["object"], parent)
        self._tell("ADMIN_COMMENT", said)
        return httpx.Response(201, headers={"x-restli-id": self._id(said)}, json=self._shown(said))

    def _one(self, method: str, request: httpx.Request, id: str, body: Json) -> httpx.Response:
        said = next((one for one in self.said if not one.deleted and one.id.endswith(f",{id})")), None)
        if said is None:
            raise Refusal(404, "Could not find entity", "NOT_FOUND")
        if method == "GET":
            return httpx.Response(200, json=self._shown(said))
        if request.url.params.get("actor") != self.us or (said.author != "us" and method == "POST"):
            raise Refusal(403, "Not enough permissions to change this comment", "ACCESS_DENIED")
        if method == "DELETE":
            self.remove(said)
        elif request.headers.get("x-restli-method") == "PARTIAL_UPDATE":
            self.edit(said, self._text(body["patch"]["message"]["$set"]))
        else:
            raise Refusal(400, "X-RestLi-Method is missing")
        return httpx.Response(204)

    def _text(self, message: Mapping[str, Any]) -> str:
        text = str(message["text"])
        if not text.strip() or len(text.encode("utf-16-le")) // 2 > LONGEST:
            raise Refusal(400, "text is empty, or longer than may be", "FIELD_LENGTH_TOO_LONG")
        return text

    def _reacted(self, method: str, key: list[str], body: Json) -> httpx.Response:
        if method == "POST":
            self.reactions[body["root"]] = body["reactionType"]
            return httpx.Response(201, json={"id": f"urn:li:reaction:({self.us},{body['root']})"})
        about = key[0].partition(",entity:")[2][:-1]
        if about not in self.reactions:
            raise Refusal(404, "Could not find entity", "NOT_FOUND")
        if method == "GET":
            return httpx.Response(200, json={"reactionType": self.reactions[about]})
        del self.reactions[about]
        return httpx.Response(204)

    def _granted(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        settings = self.settings
        is_us = form["client_id"] == settings.client_id
        is_known = form.get("refresh_token", form.get("code", "")).startswith("granted")
        if not is_us or not is_known or form["client_secret"] != settings.client_secret.get_secret_value():
            error = {"error": "invalid_request", "error_description": "The provided token is invalid"}
            return httpx.Response(400, json=error)
        token = f"granted-{len(self.calls)}"
        self.tokens = {token}
        told = {"access_token": token, "expires_in": 5184000, "refresh_token": "granted-refresh", "scope": "a,b"}
        return httpx.Response(200, json=told)

    # inside

    def _number(self) -> str:
        return str(7094977717598625792 + len(self.said) + len(self.notifications))

    def _put(self, person: str, text: str, thread: str, under: str) -> Said:
        urn = f"urn:li:comment:({thread},{self._number()})"
        if under:
            self.parents[urn] = under
        return self._say(urn, "post", thread, person, text)

    def _say(self, id: str, place: str, thread: str, author: str, text: str) -> Said:
        said = Said(id, place, thread, author, text, self.clock())
        self.said.append(said)
        return said

    def _rewrite(self, said: Said, **changes: Any) -> Said:
        at = next(index for index, one in enumerate(self.said) if one.id == said.id)
        self.said[at] = replace(self.said[at], **changes)
        return self.said[at]

    def _id(self, said: Said) -> str:
        return said.id.rpartition(",")[2][:-1]

    def _shown(self, said: Said) -> Json:
        actor = self.urn(said.author)
        changed = self.edited.get(said.id, said.at)
        parent = {"parentComment": self.parents[said.id]} if said.id in self.parents else {}
        return {
            "actor": actor,
            "commentUrn": said.id,
            "created": {"actor": actor, "time": _stamp(said.at)},
            "id": self._id(said),
            "lastModified": {"actor": actor, "time": _stamp(changed)},
            "message": {"attributes": [], "text": said.text},
            "object": said.thread,
            **parent,
        }

    def _tell(self, action: str, said: Said) -> None:
        kind = "share" if said.place == "mention" else "comment"
        told: Json = {"entity": said.id, "owner": self.urn(said.author), "text": said.text, "object": said.thread}
        told |= {"parentComment": self.parents[said.id]} if said.id in self.parents and not self.flatly else {}
        notification: Json = {
            "notificationId": 4406044 + len(self.notifications),
            "organizationalEntity": self.us,
            "action": action,
            "sourcePost": said.thread,
            "lastModifiedAt": _stamp(self.clock()),
            "generatedActivity": said.id.replace("(urn:li:", "("),
            "subscriber": MEMBER,
        }
        if not self.mutely and action not in ("LIKE", "COMMENT_DELETE"):
            notification["decoratedGeneratedActivity"] = {kind: told}
        self.notifications.append(notification)
        self._send({"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS", "notifications": [notification]})

    def _send(self, content: Json) -> None:
        body = json.dumps(content).encode()
        secret = self.settings.client_secret.get_secret_value().encode()
        signature = hmac.new(secret, b"hmacsha256=" + body, hashlib.sha256).hexdigest()
        headers = (("Content-Type", "application/json"), ("X-LI-Signature", signature))
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))


def _stamp(at: datetime) -> int:
    return int(at.timestamp() * 1000)

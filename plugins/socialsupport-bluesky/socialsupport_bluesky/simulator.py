"""A server, its view of the network and its chat, played: records by key, and tokens that expire."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from socialsupport_bluesky import records
from socialsupport_bluesky.settings import BlueskySettings
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_core.text import count

Json = dict[str, Any]
SERVICE, PDS, CDN = "bsky.social", "morel.us-east.host.bsky.network", "cdn.bsky.app"
US = "did:plc:acmeacmeacmeacmeacmeacme"
CHAT = "did:web:api.bsky.chat#bsky_chat"
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")


class Refusal(Exception):
    def __init__(self, error: str, message: str, status: int = 400) -> None:
        super().__init__(error)
        self.response = httpx.Response(status, json={"error": error, "message": message})


class BlueskySimulator(Simulator):
    network = "bluesky"
    hosts = frozenset({SERVICE, PDS, CDN})
    places: ClassVar[tuple[Place, ...]] = (
        Place("public", "In public", "public"),
        Place("messages", "Direct messages", "private"),
    )
    settings: BlueskySettings

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.records: dict[str, Json] = {}
        """Of everybody, by their address."""
        self.notifications: list[Json] = []
        self.logs: list[Json] = []
        self.messages: dict[str, list[Json]] = {}
        self.blobs: set[str] = set()
        self.closed: set[str] = set()
        """People who take no messages."""
        self.people: dict[str, str] = {US: self.settings.handle}
        self.access: set[str] = set()
        self.renewable: set[str] = set()
        self.sign_ins = 0
        """How often a password was used."""
        self._count = 1000

    # people

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`reply` and `embed` as records have them; `reason` is `mention` unless it answers."""
        did = self.did(person)
        if place == "messages":
            return self._write(did, self.convo(did), {"text": text} | more, person)
        reason = more.pop("reason", "reply" if "reply" in more else "mention")
        record = {"$type": records.POST, "text": text, "createdAt": self._now(), "langs": ["en"]} | more
        uri = self._keep(did, records.POST, records.tid(f"{did} {self._number()}"), record)
        self._notify(reason, did, uri, record)
        return self._say(uri, "public", "public", person, text)

    def like(self, person: str, uri: str) -> None:
        did = self.did(person)
        record = {"$type": records.LIKE, "subject": {"uri": uri}, "createdAt": self._now()}
        self._notify("like", did, self._keep(did, records.LIKE, records.tid(uri), record), record, uri)

    def withdraw(self, uri: str) -> None:
        del self.records[uri]

    def react(self, person: str, message: Json, value: str, *, again: bool = True) -> None:
        """Puts a reaction on a message, or takes it away."""
        reaction = {"value": value, "sender": {"did": self.did(person)}, "createdAt": self._now()}
        convo = self.convo(self.did(person))
        self._log("logAddReaction" if again else "logRemoveReaction", convo, message=message, reaction=reaction)

    def did(self, person: str) -> str:
        did = "did:plc:" + base64.b32encode(hashlib.sha256(person.encode()).digest())[:24].decode().lower()
        self.people.setdefault(did, f"{person}.example.com")
        return did

    def convo(self, did: str) -> str:
        return records.tid(f"convo {did}")

    # calls

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == CDN:
            return httpx.Response(200, content=b"picture", headers={"content-type": "image/jpeg"})
        method = request.url.path.removeprefix("/xrpc/")
        try:
            self._allowed(request, method)
            reader = self._methods.get(f"{request.method} {method}")
            if reader is None:
                raise Refusal("MethodNotImplemented", "Method Not Implemented", 501)  # noqa: TRY301
            response = httpx.Response(200, json=reader(request))
        except Refusal as refusal:
            response = refusal.response
        response.headers["date"] = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return response

    def _allowed(self, request: httpx.Request, method: str) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if method.startswith("chat.") != (request.headers.get("atproto-proxy") == CHAT):
            raise Refusal("MethodNotImplemented", "this server has no chat", 501)
        if method.endswith(".createSession"):
            return
        known = self.renewable if method.endswith(".refreshSession") else self.access
        if given not in known:
            raise Refusal("ExpiredToken", "Token has expired") if given else Refusal("AuthMissing", "", 401)

    @property
    def _methods(self) -> Mapping[str, Callable[[httpx.Request], Json]]:
        return {
            "POST com.atproto.server.createSession": self._begin,
            "POST com.atproto.server.refreshSession": self._renew,
            "GET com.atproto.server.getSession": lambda _: self._session(),
            "GET app.bsky.notification.listNotifications": self._list,
            "GET app.bsky.feed.getPosts": self._posts,
            "GET app.bsky.actor.getProfile": lambda asked: self._profile(asked.url.params["actor"]),
            "GET com.atproto.identity.resolveHandle": self._resolve,
            "GET com.atproto.repo.getRecord": self._get,
            "POST com.atproto.repo.putRecord": self._put,
            "POST com.atproto.repo.deleteRecord": self._delete,
            "POST com.atproto.repo.uploadBlob": self._upload,
            "GET chat.bsky.convo.getLog": self._read_log,
            "GET chat.bsky.convo.getMessages": lambda asked: {
                "messages": list(reversed(self.messages.get(asked.url.params["convoId"], [])))
            },
            "GET chat.bsky.convo.getConvoForMembers": self._convo_for,
            "POST chat.bsky.convo.sendMessage": self._send,
        }

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        now = self.clock()
        headers = {
            "ratelimit-limit": "3000",
            "ratelimit-remaining": "0",
            "ratelimit-reset": str(int((now + timedelta(seconds=60)).timestamp())),
            "date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }
        return httpx.Response(
            429, headers=headers, json={"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
        )

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refusal("ExpiredToken", "Token has expired").response

    # signing in

    def _begin(self, request: httpx.Request) -> Json:
        given = json.loads(request.read())
        if given != {"identifier": self.settings.handle, "password": self.settings.app_password.get_secret_value()}:
            raise Refusal("AuthenticationRequired", "Invalid identifier or password", 401)
        self.sign_ins += 1
        return self._session() | self._tokens()

    def _renew(self, request: httpx.Request) -> Json:
        self.renewable.discard(request.headers["authorization"].removeprefix("Bearer "))
        return self._session() | self._tokens()

    def _tokens(self) -> Json:
        number = self._number()
        claims = base64.urlsafe_b64encode(
            json.dumps({"exp": int((self.clock() + timedelta(hours=2)).timestamp()), "n": number}).encode()
        )
        access, refresh = f"e30.{claims.decode().rstrip('=')}.sig", f"refresh-{number}"
        self.access, self.renewable = {access}, {refresh}
        return {"accessJwt": access, "refreshJwt": refresh}

    def _session(self) -> Json:
        server = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": f"https://{PDS}"}
        return {"did": US, "handle": self.settings.handle, "active": True, "didDoc": {"id": US, "service": [server]}}

    # in public

    def _list(self, request: httpx.Request) -> Json:
        asked = request.url.params
        found = [one for one in reversed(self.notifications) if one["reason"] in asked.get_list("reasons")]
        start, limit = int(asked.get("cursor", 0)), int(asked.get("limit", 50))
        following = {"cursor": str(start + limit)} if len(found) > start + limit else {}
        return {"notifications": found[start : start + limit], "seenAt": self._now(), **following}

    def _posts(self, request: httpx.Request) -> Json:
        wanted = request.url.params.get_list("uris")
        if len(wanted) > 25:
            raise Refusal("InvalidRequest", "uris must not have more than 25 elements")
        return {"posts": [self._post(uri) for uri in wanted if uri in self.records]}

    def _post(self, uri: str) -> Json:
        record = self.records[uri]
        did = records.parted(uri)[0]
        post = {"uri": uri, "cid": _cid(record), "author": self._profile(did), "record": record}
        return post | {"replyCount": 0, "repostCount": 0, "likeCount": 1, "indexedAt": record["createdAt"]}

    def _profile(self, did: str) -> Json:
        if did not in self.people:
            raise Refusal("InvalidRequest", "Profile not found")
        handle = self.people[did]
        return {"did": did, "handle": handle, "displayName": handle.partition(".")[0].title()}

    def _resolve(self, request: httpx.Request) -> Json:
        wanted = request.url.params["handle"]
        found = next((did for did, handle in self.people.items() if handle == wanted), None)
        if found is None:
            raise Refusal("InvalidRequest", "Unable to resolve handle")
        return {"did": found}

    def _get(self, request: httpx.Request) -> Json:
        asked = request.url.params
        uri = f"at://{asked['repo']}/{asked['collection']}/{asked['rkey']}"
        if uri not in self.records:
            raise Refusal("RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, "cid": _cid(self.records[uri]), "value": self.records[uri]}

    def _put(self, request: httpx.Request) -> Json:
        body = json.loads(request.read())
        record = body["record"]
        if body["repo"] != US or body["collection"] != record["$type"]:
            raise Refusal("InvalidRequest", "Invalid record type")
        if not _TID.fullmatch(body["rkey"]):
            raise Refusal("InvalidRequest", "Invalid record key for the collection: it must be a TID")
        if body["collection"] == records.POST:
            self._check(record)
        uri = f"at://{US}/{body['collection']}/{body['rkey']}"
        is_new = uri not in self.records
        self._keep(US, body["collection"], body["rkey"], record)
        if is_new and body["collection"] == records.POST:
            self._say(uri, "public", "public", "us", record["text"])
        return {"uri": uri, "cid": _cid(record)}

    def _check(self, record: Json) -> None:
        """https://docs.bsky.app/docs/advanced-guides/posts (2026-11)"""
        _check_text(record, 300)
        reply = record["reply"]
        if any(ref["uri"] not in self.records or not ref["cid"] for ref in (reply["root"], reply["parent"])):
            raise Refusal("InvalidRequest", "the reply names no record")
        for image in record.get("embed", {}).get("images", ()):
            if image["image"]["ref"]["$link"] not in self.blobs or not isinstance(image["alt"], str):
                raise Refusal("BlobNotFound", "Could not find blob")

    def _delete(self, request: httpx.Request) -> Json:
        body = json.loads(request.read())
        uri = f"at://{body['repo']}/{body['collection']}/{body['rkey']}"
        if self.records.pop(uri, None) and body["collection"] == records.POST:
            self.said = [replace(one, text="", deleted=True) if one.id == uri else one for one in self.said]
        return {}

    def _upload(self, request: httpx.Request) -> Json:
        content = request.read()
        if not content or len(content) > 1_000_000:
            raise Refusal("BlobTooLarge", "This file is too large")
        link = _cid({"blob": hashlib.sha256(content).hexdigest()})
        self.blobs.add(link)
        media_type = request.headers["content-type"]
        return {"blob": {"$type": "blob", "ref": {"$link": link}, "mimeType": media_type, "size": len(content)}}

    # direct messages

    def _read_log(self, request: httpx.Request) -> Json:
        start = int(request.url.params.get("cursor", 0))
        found = self.logs[start : start + 10]
        return {"logs": found, "cursor": str(start + len(found))}

    def _convo_for(self, request: httpx.Request) -> Json:
        (member,) = request.url.params.get_list("members")
        if member in self.closed:
            raise Refusal("MessagesDisabled", "recipient has disabled incoming messages")
        return {"convo": {"id": self.convo(member), "rev": "1", "members": [], "muted": False, "unreadCount": 0}}

    def _send(self, request: httpx.Request) -> Json:
        body = json.loads(request.read())
        known = {self.convo(did): did for did in self.people if did != US}
        if body["convoId"] not in known:
            raise Refusal("InvalidConvo", "Convo not found")
        _check_text(body["message"], 1000)
        said = self._write(US, body["convoId"], body["message"], "us")
        return next(one for one in self.messages[body["convoId"]] if one["id"] == said.id)

    def _write(self, did: str, convo: str, given: Json, author: str) -> Said:
        number = records.tid(f"message {self._number()}")
        message = {"$type": "chat.bsky.convo.defs#messageView", "id": number, "rev": number, **given}
        message |= {"sender": {"did": did}, "sentAt": self._now()}
        self.messages.setdefault(convo, []).append(message)
        self._log("logCreateMessage", convo, message=message)
        return self._say(number, "messages", convo, author, given["text"])

    def _log(self, kind: str, convo: str, **more: Any) -> None:
        people = [self._profile(did) for did in self.people if did == US or self.convo(did) == convo]
        rev = records.tid(f"rev {self._number()}")
        told = {"$type": f"chat.bsky.convo.defs#{kind}", "rev": rev, "convoId": convo, "relatedProfiles": people}
        self.logs.append(told | more)

    # inside

    def _notify(self, reason: str, did: str, uri: str, record: Json, about: str | None = None) -> None:
        told: Json = {"uri": uri, "cid": _cid(record), "author": self._profile(did), "reason": reason, "record": record}
        told |= {"isRead": False, "indexedAt": self._now(), "labels": []}
        self.notifications.append(told | ({"reasonSubject": about} if about else {}))

    def _keep(self, did: str, collection: str, rkey: str, record: Json) -> str:
        uri = f"at://{did}/{collection}/{rkey}"
        self.records[uri] = record
        return uri

    def _say(self, native_id: str, place: str, thread: str, author: str, text: str) -> Said:
        said = Said(native_id, place, thread, author, text, self.clock())
        self.said.append(said)
        return said

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _now(self) -> str:
        """Later each time, as moments are."""
        at = self.clock() + timedelta(milliseconds=self._number())
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def resume(self, sent: Sequence[Any]) -> None:
        super().resume(sent)
        self._count += 10 * len(sent)


def _cid(record: Json) -> str:
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()
    return "bafyrei" + base64.b32encode(digest).decode().lower().rstrip("=")


def _check_text(record: Json, most: int) -> None:
    text = record["text"]
    size = len(text.encode())
    if count(text, "graphemes") > most or size > 10 * most:
        raise Refusal("InvalidRequest", f"text must not be longer than {most} graphemes")
    starts = {len(text[:at].encode()) for at in range(len(text) + 1)}
    for facet in record.get("facets", ()):
        index = facet["index"]
        if not {index["byteStart"], index["byteEnd"]} <= starts or index["byteStart"] >= index["byteEnd"]:
            raise Refusal("InvalidRequest", "a facet cuts a character in two")
        if any(not one["$type"].startswith("app.bsky.richtext.facet#") for one in facet["features"]):
            raise Refusal("InvalidRequest", "unknown facet")

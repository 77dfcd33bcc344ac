"""An instance, played: it keeps posts, notifies, streams, and checks our calls as the real API would."""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import httpx

from socialsupport_core.contract import Frame, SignIn
from socialsupport_core.testing import Line, Place, Said, Simulator
from socialsupport_core.testing.streams import Refused
from socialsupport_core.text import count
from socialsupport_mastodon.settings import MastodonSettings

Json = dict[str, Any]
US, ACCT, HOST, STREAM, FILES = "1", "acme", "mastodon.example", "streaming.mastodon.example", "files.mastodon.example"
LONGEST, URL_LENGTH = 500, 23
VISIBILITIES = ("public", "unlisted", "private", "direct")
_MENTION = re.compile(r"(?<![=/\w])@([A-Za-z0-9_]+(?:@[A-Za-z0-9.-]+)?)", re.ASCII)
_URL = re.compile(r"https?://\S+\.\S+")


class Refusal(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.response = httpx.Response(status, json={"error": error})


class MastodonSimulator(Simulator):
    network = "mastodon"
    hosts = frozenset({HOST, STREAM, FILES})
    places: ClassVar[tuple[Place, ...]] = (
        Place("public", "In public", "public"),
        Place("direct", "Direct post", "private"),
    )
    settings: MastodonSettings

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.statuses: dict[str, Json] = {}
        self.notifications: list[Json] = []
        self.media: dict[str, Json] = {}
        self.favourites: set[str] = set()
        self.accounts: dict[str, str] = {US: ACCT}
        self.tokens = [token.get_secret_value() for token in (self.settings.access_token,) if token]
        self.codes: dict[str, SignIn] = {}
        self._keys: dict[str, str] = {}
        self._count = 100

    # people

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`visibility`, `spoiler_text`, `in_reply_to_id`, `media_attachments`, `poll` as Mastodon has them."""
        status = self._status(self.account(person), f"@{ACCT} {text}", more.get("visibility") or place or "public")
        status |= {name: value for name, value in more.items() if name in status}
        self._notify("mention", status)
        return self._keep(status, person)

    def favour(self, person: str, status_id: str) -> None:
        self._notify("favourite", self.statuses[status_id], self.account(person))

    def edit(self, status_id: str, text: str) -> None:
        status = self.statuses[status_id]
        status |= {"content": _written(f"@{ACCT} {text}", self._people(f"@{ACCT} {text}")), "edited_at": self._now()}
        self._tell("status.update", status)

    def withdraw(self, status_id: str) -> None:
        del self.statuses[status_id]
        self._tell("delete", status_id)

    def account(self, person: str) -> str:
        """People of other servers are `name@server`."""
        known = next((key for key, acct in self.accounts.items() if acct == person), None)
        if known is None:
            known = str(self._number())
            self.accounts[known] = person
        return known

    # the API

    def respond(self, request: httpx.Request) -> httpx.Response:
        try:
            if request.url.host == FILES:
                return httpx.Response(200, content=b"file", headers={"content-type": "image/png"})
            if request.url.path == "/oauth/token":
                return self._token(dict(parse_qsl(request.read().decode())))
            self._allowed(request)
            return self._routed(request)
        except Refusal as refusal:
            return refusal.response

    def _allowed(self, request: httpx.Request) -> None:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Refusal(401, "The access token is invalid")

    def _routed(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/")
        for pattern, reader in self._routes.items():
            method, _, wanted = pattern.partition(" ")
            if method == request.method and (found := re.fullmatch(wanted, path)):
                return reader(request, *found.groups())
        raise Refusal(404, "Record not found")

    @property
    def _routes(self) -> Mapping[str, Callable[..., httpx.Response]]:
        return {
            "GET v1/accounts/verify_credentials": lambda _: _told(self._account(US)),
            "GET v1/accounts/([0-9]+)": self._show_account,
            "GET v1/accounts/1/statuses": lambda _: _told(self._ours()),
            "GET v1/statuses/([0-9]+)/source": lambda _, one: _told(
                {"id": one, "text": self._own(one)["text"], "spoiler_text": self._own(one)["spoiler_text"]}
            ),
            "GET v2/instance": lambda _: _told(_instance()),
            "GET v1/notifications": self._page,
            "POST v1/statuses": self._post,
            "GET v1/statuses/([0-9]+)": lambda _, one: _told(self._known(one)),
            "PUT v1/statuses/([0-9]+)": self._put,
            "DELETE v1/statuses/([0-9]+)": self._delete,
            "POST v1/statuses/([0-9]+)/(favourite|unfavourite)": self._favour,
            "POST v2/media": self._upload,
            "GET v1/media/([0-9]+)": self._processed,
        }

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        now = self.clock()
        headers = {
            "x-ratelimit-limit": "300",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": (now + timedelta(seconds=60)).isoformat(),
            "date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }
        return httpx.Response(429, headers=headers, json={"error": "Too many requests"})

    def expired(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "The access token was revoked"})

    def _show_account(self, request: httpx.Request, one: str) -> httpx.Response:
        if one not in self.accounts:
            raise Refusal(404, "Record not found")
        return _told(self._account(one))

    def _ours(self) -> list[Json]:
        found = [one for one in reversed(self.statuses.values()) if one["account"]["id"] == US]
        return [{name: value for name, value in one.items() if name != "text"} for one in found[:40]]

    def _page(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        found = [one for one in self.notifications if one["type"] in asked.get_list("types[]")]
        limit = min(int(asked.get("limit", 40)), 80)
        if "min_id" in asked:
            found = [one for one in found if int(one["id"]) > int(asked["min_id"])][:limit]
        found = [one for one in found if int(one["id"]) < int(asked.get("max_id", 1 << 60))][-limit:]
        page = list(reversed(found))
        own = f"https://{HOST}/api/v1/notifications?limit={limit}"
        link = (
            f'<{own}&max_id={page[-1]["id"]}>; rel="next", <{own}&min_id={page[0]["id"]}>; rel="prev"' if page else ""
        )
        return httpx.Response(200, json=page, headers={"link": link} if link else {})

    def _post(self, request: httpx.Request) -> httpx.Response:
        body: Json = json.loads(request.read())
        if (key := request.headers.get("idempotency-key")) and key in self._keys:
            return _told(self._known(self._keys[key]))
        self._check(body)
        answered = body.get("in_reply_to_id")
        if answered is not None and answered not in self.statuses:
            raise Refusal(404, "Record not found")
        status = self._status(US, body["status"], body["visibility"])
        status |= {"spoiler_text": body.get("spoiler_text", ""), "text": body["status"]}
        if answered:
            replied = self.statuses[answered]
            status |= {"in_reply_to_id": answered, "in_reply_to_account_id": replied["account"]["id"]}
        status["media_attachments"] = [self._ready(one) for one in body.get("media_ids", ())]
        self._keep(status, "us", body["status"])
        self._tell("update", status)
        if key:
            self._keys[key] = status["id"]
        return _told(status)

    def _check(self, body: Json) -> None:
        """https://docs.joinmastodon.org/methods/statuses/#create (2026-11)"""
        if not isinstance(body.get("status"), str) or body.get("visibility", "public") not in VISIBILITIES:
            raise Refusal(422, "Validation failed: Text can't be blank")
        counted = _URL.sub("x" * URL_LENGTH, re.sub(r"(@\w+)@[\w.-]+", r"\1", body["status"]))
        if count(counted + body.get("spoiler_text", ""), "graphemes") > LONGEST:
            raise Refusal(422, f"Validation failed: Text character limit of {LONGEST} exceeded")
        if len(body.get("media_ids", ())) > 4:
            raise Refusal(422, "Validation failed: Cannot attach more than 4 files")

    def _put(self, request: httpx.Request, one: str) -> httpx.Response:
        status, body = self._own(one), json.loads(request.read())
        self._check(body)
        status |= {
            "content": _written(body["status"], self._people(body["status"])),
            "spoiler_text": body.get("spoiler_text", ""),
            "media_attachments": [self._ready(media) for media in body.get("media_ids", ())],
            "edited_at": self._now(),
        }
        self._again(one, text=body["status"], edited=True)
        self._tell("status.update", status)
        return _told(status)

    def _delete(self, request: httpx.Request, one: str) -> httpx.Response:
        status = self._own(one)
        del self.statuses[one]
        self._again(one, text="", deleted=True)
        self._tell("delete", one)
        return _told(status)

    def _favour(self, request: httpx.Request, one: str, verb: str) -> httpx.Response:
        status = self._known(one)
        (self.favourites.add if verb == "favourite" else self.favourites.discard)(one)
        return _told(status | {"favourited": verb == "favourite"})

    def _upload(self, request: httpx.Request) -> httpx.Response:
        body, number = request.read(), str(self._number())
        if b'name="file"; filename=' not in body:
            raise Refusal(422, "Validation failed: File can't be blank")
        is_slow = b"video/" in body
        described = re.search(rb'name="description"\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
        self.media[number] = {
            "id": number,
            "type": "video" if is_slow else "image",
            "url": f"https://{FILES}/media_attachments/{number}.{'mp4' if is_slow else 'png'}",
            "preview_url": None,
            "remote_url": None,
            "description": described[1].decode() if described else None,
            "asked": 0 if is_slow else 2,
        }
        shown = {**self.media[number], "url": None} if is_slow else self.media[number]
        return httpx.Response(202 if is_slow else 200, json=shown)

    def _processed(self, request: httpx.Request, one: str) -> httpx.Response:
        if one not in self.media:
            raise Refusal(404, "Record not found")
        self.media[one]["asked"] += 1
        return httpx.Response(200 if self.media[one]["asked"] >= 2 else 206, json=self.media[one])

    def _ready(self, one: str) -> Json:
        if self.media.get(one, {}).get("asked", 0) < 2:
            raise Refusal(422, "Validation failed: Cannot attach files that have not finished processing")
        return self.media[one]

    def _token(self, form: Json) -> httpx.Response:
        sign_in = self.codes.pop(form.get("code", ""), None)
        secret = self.settings.client_secret
        is_app = secret and form.get("client_secret") == secret.get_secret_value()
        if sign_in is None or not is_app or form.get("redirect_uri") != sign_in.redirect:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "The grant is invalid"})
        if form.get("code_verifier") != sign_in.verifier.get_secret_value():
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "The verifier is wrong"})
        self.tokens.append(f"token-{self._number()}")
        return _told({"access_token": self.tokens[-1], "token_type": "Bearer", "scope": "read write:statuses"})

    # the stream

    def dialled(self, line: Line) -> None:
        if line.request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Refused(httpx.Response(401, json={"error": "Invalid access token"}))

    def _tell(self, event: str, content: Any) -> None:
        frame = Frame(content if isinstance(content, str) else json.dumps(content), event)
        for line in self.lines:
            line.tell(frame)

    def _notify(self, kind: str, status: Json, account: str | None = None) -> None:
        who = self._account(account) if account else status["account"]
        told = {"id": str(self._number()), "type": kind, "created_at": self._now(), "account": who, "status": status}
        self.notifications.append(told)
        self._tell("notification", told)

    # inside

    def _status(self, account: str, text: str, visibility: str) -> Json:
        number = str(self._number())
        people = self._people(text)
        return {
            "id": number,
            "created_at": self._now(),
            "in_reply_to_id": None,
            "in_reply_to_account_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": visibility,
            "language": "en",
            "uri": f"https://{HOST}/users/{account}/statuses/{number}",
            "edited_at": None,
            "content": _written(text, people),
            "reblog": None,
            "account": self._account(account),
            "media_attachments": [],
            "mentions": [
                {"id": key, "username": acct.partition("@")[0], "acct": acct, "url": _page_of(acct)}
                for key, acct in people.items()
            ],
            "poll": None,
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
        }

    def _people(self, text: str) -> dict[str, str]:
        named = set(_MENTION.findall(text))
        return {key: acct for key, acct in self.accounts.items() if acct in named}

    def _account(self, key: str) -> Json:
        acct = self.accounts[key]
        name = acct.partition("@")[0]
        return {
            "id": key,
            "username": name,
            "acct": acct,
            "display_name": name.title(),
            "uri": f"https://{HOST}/users/{name}",
            "url": _page_of(acct),
            "avatar": f"https://{FILES}/accounts/{key}.png",
            "bot": False,
            "followers_count": 7,
        }

    def _keep(self, status: Json, author: str, text: str | None = None) -> Said:
        self.statuses[status["id"]] = status
        is_public = status["visibility"] in {"public", "unlisted"}
        others = sorted({status["account"]["id"], *(one["id"] for one in status["mentions"])} - {US})
        shown = text if text is not None else html.unescape(re.sub(r"<[^<>]*>", "", status["content"]))
        thread = "public" if is_public else ",".join(others)
        place = "public" if is_public else "direct"
        said = Said(status["id"], place, thread, author, shown, self.clock())
        self.said.append(said)
        return said

    def _known(self, one: str) -> Json:
        if one not in self.statuses:
            raise Refusal(404, "Record not found")
        return self.statuses[one]

    def _own(self, one: str) -> Json:
        status = self._known(one)
        if status["account"]["id"] != US:
            raise Refusal(404, "Record not found")
        return status

    def _again(self, one: str, **changes: Any) -> None:
        self.said = [replace(said, **changes) if said.id == one else said for said in self.said]

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def resume(self, sent: Sequence[Any]) -> None:
        super().resume(sent)
        self._count += 10 * len(sent)


def _told(content: Any) -> httpx.Response:
    return httpx.Response(200, json=content)


def _page_of(acct: str) -> str:
    name, _, server = acct.partition("@")
    return f"https://{server or HOST}/@{name}"


def _written(text: str, people: Mapping[str, str]) -> str:
    """As Mastodon writes it, with addresses and mentions as links."""
    shown = html.escape(text, quote=False)
    shown = _URL.sub(lambda url: f'<a href="{url[0]}" rel="nofollow"><span class="invisible">https://</span>'
                     f'<span class="">{url[0].partition("//")[2]}</span></a>', shown)  # fmt: skip
    for acct in sorted(people.values(), key=len, reverse=True):
        name = f"@<span>{acct.partition('@')[0]}</span>"
        link = f'<span class="h-card"><a href="{_page_of(acct)}" class="u-url mention">{name}</a></span>'
        shown = re.sub(rf"(?<![\w/@])@{re.escape(acct)}(?![\w@])", link, shown)
    return "<p>" + shown.replace("\n\n", "</p><p>").replace("\n", "<br />") + "</p>"


def _instance() -> Json:
    return {
        "domain": HOST,
        "version": "4.5.0",
        "configuration": {
            "urls": {"streaming": f"wss://{STREAM}"},
            "statuses": {
                "max_characters": LONGEST,
                "max_media_attachments": 4,
                "characters_reserved_per_url": URL_LENGTH,
            },
            "media_attachments": {"image_size_limit": 16_777_216, "video_size_limit": 103_809_024},
        },
    }

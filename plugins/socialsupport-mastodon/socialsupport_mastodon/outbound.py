"""From intents to calls (https://docs.joinmastodon.org/methods/statuses/, 2026-11)."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import ContentRejected, Flow, Unsupported
from socialsupport_core.contract.lax import Json, json_object, needed, text_of
from socialsupport_core.model import (
    DeleteMessage,
    EditMessage,
    Intent,
    OpenPrivate,
    React,
    Receipt,
    SendMessage,
)
from socialsupport_mastodon import api, media, places, wording
from socialsupport_mastodon.inbound import FAVOURITE, Us

LIKES = frozenset({FAVOURITE, "❤", "❤️", "👍"})
"""All of them are the one reaction that there is."""

NEWEST, READ = 40, 10
"""How many posts of ours are looked at, and of how many the words are read. 40 is the most that may be asked for:
https://docs.joinmastodon.org/methods/accounts/#statuses (2026-11)"""
EARLIER = timedelta(minutes=1)
"""Our clock and the instance's may differ."""


def send(intent: Intent, us: Us) -> Flow[Receipt]:
    match intent:
        case SendMessage():
            return _say(intent, us, visibility(intent))
        case OpenPrivate():
            return _say(intent, us, "direct")
        case EditMessage():
            return _edit(intent, us)
        case DeleteMessage():
            return _delete(intent, us)
        case React():
            return _react(intent, us)
        case _:
            raise Unsupported(f"Mastodon cannot carry out {intent.type}")


def visibility(intent: Intent) -> str:
    """Never wider than that of the post which is answered."""
    if intent.thread.visibility != "public":
        return "direct"
    if intent.target is None:
        return "unlisted"
    answered = text_of(json_object(intent.target.context), "visibility") or ""
    return "direct" if intent.target.thread.visibility != "public" else places.ANSWERS.get(answered, "unlisted")


def lookup(intent: Intent, us: Us, since: datetime) -> Flow[Receipt | None]:
    """Among our newest posts one that answers the same, is as visible, and was written with the same words.

    The key that each post carries is remembered for an hour only, and a try may be repeated later than that.
    """
    if not isinstance(intent, SendMessage | OpenPrivate):
        raise Unsupported(f"Mastodon does not tell whether {intent.type} was carried out; it can be done again")
    acct = yield from _addressee(intent, us)
    text = wording.addressed(acct, wording.body(intent.text or ""))
    visible_to = visibility(intent) if isinstance(intent, SendMessage) else "direct"
    address = api.at(us.host, "v1", "accounts", us.account, "statuses")
    response: httpx.Response = yield api.get(address, [("limit", NEWEST), ("exclude_reblogs", "true")])
    alike = [
        one
        for one in response.json()
        if one["visibility"] == visible_to
        and one["in_reply_to_id"] == _answered(intent)
        and places.moment(one["created_at"]) >= since - EARLIER
    ]
    for one in alike[:READ]:
        response = yield api.get(api.at(us.host, "v1", "statuses", str(one["id"]), "source"))
        if response.json()["text"].strip() == text.strip():
            return _receipt(one, us)
    return None


def _say(intent: SendMessage | OpenPrivate, us: Us, visible_to: str) -> Flow[Receipt]:
    acct = yield from _addressee(intent, us)
    body: dict[str, Any] = {
        "status": wording.addressed(acct, wording.body(intent.text or "")),
        "visibility": visible_to,
    }
    if answered := _answered(intent):
        body["in_reply_to_id"] = answered
    if isinstance(intent, SendMessage):
        yield from _add(intent, us, body)
    response: httpx.Response = yield api.send("POST", api.at(us.host, "v1", "statuses"), body, native_key(intent.key))
    return _receipt(response.json(), us)


def _add(intent: SendMessage, us: Us, body: dict[str, Any]) -> Flow[None]:
    if intent.subject:
        body["spoiler_text"] = intent.subject
    if intent.attachments:
        body["media_ids"] = []
        for attachment in intent.attachments:
            body["media_ids"].append((yield from media.upload(us.host, attachment)))


def native_key(key: str) -> str:
    """An instance remembers it for an hour."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _answered(intent: Intent) -> str | None:
    if intent.target:
        return intent.target.native_id
    return intent.thread.id if intent.thread.visibility == "public" else None


def _addressee(intent: Intent, us: Us) -> Flow[str]:
    """Whoever is answered is mentioned, or they would not hear of it."""
    party = intent.recipient or (intent.target.counterpart if intent.target else None)
    if party and party.handle and places.ACCT.fullmatch(party.handle):
        return party.handle
    native = party.account.value if party and party.account and party.account.kind == places.USER else None
    native = native or _only_one(intent)
    if native is None:
        raise ContentRejected("nobody is addressed; answer a post, or name a recipient", code="recipient")
    response: httpx.Response = yield api.get(api.at(us.host, "v1", "accounts", native))
    acct = needed(response.json(), "acct")
    if not places.ACCT.fullmatch(acct):
        raise ContentRejected("the instance tells a name that nobody can be mentioned by", code="recipient")
    return acct


def _only_one(intent: Intent) -> str | None:
    """The other side of a private thread of two."""
    people = intent.thread.id.removeprefix(places.DIRECT)
    return people if intent.thread.id.startswith(places.DIRECT) and people and "," not in people else None


def _edit(intent: EditMessage, us: Us) -> Flow[Receipt]:
    """What is not told again is taken away, so everything but the words is told as it was."""
    address = api.at(us.host, "v1", "statuses", _own(intent))
    response: httpx.Response = yield api.get(address)
    was = response.json()
    people = [acct for one in places.mentioned(was) if (acct := text_of(one, "acct")) and places.ACCT.fullmatch(acct)]
    text = wording.body(intent.text)
    body: dict[str, Any] = {
        "status": wording.addressed(" @".join(people), text) if people else text,
        "spoiler_text": text_of(was, "spoiler_text") or "",
        "sensitive": was.get("sensitive") is True,
        "media_ids": [str(one["id"]) for one in was["media_attachments"]],
    }
    if language := text_of(was, "language"):
        body["language"] = language
    response = yield api.send("PUT", address, body)
    return _receipt(response.json(), us)


def _delete(intent: DeleteMessage, us: Us) -> Flow[Receipt]:
    own = _own(intent)
    yield api.send("DELETE", api.at(us.host, "v1", "statuses", own))
    return Receipt(native_id=own)


def _own(intent: EditMessage | DeleteMessage) -> str:
    if intent.target is None or intent.target.direction != "outbound":
        raise ContentRejected("only what we have posted ourselves can be changed", code="target")
    return intent.target.native_id


def _react(intent: React, us: Us) -> Flow[Receipt]:
    """https://docs.joinmastodon.org/methods/statuses/#favourite (2026-11)"""
    if intent.target is None:
        raise ContentRejected("a reaction needs the post that it is to", code="target")
    if intent.reaction not in LIKES | {""}:
        raise ContentRejected(f"Mastodon knows favourites only; react with {FAVOURITE}", code="reaction")
    verb = "favourite" if intent.reaction else "unfavourite"
    yield api.send("POST", api.at(us.host, "v1", "statuses", intent.target.native_id, verb))
    return Receipt(native_id=intent.target.native_id)


def _receipt(status: Json, us: Us) -> Receipt:
    if places.author_of(status) != us.account:
        raise ValueError("the answer tells of somebody else's post")
    return Receipt(
        native_id=needed(status, "id"),
        thread=places.thread(status, us.account),
        at=places.moment(needed(status, "created_at")),
    )

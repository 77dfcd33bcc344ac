"""Answering in public: comments, their edits and deletions, reactions; and whether a doubtful one was done.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/comments-api and …/reactions-api
(2026-07)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import ContentRejected, Flow, Unreachable, Unsupported
from socialsupport_core.contract.answered import EPOCH
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import DeleteMessage, EditMessage, Intent, React, Receipt, SendMessage, Thread
from socialsupport_core.text import to_spans
from socialsupport_linkedin.api import CommentUrn, Rest, encoded

REACTIONS: Mapping[str, str] = {
    "👍": "LIKE",
    "👏": "PRAISE",
    "🫶": "APPRECIATION",
    "❤": "EMPATHY",
    "❤️": "EMPATHY",
    "💡": "INTEREST",
    "😄": "ENTERTAINMENT",
}
PAGE, PAGES = 100, 10
ENTITIES = {"urn:li:person:": "person", "urn:li:organization:": "organization"}


@dataclass(frozen=True, slots=True)
class Writer:
    """The page, as the author of what is written."""

    rest: Rest
    own: str

    @property
    def actor(self) -> str:
        return f"urn:li:organization:{self.own}"

    @property
    def by(self) -> str:
        return f"actor={encoded(self.actor)}"

    def send(self, intent: SendMessage) -> Flow[Receipt]:
        """Answers a comment beneath it, and anything else beneath the post. A webhook may not have told that the
        comment is a reply itself: then LinkedIn refuses, and knows."""
        parent = _parent(intent)
        request = self._written(intent, parent)
        try:
            response: httpx.Response = yield request
        except ContentRejected:
            above = yield from self._above(parent)
            if above is None:
                raise
            response = yield self._written(intent, above)
        return _receipt(intent, response)

    def _written(self, intent: SendMessage, parent: CommentUrn | None) -> httpx.Request:
        body: dict[str, Any] = {"actor": self.actor, "object": _post(intent), "message": message(intent.text or "")}
        if parent:
            body["parentComment"] = str(parent)
        return self.rest.call("POST", self.rest.comments(str(parent) if parent else _post(intent)), json=body)

    def _above(self, urn: CommentUrn | None) -> Flow[CommentUrn | None]:
        """The comment to which this one is a reply."""
        if urn is None:
            return None
        told = yield from self._read(self.rest.comments(urn.thread, urn.id))
        return CommentUrn.read(text_of(told, "parentComment"))

    def edit(self, intent: EditMessage) -> Flow[Receipt]:
        urn = _comment(intent)
        patch = {"patch": {"message": {"$set": message(intent.text)}}}
        place = self.rest.comments(urn.thread, urn.id)
        yield self.rest.call("POST", place, self.by, patch, X_RestLi_Method="PARTIAL_UPDATE")
        return Receipt(native_id=str(urn))

    def delete(self, intent: DeleteMessage) -> Flow[Receipt]:
        urn = _comment(intent)
        yield self.rest.call("DELETE", self.rest.comments(urn.thread, urn.id), self.by)
        return Receipt(native_id=str(urn))

    def react(self, intent: React) -> Flow[Receipt]:
        about = _target(intent)
        if intent.reaction:
            body = {"root": about, "reactionType": _reaction(intent)}
            yield self.rest.call("POST", "reactions", self.by, body)
        else:
            yield self.rest.call("DELETE", self._reaction_at(about))
        return Receipt(native_id=about)

    def _reaction_at(self, about: str) -> str:
        return f"reactions/(actor:{encoded(self.actor)},entity:{encoded(about)})"

    # whether it was done

    def found(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        match intent:
            case SendMessage():
                return (yield from self._said(intent, since))
            case EditMessage():
                told = yield from self._read(self.rest.comments(_comment(intent).thread, _comment(intent).id))
                is_done = _is_said(told, message(intent.text))
            case DeleteMessage():
                is_done = not (yield from self._read(self.rest.comments(_comment(intent).thread, _comment(intent).id)))
            case React():
                told = yield from self._read(self._reaction_at(_target(intent)))
                is_done = text_of(told, "reactionType") == (_reaction(intent) if intent.reaction else None)
            case _:
                raise Unsupported(f"LinkedIn cannot carry out {intent.type}")
        return Receipt(native_id=_target(intent)) if is_done else None

    def _read(self, path: str) -> Flow[Json]:
        """Empty if it is gone."""
        try:
            response: httpx.Response = yield self.rest.call("GET", path)
        except Unreachable:
            return {}
        found: Json = response.json()
        return found if object_of({"it": found}, "it") else {}

    def _said(self, intent: SendMessage, since: datetime) -> Flow[Receipt | None]:
        parent = _parent(intent)
        if found := (yield from self._said_under(str(parent or _post(intent)), intent, since)):
            return found
        above = yield from self._above(parent)
        return (yield from self._said_under(str(above), intent, since)) if above else None

    def _said_under(self, place: str, intent: SendMessage, since: datetime) -> Flow[Receipt | None]:
        for page in range(PAGES):
            response: httpx.Response = yield self.rest.call(
                "GET", self.rest.comments(place), f"start={page * PAGE}&count={PAGE}"
            )
            listed = objects_of(response.json(), "elements")
            for one in listed:
                if self._is_ours(one, intent, since) and (urn := CommentUrn.read(text_of(one, "commentUrn", "$URN"))):
                    return Receipt(native_id=str(urn), thread=_elsewhere(intent, urn))
            if len(listed) < PAGE:
                return None
        return None

    def _is_ours(self, one: Json, intent: SendMessage, since: datetime) -> bool:
        at = EPOCH + timedelta(milliseconds=min(whole_of(object_of(one, "created"), "time") or 0, 1 << 47))
        is_new = at >= since.replace(microsecond=since.microsecond // 1000 * 1000)
        return is_new and text_of(one, "actor") == self.actor and _is_said(one, message(intent.text or ""))


def _is_said(one: Json, wanted: Json) -> bool:
    return text_of(object_of(one, "message"), "text") == str(wanted["text"])


def message(text: str) -> dict[str, Any]:
    """Plain words; a link to the URN of a member or a page names them."""
    words, spans = to_spans(text)
    if not words.strip():
        raise ContentRejected("a comment has a text", code="text")
    named = [
        {"start": _units(words[: one.start]), "length": _units(words[one.start : one.end]), "value": value}
        for one in spans
        if one.style == "link"
        for value in _named(one.value)
    ]
    return {"text": words, "attributes": named} if named else {"text": words}


def _named(urn: str) -> Iterator[Json]:
    for prefix, kind in ENTITIES.items():
        if urn.startswith(prefix):
            yield {kind: {kind: urn}}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _parent(intent: SendMessage) -> CommentUrn | None:
    """The comment beneath which it stands: LinkedIn knows one level, so a reply is answered beneath what it answers."""
    target = intent.target
    if target is None or target.thread != intent.thread:
        return None
    return CommentUrn.read(target.in_reply_to) or CommentUrn.read(target.native_id)


def _post(intent: Intent) -> str:
    return intent.thread.id


def _target(intent: Intent) -> str:
    if intent.target is None:
        raise ContentRejected(f"{intent.type} names no comment; put the stored interaction into target")
    return intent.target.native_id


def _comment(intent: Intent) -> CommentUrn:
    found = CommentUrn.read(_target(intent))
    if found is None:
        raise ContentRejected("only a comment can be changed, and this is a post", code="target")
    return found


def _reaction(intent: React) -> str:
    if intent.reaction not in REACTIONS:
        raise Unsupported(f"LinkedIn has the reactions {' '.join(REACTIONS)}, and no {intent.reaction}")
    return REACTIONS[intent.reaction]


def _receipt(intent: SendMessage, response: httpx.Response) -> Receipt:
    """The URN in the body; the header has the bare number."""
    told = response.json()
    urn = CommentUrn.read(text_of(told, "commentUrn"))
    if urn is None:
        urn = CommentUrn(text_of(told, "object") or _post(intent), response.headers["x-restli-id"])
    return Receipt(native_id=str(urn), thread=_elsewhere(intent, urn))


def _elsewhere(intent: Intent, urn: CommentUrn) -> Thread | None:
    """A post is also an activity, by which its comments are named."""
    return None if urn.thread == intent.thread.id else Thread(id=urn.thread, visibility="public")

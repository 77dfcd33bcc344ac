"""A review and our answer to it, the same on every site: a public thread, one text a side, each edited in place."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from pydantic import ValidationError

from socialsupport_core.contract import ContentRejected, Flow, MalformedPayload, Wait
from socialsupport_core.contract.lax import Json, Unreadable, json_object, objects_of
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import (
    DeleteMessage,
    EditMessage,
    Event,
    Identifier,
    Intent,
    Interaction,
    InteractionEdited,
    InteractionReceived,
    Page,
    Party,
    Payload,
    Receipt,
    SendMessage,
    Thread,
    Unrecognised,
)
from socialsupport_core.text import escape, plain

ANSWER = "/answer"
"""After a review's id: our answer, of which there is one."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAUSE = 28.0
"""Seconds before the list is read again; nobody needs an answer sooner, and quotas are small."""


@dataclass(frozen=True, slots=True)
class Said:
    """`at` is when it was said, `edited_at` when it was last changed; the same, where a site tells only that."""

    text: str | None
    at: datetime
    edited_at: datetime
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    id: str
    author: str | None
    rating: float | None
    said: Said
    answer: Said | None = None
    language: str | None = None
    avatar: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Which network it is, and whose reviews."""

    network: str
    own_account: str

    def thread(self, review: str) -> Thread:
        return Thread(id=review, visibility="public")

    def events(self, review: Review) -> Iterator[Event]:
        """The review as it is now. It was new once, and may have been edited since: a site does not say which."""
        writer = Party(
            identifiers=(Identifier(kind=f"{self.network}.review", value=review.id),),
            name=review.author,
            avatar=review.avatar,
            language=review.language,
        )
        yield from self._told(review.id, review.said, writer, review.rating, review.language)
        if review.answer is not None:
            us = Party(identifiers=(Identifier(kind=f"{self.network}.owner", value=self.own_account),), is_self=True)
            yield from self._told(review.id + ANSWER, review.answer, us, to=writer)

    def _told(
        self,
        id: str,
        said: Said,
        author: Party,
        rating: float | None = None,
        language: str | None = None,
        to: Party | None = None,
    ) -> Iterator[Event]:
        interaction = Interaction(
            network=self.network,
            native_id=id,
            kind="review",
            direction="outbound" if author.is_self else "inbound",
            own_account=self.own_account,
            thread=self.thread(id.removesuffix(ANSWER)),
            author=author,
            recipients=(to,) if to else (),
            in_reply_to=id.removesuffix(ANSWER) if to else None,
            subject=said.subject,
            text=escape(said.text) if said.text else None,
            rating=rating,
            language=language,
            sent_at=said.at,
        )
        yield InteractionReceived(id=f"review:{id}", interaction=interaction)
        yield InteractionEdited(
            id=f"review:{id}:{said.edited_at.isoformat()}", interaction=interaction, edited_at=said.edited_at
        )


def translated(payload: Payload, site: Site, listed: str, read: Callable[[Json, Json], Review]) -> Iterable[Event]:
    """`read` makes a review of one native object of the list, and of the whole answer; it raises Unreadable.

    Raises MalformedPayload.
    """
    try:
        found = payload.json()
    except ValueError as error:
        raise MalformedPayload(f"no JSON: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get(listed), list):
        raise MalformedPayload(f"{listed} is missing: this is no list of reviews")
    for one in reversed(found[listed]):  # the oldest first
        try:
            yield from list(site.events(read(one if isinstance(one, dict) else {}, found)))
        except (Unreadable, ValidationError) as error:
            yield _unread(site, one, error)


def _unread(site: Site, one: object, error: ValueError) -> Unrecognised:
    content = hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()
    why = misfit(error, "the review") if isinstance(error, ValidationError) else str(error)
    return Unrecognised(id=f"unread:{content[:32]}", native_type="review", own_account=site.own_account, reason=why)


# reading the list


@dataclass(frozen=True, slots=True)
class Listing:
    """How a site lists reviews, the newest first."""

    request: httpx.Request
    name: str
    """Of the list in its answer."""
    newest: Callable[[Json], str | None]
    """When a native object was changed last, so that later is greater."""
    onward: Callable[[Json], dict[str, str] | None]
    """The parameters by which the page after an answer is asked for; None if it was the last."""

    def poll(self, cursor: str | None) -> Flow[Page]:
        """Until something is met that was there before, then from the top again. At first one page: see `history`."""
        state = json_object(cursor)
        seen, onward = str(state.get("seen") or ""), _parameters(state.get("next"))
        if cursor and not onward:
            yield Wait(PAUSE)
        found, body = yield from self._page(onward)
        times = [at for one in objects_of(found, self.name) if (at := self.newest(one))]
        top = max([*times, str(state.get("top") or ""), seen])
        is_met = not cursor or any(at <= seen for at in times)
        more = None if is_met else self.onward(found)
        after = {"seen": seen, "top": top, "next": more} if more else {"seen": top}
        return Page(payloads=body, cursor=_written(after), more=bool(more))

    def history(self, cursor: str | None) -> Flow[Page]:
        found, body = yield from self._page(_parameters(json_object(cursor).get("next")))
        more = self.onward(found)
        return Page(payloads=body, cursor=_written({"next": more}) if more else cursor, more=bool(more))

    def _page(self, onward: dict[str, str]) -> Flow[tuple[Json, tuple[Payload, ...]]]:
        address = self.request.url.copy_merge_params(onward)
        response: httpx.Response = yield httpx.Request("GET", address)
        found = response.json()
        if not isinstance(found, dict):
            raise TypeError("the answer is no list of reviews")
        body = Payload(source="poll", method="GET", url=str(address), body=response.content, received_at=EPOCH)
        return found, (body,) if objects_of(found, self.name) else ()


def _parameters(value: object) -> dict[str, str]:
    return {name: str(one) for name, one in value.items()} if isinstance(value, dict) else {}


def _written(cursor: Json) -> str:
    return json.dumps(cursor, separators=(",", ":"))


# answering


def unanswered(answer: Said | None, intent: SendMessage) -> None:
    """Raises ContentRejected: a second answer would silently take the place of the first."""
    if answer is not None and answer.text != text_of(intent):
        raise ContentRejected("this review has our answer already: edit that one", code="answered")


def text_of(intent: Intent) -> str:
    """As the site is given it."""
    written = plain(intent.text or "") if isinstance(intent, SendMessage | EditMessage) else ""
    if not written:
        raise ContentRejected("an answer to a review has a text", code="text")
    return written


def own(intent: EditMessage | DeleteMessage) -> str:
    """The review whose answer of ours it is."""
    if intent.target is None or not intent.target.native_id.endswith(ANSWER):
        raise ContentRejected("only our answer can be changed", code="target")
    return intent.target.native_id.removesuffix(ANSWER)


def receipt(site: Site, review: str, at: datetime | None = None) -> Receipt:
    return Receipt(native_id=review + ANSWER, thread=site.thread(review), at=at)


def moment(written: str) -> datetime:
    """An ISO time; with more digits than microseconds need. Raises Unreadable."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written[:40]!r} is no time") from None
    if found.tzinfo is None:
        raise Unreadable(f"{written[:40]!r} says no time zone")
    return found

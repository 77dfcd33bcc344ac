"""Their JSON into our events, by the mapping."""

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.typed import contacts
from socialsupport_core.model import (
    Attachment,
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    Payload,
    Thread,
    Unrecognised,
)
from socialsupport_core.model.event import DeliveryState
from socialsupport_core.model.interaction import InteractionKind, Visibility
from socialsupport_generic.mapping import DIRECTIONS, Files, Person
from socialsupport_generic.mapping import Mapping as Places
from socialsupport_generic.where import Native, Place

LONGEST_ID = 400  # characters; two of them make the id of an event
MOST_EVENTS, MOST_FILES = 1000, 50  # of one body, of one message
HANDOFF = re.compile(r"[a-z2-7]{26}")


class Reader:
    def __init__(self, network: str, own_account: str, places: Places) -> None:
        self.network = network
        self.own_account = own_account
        self.places = places
        self.zone = ZoneInfo(places.timezone) if places.timezone else None

    def events(self, payload: Payload) -> Iterator[Event]:
        """Raises MalformedPayload that names the path."""
        for native in self._natives(payload):
            happened = native.needed(self.places.type, "type")
            read = _READERS.get(happened)
            if read is None:
                yield self._unrecognised(native, happened, "the mapping's type leads to none of our words")
            else:
                yield from read(self, native, payload.received_at)

    def _natives(self, payload: Payload) -> list[Native]:
        try:
            body = payload.json()
        except ValueError as error:
            raise MalformedPayload(f"the body is not JSON: {error}") from None
        whole = Native(body, body)
        path = self.places.events
        found = body if path is None else whole.at(path)
        if not isinstance(found, list):
            found, named = [found], [path or ""]
        else:
            named = [f"{whole.named(path) if path else ''}[{index}]" for index in range(len(found))]
        if len(found) > MOST_EVENTS:
            raise MalformedPayload(f"{path or 'the body'} holds {len(found)} events; {MOST_EVENTS} are the most")
        natives = [Native(event, body, place) for event, place in zip(found, named, strict=True)]
        for one in natives:
            if not isinstance(one.event, dict):
                raise MalformedPayload(f"{one.place or 'the body'} is no object; the mapping reads events there")
        return natives

    # what happened

    def _message(self, native: Native, now: datetime) -> Iterator[Event]:
        interaction = self._interaction(native, now)
        mark = f"{interaction.thread.id}/{interaction.native_id}"
        if interaction.direction == "inbound":
            yield from self._handed_off(native, interaction, mark, now)
            yield from self._claimed(native, interaction, mark)
        yield InteractionReceived(id=f"message:{mark}", interaction=interaction)

    def _edit(self, native: Native, now: datetime) -> Iterator[Event]:
        interaction = self._interaction(native, now)
        at = native.moment(self.places.edited_at, "edited_at", self.zone)
        version = at.isoformat() if at else _digest(f"{interaction.subject}\n{interaction.text}")
        mark = f"edit:{interaction.thread.id}/{interaction.native_id}/{version}"
        yield InteractionEdited(id=mark, interaction=interaction, edited_at=at or now)

    def _delete(self, native: Native, now: datetime) -> Iterator[Event]:
        id_, thread = self._id(native, self.places.id, "id"), self._thread(native)
        yield InteractionDeleted(
            id=f"delete:{thread.id}/{id_}",
            own_account=self.own_account,
            thread=thread,
            native_id=id_,
            at=native.moment(self.places.edited_at, "edited_at", self.zone) or now,
        )

    def _receipt(self, native: Native, now: datetime) -> Iterator[Event]:
        places = self.places.receipt
        if places is None:
            raise MalformedPayload(f"{native.place or 'the body'} is a receipt, and the mapping has no `receipt`")
        message = _short(native, places.message, "receipt.message")
        key = native.text(places.key, "receipt.key")
        if message is None and key is None:
            raise native.missing("receipt.message or receipt.key", places.message, places.key)
        state = _one_of(get_args(DeliveryState), native, places.state, "receipt.state")
        yield DeliveryUpdated(
            id=f"receipt:{message or _digest(str(key))}:{state}",
            own_account=self.own_account,
            state=state,
            native_id=message,
            client_key=key,
            code=native.text(places.code, "receipt.code"),
            reason=native.text(places.reason, "receipt.reason"),
            at=native.moment(places.at, "receipt.at", self.zone) or now,
        )

    def _ignored(self, native: Native, now: datetime) -> Iterator[Event]:
        yield from ()

    # its parts

    def _interaction(self, native: Native, now: datetime) -> Interaction:
        places = self.places
        direction = _one_of(DIRECTIONS, native, places.direction, "direction")
        return Interaction(
            network=self.network,
            native_id=self._id(native, places.id, "id"),
            kind=_one_of(get_args(InteractionKind), native, places.kind, "kind"),
            direction=direction,
            own_account=self.own_account,
            thread=self._thread(native),
            **self._people(native, direction),
            in_reply_to=_short(native, places.in_reply_to, "in_reply_to"),
            subject=native.text(places.subject, "subject"),
            text=native.text(places.text, "text"),
            choice=native.text(places.choice, "choice"),
            rating=_number(native, places.rating, "rating"),
            language=native.text(places.language, "language"),
            client_key=native.text(places.key, "key"),
            attachments=_attachments(native, places.attachments),
            sent_at=native.moment(places.sent_at, "sent_at", self.zone) or now,
        )

    def _people(self, native: Native, direction: str) -> dict[str, Any]:
        if direction == "inbound":
            return {"author": self._person(native, self.places.author, "author")}
        us = Party(name=native.text(self.places.author.name, "author.name"), is_self=True)
        recipient = self.places.recipient
        return {"author": us, "recipients": (self._person(native, recipient, "recipient"),) if recipient else ()}

    def _person(self, native: Native, places: Person, called: str) -> Party:
        points = _contacts(native, places, called)
        id_ = _short(native, places.id, f"{called}.id")
        if id_ is not None:
            account = (Identifier(kind=f"{self.network}.user", scope=self.own_account, value=id_),)
            known = (*account, *points) if places.contacts == "asserted" else account
        elif points and places.id is None:
            known = points if places.contacts == "asserted" else points[:1]
        else:
            wheres = (places.id,) if places.id else (places.email, places.phone)
            raise native.missing(" or ".join(f"{called}.{name}" for name in _given(places)), *wheres)
        name, handle = (native.text(one, called) for one in (places.name, places.handle))
        return Party(identifiers=known, name=name, handle=handle)

    def _claimed(self, native: Native, said: Interaction, mark: str) -> Iterator[Event]:
        """What people typed: evidence that suggests, and joins nobody."""
        account = said.author.identifiers[0]
        claims = tuple(
            one for one in _contacts(native, self.places.author, "author") if one not in said.author.identifiers
        )
        if claims:
            yield IdentityClaimed(
                id=f"claim:{mark}",
                own_account=self.own_account,
                subject=account,
                claims=claims,
                proof="typed",
                thread=said.thread,
                at=said.sent_at,
            )

    def _handed_off(self, native: Native, said: Interaction, mark: str, now: datetime) -> Iterator[Event]:
        token = native.text(self.places.handoff, "handoff")
        if token is None:
            return
        if not HANDOFF.fullmatch(token):
            yield self._unrecognised(native, "handoff", "this is not a hand-off token")
            return
        yield IdentityClaimed(
            id=f"handoff:{token}:{mark}",
            own_account=self.own_account,
            subject=said.author.identifiers[0],
            proof="handoff_token",
            token=token,
            thread=said.thread,
            at=now,
        )

    def _thread(self, native: Native) -> Thread:
        visibility = _one_of(get_args(Visibility), native, self.places.visibility, "visibility")
        return Thread(id=self._id(native, self.places.thread, "thread"), visibility=visibility)

    def _id(self, native: Native, where: Place, called: str) -> str:
        found = _short(native, where, called)
        if found is None:
            raise native.missing(called, where)
        return found

    def _unrecognised(self, native: Native, kind: str, reason: str) -> Unrecognised:
        content = _digest(f"{kind}\n{native.place}\n{native.event!r}")
        return Unrecognised(
            id=f"unrecognised:{content}", own_account=self.own_account, native_type=kind[:200], reason=reason
        )


_READERS: Mapping[str, Callable[[Reader, Native, datetime], Iterator[Event]]] = {
    "message": Reader._message,
    "edit": Reader._edit,
    "delete": Reader._delete,
    "receipt": Reader._receipt,
    "ignore": Reader._ignored,
}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _short(native: Native, where: Place | None, called: str) -> str | None:
    found = native.text(where, called)
    if found is not None and len(found) > LONGEST_ID:
        raise MalformedPayload(f"{called} of {native.place or 'the body'} is longer than {LONGEST_ID} characters")
    return found


def _one_of(words: tuple[Any, ...], native: Native, where: Place, called: str) -> Any:
    found = native.needed(where, called)
    if found not in words:
        places = ", ".join(map(native.named, where.path)) or called
        raise MalformedPayload(f"{places} is none of {', '.join(words)}; name their words in mapping.{called}.values")
    return found


def _number(native: Native, where: Place | None, called: str) -> float | None:
    found = native.text(where, called)
    if found is None:
        return None
    try:
        number = float(found)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MalformedPayload(f"{called} of {native.place or 'the body'} is no number")
    return number


def _given(places: Person) -> list[str]:
    """What tells people apart there."""
    return ["id"] if places.id else [name for name in ("email", "phone") if getattr(places, name)]


def _contacts(native: Native, places: Person, called: str) -> tuple[Identifier, ...]:
    return contacts(native.text(places.email, f"{called}.email"), native.text(places.phone, f"{called}.phone"))


def _attachments(native: Native, places: Files | None) -> tuple[Attachment, ...]:
    listed = native.at(places.each) if places else None
    if places is None or listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise MalformedPayload(f"{native.named(places.each)} is no list of objects; the mapping reads files there")
    inner = [native.within(one, f"{places.each}[{at}]") for at, one in enumerate(listed[:MOST_FILES])]
    return tuple(_attachment(one, places) for one in inner)


def _attachment(native: Native, places: Files) -> Attachment:
    url, id_ = native.text(places.url, "attachments.url"), native.text(places.id, "attachments.id")
    if url is None and id_ is None:
        raise native.missing("attachments.url", places.url, places.id)
    size = native.text(places.size, "attachments.size") or ""
    return Attachment(
        url=url,
        native_id=id_,
        name=native.text(places.name, "attachments.name"),
        media_type=native.text(places.media_type, "attachments.media_type") or "application/octet-stream",
        size=int(size) if re.fullmatch(r"[0-9]{1,15}", size) else None,
    )

"""From what Discord tells to events: over the gateway, read back, or at the door of interactions.

https://docs.discord.com/developers/events/gateway-events and
https://docs.discord.com/developers/interactions/receiving-and-responding (2026-11)
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, text_of, whole_of
from socialsupport_core.model import (
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    Payload,
    ReactionAdded,
    ReactionRemoved,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_discord import places, said

USER, WEBHOOK = "discord.user", "discord.webhook"
TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)/>])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
WRITTEN = frozenset({0, 19, 20, 23})
"""Types of messages that somebody has written: plain, reply, answer to a command, to a context menu.
https://docs.discord.com/developers/resources/message#message-object-message-types (2026-11)"""
PING, COMMAND, COMPONENT, COMPLETION, MODAL = 1, 2, 3, 4, 5
"""Types of interactions."""
THREADS: Mapping[str, str] = {"THREAD_CREATE": "opened", "THREAD_UPDATE": "changed", "THREAD_DELETE": "closed"}
UNKNOWN = "this connector does not read events of this kind"


def translated(payload: Payload, own: str) -> list[Event]:
    try:
        content = payload.json()
        if not isinstance(content, dict):
            raise Unreadable("the payload is no JSON object")
        return list(Reading(content, payload.received_at, own).events())
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise MalformedPayload(f"the payload cannot be read: {str(error).partition(chr(10))[0][:200]}") from error


@dataclass(frozen=True)
class Reading:
    outer: Json
    received_at: datetime
    own: str

    def events(self) -> Iterator[Event]:
        if self.outer.get("t") is None:
            return self._unnamed()
        readers: Mapping[str, Callable[[], Iterator[Event]]] = {
            "MESSAGE_CREATE": self._said,
            "MESSAGE_UPDATE": self._edited,
            "MESSAGE_DELETE": self._deleted,
            "MESSAGE_DELETE_BULK": self._deleted,
            "MESSAGE_REACTION_ADD": self._reacted,
            "MESSAGE_REACTION_REMOVE": self._reacted,
            "INTERACTION_CREATE": lambda: self._interacted(self.told),
            **dict.fromkeys(THREADS, self._changed),
        }
        kind = needed(self.outer, "t")
        return readers[kind]() if kind in readers else self._unknown(kind)

    def _unnamed(self) -> Iterator[Event]:
        """What comes to the door, a message as it is read back, or a frame of the gateway that tells of nothing."""
        if "op" in self.outer:
            return self._unknown(f"op/{whole_of(self.outer, 'op')}")
        if "event" in self.outer:
            return self._unknown(f"event/{text_of(object_of(self.outer, 'event'), 'type')}", given=self.outer)
        if "author" in self.outer and "token" not in self.outer:
            return Reading({"t": "MESSAGE_CREATE", "d": self.outer}, self.received_at, self.own).events()
        return self._interacted(self.outer)

    @property
    def told(self) -> Json:
        return object_of(self.outer, "d")

    @cached_property
    def number(self) -> str:
        """Tells two happenings apart that are about the same, and is the same when it is told again.

        Our own stream adds to which connection it belongs; a frame that was kept otherwise does not say.
        """
        return f"{text_of(self.outer, 'session') or ''}-{text_of(self.outer, 's', 't')}"

    # messages

    def _said(self) -> Iterator[Event]:
        if self._is_of_the_system():
            yield from self._unknown(f"MESSAGE_CREATE/{whole_of(self.told, 'type')}", "a message of Discord's own")
            return
        written = self._interaction(self.told)
        if written.direction == "inbound" and written.thread.visibility == "private":
            yield from self._claim(text_of(self.told, "content") or "", written)
        yield InteractionReceived(id=written.native_id, interaction=written)

    def _claim(self, text: str, about: Interaction) -> Iterator[Event]:
        if (found := TOKEN.search(text)) and about.author.account:
            yield IdentityClaimed(
                id=f"{about.native_id}/token",
                own_account=self.own,
                subject=about.author.account,
                proof="handoff_token",
                token=found[1],
                thread=about.thread,
                at=about.sent_at,
            )

    def _is_of_the_system(self) -> bool:
        return whole_of(self.told, "type") not in (*WRITTEN, None)

    def _edited(self) -> Iterator[Event]:
        """Also told when a link has been unfolded: then nobody has edited anything."""
        at = places.moment_of(self.told, "edited_timestamp")
        if at is None or not object_of(self.told, "author") or self._is_of_the_system():
            yield from self._unknown("MESSAGE_UPDATE", "nothing that somebody wrote has changed")
            return
        edited = self._interaction(self.told)
        yield InteractionEdited(
            id=f"{edited.native_id}/edited/{at.isoformat()}", interaction=edited, edited_at=max(at, edited.sent_at)
        )

    def _deleted(self) -> Iterator[Event]:
        """One, or many at once."""
        channel = places.snowflake(self.told, "channel_id")
        many = self.told.get("ids")
        numbers = many if isinstance(many, list) else [self.told.get("id")]
        for number in dict.fromkeys(places.snowflake({"id": one}, "id") for one in numbers):
            yield InteractionDeleted(
                id=f"{number}/deleted",
                own_account=self.own,
                thread=places.thread(self.told, channel),
                native_id=number,
                at=self.received_at,
            )

    def _interaction(self, message: Json) -> Interaction:
        number, channel = places.snowflake(message, "id"), places.snowflake(message, "channel_id")
        author = self._author(message)
        reference = object_of(message, "message_reference")
        answered = text_of(reference, "message_id") if reference.get("type", 0) == 0 else None
        return Interaction(
            network="discord",
            native_id=number,
            kind="message",
            direction="outbound" if author.is_self else "inbound",
            own_account=self.own,
            thread=places.thread(message, channel),
            author=author,
            in_reply_to=answered,
            text=said.words(message) or None,
            attachments=said.files(message),
            duration=said.duration(message),
            sent_at=places.moment_of(message, "timestamp") or places.made_at(number),
        )

    def _author(self, message: Json) -> Party:
        author = object_of(message, "author")
        number = places.snowflake(author, "id")
        if number == self.own:
            return Party(identifiers=(Identifier(kind=USER, value=number),), is_self=True, is_bot=True)
        if text_of(message, "webhook_id") == number:
            known = Identifier(kind=WEBHOOK, value=number)
            return Party(identifiers=(known,), name=text_of(author, "username"), is_bot=True)
        return party(author, object_of(message, "member"))

    # all else

    def _reacted(self) -> Iterator[Event]:
        kind = ReactionAdded if needed(self.outer, "t") == "MESSAGE_REACTION_ADD" else ReactionRemoved
        about, channel = places.snowflake(self.told, "message_id"), places.snowflake(self.told, "channel_id")
        user, member = places.snowflake(self.told, "user_id"), object_of(self.told, "member")
        known = party({**object_of(member, "user"), "id": user}, member)
        author = known.model_copy(update={"is_self": user == self.own})
        yield kind(
            id=f"{about}/{user}/{self.number}",
            own_account=self.own,
            thread=places.thread(self.told, channel),
            native_id=about,
            author=author,
            reaction=said.reaction(object_of(self.told, "emoji")),
            at=self.received_at,
        )

    def _changed(self) -> Iterator[Event]:
        channel = places.snowflake(self.told, "id")
        kind = self.told.get("type")
        thread = places.thread({**self.told, "channel_type": kind}, channel)
        change = THREADS[needed(self.outer, "t")]
        yield ThreadUpdated(
            id=f"{channel}/{self.number}", own_account=self.own, thread=thread, change=change, at=self.received_at
        )

    def _interacted(self, given: Json) -> Iterator[Event]:
        kind = whole_of(given, "type")
        if kind == PING:
            return
        data = object_of(given, "data")
        readers: Mapping[int | None, Callable[[Json], dict[str, Any]]] = {
            COMMAND: said.command,
            COMPONENT: lambda told: said.component(told, object_of(given, "message")),
            MODAL: said.form,
        }
        if kind not in readers or not text_of(given, "channel_id"):
            yield from self._unknown(f"interaction/{kind}", given=given)
            return
        number, channel = places.snowflake(given, "id"), places.snowflake(given, "channel_id")
        member = object_of(given, "member")
        interaction = Interaction(
            network="discord",
            native_id=number,
            kind="message",
            direction="inbound",
            own_account=self.own,
            thread=places.thread({**given, "channel_type": object_of(given, "channel").get("type")}, channel),
            author=party(object_of(member, "user") or object_of(given, "user"), member),
            sent_at=places.made_at(number),
            **readers[kind](data),
        )
        yield InteractionReceived(id=number, interaction=interaction)

    def _unknown(self, kind: str, reason: str = UNKNOWN, given: Json | None = None) -> Iterator[Event]:
        told = given if given is not None else self.told
        named = text_of(told, "id", "message_id", "channel_id")
        about = named or text_of(object_of(told, "event"), "timestamp") or "?"
        session, number = text_of(self.outer, "session") or "", text_of(self.outer, "s") or ""
        yield Unrecognised(
            id=f"{kind}/{about}/{session}-{number}"[:300], own_account=self.own, native_type=kind[:100], reason=reason
        )


def party(user: Json, member: Json) -> Party:
    """https://docs.discord.com/developers/resources/user#user-object (2026-11)"""
    number, picture = places.snowflake(user, "id"), text_of(user, "avatar")
    return Party(
        identifiers=(Identifier(kind=USER, value=number),),
        name=text_of(member, "nick") or text_of(user, "global_name") or text_of(user, "username"),
        handle=text_of(user, "username"),
        language=(text_of(user, "locale") or "")[:35] or None,
        avatar=f"https://cdn.discordapp.com/avatars/{number}/{picture}.png" if picture else None,
        is_bot=user.get("bot") is True,
    )

"""From a webhook of WhatsApp to events.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages,
…/messages/status, …/messages/system, …/smb_message_echoes (2026-05, changes to ids 2026-08)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import (
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_meta.batch import Native, Reader, Scene, changes
from socialsupport_meta.messaging import TOKEN
from socialsupport_meta.reading import moment_of
from socialsupport_whatsapp.content import content
from socialsupport_whatsapp.people import CALL, SCOPED, USER, contact_of, person

STATES: Mapping[str, Literal["sent", "delivered", "read", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
MIGRATIONS = frozenset({"user_changed_number", "user_changed_user_id"})
REASONS: Mapping[str, str] = {
    "account_update": "it tells of the account: look into WhatsApp Manager",
    "account_alerts": "it tells of the account: look into WhatsApp Manager",
    "message_template_status_update": "it tells of a template: look into WhatsApp Manager",
    "message_template_quality_update": "it tells of a template: look into WhatsApp Manager",
    "phone_number_quality_update": "it tells of the number: look into WhatsApp Manager",
    "phone_number_name_update": "it tells of the number: look into WhatsApp Manager",
    "history": "it brings no message: a part of the history without any, or nobody has agreed to share it",
    "smb_app_state_sync": "it tells of the address book on the phone; nothing was said",
    "user_preferences": "somebody wants or does not want advertisements; answers are not concerned",
}
RINGING = "a call rings or is put through; its end is told by itself"
NOT_SHOWN = "WhatsApp does not show a message of this kind to businesses"
SAYS_NOTHING = "it says nothing that this connector reads"


def natives(entry: Json, scene: Scene) -> Iterator[Native]:
    """The number that a change is about is our account; of changes of the account itself there is none."""
    for field, change in changes(entry):
        value = {**change, **object_of(change, "standby")}
        number = own_number(object_of(value, "metadata", "recipient"))
        ours = Scene(own=number or (scene.own if "messages" in value else ""), at=scene.at, time=scene.time)
        reading = Reading(value)
        found = [
            *(Native(text_of(one, "type") or "message", one, ours, reading.message) for one in _in(value, "messages")),
            *(Native("echo", one, ours, reading.echo) for one in _echoes(value)),
            *(Native("history", one, ours, reading.past) for one in _past(value)),
            *(Native(f"call.{text_of(one, 'event')}", one, ours, *reading.call_of(one)) for one in _in(value, "calls")),
            *(Native("status", one, ours, reading.status) for one in _in(value, "statuses")),
            *(Native("errors", one, ours, None, _complaint(one)) for one in _in(value, "errors")),
        ]
        other = reading.handed if text_of(object_of(value, "sender"), "phone_number", "user_id") else None
        yield from found or [Native(field, value, ours, other, REASONS.get(field))]


def _in(value: Json, name: str) -> list[Json]:
    return list(objects_of(value, name))


def _echoes(value: Json) -> Iterator[Json]:
    """What was sent in our name. While another app conducts the conversation, it is told as it was asked for.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby (2026-08)
    """
    for echo in objects_of(value, "message_echoes"):
        asked = object_of(echo, "message")
        whom = {"to_user_id": text_of(asked, "recipient"), "definition": object_of(echo, "template")}
        yield {**echo, **asked, **whom} if asked else echo


def _past(value: Json) -> Iterator[Json]:
    """What was said before the number came to the API; with whom, only the thread tells of what we wrote.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history (2026-05)
    """
    for chunk in _in(value, "history"):
        for thread in objects_of(chunk, "threads"):
            for message in objects_of(thread, "messages"):
                scoped = text_of(object_of(thread, "context"), "user_id")
                yield {"to": text_of(thread, "id"), "to_user_id": scoped, **message}


def own_number(metadata: Json) -> str | None:
    """`+1 555-000-1111` is `15550001111`."""
    shown = text_of(metadata, "display_phone_number")
    return (re.sub(r"[^0-9A-Za-z]", "", shown) if shown else None) or text_of(metadata, "phone_number_id")


def _complaint(error: Json) -> str:
    details = text_of(object_of(error, "error_data"), "details")
    return f"{text_of(error, 'code') or ''} {details or text_of(error, 'title', 'message') or ''}".strip()[:200]


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` is the change that an event came in: it tells who people are."""

    value: Json

    # people

    def _from(self, message: Json, prefix: str = "from") -> Party:
        """Whoever wrote a message, or whom an echo went to."""
        number, scoped = text_of(message, prefix), text_of(message, f"{prefix}_user_id")
        contact = contact_of(self.value, number, scoped)
        found = person(number or text_of(contact, "wa_id"), scoped or text_of(contact, "user_id"), contact)
        if not found.identifiers:
            raise Unreadable(f"{prefix} is missing")
        return found

    # readers

    def message(self, message: Json, scene: Scene) -> Iterator[Event]:
        readers = {"reaction": self._reacted, "system": self._changed, "edit": self._edited, "revoke": self._revoked}
        yield from readers.get(text_of(message, "type") or "", self._said)(message, scene)

    def _said(self, message: Json, scene: Scene) -> Iterator[Event]:
        wamid, said = needed(message, "id"), content(message)
        if not said:
            yield self._unread(wamid, message, scene)
            return
        if wamid.startswith(CALL):  # it was left because nobody took the call, and is named by it
            wamid = f"{wamid}:voicemail"
        interaction = self._inbound(wamid, message, said, scene)
        yield from self._claims(wamid, message, interaction.author, scene, interaction.sent_at)
        yield InteractionReceived(id=wamid, interaction=interaction)

    def _inbound(self, wamid: str, message: Json, said: Mapping[str, Any], scene: Scene) -> Interaction:
        them = self._from(message)
        return Interaction(
            network="whatsapp",
            native_id=wamid,
            kind="message",
            direction="inbound",
            own_account=scene.own,
            thread=_thread(them, message),
            author=them,
            sent_at=moment_of(message, "timestamp") or scene.at,
            **said,
        )

    def echo(self, message: Json, scene: Scene) -> Iterator[Event]:
        """What we typed in the app on the phone, where number and API are used together."""
        readers = {"reaction": self._reacted, "edit": self._edited, "revoke": self._revoked}
        if reader := readers.get(text_of(message, "type") or ""):
            yield from reader(message, scene, ours=True)
            return
        wamid, said = needed(message, "id"), content(message)
        if not said:
            yield self._unread(wamid, message, scene)
            return
        yield InteractionReceived(id=wamid, interaction=self._outbound(wamid, message, said, scene))

    def _outbound(self, wamid: str, message: Json, said: Mapping[str, Any], scene: Scene) -> Interaction:
        them = self._from(message, "to")
        return Interaction(
            network="whatsapp",
            native_id=wamid,
            kind="message",
            direction="outbound",
            own_account=scene.own,
            thread=_thread(them, message),
            author=_us(scene),
            recipients=(them,),
            sent_at=moment_of(message, "timestamp") or scene.at,
            **said,
        )

    def past(self, message: Json, scene: Scene) -> Iterator[Event]:
        """A message of the history; ours comes from our own number."""
        is_ours = text_of(message, "from") in (scene.own, own_number(object_of(self.value, "metadata")))
        yield from (self.echo if is_ours else self.message)(message, scene)

    def _edited(self, message: Json, scene: Scene, *, ours: bool = False) -> Iterator[Event]:
        """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
        (2026-07)"""
        edit, wamid = object_of(message, "edit"), needed(message, "id")
        said = content(object_of(edit, "message"))
        if not said:
            yield self._unread(wamid, message, scene)
            return
        original = needed(edit, "original_message_id")
        interaction = (self._outbound if ours else self._inbound)(original, message, said, scene)
        yield InteractionEdited(id=wamid, interaction=interaction, edited_at=interaction.sent_at)

    def _revoked(self, message: Json, scene: Scene, *, ours: bool = False) -> Iterator[Event]:
        """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/revoke
        (2026-05)"""
        yield InteractionDeleted(
            id=needed(message, "id"),
            own_account=scene.own,
            thread=_thread(self._from(message, "to" if ours else "from"), message),
            native_id=needed(object_of(message, "revoke"), "original_message_id"),
            at=moment_of(message, "timestamp") or scene.at,
        )

    def handed(self, value: Json, scene: Scene) -> Iterator[Event]:
        """Another app conducts a conversation now, or we do.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messaging-handovers
        (2026-08)
        """
        sender, change = object_of(value, "sender"), needed(value, "type")
        thread = _thread(person(text_of(sender, "phone_number"), text_of(sender, "user_id")))
        at = moment_of(value, "timestamp") or scene.at
        named = f"{thread.id}:{change}:{at.timestamp():.0f}"
        yield ThreadUpdated(id=named, own_account=scene.own, thread=thread, change=change, at=at)

    def call_of(self, call: Json) -> tuple[Reader | None, str | None]:
        return (self.called, None) if text_of(call, "event") == "terminate" else (None, RINGING)

    def called(self, call: Json, scene: Scene) -> Iterator[Event]:
        """A call that has ended; whoever takes none has a duration of nothing.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/reference (2026-05)
        """
        wacid, seconds = needed(call, "id"), whole_of(call, "duration") or 0
        ended = moment_of(call, "end_time", "timestamp") or scene.at
        is_ours = text_of(call, "direction") == "BUSINESS_INITIATED"
        said: dict[str, Any] = {"duration": float(seconds), "subject": "Answered call" if seconds else "Missed call"}
        interaction = (self._outbound if is_ours else self._inbound)(wacid, call, said, scene)
        began = moment_of(call, "start_time") or ended - timedelta(seconds=seconds)
        interaction = interaction.model_copy(update={"kind": "call", "sent_at": began})
        yield InteractionReceived(id=wacid, interaction=interaction)

    def _unread(self, wamid: str, message: Json, scene: Scene) -> Event:
        kind = text_of(message, "type") or "message"
        told = next((_complaint(error) for error in objects_of(message, "errors")), None)
        reason = told or (NOT_SHOWN if kind in ("unsupported", "unknown") else SAYS_NOTHING)
        name = f"{wamid}:{kind}" if kind == "media_placeholder" else wamid  # the file itself comes under this id later
        return Unrecognised(id=name, own_account=scene.own or None, native_type=f"message.{kind}"[:100], reason=reason)

    def _reacted(self, message: Json, scene: Scene, *, ours: bool = False) -> Iterator[Event]:
        """Without an emoji the reaction was taken back; which one it was, is not told."""
        reaction, them = object_of(message, "reaction"), self._from(message, "to" if ours else "from")
        emoji = text_of(reaction, "emoji")
        kind = ReactionAdded if emoji else ReactionRemoved
        yield kind(
            id=needed(message, "id"),
            own_account=scene.own,
            thread=_thread(them, message),
            native_id=needed(reaction, "message_id"),
            author=_us(scene) if ours else them,
            reaction=emoji or "any",
            sole=True,
            at=moment_of(message, "timestamp") or scene.at,
        )

    def _changed(self, message: Json, scene: Scene) -> Iterator[Event]:
        """A number or an id changed: the network's own word that the old account goes on under the new one."""
        system, wamid = object_of(message, "system"), needed(message, "id")
        number = text_of(message, "from")
        scoped = text_of(system, "previous_user_id") or text_of(message, "from_user_id")
        moves = [
            (USER, number, text_of(system, "wa_id", "new_wa_id")),
            (SCOPED, scoped, text_of(system, "user_id")),
        ]
        known = [(kind, old, new) for kind, old, new in moves if old and new and old != new]
        at = moment_of(message, "timestamp") or scene.at
        if text_of(system, "type") not in MIGRATIONS or not known:
            yield self._unread(wamid, message, scene)
            return
        thread = _thread(person(number, scoped))
        for kind, old, new in known:
            yield IdentityClaimed(
                id=f"{wamid}:{kind}",
                own_account=scene.own,
                subject=Identifier(kind=kind, value=new),
                claims=(Identifier(kind=kind, value=old),),
                tier="verified",
                proof="migration",
                thread=thread,
                at=at,
            )
        yield ThreadUpdated(id=wamid, own_account=scene.own, thread=thread, change="migrated", at=at)

    def status(self, status: Json, scene: Scene) -> Iterator[Event]:
        native = needed(status, "status")
        wamid, at = needed(status, "id"), moment_of(status, "timestamp") or scene.at
        if native not in STATES:
            yield Unrecognised(id=f"{wamid}:{native[:50]}", own_account=scene.own or None, native_type="status")
            return
        number, scoped = text_of(status, "recipient_id"), text_of(status, "recipient_user_id")
        error = next(iter(objects_of(status, "errors")), {})
        yield DeliveryUpdated(
            id=f"{wamid}:{native}",
            own_account=scene.own,
            state=STATES[native],
            native_id=wamid,
            thread=_thread(person(number, scoped)) if number or scoped else None,
            client_key=text_of(status, "biz_opaque_callback_data"),
            code=text_of(error, "code"),
            reason=_complaint({**error, "code": ""}) or None,
            at=at,
        )

    def _claims(self, wamid: str, message: Json, them: Party, scene: Scene, at: datetime) -> Iterator[Event]:
        assert them.account
        about: dict[str, Any] = {
            "own_account": scene.own,
            "subject": them.account,
            "thread": _thread(them, message),
            "at": at,
        }
        if found := TOKEN.search(text_of(object_of(message, "text"), "body") or ""):
            yield IdentityClaimed(id=f"{wamid}:token", proof="handoff_token", token=found[1], **about)
        if text_of(message, "type") == "contacts":
            cards = [{"origin": text_of(message, "origin"), **one} for one in objects_of(message, "contacts")]
            asked = [one for one in cards if text_of(one, "origin") == "contact_request"]
            phones = [phone for one in asked for phone in objects_of(one, "phones")]
            digits = [re.sub(r"\D", "", text_of(phone, "wa_id", "phone") or "") for phone in phones[:5]]
            shared = tuple(Identifier(kind="phone", value=f"+{one}") for one in digits if 7 <= len(one) <= 15)
            if shared:
                about |= {"proof": "contact_shared", "tier": "asserted", "claims": shared}
                yield IdentityClaimed(id=f"{wamid}:contact", **about)


def _us(scene: Scene) -> Party:
    return Party(identifiers=(Identifier(kind="whatsapp.business", value=scene.own),), is_self=True)


def _thread(them: Party, message: Json | None = None) -> Thread:
    """A group's id; else the number while WhatsApp tells it, else the business-scoped id: all can be written to.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/group
    (2026-06)
    """
    assert them.account
    return Thread(id=text_of(message or {}, "group_id") or them.account.value, visibility="private")

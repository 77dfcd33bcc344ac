"""Events of conversations, which Messenger and Instagram tell in the same form.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events,
https://developers.facebook.com/documentation/business-messaging/instagram-messaging/webhooks (both 2026-03)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, texts_of
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
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_core.text import escape
from socialsupport_meta.batch import Native, Reader, Scene
from socialsupport_meta.content import attachments, linked, location
from socialsupport_meta.reading import context, milliseconds, moment_of

TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)/])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
REASONS: Mapping[str, str] = {
    "account_linking": "an account was linked; that says nothing about what was written",
    "app_roles": "the apps of a conversation have changed their roles",
    "optin": "somebody agreed to be written to; nothing was said",
    "pass_thread_control": "another app has taken over the conversation or given it back",
    "policy_enforcement": "Meta warns the account: look into its support inbox",
    "request_thread_control": "another app has taken over the conversation or given it back",
    "take_thread_control": "another app has taken over the conversation or given it back",
}
NOT_SHOWN = "Meta does not show a message of this kind to apps"
SAYS_NOTHING = "it says nothing that this connector reads"


@dataclass(frozen=True, slots=True)
class Messaging:
    """How one of the networks names itself and people."""

    network: str
    person: str
    """The kind of people's identifiers; they are unique within our account."""
    account: str
    """The kind of our own."""

    def natives(self, entry: Json, scene: Scene) -> Iterator[Native]:
        """What happened in conversations; also in those that another app conducts (`standby`)."""
        for event in (*objects_of(entry, "messaging"), *objects_of(entry, "standby")):
            yield self.native(event, scene)

    def native(self, event: Json, scene: Scene) -> Native:
        readers: Mapping[str, Reader] = {
            "message": self.message,
            "message_edit": self.edited,
            "postback": self.pressed,
            "reaction": self.reacted,
            "read": self.read,
            "delivery": self.delivered,
            "referral": self.referred,
            "response_feedback": self.judged,
            "messaging_feedback": self.rated,
        }
        kind = next((key for key in readers if isinstance(event.get(key), dict)), None)
        if kind:
            return Native(kind, event, scene, readers[kind])
        named = next((key for key in event if key not in ("sender", "recipient", "timestamp")), "event")
        return Native(named, event, scene, None, REASONS.get(named))

    # people and places

    def identifier(self, person_id: str, scene: Scene) -> Identifier:
        return Identifier(kind=self.person, scope=scene.own or None, value=person_id)

    def is_ours(self, event: Json, scene: Scene) -> bool:
        """We said or did it, in our inbox or by another app."""
        sender = text_of(object_of(event, "sender"), "id")
        return object_of(event, "message").get("is_echo") is True or (sender is not None and sender == scene.own)

    def them(self, event: Json, scene: Scene) -> Party:
        """Whoever the conversation is with. Who came by a plugin of a web page has a reference only."""
        person = object_of(event, "recipient" if self.is_ours(event, scene) else "sender")
        if reference := None if "id" in person else text_of(person, "user_ref"):
            kind = f"{self.network}.user_ref"
            return Party(identifiers=(Identifier(kind=kind, scope=scene.own or None, value=reference),))
        return Party(identifiers=(self.identifier(needed(person, "id"), scene),))

    def us(self, scene: Scene) -> Party:
        own = (Identifier(kind=self.account, value=scene.own),) if scene.own else ()
        return Party(identifiers=own, is_self=True)

    def thread(self, them: Party) -> Thread:
        assert them.account
        return Thread(id=them.account.value, visibility="private")

    # readers

    def message(self, event: Json, scene: Scene) -> Iterator[Event]:
        message = object_of(event, "message")
        mid, is_echo = needed(message, "mid"), self.is_ours(event, scene)
        them, at = self.them(event, scene), moment_of(event, "timestamp") or scene.at
        if message.get("is_deleted") is True:
            own, thread = scene.own, self.thread(them)
            yield InteractionDeleted(id=f"{mid}:deleted", own_account=own, thread=thread, native_id=mid, at=at)
            return
        said = content(message)
        if message.get("is_unsupported") is True or not said:
            reason = NOT_SHOWN if message.get("is_unsupported") is True else SAYS_NOTHING
            yield Unrecognised(id=mid, own_account=scene.own or None, native_type="message", reason=reason)
            return
        if not is_echo:
            yield from self._claims(mid, message, them, scene, at)
        yield InteractionReceived(id=mid, interaction=self._interaction(mid, said, them, scene, at, is_echo=is_echo))

    def edited(self, event: Json, scene: Scene) -> Iterator[Event]:
        """Instagram also tells edits without words, even of messages that nobody has edited: they change nothing."""
        edit = object_of(event, "message_edit")
        mid, at = needed(edit, "mid"), moment_of(event, "timestamp") or scene.at
        count = text_of(edit, "num_edit") or milliseconds(at)
        if "text" not in edit:
            own = scene.own or None
            yield Unrecognised(
                id=f"{mid}:edit:{count}", own_account=own, native_type="message_edit", reason=SAYS_NOTHING
            )
            return
        said, is_echo = {"text": _written(edit), "kind": "message"}, self.is_ours(event, scene)
        interaction = self._interaction(mid, said, self.them(event, scene), scene, at, is_echo=is_echo)
        yield InteractionEdited(id=f"{mid}:edit:{count}", interaction=interaction, edited_at=at)

    def pressed(self, event: Json, scene: Scene) -> Iterator[Event]:
        """A button, an ice breaker or an entry of the menu."""
        postback = object_of(event, "postback")
        them, at = self.them(event, scene), moment_of(event, "timestamp") or scene.at
        mid = text_of(postback, "mid") or f"postback:{self.thread(them).id}:{milliseconds(at)}"
        title, payload = text_of(postback, "title"), text_of(postback, "payload")
        said = {"kind": "message", "text": escape(title) if title else None, "choice": payload}
        said["context"] = context(referral=_referral(postback))
        yield from self._claims(mid, postback, them, scene, at)
        yield InteractionReceived(id=mid, interaction=self._interaction(mid, said, them, scene, at))

    def reacted(self, event: Json, scene: Scene) -> Iterator[Event]:
        reaction = object_of(event, "reaction")
        mid, at = needed(reaction, "mid"), moment_of(event, "timestamp") or scene.at
        them = self.them(event, scene)
        kind = ReactionRemoved if text_of(reaction, "action") == "unreact" else ReactionAdded
        emoji = text_of(reaction, "emoji", "reaction") or "other"
        yield kind(
            id=f"{mid}:{self.thread(them).id}:{milliseconds(at)}:{'-' if kind is ReactionRemoved else '+'}",
            own_account=scene.own,
            thread=self.thread(them),
            native_id=mid,
            author=self.us(scene) if self.is_ours(event, scene) else them,
            reaction=emoji,
            sole=True,
            at=at,
        )

    def judged(self, event: Json, scene: Scene) -> Iterator[Event]:
        """A thumb up or down beside an answer.

        https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/response_feedback
        (2024-10)
        """
        feedback, them = object_of(event, "response_feedback"), self.them(event, scene)
        mid, at = needed(feedback, "mid"), moment_of(event, "timestamp") or scene.at
        yield ReactionAdded(
            id=f"{mid}:{self.thread(them).id}:{milliseconds(at)}:feedback",
            own_account=scene.own,
            thread=self.thread(them),
            native_id=mid,
            author=them,
            reaction="👍" if needed(feedback, "feedback").lower().startswith("good") else "👎",
            at=at,
        )

    def rated(self, event: Json, scene: Scene) -> Iterator[Event]:
        """A filled-in survey: its first figure, and whatever was written.

        https://developers.facebook.com/docs/messenger-platform/send-messages/templates/customer-feedback-template
        (2026-03)
        """
        screens = objects_of(object_of(event, "messaging_feedback"), "feedback_screens")
        answers = [
            one for screen in screens for one in object_of(screen, "questions").values() if isinstance(one, dict)
        ]
        figures = [figure for one in answers if (figure := text_of(one, "payload") or "").isdigit()]
        words = [text for one in answers if (text := text_of(object_of(one, "follow_up"), "payload"))]
        them, at = self.them(event, scene), moment_of(event, "timestamp") or scene.at
        if not figures and not words:
            raise Unreadable("the survey has no answers")
        name = f"feedback:{self.thread(them).id}:{milliseconds(at)}"
        said = {
            "kind": "form",
            "text": escape("\n".join(words)) or None,
            "rating": float(figures[0]) if figures else None,
        }
        yield InteractionReceived(id=name, interaction=self._interaction(name, said, them, scene, at))

    def read(self, event: Json, scene: Scene) -> Iterator[Event]:
        """Messenger names the moment up to which everything was read, Instagram the message."""
        read, thread = object_of(event, "read"), self.thread(self.them(event, scene))
        at = moment_of(read, "watermark") or moment_of(event, "timestamp") or scene.at
        mid = text_of(read, "mid")
        event_id = f"{mid}:read" if mid else f"read:{thread.id}:{milliseconds(at)}"
        yield DeliveryUpdated(id=event_id, own_account=scene.own, state="read", native_id=mid, thread=thread, at=at)

    def delivered(self, event: Json, scene: Scene) -> Iterator[Event]:
        delivery, thread = object_of(event, "delivery"), self.thread(self.them(event, scene))
        at = moment_of(delivery, "watermark") or moment_of(event, "timestamp") or scene.at
        about: dict[str, Any] = {"own_account": scene.own, "state": "delivered", "thread": thread, "at": at}
        mids = texts_of(delivery, "mids")
        for mid in mids:
            yield DeliveryUpdated(id=f"{mid}:delivered", native_id=mid, **about)
        if not mids:
            yield DeliveryUpdated(id=f"delivered:{thread.id}:{milliseconds(at)}", **about)

    def referred(self, event: Json, scene: Scene) -> Iterator[Event]:
        """Somebody who was here before came back by a link or an advertisement."""
        them, at = self.them(event, scene), moment_of(event, "timestamp") or scene.at
        thread = self.thread(them)
        event_id = f"referral:{thread.id}:{milliseconds(at)}"
        yield from self._claims(event_id, event, them, scene, at)
        yield ThreadUpdated(id=event_id, own_account=scene.own, thread=thread, change="referred", at=at)

    # what they share

    def _interaction(
        self, mid: str, said: Mapping[str, Any], them: Party, scene: Scene, at: datetime, *, is_echo: bool = False
    ) -> Interaction:
        return Interaction(
            network=self.network,
            native_id=mid,
            direction="outbound" if is_echo else "inbound",
            own_account=scene.own,
            thread=self.thread(them),
            author=self.us(scene) if is_echo else them,
            recipients=(them,) if is_echo else (),
            sent_at=at,
            **said,
        )

    def _claims(self, mid: str, source: Json, them: Party, scene: Scene, at: datetime) -> Iterator[Event]:
        """A token that came by a link (`ref`) or was typed."""
        words = text_of(object_of(source, "referral"), "ref") or text_of(source, "text") or ""
        if them.account and (found := TOKEN.search(words)):
            yield IdentityClaimed(
                id=f"{mid}:token",
                own_account=scene.own,
                subject=them.account,
                proof="handoff_token",
                token=found[1],
                thread=self.thread(them),
                at=at,
            )


def content(message: Json) -> dict[str, Any]:
    """What a message says; nothing if it says nothing. Its echo brings our key along as `metadata`."""
    native = objects_of(message, "attachments")
    answered = object_of(message, "reply_to")
    story = object_of(answered, "story")
    said: dict[str, Any] = {
        "text": _written(message) or linked(native),
        "attachments": attachments(native, story),
        "location": location(native),
        "choice": text_of(object_of(message, "quick_reply"), "payload"),
    }
    if not any(said.values()):
        return {}
    kind: InteractionKind = "mention" if any(text_of(one, "type") == "story_mention" for one in native) else "message"
    said |= {
        "kind": kind,
        "in_reply_to": text_of(answered, "mid") or text_of(story, "id"),
        "client_key": text_of(message, "metadata") if message.get("is_echo") is True else None,
        "context": context(referral=_referral(message)),
    }
    return {name: value for name, value in said.items() if value not in (None, ())}


def _written(message: Json) -> str | None:
    """As CommonMark: neither network has markup, so what looks like it is only text."""
    text = text_of(message, "text")
    return escape(text) if text else None


def _referral(source: Json) -> dict[str, str]:
    """Where somebody came from: a link, an advertisement, a product."""
    referral = object_of(source, "referral")
    found = {
        **{name: text_of(referral, name) for name in ("ref", "source", "type", "ad_id", "referer_uri")},
        "ad_title": text_of(object_of(referral, "ads_context_data"), "ad_title"),
        "product": text_of(object_of(referral, "product"), "id"),
    }
    return {name: value[:500] for name, value in found.items() if value}

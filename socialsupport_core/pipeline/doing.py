"""What is done to a message that is there: edited, deleted, reacted to; and the sign that somebody types.

Each goes through plan, guard and outbox like a reply, and stands in the timeline once the network has done it.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

from socialsupport_core.contract import Connector
from socialsupport_core.conversation.handing import ending
from socialsupport_core.model import (
    DeleteMessage,
    EditMessage,
    Intent,
    IntentType,
    Party,
    React,
    Thread,
    Typing,
    Visibility,
)
from socialsupport_core.pipeline.channels import able_in
from socialsupport_core.pipeline.record import publish_interaction
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.store import Tx, conversations, identity, interactions, log, outbox
from socialsupport_core.store.conversations import Leg
from socialsupport_core.store.interactions import Key, Stored
from socialsupport_core.store.outbox import Part

Verb = Literal["edit", "delete", "react"]
VERBS: Mapping[Verb, IntentType] = {"edit": "edit.message", "delete": "delete.message", "react": "react"}
OUT = frozenset({"sent", "delivered", "read"})
"""States of a message that the network has."""
US = "us"
"""Whose reactions ours are."""
TYPING = timedelta(seconds=15) // timedelta(microseconds=1)
"""After so long the sign is no news any more; networks show it for 5 to 20 seconds."""
MOST_REACTION = 64  # characters


def compose(leg: Leg, verb: Verb, about: Stored, said: str, key: str, recipient: Party) -> Intent:
    common = _common(leg, key, recipient) | {"target": about.interaction, "thread": about.interaction.thread}
    if verb == "edit":
        return EditMessage(**common, text=said)
    return DeleteMessage(**common) if verb == "delete" else React(**common, reaction=said)


def sign(leg: Leg, key: str, recipient: Party) -> Typing:
    return Typing(**_common(leg, key, recipient))


def _common(leg: Leg, key: str, recipient: Party) -> dict[str, Any]:
    visibility: Visibility = "public" if leg.visibility == "public" else "private"
    return {
        "key": key,
        "own_account": leg.own_account,
        "thread": Thread(id=leg.thread, visibility=visibility),
        "recipient": recipient,
    }


def recipient_on(tx: Tx, leg: Leg) -> Party:
    node = identity.by_numbers(tx, [leg.node])[leg.node]
    return Party(identifiers=(node.identifier,), name=node.name, handle=node.handle)


def found(tx: Tx, tenant: str, id: str, verb: Verb, sent: str) -> tuple[Stored, Leg]:
    """What is to be edited, deleted or reacted to, and where it stands; what was asked for under the key `sent` may be
    asked for again. Raises ReplyRefused, LookupError."""
    key = interactions.key_by_seq(tx, tenant, int(id)) if id.isascii() and id.isdigit() and len(id) < 19 else None
    stored = interactions.get(tx, tenant, key) if key else None
    leg = conversations.leg(tx, stored.leg) if stored else None
    if stored is None or leg is None:
        raise LookupError(f"there is no interaction {id[:40]!r}; the timeline tells their ids")
    if not outbox.parts_of(tx, tenant, sent):
        _check(stored, verb)
    return stored, leg


def _check(stored: Stored, verb: Verb) -> None:
    if stored.interaction.direction == "internal":
        raise ReplyRefused("this is a note of ours, and no network has it; write another")
    if stored.deleted_at is not None:
        raise ReplyRefused("it has been deleted")
    if verb == "react":
        return
    if stored.interaction.direction != "outbound":
        raise ReplyRefused(f"the customer has written this; only what we said can be {_PAST[verb]}")
    if stored.state not in OUT and stored.state is not None:
        raise ReplyRefused(f"it is {stored.state} and not sent; there is nothing yet that could be {_PAST[verb]}")


_PAST: Mapping[Verb, str] = {"edit": "edited", "delete": "deleted", "react": "reacted to"}


def possible(connector: Connector[Any], entry: Mapping[str, Any]) -> list[Verb]:
    """What can be done to an entry of the timeline, as the page shows it."""
    shown = entry["interaction"]
    if "deleted_at" in entry or shown["direction"] == "internal":
        return []
    able = able_in(connector, Thread.model_validate(shown["thread"])).intents
    ours = shown["direction"] == "outbound" and entry.get("state", "sent") in OUT
    wanted: tuple[Verb, ...] = ("edit", "delete", "react") if ours else ("react",)
    files = bool(shown.get("attachments"))
    return [
        verb for verb in wanted if VERBS[verb] in able and not (verb == "edit" and (files or not shown.get("text")))
    ]


# what becomes of it


def is_said(intent: Intent) -> bool:
    """Whether it answers the customer."""
    return not isinstance(intent, EditMessage | DeleteMessage | React | Typing)


def take_effect(tx: Tx, part: Part, now: int) -> None:
    """The network has done it: the timeline shows it, and the log tells."""
    effect, target = _EFFECTS.get(type(part.intent)), part.intent.target
    if effect is None or target is None:
        return
    key = interactions.key_of(tx, part.tenant, part.channel, target.native_id, target.thread.id)
    stored = interactions.get(tx, part.tenant, key) if key else None
    if key is not None and stored is not None:
        effect(tx, part, key, stored, now)


def _edited(tx: Tx, part: Part, key: Key, stored: Stored, _now: int) -> None:
    """At the time at which the agent wrote it: what the network tells of the same edit is newer, and stays."""
    assert isinstance(part.intent, EditMessage)
    changed = stored.interaction.model_copy(update={"text": part.intent.text})
    if interactions.edit(tx, part.tenant, key, changed, part.created_at, f"ours:{part.key}"):
        leg = conversations.leg(tx, stored.leg)
        publish_interaction(tx, part.tenant, "interaction.edited", stored._replace(interaction=changed), leg)


def _deleted(tx: Tx, part: Part, key: Key, stored: Stored, now: int) -> None:
    if interactions.delete(tx, part.tenant, key, now):
        ending.withdraw_said(tx, part.tenant, stored.part, part.agent, now)
        _tell(tx, part, "interaction.deleted", stored, now)


def _reacted(tx: Tx, part: Part, _key: Key, stored: Stored, now: int) -> None:
    assert isinstance(part.intent, React)
    reaction = part.intent.reaction
    told = interactions.Reaction(stored.seq, US, reaction, part.created_at, present=bool(reaction), sole=True)
    if interactions.react(tx, part.tenant, told):
        kind = "reaction.added" if reaction else "reaction.removed"
        _tell(tx, part, kind, stored, now, reaction=reaction)


def _tell(tx: Tx, part: Part, kind: str, stored: Stored, now: int, **more: str) -> None:
    data = {"id": str(stored.seq), "native_id": stored.interaction.native_id, "agent": part.agent} | more
    thread = stored.interaction.thread.id
    log.publish(tx, part.tenant, kind, now, data, channel=part.channel, thread=thread, conversation=part.conversation)


_EFFECTS: Mapping[type[Any], Callable[[Tx, Part, Key, Stored, int], None]] = {
    EditMessage: _edited,
    DeleteMessage: _deleted,
    React: _reacted,
}

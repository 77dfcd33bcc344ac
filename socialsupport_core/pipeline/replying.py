"""From what an agent wants to say to an intent: to whom, where, in answer to what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialsupport_core.contract import ConfigError, Connector, Refusal, SocialSupportError
from socialsupport_core.model import (
    Choice,
    Intent,
    Interaction,
    OpenPrivate,
    Party,
    SendMessage,
    Template,
    Thread,
    Visibility,
)
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.pipeline import placing
from socialsupport_core.pipeline.placing import EVERYWHERE, Ways
from socialsupport_core.pipeline.plan import Plan, make_plan
from socialsupport_core.store import Tx, approvals, conversations, identity, interactions, moment, outbox
from socialsupport_core.store.conversations import Conversation, Leg


class ReplyRefused(SocialSupportError, ValueError):
    """It cannot or may not be said there. `refusals` and `plan` say why and what to do instead."""

    def __init__(self, message: str, *, refusals: tuple[Refusal, ...] = (), plan: Plan | None = None) -> None:
        super().__init__(message)
        self.refusals = refusals
        self.plan = plan


class KeyReused(ReplyRefused):
    """The key was given with something else before, so that nobody knows which of both is meant."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} was used for another reply; give every reply a key of its own")


@dataclass(frozen=True, slots=True)
class Saying:
    """What an agent wants to say."""

    text: str | None
    key: str
    attachments: tuple[Attachment, ...] = ()
    choices: tuple[Choice, ...] = ()
    subject: str | None = None
    private: bool = False
    """Open a private thread with somebody who spoke in public; who did not is answered as ever."""
    template: Template | None = None
    """Instead of a text, on a network that has them."""


UNCLEAR = (
    "the customer spoke last in public, and nothing proves that the private threads of this conversation are theirs;"
    " name the leg that is meant ({legs}), or hand the conversation off"
)


def choose_leg(
    tx: Tx, conversation: Conversation, leg: int | None, ways: Ways = EVERYWHERE, *, in_public: bool = False
) -> Leg:
    """The leg asked for, else the one that is answered: never a public one once there is a private one.

    `in_public`: what is said need not stay private, so it goes where the customer spoke last. Raises ReplyRefused.
    """
    legs = conversations.legs(tx, conversation.tenant, conversation.id)
    if leg is None:
        wanted = placing.heard_last if in_public else placing.answered
        chosen = wanted(tx, conversation, ways)
        if chosen is None:
            raise ReplyRefused(UNCLEAR.format(legs=", ".join(_named(one) for one in legs)))
        return chosen
    found = next((one for one in legs if one.id == leg), None)
    if found is None:
        raise ReplyRefused(f"this conversation has no leg {leg!r}; it has {', '.join(str(one.id) for one in legs)}")
    return found


def _named(leg: Leg) -> str:
    return f"{leg.id}: {leg.channel}, {leg.visibility}"


def leg_of_key(tx: Tx, conversation: Conversation, key: str) -> int | None:
    """Where the reply with this key goes, if there is one: told again, it goes nowhere else."""
    known = outbox.parts_of(tx, conversation.tenant, key)
    if not known and (held := approvals.by_key(tx, conversation.tenant, key)):
        return held.leg
    place = (known[0].channel, known[0].thread) if known else None
    legs = conversations.legs(tx, conversation.tenant, conversation.id)
    return next((one.id for one in reversed(legs) if (one.channel, one.thread) == place), None)


def compose(tx: Tx, leg: Leg, saying: Saying, *, by_person: bool = False) -> Intent:
    """The intent, aimed at the customer's newest message on this leg."""
    target = _newest_inbound(tx, leg)
    node = identity.by_numbers(tx, [leg.node])[leg.node]
    recipient = Party(identifiers=(node.identifier,), name=node.name, handle=node.handle)
    visibility: Visibility = "public" if leg.visibility == "public" else "private"
    common: dict[str, Any] = {
        "key": saying.key,
        "own_account": leg.own_account,
        "thread": Thread(id=leg.thread, visibility=visibility),
        "recipient": recipient,
        "target": target,
    }
    if saying.private and visibility == "public":
        return OpenPrivate(**common, text=saying.text or "")
    return SendMessage(
        **common,
        text=saying.text,
        subject=saying.subject,
        attachments=saying.attachments,
        choices=saying.choices,
        template=saying.template,
        by_person=by_person,
    )


def _newest_inbound(tx: Tx, leg: Leg) -> Interaction | None:
    for stored in interactions.newest(tx, leg.tenant, leg.node, None, 50):
        on_leg = stored.interaction.thread.id == leg.thread and stored.interaction.network == leg.network
        if on_leg and stored.interaction.direction == "inbound" and stored.deleted_at is None:
            return stored.interaction
    return None


def plan_for(connector: Connector[Any], intent: Intent, leg: Leg, now: datetime) -> Plan:
    """Raises ConfigError if the connector fails."""
    last = moment(leg.last_inbound) if leg.last_inbound else None
    try:
        return make_plan(connector, intent, now=now, last_inbound=last)
    except (Exception, SystemExit) as error:
        reason = f"{connector.name} failed as a reply was planned: {type(error).__name__}"
        raise ConfigError(f"{reason}; its maker has to mend it") from error


def shown(plan: Plan, found: tuple[Refusal, ...], leg: Leg) -> dict[str, Any]:
    """The plan as the API shows it. It is possible, too, if a second person has to approve it."""
    return {
        "possible": plan.possible and not any(one.verdict == "refuse" for one in found),
        "leg": leg.id,
        "channel": leg.channel,
        "network": leg.network,
        "visibility": leg.visibility,
        "parts": [
            {
                "text": getattr(part.intent, "text", None),
                "attachments": len(getattr(part.intent, "attachments", ())),
                "size": part.size,
                "limit": part.limit,
                "unit": part.unit,
            }
            for part in plan.parts
        ],
        "losses": [one.model_dump() for one in plan.losses],
        "obstacles": [one.model_dump() for one in plan.obstacles],
        "refusals": told(found, "refuse"),
        "approvals": told(found, "approval"),
        "warnings": told(found, "warn"),
    }


def told(found: Iterable[Refusal], verdict: str) -> list[dict[str, Any]]:
    """Those of one verdict, as the API shows them."""
    return [one.model_dump(exclude={"verdict"}) for one in found if one.verdict == verdict]

"""Events as ravens bring them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from raven.connector import ACCOUNT
from socialsupport_core.model import (
    DeliveryUpdated,
    Identifier,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ReactionAdded,
    Thread,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Visibility = Literal["public", "private"]


def bird(name: str, *others: Identifier) -> Party:
    return Party(identifiers=(Identifier(kind="raven.ring", value=name), *others), name=name.capitalize())


def thread_id(name: str, visibility: Visibility = "private") -> Thread:
    return Thread(id=f"dm-{name}" if visibility == "private" else "square", visibility=visibility)


def message(
    number: str | int,
    text: str,
    author: str = "kerry",
    *,
    at: datetime | float = 0,
    visibility: Visibility = "private",
    **more: Any,
) -> InteractionReceived:
    """`at` is a moment or seconds after noon; `outbound=True` makes it an echo of ours to that author."""
    outbound = more.pop("outbound", False)
    given: dict[str, Any] = {
        "network": "raven",
        "native_id": str(number),
        "kind": "message" if visibility == "private" else "comment",
        "direction": "outbound" if outbound else "inbound",
        "own_account": ACCOUNT,
        "thread": thread_id(author, visibility),
        "author": Party(identifiers=(Identifier(kind="raven.ring", value=ACCOUNT),), is_self=True)
        if outbound
        else bird(author),
        "recipients": (bird(author),) if outbound else (),
        "text": text,
        "sent_at": at if isinstance(at, datetime) else NOON + timedelta(seconds=at),
    }
    return InteractionReceived(id=f"m-{number}", interaction=Interaction(**(given | more)))


def edited(original: InteractionReceived, text: str, at: float, id: str = "") -> InteractionEdited:
    moment = NOON + timedelta(seconds=at)
    changed = original.interaction.model_copy(update={"text": text})
    return InteractionEdited(id=id or f"e-{original.id}-{at}", interaction=changed, edited_at=moment)


def deleted(original: InteractionReceived, at: float) -> InteractionDeleted:
    one = original.interaction
    return InteractionDeleted(
        id=f"d-{original.id}-{at}",
        own_account=ACCOUNT,
        thread=one.thread,
        native_id=one.native_id,
        at=NOON + timedelta(seconds=at),
    )


def reacted(original: InteractionReceived, reaction: str, at: float, author: str = "kerry") -> ReactionAdded:
    one = original.interaction
    return ReactionAdded(
        id=f"r-{original.id}-{reaction}-{at}",
        own_account=ACCOUNT,
        thread=one.thread,
        native_id=one.native_id,
        author=bird(author),
        reaction=reaction,
        at=NOON + timedelta(seconds=at),
    )


def delivered(native_id: str, state: Literal["sent", "delivered", "read", "failed"], at: float) -> DeliveryUpdated:
    moment = NOON + timedelta(seconds=at)
    return DeliveryUpdated(
        id=f"s-{native_id}-{state}", own_account=ACCOUNT, native_id=native_id, state=state, at=moment
    )

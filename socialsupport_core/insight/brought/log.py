"""What our own log tells, as `GET /api/events` gives it: who everybody turned out to be, what became of each touch.

What an agent has corrected of a touch's context, and legs that were moved one by one, the log does not tell whole:
there a report of the store knows more.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from socialsupport_core.guidance.rating import CHOICE
from socialsupport_core.identity.batch import moment_of
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.insight.brought.rows import Row
from socialsupport_core.insight.brought.touching import numbered, touch_of
from socialsupport_core.insight.history import HAND_OFFS, RATING, Handed, Touch, Turn
from socialsupport_core.model import Interaction


class Entry(BaseModel):
    """An event, as far as it is read here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    cursor: int
    """The number of its line, where somebody has written it by hand."""
    type: str
    at: str
    data: dict[str, Any] = Field(default_factory=dict)
    tenant: str = ""
    channel: str = ""
    conversation: str = ""

    @property
    def moment(self) -> int:
        """Microseconds since 1970. Raises ValueError."""
        return moment_of(self.at)


@dataclass(slots=True)
class _Heard:
    """One touch, and what has become of it."""

    entry: Entry
    interaction: Interaction
    state: str | None
    edited: bool = False
    verdict: int | None = None

    @property
    def account(self) -> str:
        party = self.interaction.counterpart
        return str(canonical(party.account)) if party and party.account else ""


class Log:
    def __init__(self) -> None:
        self.repeated = 0
        self.silent: Counter[str] = Counter()
        self._entries: dict[int, Entry] = {}
        self._heard: dict[str, _Heard] = {}
        self._turns: list[Turn] = []
        self._handed: dict[str, Handed] = {}
        self._owner: dict[str, str] = {}
        """By account: whose it is after everything that the log tells."""
        self._gone: set[str] = set()
        self._merged: dict[str, tuple[str, str]] = {}
        """By the move: which conversation goes on in which."""

    def take(self, row: Row, number: int) -> None:
        """Raises ValueError with what is wrong."""
        entry = Entry.model_validate({"cursor": number} | row)
        _ = entry.moment
        _check(entry)
        if entry.cursor in self._entries:
            self.repeated += 1
            return
        first = next(iter(self._entries.values()), entry)
        if entry.tenant != first.tenant:
            raise ValueError(f"tenant: is {entry.tenant[:80]!r}, and others are {first.tenant[:80]!r}; report on one")
        self._entries[entry.cursor] = entry

    def read(self) -> None:
        """All of it, in the order in which it happened, whatever that of the lines."""
        for cursor in sorted(self._entries):
            entry = self._entries[cursor]
            if does := _DOES.get(entry.type):
                does(self, entry)
            else:
                self.silent[entry.type] += 1

    def touches(self) -> Iterator[Touch | None]:
        known = {
            (one.entry.channel, one.interaction.thread.id, one.interaction.native_id): numbered(one.entry.cursor)
            for one in self._heard.values()
        }
        for one in self._heard.values():
            customer = self._owner.get(one.account) or one.entry.data.get("customer", "")
            if customer in self._gone:
                continue
            answered = known.get((one.entry.channel, one.interaction.thread.id, one.interaction.in_reply_to or ""))
            touch = touch_of(self._row(one, customer), one.interaction, answered)
            yield touch and _rated(touch, one)

    def _row(self, one: _Heard, customer: str) -> Mapping[str, Any]:
        return {
            "at": one.entry.moment,
            "seq": numbered(one.entry.cursor),
            "customer": customer,
            "channel": one.entry.channel or one.interaction.network,
            "conversation": self._living(one.entry.conversation),
            "agent": one.entry.data.get("agent"),
            "state": one.state,
            "edited_at": 1 if one.edited else None,
        }

    def deeds(self) -> Iterator[Turn | Handed]:
        for turn in self._turns:
            yield replace(turn, conversation=self._living(turn.conversation))
        for handed in self._handed.values():
            yield replace(handed, conversation=self._living(handed.conversation))

    def _living(self, conversation: str) -> str:
        into, seen = dict(self._merged.values()), set[str]()
        while conversation in into and conversation not in seen:
            seen.add(conversation)
            conversation = into[conversation]
        return conversation

    def _received(self, entry: Entry) -> None:
        interaction = Interaction.model_validate(entry.data["interaction"])
        one = self._heard[entry.data["id"]] = _Heard(entry, interaction, entry.data.get("state"))
        if one.account and (customer := entry.data.get("customer")):
            self._owner[one.account] = customer

    def _edited(self, entry: Entry) -> None:
        if one := self._heard.get(entry.data["id"]):
            one.interaction, one.edited = Interaction.model_validate(entry.data["interaction"]), True

    def _deleted(self, entry: Entry) -> None:
        self._heard.pop(entry.data["id"], None)

    def _delivered(self, entry: Entry) -> None:
        if one := self._heard.get(entry.data.get("id", "")):
            one.state = entry.data.get("state", "uncertain")

    def _rated(self, entry: Entry) -> None:
        if one := self._heard.get(entry.data["interaction"]):
            one.verdict = entry.data["value"]

    def _turned(self, entry: Entry) -> None:
        is_end = entry.type == "conversation.resolved"
        agent = entry.data.get("agent") or ""
        self._turns.append(Turn(entry.moment, "resolved" if is_end else "reopened", entry.conversation, agent))

    def _handed_off(self, entry: Entry) -> None:
        """From agent to agent is none of these."""
        key, state = entry.data.get("handoff"), HAND_OFFS.get(entry.data.get("step", ""), "offered")
        if key is None:
            return
        one = self._handed.get(key) or Handed(entry.moment, entry.conversation, entry.data["from"], state)
        to = entry.data.get("to", "") if state == "arrived" else one.arrived_channel
        self._handed[key] = replace(one, state=state if state != "offered" else one.state, arrived_channel=to)

    def _changed(self, entry: Entry) -> None:
        if entry.data.get("cause") == "erased":
            self._gone |= {entry.data["old"], *entry.data.get("aliases", ())}
            return
        for account in entry.data.get("accounts", ()):
            self._owner[account] = entry.data["new"]

    def _moved(self, entry: Entry) -> None:
        self._merged[entry.data.get("move", str(entry.cursor))] = entry.data["from"], entry.data["to"]

    def _restored(self, entry: Entry) -> None:
        self._merged.pop(entry.data.get("move", ""), None)


_DOES: Mapping[str, Callable[[Log, Entry], None]] = {
    "interaction.received": Log._received,
    "interaction.edited": Log._edited,
    "interaction.deleted": Log._deleted,
    "delivery.updated": Log._delivered,
    "intent.uncertain": Log._delivered,
    "conversation.rated": Log._rated,
    "conversation.resolved": Log._turned,
    "conversation.reopened": Log._turned,
    "conversation.handed_off": Log._handed_off,
    "conversation.merged": Log._moved,
    "conversation.restored": Log._restored,
    "customer.changed": Log._changed,
}
"""Everything else is known, and tells nothing that is measured."""


def _check(entry: Entry) -> None:
    """Raises ValueError where that is missing without which nothing can be made of it."""
    for name in _NEEDED.get(entry.type, ()):
        if name not in entry.data:
            raise ValueError(f"data.{name}: is missing; add it")
    if entry.type.startswith("conversation.") and entry.type in _DOES and not entry.conversation:
        raise ValueError("conversation: is missing; add it")
    if "interaction" in entry.data and entry.type in {"interaction.received", "interaction.edited"}:
        Interaction.model_validate(entry.data["interaction"])


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "interaction.received": ("id", "interaction"),
    "interaction.edited": ("id", "interaction"),
    "interaction.deleted": ("id",),
    "conversation.rated": ("interaction", "value"),
    "conversation.handed_off": ("from", "to", "step"),
    "conversation.merged": ("from", "to"),
    "customer.changed": ("old",),
}


def _rated(touch: Touch, one: _Heard) -> Touch:
    if one.verdict is not None:
        return replace(touch, verdict=one.verdict, kind=RATING if one.entry.data.get("settled") else touch.kind)
    asks = touch.by == "bot" and (one.interaction.client_key or "").startswith(CHOICE)
    return replace(touch, kind=RATING) if asks else touch

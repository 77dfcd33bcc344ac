"""Today, as it goes: contacts that began today, counted along from the log. The report tells it exactly, afterwards."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from socialsupport_core.guidance.service import MICRO, Service
from socialsupport_core.insight.journey import REASONS, Reason
from socialsupport_core.insight.matters import PATIENCE
from socialsupport_core.insight.measures import share

Shown = dict[str, Any]
TYPES = ("interaction.received", "delivery.updated", "conversation.handed_off")
"""What is counted from."""


@dataclass(slots=True)
class Contact:
    conversation: str
    channel: str
    network: str
    since: int
    last: int
    answered_at: int | None = None


@dataclass(slots=True)
class Today:
    """`begin`: midnight, in microseconds; `cursor`: how far the log is counted."""

    begin: int
    cursor: int = 0
    contacts: list[Contact] = field(default_factory=list)
    by_thread: dict[tuple[str, str], list[Contact]] = field(default_factory=lambda: defaultdict(list))
    """Those that wait for an answer there."""
    waits: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The same counted, by conversation and channel."""
    said: dict[tuple[str, str], int] = field(default_factory=dict)
    """When people last answered in a thread: what comes late may have been answered already."""
    by_answer: dict[str, tuple[str, str, list[Contact]]] = field(default_factory=dict)
    """By our interaction's id: where it was said, and what it answered."""
    place: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By conversation: the channel on which the customer spoke last, and whether everybody reads it."""
    left: dict[str, Reason] = field(default_factory=dict)
    """Conversations whose customer went on elsewhere by himself."""
    unsent: set[str] = field(default_factory=set)

    def take(self, type_: str, channel: str, thread: str, conversation: str, data: Mapping[str, Any]) -> None:
        if type_ == "interaction.received":
            self._spoken(channel, thread, conversation, data)
        elif type_ == "delivery.updated" and data.get("state") == "failed":
            self._failed(str(data.get("id", "")), conversation)
        elif type_ == "conversation.handed_off" and data.get("step") in {"arrived", "confirmed"}:
            self.left.pop(conversation, None)

    def _spoken(self, channel: str, thread: str, conversation: str, data: Mapping[str, Any]) -> None:
        said = data["interaction"]
        at = micros_of(said["sent_at"])
        if at < self.begin:
            return
        if said["direction"] == "outbound":
            if not said["author"]["is_bot"]:
                self._answered(str(data.get("id", "")), (channel, thread), at)
        elif said["direction"] == "inbound" and not said["author"]["is_bot"] and not data.get("settled"):
            self._moved(conversation, channel, said["thread"]["visibility"])
            self._asked(Contact(conversation, channel, said["network"], at, at), thread, said)

    def _asked(self, new: Contact, thread: str, said: Mapping[str, Any]) -> None:
        where = new.channel, thread
        waiting = self.by_thread[where]
        attended = said["kind"] == "visit" or (said["kind"] == "call" and bool(said.get("duration")))
        if attended:
            new.answered_at = new.since
        elif self.said.get(where, 0) >= new.since:
            new.answered_at = self.said[where]
        elif waiting and new.since - waiting[-1].last <= PATIENCE:
            waiting[-1].last = max(waiting[-1].last, new.since)
            return
        else:
            self._wait(new, where)
        self.contacts.append(new)

    def _wait(self, one: Contact, where: tuple[str, str]) -> None:
        one.answered_at = None
        self.by_thread[where].append(one)
        self.waits[one.conversation, one.channel] += 1

    def _answered(self, answer: str, where: tuple[str, str], at: int) -> None:
        mine = [one for one in self.by_thread[where] if one.since <= at]
        self.said[where] = max(at, self.said.get(where, 0))
        for one in mine:
            one.answered_at = at
            self.by_thread[where].remove(one)
            self.waits[one.conversation, one.channel] -= 1
        self.by_answer[answer] = (*where, mine)

    def _failed(self, answer: str, conversation: str) -> None:
        self.unsent.add(conversation)
        if answer in self.by_answer:
            channel, thread, mine = self.by_answer.pop(answer)
            self.said.pop((channel, thread), None)
            for one in mine:
                self._wait(one, (channel, thread))

    def _moved(self, conversation: str, channel: str, visibility: str) -> None:
        """On another channel than before, or from public to private."""
        before, here = self.place.get(conversation), (channel, visibility)
        self.place[conversation] = here
        if before is not None and before != here and conversation not in self.left:
            self.left[conversation] = "no_answer" if self.waits[conversation, before[0]] > 0 else "not_resolved"

    def figures(self, service: Service, now: int) -> Shown:
        """Of the contacts that are answered, or should be by now: how many are, and how many within the target."""
        answered = [one for one in self.contacts if one.answered_at is not None]
        overdue = [one for one in self.contacts if one.answered_at is None and now - one.since > _target(one, service)]
        in_time = [
            one for one in answered if service.hours.within(one.since, one.answered_at or 0) <= _target(one, service)
        ]
        broken: dict[str, Reason] = {one.conversation: "no_answer" for one in overdue}
        broken |= self.left | dict.fromkeys(self.unsent, "send_failed")
        due = len(answered) + len(overdue)
        return {
            "since": datetime.fromtimestamp(self.begin / 1_000_000, UTC).isoformat().replace("+00:00", "Z"),
            "contacts": len(self.contacts),
            "answered": share(len(answered), due),
            "in_target": share(len(in_time), due),
            "breakdowns": {
                "count": len(broken),
                "by_reason": dict(Counter(REASONS[reason] for reason in broken.values()).most_common()),
            },
        }


def _target(one: Contact, service: Service) -> int:
    return service.target_of(one.channel, one.network)


def micros_of(written: str) -> int:
    return (datetime.fromisoformat(written) - datetime(1970, 1, 1, tzinfo=UTC)) // MICRO


def midnight(service: Service, now: int) -> int:
    """The beginning of the day in the zone of the hours."""
    local = service.hours.local(now)
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (begin.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

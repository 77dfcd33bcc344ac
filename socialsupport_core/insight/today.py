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
        elif said["direction"] == "inbound" and not said["author"]["is_bot"]:
            self._moved(conversation, channel, said["thread"]["visibility"], thread)
            self._asked(Contact(conversation, channel, said["network"], at, at), thread, said)

    def _asked(self, new: Contact, thread: str, said: Mapping[str, Any]) -> None:
        waiting = self.by_thread[new.channel, thread]
        attended = said["kind"] == "visit" or (said["kind"] == "call" and bool(said.get("duration")))
        if attended:
            new.answered_at = new.since
        elif waiting and new.since - waiting[-1].last <= PATIENCE:
            waiting[-1].last = max(waiting[-1].last, new.since)
            return
        else:
            waiting.append(new)
        self.contacts.append(new)

    def _answered(self, answer: str, where: tuple[str, str], at: int) -> None:
        waiting = self.by_thread[where]
        mine = [one for one in waiting if one.since <= at]
        for one in mine:
            one.answered_at = at
            waiting.remove(one)
        if mine:
            self.by_answer[answer] = (*where, mine)

    def _failed(self, answer: str, conversation: str) -> None:
        self.unsent.add(conversation)
        channel, thread, mine = self.by_answer.pop(answer, ("", "", []))
        for one in mine:
            one.answered_at = None
            self.by_thread[channel, thread].append(one)

    def _moved(self, conversation: str, channel: str, visibility: str, thread: str) -> None:
        """On another channel than before, or from public to private."""
        before, here = self.place.get(conversation), (channel, visibility)
        self.place[conversation] = here
        if before is not None and before != here and conversation not in self.left:
            waiting = any(
                one.conversation == conversation
                for key, contacts in self.by_thread.items()
                if key[0] == before[0] and key != (channel, thread)
                for one in contacts
            )
            self.left[conversation] = "no_answer" if waiting else "not_resolved"

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

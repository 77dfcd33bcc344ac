"""What lines of the documented form tell."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from socialsupport_core.conversation.kinds import same
from socialsupport_core.insight.brought.lines import FORMS, Done, Offered, Said
from socialsupport_core.insight.brought.rows import Mistake, Place, Row
from socialsupport_core.insight.brought.touching import numbered, touch_of
from socialsupport_core.insight.history import RATING, Handed, Touch, Turn
from socialsupport_core.mistakes import near
from socialsupport_core.model import Interaction, Party, Reach, Thread
from socialsupport_core.store import micros

GIVEN = ("attended", "contact", "failed", "edited", "verdict")
"""Fields that a line says of its touch itself."""


class Spoken:
    def __init__(self, zone: tzinfo | None) -> None:
        self._context = {"zone": zone}
        self._said: list[tuple[int, Said]] = []
        self._done: list[tuple[Place, Done | Offered]] = []
        self._ids: dict[str, tuple[int, Place]] = {}

    def take(self, row: Row, number: int, place: Place) -> None:
        """Raises ValueError with what is wrong."""
        event = row.get("event", "said")
        if event not in FORMS:
            raise ValueError(f"event: {str(event)[:80]!r} is none; {near(str(event), FORMS)}")
        line = FORMS[event].model_validate(row, context=self._context)
        if not isinstance(line, Said):
            self._done.append((place, line))
            return
        if line.id is not None:
            if line.id in self._ids:
                raise ValueError(f"id: that of {self._ids[line.id][1]} is the same; give each its own, or none")
            self._ids[line.id] = number, place
        self._said.append((number, line))

    def touches(self) -> Iterator[Touch | None]:
        """None for notes and the like."""
        for number, line in self._said:
            touch = touch_of(_row(number, line), _interaction(number, line), self._answered(line))
            yield touch and _as_given(touch, line)

    def _answered(self, line: Said) -> str | None:
        return numbered(self._ids[line.in_reply_to][0]) if line.in_reply_to in self._ids else None

    def deeds(self) -> Iterator[Turn | Handed | Mistake]:
        cases = _Cases(self._said)
        for place, line in self._done:
            conversation = cases.of(line)
            if conversation is None:
                yield Mistake(place, _nowhere(line))
            elif isinstance(line, Offered):
                yield Handed(micros(line.at), conversation, line.channel, line.state, line.to or "")
            else:
                yield Turn(micros(line.at), line.event, conversation, line.agent or "")


class _Cases:
    """In which conversation somebody was last, by then."""

    def __init__(self, said: list[tuple[int, Said]]) -> None:
        self._of: dict[str, list[tuple[int, int, str, Said]]] = defaultdict(list)
        self._names = {line.conversation for _, line in said}
        for number, line in said:
            self._of[line.customer].append((micros(line.at), number, _case(line), line))
        for mine in self._of.values():
            mine.sort(key=lambda one: one[:2])

    def of(self, deed: Done | Offered) -> str | None:
        if deed.conversation is not None:
            return deed.conversation if deed.conversation in self._names else None
        mine = self._of.get(deed.customer or "", [])
        before = mine[: bisect_right(mine, micros(deed.at), key=lambda one: one[0])]
        return next((case for _, _, case, line in reversed(before) if _fits(line, deed)), None)


def _fits(line: Said, deed: Done | Offered) -> bool:
    return deed.channel in (None, line.channel) and deed.thread in (None, line.thread)


def _nowhere(deed: Done | Offered) -> str:
    if deed.conversation is not None:
        return (
            f"conversation: no touch belongs to {deed.conversation[:80]!r}; give those that do the same `conversation`"
        )
    where = "".join(
        f" {word} {value[:80]!r}" for word, value in (("on", deed.channel), ("in", deed.thread)) if value is not None
    )
    return (
        f"customer: nothing was said by or to {(deed.customer or '')[:80]!r}{where} until then; add the lines of what"
        " was said, or put name and time right"
    )


def _case(line: Said) -> str:
    return line.conversation or line.key


def _row(number: int, line: Said) -> Mapping[str, Any]:
    return {
        "at": micros(line.at),
        "seq": numbered(number),
        "customer": line.customer,
        "channel": line.channel,
        "conversation": _case(line),
        "agent": line.agent,
        "state": None,
        "edited_at": None,
    }


def _interaction(number: int, line: Said) -> Interaction:
    return Interaction(
        network=line.on,
        native_id=str(number),
        kind=line.called,
        direction=line.direction,
        own_account=line.channel,
        thread=Thread(id=line.key, visibility=line.visibility),
        author=Party(is_bot=line.bot),
        subject=line.subject,
        text=line.text,
        rating=line.rating,
        duration=line.duration,
        language=line.language,
        reach=None if line.followers is None else Reach(followers=line.followers),
        sent_at=line.at,
    )


def _as_given(touch: Touch, line: Said) -> Touch:
    """What the line says itself goes before what its text tells; orders and the like are added to those in the text."""
    given: dict[str, Any] = {name: value for name in GIVEN if (value := getattr(line, name)) is not None}
    topics = frozenset(map(_topic, line.topics))
    told = frozenset(line.told) | {topic.partition(":")[0] for topic in topics}
    if touch.by == "customer":
        given |= {"topics": touch.topics | topics, "told": touch.told | told}
    else:
        given |= {"topics": topics, "asks": touch.asks | set(line.asks)}
    if line.kind == RATING:
        given["kind"] = RATING
    return replace(touch, **given)


def _topic(written: str) -> str:
    """`order:AB-4711` and `order:ab4711` are one."""
    kind, mark, value = written.partition(":")
    return f"{kind}:{same(value)}" if mark else f"topic:{same(kind)}"

"""A history out of lines. What a line means is what the store would make of it: what a text tells, asks and is about is
found by the same rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight.brought.given import Given
from socialsupport_core.insight.brought.lines import FORMS
from socialsupport_core.insight.brought.log import Entry, Log
from socialsupport_core.insight.brought.rows import Mistake, Moved, Place, Row, rows, unseen
from socialsupport_core.insight.brought.spoken import Spoken
from socialsupport_core.insight.history import Handed, History, Touch, Turn
from socialsupport_core.mistakes import near, problems
from socialsupport_core.model.event import Event, EventType
from socialsupport_core.pipeline.webhooks import TYPES

One = TypeVar("One", Touch, Turn, Handed)
NATIVE = frozenset(get_args(EventType))


class Unreadable(ConfigError):
    """Some lines cannot be read, so there is no report: `mistakes` tells each with its file and number."""

    def __init__(self, mistakes: Sequence[Mistake], lines: int) -> None:
        super().__init__(
            f"{len(mistakes)} of {lines} lines cannot be read, and without them the figures would be wrong: put them"
            " right, or take them out; nothing was reported"
        )
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Brought:
    """A history, and what there was beside it."""

    history: History
    lines: int
    late: int = 0
    """What happened at `until` or later, which does not count."""
    repeated: int = 0
    """Events that had come before."""
    silent: Mapping[str, int] = field(default_factory=dict)
    """How many lines tell nothing that is measured, by what they are: notes, events of other kinds."""


def bring(files: Sequence[Path], until: int, *, zone: tzinfo | None = None, moved: Moved = unseen) -> Brought:
    """Of all files together, whatever the order of their lines. `until` is in microseconds; `zone` is that of times
    which name none. Raises Unreadable, or ConfigError for a file that cannot be opened."""
    gathered = _Gathered(zone)
    for one in rows(list(files), moved):
        gathered.take(one)
    return gathered.done(until)


class _Gathered:
    def __init__(self, zone: tzinfo | None) -> None:
        self._spoken, self._log, self._given = Spoken(zone), Log(), Given()
        self._count = 0
        self._mistakes: list[Mistake] = []

    def take(self, one: tuple[Place, Row] | Mistake) -> None:
        self._count += 1
        if isinstance(one, Mistake):
            self._mistakes.append(one)
            return
        place, row = one
        try:
            self._keep(row, place)
        except ValidationError as error:
            self._mistakes.append(Mistake(place, problems(error, _form(row))))
        except ValueError as error:
            self._mistakes.append(Mistake(place, str(error)))

    def _keep(self, row: Row, place: Place) -> None:
        if "type" in row and row["type"] not in TYPES:
            raise ValueError(f"type: {str(row['type'])[:80]!r} is none of our events; {near(str(row['type']), TYPES)}")
        if _is_logged(row):
            self._log.take(row, self._count)
        elif _is_given(row):
            self._given.take(row, self._count)
        else:
            self._spoken.take(row, self._count, place)

    def done(self, until: int) -> Brought:
        if not self._mistakes:
            self._log.read()
        deeds = list(self._spoken.deeds())
        self._mistakes += [one for one in deeds if isinstance(one, Mistake)]
        if self._mistakes:
            raise Unreadable(self._mistakes, self._count)
        told = [one for source in (self._spoken, self._log, self._given) for one in source.touches()]
        touches = [one for one in told if one is not None]
        done = [*(one for one in deeds if not isinstance(one, Mistake)), *self._log.deeds()]
        history = History(
            _until(touches, until),
            _until((one for one in done if isinstance(one, Turn)), until),
            _until((one for one in done if isinstance(one, Handed)), until),
            until,
        )
        counted = len(history.touches) + len(history.turns) + len(history.handed)
        silent = self._log.silent + self._given.silent
        notes = (
            {"notes, and what customers' machines say": len(told) - len(touches)} if len(told) > len(touches) else {}
        )
        return Brought(
            history,
            self._count,
            len(touches) + len(done) - counted,
            self._log.repeated + self._given.repeated,
            notes | dict(silent),
        )


def _until(told: Iterable[One], until: int) -> tuple[One, ...]:
    return tuple(sorted(one for one in told if one.at < until))


def _is_logged(row: Row) -> bool:
    """Also one that somebody has written by hand, and no connector gives."""
    return "cursor" in row or ("type" in row and ("data" in row or row["type"] not in NATIVE))


def _is_given(row: Row) -> bool:
    return "type" in row or {"author", "thread", "sent_at"} <= row.keys()


def _form(row: Row) -> object:
    """The model whose fields the line should have."""
    if _is_logged(row):
        return Entry
    return Event if _is_given(row) else FORMS.get(str(row.get("event", "said")))

"""What a report is made of: a store, a folder that `export` wrote, or files of lines; and what it is asked."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from socialsupport_core.insight import History, Settings
    from socialsupport_core.insight.brought import Brought

Shown = dict[str, Any]
TOLD = 20  # lines that cannot be read


@dataclass(frozen=True, slots=True)
class Asked:
    """For which matters, and how they are measured."""

    settings: "Settings"
    since: datetime | None
    until: datetime | None
    filters: dict[str, str | None]

    @property
    def begin(self) -> int | None:
        """Microseconds since 1970."""
        from socialsupport_core.store import micros

        return None if self.since is None else micros(self.since)

    @property
    def end(self) -> int:
        from socialsupport_core.store import micros

        return micros(self.until or datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Needed:
    """How many agents are asked for: so that of 100 contacts `share` are answered in time."""

    share: int
    handling: float | None


class Source(Protocol):
    def report(self, asked: Asked, *, drawn: bool) -> tuple[Shown, str]:
        """And whose it is. `drawn`: with what only the page draws. Raises ConfigError."""
        ...

    def staffing(self, asked: Asked, needed: Needed) -> Shown: ...


@dataclass(frozen=True, slots=True)
class OfStore:
    store: str
    tenant: str | None

    def report(self, asked: Asked, *, drawn: bool) -> tuple[Shown, str]:
        from socialsupport_core.cli.reach import hub_at, tenant_of

        with hub_at(self.store) as hub:
            whose = tenant_of(hub, self.tenant)
            told = hub.report(whose, since=asked.since, until=asked.until, settings=asked.settings, **asked.filters)
            return told, whose

    def staffing(self, asked: Asked, needed: Needed) -> Shown:
        from socialsupport_core.cli.reach import hub_at, tenant_of

        with hub_at(self.store) as hub:
            whose = tenant_of(hub, self.tenant)
            about: Shown = {"share": needed.share / 100, "handling": needed.handling}
            return hub.staffing(whose, since=asked.since, until=asked.until, **about)


@dataclass(frozen=True, slots=True)
class OfExport:
    folder: Path
    tenant: str | None

    def report(self, asked: Asked, *, drawn: bool) -> tuple[Shown, str]:
        from socialsupport_core.cli.output import moving
        from socialsupport_core.contract import ConfigError
        from socialsupport_core.hub.exporting import MISSING
        from socialsupport_core.insight import Filters

        try:
            from socialsupport_core.insight.scaled.reading import drawn_of, owner_of, report_of
        except ModuleNotFoundError as missing:
            raise ConfigError(MISSING) from missing
        wanted, owner = Filters(**asked.filters), owner_of(self.folder, self.tenant)
        about = self.folder, owner, asked.settings, asked.end, asked.begin
        if drawn:
            return drawn_of(*about, filters=wanted), owner
        with moving("measuring") as moved:
            return report_of(*about, moved=moved, filters=wanted), owner

    def staffing(self, asked: Asked, needed: Needed) -> Shown:
        from socialsupport_core.contract import ConfigError

        raise ConfigError("--staffing needs the store, or a history: an export is read for its report")


@dataclass(frozen=True, slots=True)
class OfHistory:
    files: Sequence[Path]
    zone: str | None
    tenant: str | None
    """Whose report it is called."""

    def report(self, asked: Asked, *, drawn: bool) -> tuple[Shown, str]:
        from socialsupport_core.insight import Filters, report
        from socialsupport_core.insight.filters import Known, check

        history, wanted = self._history(asked), Filters(**asked.filters)
        check(wanted, history, Known())
        return report(history, asked.settings, asked.begin, wanted), self.tenant or ""

    def staffing(self, asked: Asked, needed: Needed) -> Shown:
        from socialsupport_core.contract import ConfigError
        from socialsupport_core.guidance.service import MICRO
        from socialsupport_core.hub.staffing import LOOKED_BACK
        from socialsupport_core.insight.staffing import staffing

        begin = asked.end - LOOKED_BACK // MICRO if asked.begin is None else asked.begin
        try:
            return staffing(
                self._history(asked), asked.settings, begin, share=needed.share / 100, handling=needed.handling
            )
        except ValueError as error:
            raise ConfigError(str(error)) from None

    def _history(self, asked: Asked) -> "History":
        from socialsupport_core.cli.output import complain, moving, remark
        from socialsupport_core.insight.brought import Unreadable, bring

        try:
            with moving("reading") as moved:
                found = bring(self.files, asked.end, zone=_zone(self.zone), moved=moved)
        except Unreadable as error:
            for mistake in error.mistakes[:TOLD]:
                complain(str(mistake))
            if len(error.mistakes) > TOLD:
                complain(f"and {len(error.mistakes) - TOLD} lines more")
            raise
        for line in _summary(found):
            remark(line)
        return found.history


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    from socialsupport_core.contract import ConfigError

    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        raise ConfigError(f"--zone {name!r} is no time zone; give one such as Europe/Berlin") from None


def _summary(found: "Brought") -> "list[str]":
    """What was understood, so that whoever wrote the lines sees whether it is what he meant."""
    from socialsupport_core.insight.words import counted

    history = found.history
    networks = {touch.channel: touch.network for touch in history.touches}
    channels = [name if name == on else f"{name} (as {on})" for name, on in sorted(networks.items())]
    people, agents = ({getattr(one, name) for one in history.touches} for name in ("customer", "agent"))
    told = [
        f"{counted(found.lines, 'line')}: {counted(len(history.touches), 'touch').replace('touchs', 'touches')} of"
        f" {counted(len(people), 'customer')} and {counted(len(agents - {None}), 'agent')} on {', '.join(channels)};"
        f" {len(history.turns):,} resolved or reopened, {len(history.handed):,} handed off"
    ]
    if found.late:
        told.append(f"{counted(found.late, 'line')} at --until or later did not count; say --until to move it")
    if found.repeated:
        told.append(f"{counted(found.repeated, 'event')} came more than once and counted once")
    if found.silent:
        beside = ", ".join(f"{count:,} {name}" for name, count in sorted(found.silent.items()))
        told.append(f"nothing is measured of: {beside}")
    return told

"""Watching the channels: which has fallen silent, and where something is missing."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from socialsupport_core.pipeline import backfilling, rhythm
from socialsupport_core.pipeline.channels import Channels, Live
from socialsupport_core.pipeline.health import Kind, Turned, reads_back, trouble, well
from socialsupport_core.pipeline.health import known as known_troubles
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.store import Database, Tx, backfills, health, micros, moment
from socialsupport_core.store.backfills import Backfill
from socialsupport_core.store.health import HOUR, Missing, Trouble, Watched

SECOND = 1_000_000
EVERY = 30 * SECOND  # between two looks
GRACE = 600 * SECOND  # in which what has been overtaken may still come
BEFORE = 24 * HOUR  # by so much a history is read back from before a hole was noticed
NAMED = 5  # stretches of missing numbers that are told
LEASE = "watch the channels"

Key = tuple[str, str]


class Watching:
    def __init__(self, database: Database, channels: Channels, leases: Leases, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._channels = channels
        self._leases = leases
        self._clock = clock
        self._looked_at: int | None = None

    async def feel(self, live: Live, kind: Kind, reason: str | None = None) -> None:
        """Says once that something is wrong with a channel, and once that it is well again."""
        channel, at = live.channel, micros(self._clock())
        over: tuple[Kind, ...] = (kind, "test")
        known = self._database.read(lambda tx: known_troubles(tx, channel))
        if known.get(kind) == reason if reason else not known.keys() & set(over):
            return  # looking is cheap, writing is a commit

        def write(tx: Tx) -> Turned | None:
            return trouble(tx, channel, kind, reason, at) if reason else well(tx, channel, over, at)

        if turned := await asyncio.wrap_future(self._database.write(write)):
            turned.say()
            self._channels.forget()

    async def round(self) -> None:
        """Looks every half minute, if nobody else who works on the store does."""
        now = micros(self._clock())
        if self._looked_at is not None and abs(now - self._looked_at) < EVERY:
            return
        self._looked_at = now
        if await self._leases.mine(LEASE):
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Looks at every channel that is not paused, and says what has turned."""
        now = micros(self._clock())
        watched, troubles, holed = self._database.read(
            lambda tx: (health.all_watched(tx), health.all_troubles(tx), health.with_missing(tx))
        )
        for key, live in self._channels.all().items():
            if live.channel.state == "paused":
                continue
            known = troubles.get(key, {})
            found = watched.get(key, Watched(*key))
            self._keep(live, "silent", self._silence(live, found, known, now), known, now)
            if key in holed or "gap" in known:
                self._mend(live, known, now)
        if self._database.read(lambda tx: health.is_old(tx, now)):  # looking is cheap, writing is a commit
            self._database.do(lambda tx: health.prune(tx, now))

    def _keep(self, live: Live, kind: Kind, reason: str | None, known: Mapping[str, Trouble], now: int) -> None:
        """Notes it if that is news."""
        if reason == (known[kind].reason if kind in known else None):
            return
        channel = live.channel

        def write(tx: Tx) -> Turned | None:
            return trouble(tx, channel, kind, reason, now) if reason else well(tx, channel, [kind], now)

        if turned := self._database.do(write):
            turned.say()
            self._channels.forget()

    # silence

    def _silence(self, live: Live, watched: Watched, known: Mapping[str, Trouble], now: int) -> str | None:
        since = watched.heard_at
        if since is None:
            return None
        if "silent" in known and known["silent"].reason.startswith(_silent_since(since)):
            return known["silent"].reason  # nothing has come since, so nothing is new
        if watched.expect_within is not None:
            late = now - since > watched.expect_within
            expected = f"something is expected every {spoken(watched.expect_within)}"
            return _told_silent(live, since, expected) if late else None
        if watched.first_at is None or now - since < rhythm.SHORTEST:
            return None
        first, oldest = watched.first_at // HOUR, now // HOUR - health.KEPT
        counts = self._database.read(lambda tx: health.by_hour(tx, *_key(live), oldest))
        missed = rhythm.silent(counts, first, since, now)
        usual = f"about {missed:.0f} messages would have been usual since then" if missed else ""
        return _told_silent(live, since, usual) if missed else None

    # holes

    def _mend(self, live: Live, known: Mapping[str, Trouble], now: int) -> None:
        holes, running = self._database.read(
            lambda tx: (health.missing(tx, *_key(live), now - GRACE), backfills.get(tx, *_key(live)))
        )
        if holes and reads_back(live.connector, self._clock()):
            noticed = max(one.noticed_at for one in holes)
            if running is None or (running.started_at < noticed and running.state != "running"):
                since = min(one.noticed_at for one in holes) - BEFORE
                tenant, channel = _key(live)
                running = self._database.do(lambda tx: backfilling.begin(tx, tenant, channel, since, "gap", now))
        self._keep(live, "gap", _told_gap(holes, running) if holes else None, known, now)


def _key(live: Live) -> Key:
    return live.channel.tenant, live.channel.id


def _told_silent(live: Live, since: int, why: str) -> str:
    if live.channel.mode == "poll":
        look = "look in the network's own application whether there is news that does not come"
    else:
        look = "look in the network's own settings whether it still calls this channel's door, and subscribe again"
    return f"{_silent_since(since)}, where {why}: test the connection; {look}"


def _silent_since(since: int) -> str:
    return f"nothing has come in since {moment(since):%Y-%m-%d %H:%M:%S} UTC"


def _told_gap(holes: list[Missing], running: Backfill | None) -> str:
    count = sum(one.last - one.first + 1 for one in holes)
    named = [str(one.first) if one.first == one.last else f"{one.first} to {one.last}" for one in holes[:NAMED]]
    more = ", and more" if len(holes) > NAMED else ""
    what = (
        f"{count} of the network's own numbers never came ({', '.join(named)}{more}), so something was lost on the way"
    )
    return f"{what}: {_way_out(running)}"


def _way_out(running: Backfill | None) -> str:
    if running is None:
        return "it cannot be read back here; look in the network's own application, then resume the channel"
    if running.state == "running":
        return "it is being read back"
    if running.state == "failed":
        return f"reading it back failed ({running.reason}); mend that and read it back, or resume the channel"
    return "it was read back, and the network has no more; look in its own application, then resume the channel"


def spoken(span: int) -> str:
    """A span of microseconds in words."""
    for unit, size in (("day", 24 * HOUR), ("hour", HOUR), ("minute", HOUR // 60)):
        if span >= size and span % size == 0:
            count = span // size
            return f"{count} {unit}s" if count > 1 else unit
    return f"{span / SECOND:.0f} seconds"

"""A clock that can tell a story: it starts in the past, is moved on by hand, and then follows the real one."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def real() -> datetime:
    return datetime.now(UTC)


class StoryClock:
    """Between two moves time goes on by a millisecond a look, so that no two things happen at once."""

    def __init__(self, start: datetime, follow: Callable[[], datetime] = real) -> None:
        self._told: datetime | None = start
        self._follow = follow

    def __call__(self) -> datetime:
        if self._told is None:
            return self._follow()
        self._told += timedelta(milliseconds=1)
        return self._told

    def pass_by(self, **duration: float) -> None:
        """`pass_by(hours=2)`; nothing once the real clock is followed."""
        if self._told is not None:
            self._told = min(self._told + timedelta(**duration), self._follow())

    async def sleep(self, seconds: float) -> None:
        """What a connector waits for passes at once while the story is told."""
        self.pass_by(seconds=seconds)
        await asyncio.sleep(0 if self._told else seconds)

    def catch_up(self) -> None:
        """From here on it is the real time."""
        self._told = None

"""Who else is answering. Kept in memory for some seconds: it is courtesy between colleagues, never a lock."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(seconds=15)
"""How long a sign of life counts; the page gives one every five seconds."""
MOST = 20  # conversations that one agent can be answering at once; the oldest gives way


@dataclass(frozen=True, slots=True)
class _Sign:
    name: str
    until: datetime


class Presence:
    """Of one process. `changed` is called when others should look again."""

    def __init__(self, clock: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._signs: dict[tuple[str, str], dict[str, _Sign]] = {}
        """By tenant and agent, then by conversation."""

    def note(self, tenant: str, agent: str, name: str, conversation: str, *, answering: bool) -> None:
        """The agent is answering this conversation, or not any more."""
        with self._lock:
            mine = self._live().setdefault((tenant, agent), {})
            known = mine.pop(conversation, None)
            if answering:
                mine[conversation] = _Sign(name, self._clock() + LIFETIME)
            while len(mine) > MOST:
                del mine[next(iter(mine))]
        if (known is not None) != answering:
            self._changed()

    def others(self, tenant: str, agent: str) -> dict[str, list[str]]:
        """Names by conversation, without the agent's own."""
        found: dict[str, list[str]] = {}
        with self._lock:
            for (where, who), signs in self._live().items():
                if where == tenant and who != agent:
                    for conversation, sign in signs.items():
                        found.setdefault(conversation, []).append(sign.name)
        return {conversation: sorted(names) for conversation, names in found.items()}

    def rest(self) -> float:
        """Seconds until the next sign fades; the whole lifetime if there is none."""
        with self._lock:
            ends = [sign.until for signs in self._live().values() for sign in signs.values()]
        longest = LIFETIME.total_seconds()
        return min((max((end - self._clock()).total_seconds(), 0.05) for end in ends), default=longest)

    def _live(self) -> dict[tuple[str, str], dict[str, _Sign]]:
        now = self._clock()
        for who, signs in list(self._signs.items()):
            self._signs[who] = {where: sign for where, sign in signs.items() if sign.until > now}
            if not self._signs[who]:
                del self._signs[who]
        return self._signs

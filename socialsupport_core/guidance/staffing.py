"""How many agents it takes: Erlang C, the M/M/N queue.

Contacts come at random, whoever comes waits in line, nobody gives up, and handling takes as long as an exponential
distribution says. A. K. Erlang, "Solution of some Problems in the Theory of Probabilities of Significance in Automatic
Telephone Exchanges" (1917); as in R. B. Cooper, "Introduction to Queueing Theory", second edition (1981), chapter 3.

With `load` = arrivals per second x seconds of handling (erlangs) and N agents, N > load:

    B(0) = 1,  B(n) = load B(n-1) / (n + load B(n-1))                 Erlang B, by recursion: no factorial overflows
    C    = N B(N) / (N - load (1 - B(N)))                             the share that waits at all
    within t: 1 - C exp(-(N - load) t / handling)                     the share that is answered by then
"""

import math
from dataclasses import dataclass

MOST = 10_000
"""Agents; whoever needs more has another problem."""


@dataclass(frozen=True, slots=True)
class Staffed:
    agents: int
    load: float
    """In erlangs: agents who would be at work all the time if nobody ever waited for anybody."""
    waits: float
    """The share that waits at all."""
    within: float
    """The share that is answered within the target."""
    mean_wait: float
    """Seconds, over all."""

    @property
    def occupancy(self) -> float:
        return self.load / self.agents if self.agents else 0.0


def erlang_c(load: float, agents: int) -> float:
    """The share of contacts that wait; 1 where the line only grows."""
    if load <= 0:
        return 0.0
    if agents <= load:
        return 1.0
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return agents * blocked / (agents - load * (1 - blocked))


def staffed(arrivals: float, handling: float, agents: int, target: float) -> Staffed:
    """`arrivals` per hour; `handling` and `target` in seconds."""
    load = arrivals * handling / 3600
    waits = erlang_c(load, agents)
    if load <= 0:
        return Staffed(agents, 0.0, 0.0, 1.0, 0.0)
    if agents <= load:
        return Staffed(agents, load, 1.0, 0.0, math.inf)
    spare = (agents - load) / handling
    return Staffed(agents, load, waits, 1 - waits * math.exp(-spare * target), waits / spare)


def agents_needed(arrivals: float, handling: float, target: float, share: float) -> Staffed:
    """The fewest agents with whom that share is answered within the target. Raises ValueError."""
    if not (arrivals >= 0 and handling > 0 and target >= 0 and 0 < share < 1):
        raise ValueError("arrivals and target are at least 0, handling is above 0, the share is between 0 and 1")
    agents = math.floor(arrivals * handling / 3600)
    while (found := staffed(arrivals, handling, agents, target)).within < share:
        agents += 1
        if agents > MOST:
            raise ValueError(f"that takes more than {MOST:,} agents")
    return found


def rostered(agents: int, shrinkage: float) -> int:
    """So many must be on the roster, if that share of their time goes to breaks, meetings, holidays."""
    return math.ceil(agents / (1 - shrinkage) - 1e-9)

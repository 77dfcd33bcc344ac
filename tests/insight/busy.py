"""A busy quarter: matters of every sort, with every reason for which one breaks down, from a seed."""

import random
from collections.abc import Callable
from typing import Any

from past import HOUR, MONDAY, handed, past, resolved, said

from socialsupport_core.insight import History

DAYS = 91
Events = list[Any]
HOSTILE = "<script>alert(1)</script>"


def history(count: int, seed: int = 7, hostile: bool = False) -> History:
    """Of so many matters, in the three months before Monday, 2 November 2026, and the week after."""
    chance = random.Random(seed)
    events: Events = []
    for number in range(count):
        day, hour = chance.randrange(-DAYS, 0), min(23.9, max(0, chance.gauss(13, 4)))
        customer = f"cus_{HOSTILE if hostile and not number % 10 else number}"
        kind = chance.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
        events += KINDS[kind][0](day * 24 + hour, customer, chance)
    found = past(*events, until=24 * 7)
    assert all(one.at > MONDAY - (DAYS + 1) * 24 * HOUR for one in found.touches)
    return found


def _social(chance: random.Random) -> str:
    return chance.choice(["x", "x", "x", "facebook", "telegram", "instagram"])


def _wait(chance: random.Random) -> float:
    return min(70.0, chance.lognormvariate(0.3, 1.4))


def good(at: float, who: str, chance: random.Random) -> Events:
    channel = chance.choice(["x", "email", "email", "webchat", "facebook", "telegram"])
    agent = chance.choice(["dana", "sam", "bo"])
    waited = _wait(chance) / (20 if channel == "webchat" else 1)
    answer = said(at + waited, channel, "agent", who, agent=agent, edited=chance.random() < 0.05)
    words = [said(at, channel, customer=who, reach=chance.randrange(5_000)), answer]
    if chance.random() < 0.2:
        words.append(said(at + waited + 0.2, channel, customer=who, rating=float(chance.randint(1, 5))))
        words.append(said(at + waited + 0.4, channel, "agent", who, agent=agent))
    return [*words, resolved(at + waited + 0.5, who)]


def machine(at: float, who: str, _chance: random.Random) -> Events:
    return [said(at, "webchat", customer=who), said(at + 0.001, "webchat", "bot", who)]


def handed_on(at: float, who: str, chance: random.Random) -> Events:
    to = chance.choice(["webchat", "email"])
    words = [said(at, "x", customer=who), said(at + 0.5, "x", "agent", who), handed(at + 0.5, "x", "arrived", to, who)]
    return [*words, said(at + 1, to, customer=who), said(at + 1.05, to, "agent", who), resolved(at + 2, who)]


def unanswered(at: float, who: str, chance: random.Random) -> Events:
    words = [said(at, _social(chance), customer=who, reach=chance.randrange(9_000))]
    return [*words, *_then(at + 9, who, chance)] if chance.random() < 0.5 else words


def undelivered(at: float, who: str, chance: random.Random) -> Events:
    channel = _social(chance)
    return [
        said(at, channel, customer=who),
        said(at + 1, channel, "agent", who, failed=True),
        *_then(at + 8, who, chance),
    ]


def asked_again(at: float, who: str, chance: random.Random) -> Events:
    channel = _social(chance)
    words = [said(at, channel, customer=who, told=["order"]), said(at + 1, channel, "agent", who, asks=["order"])]
    return [*words, *_then(at + 5, who, chance)]


def bounced(at: float, who: str, chance: random.Random) -> Events:
    return [
        said(at, "x", customer=who),
        said(at + 1, "x", "agent", who),
        handed(at + 1, "x", "offered", "", who),
        *_then(at + 6, who, chance),
    ]


def gave_up(at: float, who: str, _chance: random.Random) -> Events:
    return [said(at, "x", customer=who), said(at + 1, "x", "agent", who), handed(at + 1, "x", "expired", "", who)]


def come_back(at: float, who: str, _chance: random.Random) -> Events:
    order = [f"order:{who}"]
    return [
        said(at, "facebook", customer=who, topics=order),
        said(at + 1, "facebook", "agent", who),
        resolved(at + 2, who),
        said(at + 9, "phone", customer=who, topics=order),
        resolved(at + 9.2, who),
    ]


def not_solved(at: float, who: str, chance: random.Random) -> Events:
    channel = _social(chance)
    return [said(at, channel, customer=who), said(at + 1, channel, "agent", who), *_then(at + 7, who, chance)]


def lost_later(at: float, who: str, _chance: random.Random) -> Events:
    """Handed off as it should be, and then nobody answers there."""
    words = [said(at, "x", customer=who), said(at + 0.5, "x", "agent", who)]
    return [*words, handed(at + 0.5, "x", "arrived", "webchat", who), said(at + 1, "webchat", customer=who)]


def _then(at: float, who: str, chance: random.Random) -> Events:
    """The customer goes on elsewhere, where it is not always known what was said."""
    to = chance.choice(["phone", "phone", "email", "webchat"])
    elsewhere = f"con-{who}" if chance.random() < 0.4 else f"con-{who}-2"
    words = [said(at, to, customer=who, conversation=elsewhere)]
    if to != "phone":
        words.append(said(at + 1, to, "agent", who, agent="sam", conversation=elsewhere))
    return words


KINDS: dict[str, tuple[Callable[[float, str, random.Random], Events], int]] = {
    "good": (good, 60),
    "machine": (machine, 6),
    "handed_on": (handed_on, 6),
    "unanswered": (unanswered, 12),
    "undelivered": (undelivered, 2),
    "asked_again": (asked_again, 4),
    "bounced": (bounced, 3),
    "gave_up": (gave_up, 3),
    "come_back": (come_back, 4),
    "not_solved": (not_solved, 4),
    "lost_later": (lost_later, 3),
}

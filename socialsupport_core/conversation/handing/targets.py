"""Which channels are open to a customer, the most suitable first, each with its reasons. Pure functions.

Nothing is hidden: a channel that is closed is listed with what closes it and what can be done instead.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from socialsupport_core.model import Capabilities, Value

How = Literal["open", "leg", "begin", "link"]
"""Open a private thread with somebody who spoke in public; go on in a private thread that is there; write first to an
account that is proven; give a link with which the customer comes."""
Rule = Literal["paused", "here_already", "capability", "opt_out", "reply_window", "disclosure", "unknown"]
MICRO = timedelta(microseconds=1)


class Obstacle(Value):
    """What closes a channel, and what to do about it."""

    rule: Rule
    reason: str
    remedy: str


class Target(Value):
    """One channel. `how` is None if it is closed; `obstacles` say why, or why no shorter way is open."""

    channel: str
    network: str
    how: How | None = None
    leg: int | None = None
    account: str | None = None
    score: int = 0
    reasons: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.how is not None


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of one channel for this customer. Times are microseconds since 1970."""

    channel: str
    network: str
    able: Capabilities
    state: str = "active"
    is_origin: bool = False
    """The conversation is handed off from here …"""
    origin_is_public: bool = False
    """… out of a public thread."""
    invites: bool = False
    """It has an address to which a token can be brought along."""
    begins: bool = False
    """We can write there first, without a thread."""
    leg: int | None = None
    """The customer's newest private leg there."""
    heard_at: int | None = None
    """When the customer spoke there last in private."""
    account: str | None = None
    proven: bool = False
    """The account there is the customer's own beyond doubt."""
    consent: tuple[str, int, str] | None = None
    """The customer's last word on being written to there: `in` or `out`, when, and how it is known."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How soon an answer is read there and what it costs to give one: 1 is best. Only the order counts."""

    speed: int
    cost: int


TRAITS: Mapping[str, Traits] = {
    "webchat": Traits(1, 2),
    "telegram": Traits(2, 1),
    "whatsapp": Traits(2, 1),
    "x": Traits(2, 1),
    "email": Traits(4, 3),
    "phone": Traits(1, 5),
}
UNKNOWN = Traits(3, 3)
"""Our own judgement; the order of the costs is that of published figures for a contact by network message, web, mail
and telephone."""

RECENT = timedelta(days=30) // MICRO


def plan(reaches: Iterable[Reach], now: int) -> list[Target]:
    """Open ones first, by suitability; of equals the name decides."""
    found = [target(one, now) for one in reaches]
    return sorted(found, key=lambda one: (not one.is_open, -one.score, one.channel))


def target(reach: Reach, now: int) -> Target:
    closed = [one for rule in _CLOSING for one in rule(reach)]
    made = Target(channel=reach.channel, network=reach.network, account=reach.account, obstacles=tuple(closed))
    if closed:
        return made
    how, obstacles = _way(reach, now)
    if how is None:
        return made.model_copy(update={"obstacles": obstacles})
    points = [(value, reason) for weigh in _WEIGHING for value, reason in weigh(reach, how, now)]
    return made.model_copy(
        update={
            "how": how,
            "leg": reach.leg if how == "leg" else None,
            "score": sum(value for value, _ in points),
            "reasons": tuple(reason for _, reason in points),
            "obstacles": obstacles,
        }
    )


# what closes it


def _paused(reach: Reach) -> Iterator[Obstacle]:
    if reach.state in ("paused", "broken", "failing"):
        yield Obstacle(
            rule="paused", reason=f"{reach.channel} is {reach.state}", remedy="have an operator look at the channel"
        )


def _here_already(reach: Reach) -> Iterator[Obstacle]:
    if reach.is_origin and not reach.origin_is_public:
        yield Obstacle(
            rule="here_already",
            reason="the conversation is there already",
            remedy="answer there, or choose another channel",
        )


def _opted_out(reach: Reach) -> Iterator[Obstacle]:
    if reach.consent and reach.consent[0] == "out":
        yield Obstacle(
            rule="opt_out",
            reason=f"the customer does not want to be written to there ({reach.consent[2]})",
            remedy="ask the customer, and record the consent; or choose another channel",
        )


def _silent(reach: Reach) -> Iterator[Obstacle]:
    if "private" not in reach.able.sends and not reach.invites:
        yield Obstacle(
            rule="capability",
            reason=f"{reach.network} takes no messages, and nobody can bring a link there",
            remedy="have the customer call, and ask for a one-time code",
        )


_CLOSING: tuple[Callable[[Reach], Iterator[Obstacle]], ...] = (_paused, _here_already, _opted_out, _silent)


# the way


def _way(reach: Reach, now: int) -> tuple[How | None, tuple[Obstacle, ...]]:
    """The shortest way that is open, and what closes those before it."""
    obstacles: list[Obstacle] = []
    for how, is_there, objection in _WAYS:
        if not is_there(reach):
            continue
        if obstacle := objection(reach, now):
            obstacles.append(obstacle)
        else:
            return how, tuple(obstacles)
    if not obstacles:
        obstacles.append(
            Obstacle(
                rule="unknown",
                reason=f"no account of the customer on {reach.channel} is known, and no link leads there",
                remedy="ask the customer for one, or choose another channel",
            )
        )
    return None, tuple(obstacles)


def _never(_reach: Reach, _now: int) -> Obstacle | None:
    return None


def _too_late(reach: Reach, now: int) -> Obstacle | None:
    window = reach.able.reply_window
    if window is None or reach.heard_at is None or now - reach.heard_at <= window // MICRO:
        return _unproven(reach, now)
    return Obstacle(
        rule="reply_window",
        reason=f"{reach.network} takes answers for {_hours(window)} after the customer's last message",
        remedy="give a link: once the customer has written there, you can answer",
    )


def _unproven(reach: Reach, _now: int) -> Obstacle | None:
    if reach.proven:
        return None
    return Obstacle(
        rule="disclosure",
        reason=f"nothing proves that {reach.account} is this customer's own",
        remedy="give a link, or ask for a one-time code",
    )


_WAYS: tuple[tuple[How, Callable[[Reach], bool], Callable[[Reach, int], Obstacle | None]], ...] = (
    ("open", lambda r: r.is_origin and r.origin_is_public and "open.private" in r.able.intents, _never),
    ("leg", lambda r: r.leg is not None and "private" in r.able.sends, _too_late),
    ("begin", lambda r: r.begins and r.account is not None and "private" in r.able.sends, _unproven),
    ("link", lambda r: r.invites, _never),
)


def _hours(span: timedelta) -> str:
    return f"{int(span.total_seconds()) // 3600} h"


# how suitable it is


def _by_preference(reach: Reach, _how: How, now: int) -> Iterator[tuple[int, str]]:
    if reach.heard_at is not None and now - reach.heard_at <= RECENT:
        yield 30, "the customer has written here in private"
    if reach.consent and reach.consent[0] == "in":
        yield 20, f"the customer agreed to it ({reach.consent[2]})"


def _by_proof(_reach: Reach, how: How, _now: int) -> Iterator[tuple[int, str]]:
    if how == "open":
        yield 40, "the same account, so there is nothing to prove"
    elif how != "link":
        yield 40, "the account is proven to be the customer's"
    else:
        yield 0, "the customer comes with a link, and a code proves the rest"


def _by_window(reach: Reach, how: How, now: int) -> Iterator[tuple[int, str]]:
    window = reach.able.reply_window
    if how == "leg" and window is not None and reach.heard_at is not None:
        left = window // MICRO - (now - reach.heard_at)
        yield 5, f"the reply window is open for {max(0, left) // 3_600_000_000} h more"
    elif how == "leg" and window is None:
        yield 10, "there is no reply window"


def _by_speed(reach: Reach, _how: How, _now: int) -> Iterator[tuple[int, str]]:
    speed = TRAITS.get(reach.network, UNKNOWN).speed
    yield 10 - 2 * speed, "answers are read at once" if speed == 1 else "answers are read " + _SPOKEN[speed]


_SPOKEN = {2: "soon", 3: "within hours, perhaps", 4: "within hours", 5: "late"}


def _by_cost(reach: Reach, _how: How, _now: int) -> Iterator[tuple[int, str]]:
    cost = TRAITS.get(reach.network, UNKNOWN).cost
    yield 5 - cost, "it costs little" if cost <= 2 else "it costs as much as most" if cost == 3 else "it costs much"


_WEIGHING: tuple[Callable[[Reach, How, int], Iterator[tuple[int, str]]], ...] = (
    _by_preference,
    _by_proof,
    _by_window,
    _by_speed,
    _by_cost,
)


def chosen(targets: Iterable[Target], channel: str) -> Target | None:
    return next((one for one in targets if one.channel == channel), None)

"""Matters: what one customer wanted, recomputed in event time, whatever conversations were attached while live."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from socialsupport_core.insight.history import Handed, History, Touch, Turn
from socialsupport_core.insight.settings import Settings

PATIENCE = 3_600_000_000
"""Microseconds of silence after which the customer's next word is another contact."""


in_order = attrgetter("at", "id")
"""Touches in event time; comparing all of their fields would take many times as long."""


@dataclass(slots=True)
class Contact:
    """The customer turns to us: everything said until somebody answers, or until an hour of silence."""

    touches: list[Touch]
    answer: Touch | None = None
    """The first of a person; `bot` is the first of a machine."""
    bot: Touch | None = None

    @property
    def at(self) -> int:
        return self.touches[0].at

    @property
    def attended(self) -> bool:
        """Nothing goes on with a call that was taken, nor it with anything: it is a contact of its own."""
        return self.touches[0].attended

    @property
    def answered_at(self) -> int | None:
        if self.attended:
            return self.at
        return self.answer.at if self.answer else None


@dataclass(slots=True)
class Leg:
    """What was said on one channel, publicly or privately, until the matter went on elsewhere."""

    channel: str
    network: str
    visibility: str
    touches: list[Touch] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)

    @property
    def at(self) -> int:
        return self.touches[0].at


@dataclass(slots=True)
class Matter:
    """One thing that one customer wanted."""

    customer: str
    legs: list[Leg] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    last: int = 0
    resolved_at: int | None = None
    """When an agent called it resolved, unless it was taken up again since."""
    reopened: int = 0

    @property
    def at(self) -> int:
        return self.legs[0].at

    @property
    def id(self) -> str:
        """That of its first touch."""
        return self.legs[0].touches[0].id

    @property
    def touches(self) -> list[Touch]:
        return sorted((touch for leg in self.legs for touch in leg.touches), key=in_order)

    @property
    def contacts(self) -> list[Contact]:
        return sorted((one for leg in self.legs for one in leg.contacts), key=lambda one: (one.at, one.touches[0].id))


def matters(history: History, settings: Settings) -> list[Matter]:
    """In the order in which they began. The order of the history's rows makes no difference."""
    by_customer: dict[str, list[Touch]] = {}
    owner: dict[str, set[str]] = {}
    for touch in sorted(history.touches, key=in_order):
        by_customer.setdefault(touch.customer, []).append(touch)
        owner.setdefault(touch.conversation, set()).add(touch.customer)
    done: list[Turn | Handed] = [*history.turns, *history.handed]
    deeds: dict[str, list[Turn | Handed]] = {}
    for deed in done:
        for customer in owner.get(deed.conversation, ()):
            deeds.setdefault(customer, []).append(deed)
    found = [
        matter
        for customer, touches in by_customer.items()
        for matter in _of_customer(customer, touches, deeds.get(customer, []), settings)
    ]
    return sorted(found, key=lambda one: (one.at, one.id))


def _of_customer(
    customer: str, touches: Sequence[Touch], deeds: Iterable[Turn | Handed], settings: Settings
) -> Iterator[Matter]:
    found: list[Matter] = []
    of_touch: dict[str, Matter] = {}
    for event in sorted([*touches, *deeds], key=_when):
        if isinstance(event, Touch):
            matter = _continued(found, of_touch, event, settings.gap)
            if matter is None:
                matter = Matter(customer)
                found.append(matter)
            _take(matter, event)
            of_touch[event.id] = matter
        else:
            matter = _spoken_of(found, event.conversation)
            if matter is not None:
                _note(matter, event)
    return (matter for matter in found if matter.contacts)  # what only we began and nobody answered is no matter


def _when(event: Touch | Turn | Handed) -> tuple[int, int, str]:
    """Of what happened at one moment, what was said comes first."""
    return (event.at, 0, event.id) if isinstance(event, Touch) else (event.at, 1, repr(event))


def _continued(found: Sequence[Matter], of_touch: dict[str, Matter], touch: Touch, gap: int) -> Matter | None:
    """The matter to which a touch belongs: the first rule that applies decides, the latest matter first."""
    recent = sorted((one for one in found if touch.at - one.last <= gap), key=lambda one: one.last, reverse=True)
    if touch.answers and (answered := of_touch.get(touch.answers)) in recent and _agree(answered, touch):
        return answered
    for matter in recent:
        if touch.topics & matter.topics:
            return matter
    for matter in recent:
        if _agree(matter, touch) and any(
            (touch.channel, touch.thread) == (one.channel, one.thread) for one in _said(matter)
        ):
            return matter
    return next((one for one in recent if one.resolved_at is None and _agree(one, touch)), None)


def _said(matter: Matter) -> Iterator[Touch]:
    return (touch for leg in matter.legs for touch in leg.touches)


def _agree(matter: Matter | None, touch: Touch) -> bool:
    """False if both name an order or the like, and none in common."""
    return matter is not None and not (touch.topics and matter.topics and not touch.topics & matter.topics)


def _spoken_of(found: Sequence[Matter], conversation: str) -> Matter | None:
    mine = [one for one in found if conversation in one.conversations]
    return max(mine, key=lambda one: one.last, default=None)


def _note(matter: Matter, deed: Turn | Handed) -> None:
    if isinstance(deed, Handed):
        matter.handed.append(deed)
        return
    matter.turns.append(deed)
    if deed.type == "resolved":
        matter.resolved_at = deed.at
    elif matter.resolved_at is not None:
        matter.resolved_at = None
        matter.reopened += 1


def _take(matter: Matter, touch: Touch) -> None:
    leg = _leg(matter, touch)
    leg.touches.append(touch)
    matter.last = touch.at
    matter.conversations.add(touch.conversation)
    matter.topics |= touch.topics
    if touch.is_rating:
        return
    if touch.by == "customer":
        if matter.resolved_at is not None:
            matter.resolved_at = None
            matter.reopened += 1
        _contact(leg, touch)
    elif not touch.failed:
        _answer(leg, touch)


def _leg(matter: Matter, touch: Touch) -> Leg:
    """The customer begins another leg by turning up elsewhere; what we say belongs to the last one there."""
    key = touch.channel, touch.visibility
    for leg in reversed(matter.legs):
        if (leg.channel, leg.visibility) == key:
            if leg is matter.legs[-1] or touch.by != "customer" or touch.is_rating:
                return leg
            break
    matter.legs.append(Leg(touch.channel, touch.network, touch.visibility))
    return matter.legs[-1]


def _contact(leg: Leg, touch: Touch) -> None:
    last = leg.contacts[-1] if leg.contacts else None
    goes_on = (
        last is not None
        and last.answer is None
        and not last.attended
        and not touch.attended
        and touch.thread == last.touches[-1].thread
        and touch.at - last.touches[-1].at <= PATIENCE
    )
    if last is not None and goes_on:
        last.touches.append(touch)
    else:
        leg.contacts.append(Contact([touch]))


def _answer(leg: Leg, touch: Touch) -> None:
    """It answers whatever waits in its thread."""
    for contact in leg.contacts:
        if contact.touches[-1].thread != touch.thread or contact.attended:
            continue
        if touch.by == "bot":
            contact.bot = contact.bot or touch
        else:
            contact.answer = contact.answer or touch

"""The measures, each a pure function of matters and journeys. Every share carries what it is a share of."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from socialsupport_core.guidance.rating import VALUES
from socialsupport_core.insight.journey import Journey, Step
from socialsupport_core.insight.matters import Contact, Leg, Matter, in_order
from socialsupport_core.insight.settings import Settings

Shown = dict[str, Any]


def share(count: int, of: int) -> Shown:
    """`share` is None where there is nothing to be a share of."""
    return {"share": round(count / of, 4) if of else None, "count": count, "of": of}


def spread(micros: Iterable[int]) -> Shown:
    """Seconds: the mean, and the values below which half, three quarters and nine tenths lie (nearest rank)."""
    found = sorted(micros)
    if not found:
        return {"count": 0, "mean": None, "p50": None, "p75": None, "p90": None}
    ranks = {f"p{part}": found[math.ceil(len(found) * part / 100) - 1] for part in (50, 75, 90)}
    return {"count": len(found), "mean": _seconds(sum(found) / len(found))} | {
        name: _seconds(value) for name, value in ranks.items()
    }


def _seconds(micros: float) -> float:
    return round(micros / 1_000_000, 3)


def contacts_of(found: Iterable[Journey]) -> list[tuple[Leg, Contact]]:
    return [(leg, one) for journey in found for leg in journey.matter.legs for one in leg.contacts]


def response(found: Sequence[Journey], settings: Settings) -> Shown:
    """How long customers wait for the first answer to a contact; people and machines apart."""
    contacts = [one for _, one in contacts_of(found) if not one.attended]
    people = [(one.at, one.answer.at) for one in contacts if one.answer]
    bots = [(one.at, one.bot.at) for one in contacts if one.bot]
    first = [pair for journey in found if (pair := _first_response(journey.matter))]
    return {
        "first": spread(end - begin for begin, end in first),
        "first_in_hours": spread(settings.hours.within(*pair) for pair in first),
        "people": spread(end - begin for begin, end in people),
        "people_in_hours": spread(settings.hours.within(*pair) for pair in people),
        "bots": spread(end - begin for begin, end in bots),
    }


def _first_response(matter: Matter) -> tuple[int, int] | None:
    """From the first contact to the first answer of a person, wherever that was given."""
    contacts = [one for one in matter.contacts if not one.attended]
    answers = [one.answer.at for one in contacts if one.answer]
    return (contacts[0].at, min(answers)) if answers else None


def resolution(found: Sequence[Journey], settings: Settings) -> Shown:
    """From a matter's first word to the moment at which an agent called it resolved for good."""
    ended = [(one.matter.at, one.matter.resolved_at) for one in found if one.matter.resolved_at is not None]
    return {
        "resolved": share(sum(one.ended == "resolved" for one in found), len(found)),
        "time": spread(end - begin for begin, end in ended),
        "time_in_hours": spread(settings.hours.within(*pair) for pair in ended),
        "reopened": share(sum(one.matter.reopened > 0 for one in found), len(found)),
    }


def coverage(found: Sequence[Journey], settings: Settings, until: int) -> Shown:
    """How many contacts were answered by people, and how many within the target. What may still wait is not counted."""
    return _coverage(contacts_of(found), settings, until)


def _coverage(contacts: Iterable[tuple[Leg, Contact]], settings: Settings, until: int) -> Shown:
    counted = _due(contacts, settings, until)
    answered = [pair for pair in counted if pair[1].answered_at is not None]
    in_time = [pair for pair in answered if in_target(*pair, settings)]
    return {"answered": share(len(answered), len(counted)), "in_target": share(len(in_time), len(counted))}


def due(found: Iterable[Journey], settings: Settings, until: int) -> list[tuple[Leg, Contact]]:
    """Contacts that were answered, or should have been by now."""
    return _due(contacts_of(found), settings, until)


def _due(contacts: Iterable[tuple[Leg, Contact]], settings: Settings, until: int) -> list[tuple[Leg, Contact]]:
    return [
        (leg, one)
        for leg, one in contacts
        if one.answered_at is not None or until - one.at > settings.target_of(leg.channel, leg.network)
    ]


def in_target(leg: Leg, one: Contact, settings: Settings) -> bool:
    """Answered by a person within the hours that the channel's target allows."""
    if one.answered_at is None:
        return False
    return settings.hours.within(one.at, one.answered_at) <= settings.target_of(leg.channel, leg.network)


def first_contact(found: Sequence[Journey]) -> Shown:
    """Of the matters whose end is known, how many were resolved by the answer to their first contact."""
    known = [one for one in found if is_known(one)]
    return share(sum(is_first_contact(one) for one in known), len(known))


def is_known(one: Journey) -> bool:
    """How it ended."""
    return one.ended in {"resolved", "failed"}


def is_first_contact(one: Journey) -> bool:
    return one.ended == "resolved" and len(one.matter.contacts) == 1 and not one.matter.reopened


def handled_twice(found: Sequence[Journey]) -> Shown:
    """Matters in which two people answered, or one person on two channels without a hand-off between them."""
    return share(sum(is_handled_twice(one) for one in found), len(found))


def is_handled_twice(journey: Journey) -> bool:
    return len(_agents(journey.matter)) > 1 or _answered_apart(journey)


def _agents(matter: Matter) -> set[str]:
    """Whoever has said something since the customer first turned to us, be it to the same contact."""
    since = in_order(matter.contacts[0].touches[0])
    return {
        touch.agent
        for leg in matter.legs
        for touch in leg.touches
        if touch.by == "agent" and touch.agent and not touch.failed and in_order(touch) > since
    }


def _answered_apart(journey: Journey) -> bool:
    answered = [step for step in journey.steps if any(one.answered_at is not None for one in step.leg.contacts)]
    return any(step.outcome != "handed_off" for step in answered[:-1])


def switches(found: Sequence[Journey]) -> Shown:
    """How often customers went on elsewhere, and how often what they had told came along: by a hand-off, or because
    the conversation was recognised as the same one there."""
    every = [pair for one in found for pair in turns(one)]
    total, kept = len(every), sum(keeps_context(before.leg, after.leg) for before, after in every)
    return {"count": total, "with_context": share(kept, total)}


def turns(journey: Journey) -> list[tuple[Step, Step]]:
    """Each time the customer went on elsewhere: from which leg to which."""
    return list(pairwise(step for step in journey.steps if step.outcome != "ours"))


def keeps_context(before: Leg, after: Leg) -> bool:
    return bool({one.conversation for one in before.touches} & {one.conversation for one in after.touches})


def hand_offs(found: Sequence[Journey]) -> Shown:
    handed = [one for journey in found for one in journey.matter.handed]
    states = Counter(one.state for one in handed)
    return {"offered": len(handed), "arrived": share(states["arrived"], states["arrived"] + states["expired"])}


def deflection(found: Sequence[Journey]) -> Shown:
    """Matters that machines resolved without any person."""
    return share(sum(is_deflected(one) for one in found), len(found))


def is_deflected(one: Journey) -> bool:
    return one.ended == "resolved" and any(contact.bot for contact in one.matter.contacts) and not _people(one.matter)


def _people(matter: Matter) -> bool:
    return any(one.answered_at is not None for one in matter.contacts)


def accuracy(found: Sequence[Journey]) -> Shown:
    """What tells of wrong answers: edited after sending, taken up again by the customer, and rated."""
    answers = [one.answer for _, one in contacts_of(found) if one.answer]
    ratings = [touch.rating for one in found for touch in one.matter.touches if touch.rating is not None]
    return {
        "edited": share(sum(one.edited for one in answers), len(answers)),
        "reopened": share(sum(one.matter.reopened > 0 for one in found), len(found)),
        "rating": {"count": len(ratings), "mean": round(sum(ratings) / len(ratings), 2) if ratings else None},
        "verdicts": verdicts(found),
    }


def verdicts(found: Sequence[Journey]) -> Shown:
    """What customers said when they were asked how it went; of all who were asked, so many answered."""
    touches = [touch for one in found for touch in one.matter.touches]
    asked = sum(touch.is_rating and touch.by == "bot" and not touch.failed for touch in touches)
    return verdicts_of(asked, Counter(touch.verdict for touch in touches if touch.verdict is not None))


def verdicts_of(asked: int, values: Mapping[int, int]) -> Shown:
    """`good` is 4 or 5."""
    count = sum(values.values())
    return {
        "asked": asked,
        "answered": share(count, asked),
        "good": share(values.get(4, 0) + values.get(5, 0), count),
        "by_value": {str(value): values.get(value, 0) for value in VALUES},
        "mean": round(sum(value * number for value, number in values.items()) / count, 2) if count else None,
    }


def load(found: Sequence[Journey]) -> list[Shown]:
    """By agent: contacts answered, matters, and how long customers waited for these answers."""
    by_agent: dict[str, list[tuple[Matter, Contact]]] = {}
    for journey in found:
        for one in journey.matter.contacts:
            if one.answer and one.answer.agent:
                by_agent.setdefault(one.answer.agent, []).append((journey.matter, one))
    return [
        {
            "agent": agent,
            "contacts": len(mine),
            "matters": len({matter.id for matter, _ in mine}),
            "response": spread(one.answer.at - one.at for _, one in mine if one.answer),
        }
        for agent, mine in sorted(by_agent.items())
    ]


def praise(found: Sequence[Journey]) -> Shown:
    """How often customers praised, and whom: the agent whose answer in the matter came last before it."""
    given: Counter[str] = Counter()
    messages = 0
    for journey in found:
        agent = ""
        for touch in sorted(journey.matter.touches):
            if touch.by == "agent" and touch.agent and not touch.failed:
                agent = touch.agent
            elif touch.by == "customer" and not touch.is_rating:
                messages += 1
                given[agent] += touch.contact == "praise"
    return praise_of(given, messages)


def praise_of(given: Counter[str], messages: int) -> Shown:
    """By agent, the empty one nobody."""
    named = sorted((-count, name) for name, count in given.items() if name and count)
    return {
        "messages": share(given.total(), messages),
        "to_nobody": given[""],
        "agents": [{"agent": name, "count": -count} for count, name in named],
    }


def reach(found: Sequence[Journey]) -> Shown:
    """How many people public contacts may have reached, and how many of these contacts were answered."""
    public = [one for leg, one in contacts_of(found) if leg.visibility == "public"]
    return {
        "public_contacts": len(public),
        "people": sum(max(touch.reach for touch in one.touches) for one in public),
        "answered": share(sum(one.answered_at is not None for one in public), len(public)),
    }


def by_channel(found: Sequence[Journey], settings: Settings, until: int) -> list[Shown]:
    """The same contacts, channel by channel."""
    contacts: dict[tuple[str, str], list[tuple[Leg, Contact]]] = {}
    for pair in contacts_of(found):
        contacts.setdefault((pair[0].channel, pair[0].network), []).append(pair)
    failed = Counter(step.leg.channel for one in found for step in one.steps if step.outcome == "failed")
    blamed = Counter(one.steps[broke].leg.channel for one in found if (broke := one.broke) is not None)
    return [
        {
            "channel": channel,
            "network": network,
            "contacts": len(mine),
            "response": spread(one.answer.at - one.at for _, one in mine if one.answer and not one.attended),
            "coverage": _coverage(mine, settings, until),
            "failed_legs": failed[channel],
            "broke_here": blamed[channel],
        }
        for (channel, network), mine in sorted(contacts.items())
    ]

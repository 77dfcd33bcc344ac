"""Behind each figure: the matters that it is made of, or that it misses."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from socialsupport_core.insight import measures
from socialsupport_core.insight.journey import Journey
from socialsupport_core.insight.settings import Settings

Shown = dict[str, Any]
SHOWN = 20
"""Matters that are named of each figure, the newest first."""
Asked = Callable[[Journey, Settings, int], bool]


def _unanswered(one: Journey, settings: Settings, until: int) -> bool:
    return any(contact.answered_at is None for _, contact in measures.due([one], settings, until))


def _late(one: Journey, settings: Settings, until: int) -> bool:
    return any(not measures.in_target(*pair, settings) for pair in measures.due([one], settings, until))


def _slow(one: Journey, settings: Settings, _until: int) -> bool:
    """Answered by a person, after the target."""
    return any(
        contact.answer is not None and not measures.in_target(leg, contact, settings)
        for leg, contact in measures.contacts_of([one])
    )


def _lost(one: Journey, _settings: Settings, _until: int) -> bool:
    return any(not measures.keeps_context(before.leg, after.leg) for before, after in measures.turns(one))


def _machine(one: Journey, _settings: Settings, _until: int) -> bool:
    return any(contact.bot for _, contact in measures.contacts_of([one]))


def _public_unanswered(one: Journey, _settings: Settings, _until: int) -> bool:
    return any(
        leg.visibility == "public" and contact.answered_at is None for leg, contact in measures.contacts_of([one])
    )


def _edited(one: Journey, _settings: Settings, _until: int) -> bool:
    return any(contact.answer and contact.answer.edited for contact in one.matter.contacts)


def _verdict(one: Journey, _settings: Settings, _until: int) -> bool:
    return any(touch.verdict is not None for touch in one.matter.touches)


def _ill_rated(one: Journey, _settings: Settings, _until: int) -> bool:
    return any(touch.verdict is not None and touch.verdict <= 2 for touch in one.matter.touches)


FIGURES: tuple[tuple[str, str, Asked], ...] = (
    ("response.first", "answered after the target", _slow),
    ("response.bots", "answered by a machine", _machine),
    ("matters.waiting", "waiting", lambda one, *_: one.ended == "waiting"),
    ("coverage.answered", "not answered", _unanswered),
    ("coverage.in_target", "not answered within the target", _late),
    ("reach.answered", "public, and not answered", _public_unanswered),
    ("resolution.resolved", "not resolved", lambda one, *_: one.ended != "resolved"),
    (
        "first_contact_resolution",
        "ended, and not at the first contact",
        lambda one, *_: measures.is_known(one) and not measures.is_first_contact(one),
    ),
    ("resolution.reopened", "taken up again", lambda one, *_: one.matter.reopened > 0),
    ("handled_twice", "handled twice", lambda one, *_: measures.is_handled_twice(one)),
    ("channel_switches.with_context", "went on elsewhere, where nothing was known", _lost),
    (
        "hand_offs.arrived",
        "handed off, and did not arrive",
        lambda one, *_: any(handed.state == "expired" for handed in one.matter.handed),
    ),
    ("deflection", "resolved by machines alone", lambda one, *_: measures.is_deflected(one)),
    ("accuracy.edited", "with an answer that was edited", _edited),
    (
        "accuracy.rating",
        "rated by the customer",
        lambda one, *_: any(touch.rating is not None for touch in one.matter.touches),
    ),
    ("accuracy.verdicts.good", "called badly done by the customer (1 or 2)", _ill_rated),
    ("accuracy.verdicts.answered", "in which the customer said how it went", _verdict),
    ("breakdowns", "broke down", lambda one, *_: one.broke is not None),
    (
        "cost.incurred",
        "went on after a breakdown",
        lambda one, *_: one.broke is not None and any(step.leg.contacts for step in one.steps[one.broke + 1 :]),
    ),
    (
        "cost.avoided",
        "handed off, and resolved without a failure",
        lambda one, *_: (
            one.broke is None and one.ended == "resolved" and any(step.outcome == "handed_off" for step in one.steps)
        ),
    ),
)
"""By the figure's path in the report: in words which matters are told, and whether one is of them."""


def evidence(found: Sequence[Journey], settings: Settings, until: int) -> Shown:
    return {path: _told(words, [one for one in found if asked(one, settings, until)]) for path, words, asked in FIGURES}


def _told(words: str, mine: Sequence[Journey]) -> Shown:
    return {"matters": words, "count": len(mine), "newest": [pointer(one) for one in mine[::-1][:SHOWN]]}


def pointer(one: Journey) -> Shown:
    """Where to look."""
    return {
        "customer": one.matter.customer,
        "conversations": sorted(one.matter.conversations - {""}),
        "began": moment(one.matter.at),
        "outcome": one.ended,
    }


def moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat().replace("+00:00", "Z")

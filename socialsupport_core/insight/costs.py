"""What failures cost: expected of each failed leg, incurred by what really followed, avoided by hand-offs that held."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from socialsupport_core.insight.journey import REASONS, Journey, Step
from socialsupport_core.insight.measures import handled_twice
from socialsupport_core.insight.settings import Costs

Shown = dict[str, Any]


def cost(found: Sequence[Journey], table: Costs) -> Shown:
    """With the assumptions beside the figures."""
    failed = [step for one in found for step in one.steps if _is_failed_social(step, table)]
    held = [one for one in found if one.broke is None and any(step.outcome == "handed_off" for step in one.steps)]
    avoided = [step for one in held if one.ended == "resolved" for step in one.steps if step.outcome == "handed_off"]
    twice = handled_twice(found)["count"]
    return {
        "currency": table.currency,
        "failed_contact": assumptions(table),
        "expected": {"failed_legs": len(failed), "amount": _money(len(failed) * table.failed_contact)},
        "incurred": incurred(found, table),
        "avoided": {"hand_offs": len(avoided), "amount": _money(len(avoided) * table.failed_contact)},
        "handled_twice": {
            "matters": twice,
            "from": _money(twice * table.handled_twice[0]),
            "to": _money(twice * table.handled_twice[1]),
            "each": list(table.handled_twice),
        },
    }


def assumptions(table: Costs) -> Shown:
    """What one failed social contact is expected to cost, and how that comes about."""
    rows = [
        {"to": kind, "share": share, "cost": table.contact[kind], "product": round(share * table.contact[kind], 4)}
        for kind, share in table.after_failure.items()
    ]
    return {"amount": round(table.failed_contact, 4), "source": table.source, "table": rows}


def incurred(found: Sequence[Journey], table: Costs) -> Shown:
    """The contacts that followed a breakdown, at what a contact costs there."""
    amounts: Counter[tuple[str, str, str]] = Counter()
    contacts = uncosted = 0
    for one in found:
        for step in one.steps[one.broke + 1 :] if one.broke is not None else ():
            contacts += len(step.leg.contacts)
            price = price_of(step.leg.network, table)
            if price is None:
                uncosted += len(step.leg.contacts)
                continue
            blamed = one.steps[one.broke or 0]
            key = blamed.leg.channel, REASONS[blamed.reason or "no_answer"], week_of(step.leg.at)
            amounts[key] += round(price * len(step.leg.contacts) * 100)
    total = sum(amounts.values())
    return {
        "amount": _money(total / 100),
        "contacts": contacts,
        "without_a_price": uncosted,
        "by_channel": _summed(amounts, 0),
        "by_reason": _summed(amounts, 1),
        "by_week": _summed(amounts, 2),
    }


def _summed(amounts: Counter[tuple[str, str, str]], part: int) -> dict[str, float]:
    found: Counter[str] = Counter()
    for key, cents in amounts.items():
        found[key[part]] += cents
    return {name: _money(cents / 100) for name, cents in sorted(found.items())}


def _is_failed_social(step: Step, table: Costs) -> bool:
    return step.outcome == "failed" and is_social(step.leg.network, table)


def is_social(network: str, table: Costs) -> bool:
    return network not in table.kinds


def price_of(network: str, table: Costs) -> float | None:
    """Of one contact there; None where the table names none."""
    kind = table.kinds.get(network)
    return table.contact.get(kind) if kind else None


def week_of(at: int) -> str:
    """`2026-W47`."""
    year, week, _ = datetime.fromtimestamp(at / 1_000_000, UTC).isocalendar()
    return f"{year}-W{week:02}"


def _money(amount: float) -> float:
    return round(amount, 2)

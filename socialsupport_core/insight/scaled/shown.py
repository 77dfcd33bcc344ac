"""What was counted, as the report shows it."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from math import fsum
from typing import Any

from socialsupport_core.insight.costs import assumptions
from socialsupport_core.insight.journey import REASONS
from socialsupport_core.insight.measures import Shown, praise_of, share, spread, verdicts_of
from socialsupport_core.insight.scaled import figures
from socialsupport_core.insight.scaled.figures import Ground
from socialsupport_core.insight.scaled.place import Row
from socialsupport_core.insight.settings import Costs, Settings

THURSDAY = date(1970, 1, 1)
NOTHING = spread(())


def shown(ground: Ground, settings: Settings, until: int) -> Callable[[int], Shown]:
    """The figures by period: everything is asked for once."""
    waits = figures.waits(ground)
    asked: dict[str, list[Row]] = {
        "contacts": figures.contacts(ground, settings, until),
        "matters": figures.matters(ground),
        "breakdowns": figures.breakdowns(ground),
        "failed": figures.failed_legs(ground),
        "followed": figures.followed(ground),
        "switches": figures.switches(ground),
        "hand_offs": figures.hand_offs(ground),
        "ratings": figures.ratings(ground),
        "verdicts": figures.verdicts(ground),
        "praise": figures.praise(ground),
        "agents": figures.agents(ground),
        "channels": figures.channels(ground),
    }

    def of(period: int) -> Shown:
        mine = {name: [row for row in rows if row["period"] == period] for name, rows in asked.items()}
        spreads = {
            name: {key[1:]: told for key, told in found.items() if key[0] == period} for name, found in waits.items()
        }
        return _figures(mine, spreads, settings)

    return of


def _figures(mine: dict[str, list[Row]], waits: dict[str, dict[tuple[Any, ...], Shown]], settings: Settings) -> Shown:
    matters, contacts = mine["matters"], mine["contacts"]
    all_of, turned = _total(matters, "matters"), _total(contacts, "contacts")
    resolved = [row for row in matters if row["ended"] == "resolved"]
    known = [row for row in matters if row["ended"] in {"resolved", "failed"}]
    (switches,) = mine["switches"] or [{"switches": 0, "kept": 0}]
    states = {row["state"]: row["count"] for row in mine["hand_offs"]}
    arrived = states.get("arrived", 0)
    reopened, twice = _total(matters, "reopened"), _total(matters, "twice")
    wait = {name: found.get((), NOTHING) for name, found in waits.items()}
    return {
        "matters": {
            "count": all_of,
            "by_outcome": {row["ended"]: row["matters"] for row in sorted(matters, key=lambda row: str(row["ended"]))},
            "contacts": turned,
            "contacts_per_matter": round(turned / all_of, 2) if all_of else None,
        },
        "response": {name: wait[name] for name in ("first", "first_in_hours", "people", "people_in_hours", "bots")},
        "resolution": {
            "resolved": share(_total(resolved, "matters"), all_of),
            "time": wait["time"],
            "time_in_hours": wait["time_in_hours"],
            "reopened": share(reopened, all_of),
        },
        "coverage": _coverage(contacts),
        "first_contact_resolution": share(_total(resolved, "at_first"), _total(known, "matters")),
        "handled_twice": share(twice, all_of),
        "channel_switches": {
            "count": switches["switches"],
            "with_context": share(switches["kept"], switches["switches"]),
        },
        "hand_offs": {"offered": sum(states.values()), "arrived": share(arrived, arrived + states.get("expired", 0))},
        "deflection": share(_total(resolved, "by_machines"), all_of),
        "accuracy": {
            "edited": share(_total(contacts, "edited"), _total(contacts, "replies")),
            "reopened": share(reopened, all_of),
            "rating": _rating(mine["ratings"]),
            "verdicts": _verdicts(mine["verdicts"]),
        },
        "reach": {
            "public_contacts": _total(contacts, "public"),
            "people": _total(contacts, "people"),
            "answered": share(_total(contacts, "public_answered"), _total(contacts, "public")),
        },
        "praise": _praise(mine["praise"]),
        "agents": _agents(mine["agents"], waits["agents"]),
        "channels": _channels(mine, waits["channels"]),
        "breakdowns": _breakdowns(mine["breakdowns"], all_of),
        "cost": _cost(mine, twice, settings.costs),
    }


def _total(rows: Iterable[Row], name: str) -> int:
    return sum(int(row[name] or 0) for row in rows)


def _coverage(contacts: list[Row]) -> Shown:
    due = _total(contacts, "due")
    return {
        "answered": share(_total(contacts, "answered"), due),
        "in_target": share(_total(contacts, "in_target"), due),
    }


def _rating(rows: list[Row]) -> Shown:
    count = _total(rows, "count")
    mean = round(fsum(row["rating"] * row["count"] for row in rows) / count, 2) if count else None
    return {"count": count, "mean": mean}


def _verdicts(rows: list[Row]) -> Shown:
    said = {int(row["verdict"]): int(row["count"]) for row in rows if row["verdict"] is not None}
    return verdicts_of(_total(rows, "asked"), said)


def _praise(rows: list[Row]) -> Shown:
    given = Counter({str(row["name"]): int(row["praised"]) for row in rows})
    return praise_of(given, _total(rows, "messages"))


def _agents(rows: list[Row], waits: dict[tuple[Any, ...], Shown]) -> list[Shown]:
    return [
        {
            "agent": row["agent"],
            "contacts": row["contacts"],
            "matters": row["matters"],
            "response": waits.get((row["agent"],), NOTHING),
        }
        for row in sorted(rows, key=lambda row: str(row["agent"]))
    ]


def _channels(mine: dict[str, list[Row]], waits: dict[tuple[Any, ...], Shown]) -> list[Shown]:
    return [
        _channel(mine, one["channel"], one["network"], waits)
        for one in sorted(mine["channels"], key=lambda one: (one["channel"], one["network"]))
    ]


def _channel(mine: dict[str, list[Row]], channel: str, network: str, waits: dict[tuple[Any, ...], Shown]) -> Shown:
    here = {name: [row for row in mine[name] if row["channel"] == channel] for name in ("contacts", "failed")}
    broke = [row for row in mine["breakdowns"] if row["broke_channel"] == channel]
    return {
        "channel": channel,
        "network": network,
        "contacts": _total(here["contacts"], "contacts"),
        "response": waits.get((channel,), NOTHING),
        "coverage": _coverage(here["contacts"]),
        "failed_legs": _total(here["failed"], "legs"),
        "broke_here": _total(broke, "matters"),
    }


def _breakdowns(rows: list[Row], of: int) -> Shown:
    def by(name: str) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for row in rows:
            found[row[name]] += row["matters"]
        return found

    reasons = {REASONS[reason]: count for reason, count in by("broke_reason").most_common()}
    return {
        **share(_total(rows, "matters"), of),
        "by_reason": reasons,
        "by_channel": dict(by("broke_channel").most_common()),
        "by_leg": dict(sorted((str(position), count) for position, count in by("broke_position").items())),
    }


def _cost(mine: dict[str, list[Row]], twice: int, table: Costs) -> Shown:
    failed = sum(row["legs"] for row in mine["failed"] if row["network"] not in table.kinds)
    avoided = sum(int(row["handed_off"] or 0) for row in mine["matters"] if row["ended"] == "resolved")
    low, high = table.handled_twice
    return {
        "currency": table.currency,
        "failed_contact": assumptions(table),
        "expected": {"failed_legs": failed, "amount": round(failed * table.failed_contact, 2)},
        "incurred": _incurred(mine["followed"], table),
        "avoided": {"hand_offs": avoided, "amount": round(avoided * table.failed_contact, 2)},
        "handled_twice": {
            "matters": twice,
            "from": round(twice * low, 2),
            "to": round(twice * high, 2),
            "each": list(table.handled_twice),
        },
    }


def _incurred(rows: list[Row], table: Costs) -> Shown:
    cents = [(row, _cents(row, table)) for row in rows]
    priced = [(row, amount) for row, amount in cents if amount is not None]
    return {
        "amount": round(sum(amount for _, amount in priced) / 100, 2),
        "contacts": sum(row["contacts"] * row["legs"] for row in rows),
        "without_a_price": sum(row["contacts"] * row["legs"] for row, amount in cents if amount is None),
        "by_channel": _summed((row["broke_channel"], amount) for row, amount in priced),
        "by_reason": _summed((REASONS[row["broke_reason"]], amount) for row, amount in priced),
        "by_week": _summed((_week(row["week"]), amount) for row, amount in priced),
    }


def _cents(row: Row, table: Costs) -> int | None:
    """Rounded leg by leg."""
    price = table.contact.get(table.kinds.get(row["network"], ""))
    return None if price is None else round(price * row["contacts"] * 100) * int(row["legs"])


def _summed(amounts: Iterable[tuple[str, int]]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for name, cents in amounts:
        found[name] += cents
    return {name: round(cents / 100, 2) for name, cents in sorted(found.items())}


def _week(number: int) -> str:
    """`2026-W47`, of the weeks since the Monday before 1970."""
    year, week, _ = (THURSDAY + timedelta(days=7 * int(number) - 3)).isocalendar()
    return f"{year}-W{week:02}"

"""The measures as tables in a terminal."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Callable
from typing import Any


def show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    line(f"{found['period']['from'][:16]} to {found['period']['until'][:16]} UTC, by when a matter began")
    if given := [f"{name} {value}" for name, value in found.get("filters", {}).items() if value]:
        line(f"only matters with {', '.join(given)} in them, whole")
    before = found["previous"]
    if before and (known := before["period"].get("known_from")):
        line(f"nothing is known before {known[:16]}: compare shares with the period before, and not counts")
    line("")
    table(
        ("measure", "value", *(("before",) if before else ())),
        [(name, value(found), *((value(before),) if before else ())) for name, value in _ROWS],
    )
    if found["channels"]:
        table(_CHANNEL, [_channel(one) for one in found["channels"]], title="by channel")
    if found.get("themes"):
        _show_themes(found["themes"])
    if found["breakdowns"]["by_reason"]:
        table(("why it broke down", "matters"), found["breakdowns"]["by_reason"].items())
        table(("change first", "", "cost", "matters"), [_change(one) for one in found["changes"][:5]])
    for one in found["journeys"][:5]:
        line(f"{one['customer']}, {one['began'][:16]}: {one['explanation']}")
        for leg in one["legs"]:
            line(f"  {leg['channel']}: {leg['explanation']}")
    _show_cost(found["cost"])


def _show_themes(found: list[dict[str, Any]]) -> None:
    from socialsupport_core.cli.output import table
    from socialsupport_core.insight.page.about import risen

    rows = [
        (one["name"], _share(one["matters"]), risen(one), ", ".join(_conversations(one["examples"][:2])))
        for one in found[:5]
    ]
    table(("what they are about", "matters", "rises in", "such as"), rows)


def _conversations(examples: list[dict[str, Any]]) -> list[str]:
    return [one["conversations"][0] for one in examples if one["conversations"]]


def _show_cost(cost: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    each = cost["failed_contact"]
    rows = [(one["to"], f"{one['share']:.0%}", f"{one['cost']:.2f}", f"{one['product']:.4f}") for one in each["table"]]
    table(
        ("after a failed contact, to", "share", f"{cost['currency']} each", "makes"),
        [*rows, ("a failed social contact", "", "", f"{each['amount']:.4f}")],
        title=f"what failures cost ({each['source']})",
    )
    twice = cost["handled_twice"]
    line(
        f"expected of {cost['expected']['failed_legs']} failed social legs: {cost['expected']['amount']:.2f}\n"
        f"incurred by {cost['incurred']['contacts']} contacts that followed: {cost['incurred']['amount']:.2f}"
        f" ({cost['incurred']['without_a_price']} of them have no price)\n"
        f"avoided by {cost['avoided']['hand_offs']} hand-offs that held: {cost['avoided']['amount']:.2f}\n"
        f"handled twice, {twice['matters']} matters: {twice['from']:.2f} to {twice['to']:.2f}"
    )


def _change(one: dict[str, Any]) -> tuple[object, ...]:
    from socialsupport_core.insight.page.first import when

    worst = f" Worst {when(one['when'])}." if one["when"] else ""
    return (
        f"{one['rank']}. {one['channel']}: {one['reason']}",
        f"{one['do']}{worst}",
        f"{one['amount']:.2f}",
        one["matters"]["count"],
    )


def _share(one: dict[str, Any]) -> str:
    return "nothing yet" if one["share"] is None else f"{one['share']:.1%} ({one['count']} of {one['of']})"


def _spread(one: dict[str, Any]) -> str:
    if not one["count"]:
        return "nothing yet"
    return f"{_span(one['p50'])}; 9 of 10 within {_span(one['p90'])} ({one['count']})"


def _span(seconds: float) -> str:
    from socialsupport_core.insight.words import span

    return span(int(seconds * 1_000_000))


_ROWS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("matters", lambda one: f"{one['matters']['count']}, {one['matters']['contacts']} contacts"),
    ("first response, median", lambda one: _spread(one["response"]["first"])),
    ("the same in your hours", lambda one: _spread(one["response"]["first_in_hours"])),
    ("resolution, median", lambda one: _spread(one["resolution"]["time"])),
    ("contacts answered", lambda one: _share(one["coverage"]["answered"])),
    ("within the target", lambda one: _share(one["coverage"]["in_target"])),
    ("resolved", lambda one: _share(one["resolution"]["resolved"])),
    ("resolved at first contact", lambda one: _share(one["first_contact_resolution"])),
    ("reopened", lambda one: _share(one["resolution"]["reopened"])),
    ("handled twice", lambda one: _share(one["handled_twice"])),
    ("switches that kept context", lambda one: _share(one["channel_switches"]["with_context"])),
    ("hand-offs that arrived", lambda one: _share(one["hand_offs"]["arrived"])),
    ("resolved by machines alone", lambda one: _share(one["deflection"])),
    ("called well done (4 or 5 of 5)", lambda one: _share(one["accuracy"]["verdicts"]["good"])),
    ("answered how it went", lambda one: _share(one["accuracy"]["verdicts"]["answered"])),
    ("messages that praise", lambda one: _share(one["praise"]["messages"])),
    ("broke down", lambda one: _share(one["breakdowns"])),
)
_CHANNEL = ("channel", "contacts", "answered", "response, median", "failed legs", "broke down here")


def _channel(one: dict[str, Any]) -> tuple[object, ...]:
    answered = _share(one["coverage"]["answered"])
    return one["channel"], one["contacts"], answered, _spread(one["response"]), one["failed_legs"], one["broke_here"]

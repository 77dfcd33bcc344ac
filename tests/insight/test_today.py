"""Today as it goes, event by event, and what the report says of the same day afterwards."""

from typing import Any

import pytest
from past import MONDAY, at

from socialsupport_core.guidance import Service
from socialsupport_core.insight.today import Today, micros_of, midnight
from socialsupport_core.store.database import moment

SERVICE = Service()


def event(
    hours: float, channel: str, direction: str = "inbound", **more: Any
) -> tuple[str, str, str, str, dict[str, Any]]:
    """As the log has it."""
    who = more.pop("who", "kerry")
    said = {
        "network": channel,
        "kind": more.pop("kind", "message"),
        "direction": direction,
        "thread": {"id": f"{channel}-{who}", "visibility": "private" if channel == "email" else "public"},
        "author": {"is_bot": more.pop("bot", False)},
        "sent_at": moment(at(hours)).isoformat(),
        **more.pop("said", {}),
    }
    data = {"id": more.pop("id", f"{channel}{hours}"), "interaction": said}
    return "interaction.received", channel, f"{channel}-{who}", more.pop("conversation", f"con-{who}"), data


def reply(hours: float, channel: str, **more: Any) -> tuple[str, str, str, str, dict[str, Any]]:
    return event(hours, channel, "outbound", **more)


def figures(*events: Any, now: float = 23) -> dict[str, Any]:
    day = Today(MONDAY)
    for one in events:
        day.take(*one)
    return day.figures(SERVICE, at(now))


def counted(found: dict[str, Any]) -> tuple[int, int, int, int]:
    """Contacts, answered, within the target, of how many."""
    return found["contacts"], found["answered"]["count"], found["in_target"]["count"], found["in_target"]["of"]


def test_nothing_is_nothing() -> None:
    found = figures()
    assert counted(found) == (0, 0, 0, 0)
    assert found["in_target"]["share"] is None
    assert found["since"] == "2026-11-02T00:00:00Z"


@pytest.mark.parametrize(
    ("events", "now", "expected"),
    [
        ([event(1, "x")], 2, (1, 0, 0, 0)),  # may still be answered in time
        ([event(1, "x")], 6, (1, 0, 0, 1)),
        ([event(1, "x"), reply(2, "x")], 6, (1, 1, 1, 1)),
        ([event(1, "x"), reply(6, "x")], 7, (1, 1, 0, 1)),
        ([event(1, "x"), event(1.5, "x"), reply(2, "x")], 7, (1, 1, 1, 1)),  # one contact
        ([event(1, "x"), event(3, "x"), reply(4, "x")], 7, (2, 2, 2, 2)),  # after an hour of silence another
        ([event(1, "x"), reply(2, "x"), event(2.1, "x")], 3, (2, 1, 1, 1)),  # and after an answer
        ([event(1, "x"), reply(2, "x", bot=True)], 9, (1, 0, 0, 1)),
        ([event(1, "x"), reply(2, "x", who="flo")], 9, (1, 0, 0, 1)),  # elsewhere
        ([event(1, "x", bot=True)], 9, (0, 0, 0, 0)),
        ([event(1, "phone", kind="call", said={"duration": 60})], 2, (1, 1, 1, 1)),
        ([event(1, "phone", kind="call", said={"duration": 0})], 2, (1, 0, 0, 1)),  # nobody took it
        ([event(1, "store", kind="visit")], 2, (1, 1, 1, 1)),
        ([event(-1, "x"), reply(1, "x")], 9, (0, 0, 0, 0)),  # yesterday's
        ([event(1, "x", "internal")], 9, (0, 0, 0, 0)),
        ([reply(2, "x"), event(1, "x")], 9, (1, 1, 1, 1)),  # the log is in no order of time
        ([reply(2, "x"), event(3, "x")], 9, (1, 0, 0, 1)),
    ],
)
def test_contacts_of_today(events: list[Any], now: float, expected: tuple[int, int, int, int]) -> None:
    assert counted(figures(*events, now=now)) == expected


def test_an_answer_that_did_not_arrive_is_none() -> None:
    asked, answered = event(1, "x"), reply(2, "x", id="17")
    failed = ("delivery.updated", "x", "x-kerry", "con-kerry", {"id": "17", "state": "failed"})
    delivered = ("delivery.updated", "x", "x-kerry", "con-kerry", {"id": "17", "state": "delivered"})
    assert counted(figures(asked, answered, delivered)) == (1, 1, 1, 1)
    found = figures(asked, answered, failed)
    assert counted(found) == (1, 0, 0, 1)
    assert found["breakdowns"] == {"count": 1, "by_reason": {"our answer could not be delivered": 1}}
    again = figures(asked, answered, failed, reply(3, "x"))
    assert counted(again) == (1, 1, 1, 1), "somebody wrote once more"


HANDED = ("conversation.handed_off", "", "", "con-kerry", {"step": "arrived"})
OFFERED = ("conversation.handed_off", "", "", "con-kerry", {"step": "offered"})


@pytest.mark.parametrize(
    ("events", "reasons"),
    [
        ([event(1, "x"), event(3, "email")], {"no answer in time": 1}),
        ([event(1, "x"), reply(2, "x"), event(3, "email"), reply(4, "email")], {"answered without resolving": 1}),
        ([event(1, "x"), reply(2, "x"), event(3, "email"), reply(3.1, "email"), HANDED], {}),
        (
            [event(1, "x"), reply(2, "x"), OFFERED, event(3, "email"), reply(3.1, "email")],
            {"answered without resolving": 1},
        ),
        ([event(1, "x"), reply(2, "x"), event(3, "x"), reply(3.1, "x")], {}),
        ([event(1, "x"), event(1, "x", who="flo")], {"no answer in time": 2}),
    ],
)
def test_breakdowns_of_today(events: list[Any], reasons: dict[str, int]) -> None:
    found = figures(*events)["breakdowns"]
    assert found == {"count": sum(reasons.values()), "by_reason": reasons}


def test_a_day_begins_where_the_hours_are() -> None:
    berlin = Service.model_validate({"hours": {"zone": "Europe/Berlin"}})
    assert midnight(berlin, at(22.5)) == at(-1)
    assert midnight(berlin, at(23.5)) == at(23)
    assert midnight(SERVICE, at(23.5)) == at(0)
    assert micros_of("2026-11-02T00:00:00Z") == MONDAY

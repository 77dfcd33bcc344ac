"""Three histories with every figure worked out on paper, from what docs/operate/measures.md says and not from the code.

The hours are those since Monday, 2 November 2026, midnight UTC. The comments tell how each figure comes about. Each
history comes in twice: as it is in memory, and as the lines that a stranger would write, by the command itself.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from past import at, handed, past, resolved, said

from socialsupport_core.cli.main import main
from socialsupport_core.insight import History, Settings, report, settings_of

PAPER = Path(__file__).with_name("paper")
BERLIN = """
target = 14400
targets = {}
[hours]
zone = "Europe/Berlin"
[hours.week]
mon = ["09:00-17:00"]
tue = ["09:00-17:00"]
wed = ["09:00-17:00"]
thu = ["09:00-17:00"]
fri = ["09:00-17:00"]
"""  # 08:00 to 16:00 UTC in November
ALWAYS = "target = 14400\ntargets = {}\n"
HOUR = 3600.0


class Doors:
    """Tells a history's report."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[bytes], *, is_command: bool) -> None:
        self.folder, self.capture, self.is_command = folder, capture, is_command

    def __call__(self, name: str, until: float, settings: str, since: float | None = None) -> dict[str, Any]:
        file = self.folder / "settings.toml"
        file.write_text(settings, "utf-8")
        if not self.is_command:
            return report(read(name, until), settings_of(file), None if since is None else at(since))
        lines = self.folder / f"{name}.jsonl"
        lines.write_text("".join(f"{json.dumps(line(row))}\n" for row in rows(name)), "utf-8")
        given = ["--history", str(lines), "--settings", str(file), "--until", moment(until)]
        more = [] if since is None else ["--since", moment(since)]
        assert main(["report", *given, *more, "--json"]) == 0
        told: dict[str, Any] = json.loads(self.capture.readouterr().out)
        return told


@pytest.fixture(params=["memory", "command"])
def told_of(request: Any, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Doors:
    return Doors(tmp_path, capfdbinary, is_command=request.param == "command")


def moment(hours: float) -> str:
    return (datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def line(row: dict[str, Any]) -> dict[str, Any]:
    """In the documented form."""
    who, by = f"cus_{row['who']}", row.get("by")
    when = {"at": moment(row["h"]), "customer": who, "conversation": row.get("in", f"con-{who}")}
    if "did" in row:
        return when | {"event": row["did"], "agent": "dana"}
    if "handed" in row:
        to = {"to": row["to"]} if "to" in row else {}
        return when | {"event": "handed_off", "channel": row["on"], "state": row["handed"]} | to
    told = {
        "channel": row["on"],
        "direction": "outbound" if by else "inbound",
        "visibility": "public" if row.get("public") else "private",
    }
    told |= {"bot": True} if by == "bot" else {"agent": by} if by else {}
    if row["on"] == "phone" and not by:
        told |= {"duration": 300 if row.get("attended") else 0}
    told |= {name: row[name] for name in ("topics", "told", "asks", "failed", "edited", "contact") if name in row}
    return when | told | ({"followers": row["reach"]} if "reach" in row else {})


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in (PAPER / f"{name}.jsonl").read_text("utf-8").splitlines()]


def read(name: str, until: float) -> History:
    return past(*map(_event, rows(name)), until=until)


def _event(row: dict[str, Any]) -> Any:
    hours, who, on = row.pop("h"), f"cus_{row.pop('who')}", row.pop("on", "")
    conversation = row.pop("in", f"con-{who}")
    if "did" in row:
        return resolved(hours, conversation.removeprefix("con-"), row["did"])
    if "handed" in row:
        return handed(hours, on, row["handed"], row.get("to", ""), who)
    by, public = row.pop("by", ""), row.pop("public", False)
    given = {"attended": False, "visibility": "public" if public else "private", "conversation": conversation} | row
    if not by:
        return said(hours, on, "customer", who, **given)
    return said(hours, on, "bot" if by == "bot" else "agent", who, **given | {"agent": by})


def share(count: int, of: int) -> dict[str, Any]:
    return {"share": round(count / of, 4) if of else None, "count": count, "of": of}


def spread(count: int, mean: float, p50: float, p75: float, p90: float) -> dict[str, Any]:
    return {"count": count, "mean": mean, "p50": p50, "p75": p75, "p90": p90}


NONE = {"count": 0, "mean": None, "p50": None, "p75": None, "p90": None}


def test_nights_weekends_and_a_machine(told_of: Doors) -> None:
    told = told_of("hours", 504, BERLIN)
    assert told["matters"] == {
        "count": 6,
        "by_outcome": {"failed": 1, "resolved": 4, "waiting": 1},  # Finn; Anna, Bert, Cora, Dirk; Eva
        "contacts": 8,  # three of Dirk: 12:00 is more than an hour after 10:30, and the day after
        "contacts_per_matter": 1.33,
    }
    assert told["response"] == {
        "first": spread(3, 100_800.0, 52_200.0, 239_400.0, 239_400.0),  # Dirk 3 h, Bert 14.5 h, Anna 66.5 h
        "first_in_hours": spread(3, 12_000.0, 10_800.0, 16_200.0, 16_200.0),  # Anna 1 + 1.5 h, Dirk 3 h, Bert 4.5 h
        "people": spread(5, 61_920.0, 10_800.0, 52_200.0, 239_400.0),  # and Dirk twice an hour
        "people_in_hours": spread(5, 8_640.0, 9_000.0, 10_800.0, 16_200.0),
        "bots": spread(1, 5.0, 5.0, 5.0, 5.0),
    }
    assert told["resolution"] == {
        "resolved": share(4, 6),
        "time": spread(2, 165_600.0, 90_000.0, 241_200.0, 241_200.0),  # Dirk 25 h, Anna 67 h
        "time_in_hours": spread(2, 21_600.0, 10_800.0, 32_400.0, 32_400.0),  # Anna 1 + 2 h, Dirk 6 + 3 h
        "reopened": share(1, 6),
    }
    # Eva may still be answered in time; Cora's machine is no person, Finn had nobody; Bert's 4.5 hours are over four
    assert told["coverage"] == {"answered": share(5, 7), "in_target": share(4, 7)}
    assert told["first_contact_resolution"] == share(3, 5)
    assert told["handled_twice"] == share(1, 6)
    assert told["deflection"] == share(1, 6)
    assert told["channel_switches"] == {"count": 0, "with_context": share(0, 0)}
    assert told["agents"] == [
        {"agent": "dana", "contacts": 3, "matters": 2, "response": spread(3, 84_600.0, 10_800.0, 239_400.0, 239_400.0)},
        {"agent": "sam", "contacts": 2, "matters": 2, "response": spread(2, 27_900.0, 3_600.0, 52_200.0, 52_200.0)},
    ]
    assert told["breakdowns"] == share(1, 6) | {
        "by_reason": {"no answer in time": 1},
        "by_channel": {"email": 1},
        "by_leg": {"1": 1},
    }
    assert (told["cost"]["expected"]["failed_legs"], told["cost"]["incurred"]["amount"]) == (0, 0.0)


@pytest.fixture
def channels(told_of: Doors) -> dict[str, Any]:
    return told_of("channels", 720, ALWAYS)


def test_facebook_twitter_and_a_call_hand_offs_and_a_late_merge(channels: dict[str, Any]) -> None:
    assert channels["matters"] == {
        "count": 7,
        "by_outcome": {"failed": 2, "resolved": 5},  # Olga gave up, Paul's call was missed
        "contacts": 16,
        "contacts_per_matter": 2.29,
    }
    # Kerry 32 h, Lou 3 h, Mia and Quin 30 min, Nils and Paul 1 h, Olga 15 min
    assert channels["response"]["first"] == spread(7, 19_671.429, 3_600.0, 10_800.0, 115_200.0)
    # 15 min twice, 30 min twice, an hour four times, Nils' e-mail two hours
    assert channels["response"]["people"] == spread(9, 3_000.0, 3_600.0, 3_600.0, 7_200.0)
    assert channels["response"]["people_in_hours"] == channels["response"]["people"]
    assert channels["resolution"]["resolved"] == share(5, 7)
    assert channels["resolution"]["reopened"] == share(1, 7)
    assert channels["resolution"]["time"] == spread(4, 27_900.0, 7_200.0, 14_400.0, 82_800.0)  # 4, 2, 23 and 2 h
    assert channels["coverage"] == {"answered": share(10, 16), "in_target": share(10, 16)}  # the taken call, too
    assert channels["first_contact_resolution"] == share(0, 7)
    assert channels["handled_twice"] == share(2, 7)  # Kerry on Twitter and by telephone; Nils by Dana and Sam
    assert channels["channel_switches"] == {"count": 6, "with_context": share(5, 6)}  # Lou's was not known there
    assert channels["hand_offs"] == {"offered": 3, "arrived": share(1, 3)}
    assert channels["reach"] == {"public_contacts": 9, "people": 0, "answered": share(5, 9)}
    assert channels["praise"] == {"messages": share(1, 16), "to_nobody": 0, "agents": [{"agent": "sam", "count": 1}]}
    assert channels["agents"] == [
        {"agent": "dana", "contacts": 6, "matters": 5, "response": spread(6, 2_400.0, 1_800.0, 3_600.0, 3_600.0)},
        {"agent": "sam", "contacts": 3, "matters": 3, "response": spread(3, 4_200.0, 3_600.0, 7_200.0, 7_200.0)},
    ]
    assert channels["breakdowns"] == share(5, 7) | {
        "by_reason": {
            "no answer in time": 2,
            "sent to another channel, and did not arrive there": 1,
            "sent to another channel, and gave up": 1,
            "called resolved, and was not": 1,
        },
        "by_channel": {"facebook": 2, "x": 3},
        "by_leg": {"1": 5},
    }


def test_the_journey_that_all_begins_with(channels: dict[str, Any]) -> None:
    kerry = next(one for one in channels["journeys"] if one["customer"] == "cus_kerry")
    assert [(leg["channel"], leg["outcome"], leg["reason"], leg["because_of"]) for leg in kerry["legs"]] == [
        ("facebook", "failed", "no answer in time", None),
        ("twitter", "failed", "answered without resolving", 1),
        ("phone", "resolved", None, 1),
    ]
    assert kerry["explanation"].startswith("it broke down on facebook: no answer in time")


def test_what_it_costs(channels: dict[str, Any]) -> None:
    cost = channels["cost"]
    assert cost["failed_contact"]["amount"] == 7.7225
    assert [(one["to"], one["share"], one["cost"], one["product"]) for one in cost["failed_contact"]["table"]] == [
        ("phone", 0.40, 15.0, 6.0),
        ("web", 0.25, 0.25, 0.0625),
        ("email", 0.17, 3.0, 0.51),
        ("chat", 0.15, 5.0, 0.75),
        ("shop", 0.02, 20.0, 0.4),
    ]
    # Facebook twice, Twitter, and X of Lou, Nils and Paul: 6 x 7.7225
    assert cost["expected"] == {"failed_legs": 6, "amount": pytest.approx(46.335, abs=0.0051)}
    assert cost["incurred"] == {
        "amount": 36.0,  # two calls and two e-mails
        "contacts": 5,
        "without_a_price": 1,  # on Twitter
        "by_channel": {"facebook": 15.0, "x": 21.0},
        "by_reason": {
            "called resolved, and was not": 15.0,
            "no answer in time": 18.0,
            "sent to another channel, and did not arrive there": 3.0,
        },
        "by_week": {"2026-W45": 36.0},
    }
    assert cost["avoided"] == {"hand_offs": 1, "amount": 7.72}
    assert cost["handled_twice"] == {"matters": 2, "from": 14.0, "to": 18.0, "each": [7.0, 9.0]}


def test_two_orders_two_people_and_what_machines_do(told_of: Doors) -> None:
    told = told_of("people", 504, ALWAYS, 168)
    assert told["matters"] == {
        "count": 9,  # two of Rosa's; none of Yan, to whom only we have spoken
        "by_outcome": {"failed": 1, "resolved": 8},
        "contacts": 10,
        "contacts_per_matter": 1.11,
    }
    assert told["response"]["first"] == spread(7, 6_428.571, 3_600.0, 7_200.0, 18_000.0)
    assert told["response"]["people"] == spread(8, 6_075.0, 3_600.0, 7_200.0, 18_000.0)
    assert told["response"]["bots"] == spread(2, 36.0, 36.0, 36.0, 36.0)
    assert told["resolution"]["time"] == spread(2, 23_400.0, 3_600.0, 43_200.0, 43_200.0)
    assert told["resolution"]["resolved"] == share(8, 9)
    assert told["coverage"] == {"answered": share(8, 10), "in_target": share(7, 10)}  # not Stan, not Wes; Uma late
    assert told["first_contact_resolution"] == share(7, 9)
    assert told["handled_twice"] == share(2, 9)  # Tom on two channels by Dana; Zoe by Dana and Sam
    assert told["channel_switches"] == {"count": 1, "with_context": share(1, 1)}
    assert told["deflection"] == share(1, 9)
    assert told["accuracy"]["edited"] == share(1, 8)
    assert told["reach"] == {"public_contacts": 1, "people": 500, "answered": share(1, 1)}
    assert told["praise"]["messages"] == share(0, 11)
    assert [(one["agent"], one["contacts"], one["matters"]) for one in told["agents"]] == [
        ("dana", 6, 5),
        ("sam", 2, 2),
    ]
    assert told["breakdowns"]["by_reason"] == {
        "our answer could not be delivered": 1,
        "asked again for what was known": 1,
    }
    assert told["cost"]["expected"]["failed_legs"] == 2
    assert (told["cost"]["incurred"]["amount"], told["cost"]["incurred"]["by_week"]) == (3.0, {"2026-W46": 3.0})
    assert [(one["channel"], one["contacts"]) for one in told["channels"]] == [("email", 6), ("webchat", 2), ("x", 2)]
    before = told["previous"]
    assert before["matters"]["count"] == 1
    assert before["response"]["first"] == spread(1, 3_600.0, 3_600.0, 3_600.0, 3_600.0)
    assert before["coverage"]["answered"] == share(1, 1)


@pytest.mark.parametrize("name", ["hours", "channels", "people"])
def test_the_order_of_the_lines_changes_nothing(name: str) -> None:
    one = read(name, 504)
    backwards = History(one.touches[::-1], one.turns[::-1], one.handed[::-1], one.until)
    assert report(backwards, Settings()) == report(one, Settings())


def test_the_settings_say_what_is_assumed() -> None:
    assert Settings().target == 14_400

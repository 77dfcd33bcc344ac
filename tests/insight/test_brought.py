"""Lines that somebody brings: their form, what is wrong with them, and our own events."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from past import at, said
from raven import Roost
from raven.events import NOON, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight import Settings, Touch, report
from socialsupport_core.insight.brought import Brought, Unreadable, bring
from socialsupport_core.store import micros

WHEN = "2026-11-02T09:00:00Z"
LINE = {"at": WHEN, "customer": "kerry", "channel": "x", "direction": "inbound"}
PAPER = Path(__file__).with_name("paper")


def brought(folder: Path, *lines: Any, until: float = 24 * 30, **more: Any) -> Brought:
    file = folder / "lines.jsonl"
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines), "utf-8")
    return bring([file], at(until), **more)


def table(folder: Path, *lines: dict[str, Any], divider: str = ",", head: str = "") -> Brought:
    file = folder / "lines.csv"
    names = list(dict.fromkeys(name for one in lines for name in one))
    with file.open("w", encoding="utf-8", newline="") as opened:
        opened.write(head)
        writer = csv.DictWriter(opened, names, delimiter=divider)
        writer.writeheader()
        writer.writerows(lines)
    return bring([file], at(24 * 30))


def wrong(folder: Path, *lines: Any) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        brought(folder, *lines)
    return [f"{one.where.line}: {one.what}" for one in caught.value.mistakes]


# the form of a line


def test_a_line_needs_four_fields_and_the_rest_goes_without_saying(tmp_path: Path) -> None:
    (one,) = brought(tmp_path, LINE).history.touches
    assert one == Touch(at(9), "000000001", "kerry", "x", "x", "x/kerry", "private", "customer", "x/kerry")


def test_everything_that_a_line_can_say_of_a_touch(tmp_path: Path) -> None:
    given = {
        "network": "telegram", "thread": "t", "conversation": "c", "visibility": "public", "id": "a",
        "topics": ["order:AB-1"], "told": ["email"], "followers": 7, "rating": 4.5, "verdict": 5, "contact": "praise",
    }  # fmt: skip
    answer = LINE | {"direction": "outbound", "agent": "dana", "in_reply_to": "a", "failed": True, "edited": True}
    asked, answered = brought(tmp_path, LINE | given, answer | {"asks": ["order"]}).history.touches
    assert (asked.network, asked.thread, asked.conversation, asked.visibility) == ("telegram", "t", "c", "public")
    assert (asked.topics, asked.told) == (frozenset({"order:ab1"}), frozenset({"order", "email"}))
    assert (asked.reach, asked.rating, asked.verdict, asked.contact) == (7, 4.5, 5, "praise")
    assert (answered.by, answered.agent, answered.answers, answered.failed) == ("agent", "dana", asked.id, True)
    assert (answered.edited, answered.asks) == (True, frozenset({"order"}))


def test_what_a_text_tells_is_found_in_it(tmp_path: Path) -> None:
    asked, answered = brought(
        tmp_path,
        LINE | {"text": "Where is my order 471108? The parcel never came"},
        LINE | {"direction": "outbound", "agent": "dana", "text": "What is your order number?"},
    ).history.touches
    assert (asked.topics, asked.told) == (frozenset({"order:471108"}), frozenset({"order"}))
    assert "parcel" in asked.terms
    assert (answered.asks, answered.terms) == (frozenset({"order"}), ())


@pytest.mark.parametrize(
    ("channel", "given", "network", "kind", "attended"),
    [
        ("Hotline", {"duration": 90}, "phone", "call", True),
        ("call", {"duration": 0}, "phone", "call", False),
        ("phone", {"attended": True}, "phone", "call", True),
        ("shop", {}, "visit", "visit", True),
        ("website", {}, "form", "form", False),
        ("Chat", {}, "webchat", "message", False),
        ("line 2", {"network": "phone", "kind": "voicemail"}, "phone", "voicemail", False),
    ],
)
def test_a_channel_says_what_it_is_by_its_name(
    tmp_path: Path, channel: str, given: dict[str, Any], network: str, kind: str, attended: bool
) -> None:
    (one,) = brought(tmp_path, LINE | {"channel": channel} | given).history.touches
    assert (one.channel, one.network, one.kind, one.attended) == (channel, network, kind, attended)


def test_what_agents_did_goes_to_where_the_customer_spoke_last(tmp_path: Path) -> None:
    found = brought(
        tmp_path,
        {"at": "2026-11-02T12:00:00Z", "customer": "kerry", "event": "resolved", "agent": "dana"},
        LINE,
        LINE | {"at": "2026-11-02T11:00:00Z", "channel": "email", "conversation": 17},
        LINE | {"at": "2026-11-02T13:00:00Z", "channel": "webchat"},
        {"at": "2026-11-02T14:00:00Z", "customer": "kerry", "channel": "x", "event": "reopened"},
        {
            "at": "2026-11-02T14:00:00Z",
            "conversation": 17,
            "event": "handed_off",
            "channel": "email",
            "state": "expired",
        },
    ).history
    assert [(one.type, one.conversation, one.agent) for one in found.turns] == [
        ("resolved", "17", "dana"),
        ("reopened", "x/kerry", ""),
    ]
    assert [(one.conversation, one.channel, one.state) for one in found.handed] == [("17", "email", "expired")]


def test_of_two_at_one_moment_the_line_that_stands_first_came_first(tmp_path: Path) -> None:
    answer = LINE | {"direction": "outbound", "agent": "dana"}
    for lines, answered in (((LINE, answer), 1), ((answer, LINE), 0)):
        told = report(brought(tmp_path, *lines).history, Settings())
        assert told["coverage"]["answered"]["count"] == answered


def test_times_are_those_of_the_lines_in_whatever_zone(tmp_path: Path) -> None:
    lines = [LINE | {"at": "2026-11-02T10:00:00+01:00"}, LINE | {"at": "2026-11-02 10:00"}]
    found = brought(tmp_path, *lines, zone=ZoneInfo("Europe/Berlin"))
    assert [one.at for one in found.history.touches] == [at(9), at(9)]


def test_what_does_not_count_is_told(tmp_path: Path) -> None:
    found = brought(tmp_path, LINE, LINE | {"direction": "internal"}, LINE | {"at": "2026-12-24T09:00:00Z"}, "")
    assert (found.lines, found.late, len(found.history.touches)) == (3, 1, 1)
    assert found.silent == {"notes, and what customers' machines say": 1}


# a table


@pytest.mark.parametrize(("divider", "head"), [(",", ""), (";", "\ufeff"), ("\t", "")])
def test_a_table_says_the_same(tmp_path: Path, divider: str, head: str) -> None:
    lines = [
        LINE
        | {"text": 'she said: "no, it\nis broken"; twice', "topics": "order:1; order:2", "bot": "", "duration": ""},
        LINE | {"direction": "outbound", "agent": "", "bot": "true"},
        LINE | {"channel": "call", "duration": "12.5"},
    ]
    found = table(tmp_path, *lines, divider=divider, head=head).history
    lists = [
        {name: value for name, value in one.items() if value != ""}
        | ({"topics": ["order:1", "order:2"]} if "topics" in one else {})
        for one in lines
    ]
    assert found == brought(tmp_path, *lists).history
    assert [one.by for one in found.touches] == ["customer", "bot", "customer"]


def test_rows_of_a_table_are_told_by_their_line(tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text(f'at,customer,channel,direction,text\n{WHEN},k,x,inbound,"two\nlines"\n{WHEN},k,x,in,\n{WHEN},k\n')
    with pytest.raises(Unreadable, match="2 of 3 lines cannot be read") as caught:
        bring([file], at(720))
    assert [str(one).removeprefix(f"{file}, ") for one in caught.value.mistakes] == [
        "line 4: direction: must be 'inbound', 'outbound' or 'internal'",
        "line 5: has 2 cells, and the first line names 5 columns; put quotation marks around a cell that holds the"
        " divider",
    ]


@pytest.mark.parametrize("name", ["lines.csv", "lines.jsonl"])
def test_bytes_that_are_no_text_are_told(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"at,customer\n" + b"\xff\xfe\n")
    with pytest.raises(Unreadable) as caught:
        bring([file], at(720))
    assert "is no text in UTF-8; convert the file" in str(caught.value.mistakes[-1])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl cannot be read: No such file"):
        bring([tmp_path / "nowhere.jsonl"], 0)


# what is wrong


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"at": None}, "at: is no time; write 2026-11-02T09:00:00Z"),
        ({"at": "2026-11-02"}, "at: is no time; write 2026-11-02T09:00:00Z"),
        ({"at": 1793610000}, "at: is no time; write 2026-11-02T09:00:00Z"),
        ({"at": "2026-11-02T09:00:00"}, "at: says no time zone; add Z or +01:00, or say --zone Europe/Berlin for all"),
        ({"direction": "in"}, "direction: must be 'inbound', 'outbound' or 'internal'"),
        ({"agnet": "dana"}, "agnet: there is no such key; did you mean agent?"),
        ({"agent": "dana"}, "the whole: has an `agent` and is `inbound`"),
        ({"failed": True}, "the whole: only what is `outbound` can have `failed`"),
        ({"channel": "phone"}, "the whole: was the call taken? add `duration` in seconds"),
        ({"event": "resloved"}, "event: 'resloved' is none; did you mean resolved?"),
        ({"type": "interaction.recieved"}, "type: 'interaction.recieved' is none of our events; did you mean"),
        ({"verdict": 6}, "verdict: must be less than or equal to 5"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_and_what_to_do(tmp_path: Path, given: dict[str, Any], what: str) -> None:
    (told,) = wrong(tmp_path, LINE | given)
    assert told.startswith(f"1: {what}"), told


def test_every_line_that_is_wrong_is_told_by_its_number(tmp_path: Path) -> None:
    told = wrong(
        tmp_path, LINE | {"id": 1}, '{"at": ', "[]", LINE | {"id": 1}, {"at": WHEN, "event": "resolved"}, "2026;kerry"
    )
    assert [one.partition(";")[0] for one in told] == [
        "2: is not JSON: Expecting value",
        "3: is no object, but a list",
        f"4: id: that of {tmp_path / 'lines.jsonl'}, line 1 is the same",
        "5: the whole: what was resolved? add the `conversation`, or the `customer`",
        "6: is not JSON: Extra data",
    ]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"conversation": "17"}, "conversation: no touch belongs to '17'"),
        ({"customer": "kery"}, "customer: nothing was said by or to 'kery' until then"),
        (
            {"customer": "kerry", "channel": "email"},
            "customer: nothing was said by or to 'kerry' on 'email' until then",
        ),
        ({"customer": "kerry", "at": "2026-11-02T08:59:00Z"}, "customer: nothing was said by or to 'kerry' until then"),
    ],
)
def test_what_was_done_to_nothing_is_no_silent_loss(tmp_path: Path, given: dict[str, str], what: str) -> None:
    (told,) = wrong(tmp_path, LINE, {"at": "2026-11-02T12:00:00Z", "event": "resolved"} | given)
    assert told.startswith(f"2: {what}"), told


# the journey that all begins with


def test_the_customer_of_facebook_twitter_and_a_call(tmp_path: Path) -> None:
    told = report(bring([PAPER / "facebook_twitter_call.csv"], at(720)).history, Settings())
    (kerry,) = told["journeys"]
    assert kerry["explanation"] == (
        "it broke down on facebook: no answer in time; without that the customer would not have gone on to twitter and"
        " call"
    )
    assert [(one["channel"], one["outcome"], one["because_of"]) for one in kerry["legs"]] == [
        ("facebook", "failed", None),
        ("twitter", "failed", 1),
        ("call", "resolved", 1),
    ]
    assert told["cost"]["failed_contact"]["amount"] == 7.7225
    assert told["cost"]["expected"] == {"failed_legs": 2, "amount": 15.45}  # 2 x 7.7225 = 15.445
    assert told["cost"]["incurred"]["amount"] == 15.0


# our own events


@pytest.fixture
def talk(roost: Roost) -> Roost:
    """Two who turn out to be one, an answer that fails, an edit, what was taken back, a resolution and what follows."""
    roost.clock.now = NOON + timedelta(seconds=10)
    roost.hear(message(1, "my order 471108152342 has not come", "kerry"))
    roost.clock.forward(minutes=30)
    roost.reply("Sorry! What is your order number?", "kerry")
    roost.hub.drain()
    roost.hub.resolve("acme", roost.conversation(), agent="dana")
    roost.clock.forward(days=1)
    roost.hear(message(2, "order 471108152342!", "morris", at=86_400), message(3, "thank you", "flo", at=86_460))
    roost.clock.forward(minutes=1)
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:morris", agent="dana")
    roost.hub.drain()
    roost.clock.forward(days=1)
    return roost


def test_the_log_tells_what_the_store_tells(talk: Roost, tmp_path: Path) -> None:
    events = talk.hub.events("acme", limit=1000)
    expected = talk.hub.report("acme")
    assert expected["matters"]["count"] == 2
    until = micros(talk.clock())
    file = tmp_path / "log.jsonl"
    pages = [json.dumps({"events": events[:3], "after": 3}), *map(json.dumps, events[:2:-1]), json.dumps(events[0])]
    file.write_text("\n".join(pages), "utf-8")
    found = bring([file], until)
    assert report(found.history, Settings()) == expected
    assert found.repeated == 1
    assert "conversation.opened" in found.silent


def test_events_of_the_log_may_be_written_by_hand(tmp_path: Path) -> None:
    said = {
        "network": "x", "native_id": "1", "kind": "message", "direction": "inbound", "own_account": "acme",
        "thread": {"id": "t", "visibility": "public"}, "author": {"name": "Kerry"}, "sent_at": WHEN,
    }  # fmt: skip
    received = {
        "type": "interaction.received",
        "at": WHEN,
        "conversation": "c",
        "data": {"id": "a", "interaction": said},
    }
    received["data"] |= {"customer": "kerry"}
    done = {
        "type": "conversation.resolved",
        "at": "2026-11-02T10:00:00Z",
        "conversation": "c",
        "data": {"agent": "dana"},
    }
    found = brought(tmp_path, received, done, {"type": "conversation.opened", "at": WHEN, "conversation": "c"})
    assert [(one.customer, one.channel, one.conversation) for one in found.history.touches] == [("kerry", "x", "c")]
    assert [(one.type, one.conversation, one.agent) for one in found.history.turns] == [("resolved", "c", "dana")]
    assert found.silent == {"conversation.opened": 1}
    assert wrong(
        tmp_path,
        received | {"data": {"id": "a"}},
        done | {"conversation": ""},
        done | {"at": "2026-11-02T10:00:00"},
        {"type": "conversation.rated", "at": WHEN, "conversation": "c"},
        received | {"cursor": 1, "tenant": "acme"},
        received | {"cursor": 2, "tenant": "rival"},
    ) == [
        "1: data.interaction: is missing; add it",
        "2: conversation: is missing; add it",
        "3: '2026-11-02T10:00:00' says no time zone; add Z or +01:00",
        "4: data.interaction: is missing; add it",
        "6: tenant: is 'rival', and others are 'acme'; report on one",
    ]


def test_what_connectors_give_finds_its_customers_by_itself(tmp_path: Path) -> None:
    party = {"identifiers": [{"kind": "x.user", "value": "1"}, {"kind": "email", "value": "Kerry@acme.example"}]}
    mail = {"identifiers": [{"kind": "email", "value": "kerry@acme.example"}]}
    first = {
        "network": "x", "native_id": "1", "kind": "message", "direction": "inbound", "own_account": "acme",
        "thread": {"id": "t", "visibility": "public"}, "author": party, "text": "hello?", "sent_at": WHEN,
    }  # fmt: skip
    second = first | {
        "network": "email",
        "native_id": "2",
        "thread": {"id": "m", "visibility": "private"},
        "author": mail,
    }
    answer = second | {"native_id": "3", "direction": "outbound", "author": {"is_self": True}, "in_reply_to": "2"}
    event = {"type": "interaction.received", "id": "1", "interaction": first, "source": "one.json"}
    gone = {"type": "interaction.deleted", "id": "g", "own_account": "acme", "native_id": "1", "at": WHEN}
    found = brought(tmp_path, event, event, second, answer | {"sent_at": "2026-11-02T10:00:00Z"})
    assert found.repeated == 1
    assert len({one.customer for one in found.history.touches}) == 1
    assert [(one.network, one.by, one.answers) for one in found.history.touches] == [
        ("x", "customer", None),
        ("email", "customer", None),
        ("email", "agent", "000000003"),
    ]
    assert [one.network for one in brought(tmp_path, gone, event, second).history.touches] == ["email"]
    (told,) = wrong(tmp_path, event | {"interaction": first | {"kind": "letter"}})
    assert told.startswith("1: interaction.kind: must be")


def test_the_words_of_past_and_of_lines_are_the_same(tmp_path: Path) -> None:
    (one,) = brought(tmp_path, LINE | {"conversation": "con-cus_kerry", "customer": "cus_kerry"}).history.touches
    other = said(9, "x", visibility="private", id=one.id, thread=one.thread)
    assert one == other

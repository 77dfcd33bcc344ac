"""Visits as they are written down, in JSON and in tables: what is read, what is refused, and who it was."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import socialsupport_visit
from socialsupport_core.contract import MalformedPayload, Registry, SignatureError
from socialsupport_core.hub import Hub
from socialsupport_core.model import Event, InteractionReceived, Payload, Unrecognised
from socialsupport_visit import Visit, VisitSettings
from socialsupport_visit.simulator import VisitSimulator

NOW = datetime(2026, 3, 1, 17, tzinfo=UTC)
WRITTEN: dict[str, Any] = {
    "own_account": "acme-shops",
    "secret": "a-long-random-text-of-yours",
    "timezone": "Europe/Berlin",
    "branches": {"leeds": {"name": "Leeds", "secret": "the secret of Leeds"}, "york": {"name": "York, Stonegate"}},
}
SETTINGS = VisitSettings.model_validate(WRITTEN)
SHOPS = Visit(SETTINGS)
VISIT = {"branch": "leeds", "at": "2026-03-01T15:30:00+00:00", "about": "Too small."}
HEADER = "branch,at,about,staff,card,email,phone,minutes,id"
GOOD = "leeds,2026-03-01T15:30:00+00:00,Too small.,Dana,C-1,,,12,"


def parse(body: str | bytes, source: Any = "file") -> list[Event]:
    content = body if isinstance(body, bytes) else body.encode()
    return list(SHOPS.parse(Payload(source=source, body=content, received_at=NOW)))


def read(**fields: Any) -> Any:
    (event,) = parse(json.dumps(VISIT | fields), "webhook")
    return event.interaction if isinstance(event, InteractionReceived) else event


def reasons(body: str | bytes) -> list[str | None]:
    return [event.reason for event in parse(body) if isinstance(event, Unrecognised)]


def test_a_visit_says_who_was_there_and_what_came_of_it() -> None:
    said = read(staff="Dana", outcome="exchanged", order=4711, minutes=12.5, name="Kerry")
    assert (said.kind, said.network, said.direction) == ("visit", "visit", "inbound")
    assert said.subject == "Visit in Leeds (Dana)"
    assert said.text == "Too small.\n\nOrder 4711\n\nOutcome: exchanged"
    assert (said.duration, said.recipients[0].name, said.recipients[0].is_self) == (750.0, "Dana", True)


@pytest.mark.parametrize(
    ("fields", "account", "others"),
    [
        ({"card": "C-1", "email": "k@acme.example", "phone": "+4915112345"}, "visit.card@acme-shops:C-1", 2),
        ({"email": "K@Acme.example"}, "visit.contact@acme-shops:email:k@acme.example", 1),
        ({"phone": "+4915112345"}, "visit.contact@acme-shops:phone:+4915112345", 1),
        ({"id": "v-1"}, "visit.anonymous@acme-shops:leeds/v-1", 0),
    ],
)
def test_who_it_was(fields: dict[str, str], account: str, others: int) -> None:
    """What the staff typed is never the account itself."""
    found = read(**fields).author.identifiers
    assert (str(found[0]), len(found) - 1) == (account, others)


def test_a_branch_goes_by_its_id_or_its_name() -> None:
    assert read(branch="york, stonegate").subject == read(branch="york").subject == "Visit in York, Stonegate"
    assert read(branch="york").native_id != read(branch="leeds").native_id
    assert read(branch="york", id="1").native_id == "york/1"  # numbers of tills are their own


def test_times_are_those_of_the_shops() -> None:
    assert read(at="2026-03-01T16:30:00.7").sent_at == datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    assert read(at="2026-03-01 15:30:00Z").sent_at == datetime(2026, 3, 1, 15, 30, tzinfo=UTC)


def test_both_ways_give_the_same_events() -> None:
    people = VisitSimulator(SETTINGS, clock=lambda: NOW)
    people.speak("kerry", "Too small.", email="kerry@acme.example", outcome="exchanged")
    people.speak("sam", 'Said: "never again",\nand left.', card=None, branch="york")
    posted = []
    for payload in people.due():
        SHOPS.verify(payload)
        posted += list(SHOPS.parse(payload))
    assert posted == parse(people.export())
    assert [event.interaction.native_id for event in posted] == [one.id for one in people.said]


def test_a_late_visit_goes_on_counting() -> None:
    people = VisitSimulator(SETTINGS, clock=lambda: NOW)
    people.speak("kerry", "Hello")
    later = VisitSimulator(SETTINGS, clock=lambda: NOW)
    later.resume(people.due())
    assert later.speak("kerry", "Hello").id == "leeds/v-2"


# tables


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("paris,2026-03-01T15:30,Hello,,,,,,", "branch: there is no such branch; there is leeds, york"),
        ("leeds,yesterday,Hello,,,,,,", "at: not ISO 8601, such as 2026-03-01T09:15"),
        ("leeds,2026-03-01T15:30,,,,,,,", "about: is missing"),
        ("leeds,2026-03-01T15:30,Hello,,,kerry at acme,,,", "email: not an e-mail address"),
        ("leeds,2026-03-01T15:30,Hello,,,,call me,,", "phone: not a telephone number"),
        ("leeds,2026-03-01T15:30,Hello,,,,,ten,", "minutes: Input should be a valid number"),
        ("leeds,2026-03-01T15:30,Hello,,,,,-1,", "minutes: Input should be greater than or equal to 0"),
        ("leeds,2026-03-01T15:30,Hello,,,,,1441,", "minutes: Input should be less than or equal to 1440"),
        ("leeds,2026-03-01T15:30,Hello,a,b,c,d,e,f,g", "has 10 cells, the header 9"),
        ("leeds,0001-01-01T00:00:00+14:00,Hello,,,,,,", ""),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_costs_no_other(row: str, told: str) -> None:
    body = f"{HEADER}\n{GOOD}\n{row}\n{GOOD.replace('15:30', '15:31')}\n"
    (reason,) = reasons(body)
    assert reason is not None
    assert reason.startswith(f"row 3: {told}")
    assert "kerry at acme" not in reason
    assert len(parse(body)) == 3


def test_a_bad_row_has_the_same_name_in_another_file() -> None:
    bad = "paris,2026-03-01T15:30,Hello,,,,,,"
    first, again = (parse(f"{HEADER}\n{before}{bad}\n")[-1] for before in ("", GOOD + "\n"))
    assert first.id == again.id


def test_the_same_row_twice_is_one_visit() -> None:
    assert len(parse(f"{HEADER}\n{GOOD}\n{GOOD}\n")) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the file is empty; its first row names the columns: branch, at, about"),
        (b"branch,when\n", "lacks the columns at, about; a table of visits has branch, at, about and may have staff"),
        (b"branch,at,about,at\n", "names a column twice: at"),
        ("branch,at,about\nleeds,2026-03-01,Größe\n".encode("latin-1"), "not UTF-8"),
        (b"{", "not JSON"),
        (b'{"shop": "leeds"}', "neither a visit with branch, at and about"),
    ],
)
def test_what_is_no_table_of_visits(body: bytes, told: str) -> None:
    with pytest.raises(MalformedPayload, match=told):
        parse(body)


# into a hub


def test_a_table_comes_in_through_the_hub_and_says_what_was_left_out(tmp_path: Path) -> None:
    hub = Hub.open(tmp_path / "s.sqlite", public_url="https://hub.example", registry=Registry.of(socialsupport_visit))
    hub.add_tenant("acme", "Acme")
    hub.add_channel("acme", "shops", "visit", WRITTEN)
    table = f"{HEADER}\n{GOOD}\nparis,2026-03-01T15:30,Hello,,,,,,\nyork,2026-03-02T09:00,Again,,,k@acme.example,,,\n".encode()
    for _ in range(2):
        hub.import_file("acme", "shops", table, "visits.csv")
        hub.drain()
        (left_out,) = hub.unreadable("acme", "shops", table)
        assert left_out.startswith("row 3: branch: there is no such branch")
    assert [one["interaction"]["text"] for one in hub.timeline("acme", "visit.card@acme-shops:C-1")] == ["Too small."]
    assert [one["interaction"]["text"] for one in hub.timeline("acme", "email:k@acme.example")] == ["Again"]
    assert hub.unreadable("acme", "shops", b"a,b\n") == []  # all of it waits in quarantine
    hub.close()


def test_whoever_comes_again_is_one_customer_and_a_slip_can_be_undone(tmp_path: Path) -> None:
    hub = Hub.open(tmp_path / "s.sqlite", public_url="https://hub.example", registry=Registry.of(socialsupport_visit))
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    hub.add_channel("acme", "shops", "visit", WRITTEN)
    visits = [
        VISIT | {"id": "1", "email": "k@acme.example"},
        VISIT | {"id": "2", "email": "k@acme.example", "card": "C-1"},
        VISIT | {"id": "3", "card": "C-1"},
        VISIT | {"id": "4"},
    ]
    hub.import_file("acme", "shops", json.dumps({"visits": visits}).encode(), "visits.json")
    hub.drain()
    natives = {one["interaction"]["native_id"] for one in hub.timeline("acme", "visit.card@acme-shops:C-1")}
    assert natives == {"leeds/1", "leeds/2", "leeds/3"}
    hub.split("acme", "email:k@acme.example", ["visit.card@acme-shops:C-1"], agent="dana")
    natives = {one["interaction"]["native_id"] for one in hub.timeline("acme", "visit.card@acme-shops:C-1")}
    assert natives == {"leeds/2", "leeds/3"}
    hub.close()


def test_in_the_measures_somebody_was_there() -> None:
    assert read().attended


def test_what_is_not_signed_is_no_visit_but_for_files() -> None:
    with pytest.raises(SignatureError):
        SHOPS.verify(Payload(body=json.dumps(VISIT).encode(), received_at=NOW))
    SHOPS.verify(Payload(source="file", body=b"", received_at=NOW))


@pytest.mark.parametrize(
    "changed",
    [
        {"branches": {}},
        {"branches": {"Leeds City": {"name": "Leeds"}}},
        {"branches": {"leeds": {"name": "Leeds", "secret": "short"}}},
        {"branches": {one: {"name": one, "secret": "one word for both"} for one in ("leeds", "york")}},
        {"timezone": "Mars/Olympus"},
        {"secret": "short"},
        {"outcomes": [""]},
    ],
)
def test_settings_that_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as raised:
        VisitSettings.model_validate(WRITTEN | changed)
    assert "one word for both" not in str(raised.value)

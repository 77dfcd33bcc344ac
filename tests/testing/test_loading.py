"""Cases that are wrong are told with file, case and remedy."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pigeon.connector import Pigeon
from pigeon.dove import Dove
from pigeon.ledger import Ledger
from signing import golden, write_package

from socialsupport_core.contract import ConfigError
from socialsupport_core.model import InteractionReceived
from socialsupport_core.testing import load_cases, load_crm_cases
from socialsupport_core.testing.check import check
from socialsupport_core.testing.loading import folder_of

SETTINGS = {"token": "pigeon-token-123456", "signing_secret": "coo-coo-signing-secret", "loft": "loft-1"}
GOOD = {"name": "n", "source": "ours", "poll": {}, "exchange": [], "page": {}}
PACKAGES = iter(f"flock_{number}" for number in range(1000))


@pytest.fixture
def flock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a connector with these cases."""

    def make(cases: dict[str, Any]) -> Any:
        name = next(PACKAGES)
        source = "from pigeon.connector import Pigeon\n\nclass Flock(Pigeon):\n    name = 'pigeon'\n"
        write_package(tmp_path / name, source, cases)
        monkeypatch.syspath_prepend(tmp_path)
        return import_module(name).Flock

    return make


def test_cases_are_read_by_kind() -> None:
    cases = load_cases(Pigeon)
    assert cases.settings == Pigeon.settings_model.model_validate(SETTINGS)
    assert [case.name for case in cases.polls] == ["a page", "nothing new"]
    assert {case.call for case in cases.calls} == {"probe"}
    assert {case.name for case in cases.inbound if case.is_handshake} == {"handshake", "a signed handshake"}
    (first, *_) = cases.inbound
    assert isinstance((first.events or ())[0], InteractionReceived)
    assert first.payload.payload.header("pigeon-timestamp") == "1772359205"
    assert str(first) == "cases/inbound.json, case 'a sealed letter'"


def test_connectors_of_one_package_have_a_folder_each() -> None:
    assert folder_of(Dove).name == "dove"
    assert folder_of(Pigeon).name == "cases"
    assert len(load_crm_cases(Ledger).calls) == 7


def test_optional_files_are_read(flock: Any) -> None:
    cases = load_cases(
        flock(
            {
                "settings.json": SETTINGS,
                "facts.json": {"own_account": "loft-1"},
                "credentials.json": {"access_token": "at"},
                "exempt.json": {"flows_end": "pigeons never rest"},
            }
        )
    )
    assert cases.facts is not None
    assert cases.facts.own_account == "loft-1"
    assert cases.credentials is not None
    assert cases.exempt == {"flows_end": "pigeons never rest"}


def test_a_package_without_cases_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare_bird.py").write_text(
        "from socialsupport_core.contract import Connector, Settings\n"
        "class Bare(Connector[Settings]):\n    name = 'bare'\n    settings_model = Settings\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="Bare ships no golden cases: its package bare_bird needs cases/settings"):
        load_cases(import_module("bare_bird").Bare)


STEP = {"request": {"method": "GET", "url": "https://x.example"}, "response": {}}
WRONG: list[tuple[Any, str]] = [
    ({"name": "n", "source": "ours"}, "case 'n': it needs one of the keys payload, intent, poll, stream, call"),
    ("text", "case 'that is no object': it needs one of the keys"),
    ({**GOOD, "source": ""}, "source: must have at least 1 character"),
    ({**GOOD, "pages": 1}, "pages: there is no such key; did you mean page?"),
    ({**GOOD, "exchange": [{**STEP, "answr": 1}]}, "exchange.0.answr: there is no such key; did you mean answer?"),
    (
        {**GOOD, "exchange": [{"ask": {"type": "Wait"}, "raises": "Uncertian"}]},
        "exchange.0: 'Uncertian' is not a DeliveryError; did you mean Uncertain?",
    ),
    ({**GOOD, "error": {"type": "X"}}, "a poll case ends in a page or in an error"),
    ({**GOOD, "exchange": [{"answer": 1}]}, "has either a request and its response, or an ask"),
    ({**GOOD, "exchange": [{"request": STEP["request"]}]}, "this request has no response"),
    ({**GOOD, "exchange": [{"ask": {}}]}, "an ask names its class"),
    (
        {**GOOD, "exchange": [{**STEP, "request": {**STEP["request"], "json": 1, "text": "1"}}]},
        "a request has one content",
    ),
    (
        {
            "name": "n",
            "source": "ours",
            "events": [],
            "reply": {"json": 1, "body": "1"},
            "payload": {"received_at": "2026-01-01T00:00:00Z"},
        },
        "reply: a reply has one content: body or json",
    ),
    (
        {"name": "n", "source": "ours", "call": "dance"},
        "there is no call 'dance'; there is: connect, connect_with, exchange",
    ),
    ({"name": "n", "source": "ours", "call": "profile"}, "profile takes identifier"),
    (
        {"name": "n", "source": "ours", "call": "probe", "arguments": {"a": 1}, "result": {}},
        "probe takes no arguments",
    ),
    (
        {"name": "n", "source": "ours", "call": "probe", "result": {"own": 1}},
        "result.own: there is no such key; there is: extra, handle, limits, name, own_account",
    ),
    (
        {"name": "n", "source": "ours", "payload": {"received_at": "2026-01-01T00:00:00Z"}},
        "an inbound case ends in events",
    ),
    (
        {"name": "n", "source": "ours", "payload": {"method": "GET", "received_at": "2026-01-01T00:00:00Z"}},
        "a GET case ends in a reply or in an error",
    ),
    (
        {"name": "n", "source": "ours", "payload": {"received_at": "2026-01-01T00:00:00"}, "events": []},
        "payload.received_at: says no time zone; add Z or +01:00",
    ),
]


@pytest.mark.parametrize(("case", "told"), WRONG, ids=[told[:40] for _, told in WRONG])
def test_a_wrong_case_is_told_with_its_place(case: Any, told: str, flock: Any) -> None:
    connector = flock({"settings.json": SETTINGS, "wrong.json": [GOOD | {"name": "right"}, case]})
    with pytest.raises(ConfigError) as caught:
        load_cases(connector)
    assert "cases/wrong.json" in str(caught.value)
    assert told in str(caught.value)


def test_a_name_given_twice_is_told(flock: Any) -> None:
    connector = flock({"settings.json": SETTINGS, "a.json": GOOD, "b.json": [GOOD]})
    with pytest.raises(ConfigError, match=r"cases/b.json, case 'n': the name is taken by a case in a.json"):
        load_cases(connector)


def test_files_that_are_not_json_are_told(flock: Any) -> None:
    connector = flock({"settings.json": SETTINGS})
    folder = Path(sys.modules[connector.__module__].__file__ or "").parent / "cases"
    (folder / "broken.json").write_text("{")
    with pytest.raises(ConfigError, match=r"cases/broken.json is not JSON"):
        load_cases(connector)


def test_wrong_settings_are_told_without_their_values(flock: Any) -> None:
    connector = flock({"settings.json": {**SETTINGS, "lofty": "secret-value-9"}})
    with pytest.raises(
        ConfigError, match=r"cases/settings.json: lofty: there is no such key; did you mean loft"
    ) as caught:
        load_cases(connector)
    assert "secret-value-9" not in str(caught.value)


@pytest.mark.parametrize("exempt", [{"flows_end": ""}, ["flows_end"], {"flows_end": 1}])
def test_an_exemption_needs_its_reason(exempt: Any, flock: Any) -> None:
    with pytest.raises(ConfigError, match=r"cases/exempt.json: write"):
        load_cases(flock({"settings.json": SETTINGS, "exempt.json": exempt}))


def test_cases_that_cannot_be_read_are_one_failure(flock: Any) -> None:
    report = check(flock({"settings.json": SETTINGS, "wrong.json": {}}))
    assert [(result.name, result.message.splitlines()[0]) for result in report.failed] == [
        ("the_cases_can_be_read", "cases/wrong.json, case 'without a name': it needs one of the keys payload, "
                                  "intent, poll, stream, call")
    ]  # fmt: skip


def test_an_exempt_property_is_skipped_with_its_reason(flock: Any) -> None:
    names = ("settings.json", "inbound.json", "outbound.json", "flows.json")
    connector = flock({**{name: golden(name) for name in names}, "exempt.json": {"ids_are_stable": "no ids there"}})
    (result,) = check(connector, only=["ids_are_stable"]).results
    assert (result.outcome, result.message) == ("skipped", "exempt: no ids there")


@pytest.mark.parametrize(("change", "told"), [
    ({"token": "short"}, "shorter than 8 characters"),
    ({"token": SETTINGS["signing_secret"]}, "two fake secrets are the same"),
])  # fmt: skip
def test_fake_secrets_that_cannot_be_looked_for_are_told(change: dict[str, str], told: str, flock: Any) -> None:
    report = check(flock({"settings.json": SETTINGS | change}), only=["the_fake_secrets_can_be_looked_for"])
    assert [told in result.message for result in report.failed] == [True]


def spoilt(name: str, change: Any) -> dict[str, Any]:
    """The golden files with the last case of one of them changed."""
    names = ("settings.json", "inbound.json", "outbound.json", "flows.json")
    files = {each: golden(each) for each in names}
    files[name][-1] = json.loads(json.dumps(change(files[name][-1])))
    return files


@pytest.mark.parametrize(
    ("name", "change", "failing"),
    [
        ("inbound.json", lambda case: {**case, "reply": {"body": "boo"}}, "handshake_cases"),
        ("inbound.json", lambda case: {**case, "reply": {"status": 201, "body": "4711"}}, "handshake_cases"),
        ("inbound.json", lambda case: {**case, "reply": {"json": {"nest": 4711}}}, "handshake_cases"),
        (
            "inbound.json",
            lambda case: {**case, "reply": {"body": "4711", "headers": {"Content-Type": "text/html"}}},
            "handshake_cases",
        ),
        ("flows.json", lambda case: {**case, "result": {"name": "Another"}}, "call_cases"),
        ("flows.json", lambda case: {**case, "error": {"type": "Forbidden"}}, "call_cases"),
        ("flows.json", lambda case: {**case, "exchange": case["exchange"] * 2}, "call_cases"),
        ("flows.json", lambda case: {**case, "exchange": []}, "call_cases"),
        ("outbound.json", lambda case: {**case, "receipt": {"native_id": "other"}}, "outbound_cases"),
    ],
)
def test_a_golden_case_that_differs_fails(name: str, change: Any, failing: str, flock: Any) -> None:
    report = check(flock(spoilt(name, change)), only=[failing])
    assert len(report.failed) == 1
    assert report.failed[0].case


@pytest.mark.parametrize(
    "reply",
    [{"body": "4711"}, {"json": 4711}, {"status": 200, "body": "4711", "headers": {"Content-TYPE": "text/plain"}}],
)
def test_a_reply_may_be_given_by_bytes_or_as_json(reply: Any, flock: Any) -> None:
    files = spoilt("inbound.json", lambda case: {**case, "reply": reply})
    report = check(flock(files), only=["handshake_cases"])
    assert report.failed == ()
    assert report.passed


def test_a_reply_that_differs_shows_only_what_is_compared(flock: Any) -> None:
    files = spoilt("inbound.json", lambda case: {**case, "reply": {"json": {"nest": 4711}}})
    (failed,) = check(flock(files), only=["handshake_cases"]).failed
    assert '-    "nest": 4711' in failed.message
    assert '+  "json": 4711' in failed.message
    assert "content-type" not in failed.message


def test_a_golden_page_that_differs_fails(flock: Any) -> None:
    files = spoilt("flows.json", lambda case: case)
    files["flows.json"][0]["page"]["cursor"] = "c-3"
    (failed,) = check(flock(files), only=["poll_cases"]).failed
    assert '-  "cursor": "c-3"' in failed.message
    assert '+  "cursor": "c-2"' in failed.message

"""The golden cases of the installed plugins, through the command."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.pipeline.plan import make_plan
from socialsupport_core.testing import load_cases
from socialsupport_core.testing.cases import Inbound, Outbound
from socialsupport_core.testing.loading import folder_of

CONNECTORS = sorted(Registry.discover().connectors.items())


@pytest.fixture(autouse=True)
def registry() -> None:
    """Nothing is replaced here: the verbs find what is installed."""


@pytest.fixture(params=[kind for _, kind in CONNECTORS], ids=[name for name, _ in CONNECTORS])
def plugin(request: pytest.FixtureRequest) -> Any:
    try:
        load_cases(request.param)
    except ConfigError as error:
        pytest.skip(str(error))
    return request.param


def arguments(case: Inbound, folder: Path) -> list[str]:
    given = case.payload
    file = folder / "payload"
    file.write_bytes(given.payload.body)
    headers = [part for name, value in given.headers.items() for part in ("--header", f"{name}: {value}")]
    at = ("--at", given.received_at.isoformat(), "--source", given.source)
    method = ("--method", given.method) if given.method else ()
    return [str(file), *headers, *at, "--url", given.url, *method]


def test_golden_payloads_are_verified_and_translated(run: Any, plugin: Any, tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    settings.write_bytes((folder_of(plugin) / "settings.json").read_bytes())
    for case in load_cases(plugin).inbound:
        if case.is_handshake or case.payload.method not in {"GET", "POST", ""} or load_cases(plugin).facts:
            continue
        given = arguments(case, tmp_path)
        ran = run("translate", plugin.name, *given, "--settings", str(settings))
        if case.error:
            assert ran.status == 1, case
            assert ran.lines[-1]["error"]["type"] == case.error.type, case
            continue
        events = [json.loads(event.to_json()) for event in case.events or ()]
        assert (ran.status, ran.err) == (0, ""), case
        assert ran.lines == [{**event, "source": given[0]} for event in events], case


def test_golden_payloads_are_translated_with_placeholders(run: Any, plugin: Any, tmp_path: Path) -> None:
    genuine = [case for case in load_cases(plugin).inbound if case.events]
    for case in genuine[:5]:
        ran = run("translate", plugin.name, *arguments(case, tmp_path))
        assert [line.get("type") for line in ran.lines] == [event.type for event in case.events or ()], case
        assert "placeholders stand in for" in ran.err


def answers(case: Outbound) -> list[Any]:
    found = []
    for step in case.exchange:
        if step.response:
            found.append(step.response.model_dump(mode="json", by_alias=True, exclude_unset=True))
        elif step.raises:
            found.append({"raises": step.raises})
        elif step.ask and step.ask["type"] not in {"Wait", "ReadBlob"}:
            found.append({"answer": step.answer})
    return found


def test_golden_intents_are_composed_to_their_end(run: Any, plugin: Any, tmp_path: Path) -> None:
    intent, said = tmp_path / "intent.json", tmp_path / "answers.json"
    cases = load_cases(plugin)
    for case in cases.outbound:
        parts = [part.intent for part in make_plan(plugin(cases.settings, cases.facts), case.intent).parts]
        needs_blobs = bool(getattr(case.intent, "attachments", ()))
        if needs_blobs or parts not in ([], [case.intent]):
            continue
        intent.write_text(case.intent.to_json())
        said.write_text(json.dumps(answers(case)))
        ran = run("compose", plugin.name, str(intent), "--answers", str(said))
        requests = [step.request for step in case.exchange if step.request]
        shown = [(line["method"], line["url"]) for line in ran.lines if "method" in line]
        assert shown[: len(requests)] == [(one.method, one.url) for one in requests], case
        end = ran.lines[-1]
        if case.receipt:
            assert end == {"receipt": case.receipt.model_dump(mode="json", exclude_none=True)}, case
        else:
            assert case.error is not None
            assert end["error"]["type"] == case.error.type, case


def test_golden_intents_that_are_sent_are_planned_as_possible(plugin: Any) -> None:
    cases = load_cases(plugin)
    connector = plugin(cases.settings, cases.facts)
    for case in cases.outbound:
        plan = make_plan(connector, case.intent)
        if case.receipt:
            assert plan.possible, (case, plan.obstacles)
            assert [part.intent for part in plan.parts] == [case.intent], case


def test_the_console_script_is_there() -> None:
    assert shutil.which("socialsupport", path=str(Path(sys.executable).parent))

"""From nothing to a plugin that passes, without a line changed."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from socialsupport_core.contract import ConfigError, MalformedPayload, drive
from socialsupport_core.model import Payload, SendMessage
from socialsupport_core.testing import new_connector, new_crm
from socialsupport_core.testing.check import check, check_crm
from socialsupport_core.testing.folder import plugin_at
from socialsupport_core.testing.tiers import standing_of, verdict
from socialsupport_core.testing.truth import truth_of

FIFTEEN_MINUTES = 60
"""Lines that an integrator reads in the time that they have."""
ROOT = Path(__file__).parents[2]


def test_a_new_connector_passes(tmp_path: Path) -> None:
    folder = new_connector("acme_chat", tmp_path)
    report = check(plugin_at(folder).connector("acme_chat"))
    assert report.failed == ()
    assert report.passed
    assert report.subject == "acme_chat"


@pytest.mark.parametrize("make", [new_connector, new_crm])
@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("telegram", "socialsupport-telegram"),
        ("memory", "socialsupport-memorycrm"),
        ("memorycrm", "socialsupport-memorycrm"),
        ("triage_sklearn", "socialsupport-triage-sklearn"),
    ],
)
def test_a_name_that_a_plugin_has_is_refused(
    make: Callable[[str, Path], Path], name: str, owner: str, tmp_path: Path
) -> None:
    pytest.importorskip(owner.replace("-", "_"))
    with pytest.raises(ConfigError, match=f"the name {name} is taken by {owner}; .* choose another"):
        make(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [new_connector, new_crm])
def test_a_new_plugin_is_bronze_and_tells_what_stands_behind_it(
    make: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    folder = make("acme_tier", tmp_path)
    registry = plugin_at(folder)
    (kind,) = [*registry.connectors.values(), *registry.crms.values()]
    standing = standing_of(kind, "green")
    assert verdict(standing).tier == "bronze"
    assert set(standing.surfaces.values()) == {"simulator"}
    assert "cases/truth.json gives no source" in str(verdict(standing))
    told = truth_of(kind)
    assert told
    for proof in [one for every in told.surfaces.values() for one in every]:
        file, _, name = proof.test.partition("::")
        assert f"class {name}(" in (folder / file).read_text()


def test_why_it_cannot_read_something_repeats_nobody(tmp_path: Path) -> None:
    (plugin,) = plugin_at(new_connector("ptarmigan", tmp_path)).connectors.values()
    settings = {"token": "a-fake-token", "signing_secret": "a-fake-signing-secret"}
    body = b'{"id": "m-1", "account": "a", "chat": "c", "from": "kerry", "text": ["my own words"], "at": "2026-01-01T10:00:00Z"}'
    payload = Payload(body=body, received_at=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(MalformedPayload) as refused:
        plugin(plugin.settings_model.model_validate(settings)).parse(payload)
    assert "words" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_new_connector_is_short(tmp_path: Path) -> None:
    source = new_connector("acme", tmp_path) / "socialsupport_acme" / "connector.py"
    assert len(source.read_text().splitlines()) < FIFTEEN_MINUTES
    assert max(map(len, source.read_text().splitlines())) <= 120


def test_a_new_crm_passes(tmp_path: Path) -> None:
    registry = plugin_at(new_crm("acme_desk", tmp_path))
    report = check_crm(registry.crm("acme_desk"), registry.simulators["acme_desk"])
    assert report.failed == ()
    assert {"a_conversation_is_one_case", "a_key_is_one_record"} <= {
        result.name for result in report.results if result.outcome == "passed"
    }


def test_the_simulator_and_the_connector_understand_each_other(tmp_path: Path) -> None:
    registry = plugin_at(new_connector("acme_loop", tmp_path))
    cls = registry.connector("acme_loop")
    connector = cls(cls.settings_model.model_validate({"token": "t-12345678", "signing_secret": "s-12345678"}))
    simulator = registry.simulators["acme_loop"](connector.settings)
    simulator.speak("kerry", "Where is my parcel?")
    (payload,) = simulator.due()
    connector.verify(payload)
    (event,) = connector.parse(payload)
    assert event.interaction.text == "Where is my parcel?"
    intent = SendMessage(
        key="k-1",
        own_account=event.own_account,
        thread=event.interaction.thread,
        recipient=event.interaction.author,
        text="On its way.",
    )
    receipt = drive(connector.send(intent), simulator.handle, connector.failure)
    assert receipt.native_id == simulator.said[-1].id
    assert [said.text for said in simulator.heard("kerry")] == ["Where is my parcel?", "On its way."]


@pytest.mark.parametrize("kind", [new_connector, new_crm])
def test_its_own_tests_pass_where_they_are(kind: object, tmp_path: Path) -> None:
    folder = kind("acme", tmp_path)  # type: ignore[operator]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout


@pytest.mark.parametrize("name", ["", "Acme", "9acme", "acme-chat", "acme chat", "../acme", "acme_", "a" * 41, "ä"])
def test_a_bad_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no name for a plugin"):
        new_connector(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "socialsupport-acme").mkdir()
    with pytest.raises(ConfigError, match="exists already"):
        new_crm("acme", tmp_path)
    assert list((tmp_path / "socialsupport-acme").iterdir()) == []

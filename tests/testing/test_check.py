"""The kit without a test file, and as pytest sees it."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pigeon.connector import Pigeon
from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, MalformedPayload
from socialsupport_core.model import Event, Payload
from socialsupport_core.testing import ConnectorConformance, CRMConformance
from socialsupport_core.testing import check as module
from socialsupport_core.testing.problems import crashed


class Silent(Pigeon):
    def verify(self, payload: Any) -> None:
        pass


def test_a_report_names_property_case_and_sentence() -> None:
    report = module.check(Pigeon, only=["inbound_cases", "a_near_miss_is_refused"])
    assert report.subject == "pigeon"
    assert report.passed
    assert report.failed == ()
    first = next(result for result in report.results if result.case)
    assert (first.name, first.case, first.outcome) == ("inbound_cases", "a sealed letter", "passed")
    assert first.sentence == "A golden payload is verified and gives exactly its events."
    assert first.duration >= 0
    (skipped,) = report.skipped
    assert (skipped.name, skipped.message) == ("a_near_miss_is_refused", "there is no shared secret")


def test_a_failure_says_what_to_do() -> None:
    report = module.check(Silent, only=["an_old_payload_is_refused", "inbound_cases"])
    assert not report.passed
    (forged,) = [result for result in report.failed if result.name == "inbound_cases"]
    assert forged.case == "forged"
    assert forged.message.startswith("cases/inbound.json, case 'forged': SignatureError was expected")


class Clumsy(Pigeon):
    """What newcomers do: a field that is not there, and pydantic's many lines passed on."""

    def event(self, note: Any, payload: Payload) -> Event:
        return note["colour"] if note["type"] == "burnt" else super().event({**note, "letter": None}, payload)

    def parse(self, payload: Payload) -> Any:
        try:
            return list(self.events(payload))
        except ValidationError as error:
            raise MalformedPayload(f"not a letter: {error}") from error


def test_what_a_connector_raises_is_told_in_one_line_with_its_place() -> None:
    told = {result.case: result.message for result in module.check(Clumsy, only=["inbound_cases"]).failed}
    assert "\n" not in told["a sealed letter"]
    assert "a good end was expected, it raised MalformedPayload: not a letter: " in told["a sealed letter"]
    assert "native_id: must be a text" in told["a sealed letter"]
    assert "input_value" not in told["a sealed letter"]
    assert told["burnt, landed, unknown"].startswith("cases/inbound.json, case 'burnt, landed, unknown': it raised ")
    assert f"KeyError: 'colour' ({Path(__file__).name}, line " in told["burnt, landed, unknown"]


class Falling(Pigeon):
    @property
    def hosts(self) -> frozenset[str]:
        raise RuntimeError("no [wings]\nat all")


def test_what_is_raised_where_nothing_may_be_is_one_line_and_no_dump() -> None:
    report = module.check(Falling, only=["requests_stay_on_declared_hosts"])
    (told,) = {result.message for result in report.failed}
    assert told.startswith(f"`hosts` raised RuntimeError: no [wings] at all ({Path(__file__).name}, line ")
    assert told.endswith("and it must answer")


def test_a_line_of_an_installed_plugin_is_found(tmp_path: Path) -> None:
    """Not one of the libraries beside it."""
    source = "def fall():\n    raise RuntimeError('no wings')\n"
    errors = []
    for package in ("wings", "socialsupport_wings"):
        file = tmp_path / "site-packages" / package / "connector.py"
        namespace: dict[str, Any] = {}
        exec(compile(source, str(file), "exec"), namespace)
        with pytest.raises(RuntimeError) as caught:
            namespace["fall"]()
        caught.value.__traceback__ = caught.tb.tb_next
        errors.append(caught.value)
    assert crashed(errors[0], "socialsupport_wings") is None
    assert (crashed(errors[1], "socialsupport_wings") or "").startswith(
        "`fall` raised RuntimeError: no wings (connector.py, line 2)"
    )


def test_how_far_it_is_can_be_followed() -> None:
    heard: list[tuple[int, int]] = []
    report = module.check(Pigeon, only=["inbound_cases"], told=lambda done, total: heard.append((done, total)))
    total = len(report.results)
    assert heard == [(number, total) for number in range(1, total + 1)]
    assert total > 2


def test_two_checks_do_not_get_mixed_up() -> None:
    names = ["no_proof_can_be_missing", "nothing_unsigned_is_let_in"]
    assert module.check(Pigeon, only=names).passed
    assert not module.check(Silent, only=names).passed
    assert module.check(Pigeon, only=names).passed


def test_nothing_passed_is_not_passed() -> None:
    assert not module.check(Pigeon, only=["a_near_miss_is_refused"]).passed


def test_an_unknown_property_is_told() -> None:
    with pytest.raises(ConfigError, match="could not run on pigeon"):
        module.check(Pigeon, only=["no_such_property"])


def test_the_kit_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"needs pytest and hypothesis; install the extra: .*socialsupport\[testing\]"
    ):
        module.check(Pigeon)


@pytest.mark.parametrize("kit", [ConnectorConformance, CRMConformance])
def test_each_property_has_one_name_and_one_sentence(kit: type) -> None:
    defined = [name for cls in kit.__mro__ for name in vars(cls) if name.startswith("test_")]
    assert [name for name, times in Counter(defined).items() if times > 1] == []
    for name in defined:
        sentence = getattr(kit, name).__doc__ or ""
        assert sentence.splitlines()[0].endswith("."), name


@pytest.mark.parametrize("kit", [ConnectorConformance, CRMConformance])
def test_no_helper_hides_another(kit: type) -> None:
    mixins = [cls for cls in kit.__mro__[1:] if cls.__module__.startswith("socialsupport_core.testing")]
    for cls in mixins:
        own = {name for name in vars(cls) if name.startswith("_") and not name.startswith("__")}
        for other in mixins:
            shared = own & set(vars(other)) if not issubclass(cls, other) and not issubclass(other, cls) else set()
            assert not shared - {"_abc_impl"}, f"{cls.__name__} and {other.__name__} both have {shared}"


def test_the_pytest_plugin_is_light() -> None:
    code = (
        "import sys, socialsupport_core.testing.pytest_plugin\n"
        "heavy = {'httpx', 'pydantic', 'hypothesis', 'socialsupport_core.contract'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.strip() == ""


@pytest.mark.parametrize(("marker", "chosen"), [("conformance", True), ("not conformance", False)])
def test_the_kit_can_be_chosen_by_its_marker(marker: str, chosen: bool) -> None:
    file = Path(__file__).with_name("test_pigeon.py")
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", marker, str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ("test_ids_are_stable" in ran.stdout) is chosen, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", ["Simulator", "ConnectorConformance", "load_cases", "new_connector"])
def test_what_authors_need_is_in_one_place(name: str) -> None:
    import socialsupport_core.testing as kit

    assert name in kit.__all__
    assert getattr(kit, name).__name__ == name


def test_what_is_not_there_is_told() -> None:
    import socialsupport_core.testing as kit

    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = kit.Nonsense

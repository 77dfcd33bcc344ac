"""One broken plugin stays one broken plugin, and says what is wrong with it."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from socialsupport_core.contract import ConfigError, Connector, Registry, Settings, hookimpl
from socialsupport_core.model import Capabilities, Event, Payload

HEAD = "from socialsupport_core.contract import Connector, Settings, hookimpl\nfrom socialsupport_core.model import *\n"
GOOD = """
class Good(Connector[Settings]):
    name = "good"
    settings_model = Settings
    capabilities = Capabilities()

@hookimpl
def socialsupport_connectors():
    return [Good]
"""


def discovered(folder: Path, monkeypatch: pytest.MonkeyPatch, **plugins: str) -> Registry:
    """The registry of a machine on which exactly these plugins are installed, given by their source."""
    entries = []
    for name, source in plugins.items():
        (folder / f"installed_{folder.name.replace('-', '_')}_{name}.py").write_text(source)
        entries.append(EntryPoint(name, f"installed_{folder.name.replace('-', '_')}_{name}", "socialsupport"))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr("socialsupport_core.contract.registry.entry_points", lambda group: entries)
    return Registry.discover()


BROKEN = {
    "raises": ("raise RuntimeError('no licence')", "RuntimeError while loading: no licence"),
    "exits": ("raise SystemExit(3)", "SystemExit while loading"),
    "lacks": ("import a_library_that_is_not_there", "ModuleNotFoundError while loading: No module named"),
    "writes": ("def f(:", "SyntaxError while loading"),
    "misspells": (HEAD + GOOD.replace("socialsupport_connectors", "socialsupport_conectors"), "did you mean"),
    "unmarked": (HEAD + GOOD.replace("@hookimpl\n", ""), "write @hookimpl above it"),
    "argues": (HEAD + GOOD.replace("_connectors():", "_connectors(settings):"), "settings"),
    "elsewhere": (HEAD + GOOD.replace("    name = ", "    contract = 99\n    name = "), "this is contract 1"),
    "nameless": (HEAD + GOOD.replace('    name = "good"\n', ""), "Good declares no name"),
    "other": (HEAD + GOOD.replace("[Good]", "[str]"), "is not a subclass of Connector"),
    "twice": (HEAD + GOOD.replace("[Good]", "[Good, Good]"), "two connectors named 'good'"),
    "claims": (HEAD + "C = Capabilities(events=frozenset({'reaction.remove'}))", "'reaction.remove'"),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_listed_with_its_reason_and_the_others_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    registry = discovered(tmp_path, monkeypatch, a_broken=source, good=HEAD + GOOD)
    (broken,) = registry.broken
    assert broken.plugin == "a_broken"
    assert reason in broken.reason
    assert "\n" not in broken.reason
    assert "https://" not in broken.reason
    assert list(registry.connectors) == ["good"]


def test_it_says_where_in_the_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (broken,) = discovered(tmp_path, monkeypatch, claims=BROKEN["claims"][0]).broken
    assert broken.reason.endswith("claims.py, line 3)")


def test_of_two_plugins_of_one_name_the_first_in_the_alphabet_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = discovered(tmp_path, monkeypatch, zebra=HEAD + GOOD, aardvark=HEAD + GOOD)
    assert list(registry.plugins) == ["aardvark"]
    assert [(one.plugin, one.reason) for one in registry.broken] == [
        ("zebra", "connector 'good' is already provided by another plugin")
    ]


def test_only_what_is_named_is_loaded_and_what_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    discovered(tmp_path, monkeypatch, good=HEAD + GOOD, raises=BROKEN["raises"][0])
    registry = Registry.discover(only=["good", "absent"])
    assert list(registry.connectors) == ["good"]
    assert [one.plugin for one in registry.broken] == ["absent"]
    assert "is not installed" in registry.broken[0].reason


class Wren(Connector[Settings]):
    name = "wren"
    settings_model = Settings
    capabilities = Capabilities()

    def parse(self, payload: Payload) -> Iterable[Event]:
        return ()


def test_an_unknown_connector_is_answered_with_the_nearest() -> None:
    @hookimpl
    def socialsupport_connectors() -> list[type[Connector[Any]]]:
        return [Wren]

    registry = Registry.of(SimpleNamespace(__name__="birds", socialsupport_connectors=socialsupport_connectors))
    assert registry.connector("wren") is Wren
    with pytest.raises(ConfigError, match=r"there is no connector 'wrenn'; did you mean wren\?"):
        registry.connector("wrenn")

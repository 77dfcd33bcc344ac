import json
from typing import Any

import pytest

from socialsupport_core.contract import CRM, Broken, Settings


class Ledger(CRM[Settings]):
    name = "ledger"
    settings_model = Settings


@pytest.fixture
def crowded(registry: Any) -> Any:
    """A CRM adapter and a broken plugin beside the connector."""
    registry.crms["ledger"] = Ledger
    registry.plugins["ledger"] = "0.9"
    registry.broken.append(Broken("heron", "ImportError while loading: no [wings]"))
    return registry


def test_claims_are_shown_with_the_three_marks(run: Any, crowded: Any) -> None:
    ran = run("plugins")
    assert (ran.status, ran.err) == (0, "")
    rows: dict[str, list[str]] = {}
    for line in filter(None, map(str.split, ran.out.splitlines())):
        rows.setdefault(line[0], line[1:])
    assert rows["parrot"] == ["1.2", "connector", "parrot"]
    assert rows["ledger"] == ["0.9", "CRM", "ledger"]
    assert rows["interaction.received"] == ["✓"]
    assert rows["react"] == ["–"]
    assert rows["edit.message"] == ["not", "yet"]
    assert rows["receives"] == ["file,", "webhook"]
    assert rows["text"] == ["40", "characters"]
    assert ran.out.count("the README has no") == 2  # of the connector, and of the CRM adapter
    assert rows["heron"] == ["ImportError", "while", "loading:", "no", "[wings]"]


@pytest.mark.parametrize("width", [80, 60])
def test_no_word_is_broken(run: Any, registry: Any, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for name in ("goldfinch", "nightingale", "kingfisher", "woodpecker", "wagtail"):
        registry.connectors[name] = type(name, (registry.connectors["parrot"],), {"name": name})
    out = run("plugins").out
    assert max(map(len, out.splitlines())) <= width
    assert {"interaction.received", "shared_secret", "nightingale", "characters", "erasure.requested"} <= set(
        out.split()
    )
    assert out.count("interaction.received") > 1


def test_as_json(run: Any, crowded: Any) -> None:
    said = json.loads(run("plugins", "--json").out)
    assert said["plugins"] == {"parrot": "1.2", "ledger": "0.9"}
    (ledger,) = said["crms"]
    assert (ledger["name"], ledger["contract"], ledger["tier"]) == ("ledger", 1, "none")
    assert ledger["surfaces"] == {"verbs": None}
    assert said["broken"] == [{"plugin": "heron", "reason": "ImportError while loading: no [wings]"}]
    (parrot,) = said["connectors"]
    assert (parrot["name"], parrot["verification"], parrot["sends"]) == ("parrot", "shared_secret", ["private"])
    assert parrot["surfaces"] == {"webhook": None, "file": None, "verification": None, "sending": None}
    assert parrot["missing"][0].startswith("the README has no section Set up")
    assert parrot["text"] == {"limit": 40, "unit": "characters"}
    assert parrot["events"]["unrecognised"] == "yes"
    assert parrot["intents"] == {
        "send.message": "yes",
        "edit.message": "not_implemented",
        "delete.message": "not_implemented",
        "react": "unsupported",
        "open.private": "not_implemented",
        "mark.read": "not_implemented",
        "typing": "yes",
    }


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_strict_fails_on_a_broken_plugin(run: Any, crowded: Any, more: tuple[str, ...]) -> None:
    assert run("plugins", "--strict", *more).status == 1
    crowded.broken.clear()
    assert run("plugins", "--strict", *more).status == 0


def test_a_broken_plugin_is_explained_where_it_is_asked_for(run: Any, crowded: Any) -> None:
    ran = run("check", "heron")
    assert ran.status == 1
    assert ran.err == "socialsupport: the plugin heron cannot be used: ImportError while loading: no [wings]\n"


def test_with_nothing_installed_it_says_what_to_do(run: Any, registry: Any) -> None:
    registry.plugins.clear()
    registry.connectors.clear()
    assert run("plugins").out == "no plugin is installed; install one, such as socialsupport-telegram\n"


def test_a_connector_under_another_name_belongs_to_its_package(run: Any, registry: Any) -> None:
    kind = type("Stork", (registry.connectors.pop("parrot"),), {"name": "stork", "__module__": "socialsupport_birds.x"})
    registry.connectors["stork"] = kind
    registry.plugins = {"birds": "3"}
    assert "connector stork" in run("plugins").out

"""One broken plugin stays one broken plugin, and is listed with a reason that tells what to do."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialsupport_core.contract import ConfigError, Registry

HEAD = """
from socialsupport_core.contract import Connector, Settings, hookimpl
from socialsupport_core.model import Capabilities

class {cls}(Connector):
    name = "{name}"
    settings_model = Settings
    capabilities = Capabilities()
    contract = {contract}

    def parse(self, payload):
        return ()

"""
GOOD = HEAD + "@hookimpl\ndef socialsupport_connectors():\n    return [{cls}]\n"


def good(name: str, contract: str = "1") -> str:
    return GOOD.format(cls=name.capitalize(), name=name, contract=contract)


BROKEN = {
    "raises": ("raise RuntimeError('no luck')", "RuntimeError while loading: no luck"),
    "exits": ("import sys; sys.exit(3)", "SystemExit while loading: 3"),
    "syntax": ("def broken(:", "SyntaxError"),
    "imports": ("import no_such_module_anywhere", "no_such_module_anywhere"),
    "misspelt": (good("wren").replace("port_connectors", "port_conectors"), "did you mean socialsupport_connectors?"),
    "unmarked": (good("wren").replace("@hookimpl\n", ""), "socialsupport_connectors lacks its marker; write @hookimpl"),
    "newer": (good("wren", "2"), "written for contract 2, this is contract 1; install the release"),
    "nameless": (good("wren").replace('    name = "wren"\n', ""), "Wren declares no name"),
    "no_class": (good("wren").replace("[Wren]", "['Wren']"), "is not a subclass of Connector"),
    "twice": (good("wren").replace("[Wren]", "[Wren, Wren]"), "provides two connectors named 'wren'"),
    "hook_raises": (good("wren").replace("return [Wren]", "raise KeyError('wren')"), "KeyError"),
    "hook_asks": (good("wren").replace("connectors():", "connectors(everything):"), "everything"),
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Installs modules as distributions whose entry points lead to them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def put(plugin: str, source: str, version: str = "1.2") -> None:
        module = f"bird_{plugin}"
        made.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[socialsupport]\n{plugin} = {module}\n")

    yield put
    for module in made:
        sys.modules.pop(module, None)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_listed_and_the_others_load(install: object, kind: str) -> None:
    source, reason = BROKEN[kind]
    install("aaa", source)  # type: ignore[operator]
    install("zzz", good("zebra"))  # type: ignore[operator]
    found = Registry.discover(only=["aaa", "zzz"])
    assert list(found.connectors) == ["zebra"]
    assert found.plugins == {"zzz": "1.2"}
    (broken,) = found.broken
    assert broken.plugin == "aaa"
    assert reason in broken.reason
    with pytest.raises(ConfigError, match="the plugin aaa cannot be used"):
        found.connector("aaa")


def test_of_two_of_one_name_the_first_stays(install: object) -> None:
    install("aaa", good("wren"))  # type: ignore[operator]
    install("bbb", good("wren"))  # type: ignore[operator]
    found = Registry.discover(only=["aaa", "bbb"])
    assert found.connectors["wren"].__module__ == "bird_aaa"
    assert [(one.plugin, one.reason) for one in found.broken] == [
        ("bbb", "connector 'wren' is already provided by another plugin")
    ]


def test_only_what_is_named_is_even_imported(install: object) -> None:
    install("aaa", good("wren"))  # type: ignore[operator]
    install("bbb", "raise RuntimeError('must not be imported')")  # type: ignore[operator]
    found = Registry.discover(only=["aaa"])
    assert (list(found.plugins), found.broken) == (["aaa"], [])
    assert "bird_bbb" not in sys.modules
    assert list(Registry.discover(only=[]).plugins) == []


def test_a_plugin_may_be_named_by_what_it_provides(install: object) -> None:
    install("aaa", good("wren"))  # type: ignore[operator]
    install("bbb", good("robin"))  # type: ignore[operator]
    install("ccc", "raise RuntimeError('nobody asks for it')")  # type: ignore[operator]
    found = Registry.discover(only=["robin"])
    assert (list(found.connectors), list(found.plugins), found.broken) == (["robin"], ["bbb"], [])
    assert list(Registry.discover(only=["robin", "bbb"]).plugins) == ["bbb"]


def test_what_is_not_installed_is_told_with_what_is() -> None:
    found = Registry.discover(only=["pterodactyl"])
    (broken,) = found.broken
    assert broken.reason.startswith("is not installed")
    assert "telegram" in broken.reason


def test_a_broken_plugin_leaves_nothing_of_itself(install: object) -> None:
    """Its first class is right and its second is not: neither is taken."""
    source = good("wren") + HEAD.format(cls="Robin", name="robin", contract="7").split("\n\n", 1)[1]
    install("aaa", source.replace("return [Wren]", "return [Wren, Robin]"))  # type: ignore[operator]
    assert Registry.discover(only=["aaa"]).connectors == {}


def test_given_directly_a_broken_one_is_an_error() -> None:
    class Plugin:
        def socialsupport_conectors(self) -> list[object]:
            return []

    with pytest.raises(ConfigError, match="did you mean socialsupport_connectors"):
        Registry.of(Plugin())


def test_a_name_that_is_nearly_right(install: object) -> None:
    install("aaa", good("wren"))  # type: ignore[operator]
    found = Registry.discover(only=["aaa"])
    with pytest.raises(ConfigError, match="did you mean wren"):
        found.connector("wrne")
    with pytest.raises(ConfigError, match="installed: wren"):
        found.connector("pterodactyl")


def test_everything_that_is_installed_here_loads() -> None:
    found = Registry.discover()
    assert found.broken == []
    assert "telegram" in found.connectors


def test_what_is_installed_and_was_not_named_is_told_as_that(install: object) -> None:
    install("aaa", good("wren"))  # type: ignore[operator]
    install("robin", good("robin"))  # type: ignore[operator]
    with pytest.raises(ConfigError, match=r"installed, and not loaded: name it in `plugins`"):
        Registry.discover(only=["aaa"]).connector("robin")
    with pytest.raises(ConfigError, match="there is no connector 'robins'"):
        Registry.discover(only=["aaa"]).connector("robins")

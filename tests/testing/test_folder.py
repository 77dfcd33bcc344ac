"""A plugin is found in its folder by its entry point, as an installation would find it."""

import sys
from pathlib import Path

import pytest

from socialsupport_core.contract import ConfigError
from socialsupport_core.testing import new_connector, new_crm
from socialsupport_core.testing.folder import plugin_at


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def entry_point(folder: Path, name: str, written: str) -> Path:
    """Changes the line of the entry point."""
    rewrite(folder / "pyproject.toml", f'{name} = "socialsupport_{name}"', written)
    return folder


def test_a_new_plugin_is_found(tmp_path: Path) -> None:
    assert list(plugin_at(new_connector("wren", tmp_path)).connectors) == ["wren"]
    registry = plugin_at(new_crm("wren_desk", tmp_path))
    assert list(registry.crms) == list(registry.simulators) == ["wren_desk"]


def test_sources_may_lie_in_src(tmp_path: Path) -> None:
    folder = new_connector("dunnock", tmp_path)
    (folder / "src").mkdir()
    (folder / "socialsupport_dunnock").rename(folder / "src" / "socialsupport_dunnock")
    assert list(plugin_at(folder).connectors) == ["dunnock"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('finch = "socialsupport_fnich"', "names no package of this folder; did you mean socialsupport_finch?"),
        ('finch = "json"', "'json' names no package of this folder; there is: socialsupport_finch"),
        ("finch = 7", "'7' names no package of this folder"),
        ('finch = "socialsupport_finch:Nobody"', "cannot be imported: AttributeError: .* no attribute 'Nobody'"),
        ('finch = "socialsupport_finch.nobody"', "cannot be imported: ModuleNotFoundError: No module named"),
        ('robin = "socialsupport_finch"', "the entry point robin provides finch; call it so too"),
        ("", "its pyproject.toml names none; write .project.entry-points.socialsupport."),
        ("finch = ", "pyproject.toml: not TOML"),
    ],
)
def test_a_wrong_entry_point_is_told(written: str, told: str, tmp_path: Path) -> None:
    folder = entry_point(new_connector("finch", tmp_path), "finch", written)
    with pytest.raises(ConfigError, match=told) as caught:
        plugin_at(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere' .__init__.py, line 1."),
        ("1 / 0", "ZeroDivisionError: division by zero .__init__.py, line 1."),
        ("def", "SyntaxError: invalid syntax"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_told_with_the_line(line: str, told: str, tmp_path: Path) -> None:
    folder = new_connector("tit", tmp_path)
    (folder / "socialsupport_tit" / "__init__.py").write_text(line + "\n")
    with pytest.raises(ConfigError, match=f"the entry point tit = 'socialsupport_tit' cannot be imported: .*{told}"):
        plugin_at(folder)


def test_a_plugin_with_a_broken_hook_is_told(tmp_path: Path) -> None:
    folder = new_connector("rook", tmp_path)
    rewrite(
        folder / "socialsupport_rook" / "__init__.py", "def socialsupport_connectors", "def socialsupport_conectors"
    )
    with pytest.raises(ConfigError, match="is not a hook; did you mean socialsupport_connectors"):
        plugin_at(folder)


def test_the_folder_goes_before_an_older_copy_that_was_imported(tmp_path: Path) -> None:
    older, newer = (new_connector("crow", tmp_path / name) for name in ("older", "newer"))
    plugin_at(older)
    rewrite(newer / "socialsupport_crow" / "connector.py", "limit=2000", "limit=7")
    (connector,) = plugin_at(newer).connectors.values()
    assert connector.capabilities.text is not None
    assert connector.capabilities.text.limit == 7


def test_the_path_is_left_as_it_was(tmp_path: Path) -> None:
    before = list(sys.path)
    plugin_at(new_connector("swallow", tmp_path))
    with pytest.raises(ConfigError):
        plugin_at(entry_point(new_connector("martin", tmp_path), "martin", 'martin = "x"'))
    assert sys.path == before


def test_a_folder_without_a_plugin_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no plugin: it has no pyproject\.toml"):
        plugin_at(tmp_path)

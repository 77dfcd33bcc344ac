"""The site is built from nothing but this repository, calls nobody, and leaves nothing out."""

import ast
import html
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from socialsupport_core import config, contract, model, text
from socialsupport_core.contract import Registry, errors, hookspecs
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_core.testing import ConnectorConformance, CRMConformance
from socialsupport_core.testing.tiers import standing_of, verdict
from socialsupport_core.web.happenings import EVENTS
from socialsupport_core.web.operations import OPERATIONS

pytest.importorskip("material")
pytestmark = pytest.mark.timeout(600)  # the site is built once, by whichever test comes first
HOUSE = Path(__file__).parents[2]
DOCS = HOUSE / "docs"
BUNDLED = re.compile(r"https://unpkg\.com/(mermaid@|iframe-worker/|resize-observer-polyfill)")
"""In Material's script: for diagrams of mermaid, a site opened from a file and browsers of 2019, never otherwise."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Assets(HTMLParser):
    """What a browser fetches by itself to show the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.classes |= set(given.get("class", "").split())
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed"} and "src" in given:
            self.found.append(given["src"])
        if tag == "link" and given.get("rel") not in {"canonical", "alternate", "next", "prev"}:
            self.found.append(given.get("href", ""))


def is_outside(address: str) -> bool:
    return address.startswith(("http:", "https:", "//"))


def test_no_page_fetches_anything_from_outside(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        assets = Assets()
        assets.feed(page.read_text("utf-8"))
        assert assets.found, page
        assert not [one for one in assets.found if is_outside(one)], page
        assert "mermaid" not in assets.classes, page


def test_no_stylesheet_and_no_script_fetches_anything_from_outside(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)]+", sheet.read_text("utf-8")), sheet
    for script in site.rglob("*.js"):
        addresses = re.findall(r"https?://(?:unpkg|cdn|fonts|ajax|polyfill)[\w./@-]+", script.read_text("utf-8"))
        assert not [one for one in addresses if not BUNDLED.match(one)], script


def headings(site: Path, page: str) -> set[str]:
    written = (site / "reference" / page / "index.html").read_text("utf-8")
    found = re.findall(r"<h[1-4][^>]*>(.*?)</h[1-4]>", written, re.DOTALL)
    return {re.sub(r"<a class=\"headerlink.*|<[^>]+>", "", one).strip().removesuffix("¶") for one in found}


def named() -> Iterator[tuple[str, str]]:
    yield from (("hooks", name) for name in vars(hookspecs) if name.startswith("socialsupport_"))
    yield from (("events", one) for one in get_args(model.EventType))
    yield from (("intents", one) for one in get_args(model.IntentType))
    yield from (("capabilities", name) for name in model.Capabilities.model_fields)
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    yield from (("errors", one.__name__) for one in kinds)
    yield from (("text", name) for name in text.__all__)
    held = (model.Payload, model.Reply, model.Page, model.Blob, model.Facts, model.Credentials)
    yield from (("values", one.__name__) for one in (*held, contract.Wait, contract.ReadBlob, contract.ReadPayload))
    yield from (("values", name) for name in ("Payload.header", "Reply.of_json", "Reply.of_text", "drive"))
    yield from (("http", path) for _, path in OPERATIONS)
    yield from (("commands", f"socialsupport {verb}") for verb in verbs())


def verbs() -> Iterator[str]:
    """As `--help` tells them, which is another way than that of the generator."""
    groups = ("new", "tenant")
    for group in ("", *groups):
        command = [sys.executable, "-m", "socialsupport_core.cli.main", *group.split(), "--help"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        listed = re.findall(r"^  ([a-z]+)\s", told.partition("Commands:")[2], re.MULTILINE)
        yield from (f"{group} {one}".strip() for one in listed if one not in groups)


def test_everything_with_a_name_has_its_heading(site: Path) -> None:
    found = cache(lambda page: headings(site, page))
    everything = list(named())
    assert len({kind for kind, _ in everything}) == 9
    assert [(kind, name) for kind, name in everything if name not in found(kind)] == []


def page(site: Path, name: str) -> str:
    return re.sub(r"<[^>]+>", "", html.unescape((site / "reference" / name / "index.html").read_text("utf-8")))


def test_every_class_of_the_model_stands_in_the_reference(site: Path) -> None:
    """Where a heading is the name in JSON, the class stands below it."""
    pages = ("events", "intents", "interaction", "capabilities", "values")
    everything = {
        name: {*headings(site, name), *re.findall(r"In Python model\.(\w+)", page(site, name))} for name in pages
    }
    classes = [name for name in model.__all__ if isinstance(getattr(model, name), type)]
    assert len(classes) > 30
    assert [name for name in classes if not any(name in found for found in everything.values())] == []


def test_errors_say_how_they_are_made(site: Path) -> None:
    told = page(site, "errors")
    assert "RateLimited(message: str, *, code: str | None=None, retry_after: float | None=None)" in told
    assert "Uncertain(message: str, *, code: str | None=None)" in told
    assert "MalformedPayload(message)" in told


def test_each_kind_of_interaction_is_explained(site: Path) -> None:
    told = page(site, "interaction").partition("Kinds")[2]
    assert [kind for kind in get_args(InteractionKind) if not re.search(rf"^{kind}$", told, re.MULTILINE)] == []


def test_each_property_of_the_kit_is_listed(site: Path) -> None:
    told = page(site, "testing")
    for kit in (ConnectorConformance, CRMConformance):
        names = [name.removeprefix("test_") for name in dir(kit) if name.startswith("test_")]
        assert len(names) > 35
        assert [name for name in names if name not in told] == []


def quoted(first: "list[str]", *, media_type: "str | None" = "text/plain") -> "tuple[int, ...]":
    """Annotations as strings, as they stand where a name is imported for types only."""
    raise NotImplementedError


def test_every_key_of_the_configuration_is_told() -> None:
    kinds = [one for one in vars(config).values() if isinstance(one, type)]
    sections = [one for one in kinds if issubclass(one, BaseModel) and one.__name__.endswith("Section")]
    named = [(one, key) for one in sections for key in one.model_fields]
    inside = ("agents", "channels", "crms", "webhooks")  # each has a table of its own
    told = _telling().remarks
    assert len(named) > 40
    assert [f"{one.__name__}.{key}" for one, key in named if not told(one).get(key) and key not in inside] == []


def _telling() -> Any:
    spec = importlib.util.spec_from_file_location("telling", HOUSE / "scripts" / "telling.py")
    assert spec
    assert spec.loader
    telling = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(telling)
    return telling


def test_annotations_that_are_strings_are_shown_without_quotes() -> None:
    told = _telling().signature(quoted)
    assert told == "quoted(first: list[str], *, media_type: str | None='text/plain') -> tuple[int, ...]"


def test_signatures_keep_the_quotes_of_their_defaults(site: Path) -> None:
    assert "media_type: str='text/plain'" in page(site, "values")
    assert "Iterable[Span]) -> str" in page(site, "text")


def test_each_type_of_the_log_stands_in_the_reference(site: Path) -> None:
    written = (site / "reference/events/index.html").read_text("utf-8")
    assert [name for name in EVENTS if f"<code>{name}</code>" not in written] == []


JUDGES = {"triage-sklearn"}
"""Plugins that judge, and speak with nobody."""


@pytest.mark.parametrize(
    "name", sorted(path.name.removeprefix("socialsupport-") for path in (HOUSE / "plugins").iterdir())
)
def test_each_plugin_has_its_page_with_settings_and_cases(site: Path, name: str) -> None:
    written = (site / "reference/plugins" / name / "index.html").read_text("utf-8")
    told = (HOUSE / f"plugins/socialsupport-{name}/pyproject.toml").read_text("utf-8")
    speaks = "[project.entry-points" in told and name not in JUDGES  # the others are libraries of theirs
    assert ('id="every-setting"' in written) is speaks
    assert ('id="golden-cases"' in written) is speaks


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_promise_names_tests_that_exist() -> None:
    promises = re.split(r"^## ", (DOCS / "promises.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(promises) == 10
    for promise in promises:
        proofs = re.findall(r"^- `([\w/.-]+\.py)::(\w+)`$", promise, re.MULTILINE)
        assert len(proofs) >= 3, promise.splitlines()[0]
        missing = [f"{path}::{name}" for path, name in proofs if name not in functions(HOUSE / path)]
        assert missing == []


def test_pictures_are_few_and_small() -> None:
    pictures = [path for path in (DOCS / "images").iterdir() if path.suffix != ".md"]
    assert 0 < len(pictures) < 6
    assert [path for path in pictures if path.stat().st_size > 300_000] == []


def test_nothing_that_is_generated_is_kept() -> None:
    ignored = (DOCS / ".gitignore").read_text().split()
    assert "reference/" in ignored


def test_networks_stand_side_by_side(site: Path) -> None:
    page = (site / "reference/matrix/index.html").read_text("utf-8")
    rows = dict(re.findall(r'<a href="\.\./plugins/[a-z]+/">([a-z]+)</a></td>(.*?)</tr>', page))
    found = Registry.discover()
    assert rows.keys() == {*found.connectors, *found.crms, *found.fanouts}
    for name, kind in found.connectors.items():
        assert f"<td>{kind.capabilities.verification.replace('_', ' ')}</td>" in rows[name]
    for name, kind in {**found.connectors, **found.crms, **found.fanouts}.items():
        known = standing_of(kind, "green")
        assert f">{verdict(known).tier}</td>" in rows[name]
        assert all(f"{surface}: {layer}" in rows[name] for surface, layer in known.surfaces.items())


def test_each_plugins_page_tells_its_tier_and_its_proofs(site: Path) -> None:
    told = page(site, "plugins/matrix")
    assert "Tier of matrix" in told
    assert re.search(r"^Gold\.?$", told, re.MULTILINE)
    assert "tests/test_matrix_synapse.py::test_we_edit_react_and_delete" in told
    assert "Silver; for gold: no real counterpart was tried: webhook" in page(site, "plugins/discord")


@pytest.mark.browser
def test_a_word_in_the_field_leaves_the_networks_that_have_it(site: Path) -> None:
    browsers = pytest.importorskip("playwright.sync_api")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("no chromium here; on Debian: apt install chromium")
    with browsers.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((site / "reference/matrix/index.html").as_uri())
        able = {name for name, kind in Registry.discover().connectors.items() if "react" in kind.capabilities.intents}
        page.fill("input[data-filters]", "Private react reaction.removed")
        seen = page.locator("#networks tbody tr:visible td:first-child").all_inner_texts()
        page.fill("input[data-filters]", "gold")
        golden = page.locator("#networks tbody tr:visible td:first-child").all_inner_texts()
        page.fill("input[data-filters]", "sending:emulator")
        emulated = page.locator("#networks tbody tr:visible td:first-child").all_inner_texts()
        page.fill("input[data-filters]", "")
        every = page.locator("#networks tbody tr:visible").count()
        browser.close()
    assert seen
    assert set(seen) <= able < set(Registry.discover().connectors)
    assert every == len(Registry.discover().connectors)
    assert set(golden) == {"email", "matrix", "webchat", "webform"}
    assert emulated == ["mastodon"]

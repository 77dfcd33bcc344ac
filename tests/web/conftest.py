"""The roost over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Roost
from raven.office import ARGUMENTS, CHROMIUM, Office, Visitor
from raven.web import Desk, Web

from socialsupport_core.web import create_app


@pytest.fixture
def web(roost: Roost) -> Web:
    """The application, its workers driven by hand with `roost.hub.drain()`."""
    return Web(create_app(roost.hub, inbox=True, run_workers=False))


@pytest.fixture
def acme(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "acme")


@pytest.fixture
def rival(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "rival")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as office:
        yield office


@pytest.fixture
def arrive(chromium: Any, office: Office) -> Iterator[Callable[..., Visitor]]:
    contexts: list[Any] = []

    def arrive(**options: Any) -> Visitor:
        contexts.append(chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}))
        return Visitor(contexts[-1], office)

    yield arrive
    for context in contexts:
        context.close()

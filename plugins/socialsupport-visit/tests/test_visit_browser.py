"""The staff's form in a real Chromium: by keyboard, without a script, narrow, in both lights."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import socialsupport_visit
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.web import create_app

CHROMIUM = os.environ.get("SOCIALSUPPORT_CHROMIUM") or shutil.which("chromium") or ""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
SECRET = "the secret of Leeds"
SETTINGS = {
    "own_account": "acme-shops",
    "secret": "a-long-random-text-of-yours",
    "branches": {"leeds": {"name": "Leeds", "secret": SECRET}},
}


class Till:
    def __init__(self, folder: Path) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.hub = Hub.open(folder / "s.sqlite", public_url=url, registry=Registry.of(socialsupport_visit))
        self.hub.add_tenant("acme", "Acme")
        door = self.hub.add_channel("acme", "shops", "visit", SETTINGS).rsplit("/", 1)[1]
        self.url = f"{url}/chat/{door}/"
        config = uvicorn.Config(create_app(self.hub), log_level="error", ws="none", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)
        self.thread.start()
        until(lambda: self.server.started, "the server did not start")

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()


def until(holds: Callable[[], bool], complaint: str) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, complaint
        time.sleep(0.02)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    made = Till(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_by_keyboard_and_without_a_script(till: Till, chromium: Any, scheme: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, color_scheme=scheme, viewport={"width": 320, "height": 640}
    )
    page = context.new_page()
    page.goto(till.url)
    page.get_by_label("Secret of the branch").focus()
    page.keyboard.type("a wrong one")
    page.keyboard.press("Enter")
    page.get_by_text("This is not the secret of that branch.").wait_for()
    page.get_by_label("Secret of the branch").focus()
    page.keyboard.type(SECRET)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Visits: Leeds").wait_for()
    assert page.locator("main").bounding_box()["width"] <= 320
    page.get_by_label("Your name").fill("Dana")
    page.get_by_label("Your name").press("Enter")
    page.get_by_role("link", name="What was it about?").click()
    page.keyboard.type("Too small.")
    page.keyboard.press("Tab")
    page.keyboard.type("exch")  # chooses an outcome
    page.get_by_label("Loyalty card").fill("C-1001")
    page.get_by_label("Loyalty card").press("Enter")
    page.get_by_text("The visit is kept.").wait_for()
    assert page.get_by_label("Your name").input_value() == "Dana"
    assert page.get_by_label("Loyalty card").input_value() == ""
    until(lambda: bool(till.hub.queue("acme")), "it was not recorded")
    (said,) = till.hub.timeline("acme", "visit.card@acme-shops:C-1001")
    assert said["interaction"]["text"] == "Too small.\n\nOutcome: exchanged"
    context.close()

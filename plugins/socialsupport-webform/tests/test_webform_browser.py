"""The form in a real Chromium: by keyboard, without a script, narrow and dark, and in a frame of another site."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import socialsupport_webform
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.web import create_app
from socialsupport_webform import surface

CHROMIUM = os.environ.get("SOCIALSUPPORT_CHROMIUM") or shutil.which("chromium") or ""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Shop:
    """A hub with one form on a real port, and the shop's own site on another."""

    def __init__(self, folder: Path) -> None:
        self.site_folder = folder / "site"
        self.site_folder.mkdir()
        self.site = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=self.site_folder))
        self.site_url = f"http://127.0.0.1:{self.site.server_port}"
        self.socket = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.hub = Hub.open(folder / "s.sqlite", public_url=url, registry=Registry.of(socialsupport_webform))
        self.hub.add_tenant("acme", "Acme")
        settings = {"own_account": "c", "secret": "a-long-random-text", "allowed_origins": [self.site_url]}
        door = self.hub.add_channel("acme", "contact", "webform", settings).rsplit("/", 1)[1]
        self.url = f"{url}/chat/{door}/"
        config = uvicorn.Config(create_app(self.hub), log_level="error", ws="none", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.threads = [
            threading.Thread(target=self.server.run, args=([self.socket],), daemon=True),
            threading.Thread(target=self.site.serve_forever, daemon=True),
        ]
        for thread in self.threads:
            thread.start()
        until(lambda: self.server.started, "the server did not start")

    def close(self) -> None:
        self.site.shutdown()
        self.site.server_close()
        self.server.should_exit = True
        self.threads[0].join(10)
        self.socket.close()

    def texts(self) -> list[str]:
        return [one["last"]["text"] for one in self.hub.queue("acme")]


def until(holds: Callable[[], bool], complaint: str) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, complaint
        time.sleep(0.02)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(surface, "QUICKEST", 0.0)  # a browser in a test is as quick as a machine
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    contexts: list[Any] = []

    def arrive(url: str, **options: Any) -> Any:
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(url)
        return page

    yield arrive
    for context in contexts:
        context.close()


def test_by_keyboard_from_a_mistake_to_the_thanks(shop: Shop, visit: Callable[..., Any]) -> None:
    page = visit(shop.url)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.get_by_label("E-mail").focus()
    page.keyboard.type("kerry at acme")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.id") == "trouble"
    page.keyboard.press("Tab")  # the first trouble leads to its field
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "email"
    described = page.get_by_label("E-mail").get_attribute("aria-describedby")
    assert "This is no e-mail address" in page.inner_text(f"#{described.split()[0]}")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("kerry@acme.example")
    page.get_by_label("Your message").fill("Where is my parcel?")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    page.get_by_text("Thank you!").wait_for()
    until(lambda: shop.texts() == ["Where is my parcel?"], "it was not recorded")
    assert broken == []


def test_without_a_script(shop: Shop, visit: Callable[..., Any]) -> None:
    page = visit(shop.url, java_script_enabled=False)
    page.get_by_label("E-mail").fill("kerry@acme.example")
    page.get_by_label("Your message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Thank you!").wait_for()
    until(lambda: shop.texts() == ["Hello"], "it was not recorded")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_and_in_both_lights_it_can_be_read(shop: Shop, visit: Callable[..., Any], scheme: str) -> None:
    page = visit(shop.url, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        ".map(one => one.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b))"
    )
    assert (ground > ink) == (scheme == "light")
    assert abs(ground - ink) > 500
    assert page.locator("input[name=website]").bounding_box()["x"] < -1000
    assert page.locator("button").bounding_box()["height"] >= 44


@pytest.mark.parametrize("before", ["", "<p>above</p>"], ids=["from the head", "in its place"])
def test_in_a_frame_of_the_shops_site_it_is_as_high_as_it_needs(
    shop: Shop, visit: Callable[..., Any], before: str
) -> None:
    page = f'<!doctype html><title>Shop</title>{before}<script src="URL" data-order="4711" async></script><p>below</p>'
    (shop.site_folder / "index.html").write_text(page.replace("URL", f"{shop.url}embed.js"))
    page = visit(shop.site_url)
    frame = page.frame_locator("iframe")
    assert frame.get_by_label("Order number").input_value() == "4711"
    until(lambda: page.evaluate("document.querySelector('iframe').offsetHeight") != 720, "it was not told how high")
    height = page.evaluate("document.querySelector('iframe').offsetHeight")
    frame.get_by_role("button", name="Send").click()
    frame.get_by_role("alert").wait_for()
    until(lambda: page.evaluate("document.querySelector('iframe').offsetHeight") > height, "it did not grow")
    frame.get_by_label("E-mail").fill("kerry@acme.example")
    frame.get_by_label("Your message").fill("From the shop")
    frame.get_by_role("button", name="Send").click()
    frame.get_by_text("Thank you!").wait_for()
    until(lambda: shop.texts() == ["From the shop"], "it was not recorded")


def test_a_site_that_is_not_named_has_no_frame(shop: Shop, visit: Callable[..., Any]) -> None:
    (shop.site_folder / "index.html").write_text(f'<iframe src="{shop.url}"></iframe>')
    page = visit(shop.site_url.replace("127.0.0.1", "localhost"))

    def is_refused() -> bool:
        page.wait_for_timeout(20)  # in which the browser tells what has happened
        return len(page.frames) == 2 and page.frames[1].url.startswith("chrome-error")

    until(is_refused, "the frame was shown")

"""The customers' page in a real Chromium: what people say there arrives, what we answer is seen there."""

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from socialsupport_core.contract import ConfigError
from socialsupport_core.demo.server import create_demo
from socialsupport_core.demo.world import TENANT, World, build

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("SOCIALSUPPORT_CHROMIUM") or shutil.which("chromium") or ""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The demo without its story, on a real port."""
    door = socket.create_server(("127.0.0.1", 0))
    try:
        made = build(tmp_path, f"http://127.0.0.1:{door.getsockname()[1]}", lambda: datetime.now(UTC))
    except ConfigError as error:
        pytest.skip(str(error))
    app = create_demo(made, "127.0.0.1:0")
    config = uvicorn.Config(app, log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([door],), daemon=True)
    thread.start()
    until(lambda: server.started, "the server did not start")
    yield made
    server.should_exit = True
    thread.join(10)
    door.close()


@pytest.fixture
def page(world: World) -> Iterator[Any]:
    errors: list[str] = []
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: line.type in {"error", "warning"} and errors.append(line.text))
        page.goto(f"{world.hub.public_url}/people")
        page.get_by_role("tab", name="Telegram").wait_for()
        yield page
        browser.close()
    assert errors == []


def until(true: Any, why: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)


def say(page: Any, network: str, person: str, text: str) -> None:
    page.get_by_role("tab", name=network).click()
    page.get_by_label("Somebody new").fill(person)
    page.keyboard.press("Enter")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.locator(".feed .mine", has_text=text).wait_for()


def queue_of(world: World, name: str) -> list[dict[str, Any]]:
    return [one for one in world.hub.queue(TENANT) if one["customer"]["name"].lower().startswith(name)]


def test_from_a_direct_message_by_link_to_a_mail(page: Any, world: World) -> None:
    say(page, "Telegram", "robin", "Where is my parcel?")
    until(lambda: queue_of(world, "robin"), "the message did not arrive")
    conversation = queue_of(world, "robin")[0]["id"]
    link = world.hub.hand_off(TENANT, conversation, agent="dana")
    world.hub.reply(TENANT, conversation, f"Send us the invoice: {link['url']}", agent="dana")
    page.locator(".feed .us", has_text="Send us the invoice").wait_for()
    page.get_by_role("button", name="Follow the link").click()
    page.get_by_role("button", name="By e-mail").click()
    assert "+h." in page.get_by_label("To", exact=True).input_value()
    page.keyboard.type("Here it is")
    page.keyboard.press("Enter")
    page.locator(".feed .mine", has_text="Here it is").wait_for()
    until(lambda: len(world.hub.conversation(TENANT, conversation)["networks"]) == 2, "the mail did not join")


def at_the_desk(page: Any, world: World, person: str) -> Any:
    """Dana's page, with this person's conversation open."""
    desk = page.context.browser.new_page(viewport={"width": 1280, "height": 800})
    desk.set_default_timeout(30_000)
    desk.goto(f"{world.hub.public_url}/")
    desk.get_by_label("API token").fill(world.tokens["dana"])
    desk.keyboard.press("Enter")
    desk.locator("#queue li", has_text=person).first.click()
    return desk


def test_from_a_public_post_to_a_proven_private_chat(page: Any, world: World) -> None:
    """By people who follow nothing but what the pages say."""
    say(page, "X", "kerry", "My parcel is lost and nobody answers!")
    until(lambda: queue_of(world, "kerry"), "the post did not arrive")
    con = queue_of(world, "kerry")[0]["id"]

    desk = at_the_desk(page, world, "Kerry")
    desk.get_by_role("button", name="Hand off").click()
    desk.locator("#hand-off-choice [data-channel=webchat]").click()
    desk.locator(".seam", has_text="Dana handed this off to").wait_for()

    page.locator(".feed .us", has_text="please go on here").wait_for()
    page.get_by_role("button", name="Follow the link").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="In the web chat").click()
    chat = opened.value
    chat.locator("#text").fill("Here I am. It is order 4711.")
    chat.locator("#text").press("Enter")
    asked = chat.get_by_text("To show that this account is yours")
    asked.wait_for()
    assert len(queue_of(world, "kerry")) == 1, "whoever comes with a public link is nobody yet"
    code = re.search(r"\b\d{6}\b", asked.inner_text())
    assert code

    say(page, "X", "kerry", f"@acme {code[0]}")
    desk.locator(".seam", has_text="is proven at both ends").wait_for()
    found = world.hub.conversation(TENANT, con)
    assert found["networks"] == ["x", "webchat"]
    accounts = {leg["account"] for leg in found["legs"]}
    assert len({world.hub.customer(TENANT, one)["id"] for one in accounts}) == 1
    desk.close()


def test_a_call_and_a_webhook_that_comes_twice(page: Any, world: World) -> None:
    page.get_by_role("tab", name="Phone").click()
    page.locator("#faults [name=duplicate]").fill("1")
    until(lambda: world.simulators["phone"].faults.duplicate == 1, "the fault was not set")
    page.get_by_label("Seconds", exact=True).fill("95")
    say(page, "Phone", "+15550123", "Asks about the driver")
    until(lambda: world.hub.find_customers(TENANT, "+15550123"), "the call did not arrive")
    until(lambda: world.simulators["phone"].faults.duplicate == 0, "it was not used up")
    time.sleep(0.5)
    entries = world.hub.timeline(TENANT, "phone:+15550123")
    assert [one["interaction"]["duration"] for one in entries] == [95]


def test_it_fits_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 780})
    for network in ("X", "Telegram", "E-mail", "Phone", "Web chat"):
        page.get_by_role("tab", name=network, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), network
    page.get_by_role("link", name="signed in").wait_for()

"""The inbox page in a real Chromium: a hub on a real port, and an agent's view of it.

Screenshots are kept where SOCIALSUPPORT_SCREENSHOTS names a folder.
"""

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from raven.events import message
from raven.roost import Roost
from socialsupport_core.web import create_app

CHROMIUM = os.environ.get("SOCIALSUPPORT_CHROMIUM") or shutil.which("chromium") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = os.environ.get("SOCIALSUPPORT_SCREENSHOTS")


class Office:
    """A roost on a real port, with its workers, at the real time."""

    def __init__(self, folder: Path, *connectors: Any) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.roost = Roost(folder, *connectors, clock=lambda: datetime.now(UTC), public_url=self.url)
        self.hub = self.roost.hub
        self.hub.add_agent("acme", "bo", "Bo")
        app = create_app(self.hub, inbox=True)
        config = uvicorn.Config(app, log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)

    def __enter__(self) -> "Office":
        self.thread.start()
        until(lambda: self.server.started, "the server did not start")
        return self

    def __exit__(self, *error: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()

    def hear(self, number: str | int, text: str, author: str = "kerry", *, ago: float = 60, **more: Any) -> Any:
        """Somebody wrote `ago` seconds ago; it is recorded when this returns."""
        event = message(number, text, author, at=datetime.now(UTC) - timedelta(seconds=ago), **more)
        self.roost.deliver(event)
        until(lambda: str(number) in self.known(author), "it was not recorded")
        return event

    def known(self, author: str) -> list[str]:
        try:
            return [one["interaction"]["native_id"] for one in self.roost.timeline(author)]
        except LookupError:
            return []

    def token(self, agent: str = "dana", *scopes: Any) -> str:
        return self.hub.issue_token("acme", agent, scopes or ("read", "reply", "link"))


class Visitor:
    """A page with a watch on everything that must not happen."""

    def __init__(self, context: Any, office: Office) -> None:
        self.office = office
        self.page = context.new_page()
        self.page.set_default_timeout(30_000)
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: line.type in {"error", "warning"} and self.errors.append(_told(line)))

    def sign_in(self, agent: str = "dana") -> "Visitor":
        self.page.goto(f"{self.office.url}/#token={self.office.token(agent)}")
        self.page.get_by_text("Live", exact=True).wait_for()
        return self

    def open(self, name: str = "Kerry") -> "Visitor":
        self.row(name).click()
        self.page.get_by_role("heading", name=name, level=2).first.wait_for()
        self.page.locator("#person-title").wait_for(state="attached")
        return self

    def row(self, name: str) -> Any:
        return self.page.locator(".row").filter(has=self.page.get_by_text(name, exact=True))

    def entry(self, text: str) -> Any:
        return self.page.locator(".entry", has_text=text)

    def write(self, text: str) -> None:
        self.page.locator("#answer").fill(text)

    def plan(self, text: str) -> None:
        self.page.locator("#plan", has_text=text).wait_for()

    def send(self) -> None:
        self.page.locator("#answer").press("Control+Enter")

    def focused(self, what: str) -> Any:
        return self.page.evaluate(f"document.activeElement.{what}")

    def shoot(self, name: str) -> None:
        if SCREENSHOTS:
            self.page.screenshot(path=Path(SCREENSHOTS) / f"inbox-{name}.png")

    def fits(self) -> None:
        overflow = self.page.evaluate(
            "[...document.querySelectorAll('html, .pane, .timeline, .queue-scroll, dialog')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className || e.tagName)"
        )
        assert overflow == []

    def calm(self, moved: bool = False) -> None:
        """Nothing broke, nothing popped up, nothing foreign was asked for. What was asked about a leg just before
        it `moved` is refused, and asked for anew."""
        errors = [one for one in self.errors if not (moved and "422" in one and re.search(r"/(plan|answers)\b", one))]
        assert not errors, errors
        assert self.dialogs == []
        assert [url for url in self.requests if not url.startswith(self.office.url)] == []


def _told(line: Any) -> str:
    return f"{line.text} ({line.location.get('url')})"


def until(true: Callable[[], Any], why: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)

"""A one-time code, asked for on the inbox page and seen through to its end."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from raven import Raven
from raven.office import CHROMIUM, Office, Visitor, until

from socialsupport_core.model import Identifier

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


class Crier(Raven):
    """Ravens that may write first."""

    capabilities = Raven.capabilities.model_copy(update={"begins": frozenset({"raven.ring"})})

    def thread_with(self, identifier: Identifier) -> str | None:
        return f"dm-{identifier.value}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path, Crier) as made:
        yield made


def code(office: Office) -> str:
    found: list[str] = []

    def told() -> bool:
        found[:] = re.findall(r"Your code is (\d{6})", "\n".join(office.roost.sky.texts()))
        return bool(found)

    until(told, "nobody was told a code", 20)
    return found[-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_code_is_asked_for_and_seen_through(arrive: Callable[..., Visitor], office: Office, scheme: str) -> None:
    office.hear(1, "Nobody answers!", visibility="public", ago=300)
    office.hear(2, "It is me, kerry", "owl", ago=100)
    office.hub.link("acme", "raven.ring:owl", "raven.ring:kerry", agent="dana")
    visitor = arrive(color_scheme=scheme).sign_in()
    visitor.page.locator(".row").first.click()
    page, panel = visitor.page, visitor.page.locator("#codes")
    panel.get_by_role("button", name="Ask for a code").click()
    dialog = page.get_by_role("dialog", name="Ask for a one-time code")
    dialog.get_by_role("group", name="Told in private to").get_by_text("kerry on Raven").click()
    dialog.get_by_role("group", name="Typed by").get_by_text("owl on Raven").click()
    visitor.shoot(f"code-asked-{scheme}")
    dialog.get_by_role("button", name="Send the code").click()
    panel.get_by_text("Waits, 5 tries left").wait_for()
    right = code(office)
    office.hear(3, f"{(int(right) + 1) % 1_000_000:06}", "owl", ago=0)
    panel.get_by_text("Waits, 4 tries left").wait_for()
    visitor.shoot(f"code-waits-{scheme}")
    visitor.entry("That was not the code").wait_for()
    office.hear(4, right, "owl", ago=0)
    panel.get_by_text("Proven").wait_for()
    visitor.entry("Thank you, that was the code").wait_for()
    page.locator(".verdict").wait_for()
    visitor.shoot(f"code-proven-{scheme}")
    visitor.fits()
    visitor.calm()

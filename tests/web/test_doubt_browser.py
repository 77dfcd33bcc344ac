"""A mail that anybody could have written: marked where it stands, and told in the reply box before anything is said."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from raven import message
from raven.office import CHROMIUM, Office, Visitor

from socialsupport_core.model import Identifier, Party

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
FROM = "no aligned DMARC result came with it, and anybody can write that From"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as made:
        yield made


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_agent_is_warned_before_writing(arrive: Callable[..., Visitor], office: Office, scheme: str) -> None:
    told = message(1, "What was my last order, please?", at=datetime.now(UTC))
    author = Party(identifiers=(Identifier(kind="email", value="kerry@mail.example"),), name="Kerry")
    known = told.interaction.model_copy(update={"author": author, "subject": "My order"})
    office.roost.deliver(told.model_copy(update={"interaction": known}))
    visitor = arrive(color_scheme=scheme).sign_in()
    visitor.row("Kerry").wait_for()
    visitor.open()
    visitor.entry("What was my last order").get_by_text(f"Author not proven: {FROM}").wait_for()
    visitor.page.locator("#plan .hindrance.hint", has_text="ask for a code first").wait_for()
    visitor.shoot(f"doubt-{scheme}")
    visitor.fits()
    visitor.calm()

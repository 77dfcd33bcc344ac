"""On the inbox page: what we said is edited, and deleted, where the channel can."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Parrot
from raven.office import CHROMIUM, Office, Visitor, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path, Parrot) as office:
        yield office


def test_edit_and_delete(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "hello")
    office.roost.reply("on its weigh")
    until(lambda: office.roost.states() == ["sent"], "it was not sent")
    visitor = arrive().sign_in().open()
    page, mine = visitor.page, visitor.entry("on its weigh")
    assert visitor.entry("hello").get_by_role("button", name="Edit").count() == 0
    mine.hover()
    mine.get_by_role("button", name="Edit").click()
    text: Any = page.get_by_label("What it says from now on")
    assert text.input_value() == "on its weigh"
    text.fill("on its way")
    page.get_by_role("dialog").get_by_role("button", name="Edit").click()
    visitor.entry("on its way").wait_for()
    visitor.entry("on its way").get_by_text("Edited").wait_for()
    visitor.entry("on its way").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Deleted by its author").wait_for()
    assert office.roost.sky.texts()[-1] == "delete.message raven-1"
    assert not visitor.errors


def test_where_the_channel_cannot_there_are_no_buttons(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with Office(tmp_path / "plain") as office:
        office.hear(1, "hello")
        office.roost.reply("on its way")
        until(lambda: office.roost.states() == ["sent"], "it was not sent")
        visitor = arrive()
        visitor.office = office
        visitor.sign_in().open()
        visitor.entry("on its way").wait_for()
        assert visitor.page.locator(".entry-verbs").count() == 0

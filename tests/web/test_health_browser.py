"""The inbox page names a channel that is not well, and says so no longer when it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from raven.office import CHROMIUM, Office, Visitor, until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here")]


def test_a_channel_that_falls_silent_is_named_and_then_not(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "hello", ago=1)
    office.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(microseconds=1))
    dana = arrive()
    dana.sign_in()
    bar = dana.page.locator("#unwell")
    office.hub.examine()
    bar.wait_for(state="visible")
    text = bar.inner_text()
    assert text.startswith("Raven has fallen silent. nothing has come in since ")
    assert text.endswith("and subscribe again")
    dana.page.reload()
    bar.wait_for(state="visible")
    office.hub.change_channel("acme", "tower", {}, expect_within=timedelta(0))
    office.hub.examine()
    bar.wait_for(state="hidden")


def test_an_answer_that_failed_is_in_its_row(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "hello", ago=1)
    dana = arrive()
    dana.sign_in()
    office.roost.sky.blocked.add("dm-kerry")
    office.roost.reply("hi")
    until(lambda: office.roost.states() == ["failed"], "it did not fail")
    row = dana.page.locator(".row-failed")
    row.wait_for()
    assert row.inner_text() == "An answer failed: this raven is blocked there"
    assert dana.page.locator(".row .waiting").count() == 1

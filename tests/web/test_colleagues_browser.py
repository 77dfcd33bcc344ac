"""Colleagues and machines on the inbox page: drafts, duty, and two who answer the same."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from raven import message
from raven.office import CHROMIUM, Office, Visitor, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_a_machines_draft_is_marked_changed_and_sent(arrive: Callable[..., Visitor], office: Office, view: str) -> None:
    more: dict[str, Any] = {"color_scheme": "dark"} if view == "dark" else {}
    if view == "narrow":
        more["viewport"] = {"width": 390, "height": 844}
    office.hub.add_agent("acme", "copilot", "Copilot", is_bot=True)
    office.hear(1, "Where is my parcel?")
    con = office.roost.conversation()
    visitor = arrive(**more).sign_in().open()
    page = visitor.page
    office.hub.draft("acme", con, "It left <b>today</b>.", agent="copilot", why="the order was sent", source="mcp")
    office.hub.draft("acme", con, "Please wait.", agent="copilot")
    drafts = page.locator(".draft")
    drafts.nth(1).wait_for()
    assert "Copilot, a machine, suggests" in drafts.first.inner_text()
    visitor.shoot(f"drafts-{view}")
    visitor.fits()
    drafts.filter(has_text="Please wait.").get_by_role("button", name="Discard").click()
    drafts.filter(has_text="Please wait.").wait_for(state="detached")
    drafts.first.get_by_role("button", name="Put into the box").click()
    assert page.locator("#answer").input_value() == "It left <b>today</b>."
    assert drafts.count() == 0
    visitor.write("It left this morning.")
    visitor.plan("of 160 characters")
    visitor.send()
    until(lambda: office.roost.sky.texts() == ["It left this morning."], "it was not sent")
    ended = {one["text"]: one["state"] for one in office.hub.drafts("acme", con, ended=True)}
    assert ended == {"It left <b>today</b>.": "sent", "Please wait.": "discarded"}
    visitor.entry("It left this morning.").wait_for()
    visitor.calm()


def test_two_who_answer_the_same_are_warned_and_asked(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Where is my parcel?")
    dana, bo = arrive().sign_in().open(), arrive().sign_in("bo").open()
    dana.write("It is on its way")
    bo.write("It comes tomorrow")
    dana.page.locator("#colleagues", has_text="Bo is writing here, too.").wait_for()
    bo.plan("of 160 characters")
    bo.send()
    dana.entry("It comes tomorrow").wait_for()
    dana.send()
    asked = dana.page.locator("#colleagues", has_text="Bo has just answered: “It comes tomorrow”")
    asked.wait_for()
    dana.shoot("crossing")
    assert dana.page.locator("#answer").input_value() == "It is on its way"
    assert office.roost.sky.texts() == ["It comes tomorrow"]
    dana.send()
    until(lambda: len(office.roost.sky.texts()) == 2, "the second press did not send it")
    asked.wait_for(state="hidden")
    dana.write("One more thing")
    dana.plan("of 160 characters")
    dana.send()
    until(lambda: len(office.roost.sky.texts()) == 3, "who has answered last is not asked")
    dana.calm()
    bo.calm()


def test_signing_off_and_why_nobody_has_it(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hub.set_guidance("acme", {"routing": {"enabled": True, "agents": {"dana": {}}}})
    visitor = arrive().sign_in()
    page = visitor.page
    page.get_by_role("button", name="On duty").click()
    page.get_by_role("button", name="Away").wait_for()
    office.hear(1, "Where is my parcel?")
    visitor.open()
    page.locator("#routing", has_text="Not assigned: nobody can have it: is away (1).").wait_for()
    visitor.shoot("not-assigned")
    page.get_by_role("button", name="Away").click()
    page.get_by_text("Given to Dana: 0 of 5 open").wait_for()
    page.locator("#routing").wait_for(state="hidden")
    assert page.locator("#assignee").input_value() == "dana"
    visitor.shoot("assigned")
    visitor.calm()


def test_more_than_usual_is_shown_with_what_many_say(arrive: Callable[..., Visitor], office: Office) -> None:
    now = datetime.now(UTC)
    for week in range(1, 5):
        office.roost.deliver(message(900 + week, "please help", f"old{week}", at=now - timedelta(weeks=week)))
    until(lambda: len(office.hub.queue("acme")) == 4, "the past was not recorded")
    office.hub.set_guidance("acme", {"spikes": {"enabled": True}})
    visitor = arrive().sign_in()
    crowd = [message(n, "the router shows a red light", f"bird{n}", at=now) for n in range(12)]
    office.roost.deliver(*crowd)
    bar = visitor.page.locator("#spikes", has_text="More than usual: 12 new conversations this hour")
    bar.wait_for()
    assert "12 of them: light, red, router, shows" in bar.inner_text()
    visitor.shoot("spike")
    visitor.fits()
    bar.get_by_role("button").first.click()
    visitor.entry("the router shows a red light").wait_for()
    visitor.calm()

"""From a public complaint to a proven private conversation, as an agent sees it on the inbox page."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, bird, message
from raven.connector import ACCOUNT
from raven.events import thread_id
from raven.office import CHROMIUM, Office, Visitor, until

from socialsupport_core.model import Identifier, IdentityClaimed, Party

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


class Perch(Raven):
    """Ravens to whom one may come with a link."""

    def invitation(self, token: str) -> str | None:
        return f"https://raven.example/?token={token}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Two channels of acme: the tower, which everybody sees, and the bridge."""
    with Office(tmp_path, Perch) as made:
        path = made.hub.add_channel("acme", "bridge", "raven", {}, mode="webhook")
        made.roost.doors["bridge"] = path.rsplit("/", 1)[1]
        yield made


def said(office: Office, pattern: str) -> str:
    """What we have said that looks like this, once it is said."""
    found: list[str] = []

    def looked() -> bool:
        found[:] = re.findall(pattern, "\n".join(office.roost.sky.texts()))
        return bool(found)

    until(looked, f"nobody has said {pattern}", 20)
    return found[-1]


def handed_off(office: Office) -> str:
    """Kerry complains in public and is handed off to the bridge; the token of the link."""
    office.hear(1, "Nobody answers!", visibility="public")
    office.hub.hand_off("acme", office.roost.conversation(), agent="dana", to="bridge")
    return said(office, r"/h/([a-z2-7]{26})")


def comes(office: Office, token: str, name: str) -> None:
    """Somebody comes to the bridge with the link."""
    at, who = datetime.now(UTC), bird(name)
    claim = IdentityClaimed(
        id=f"c-{name}",
        own_account=ACCOUNT,
        subject=who.account,
        proof="handoff_token",
        token=token,
        thread=thread_id(name),
        at=at,
    )
    office.roost.deliver(claim, message(f"n-{name}", f"Here I am, {name}", name, at=at), tenant="bridge")


def told(office: Office) -> str:
    """The code that whoever has come is told."""
    return said(office, r"answer us with (\d{6})")


def going_to(visitor: Visitor) -> Any:
    return visitor.page.locator(".legs :checked + span")


def test_what_has_gone_private_stays_private_until_the_agent_says_otherwise(
    arrive: Callable[..., Visitor], office: Office
) -> None:
    office.hear(1, "In confidence", ago=300)
    office.hear(2, "Nobody answers!", visibility="public", ago=100)
    visitor = arrive().sign_in().open()
    page = visitor.page
    going_to(visitor).get_by_text("private").wait_for()
    visitor.write("Your refund is under way")
    visitor.send()
    visitor.entry("Your refund is under way").get_by_text("Sent", exact=True).wait_for()
    until(lambda: office.roost.sky.texts() == ["Your refund is under way"], "it was not sent")
    assert going_to(visitor).inner_text().endswith("private")
    assert page.locator("#composer").get_attribute("data-visibility") == "private"
    office.hear(3, "Still waiting here!", visibility="public", ago=0)
    visitor.entry("Still waiting here!").wait_for()
    assert going_to(visitor).inner_text().endswith("private")
    page.locator(".legs label", has_text="public").locator("input").check()
    page.locator("#composer[data-visibility=public]").wait_for()
    visitor.calm()


def test_where_it_is_unclear_who_would_read_it_the_agent_says_first(
    arrive: Callable[..., Visitor], office: Office
) -> None:
    """A number that both have written down makes them one customer for us, and proves nothing."""
    phone = Identifier(kind="phone", value="+15550147")
    for native, name, visibility in ((1, "jay.nest:robin", "private"), (2, "raven.ring:kerry", "public")):
        told = message(native, f"It is me, {native}", visibility=visibility, at=datetime.now(UTC))
        party = Party(identifiers=(Identifier.parse(name), phone), name="Kerry")
        known = told.interaction.model_copy(update={"author": party})
        office.roost.deliver(told.model_copy(update={"interaction": known}))
        until(lambda told=told: told.interaction.text in str(office.hub.queue("acme")), "it was not heard")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.locator(".plan", has_text="nothing proves that the private threads").wait_for()
    assert page.locator(".legs :checked").count() == 0
    visitor.shoot("unclear")
    visitor.write("We look into it")
    visitor.send()
    page.locator(".legs label", has_text="private").locator("input").check()
    visitor.send()
    until(lambda: [one["thread"] for one in office.roost.sky.messages] == ["dm-kerry"], "it was not sent")
    for left in (1, 0):
        page.get_by_role("button", name="They are one").first.click()
        until(lambda left=left: page.get_by_role("button", name="They are one").count() == left, "it was not noted")
    going_to(visitor).get_by_text("private").wait_for()  # they are proven now: it is clear who reads it
    visitor.calm()


def test_once_it_is_proven_the_answer_goes_to_the_private_end(arrive: Callable[..., Visitor], office: Office) -> None:
    comes(office, handed_off(office), "nested")
    code = told(office)
    visitor = arrive().sign_in().open()
    office.hear(2, f"@acme {code}", visibility="public", ago=0)
    visitor.page.locator(".seam", has_text="is proven at both ends").wait_for()
    visitor.entry("Here I am").wait_for()
    going_to(visitor).get_by_text("private").wait_for()
    assert visitor.page.locator("#composer").get_attribute("data-visibility") == "private"
    visitor.calm()


def test_what_proves_who_it_is_is_told_in_words_and_at_once(arrive: Callable[..., Visitor], office: Office) -> None:
    token = handed_off(office)
    visitor = arrive().sign_in().open()
    page = visitor.page
    comes(office, token, "nested")
    code = told(office)
    page.locator("section", has_text="Not joined").get_by_text("never joins").wait_for()  # without opening it anew
    asked = page.locator(".seam.turn", has_text="Dana asked kerry on Raven for the code told to nested on Raven")
    asked.wait_for()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    office.hear(2, f"@acme {wrong}", visibility="public", ago=0)
    refused = page.locator(".seam.turn", has_text="Refused from kerry on Raven: the code was wrong; 4 tries are left")
    refused.wait_for()
    office.hear(3, f"@acme {code}", visibility="public", ago=0)
    proven = page.locator(".seam.turn", has_text="Proven: kerry on Raven and nested on Raven are one person")
    proven.wait_for()
    marks = [one.locator("path").get_attribute("d") for one in (asked, refused, proven)]
    assert len(set(marks)) == 3  # a refusal bears no tick
    verdict = page.locator(".verdict", has_text="the weakest step is a one-time code")
    verdict.wait_for()
    assert "raven.ring:" not in verdict.inner_text()
    assert page.locator("section h3", has_text="Not joined").count() == 0  # they are, by now
    visitor.shoot("proven")
    visitor.calm()


def test_the_page_itself_never_scrolls(arrive: Callable[..., Visitor], office: Office) -> None:
    """What is hidden in the panel of the person, far down, makes no page longer than the window."""
    token = handed_off(office)
    comes(office, token, "nested")
    code = told(office)
    office.hear(2, f"@acme {code}", visibility="public", ago=0)
    visitor = arrive(viewport={"width": 1280, "height": 420}).sign_in().open()
    visitor.page.get_by_text("Two customers turned out to be one").first.wait_for(state="attached")
    heights = "[document.documentElement.scrollHeight, innerHeight]"
    tall, window = visitor.page.evaluate(heights)
    assert tall <= window
    visitor.calm()


def test_from_one_account_to_what_the_other_has_written(arrive: Callable[..., Visitor], office: Office) -> None:
    comes(office, handed_off(office), "nested")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.locator("section", has_text="Not joined").get_by_role("button", name="Look").click()
    visitor.entry("Here I am").wait_for()
    assert page.locator("#talk-title").inner_text() == "Nested"
    page.locator("section", has_text="Not joined").get_by_role("button", name="Look").click()
    visitor.entry("Nobody answers!").wait_for()
    visitor.calm()


def test_the_hand_off_says_beforehand_who_will_read_it(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Nobody answers!", visibility="public")
    office.hear(2, "Is it open?", "sam")
    visitor = arrive().sign_in()
    choice = visitor.page.get_by_role("dialog", name="Hand off to")
    for name, audience in (("Kerry", "everybody"), ("Sam", "the customer")):
        visitor.open(name)
        visitor.page.get_by_role("button", name="Hand off").click()
        choice.get_by_text(f"sends our words at once; {audience} can read them").wait_for()
        visitor.shoot(f"hand-off-{name.lower()}")
    visitor.calm()


def test_who_came_with_a_link_that_was_forwarded_is_not_taken_for_the_customer(
    arrive: Callable[..., Visitor], office: Office
) -> None:
    """It was given in private, so its bearer is in the conversation; and may be anybody to whom it was passed on."""
    office.hear(1, "In confidence", ago=300)
    office.hub.hand_off("acme", office.roost.conversation(), agent="dana", to="bridge")
    token = said(office, r"/h/([a-z2-7]{26})")
    at, id = datetime.now(UTC), "n-stranger"
    came = message(id, "Where do you send it?", "stranger", at=at)
    nameless = came.interaction.model_copy(update={"author": Party(identifiers=bird("stranger").identifiers)})
    claim = IdentityClaimed(
        id="c-stranger",
        own_account=ACCOUNT,
        subject=bird("stranger").account,
        proof="handoff_token",
        token=token,
        thread=thread_id("stranger"),
        at=at,
    )
    office.roost.deliver(claim, came.model_copy(update={"interaction": nameless}), tenant="bridge")
    visitor = arrive().sign_in().open()
    page, asked = visitor.page, visitor.entry("Where do you send it?")
    asked.get_by_text("Not proven", exact=True).wait_for()
    assert asked.locator(".author").inner_text() == "Visitor"
    assert visitor.entry("In confidence").locator(".author").inner_text() == "Kerry"
    going_to(visitor).get_by_text("not proven").wait_for()
    visitor.write("It goes to Elm Street")
    warning = page.locator(".plan-line[data-rule=unproven]")
    warning.wait_for()
    assert "Nothing proves that whoever reads this is Kerry" in warning.inner_text()
    visitor.shoot("not-proven")
    code = said(office, r"Your code is (\d{6})")
    typed = message("n-code", code, "stranger", at=datetime.now(UTC))
    office.roost.deliver(typed, tenant="bridge")
    warning.wait_for(state="detached")
    visitor.write("It goes to Elm Street, as you said")
    asked.get_by_text("Not proven", exact=True).wait_for(state="detached")
    assert page.locator(".plan-line[data-rule=unproven]").count() == 0
    visitor.calm(moved=True)


def test_a_link_that_is_brought_again_is_refused_where_both_are(arrive: Callable[..., Visitor], office: Office) -> None:
    token = handed_off(office)
    comes(office, token, "nested")
    office.hear(2, f"@acme {told(office)}", visibility="public", ago=0)
    comes(office, token, "mallory")
    visitor = arrive().sign_in()
    for name in ("Kerry", "Mallory"):
        visitor.open(name)
        refused = visitor.page.locator(
            ".seam.turn", has_text="Refused from mallory on Raven: the token was used already"
        )
        refused.wait_for()
        assert refused.count() == 1
    assert visitor.entry("Nobody answers!").count() == 0  # a refusal shows nothing of what it was about
    visitor.calm()

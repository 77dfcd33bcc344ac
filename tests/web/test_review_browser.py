"""A person's part on the inbox page: what was told, what is to be reviewed, conversations merged and split."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from raven import bird
from raven.connector import ACCOUNT
from raven.office import CHROMIUM, Office, Visitor, until

from socialsupport_core.model import Identifier, IdentityClaimed, Thread

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
VIEWS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}},
    "narrow-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


def claim(
    office: Office, number: int, who: str, other: Identifier, tier: Any = "claimed", proof: str = "typed"
) -> None:
    one = IdentityClaimed(
        id=f"c{number}",
        own_account=ACCOUNT,
        subject=bird(who).identifiers[0],
        claims=(other,),
        proof=proof,
        tier=tier,
        at=datetime.now(UTC),
    )
    office.roost.deliver(one)


def waiting(office: Office, count: int) -> None:
    until(lambda: len(office.hub.reviews("acme")) == count, f"there are not {count} reviews")


def test_what_was_told_is_shown_corrected_removed_and_restored(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "My order 4711 has not come!", visibility="public", ago=400)
    office.hear(2, "My customer number is 12345678, I live at 12 High Street, Leeds LS1 4AB", ago=300)
    visitor = arrive().sign_in().open()
    page = visitor.page
    told = page.locator(".told")
    values = told.locator(".told-list strong")
    told.get_by_text("12345678", exact=True).wait_for()
    assert values.all_inner_texts() == ["4711", "12345678", "12 High Street, Leeds LS1 4AB"]
    assert "in public" in told.locator("li", has_text="4711").inner_text()
    visitor.shoot("told")
    told.get_by_role("button", name="Correct Order 4711").click()
    page.get_by_label("What it should say").fill("4712")
    page.keyboard.press("Enter")
    told.get_by_text("Dana corrected “4711”").wait_for()
    told.get_by_role("button", name="Remove Account 12345678").click()
    told.get_by_text("Removed (1)").click()
    told.get_by_role("button", name="Restore Account 12345678").click()
    told.get_by_text("Removed (1)").wait_for(state="detached")
    assert values.all_inner_texts() == ["4712", "12345678", "12 High Street, Leeds LS1 4AB"]
    visitor.calm()


def test_what_was_told_in_private_is_marked_in_a_public_answer(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Where is my parcel?", visibility="public", ago=100)
    office.hear(2, "My customer number is 12345678", ago=400)
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.locator(".legs label", has_text="public").locator("input").check()
    visitor.write("We have found your account 12345678 at once")
    visitor.plan("tells the customer's account")
    assert page.locator(".mirror mark").all_inner_texts() == ["12345678"]
    visitor.shoot("private-marked")
    visitor.write("We have found your account at once")
    visitor.plan("of 160 characters")
    visitor.calm()


@pytest.mark.parametrize("view", VIEWS)
def test_reviews_are_decided_and_taken_back(arrive: Callable[..., Visitor], office: Office, view: str) -> None:
    office.hear(1, "Hello", "kerry", ago=500)
    office.hear(2, "It is me, kerry", "sam", ago=400)
    claim(office, 1, "sam", bird("kerry").identifiers[0])
    phone = Identifier(kind="phone", value="+15550147")
    for number, name in enumerate(["ann", "bob", "cy"], 3):
        office.hear(number, "Hi", name, ago=300 - number)
        claim(office, number, name, phone, "asserted", "network")
    waiting(office, 2)
    visitor = arrive(**VIEWS[view]).sign_in()
    page = visitor.page
    page.get_by_label("To review").check()
    one = page.locator(".review", has_text="Somebody says so")
    one.wait_for()
    visitor.shoot(f"review-{view}")
    assert "Kerry" in one.inner_text()
    assert "an agent who links them" in one.inner_text()
    shared = page.locator(".review", has_text="Several have this in common")
    assert shared.get_by_role("button", name="Same person").count() == 0
    one.get_by_role("button", name="Same person").click()
    one.get_by_text("Linked.").wait_for()
    until(lambda: len(office.hub.reviews("acme")) == 1, "it was not decided")
    assert office.hub.customer_id("acme", "raven.ring:kerry") == office.hub.customer_id("acme", "raven.ring:sam")
    one.get_by_role("button", name="Undo").click()
    one.get_by_role("button", name="Not the same").click()
    one.get_by_text("Kept apart.").wait_for()
    assert office.hub.explain("acme", "raven.ring:kerry")["forbidden"]
    shared.get_by_role("button", name="Later").click()
    shared.get_by_text("Put off for a week.").wait_for()
    assert office.hub.reviews("acme") == []
    page.get_by_label("Open", exact=True).check()
    page.locator("#queue-list .row").first.wait_for()
    assert page.locator(".review").count() == 0
    page.get_by_label("To review").check()
    page.get_by_text("Nothing to review").wait_for()
    visitor.calm(moved=True)


def test_conversations_are_merged_and_split_on_the_page(arrive: Callable[..., Visitor], office: Office) -> None:
    day = 86_400
    office.hear(1, "The lamp is broken", visibility="public", ago=20 * day)
    office.hear(2, "And what about the shade?", ago=90)
    first = min(office.hub.queue("acme"), key=lambda one: one["opened_at"])["id"]
    visitor = arrive().sign_in()
    page = visitor.page
    page.locator(".row", has_text="And what about").click()
    page.locator("#talk-title", has_text="Kerry").wait_for()
    page.locator(".others").get_by_role("button", name="Merge into this one").click()
    page.locator(".seam.turn", has_text="Dana merged another conversation into this one").wait_for()
    visitor.shoot("merged")
    assert office.hub.conversation("acme", first)["status"] == "superseded"
    page.goto(f"{office.url}/#/{first}")  # an old address leads to where it goes on
    page.wait_for_url(lambda url: first not in url)
    page.get_by_role("button", name="Divide this conversation").click()
    page.locator("dialog").get_by_role("checkbox").first.check()
    visitor.shoot("split-dialog")
    page.locator("dialog").get_by_role("button", name="Divide", exact=True).click()
    until(lambda: len(office.hub.queue("acme")) == 2, "it was not split")
    page.locator("#person").get_by_role("button", name="Undo Dana: a part made").click()
    until(lambda: len(office.hub.queue("acme")) == 1, "the split was not undone")
    page.locator("#person").get_by_role("button", name="Undo Dana: another conversation merged").click()
    until(lambda: len(office.hub.queue("acme")) == 2, "the merge was not undone")
    visitor.calm(moved=True)


def test_a_thread_is_split_from_a_message_on(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "The lamp is broken", ago=300)
    office.hear(2, "Another thing: my invoice is wrong", ago=90)
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.get_by_role("button", name="Divide this conversation").click()
    page.get_by_label("From which message on?").select_option(label="Kerry: Another thing: my invoice is wrong")
    page.locator("dialog").get_by_role("button", name="Divide", exact=True).click()
    until(lambda: len(office.hub.queue("acme")) == 2, "it was not split")
    visitor.calm(moved=True)


def test_a_refused_join_is_kept_apart_from_the_persons_pane(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello", "kerry", ago=500)
    office.hear(2, "Hello too", "sam", ago=400, thread=Thread(id="dm-sam", visibility="private"))
    claim(office, 1, "sam", bird("kerry").identifiers[0])
    waiting(office, 1)
    visitor = arrive().sign_in()
    page = visitor.page
    page.locator(".row", has_text="Hello too").click()
    page.get_by_role("heading", name="Not joined").wait_for()
    page.locator("#person").get_by_role("button", name="Not the same").click()
    page.get_by_role("heading", name="Kept apart").wait_for()
    assert office.hub.reviews("acme") == []
    visitor.calm()

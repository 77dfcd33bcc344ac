"""The queue in a real Chromium: what to answer next and why, marketing apart, and an agent's word about a kind."""

from collections.abc import Callable

import pytest
from raven.office import CHROMIUM, Office, Visitor, until

from socialsupport_core.model import Reach

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


@pytest.fixture
def busy(office: Office) -> Office:
    office.hear(1, "What time do you open on Sundays?", "kerry", ago=3000)
    office.hear(2, "My lamp is broken, URGENT!!!", "flo", ago=600, visibility="public", reach=Reach(followers=12_000))
    office.hear(3, "any promo codes for new customers?", "max", ago=300)
    return office


def rows(visitor: Visitor) -> list[str]:
    found: list[str] = visitor.page.locator(".row-name").all_inner_texts()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_to_answer_next_comes_first_and_says_why(
    arrive: Callable[..., Visitor], busy: Office, scheme: str
) -> None:
    visitor = arrive(color_scheme=scheme).sign_in()
    page = visitor.page
    until(lambda: rows(visitor) == ["Flo", "Kerry"], "the queue is in another order")
    assert page.locator("#queue-list").get_attribute("aria-label") == "Conversations, what to answer next first"
    reasons = visitor.row("Flo").locator(".reason").all_inner_texts()
    assert "urgent" in reasons
    assert "a complaint" in reasons
    assert visitor.row("Kerry").locator(".reason").all_inner_texts()[0].startswith("waits 50 min of 4 h")
    visitor.open("Flo")
    page.locator("#kind-line").get_by_text("urgent", exact=True).wait_for()
    visitor.shoot(f"next-{scheme}")
    page.get_by_label("Order").select_option("oldest")
    until(lambda: rows(visitor) == ["Kerry", "Flo"], "the switch back does nothing")
    page.reload()
    until(lambda: rows(visitor) == ["Kerry", "Flo"], "the order is forgotten")
    visitor.calm()


def test_marketing_is_shown_apart_and_one_click_brings_it_back(arrive: Callable[..., Visitor], busy: Office) -> None:
    visitor = arrive().sign_in()
    page = visitor.page
    until(lambda: rows(visitor) == ["Flo", "Kerry"], "the queue is in another order")
    page.get_by_label("Marketing only").check()
    until(lambda: rows(visitor) == ["Max"], "marketing is not shown")
    visitor.open("Max")
    page.get_by_text("Kept out of the queue.").wait_for()
    visitor.shoot("marketing")
    page.get_by_role("button", name="Back to the queue").click()
    page.get_by_text("Kept out of the queue.").wait_for(state="detached")
    page.get_by_label("Marketing only").uncheck()
    until(lambda: set(rows(visitor)) == {"Flo", "Kerry", "Max"}, "it is not back")
    page.get_by_label("Kind of contact").select_option("spam")
    until(lambda: "Max" not in rows(visitor), "it is still there")
    visitor.calm()

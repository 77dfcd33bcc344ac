"""Answers beside the reply box: shown with the reason, inserted by one key, and known when they were sent."""

from collections.abc import Callable
from typing import Any

import pytest
from raven.office import CHROMIUM, Office, Visitor, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_key_puts_it_into_the_answer(arrive: Callable[..., Visitor], office: Office, scheme: Any) -> None:
    office.hub.put_answer(
        "acme", "late", {"title": "A parcel is late", "text": "{greeting}, order {order} is on its way."}
    )
    office.hub.put_answer("acme", "lamp", {"kind": "article", "title": "Late lamps", "text": "<b>Hold</b> it."})
    office.hear(1, "My parcel is late! It is order 4711.", ago=300)
    visitor = arrive(color_scheme=scheme).sign_in().open()
    offered = visitor.page.locator("#answers li")
    offered.nth(1).wait_for()
    assert "It has the words parcel, late, order; not used yet." in offered.nth(0).inner_text()
    assert "<b>Hold</b> it." in offered.nth(1).inner_text()
    visitor.shoot(f"answers-{scheme}")
    visitor.page.locator("#answer").press("Alt+Digit1")
    assert visitor.page.locator("#answer").input_value() == "Hi Kerry, order 4711 is on its way."
    visitor.send()
    until(lambda: office.roost.sky.texts() != [], "it did not go out")
    sent = {one["name"]: one["sent"] for one in office.hub.written_answers("acme")}
    assert sent == {"late": 1, "lamp": 0}
    visitor.page.get_by_label("Internal note").check(force=True)
    visitor.page.locator("#answers").wait_for(state="hidden")
    visitor.calm()

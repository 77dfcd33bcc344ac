"""A reply that needs approval on the inbox page: told beforehand, waiting, approved by a colleague, or refused."""

from collections.abc import Callable
from typing import Any

import pytest
from raven.office import CHROMIUM, Office, Visitor, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
SAID = "I guarantee that it is there on Friday."


def begin(office: Office, agent: str, arrive: Callable[..., Visitor], **options: Any) -> Visitor:
    visitor = arrive(**options)
    visitor.page.goto(
        f"{office.url}/#token={office.token(agent, 'read', 'reply', *(['approve'] if agent == 'kim' else []))}"
    )
    visitor.page.get_by_text("Live", exact=True).wait_for()
    return visitor


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_waits_and_a_colleague_approves_or_refuses_it(
    arrive: Callable[..., Visitor], office: Office, scheme: Any
) -> None:
    office.hub.add_agent("acme", "kim", "Kim")
    office.hub.set_guidance("acme", {"policy": {"approvals": True}})
    office.hear(1, "When does it come?", ago=300)
    dana = begin(office, "dana", arrive, color_scheme=scheme).open()
    dana.write(SAID)
    dana.page.locator(".hindrance.hint", has_text="binds us").wait_for()
    assert dana.page.locator("#send-words").inner_text() == "Send for approval"
    assert dana.page.locator(".mirror mark").inner_text() == "I guarantee"
    dana.send()
    mine = dana.page.locator("#approvals .approval")
    mine.get_by_text("Waits for approval").wait_for()
    assert mine.get_by_role("button").all_inner_texts() == ["Withdraw"]
    dana.shoot(f"approval-author-{scheme}")

    kim = begin(office, "kim", arrive, color_scheme=scheme)
    kim.page.get_by_label("Approve", exact=True).check(force=True)
    theirs = kim.page.locator("#queue-list .approval")
    said = theirs.get_by_label("What goes out")
    said.wait_for()
    assert said.input_value() == SAID
    kim.shoot(f"approval-list-{scheme}")
    if scheme == "light":
        said.fill("It should be there on Friday.")
        theirs.get_by_role("button", name="Approve").click()
        until(lambda: office.roost.sky.texts() == ["It should be there on Friday."], "it did not go out")
        mine.wait_for(state="detached")
    else:
        theirs.get_by_role("button", name="Refuse").click()
        kim.page.get_by_text("Say in a word why.").wait_for()
        theirs.get_by_label("Why it is refused").fill("Nobody knows that.")
        theirs.get_by_role("button", name="Refuse").click()
        mine.get_by_text("Nobody knows that.").wait_for()
        assert office.roost.sky.texts() == []
    dana.calm()
    kim.calm()

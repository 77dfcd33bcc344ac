"""In a real Chromium: files that go along with an answer, accounts as people say them, and who cannot be answered."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from raven import bird
from raven.office import CHROMIUM, Office, Visitor, until

from socialsupport_core.model import Identifier, Interaction, Party, Thread

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
BILL = {"name": "bill (1).pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
NOTE = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"}
DROP = """async ([name, content]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([content], name, { type: "text/plain" }));
  const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.getElementById("composer").dispatchEvent(event);
}"""


def going(visitor: Visitor) -> list[str]:
    """The names of what goes along."""
    found: list[str] = visitor.page.locator(".outgoing .file-name").all_inner_texts()
    return found


def attach(visitor: Visitor, *files: dict[str, Any]) -> None:
    before = visitor.page.locator(".outgoing .file[data-state=stored]").count()
    visitor.page.locator("#files").set_input_files(list(files))
    until(
        lambda: visitor.page.locator(".outgoing .file[data-state=stored]").count() == before + len(files),
        "the files were not uploaded",
    )


def test_a_file_goes_along_with_the_answer(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Where is the bill?")
    visitor = arrive().sign_in().open()
    page = visitor.page
    visitor.write("Here it is.")
    attach(visitor, BILL, NOTE)
    assert going(visitor) == ["bill (1).pdf", "note.txt"]
    page.get_by_role("button", name="Without note.txt").click()
    assert going(visitor) == ["bill (1).pdf"]
    visitor.shoot("files")
    visitor.send()
    entry = visitor.entry("Here it is.")
    link = entry.get_by_role("link", name="bill (1).pdf")
    link.wait_for()
    entry.get_by_text("Sent", exact=True).wait_for()
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == b"%PDF-1.4"
    assert going(visitor) == []
    visitor.calm()


def test_a_file_alone_is_an_answer_too(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Where is the bill?")
    visitor = arrive().sign_in().open()
    visitor.send()
    assert visitor.page.locator(".entry").count() == 1, "nothing at all is none"
    visitor.page.evaluate(DROP, ["dropped.txt", "hello"])
    until(lambda: visitor.page.locator(".outgoing .file[data-state=stored]").count() == 1, "it was not taken")
    visitor.send()
    visitor.page.locator(".entry .file", has_text="dropped.txt").first.wait_for()
    until(lambda: office.roost.states() == ["sent"], "it was not sent")
    visitor.calm()


def test_a_file_that_the_network_does_not_take_is_told_beforehand(
    arrive: Callable[..., Visitor], office: Office
) -> None:
    """Ravens carry a thousand bytes."""
    office.hear(1, "Where is the bill?")
    visitor = arrive().sign_in().open()
    attach(visitor, {**BILL, "buffer": b"x" * 2000})
    visitor.page.locator("#plan .hindrance[data-rule=media_size]").wait_for()
    visitor.send()
    assert going(visitor) == ["bill (1).pdf"]
    assert office.roost.states() == []
    visitor.calm()


def test_files_are_part_of_the_draft_and_of_no_note(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Where is the bill?", ago=4000)
    office.hear(2, "And mine?", "sam", ago=90)
    visitor = arrive().sign_in().open("Kerry")
    page = visitor.page
    attach(visitor, BILL)
    visitor.open("Sam")
    assert going(visitor) == []
    visitor.open("Kerry")
    assert going(visitor) == ["bill (1).pdf"]
    page.get_by_label("Internal note").check(force=True)
    page.locator("#attach").wait_for(state="hidden")
    page.locator(".outgoing").wait_for(state="hidden")
    visitor.write("She is right.")
    visitor.send()
    visitor.entry("She is right.").wait_for()
    assert visitor.entry("She is right.").locator(".file").count() == 0
    page.locator(".outgoing").wait_for()
    assert going(visitor) == ["bill (1).pdf"], "it waits for the answer"
    visitor.calm()


def test_a_hub_that_refuses_a_file_says_so(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Where is the bill?")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.locator("#files").set_input_files([{**BILL, "buffer": b""}])
    page.locator(".toast", has_text="is empty").wait_for()
    page.route(
        "**/api/attachments*", lambda route: route.fulfill(status=503, json={"title": "x", "detail": "disk full"})
    )
    page.locator("#files").set_input_files([BILL])
    page.locator(".toast", has_text="disk full").wait_for()
    assert going(visitor) == []
    assert len(visitor.errors) == 1  # the browser's own line about the 503


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_with_files(arrive: Callable[..., Visitor], office: Office, scheme: str) -> None:
    office.hear(1, "Where is the bill?")
    visitor = arrive(viewport={"width": 360, "height": 740}, color_scheme=scheme).sign_in().open()
    attach(visitor, {**BILL, "name": "a-very-long-name-without-any-place-to-break-" * 3 + ".pdf"}, NOTE)
    visitor.fits()
    visitor.shoot(f"files-narrow-{scheme}")
    visitor.calm()


def test_accounts_are_called_what_people_call_them(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello", author="kerry")
    visitor_id = "0123456789abcdef0123456789abcdef"
    office.hear(2, "Hi", author=visitor_id)
    agent = office.hub.link("acme", str(bird("kerry").account), str(bird(visitor_id).account), agent="dana")
    assert agent.customers
    visitor = arrive().sign_in()
    visitor.page.locator(".row").first.click()
    person = visitor.page.locator("#person")
    person.get_by_text("Known as").wait_for()
    names = person.locator(".identifiers .value").all_inner_texts()
    assert "01234567…" in names
    assert not [one for one in names if visitor_id in one]
    assert person.locator(".evidence .value").all_inner_texts()
    visitor.calm()


def test_where_nobody_can_be_answered_there_is_a_note(arrive: Callable[..., Visitor], office: Office) -> None:
    call = Interaction(
        network="store",
        native_id="v1",
        kind="visit",
        direction="inbound",
        own_account="Berlin",
        thread=Thread(id="v1", visibility="private"),
        author=Party(identifiers=(Identifier(kind="phone", value="+15550147"),), name="Kerry"),
        text="bought a cup",
        sent_at=datetime.now(UTC),
    )
    office.hub.record_interaction("acme", call)
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.get_by_text("Noted by hand: nobody can be answered there").wait_for()
    assert page.locator("#composer .hindrance").count() == 0
    assert page.get_by_text("Reply", exact=True).count() == 0
    visitor.write("Gave her a discount.")
    visitor.send()
    entry = visitor.entry("Gave her a discount.")
    entry.wait_for()
    assert entry.get_attribute("data-direction") == "internal"
    visitor.shoot("mute")
    visitor.calm()

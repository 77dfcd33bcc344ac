"""The agents' inbox in a real Chromium: by keyboard, live, hostile, narrow and dark."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from raven import bird, deleted, edited, message, reacted
from raven.connector import ACCOUNT
from raven.office import CHROMIUM, Office, Visitor, until

from socialsupport_core.model import IdentityClaimed
from socialsupport_core.model.interaction import Attachment

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
EVIL = "<img src=x onerror=alert(1)>"


def test_signing_in_and_out(arrive: Callable[..., Visitor], office: Office) -> None:
    visitor = arrive()
    page = visitor.page
    page.goto(office.url)
    page.get_by_label("API token").fill("sst_wrong")
    page.keyboard.press("Enter")
    page.get_by_text("not known here").wait_for()
    assert len(visitor.errors) == 1  # the browser's own line about the 401
    visitor.errors.clear()
    page.get_by_label("API token").fill(office.token())
    page.keyboard.press("Enter")
    page.get_by_text("Live", exact=True).wait_for()
    assert page.evaluate("document.cookie") == ""

    visitor.sign_in()
    assert page.url == f"{office.url}/"
    page.reload()
    page.get_by_text("Live", exact=True).wait_for()
    page.get_by_role("button", name="Dana: sign out").click()
    page.get_by_label("API token").wait_for()
    page.reload()
    page.get_by_label("API token").wait_for()
    visitor.calm()


def test_the_timeline_reads_as_one_conversation(arrive: Callable[..., Visitor], office: Office) -> None:
    office.roost.sky.files["bill"] = b"%PDF"
    bill = Attachment(media_type="application/pdf", native_id="bill", name="bill.pdf")
    shouted = office.hear(1, "Where is my **order**?", visibility="public", ago=400)
    office.hear(2, "Here is the bill", ago=300, attachments=(bill,))
    wrong = office.hear(3, "Order 17", ago=200)
    regretted = office.hear(4, "You fools", ago=100)
    now = (datetime.now(UTC) - shouted.interaction.sent_at).total_seconds()
    since_noon = (shouted.interaction.sent_at.timestamp() - message(0, "").interaction.sent_at.timestamp()) + now
    office.roost.deliver(edited(wrong, "Order 71", since_noon), deleted(regretted, since_noon))
    office.roost.deliver(reacted(shouted, "🙏", since_noon, author="sam"))
    office.hub.note("acme", office.roost.conversation(), "Be kind to her", agent="bo")
    visitor = arrive().sign_in().open()
    page = visitor.page

    public, private = visitor.entry("Where is my order?"), visitor.entry("Here is the bill")
    assert public.locator("strong").inner_text() == "order"
    assert public.locator(".visibility").inner_text() == "Public"
    assert private.locator(".visibility").inner_text() == "Private"
    shades = [one.locator(".bubble").evaluate("e => getComputedStyle(e).borderStyle") for one in (public, private)]
    assert shades[0] != shades[1]  # to be told apart without colour
    public.locator(".reactions", has_text="🙏").wait_for()
    page.locator(".seam.leg", has_text="Joined: the customer's only open conversation").wait_for()
    visitor.entry("Order 71").get_by_text("Edited").wait_for()
    visitor.entry("Deleted by its author").wait_for()
    assert page.get_by_text("You fools").count() == 0
    note = visitor.entry("Be kind to her")
    assert note.get_attribute("data-direction") == "internal"
    assert "Bo" in note.inner_text()
    link = private.get_by_role("link", name="bill.pdf")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == b"%PDF"
    assert page.locator(".entry time").first.get_attribute("title")
    visitor.shoot("timeline")
    visitor.calm()


def test_a_reply_by_keyboard_alone(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Is it open today?", ago=4000)
    office.hear(2, "And tomorrow?", "sam", ago=90)
    visitor = arrive().sign_in()
    page = visitor.page
    until(lambda: page.locator(".waiting time").count() == 2, "the queue does not show who waits")
    waiting = [one.inner_text() for one in page.locator(".waiting time").all()]
    assert waiting == ["1 h", "1 min"]  # whoever has waited longest comes first
    page.keyboard.press("j")
    page.locator("#talk-title", has_text="Kerry").wait_for()
    page.keyboard.press("j")
    page.locator("#talk-title", has_text="Sam").wait_for()
    page.keyboard.press("k")
    page.locator("#talk-title", has_text="Kerry").wait_for()
    page.keyboard.press("r")
    page.keyboard.type("It is open until six.")
    visitor.plan("21 of 160 characters")
    page.keyboard.press("Control+Enter")
    visitor.entry("It is open until six.").get_by_text("Sent", exact=True).wait_for()
    assert office.roost.sky.texts() == ["It is open until six."]
    until(lambda: page.locator(".waiting").count() == 1, "nobody has stopped waiting")
    page.keyboard.press("Escape")
    assert visitor.focused("id") == "timeline"
    assert page.locator("#timeline").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("e")
    page.get_by_role("button", name="Reopen").wait_for()
    page.keyboard.press("Escape")
    page.locator("#nothing").wait_for()
    assert page.evaluate("location.hash") == "#/"
    visitor.calm()


def test_a_phone_number_does_not_go_out_in_public(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Nobody answers!", visibility="public")
    visitor = arrive().sign_in().open()
    page = visitor.page
    visitor.write("🎉 Call us: +1 555 010 4477 or so")
    visitor.plan("contains a phone number")
    visitor.shoot("refused")
    assert page.locator(".mirror mark").all_inner_texts() == ["+1 555 010 4477"]
    assert page.locator("#plan .marked").all_inner_texts() == ["+1 555 010 4477"]
    visitor.send()
    page.wait_for_timeout(300)
    assert page.locator("#answer").input_value().startswith("🎉 Call")
    assert office.roost.sky.texts() == []
    visitor.write("🎉 Call us")
    visitor.plan("of 160 characters")
    visitor.send()
    visitor.entry("🎉 Call us").get_by_text("Sent", exact=True).wait_for()
    visitor.calm()


def test_writing_privately_to_somebody_who_spoke_in_public(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Nobody answers!", visibility="public")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.get_by_label("Write privately").check()
    visitor.write("Is +1 555 010 4477 yours?")
    visitor.plan("of 160 characters")
    page.get_by_role("button", name="Send privately").click()
    entry = visitor.entry("Is +1 555 010 4477 yours?")
    entry.get_by_text("Sent", exact=True).wait_for()
    assert entry.get_attribute("data-visibility") == "private"
    page.locator(".seam", has_text="Dana opened a private thread on").wait_for()
    assert office.roost.sky.messages[0]["thread"] == "dm-kerry"
    visitor.calm()


def test_handing_off_out_of_public(arrive: Callable[..., Visitor], office: Office) -> None:
    """The button offers the channels with their reasons; by keyboard alone, one of them is carried out."""
    office.hear(1, "Nobody answers!", visibility="public")
    visitor = arrive().sign_in().open()
    page = visitor.page
    button = page.get_by_role("button", name="Hand off")
    button.click()
    choice = page.get_by_role("dialog", name="Hand off to")
    target = choice.locator("[data-channel=tower]")
    target.wait_for()
    assert "the same account, so there is nothing to prove" in target.inner_text()
    assert (
        target.locator(".says.private")
        .inner_text()
        .endswith("“Hello! Here we can talk privately, and you need not tell it all again.”")
    )
    assert target.locator(".says.public").inner_text().startswith("In public, ")
    assert page.evaluate("document.activeElement.dataset.channel") == "tower"
    visitor.shoot("hand-off")
    page.keyboard.press("Escape")
    choice.wait_for(state="hidden")
    assert visitor.focused("id") == "hand-off"
    page.keyboard.press("Enter")
    target.wait_for()
    page.keyboard.press("Enter")
    visitor.entry("Here we can talk privately").wait_for()
    page.locator(".seam", has_text="Dana handed this off to").wait_for()
    threads = {"square", "dm-kerry"}
    until(lambda: {one["thread"] for one in office.roost.sky.messages} == threads, "a half of it was not sent")
    office.hear(2, "Thank you", ago=0)
    page.locator(".seam", has_text="Handed off: to a private thread").first.wait_for()
    visitor.calm()


def test_a_hand_off_is_taken_back(arrive: Callable[..., Visitor], office: Office) -> None:
    """While nobody has come; and then the customer waits again."""
    office.hear(1, "Nobody answers!", visibility="public")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.get_by_role("button", name="Hand off").click()
    page.get_by_role("dialog", name="Hand off to").locator("[data-channel=tower]").click()
    page.locator(".seam", has_text="Dana handed this off to").wait_for()
    assert "waiting_since" not in office.hub.conversation("acme", office.roost.conversation())
    page.get_by_role("button", name="Hand off").click()
    back = page.get_by_role("button", name="Withdraw the hand-off to")
    back.wait_for()
    page.locator(".target:focus").wait_for()  # and not where Enter would withdraw it
    visitor.shoot("hand-off-withdraw")
    back.click()
    page.locator(".seam", has_text="Dana withdrew the hand-off to").wait_for()
    back.wait_for(state="detached")
    assert "waiting_since" in office.hub.conversation("acme", office.roost.conversation())
    visitor.calm()


def test_a_channel_that_is_closed_says_why(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Is it open?")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.get_by_role("button", name="Hand off").click()
    page.get_by_text("One is closed").click()
    page.locator(".hand-off-closed li", has_text="the conversation is there already").wait_for()
    visitor.calm()


def test_parts_hand_off_and_note(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Nobody answers!", visibility="public")
    visitor = arrive().sign_in().open()
    page = visitor.page
    visitor.write("We are sorry, Kerry, and looking into it. " * 6)
    visitor.plan("Goes out as 2 messages")
    page.locator("#plan summary").click()
    assert page.locator("#plan li").count() == 2
    visitor.write("Please go on here:")
    page.get_by_role("button", name="Hand off").click()
    page.get_by_role("button", name="A link in my answer").click()
    page.locator("#hand-off-note", has_text="Anybody can read a public reply").wait_for()
    link = page.locator("#answer").input_value().removeprefix("Please go on here: ")
    assert link.startswith(f"{office.url}/h/")
    page.locator(".seam", has_text="Dana made a hand-off link").wait_for()

    page.get_by_label("Internal note").check()
    visitor.write("Her number is +1 555 010 4477")
    visitor.send()
    note = visitor.entry("Her number is")
    note.wait_for()
    until(lambda: note.get_attribute("data-id").isdigit(), "the hub did not keep the note")
    assert note.get_attribute("data-direction") == "internal"
    assert office.roost.sky.texts() == []
    visitor.calm()


def test_what_may_have_been_sent_is_for_a_person_to_say(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello?")
    visitor = arrive().sign_in().open()
    page = visitor.page
    office.roost.sky.faults.drop = 1
    visitor.write("On its way")
    visitor.send()
    entry = visitor.entry("On its way")
    entry.get_by_text("May have been sent, please check").wait_for()
    visitor.shoot("uncertain")
    entry.get_by_role("button", name="It was not").click()
    entry.get_by_text("Not sent", exact=True).wait_for()
    assert len(office.roost.sky.texts()) == 1  # nothing is sent again by itself
    entry.get_by_role("button", name="Send again").click()
    entry.get_by_text("Sent", exact=True).wait_for()
    assert office.roost.sky.texts() == ["On its way"] * 2
    assert page.locator(".outcome-buttons").count() == 0
    visitor.calm()


def test_an_unreachable_hub_loses_and_doubles_nothing(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello?")
    visitor = arrive().sign_in().open()
    page = visitor.page
    keys: list[str] = []

    def cut(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.abort()  # the hub hears nothing
        elif len(keys) == 2:
            route.fetch()  # the hub hears it, the page never learns
            route.abort()
        else:
            route.continue_()

    page.route("**/reply", cut)
    visitor.write("Once only")
    visitor.send()
    lost = visitor.entry("The hub could not be reached")
    lost.get_by_role("button", name="Try again").click()
    visitor.entry("Once only").get_by_text("Sent", exact=True).wait_for()
    lost.wait_for(state="detached")  # what the hub shows is not lost
    assert visitor.entry("Once only").count() == 1
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert office.roost.sky.texts() == ["Once only"]
    assert visitor.dialogs == []


def test_a_note_is_kept_once(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello?")
    visitor = arrive().sign_in().open()
    page = visitor.page
    heard: list[str] = []

    def cut(route: Any) -> None:
        heard.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    page.route("**/note", cut)
    page.get_by_label("Internal note").check()
    visitor.write("Be kind")
    visitor.send()
    visitor.entry("Be kind").locator("xpath=self::*[@data-direction='internal']").wait_for()
    visitor.entry("The hub could not be reached").wait_for(state="detached")
    office.hub.note("acme", office.roost.conversation(), "Be kind", agent="dana", key=f"dana:{heard[0]}")
    page.reload()
    visitor.entry("Be kind").wait_for()
    assert visitor.entry("Be kind").count() == 1


def test_a_choice_is_not_made_anew_by_what_comes_in(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Nobody answers!", visibility="public")
    visitor = arrive().sign_in().open()
    page = visitor.page
    note = page.get_by_label("Internal note")
    note.evaluate("(input) => (input.dataset.held = 'yes')")
    page.get_by_label("Write privately").check()
    office.hear(2, "Hello?", visibility="public")
    visitor.entry("Hello?").wait_for()
    assert note.get_attribute("data-held") == "yes"  # a click that is half done meets the same element
    assert page.get_by_label("Write privately").is_checked()


def test_link_and_undo(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "It is me on the square", "kerry", ago=500)
    office.hear(2, "And me at home", "kerry_home", ago=90)
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Name, address, handle or identifier").fill("home")
    page.locator("dialog :checked").wait_for(state="attached")
    page.get_by_label("Why").fill("said so on the phone")
    page.keyboard.press("Enter")
    visitor.entry("And me at home").wait_for()
    page.get_by_text("Dana linked them").wait_for()
    visitor.shoot("linked")
    page.get_by_role("button", name="Undo").click()
    visitor.entry("And me at home").wait_for(state="detached")
    page.get_by_text("Taken back (1)").wait_for()
    assert office.roost.texts("kerry_home") == ["And me at home"]

    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Name, address, handle or identifier").fill("phone:+15550104477")
    page.get_by_text("not heard of so far").wait_for()
    page.keyboard.press("Enter")
    page.locator(".identifiers", has_text="+15550104477").wait_for()
    visitor.calm(moved=True)


def test_a_claim_is_shown_and_a_split_is_kept(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello", "kerry", ago=500)
    office.hear(2, "Hello too", "sam", ago=400)
    at = datetime.now(UTC)
    kerry, sam = bird("kerry").identifiers[0], bird("sam").identifiers[0]
    claim = IdentityClaimed(id="c1", own_account=ACCOUNT, subject=sam, claims=(kerry,), proof="typed", at=at)
    office.roost.deliver(claim)
    until(lambda: office.hub.explain("acme", str(kerry))["refused"], "the claim was not recorded")
    visitor = arrive().sign_in().open()
    page = visitor.page
    page.locator("section", has_text="Not joined").get_by_text("it never joins").wait_for()
    page.locator("section", has_text="Not joined").get_by_role("button", name="Link").click()
    page.locator("dialog :checked").wait_for(state="attached")
    page.get_by_role("dialog").get_by_role("button", name="Link").click()
    visitor.entry("Hello too").wait_for()

    page.get_by_role("button", name="Split").click()
    page.get_by_role("dialog").get_by_role("checkbox", name="sam").check()
    page.get_by_text("1 account leaves, 1 stay").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Split").click()
    visitor.entry("Hello too").wait_for(state="detached")
    apart = page.locator("section", has_text="Kept apart")
    apart.get_by_text("Dana said that these are different people").wait_for()
    apart.get_by_role("button", name="Undo").click()
    visitor.entry("Hello too").wait_for()
    visitor.calm(moved=True)


def test_it_is_live_and_colleagues_see_each_other(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello?")
    dana, bo = arrive().sign_in().open(), arrive().sign_in("bo").open()
    bo.write("I am at it")
    dana.page.get_by_text("Bo is answering this conversation.").wait_for()
    dana.page.locator(".row-answering", has_text="Bo answering").wait_for()
    bo.write("")
    bo.page.keyboard.press("Escape")
    dana.page.locator("#answering").wait_for(state="hidden")

    office.hear(2, "Still there?", ago=0)
    dana.page.locator("#announcer", has_text="Kerry on Raven: Still there?").wait_for()
    dana.entry("Still there?").wait_for()
    office.hear(3, "Me too", "sam", ago=0)
    dana.page.locator('.row[data-unread="true"]', has_text="Sam").wait_for()
    assert dana.page.title() == "(1) Inbox"
    bo.page.get_by_role("button", name="Take it").click()
    bo.page.locator(".seam", has_text="Bo took this").wait_for()
    dana.page.locator(".row", has_text="Kerry").get_by_text("Assigned to Bo").wait_for(state="attached")
    dana.page.get_by_label("Mine").check()
    dana.page.get_by_text("Nothing is assigned to you.").wait_for()
    dana.calm()
    bo.calm()


def test_a_draft_stays_and_never_changes_its_place(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "In confidence", ago=300)
    visitor = arrive().sign_in().open()
    page = visitor.page
    visitor.write("Your address is Tower Lane 3")
    page.reload()
    page.locator("#talk-title", has_text="Kerry").wait_for()
    assert page.locator("#answer").input_value() == "Your address is Tower Lane 3"
    office.hear(2, "Nobody answers!", visibility="public", ago=0)
    visitor.entry("Nobody answers!").wait_for()
    assert page.locator(".legs :checked + span").inner_text().endswith("private")
    visitor.write("")
    office.hear(3, "Hello?", visibility="public", ago=0)
    visitor.entry("Hello?").wait_for()
    assert page.locator(".legs :checked + span").inner_text().endswith("private")
    visitor.calm()


def test_older_entries_come_on_scrolling(arrive: Callable[..., Visitor], office: Office) -> None:
    start = datetime.now(UTC) - timedelta(hours=3)
    letters = [message(n, f"Letter {n} of many", at=start + timedelta(minutes=n)) for n in range(120)]
    office.roost.deliver(*letters)
    until(lambda: len(office.known("kerry")) == 50, "they were not recorded")
    visitor = arrive().sign_in().open()
    page = visitor.page
    visitor.entry("Letter 119 of many").wait_for()
    until(
        lambda: page.locator("#timeline").evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight < 4"), "no end"
    )
    assert page.locator(".entry").count() == 50
    for count in (100, 120):
        page.locator("#timeline").evaluate("e => { e.scrollTop = 0 }")
        until(lambda count=count: page.locator(".entry").count() == count, f"{count} entries did not come")
    assert page.locator("#timeline").evaluate("e => e.scrollTop") > 200  # what was read stays in view
    page.get_by_text("This is where it began").wait_for()
    office.hear("new", "One more", ago=0)
    page.get_by_role("button", name="Newest").click()
    assert page.locator(".entry").count() == 121
    visitor.calm()


def test_strangers_cannot_script_the_page(arrive: Callable[..., Visitor], office: Office) -> None:
    evil = f"{EVIL} <script>alert(2)</script> [x](javascript:alert(3)) ![y](http://evil.example/z.png)"
    sheet = Attachment(media_type="text/html", native_id="evil", name=f"{EVIL}.html")
    office.roost.sky.files["evil"] = b"<script>alert(4)</script>"
    letter = message(1, evil, at=datetime.now(UTC), attachments=(sheet,), subject=EVIL)
    author = bird("kerry").model_copy(update={"name": EVIL, "handle": EVIL})
    named = letter.interaction.model_copy(update={"author": author})
    office.roost.deliver(letter.model_copy(update={"interaction": named}))
    visitor = arrive().sign_in()
    page = visitor.page
    visitor.row(EVIL).click()
    page.locator("#talk-title", has_text=EVIL).wait_for()
    page.locator("#person-title", has_text=EVIL).wait_for()
    page.get_by_role("link", name=f"{EVIL}.html").wait_for()
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Name, address, handle or identifier").fill(EVIL)
    page.keyboard.press("Escape")
    visitor.write(evil)
    visitor.plan("of 160 characters")
    assert page.locator("img, .entry script, iframe, [onerror]").count() == 0
    hrefs = page.locator(".entry a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert [one for one in hrefs if "javascript" in one] == []
    visitor.calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow(arrive: Callable[..., Visitor], office: Office, scheme: str) -> None:
    office.hear(1, "A-very-long-word-" * 30, visibility="public", ago=8000)
    office.hear(2, "Hello", ago=100)
    visitor = arrive(viewport={"width": 390, "height": 780}, color_scheme=scheme).sign_in()
    page = visitor.page
    visitor.fits()
    visitor.shoot(f"narrow-queue-{scheme}")
    visitor.row("Kerry").click()
    visitor.entry("Hello").wait_for()
    assert not page.locator("#queue").is_visible()
    visitor.write("Hello Kerry")
    visitor.plan("of 160")
    visitor.fits()
    visitor.shoot(f"narrow-talk-{scheme}")
    page.get_by_role("button", name="About this person").click()
    page.locator("#person-title").wait_for()
    visitor.fits()
    visitor.shoot(f"narrow-person-{scheme}")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Back to the queue").click()
    page.locator("#queue").wait_for()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(one) for one in ground[4:-1].split(",")) < 200) == (scheme == "dark")
    visitor.calm()


def test_who_may_only_read_is_offered_nothing_else(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "Hello")
    visitor = arrive()
    visitor.page.goto(f"{office.url}/#token={office.token('bo', 'read')}")
    visitor.open()
    visitor.entry("Hello").wait_for()
    for offer in ("Send", "Hand off", "Link", "Resolve", "Take it"):
        assert not visitor.page.get_by_role("button", name=offer, exact=True).is_visible(), offer
    visitor.calm()


def test_the_younger_conversation_goes_on_in_the_older(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "It is me on the square", "kerry", ago=500)
    office.hear(2, "And me at home", "robin", ago=90)
    visitor = arrive().sign_in().open("Robin")
    younger = visitor.page.url
    office.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="bo")
    visitor.entry("It is me on the square").wait_for()
    until(lambda: visitor.page.url != younger, "it stayed where nothing goes on")
    visitor.page.locator(".seam", has_text="two customers turned out to be one").wait_for()
    visitor.write("Hello Kerry")
    visitor.send()
    visitor.entry("Hello Kerry").get_by_text("Sent", exact=True).wait_for()
    visitor.calm(moved=True)

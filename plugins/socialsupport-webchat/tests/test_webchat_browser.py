"""The page in a real Chromium: by keyboard alone, offline, hostile, light and dark.

Screenshots are kept where SOCIALSUPPORT_SCREENSHOTS names a folder.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from socialsupport_core.model import DeliveryUpdated, IdentityClaimed, TypingStarted
from socialsupport_webchat.protocol import sign

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("SOCIALSUPPORT_CHROMIUM") or shutil.which("chromium") or ""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "k5vq3m7xw2p4ny6zr7b3cdaejh"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """A page with a watch on everything that must not happen."""

    def __init__(self, context: Any, server: Any, path: str = "") -> None:
        self.context = context
        self.server = server
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.goto(server.url + path)
        self.live()

    def _console(self, message: Any) -> None:
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            self.errors.append(message.text)

    def live(self) -> None:
        self.page.wait_for_selector('html[data-state="live"]')

    @property
    def id(self) -> str:
        session = self.page.evaluate("localStorage.getItem('webchat:acme-web:session:')")
        return str(json.loads(session)["visitor"])

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def posted(self, path: str) -> list[str]:
        return [url for url in self.requests if url == self.server.url + path]

    def texts(self, selector: str = ".message:not(.greeting) .text") -> list[str]:
        return [str(text) for text in self.page.locator(selector).all_inner_texts()]

    def sees(self, text: str) -> None:
        self.page.get_by_text(text, exact=True).first.wait_for()

    def states(self) -> list[str]:
        return [str(one.get_attribute("data-state")) for one in self.page.locator(".mine").all()]

    def settled(self, *states: str) -> None:
        until(lambda: self.states() == list(states), lambda: f"the messages are {self.states()}")


def until(true: Callable[[], bool], why: Callable[[], str], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


@pytest.fixture
def arrive(chromium: Any, server: Any) -> Iterator[Callable[..., Visitor]]:
    contexts = []

    def arrive(path: str = "", **options: Any) -> Visitor:
        contexts.append(chromium.new_context(**{"viewport": {"width": 900, "height": 700}, **options}))
        return Visitor(contexts[-1], server, path)

    yield arrive
    for context in contexts:
        context.close()


def test_by_keyboard_alone(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    page = visitor.page
    page.keyboard.press("Tab")  # the messages, which scroll
    assert page.evaluate("document.activeElement.id") == "scroll"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("Where is my order?")
    page.keyboard.press("Shift+Enter")
    visitor.type("Number 7.")
    visitor.settled("sent")
    assert server.host.texts() == ["Where is my order?\nNumber 7."]
    assert any(isinstance(event, TypingStarted) for event in server.host.events)

    server.do(server.host.reply(visitor.id, "What shall we do?", "Refund", "Send again"))
    page.get_by_role("button", name="Send again").wait_for()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == "Send again"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    visitor.settled("sent", "sent")
    pressed = server.host.events[-1].interaction
    assert (pressed.text, pressed.choice) == ("Send again", "send again")
    assert pressed.in_reply_to
    assert page.locator(".choice:enabled").count() == 0
    assert page.evaluate("document.activeElement.id") == "text"
    assert visitor.errors == []


def test_a_reply_arrives_live_and_is_read(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    visitor.type("Hello")
    visitor.settled("sent")
    server.do(server.host.type(visitor.id))
    visitor.page.get_by_text("Robin is typing").wait_for()
    native_id = server.do(server.host.reply(visitor.id, "It left **today**."))
    visitor.page.locator("strong", has_text="today").wait_for()
    assert not visitor.page.locator("#typing").is_visible()
    assert visitor.page.locator("#log").get_attribute("aria-live") == "polite"
    until(
        lambda: [e.native_id for e in server.host.events if isinstance(e, DeliveryUpdated)] == [native_id],
        lambda: "the reply was not told as read",
    )
    server.do(server.host.edit(visitor.id, native_id, "It left *yesterday*."))
    visitor.page.locator("em", has_text="yesterday").wait_for()
    assert visitor.page.locator(".edited:visible").count() == 1
    server.do(server.host.delete(visitor.id, native_id))
    visitor.sees("This message was deleted.")
    assert "yesterday" not in visitor.page.locator("#log").inner_text()


def test_offline_messages_wait_and_arrive_once_and_in_order(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    visitor.type("zero")
    visitor.settled("sent")
    visitor.context.set_offline(True)
    visitor.page.wait_for_selector('html[data-state="offline"]')
    visitor.type("one")
    visitor.type("two")
    visitor.settled("sent", "waiting", "waiting")
    assert "Waiting" in visitor.page.locator(".mine").last.inner_text()
    server.do(server.host.reply(visitor.id, "written meanwhile"))
    failed = len(visitor.posted("messages")) - 1
    visitor.context.set_offline(False)
    visitor.settled("sent", "sent", "sent")
    visitor.sees("written meanwhile")
    assert server.host.texts() == ["zero", "one", "two"]
    assert visitor.texts() == ["zero", "written meanwhile", "one", "two"]
    assert len(visitor.posted("messages")) == len(server.host.texts()) + failed


def test_waiting_messages_survive_closing_the_page(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    visitor.context.set_offline(True)
    visitor.type("one")
    visitor.type("two")
    visitor.settled("waiting", "waiting")
    visitor.page.close()
    visitor.context.set_offline(False)
    again = Visitor(visitor.context, server)
    again.settled("sent", "sent")
    assert server.host.texts() == ["one", "two"]


def test_an_answer_that_is_lost_doubles_nothing(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    server.host.lose_answers = 1
    visitor.type("one")
    visitor.type("two")
    visitor.settled("sent", "sent")
    until(lambda: len(server.host.journal) >= 3, lambda: "nothing was tried again")
    assert server.host.texts() == ["one", "two"]


def test_a_hub_in_trouble_gets_it_later(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    server.host.refuse = 2
    visitor.type("one")
    visitor.settled("waiting")
    visitor.type("two")
    visitor.settled("sent", "sent")
    assert server.host.texts() == ["one", "two"]


def test_a_reload_keeps_the_thread(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    visitor.type("Hello")
    visitor.settled("sent")
    server.do(server.host.reply(visitor.id, "Hi", "Yes", "No"))
    visitor.page.get_by_role("button", name="No").click()
    visitor.settled("sent", "sent")
    before, who = visitor.texts(), visitor.id
    visitor.page.reload()
    visitor.live()
    assert (visitor.texts(), visitor.id) == (before, who)
    assert visitor.page.locator(".choice.chosen").all_inner_texts() == ["No"]
    assert visitor.page.locator(".choice:enabled").count() == 0
    other = arrive()
    assert (other.texts(), other.id == who) == ([], False)


def test_a_token_that_the_server_no_longer_knows_costs_no_message(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    known = json.dumps({"visitor": "e" * 32, "token": "e.1.f", "ahead": 0, "opened": time.time() * 1000})
    visitor.page.evaluate("known => localStorage.setItem('webchat:acme-web:session:', known)", known)
    visitor.page.reload()
    visitor.page.focus("#text")
    visitor.type("Hello")
    visitor.settled("sent")
    assert server.host.texts() == ["Hello"]
    assert visitor.id != "e" * 32
    assert visitor.texts() == ["Hello"]


def test_a_hand_off_leaves_the_address_and_goes_with_the_first_message(
    arrive: Callable[..., Visitor], server: Any
) -> None:
    visitor = arrive(f"?handoff={TOKEN}&from=x")
    assert visitor.page.url == server.url + "?from=x"
    visitor.page.focus("#text")
    visitor.type("It is me")
    visitor.type("again")
    visitor.settled("sent", "sent")
    claims = [event for event in server.host.events if isinstance(event, IdentityClaimed)]
    assert [claim.token for claim in claims] == [TOKEN]
    assert "handoff" not in "".join(visitor.requests[1:])


def test_no_token_is_ever_in_an_address(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    visitor.type("Hello")
    visitor.settled("sent")
    token = json.loads(visitor.page.evaluate("localStorage.getItem('webchat:acme-web:session:')"))["token"]
    assert all(token not in url and visitor.id not in url for url in visitor.requests)
    assert all(url.startswith(server.url) for url in visitor.requests)


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "[click](javascript:alert(1))",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "javascript:alert(1)",
    'https://evil.example/"onmouseover=alert(1)',
    "<style>body{display:none}</style>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><button>x</button></form>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
]


def test_hostile_text_stays_text_from_both_sides(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = arrive()
    visitor.page.focus("#text")
    for text in HOSTILE:
        visitor.type(text)
    visitor.settled(*["sent"] * len(HOSTILE))
    for text in HOSTILE:
        server.do(server.host.reply(visitor.id, text, text))
    until(lambda: len(visitor.texts()) == 2 * len(HOSTILE), lambda: f"{len(visitor.texts())} messages")
    assert visitor.texts(".mine .text") == HOSTILE
    visitor.page.reload()
    visitor.live()
    visitor.page.locator("#log a").first.hover()
    links = visitor.page.eval_on_selector_all("#log a", "all => all.map((one) => new URL(one.href).protocol)")
    assert set(links) <= {"http:", "https:"}
    strange = "script, img, svg:not(button svg), iframe, form, style, base, [onerror], [onload], [onmouseover]"
    assert visitor.page.locator(f"#log :is({strange})").count() == 0
    assert visitor.dialogs == []
    assert [url for url in visitor.requests if not url.startswith(server.url)] == []
    assert visitor.errors == []


def test_the_page_itself_refuses_what_the_server_might_let_through(arrive: Callable[..., Visitor], server: Any) -> None:
    """The second lock: even markup that nobody cleaned is built again from a short list of elements."""
    visitor = arrive()
    more = ["<b>bold</b><p onclick=alert(1)>x</p>", "<math><mtext><img src=x onerror=alert(1)>", "<a href='//x'>x</a>"]
    shown = visitor.page.evaluate(
        """async (all) => {
            const { rendered } = await import("./richtext.js");
            const made = document.createElement("div");
            made.append(...all.map(rendered));
            document.body.append(made);
            return [...made.querySelectorAll("*")].map((one) => one.tagName + one.getAttributeNames().join());
        }""",
        [*HOSTILE, *more],
    )
    assert set(shown) == {"B", "P", "SPAN"}
    assert visitor.dialogs == []


IDENTITY = json.dumps({"user": "42", "email": "kerry@acme.example", "expires": int(time.time()) + 3600})


def host_page(server: Any, identity: str, signature: str) -> str:
    quoted = identity.replace("&", "&amp;").replace("'", "&#39;")
    return f"""<!doctype html><html lang="en"><title>Shop</title><body><h1>Shop</h1>
        <script src="{server.url}widget.js" data-identity='{quoted}' data-signature="{signature}"></script>"""


def embed(arrive: Callable[..., Visitor], server: Any, identity: str, signature: str) -> Visitor:
    visitor = arrive()
    address = server.url.replace("/chat/acme-web/", "/shop")
    content = host_page(server, identity, signature)
    visitor.context.route(address, lambda route: route.fulfill(body=content, content_type="text/html"))
    visitor.page.goto(address)
    return visitor


def test_the_widget_opens_identifies_and_closes_by_keyboard(arrive: Callable[..., Visitor], server: Any) -> None:
    signature = sign(SecretStr("an-identity-secret-for-these-tests"), IDENTITY.encode())
    visitor = embed(arrive, server, IDENTITY, signature)
    page = visitor.page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    frame = page.frame_locator("iframe")
    frame.locator('html[data-state="live"]').wait_for()
    until(lambda: frame.locator("#text:focus").count() == 1, lambda: "the message field has no focus")
    visitor.type("Hello from the shop")
    frame.locator('.mine[data-state="sent"]').wait_for()
    until(
        lambda: any(isinstance(event, IdentityClaimed) for event in server.host.events),
        lambda: "no identity came",
    )
    claim = next(event for event in server.host.events if isinstance(event, IdentityClaimed))
    assert (claim.tier, str(claim.claims[0])) == ("verified", "webchat.user@acme-web:42")
    page.keyboard.press("Escape")
    page.locator("iframe").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.tagName") == "BUTTON"
    server.do(server.host.reply(claim.subject.value, "Still there?"))
    until(lambda: page.locator("button span").inner_text() == "1", lambda: "the button tells no unread message")


def test_who_signs_out_leaves_nothing_to_read(arrive: Callable[..., Visitor], server: Any) -> None:
    signature = sign(SecretStr("an-identity-secret-for-these-tests"), IDENTITY.encode())
    visitor = embed(arrive, server, IDENTITY, signature)
    visitor.page.get_by_role("button", name="Chat with us").click()
    frame = visitor.page.frame_locator("iframe")
    frame.locator("#text").fill("my private matter")
    frame.locator("#text").press("Enter")
    frame.locator('.mine[data-state="sent"]').wait_for()
    visitor.page.goto(server.url)
    visitor.live()
    assert visitor.texts() == []


def test_a_forged_identity_proves_nothing(arrive: Callable[..., Visitor], server: Any) -> None:
    visitor = embed(arrive, server, IDENTITY.replace("42", "1"), "0" * 64)
    with visitor.page.expect_response("**/identify") as refused:
        visitor.page.get_by_role("button", name="Chat with us").click()
    assert refused.value.status == 401
    assert server.host.events == []


def test_text_reads_well_without_motion_colour_or_width(arrive: Callable[..., Visitor]) -> None:
    narrow = arrive(viewport={"width": 320, "height": 480}, reduced_motion="reduce")
    narrow.page.focus("#text")
    narrow.type("a" * 300 + " and https://acme.example/" + "b" * 200)
    narrow.settled("sent")
    assert narrow.page.evaluate("document.documentElement.scrollWidth <= 320")
    assert narrow.page.evaluate("document.getElementById('scroll').scrollWidth <= 320")
    assert narrow.page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_contrast_and_looks(
    arrive: Callable[..., Visitor], server: Any, tmp_path: Path, scheme: str, width: int
) -> None:
    visitor = arrive(viewport={"width": width, "height": 844}, color_scheme=scheme)
    visitor.page.focus("#text")
    visitor.type("Hi, I ordered a kettle last week and it still is not here. Number 4711.")
    visitor.settled("sent")
    server.do(server.host.reply(visitor.id, "Hello! Let me look that up for you."))
    server.do(
        server.host.reply(
            visitor.id,
            "It left our warehouse **yesterday**, see [the parcel](https://acme.example/p/4711).\n\n"
            "* It should reach you on *Friday*.\n* If not, press a button:",
            "Refund",
            "Send again",
        )
    )
    visitor.page.get_by_role("button", name="Refund").click()
    visitor.settled("sent", "sent")
    server.do(server.host.type(visitor.id))
    visitor.page.get_by_text("Robin is typing").wait_for()
    visitor.context.set_offline(True)
    visitor.type("Thank you! https://acme.example/help")
    visitor.settled("sent", "sent", "waiting")
    visitor.page.wait_for_timeout(400)
    folder = Path(os.environ.get("SOCIALSUPPORT_SCREENSHOTS") or tmp_path)
    visitor.page.screenshot(path=folder / f"webchat-{scheme}-{width}.png")
    for selector in (".ours .text", "#status", ".meta .name", "#text", ".choice:not(.chosen)", ".mine .text"):
        assert contrast(visitor.page, selector) >= 4.5, selector  # WCAG 2.2, 1.4.3


def contrast(page: Any, selector: str) -> float:
    """The ratio of an element's ink to what is behind it, as the browser computes both."""
    ratio: float = page.locator(selector).first.evaluate(
        """(element) => {
            const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            const rgb = (colour) => {
                canvas.clearRect(0, 0, 1, 1);
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data];
            };
            const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            const light = ([red, green, blue]) =>
                0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            const ink = light(rgb(getComputedStyle(element).color));
            let behind = element;
            while (rgb(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
            const ground = light(rgb(getComputedStyle(behind).backgroundColor));
            return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        }"""
    )
    return ratio

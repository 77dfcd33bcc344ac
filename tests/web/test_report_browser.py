"""The report's page and the live figures in a real Chromium: from a file, from the hub, light, dark, narrow, printed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from raven.office import CHROMIUM, SCREENSHOTS, Office, Visitor, until

from socialsupport_core.insight import History, Settings, Touch, report
from socialsupport_core.insight.page import page as page_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine (Debian: apt install chromium)"),
]
HOUR = 3_600_000_000
BEGIN = 1_793_577_600_000_000
EVIL = "<script>document.title = 'evil'</script>"


def touch(number: int, hours: float, channel: str, by: str = "customer", who: str = "") -> Touch:
    customer = f"cus_{who or number}"
    at = BEGIN + round(hours * HOUR)
    private = "private" if channel == "phone" else "public"
    return Touch(at, f"{number}.{hours}", customer, channel, channel, customer, private, by, f"con_{number}")  # type: ignore[arg-type]


def history() -> History:
    """A month in which every third is not answered, and every sixth phones then; one is called by a script."""
    touches = [touch(n, n * 5, "x" if n % 2 else "email", who=EVIL if n == 3 else "") for n in range(140)]
    touches += [touch(n, n * 5 + n % 7, "x" if n % 2 else "email", "agent") for n in range(140) if n % 3]
    touches += [touch(n, n * 5 + 9, "phone") for n in range(0, 140, 6)]
    return History(tuple(touches), until=BEGIN + 30 * 24 * HOUR)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "report.html"
    made.write_text(page_of(report(history(), Settings(), BEGIN), name=EVIL), "utf-8")
    return made


class Reader:
    """A page that was opened from a file, with everything that it asked for and complained about."""

    def __init__(self, context: Any, address: str) -> None:
        self.page = context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda line: self.said.append(line.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)

    def overflow(self) -> list[str]:
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('html, section, h1, .answers a')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className || e.tagName)"
        )
        return found


@pytest.fixture
def read(chromium: Any) -> Iterator[Callable[..., Reader]]:
    contexts: list[Any] = []

    def read(address: Path | str, **options: Any) -> Reader:
        contexts.append(chromium.new_context(**{"viewport": {"width": 1000, "height": 800}, **options}))
        return Reader(contexts[-1], address.as_uri() if isinstance(address, Path) else address)

    yield read
    for context in contexts:
        context.close()


LOOKS = ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 700}})


@pytest.mark.parametrize("look", LOOKS)
def test_from_a_file_it_asks_for_nothing_and_complains_of_nothing(
    read: Callable[..., Reader], file: Path, look: dict[str, Any]
) -> None:
    reader = read(file, **look)
    assert reader.page.get_by_role("heading", level=2).count() == 7
    assert [one for one in reader.asked if not one.startswith("data:")] == [file.as_uri()]
    assert reader.said == []
    assert reader.overflow() == []
    assert "evil" not in reader.page.title().replace(EVIL, "")
    assert EVIL in reader.page.locator("h1").inner_text()
    if SCREENSHOTS:
        name = f"report-{look.get('color_scheme', 'narrow')}.png"
        reader.page.screenshot(path=Path(SCREENSHOTS) / name, full_page=True)


def test_its_style_is_let_in_by_its_own_policy(read: Callable[..., Reader], file: Path) -> None:
    reader = read(file)
    fill = reader.page.locator("rect.bar").first.evaluate("e => getComputedStyle(e).fill")
    assert fill == "rgb(11, 110, 105)"
    dark = read(file, color_scheme="dark").page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert dark == "rgb(17, 20, 21)"


def test_by_keyboard_and_for_screen_readers(read: Callable[..., Reader], file: Path) -> None:
    page = read(file).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answers"
    page.get_by_role("link", name="How well?").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#well")
    chart = page.get_by_role("img", name="Answered by a person, by then: All channels", exact=True)
    assert chart.count() == 1
    summary = page.locator("figure summary").first
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_role("table", name="Answered by a person, by then: All channels").wait_for()
    assert page.get_by_role("region", name="How fast?").count() == 1


def test_printed_it_leaves_out_what_nobody_can_open(read: Callable[..., Reader], file: Path) -> None:
    reader = read(file)
    printed = reader.page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    reader.page.emulate_media(media="print")
    assert reader.page.locator(".evidence").first.is_hidden()
    assert reader.page.locator("summary").first.is_hidden()
    assert reader.page.locator(".journeys").is_visible(), "what matters is open on paper"
    assert reader.page.locator("svg").first.is_visible()


def test_the_hub_serves_it_and_it_leads_to_the_inbox(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "hello?", ago=5 * 3600)
    visitor = arrive().sign_in()
    page = visitor.page
    page.goto(f"{office.url}/api/report.html")
    page.get_by_role("heading", name="Support report of acme").wait_for()
    assert page.locator("rect.bar").first.evaluate("e => getComputedStyle(e).fill") == "rgb(11, 110, 105)"
    page.locator(".evidence summary").first.click()
    page.locator(".evidence a").first.click()
    page.get_by_role("heading", name="Kerry", level=2).first.wait_for()
    assert page.url.startswith(f"{office.url}/#/con_")
    visitor.calm()


# live


def figures(visitor: Visitor) -> list[str]:
    found: list[str] = visitor.page.locator("#pulse b").all_inner_texts()
    return found


def test_live_figures_follow_what_happens(arrive: Callable[..., Visitor], office: Office) -> None:
    visitor = arrive().sign_in()
    until(lambda: figures(visitor) == ["0", "–", "–", "0"], "an empty store shows no figures")
    recent = (datetime.now(UTC) - timedelta(seconds=90)).date() == datetime.now(UTC).date()
    office.hear(1, "hello?", ago=90)
    until(lambda: figures(visitor)[:2] == ["1", "1 min"], "nobody waits")
    visitor.open()
    visitor.write("Hello Kerry")
    visitor.plan("of 160 characters")
    visitor.send()
    expected = ["0", "–", "100 %" if recent else "–", "0"]
    until(lambda: figures(visitor) == expected, f"{figures(visitor)} is not {expected}")
    visitor.shoot("live")
    visitor.fits()
    visitor.calm()


def test_each_figure_leads_to_what_it_is_made_of(arrive: Callable[..., Visitor], office: Office) -> None:
    office.hear(1, "hello?", ago=5 * 3600)
    office.hear(2, "thank you", "sam", ago=60)
    office.hub.resolve("acme", office.roost.conversation("sam"), agent="dana")
    office.hub.reopen("acme", office.roost.conversation("sam"), agent="dana")
    visitor = arrive().sign_in()
    page = visitor.page
    until(lambda: figures(visitor)[:2] == ["1", "5 h"], "Kerry does not wait")
    until(lambda: page.locator(".row").count() == 2, "the queue does not show both")
    waiting, longest, *reports = page.locator("#pulse > *").all()
    assert longest.get_attribute("data-state") == "late"
    waiting.click()
    until(lambda: page.locator(".row").count() == 1, "the queue shows who does not wait")
    until(lambda: page.locator("#pulse button").get_attribute("aria-pressed") == "true", "it does not look pressed")
    page.locator("#pulse button").click()
    until(lambda: page.locator(".row").count() == 2, "the queue does not show all again")
    page.locator("#pulse > *").nth(1).click()
    page.locator("#talk-title", has_text="Kerry").wait_for()
    for one in reports:
        with page.context.expect_page() as opened:
            one.click()
        opened.value.get_by_role("heading", name="Support report of acme").wait_for()
    assert opened.value.url.endswith("#breaks")
    visitor.calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_fit_a_small_screen(arrive: Callable[..., Visitor], office: Office, scheme: str) -> None:
    office.hear(1, "hello?", ago=9 * 3600)
    visitor = arrive(viewport={"width": 360, "height": 640}, color_scheme=scheme).sign_in()
    until(lambda: figures(visitor)[:2] == ["1", "9 h"], "nobody waits")
    visitor.shoot(f"live-{scheme}")
    visitor.fits()
    visitor.calm()

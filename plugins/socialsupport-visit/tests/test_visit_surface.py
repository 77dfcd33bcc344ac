"""The staff's form against a real hub: signing in, writing down, and who is kept out."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

import socialsupport_visit
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Reply
from socialsupport_core.web import create_app
from socialsupport_core.web.surfaces import Host
from socialsupport_visit.surface import STAY, VISITS, Surface

HOME = "https://hub.example"
LEEDS, YORK = "the secret of Leeds", "the secret of York"
WRITTEN: dict[str, Any] = {
    "own_account": "acme-shops",
    "secret": "a-long-random-text-of-yours",
    "branches": {
        "leeds": {"name": "Leeds", "secret": LEEDS},
        "york": {"name": "York", "secret": YORK},
        "pop-up": {"name": "Pop-up"},
    },
}


class Clock:
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Shop:
    """A hub, and a till whose browser keeps its cookies."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = Clock()
        self.hub = Hub.open(
            folder / "s.sqlite", public_url=HOME, registry=Registry.of(socialsupport_visit), clock=self.clock
        )
        self.hub.add_tenant("acme", "Acme")
        self.set(**settings)
        self.app = create_app(self.hub)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=HOME)
        self.surface()

    def set(self, **settings: Any) -> None:
        self.door = self.hub.add_channel("acme", "shops", "visit", WRITTEN | settings).rsplit("/", 1)[1]
        self.place = f"/chat/{self.door}/"

    def surface(self) -> Surface:
        """By our clock."""
        surfaces: Any = next(one.app for one in self.app.routes if getattr(one, "path", "") == "/chat")
        found = self.hub.channels.door(self.door)
        made = Surface(found.connector, Host(self.hub, found.channels[0]), self.clock)
        surfaces._apps[self.door] = (found.connector, made.app())
        return made

    def get(self, path: str = "") -> httpx.Response:
        return asyncio.run(self.client.get(self.place + path))

    def post(self, path: str = "", headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        fields = {"token": token_in(self.get())} | fields
        return asyncio.run(self.client.post(self.place + path, data=fields, headers=headers))

    def sign_in(self, branch: str = "leeds", secret: str = LEEDS, **more: Any) -> httpx.Response:
        return self.post("sign-in", branch=branch, secret=secret, **more)

    def kept(self) -> list[Any]:
        self.hub.drain()
        who = [one["customer"]["id"] for one in self.hub.queue("acme")]
        return [entry["interaction"] for one in who for entry in self.hub.timeline("acme", one)]


def token_in(answer: httpx.Response) -> str:
    return re.findall(r'name="token" value="([^"]*)"', answer.text)[0]


def told(answer: httpx.Response) -> str:
    box = re.search(r'<div class="trouble".*?</div>', answer.text, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", box[0])) if box else ""


def is_signed_in(shop: Shop) -> bool:
    return "Sign out" in shop.get().text


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    asyncio.run(made.client.aclose())
    made.hub.close()


def test_whoever_knows_the_secret_writes_visits_down(shop: Shop) -> None:
    assert shop.sign_in().headers["location"] == shop.place
    assert "Visits: Leeds" in shop.get().text
    answer = shop.post(
        about="Too small.", email="kerry@acme.example", outcome="exchanged", minutes="12", staff="Dana & Bo"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{shop.place}?kept=1&staff=Dana%20%26%20Bo")
    assert 'value="Dana &amp; Bo"' in shop.get("?kept=1&staff=Dana%20%26%20Bo").text
    (said,) = shop.kept()
    assert (said["kind"], said["subject"], said["duration"]) == ("visit", "Visit in Leeds (Dana & Bo)", 720.0)
    assert said["text"] == "Too small.\n\nOutcome: exchanged"
    assert said["sent_at"] == "2026-03-01T09:00:00Z"


def test_the_branch_is_that_of_the_sign_in_whatever_the_form_says(shop: Shop) -> None:
    shop.sign_in()
    assert shop.post(about="Hello", branch="york", id="smuggled").status_code == 303
    (said,) = shop.kept()
    assert said["subject"] == "Visit in Leeds"
    assert "smuggled" not in said["native_id"]


def test_a_visit_of_this_morning(tmp_path: Path) -> None:
    shop = Shop(tmp_path, timezone="Europe/Berlin")
    shop.sign_in()
    shop.post(about="Hello", at="2026-03-01T08:30")
    assert shop.kept()[0]["sent_at"] == "2026-03-01T07:30:00Z"
    shop.hub.close()


def test_what_is_wrong_is_said_at_its_place_and_nothing_is_lost(shop: Shop) -> None:
    shop.sign_in()
    answer = shop.post(about="", email="kerry at", card='C"1', minutes="soon", at="yesterday")
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 4
    assert "What was it about? : is missing" in told(answer)
    assert 'value="C&quot;1"' in answer.text
    assert shop.kept() == []


def test_the_same_form_twice_is_one_visit_and_filled_in_otherwise_another(shop: Shop) -> None:
    shop.sign_in()
    token = token_in(shop.get())
    for about in ("Hello", "Hello", "Hello again"):
        assert shop.post(token=token, about=about, card="C-1").status_code == 303
        shop.clock.move(5)
    assert sorted(one["text"] for one in shop.kept()) == ["Hello", "Hello again"]


# who is kept out


@pytest.mark.parametrize(
    ("branch", "secret"),
    [
        ("leeds", YORK),
        ("york", LEEDS),
        ("leeds", ""),
        ("leeds", LEEDS + "x"),
        ("pop-up", ""),
        ("paris", LEEDS),
        ("", ""),
    ],
)
def test_another_secret_opens_nothing(shop: Shop, branch: str, secret: str) -> None:
    answer = shop.sign_in(branch, secret)
    assert (answer.status_code, "not the secret of that branch" in told(answer)) == (401, True)
    assert secret == "" or secret not in answer.text
    assert not is_signed_in(shop)


def test_nobody_guesses_for_long(shop: Shop) -> None:
    tries = [shop.sign_in(secret="a wrong one") for _ in range(6)]
    assert [one.status_code for one in tries] == [401] * 5 + [429]
    assert shop.sign_in().status_code == 429  # not with the right one either
    shop.clock.move(60)
    assert shop.sign_in().status_code == 303


def test_without_a_sign_in_nothing_is_written_down(shop: Shop) -> None:
    assert shop.post(about="Hello").status_code == 401
    assert shop.kept() == []


def test_who_has_signed_in_does_so_for_a_day_and_one_branch(shop: Shop) -> None:
    shop.sign_in()
    cookie = dict(shop.client.cookies)["visit"]
    shop.clock.move(STAY - 1)
    assert is_signed_in(shop)
    shop.clock.move(1)
    assert not is_signed_in(shop)
    shop.client.cookies.set("visit", cookie.replace("leeds", "york"), domain="hub.example")
    shop.clock.move(-60)
    assert not is_signed_in(shop)


def test_the_cookie_is_for_no_script_and_no_other_site(shop: Shop) -> None:
    written = shop.sign_in().headers["set-cookie"]
    assert all(word in written for word in ("HttpOnly", "Secure", "SameSite=strict", f"Path={shop.place.rstrip('/')}"))
    assert LEEDS not in written


def test_a_new_secret_of_the_branch_signs_everybody_out(shop: Shop) -> None:
    shop.sign_in()
    shop.set(branches={"leeds": {"name": "Leeds", "secret": "a fresh secret of Leeds"}})
    shop.surface()
    assert not is_signed_in(shop)


def test_signing_out(shop: Shop) -> None:
    shop.sign_in()
    shop.post("sign-out", headers={"origin": "https://evil.example"})
    assert is_signed_in(shop)
    assert shop.post("sign-out").status_code == 303
    assert not is_signed_in(shop)


@pytest.mark.parametrize("path", ["", "sign-in"])
def test_a_page_of_another_site_can_do_nothing(shop: Shop, path: str) -> None:
    shop.sign_in()
    for origin in ("https://evil.example", "null"):
        answer = shop.post(path, {"origin": origin}, about="Hello", branch="leeds", secret=LEEDS)
        assert answer.status_code == 403
    assert shop.post("", {"origin": HOME}, about="Hello").status_code == 303
    assert len(shop.kept()) == 1


@pytest.mark.parametrize("token", ["", "a.1.b"])
def test_a_token_that_is_not_ours(shop: Shop, token: str) -> None:
    assert shop.sign_in(token=token).status_code == 422
    sign_in = token_in(shop.get())
    shop.sign_in()
    assert shop.post(token=token, about="Hello").status_code == 422
    assert shop.post(token=sign_in, about="Hello").status_code == 422  # made for another purpose
    assert shop.kept() == []


def test_a_page_that_lay_open_overnight(shop: Shop) -> None:
    shop.sign_in()
    token = token_in(shop.get())
    shop.clock.move(STAY + 1)
    shop.sign_in()
    answer = shop.post(token=token, about="Hello")
    assert (answer.status_code, "open for a long time" in told(answer)) == (422, True)
    assert "Hello" in answer.text


def test_a_branch_writes_at_a_bearable_pace(shop: Shop) -> None:
    shop.sign_in()
    statuses = [shop.post(about=f"visit {number}").status_code for number in range(VISITS.burst + 1)]
    assert statuses == [303] * VISITS.burst + [429]


def test_what_does_not_arrive_whole(shop: Shop) -> None:
    shop.sign_in()
    answer = asyncio.run(shop.client.post(shop.place, content=b"x" * 200_000, headers={"content-type": "text/plain"}))
    assert (answer.status_code, "did not arrive whole" in told(answer)) == (400, True)


def test_what_the_hub_does_not_take_can_be_kept_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: Any, _payload: Any) -> Reply:
        return Reply(status=503)

    shop.sign_in()
    with monkeypatch.context() as patch:
        patch.setattr(Host, "accept", busy)
        answer = shop.post(about="Hello")
    assert (answer.status_code, "could not be kept" in told(answer)) == (503, True)
    assert shop.post(token=token_in(answer), about="Hello").status_code == 303


def test_the_pages_load_nothing_from_elsewhere_and_are_kept_nowhere(shop: Shop) -> None:
    shop.sign_in()
    answer = shop.get()
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert shop.get("form.css").status_code == shop.get("theme.css").status_code == 200


def test_only_branches_with_a_secret_are_offered(shop: Shop) -> None:
    assert re.findall(r'<option value="([^"]*)"', shop.get().text) == ["leeds", "york"]

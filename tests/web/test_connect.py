"""An operator sets out to the network's page, comes back, and the channel works; strangers come back to nothing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from raven import Castle, Courtier, Raven
from raven.court import TOWER
from raven.web import Desk, Web

from socialsupport_core.contract import Flow, SignIn
from socialsupport_core.model import Credentials, Facts
from socialsupport_core.store import credentials as table
from socialsupport_core.web import create_app
from socialsupport_core.web.connect import OWN_PATH

BACK = "https://hub.example"


class Setting:
    """The castle over HTTP, its operators, and the court at which they grant access."""

    def __init__(self, folder: Path, store: str | Path, connector: type[Courtier] = Courtier) -> None:
        self.castle = Castle(folder, store, connector)
        self.pages = self.castle.sky.pages
        self.web = Web(create_app(self.castle.hub, inbox=True, run_workers=False))
        self.acme = Desk(self.castle, self.web, "acme")
        self.rival = Desk(self.castle, self.web, "rival")

    def set_out(self, **asked: str) -> str:
        answer = self.acme.get("/api/connect/raven", params={"channel": "tower", **asked})
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["url"]
        return found

    def come(self, address: str, **more: Any) -> httpx.Response:
        """The browser follows the network back to us."""
        assert address.startswith(f"{BACK}/connect/callback?")
        return self.web.get(address.removeprefix(BACK), **more)

    def audit(self) -> list[tuple[str, str, str, str]]:
        self.castle.settle()
        rows = self.castle.hub._database.read(
            lambda tx: tx.all("SELECT * FROM audit WHERE verb LIKE 'connect%' ORDER BY number")
        )
        return [(row["tenant"], row["agent"], row["verb"], row["object"]) for row in rows]


@pytest.fixture
def setting(tmp_path: Path, store: str | Path) -> Iterator[Setting]:
    made = Setting(tmp_path, store)
    made.castle.hub._database.do(lambda tx: table.forget(tx, made.castle.hub._secrets, TOWER))
    yield made
    made.castle.hub.close()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Setting]:
    """For what has nothing to do with the kind of store."""
    made = Setting(tmp_path, tmp_path / "support.sqlite")
    yield made
    made.castle.hub.close()


def text_of(answer: httpx.Response) -> str:
    return re.sub(r"<[^>]+>", " ", answer.text)


def test_the_whole_dance(setting: Setting) -> None:
    """Connect, come back, send; the token expires, and the next reply goes out with another."""
    castle = setting.castle
    address = setting.set_out()
    page = setting.pages.page(httpx.Request("GET", address))
    assert page.status_code == 200
    allow = re.findall(r'href="([^"]+choice=allow[^"]*)"', page.text)[0].replace("&amp;", "&")
    sent_back = setting.pages.page(httpx.Request("GET", allow))
    answer = setting.come(sent_back.headers["location"])
    assert answer.status_code == 200
    assert "Channel tower is connected to raven as The tower. You can close this page." in text_of(answer)

    castle.reply("one")
    castle.hub.drain()
    setting.pages.expire()
    castle.clock.forward(minutes=5)
    castle.reply("two")
    castle.hub.drain()
    assert castle.states() == ["sent", "sent"]
    assert (castle.sky.texts(), setting.pages.refreshes) == (["one", "two"], 1)
    castle.clock.forward(hours=2)
    castle.reply("three")
    castle.hub.drain()
    assert (castle.states()[-1], setting.pages.refreshes, castle.sky.refused) == ("sent", 2, 1)
    assert [(tenant, agent, verb) for tenant, agent, verb, _ in setting.audit()] == [("acme", "dana", "connect")] * 2


def test_the_address_holds_a_challenge_and_no_secret(setting: Setting) -> None:
    asked = parse_qs(urlsplit(setting.set_out()).query)
    assert asked["redirect_uri"] == [f"{BACK}/connect/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == len(asked["state"][0]) == 43
    dump = setting.castle.dump()
    assert asked["state"][0] not in dump
    other = parse_qs(urlsplit(setting.set_out()).query)
    assert not {*asked["state"], *asked["code_challenge"]} & {*other["state"], *other["code_challenge"]}


def test_a_failing_channel_is_mended_and_what_waited_goes_out(setting: Setting) -> None:
    castle = setting.castle
    castle.connect()
    setting.pages.revoke()
    castle.reply("hi")
    castle.hub.drain()
    assert castle.channel()["state"] == "failing"
    assert setting.come(setting.pages.allow(setting.set_out())).status_code == 200
    assert castle.channel()["state"] == "active"
    castle.hub.drain()
    assert castle.states() == ["sent"]


# who comes back


def refused(answer: httpx.Response, because: str) -> bool:
    return answer.status_code == 400 and "Not connected" in text_of(answer) and because in text_of(answer)


def test_a_state_is_good_once(setting: Setting) -> None:
    address = setting.pages.allow(setting.set_out())
    assert setting.come(address).status_code == 200
    version = setting.castle.standing().version
    assert refused(setting.come(address), "used before")
    assert setting.castle.standing().version == version
    assert setting.audit()[-1] == ("acme", "dana", "connect refused", "channel tower: this was used before")


def test_a_state_is_good_for_ten_minutes(setting: Setting) -> None:
    setting.pages.code_lifetime *= 100
    soon, late = (setting.pages.allow(setting.set_out()) for _ in range(2))
    setting.castle.clock.forward(minutes=9, seconds=59)
    assert setting.come(soon).status_code == 200
    setting.castle.clock.forward(seconds=1)
    assert refused(setting.come(late), "longer than ten minutes")
    assert setting.audit()[-1][2:] == ("connect refused", "channel tower: this took longer than ten minutes")


@pytest.mark.parametrize("state", ["", "A" * 43, "x" * 5000, "\x00", "' OR 1=1 --", "é"])
def test_a_state_that_nobody_was_given_is_refused_and_noted(setting: Setting, state: str) -> None:
    answer = setting.web.get("/connect/callback", params={"state": state, "code": "code-1"})
    assert refused(answer, "nobody set out from here with this state")
    assert setting.audit() == [("", "", "connect refused", "nobody set out with this state")]
    assert setting.castle.sky.token_calls == 0


def test_a_flood_of_strangers_does_not_fill_the_audit(setting: Setting) -> None:
    for number in range(30):
        setting.web.get("/connect/callback", params={"state": f"guess-{number}", "code": "c"})
    assert len(setting.audit()) == 1
    assert setting.castle.hub.health()["refused"] == 30
    setting.castle.clock.forward(minutes=1)
    setting.web.get("/connect/callback", params={"state": "guess", "code": "c"})
    assert len(setting.audit()) == 2


def test_two_states_are_no_state(setting: Setting) -> None:
    address = setting.pages.allow(setting.set_out())
    answer = setting.come(f"{address}&state={'A' * 43}")
    assert refused(answer, "nobody set out")
    assert setting.come(address).status_code == 200


def test_another_tenant_does_not_come_back(setting: Setting) -> None:
    address = setting.pages.allow(setting.set_out())
    headers = {"authorization": f"Bearer {setting.rival.token}"}
    assert refused(setting.come(address, headers=headers), "begun for another tenant")
    assert setting.audit()[-1] == (
        "acme",
        "dana",
        "connect refused",
        "channel tower: this was begun for another tenant",
    )
    assert setting.castle.sky.token_calls == 0
    assert setting.come(address, headers={"authorization": f"Bearer {setting.acme.token}"}).status_code == 200


def test_another_tenant_s_channel_cannot_be_connected(setting: Setting) -> None:
    setting.castle.hub.remove_channel("rival", "tower")
    assert setting.rival.get("/api/connect/raven", params={"channel": "tower"}).status_code == 404
    assert setting.rival.get("/api/connect/raven").status_code == 404


def test_a_look_at_the_page_uses_nothing_up(setting: Setting) -> None:
    address = setting.pages.allow(setting.set_out())
    assert setting.web.request("HEAD", address.removeprefix(BACK)).status_code == 405
    assert setting.come(address).status_code == 200


def test_a_channel_that_is_gone_meanwhile(setting: Setting) -> None:
    address = setting.pages.allow(setting.set_out())
    setting.castle.hub.remove_channel("acme", "tower")
    answer = setting.come(address)
    assert answer.status_code == 422
    assert "no channel" in text_of(answer)


# in a browser


def test_a_browser_is_sent_there_and_only_it_comes_back(setting: Setting) -> None:
    answer = setting.acme.get("/api/connect/raven", params={"channel": "tower", "redirect": "1"})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    for wanted in ("httponly", "samesite=lax", "secure", "path=/;", "max-age=600"):
        assert wanted in cookie
    address = setting.pages.allow(answer.headers["location"])
    mine, setting.web.cookies = setting.web.cookies, httpx.Cookies()
    assert refused(setting.come(address), "begun in another browser")
    assert setting.audit()[-1][3] == "channel tower: this was begun in another browser"
    setting.web.cookies = httpx.Cookies({"socialsupport_connect": "B" * 43})
    assert refused(setting.come(address), "begun in another browser")
    setting.web.cookies = mine
    assert setting.come(address).status_code == 200


def test_two_trips_of_one_browser_both_come_back(setting: Setting) -> None:
    trips = [
        setting.acme.get("/api/connect/raven", params={"channel": "tower", "redirect": "1"}).headers["location"]
        for _ in range(2)
    ]
    first, second = (setting.pages.allow(trip) for trip in trips)
    assert [setting.come(one).status_code for one in (second, first)] == [200, 200]


def test_in_the_end_it_goes_on_where_it_began(setting: Setting) -> None:
    answer = setting.come(setting.pages.allow(setting.set_out(return_to="/settings/channels?tab=1#x")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/channels?tab=1#x")


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a b",
        "/ä",
        "///evil.example",
        "https:/evil.example",
    ],
)
def test_nobody_is_led_elsewhere_in_the_end(setting: Setting, return_to: str) -> None:
    answer = setting.acme.get("/api/connect/raven", params={"channel": "tower", "return_to": return_to})
    assert answer.status_code == 400
    assert "return_to" in answer.json()["title"] + answer.json().get("detail", "")


@given(st.text(max_size=20) | st.from_regex(r"[/\\.:a-z]{1,12}", fullmatch=True))
def test_a_path_of_ours_is_never_another_origin(path: str) -> None:
    """As a browser reads it: backslashes are slashes, and tabs and newlines are not there."""
    if OWN_PATH.fullmatch(path):
        read = re.sub(r"[\t\r\n]", "", path).replace("\\", "/")
        assert read.startswith("/")
        assert not read.startswith("//")
        assert httpx.URL("https://hub.example").join(read).host == "hub.example"


# what the network says


def test_a_no_is_shown_plainly(setting: Setting) -> None:
    answer = setting.come(setting.pages.deny(setting.set_out(return_to="/settings")))
    assert answer.status_code == 403
    assert "The network said access_denied: The user said no." in text_of(answer)
    assert 'href="/settings"' in answer.text
    assert setting.audit()[-1][2:] == (
        "connect refused",
        "channel tower: the network said access_denied: The user said no",
    )
    assert setting.castle.sky.token_calls == 0


def test_neither_a_code_nor_an_error(setting: Setting) -> None:
    state = parse_qs(urlsplit(setting.set_out()).query)["state"][0]
    answer = setting.web.get("/connect/callback", params={"state": state})
    assert answer.status_code == 403
    assert "the code is missing" in text_of(answer)


def test_whatever_the_network_says_is_text(setting: Setting) -> None:
    state = parse_qs(urlsplit(setting.set_out(return_to="/a?b='\"><script>")).query)["state"][0]
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    answer = setting.web.get("/connect/callback", params={"state": state, "error": evil, "error_description": evil})
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert 'href="/a?b=&#x27;&quot;&gt;&lt;script&gt;"' in answer.text


def test_the_pages_allow_nothing_and_are_not_kept(setting: Setting) -> None:
    for answer in (setting.come(setting.pages.allow(setting.set_out())), setting.web.get("/connect/callback")):
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"  # the code is in the address
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        (style,) = re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)
        assert setting.web.get(str(httpx.URL(f"{BACK}/connect/callback").join(style).path)).status_code == 200


@pytest.mark.parametrize("wrong", ["code", "expired", "redirect_uri", "challenge"])
def test_a_code_that_the_network_does_not_take(setting: Setting, wrong: str) -> None:
    address = setting.set_out()
    if wrong == "redirect_uri":
        address = address.replace("connect%2Fcallback", "elsewhere")
    if wrong == "challenge":
        address = re.sub(r"code_challenge=[^&]+", "code_challenge=" + "A" * 43, address)
    back = setting.pages.allow(address).replace(f"{BACK}/elsewhere", f"{BACK}/connect/callback")
    if wrong == "code":
        back = re.sub(r"code=[^&]+", "code=guessed-code", back)
    if wrong == "expired":
        setting.castle.clock.forward(minutes=2)
    answer = setting.come(back)
    assert answer.status_code == 502
    assert "did not give us access" in text_of(answer)
    assert setting.castle.hub._database.read(lambda tx: table.standing(tx, TOWER)) is None
    assert refused(setting.come(back), "used before")


def test_no_page_repeats_a_code_or_a_verifier(setting: Setting) -> None:
    seen: list[str] = []

    def chatty(request: httpx.Request) -> httpx.Response:
        form = request.read().decode()
        seen.extend(value for values in parse_qs(form).values() for value in values if len(value) > 20)
        return httpx.Response(400, json={}, extensions={"reason_phrase": form.encode()})

    setting.castle.sky.give = chatty  # type: ignore[method-assign]
    answer = setting.come(setting.pages.allow(setting.set_out()))
    assert answer.status_code == 502
    assert len(seen) >= 3
    told = answer.text + str(setting.audit())
    assert not [one for one in seen if one in told and not one.startswith("https://")]


def test_an_app_that_is_not_known_there(setting: Setting) -> None:
    give = setting.castle.sky.give
    setting.castle.sky.give = lambda request: httpx.Response(503)  # type: ignore[method-assign]
    answer = setting.come(setting.pages.allow(setting.set_out()))
    assert answer.status_code == 502
    setting.castle.sky.give = give  # type: ignore[method-assign]
    assert setting.come(setting.pages.allow(setting.set_out())).status_code == 200


# does it work?


def test_access_without_a_working_account_is_said(setting: Setting) -> None:
    setting.pages.accepts = lambda request: False  # type: ignore[method-assign]
    answer = setting.come(setting.pages.allow(setting.set_out(return_to="/settings")))
    assert answer.status_code == 502
    assert "Access was granted, but the connection test failed" in text_of(answer)
    assert setting.castle.channel()["state"] == "failing"


class Named(Courtier):
    """Its account is what its token says."""

    account = "tower"

    def probe(self) -> Flow[Facts]:
        yield from super().probe()
        return Facts(own_account=Named.account, handle=f"@{Named.account}")


def test_another_account_than_before_is_refused_and_the_old_one_stays(
    tmp_path: Path, store: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator was signed in there as somebody else."""
    setting = Setting(tmp_path, store, Named)
    assert setting.come(setting.pages.allow(setting.set_out())).status_code == 200
    kept = setting.castle.held()
    monkeypatch.setattr(Named, "account", "private")
    answer = setting.come(setting.pages.allow(setting.set_out()))
    assert refused(answer, "you granted access to the account @private, and channel tower is @tower")
    assert setting.castle.held() == kept
    assert setting.castle.channel()["own_account"] == "tower"
    monkeypatch.setattr(Named, "account", "tower")
    assert setting.castle.probe().own_account == "tower"
    setting.castle.hub.close()


def test_a_network_without_a_connection_test_is_connected_all_the_same(tmp_path: Path) -> None:
    class Silent(Courtier):
        probe = Raven.__mro__[1].probe  # type: ignore[assignment]

    setting = Setting(tmp_path, tmp_path / "support.sqlite", Silent)
    answer = setting.come(setting.pages.allow(setting.set_out()))
    assert "Channel tower is connected to raven. You can close this page." in text_of(answer)
    setting.castle.hub.close()


class Old(Courtier):
    """Written for the short forms: neither PKCE nor the redirect at the exchange."""

    def connect(self, state: str, redirect: str) -> str:
        return f"https://court.raven.example/allow?response_type=code&client_id=raven-client&state={state}&redirect_uri={redirect}"

    def exchange(self, code: str) -> Flow[Credentials]:
        return self.ask_for_token(grant_type="authorization_code", code=code, redirect_uri=f"{BACK}/connect/callback")

    connect_with = Raven.connect_with
    exchange_with = Raven.exchange_with


def test_a_connector_with_the_short_forms_works(tmp_path: Path) -> None:
    setting = Setting(tmp_path, tmp_path / "support.sqlite", Old)
    assert setting.come(setting.pages.allow(setting.set_out())).status_code == 200
    setting.castle.hub.close()


# setting out


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/connect/raven?channel=none", 404, "no channel 'none'"),
        ("/api/connect/telegram?channel=tower", 422, "is of raven"),
        ("/api/connect/raven?chanel=tower", 400, "chanel"),
        ("/api/connect/raven?channel=tower&redirect=perhaps", 400, "redirect"),
    ],
)
def test_mistakes_are_named(quick: Setting, path: str, status: int, told: str) -> None:
    answer = quick.acme.get(path)
    assert (answer.status_code, told in answer.text) == (status, True)


def test_the_channel_need_not_be_named_if_there_is_one(quick: Setting) -> None:
    assert quick.acme.get("/api/connect/raven").status_code == 200
    quick.castle.hub.add_channel("acme", "keep", "raven", {}, mode="webhook")
    answer = quick.acme.get("/api/connect/raven")
    assert (answer.status_code, "keep, tower" in answer.text) == (422, True)


def test_a_network_without_sign_in_says_so(quick: Setting) -> None:
    quick.castle.reopen(Raven)
    web = Web(create_app(quick.castle.hub, run_workers=False))
    answer = Desk(quick.castle, web, "acme").get("/api/connect/raven", params={"channel": "tower"})
    assert (answer.status_code, "put its credentials into the settings" in answer.text) == (422, True)


def test_only_who_may_configure_sets_out(quick: Setting) -> None:
    reader = Desk(quick.castle, quick.web, "acme", "read", "reply", "link")
    assert reader.get("/api/connect/raven", params={"channel": "tower"}).status_code == 403
    assert quick.web.get("/api/connect/raven").status_code == 401


def test_below_another_path_the_way_back_is_there_too(tmp_path: Path) -> None:
    """Mounted inside somebody else's application."""
    castle = Castle(tmp_path, tmp_path / "support.sqlite", Courtier)
    castle.options["public_url"] = "https://shop.example/support/"
    castle.restart()
    web = Web(create_app(castle.hub, run_workers=False), base_url="https://shop.example")
    answer = Desk(castle, web, "acme").get("/api/connect/raven", params={"channel": "tower", "redirect": "1"})
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://shop.example/support/connect/callback"]
    assert "path=/support/;" in answer.headers["set-cookie"].lower()
    castle.hub.close()


def test_the_challenge_is_that_of_rfc_7636() -> None:
    """Appendix B: https://www.rfc-editor.org/rfc/rfc7636#appendix-B"""
    sign_in = SignIn(state="s", redirect="r", verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # type: ignore[arg-type]
    assert sign_in.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert "dBjftJeZ4CVP" not in f"{sign_in!r} {sign_in}"

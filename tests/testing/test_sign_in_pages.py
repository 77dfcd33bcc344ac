"""The sign-in of simulated networks: it takes what a real one takes, and nothing else."""

import json
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest

from socialsupport_core.testing.oauth import SignInPages, challenge_of

REDIRECT = "https://hub.example/connect/callback"
VERIFIER = "v" * 43
ASKED = {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT, "state": "s", "scope": "a b"}


class Clock:
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(clock: Clock) -> SignInPages:
    return SignInPages(clock, random.Random(1), "app")


def address(**more: str) -> str:
    return f"https://court.example/allow?{urlencode({**ASKED, **more})}"


def ask(pages: SignInPages, **form: str) -> httpx.Response:
    return pages.token(httpx.Request("POST", "https://court.example/token", data={"client_id": "app", **form}))


def exchange(pages: SignInPages, where: str, **more: str) -> httpx.Response:
    code = httpx.URL(where).params["code"]
    return ask(pages, **{"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **more})


def bearing(token: str) -> httpx.Request:
    return httpx.Request("GET", "https://court.example/me", headers={"authorization": f"Bearer {token}"})


def test_a_code_is_good_once_for_its_redirect_and_its_verifier(pages: SignInPages) -> None:
    proof = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}
    for wrong in ({"redirect_uri": "https://hub.example/"}, {"code_verifier": "w" * 43}, {}):
        assert exchange(pages, pages.allow(address(**proof)), **wrong).status_code == 400
    back = pages.allow(address(**proof))
    assert exchange(pages, back, code_verifier=VERIFIER).status_code == 200
    assert exchange(pages, back, code_verifier=VERIFIER).status_code == 400


def test_a_code_ages(pages: SignInPages, clock: Clock) -> None:
    back = pages.allow(address())
    clock.now += pages.code_lifetime
    assert exchange(pages, back).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("single_use", [True, False])
def test_tokens_expire_and_are_renewed(pages: SignInPages, clock: Clock, single_use: bool) -> None:
    pages.single_use = single_use
    given = json.loads(exchange(pages, pages.allow(address())).content)
    assert pages.accepts(bearing(given["access_token"]))
    clock.now += timedelta(seconds=given["expires_in"])
    assert not pages.accepts(bearing(given["access_token"]))
    first, second = (ask(pages, grant_type="refresh_token", refresh_token=given["refresh_token"]) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 400 if single_use else 200)
    assert pages.refreshes == (1 if single_use else 2)
    assert first.json()["scope"] == "a b"
    pages.expire()
    assert not pages.accepts(bearing(first.json()["access_token"]))


def test_who_withdraws_access_ends_everything(pages: SignInPages) -> None:
    given = pages.grant().json()
    pages.revoke()
    assert not pages.accepts(bearing(given["access_token"]))
    assert ask(pages, grant_type="refresh_token", refresh_token=given["refresh_token"]).status_code == 400


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nobody", "Basic YXBwOg=="])
def test_strangers_are_not_accepted(pages: SignInPages, authorization: str) -> None:
    pages.grant()
    assert not pages.accepts(httpx.Request("GET", "https://court.example/", headers={"authorization": authorization}))


def test_a_confidential_client_proves_itself(pages: SignInPages) -> None:
    pages.client_secret = "secret"
    assert ask(pages, grant_type="refresh_token").status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": pages.grant().json()["refresh_token"]}
    request = httpx.Request("POST", "https://court.example/token", data=form)
    httpx.BasicAuth("app", "secret").auth_flow(request).send(None)
    assert pages.token(request).status_code == 200


def test_the_page_shows_what_is_asked_as_text(pages: SignInPages) -> None:
    page = pages.page(httpx.Request("GET", address(scope="<script>")))
    assert "<script>" not in page.text
    assert pages.page(httpx.Request("GET", address(response_type="token"))).status_code == 400
    assert ask(pages, grant_type="password").status_code == 400
    assert ask(pages, client_id="another", grant_type="refresh_token").status_code == 400

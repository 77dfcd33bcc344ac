"""Reviews to and fro on each site: written, thought over, answered once, and the answer changed."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import socialsupport_reviews
from socialsupport_core.contract import AuthExpired, ContentRejected, Uncertain, Unreachable
from socialsupport_core.hub import Hub
from socialsupport_core.model import Credentials, DeleteMessage, EditMessage, Interaction, SendMessage
from socialsupport_core.testing import Desk, simulated_hub
from socialsupport_reviews import AppStore, GoogleBusiness, GooglePlay, review
from socialsupport_reviews.simulator import AppStoreServer, GoogleBusinessServer, GooglePlayServer, ReviewSite

CASES = Path(socialsupport_reviews.__file__).with_name("cases")
SITES: dict[str, tuple[Any, type[ReviewSite]]] = {
    "googleplay": (GooglePlay, GooglePlayServer),
    "appstore": (AppStore, AppStoreServer),
    "googlebusiness": (GoogleBusiness, GoogleBusinessServer),
}
RENEWING = Credentials.model_validate({"access_token": "old-token", "refresh_token": "renewing-token"})


def settings_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CASES / name / "settings.json").read_text("utf-8"))
    return found


class Reviews(Desk[Any, Any]):
    answer = "We are on it."

    def __init__(self, name: str) -> None:
        connector, server = SITES[name]
        settings = connector.settings_model.model_validate(settings_of(name))
        super().__init__(connector(settings), server(settings, clock=self.clock))
        if name != "appstore":
            self.credentials = self.run(self.connector.refresh(RENEWING))
        self.own = self.run(self.connector.probe()).own_account

    def intent(self, kind: Any, about: Interaction, key: str = "k-1", **more: Any) -> Any:
        return super().intent(kind, about, key, **{"own_account": self.own, **more})

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)


Reviews.own_account = "ours"


@pytest.fixture(params=SITES)
def desk(request: pytest.FixtureRequest) -> Reviews:
    return Reviews(request.param)


def ours(desk: Reviews) -> Interaction:
    found = desk.heard()
    assert found.direction == "outbound"
    return found


def test_a_review_is_a_public_thread_of_its_own(desk: Reviews) -> None:
    one = desk.asked("It *never* starts.", rating=1, title="Broken")
    other = desk.asked("Great", rating=5)
    assert (one.kind, one.thread.visibility, one.rating, one.own_account) == ("review", "public", 1.0, desk.own)
    assert one.text == r"It \*never\* starts."
    assert one.subject == (None if one.network == "googlebusiness" else "Broken")
    assert one.thread != other.thread
    assert one.author.account != other.author.account


def test_our_answer_stands_beneath_it_and_is_changed_in_place(desk: Reviews) -> None:
    about = desk.asked()
    receipt = desk.send(about, "We are **on it**.")
    assert receipt.thread == about.thread
    assert desk.ours() == ["We are on it."]
    desk.later(minutes=1)
    answer = ours(desk)
    assert (answer.native_id, answer.in_reply_to) == (receipt.native_id, about.native_id)
    desk.do(EditMessage, answer, text="It is mended.")
    assert desk.ours() == ["It is mended."]


def test_a_second_answer_does_not_take_the_place_of_the_first(desk: Reviews) -> None:
    about = desk.asked()
    desk.send(about)
    with pytest.raises(ContentRejected, match="edit that one"):
        desk.send(about, "And another thing.", key="k-2")
    assert desk.ours() == ["We are on it."]
    desk.send(about)  # the same once more is harmless


def test_our_answer_can_be_taken_back_where_the_site_allows_it(desk: Reviews) -> None:
    desk.send(desk.asked())
    answer = ours(desk)
    if "delete.message" in desk.connector.capabilities.unsupported:
        return
    desk.do(DeleteMessage, answer)
    assert desk.ours() == []


def test_only_our_answer_can_be_changed(desk: Reviews) -> None:
    about = desk.asked()
    with pytest.raises(ContentRejected, match="only our answer"):
        desk.do(EditMessage, about, text="Better words")


def test_a_doubtful_answer_is_looked_up(desk: Reviews) -> None:
    about = desk.asked()
    intent = desk.intent(SendMessage, about, text=desk.answer)
    assert desk.run(desk.connector.lookup(intent, desk.now)) is None
    desk.run(desk.connector.send(intent))  # and of its own answer nothing is known
    found = desk.run(desk.connector.lookup(intent, desk.now))
    assert found.native_id == f"{about.native_id}/answer"


def test_a_cut_connection_is_a_doubt(desk: Reviews) -> None:
    assert isinstance(desk.trouble("drop"), Uncertain)


def test_a_token_that_has_run_out_is_told(desk: Reviews) -> None:
    assert isinstance(desk.trouble("expire"), AuthExpired)


def test_a_review_that_is_gone_cannot_be_answered(desk: Reviews) -> None:
    about = desk.asked()
    desk.sim.reviews.clear()
    with pytest.raises(Unreachable):
        desk.send(about)


def test_pages_are_read_until_something_is_known(desk: Reviews, monkeypatch: pytest.MonkeyPatch) -> None:
    """250 new ones are more than two pages; nothing is missed, and afterwards one page is enough."""
    desk.asked("the first")
    for number in range(250):
        desk.later(seconds=1)
        desk.sim.speak("sam", f"number {number}")
    desk.later(seconds=1)
    told = {event.interaction.text for event in desk.events()}  # type: ignore[union-attr]
    assert {f"number {number}" for number in range(250)} <= told
    before = len(desk.sim.calls)
    assert desk.events() != []
    assert len(desk.sim.calls) - before == 1
    assert desk.waited >= 28


def test_history_reads_all_pages(desk: Reviews) -> None:
    for number in range(120):
        desk.later(seconds=1)
        desk.sim.speak("sam", f"number {number}")
    texts, cursor, more = set(), None, True
    while more:
        page = desk.run(desk.connector.history(desk.now - timedelta(days=30), cursor))
        cursor, more = page.cursor, page.more
        texts |= {event.interaction.text for payload in page.payloads for event in desk.connector.parse(payload)}
    assert len(texts) == 120


@pytest.mark.parametrize(
    ("name", "key", "wrong"),
    [
        ("googleplay", "service_account", "{}"),
        ("googleplay", "service_account", json.dumps(dict.fromkeys(("client_email", "private_key_id", "private_key"), "x"))),
        ("googleplay", "package", "shop"),
        ("appstore", "private_key", "-----BEGIN PRIVATE KEY-----"),
        ("appstore", "key_id", "short"),
        ("googlebusiness", "location", "locations/1"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_and_not_repeated(name: str, key: str, wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SITES[name][0].settings_model.model_validate(settings_of(name) | {key: wrong})
    assert key in str(refused.value)
    if key in ("service_account", "private_key"):
        assert wrong not in str(refused.value)


# with a hub


class House:
    def __init__(self, folder: Path, name: str) -> None:
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)
        connector, server = SITES[name]
        settings = settings_of(name)
        self.sim = server(connector.settings_model.model_validate(settings), clock=lambda: self.now)
        self.hub: Hub = simulated_hub(folder, socialsupport_reviews, self.sim)
        self.hub.add_channel("acme", "reviews", name, settings)
        if name == "googlebusiness":
            self.hub.keep_credentials("acme", "reviews", RENEWING)
        self.read()

    def read(self) -> None:
        self.now += timedelta(minutes=5)
        asyncio.run(self.hub.workers.poll("acme", "reviews"))
        self.hub.drain()

    def shown(self) -> list[tuple[str, str, bool]]:
        """Direction, text, and whether it counts as edited."""
        self.read()
        entries = self.hub.timeline("acme", f"{self.sim.network}.review:{self.sim.reviews[0].id}")
        return [
            (one["interaction"]["direction"], one["interaction"]["text"], bool(one.get("edited_at"))) for one in entries
        ]


@pytest.fixture(params=SITES)
def house(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(review, "PAUSE", 0.0)
    house = House(tmp_path, request.param)
    yield house
    house.hub.close()


def test_what_is_read_again_and_again_is_one_review_and_one_answer(house: House) -> None:
    house.sim.speak("kerry", "It crashes.", rating=1)
    assert house.shown() == [("inbound", "It crashes.", False)]
    (one,) = house.hub.queue("acme")
    house.now += timedelta(minutes=1)
    house.hub.reply("acme", one["id"], "We are *on it*.", agent="dana")
    house.hub.drain()
    first = [("inbound", "It crashes.", False), ("outbound", "We are *on it*.", False)]
    assert [house.shown() for _ in range(3)] == [first] * 3


def test_a_review_that_is_thought_over_is_edited(house: House) -> None:
    house.sim.speak("kerry", "It crashes.", rating=1)
    house.shown()
    house.sim.revise(house.sim.reviews[0].id, "It works now.", 4)
    assert house.shown() == [("inbound", "It works now.", True)]
    assert house.shown() == [("inbound", "It works now.", True)]


def test_an_answer_that_is_changed_on_the_site_is_edited_here(house: House) -> None:
    house.sim.speak("kerry", "It crashes.", rating=1)
    house.shown()
    (one,) = house.hub.queue("acme")
    house.hub.reply("acme", one["id"], "We are on it.", agent="dana")
    house.hub.drain()
    house.shown()
    house.sim.reply(house.sim.reviews[0].id, "It is mended.")
    assert house.shown()[1] == ("outbound", "It is mended.", True)

"""Meta's networks on the hub: one app's door for many pages of many tenants, and what its windows allow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from raven import Clock

import socialsupport_facebook
import socialsupport_whatsapp
from socialsupport_core.contract import Registry, SignatureError
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.testing import Simulator
from socialsupport_facebook.settings import FacebookSettings
from socialsupport_facebook.simulator import FacebookSimulator
from socialsupport_whatsapp.settings import WhatsAppSettings
from socialsupport_whatsapp.simulator import WhatsAppSimulator

APP = {"app_secret": "an-app-secret", "verify_token": "our-token"}
ACME = {"access_token": "acme-token", "page_id": "1353269864728879", "human_agent": True}
RIVAL = {"access_token": "rival-token", "page_id": "2264270975839980"}
NUMBER = {**APP, "access_token": "number-token", "phone_number_id": "106540352242922"}


class Meta:
    """A hub, two pages behind one app's door, and a number of ours."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.acme = FacebookSimulator(FacebookSettings.model_validate(APP | ACME), clock=self.clock)
        self.rival = FacebookSimulator(FacebookSettings.model_validate(APP | RIVAL), clock=self.clock)
        self.number = WhatsAppSimulator(WhatsAppSettings.model_validate(NUMBER), clock=self.clock)
        self.hub = Hub.open(
            folder / "support.sqlite",
            public_url="https://hub.example",
            registry=Registry.of(socialsupport_facebook, socialsupport_whatsapp),
            transport=httpx.MockTransport(self.answer),
            clock=self.clock,
        )
        for tenant in ("acme", "rival"):
            self.hub.add_tenant(tenant, tenant.capitalize())
            self.hub.add_agent(tenant, "dana", "Dana")
        self.hub.add_agent("acme", "robin", "Robin", is_bot=True)
        self.app = _door(self.hub.add_app("pages", "facebook", APP))
        self.hub.add_channel("acme", "page", "facebook", ACME, app="pages", own_account=ACME["page_id"])
        self.hub.add_channel("rival", "page", "facebook", RIVAL, app="pages", own_account=RIVAL["page_id"])
        self.phone = _door(self.hub.add_channel("acme", "phone", "whatsapp", NUMBER))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """All three are at one host, and the token says whose call it is."""
        token = request.headers["authorization"].removeprefix("Bearer ")
        found: Simulator = next(one for one in (self.acme, self.rival, self.number) if token in one.tokens)
        return found.handle(request)

    def bring(self) -> None:
        for door, network in ((self.app, self.acme), (self.app, self.rival), (self.phone, self.number)):
            for payload in network.due():
                assert self.hub.receive(door, payload).result().status == 200
        self.hub.drain()

    def reply(self, person: str, text: str | None, agent: str = "dana", **how: Any) -> None:
        self.hub.reply("acme", self.conversation(person), text, agent=agent, **how)
        self.hub.drain()
        self.bring()

    def conversation(self, person: str, tenant: str = "acme") -> str:
        found: str = self.hub.customer(tenant, person)["conversations"][0]["id"]
        return found

    def texts(self, person: str, tenant: str = "acme") -> list[str]:
        return [one["interaction"].get("text", "") for one in self.hub.timeline(tenant, person)]

    def states(self, person: str) -> list[str]:
        shown = self.hub.timeline("acme", person)
        return [one["state"] for one in shown if one["interaction"]["direction"] == "outbound"]


def _door(path: str) -> str:
    return path.rsplit("/", 1)[1]


@pytest.fixture
def meta(tmp_path: Path) -> Iterator[Meta]:
    made = Meta(tmp_path)
    yield made
    made.hub.close()


def kerry(page: FacebookSimulator) -> str:
    return f"facebook.psid@{page.account}:{page.person('kerry')}"


def test_one_door_for_the_pages_of_many_tenants(meta: Meta) -> None:
    meta.acme.speak("kerry", "to acme")
    meta.rival.speak("kerry", "to its rival")
    meta.bring()
    assert meta.texts(kerry(meta.acme)) == ["to acme"]
    assert meta.texts(kerry(meta.rival), "rival") == ["to its rival"]
    with pytest.raises(LookupError):
        meta.hub.customer("acme", kerry(meta.rival))


def test_the_entries_of_one_webhook_go_to_their_own_tenants(meta: Meta) -> None:
    """Meta puts up to a thousand updates of different pages into one call."""
    other = {"sender": {"id": "9000"}, "recipient": {"id": meta.rival.account}, "timestamp": meta.acme.stamp()}
    mine = {"sender": {"id": "8000"}, "recipient": {"id": meta.acme.account}, "timestamp": meta.acme.stamp()}
    meta.acme.tell(
        {"messaging": [{**mine, "message": {"mid": "m_1", "text": "for acme"}}]},
        {"id": meta.rival.account, "messaging": [{**other, "message": {"mid": "m_2", "text": "for its rival"}}]},
    )
    meta.bring()
    assert meta.texts(f"facebook.psid@{meta.acme.account}:8000") == ["for acme"]
    assert meta.texts(f"facebook.psid@{meta.rival.account}:9000", "rival") == ["for its rival"]
    assert meta.hub.health()["journal"]["unexplained"] == 0


def test_what_is_not_signed_with_the_apps_secret_stays_outside(meta: Meta) -> None:
    meta.acme.speak("kerry", "genuine")
    (genuine,) = meta.acme.due()
    forged = Payload(
        url=genuine.url, headers=genuine.headers, body=genuine.body + b" ", received_at=genuine.received_at
    )
    with pytest.raises(SignatureError):
        meta.hub.receive(meta.app, forged)
    assert meta.hub.receive(meta.app, genuine).result().status == 200
    meta.hub.drain()
    assert meta.texts(kerry(meta.acme)) == ["genuine"]


def test_the_doors_challenge(meta: Meta) -> None:
    asked = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    url = f"https://hub.example/hooks/app/{meta.app}{asked}"
    ours = Payload(method="GET", url=url + "our-token", received_at=meta.clock())
    reply = meta.hub.receive(meta.app, ours).result()
    assert (reply.status, reply.body) == (200, b"1158201444")
    with pytest.raises(SignatureError, match="verify_token"):
        meta.hub.receive(meta.app, ours.model_copy(update={"url": url + "another"}))


def test_a_comment_is_answered_in_public_then_in_private_and_goes_on_there(meta: Meta) -> None:
    comment = meta.acme.comment("kerry", "where is my parcel?")
    meta.bring()
    person = kerry(meta.acme)
    meta.clock.forward(minutes=1)
    meta.reply(person, "We have written to you.")
    meta.clock.forward(minutes=1)
    meta.reply(person, "What is your order number?", private=True)
    assert meta.acme.replied == {comment.id}
    meta.clock.forward(minutes=2)
    meta.acme.speak("kerry", "it is 4711")
    meta.bring()
    meta.reply(person, "Thank you, it arrives **today**.")
    assert meta.texts(person) == [
        "where is my parcel?",
        "We have written to you.",
        "What is your order number?",
        "it is 4711",
        "Thank you, it arrives **today**.",
    ]
    assert [said.place for said in meta.acme.heard("kerry")] == ["post", "post", "dm", "dm", "dm"]
    assert len(meta.hub.customer("acme", person)["conversations"]) == 1
    assert set(meta.states(person)) == {"sent"}


def test_after_a_day_people_may_answer_and_bots_may_not(meta: Meta) -> None:
    meta.acme.speak("kerry", "hello")
    meta.bring()
    meta.clock.forward(days=2)
    with pytest.raises(ReplyRefused, match="takes answers for 24 h"):
        meta.reply(kerry(meta.acme), "I am a bot.", agent="robin")
    meta.reply(kerry(meta.acme), "I am Dana.")
    assert [said.text for said in meta.acme.heard("kerry")] == ["hello", "I am Dana."]
    meta.clock.forward(days=6)
    with pytest.raises(ReplyRefused):
        meta.reply(kerry(meta.acme), "I am Dana again.")


def test_what_is_read_shows_at_our_message_once_and_not_twice(meta: Meta) -> None:
    """Meta tells us of our own messages too; that is no second message."""
    meta.acme.speak("kerry", "hello")
    meta.bring()
    meta.reply(kerry(meta.acme), "hi")
    meta.clock.forward(seconds=5)
    meta.acme.happened("kerry", read={"watermark": meta.acme.stamp()})
    meta.bring()
    assert meta.texts(kerry(meta.acme)) == ["hello", "hi"]


def test_after_a_day_whatsapp_takes_an_approved_template_and_nothing_else(meta: Meta) -> None:
    meta.number.speak("kerry", "hello")
    meta.bring()
    person = f"phone:+{meta.number.person('kerry')}"
    meta.clock.forward(hours=25)
    with pytest.raises(ReplyRefused, match="takes answers for 24 h"):
        meta.reply(person, "Your parcel is there.")
    template = {"name": "parcel_update", "language": "en_US", "parameters": ["Kerry", "4711"]}
    meta.reply(person, None, template=template)
    assert meta.number.heard("kerry")[-1].text == "parcel_update"
    meta.number.speak("kerry", "great")
    meta.bring()
    meta.reply(person, "Have a *nice* day.")
    assert meta.number.heard("kerry")[-1].text == "Have a _nice_ day."
    assert meta.hub.health()["journal"]["unexplained"] == 0


def test_a_changed_number_is_the_same_customer(meta: Meta) -> None:
    meta.number.speak("kerry", "hello")
    meta.bring()
    before = meta.hub.customer("acme", f"phone:+{meta.number.person('kerry')}")
    meta.clock.forward(minutes=1)
    meta.number.change_number("kerry", "15559990000")
    meta.bring()
    meta.number.speak("kerry", "it is me, from my new number")
    meta.bring()
    after = meta.hub.customer("acme", "phone:+15559990000")
    assert (after["id"], meta.texts("phone:+15559990000")) == (before["id"], ["hello", "it is me, from my new number"])


def test_another_reaction_takes_the_place_of_the_first_and_none_remains_of_what_is_taken_back(meta: Meta) -> None:
    meta.number.speak("kerry", "hello")
    meta.bring()
    person, shown = f"phone:+{meta.number.person('kerry')}", []
    meta.reply(person, "hi")
    sent = meta.number.heard("kerry")[-1]
    for emoji in ("👍", "❤️", ""):
        meta.clock.forward(seconds=1)
        meta.number.react("kerry", sent, emoji)
        meta.bring()
        shown.append(meta.hub.timeline("acme", person)[-1].get("reactions", []))
    assert shown == [["👍"], ["❤️"], []]


def test_a_file_comes_in_and_can_be_read(meta: Meta) -> None:
    meta.number.send_photo("kerry", b"a torn box", "look")
    meta.bring()
    (entry,) = meta.hub.timeline("acme", f"phone:+{meta.number.person('kerry')}")
    (photo,) = entry["interaction"]["attachments"]
    assert (photo["media_type"], entry["interaction"]["text"]) == ("image/jpeg", "look")


def test_a_number_that_cannot_be_reached_is_an_error_and_not_silence(meta: Meta) -> None:
    meta.number.speak("kerry", "hello")
    meta.bring()
    person = f"phone:+{meta.number.person('kerry')}"
    meta.reply(person, "hi")
    sent = meta.number.heard("kerry")[-1]
    failed = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Message Undeliverable."}}
    meta.number.status(sent.id, "failed", errors=[failed])
    meta.bring()
    assert meta.states(person) == ["failed"]
    shown = meta.hub.conversation("acme", meta.conversation(person))
    assert (shown["entries"][-1]["delivery"]["code"], shown["waiting_since"]) == ("131026", "2026-03-01T13:00:00Z")
    meta.number.status(sent.id, "sent")
    meta.bring()
    assert meta.states(person) == ["failed"]
    meta.hub.settle("acme", shown["entries"][-1]["delivery"]["part"], "queued", agent="dana")
    meta.hub.drain()
    meta.bring()
    assert (meta.states(person), len(meta.number.heard("kerry"))) == (["sent"], 3)


def test_the_status_of_a_message_settles_what_a_cut_connection_left_open(meta: Meta) -> None:
    meta.number.speak("kerry", "hello")
    meta.bring()
    meta.number.faults.drop = 1
    meta.reply(f"phone:+{meta.number.person('kerry')}", "hi")
    assert meta.hub.health()["outbox"] == {"sent": 1}

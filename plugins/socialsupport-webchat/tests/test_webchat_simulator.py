"""The simulated visitors speak exactly as browsers do."""

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.model import (
    Choice,
    DeleteMessage,
    EditMessage,
    Event,
    IdentityClaimed,
    InteractionReceived,
    Payload,
    SendMessage,
    Thread,
)
from socialsupport_webchat import Webchat, WebchatSettings
from socialsupport_webchat.protocol import Identity
from socialsupport_webchat.simulator import WebchatSimulator

SETTINGS = WebchatSettings(
    own_account="acme-web",
    secret=SecretStr("a-secret-for-these-tests"),
    identity_secret=SecretStr("an-identity-secret-for-these-tests"),
)
CHAT = Webchat(SETTINGS)
TOKEN = "k5vq3m7xw2p4ny6zr7b3cdaejh"


@pytest.fixture
def network() -> WebchatSimulator:
    return WebchatSimulator(SETTINGS, clock=lambda: datetime(2026, 11, 20, 9, 30, tzinfo=UTC))


def heard_by_hub(payloads: list[Payload]) -> list[Event]:
    for payload in payloads:
        CHAT.verify(payload)
    return [event for payload in payloads for event in CHAT.parse(payload)]


def test_what_is_said_arrives_verified(network: WebchatSimulator) -> None:
    said = network.speak("kerry", "Hello", handoff=TOKEN)
    claim, message = heard_by_hub(network.due())
    assert isinstance(claim, IdentityClaimed)
    assert isinstance(message, InteractionReceived)
    assert (message.interaction.native_id, message.interaction.thread.id) == (said.id, said.thread)


def test_people_are_visitors_of_their_own(network: WebchatSimulator) -> None:
    threads = {network.speak(person, "Hello").thread for person in ("kerry", "robin", "kerry")}
    assert len(threads) == 2


@pytest.mark.parametrize(("signed", "tier"), [(True, "verified"), (False, "claimed")])
def test_identities(network: WebchatSimulator, signed: bool, tier: str) -> None:
    network.identify("kerry", Identity(user="42", email="kerry@acme.example"), signed=signed)
    (claim,) = heard_by_hub(network.due())
    assert isinstance(claim, IdentityClaimed)
    assert claim.tier == tier


def test_signing_needs_the_secret() -> None:
    settings = WebchatSettings(own_account="acme-web", secret=SecretStr("a-secret-for-these-tests"))
    with pytest.raises(ValueError, match="set `identity_secret`"):
        WebchatSimulator(settings).identify("kerry", Identity(user="42"))


def test_the_host_page_can_carry_what_is_signed(network: WebchatSimulator) -> None:
    text, signature = network.signed(network.identity(user="42", name="Kerry"))
    assert CHAT.identity(text, signature, network.clock()).name == "Kerry"


def test_a_misspelt_extra_is_refused(network: WebchatSimulator) -> None:
    with pytest.raises(TypeError, match="has no chioce"):
        network.speak("kerry", "Hello", chioce="x")


def test_signals(network: WebchatSimulator) -> None:
    network.type("kerry")
    network.read("kerry", "a", "b")
    assert [event.type for event in heard_by_hub(network.due())] == [
        "typing.started",
        "delivery.updated",
        "delivery.updated",
    ]


def test_replies_are_heard_edited_and_taken_back(network: WebchatSimulator) -> None:
    asked = network.speak("kerry", "Hello")
    thread = Thread(id=asked.thread, visibility="private")
    buttons = (Choice(title="Yes", value="yes"),)
    network.hear(SendMessage(key="1", own_account="acme-web", thread=thread, text="Hi", choices=buttons), "reply")
    assert [(said.author, said.text, said.choices) for said in network.heard("kerry")] == [
        ("kerry", "Hello", ()),
        ("us", "Hi", ("Yes",)),
    ]
    network.hear(EditMessage(key="2", own_account="acme-web", thread=thread, text="Hi!"), "reply")
    assert (network.heard("kerry")[1].text, network.heard("kerry")[1].edited) == ("Hi!", True)
    network.hear(DeleteMessage(key="3", own_account="acme-web", thread=thread), "reply")
    assert network.heard("kerry")[1].deleted
    assert network.heard("robin") == []


def test_there_is_nobody_to_call(network: WebchatSimulator) -> None:
    assert network.hosts == CHAT.hosts == frozenset()
    assert network.handle(httpx.Request("POST", "https://hub.example/")).status_code == 404

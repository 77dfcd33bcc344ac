"""The operator's system played, under several mappings: what it says is read, what we post is taken once."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from socialsupport_core.contract import AuthExpired, ContentRejected, Unsupported, drive
from socialsupport_core.model import Attachment, DeleteMessage, Party, SendMessage, Template, Thread
from socialsupport_generic import Generic, GenericSettings
from socialsupport_generic.simulator import GenericSimulator

GOLDEN: dict[str, Any] = json.loads((files("socialsupport_generic") / "cases/settings.json").read_text("utf-8"))
FLAT = GOLDEN | {
    "secret": "a secret for a header",
    "previous_secret": None,
    "header": "x-app",
    "mapping": {
        "id": "id",
        "thread": "where",
        "author": {"id": "who.0.id", "email": "who.0.mail"},
        "type": {"path": "edited_at", "present": "edit", "default": "message"},
        "edited_at": "edited_at",
        "text": "text",
        "handoff": "token",
    },
}
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Both:
    """A channel and the system behind it."""

    def __init__(self, written: dict[str, Any]) -> None:
        settings = GenericSettings.model_validate(written)
        self.connector = Generic(settings)
        self.simulator = GenericSimulator(settings, clock=lambda: NOW)

    def heard(self) -> list[Any]:
        events = []
        for payload in self.simulator.due():
            self.connector.verify(payload)
            events += self.connector.parse(payload)
        return events

    def send(self, intent: Any) -> Any:
        def respond(ask: httpx.Request) -> httpx.Response:
            return self.simulator.handle(self.connector.authorize(ask, None, NOW, "0" * 32))

        return drive(self.connector.send(intent), respond, self.connector.failure)


@pytest.fixture(params=[GOLDEN, FLAT], ids=["nested and signed", "flat, with a bare secret"])
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


def answer(text: str = "It left **today**.", key: str = "k-1", **more: Any) -> SendMessage:
    thread = Thread(id="room-kerry", visibility="private")
    return SendMessage(key=key, own_account="acme-app", thread=thread, text=text, **more)


def test_what_is_said_is_read(both: Both) -> None:
    said = both.simulator.speak("kerry", "Where is my parcel?", email="kerry@acme.example")
    claim, message = both.heard()
    assert [str(one) for one in claim.claims] == ["email:kerry@acme.example"]
    assert (message.interaction.native_id, message.interaction.text) == (said.id, "Where is my parcel?")
    assert message.interaction.thread.id == said.thread
    assert message.interaction.author.account.value == "kerry"


def test_an_edit_and_a_hand_off_are_read(both: Both) -> None:
    said = both.simulator.speak("kerry", "Hello", handoff="abcdefghijklmnopqrstuvwx23")
    both.simulator.edit(said.id, "Hello there")
    claim, message, edited = both.heard()
    assert claim.token == "abcdefghijklmnopqrstuvwx23"
    assert (message.type, edited.type) == ("interaction.received", "interaction.edited")
    assert edited.interaction.text == "Hello there"
    assert both.simulator.heard("kerry")[0].edited


def test_public_words_deletions_and_receipts_under_a_mapping_that_knows_them() -> None:
    both = Both(GOLDEN)
    said = both.simulator.speak("kerry", "Nobody answers!", "forum")
    both.simulator.delete(said.id)
    both.simulator.report("m-9", "failed", code="17", reason="blocked")
    message, deleted, failed = both.heard()
    assert message.interaction.thread.visibility == "public"
    assert (deleted.native_id, deleted.thread.visibility) == (said.id, "public")
    assert (failed.state, failed.native_id, failed.code, failed.reason) == ("failed", "m-9", "17", "blocked")
    with pytest.raises(ValueError, match="no `receipt`"):
        Both(FLAT).simulator.report("m-1", "read")


def test_an_answer_arrives_and_is_told_of() -> None:
    both = Both(GOLDEN)
    both.simulator.speak("kerry", "Where is my parcel?")
    both.heard()
    receipt = both.send(answer())
    (delivered,) = both.heard()
    assert (delivered.state, delivered.native_id) == ("delivered", receipt.native_id)
    assert [one.text for one in both.simulator.heard("kerry")] == ["Where is my parcel?", "It left today."]


def test_the_same_answer_twice_is_one(both: Both) -> None:
    first, again = both.send(answer()), both.send(answer())
    assert first == again
    assert [one.text for one in both.simulator.said] == ["It left today."]
    assert both.send(answer(key="k-2")).native_id != first.native_id


def test_a_lost_answer_is_asked_for_again_and_said_once(both: Both) -> None:
    both.simulator.faults.drop = 1
    with pytest.raises(httpx.ReadError):
        both.send(answer())
    both.send(answer())
    assert len(both.simulator.said) == 1


def test_what_we_post_is_believed_by_the_library_of_the_standard() -> None:
    both = Both(GOLDEN)
    now = datetime.now(UTC)
    request = next(both.connector.send(answer()))
    signed = both.connector.authorize(request, None, now, "0" * 32)
    for secret in ("signing_secret", "previous_signing_secret"):
        assert Webhook(GOLDEN[secret]).verify(signed.content, dict(signed.headers))["text"] == "It left today."
    with pytest.raises(WebhookVerificationError):
        Webhook(GOLDEN["secret"]).verify(signed.content, dict(signed.headers))


def test_another_secret_is_refused_there() -> None:
    both = Both(GOLDEN)
    other = GOLDEN | {"signing_secret": "whsec_" + "eHh4" * 10, "previous_signing_secret": None}
    both.connector = Generic(GenericSettings.model_validate(other))
    with pytest.raises(AuthExpired):
        both.send(answer())
    assert both.simulator.said == []


def test_the_host_of_files_is_shown_no_signature() -> None:
    fetching = Both(GOLDEN).connector
    request = next(fetching.fetch(Attachment(url="https://files.example/a.png")))
    assert "webhook-signature" not in fetching.authorize(request, None, NOW, "").headers


@pytest.mark.parametrize("url", ["http://files.example/a", "https://other.example/a", "https://", None])
def test_files_come_from_the_named_hosts_only(url: str | None) -> None:
    with pytest.raises(Unsupported, match="file_hosts"):
        next(Both(GOLDEN).connector.fetch(Attachment(url=url)))


def test_only_messages_are_posted(both: Both) -> None:
    thread = Thread(id="r", visibility="private")
    refused = [DeleteMessage(key="k", own_account="acme-app", thread=thread)]
    refused += [answer(template=Template(name="t", language="en"))]
    for intent in refused:
        with pytest.raises(Unsupported):
            both.send(intent)
    assert both.simulator.calls == []


def test_who_it_is_for_is_told_as_far_as_it_is_known() -> None:
    both = Both(GOLDEN)
    known = [{"kind": "generic.user", "scope": "acme-app", "value": "42"}, {"kind": "email", "value": "k@acme.example"}]
    party = Party.model_validate({"identifiers": known, "name": "Kerry", "handle": "kerry"})
    posted = json.loads(next(both.connector.send(answer(recipient=party))).content)
    assert posted["recipient"] == {"id": "42", "name": "Kerry", "handle": "kerry", "email": "k@acme.example"}


def test_what_they_refuse_is_not_tried_again() -> None:
    connector = Both(GOLDEN).connector
    with pytest.raises(ContentRejected):
        drive(connector.send(answer()), lambda _: httpx.Response(422), connector.failure)


def test_it_goes_on_counting_after_a_restart() -> None:
    both = Both(GOLDEN)
    first = both.simulator.speak("kerry", "Hello")
    sent, later = both.simulator.due(), Both(GOLDEN)
    later.simulator.resume(sent)
    assert later.simulator.speak("kerry", "Hello again").id != first.id

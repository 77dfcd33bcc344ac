"""Payloads of the form, from the surface or from a server that knows the secret; and the way on by e-mail."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import socialsupport_email
import socialsupport_webform
from socialsupport_core.contract import ContentRejected, MalformedPayload, Registry, SignatureError, Unavailable, drive
from socialsupport_core.hub import Hub
from socialsupport_core.model import Attachment, Blob, Payload
from socialsupport_webform import Webform, WebformSettings
from socialsupport_webform.protocol import LENGTHS, MAX_FILES
from socialsupport_webform.simulator import WebformSimulator

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
WRITTEN = {"own_account": "acme-contact", "secret": "a-long-random-text-of-yours"}
SETTINGS = WebformSettings.model_validate(WRITTEN)


@pytest.fixture
def form() -> Webform:
    return Webform(SETTINGS)


@pytest.fixture
def people() -> WebformSimulator:
    return WebformSimulator(SETTINGS, clock=lambda: NOW)


def payload(**fields: object) -> Payload:
    return Payload(body=json.dumps({"id": "form-1234", "text": "Hello"} | fields).encode(), received_at=NOW)


def test_people_fill_in_and_are_believed(form: Webform, people: WebformSimulator) -> None:
    said = people.speak("kerry", "Where is it?", email="kerry@acme.example", order="4711", files={"a.txt": b"hi"})
    (sent,) = people.due()
    form.verify(sent)
    claim, message = form.parse(sent)
    assert (claim.tier, [str(one) for one in claim.claims]) == ("claimed", ["email:kerry@acme.example"])
    assert (message.interaction.native_id, message.interaction.subject) == (said.id, "Order 4711")
    assert message.interaction.author.account == claim.subject


def test_another_secret_is_not_believed(people: WebformSimulator) -> None:
    people.speak("kerry", "Hello")
    other = Webform(WebformSettings.model_validate(WRITTEN | {"secret": "another-long-random-text"}))
    with pytest.raises(SignatureError):
        other.verify(people.due()[0])
    both = Webform(
        WebformSettings.model_validate(
            WRITTEN | {"secret": "another-long-random-text", "previous_secret": WRITTEN["secret"]}
        )
    )
    people.speak("kerry", "Hello")
    both.verify(people.due()[0])


def test_who_left_no_name_goes_by_what_they_left(form: Webform) -> None:
    named = [list(form.parse(payload(**fields)))[-1].interaction.author.name for fields in (
        {"name": "Kerry", "email": "k@acme.example"}, {"email": "k@acme.example"}, {"phone": "+1555000"}, {})]  # fmt: skip
    assert named == ["Kerry", "k@acme.example", "+1555000", None]


@pytest.mark.parametrize("ago", [timedelta(days=8), -timedelta(seconds=1)])
def test_a_moment_that_cannot_be_is_that_of_the_arrival(form: Webform, ago: timedelta) -> None:
    (message,) = form.parse(payload(at=(NOW - ago).isoformat()))
    assert message.interaction.sent_at == NOW


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"id": "x"}, "id: "),
        ({"id": "../../etc"}, "id: "),
        ({"text": None}, "text: "),
        ({"text": "x" * (LENGTHS["text"] + 1)}, "text: "),
        ({"text": "a\x00b"}, "text: "),
        ({"at": "yesterday"}, "at: "),
        ({"files": [{"name": "a", "content": "aGk="}] * (MAX_FILES + 1)}, "files: "),
        ({"files": [{"name": "a", "content": "no base64"}]}, r"files\.0\.content: "),
    ],
)
def test_what_cannot_be_read_is_named_and_not_repeated(form: Webform, fields: dict[str, object], told: str) -> None:
    with pytest.raises(MalformedPayload, match=f"^{told}") as raised:
        form.parse(payload(**fields))
    assert "yesterday" not in str(raised.value)


def test_a_file_that_is_not_there(form: Webform) -> None:
    def journal(_ask: object) -> Payload:
        return payload(files=[{"name": "a.txt", "content": "aGk="}])

    found: Blob = drive(form.fetch(Attachment(native_id="0", name="a.txt")), journal, form.failure)
    assert found.content == b"hi"
    with pytest.raises(Exception, match="no such file"):
        drive(form.fetch(Attachment(native_id="1")), journal, form.failure)
    with pytest.raises(Unavailable):
        drive(form.fetch(Attachment(native_id="first")), journal, form.failure)


def test_nobody_is_answered_on_the_form_but_by_mail(tmp_path: Path, people: WebformSimulator) -> None:
    """The agent looks at the address, says that it is theirs, and hands off; the form itself is closed."""
    registry = Registry.of(socialsupport_webform, socialsupport_email)
    hub = Hub.open(tmp_path / "support.sqlite", public_url="https://hub.example", registry=registry, clock=lambda: NOW)
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    door = hub.add_channel("acme", "contact", "webform", WRITTEN).rsplit("/", 1)[1]
    server = {"host": "smtp.example", "username": "support", "password": "a fake password"}
    mail = {"address": "support@acme.example", "token_secret": "a fake secret of thirty-two letters", "smtp": server}
    hub.add_channel("acme", "mail", "email", mail)
    people.speak("kerry", "Where is it?", email="kerry@acme.example")
    hub.receive(door, people.due()[0]).result()
    hub.drain()
    (waiting,) = hub.queue("acme")
    with pytest.raises(Exception, match="webform") as raised:
        hub.reply("acme", waiting["id"], "It left today.", agent="dana")
    assert not isinstance(raised.value, ContentRejected)
    (suggested,) = hub.reviews("acme")
    ends = [one["identifier"] for one in suggested["between"]]
    hub.link("acme", *ends, agent="dana")
    hub.drain()
    first = hub.hand_off_targets("acme", waiting["id"])["targets"][0]
    assert (first["channel"], first["how"], first["account"]) == ("mail", "begin", "email:kerry@acme.example")
    assert hub.hand_off("acme", waiting["id"], agent="dana", to="mail")["said"] == ["mail"]
    hub.close()


def test_no_hand_off_leads_to_a_form(tmp_path: Path, people: WebformSimulator) -> None:
    """Whoever came there could not be answered."""
    hub = Hub.open(tmp_path / "s.sqlite", public_url="https://hub.example", registry=Registry.of(socialsupport_webform))
    hub.add_tenant("acme", "Acme")
    doors = [hub.add_channel("acme", name, "webform", WRITTEN | {"own_account": name}) for name in ("one", "two")]
    people.speak("kerry", "Hello")
    body = people.due()[0].body
    fresh = WebformSimulator(SETTINGS).signed(body)
    hub.receive(doors[0].rsplit("/", 1)[1], fresh).result()
    hub.drain()
    targets = hub.hand_off_targets("acme", hub.queue("acme")[0]["id"])["targets"]
    assert {one["channel"]: one.get("how") for one in targets} == {"one": None, "two": None}
    hub.close()

"""Mails to and fro through each provider: people write, we answer, they answer, and what became of it is told."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    SignatureError,
    Unavailable,
    Uncertain,
    Unreachable,
    drive,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    DeliveryUpdated,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    SendMessage,
    Thread,
)
from socialsupport_email.reports import COMPLAINT
from socialsupport_mailhooks import (
    Mailgun,
    MailgunSettings,
    Postmark,
    PostmarkSettings,
    SendGrid,
    SendGridSettings,
    forms,
    socialsupport_connectors,
    socialsupport_simulators,
)
from socialsupport_mailhooks.simulator import MailgunServer, PostmarkServer, ProviderServer, SendGridServer

NOW = datetime(2026, 10, 1, 7, 15, tzinfo=UTC)
OWN: dict[str, Any] = {"address": "support@acme.example", "name": "Acme", "token_secret": "a-token-secret-of-ours"}
PASSWORD = "a-password-of-the-hook"
POSTMARK = PostmarkSettings(**OWN, server_token=SecretStr("server-token"), hook_password=SecretStr(PASSWORD))
MAILGUN = MailgunSettings(
    **OWN, api_key=SecretStr("api-key-1"), signing_key=SecretStr("signing-key"), domain="mg.acme.example"
)
SENDGRID = SendGridSettings(**OWN, api_key=SecretStr("api-key-1"), hook_password=SecretStr(PASSWORD))
Pair = tuple[Any, ProviderServer]


@pytest.fixture(params=["postmark", "mailgun", "sendgrid"])
def pair(request: pytest.FixtureRequest) -> Pair:
    made: dict[str, Callable[[], Pair]] = {
        "postmark": lambda: (Postmark(POSTMARK), PostmarkServer(POSTMARK, clock=lambda: NOW)),
        "mailgun": lambda: (Mailgun(MAILGUN), MailgunServer(MAILGUN, clock=lambda: NOW)),
        "sendgrid": lambda: (SendGrid(SENDGRID), SendGridServer(SENDGRID, clock=lambda: NOW)),
    }
    return made[request.param]()


def heard(pair: Pair) -> list[Any]:
    connector, server = pair
    payloads = server.due()
    for payload in payloads:
        connector.verify(payload)
    return [event for payload in payloads for event in connector.parse(payload)]


def sent(pair: Pair, intent: SendMessage) -> Any:
    connector, server = pair

    def respond(ask: Any) -> Any:
        if not isinstance(ask, httpx.Request):
            return Blob(content=b"\x00\r\n--", media_type="image/png", name="label.png")
        try:
            return server.handle(connector.authorize(ask, None, NOW, ""))
        except httpx.TransportError as error:
            raise Uncertain("the connection was cut") from error

    return drive(connector.send(intent), respond, connector.failure)


def answer(
    interaction: Interaction, text: str = "It is on **its** way.", key: str = "reply-1", **more: Any
) -> SendMessage:
    return SendMessage(
        key=key, own_account=OWN["address"], thread=interaction.thread, recipient=interaction.author,
        target=interaction, text=text, **more,
    )  # fmt: skip


def written(
    pair: Pair, text: str = "Where is my parcel?", person: str = "kerry@gmail.example", **more: Any
) -> Interaction:
    pair[1].speak(person, text, **more)
    (event,) = [event for event in heard(pair) if isinstance(event, InteractionReceived)]
    return event.interaction


def test_the_hooks_offer_all() -> None:
    assert [one.name for one in socialsupport_connectors()] == ["postmark", "mailgun", "sendgrid"]
    assert [one.network for one in socialsupport_simulators()] == ["postmark", "mailgun", "sendgrid"]


def test_a_thread_stays_one_over_our_answer_and_theirs(pair: Pair) -> None:
    first = written(pair)
    receipt = sent(pair, answer(first))
    assert receipt.thread == first.thread
    second = written(pair, "Thank you!")
    assert (second.thread, second.text) == (first.thread, "Thank you!")
    assert second.in_reply_to == receipt.native_id
    assert first.author.account == second.author.account == Identifier(kind="email", value="kerry@gmail.example")
    assert first.network == pair[0].name


def test_our_mail_is_read_as_we_wrote_it(pair: Pair) -> None:
    sent(pair, answer(written(pair, subject="My parcel")))
    (ours,) = [said for said in pair[1].heard("kerry@gmail.example") if said.author == "us"]
    assert "on" in ours.text
    assert "its" in ours.text
    letter = pair[1].mailboxes["kerry@gmail.example"][0]
    assert letter.reply_to.startswith("support+t.")
    assert letter.subject in ("Re: My parcel", "")


def test_what_became_of_it_is_told_with_our_key(pair: Pair) -> None:
    sent(pair, answer(written(pair), key="k" * 128))
    (delivered,) = heard(pair)
    assert isinstance(delivered, DeliveryUpdated)
    assert (delivered.state, delivered.client_key, delivered.gone) == ("delivered", "k" * 128, None)


def test_nobody_lives_there(pair: Pair) -> None:
    nobody = Party(identifiers=(Identifier(kind="email", value="nobody@gmail.example"),))
    intent = answer(written(pair)).model_copy(update={"recipient": nobody, "target": None})
    sent(pair, intent)
    (bounced,) = heard(pair)
    assert (bounced.state, bounced.client_key, bounced.gone) == ("failed", "reply-1", True)
    assert "no such mailbox" in bounced.reason


def test_a_complaint_is_a_failure_but_the_address_lives(pair: Pair) -> None:
    sent(pair, answer(written(pair)))
    heard(pair)
    pair[1].complain("kerry@gmail.example")
    (complained,) = heard(pair)
    assert (complained.state, complained.code, complained.gone) == ("failed", COMPLAINT, None)


def test_a_hand_off_token_comes_along(pair: Pair) -> None:
    connector, server = pair
    server.speak("kerry@gmail.example", "Hello", to=connector.handoff_address("a" * 26), subject="Hello")
    claimed, received = heard(pair)
    assert isinstance(claimed, IdentityClaimed)
    assert (claimed.token, claimed.thread) == ("a" * 26, received.interaction.thread)


def test_a_picture_is_read_from_the_stored_webhook(pair: Pair) -> None:
    connector, server = pair
    picture = Blob(content=bytes(range(256)), media_type="image/png", name="label.png")
    server.speak("kerry@gmail.example", "Look", subject="Look", attachments=(picture,))
    (payload,) = server.due()
    (event,) = connector.parse(payload)
    (attachment,) = event.interaction.attachments
    flow = connector.fetch(attachment)
    assert drive(flow, lambda _: payload, connector.failure).content == picture.content


@pytest.mark.parametrize("letters", ["ä ö ü", "荷物はどこですか", "👩‍👩‍👧", 'a "quoted" \\ name'])
def test_other_scripts_come_and_go(pair: Pair, letters: str) -> None:
    first = written(pair, letters, name=letters)
    assert (first.text, first.author.name) == (letters, letters)
    sent(pair, answer(first, letters))
    ours = [said.text for said in pair[1].heard("kerry@gmail.example") if said.author == "us"]
    assert ours == [letters]


def test_an_answer_carries_its_files(pair: Pair) -> None:
    file = Attachment(media_type="image/png", name="label.png", blob="ab" * 32)
    sent(pair, answer(written(pair), attachments=(file,)))
    body = pair[1].calls[-1].read()
    assert base64.b64encode(b"\x00\r\n--") in body


@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired)]
)
def test_nothing_is_sent_when_the_provider_refuses(pair: Pair, fault: str, error: type[DeliveryError]) -> None:
    first = written(pair)
    setattr(pair[1].faults, fault, 1)
    with pytest.raises(error) as refused:
        sent(pair, answer(first))
    assert pair[1].mailboxes == {}
    assert "api-key" not in str(refused.value)


def test_a_cut_connection_is_doubtful(pair: Pair) -> None:
    first = written(pair)
    pair[1].faults.drop = 1
    with pytest.raises(Uncertain):
        sent(pair, answer(first))
    assert len(pair[1].mailboxes["kerry@gmail.example"]) == 1


@pytest.mark.parametrize("name", ["Kerry\r\nBcc: all@acme.example", "Kerry\x00"])
def test_names_never_begin_a_header(pair: Pair, name: str) -> None:
    first = written(pair)
    with pytest.raises(ContentRejected, match="no header may hold"):
        sent(pair, answer(first).model_copy(update={"recipient": first.author.model_copy(update={"name": name})}))


def test_a_doubtful_mail_is_looked_up_by_key_or_by_message_id() -> None:
    pairs: list[Pair] = [
        (Postmark(POSTMARK), PostmarkServer(POSTMARK, clock=lambda: NOW)),
        (Mailgun(MAILGUN), MailgunServer(MAILGUN, clock=lambda: NOW)),
    ]
    for connector, server in pairs:
        intent = answer(written((connector, server)), key="k" * 100)
        wire: Any = lambda ask, c=connector, s=server: s.handle(c.authorize(ask, None, NOW, ""))  # noqa: E731
        with pytest.raises(Unavailable, match="may not be in"):
            drive(connector.lookup(intent, NOW - timedelta(minutes=1)), wire, connector.failure)
        assert drive(connector.lookup(intent, NOW - timedelta(minutes=10)), wire, connector.failure) is None
        receipt = sent((connector, server), intent)
        assert drive(connector.lookup(intent, NOW), wire, connector.failure) == receipt


# Postmark


def test_an_address_that_bounced_is_not_written_to_again() -> None:
    pair: Pair = (Postmark(POSTMARK), PostmarkServer(POSTMARK, clock=lambda: NOW))
    first = written(pair)
    pair[1].gone.add("kerry@gmail.example")
    with pytest.raises(Unreachable) as refused:
        sent(pair, answer(first))
    assert refused.value.code == "406"


# Mailgun


def test_mails_into_two_threads_are_two_mails() -> None:
    connector = Mailgun(MAILGUN)
    pair: Pair = (connector, MailgunServer(MAILGUN, clock=lambda: NOW))
    bodies = []
    for person in ("kerry@gmail.example", "kim@gmail.example"):
        request = next(connector.send(answer(written(pair, person=person))))
        payload = Payload(headers=tuple(request.headers.items()), body=request.read(), received_at=NOW)
        bodies.append((forms.text(forms.fields(payload), "to"), forms.fields(payload)["message"]))
    assert [to for to, _ in bodies] == ["kerry@gmail.example", "kim@gmail.example"]
    assert bodies[0][1] != bodies[1][1]


def test_a_mail_is_dated_when_it_is_sent() -> None:
    pair: Pair = (Mailgun(MAILGUN), MailgunServer(MAILGUN, clock=lambda: NOW))
    sent(pair, answer(written(pair), text="Date: " + "-" * 31))
    request = pair[1].calls[-1]
    payload = Payload(headers=tuple(request.headers.items()), body=request.read(), received_at=NOW)
    message = forms.fields(payload)["message"]
    assert message.startswith(b"Date: Thu, 01 Oct 2026 07:15:00 +0000\r\nFrom: Acme <support@acme.example>\r\n")
    assert message.count(b"Thu, 01 Oct 2026") == 1
    assert int(request.headers["content-length"]) == len(request.read())


def test_an_account_in_europe_is_called_there() -> None:
    europe = Mailgun(MAILGUN.model_copy(update={"region": "eu"}))
    assert europe.hosts == {"api.eu.mailgun.net"}


def test_a_route_may_post_either_kind_of_form() -> None:
    connector, server = Mailgun(MAILGUN), MailgunServer(MAILGUN, clock=lambda: NOW)
    raw = b"From: kerry@gmail.example\r\n\r\nGr\xfc\xdfe\r\n"
    plainly = server.inbound(raw)
    form = {name: value for name, value in forms.fields(plainly).items() if name != "body-mime"}
    kind = "multipart/form-data; boundary=xYzZY"
    files = {"body-mime": (None, raw)}
    asked = httpx.Request("POST", "https://x", data=form, files=files, headers={"content-type": kind})  # type: ignore[arg-type]
    several = Payload(headers=(("content-type", kind),), body=asked.read(), received_at=NOW)
    connector.verify(several)
    assert list(connector.received(several)) == list(connector.received(plainly)) == [raw]


@pytest.mark.parametrize("change", [{"timestamp": "1"}, {"token": "x"}, {"signature": ""}, {"signature": None}])
def test_a_mailgun_signature_fits_its_token(change: dict[str, Any]) -> None:
    connector, server = Mailgun(MAILGUN), MailgunServer(MAILGUN, clock=lambda: NOW)
    payload = server.report("delivered", "k@gmail.example", "1@acme.example", "k")
    told = json.loads(payload.body)
    told["signature"] |= change
    with pytest.raises(SignatureError):
        connector.verify(payload.model_copy(update={"body": json.dumps(told).encode()}))


# SendGrid


KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(key: ec.EllipticCurvePrivateKey, body: bytes = b"[]", at: datetime = NOW) -> Payload:
    stamp = str(int(at.timestamp()))
    proof = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    names = ("X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp")
    headers = (("content-type", "application/json"), (names[0], proof), (names[1], stamp))
    return Payload(headers=headers, body=body, received_at=NOW)


def test_reports_are_signed_with_one_of_the_keys() -> None:
    settings = SENDGRID.model_copy(update={"hook_password": None, "verification_keys": (public(OTHER), public(KEY))})
    connector = SendGrid(settings)
    connector.verify(signed(KEY))
    connector.verify(signed(OTHER))
    for forged in (
        signed(ec.generate_private_key(ec.SECP256R1())),
        signed(KEY).model_copy(update={"body": b"[] "}),
        signed(KEY, at=NOW - timedelta(minutes=11)),
        signed(KEY, at=NOW + timedelta(minutes=11)),
    ):
        with pytest.raises(SignatureError):
            connector.verify(forged)


def test_a_wrong_signature_is_not_made_good_by_the_password() -> None:
    connector = SendGrid(SENDGRID.model_copy(update={"verification_keys": (public(KEY),)}))
    right = SendGridServer(SENDGRID, clock=lambda: NOW).report("delivered", "k@gmail.example", "1@a.example", "k")
    connector.verify(right)
    forged = signed(OTHER)
    with pytest.raises(SignatureError, match="does not fit"):
        connector.verify(forged.model_copy(update={"headers": (*forged.headers, *right.headers)}))


def test_a_signature_has_one_spelling() -> None:
    connector = SendGrid(SENDGRID.model_copy(update={"verification_keys": (public(KEY),)}))
    payload = signed(KEY)
    (name, proof) = payload.headers[1]
    for other in (proof + "\n", " " + proof, proof.rstrip("=") + "====", proof.lower()):
        with pytest.raises(SignatureError):
            connector.verify(
                payload.model_copy(update={"headers": (payload.headers[0], (name, other), payload.headers[2])})
            )


def test_one_report_is_told_once() -> None:
    server = SendGridServer(SENDGRID, clock=lambda: NOW)
    (one,) = json.loads(server.report("delivered", "k@gmail.example", "1@a.example", "k").body)
    body = json.dumps([one, one, {**one, "event": "open", "sg_event_id": "e-2"}]).encode()
    payload = Payload(headers=(("content-type", "application/json"),), body=body, received_at=NOW)
    assert [event.id for event in SendGrid(SENDGRID).parse(payload)] == [one["sg_event_id"]]


@pytest.mark.parametrize(
    ("model", "change", "complaint"),
    [
        (SendGridSettings, {"api_key": "api-key-1"}, "set verification_keys"),
        (SendGridSettings, {"api_key": "api-key-1", "verification_keys": ["x"]}, "not a public key"),
        (PostmarkSettings, {"server_token": "server-token"}, "hook_password"),
        (PostmarkSettings, {"server_token": "server-token", "hook_password": "short"}, "at least 16"),
        (MailgunSettings, {"api_key": "api-key-1", "signing_key": "signing-key", "domain": "a/b"}, "domain"),
        (MailgunSettings, {"api_key": "api-key-1", "domain": "mg.acme.example"}, "signing_key"),
    ],
)
def test_settings_say_what_is_wrong(model: type[Any], change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        model.model_validate(OWN | change)


def test_a_sender_that_is_not_verified_is_the_operators_business() -> None:
    connector = Postmark(POSTMARK.model_copy(update={"address": "other@acme.example"}))
    pair: Pair = (connector, PostmarkServer(POSTMARK, clock=lambda: NOW))
    intent = answer(written((Postmark(POSTMARK), pair[1])))
    refusal = httpx.Response(422, json={"ErrorCode": 400, "Message": "no such signature"})
    with pytest.raises(Forbidden):
        drive(connector.send(intent), lambda _: refusal, connector.failure)


def test_a_thread_that_we_begin_has_a_subject(pair: Pair) -> None:
    kerry = Party(identifiers=(Identifier(kind="email", value="kerry@gmail.example"),), name="Kerry")
    thread = Thread(id="new", visibility="private")
    intent = SendMessage(
        key="k", own_account=OWN["address"], thread=thread, recipient=kerry, subject="Your parcel", text="Hi"
    )
    receipt = sent(pair, intent)
    assert receipt.thread != thread
    assert written(pair, "Thanks").thread == receipt.thread


def probed(pair: Pair) -> Any:
    connector, server = pair

    def answer(ask: Any) -> httpx.Response:
        answered: httpx.Response = server.handle(connector.authorize(ask, None, NOW, ""))
        return answered

    return drive(connector.probe(), answer, connector.failure)


def test_whether_the_key_is_good_can_be_asked(pair: Pair) -> None:
    assert probed(pair).own_account == OWN["address"]
    other = type(pair[1])(
        pair[1].settings.model_copy(update=dict.fromkeys(("server_token", "api_key"), SecretStr("x")))
    )
    with pytest.raises(AuthExpired):
        probed((pair[0], other))


def test_a_key_that_only_sends_is_good() -> None:
    server = MailgunServer(MAILGUN, clock=lambda: NOW)
    server.sends_only = True
    assert probed((Mailgun(MAILGUN), server)).extra == {"key": "sends only"}


def test_a_key_that_may_not_send_is_told() -> None:
    server = SendGridServer(SENDGRID, clock=lambda: NOW)
    server.scopes = ("stats.read",)
    with pytest.raises(Forbidden, match="Mail Send"):
        probed((SendGrid(SENDGRID), server))


@pytest.mark.parametrize(("until", "wait"), [("1790839005", 105.0), ("1", 0.0), ("soon", None), ("", None)])
def test_sendgrid_says_when_it_may_be_asked_again(until: str, wait: float | None) -> None:
    headers = {"x-ratelimit-reset": until, "date": "Thu, 01 Oct 2026 07:15:00 GMT"}
    response = httpx.Response(429, headers=headers, request=httpx.Request("GET", "https://api.sendgrid.com/v3/scopes"))
    error = SendGrid(SENDGRID).failure(response)
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait

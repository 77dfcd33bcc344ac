"""From intents to mails, read back by Python's own e-mail package."""

import email
import email.policy
import json
import re
import unicodedata
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import (
    ContentRejected,
    DeliveryError,
    ReadBlob,
    Unreachable,
    Unsupported,
    digest,
    drive,
)
from socialsupport_core.model import INTENT, Blob, Receipt, SendMessage
from socialsupport_email import Email, EmailSettings, addresses, mime, token
from socialsupport_email.asks import Accepted, SendMail
from socialsupport_email.compose import Address, Draft, compose, reply_subject
from socialsupport_email.settings import ImapServer, SmtpServer

SETTINGS = EmailSettings(
    address="support@acme.example",
    name="Acme Support",
    smtp=SmtpServer(host="smtp.acme.example"),
    token_secret=SecretStr("secret-of-sixteen"),
)
THREAD = "e0123456789abcdef"
KERRY = {"identifiers": [{"kind": "email", "value": "kerry@mail.example"}], "name": "Kerry"}
CONTEXT = {"id": "2@mail.example", "references": ["1@mail.example"], "subject": "Parcel"}
TARGET = {
    "network": "email", "native_id": "2@mail.example", "kind": "message", "direction": "inbound",
    "own_account": "support@acme.example", "thread": {"id": THREAD, "visibility": "private"}, "author": KERRY,
    "subject": "Parcel", "context": json.dumps(CONTEXT), "sent_at": "2026-10-01T07:15:00Z",
}  # fmt: skip


def intent(**more: object) -> SendMessage:
    given_ = {"type": "send.message", "key": "key-1", "own_account": "support@acme.example", "text": "Hello",
              "thread": {"id": THREAD, "visibility": "private"}, "recipient": KERRY, "target": TARGET}  # fmt: skip
    found = INTENT.validate_python({name: value for name, value in (given_ | more).items() if value is not None})
    assert isinstance(found, SendMessage)
    return found


def sent(one: SendMessage, settings: EmailSettings = SETTINGS, blob: Blob | None = None) -> tuple[SendMail, Receipt]:
    asks: list[SendMail] = []

    def respond(ask: object) -> object:
        if isinstance(ask, ReadBlob):
            return blob
        assert isinstance(ask, SendMail)
        asks.append(ask)
        return Accepted("queued")

    connector = Email(settings)
    receipt = drive(connector.send(one), respond, connector.failure)
    [ask] = asks
    return ask, receipt


def reread(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    for part in message.walk():
        assert not part.defects
        for value in part.values():
            assert not getattr(value, "defects", ())
    return message


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_an_answer() -> None:
    ask, receipt = sent(intent(text="Dear **Kerry**,\n\nno."))
    message = reread(ask.message)
    assert message["from"] == "Acme Support <support@acme.example>"
    assert message["to"] == "Kerry <kerry@mail.example>"
    assert message["subject"] == "Re: Parcel"
    assert message["in-reply-to"] == "<2@mail.example>"
    assert message["references"].split() == ["<1@mail.example>", "<2@mail.example>"]
    assert message["date"] is None  # a flow knows no time
    assert message["message-id"] == f"<{receipt.native_id}>"
    assert text_of(message) == "Dear **Kerry**,\n\nno."
    assert "<strong>Kerry</strong>" in text_of(message, "html")
    assert (ask.sender, ask.recipient, ask.message_id) == (
        "support@acme.example",
        "kerry@mail.example",
        receipt.native_id,
    )


def test_the_answer_finds_its_way_back() -> None:
    ask, receipt = sent(intent())
    reply_to = reread(ask.message)["reply-to"].addresses[0].addr_spec
    local, _, tag = reply_to.partition("@")[0].partition("+")
    assert local == "support"
    assert len(reply_to.partition("@")[0]) <= 64
    assert token.thread_of(tag, SETTINGS.secrets) == THREAD
    assert token.read_message_id(receipt.native_id or "", SETTINGS.secrets) == ("key-1", THREAD)
    assert receipt.thread is not None
    assert receipt.thread.id == THREAD


def test_a_new_mail_opens_a_thread_and_the_next_one_stays_in_it() -> None:
    _ask, first = sent(intent(target=None, subject="News", thread={"id": "anything", "visibility": "private"}))
    assert first.thread is not None
    assert token.is_thread(first.thread.id)
    _ask, second = sent(intent(key="key-2", target=None, thread={"id": first.thread.id, "visibility": "private"}))
    assert second.thread == first.thread
    assert second.native_id != first.native_id


def test_a_follow_up_to_ourselves_refers_to_our_mail() -> None:
    _ask, receipt = sent(intent())
    target = TARGET | {
        "direction": "outbound",
        "author": {"is_self": True},
        "recipients": [KERRY],
        "context": receipt.context,
    }
    ask, _receipt = sent(intent(key="key-2", target=target, recipient=None))
    message = reread(ask.message)
    assert message["in-reply-to"] == f"<{receipt.native_id}>"
    assert message["references"].split() == ["<1@mail.example>", "<2@mail.example>", f"<{receipt.native_id}>"]
    assert message["subject"] == "Re: Parcel"


def test_without_plus_addressing_there_is_no_reply_address() -> None:
    ask, _receipt = sent(intent(), SETTINGS.model_copy(update={"plus_addressing": False}))
    assert reread(ask.message)["reply-to"] is None


def test_the_flow_is_deterministic() -> None:
    one, other = (sent(intent(attachments=[ATTACHMENT]), blob=Blob(content=b"x"))[0] for _ in range(2))
    assert one == other
    assert digest(one) == digest(other)
    assert digest(one) != digest(sent(intent(text="Other"))[0])


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Parcel", "Re: Parcel"),
        ("Re: Parcel", "Re: Parcel"),
        ("RE: AW: Re[2]: Sv: Parcel", "Re: Parcel"),
        ("Antw: Parcel", "Re: Parcel"),
        ("Fwd: Parcel", "Re: Fwd: Parcel"),
        ("Regarding: Parcel", "Re: Regarding: Parcel"),
        ("", "Message from us"),
        (None, "Message from us"),
        ("Re:", "Message from us"),
    ],
)
def test_subjects(subject: str | None, expected: str) -> None:
    assert reply_subject(subject, "Message from us") == expected


INJECTIONS = [
    "a\r\nBcc: x@y.example",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\u2028b",
    "a\u2029b",
    "a\x85b",
    "a\x0bb",
    "a\x1bb",
    "a\ud800b",
]


@pytest.mark.parametrize("evil", INJECTIONS)
def test_nothing_adds_a_header(evil: str) -> None:
    plain_draft = {"message_id": "1@a.example", "sender": Address("a@a.example"), "recipient": Address("b@b.example"),
                   "subject": "s", "text": "t"}  # fmt: skip
    changed = [{"subject": evil}, {"sender": Address("a@a.example", evil)}, {"recipient": Address("b@b.example", evil)},
               {"recipient": Address(f"{evil}@b.example")}, {"references": (evil,)}]  # fmt: skip
    for change in changed:
        with pytest.raises(ContentRejected, match=r"U\+"):
            compose(Draft(**{**plain_draft, **change}))  # type: ignore[arg-type]


def test_nul_in_the_text_is_refused() -> None:
    with pytest.raises(ContentRejected, match="NUL"):
        sent(intent(text="a\0b"))


ATTACHMENT = {"media_type": "application/pdf", "name": "label.pdf", "size": 1, "blob": "ab" * 32}
NAMES = {
    "label.pdf": "label.pdf",
    "Rücksendung für Kerry Fisher, bitte ausdrucken.pdf": "Rücksendung für Kerry Fisher, bitte ausdrucken.pdf",
    'a "quoted" name.pdf': 'a "quoted" name.pdf',
    "../../etc/passwd": "passwd",
    "C:\\temp\\x.pdf": "x.pdf",
    "a\r\nContent-Type: text/html\r\n.pdf": "html.pdf",
    "😀" * 40: "😀" * 40,
    "": "attachment",
}


@pytest.mark.parametrize("name", NAMES)
def test_attachments(name: str) -> None:
    content = bytes(range(256)) * 5
    blob = Blob(content=content, media_type="application/pdf", name=name)
    ask, _receipt = sent(intent(attachments=[ATTACHMENT | {"name": None}]), blob=blob)
    [part] = reread(ask.message).iter_attachments()
    assert part.get_content() == content
    assert part.get_content_type() == "application/pdf"
    assert (part.get_filename() or "").startswith(NAMES[name][:30])
    assert not re.search(rb"(?im)^content-type: text/html\r\n\.pdf", ask.message)


@pytest.mark.parametrize(
    "media_type", ["message/rfc822", "multipart/mixed", "text/html\r\nX: y", "nonsense", "text/x; y=z"]
)
def test_attachments_that_would_act_are_octets(media_type: str) -> None:
    ask, _receipt = sent(intent(attachments=[ATTACHMENT | {"media_type": media_type}]), blob=Blob(content=b"x"))
    [part] = reread(ask.message).iter_attachments()
    assert part.get_content_type() == "application/octet-stream"


def test_the_intent_says_what_an_attachment_is() -> None:
    ask, _receipt = sent(intent(attachments=[ATTACHMENT]), blob=Blob(content=b"x"))  # a blob store knows only bytes
    [part] = reread(ask.message).iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("application/pdf", "label.pdf")


def test_too_large() -> None:
    with pytest.raises(ContentRejected, match="smaller"):
        sent(intent(attachments=[ATTACHMENT]), blob=Blob(content=b"x" * 8_000_000))


def test_every_line_is_short_and_ends_properly() -> None:
    long_id = "x" * 200 + "@mail.example"
    target = TARGET | {
        "context": json.dumps({"id": long_id, "references": ["y" * 300 + "@mail.example"], "subject": "ä" * 200})
    }
    ask, _receipt = sent(intent(target=target | {"subject": "word " * 60}, text="ü" * 2000 + "\n" + "x" * 2000))
    assert b"\n" not in ask.message.replace(b"\r\n", b"")
    assert max(map(len, ask.message.split(b"\r\n"))) <= 998
    message = reread(ask.message)
    assert message["references"].split() == [f"<{'y' * 300}@mail.example>", f"<{long_id}>"]
    assert text_of(message) == "ü" * 2000 + "\n" + "x" * 2000


@hypothesis_settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=60))
def test_what_is_written_is_read(text: str, subject: str, name: str) -> None:
    draft = Draft("1@a.example", Address("a@a.example"), Address("b@b.example", name), subject, text)
    try:
        raw = compose(draft)
    except ContentRejected:
        assert re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", subject + name) or "\0" in text
        return
    message = reread(raw)
    assert text_of(message) == text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    assert " ".join(message["subject"].split()) == " ".join(subject.split())
    [recipient] = addresses.read(mime.read(raw).first("to") or "")
    assert (recipient.name or "") == " ".join(unicodedata.normalize("NFC", name).split())


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"recipient": {"identifiers": []}}, Unreachable),
        ({"recipient": {"identifiers": [{"kind": "phone", "value": "+15550002222"}]}}, Unreachable),
        ({"recipient": {"identifiers": [{"kind": "email", "value": "not an address"}]}}, Unreachable),
        ({"recipient": {"identifiers": [{"kind": "email", "value": "SUPPORT@acme.example"}]}}, Unreachable),
        ({"recipient": None, "target": None}, Unreachable),
    ],
)
def test_nobody_to_write_to(more: dict[str, object], kind: type[DeliveryError]) -> None:
    with pytest.raises(kind):
        sent(intent(**more))


def test_what_is_not_configured() -> None:
    bare = EmailSettings(address="support@acme.example", token_secret=SecretStr("x" * 16))
    connector = Email(bare)
    with pytest.raises(Unsupported, match="smtp"):
        sent(intent(), bare)
    with pytest.raises(Unsupported, match="imap"):
        next(connector.poll(None))
    with pytest.raises(Unsupported, match="sent_mailbox"):
        next(connector.lookup(intent(), datetime(2026, 10, 1, tzinfo=UTC)))
    assert connector.hosts == frozenset()
    assert connector.capabilities_in(intent().thread).settles == "none"


def test_handoff_addresses() -> None:
    assert Email(SETTINGS).handoff_address("a" * 26) == f"support+h.{'a' * 26}@acme.example"
    with pytest.raises(Unsupported):
        Email(SETTINGS.model_copy(update={"plus_addressing": False})).handoff_address("a" * 26)


def settings(**more: object) -> EmailSettings:
    return EmailSettings.model_validate(
        {"address": "support@acme.example", "token_secret": "canary-secret-0001", **more}
    )


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"address": "support"}, "not an e-mail address"),
        ({"aliases": ["a@b", "c"]}, "not an e-mail address"),
        ({"token_secret": "short"}, "at least 16"),
        ({"address": f"{'x' * 33}@acme.example"}, "plus_addressing"),
        ({"smtp": {"host": "h", "password": "canary-password"}}, "username and password belong together"),
        ({"smtp": {"host": "h", "security": "ssl"}}, "starttls"),
        ({"smtp": {"host": "a b"}}, "host"),
        ({"imap": {"host": "h", "mailbox": "Gelöscht"}}, "mailbox"),
        ({"name": "Acme\r\nBcc: x"}, "name"),
        ({"smpt": {}}, "smpt"),
    ],
)
def test_settings_that_cannot_work(more: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as caught:
        settings(**more)
    assert "canary" not in str(caught.value)


def test_settings_that_work() -> None:
    found = settings(
        address="Support@Bücher.example", imap={"host": "imap.acme.example"}, smtp={"host": "smtp.acme.example"}
    )
    assert found.address == "support@xn--bcher-kva.example"
    assert (found.imap, found.smtp) == (ImapServer(host="imap.acme.example"), SmtpServer(host="smtp.acme.example"))
    assert found.imap is not None
    assert found.smtp is not None
    assert (found.imap.port, found.imap.security, found.smtp.port, found.smtp.security) == (993, "tls", 587, "starttls")
    assert Email(found).hosts == {"imap.acme.example", "smtp.acme.example"}


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=128))
def test_any_key_comes_back_from_its_message_id(key: str) -> None:
    written = token.message_id(key, THREAD, "acme.example", "secret")
    assert token.read_message_id(written, ["other", "secret"]) == (key, THREAD)
    assert token.read_message_id(written, ["other"]) is None
    assert re.fullmatch(r"[A-Za-z0-9_.@-]+", written)


def test_one_changed_character_and_the_token_is_worth_nothing() -> None:
    tag = token.tag_of(THREAD, "secret")
    assert token.thread_of(tag.upper(), ["secret"]) == THREAD
    for at in range(2, len(tag)):
        changed = tag[:at] + ("a" if tag[at] != "a" else "b") + tag[at + 1 :]
        found = token.thread_of(changed, ["secret"])
        assert found is None or (at == 14 and found == THREAD)  # its last bit says nothing


@pytest.mark.parametrize("tag", ["", "t.", "t.aaaa", "h.short", "h." + "a" * 27, "x.y", "t." + "1" * 29])
def test_other_tags_mean_nothing(tag: str) -> None:
    assert token.thread_of(tag, ["secret"]) is None
    assert token.handoff_of(tag) is None

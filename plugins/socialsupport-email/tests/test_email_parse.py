"""From bytes to events: what strangers send, and what must never happen."""

import base64
import importlib.util
import json
import quopri
import time
from datetime import UTC, datetime, timedelta
from email.header import Header
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import EVENT, Event, Interaction, Payload
from socialsupport_email import Email, EmailSettings, address, addresses, mbox, mime, token
from socialsupport_email.context import MAX_CONTEXT, Context
from socialsupport_email.words import decoded, moment, shown, transferred

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
SECRET = "secret-of-sixteen"
SETTINGS = EmailSettings(address="support@acme.example", token_secret=SecretStr(SECRET))
HEAD = b"Message-ID: <1@mail.example>\nFrom: Kerry <kerry@mail.example>\nTo: support@acme.example\nSubject: Hi\n"


def events(raw: bytes, source: str = "poll", connector: Email | None = None) -> list[Event]:
    payload = Payload(source=source, method="", body=raw, received_at=NOW)  # type: ignore[arg-type]
    return list((connector or Email(SETTINGS)).parse(payload))


def read(raw: bytes, source: str = "poll", **settings_: object) -> Interaction:
    connector = Email(SETTINGS.model_copy(update=settings_))
    event = events(raw, source, connector)[-1]
    assert event.type == "interaction.received"
    return event.interaction


def total(raw: bytes, source: str = "poll") -> str:
    """What comes of it: event types that read back, or the reason why it is refused."""
    try:
        found = events(raw, source)
    except MalformedPayload as error:
        return str(error)
    for event in found:
        assert EVENT.validate_json(event.to_json()) == event
    return " ".join(event.type for event in found)


# totality


def corpus() -> list[Path]:
    """The e-mails with which Python tests its own e-mail package, where they are installed."""
    found = importlib.util.find_spec("test.test_email")
    folder = Path(found.origin).parent / "data" if found and found.origin else Path("/nowhere")
    return sorted(folder.glob("*"))


@pytest.mark.skipif(not corpus(), reason="this Python was installed without its own tests")
def test_pythons_own_mails() -> None:
    results = {file.name: total(file.read_bytes(), "file") for file in corpus()}
    read_ = [name for name, result in results.items() if result.startswith(("interaction", "delivery"))]
    assert len(read_) >= 40
    assert results["msg_05.txt"].startswith("a mail without an author")
    assert results["msg_43.txt"] == "delivery.updated"


@pytest.mark.skipif(not corpus(), reason="this Python was installed without its own tests")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_pythons_own_mails_damaged(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([file for file in corpus() if file.suffix == ".txt"])).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 40)))
        raw[start:end] = data.draw(st.binary(max_size=20))
    total(bytes(raw), data.draw(st.sampled_from(["poll", "file"])))


@given(st.binary(max_size=200))
def test_any_bytes(tail: bytes) -> None:
    total(tail)
    total(HEAD + tail)
    total(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + tail)


ODD = {
    "no from": b"Subject: x\n\nx",
    "empty from": b"From:\nSubject: x\n\nx",
    "only a group": b"From: undisclosed-recipients:;\n\nx",
    "empty": b"",
    "only line ends": b"\r\n\r\n",
    "nul": b"\0\0\0",
    "a page": b"<html><body>From: x@y.example</body></html>",
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_mail_is_refused_with_its_reason(name: str) -> None:
    assert total(ODD[name]).startswith(("not a mail", "a mail without an author"))


BEARABLE = {
    "8-bit headers": (b"From: J\xfcrgen <j@mail.example>\nSubject: Gr\xc3\xb6\xc3\x9fe\n\nx", ("Größe", "x")),
    "nul in the text": (HEAD + b"\na\0b", ("Hi", "ab")),
    "old mac line ends": (HEAD.replace(b"\n", b"\r") + b"\rtext", ("Hi", "text")),
    "no empty line": (HEAD + b"this is the text", ("Hi", "this is the text")),
    "no boundary parameter": (HEAD + b"Content-Type: multipart/mixed\n\ntext", ("Hi", "text")),
    "no boundary in the text": (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\ntext", ("Hi", "text")),
    "no last boundary": (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext", ("Hi", "text")),
    "unknown charset": (HEAD + b"Content-Type: text/plain; charset=klingon\n\nna\xc3\xafve", ("Hi", "naïve")),
    "wrong charset": (HEAD + b"Content-Type: text/plain; charset=us-ascii\n\nna\xefve", ("Hi", "naïve")),
    "a codec that is no charset": (HEAD + b"Content-Type: text/plain; charset=rot13\n\nabc", ("Hi", "abc")),
    "utf-7 hides nothing": (HEAD + b"Content-Type: text/plain; charset=utf-7\n\n+ADw-b+AD4-", ("Hi", "+ADw-b+AD4-")),
    "unknown encoding": (HEAD + b"Content-Transfer-Encoding: x-zip\n\ntext", ("Hi", "text")),
    "damaged base64": (HEAD + b"Content-Transfer-Encoding: base64\n\ndGV4d*A=b", ("Hi", "text")),
    "no such type": (HEAD + b"Content-Type: nonsense\n\ntext", ("Hi", "text")),
    "two froms": (b"From: a@mail.example\nFrom: b@mail.example\n\nx", (None, "x")),
    "left over from a mailbox file": (b"From kerry Thu Oct  1 07:15:00 2026\n" + HEAD + b"\ntext", ("Hi", "text")),
}  # fmt: skip


@pytest.mark.parametrize("name", BEARABLE)
def test_what_is_odd_is_read_as_far_as_it_goes(name: str) -> None:
    raw, expected = BEARABLE[name]
    found = read(raw)
    assert (found.subject, found.text) == expected


# identity of a mail


def as_quoted_printable(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\n\n")
    return head + b"\nContent-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(body)


def as_base64(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\n\n")
    return head + b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(body)


def as_mbox(raw: bytes) -> bytes:
    return b"From kerry Thu Oct  1 07:15:00 2026\nX-Status: RO\n" + raw.replace(b"\nFrom ", b"\n>From ") + b"\n\n"


TYPED = (
    HEAD
    + b"Date: Thu, 1 Oct 2026 09:15:00 +0200\nContent-Type: text/plain; charset=utf-8\n\n"
    + "ä\n\nFrom now on.\n".encode()
)
WAYS = {
    "with CRLF": (TYPED.replace(b"\n", b"\r\n"), "stream"),
    "with trace headers": (b"Received: from a by b; x\nDelivered-To: support@acme.example\n" + TYPED, "poll"),
    "in quoted-printable": (as_quoted_printable(TYPED), "poll"),
    "in base64": (as_base64(TYPED), "poll"),
    "in a mailbox file": (as_mbox(TYPED), "file"),
    "as a file": (TYPED, "file"),
    "with spaces at line ends lost": (TYPED.replace(b"now on.", b"now on.  "), "poll"),
    "with a subject written otherwise": (TYPED.replace(b"Subject: Hi", b"Subject: =?utf-8?q?Hi?="), "poll"),
}


@pytest.mark.parametrize("way", WAYS)
def test_one_mail_has_one_id(way: str) -> None:
    raw, source = WAYS[way]
    assert events(raw, source)[-1].id == events(TYPED)[-1].id


@pytest.mark.parametrize(
    ("one", "other"),
    [(b"From now", b"From then"), (b"Kerry", b"Kelly"), (b"Subject: Hi", b"Subject: Ho"), (b"09:15", b"09:16")],
)
def test_a_stranger_who_uses_the_same_message_id_is_told_apart(one: bytes, other: bytes) -> None:
    first, second = events(TYPED)[-1], events(TYPED.replace(one, other))[-1]
    assert first.id != second.id
    assert first.id.split("#")[0] == second.id.split("#")[0] == "1@mail.example"


def test_a_mailbox_file_is_read_one_by_one() -> None:
    many = b"".join(as_mbox(TYPED.replace(b"<1@", b"<%d@" % number)) for number in range(1000))
    payload = Payload(source="file", body=many, received_at=NOW)
    first = next(iter(Email(SETTINGS).parse(payload)))
    assert first.id.startswith("0@mail.example")
    assert len(list(mbox.messages(many))) == 1000
    assert all(b"\nFrom now" in raw for raw in mbox.messages(many))


def test_from_in_a_paragraph_begins_no_mail() -> None:
    content = b"From kerry Thu Oct  1 07:15:00 2026\n" + HEAD + b"\none\n\nFrom here on it is fine.\n"
    [raw] = mbox.messages(content)
    assert b"From here on" in raw


def test_a_mailbox_file_with_an_unknown_first_line_is_read() -> None:
    assert read(b"From somewhere\n" + HEAD + b"\ntext", "file").text == "text"


# threads


def test_the_thread_of_a_reply_is_the_thread_of_its_root() -> None:
    root = read(HEAD + b"\nx").thread
    reply = HEAD.replace(b"<1@", b"<2@") + b"In-Reply-To: <1@mail.example>\n\nx"
    later = (
        HEAD.replace(b"<1@", b"<3@")
        + b"References: <1@mail.example> <2@mail.example>\nIn-Reply-To: <2@mail.example>\n\nx"
    )
    assert root == read(reply).thread == read(later).thread
    assert root != read(HEAD.replace(b"<1@", b"<4@") + b"\nx").thread
    assert read(later).in_reply_to == "2@mail.example"


def test_a_token_counts_only_at_our_own_address() -> None:
    thread = "e0123456789abcdef"
    tag = token.tag_of(thread, SECRET).encode()
    ours, theirs = b"support+%s@acme.example" % tag, b"support+%s@evil.example" % tag
    assert read(HEAD.replace(b"support@acme.example", ours) + b"\nx").thread.id == thread
    assert read(HEAD.replace(b"support@acme.example", theirs) + b"\nx").thread.id != thread


def test_a_message_id_of_ours_is_signed() -> None:
    thread = "e0123456789abcdef"
    ours = token.message_id("key", thread, "acme.example", SECRET)
    forged = token.message_id("key", thread, "acme.example", "another secret here")
    assert read(HEAD + f"References: <a@b> <{ours}>\n\nx".encode()).thread.id == thread
    assert read(HEAD + f"References: <a@b> <{forged}>\n\nx".encode()).thread.id != thread
    stolen = HEAD.replace(b"1@mail.example", ours.encode()) + b"\nx"
    assert read(stolen).client_key is None  # a stranger cannot settle a send of ours


def test_the_context_fits_and_keeps_root_and_latest() -> None:
    many = "\n ".join(f"<{number}.{'x' * 80}@mail.example>" for number in range(200))
    context = read(HEAD + f"References: {many}\n\nx".encode()).context
    assert context is not None
    assert len(context) <= MAX_CONTEXT
    kept = Context.read(context).references
    assert kept[0].startswith("0.")
    assert kept[-1].startswith("199.")
    assert 20 < len(kept) < 200


@pytest.mark.parametrize(
    "written", [None, "", "{", "[]", "3", '{"x": 1}', '{"references": 3}', '{"id": "a", "more": 1}']
)
def test_a_context_that_is_not_ours_is_empty(written: str | None) -> None:
    assert Context.read(written) == Context()


# who and when


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("kerry@mail.example", [("kerry@mail.example", None)]),
        ("Kerry@MAIL.example", [("kerry@mail.example", None)]),
        ("Kerry Fisher <kerry@mail.example>", [("kerry@mail.example", "Kerry Fisher")]),
        ('"Fisher, Kerry" <kerry@mail.example>', [("kerry@mail.example", "Fisher, Kerry")]),
        ('"a@evil.example" <kerry@mail.example>', [("kerry@mail.example", "a@evil.example")]),
        ("kerry@mail.example (Kerry Fisher)", [("kerry@mail.example", "Kerry Fisher")]),
        ("a@b.example, c@d.example", [("a@b.example", None), ("c@d.example", None)]),
        ("Team: a@b.example, C <c@d.example>;, e@f.example",
         [("a@b.example", None), ("c@d.example", "C"), ("e@f.example", None)]),
        ("=?utf-8?q?J=C3=BCrgen?= <j@mail.example>", [("j@mail.example", "Jürgen")]),
        ("=?utf-8?b?PGFAZXZpbC5leGFtcGxlPg==?= <j@mail.example>", [("j@mail.example", "<a@evil.example>")]),
        ("<@relay.example:kerry@mail.example>", [("kerry@mail.example", None)]),
        ("jürgen@bücher.example", [("jürgen@xn--bcher-kva.example", None)]),
        ("kerry@mail.example.", [("kerry@mail.example", None)]),
        ("undisclosed-recipients:;", []),
        ("kerry at mail.example", []),
        ("<>", []),
        ("a@b@c.example", []),
        ("a\x0bb@c.example", []),
        ("(" * 1000 + "a@b.example", []),
        ('"' * 1000 + "a@b.example", [("a@b.example", None)]),
        (f"{'x' * 250}@mail.example", []),
    ],
)  # fmt: skip
def test_addresses(written: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(one.address, one.name) for one in addresses.read(written)] == expected


@given(st.text(alphabet='ab@.,;:<>()" \\\n', max_size=60))
def test_any_address_list(written: str) -> None:
    assert all(one.address.count("@") == 1 for one in addresses.read(written))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Thu, 1 Oct 2026 09:15:00 +0200", datetime(2026, 10, 1, 7, 15, tzinfo=UTC)),
        ("1 Oct 2026 09:15 GMT", datetime(2026, 10, 1, 9, 15, tzinfo=UTC)),
        ("Thu, 1 Oct 2026 09:15:00", datetime(2026, 10, 1, 9, 15, tzinfo=UTC)),
        ("Thu, 1 Oct 2026 09:15:00 -0000", datetime(2026, 10, 1, 9, 15, tzinfo=UTC)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None),
        ("Thu, 99 Oct 2026 09:15:00 +0200", None),
        ("Thu, 1 Oct 2026 09:15:00 +9999", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(date: str | None, expected: datetime | None) -> None:
    assert moment(date) == expected


def test_nothing_was_sent_in_the_future() -> None:
    later = (NOW + timedelta(days=3)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    assert read(HEAD + f"Date: {later}\n\nx".encode()).sent_at == NOW


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("=?utf-8?q?a_b?= =?utf-8?q?c?=", "a bc"),
        ("=?utf-8?b?w7Y=?=", "ö"),
        ("=?iso-8859-1?q?caf=E9?= au lait", "café au lait"),
        ("a =?klingon?q?b?= c", "a b c"),
        ("=?utf-8?b?!!?=", ""),
        ("=?utf-8?q?one=0D=0ABcc:_x?=", "one Bcc: x"),
        ("=?utf-8?q?nul=00?=", "nul"),
        ("Grüße =?utf-8?q?=C3=B6?=", "Grüße ö"),
        ("plain", "plain"),
        (str(Header("ä" * 100, "utf-8").encode()), "ä" * 100),
    ],
)
def test_encoded_words(written: str, expected: str) -> None:
    assert shown(written) == expected


def test_transfer_encodings_never_fail() -> None:
    for encoding in ("base64", "quoted-printable", "7bit", "x-uuencode", "nonsense"):
        for content in (b"", b"=", b"====", b"a", b"ab=", b"\xff\xfe", b"=ZZ", b"=\n"):
            assert isinstance(transferred(content, encoding), bytes)


@given(
    st.binary(max_size=50), st.sampled_from(["utf-8", "utf-16", "shift_jis", "idna", "punycode", "hex", "", None, "\0"])
)
def test_decoding_never_fails(content: bytes, charset: str | None) -> None:
    assert isinstance(decoded(content, charset), str)


# structure


def test_long_names_in_pieces() -> None:
    first, params = mime.structured("attachment; filename*1*=%BCr.pdf; filename*0*=utf-8''R%C3; size=3")
    assert (first, params["filename"], params["size"]) == ("attachment", "Rür.pdf", "3")


def test_nested_mails_keep_their_bytes() -> None:
    inner = b"From: a@b.example\r\nSubject:  odd   spacing\r\n\r\ninner\r\n"
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
        + inner
        + b"\n--b--\n"
    )
    [leaf] = mime.read(raw).body.leaves()
    assert leaf.content == inner


def test_a_boundary_that_begins_like_another() -> None:
    raw = HEAD + (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n"
        b"--bb\n\nplain\n--bb\nContent-Type: text/html\n\n<p>html\n--bb--\n--b\n\nsecond\n--b--\nepilogue"
    )
    assert read(raw).text == "plain\n\nsecond"


def test_parts_beyond_the_limit_stay_one() -> None:
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000
    assert len(list(mime.read(raw).body.leaves())) <= mime.MAX_PARTS


def test_depth_beyond_the_limit_stays_one() -> None:
    raw = (
        HEAD
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
        + b"\ntext"
    )
    part, depth = mime.read(raw).body, 0
    while part.children:
        part, depth = part.children[0], depth + 1
    assert depth == mime.MAX_DEPTH
    assert part.media_type == "text/plain"


def test_a_very_long_text_is_cut_and_the_whole_can_be_fetched() -> None:
    found = read(HEAD + b"\n" + b"0123456789\n" * 12_000)
    assert found.text is not None
    assert len(found.text) == 100_000
    assert found.attachments[-1].name == "full-message.txt"
    assert found.attachments[-1].size == 131_999


UNITS = [b"\n", b"a\n", b"\r\n", b"a" * 1000, b"From: x\n", b"> \n",
         b"On 1 a wrote:\n> x\nfoo\n", b"-- \n", b"\r", b"* ",
         b"a \n", b" ", b"\t\n", b"--b\n", b"=?utf-8?q?a?= "]  # fmt: skip
HEADERS = [b"X: y\n", b" a\n", b"a@b.example,", b"(", b'"', b"<", b';a="', b"=?utf-8?q?a?= ", b"<a@b> "]


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear_in_the_text(unit: bytes) -> None:
    about = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" if unit == b"--b\n" else b"\n"
    assert seconds(HEAD + about, unit, 160_000) < 24 * seconds(HEAD + about, unit, 20_000) + 0.3


@pytest.mark.parametrize("unit", HEADERS)
@pytest.mark.parametrize(
    "name", [b"To", b"References", b"Content-Type", b"Content-Disposition", b"Authentication-Results"]
)
def test_time_is_linear_in_the_headers(name: bytes, unit: bytes) -> None:
    head = HEAD + name + b": "
    assert seconds(head, unit, 80_000) < 24 * seconds(head, unit, 10_000) + 0.3


def seconds(head: bytes, unit: bytes, size: int) -> float:
    """Of our own processor time, so that a busy machine changes little."""
    raw = head + unit * (size // len(unit)) + b"\n\nx"
    begun = time.process_time()
    total(raw)
    return time.process_time() - begun


# proof


@pytest.mark.parametrize(
    ("result", "doubt"),
    [
        ("dmarc=fail header.from=mail.example", "our mail server's check of mail.example says dmarc=fail"),
        ("dmarc=none header.from=mail.example", "our mail server's check of mail.example says dmarc=none"),
        ("dmarc=pass header.from=mail.example", None),
        ("dmarc=fail header.from=other.example", None),  # says nothing of this author; the core marks it
        ("spf=fail", None),
    ],
)
def test_what_our_server_has_found_against_the_author_is_told(result: str, doubt: str | None) -> None:
    raw = f"Authentication-Results: mx.acme.example; {result}\n".encode() + HEAD + b"\nWhat was my order?"
    assert read(raw, trusted_authserv_id="mx.acme.example").doubt == doubt
    assert read(raw, trusted_authserv_id="mx.other.example").doubt is None


def dmarc(head: str, **settings_: object) -> bool:
    connector = Email(SETTINGS.model_copy(update={"trusted_authserv_id": "mx.acme.example", **settings_}))
    found = events(head.encode() + HEAD + b"\nx", connector=connector)
    return any(event.type == "identity.claimed" and event.proof == "dmarc" for event in found)


@pytest.mark.parametrize(
    "smuggled",
    [
        'spf=pass smtp.mailfrom="a; dmarc=pass header.from=mail.example"@evil.example; dmarc=none',
        'spf=pass smtp.mailfrom="a\\"; dmarc=pass header.from=mail.example;"@evil.example',
        'spf=pass reason="; dmarc=pass header.from=mail.example',
        "spf=pass (domain of a (b) ; dmarc=pass header.from=mail.example ) smtp.mailfrom=evil.example",
        'spf=pass (domain of "a) ; dmarc=pass header.from=mail.example ("@evil.example)',
        "spf=pass (a ; dmarc=pass header.from=mail.example",
        "dmarc=fail header.from=evil.example; dmarc=pass header.from=mail.example",
        "x-dmarc=pass header.from=mail.example",
    ],
)
def test_what_the_sender_has_written_into_the_result_is_no_result(smuggled: str) -> None:
    """The local part of an envelope sender is his to choose, and our server quotes it."""
    assert not dmarc(f"Authentication-Results: mx.acme.example; {smuggled}\n")


def test_dmarc_is_believed_to_our_own_server_only() -> None:
    passed = "Authentication-Results: {}; dmarc=pass header.from=mail.example\n"
    assert dmarc(passed.format("mx.acme.example"))
    assert dmarc(passed.format("MX.Acme.example 1"))
    assert not dmarc(passed.format("mx.evil.example"))
    assert not dmarc(passed.format("mx.acme.example.evil.example"))
    assert not dmarc(passed.format("mx.acme.example"), trusted_authserv_id=None)
    assert not dmarc(passed.format("mx.acme.example").replace("pass", "fail"))
    assert not dmarc(passed.format("mx.acme.example").replace("mail.example", "other.example"))
    assert not dmarc(passed.format("mx.acme.example").replace(" header.from=mail.example", ""))
    assert not dmarc("Authentication-Results: mx.acme.example; spf=pass (dmarc=pass header.from=mail.example)\n")
    assert dmarc("Authentication-Results: mx.acme.example; dmarc=pass (p=none (sp=none)) header.from=mail.example\n")
    assert dmarc('Authentication-Results: mx.acme.example; dmarc=pass header.from="mail.example"\n')
    failed = passed.format("mx.acme.example").replace("pass", "fail")
    assert not dmarc(failed + passed.format("mx.acme.example"))  # only the topmost is our server's


def test_only_the_topmost_result_of_our_server_counts() -> None:
    above = "Authentication-Results: mx.acme.example; dkim=pass header.d=mail.example\n"
    assert not dmarc(above + "Authentication-Results: mx.acme.example; dmarc=pass header.from=mail.example\n")


def test_tags_of_strangers_are_theirs() -> None:
    found = read(HEAD.replace(b"kerry@", b"kerry+shop@").replace(b"support@", b"support+x@") + b"\nx")
    assert str(found.author.account) == "email:kerry+shop@mail.example"
    assert str(found.recipients[0].account) == "email:support@acme.example"


def test_a_mail_with_two_authors_proves_neither() -> None:
    passed = "Authentication-Results: mx.acme.example; dmarc=pass header.from=mail.example\n"
    assert not dmarc(passed + "From: other@evil.example\n")


AUTOMATIC = ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x=y", "Precedence: bulk",
             "Precedence: Junk",
             "List-Id: <a.b>", "Return-Path: <>", "X-Auto-Response-Suppress: All", "X-Autoreply: yes",
             "List-Unsubscribe: <mailto:x@y.example>"]  # fmt: skip


@pytest.mark.parametrize("header", AUTOMATIC)
def test_automatic_mail_is_recognised(header: str) -> None:
    assert read(f"{header}\n".encode() + HEAD + b"\nx").author.is_bot


@pytest.mark.parametrize(
    "header", ["Auto-Submitted: no", "Precedence: first-class", "Return-Path: <kerry@mail.example>"]
)
def test_mail_of_people_is_not(header: str) -> None:
    assert not read(f"{header}\n".encode() + HEAD + b"\nx").author.is_bot


@pytest.mark.parametrize(
    "author", ["MAILER-DAEMON@x.example", "no-reply@x.example", "noreply+1@x.example", "bounces@x.example"]
)
def test_robots_by_name(author: str) -> None:
    assert read(HEAD.replace(b"kerry@mail.example", author.encode()) + b"\nx").author.is_bot


def test_an_absence_note_redeems_no_handoff() -> None:
    raw = (
        b"Auto-Submitted: auto-replied\n" + HEAD.replace(b"support@", b"support+h.abcdefghijklmnopqrstuvwxyz@") + b"\nx"
    )
    assert [event.type for event in events(raw)] == ["interaction.received"]


def test_a_reply_to_elsewhere_is_not_followed() -> None:
    there = json.loads(read(HEAD + b"Reply-To: evil@evil.example\n\nx").context or "{}")
    here = json.loads(read(HEAD + b"Reply-To: care@mail.example\n\nx").context or "{}")
    assert "reply_to" not in there
    assert here["reply_to"] == "care@mail.example"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("KERRY", "kerry"), ("J\u00dcRGEN", "j\u00fcrgen"), ("\u212aerry", "\u212aerry"), ("\u1fefkerry", "\u1fefkerry")],
)
def test_no_letter_becomes_one_of_ascii(written: str, read_as: str) -> None:
    assert address.canonical(f"{written}@Mail.example") == f"{read_as}@mail.example"

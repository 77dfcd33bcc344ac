"""The IMAP wire against servers that misbehave on purpose."""

import asyncio
import base64

import pytest
from pydantic import SecretStr

from socialsupport_core.contract import AuthExpired, DeliveryError, Forbidden, RateLimited, Unavailable
from socialsupport_email import imapclient
from socialsupport_email.asks import FetchMail, Mails
from socialsupport_email.imap import ImapWire
from socialsupport_email.settings import ImapServer, Security

MAIL = b"Subject: one\r\n\r\na {12}\r\n) b\r\n"


class Server:
    """Answers by the first word of the command (after UID); None hangs up."""

    def __init__(self, **answers: bytes | None) -> None:
        self.heard: list[str] = []
        self.greeting: bytes | None = answers.pop("greeting", b"* OK ready\r\n")
        self.answers = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n",
            "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 6] ok\r\n",
            "SEARCH": b"* SEARCH 5\r\n",
            "FETCH": b'* 1 FETCH (UID 5 RFC822.SIZE %d INTERNALDATE " 1-Oct-2026 09:00:00 +0200" BODY[] {%d}\r\n'
            % (len(MAIL), len(MAIL)) + MAIL + b")\r\n",
            **answers,
        }  # fmt: skip

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.greeting is None:
            return
        writer.write(self.greeting)
        while line := await reader.readline():
            command = line.decode().strip()
            self.heard.append(command)
            tag, _, rest = command.partition(" ")
            word = rest.removeprefix("UID ").split(" ")[0]
            answer = self.answers.get(word, b"")
            if answer is None:
                return
            if not answer.endswith(b"!\r\n"):
                answer += f"{tag} OK done\r\n".encode()
            writer.write(answer.replace(b"TAG", tag.encode()))
            await writer.drain()


def asked(server: Server, security: Security = "none", password: str | None = None, **more: float) -> Mails:
    async def run() -> Mails:
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        secret = SecretStr(password) if password else None
        user = "us" if password else None
        wire = ImapWire(seconds=0.5)
        settings = ImapServer(host="127.0.0.1", port=port, security=security, username=user, password=secret)
        async with listening:
            try:
                return await wire.answer(FetchMail(settings, "INBOX", **{"wait": 0, **more}))
            finally:
                await wire.aclose()
                await asyncio.sleep(0.02)

    return asyncio.run(run())


def test_a_mail_that_looks_like_a_response_is_read_whole() -> None:
    mails = asked(Server())
    assert [one.message for one in mails.mails] == [MAIL]
    assert (mails.uidvalidity, mails.uid, mails.more) == (7, 5, False)
    assert mails.mails[0].at.isoformat() == "2026-10-01T07:00:00+00:00"


def test_the_password_goes_out_encoded() -> None:
    server = Server()
    asked(server, password='p "ä')
    token = next(line for line in server.heard if "AUTHENTICATE" in line).split()[-1]
    assert base64.b64decode(token).decode() == '\0us\0p "ä'


def test_the_password_waits_for_the_continuation_where_the_server_wants_that() -> None:
    server = Server(CAPABILITY=b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", AUTHENTICATE=b"+ go!\r\n")
    with pytest.raises(Unavailable):  # this server never says that it is satisfied
        asked(server, password="secret")
    assert base64.b64decode(server.heard[-1]) == b"\0us\0secret"


def test_login_quotes_the_password() -> None:
    server = Server(CAPABILITY=b"* CAPABILITY IMAP4rev1\r\n")
    asked(server, password='a "b" \\c')
    assert 'LOGIN "us" "a \\"b\\" \\\\c"' in server.heard[1]


def test_login_cannot_hold_everything() -> None:
    server = Server(CAPABILITY=b"* CAPABILITY IMAP4rev1\r\n")
    with pytest.raises(Forbidden, match="ASCII"):
        asked(server, password="ä")


@pytest.mark.parametrize(
    ("word", "said", "kind"),
    [
        ("AUTHENTICATE", b"TAG NO [AUTHENTICATIONFAILED] no!\r\n", AuthExpired),
        ("AUTHENTICATE", b"TAG NO no!\r\n", AuthExpired),
        ("AUTHENTICATE", b"TAG NO [UNAVAILABLE] database down!\r\n", Unavailable),
        ("AUTHENTICATE", b"TAG NO [LIMIT] too many!\r\n", RateLimited),
        ("AUTHENTICATE", b"TAG NO [CONTACTADMIN] call us!\r\n", Forbidden),
        ("AUTHENTICATE", b"* BYE too many!\r\n", Unavailable),
        ("CAPABILITY", b"TAG BAD what!\r\n", Unavailable),
        ("EXAMINE", b"TAG NO [NONEXISTENT] no such!\r\n", Forbidden),
        ("EXAMINE", b"* 1 EXISTS\r\n", Forbidden),
        ("SEARCH", b"TAG NO [SERVERBUG] oops!\r\n", Unavailable),
        ("SEARCH", None, Unavailable),
        ("FETCH", b"* 1 FETCH (UID 5 RFC822.SIZE 3 BODY[] {999999}\r\nabc!\r\n", Unavailable),
        ("FETCH", b"* 1 FETCH (BODY[] {99999999999}\r\n!\r\n", Unavailable),
        ("FETCH", None, Unavailable),
        ("greeting", None, Unavailable),
        ("greeting", b"* BYE come back later\r\n", Unavailable),
        ("greeting", b"220 this is SMTP\r\n", Unavailable),
    ],
)
def test_every_refusal_is_a_decision(word: str, said: bytes | None, kind: type[DeliveryError]) -> None:
    with pytest.raises(DeliveryError) as caught:
        asked(Server(**{word: said}), password="canary")
    assert type(caught.value) is kind
    assert "canary" not in str(caught.value)


def test_an_endless_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imapclient, "MAX_LINE", 1000)
    with pytest.raises(Unavailable):
        asked(Server(SEARCH=b"* SEARCH " + b"1 " * 2000 + b"\r\n"))


def test_starttls_is_never_left_out() -> None:
    server = Server(STARTTLS=b"TAG BAD what!\r\n")
    with pytest.raises(Forbidden):
        asked(server, security="starttls", password="canary")
    assert not any("AUTH" in line or "LOGIN" in line for line in server.heard)


def test_a_server_without_idle_answers_at_once() -> None:
    server = Server(SEARCH=b"* SEARCH\r\n")
    assert asked(server, wait=25) == Mails((), 7, 0)
    assert not any("IDLE" in line for line in server.heard)


def test_a_mail_that_vanished_is_passed_over() -> None:
    server = Server(SEARCH=b"* SEARCH 4 5\r\n")
    mails = asked(server)
    assert ([one.message for one in mails.mails], mails.uid) == ([MAIL], 5)


def test_a_search_that_names_old_mails_gives_no_doubles() -> None:
    """`6:*` names the last mail even if it is older."""
    server = Server(EXAMINE=b"* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 6] ok\r\n")
    mails = asked(server, uidvalidity=7, uid=5)
    assert mails == Mails((), 7, 5)

"""The SMTP wire against a real server (aiosmtpd) whose behaviour is scripted."""

import asyncio
import email
import email.policy
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
)
from socialsupport_email.asks import Accepted, CheckSmtp, SendMail, SmtpFeatures
from socialsupport_email.compose import Address, Draft, compose
from socialsupport_email.settings import Security, SmtpServer
from socialsupport_email.smtp import SmtpWire

NOON = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
US = "support@acme.example"
KERRY = "kerry@mail.example"
Say = Callable[[SMTP], Awaitable[str | None]]

pytestmark = pytest.mark.server


class Handler:
    """Says what the script says, else takes everything."""

    def __init__(self, **script: str | Say) -> None:
        self.script = script
        self.taken: list[Envelope] = []

    async def _say(self, server: SMTP, stage: str, otherwise: str) -> str | None:
        said = self.script.get(stage, otherwise)
        return said if isinstance(said, str) else await said(server)

    async def handle_EHLO(
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        await self._say(server, "ehlo", "")
        return responses

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str | None:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._say(server, "mail", "250 ok")

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str | None:
        said = await self._say(server, "rcpt", "250 ok")
        if said and said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str | None:
        self.taken.append(envelope)
        self.hello = session.host_name
        return await self._say(server, "data", "250 2.0.0 queued as 4711")


async def cut(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


async def hang(_server: SMTP) -> str:
    await asyncio.sleep(5)
    return "250 too late"


@asynccontextmanager
async def serving(handler: Handler, factory: type[SMTP] = SMTP, **options: object) -> AsyncIterator[int]:
    connections: list[SMTP] = []

    def connection() -> SMTP:
        connections.append(factory(handler, hostname="mx.test", **options))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in connections:
            if isinstance(one.transport, asyncio.WriteTransport):
                with suppress(AttributeError):  # Python 3.11.2: a TLS transport that is closed has lost its protocol
                    one.transport.abort()
        await asyncio.sleep(0.01)


def on(port: int, security: Security = "none", password: str | None = None) -> SmtpServer:
    secret = SecretStr(password) if password else None
    return SmtpServer(
        host="127.0.0.1", port=port, security=security, username=US if password else None, password=secret
    )


def mail(server: SmtpServer, text: str = "Hello.\n.\n..\nEnd", recipient: str = KERRY, **more: bool) -> SendMail:
    draft = Draft("1.e0123456789abcdef.x@acme.example", Address(US), Address(recipient), "Subject", text)
    return SendMail(server, US, recipient, compose(draft), draft.message_id, **more)


def send(handler: Handler, text: str = "Hello.\n.\n..\nEnd", seconds: float = 3.0, recipient: str = KERRY) -> Accepted:
    async def run() -> Accepted:
        async with serving(handler) as port:
            wire = SmtpWire(clock=lambda: NOON, seconds=seconds, end_seconds=0.3 if seconds < 1 else seconds)
            return await wire.answer(mail(on(port), text, recipient))

    return asyncio.run(run())


def test_a_mail_arrives_as_it_was_written() -> None:
    handler = Handler()
    assert send(handler) == Accepted("2.0.0 queued as 4711")
    envelope = handler.taken[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == (US, [KERRY])
    assert handler.hello == "acme.example"
    message = email.message_from_bytes(bytes(envelope.content or b""), policy=email.policy.default)
    assert message["date"].datetime == NOON
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().splitlines() == ["Hello.", ".", "..", "End"]


@pytest.mark.parametrize(
    ("stage", "said", "kind", "code"),
    [
        ("mail", "421 4.3.2 closing", Unavailable, "4.3.2"),
        ("mail", "530 5.7.0 authentication required", AuthExpired, "5.7.0"),
        ("mail", "550 5.7.1 you may not send as that", Forbidden, "5.7.1"),
        ("mail", "552 5.3.4 too large", ContentRejected, "5.3.4"),
        ("rcpt", "450 4.2.1 mailbox busy", Unavailable, "4.2.1"),
        ("rcpt", "451 4.7.1 greylisted, come back later", Unavailable, "4.7.1"),
        ("rcpt", "450 4.7.1 too many mails, slow down", RateLimited, "4.7.1"),
        ("rcpt", "452 4.2.2 mailbox full", Unavailable, "4.2.2"),
        ("rcpt", "550 5.1.1 no such user", Unreachable, "5.1.1"),
        ("rcpt", "550 no such user", Unreachable, "550"),
        ("rcpt", "551 user not local", Unreachable, "551"),
        ("rcpt", "553 5.1.3 bad address", Unreachable, "5.1.3"),
        ("rcpt", "554 5.7.1 relay access denied", Forbidden, "5.7.1"),
        ("rcpt", "556 5.1.10 takes no mail", Unreachable, "5.1.10"),
        ("data", "451 4.3.0 try again", Unavailable, "4.3.0"),
        ("data", "550 5.7.1 looks like spam", ContentRejected, "5.7.1"),
        ("data", "552 5.3.4 too large", ContentRejected, "5.3.4"),
        ("data", "554 5.6.0 bad content", ContentRejected, "5.6.0"),
        ("data", "554 5.1.1 no such user", Unreachable, "5.1.1"),
        ("data", "599 who knows", Forbidden, "599"),
        ("data", "354 go ahead again", Uncertain, "354"),
    ],
)
def test_every_refusal_is_a_decision(stage: str, said: str, kind: type[DeliveryError], code: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(Handler(**{stage: said}))
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert said[:3] in str(caught.value)


@pytest.mark.parametrize("stage", ["ehlo", "mail", "rcpt"])
def test_cut_before_the_mail_is_certainly_not_sent(stage: str) -> None:
    handler = Handler(**{stage: cut})
    with pytest.raises(DeliveryError) as caught:
        send(handler)
    assert type(caught.value) is Unavailable
    assert not handler.taken


def test_cut_after_the_mail_is_uncertain() -> None:
    handler = Handler(data=cut)
    with pytest.raises(Uncertain, match="whole mail was sent"):
        send(handler)
    assert len(handler.taken) == 1


def test_silence_after_the_mail_is_uncertain() -> None:
    handler = Handler(data=hang)
    with pytest.raises(Uncertain):
        send(handler, seconds=0.5)
    assert len(handler.taken) == 1


def test_silence_before_the_mail_is_unavailable() -> None:
    with pytest.raises(DeliveryError) as caught:
        send(Handler(rcpt=hang), seconds=0.5)
    assert type(caught.value) is Unavailable


class CutAtData(SMTP):
    """Says that it waits for the mail, and is gone."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.push("354 go ahead")
        await cut(self)


class RefusesData(SMTP):
    async def smtp_DATA(self, arg: str) -> None:
        await self.push("451 4.3.1 no space")


class Nonsense(SMTP):
    async def smtp_RCPT(self, arg: str | None) -> None:
        await self.push("what?")


@pytest.mark.parametrize(
    ("server", "kind"), [(CutAtData, Uncertain), (RefusesData, Unavailable), (Nonsense, Unavailable)]
)
def test_at_data(server: type[SMTP], kind: type[DeliveryError]) -> None:
    async def run() -> None:
        async with serving(Handler(), server) as port:
            await SmtpWire(seconds=3).answer(mail(on(port)))

    with pytest.raises(DeliveryError) as caught:
        asyncio.run(run())
    # Where the cut is noticed before anything of the mail was written, it has certainly not been sent.
    assert type(caught.value) is kind or (server is CutAtData and type(caught.value) is Unavailable)


def test_nobody_listens() -> None:
    async def run() -> None:
        async with serving(Handler()) as port:
            pass
        await SmtpWire(seconds=3).answer(mail(on(port)))

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        asyncio.run(run())


def test_a_server_that_says_nothing_at_all() -> None:
    async def run() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        async with server:
            try:
                await SmtpWire(seconds=0.3).answer(mail(on(server.sockets[0].getsockname()[1])))
            finally:
                await asyncio.sleep(0.01)

    with pytest.raises(Unavailable):
        asyncio.run(run())


def checks(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    right = getattr(data, "password", b"") == b"p\xc3\xa4ss"
    return AuthResult(success=right, handled=False)


def check(password: str) -> SmtpFeatures:
    async def run() -> SmtpFeatures:
        options = {"authenticator": checks, "auth_require_tls": False, "data_size_limit": 5_000_000}
        async with serving(Handler(), **options) as port:
            return await SmtpWire(seconds=3).answer(CheckSmtp(on(port, password=password), US))

    return asyncio.run(run())


def test_the_right_password_tells_the_size_limit() -> None:
    assert check("päss") == SmtpFeatures(max_bytes=5_000_000)


def test_the_wrong_password_is_told_without_saying_it() -> None:
    with pytest.raises(AuthExpired) as caught:
        check("canary-password")
    assert caught.value.code == "5.7.8"
    assert "canary" not in str(caught.value)


def test_a_server_without_auth_needs_the_operator() -> None:
    async def run() -> None:
        async with serving(Handler()) as port:
            await SmtpWire(seconds=3).answer(CheckSmtp(on(port, password="secret"), US))

    with pytest.raises(Forbidden, match="AUTH"):
        asyncio.run(run())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed one for 127.0.0.1, key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file


def over_tls(certificate: Path, trusted: bool) -> Accepted:
    async def run() -> Accepted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        handler = Handler()
        async with serving(handler, tls_context=context, require_starttls=True) as port:
            tls = ssl.create_default_context(cafile=str(certificate)) if trusted else None
            return await SmtpWire(seconds=5, tls=tls).answer(mail(on(port, "starttls")))

    return asyncio.run(run())


def test_starttls(certificate: Path) -> None:
    assert over_tls(certificate, trusted=True).response == "2.0.0 queued as 4711"


def test_an_unknown_certificate_needs_the_operator(certificate: Path) -> None:
    with pytest.raises(Forbidden, match="certificate"):
        over_tls(certificate, trusted=False)


def test_starttls_is_never_left_out() -> None:
    async def run() -> None:
        async with serving(Handler()) as port:
            await SmtpWire(seconds=3).answer(mail(on(port, "starttls")))

    with pytest.raises(Forbidden, match="STARTTLS"):
        asyncio.run(run())


def test_an_address_beyond_ascii_needs_smtputf8() -> None:
    async def run(**options: bool) -> Handler:
        handler = Handler()
        async with serving(handler, **options) as port:
            await SmtpWire(seconds=3).answer(mail(on(port), recipient="jürgen@mail.example"))
        return handler

    with pytest.raises(Unreachable, match="SMTPUTF8"):
        asyncio.run(run())
    assert asyncio.run(run(enable_SMTPUTF8=True)).taken[0].rcpt_tos == ["jürgen@mail.example"]


def test_the_asks_repr_shows_neither_text_nor_password_and_tells_mails_apart() -> None:
    server = on(25, password="canary-password")
    one, other = mail(server, "canary-text"), mail(server, "another text")
    assert "canary" not in repr(one)
    assert repr(one) != repr(other)
    assert repr(one) == repr(mail(on(25, password="changed"), "canary-text"))

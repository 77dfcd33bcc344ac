"""The IMAP wire against real servers: dovecot and mail-devel."""

import asyncio
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from imaplib import IMAP4
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr

from socialsupport_core.contract import AuthExpired, Flow, Forbidden, Unavailable, drive
from socialsupport_core.model import INTENT, Page
from socialsupport_email import Email, EmailSettings, imap
from socialsupport_email.asks import CheckImap, FetchMail, FindMail, Found, Mails
from socialsupport_email.imap import ImapWire
from socialsupport_email.settings import ImapServer, SmtpServer
from socialsupport_email.smtp import SmtpWire

T = TypeVar("T")
PASSWORD = "secret"
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

pytestmark = pytest.mark.server


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _attempt in range(200):
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server does not listen")


@contextmanager
def running(command: list[str], ports: Sequence[int], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        for port in ports:
            until_open(port, process)
        yield
    finally:
        process.terminate()
        process.wait(10)


DOVECOT_CONF = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:{base}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Box:
    """A mailbox on a running server."""

    port: int
    user: str = "support"
    password: str = PASSWORD

    @property
    def server(self) -> ImapServer:
        return ImapServer(
            host="127.0.0.1", port=self.port, security="none", username=self.user, password=SecretStr(self.password)
        )

    def stock(self) -> IMAP4:
        client = IMAP4("127.0.0.1", self.port, 5)
        client.authenticate("PLAIN", lambda _challenge: f"\0{self.user}\0{self.password}".encode())
        client.select("INBOX")
        return client

    def put(self, *numbers: int, text: str = "text") -> None:
        client = self.stock()
        for number in numbers:
            mail = f"Message-ID: <{number}@mail.example>\r\nSubject: {number}\r\n\r\n{text} {number}\r\n"
            client.append("INBOX", "", '"01-Oct-2026 09:00:00 +0200"', mail.encode())
        client.logout()

    def clear(self) -> None:
        client = self.stock()
        if client.search(None, "ALL")[1] != [b""]:
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()
        client.logout()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Box]:
    if DOVECOT is None:
        pytest.skip("dovecot is not installed (Debian: dovecot-imapd)")
    base = Path("/tmp") / f"dovecot-{os.getpid()}"  # its sockets need a short path, and other users must enter it
    mail_user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    me = getpass.getuser()
    root = os.getuid() == 0
    port = free_port()
    for name in ("", "run", "state", "mail"):
        (base / name).mkdir(mode=0o755)
    os.chown(base / "mail", mail_user.pw_uid, mail_user.pw_gid)
    conf = base / "dovecot.conf"
    conf.write_text(
        DOVECOT_CONF.format(
            base=base, port=port, uid=mail_user.pw_uid, gid=mail_user.pw_gid,
            password=PASSWORD, internal="dovecot" if root else me, group="dovecot" if root else mail_user.pw_gid,
            login="dovenull" if root else me,
        )
    )  # fmt: skip
    try:
        with running([DOVECOT, "-F", "-c", str(conf)], (port,), base / "out"):
            yield Box(port)
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="module")
def devel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Box, int]]:
    """SMTP and IMAP in one process, in memory."""
    pytest.importorskip("mail_devel", reason="mail-devel is not installed (PyPI: mail-devel)")
    box, smtp = Box(free_port(), user="support@acme.example"), free_port()
    command = [sys.executable, "-m", "mail_devel", "--host", "127.0.0.1", "--no-http", "--user", box.user,
               "--password", PASSWORD, "--imap-port", str(box.port), "--smtp-port", str(smtp)]  # fmt: skip
    with running(command, (box.port, smtp), tmp_path_factory.mktemp("devel") / "out"):
        yield box, smtp


@pytest.fixture
def box(dovecot: Box) -> Box:
    dovecot.clear()
    return dovecot


def asked(run: Callable[[ImapWire], Awaitable[T]]) -> T:
    async def with_wire() -> T:
        wire = ImapWire(seconds=30)
        try:
            return await run(wire)
        finally:
            await wire.aclose()
            await asyncio.sleep(0.02)

    return asyncio.run(with_wire())


def fetch(box: Box, **more: object) -> FetchMail:
    return FetchMail(box.server, "INBOX", **{"wait": 0, **more})  # type: ignore[arg-type]


def subjects(mails: Mails) -> list[str]:
    return [one.message.split(b"Subject: ")[1].splitlines()[0].decode() for one in mails.mails]


def test_pages_in_order_and_where_to_go_on(box: Box) -> None:
    box.put(1, 2, 3, 4, 5)

    async def run(wire: ImapWire) -> list[Mails]:
        first = await wire.answer(fetch(box, limit=2))
        second = await wire.answer(fetch(box, limit=2, uidvalidity=first.uidvalidity, uid=first.uid))
        third = await wire.answer(fetch(box, limit=2, uidvalidity=first.uidvalidity, uid=second.uid))
        return [first, second, third, await wire.answer(fetch(box, uidvalidity=first.uidvalidity, uid=third.uid))]

    pages = asked(run)
    assert [subjects(page) for page in pages] == [["1", "2"], ["3", "4"], ["5"], []]
    assert [page.more for page in pages] == [True, True, False, False]
    assert pages[3].uid == pages[2].uid
    mail = pages[0].mails[0]
    assert mail.at == datetime(2026, 10, 1, 7, 0, tzinfo=UTC) or mail.at <= datetime.now(UTC)
    assert mail.size == len(mail.message)


def test_nothing_is_marked_as_read(box: Box) -> None:
    box.put(1)
    asked(lambda wire: wire.answer(fetch(box)))
    client = box.stock()
    assert client.search(None, "UNSEEN")[1] == [b"1"]
    client.logout()


def test_only_what_comes_from_now_on(box: Box) -> None:
    box.put(1, 2)

    async def run(wire: ImapWire) -> Mails:
        start = await wire.answer(fetch(box, only_new=True))
        assert start.mails == ()
        box.put(3)
        return await wire.answer(fetch(box, uidvalidity=start.uidvalidity, uid=start.uid))  # type: ignore[no-any-return]

    assert subjects(asked(run)) == ["3"]


def test_a_mailbox_numbered_anew_is_read_from_the_start(box: Box) -> None:
    box.put(1, 2)
    mails = asked(lambda wire: wire.answer(fetch(box, uidvalidity=1, uid=4_000_000)))
    assert subjects(mails) == ["1", "2"]


def test_deleted_mails_leave_no_gap_that_stops_us(box: Box) -> None:
    box.put(1, 2, 3)
    start = asked(lambda wire: wire.answer(fetch(box, limit=1)))
    client = box.stock()
    client.store("2", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
    rest = asked(lambda wire: wire.answer(fetch(box, uidvalidity=start.uidvalidity, uid=start.uid)))
    assert (subjects(rest), rest.more) == (["3"], False)


def test_waiting_ends_when_mail_comes(box: Box) -> None:
    async def run(wire: ImapWire) -> tuple[Mails, float]:
        start = await wire.answer(fetch(box))
        begun = time.monotonic()
        waiting = asyncio.create_task(wire.answer(fetch(box, uidvalidity=start.uidvalidity, uid=start.uid, wait=60)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await asyncio.to_thread(box.put, 9)
        return await waiting, time.monotonic() - begun

    mails, seconds = asked(run)
    assert subjects(mails) == ["9"]
    assert seconds < 30


def test_waiting_ends_with_the_time(box: Box) -> None:
    async def run(wire: ImapWire) -> Mails:
        empty = await wire.answer(fetch(box, wait=0.3))
        assert empty.mails == ()
        box.put(1)
        return await wire.answer(fetch(box))  # type: ignore[no-any-return]  # the session is still good

    assert subjects(asked(run)) == ["1"]


def test_a_mail_too_large_is_cut_and_says_so(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "MAX_MAIL", 100)
    box.put(1, text="x" * 300)
    [mail] = asked(lambda wire: wire.answer(fetch(box))).mails
    assert len(mail.message) == 100
    assert mail.size > 300


def test_a_page_holds_so_many_bytes(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "MAX_PAGE", 150)
    box.put(1, 2, 3)
    page = asked(lambda wire: wire.answer(fetch(box)))
    assert (subjects(page), page.more) == (["1", "2"], True)


def test_a_huge_mailbox_is_searched_in_windows(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "WINDOW", 2)
    box.put(1, 2, 3, 4, 5)

    async def run(wire: ImapWire) -> list[str]:
        found: list[str] = []
        uidvalidity, uid, more = None, 0, True
        while more:
            page = await wire.answer(fetch(box, uidvalidity=uidvalidity, uid=uid))
            found += subjects(page)
            uidvalidity, uid, more = page.uidvalidity, page.uid, page.more
        return found

    assert asked(run) == ["1", "2", "3", "4", "5"]


def test_a_session_that_died_is_replaced(box: Box) -> None:
    async def run(wire: ImapWire) -> Mails:
        await wire.answer(fetch(box))
        [session] = wire._idle.values()
        session._writer.transport.abort()
        await asyncio.sleep(0.01)
        box.put(1)
        return await wire.answer(fetch(box))  # type: ignore[no-any-return]

    assert subjects(asked(run)) == ["1"]


def test_finding_a_sent_mail(box: Box) -> None:
    box.put(4711)
    here, gone = (FindMail(box.server, "INBOX", f"{number}@mail.example") for number in (4711, 4712))
    assert asked(lambda wire: wire.answer(here)) == Found(True)
    assert asked(lambda wire: wire.answer(gone)) == Found(False)


def test_the_connection_test_counts(box: Box) -> None:
    box.put(1, 2)
    assert asked(lambda wire: wire.answer(CheckImap(box.server, "INBOX"))) == 2


def test_a_wrong_password(box: Box) -> None:
    with pytest.raises(AuthExpired) as caught:
        asked(lambda wire: wire.answer(fetch(Box(box.port, password="canary"))))
    assert caught.value.code == "AUTHENTICATIONFAILED"
    assert "canary" not in str(caught.value)


def test_a_mailbox_that_is_not_there(box: Box) -> None:
    with pytest.raises(Forbidden):
        asked(lambda wire: wire.answer(FetchMail(box.server, "Nowhere", wait=0)))


def test_nobody_listens() -> None:
    with pytest.raises(Unavailable):
        asked(lambda wire: wire.answer(fetch(Box(free_port()))))


def test_there_and_back_again(devel: tuple[Box, int]) -> None:
    """Sent by our connector and wire, filed by a real server, read by our wire and connector."""
    box, port = devel
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    settings = EmailSettings(
        address="help@acme.example",
        smtp=SmtpServer(host="127.0.0.1", port=port, security="none"),
        imap=box.server,
        token_secret=SecretStr("x" * 16),
    )
    connector = Email(settings)
    intent = INTENT.validate_json(INTENT_JSON.replace("BOX", box.user))
    smtp = SmtpWire(clock=lambda: now, seconds=30)
    receipt = driven(connector.send(intent), smtp.answer, connector)

    async def polled(wire: ImapWire) -> Page:
        flow = connector.poll(None)
        mails = await wire.answer(replace(next(flow), wait=0.2))
        with pytest.raises(StopIteration) as stop:
            flow.send(mails)
        page: Page = stop.value.value
        return page

    page = asked(polled)
    [event] = [event for payload in page.payloads for event in connector.parse(payload)]
    assert event.type == "interaction.received"
    found = event.interaction
    assert (found.native_id, found.client_key, found.direction) == (receipt.native_id, "key-1", "outbound")
    assert found.thread == receipt.thread
    assert (found.subject, found.text) == ("Größe", "Hi **you**\n.\nä")
    assert found.sent_at == now


INTENT_JSON = """{"type": "send.message", "key": "key-1", "own_account": "help@acme.example", "subject": "Größe",
"thread": {"id": "new", "visibility": "private"}, "text": "Hi **you**\\n.\\nä",
"recipient": {"identifiers": [{"kind": "email", "value": "BOX"}]}}"""


def driven(flow: Flow[T], answer: Callable[[object], Awaitable[object]], connector: Email) -> T:
    return drive(flow, lambda ask: asyncio.run(answer(ask)), connector.failure)  # type: ignore[arg-type]

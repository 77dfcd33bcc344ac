"""Maildirs as a way in: written by the standard library and, where it is installed, by dovecot."""

import asyncio
import getpass
import json
import mailbox
import os
import pwd
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import DeliveryError, Forbidden, drive, from_response
from socialsupport_core.model import Page
from socialsupport_email import Email, EmailSettings
from socialsupport_email.asks import FetchMaildir
from socialsupport_email.imap import MAX_MAIL
from socialsupport_email.maildir import MaildirWire
from socialsupport_email.settings import Maildir

LDA = next(
    (one for one in ("/usr/lib/dovecot/dovecot-lda", "/usr/libexec/dovecot/dovecot-lda") if Path(one).exists()), None
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def mail(text: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Kerry Fisher <kerry@mail.example>"
    message["To"] = "support@acme.example"
    message["Subject"] = text
    message["Date"] = "Thu, 01 Oct 2026 09:15:00 +0200"
    message["Message-ID"] = f"<{text.replace(' ', '.')}@mail.example>"
    message.set_content(text)
    return message.as_bytes()


class Desk:
    """A connector, its wire, and the folder into which mail is delivered."""

    def __init__(self, folder: Path, roots: str | None = None, **settings: Any) -> None:
        self.folder = folder / "Maildir"
        self.box = mailbox.Maildir(self.folder, create=True)
        self.wire = MaildirWire(lambda: str(folder) if roots is None else roots)
        self.email = self.connector(**settings)
        self.cursor: str | None = None
        self.waits = 0.0

    def connector(self, **settings: Any) -> Email:
        maildir = Maildir(path=str(self.folder), **settings)
        secret = SecretStr("x" * 32)
        return Email(EmailSettings(address="support@acme.example", token_secret=secret, maildir=maildir))

    def deliver(self, text: str) -> str:
        return self.box.add(mail(text))

    def respond(self, ask: Any) -> Any:
        if isinstance(ask, FetchMaildir):
            ask = FetchMaildir(ask.path, ask.done, ask.flags, ask.limit, wait=self.waits)
        return asyncio.run(self.wire.answer(ask))

    def run(self, flow: Any) -> Any:
        return drive(flow, self.respond, from_response)

    def poll(self) -> list[str]:
        """One page, committed."""
        page: Page = self.run(self.email.poll(self.cursor))
        self.cursor = page.cursor
        return self.said(page)

    def said(self, page: Page) -> list[str]:
        events = [event for payload in page.payloads for event in self.email.parse(payload)]
        return [event.interaction.subject or "" for event in events if event.type == "interaction.received"]

    def names(self, place: str) -> list[str]:
        return sorted(one.name for one in (self.folder / place).iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_is_new_comes_in_and_moves_only_after_the_commit(desk: Desk) -> None:
    name = desk.deliver("one")
    assert desk.poll() == ["one"]
    assert (desk.names("new"), desk.names("cur")) == ([name], [])
    assert desk.poll() == []
    assert (desk.names("new"), desk.names("cur")) == ([], [f"{name}:2,"])
    assert [message.get_subdir() for message in desk.box] == ["cur"]


def test_a_page_that_was_not_committed_is_read_again(desk: Desk) -> None:
    desk.deliver("one")
    before = desk.cursor
    assert desk.poll() == ["one"]
    desk.cursor = before  # the process died before the commit
    assert desk.poll() == ["one"]
    desk.deliver("two")
    assert desk.poll() == ["two"]
    assert desk.poll() == []


def test_dying_between_the_commit_and_the_move_reads_nothing_twice(desk: Desk) -> None:
    desk.deliver("one")
    desk.poll()
    again = Desk.__new__(Desk)
    again.__dict__ |= desk.__dict__ | {"wire": MaildirWire(lambda: str(desk.folder.parent))}
    assert again.poll() == []
    assert desk.names("new") == []


def test_what_another_program_has_moved_is_left_alone(desk: Desk) -> None:
    name = desk.deliver("one")
    desk.poll()
    (desk.folder / "new" / name).rename(desk.folder / "cur" / f"{name}:2,RS")
    assert desk.poll() == []
    assert desk.names("cur") == [f"{name}:2,RS"]


def test_flags_are_written_as_set(tmp_path: Path) -> None:
    desk = Desk(tmp_path, mark_seen=True)
    desk.deliver("one")
    desk.poll()
    desk.poll()
    assert [message.get_flags() for message in desk.box] == ["S"]


def test_the_oldest_comes_first_and_a_page_is_no_longer_than_fifty(desk: Desk) -> None:
    for number in range(60):
        path = desk.folder / "new" / f"{1_700_000_000 + 60 - number}.M{number}.host"
        path.write_bytes(mail(f"mail {60 - number:02}"))
    first, second = desk.poll(), desk.poll()
    assert (len(first), len(second)) == (50, 10)
    assert first + second == sorted(first + second)
    assert desk.poll() == []


def test_news_are_waited_for(desk: Desk) -> None:
    desk.waits = 20
    late = threading.Timer(0.3, desk.deliver, ["late"])
    late.start()
    began = time.monotonic()
    assert desk.poll() == ["late"]
    late.join()
    assert time.monotonic() - began < 5


def test_what_is_no_mail_of_the_box_is_not_read(desk: Desk) -> None:
    (desk.folder.parent / "secret").write_bytes(mail("secret"))
    (desk.folder / "new" / "1.link").symlink_to(desk.folder.parent / "secret")
    (desk.folder / "new" / ".hidden").write_bytes(mail("hidden"))
    (desk.folder / "new" / "folder").mkdir()
    (desk.folder / "tmp" / "2.half").write_bytes(mail("half")[:40])
    assert desk.poll() == []


def test_names_in_the_cursor_reach_nothing_outside(desk: Desk) -> None:
    outside = desk.folder.parent / "outside"
    outside.write_bytes(b"x")
    desk.cursor = json.dumps({"done": ["../../outside", "/etc/passwd", ".", "..", ""]})
    assert desk.poll() == []
    assert outside.exists()
    for strange in ("{}", "[1]", "x", '{"done": 7}', '{"done": [7, null]}'):
        desk.cursor = strange
        assert desk.poll() == []


@pytest.mark.parametrize("roots", ["", "/nowhere", "/tmp/other:/var/mail"])
def test_only_what_the_host_allows_is_opened(tmp_path: Path, roots: str) -> None:
    desk = Desk(tmp_path, roots=roots)
    desk.deliver("one")
    with pytest.raises(Forbidden, match="SOCIALSUPPORT_MAILDIRS"):
        desk.poll()


def test_a_link_out_of_the_allowed_folder_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    mailbox.Maildir(outside / "Maildir", create=True).add(mail("foreign"))
    desk = Desk(inside)
    (inside / "link").symlink_to(outside / "Maildir")
    desk.folder = inside / "link"
    desk.email = desk.connector()
    with pytest.raises(Forbidden, match="not below"):
        desk.poll()


def test_what_is_no_maildir_is_said_to_be_none(desk: Desk) -> None:
    shutil.rmtree(desk.folder)
    with pytest.raises(Forbidden, match="no Maildir"):
        desk.poll()
    desk.folder.mkdir()
    (desk.folder / "new").write_bytes(b"")
    (desk.folder / "cur").mkdir()
    with pytest.raises(Forbidden, match="no Maildir"):
        desk.poll()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_may_not_be_read_is_named(desk: Desk) -> None:
    (desk.folder / "new").chmod(0)
    with pytest.raises(Forbidden, match="may not be read"):
        desk.poll()


def test_a_mail_that_is_too_large_is_cut_and_says_so(desk: Desk) -> None:
    path = desk.folder / "new" / "1.big"
    path.write_bytes(mail("big"))
    with path.open("ab") as file:
        file.truncate(MAX_MAIL + 1000)
    page: Page = desk.run(desk.email.poll(None))
    (payload,) = page.payloads
    assert len(payload.body) == MAX_MAIL
    assert payload.header("x-size") == str(MAX_MAIL + 1000)


def test_the_test_counts_mails(desk: Desk) -> None:
    for text in ("one", "two"):
        desk.deliver(text)
    assert desk.run(desk.email.probe()).limits == {"mails": 2}


@pytest.mark.parametrize("path", ["Maildir", "", "~/Maildir"])
def test_a_path_is_absolute(path: str) -> None:
    with pytest.raises(ValidationError):
        Maildir(path=path)


@pytest.mark.parametrize("folder", ["../x", "a/b", "", "x\n"])
def test_a_folder_is_a_name(folder: str) -> None:
    with pytest.raises(ValidationError):
        Maildir(path="/var/mail", history=(folder,))


# history


def history(desk: Desk, since: datetime = EPOCH) -> list[str]:
    said: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        page: Page = desk.run(desk.email.history(since, cursor))
        said += desk.said(page)
        cursor = page.cursor
        if not page.more:
            return said
    raise AssertionError("the history does not end")


def test_history_reads_folders_and_moves_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, history=("Archive", "Archive.2025"))
    read = mailbox.MaildirMessage(mail("read"))
    read.set_subdir("cur")
    read.set_flags("RS")
    desk.box.add(read)
    desk.deliver("waiting")
    for folder in ("Archive", "Archive.2025"):
        for number in range(60):
            desk.box.add_folder(folder).add(mail(f"{folder} {number}"))
    wanted = ["read", "waiting", *(f"{folder} {n}" for folder in ("Archive", "Archive.2025") for n in range(60))]
    before = desk.names("new"), desk.names("cur")
    assert sorted(history(desk)) == sorted(wanted)
    assert (desk.names("new"), desk.names("cur")) == before


def test_history_begins_where_it_is_wanted(desk: Desk) -> None:
    for text, at in (("old", 1_000_000_000), ("young", 1_700_000_000)):
        os.utime(desk.folder / "new" / desk.deliver(text), (at, at))
    assert history(desk, datetime(2020, 1, 1, tzinfo=UTC)) == ["young"]


def test_polled_and_read_back_a_mail_has_one_id(desk: Desk) -> None:
    desk.deliver("one")
    polled: Page = desk.run(desk.email.poll(None))
    desk.run(desk.email.poll(polled.cursor))
    back: Page = desk.run(desk.email.history(EPOCH, None))
    ids = [[event.id for event in desk.email.parse(page.payloads[0])] for page in (polled, back)]
    assert ids[0] == ids[1]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path, history=("Nowhere",))
    with pytest.raises(DeliveryError, match="Nowhere"):
        history(desk)


# dovecot


@pytest.fixture
def deliver(tmp_path: Path) -> Iterator[Callable[[Desk, str], None]]:
    if LDA is None:
        pytest.skip("dovecot-lda is not installed (Debian: dovecot-core)")
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    account = pwd.getpwnam(user)
    base = Path("/tmp") / f"lda-{os.getpid()}"  # another user must enter it
    base.mkdir(mode=0o755)
    os.chown(base, account.pw_uid, account.pw_gid)

    def delivered(desk: Desk, text: str) -> None:
        conf = base / "dovecot.conf"
        conf.write_text(
            f"base_dir = {base}/run\nstate_dir = {base}/run\nlog_path = /dev/stderr\nssl = no\nfirst_valid_uid = 1\n"
            f"mail_location = maildir:{desk.folder}\npostmaster_address = postmaster@acme.example\n"
            "hostname = acme.example\n"
        )
        for path in (desk.folder, *desk.folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
        identity: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        subprocess.run(
            [str(LDA), "-c", str(conf), "-e"],
            input=mail(text), env={"HOME": str(base), "USER": user}, check=True, capture_output=True,
            **(identity if os.geteuid() == 0 else {}),
        )  # fmt: skip

    try:
        yield delivered
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.mark.server
def test_what_dovecot_delivers_comes_in(deliver: Callable[[Desk, str], None]) -> None:
    home = Path("/tmp") / f"lda-home-{os.getpid()}"
    home.mkdir(mode=0o755)
    try:
        desk = Desk(home, mark_seen=True)
        deliver(desk, "from dovecot")
        assert desk.poll() == ["from dovecot"]
        deliver(desk, "once more")
        assert desk.poll() == ["once more"]
        assert desk.poll() == []
        assert desk.names("new") == []
        assert all(name.endswith(":2,S") for name in desk.names("cur"))
        assert len(desk.names("cur")) == 2
    finally:
        shutil.rmtree(home, ignore_errors=True)

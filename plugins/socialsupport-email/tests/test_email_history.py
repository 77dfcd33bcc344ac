"""Reading a mailbox back begins with its first mail, wherever the poll began."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from socialsupport_core.contract import Unsupported
from socialsupport_email import Email, EmailSettings
from socialsupport_email.asks import FetchMail
from socialsupport_email.settings import ImapServer, SmtpServer

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def mailbox(imap: ImapServer | None) -> Email:
    smtp = SmtpServer(host="smtp.acme.example")
    return Email(EmailSettings(address="support@acme.example", token_secret=SecretStr("x" * 32), smtp=smtp, imap=imap))


def test_history_begins_with_the_first_mail_and_poll_with_what_is_new() -> None:
    email = mailbox(ImapServer(host="imap.acme.example", start="new"))
    polled, read = next(email.poll(None)), next(email.history(SINCE, None))
    assert isinstance(polled, FetchMail)
    assert isinstance(read, FetchMail)
    assert (polled.only_new, read.only_new) == (True, False)


def test_a_further_page_begins_where_the_last_ended() -> None:
    email = mailbox(ImapServer(host="imap.acme.example", start="new"))
    ask = next(email.history(SINCE, '{"uidvalidity":7,"uid":42}'))
    assert isinstance(ask, FetchMail)
    assert (ask.uidvalidity, ask.uid, ask.only_new) == (7, 42, False)


def test_without_a_mailbox_there_is_nothing_to_read_and_that_is_said_at_once() -> None:
    with pytest.raises(Unsupported, match="add `imap`"):
        mailbox(None).history(SINCE, None)

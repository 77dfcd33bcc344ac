"""E-mail: IMAP, a Maildir or an SMTP door in, SMTP out."""

import json
from datetime import datetime
from typing import ClassVar

from socialsupport_core.contract import Flow, Unsupported
from socialsupport_core.model import (
    Capabilities,
    Facts,
    Intent,
    MediaLimit,
    Page,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_email import filed
from socialsupport_email.asks import (
    CheckImap,
    CheckMaildir,
    CheckSmtp,
    FetchMail,
    FindMail,
    Mails,
    SendMail,
    SmtpFeatures,
)
from socialsupport_email.compose import Draft
from socialsupport_email.mailing import MailConnector
from socialsupport_email.settings import EmailSettings, ImapServer, SmtpServer

MAX_ATTACHMENT = 7_000_000  # bytes: with base64's third and the text below Postfix's default of 10,240,000


class Email(MailConnector[EmailSettings]):
    """One mailbox: support@acme.example."""

    name: ClassVar[str] = "email"
    settings_model = EmailSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"poll", "stream", "file"}),
        verification="none",
        events=frozenset({"interaction.received", "delivery.updated", "identity.claimed", "unrecognised"}),
        intents=frozenset({"send.message"}),
        unsupported=frozenset(
            {"interaction.edited", "interaction.deleted", "reaction.added", "reaction.removed", "typing.started",
             "erasure.requested", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"}
        ),
        sends=frozenset({"private"}),
        begins=frozenset({"email"}),
        markup=True,
        subject=True,
        media=(MediaLimit(media_type="*/*", max_bytes=MAX_ATTACHMENT),),
        attachments=20,
        receipts=frozenset({"delivered", "read", "failed"}),
        settles="lookup",
    )  # fmt: skip

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(server.host for server in (self.settings.smtp, self.settings.imap) if server)

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """Without a mailbox in which the server files what we send, only a person can settle a doubtful send."""
        settles = "lookup" if self._sent_mailbox else "none"
        receipts = {"delivered", "read", "failed"} if self.settings.ask_receipts else {"failed"}
        return self.capabilities.model_copy(update={"settles": settles, "receipts": frozenset(receipts)})

    # inbound

    def poll(self, cursor: str | None) -> Flow[Page]:
        if self.settings.maildir:
            return filed.poll(self.settings.maildir, cursor)
        imap = self._imap
        return self._page(imap, cursor, only_new=cursor is None and imap.start == "new")

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        """The mailbox from its first mail on: what is older than `since` comes along, but for a Maildir's."""
        if self.settings.maildir:
            return filed.history(self.settings.maildir, since, cursor)
        return self._page(self._imap, cursor, only_new=False)

    @property
    def _imap(self) -> ImapServer:
        if self.settings.imap is None:
            raise Unsupported("no mailbox is configured; add `imap` or `maildir` to the channel's settings")
        return self.settings.imap

    def _page(self, imap: ImapServer, cursor: str | None, *, only_new: bool) -> Flow[Page]:
        uidvalidity, uid = _position(cursor)
        mails: Mails = yield FetchMail(imap, imap.mailbox, uidvalidity, uid, only_new=only_new)
        position = json.dumps({"uidvalidity": mails.uidvalidity, "uid": mails.uid}, separators=(",", ":"))
        return Page(payloads=tuple(map(filed.payload, mails.mails)), cursor=position, more=mails.more)

    # outbound

    def ready(self) -> None:
        _ = self._smtp

    def carry(self, intent: SendMessage, draft: Draft, message: bytes) -> Flow[None]:
        sender, recipient = draft.sender.address, draft.recipient.address
        yield SendMail(self._smtp, sender, recipient, message, draft.message_id, self.settings.ask_receipts)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        imap, mailbox = self.settings.imap, self._sent_mailbox
        if imap is None or mailbox is None or not isinstance(intent, SendMessage):
            raise Unsupported("no `sent_mailbox` is configured, so nobody can look up what was sent")
        draft = self.draft(intent, ())
        answer = yield FindMail(imap, mailbox, draft.message_id)
        return self.receipt(intent, draft) if answer.found else None

    # about the world

    def probe(self) -> Flow[Facts]:
        limits: dict[str, int] = {}
        if self.settings.smtp:
            features: SmtpFeatures = yield CheckSmtp(self.settings.smtp, self.settings.address)
            limits |= {"message_bytes": features.max_bytes} if features.max_bytes else {}
        if self.settings.imap:
            limits["mails"] = yield CheckImap(self.settings.imap, self.settings.imap.mailbox)
        if self.settings.maildir:
            limits["mails"] = yield CheckMaildir(self.settings.maildir.path)
        return Facts(own_account=self.settings.address, name=self.settings.name, limits=limits)

    # inside

    @property
    def _smtp(self) -> SmtpServer:
        if self.settings.smtp is None:
            raise Unsupported("no SMTP server is configured; add `smtp` to the channel's settings")
        return self.settings.smtp

    @property
    def _sent_mailbox(self) -> str | None:
        return self.settings.imap.sent_mailbox if self.settings.imap else None


def _position(cursor: str | None) -> tuple[int | None, int]:
    """(uidvalidity, uid); the beginning for a cursor that is not ours, since event ids make that harmless."""
    try:
        found = json.loads(cursor or "{}")
        return int(found["uidvalidity"]), int(found["uid"])
    except (ValueError, KeyError, TypeError):
        return None, 0

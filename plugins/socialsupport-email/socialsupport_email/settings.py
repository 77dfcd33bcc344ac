"""What an operator configures."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings
from socialsupport_email.address import canonical

Security = Literal["tls", "starttls", "none"]
"""TLS from the first byte; TLS after STARTTLS, never without it; or none, for a server on the same machine."""

LONGEST_LOCAL_PART = 64  # octets, RFC 5321 4.5.3.1.1
LONGEST_TAG = 32  # "+t." and 29 characters of token: see token.py


def _own(written: str) -> str:
    address = canonical(written)
    if address is None:
        raise ValueError(f"{written!r} is not an e-mail address; write it like support@acme.example")
    return address


OwnAddress = Annotated[str, AfterValidator(_own)]


class Server(BaseModel):
    """A mail server and our account on it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1, max_length=253, pattern=r"^[^\s/@]+$")
    port: int = Field(gt=0, lt=65536)
    security: Security
    username: str | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; give both or neither")
        return self


class SmtpServer(Server):
    port: int = Field(default=587, gt=0, lt=65536)  # RFC 6409: submission
    security: Security = "starttls"


class ImapServer(Server):
    port: int = Field(default=993, gt=0, lt=65536)  # RFC 8314: IMAP with TLS from the first byte
    security: Security = "tls"
    mailbox: str = Field(default="INBOX", min_length=1, pattern=r"^[\x20-\x7e]+$")
    """As the server lists it, so non-ASCII names in modified UTF-7."""
    sent_mailbox: str | None = Field(default=None, min_length=1, pattern=r"^[\x20-\x7e]+$")
    """Set it only where the server itself files what we send: then a doubtful send is looked up there."""
    start: Literal["all", "new"] = "all"
    """The first poll brings everything in the mailbox, or only what comes from now on."""


Folder = Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f\x7f]{1,200}$")]


class Maildir(BaseModel):
    """A folder of this machine into which the mail server delivers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(pattern=r"^/[^\x00]*$")
    """The folder that holds `new` and `cur`, below one that SOCIALSUPPORT_MAILDIRS names."""
    mark_seen: bool = False
    """What was taken is marked as read for other programs."""
    history: tuple[Folder, ...] = ()
    """Folders (Maildir++) that are read back with the inbox, without their leading dot: `Archive.2025`."""


class MailSettings(Settings):
    """What every mailbox has, whoever carries its mail."""

    address: OwnAddress
    """Our own account; mail from and to it, its aliases and its tagged forms is ours."""
    name: str | None = Field(default=None, max_length=200, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$")
    """Shown as the sender."""
    aliases: tuple[OwnAddress, ...] = ()
    token_secret: SecretStr = Field(min_length=16)
    """Signs the tokens in our reply addresses and Message-IDs."""
    previous_token_secret: SecretStr | None = Field(default=None, min_length=16)
    """Still believed while the secret is changed."""
    plus_addressing: bool = True
    """The server delivers support+anything@acme.example to us."""
    trusted_authserv_id: str | None = Field(default=None, min_length=1, pattern=r"^\S+$")
    """The name that our own mail server signs its Authentication-Results with (RFC 8601); it must remove
    foreign ones of that name."""
    ask_receipts: bool = False
    """Ask for delivery and read receipts: many people find that intrusive."""
    max_message_bytes: int = Field(default=10_240_000, ge=10_000)
    """Of what we send; the default is Postfix's message_size_limit
    (https://www.postfix.org/postconf.5.html#message_size_limit, 2026-11)."""

    @model_validator(mode="after")
    def _room_for_tokens(self) -> Self:
        local = self.address.rpartition("@")[0]
        if self.plus_addressing and len(local.encode()) > LONGEST_LOCAL_PART - LONGEST_TAG:
            raise ValueError(
                f"{local!r} is too long to carry a reply token (at most {LONGEST_LOCAL_PART - LONGEST_TAG} bytes "
                "before the @); use a shorter address or set plus_addressing to false"
            )
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """The current one first."""
        both = (self.token_secret, self.previous_token_secret)
        return tuple(secret.get_secret_value() for secret in both if secret)


class EmailSettings(MailSettings):
    smtp: SmtpServer | None = None
    """None: we only receive."""
    imap: ImapServer | None = None
    """None: mail comes from a Maildir, through our own SMTP door or from files."""
    maildir: Maildir | None = None
    """Where mail is polled from instead; `imap` is then asked only for what was sent."""

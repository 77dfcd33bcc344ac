"""E-mail for socialsupport."""

from collections.abc import Mapping, Sequence
from typing import Any

from socialsupport_core.contract import Connector, ListenerFactory, Wire, hookimpl
from socialsupport_email.connector import Email
from socialsupport_email.settings import EmailSettings

__all__ = ["Email", "EmailSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return [Email]


@hookimpl
def socialsupport_wires() -> Sequence[Wire]:
    from socialsupport_email.imap import ImapWire  # noqa: PLC0415 - only a host needs them
    from socialsupport_email.maildir import MaildirWire  # noqa: PLC0415
    from socialsupport_email.smtp import SmtpWire  # noqa: PLC0415

    return [SmtpWire(), ImapWire(), MaildirWire()]


@hookimpl
def socialsupport_listeners() -> Mapping[str, ListenerFactory]:
    from socialsupport_email.door import listener  # noqa: PLC0415

    return {Email.name: listener}


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_email.simulator import EmailSimulator  # noqa: PLC0415

    return [EmailSimulator]

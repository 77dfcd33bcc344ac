"""E-mail through providers: webhooks in, their APIs out."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import Connector, hookimpl
from socialsupport_mailhooks.mailgun import Mailgun
from socialsupport_mailhooks.postmark import Postmark
from socialsupport_mailhooks.sendgrid import SendGrid
from socialsupport_mailhooks.settings import MailgunSettings, PostmarkSettings, SendGridSettings

__all__ = ["Mailgun", "MailgunSettings", "Postmark", "PostmarkSettings", "SendGrid", "SendGridSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Postmark, Mailgun, SendGrid)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_mailhooks.simulator import (  # noqa: PLC0415 - only hosts that simulate pay for it
        MailgunServer,
        PostmarkServer,
        SendGridServer,
    )

    return (PostmarkServer, MailgunServer, SendGridServer)

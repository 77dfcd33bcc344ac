"""The conformance kit: what holds for any connector.

    class TestTelegram(ConnectorConformance):
        connector = Telegram

Each property is one test; the golden cases that ship inside the plugin run through it. Where a network cannot
have a property, `cases/exempt.json` says why: `{"property": "reason"}`.
"""

from socialsupport_core.testing.conformance.challenge import Challenged
from socialsupport_core.testing.conformance.claims import Claims
from socialsupport_core.testing.conformance.failures import Doubt
from socialsupport_core.testing.conformance.mentions import Named
from socialsupport_core.testing.conformance.parsing import Interactions, Parsing
from socialsupport_core.testing.conformance.pure import Pure
from socialsupport_core.testing.conformance.renewal import Renewed
from socialsupport_core.testing.conformance.secrets import Secrets
from socialsupport_core.testing.conformance.sending import Flows, Sending
from socialsupport_core.testing.conformance.signs import Signs
from socialsupport_core.testing.conformance.streaming import Streamed
from socialsupport_core.testing.conformance.verification import Verified


class ConnectorConformance(
    Claims,
    Streamed,
    Verified,
    Challenged,
    Parsing,
    Interactions,
    Flows,
    Sending,
    Signs,
    Named,
    Doubt,
    Renewed,
    Secrets,
    Pure,
):
    """Subclass it with `connector`, in a file that pytest collects."""


__all__ = ["ConnectorConformance"]

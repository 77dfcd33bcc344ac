"""The conformance kit for CRM and helpdesk adapters.

    class TestRoundup(CRMConformance):
        crm = Roundup
        simulator = RoundupSimulator

The package ships `cases/settings.json` and cases: `call` cases for the verbs, `poll` and `payload` cases where
the CRM tells us things. What holds over two calls (the same conversation twice, the same key twice) needs
somebody who remembers: the adapter's simulator.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
import pytest

from socialsupport_core.contract import CRM, CaseRef, CaseSummary, Contact, DeliveryError, Flow, Ref, drive
from socialsupport_core.model import Blob, Credentials, Identifier, Interaction, Party, Thread
from socialsupport_core.testing.cases import CRM_CALLS, SIGNING_IN
from socialsupport_core.testing.conformance.base import Authorize, Base, Verification, fail, refuses
from socialsupport_core.testing.conformance.failures import Failures
from socialsupport_core.testing.conformance.golden import GoldenFlows
from socialsupport_core.testing.conformance.parsing import Parsing
from socialsupport_core.testing.conformance.renewal import Renewed
from socialsupport_core.testing.conformance.secrets import Secrets
from socialsupport_core.testing.conformance.sending import Flows
from socialsupport_core.testing.conformance.verification import Verified
from socialsupport_core.testing.loading import Cases, load_crm_cases
from socialsupport_core.testing.problems import raised
from socialsupport_core.testing.scripted import NONCE, NOW
from socialsupport_core.testing.simulator import Simulator

VERBS = ("find_customers", "open_case", "save_interaction", "close_case")
OPTIONAL = ("attach", "erase")


class OfCRM(Base):
    """What holds for CRM adapters only."""

    crm: ClassVar[type[CRM[Any]]]
    simulator: ClassVar[type[Simulator] | None] = None
    calls = CRM_CALLS

    @property
    def plugin(self) -> type[CRM[Any]]:
        return self.crm

    def load(self) -> Cases:
        return load_crm_cases(self.crm)

    @property
    def verification(self) -> Verification:
        """Not declared: whoever overrides `verify` signs the body, or shares a secret."""
        if not self.overrides("verify"):
            return "none"
        crm, payloads = self.make(), [case.payload.payload for case in self.genuine]
        changed = [payload.model_copy(update={"body": payload.body + b" "}) for payload in payloads]
        signed = all(refuses(crm, payload, "the body extended") for payload in changed)
        return "signature" if changed and signed else "shared_secret"

    def authorized(self, plugin: Any, credentials: Credentials | None = None) -> Authorize:
        given = credentials or self.cases.credentials
        return lambda request: plugin.authorize_with(request, given, NOW, NONCE)

    def network(self) -> Callable[[Any], Any]:
        """Somebody who remembers: the simulator. Override it for an adapter that does not ask over HTTP."""
        if self.simulator is None:
            pytest.skip("there is no simulator; what happens the second time is not shown")
        return self.simulator(self.cases.settings, clock=lambda: NOW).handle

    def done(self, crm: CRM[Any], network: Callable[[Any], Any], flow: Flow[Any]) -> Any:
        authorized = self.authorized(crm)

        def respond(ask: Any) -> Any:
            return network(authorized(ask) if isinstance(ask, httpx.Request) else ask)

        try:
            return drive(flow, respond, crm.failure)
        except DeliveryError as error:
            fail(f"the simulator refuses what must go well: {raised(error)}")


class CRMClaims(OfCRM):
    def test_every_verb_has_a_case(self) -> None:
        """Each verb that is written is run by a golden case, and none of the four that matter is missing."""
        shown = {case.call for case in self.cases.calls if case.error is None}
        for verb in VERBS:
            if not self.overrides(verb):
                fail(f"{verb} is not written; a CRM adapter finds customers, opens, fills and closes cases")
        for verb in (*VERBS, *OPTIONAL, *SIGNING_IN):
            if self.overrides(verb) and verb not in shown:
                fail(f'{verb} is overridden, and no case has "call": "{verb}" with a result')
        if self.overrides("poll") and not self.cases.polls:
            fail("poll is overridden, and there is no poll case")
        if self.overrides("parse") and not any(case.events for case in self.cases.inbound):
            fail("parse is overridden, and no case has a payload with events")

    def test_errors_have_cases(self) -> None:
        """At least one case shows how a refusal of the CRM is understood."""
        if not any(case.error for case in self.cases.flows):
            fail('no case ends in an error; add one: {"error": {"type": "AuthExpired"}}')


class CRMEvidence(OfCRM):
    """Contacts are reasons to believe, never decisions."""

    def test_contacts_are_evidence(self) -> None:
        """Each contact found shares an identifier with the party, and proves none that it does not name."""
        for case in self.cases.calls:
            if case.call != "find_customers" or case.error:
                continue
            asked = {_plain(one) for one in case.given(self.calls)["party"].identifiers}
            contacts: tuple[Contact, ...] = case.expected(self.calls)
            for contact in contacts:
                if not asked & {_plain(one) for one in contact.identifiers}:
                    fail(f"{case}: contact {contact.id} shares no identifier with the party; that is no evidence")
                if not contact.verified <= set(contact.identifiers):
                    fail(f"{case}: contact {contact.id} has verified identifiers that it does not name")

    def test_looking_makes_nobody(self) -> None:
        """Looking twice for a stranger finds nobody twice."""
        crm, network = self.make(), self.network()
        for time in ("first", "second"):
            if found := self.done(crm, network, crm.find_customers(STRANGER)):
                fail(f"the {time} look for a stranger found {found}; find_customers only looks")


class CRMOnce(OfCRM):
    """What is done twice is done once."""

    def test_a_conversation_is_one_case(self) -> None:
        """Opening the same conversation twice gives the same case, another conversation another."""
        crm, network = self.make(), self.network()
        first, again, other = (self._opened(crm, network, name) for name in ("c-1", "c-1", "c-2"))
        if first.id != again.id:
            fail(f"opening one conversation twice gave the cases {first.id} and {again.id}; "
                 "keep our id with the case and look for it first")  # fmt: skip
        if first.id == other.id:
            fail(f"two conversations gave the one case {first.id}")

    def test_a_key_is_one_record(self) -> None:
        """Saving the same key twice makes one record, another key another."""
        crm, network = self.make(), self.network()
        case = self._opened(crm, network, "c-1")
        flows = (crm.save_interaction(case, TOUCH, key) for key in ("k-1", "k-1", "k-2"))
        self._one_record("save_interaction", [self.done(crm, network, flow) for flow in flows])

    def test_an_attachment_is_one_record(self) -> None:
        """Attaching the same key twice makes one record."""
        if not self.overrides("attach"):
            pytest.skip("it takes no attachments")
        crm, network = self.make(), self.network()
        case = self._opened(crm, network, "c-1")
        blob = Blob(content=b"content", media_type="text/plain", name="note.txt")
        flows = (crm.attach(case, blob, key) for key in ("k-1", "k-1", "k-2"))
        self._one_record("attach", [self.done(crm, network, flow) for flow in flows])

    def test_closing_twice_is_closing_once(self) -> None:
        """A case that is closed can be closed again."""
        crm, network = self.make(), self.network()
        case = self._opened(crm, network, "c-1")
        for _ in range(2):
            self.done(crm, network, crm.close_case(case, "resolved"))

    def _opened(self, crm: CRM[Any], network: Callable[[Any], Any], name: str) -> CaseRef:
        summary = CaseSummary(conversation=name, customer="customer-1", subject="Where is it?", opened_at=MOMENT)
        opened: CaseRef = self.done(crm, network, crm.open_case(summary))
        return opened

    def _one_record(self, verb: str, refs: list[Ref]) -> None:
        first, again, other = refs
        if first.id != again.id:
            fail(f"{verb} with one key twice made the records {first.id} and {again.id}; look for the key first")
        if first.id == other.id:
            fail(f"{verb} with two keys made the one record {first.id}")


def _plain(identifier: Identifier) -> str:
    return str(identifier).casefold()


MOMENT = datetime(2026, 3, 1, 10, tzinfo=UTC)
STRANGER = Party(identifiers=(Identifier(kind="email", value="nobody.at.all@stranger.example"),), name="Nobody")
TOUCH = Interaction(
    network="conformance",
    native_id="m-1",
    kind="message",
    direction="inbound",
    own_account="own-1",
    thread=Thread(id="t-1", visibility="private"),
    author=Party(identifiers=(Identifier(kind="email", value="kerry@acme.example"),), name="Kerry Fisher"),
    text="Where is my parcel?",
    sent_at=MOMENT,
)


class CRMConformance(
    CRMClaims, GoldenFlows, CRMEvidence, CRMOnce, Verified, Parsing, Flows, Failures, Renewed, Secrets
):
    """Subclass it with `crm` and `simulator`, in a file that pytest collects."""

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

from socialsupport_core.contract import (
    CRM,
    AgentReplied,
    CaseRef,
    CaseSummary,
    Conflict,
    Contact,
    ContactChanged,
    CRMEvent,
    DeliveryError,
    Flow,
    Ref,
    Settings,
    drive,
)
from socialsupport_core.model import Blob, Credentials, Identifier, Interaction, Party, Thread, Unrecognised
from socialsupport_core.testing.cases import CRM_CALLS, SIGNING_IN
from socialsupport_core.testing.conformance.base import Authorize, Base, Verification, fail, refuses
from socialsupport_core.testing.conformance.failures import Failures
from socialsupport_core.testing.conformance.golden import GoldenFlows
from socialsupport_core.testing.conformance.parsing import Parsing
from socialsupport_core.testing.conformance.pure import Pure
from socialsupport_core.testing.conformance.renewal import Renewed
from socialsupport_core.testing.conformance.secrets import Secrets
from socialsupport_core.testing.conformance.sending import Flows
from socialsupport_core.testing.conformance.verification import Verified
from socialsupport_core.testing.loading import Cases, load_crm_cases
from socialsupport_core.testing.problems import raised
from socialsupport_core.testing.scripted import NONCE, NOW
from socialsupport_core.testing.simulator import Simulator

VERBS = ("find_customers", "open_case", "save_interaction", "close_case")
OPTIONAL = (
    "edit_interaction",
    "remove_interaction",
    "attach",
    "reopen_case",
    "read_case",
    "change_case",
    "erase",
    "erase_case",
    "probe",
    "subscribe",
    "fetch",
)
PAGES = 50
"""So many polled pages hold what the kit has done; a cursor that never ends is a fault."""
HARMLESS = (ContactChanged, Unrecognised)
"""What our own calls may cause to be told: somebody who wrote for the first time becomes a contact."""


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

    def configured(self, settings: Settings) -> CRM[Any]:
        return self.crm(settings, self.cases.facts)

    def counterpart(self) -> Any:
        """Somebody who remembers: the simulator. Override it to run the kit against a real server: `handle(request)`
        answers, `speak(agent, text, case)` replies as an agent there, `due()` gives the webhooks."""
        if self.simulator is None:
            pytest.skip("there is no simulator; what happens the second time is not shown")
        return self.simulator(self.cases.settings, clock=lambda: NOW)

    def named(self, name: str) -> str:
        """Our names of conversations and records. Make them new each time for a server that remembers other tests."""
        return name

    @property
    def began(self) -> datetime:
        """When the CRM was connected: now, by the clock of whoever answers."""
        return NOW

    def network(self) -> Callable[[Any], Any]:
        """What answers the adapter's asks. Override it for an adapter that does not ask over HTTP."""
        answers: Callable[[Any], Any] = self.counterpart().handle
        return answers

    def answering(self, crm: CRM[Any], network: Callable[[Any], Any]) -> Callable[[Any], Any]:
        authorized = self.authorized(crm)
        return lambda ask: network(authorized(ask) if isinstance(ask, httpx.Request) else ask)

    def done(self, crm: CRM[Any], network: Callable[[Any], Any], flow: Flow[Any]) -> Any:
        try:
            return drive(flow, self.answering(crm, network), crm.failure)
        except DeliveryError as error:
            fail(f"the simulator refuses what must go well: {raised(error)}")

    def opened(self, crm: CRM[Any], network: Callable[[Any], Any], name: str, follows: str | None = None) -> CaseRef:
        summary = CaseSummary(
            conversation=self.named(name),
            customer="customer-1",
            party=TOUCH.author,
            subject="Where is it?",
            opened_at=MOMENT,
            follows=follows,
        )
        opened: CaseRef = self.done(crm, network, crm.open_case(summary))
        return opened

    def _written(self, verb: str) -> None:
        if not self.overrides(verb):
            pytest.skip(f"{verb} is not written")


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
        first, again, other = (self.opened(crm, network, name) for name in ("c-1", "c-1", "c-2"))
        if first.id != again.id:
            fail(f"opening one conversation twice gave the cases {first.id} and {again.id}; "
                 "keep our id with the case and look for it first")  # fmt: skip
        if first.id == other.id:
            fail(f"two conversations gave the one case {first.id}")

    def test_what_follows_a_case_is_another(self) -> None:
        """A conversation whose case can take nothing more gets another one, once."""
        crm, network = self.make(), self.network()
        first = self.opened(crm, network, "c-1")
        after, again = (self.opened(crm, network, "c-1", follows=first.id) for _ in range(2))
        if after.id == first.id:
            fail(f"what follows the case {first.id} is that case again; look it up by `conversation.key`")
        if after.id != again.id:
            fail(f"opening what follows {first.id} twice gave the cases {after.id} and {again.id}")

    def test_a_key_is_one_record(self) -> None:
        """Saving the same key twice makes one record, another key another."""
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        flows = (crm.save_interaction(case, TOUCH, self.named(key)) for key in ("k-1", "k-1", "k-2"))
        self._one_record("save_interaction", [self.done(crm, network, flow) for flow in flows])

    def test_an_attachment_is_one_record(self) -> None:
        """Attaching the same key twice makes one record."""
        self._written("attach")
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        blob = Blob(content=b"content", media_type="text/plain", name="note.txt")
        flows = (crm.attach(case, blob, self.named(key)) for key in ("k-1", "k-1", "k-2"))
        self._one_record("attach", [self.done(crm, network, flow) for flow in flows])

    def test_closing_twice_is_closing_once(self) -> None:
        """A case that is closed can be closed again."""
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        for _ in range(2):
            self.done(crm, network, crm.close_case(case, "resolved"))

    def test_an_edit_is_told_once(self) -> None:
        """An edit told twice leaves as much behind as told once, and does not make the original anew."""
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        record = self.done(crm, network, crm.save_interaction(case, TOUCH, self.named("k-1")))
        edited = TOUCH.model_copy(update={"text": "Where is my blue parcel?"})
        refs = [
            self.done(crm, network, crm.edit_interaction(case, record, edited, self.named("k-1"))) for _ in range(2)
        ]
        if refs[0].id != refs[1].id:
            fail(f"an edit told twice made the records {refs[0].id} and {refs[1].id}")
        again = self.done(crm, network, crm.save_interaction(case, TOUCH, self.named("k-1")))
        if again.id != record.id:
            fail(f"after an edit, what was saved as {record.id} is saved again as {again.id}")

    def test_what_is_removed_stays_removed(self) -> None:
        """Removing a record twice is removing it once."""
        self._written("remove_interaction")
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        record = self.done(crm, network, crm.save_interaction(case, TOUCH, self.named("k-1")))
        for _ in range(2):
            self.done(crm, network, crm.remove_interaction(case, record, self.named("k-1")))

    def test_a_closed_case_opens_again(self) -> None:
        """What was closed is open after `reopen_case`, also when told twice."""
        self._written("reopen_case")
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        self.done(crm, network, crm.close_case(case, "resolved"))
        self._stands(crm, network, case, "closed")
        for _ in range(2):
            self.done(crm, network, crm.reopen_case(case))
        self._stands(crm, network, case, "open")

    def test_what_was_changed_meanwhile_is_a_conflict(self) -> None:
        """A change of a version that no longer stands is refused with Conflict, and one of the newest goes well."""
        self._written("read_case")
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        state = self.done(crm, network, crm.read_case(case))
        if state.version is None:
            pytest.skip("the CRM gives no versions")
        self.done(crm, network, crm.close_case(case, "resolved"))
        stale = CaseRef(id=case.id, version=state.version)
        try:
            drive(crm.close_case(stale, "abandoned"), self.answering(crm, network), crm.failure)
        except Conflict:
            pass
        else:
            fail("a case that was changed after it was read is changed all the same; send the version along")
        now = self.done(crm, network, crm.read_case(case)).version
        self.done(crm, network, crm.close_case(CaseRef(id=case.id, version=now), "resolved"))

    def test_an_erased_case_stays_erased(self) -> None:
        """Erasing a case twice is erasing it once."""
        self._written("erase_case")
        crm, network = self.make(), self.network()
        case = self.opened(crm, network, "c-1")
        for _ in range(2):
            self.done(crm, network, crm.erase_case(case.id))

    def _stands(self, crm: CRM[Any], network: Callable[[Any], Any], case: CaseRef, wanted: str) -> None:
        if self.overrides("read_case"):
            status = self.done(crm, network, crm.read_case(case)).status
            if status != wanted:
                fail(f"read_case says that the case is {status}; it is {wanted}")

    def _one_record(self, verb: str, refs: list[Ref]) -> None:
        first, again, other = refs
        if first.id != again.id:
            fail(f"{verb} with one key twice made the records {first.id} and {again.id}; look for the key first")
        if first.id == other.id:
            fail(f"{verb} with two keys made the one record {first.id}")


class CRMNews(OfCRM):
    """What agents do there arrives, and what we do there does not come back."""

    def test_our_own_writing_does_not_come_back(self) -> None:
        """What the adapter has saved, attached and closed is told neither by webhook nor by poll."""
        crm, other = self.make(), self._listened_to()
        since = crm.starting(self.began)
        case = self.opened(crm, other.handle, "c-1")
        for number, direction in enumerate(("inbound", "outbound", "internal")):
            touch = TOUCH.model_copy(update={"direction": direction, "native_id": f"m-{number}"})
            self.done(crm, other.handle, crm.save_interaction(case, touch, self.named(f"k-{number}")))
        if self.overrides("attach"):
            blob = Blob(content=b"content", media_type="text/plain", name="note.txt")
            self.done(crm, other.handle, crm.attach(case, blob, self.named("k-3")))
        self.done(crm, other.handle, crm.close_case(case, "resolved"))
        told = self._of(case, [*self._heard(crm, other), *self._polled(crm, other, since)])
        if echoes := [event for event in told if not isinstance(event, HARMLESS)]:
            fail(f"what the adapter wrote itself is told as news: {echoes[0]!r}; leave out what our own user did")

    def test_a_reply_arrives_by_every_way_as_one(self) -> None:
        """An agent's reply in a case is told once by each way, with the same id, its case and its text."""
        crm, other = self.make(), self._listened_to()
        since = crm.starting(self.began)
        case = self.opened(crm, other.handle, "c-1")
        self._heard(crm, other)
        other.speak("dana", "It is on its way.", case.id)
        ways = [self._of(case, self._heard(crm, other)), self._of(case, self._polled(crm, other, since))]
        replies = [[event for event in way if isinstance(event, AgentReplied)] for way in ways]
        found = [one for way in replies for one in way]
        if not found:
            fail("an agent replied in the CRM, and neither a webhook nor a polled page tells of it")
        if any(len(way) > 1 for way in replies) or len({one.id for one in found}) > 1:
            fail(f"one reply is told as {[one.id for one in found]}; each way tells it once, all with the same id")
        for one in found:
            if one.case != case.id or "It is on its way." not in one.text:
                fail(f"an agent said 'It is on its way.' in the case {case.id}; it is told as {one!r}")

    def test_a_polled_cursor_goes_on(self) -> None:
        """What was polled once is not polled again from the cursor that came with it."""
        crm, other = self.make(), self._listened_to()
        if not self.overrides("poll"):
            pytest.skip("it is not polled")
        case = self.opened(crm, other.handle, "c-1")
        other.speak("dana", "It is on its way.", case.id)
        first, cursor = self._pages(crm, other, crm.starting(self.began))
        second, _ = self._pages(crm, other, cursor)
        if again := {event.id for event in first} & {event.id for event in second}:
            fail(f"polled from the cursor that came with it, {sorted(again)[0]} is told again")

    def _of(self, case: CaseRef, told: list[CRMEvent]) -> list[CRMEvent]:
        return [event for event in told if getattr(event, "case", case.id) == case.id]

    def _listened_to(self) -> Any:
        if not self.overrides("parse"):
            pytest.skip("it tells no news")
        return self.counterpart()

    def _heard(self, crm: CRM[Any], other: Any) -> list[CRMEvent]:
        """What the webhooks say that are due."""
        payloads = other.due()
        for payload in payloads:
            crm.verify(payload)
        return [event for payload in payloads for event in crm.parse(payload)]

    def _polled(self, crm: CRM[Any], other: Any, since: str | None) -> list[CRMEvent]:
        return self._pages(crm, other, since)[0] if self.overrides("poll") else []

    def _pages(self, crm: CRM[Any], other: Any, cursor: str | None) -> tuple[list[CRMEvent], str | None]:
        told: list[CRMEvent] = []
        for _ in range(PAGES):
            page = self.done(crm, other.handle, crm.poll(cursor))
            told += [event for payload in page.payloads for event in crm.parse(payload)]
            cursor = page.cursor
            if not page.more:
                break
        else:
            fail(f"after {PAGES} pages there is still more, and nothing happened there; does the cursor move?")
        return told, cursor


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
    CRMClaims, GoldenFlows, CRMEvidence, CRMOnce, CRMNews, Verified, Parsing, Flows, Failures, Renewed, Secrets, Pure
):
    """Subclass it with `crm` and `simulator`, in a file that pytest collects."""

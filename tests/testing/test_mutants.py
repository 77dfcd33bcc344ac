"""The auditor is audited: each mutant breaks one thing, and one property must find it."""

import dataclasses
import hashlib
import json
import logging
import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import mutants_of_mentions  # noqa: F401 - registers its mutants
import mutants_of_purity  # noqa: F401 - the same
import mutants_of_signs  # noqa: F401 - the same
import mutants_of_streams  # noqa: F401 - the same
import mutants_of_trust  # noqa: F401 - the same
import pytest
from killing import MUTANTS, claiming, killed_by
from pigeon.connector import Pigeon, PigeonSettings
from pigeon.dove import Dove, Release

from socialsupport_core.contract import (
    DeliveryError,
    Flow,
    MalformedPayload,
    Settings,
    SignatureError,
    Unavailable,
    Uncertain,
    from_response,
)
from socialsupport_core.model import (
    Capabilities,
    Event,
    Identifier,
    Intent,
    Interaction,
    Page,
    Party,
    Payload,
    Receipt,
    Reply,
    SendMessage,
    Thread,
)
from socialsupport_core.testing.check import check

# reading


@killed_by("ids_are_stable")
class TheIdIsTheMoment(Pigeon):
    def id_of(self, note: Any, payload: Payload) -> str:
        return f"{note['id']}-{payload.received_at.timestamp()}"


@killed_by("ids_are_stable")
class TheIdIsChance(Pigeon):
    def id_of(self, note: Any, payload: Payload) -> str:
        return str(uuid.uuid4())


@killed_by("ids_are_stable")
class TheIdIsTheSignature(Pigeon):
    def id_of(self, note: Any, payload: Payload) -> str:
        return f"{note['id']}-{payload.header(self.signature_header)}"


@killed_by("ids_are_stable")
class TheIdIsSwallowed(Pigeon):
    def id_of(self, note: Any, payload: Payload) -> str:
        return "note"


@killed_by("unknown_fields_change_nothing")
class TheIdIsADigestOfTheBody(Pigeon):
    def id_of(self, note: Any, payload: Payload) -> str:
        return hashlib.sha256(json.dumps(note).encode()).hexdigest()


@killed_by("unknown_fields_change_nothing")
class UnknownFieldsAreRefused(Pigeon):
    def event(self, note: Any, payload: Payload) -> Event:
        if set(note) - {"id", "type", "loft", "at", "letter", "perch", "sealed", "text", "from"}:
            raise ValueError("unknown field")
        return super().event(note, payload)


@killed_by("parse_is_total_on_strange_fields")
class AMissingFieldRaisesKeyError(Pigeon):
    def parse(self, payload: Payload) -> Iterable[Event]:
        return list(self.events(payload))


@killed_by("parse_is_total_on_json")
class OnlyKeyErrorsAreCaught(Pigeon):
    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            return list(self.events(payload))
        except KeyError:
            return []


@killed_by("what_is_cut_off_does_not_vanish")
class WhatCannotBeReadVanishes(Pigeon):
    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            return super().parse(payload)
        except MalformedPayload:
            return []


@killed_by("accounts_are_in_the_networks_own_namespace")
class ItsAccountsAreAnotherNetworks(Pigeon):
    kind = "telegram.user"

    def letter(self, note: Any) -> Interaction:
        letter = super().letter(note)
        known = tuple(one.model_copy(update={"kind": self.kind}) for one in letter.author.identifiers)
        return letter.model_copy(update={"author": letter.author.model_copy(update={"identifiers": known})})


@killed_by("accounts_are_in_the_networks_own_namespace")
class ItsAccountsAreEverybodys(ItsAccountsAreAnotherNetworks):
    kind = "user"


@killed_by("accounts_are_in_the_networks_own_namespace")
class ItsAccountsAreNoMailboxes(ItsAccountsAreAnotherNetworks):
    kind = "email"


@killed_by("parse_is_total_on_bytes")
class ItRaisesOnlyWhenItIsRead(Pigeon):
    def parse(self, payload: Payload) -> Iterator[Event]:
        return self.events(payload)


@killed_by("parse_is_pure")
class ItRemembersWhatItRead(Pigeon):
    def parse(self, payload: Payload) -> Iterable[Event]:
        seen: set[str] = self.__dict__.setdefault("seen", set())
        fresh = [event for event in super().parse(payload) if event.id not in seen]
        seen.update(event.id for event in fresh)
        return fresh


@killed_by("the_time_zone_of_the_machine_changes_nothing")
class NaiveMomentsAreLocal(Pigeon):
    def moment(self, written: str) -> datetime:
        return datetime.fromisoformat(written).astimezone(UTC)


@killed_by("echoes_are_flagged")
class AnEchoIsNotFlagged(Pigeon):
    def letter(self, note: Any) -> Interaction:
        letter = super().letter(note)
        return letter.model_copy(update={"author": letter.author.model_copy(update={"is_self": False})})


@killed_by("echoes_are_flagged")
class AnEchoIsInbound(Pigeon):
    def letter(self, note: Any) -> Interaction:
        return super().letter(note).model_copy(update={"direction": "inbound"})


@killed_by("every_payload_is_acknowledged")
class OnlyWhatIsRecognisedIsAcknowledged(Pigeon):
    def acknowledge(self, payload: Payload) -> Reply:
        return Reply.of_json({"seen": [note["id"] for note in payload.json()["notes"]]})


@killed_by("every_payload_is_acknowledged")
class AnAcknowledgementIsForgotten(Pigeon):
    def acknowledge(self, payload: Payload) -> Reply:
        return super().acknowledge(payload) if b"notes" in payload.body else None  # type: ignore[return-value]


@killed_by("inbound_cases")
class TheNameIsLost(Pigeon):
    def letter(self, note: Any) -> Interaction:
        letter = super().letter(note)
        return letter.model_copy(update={"author": letter.author.model_copy(update={"name": None})})


# sending


@killed_by("long_texts_arrive_whole")
class LongTextsAreCut(Pigeon):
    def written(self, intent: SendMessage) -> str:
        return super().written(intent)[:100]


@killed_by("long_texts_arrive_whole")
class OnlyTheFirstParagraphIsSent(Pigeon):
    def written(self, intent: SendMessage) -> str:
        return super().written(intent).split("\n\n")[0]


@killed_by("long_texts_arrive_whole")
class VeryLongTextsAreCut(Dove):
    def send(self, intent: Intent) -> Flow[Receipt]:
        text = getattr(intent, "text", None)
        return super().send(intent.model_copy(update={"text": text[:50_000]}) if text else intent)


@killed_by("a_reply_reaches_its_thread")
class RepliesGoToOurselves(Pigeon):
    def perch(self, intent: SendMessage) -> str:
        return intent.own_account


@killed_by("replies_do_not_get_mixed_up")
class RepliesGoToTheFirstThread(Pigeon):
    def perch(self, intent: SendMessage) -> str:
        return "p-77 square-4"


@killed_by("requests_stay_on_declared_hosts")
class AnUndeclaredHostIsCalled(Pigeon):
    def url(self, path: str) -> str:
        return "https://statistics.pigeon.example" + path


@killed_by("requests_stay_on_declared_hosts")
class PlainHTTPIsUsed(Pigeon):
    def url(self, path: str) -> str:
        return super().url(path).replace("https:", "http:")


@killed_by("flows_are_deterministic")
class TheKeyIsChance(Pigeon):
    def fly(self, intent: SendMessage) -> Flow[Receipt]:
        return super().fly(intent.model_copy(update={"key": str(uuid.uuid4())}))


@killed_by("flows_end")
class ItPollsForEver(Pigeon):
    def poll(self, cursor: str | None) -> Flow[Page]:
        while True:
            page = yield from super().poll(cursor)
            if not page.more:
                return page


@killed_by("outbound_cases")
class RefusedWith200IsSuccess(Pigeon):
    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return None if response.is_success else super().failure(response)


@killed_by("every_status_is_a_decision")
class ServerErrorsAreSuccesses(Pigeon):
    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return None if response.status_code >= 500 else super().failure(response)


@killed_by("any_body_of_a_success_is_bearable")
class FailureCountsOnJSON(Pigeon):
    def failure(self, response: httpx.Response) -> DeliveryError | None:
        if response.is_success and response.json()["ok"] is False:
            return super().failure(response)
        return from_response(response)


@killed_by("slow_down_is_understood")
class SlowDownIsIgnored(Pigeon):
    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return Uncertain("hm") if response.status_code == 429 else super().failure(response)


@killed_by("doubt_is_never_retried_blindly")
class DoubtIsRetried(Pigeon):
    capabilities = claiming(settles="none")

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return Unavailable("later") if response.status_code == 502 else super().failure(response)


@killed_by("doubt_is_never_retried_blindly")
class DoubtAboutADoveIsRetried(Dove):
    def send(self, intent: Intent) -> Flow[Receipt]:
        try:
            return (yield from super().send(intent))
        except Uncertain as error:
            raise Unavailable("later") from error


@killed_by("flows_survive_any_answer")
class FailuresAreSwallowed(Pigeon):
    def fly(self, intent: SendMessage) -> Flow[Receipt]:
        try:
            return (yield from super().fly(intent))
        except DeliveryError:
            return Receipt()


@killed_by("flows_survive_any_error")
class AFailureBecomesARuntimeError(Pigeon):
    def probe(self) -> Flow[Any]:
        try:
            return (yield from super().probe())
        except DeliveryError as error:
            raise RuntimeError("no") from error


@killed_by("unclaimed_intents_are_refused")
class EveryIntentIsSent(Pigeon):
    def send(self, intent: Intent) -> Flow[Receipt]:
        message = {"key": intent.key, "own_account": intent.own_account, "thread": intent.thread, "text": "x"}
        return super().send(intent if isinstance(intent, SendMessage) else SendMessage(**message))


# secrets


@killed_by("secrets_stay_out_of_addresses")
class TheTokenIsInTheAddress(Pigeon):
    def url(self, path: str) -> str:
        return f"{super().url(path)}?token={self.settings.token.get_secret_value()}"


@killed_by("secrets_stay_out_of_failures")
class TheTokenIsInTheError(Pigeon):
    def failure(self, response: httpx.Response) -> DeliveryError | None:
        error = super().failure(response)
        return error and type(error)(f"{error} ({response.request.headers['authorization']})")


@killed_by("secrets_stay_out_of_errors_and_logs")
class TheTokenIsLogged(Pigeon):
    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        request = super().ask(method, path, **content)
        logging.getLogger(__name__).debug("asking with %s", request.headers["authorization"])
        return request


@killed_by("secrets_stay_out_of_refusals")
class TheRightSignatureIsToldToTheForger(Dove):
    def verify(self, payload: Payload) -> None:
        try:
            super().verify(payload)
        except SignatureError as error:
            raise SignatureError(f"expected {self.settings.secret.get_secret_value()}") from error


@killed_by("secrets_stay_out_of_refusals")
class AMistakeInParseTellsTheToken(Pigeon):
    def parse(self, payload: Payload) -> Iterable[Event]:
        if payload.body == b"?":
            raise RuntimeError(f"{vars(self.settings)} {self.settings.token.get_secret_value()}")
        return super().parse(payload)


@killed_by("secrets_stay_out_of_representations")
class TheTokenIsInTheRepr(Pigeon):
    def __repr__(self) -> str:
        return f"Pigeon({self.settings.token.get_secret_value()})"


@dataclasses.dataclass(frozen=True)
class _Open(Release):
    password: str  # type: ignore[assignment]


_Open.__name__, _Open.__module__ = "Release", Release.__module__


@killed_by("secrets_stay_out_of_representations")
class ThePasswordIsInTheAsk(Dove):
    def send(self, intent: Intent) -> Flow[Receipt]:
        flow = super().send(intent)
        ask = next(flow)
        answer = yield _Open(ask.to, ask.text, ask.password.get_secret_value())
        return Receipt(native_id=answer.ring)


# claims


@killed_by("every_claimed_event_has_a_case")
class AnEventIsOnlyClaimed(Pigeon):
    capabilities = claiming(events={*Pigeon.capabilities.events, "reaction.added"})


@killed_by("every_claimed_event_has_a_case")
class AnEventIsNotClaimed(Pigeon):
    capabilities = claiming(events={"interaction.received"})


@killed_by("every_claimed_intent_has_a_case")
class AnIntentIsOnlyClaimed(Pigeon):
    capabilities = claiming(intents={*Pigeon.capabilities.intents, "react"})


@killed_by("every_claimed_way_in_has_a_case")
class AWayInIsOnlyClaimed(Pigeon):
    capabilities = claiming(receives={"webhook", "poll", "stream"})


@killed_by("sending_claims_have_cases")
class ButtonsAreOnlyClaimed(Pigeon):
    capabilities = claiming(choices=3)


@killed_by("sending_claims_have_cases")
class PublicIsNotClaimed(Pigeon):
    capabilities = claiming(sends={"private"})


@killed_by("whoever_is_written_to_first_is_shown")
class ClaimsToWriteFirst(Pigeon):
    capabilities = claiming(begins={"nobody.known"})


@killed_by("reporting_claims_have_cases")
class AReceiptIsOnlyClaimed(Pigeon):
    capabilities = claiming(receipts={"delivered", "read"})


@killed_by("supported_and_unsupported_are_disjoint")
class BothAtOnce(Pigeon):
    capabilities = claiming(unsupported={"send.message"})


@killed_by("every_override_has_a_case")
class AProfileWithoutACase(Pigeon):
    def profile(self, identifier: Identifier) -> Flow[Party]:
        yield self.ask("GET", f"/rings/{identifier.value}")
        return Party()


@killed_by("capabilities_only_narrow")
class AThreadWidens(Pigeon):
    def capabilities_in(self, thread: Thread) -> Capabilities:
        return claiming(choices=5)


@killed_by("attachments_fit_the_declared_media")
class OnlySoundsMayBeSent(Pigeon):
    capabilities = claiming(media=[{"media_type": "audio/*", "max_bytes": 10}])


class _OpenSettings(PigeonSettings):
    token: str  # type: ignore[assignment]


@killed_by("the_declaration_is_sane")
class TheTokenIsNoSecret(Pigeon):
    settings_model: type[Settings] = _OpenSettings


@killed_by("interactions_name_their_network")
class TheNetworkHasAnotherName(Pigeon):
    name = "dodo"


@pytest.mark.parametrize(("name", "mutant"), MUTANTS, ids=[mutant.__name__ for _, mutant in MUTANTS])
def test_mutant_is_killed(name: str, mutant: type[Any]) -> None:
    report = check(mutant, only=[name])
    assert {result.name for result in report.failed} == {name}
    assert not report.passed
    assert all(result.message for result in report.failed)
    assert not [result for result in report.failed if RAISED.search(result.message)], "the kit itself has raised"


RAISED = re.compile(r"\nE   |^`\w+` raised ")


def test_every_property_of_the_kit_kills_something() -> None:
    properties = {result.name for result in check(Pigeon).results}
    unproven = properties - {name for name, _ in MUTANTS} - TRIED_ELSEWHERE
    assert not unproven


TRIED_ELSEWHERE = {
    "the_cases_can_be_read",
    "the_fake_secrets_can_be_looked_for",
    "handshake_cases",
    "poll_cases",
    "call_cases",
}

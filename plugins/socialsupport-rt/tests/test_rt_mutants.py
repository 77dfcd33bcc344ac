"""What the kit says to adapters that get it wrong: each of these is RT's with one mistake."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from socialsupport_core.contract import CaseRef, CaseSummary, CRMEvent, Flow, Ref
from socialsupport_core.model import Interaction, Page, Payload
from socialsupport_core.testing.check import check_crm
from socialsupport_rt import RT
from socialsupport_rt.native import events
from socialsupport_rt.simulator import RTSimulator

_numbers = count()


class WhatFollowsIsTheSame(RT):
    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        return (yield from super().open_case(conversation.model_copy(update={"follows": None})))


class AnEditEachTime(RT):
    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        return (yield from super().edit_interaction(case, record, interaction, f"{key}{next(_numbers)}"))


class TheVersionIsForgotten(RT):
    def _change(self, case: CaseRef, content: dict[str, Any]) -> Any:
        return super()._change(CaseRef(id=case.id), content)


class NothingOpensAgain(RT):
    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield self._request("GET", "rt")


class WhatWeWroteComesBack(RT):
    def poll(self, cursor: str | None) -> Flow[Page]:
        mistaken = self.settings.model_copy(update={"user": "somebody else"})
        return (yield from RT(mistaken).poll(cursor))

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload.body, "somebody else")


class EveryReplyTwice(RT):
    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        for event in super().parse(payload):
            yield event
            yield event.model_copy(update={"id": f"{event.id}a"})


class TheCaseIsAnother(RT):
    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        for event in super().parse(payload):
            yield event.model_copy(update={"case": "1"}) if hasattr(event, "case") else event


class TheCursorStandsStill(RT):
    def poll(self, cursor: str | None) -> Flow[Page]:
        page = yield from super().poll(cursor)
        return page.model_copy(update={"cursor": cursor})


class ThereIsAlwaysMore(RT):
    def poll(self, cursor: str | None) -> Flow[Page]:
        page = yield from super().poll(cursor)
        return page.model_copy(update={"more": True})


MUTANTS = [
    ("what_follows_a_case_is_another", WhatFollowsIsTheSame),
    ("an_edit_is_told_once", AnEditEachTime),
    ("what_was_changed_meanwhile_is_a_conflict", TheVersionIsForgotten),
    ("a_closed_case_opens_again", NothingOpensAgain),
    ("our_own_writing_does_not_come_back", WhatWeWroteComesBack),
    ("a_reply_arrives_by_every_way_as_one", EveryReplyTwice),
    ("a_reply_arrives_by_every_way_as_one", TheCaseIsAnother),
    ("a_polled_cursor_goes_on", TheCursorStandsStill),
    ("a_polled_cursor_goes_on", ThereIsAlwaysMore),
]


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_killed(name: str, mutant: type[RT]) -> None:
    assert check_crm(RT, RTSimulator, only=[name]).passed
    report = check_crm(mutant, RTSimulator, only=[name])
    assert {result.name for result in report.failed} == {name}

"""A support desk at a simulated CRM: an adapter and its simulator, with nothing between them.

For what the kit does not ask of an adapter: what agents do there comes out as events, what the hub wants is done there.

    class Desk(testing.CRMDesk[Tidy, TidySimulator]):
        def __init__(self) -> None:
            super().__init__(Tidy(SETTINGS), TidySimulator(SETTINGS, clock=self.clock))


    def test_an_answer_comes_back() -> None:
        desk = Desk()
        case = desk.opened()
        desk.sim.speak("dana", "It is on its way.", case.id)
        assert desk.texts(desk.heard()) == ["It is on its way."]
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

import httpx

from socialsupport_core.contract import (
    CRM,
    AgentNoted,
    AgentReplied,
    CaseRef,
    CaseSummary,
    CRMEvent,
    Flow,
    Uncertain,
    drive,
)
from socialsupport_core.model import Credentials, Page
from socialsupport_core.testing.simulator import Simulator

PAGES = 50
"""After so many pages a poll that still has more does not end."""

A = TypeVar("A", bound=CRM[Any])
W = TypeVar("W", bound=Simulator)


class CRMDesk(Generic[A, W]):
    """An adapter against its simulator, without a hub. A subclass makes both, with `clock`."""

    now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    """Stands still until it is set."""
    step: ClassVar[timedelta] = timedelta(0)
    """By so much it goes on with each call, for a CRM in which nothing may happen at one time."""

    def __init__(self, crm: A, sim: W) -> None:
        self.crm = crm
        self.sim = sim
        self.credentials: Credentials | None = None
        """Of whoever has signed in."""
        self.pages = 0
        """How many the last poll had."""

    def clock(self) -> datetime:
        return self.now

    def run(self, flow: Flow[Any], crm: A | None = None) -> Any:
        """The result of a flow that the simulator answers, also of another adapter (`crm`). Raises DeliveryError."""
        used = crm or self.crm

        def respond(ask: Any) -> Any:
            self.now += self.step
            try:
                return self.sim.handle(used.authorize_with(ask, self.credentials, self.now, ""))
            except httpx.ReadError as error:
                raise Uncertain("the connection was cut") from error

        return drive(flow, respond, used.failure)

    def opened(self, name: str = "con_1", **more: Any) -> CaseRef:
        """The case of a conversation; `more` are fields of its summary."""
        about = {"conversation": name, "customer": "cus_1", "subject": "Where is it?", "opened_at": CRMDesk.now}
        case: CaseRef = self.run(self.crm.open_case(CaseSummary.model_validate(about | more)))
        return case

    def heard(self) -> list[CRMEvent]:
        """What the webhooks say that are due."""
        return [event for payload in self.sim.due() for event in self.crm.parse(payload)]

    def polled(self, cursor: str | None) -> tuple[list[CRMEvent], str | None]:
        """To the end, as the hub does: what has an id that was told before is left out. And where the next begins."""
        told: dict[str, CRMEvent] = {}
        for self.pages in range(1, PAGES + 1):
            page: Page = self.run(self.crm.poll(cursor))
            told |= {event.id: event for payload in page.payloads for event in self.crm.parse(payload)}
            cursor = page.cursor
            if not page.more:
                return list(told.values()), cursor
        raise AssertionError(f"after {PAGES} pages there is still more")

    @staticmethod
    def texts(told: Iterable[CRMEvent]) -> list[str]:
        """What agents have said of it, to customers or among themselves."""
        return [event.text for event in told if isinstance(event, AgentReplied | AgentNoted)]

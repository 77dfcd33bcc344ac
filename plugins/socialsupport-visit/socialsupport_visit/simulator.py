"""People who come to the shop, and staff who write it down."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_visit.records import VISITS
from socialsupport_visit.settings import VisitSettings


class VisitSimulator(Simulator):
    """What the form would write, and the same visits as the table that a till would export."""

    network: ClassVar[str] = "visit"
    hosts: ClassVar[frozenset[str]] = frozenset()
    places: ClassVar[tuple[Place, ...]] = (Place("shop", "Come to the shop", "private"),)
    settings: VisitSettings

    def __init__(self, settings: VisitSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.records: list[dict[str, Any]] = []
        self.staff = "Dana"
        self._before = 0
        """Visits of an earlier time."""

    def resume(self, sent: Sequence[Payload]) -> None:
        super().resume(sent)
        self._before = len(sent)

    def respond(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="a shop has no calls to answer")

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`text` is what the staff write down. `more`: branch, card, email, phone, order, outcome, minutes, staff."""
        number, now = self._before + len(self.records) + 1, self.clock()
        branch = more.pop("branch", next(iter(self.settings.branches)))
        known = {"card": f"card-{person}", "name": person.title(), "staff": self.staff, "minutes": 5} | more
        visit = {"branch": branch, "at": now.isoformat(timespec="seconds"), "about": text, "id": f"v-{number}"} | known
        self.records.append({key: value for key, value in visit.items() if value is not None})
        self.emit(self.signed(json.dumps(self.records[-1]).encode()))
        said = Said(f"{branch}/v-{number}", "shop", f"{branch}/v-{number}", person, text, now)
        self.said.append(said)
        return said

    def export(self) -> bytes:
        """All visits as a CSV file."""
        table = io.StringIO()
        writer = csv.DictWriter(table, (*VISITS.needed, *VISITS.optional), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.records)
        return table.getvalue().encode()

    def due(self) -> list[Payload]:
        """Signed as they leave: a late or repeated one carries a fresh signature."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        now = self.clock()
        id_, at = f"msg_{self.random.getrandbits(64):016x}", str(int(now.timestamp()))
        proof = {signing.ID: id_, signing.TIMESTAMP: at}
        proof[signing.SIGNATURE] = signing.sign(self.settings.keys[:1], id_, at, body)
        headers = (("content-type", "application/json"), *proof.items())
        return Payload(url=self.door, headers=headers, body=body, received_at=now)

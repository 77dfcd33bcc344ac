"""The journal's queue: equal shares, whoever has how much waiting."""

from collections import Counter
from pathlib import Path

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.model import Payload
from socialsupport_core.pipeline.workers import BATCH
from socialsupport_core.store import journal, open_store


def claimed(roost: Roost, limit: int, after: str = "") -> Counter[str]:
    found = roost.hub._database.do(lambda tx: journal.claim(tx, limit, after))
    return Counter(str(entry.tenant) for entry in found)


def test_a_long_backlog_leaves_others_their_share(roost: Roost) -> None:
    for number in range(300):
        roost.deliver(message(number, "again and again"))
    roost.deliver(message(1, "hello"), tenant="rival")
    assert claimed(roost, 100) == {"acme": 50, "rival": 1}
    assert roost.hub.workers.record_waiting() == 51
    assert roost.texts(tenant="rival") == ["hello"]


def test_with_one_tenant_it_gets_all(roost: Roost) -> None:
    for number in range(120):
        roost.deliver(message(number, "again and again"))
    assert claimed(roost, 100) == {"acme": 100}


def test_each_tenants_oldest_come_first(roost: Roost) -> None:
    for number in range(5):
        roost.deliver(message(number, f"text {number}"))
    found = roost.hub._database.do(lambda tx: journal.claim(tx, 3))
    assert [entry.number for entry in found] == sorted(entry.number for entry in found)
    assert len(found) == 3


def test_however_many_tenants_wait_each_has_its_turn(store: str | Path) -> None:
    database = open_store(store)
    everybody = [f"t{n:03}" for n in range(journal.AT_ONCE * 2 + 3)]
    payload = Payload(received_at=NOON)
    database.do(lambda tx: journal.append(tx, [(tenant, "door", payload) for tenant in everybody for _ in range(3)]))
    served, after = Counter[str](), ""
    for _ in range(3):
        entries = database.do(lambda tx, after=after: journal.claim(tx, BATCH, after))  # type: ignore[misc]
        served.update(str(entry.tenant) for entry in entries)
        after = str(entries[-1].tenant)
    assert set(served) == set(everybody)
    database.close()


@pytest.mark.parametrize("many", [1, 100])
def test_the_door_of_an_app_is_served_beside_the_tenants(roost: Roost, many: int) -> None:
    database = roost.hub._database
    payload = roost.payload(message(1, "x"))
    database.do(lambda tx: journal.append(tx, [(None, "app-door", payload) for _ in range(many)]))
    roost.deliver(message(1, "hello"))
    assert claimed(roost, 10) == {"None": min(many, 5), "acme": 1}

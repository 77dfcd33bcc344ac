"""Erasing over HTTP: who may, what is answered, and 410 from then on."""

from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.model import ErasureRequested, Identifier

KERRY = "/api/customers/raven.ring:kerry"


@pytest.fixture
def eraser(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "acme", "read", "erase")


def test_erased_is_410_by_every_id(eraser: Desk, acme: Desk, roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    customer = acme.get(KERRY).json()["id"]
    told = eraser.ask("DELETE", KERRY)
    assert (told.status_code, told.json()["customer"], told.json()["state"]) == (200, customer, "done")
    for path in ("", "/timeline", "/explain"):
        answer = eraser.get(f"/api/customers/{customer}{path}")
        assert (answer.status_code, answer.json()["title"]) == (410, "Erased")
    assert eraser.ask("DELETE", f"/api/customers/{customer}").json() == told.json()
    assert eraser.get(KERRY).status_code == 404
    assert eraser.ask("DELETE", "/api/customers/cus_nobody").status_code == 404
    roost.settle()
    assert "raven.ring:kerry" not in roost.dump()


def test_it_needs_its_scope_and_stays_in_its_tenant(acme: Desk, rival: Desk, roost: Roost, web: Web) -> None:
    roost.hear(message(1, "hello"))
    assert acme.ask("DELETE", KERRY).status_code == 403
    assert Desk(roost, web, "rival", "erase").ask("DELETE", KERRY).status_code == 404
    assert roost.texts() == ["hello"]


def test_what_was_erased_and_what_waits_is_listed(eraser: Desk, acme: Desk, roost: Roost) -> None:
    first = message(1, "hello")
    roost.hear(first, message(2, "hi", "robin"))
    for name in ("kerry", "robin"):
        whom = (Identifier(kind="raven.ring", value=name),)
        at = first.interaction.sent_at
        roost.hear(ErasureRequested(id=f"d-{name}", own_account="tower", identifiers=whom, at=at))
    waiting = eraser.get("/api/erasures").json()["requests"]
    assert [one["channel"] for one in waiting] == ["tower", "tower"]
    robin = acme.get("/api/customers/raven.ring:robin").json()["id"]
    (of_robin,) = [one["id"] for one in waiting if one["customer"] == robin]
    assert eraser.post(f"/api/erasures/{of_robin}/dismiss").status_code == 200
    assert eraser.post(f"/api/erasures/{of_robin}/dismiss").status_code == 404
    done = eraser.ask("DELETE", KERRY).json()
    found: dict[str, Any] = eraser.get("/api/erasures").json()
    assert found["requests"] == []
    assert [one["id"] for one in found["erasures"]] == [done["id"]]

"""Two that are one without proof: an agent who knows says so, and it can be taken back."""

import pytest
from raven import Roost, bird, message

from socialsupport_core.identity import VerdictRefused, may_disclose
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, identity

PHONE = Identifier(kind="phone", value="+15550147")


def discloses(roost: Roost) -> bool:
    def look(tx: Tx) -> bool:
        ends = [identity.find(tx, "acme", one) for one in (PHONE, Identifier.parse("raven.ring:kerry"))]
        return may_disclose(tx, "acme", *(one.number for one in ends if one))

    found: bool = roost.hub._database.read(look)
    return found


def test_what_is_asserted_is_confirmed_and_taken_back(roost: Roost) -> None:
    told = message(1, "hello", "kerry", at=roost.clock.now)
    author = bird("kerry", PHONE)
    roost.hear(told.model_copy(update={"interaction": told.interaction.model_copy(update={"author": author})}))
    customer = roost.hub.customer("acme", str(PHONE))
    assert {one["identifier"] for one in customer["accounts"]} == {"raven.ring:kerry", str(PHONE)}
    assert not discloses(roost)
    verdict = roost.hub.link("acme", "raven.ring:kerry", str(PHONE), agent="dana", note="called back")
    assert discloses(roost)
    assert roost.hub.customer("acme", str(PHONE))["id"] == customer["id"]
    assert roost.hub.explain("acme", str(PHONE))["weakest"]["tier"] == "human"
    with pytest.raises(VerdictRefused, match="one customer already, and nothing more is needed"):
        roost.hub.link("acme", "raven.ring:kerry", str(PHONE), agent="dana")
    roost.hub.undo("acme", verdict.id, agent="dana")
    assert not discloses(roost)
    assert roost.hub.customer("acme", str(PHONE))["id"] == customer["id"]  # the network still says so

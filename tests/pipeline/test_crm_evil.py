"""An adapter that goes wrong, whatever of it goes wrong, keeps neither the channels nor another CRM from anything."""

import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from help_desk import Desk, Shop
from raven import edited, message

from socialsupport_core.contract import CRM, SocialSupportError
from socialsupport_core.model import Payload
from socialsupport_core.store.crm import cursor

VERBS = [name for name in dir(CRM) if inspect.isfunction(getattr(CRM, name)) and not name.startswith("_")]
CANARY = "desk-token-1"


def evil(verb: str, how: Any) -> type[CRM[Any]]:
    def raising(*given: Any, **more: Any) -> Any:
        raise how(CANARY)

    def answering(*given: Any, **more: Any) -> Any:
        return how

    return type("Evil", (Desk,), {"name": "evil", verb: raising if isinstance(how, type) else answering})


def live_through(shop: Shop) -> None:
    hub = shop.hub
    first = message(1, "whre is it?", at=shop.clock.now)
    shop.hear(first)
    shop.reply("on its way")
    shop.hear(edited(first, "where is it?", 4000))
    hub.note("acme", shop.conversation(), "she is in a hurry", agent="dana")
    hub.resolve("acme", shop.conversation(), agent="dana")
    hub.drain()
    shop.say(2, "and the lamp?")
    for _ in range(3):
        shop.clock.forward(minutes=2)
        hub.drain()


def told_up_to(shop: Shop, crm: str) -> int:
    known = shop.hub.crms.get("acme", crm).connected
    return shop.hub.crms.database.read(lambda tx: cursor(tx, known))


def evil_door(shop: Shop) -> str:
    return str(shop.hub.add_crm("acme", "a_first", "evil", {}).rsplit("/", 1)[1])


@pytest.mark.parametrize("how", [KeyError, SystemExit, 7, None], ids=["KeyError", "SystemExit", "seven", "nothing"])
@pytest.mark.parametrize("verb", VERBS)
def test_whatever_goes_wrong_the_rest_goes_on(tmp_path: Path, verb: str, how: Any) -> None:
    shop = Shop(tmp_path, tmp_path / "hub.db")
    shop.restart(evil(verb, how), Desk)
    try:
        door = evil_door(shop)
        live_through(shop)
        for method in ("GET", "POST"):
            with suppress(SocialSupportError):  # refused, and nothing else
                shop.hub.receive(door, Payload(body=b"[]", method=method, received_at=shop.clock())).result()
        shop.hub.erase("acme", "raven.ring:kerry", agent="dana")
        shop.say(3, "hello", "robin")
        assert shop.texts("robin") == ["hello"]
        assert shop.journal()["unexplained"] == 0
        assert told_up_to(shop, "desk") == shop.hub.events("acme", limit=500)[-1]["cursor"]
        complaints = [one["data"] for one in shop.log("crm.failed")]
        assert {one["crm"] for one in complaints} <= {"a_first"}
        assert CANARY not in str(complaints)
    finally:
        shop.hub.close()

"""Forged, truncated, changed by a bit, or at a door that is not there: it leaves nothing but a counter."""

import random
import time
from collections.abc import Callable
from typing import Any

from socialsupport_core.contract import SignatureError
from socialsupport_core.hub import Hub, NoSuchDoor
from socialsupport_core.model import Payload
from socialsupport_core.testing.torture.auditor import EVERYTHING, Finding, Witness, picture
from socialsupport_core.testing.torture.fault import Fault, recover, tale
from socialsupport_core.testing.torture.network import signature
from socialsupport_core.testing.torture.site import TENANT, Site

FORGERIES, MANY = 60, 20_000
PATIENCE = 5.0
"""Seconds."""


def _with(payload: Payload, **changed: Any) -> Payload:
    return payload.model_copy(update=changed)


def _signed(payload: Payload, given: str) -> Payload:
    return _with(payload, headers=(("beacon-signature", given),))


def _flipped(payload: Payload, chance: random.Random) -> Payload:
    body = bytearray(payload.body)
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return _with(payload, body=bytes(body))


WAYS: dict[str, Callable[[Payload, random.Random], Payload]] = {
    "unsigned": lambda payload, _: _with(payload, headers=()),
    "signed with nothing": lambda payload, _: _signed(payload, ""),
    "signed at random": lambda payload, chance: _signed(payload, chance.randbytes(32).hex()),
    "signed for another body": lambda payload, _: _signed(payload, signature(payload.body + b" ")),
    "truncated": lambda payload, chance: _with(payload, body=payload.body[: chance.randrange(len(payload.body))]),
    "grown": lambda payload, _: _with(payload, body=payload.body + b"\n"),
    "a bit changed": _flipped,
    "half a signature": lambda payload, chance: _signed(payload, signature(payload.body)[: chance.randrange(64)]),
    "not ASCII": lambda payload, _: _signed(payload, "\udcff\u00e9" * 32),
}


class Forged(Fault):
    name = "forged"
    promise = "what is forged, truncated or at a wrong door is refused and leaves nothing but a counter"
    quick = 8
    parts = ("many",)

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        witness = Witness(tale(seed), hurts=MANY if self.part == "many" else FORGERIES)
        with site.hub() as hub:
            recover(site, hub, witness)
            before = _everything(hub, witness)
            refused = hub.health()["refused"]
            signed = 0
            for _ in range(witness.hurts):
                signed += self._forge(site, hub, witness, chance)
            hub.drain()
            if _everything(hub, witness) != before:
                witness.findings.append(Finding("wrong", "forged payloads have left something"))
            counted = _counted(hub, refused, signed)
            if counted != signed:
                witness.findings.append(Finding("wrong", f"{signed} forgeries were refused, {counted} were counted"))
        return witness

    def _forge(self, site: Site, hub: Hub, witness: Witness, chance: random.Random) -> bool:
        """True if it was refused for its signature."""
        letter = chance.choice(witness.story.letters)
        payload, door = site.payload(letter), site.doors[letter.channel]
        way = chance.choice([*WAYS, "a wrong door"])
        try:
            if way == "a wrong door":
                hub.receive(chance.choice([door[:-1], door + "x", "", letter.channel, TENANT]), payload).result()
            else:
                hub.receive(door, WAYS[way](payload, chance)).result()
        except SignatureError:
            return True
        except NoSuchDoor:
            return False
        witness.findings.append(Finding("wrong", f"a payload was accepted that was {way}"))
        return False


def _counted(hub: Hub, before: int, expected: int) -> int:
    """Nobody waits for the counter, so it may come late."""
    began = time.monotonic()
    while (found := int(hub.health()["refused"]) - before) != expected and time.monotonic() - began < PATIENCE:
        time.sleep(0.01)
    return found


def _everything(hub: Hub, witness: Witness) -> tuple[Any, ...]:
    seen = picture(hub, witness.story.accounts)
    return seen, hub.health()["journal"], hub.events(TENANT, limit=EVERYTHING)

"""Mutants that do by themselves what they should ask for, or whose override nobody calls."""

import socket
import time
from collections.abc import Iterable
from pathlib import Path
from time import sleep
from typing import Any

import httpx
from killing import killed_by
from pigeon.connector import Pigeon

from socialsupport_core.contract import Connector, DeliveryError, Flow
from socialsupport_core.model import Event, Identifier, Intent, Party, Payload, Receipt


@killed_by("it_does_no_io")
class ItReadsAFile(Pigeon):
    def parse(self, payload: Payload) -> Iterable[Event]:
        Path(__file__).read_bytes()
        return super().parse(payload)


@killed_by("it_does_no_io")
class ItAsksTheNetworkAtTheDoor(Pigeon):
    def verify(self, payload: Payload) -> None:
        super().verify(payload)
        socket.socket().close()


@killed_by("it_does_no_io")
class ItWaitsByItself(Pigeon):
    def send(self, intent: Intent) -> Flow[Receipt]:
        time.sleep(0.001)
        return (yield from super().send(intent))


@killed_by("it_does_no_io")
class ItSleepsForAnHour(Pigeon):
    """Which the kit does not."""

    def send(self, intent: Intent) -> Flow[Receipt]:
        time.sleep(3600)
        return (yield from super().send(intent))


@killed_by("it_does_no_io")
class ItWaitsUnderAnotherName(Pigeon):
    def poll(self, cursor: str | None) -> Flow[Any]:
        sleep(0.001)
        return (yield from super().poll(cursor))


@killed_by("no_override_is_misspelt")
class TheFailureIsMisspelt(Pigeon):
    failure = Connector.failure

    def faliure(self, response: httpx.Response) -> DeliveryError | None:
        return None


@killed_by("no_override_is_misspelt")
class TheProfileIsMisspelt(Pigeon):
    def profil(self, identifier: Identifier) -> Flow[Party]:
        yield self.ask("GET", f"/pigeons/{identifier.value}")
        return Party(identifiers=(identifier,))

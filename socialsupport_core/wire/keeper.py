"""Who we are for a flow: the credentials that its requests are authorized with."""

from dataclasses import dataclass
from typing import Protocol

from socialsupport_core.contract.errors import AuthExpired
from socialsupport_core.model import Credentials


class Unusable(AuthExpired):
    """What we have cannot be used, and the text says how an operator mends that."""


@dataclass(frozen=True, slots=True)
class Held:
    """Credentials as they stand: whose they are, and which version of them."""

    holder: str
    version: int
    credentials: Credentials


class Keeper(Protocol):
    """Asked before every request, so that one flow may begin with a token and end with the next."""

    @property
    def name(self) -> str:
        """Names the credential that the settings hold: rates and breakers are counted by it where nothing is held."""
        ...

    async def current(self) -> Held | None:
        """What is in force, renewed if it is about to expire; None if there is nothing. Raises DeliveryError."""
        ...

    async def renewed(self, refused: Held) -> Held:
        """What has come, or now comes, in place of what the network has refused. Raises DeliveryError."""
        ...


class Given:
    """For a flow that is given its credentials, or has none: that which renews them, first of all."""

    def __init__(self, name: str, held: Held | None = None) -> None:
        self.name = name
        self._held = held

    async def current(self) -> Held | None:
        return self._held

    async def renewed(self, refused: Held) -> Held:
        return refused

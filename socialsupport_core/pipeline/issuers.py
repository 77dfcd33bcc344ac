"""The keys of issuers, read where they say, and again when one signs with a key that is not known yet."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from socialsupport_core.contract import ConfigError
from socialsupport_core.identity.proofs import discovery
from socialsupport_core.store import Database, micros, proofs
from socialsupport_core.store.proofs import Issuer
from socialsupport_core.wire.webhook import Poster


class IssuerKeys:
    def __init__(self, database: Database, poster: Callable[[], Poster], clock: Callable[[], datetime]) -> None:
        self._database, self._poster, self._clock = database, poster, clock

    def found(self, one: Issuer) -> Issuer:
        """With its keys, as it publishes them now. Raises ConfigError."""
        at = micros(self._clock())
        with ThreadPoolExecutor(1) as apart:  # whoever calls may run a loop of its own
            return replace(one, keys=apart.submit(asyncio.run, self._read(one.issuer)).result(), fetched_at=at)

    def freshen(self, tenant: str, id_token: str) -> None:
        """Before a token is judged. Only an issuer that is trusted is called, and seldom; what goes wrong leaves its
        keys as they are."""
        claimed = discovery.named(id_token)
        if claimed is None:
            return
        at = micros(self._clock())
        one = self._database.read(lambda tx: proofs.issuer(tx, tenant, claimed.issuer))
        if one is None or not discovery.is_due(one, claimed.key, at):
            return
        if not self._database.do(lambda tx: proofs.claim_keys(tx, one, at), tenant):
            return
        try:
            keys = self.found(one).keys
        except ConfigError:
            return
        self._database.do(lambda tx: proofs.put_keys(tx, tenant, one.issuer, keys), tenant)

    async def _read(self, issuer: str) -> str:
        poster = self._poster()
        try:
            configuration = await _get(poster, discovery.configuration_of(issuer))
            return discovery.usable(await _get(poster, discovery.keys_at(issuer, configuration)))
        finally:
            await poster.aclose()


async def _get(poster: Poster, address: str) -> bytes:
    answer = await poster.get(address)
    if answer.reason is not None:
        raise ConfigError(f"the issuer's keys cannot be read: {answer.reason}")
    return answer.body

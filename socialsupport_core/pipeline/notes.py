"""Notes of a send: what its flow asks is noted before the call and answered after it, and replayed when it goes on.

A flow is as deterministic as its answers. So what was refused is noted too, as soon as the flow has gone on in spite of
it: replayed, it leads to the same next step, which must not be made twice.
"""

import asyncio
import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import (
    Answer,
    Ask,
    AuthExpired,
    Connector,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    ReadBlob,
    ReadPayload,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
    Wait,
    digest,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.store import Database, Tx, micros, outbox
from socialsupport_core.store.outbox import Part
from socialsupport_core.wire.redact import redact, secrets_in
from socialsupport_core.wire.run import Perform
from socialsupport_core.wire.turns import NotNoted

NAP = 1.0  # seconds; a flow that waits for longer does so in the outbox
_READS = (ReadBlob, ReadPayload)
_REFUSALS: dict[str, type[DeliveryError]] = {
    kind.__name__: kind
    for kind in (
        DeliveryError,
        RateLimited,
        Unavailable,
        AuthExpired,
        Forbidden,
        Unreachable,
        ContentRejected,
        Unsupported,
    )
}


class Parked(Exception):
    """The flow waits for the network; anybody goes on with it at `until`."""

    def __init__(self, until: int) -> None:
        super().__init__(until)
        self.until = until


class Superseded(Exception):
    """Somebody else has taken the part over: what this attempt would say counts no more."""


class Notes:
    """Of one part. Raises StoreError if the store does not say what is known."""

    def __init__(
        self,
        database: Database,
        part: Part,
        connector: Connector[Any],
        too_late: Callable[[], DeliveryError | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._part = part
        self._connector = connector
        self._too_late = too_late
        self._clock = clock
        self._known = database.read(lambda tx: outbox.asked(tx, part))
        self._position = -1
        self._refused: dict[int, tuple[str, dict[str, Any]]] = {}
        """By position what was refused since the last ask: noted with the next, if the flow goes on to one."""
        self._again: Ask = None
        """What was refused for its token: the wire asks the very same once more when it has another."""
        self.called = False
        self.barred: DeliveryError | None = None
        """Why it must not be sent any more, whatever the flow makes of that."""

    async def step(self, ask: Ask, perform: Perform) -> Answer:
        if isinstance(ask, _READS) or (isinstance(ask, Wait) and ask.seconds <= NAP):
            return await perform(None)
        named = digest(ask)
        if self._again is ask:
            self._again = None
            return await self._perform(ask, perform, named)
        self._position += 1
        known_as, answer = self._known.get(self._position, (None, None))
        if known_as == named and answer is not None:
            return self._replayed(answer)
        if isinstance(ask, Wait):
            await self._park(ask, named)
        if known_as is not None and answer is None and not self._may_repeat(ask):
            raise Uncertain("the connection ended during an earlier try; it may have been delivered")
        if known_as != named and (late := self._too_late()):
            self.barred = late
            raise late
        return await self._perform(ask, perform, named)

    def _replayed(self, answer: dict[str, Any]) -> Answer:
        if "refused" in answer:
            raise _error(answer)
        if "until" not in answer:
            return _response(answer)
        if answer["until"] > micros(self._clock()):
            raise Parked(answer["until"])
        return None

    async def _park(self, ask: Wait, named: str) -> None:
        position, until = self._position, micros(self._clock() + timedelta(seconds=ask.seconds))

        def note(tx: Tx) -> None:
            self._ask(tx, position, named)
            outbox.answer(tx, self._part, position, {"until": until})

        await self._written(note)
        raise Parked(until)

    async def _perform(self, ask: Ask, perform: Perform, named: str) -> Answer:
        position, is_noted = self._position, False

        def note(tx: Tx) -> None:
            nonlocal is_noted
            self._ask(tx, position, named)
            is_noted = True

        self._refused.pop(position, None)
        before, self.called = self.called, True
        try:
            answer = await perform(note)
        except NotNoted:
            self.called = before
            raise
        except Uncertain:
            raise
        except DeliveryError as error:
            await self._not_done(position, named, error, is_noted=is_noted)
            raise
        if isinstance(answer, httpx.Response):
            await self._note(ask, answer, named)
        return answer

    def _ask(self, tx: Tx, position: int, named: str) -> None:
        if not outbox.holds(tx, self._part):
            known = outbox.get(tx, self._part.tenant, self._part.key)
            raise Superseded if known else Unsupported("it has been erased")
        outbox.ask(tx, self._part, position, named)
        for earlier, (was_named, content) in self._refused.items():
            outbox.ask(tx, self._part, earlier, was_named)
            outbox.answer(tx, self._part, earlier, content)

    async def _note(self, ask: Ask, answer: httpx.Response, named: str) -> None:
        position = self._position
        try:
            error = self._connector.failure(answer)
        except (Exception, SystemExit):
            return  # an answer on which the connector chokes may mean anything
        if error is None:
            content = {
                "status": answer.status_code,
                "headers": list(answer.headers.items()),
                "body": base64.b64encode(answer.content).decode(),
            }
            await self._written(lambda tx: outbox.answer(tx, self._part, position, content), fenced=True)
        elif not isinstance(error, Uncertain):
            await self._not_done(position, named, error, is_noted=True)
            self._again = ask if isinstance(error, AuthExpired) else None

    async def _not_done(self, position: int, named: str, error: DeliveryError, *, is_noted: bool) -> None:
        """It may be tried again, unless the flow goes on without it."""
        if is_noted:
            await self._written(lambda tx: outbox.forget_ask(tx, self._part, position), fenced=True)
        self._refused[position] = named, _content(error, secrets_in(self._connector.settings))

    async def _written(self, work: Callable[[Tx], None], *, fenced: bool = False) -> None:
        """`fenced`: nothing is written any more once somebody has taken over."""

        def write(tx: Tx) -> None:
            if not fenced or outbox.holds(tx, self._part):
                work(tx)

        await asyncio.wrap_future(self._database.write(write))

    def _may_repeat(self, ask: Ask) -> bool:
        by_key = self._connector.capabilities.settles == "native_key"
        return by_key or (isinstance(ask, httpx.Request) and ask.method in SAFE_METHODS)


def _response(content: dict[str, Any]) -> httpx.Response:
    return httpx.Response(
        content["status"],
        headers=[tuple(pair) for pair in content["headers"]],
        content=base64.b64decode(content["body"]),
    )


def _content(error: DeliveryError, secrets: frozenset[str]) -> dict[str, Any]:
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _REFUSALS)
    content = {"refused": kind, "reason": redact(str(error), secrets), "code": error.code}
    return content | ({"retry_after": error.retry_after} if isinstance(error, RateLimited) else {})


def _error(content: dict[str, Any]) -> DeliveryError:
    kind = _REFUSALS[content["refused"]]
    more = {"retry_after": content["retry_after"]} if issubclass(kind, RateLimited) else {}
    return kind(content["reason"], code=content["code"], **more)

"""Events out: every event of the log to every endpoint that listens, at least once and in order within a conversation.

An event that an endpoint does not take holds up its own lane and nothing else. It is tried again over days; when the
schedule is exhausted and the endpoint has taken nothing else in the meantime either, the endpoint is dead and waits
for an agent. Nothing is lost then: the log is there, and so is the cursor.
"""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, get_args
from urllib.parse import quote

from socialsupport_core.contract import ConfigError
from socialsupport_core.model import EventType
from socialsupport_core.pipeline.leases import SHORT, kept
from socialsupport_core.store import Database, StoreError, Tx, log, micros, webhooks
from socialsupport_core.store.log import Record
from socialsupport_core.store.secrets import SecretStore
from socialsupport_core.store.webhooks import Busy, Endpoint, Lane
from socialsupport_core.wire.webhook import Answer, Poster, sign

T = TypeVar("T")
logger = logging.getLogger("socialsupport")
SECOND = 1_000_000
SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further attempt, 75.6 hours in all: the example of Standard Webhooks 1.0.0 ("Deliverability and
reliability", 2026-11)."""
JITTER = 0.1  # of a pause at most, and only longer, so that all of them last three days
LONGEST = 86_400.0  # seconds that a Retry-After may ask for
TROUBLE = 10  # failures in a row, after which an endpoint gets one call at a time until it answers again
AT_ONCE = 8  # calls of one endpoint
ALL_AT_ONCE = 128
PAGE = 100  # log entries taken up in one commit
WAITING = 10_000  # events of one endpoint that wait; the others stay in the log until there is room
LANES = 200  # of one endpoint, beyond which nothing more is taken up
PING = "webhook.ping"
TYPES = frozenset(get_args(EventType)) | {
    "approval.asked",
    "approval.decided",
    "attachment.refused",
    "attachment.stored",
    "challenge.proven",
    "challenge.started",
    "channel.changed",
    "conversation.assigned",
    "conversation.context",
    "conversation.escalated",
    "conversation.handed_off",
    "conversation.merged",
    "conversation.moved",
    "conversation.opened",
    "conversation.rated",
    "conversation.reopened",
    "conversation.resolved",
    "conversation.restored",
    "conversation.split",
    "conversation.triaged",
    "conversation.unrouted",
    "crm.conflict",
    "crm.failed",
    "customer.changed",
    "draft.changed",
    "handoff.refused",
    "intent.uncertain",
    "proof.refused",
    "service.breached",
    "service.warning",
    "volume.spike",
    "webhook.failing",
    "webhook.paused",
    "webhook.resumed",
}
"""What an endpoint may choose from: the connectors' events and the hub's own."""
MEDIA_TYPE = "application/cloudevents+json"


def lane_of(record: Record) -> str:
    """What must stay in order: the conversation, else the thread, else the channel, else the type."""
    if record.conversation is not None:
        return f"conversation {record.conversation}"
    if record.thread is not None:
        return f"thread {record.channel} {record.thread}"
    return f"type {record.type} {record.channel or ''}".rstrip()


def message_id(tenant: str, cursor: int | str) -> str:
    """The same for every attempt and every replay. It holds no full stop, since those part what is signed."""
    return f"{quote(tenant, safe='').replace('.', '%2E')}:{cursor}"


def envelope(event: dict[str, Any], id_: str, source: str) -> bytes:
    """CloudEvents 1.0.2, structured mode: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
    (2026-11). `data` is the event as the API shows it."""
    subject = event.get("conversation") or event["data"].get("customer") or event["data"].get("new")
    written = {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": event["type"],
        **({"subject": subject} if subject else {}),
        "time": event["at"],
        "datacontenttype": "application/json",
        "data": event,
    }
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Ready:
    """All that one attempt needs. `record` is None if the log no longer has it."""

    endpoint: Endpoint
    record: Record | None
    secrets: Sequence[str]


class Webhooks:
    """The endpoints' couriers. One event loop at a time."""

    def __init__(
        self,
        database: Database,
        secrets: SecretStore,
        poster: Poster,
        clock: Callable[[], datetime],
        chance: random.Random,
        worker: str,
    ) -> None:
        self._worker = worker
        self._database = database
        self._secrets = secrets
        self._poster = poster
        self._clock = clock
        self._chance = chance
        self._under_way: dict[asyncio.Task[None], tuple[str, str, str]] = {}

    @property
    def under_way(self) -> "list[asyncio.Task[None]]":
        return list(self._under_way)

    async def aclose(self) -> None:
        await self._poster.aclose()

    async def deliver(self) -> int:
        """Delivers what is due now and waits for it; how much was begun."""
        count = 0
        while begun := await self.begin():
            count += begun
            await asyncio.gather(*self._under_way, return_exceptions=True)
        return count

    async def begin(self) -> int:
        """Takes up what is new and begins what is due, beside what is under way; how much."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            _complain(task)
        now = micros(self._clock())
        found = self._database.read(lambda tx: webhooks.busy(tx, now))
        calls = Counter(key[:2] for key in self._under_way.values())
        begun = 0
        for one in sorted(found, key=lambda one: calls[one.endpoint.key]):  # whoever has most under way comes last
            taken = await self._take(one, now)
            if taken or one.due:
                begun += taken + await self._start(one.endpoint, calls[one.endpoint.key], now)
        return begun

    async def _take(self, one: Busy, now: int) -> int:
        endpoint = one.endpoint
        if not one.behind or endpoint.waiting + PAGE > WAITING or one.lanes >= LANES:
            return 0

        def take(tx: Tx) -> int:
            records = log.after(tx, endpoint.tenant, endpoint.cursor, PAGE)
            wanted = [(lane_of(record), record.cursor) for record in records if endpoint.wants(record.type)]
            if records and webhooks.take(tx, endpoint, records[-1].cursor, wanted, now):
                return len(records)
            return 0

        return await self._write(take)

    async def _start(self, endpoint: Endpoint, calls: int, now: int) -> int:
        most = 1 if endpoint.failures >= TROUBLE else AT_ONCE
        room = min(most - calls, ALL_AT_ONCE - len(self._under_way))
        if room <= 0:
            return 0
        busy = frozenset(self._under_way.values())
        worker, lease = self._worker, now + SHORT
        lanes = await self._write(lambda tx: webhooks.claim(tx, endpoint, worker, now, lease, room, busy))
        self._under_way.update({asyncio.create_task(self._work_off(lane)): lane.key for lane in lanes})
        return len(lanes)

    async def _work_off(self, lane: Lane) -> None:
        """Delivers what waits in the lane, one after another, until nothing does or one is not taken."""
        current: Lane | None = lane
        while current is not None:
            lane = current
            try:
                current = await self._attempt(lane)
            except asyncio.CancelledError:
                now = micros(self._clock())
                self._database.write(partial(webhooks.release, lane=lane, now=now))
                raise

    async def _attempt(self, lane: Lane) -> Lane | None:
        """One call. The lane at its next event, None if it is to be left for now."""
        try:
            ready = self._database.read(lambda tx: self._ready(tx, lane))
        except ConfigError as error:
            await self._failed(lane, Answer(None, b"", str(error)))
            return None
        if ready is None or ready.endpoint.state != "active":
            now = micros(self._clock())
            await self._write(lambda tx: webhooks.release(tx, lane, now))
            return None
        if ready.record is None:
            return await self._settle(lane, delivered=False)
        with kept(lambda: self._renew(lane)):
            answer = await self._post(ready, ready.record.as_json(), message_id(lane.tenant, lane.cursor))
        if answer.reason is None:
            return await self._settle(lane, delivered=True)
        await self._failed(lane, answer)
        return None

    def _renew(self, lane: Lane) -> None:
        lease = micros(self._clock()) + SHORT
        self._database.write(lambda tx: webhooks.renew(tx, lane, lease))

    def _ready(self, tx: Tx, lane: Lane) -> Ready | None:
        endpoint = webhooks.get(tx, lane.tenant, lane.webhook)
        if endpoint is None:
            return None
        found = log.after(tx, lane.tenant, lane.cursor - 1, 1)
        record = found[0] if found and found[0].cursor == lane.cursor else None
        return Ready(endpoint, record, self.secrets_of(tx, endpoint))

    def secrets_of(self, tx: Tx, endpoint: Endpoint) -> list[str]:
        """The valid ones, the newest first."""
        found: list[str] = json.loads(self._secrets.get(tx, endpoint.secret_ref))
        return found

    async def _settle(self, lane: Lane, *, delivered: bool) -> Lane | None:
        now = micros(self._clock())
        lease = now + SHORT
        return await self._write(lambda tx: webhooks.settle(tx, lane, now, lease, delivered=delivered, trouble=TROUBLE))

    async def _failed(self, lane: Lane, answer: Answer) -> None:
        now = micros(self._clock())
        told = min(answer.retry_after or 0.0, LONGEST)
        not_before = now + int(told * SECOND) if told else 0
        due = max(not_before, now + self._pause(lane.attempts))

        def note(tx: Tx) -> None:
            endpoint = webhooks.fail(tx, lane, now, due, answer.reason or "", not_before)
            if endpoint is not None:
                _judge(tx, endpoint, lane, answer, now)

        await self._write(note)

    def _pause(self, attempts: int) -> int:
        """Microseconds until the next attempt."""
        seconds = SCHEDULE[min(attempts, len(SCHEDULE) - 1)]
        return int(seconds * self._chance.uniform(1.0, 1.0 + JITTER) * SECOND)

    async def ping(self, endpoint: Endpoint, number: str) -> Answer:
        """A trial, whatever the endpoint's state; it changes nothing. Raises ConfigError."""
        secrets = self._database.read(lambda tx: self.secrets_of(tx, endpoint))
        at = self._clock().isoformat().replace("+00:00", "Z")
        event = {"tenant": endpoint.tenant, "type": PING, "at": at, "data": {"webhook": endpoint.id}}
        id_ = message_id(endpoint.tenant, f"ping-{number}")
        return await self._post(Ready(endpoint, None, secrets), event, id_)

    async def _post(self, ready: Ready, event: dict[str, Any], id_: str) -> Answer:
        endpoint = ready.endpoint
        body = envelope(event, id_, endpoint.source)
        timestamp = int(self._clock().timestamp())
        headers = {
            "content-type": MEDIA_TYPE,
            "webhook-id": id_,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(ready.secrets, id_, timestamp, body),
        }
        return await self._poster.post(endpoint.url, headers, body, open_network=endpoint.open_network)

    async def _write(self, call: Callable[[Tx], T]) -> T:
        return await asyncio.wrap_future(self._database.write(call))


def _judge(tx: Tx, endpoint: Endpoint, lane: Lane, answer: Answer, now: int) -> None:
    """Whether the endpoint has had its last chance; said once, in the log."""
    if answer.gone:
        _stop(tx, endpoint, "gone", "it answered 410 Gone: it wants no more", now)
    elif lane.attempts >= len(SCHEDULE):
        since = lane.tried_at or 0
        if (endpoint.delivered_at or 0) < since:
            _stop(tx, endpoint, "dead", f"{lane.attempts + 1} attempts failed, the last: {answer.reason}", now)
        elif lane.attempts == len(SCHEDULE):
            data = {"webhook": endpoint.id, "event": lane.cursor, "reason": answer.reason or ""}
            log.publish(tx, endpoint.tenant, "webhook.failing", now, data)


def _stop(tx: Tx, endpoint: Endpoint, state: webhooks.State, reason: str, now: int) -> None:
    if endpoint.state == "active" and webhooks.set_state(tx, *endpoint.key, state, reason):
        data = {"webhook": endpoint.id, "state": state, "reason": reason}
        log.publish(tx, endpoint.tenant, "webhook.paused", now, data)


def _complain(task: "asyncio.Task[None]") -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    if isinstance(error, StoreError):
        logger.error("the store does not answer: %s", error)
    else:
        logger.error("a webhook's task failed: %s", error, exc_info=error)

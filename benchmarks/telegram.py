"""The messages that are measured: signed webhooks of a Telegram bot, from so many customers in turn."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import socialsupport_telegram
from benchmarks.stores import Ground
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload

CUSTOMERS = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "a_secret_token_for_the_benchmark"
BOT = "123456"
SETTINGS = {"token": f"{BOT}:" + "A" * 35, "secret_token": SECRET}
HEADERS = (("content-type", "application/json"), ("x-telegram-bot-api-secret-token", SECRET))
WAVE = 100
"""Messages that come at once; as many as fit into one commit."""


def payload(number: int, customer: int, at: datetime | None = None) -> Payload:
    """Message `number`, of a private chat."""
    sent = at or START + timedelta(seconds=number)
    person = {"id": 1000 + customer, "is_bot": False, "first_name": f"Customer {customer}"}
    message = {
        "message_id": number + 1,
        "from": person,
        "chat": {"id": person["id"], "type": "private", "first_name": person["first_name"]},
        "date": int(sent.timestamp()),
        "text": f"Message {number}: where is my order {number * 31 % 9973}?",
    }
    body = json.dumps({"update_id": number, "message": message}).encode()
    return Payload(url="https://hub.example/hooks/door", headers=HEADERS, body=body, received_at=sent)


def customer_of(number: int) -> int:
    """Within a wave nobody writes twice."""
    return number * 7919 % CUSTOMERS


def payloads(count: int) -> Iterator[Payload]:
    return (payload(number, customer_of(number)) for number in range(count))


def prepared(ground: Ground, store: str | Path | None = None, plugin: Any = socialsupport_telegram) -> tuple[Hub, str]:
    """A hub with the tenant acme and its bot, and the bot's door."""
    hub = ground.open(store or ground.store(), plugin)
    return hub, add_tenant(hub, "acme")


def add_tenant(hub: Hub, tenant: str) -> str:
    hub.add_tenant(tenant, tenant.capitalize())
    return hub.add_channel(tenant, "bot", "telegram", SETTINGS).rsplit("/", 1)[1]


def ingest(hub: Hub, door: str, given: Sequence[Payload]) -> None:
    """Every payload through the door, in waves; then everything is recorded."""
    for at in range(0, len(given), WAVE):
        for future in [hub.receive(door, one) for one in given[at : at + WAVE]]:
            future.result()
        hub.workers.record_waiting()
    while hub.workers.record_waiting():
        pass


def recorded(hub: Hub) -> int:
    found: int = hub.health()["journal"]["recorded"]
    return found

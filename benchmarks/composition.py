"""What it costs to compose a reply, against building the same HTTP request by hand: CPU time, in one run.

*by hand* builds the JSON of one Telegram message and the httpx request around it. *socialsupport* plans the
reply (claims, limits, splitting), turns its CommonMark into entities and drives the connector's flow to its receipt.
"""

import statistics
import time
from collections.abc import Callable

import httpx

from benchmarks.figures import Figure
from socialsupport_core.contract import drive
from socialsupport_core.model import SendMessage, Thread
from socialsupport_core.pipeline.plan import make_plan
from socialsupport_telegram import Telegram

ROUNDS = 5
TEXT = "Thank you, **Kerry**. Your parcel [4711](https://shop.example/4711) arrives tomorrow, *promised*."
ADDRESS = "https://api.telegram.org/bot123456:" + "A" * 35 + "/sendMessage"
RECEIPT = {"ok": True, "result": {"message_id": 7, "date": 1767225600, "chat": {"id": 42, "type": "private"}}}


def by_hand(number: int) -> None:
    entities = [
        {"type": "bold", "offset": 11, "length": 5},
        {"type": "text_link", "offset": 30, "length": 4, "url": "https://shop.example/4711"},
        {"type": "italic", "offset": 53, "length": 8},
    ]
    content = {"chat_id": 42, "text": f"{number}{TEXT}", "entities": entities}
    request = httpx.Request("POST", ADDRESS, json=content)
    httpx.Response(200, json=RECEIPT, request=request).json()


def composed(connector: Telegram, number: int) -> None:
    intent = SendMessage(
        key=str(number),
        own_account="123456",
        thread=Thread(id="42", visibility="private"),
        text=f"{number}: {TEXT}",
    )
    for part in make_plan(connector, intent).parts:
        drive(connector.send(part.intent), lambda _ask: httpx.Response(200, json=RECEIPT), connector.failure)


def cpu(work: Callable[[int], None], count: int) -> float:
    """Median microseconds of CPU for one."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for number in range(count):
            work(number)
        found.append((time.process_time() - began) / count * 1e6)
    return statistics.median(found)


def measure(count: int) -> list[Figure]:
    settings = Telegram.settings_model.model_validate({"token": "123456:" + "A" * 35, "secret_token": "a_secret"})
    connector = Telegram(settings)
    hand, ours = cpu(by_hand, count), cpu(lambda number: composed(connector, number), count)
    return [Figure("a reply composed", ours, "the request by hand", hand, "µs CPU each")]

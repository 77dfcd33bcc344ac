"""The Python port of Chat SDK in memory on the requests of a file.

    python -m benchmarks.chat_sdk_py FILE WARM SECRET WAVE

Prints {"us": CPU µs a message, "handled": how many reached the handler}.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from socialsupport_core.cli import garbage


class Bot:
    """`handled` counts what reached the handler."""

    def __init__(self, secret: str) -> None:
        from chat_sdk import Chat, ConsoleLogger, MemoryStateAdapter  # noqa: PLC0415 - the peer is measured here only
        from chat_sdk.adapters.slack import create_slack_adapter  # noqa: PLC0415
        from chat_sdk.adapters.slack.types import SlackAdapterConfig  # noqa: PLC0415

        logger = ConsoleLogger("error")
        config = SlackAdapterConfig(
            bot_token="xoxb-benchmark", bot_user_id="U00BOT", signing_secret=secret, logger=logger
        )
        self.chat = Chat(
            adapters={"slack": create_slack_adapter(config)},
            state=MemoryStateAdapter(),
            user_name="bot",
            logger=logger,
        )
        self.handled = 0
        self.chat.on_direct_message(self._handle)

    async def _handle(self, *_: Any) -> None:
        self.handled += 1

    async def know(self, requests: Sequence[Any]) -> None:
        """Everybody has been asked for already."""
        for user in {json.loads(one.body)["event"]["user"] for one in requests}:
            found = {"display_name": user, "real_name": user, "is_bot": False}
            await self.chat.get_state().set(f"slack:user:{user}", found)

    async def feed(self, requests: Sequence[Any], wave: int) -> None:
        from chat_sdk import WebhookOptions  # noqa: PLC0415

        for at in range(0, len(requests), wave):
            tasks: list[Awaitable[Any]] = []
            options = WebhookOptions(wait_until=tasks.append)
            some = requests[at : at + wave]
            answers = await asyncio.gather(*(self.chat.webhooks["slack"](one, options) for one in some))
            if refused := [one for one in answers if one["status"] != 200]:
                sys.exit(f"the door answered {refused[0]}")
            await asyncio.gather(*tasks)


async def run(requests: Sequence[Any], warm: int, secret: str, wave: int) -> dict[str, Any]:
    bot = Bot(secret)
    await bot.chat.initialize()
    await bot.know(requests)
    await bot.feed(requests[:warm], wave)
    bot.handled, measured = 0, requests[warm:]
    garbage.settle()
    began = time.process_time()
    await bot.feed(measured, wave)
    return {"us": (time.process_time() - began) / len(measured) * 1e6, "handled": bot.handled}


def main() -> None:
    file, warm, secret, wave = sys.argv[1:]
    requests = [SimpleNamespace(**json.loads(line)) for line in Path(file).read_text().splitlines()]
    print(json.dumps(asyncio.run(run(requests, int(warm), secret, int(wave)))))


if __name__ == "__main__":
    main()

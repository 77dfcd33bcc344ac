"""What a process that lasts says on stderr: each line with its moment, and the same trouble once a minute."""

import logging
import time

AGAIN = 60.0  # seconds after which what goes on is said once more


def begin() -> None:
    """From here on what the hub has to say goes to stderr, in UTC."""
    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(OnceAMinute())
    logger = logging.getLogger("socialsupport")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)


class OnceAMinute(logging.Filter):
    """A server that is away is noticed by each thread, each second: nobody reads a thousand lines."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, message = time.monotonic(), record.getMessage()
        if now - self._said.get(message, -AGAIN) < AGAIN:
            return False
        self._said = {one: at for one, at in self._said.items() if now - at < AGAIN} | {message: now}
        return True

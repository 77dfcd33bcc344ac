"""Watching a store that others work on too: what they commit wakes this process, what they configure holds here."""

import logging
import threading
from collections.abc import Callable

from socialsupport_core.store import Database, StoreError, accounts

logger = logging.getLogger("socialsupport")
LOOK = 0.2  # seconds between two looks, each one cheap statement


class Watch:
    """`woken` is called when there may be something new, `changed` when the configuration is another."""

    def __init__(self, database: Database, woken: Callable[[], None], changed: Callable[[], None]) -> None:
        self._database = database
        self._woken = woken
        self._changed = changed
        self._away = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look_forever, name="socialsupport-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _look_forever(self) -> None:
        pulse, version, fresh = *self._look(("", "")), False
        while not self._stopping.wait(LOOK):
            now, configured = self._look((pulse, version))
            if configured != version:
                self._changed()
            if now != pulse or fresh:  # once more after a change: a number is taken before its row is committed
                self._woken()
            pulse, version, fresh = now, configured, now != pulse

    def _look(self, before: tuple[str, str]) -> tuple[str, str]:
        try:
            found = self._database.read(lambda tx: (self._database.pulse(tx), accounts.version(tx)))
        except StoreError as error:
            logger.error("the store does not answer: %s", error)  # noqa: TRY400 - no stack, it is outside
            self._away = True
            return before
        if self._away:
            logger.info("the store answers again")
            self._away = False
        return found

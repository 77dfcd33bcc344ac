"""A connection whose headers do not come is closed: uvicorn itself waits for them for ever.

What it does have is a time for idle connections between two requests. It ends with the first byte of the next one.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADERS = 20.0
"""Seconds for all headers of a request, as Apache has it at the least:
https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html (2026-11)"""
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """The protocol that uvicorn would choose, with an end to its patience."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait_no_more()  # the headers are here; how long a body may take is the application's
        elif self._overdue is None and not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._overdue = asyncio.get_running_loop().call_later(HEADERS, self._give_up)

    def _wait_no_more(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        self.transport.write(TIMED_OUT)
        self.transport.close()

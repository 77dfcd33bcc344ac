"""kill -9 in the midst of a call: whoever is started next goes on with the webhook at once, and in order."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from raven import Roost, message

from socialsupport_core.pipeline.leases import SHORT

PROCESS = Path(__file__).parent.parent / "store" / "process.py"
SOON = 4.0  # seconds, on a busy machine


class Desk:
    """An endpoint that leaves its caller waiting until it is `patient`."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.taken: list[int] = []
        self.patient = threading.Event()

    def hear(self, body: bytes) -> None:
        cursor = json.loads(body)["data"]["cursor"]
        self.asked.append(cursor)
        self.patient.wait(30)
        self.taken.append(cursor)


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            desk.hear(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the caller has been killed
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        desk.patient.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def worker(roost: Roost) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(PROCESS), str(roost.store), str(roost.path.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "working\n"
            yield process
        finally:
            process.kill()


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("store", "seconds"),
    [("sqlite", SOON), pytest.param("postgresql", SHORT / 1e6 + SOON, marks=pytest.mark.long)],
    indirect=["store"],
)
def test_what_a_killed_process_was_delivering_is_delivered_soon(roost: Roost, seconds: float) -> None:
    desk = Desk()
    with served(desk) as url:
        roost.hub.add_webhook("acme", url, types=["interaction.received"], open_network=True)
        for number in (1, 2):
            roost.deliver(message(number, f"text {number}", at=roost.clock.now))
        roost.hub.close()
        with worker(roost) as first:
            wait_until(lambda: len(desk.asked) == 1, 20)
            first.kill()
            first.wait()
        with worker(roost):
            wait_until(lambda: len(desk.asked) == 2, seconds)
            desk.patient.set()
            wait_until(lambda: len(set(desk.taken)) == 2, SOON)
    held, again, following = desk.asked
    assert held == again < following

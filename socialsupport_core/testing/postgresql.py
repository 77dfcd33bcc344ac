"""A PostgreSQL server of one's own, on loopback, for as long as a test needs it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin")
MISSING = "no PostgreSQL server here; on Debian: apt install postgresql"
HASTE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""For tests that prove nothing about power cuts."""


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest; None if there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    candidates = [folder for place in PLACES for folder in Path("/").glob(place.lstrip("/"))]
    return max((one for one in candidates if (one / "initdb").exists()), default=None)


class Server:
    """`url` is the address of its database; `stop("immediate")` is as if the power were cut."""

    def __init__(self, options: Sequence[str] = HASTE) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError(MISSING)
        self._programs = found
        self._options = options
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="socialsupport-pg-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self.port = _free_port()
        self.url = f"postgresql://support@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", "data", "-U", "support", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        arguments = ["-D", "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        arguments += ["-c", f"unix_socket_directories={self.folder}", *self._options]
        log = (self.folder / "log").open("ab")
        self._server = subprocess.Popen(
            [str(self._programs / "postgres"), *arguments], cwd=self.folder, user=self._user, stdout=log, stderr=log
        )
        log.close()
        self._await()

    def stop(self, how: str = "fast") -> None:
        """`smart`, `fast` or `immediate`."""
        if self._server is not None:
            signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
            self._server.send_signal(signals[how])
            self._server.wait(30)
            self._server = None

    def close(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while subprocess.run(
            [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        ).returncode:
            if time.monotonic() > deadline or (self._server and self._server.poll() is not None):
                raise TimeoutError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self.folder,
            user=self._user,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")


@contextmanager
def running(options: Sequence[str] = HASTE) -> Iterator[Server]:
    server = Server(options)
    try:
        yield server
    finally:
        server.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port

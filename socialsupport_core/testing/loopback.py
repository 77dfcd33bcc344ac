"""A foreign server on loopback, for tests that want the real one: it is set up, started, asked and ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import httpx

TRIES, PAUSE = 400, 0.15
"""So often, and so many seconds apart, it is asked whether it is there."""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class LoopbackServer:
    """What the kit wants of a counterpart: `handle`. Calls to whatever host go to loopback."""

    name: ClassVar[str]
    """What it is called where it does not start."""
    base: ClassVar[str]
    """The path below which its interface lies, without a slash at the beginning."""
    agent_login: ClassVar[tuple[str, str]]
    """User and password of somebody who works there."""
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What a proxy in front of it would add."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        """Everything that it writes lies in `folder`."""
        self.folder, self.port = folder, port
        self.environment: Mapping[str, str] = {**os.environ, **environment}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}/{self.base}", timeout=60)
        self.process: subprocess.Popen[bytes] | None = None

    def set_up(self, command: Sequence[str]) -> None:
        done = subprocess.run(  # noqa: S603 - the test's own command
            command, env=self.environment, cwd=self.folder, capture_output=True, check=False
        )
        if done.returncode:
            told = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise RuntimeError(f"{self.name} cannot be set up: {told[-2000:]}")

    def start(self, command: Sequence[str], knock: str, login: tuple[str, str]) -> None:
        """Until it answers 200 at the path `knock`. Raises RuntimeError with the end of its log."""
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the test's own command
                command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(TRIES):
            with suppress(httpx.HTTPError):
                if self.client.get(knock, auth=login).status_code == 200:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(PAUSE)
        self.close()
        raise RuntimeError(f"{self.name} does not start: {(self.folder / 'server.log').read_text()[-2000:]}")

    def close(self) -> None:
        self.client.close()
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def handle(self, request: httpx.Request) -> httpx.Response:
        target = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        headers = [(name, value) for name, value in request.headers.items() if name != "host"]
        content = request.read()
        answer = self.client.request(request.method, target, content=content, headers=[*headers, *self.headers])
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def agent(self, method: str, path: str, **content: Any) -> Any:
        """A call by somebody who works there."""
        answer = self.client.request(method, path, auth=self.agent_login, **content)
        assert answer.is_success, (answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

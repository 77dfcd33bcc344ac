"""`socialsupport demo` as somebody meets it who has just cloned the repository."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

DEMO = [sys.executable, "-c", "import sys; from socialsupport_core.cli.main import main; sys.exit(main())", "demo"]
pytest.importorskip("socialsupport_email")
pytest.importorskip("socialsupport_webchat")


@contextmanager
def demo(*options: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A demo of its own, and the first line that it prints."""
    given = [*DEMO, *options]
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, [process.stdout.readline()]
        process.send_signal(signal.SIGINT)
        process.wait(20)


def gives_up(*options: str) -> str:
    """The one line with which it does."""
    done = subprocess.run([*DEMO, *options], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    return line


def test_the_addresses_as_json_all_answer(tmp_path: Path) -> None:
    with demo("--json", "--data", str(tmp_path)) as (process, (line,)):
        told = json.loads(line)
        for page in ("inbox", "people", "chat"):
            answer = httpx.get(told[page], follow_redirects=True)
            assert (page, answer.status_code) == (page, 200)
            assert 'rel="icon"' in answer.text
        me = httpx.get(f"{told['api']}/me", headers={"authorization": f"Bearer {told['token']}"}).json()
        assert me["agent"] == "dana"
        host, _, port = told["smtp"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as mail:
            assert mail.recv(100).startswith(b"220")
        assert told["mailbox"] == "support@acme.example"

        again = gives_up("--data", str(tmp_path))
        assert f"is being served by process {process.pid}" in again
        shop = httpx.get(f"{told['people']}/shop?as=kerry")
        icon = httpx.get(f"{told['people']}/../static/inbox.svg")
        assert 'href="../static/inbox.svg"' in shop.text
        assert icon.headers["content-type"].startswith("image/svg")


@pytest.mark.parametrize("option", ["--port", "--smtp-port"])
def test_a_port_in_use_names_the_option_to_change(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = gives_up(option, str(port))
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use); give another {option}" in line

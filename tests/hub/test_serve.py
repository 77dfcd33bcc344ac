"""`socialsupport serve` as an operator meets it: a process of its own."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

CONFIG = """
[hub]
public_url = "http://127.0.0.1:8765"

[tenants.acme]
name = "Acme"

[tenants.acme.agents.dana]
name = "Dana"
token = "a-token-of-twenty-characters"

[tenants.acme.channels.bot]
connector = "telegram"
settings = { token = "123456:fake-token", secret_token = "caw" }
"""
SERVE = [sys.executable, "-c", "import sys; from socialsupport_core.cli.main import main; sys.exit(main())", "serve"]


def command(folder: Path, port: int) -> list[str]:
    path = folder / "socialsupport.toml"
    path.write_text(CONFIG)
    return [*SERVE, "--config", str(path), "--port", str(port)]


def test_it_serves_and_ends_within_seconds(tmp_path: Path) -> None:
    """With an event stream open, which has no end of its own."""
    with subprocess.Popen(command(tmp_path, 0), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = [process.stdout.readline(), process.stdout.readline()]
        door = re.search(r"acme/bot: \S+(/hooks/\S+)", told[0])
        address = re.search(r"listening on (http://\S+)", told[1])
        assert door, told
        assert address, told
        wait_until_it_answers(address[1])
        update = {"update_id": 1, "message": {"message_id": 1, "date": 1772366400, "text": "hello"}}
        person = {"id": 7, "is_bot": False, "first_name": "Kerry"}
        update["message"] |= {"from": person, "chat": {"id": 7, "type": "private", "first_name": "Kerry"}}  # type: ignore[operator]
        url = address[1] + door[1]
        assert httpx.post(url, json=update, headers={"x-telegram-bot-api-secret-token": "no"}).status_code == 401
        assert httpx.post(url, json=update, headers={"x-telegram-bot-api-secret-token": "caw"}).status_code == 200
        headers = {"authorization": "Bearer a-token-of-twenty-characters", "accept": "text/event-stream"}
        with httpx.stream("GET", f"{address[1]}/api/events", headers=headers, timeout=10) as stream:
            assert any("hello" in line for line in stream.iter_lines())
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            status = process.wait(15)
        complaints = process.stderr.read()
    assert time.monotonic() - started < 5
    assert "Traceback" not in complaints
    assert status in (0, 130, -signal.SIGINT), complaints


def wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            assert httpx.get(f"{address}/health").json()["status"] == "ok"
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(command(tmp_path, port), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr

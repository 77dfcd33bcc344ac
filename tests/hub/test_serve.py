"""`socialsupport serve` as an operator meets it: a process of its own."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

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


def test_it_serves_and_ends_by_itself(tmp_path: Path) -> None:
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
            lines = stream.iter_lines()
            assert any("hello" in line for line in lines)
            process.send_signal(signal.SIGINT)
            assert [line for line in lines if line.startswith("event")] == []  # a proper end, no broken one
            status = process.wait(15)
        complaints = process.stderr.read()
    # What had to be cut off after a while would be complained of.
    assert [line for line in complaints.splitlines() if "public_url" not in line] == []
    assert status in (0, 130, -signal.SIGINT), complaints


def serving(folder: Path, config: str, port: int) -> subprocess.CompletedProcess[str]:
    """Serves until it listens, or until it gives up."""
    given = command(folder, port)
    (folder / "socialsupport.toml").write_text(config)
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("listening"):
                break
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=20)
    return subprocess.CompletedProcess(given, process.returncode, "".join(lines) + rest, err)


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def test_a_public_address_that_leads_elsewhere_is_remarked(tmp_path: Path) -> None:
    port = free()
    told = serving(tmp_path, CONFIG, port)
    assert f"public_url says port 8765, but this listens on {port}" in told.stderr
    assert f"public_url = http://127.0.0.1:{port}" in told.stderr


@pytest.mark.parametrize("public", ["http://127.0.0.1:{}", "https://support.example", "http://localhost:{}/desk"])
def test_one_that_leads_here_or_to_a_proxy_is_not(tmp_path: Path, public: str) -> None:
    port = free()
    told = serving(tmp_path, CONFIG.replace("http://127.0.0.1:8765", public.format(port)), port)
    assert told.stderr == ""
    assert "listening on" in told.stdout


def test_the_inbox_is_announced_where_there_is_one(tmp_path: Path) -> None:
    port = free()
    config = CONFIG.replace("http://127.0.0.1:8765", f"http://127.0.0.1:{port}")
    assert "inbox" not in serving(tmp_path, config, port).stdout
    told = serving(tmp_path, config.replace("[hub]", "[hub]\ninbox = true"), port)
    assert f"inbox: http://127.0.0.1:{port}/\n" in told.stdout


def test_a_configuration_without_channels_says_so(tmp_path: Path) -> None:
    assert "names no channel" in serving(tmp_path, "", 0).stderr


MAIL = """
[tenants.acme.channels.mail]
connector = "email"
listen = "127.0.0.1:{port}"
open_network = true
[tenants.acme.channels.mail.settings]
address = "support@acme.example"
token_secret = "a-long-secret-for-hand-off-addresses"
smtp = {{ host = "127.0.0.1", port = 25, security = "none" }}
"""


def test_a_mail_port_in_use_is_one_line_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = serving(tmp_path, CONFIG + MAIL.format(port=port), 0)
    assert told.returncode == 1
    assert len(told.stderr.strip().splitlines()) == 1, told.stderr
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in told.stderr
    assert "listening" not in told.stdout


def test_a_second_process_keeps_off_the_store(tmp_path: Path) -> None:
    with subprocess.Popen(command(tmp_path, 0), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        assert first.stdout is not None
        assert any(line.startswith("listening") for line in first.stdout)
        second = serving(tmp_path, CONFIG, 0)
        first.send_signal(signal.SIGINT)
        first.wait(15)
    assert second.returncode == 1
    assert f"is being served by process {first.pid}" in second.stderr
    assert "listening on" in serving(tmp_path, CONFIG, 0).stdout, "the lock has gone with the process"


@pytest.mark.parametrize(
    ("store", "told"),
    [(".", "is a folder; name a file in it"), ("socialsupport.toml/support.sqlite", "cannot be kept there")],
)
def test_a_store_that_cannot_be_says_what_to_do(tmp_path: Path, store: str, told: str) -> None:
    done = serving(tmp_path, CONFIG.replace("[hub]", f'[hub]\nstore = "{store}"'), 0)
    assert done.returncode == 1
    assert told in done.stderr


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


def test_a_host_that_is_none_asks_for_another_host(tmp_path: Path) -> None:
    given = [*command(tmp_path, 0), "--host", "nowhere.invalid"]
    done = subprocess.run(given, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "give another --host" in done.stderr

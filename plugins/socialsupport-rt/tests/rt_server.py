"""Request Tracker itself, on loopback, with a database of its own in a temporary folder."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
SETUP = shutil.which("rt-setup-database-5", path=PATH)
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
SQLITE = Path("/usr/share/doc/rt5-db-sqlite")
MISSING = "Request Tracker is not installed (Debian: request-tracker5 rt5-db-sqlite rt5-standalone)"
AGENT = ("dana", "password-of-dana")
US = ("socialsupport", "password-of-ours")
RIGHTS = (
    "SeeQueue",
    "CreateTicket",
    "ShowTicket",
    "ShowTicketComments",
    "CommentOnTicket",
    "ModifyTicket",
    "ReassignTicket",
    "AdminUsers",
)
"""What the README tells the operator to grant."""

_CONFIG = """
Set($rtname, 'loopback');
Set($Organization, 'loopback.example');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.sqlite');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($WebSecureCookies, 0);
Set($MasonSessionDir, '{folder}');
Set($MasonDataDir, '{folder}');
1;
"""
_PEOPLE = """
@Users = (
  {{ Name => '{us}', Password => '{ours}', RealName => 'The hub', Privileged => 1 }},
  {{ Name => '{agent}', Password => '{theirs}', RealName => 'Dana', EmailAddress => 'dana@acme.example',
     Privileged => 1 }},
  {{ Name => 'kerry', RealName => 'Kerry Fisher', EmailAddress => 'Kerry@acme.example',
     MobilePhone => '+1 555 0147', Privileged => 0 }},
);
@ACL = (
  {rights}
  map({{ {{ UserId => '{agent}', Right => $_ }} }} qw(SeeQueue ShowTicket ShowTicketComments CommentOnTicket ReplyToTicket
    ModifyTicket OwnTicket DeleteTicket)),
);
1;
"""


def is_installed() -> bool:
    return SETUP is not None and SERVER.exists() and SQLITE.exists()


class RealRT:
    """What the kit wants of a counterpart: `handle`, `speak`, `due`. Calls to `https://rt.example` go to loopback."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        (folder / "site.d").mkdir()
        (folder / "site.pm").write_text(_CONFIG.format(port=self.port, folder=folder))
        rights = "\n  ".join(f"{{ UserId => '{US[0]}', Right => '{one}' }}," for one in RIGHTS)
        names = {"us": US[0], "ours": US[1], "agent": AGENT[0], "theirs": AGENT[1], "rights": rights}
        (folder / "people").write_text(_PEOPLE.format(**names))
        self.environment = {
            **os.environ,
            "RT_SITE_CONFIG": str(folder / "site.pm"),
            "RT_SITE_CONFIG_DIR": str(folder / "site.d"),
            "TMPDIR": str(folder),
        }
        self.folder = folder
        self._setup("--action", "init", "--skip-create")
        self._setup("--action", "insert", "--datafile", str(folder / "people"))
        self.client = httpx.Client(base_url=f"{self.address}/REST/2.0/", timeout=60)
        self.process = self._start()

    def _setup(self, *arguments: str) -> None:
        assert SETUP is not None
        command = [SETUP, *arguments, "--dba-password", ""]
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {(done.stdout + done.stderr).decode()[-2000:]}")

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [str(SERVER), "--port", str(self.port), "--host", "127.0.0.1"]
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(300):
            with suppress(httpx.HTTPError):
                if self.client.get("rt", auth=US).status_code == 200:
                    return process
            if process.poll() is not None:
                break
            time.sleep(0.2)
        self._end(process)
        raise RuntimeError(f"RT does not start: {(self.folder / 'server.log').read_text()[-2000:]}")

    def close(self) -> None:
        self.client.close()
        self._end(self.process)

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)

    # as the kit's counterpart

    def handle(self, request: httpx.Request) -> httpx.Response:
        target = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        headers = [(name, value) for name, value in request.headers.items() if name != "host"]
        answer = self.client.request(request.method, target, content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def agent(self, method: str, path: str, content: Any = None) -> Any:
        """A call by Dana."""
        answer = self.client.request(method, path, json=content, auth=AGENT)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def speak(self, person: str, text: str, place: str) -> None:
        assert person == AGENT[0]
        self.agent("POST", f"ticket/{place}/correspond", {"Content": text, "ContentType": "text/plain"})

    def due(self) -> list[Any]:
        return []

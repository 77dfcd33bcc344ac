"""Request Tracker itself, on loopback, with a database of its own in a temporary folder."""

import os
import shutil
from pathlib import Path
from typing import Any

from socialsupport_core.testing.loopback import LoopbackServer, free_port

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


class RealRT(LoopbackServer):
    """What the kit wants of a counterpart: `handle`, `speak`, `due`. Calls to `https://rt.example` go to loopback."""

    name = "RT"
    base = "REST/2.0/"
    agent_login = AGENT

    def __init__(self, folder: Path) -> None:
        configured = {"RT_SITE_CONFIG": str(folder / "site.pm"), "RT_SITE_CONFIG_DIR": str(folder / "site.d")}
        super().__init__(folder, free_port(), TMPDIR=str(folder), **configured)
        (folder / "site.d").mkdir()
        (folder / "site.pm").write_text(_CONFIG.format(port=self.port, folder=folder))
        rights = "\n  ".join(f"{{ UserId => '{US[0]}', Right => '{one}' }}," for one in RIGHTS)
        names = {"us": US[0], "ours": US[1], "agent": AGENT[0], "theirs": AGENT[1], "rights": rights}
        (folder / "people").write_text(_PEOPLE.format(**names))
        assert SETUP is not None
        self.set_up([SETUP, "--action", "init", "--skip-create", "--dba-password", ""])
        self.set_up([SETUP, "--action", "insert", "--datafile", str(folder / "people"), "--dba-password", ""])
        self.start([str(SERVER), "--port", str(self.port), "--host", "127.0.0.1"], "rt", US)

    def speak(self, person: str, text: str, place: str) -> None:
        assert person == AGENT[0]
        self.agent("POST", f"ticket/{place}/correspond", json={"Content": text, "ContentType": "text/plain"})

    def due(self) -> list[Any]:
        return []

"""The kit, with a real SQLite file in the place of a simulator."""

from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.testing import CRMConformance
from socialsupport_sqlcrm import SqlCRM, SqlSettings
from socialsupport_sqlcrm.wire import Sql, connect, execute


class Desk:
    """Agents at a helpdesk whose tables are these."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def handle(self, ask: Sql) -> Any:
        return execute(Sql(self.path, ask.statements))

    def speak(self, person: str, text: str, place: str) -> None:
        with connect(self.path) as database:
            said = "INSERT INTO messages (ticket, author, direction, body) VALUES (?, ?, 'outbound', ?)"
            database.execute(said, (place, person, text))

    def due(self) -> list[Any]:
        return []


class TestSqlCRM(CRMConformance):
    crm = SqlCRM

    @pytest.fixture(autouse=True)
    def _in(self, tmp_path: Path) -> None:
        type(self)._folder = tmp_path

    def counterpart(self) -> Any:
        return Desk(self._folder / "desk.sqlite")

    _folder: Path


def test_settings() -> None:
    assert SqlSettings(database="desk.sqlite").database == "desk.sqlite"

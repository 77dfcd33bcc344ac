"""A store of its own for each test, copied from one that was made once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialsupport_core.store import Database, open_store


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blank") / "support.sqlite"
    open_store(path).close()
    return path


@pytest.fixture
def database(blank: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "wire.sqlite"
    shutil.copy(blank, path)
    made = open_store(path)
    yield made
    made.close()


@pytest.fixture
def shared(store: str | Path) -> Iterator[Database]:
    """The same on each kind of store."""
    made = open_store(store)
    yield made
    made.close()

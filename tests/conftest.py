"""What the tests of the core share: ravens, a network that exists only here, and a hub that speaks with it.

Everything that uses a hub runs on both stores: on a SQLite file, and on a real PostgreSQL that is started once.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from socialsupport_core.testing import postgresql

settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")
sys.path.insert(0, str(Path(__file__).parent / "hub"))

if TYPE_CHECKING:
    from raven import Roost

STORES = ("sqlite", "postgresql")
_schemas = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A real PostgreSQL, with no tables in it."""
    if postgresql.programs() is None:
        pytest.skip("no PostgreSQL server here; on Debian: apt install postgresql")
    with postgresql.running() as server:
        yield server


@pytest.fixture
def new_store(request: pytest.FixtureRequest) -> Callable[[str, Path], str | Path]:
    """Makes a store of its own: of which kind, and in which folder if it is a file."""

    def make(kind: str, folder: Path) -> str | Path:
        if kind == "sqlite":
            return folder / "support.sqlite"
        from socialsupport_core.store.postgres import migrate

        url = f"{request.getfixturevalue('server').url}?schema=test_{next(_schemas)}"
        migrate(url)
        return url

    return make


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, new_store: Callable[[str, Path], str | Path]) -> str | Path:
    """An empty store of each kind."""
    return new_store(request.param, tmp_path)


@pytest.fixture
def roost(tmp_path: Path, store: str | Path) -> Iterator["Roost"]:
    """A hub with the tenants acme and rival, and the simulated network behind both; on each store."""
    from raven import Roost

    made = Roost(tmp_path, store=store)
    yield made
    made.hub.close()

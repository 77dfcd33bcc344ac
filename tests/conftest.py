"""What the tests of the core share: ravens, a network that exists only here, and a hub that speaks with it.

Everything that uses a hub runs on both stores: on a SQLite file, and on a real PostgreSQL that is started once.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from socialsupport_core.testing import postgresql

settings.register_profile("house", deadline=None, max_examples=50)  # a busy machine is no failure
settings.load_profile("house")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "hub")]

if TYPE_CHECKING:
    from raven import Roost
    from stores import Schemas

STORES = ("sqlite", "postgresql")
ABOVE_THE_STORE = {"assistant", "web", "test_webhook_delivery"}
"""Folders and files whose tests run on SQLite alone unless it is asked for: what they call runs on both stores
elsewhere."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before anything is left out, what is the same once more is marked: another store, the dark colours."""
    for item in items:
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        is_above = not ABOVE_THE_STORE.isdisjoint({item.path.parent.name, item.path.stem})
        again = given.get("store") == "postgresql" and is_above
        if again or given.get("scheme") == "dark":
            item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Over twenty thousand tests are a heap that every later collection of garbage would go through: two seconds for
    each `check` that runs inside a test."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A real PostgreSQL, with no tables in it."""
    if postgresql.programs() is None:
        pytest.skip("no PostgreSQL server here; on Debian: apt install postgresql")
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def schemas(server: postgresql.Server) -> Iterator["Schemas"]:
    from stores import Schemas

    made = Schemas(server)
    yield made
    made.close()


@pytest.fixture
def new_store(request: pytest.FixtureRequest) -> Iterator[Callable[[str, Path], str | Path]]:
    """Makes a store of its own: of which kind, and in which folder if it is a file."""
    taken: list[str] = []

    def make(kind: str, folder: Path) -> str | Path:
        if kind == "sqlite":
            return folder / "support.sqlite"
        schemas: Schemas = request.getfixturevalue("schemas")
        taken.append(schemas.take())
        return schemas.url(taken[-1])

    yield make
    if taken:
        request.getfixturevalue("schemas").give_back(taken)


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

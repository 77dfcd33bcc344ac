"""What the tests of the core share: ravens, a network that exists only here, and a hub that speaks with it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")
sys.path.insert(0, str(Path(__file__).parent / "hub"))

if TYPE_CHECKING:
    from raven import Roost


@pytest.fixture
def roost(tmp_path: Path) -> Iterator["Roost"]:
    """A hub on a SQLite file with the tenants acme and rival, and the simulated network behind both."""
    from raven import Roost

    made = Roost(tmp_path)
    yield made
    made.hub.close()

"""What the tests of the core share: ravens, a network that exists only here, and a hub that speaks with it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "hub"))

from raven import Roost


@pytest.fixture
def roost(tmp_path: Path) -> Iterator[Roost]:
    """A hub on a SQLite file with the tenants acme and rival, and the simulated network behind both."""
    made = Roost(tmp_path)
    yield made
    made.hub.close()

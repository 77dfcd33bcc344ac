"""Makes `djangohelpdesk_server` importable, and starts it once for all tests that want it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from djangohelpdesk_server import MISSING, RealDesk, is_installed

    if not is_installed():
        pytest.skip(MISSING)
    made = RealDesk(tmp_path_factory.mktemp("desk"))
    yield made
    made.close()

"""Makes `rt_server` importable, and starts it once for all tests that want it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from rt_server import MISSING, RealRT, is_installed

    if not is_installed():
        pytest.skip(MISSING)
    made = RealRT(tmp_path_factory.mktemp("rt"))
    yield made
    made.close()

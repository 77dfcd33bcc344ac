"""The pytest plugin. It imports nothing of ours: coverage has not begun to measure when pytest loads it."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "conformance: a property that holds for any connector or CRM adapter")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`pytest -m conformance` runs the kit alone, `-m "not conformance"` everything else."""
    for item in items:
        if getattr(getattr(item, "cls", None), "is_conformance", False):
            item.add_marker("conformance")

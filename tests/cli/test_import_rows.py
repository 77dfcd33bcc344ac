"""`import` of a table: what could not be read is told row by row, and the rest comes in."""

from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.cli.journal import TOLD
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub

HEADER = "from,to,start,duration,outcome\n"
GOOD = "+15550002222,+4930123456,2026-03-01T09:15:00Z,60,answered\n"
BAD = "+15550002222,+4930123456,yesterday,{seconds},answered\n"


@pytest.fixture(autouse=True)
def registry() -> Registry:
    return Registry.discover(only=frozenset({"phone"}))


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> str:
    path = tmp_path / "support.sqlite"
    hub = Hub.open(path, public_url="https://support.example", registry=registry)
    hub.add_tenant("acme", "Acme")
    hub.add_channel("acme", "phone", "phone", {"number": "+4930123456"})
    hub.close()
    return str(path)


def test_bad_rows_are_told_and_good_ones_kept(run: Any, write: Any, store: str) -> None:
    table = write("calls.csv", (HEADER + GOOD + BAD.format(seconds=1)).encode())
    for _ in range(2):  # also the second time, when the good rows are known
        ran = run("import", table, "--channel", "phone", "--store", store)
        assert ran.status == 1
        assert "calls.csv, row 3: start: not ISO 8601" in ran.err
        assert "1 files: 1 recorded" in ran.out
    assert run("timeline", "phone:+15550002222", "--store", store).out.count("03-01 09:15") == 1


def test_a_table_without_bad_rows_ends_well(run: Any, write: Any, store: str) -> None:
    ran = run("import", write("calls.csv", (HEADER + GOOD).encode()), "--channel", "phone", "--store", store)
    assert (ran.status, "left out" in ran.err) == (0, False)


def test_of_very_many_bad_rows_some_are_told(run: Any, write: Any, store: str) -> None:
    table = write("calls.csv", (HEADER + "".join(BAD.format(seconds=one) for one in range(TOLD + 7))).encode())
    ran = run("import", table, "--channel", "phone", "--store", store)
    assert ran.err.count("this was left out") == TOLD
    assert "calls.csv: 7 more were left out" in ran.err

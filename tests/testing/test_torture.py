"""A short run of the torture bench; `socialsupport torture --minutes 60` is a long one."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.testing import postgresql
from socialsupport_core.testing.torture import FAULTS, Finding, Row, again, bench, run
from socialsupport_core.testing.torture.fault import Tried
from socialsupport_core.testing.torture.victims import Hangs, Tell, Victim

TRIES = {
    "sqlite": {
        "kill_opcode": 12,
        "kill_outside": 3,
        "redelivery": 2,
        "order": 1,
        "order:every": 1,
        "order:many": 1,
        "power_cut": 4,
        "disk_full": 2,
        "io_error": 4,
        "network_drop": 1,
        "clock": 3,
        "one_bad_event": 6,
        "poison": 1,
        "forged": 1,
        "forged:many": 1,
        "proofs": 1,
    },
    "postgresql": {
        "kill_opcode:send_lookup": 4,
        "kill_outside": 1,
        "redelivery": 1,
        "server_restart": 1,
        "workers:few": 1,
        "order": 1,
        "network_drop": 1,
        "clock": 1,
        "one_bad_event": 1,
        "poison": 1,
        "forged": 1,
    },
}
LONG = (
    *("order", "network_drop", "clock", "one_bad_event", "poison", "forged"),
    *("server_restart", "workers:few"),
)
"""On PostgreSQL: the first do nothing to the store; of the last `tests/store/test_postgres.py` has shorter runs, with a
server that goes away and with several processes of which one is killed."""
SHORT_RUNS = [
    pytest.param(store, fault, marks=[pytest.mark.long] if store == "postgresql" and fault in LONG else [])
    for store, faults in TRIES.items()
    for fault in faults
]


@pytest.mark.parametrize("store", TRIES)
def test_every_fault_of_a_store_has_its_short_run(store: str) -> None:
    assert {fault.partition(":")[0] for fault in TRIES[store]} == {
        name for name, fault in FAULTS.items() if store in fault.stores
    }


@pytest.mark.parametrize(("store", "fault"), SHORT_RUNS)
def test_holds(request: pytest.FixtureRequest, store: str, fault: str) -> None:
    url = None if store == "sqlite" else request.getfixturevalue("server").url
    (row,) = run([fault], tries=TRIES[store][fault], store=url)
    if row.cannot:
        pytest.skip(row.cannot)
    assert row.holds, f"{row.verdict}: {row.findings[:3]}"
    assert row.tries == TRIES[store][fault]
    assert row.hurts > 0


def test_a_seed_is_the_same_try_again() -> None:
    first, second = stretches(77, 78), stretches(77, 78)
    assert first == second
    assert first[0] != first[1]


def stretches(*seeds: int) -> Sequence[object]:
    """The stretches of opcodes that the seeds mean, in a process of its own, as the worker finds them."""
    code = (
        "import json, sys, tempfile; from pathlib import Path\n"
        "from socialsupport_core.testing.torture.faults.kill_opcode import KillOpcode\n"
        "from socialsupport_core.testing.torture.grounds import SQLiteGround\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    fault = KillOpcode(SQLiteGround(Path(folder)), {}, 'receive')\n"
        "    found = [str(fault.stretch(int(seed))) for seed in sys.argv[1:]]\n"
        "    print(json.dumps([*found, len(fault.stretches)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, seeds)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "0"},
    )
    found: list[object] = json.loads(done.stdout)
    return found


def test_a_part_of_a_fault_alone() -> None:
    (row,) = run(["kill_opcode:send_lookup"], tries=2)
    assert row.hurts > 500


# what is told


def found(*kinds: str) -> Row:
    row = Row("order", "…")
    row.add(Tried(5, 3, tuple(Finding(kind, "something") for kind in kinds)))  # type: ignore[arg-type]
    return row


def test_a_row_counts_what_was_found() -> None:
    row = found("lost", "lost", "doubled", "wrong")
    assert (row.count("lost"), row.count("doubled"), row.count("wrong")) == (2, 1, 1)
    assert (row.tries, row.hurts, row.seeds) == (1, 3, [5])
    assert not row.holds
    assert row.verdict == "FAILS, 1 otherwise wrong"
    assert row.as_json()["findings"][0] == {"seed": 5, "kind": "lost", "what": "something"}


def test_nothing_found_holds() -> None:
    assert found().holds
    assert found().verdict == "holds"


def test_of_what_was_measured_the_worst_is_told() -> None:
    row = found()
    for seconds in (0.25, 1.5, 1.0):
        row.add(Tried(6, 1, (), {"seconds until it went on": seconds}))
    assert row.verdict == "holds, seconds until it went on 1.5"
    assert row.as_json()["figures"] == {"seconds until it went on": 1.5}


def test_the_word_postgresql_starts_a_server_or_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the address of a server leads to the runs above tell."""
    seen: list[str] = []

    @contextmanager
    def running() -> Iterator[SimpleNamespace]:
        seen.append("started")
        yield SimpleNamespace(url="postgresql://of-its-own")
        seen.append("ended")

    monkeypatch.setattr(postgresql, "programs", lambda: {"initdb": "initdb"})
    monkeypatch.setattr(postgresql, "running", running)
    monkeypatch.setattr(bench, "_work", lambda order, *_: seen.append(order["store"]))
    run(["forged"], tries=1, store="postgresql")
    assert seen == ["started", "postgresql://of-its-own", "ended"]
    monkeypatch.setattr(postgresql, "programs", lambda: None)
    with pytest.raises(ConfigError, match="no PostgreSQL server here; on Debian: apt install postgresql"):
        run(["forged"], tries=1, store="postgresql")


def test_an_hour_that_is_broken_off_tells_what_was_found_so_far() -> None:
    def told(row: Row) -> None:
        if row.tries == 2:
            raise KeyboardInterrupt

    (row,) = run(["proofs", "forged"], seconds=600, told=told)
    assert (row.fault, row.tries, row.holds) == ("proofs", 2, True)


def test_the_command_that_repeats_a_try_holds_no_password() -> None:
    assert again("order", 5) == "socialsupport torture --fault order --seed 5"
    told = again("order", 5, "postgresql://me:hush@db.example/x?schema=y", "mine:setup")
    assert told.endswith("--seed 5 --store postgresql://me@db.example/x?schema=y --setup mine:setup")


def test_a_fault_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="there is no fault 'fire'; there are kill_opcode"):
        run(["fire"])
    with pytest.raises(ConfigError, match="clock has no part 'x'; it has none"):
        run(["clock:x"])


def test_a_bench_that_breaks_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def setup():\n    raise OSError('no plug')\n")
    (row,) = run(["forged"], tries=1, setup=f"{tmp_path / 'broken.py'}:setup")
    assert (row.holds, row.verdict) == (False, "the bench broke: OSError: no plug")


def test_options_of_an_embedder_reach_the_hub(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from socialsupport_core.hub import Hub\n"
        "class Mine(Hub):\n"
        "    def reply(self, *given, **how):\n"
        "        raise RuntimeError('mine')\n"
        "def setup():\n    return {'hub': Mine}\n"
    )
    (row,) = run(["forged"], tries=1, setup=f"{tmp_path / 'mine.py'}:setup")
    assert [one.what for _, one in row.findings] == ["it did not come to an end: RuntimeError: mine"]


def test_the_verb_prints_a_table_and_the_command_that_repeats_a_try(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from socialsupport_core.store import interactions\n"
        "def setup():\n    interactions.keep_early = lambda *given: None\n"
    )
    setup = f"{tmp_path / 'mine.py'}:setup"
    command = [sys.executable, "-m", "socialsupport_core.cli.main", "torture", "--fault", "order"]
    done = subprocess.run([*command, "--seed", "3", "--setup", setup], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAILS" in done.stdout
    assert "socialsupport torture --fault order --seed 3 --setup" in done.stdout
    assert done.stderr.strip() == "socialsupport: order: 12 tried, 0 lost, 0 doubled"


def test_the_verb_as_json() -> None:
    command = [sys.executable, "-m", "socialsupport_core.cli.main", "torture", "--fault", "forged", "--seed", "3"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert (told["fault"], told["tries"], told["tried"], told["lost"], told["holds"]) == ("forged", 1, 60, 0, True)


def test_of_a_victim_that_hangs_it_is_told_where() -> None:
    def waits_in_vain(tell: Tell) -> None:
        threading.Event().wait()

    with pytest.raises(Hangs, match="waits_in_vain"):
        list(Victim(waits_in_vain, patience=0.2))


def test_a_machine_that_stood_still_is_no_victim_that_hangs() -> None:
    answers = iter([[], ["it tells"]])  # all the time went by in the first slice
    victim = SimpleNamespace(_patience=60.0)
    assert Victim._heard(victim, SimpleNamespace(select=lambda seconds: next(answers)))  # type: ignore[arg-type]

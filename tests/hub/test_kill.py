"""kill -9 between receipt and record: nothing that was acknowledged is lost, nothing is there twice."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from raven import Roost

KILLS = 20
VICTIM = Path(__file__).with_name("victim.py")


def live_and_die(roost: Roost, start: int, seconds: float) -> list[int]:
    """A process that is killed so long after its first acknowledgement; what it had acknowledged."""
    command = [sys.executable, str(VICTIM), str(roost.path), roost.doors["acme"], str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    lines = (first + rest).split("\n")[:-1]  # the last may be cut off
    return [int(line) for line in lines if line]


def test_twenty_kills_lose_nothing_and_double_nothing(roost: Roost) -> None:
    roost.hub.close()
    chance = random.Random(4)
    acknowledged: list[int] = []
    for number in range(KILLS):
        acknowledged += live_and_die(roost, number * 100_000, chance.uniform(0, 0.05))
    assert len(acknowledged) >= KILLS

    hub = roost.reopen()
    journalled = hub._database.read(lambda tx: [row["body"] for row in tx.all("SELECT body FROM journal")])
    kept = {int(json.loads(body)[0]["interaction"]["native_id"]) for body in journalled}
    assert set(acknowledged) <= kept

    hub.drain()
    counters = hub.health()["journal"]
    assert (counters["recorded"], counters["unexplained"]) == (counters["accepted"], 0)
    shown: Counter[int] = Counter()
    for bird in range(7):
        for entry in hub.timeline("acme", f"raven.ring:bird{bird}", limit=1_000_000):
            shown[int(entry["interaction"]["native_id"])] += 1
    assert set(shown) == kept
    assert set(shown.values()) == {1}

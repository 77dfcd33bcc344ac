"""kill -9 between receipt and record: nothing that was acknowledged is lost, nothing is there twice."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from raven import Roost

KILLS = 20
VICTIM = Path(__file__).with_name("victim.py")


def test_twenty_kills_lose_nothing_and_double_nothing(roost: Roost) -> None:
    roost.hub.close()
    command = [sys.executable, str(VICTIM), str(roost.store), roost.doors["acme"], str(KILLS), "4"]
    victims = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100, cwd=roost.path.parent)
    told = victims.stdout.splitlines()
    assert len(told) == KILLS
    acknowledged = [number for line in told for number in json.loads(line)]
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

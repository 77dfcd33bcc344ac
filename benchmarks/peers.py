"""Against Chat SDK and its Python port: the same signed direct messages of Slack, CPU time a message.

Theirs keep everything in memory and forget it with the process; ours commits to SQLite before it answers, and
translates, resolves, attaches and records, with the connector that everybody uses. All three have seen every customer
before the measuring begins, and none sits behind an HTTP server. Both that are written in Python collect garbage as
`serve` does.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import socialsupport_slack
from benchmarks import slack, telegram
from benchmarks.figures import MICRO, Figure, Missing, cpu, settled
from benchmarks.stores import Ground, sqlite
from socialsupport_core.model import Payload

HERE = Path(__file__).parent
SECRET = "a_signing_secret_for_the_benchmark"
WARM = 4
"""Messages of each customer before the measuring begins: a just-in-time compiler has had its time."""
JS_GOAL, PY_GOAL = 1 / 4, 1 / 1.3
PATIENCE = 900


def requests(count: int) -> list[Payload]:
    """Signed now: nobody accepts what is older than five minutes."""
    now = time.time()
    return [slack.signed(number, telegram.customer_of(number), now, SECRET) for number in range(count)]


def ours(place: Ground, given: Sequence[Payload], warm: int) -> float:
    """CPU µs a message."""
    hub = place.open(place.store(), socialsupport_slack)
    hub.add_tenant("acme", "Acme")
    path = hub.add_channel("acme", "bot", "slack", {"signing_secret": SECRET})
    door = path.rsplit("/", 1)[1]
    telegram.ingest(hub, door, given[:warm])
    with settled():
        used = cpu(lambda: telegram.ingest(hub, door, given[warm:]))
    found = telegram.recorded(hub)
    hub.close()
    if found != len(given):
        raise AssertionError(f"{found} of {len(given)} were recorded")
    return used / (len(given) - warm) * MICRO


def javascript(file: Path, warm: int, count: int) -> float:
    """Chat SDK itself. Raises Missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("Chat SDK needs node and npm; on Debian: apt install nodejs npm")
    folder = HERE / "chat_sdk_js"
    if not (folder / "node_modules").exists():
        _run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock"], folder)
    return _handled(_run([node, "measure.mjs", str(file), *_options(warm)], folder), count)


def port(file: Path, warm: int, count: int) -> float:
    """Raises Missing."""
    if find_spec("chat_sdk") is None:
        raise Missing("the Python port of Chat SDK is not installed: uv run --group benchmarks …")
    command = [sys.executable, "-m", "benchmarks.chat_sdk_py", str(file), *_options(warm)]
    return _handled(_run(command, HERE.parent), count)


def _options(warm: int) -> list[str]:
    return [str(warm), SECRET, str(telegram.WAVE)]


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise Missing(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _handled(printed: str, count: int) -> float:
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    if found["handled"] != count:
        raise AssertionError(f"{found['handled']} of {count} were handled: the figures would be worth nothing")
    return float(found["us"])


def measure(count: int, rounds: int = 3) -> list[Figure | Missing]:
    """Medians of rounds in which all follow each other."""
    warm = WARM * telegram.CUSTOMERS
    own: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in PEERS}
    missing: dict[str, Missing] = {}
    for _ in range(rounds):
        with sqlite() as place:
            given = requests(warm + count)
            file = place.folder / "requests.jsonl"
            file.write_text("".join(_line(one) for one in given))
            own.append(ours(place, given, warm))
            for name, (peer, _goal) in PEERS.items():
                try:
                    theirs[name].append(peer(file, warm, count))
                except Missing as found:
                    missing[name] = found
    return [missing.get(name) or _figure(name, own, found) for name, found in theirs.items()]


def _figure(name: str, own: list[float], theirs: list[float]) -> Figure:
    goal = round(PEERS[name][1], 2)
    return Figure("Slack message, durable", median(own), name, median(theirs), at_most=goal)


def _line(one: Payload) -> str:
    return json.dumps({"headers": dict(one.headers), "body": one.body.decode()}) + "\n"


PEERS: dict[str, tuple[Callable[[Path, int, int], float], float]] = {
    "Chat SDK, in memory": (javascript, JS_GOAL),
    "Chat SDK's Python port, in memory": (port, PY_GOAL),
}

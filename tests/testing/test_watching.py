"""What the kit sees of code that does more than compute, and what it leaves alone."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from time import sleep

import pytest

from socialsupport_core.testing.watching import SLEEP, watching

HERE = frozenset({__name__.partition(".")[0]})


def test_each_is_named_with_its_line() -> None:
    with watching(HERE) as watch:
        Path(__file__).open().close()
        socket.socket().close()
        time.sleep(1e9)  # noted, not slept
        sleep(1e9)
        subprocess.run([sys.executable, "--version"], check=True, capture_output=True)
    told = "; ".join(watch.seen)
    for what in (f"opens the file {__file__}", "opens a socket", "sleeps", "starts the process"):
        assert f"{what}" in told
    assert told.count("sleeps (test_watching.py, line ") == 2


def test_computing_is_nothing_and_others_are_not_watched() -> None:
    other = threading.Thread(target=lambda: Path(__file__).read_bytes())
    with watching(HERE) as watch:
        sorted(str(number) for number in range(100))
        other.start()
        other.join()
    assert watch.seen == []
    with watching(frozenset({"somebody_else"})) as elsewhere:
        Path(__file__).read_bytes()
    assert elsewhere.seen == []


def test_afterwards_all_is_as_before() -> None:
    with pytest.raises(KeyError), watching(HERE) as watch:
        raise KeyError
    Path(__file__).read_bytes()
    assert watch.seen == []
    assert time.sleep is SLEEP
    assert sleep is SLEEP

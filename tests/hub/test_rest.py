"""A hub that has nothing to do does nothing."""

import threading
import time

from raven import Roost, message


def test_an_idle_hub_rests(roost: Roost) -> None:
    """Also while a part waits for its turn behind one that is tried again."""
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.faults.unavailable = 1
    roost.reply("one")
    roost.reply("two")
    roost.hub.start()
    deadline = time.monotonic() + 10
    while roost.states() != ["retrying", "queued"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.6)  # who shares the store looks twice after each change
    rung, spent = roost.hub.bell.heard(), time.process_time()
    time.sleep(1.5)
    assert roost.hub.bell.heard() == rung
    assert time.process_time() - spent < 0.5


def test_an_end_comes_within_seconds_whatever_hangs(roost: Roost) -> None:
    hold = threading.Event()
    roost.sky.before = lambda request: None
    roost.hub.start()
    started = time.monotonic()
    roost.hub.close()
    hold.set()
    assert time.monotonic() - started < 5
    assert not [one for one in threading.enumerate() if one.name.startswith("socialsupport")]

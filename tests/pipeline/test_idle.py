"""Nothing to do costs nothing: an idle hub does not write, and so does not wake itself."""

import time

from raven import Roost
from raven.events import message


def test_an_idle_hub_commits_nothing(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.hub.start()
    time.sleep(0.6)  # whatever the start had to do is done
    before = roost.hub.bell.heard()
    time.sleep(1.5)
    assert roost.hub.bell.heard() == before


def test_what_is_to_be_sent_later_does_not_keep_it_busy(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.sky.faults.rate_limit = 1
    roost.reply("on its way")
    roost.hub.start()
    time.sleep(0.8)
    assert roost.states() == ["retrying"]
    before = roost.hub.bell.heard()
    time.sleep(1.0)
    assert roost.hub.bell.heard() == before

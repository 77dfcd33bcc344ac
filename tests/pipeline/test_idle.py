"""Nothing to do costs nothing: an idle hub does not write, and so does not wake itself."""

import time

from raven import Roost
from raven.events import message


def quiet(roost: Roost) -> bool:
    """Whether nothing is committed for a while, after whatever the start had to do."""
    for _ in range(8):
        before = roost.hub.bell.heard()
        time.sleep(1.2)
        if roost.hub.bell.heard() == before:
            return True
    return False


def test_an_idle_hub_commits_nothing(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.hub.start()
    assert quiet(roost)


def test_what_is_to_be_sent_later_does_not_keep_it_busy(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.sky.faults.rate_limit = 1
    roost.reply("on its way")
    roost.hub.start()
    assert quiet(roost)
    assert roost.states() == ["retrying"]

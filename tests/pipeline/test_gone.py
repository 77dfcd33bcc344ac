"""An address that is nobody's any more: what comes from it one day comes from somebody else."""

from datetime import datetime, timedelta

import pytest
from raven import Roost, delivered, message

from socialsupport_core.model import Identifier, InteractionReceived, Party

MAIL = Identifier(kind="email", value="kerry@acme.example")


def mail(number: int, text: str, at: datetime, thread: str) -> InteractionReceived:
    said = message(number, text, thread, at=at)
    author = Party(identifiers=(MAIL,), name="Kerry")
    return said.model_copy(update={"interaction": said.interaction.model_copy(update={"author": author})})


@pytest.mark.parametrize("gone", [True, None])
def test_a_mailbox_that_is_gone_is_given_to_somebody_else(roost: Roost, gone: bool | None) -> None:
    roost.hear(mail(1, "hello", roost.clock.now, "one"))
    first = roost.hub.customer("acme", str(MAIL))["id"]
    (conversation,) = roost.hub.queue("acme")
    roost.hub.reply("acme", conversation["id"], "hi", agent="dana")
    roost.hub.drain()
    roost.clock.forward(hours=2)
    bounce = delivered("raven-1", "failed", 0).model_copy(update={"gone": gone, "at": roost.clock.now})
    roost.hear(bounce)
    roost.clock.forward(hours=24 * 90)
    roost.hear(mail(2, "good day", roost.clock.now - timedelta(minutes=1), "two"))
    later = roost.hub.customer("acme", str(MAIL))["id"]
    assert (later != first) is (gone is True)
    texts = [one["interaction"].get("text") for one in roost.hub.timeline("acme", first)]
    assert texts == (["hello", "hi"] if gone else ["hello", "hi", "good day"])
    told = roost.hub.explain("acme", first)
    assert told["customer"] == first

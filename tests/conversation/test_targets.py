"""Which channels are open to a customer, and which is the best: every rule for itself."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from socialsupport_core.conversation.handing.targets import Reach, Target, plan, target
from socialsupport_core.model import Capabilities

HOUR = 3_600_000_000
NOW = 1_000_000 * HOUR
SENDS = Capabilities(sends=frozenset({"private"}), intents=frozenset({"send.message"}))
BOTH = SENDS.model_copy(update={"sends": frozenset({"public", "private"}), "intents": frozenset({"open.private"})})
WINDOW = SENDS.model_copy(update={"reply_window": timedelta(hours=24)})
CHAT = Reach("chat", "webchat", SENDS, invites=True)
MAIL = Reach("mail", "email", SENDS, begins=True, invites=True)
POST = Reach("brand", "x", BOTH, is_origin=True, origin_is_public=True, invites=True)
CALL = Reach("line", "phone", Capabilities())


def found(reach: Reach) -> Target:
    return target(reach, NOW)


def rules(reach: Reach) -> list[str]:
    return [one.rule for one in found(reach).obstacles]


def test_out_of_public_a_private_thread_is_opened() -> None:
    assert (found(POST).how, rules(POST)) == ("open", [])


def test_a_thread_that_is_there_is_gone_on_with() -> None:
    there = replace(CHAT, leg=7, heard_at=NOW - HOUR, account="webchat.visitor:1", proven=True)
    assert (found(there).how, found(there).leg) == ("leg", 7)


def test_a_mailbox_that_is_proven_is_written_to_first() -> None:
    assert found(replace(MAIL, account="email:a@b.example", proven=True)).how == "begin"


def test_where_nothing_is_known_a_link_leads() -> None:
    assert (found(CHAT).how, found(MAIL).how) == ("link", "link")


@pytest.mark.parametrize("reach", [replace(MAIL, account="email:a@b.example"), replace(CHAT, leg=7, heard_at=NOW)])
def test_nothing_goes_to_an_account_that_is_not_proven(reach: Reach) -> None:
    """Somebody may have typed it. The link is for whoever is here, and proves the rest."""
    assert (found(reach).how, rules(reach)) == ("link", ["disclosure"])


@pytest.mark.parametrize(("hours", "how"), [(23, "leg"), (24, "leg"), (25, "link")])
def test_the_reply_window_closes(hours: int, how: str) -> None:
    there = Reach("wa", "whatsapp", WINDOW, invites=True, leg=1, heard_at=NOW - hours * HOUR, proven=True)
    assert found(there).how == how
    assert rules(replace(there, invites=False)) == ([] if how == "leg" else ["reply_window"])


@pytest.mark.parametrize(
    ("reach", "rule"),
    [
        (replace(CHAT, state="paused"), "paused"),
        (replace(CHAT, is_origin=True), "here_already"),
        (replace(CHAT, consent=("out", 5, "wrote STOP")), "opt_out"),
        (CALL, "capability"),
        (replace(MAIL, invites=False), "unknown"),
    ],
)
def test_what_closes_a_channel_is_told_with_what_to_do(reach: Reach, rule: str) -> None:
    closed = found(reach)
    assert (closed.is_open, [one.rule for one in closed.obstacles]) == (False, [rule])
    assert closed.obstacles[0].reason
    assert closed.obstacles[0].remedy
    assert closed.reasons == ()


def test_why_somebody_does_not_want_it_is_told() -> None:
    assert "wrote STOP" in found(replace(CHAT, consent=("out", 5, "wrote STOP"))).obstacles[0].reason


def test_the_most_suitable_comes_first_and_the_closed_ones_last() -> None:
    order = [one.channel for one in plan([CALL, MAIL, CHAT, POST], NOW)]
    assert order == ["brand", "chat", "mail", "line"]


def test_the_order_in_which_they_are_looked_at_changes_nothing() -> None:
    plans = {tuple(one.channel for one in plan(some, NOW)) for some in permutations([CALL, MAIL, CHAT, POST])}
    assert len(plans) == 1


@pytest.mark.parametrize(
    ("better", "reason"),
    [
        ({"heard_at": NOW - HOUR, "leg": 1}, "has written here in private"),
        ({"consent": ("in", 5, "ticked the box")}, "ticked the box"),
        ({"account": "email:a@b.example", "proven": True}, "proven to be the customer's"),
    ],
)
def test_what_speaks_for_a_channel_is_told_and_counts(better: dict[str, object], reason: str) -> None:
    more = found(replace(MAIL, **better))  # type: ignore[arg-type]
    assert more.score > found(MAIL).score
    assert any(reason in one for one in more.reasons)


def test_the_cheaper_of_two_alike_comes_first() -> None:
    dear = Reach("a", "phone", SENDS, invites=True)
    cheap = Reach("z", "webchat", SENDS, invites=True)
    assert [one.channel for one in plan([dear, cheap], NOW)] == ["z", "a"]

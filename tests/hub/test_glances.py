"""What the queue shows of each conversation is read for all of them at once."""

import pytest
from raven import Roost, message

from socialsupport_core.store import Tx


def test_a_page_of_the_queue_takes_no_more_statements_than_a_few(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        roost.deliver(message(number, f"question {number}", f"bird{number % 30}"))
    roost.hub.drain()
    asked: list[str] = []
    plain = Tx.all
    monkeypatch.setattr(Tx, "all", lambda tx, sql, *values: asked.append(sql) or plain(tx, sql, *values))
    for order in ("oldest", "next"):
        counts = []
        for limit in (2, 30):
            asked.clear()
            shown = roost.hub.queue("acme", limit=limit, order=order)
            counts.append(len(asked))
            told = {one["customer"]["name"]: one["last"]["text"] for one in shown}
            assert len(told) == limit
            assert told.items() <= {f"Bird{n}": f"question {30 + n}" for n in range(30)}.items()
        assert counts[0] == counts[1] < 12


def test_of_several_accounts_the_newest_word_is_shown(roost: Roost) -> None:
    for number, who in enumerate(("kerry", "robin", "kerry")):
        roost.hear(message(number, f"word {number}", who, at=number))
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="dana")
    older, newer = (roost.conversation(who) for who in ("kerry", "robin"))
    if older != newer:
        roost.hub.merge("acme", older, newer, agent="dana")
    (shown,) = roost.hub.queue("acme")
    assert shown["last"]["text"] == "word 2"
    roost.hear(message(3, "word 3", "robin", at=3))
    (shown,) = roost.hub.queue("acme")
    assert shown["last"]["text"] == "word 3"

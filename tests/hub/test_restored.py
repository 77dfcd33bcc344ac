"""A store is restored from a backup: whoever has read what was lost is told so, whenever that is."""

import pytest
from raven import Roost, message

from socialsupport_core.hub import CursorAhead
from socialsupport_core.store import Tx, micros, starts


def restart(roost: Roost) -> None:
    """Some time later, and without the threads, which these tests do not need."""
    roost.clock.forward(hours=1)
    now = micros(roost.clock())
    roost.hub._database.do(lambda tx: starts.begin(tx, now))


def put_back(roost: Roost, cursor: int) -> None:
    """What a backup of then holds of the log: its rows, and how far it was counted."""

    def write(tx: Tx) -> None:
        tx.run("DELETE FROM log WHERE cursor > ?", cursor)
        tx.run("DELETE FROM log_starts WHERE before >= ?", cursor)
        tx.change(tx.skip_cursors, cursor)

    roost.hub._database.do(write)


def cursors(roost: Roost, after: int) -> list[int]:
    return [one["cursor"] for one in roost.hub.events("acme", after, 500)]


def test_a_reader_who_is_ahead_is_told_however_much_has_happened_since(roost: Roost) -> None:
    roost.hear(message(1, "kept"))
    kept = roost.hub.cursor("acme")
    restart(roost)
    roost.hear(message(2, "lost"))
    seen = cursors(roost, kept)[-1]
    assert seen > kept + 1000
    put_back(roost, kept)
    restart(roost)
    for number in range(3, 9):
        roost.hear(message(number, "new"))
        for lost in (kept + 1, seen):
            with pytest.raises(CursorAhead, match="the store is older than what you have read") as told:
                roost.hub.events("acme", lost)
            assert told.value.newest > seen
    new = cursors(roost, kept)
    assert min(new) > seen
    assert cursors(roost, new[0]) == new[1:]


def test_a_start_takes_nothing_from_whoever_is_up_to_date(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    first = roost.hub.cursor("acme")
    for _ in range(3):
        restart(roost)
        assert cursors(roost, first) == []
        with pytest.raises(CursorAhead):
            roost.hub.events("acme", first + 1)
    rows = roost.hub._database.read(lambda tx: tx.all("SELECT * FROM log_starts"))
    assert [row["before"] for row in rows] == [first]  # one, however often nothing came in between
    roost.hear(message(2, "again"))
    assert cursors(roost, first)[0] > first + 1000


def test_the_start_of_the_workers_is_one(roost: Roost) -> None:
    roost.hear(message(1, "before"))
    before = roost.hub.cursor("acme")
    roost.clock.forward(hours=1)
    roost.hub.start()
    roost.hub.note("acme", roost.conversation(), "after", agent="dana")
    assert roost.hub.cursor("acme") > before + 1000

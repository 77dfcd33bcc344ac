"""Which message is next: what may never turn around, whatever the weights."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.guidance import Hours, Service
from socialsupport_core.guidance.ranking import CLOSING, HOUR, MINUTE, QueueSection, Waiter, parts, score, spoken

NOW = 1_800_000_000_000_000
SERVICE = Service(target=3600, targets={})
WORK = Service(target=3600, targets={}, hours=Hours(week=dict.fromkeys(("mon", "tue", "wed"), ("09:00-17:00",))))
SECTION = QueueSection()
ago = st.integers(0, 90 * 24 * 60).map(lambda minutes: NOW - minutes * MINUTE)
waiters = st.builds(
    Waiter,
    since=ago,
    kind=st.sampled_from([None, "complaint", "request", "praise"]),
    urgency=st.sampled_from([None, "low", "normal", "high"]),
    followers=st.integers(0, 10_000_000),
    public=st.booleans(),
    returned=st.booleans(),
    handed=st.booleans(),
    closes_at=st.none() | st.integers(-HOUR, 2 * CLOSING).map(lambda left: NOW + left),
)
sections = st.builds(QueueSection, waiting=st.floats(0, 500), urgency=st.floats(0, 500), window=st.floats(0, 500))


def timed(one: Waiter, service: Service) -> Waiter:
    return one._replace(due_at=service.due(one.since, one.channel, one.network, one.urgency))


def points(one: Waiter, service: Service = SERVICE, section: QueueSection = SECTION) -> float:
    return score(timed(one, service), NOW, section, service)


@settings(max_examples=80)
@given(waiters, ago, sections, st.sampled_from([SERVICE, WORK]))
def test_waiting_longer_never_lowers_the_rank(one: Waiter, other: int, section: QueueSection, service: Service) -> None:
    longer, shorter = sorted((one.since, other))
    scores = [points(one._replace(since=since), service, section) for since in (longer, shorter)]
    assert scores[0] >= scores[1] - 1e-9


@settings(max_examples=60)
@given(waiters, sections)
def test_more_of_anything_that_presses_never_lowers_it(one: Waiter, section: QueueSection) -> None:
    for less, more in (
        (one._replace(urgency="normal"), one._replace(urgency="high")),
        (one._replace(urgency="low"), one._replace(urgency="normal")),
        (one, one._replace(followers=one.followers * 2)),
        (one._replace(public=False), one._replace(public=True)),
        (one._replace(returned=False), one._replace(returned=True)),
        (one._replace(handed=False), one._replace(handed=True)),
        (one._replace(closes_at=NOW + 2 * HOUR), one._replace(closes_at=NOW + HOUR)),
    ):
        assert points(more, section=section) >= points(less, section=section) - 1e-9


@settings(max_examples=60)
@given(waiters, sections)
def test_the_score_is_the_sum_of_what_is_told(one: Waiter, section: QueueSection) -> None:
    one = timed(one, SERVICE)
    told = parts(one, NOW, section, SERVICE)
    assert sum(part.points for part in told) == pytest.approx(score(one, NOW, section, SERVICE))
    assert all(part.reason for part in told)
    assert len({part.name for part in told}) == len(told)


def test_the_reasons_are_words() -> None:
    one = timed(
        Waiter(
            NOW - 25 * MINUTE,
            urgency="high",
            kind="complaint",
            followers=12_000,
            public=True,
            returned=True,
            handed=True,
            closes_at=NOW + 40 * MINUTE,
        ),
        SERVICE,
    )
    assert [part.reason for part in parts(one, NOW, SECTION, SERVICE)] == [
        "waits 25 min of 30 min",
        "window closes in 40 min",
        "urgent",
        "was handed off before",
        "a complaint",
        "12,000 followers",
        "is back after an answer",
    ]


def test_what_is_overdue_says_by_how_much_and_goes_before_what_is_not() -> None:
    late, soon = Waiter(NOW - 3 * HOUR), Waiter(NOW - 59 * MINUTE)
    assert parts(timed(late, SERVICE), NOW, SECTION, SERVICE)[0].reason == "2 h over its target"
    assert points(late) > 100 > points(soon)


def test_by_the_hours_it_is_said_when_it_is_due() -> None:
    monday = 1_793_624_400_000_000  # 2026-11-02 13:00 UTC
    one = Waiter(monday, due_at=WORK.due(monday, "", ""))
    told = parts(one, monday + 20 * MINUTE, SECTION, WORK)
    assert told[0].reason == "waits 20 min, due in 40 min"


def test_a_weight_of_nothing_leaves_a_part_out() -> None:
    one = Waiter(NOW - HOUR, urgency="high", kind="complaint")
    told = parts(timed(one, SERVICE), NOW, QueueSection(urgency=0), SERVICE)
    assert {part.name for part in told} == {"waiting", "complaint"}


@pytest.mark.parametrize(
    ("minutes", "told"), [(0, "0 min"), (60, "1 h"), (90, "90 min"), (180, "3 h"), (72 * 60, "3 days")]
)
def test_spans_are_spoken(minutes: int, told: str) -> None:
    assert spoken(minutes * MINUTE) == told

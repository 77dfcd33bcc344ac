"""Token buckets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_webchat.limits import Buckets, Rate


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_one_at_a_time() -> None:
    clock = Seconds()
    buckets = Buckets(Rate(burst=3, seconds=2), clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    clock.now += 2
    assert [buckets.take("a") for _ in range(2)] == [0, 2]


def test_keys_do_not_take_from_each_other() -> None:
    buckets = Buckets(Rate(burst=1, seconds=1), Seconds())
    assert buckets.take("a") == 0
    assert buckets.take("b") == 0
    assert buckets.take("a") > 0


def test_a_refusal_costs_nothing() -> None:
    clock = Seconds()
    buckets = Buckets(Rate(burst=1, seconds=1), clock)
    buckets.take("a")
    waits = [buckets.take("a") for _ in range(100)]
    assert set(waits) == {1}


def test_memory_is_bounded_and_forgets_the_quietest() -> None:
    buckets = Buckets(Rate(burst=1, seconds=1), Seconds(), size=2)
    for key in ("a", "b", "a", "c"):
        buckets.take(key)
    assert len(buckets._full_at) == 2
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.sampled_from([0.5, 1.0, 3.0]))
def test_never_more_than_the_rate(pauses: list[float], burst: int, seconds: float) -> None:
    clock = Seconds()
    buckets = Buckets(Rate(burst, seconds), clock)
    taken = []
    for pause in pauses:
        clock.now += pause
        if buckets.take("a") == 0:
            taken.append(clock.now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - taken[first]) / seconds + 1e-6

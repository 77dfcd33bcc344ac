"""What an answer says about the time."""

from datetime import UTC, datetime

import httpx
import pytest

from socialsupport_core.contract import answered_at


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Sun, 22 Nov 2026 17:23:19 GMT", datetime(2026, 11, 22, 17, 23, 19, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 18:23:19 +0100", datetime(2026, 11, 22, 17, 23, 19, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 17:23:19 -0000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("yesterday", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_by_the_clock_of_whoever_answered(date: str, at: datetime) -> None:
    answer = httpx.Response(200, headers={"date": date} if date else {})
    assert (answered_at(answer), answered_at(answer).tzinfo) == (at, UTC)

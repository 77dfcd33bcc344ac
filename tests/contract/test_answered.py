"""When a network answered."""

from datetime import UTC, datetime

import httpx
import pytest

from socialsupport_core.contract.answered import EPOCH, answered_at

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Mon, 02 Mar 2026 10:00:00 GMT", AT),
        ("Mon, 02 Mar 2026 12:00:00 +0200", AT),
        ("Mon, 02 Mar 2026 10:00:00 -0000", EPOCH),  # of an unknown zone
        ("soon", EPOCH),
        ("", EPOCH),
        (None, EPOCH),
    ],
)
def test_the_networks_clock_counts(date: str | None, at: datetime) -> None:
    assert answered_at(httpx.Response(200, headers={"date": date} if date is not None else {})) == at

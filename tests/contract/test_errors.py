"""Every status, after every method, is a decision; so is every form of Retry-After."""

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
    from_response,
    retry_after,
)

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def decision(status: int, method: str = "POST", **headers: str) -> DeliveryError | None:
    request = httpx.Request(method, "https://api.raven.example/x?token=secret")
    return from_response(
        httpx.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()}, request=request)
    )


NAMED: dict[int, type[DeliveryError]] = {
    401: AuthExpired,
    402: Forbidden,
    403: Forbidden,
    404: Unreachable,
    405: Unsupported,
    408: Uncertain,
    410: Unreachable,
    423: Unavailable,
    425: Unavailable,
    429: RateLimited,
    451: Forbidden,
    500: Uncertain,
    501: Unsupported,
    502: Uncertain,
    503: Unavailable,
    504: Uncertain,
}


@pytest.mark.parametrize("method", [*SAFE, *UNSAFE])
def test_every_status_from_100_to_599(method: str) -> None:
    for status in range(100, 600):
        found = decision(status, method)
        if 200 <= status < 300:
            assert found is None
            continue
        other = ContentRejected if 400 <= status < 500 else Uncertain if status >= 500 else Unavailable
        wanted = NAMED.get(status, other)
        if wanted is Uncertain and method in SAFE:
            wanted = Unavailable
        assert type(found) is wanted, status
        assert found.code == str(status)
        assert "secret" not in str(found)


def test_what_may_have_been_done_is_never_said_to_be_certainly_not_done() -> None:
    for status in range(500, 600):
        if status not in (501, 503):
            assert isinstance(decision(status), Uncertain), status


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", "", 0.0),
        ("120", "", 120.0),
        (" 7 ", "", 7.0),
        ("", "", None),
        ("-5", "", None),
        ("1.5", "", None),
        ("soon", "", None),
        ("\u00b3", "", None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", "Sun, 01 Mar 2026 12:00:00 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", "Sun, 01 Mar 2026 12:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", "", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", "Sun, 01 Mar 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_in_every_form(value: str, date: str, seconds: float | None) -> None:
    given = {"retry-after": value} | ({"date": date} if date else {})
    for status in (429, 503):
        headers = {name: one.encode("latin-1") for name, one in given.items()}
        response = httpx.Response(status, headers=headers, request=httpx.Request("POST", "https://a.example"))
        assert retry_after(response) == seconds
        found = from_response(response)
        assert isinstance(found, RateLimited)
        assert found.retry_after == seconds

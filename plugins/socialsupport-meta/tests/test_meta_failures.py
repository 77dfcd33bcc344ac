"""Codes and subcodes as decisions."""

import json
from typing import Any

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
)
from socialsupport_meta.failures import BY_CODE, BY_SUBCODE, CLOSED, failure


def answered(
    code: Any = None, status: int = 400, *, method: str = "POST", headers: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    body = {"error": {"message": "(#1) No", "type": "OAuthException", "code": code, **more}}
    request = httpx.Request(method, "https://graph.facebook.com/v25.0/1/messages")
    return httpx.Response(status, json=body, headers=headers, request=request)


@pytest.mark.parametrize(
    ("code", "subcode", "kind", "told"),
    [
        (190, 463, AuthExpired, "190/463"),
        (102, None, AuthExpired, "102"),
        (4, None, RateLimited, "4"),
        (613, None, RateLimited, "613"),
        (10, None, Forbidden, "10"),
        (10, 2018278, Unreachable, "10/2018278"),
        (200, 2018164, Forbidden, "200/2018164"),
        (299, None, Forbidden, "299"),
        (300, None, ContentRejected, "300"),
        (551, None, Unreachable, "551"),
        (100, None, ContentRejected, "100"),
        (100, 33, Unreachable, "100/33"),
        (1200, None, Unavailable, "1200"),
        (2, None, Uncertain, "2"),
        (99_999_999, None, ContentRejected, "99999999"),
        ("x", None, ContentRejected, "x"),
        (None, None, ContentRejected, "400"),
    ],
)
def test_each_code_is_a_decision(code: Any, subcode: int | None, kind: type[DeliveryError], told: str) -> None:
    error = failure(answered(code, error_subcode=subcode))
    assert type(error) is kind
    assert error.code == told


def test_a_network_has_codes_of_its_own() -> None:
    assert type(failure(answered(131047))) is ContentRejected
    assert type(failure(answered(131047), codes={"131047": Unreachable})) is Unreachable


def test_success_is_no_failure() -> None:
    request = httpx.Request("POST", "https://graph.facebook.com/v25.0/1/messages")
    assert failure(httpx.Response(200, json={"message_id": "m"}, request=request)) is None
    assert failure(httpx.Response(200, content=b"pixels", request=request)) is None


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_leaves_a_send_in_doubt_whatever_it_says(status: int) -> None:
    for code in (1, 2, 4, 100, 190):
        assert type(failure(answered(code, status))) is Uncertain
        assert type(failure(answered(code, status, method="GET"))) is Unavailable


def test_an_error_that_calls_itself_a_success_is_doubtful() -> None:
    assert type(failure(answered(1, 200))) is Uncertain
    assert type(failure(answered([], 200))) is Uncertain
    assert type(failure(answered(1, 200, method="GET"))) is Unavailable


def test_429_is_a_rate_whatever_it_says() -> None:
    for code in (100, 190, 4, None):
        error = failure(answered(code, 429, headers={"retry-after": "77"}))
        assert isinstance(error, RateLimited)
        assert error.retry_after == 77


@pytest.mark.parametrize(
    ("header", "usage", "seconds"),
    [
        ("x-business-use-case-usage", {"1": [{"type": "messenger", "estimated_time_to_regain_access": 19}]}, 1140),
        ("x-business-use-case-usage", {"1": [{"estimated_time_to_regain_access": 0}]}, None),
        ("x-business-use-case-usage", {"1": [{"estimated_time_to_regain_access": 2}], "2": [{}, 3]}, 120),
        ("x-app-usage", {"call_count": 100}, None),
        ("x-app-usage", [1], None),
        ("x-other", {"1": [{"estimated_time_to_regain_access": 19}]}, None),
    ],
)
def test_minutes_to_wait_stand_in_a_header(header: str, usage: Any, seconds: float | None) -> None:
    error = failure(answered(4, headers={header: json.dumps(usage)}))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_broken_header_is_no_time() -> None:
    error = failure(answered(4, headers={"x-app-usage": "{"}))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


def test_the_sentence_names_the_details_and_no_secret() -> None:
    response = answered(100, error_data={"details": "to is missing"}, message="Wrong token a-secret-token")
    error = failure(response, ["a-secret-token"], name="WhatsApp")
    assert str(error) == "WhatsApp answered 400: Wrong token … (to is missing)"


def test_the_tables_agree() -> None:
    assert all(BY_SUBCODE[subcode] is Unreachable for subcode in CLOSED)
    assert all(code.isdecimal() for code in (*BY_CODE, *BY_SUBCODE))

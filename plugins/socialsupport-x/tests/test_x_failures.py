"""Refusals as decisions."""

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
)
from socialsupport_x.failures import BY_CODE, failure


def answer(status, method="POST", headers=None, **content):
    return httpx.Response(
        status, headers=headers, request=httpx.Request(method, "https://api.x.com/2/tweets"), **content
    )


@pytest.mark.parametrize("code", BY_CODE)
def test_each_code_is_a_decision(code):
    error = failure(answer(403, json={"errors": [{"code": int(code), "message": "refused"}]}))
    assert (type(error), error.code) == (BY_CODE[code], code)


@pytest.mark.parametrize(
    ("detail", "kind", "code"),
    [
        ("You are not allowed to create a Tweet with duplicate content.", ContentRejected, "187"),
        ("You do not have permission to DM one or more participants.", Unreachable, "349"),
        ("This user is not allowed to post a video longer than 20 minutes.", ContentRejected, "324"),
        ("You are not permitted to perform this action.", Forbidden, "403"),
    ],
)
def test_sentences_without_a_code(detail, kind, code):
    body = {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": 403}
    error = failure(answer(403, json=body))
    assert (type(error), error.code) == (kind, code)
    assert detail in str(error)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(401, text="<html>"), AuthExpired),
        (answer(402, json={"title": "CreditsDepleted"}), Forbidden),
        (answer(404, json={"title": "Not Found Error"}), Unreachable),
        (answer(500, json={"errors": [{"code": 187, "message": "whatever"}]}), Uncertain),
        (answer(500, method="GET", text=""), Unavailable),
        (answer(503, text=""), Unavailable),
        (answer(400, json=[1]), ContentRejected),
        (answer(400, content=b"[" * 100_000), ContentRejected),
        (answer(200, json={"errors": [{"detail": "Could not find user"}]}), Unavailable),
    ],
)
def test_other_answers(response, kind):
    assert type(failure(response)) is kind


@pytest.mark.parametrize(
    "body", [{"data": {}}, {"data": [], "errors": [{"code": 34}]}, {"meta": {"result_count": 0}}, {}, {"errors": []}]
)
def test_successes(body):
    assert failure(answer(200, json=body)) is None


DATE = {"date": "Fri, 24 Jul 2026 21:25:22 GMT"}
NOW = 1784928322


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({**DATE, "x-rate-limit-reset": str(NOW + 60)}, 60),
        ({**DATE, "x-rate-limit-reset": str(NOW - 60)}, 0),
        ({**DATE, "x-rate-limit-remaining": "1", "x-rate-limit-reset": str(NOW + 60),
          "x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": str(NOW + 7200)}, 7200),
        ({**DATE, "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(NOW + 60),
          "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": str(NOW + 7200)}, 7200),
        ({"x-rate-limit-reset": str(NOW + 60)}, None),
        ({"x-rate-limit-reset": str(NOW + 60), "retry-after": "7"}, 7),
        ({**DATE, "retry-after": "7"}, 7),
        ({**DATE, "x-rate-limit-reset": "soon"}, None),
        ({**DATE, "x-rate-limit-reset": "9" * 400}, None),
        ({"date": "yesterday", "x-rate-limit-reset": "1"}, None),
    ],
)  # fmt: skip
def test_when_to_go_on(headers, seconds):
    error = failure(answer(429, headers=headers, json={"title": "Too Many Requests"}))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_secret_that_x_repeats_is_left_out():
    error = failure(answer(403, json={"detail": "the token s3cret is unknown"}), ["s3cret"])
    assert "s3cret" not in str(error)
    assert "the token … is unknown" in str(error)


def test_a_long_answer_is_cut():
    assert len(str(failure(answer(403, json={"detail": "x" * 10_000})))) < 300

"""The log of `serve` and `work`: when it was, that it is over, and nothing a thousand times."""

import io
import logging
import re
import time
from collections.abc import Iterator

import pytest

from socialsupport_core.cli import logs

logger = logging.getLogger("socialsupport")


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    taken = io.StringIO()
    before, level = logger.handlers[:], logger.level
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", taken)
        logs.begin()
    yield taken
    logger.handlers[:] = before
    logger.setLevel(level)


def test_each_line_has_its_moment_and_what_is_over_is_said_too(stderr: io.StringIO) -> None:
    logger.info("channel %s/%s is well again", "acme", "bot")
    said = stderr.getvalue()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO channel acme/bot is well again\n", said)


def test_what_goes_on_is_said_once_a_minute(stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    for _ in range(100):
        logger.error("the store does not answer: %s", "refused")
    logger.error("the store does not answer: %s", "starting up")
    assert stderr.getvalue().count("\n") == 2
    monkeypatch.setattr(time, "monotonic", lambda: began + 2 * logs.AGAIN)
    logger.error("the store does not answer: %s", "refused")
    assert stderr.getvalue().count("\n") == 3

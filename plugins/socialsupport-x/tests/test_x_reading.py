"""Lax reading: what is optional may be strange."""

import time
from datetime import UTC, datetime

import pytest

from socialsupport_x.reading import attachment, language, moment, moment_in_id, unescaped, written


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Wed Oct 10 20:19:24 +0000 2018", datetime(2018, 10, 10, 20, 19, 24, tzinfo=UTC)),
        ("1516403560557", datetime(2018, 1, 19, 23, 12, 40, 557000, tzinfo=UTC)),
        (1516403560557, datetime(2018, 1, 19, 23, 12, 40, 557000, tzinfo=UTC)),
        ("2026-07-24T21:05:48.000Z", datetime(2026, 7, 24, 21, 5, 48, tzinfo=UTC)),
        ("2018-05-24T11:48:12+02:00", datetime(2018, 5, 24, 9, 48, 12, tzinfo=UTC)),
        ("2018-05-24T11:48:12", None),
        ("Wed Foo 10 20:19:24 +0000 2018", None),
        ("Wed Oct 99 20:19:24 +0000 2018", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9" * 30, None),
        (10**30, None),
        ("", None),
        (None, None),
        ([], None),
        (1.5, None),
        ("²", None),
    ],
)
def test_moments(value, expected):
    assert moment(value) == expected


def test_an_id_tells_when_a_post_was_created():
    """The post in X's own sample: https://docs.x.com/x-api/activity/event-payloads (2026-07)"""
    at = moment_in_id("2080765813578191303")
    assert at is not None
    assert at.replace(microsecond=0) == datetime(2026, 7, 24, 21, 23, 23, tzinfo=UTC)
    assert moment_in_id("20") is None
    assert moment_in_id("x") is None
    assert moment_in_id("9" * 20) is None


def test_escapes_are_undone_once():
    assert unescaped("&lt;b&gt; &amp;lt; &amp;amp; &copy; &") == "<b> &lt; &amp; &copy; &"


LINKS = [{"url": "https://t.co/aaaaaaaaaa", "expanded_url": "https://a.example/?x=1&lt=2"}]


def test_links_are_written_out():
    assert written("see https://t.co/aaaaaaaaaa.", LINKS) == "see https://a.example/?x=1&lt=2."
    assert written("see https://t.co/aaaaaaaaaab", LINKS) == "see https://t.co/aaaaaaaaaab"
    twice = "https://a.example/?x=1&lt=2 https://a.example/?x=1&lt=2"
    assert written("https://t.co/aaaaaaaaaa https://t.co/aaaaaaaaaa", LINKS) == twice


@pytest.mark.parametrize("address", ["javascript:alert(1)", "", None, 5, "data:text/html,x"])
def test_a_strange_address_stays_short(address):
    assert written("https://t.co/aaaaaaaaaa", [{"url": "https://t.co/aaaaaaaaaa", "expanded_url": address}]) == (
        "https://t.co/aaaaaaaaaa"
    )


def test_links_of_attached_media_are_left_out():
    hidden = frozenset({"https://t.co/aaaaaaaaaa"})
    assert written("look https://t.co/aaaaaaaaaa", [], hidden) == "look"
    assert written("https://t.co/aaaaaaaaaa", [], hidden) is None
    assert written("", []) is None


def test_a_million_links_are_quick():
    start = time.process_time()
    written("https://t.co/aaaaaaaaaa " * 40_000, LINKS)
    written("https://t.co/" * 80_000, LINKS)
    assert time.process_time() - start < 1


VARIANTS = [
    {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/a.m3u8"},
    {"content_type": "video/mp4", "bit_rate": 256, "url": "https://video.twimg.com/small.mp4"},
    {"content_type": "video/mp4", "bit_rate": 2176, "url": "https://video.twimg.com/large.mp4"},
]


@pytest.mark.parametrize(
    ("media", "media_type", "url"),
    [
        ({"media_key": "7_1", "variants": VARIANTS}, "video/mp4", "https://video.twimg.com/large.mp4"),
        ({"id_str": "1", "video_info": {"variants": VARIANTS}}, "video/mp4", "https://video.twimg.com/large.mp4"),
        (
            {"media_url_https": "https://pbs.twimg.com/a.PNG?name=orig"},
            "image/png",
            "https://pbs.twimg.com/a.PNG?name=orig",
        ),
        ({"url": "https://pbs.twimg.com/media/b"}, "image/jpeg", "https://pbs.twimg.com/media/b"),
        ({"url": "https://t.co/aaaaaaaaaa"}, "image/jpeg", None),
        ({"media_key": "3_1"}, "image/jpeg", None),
    ],
)
def test_media(media, media_type, url):
    found = attachment(media)
    assert (found.media_type, found.url) == (media_type, url)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("en", "en"), ("und", None), ("zxx", None), ("qme", None), ("qu", "qu"), ("in", "id"), ("iw", "he"), (None, None)],
)
def test_languages(code, expected):
    assert language(code) == expected

"""Whether X accepts a name, a tag, a link or a post."""

from __future__ import annotations

from .entities import Entity, Kind, hashtags, mentions
from .patterns import pattern
from .weight import V3, Weights, weigh

_LABEL = r"[^\s\x00-\x20\x7f!-/:-@\[-`{-~]"
_DOMAIN = (
    rf"(?:{_LABEL}(?:(?:{_LABEL}|[_-])*{_LABEL})?\.)*"
    rf"{_LABEL}(?:(?:{_LABEL}|-)*{_LABEL})?\.(?:[\p{{L}}\p{{M}}]{{2,63}}|xn--[a-z0-9-]+)"
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOST = rf"(?:{_DOMAIN}|{_OCTET}(?:\.{_OCTET}){{3}}|\[[0-9a-f:.]+\])"
_ENCODED = r"%[0-9a-f]{2}"
_PATH = rf"(?:[\w~!$&'()*+,;=:@/.-]|{_ENCODED})*+"
_REST = rf"(?:[\w~!$&'()*+,;=:@/?|.-]|{_ENCODED})*+"
_URL = pattern(
    rf"(?P<protocol>https?://)?(?:(?:[a-z0-9._~!$&'()*+,;=:-]|{_ENCODED})*@)?{_HOST}(?::[0-9]{{1,5}})?"
    rf"(?:/{_PATH})?(?:\?{_REST})?(?:\#{_REST})?",
    ignore_case=True,
)
# The longest address that X takes: twitter-text 3.1, 2026-11.
_MAX_URL = 4096


def is_post(text: str, weights: Weights = V3) -> bool:
    return weigh(text, weights).valid


def is_username(text: str) -> bool:
    """`text` with its sign, as in "@name"."""
    return _is_one(text, "mention", mentions(text))


def is_list(text: str) -> bool:
    return _is_one(text, "list", mentions(text))


def is_hashtag(text: str) -> bool:
    return _is_one(text, "hashtag", hashtags(text))


def is_url(text: str, *, require_protocol: bool = True) -> bool:
    match = _URL.fullmatch(text) if len(text) <= _MAX_URL else None
    return bool(match and (match["protocol"] or not require_protocol))


def _is_one(text: str, kind: Kind, found: list[Entity]) -> bool:
    return [(entity.kind, entity.start, entity.end) for entity in found] == [(kind, 0, len(text))]

"""Secrets never appear in a log, an error or a trace."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MARK = "***"
_IN_PATHS = "!$&'()*+,/:;=@"  # what addresses keep as it is (RFC 3986, 3.3)
_PERCENT = re.compile("%[0-9A-F]{2}")


def secrets_in(value: Any) -> frozenset[str]:
    """Every secret text of a settings object, at any depth."""
    return frozenset(secret for secret in _walk(value) if secret)


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _walk(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _walk(one)


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, however they are spelt in addresses and headers."""
    for secret in sorted(secrets, key=len, reverse=True):
        for spelling in spellings(secret):
            text = text.replace(spelling, MARK)
    return text


def spellings(secret: str) -> tuple[str, ...]:
    """As it is, in addresses, in JSON and `repr`, and in Base64 wherever it begins; the longest first."""
    quoted = [quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe=_IN_PATHS)]
    written = [secret, *quoted, *(_PERCENT.sub(lambda match: match[0].lower(), one) for one in quoted)]
    written += [json.dumps(secret)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1]]
    written += [base64.b64encode(secret.encode()).decode(), *_within_base64(secret.encode())]
    return tuple(sorted(set(written), key=len, reverse=True))


def _within_base64(secret: bytes) -> Iterator[str]:
    """What the secret alone decides of it, after none, one or two other bytes (`user:secret`)."""
    for before in range(3):
        whole = before + len(secret)
        encoded = base64.b64encode(b"\0" * before + secret).decode()
        core = encoded[-(-before * 8 // 6) : whole * 8 // 6]
        if len(core) >= 8:
            yield core

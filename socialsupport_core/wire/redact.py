"""Secrets never appear in a log, an error or a trace."""

import base64
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MARK = "***"


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
    return secret, quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode()

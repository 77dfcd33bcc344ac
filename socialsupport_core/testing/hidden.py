"""Secrets inside values: found, changed, and recognised however they are spelt."""

import base64
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, SecretBytes, SecretStr

B = TypeVar("B", bound=BaseModel)


def secrets_of(value: Any) -> list[str]:
    """Every secret that is not empty, however deep, in the order in which they stand; one that is twice, twice."""
    return [secret for secret in _secrets(value) if secret]


def _secrets(value: Any) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case SecretBytes():
            yield value.get_secret_value().decode("utf-8", "replace")
        case BaseModel():
            yield from _secrets([getattr(value, name) for name in type(value).model_fields])
        case dict():
            yield from _secrets(list(value.values()))
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from _secrets(inner)


def with_secrets(settings: B, change: Callable[[str], str]) -> B:
    """The same settings with other secrets, validated. Raises ValidationError."""
    return type(settings).model_validate(_changed(settings, change))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, SecretStr):
        return SecretStr(change(value.get_secret_value()))
    if isinstance(value, BaseModel):
        return {name: _changed(getattr(value, name), change) for name in value.model_fields_set}
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_changed(item, change) for item in value)
    return value


def spellings(secret: str) -> set[str]:
    """The forms in which a secret may slip out."""
    raw = secret.encode()
    coded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {secret, quote(secret), quote(secret, safe=""), raw.hex(), *coded, *(form.rstrip("=") for form in coded)}

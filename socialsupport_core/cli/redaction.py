"""Hides secrets in whatever is about to be printed."""

import base64
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "***"
_CODED = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
"""What may be base64, in either alphabet."""


class Redactor:
    """Replaces each secret by `***`: plain, percent-encoded, or inside base64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(sorted(filter(None, set(secrets)), key=len, reverse=True))
        forms = sorted({form for secret in self._secrets for form in _forms(secret)}, key=len, reverse=True)
        self._plain = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __call__(self, value: Any) -> Any:
        """The value with every string in it redacted, keys too."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self(key): self(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self(inner) for inner in value]
        return value

    def _text(self, text: str) -> str:
        if self._plain is None:
            return text
        return _CODED.sub(self._coded, self._plain.sub(HIDDEN, text))

    def _coded(self, match: re.Match[str]) -> str:
        """`Basic` credentials hold the secret in the middle of a base64 word."""
        word = match[0].replace("-", "+").replace("_", "/").rstrip("=")
        try:
            decoded = base64.b64decode(word + "=" * (-len(word) % 4))
        except ValueError:
            return match[0]
        return HIDDEN if any(secret.encode() in decoded for secret in self._secrets) else match[0]


def _forms(secret: str) -> set[str]:
    """As it may stand in an address or a form."""
    kept = ("", "/", ":", "/:", ":/@+=&,;!$'()*~")
    quoted = {write(secret, safe=safe) for safe in kept for write in (quote, quote_plus)}
    return {secret} | quoted | {_lower(one) for one in quoted}


def _lower(quoted: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)

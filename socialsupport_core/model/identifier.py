"""Identifiers: the names by which networks know people."""

import re
from typing import Annotated, Self

from pydantic import StringConstraints

from socialsupport_core.model.base import Value

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=64)]
"""`phone`, `email`, or `network.thing` such as `x.user`."""

_WRITTEN = re.compile(r"([a-z][a-z0-9_.]*)(?:@([^:]+))?:(.+)", re.DOTALL)


class Identifier(Value):
    """`(kind, scope, value)`. The scope is the issuer within which the value is unique, where it is not global.

    Written as `kind:value` or `kind@scope:value`, for instance `phone:+15551234` or
    `facebook.psid@PAGE:456`.
    """

    kind: Kind
    scope: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^:]+$")] | None = None
    value: Annotated[str, StringConstraints(min_length=1, max_length=1024)]

    def __str__(self) -> str:
        return f"{self.kind}@{self.scope}:{self.value}" if self.scope else f"{self.kind}:{self.value}"

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str()`. Raises ValueError when the text is not an identifier."""
        match = _WRITTEN.fullmatch(written)
        if match is None:
            raise ValueError(f"{written!r} is not an identifier; write kind:value or kind@scope:value")
        kind, scope, value = match.groups()
        return cls(kind=kind, scope=scope, value=value)

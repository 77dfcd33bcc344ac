"""Blanks filled for one customer at one place. What may not be said there stays blank, and is named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_BLANK = re.compile(r"\{([a-z][a-z0-9_]{0,30})\}")
GREETINGS: Mapping[str, tuple[str, str]] = {
    "en": ("Hello {name}", "Hi {name}"),
    "de": ("Guten Tag {name}", "Hallo {name}"),
    "fr": ("Bonjour {name}", "Bonjour {name}"),
    "es": ("Hola {name}", "Hola {name}"),
}
"""By language: by mail, and elsewhere."""


@dataclass(frozen=True, slots=True)
class Blanks:
    """What is known. `private` may not be said in public."""

    agent: str
    customer: str | None = None
    handle: str | None = None
    language: str | None = None
    network: str = ""
    public: bool = False
    private: Mapping[str, str] = field(default_factory=dict)
    """By kind of the context, such as `order`."""
    open: Mapping[str, str] = field(default_factory=dict)
    """The same for what is no secret."""

    def value(self, name: str) -> str | None:
        if name == "greeting":
            return self._greeting()
        if name == "customer":
            return self._name()
        if name in ("handle", "agent"):
            return {"handle": f"@{self.handle}" if self.handle else None, "agent": self.agent}[name]
        if name in self.open:
            return self.open[name]
        return None if self.public else self.private.get(name)

    def _name(self) -> str | None:
        """In public by the handle: there not everybody goes by their name."""
        handle = f"@{self.handle}" if self.handle else None
        return handle if self.public else self.customer or handle

    def _greeting(self) -> str:
        by_mail, elsewhere = GREETINGS.get(self.language or "en", GREETINGS["en"])
        form = by_mail if self.network == "email" else elsewhere
        return form.format(name=self._name() or "").strip()


@dataclass(frozen=True, slots=True)
class Filled:
    text: str
    missing: tuple[str, ...]
    """Blanks that are left as they stand."""


def fill(text: str, blanks: Blanks) -> Filled:
    missing: list[str] = []

    def put(match: re.Match[str]) -> str:
        value = blanks.value(match[1])
        if value is None:
            missing.append(match[1])
        return match[0] if value is None else value

    return Filled(_BLANK.sub(put, text), tuple(dict.fromkeys(missing)))

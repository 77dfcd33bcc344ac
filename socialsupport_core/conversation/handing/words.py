"""What a hand-off says: templates by tenant and language, with defaults in four languages."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from socialsupport_core.contract.errors import ConfigError

LANGUAGES = ("en", "de", "fr", "es")
"""Those that ship; a tenant may add others."""
FIELDS: Mapping[str, frozenset[str]] = {
    "public_open": frozenset(),
    "public_link": frozenset({"url"}),
    "public_sent": frozenset(),
    "private_open": frozenset(),
    "private_link": frozenset({"url", "where", "until"}),
    "private_sent": frozenset({"where"}),
    "go_on": frozenset({"where"}),
    "code_told": frozenset({"code", "where"}),
    "code_asked": frozenset({"where"}),
    "code_public": frozenset({"code", "where"}),
    "code_wanted": frozenset({"where"}),
    "code_right": frozenset(),
    "code_wrong": frozenset(),
    "code_over": frozenset(),
    "code_elsewhere": frozenset({"where"}),
    "reminder": frozenset({"until"}),
    "away": frozenset({"opens", "by"}),
    "public_away": frozenset(),
    "rating": frozenset(),
}
"""Each template, and what is filled in. What everybody reads has nothing to fill in but the link."""
VARIED = ("public_open", "public_sent", "public_away")
NEEDED: Mapping[str, frozenset[str]] = {
    "public_link": frozenset({"url"}),
    "private_link": frozenset({"url"}),
    "code_told": frozenset({"code"}),
    "code_public": frozenset({"code"}),
}
LONGEST = 1_000
WAYS = 9
"""In so many ways a public text may be said: some networks refuse the same words twice."""


@dataclass(frozen=True, slots=True)
class Words:
    """The templates of one tenant. `own` are those that differ from the defaults, by language and name."""

    own: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The tenant's default."""
        return self.own.get(("", "language"), LANGUAGES[0])

    def say(self, name: str, language: str | None, said: Sequence[str] = (), **values: str) -> str:
        """In the customer's language if there are words in it, else in the tenant's, else in English.

        Of several ways to say it the first that is not among what we have `said`, the newest first; else the one that
        was said the longest ago.
        """
        ways = [text.format(**values) for text in self._find(name, language)]
        return max(ways, key=lambda text: next((n for n, one in enumerate(said) if text in one), len(said)))

    def place(self, network: str, language: str | None) -> str:
        return self._find(f"places.{network}", language, "places.other")[0].format(network=network)

    def _find(self, name: str, language: str | None, otherwise: str | None = None) -> list[str]:
        for spoken in self._order(language):
            own = {written: text for (of, written), text in self.own.items() if of == spoken}
            for wanted in (name, otherwise):
                if wanted and (ways := _ways(own, wanted) or _ways(defaults(spoken), wanted)):
                    return ways
        raise ConfigError(f"there is no template {name!r}; there is {', '.join(FIELDS)}")

    def _order(self, language: str | None) -> list[str]:
        plain = (language or "").partition("-")[0].lower()
        return list(dict.fromkeys([one for one in (plain, self.language, LANGUAGES[0]) if one]))


def _ways(texts: Mapping[str, str], name: str) -> list[str]:
    return [texts[one] for one in numbered(name) if one in texts]


def numbered(name: str) -> list[str]:
    """Under which names the ways to say it are kept: `public_open`, `public_open.2`, …"""
    return [name, *(f"{name}.{n}" for n in range(2, WAYS + 1))]


def merged(own: Mapping[str, str], language: str) -> dict[str, str]:
    """What holds in a language: a text of the tenant's own stands in place of all the ways in which we would say it."""
    theirs = {_base(name) for name in own}
    return {name: text for name, text in defaults(language).items() if _base(name) not in theirs} | dict(own)


def _base(name: str) -> str:
    return name if name.startswith("places.") else name.partition(".")[0]


@cache
def defaults(language: str) -> Mapping[str, str]:
    """By name; empty for a language that does not ship."""
    if language not in LANGUAGES:
        return {}
    written = files("socialsupport_core.conversation.handing").joinpath(f"templates/{language}.toml").read_text("utf-8")
    return _flat(tomllib.loads(written))


def _flat(table: Mapping[str, Any]) -> dict[str, str]:
    flat = {f"places.{network}": text for network, text in table.get("places", {}).items()}
    for name, said in table.items():
        if name != "places":
            flat |= zip(numbered(name), said, strict=False) if isinstance(said, list) else {name: said}
    return flat


def read(toml: str) -> dict[tuple[str, str], str]:
    """A tenant's own templates: a table a language, and the default `language`. Raises ConfigError.

    [de]
    public_link = "Hier geht es weiter: {url}"
    public_open = ["Wir haben Ihnen geschrieben.", "Bitte sehen Sie in Ihre Nachrichten."]
    [de.places]
    whatsapp = "auf WhatsApp"
    """
    try:
        table = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the templates are no TOML: {error}") from None
    return checked(table)


def checked(table: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """The same of a table that was read already. Raises ConfigError."""
    if not isinstance(table, Mapping):
        raise ConfigError("write a table of templates for each language, as in {'de': {'public_sent': '…'}}")
    found: dict[tuple[str, str], str] = {}
    for language, content in table.items():
        found |= _default(content) if language == "language" else _language(language, content)
    return found


def _default(content: Any) -> dict[tuple[str, str], str]:
    if not _is_language(content):
        raise ConfigError(f"language: {str(content)[:40]!r} is no language; write it like de (ISO 639)")
    return {("", "language"): content}


def _is_language(written: Any) -> bool:
    """As customers' languages are looked up: without the country."""
    return isinstance(written, str) and bool(re.fullmatch("[a-z]{2,3}", written))


def _language(language: str, content: Any) -> dict[tuple[str, str], str]:
    if not _is_language(language):
        raise ConfigError(f"[{language[:40]}] is no language; write it like [de] (ISO 639), without a country")
    if not isinstance(content, dict):
        raise ConfigError(f"{language}: write a table of templates, as in [{language}]")
    for name, said in content.items():
        if isinstance(said, list) and not (name in VARIED and 0 < len(said) <= WAYS):
            raise ConfigError(f"{language}.{name}: write one text; in up to {WAYS} ways are said {', '.join(VARIED)}")
        if isinstance(said, list) and len(said) != len(set(map(str, said))):
            raise ConfigError(f"{language}.{name}: two of its texts are the same; write each way to say it once")
    flat = _flat(content)
    for name, text in flat.items():
        _check(language, name, text)
    return {(language, name): text for name, text in flat.items()}


def _check(language: str, name: str, text: Any) -> None:
    where = f"{language}.{name}"
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise ConfigError(f"{where}: write a text of at most {LONGEST} characters")
    base = _base(name)
    known = base == name or (base in VARIED and name in numbered(base))
    allowed = frozenset({"network"}) if name.startswith("places.") else FIELDS.get(base) if known else None
    if allowed is None:
        raise ConfigError(f"{where}: there is no such template; there is {', '.join(FIELDS)}, places")
    if unknown := _fields(where, text) - allowed:
        raise ConfigError(f"{where}: {{{sorted(unknown)[0]}}} cannot be filled in; there is {_listed(allowed)}")
    if missing := NEEDED.get(name, frozenset()) - _fields(where, text):
        raise ConfigError(f"{where}: {{{sorted(missing)[0]}}} is missing, and without it the text is of no use")


def _fields(where: str, text: str) -> set[str]:
    """A format specification or an attribute would let a template read more than it is given."""
    try:
        parts = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ConfigError(f"{where}: {error}; write {{{{ for a brace") from None
    if any(spec or conversion or not name.isidentifier() for name, spec, conversion in parts):
        raise ConfigError(f"{where}: write names in braces and nothing else, such as {{url}}")
    return {name for name, _, _ in parts}


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "nothing to fill in"

"""E-mail addresses in a text, also as people write them who would rather not: `kerry [at] acme [dot] example`."""

import re
from collections.abc import Iterator

from socialsupport_core.text.tlds import top_level_domains

Span = tuple[int, int]

_SIGNS = "at the rate|ät|arroba|arobase|chiocciola|małpa|apenstaartje"
"""Words for the sign that mean nothing else; `at` does."""
_DOTS = "dot|nokta|punkt|punto|ponto|point|kropka|punt"
_LOCAL = r"(?:\"[^\"@]{1,64}\"|[\w.+'-]{1,64})"
_LABEL = r"[\w-]{1,63}"
_OPEN, _SHUT = r" ?[(\[{<] ?", r" ?[)\]}>] ?"
_SIGN = (
    rf"(?:[ *~]{{0,3}}@[ *~]{{0,3}}| ?[★☆] ?|{_OPEN}(?:@|@?(?:at?|{_SIGNS})){_SHUT}|-\{{@\}}-| ?&#64; ?|%40"
    rf"| (?:{_SIGNS}) )"
)
_DOT = rf"(?:[.,。]| \. |{_OPEN}(?:\.|{_DOTS}){_SHUT}| (?:{_DOTS}) )"
_PROVIDERS = (
    "gmail|googlemail|hotmail|icloud|gmx|aol|proton|protonmail|t-online|fastmail|laposte|wanadoo|libero|onet|uol"
)
_PLAIN = re.compile(rf"[\w.+'-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*\.[^\W\d]{{2,63}}")
_WRITTEN = tuple(
    re.compile(one, re.IGNORECASE)
    for one in (
        rf"(?P<local>{_LOCAL}){_SIGN}(?P<host>{_LABEL}(?:{_DOT}{_LABEL})+)",
        rf"(?P<local>{_LOCAL}) at (?P<host>{_LABEL}(?:{_DOT}{_LABEL})* (?:dot|punkt|punto|ponto) {_LABEL})",
        rf"(?P<local>{_LOCAL})(?: [ae]t |[_-]at[_-])(?P<host>(?:{_PROVIDERS}){_DOT}{_LABEL})",
        rf"(?P<local>{_LOCAL})[_-]at[_-](?P<host>{_LABEL}(?:-dot-[^\W_]{{1,63}})+)",
        rf"(?P<local>{_LOCAL})_at_(?P<host>{_LABEL}(?:\.{_LABEL})+)",
    )
)
_LABELS = re.compile(rf"(?:{_DOT}|-dot-)([^\W\d_]{{2,63}})(?!\w)", re.IGNORECASE)
_PROVIDED = re.compile(rf"@(?:{_PROVIDERS})\.", re.IGNORECASE)
_RESERVED = frozenset({"example", "test", "invalid", "local", "internal"})
"""Top-level domains that nobody has (RFC 2606, RFC 6762)."""


def found_in(flat: str) -> Iterator[Span]:
    for match in _PLAIN.finditer(flat):
        if not _is_handle(flat, match):
            yield match.span()
    for pattern in _WRITTEN:
        start = 0
        while found := pattern.search(flat, start):
            end = _end(found)
            start = end or found.end("local")  # what looked like a host may be the beginning of another address
            if end and not _is_handle(flat, found):
                yield found.start(), end


def _is_handle(flat: str, match: re.Match[str]) -> bool:
    """`@kerry@social.example` is how many networks name an account in public."""
    return flat[match.start() - 1 : match.start()] == "@" and not _PROVIDED.search(match[0])


def _end(match: re.Match[str]) -> int:
    """Behind the last label that is a top-level domain; 0 if none is."""
    ends = [one.end() for one in _LABELS.finditer(match["host"]) if _is_top(one[1])]
    return match.start("host") + ends[-1] if ends else 0


def _is_top(label: str) -> bool:
    return label.lower() in _RESERVED or label.lower() in top_level_domains()

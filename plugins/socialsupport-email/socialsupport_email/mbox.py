"""Files with many mails (RFC 4155): each begins with a line `From sender date` after an empty line."""

import re
from collections.abc import Iterator

_SEPARATOR = re.compile(
    rb"(?:(?<=\n\n)|(?<=\n\r\n))From [^\r\n]{0,500}?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
    rb"[^\r\n]{0,40}? [0-9]{4}[^\r\n]{0,40}\r?\n"
)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(content: bytes) -> bool:
    return content.startswith(b"From ")


def messages(content: bytes) -> Iterator[bytes]:
    """One after the other, in the form that quotes every `From ` (mboxrd). The first line always begins one."""
    start: int | None = content.find(b"\n") + 1 or len(content)
    while start is not None:
        found = _SEPARATOR.search(content, start)
        yield _QUOTED.sub(rb"\1", content[start : found.start() if found else len(content)])
        start = found.end() if found else None

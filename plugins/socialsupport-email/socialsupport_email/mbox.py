"""Files with many mails (RFC 4155): each begins with a line `From sender date` after an empty line."""

import re
from collections.abc import Iterator

_SEPARATOR = re.compile(
    rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]{0,500}?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?[^\r\n]{0,40}? [0-9]{4}[^\r\n]{0,40}\r?\n"
)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(content: bytes) -> bool:
    return content.startswith(b"From ")


def messages(content: bytes) -> Iterator[bytes]:
    """One after the other, in the form that quotes every `From ` (mboxrd); what comes before the first is dropped."""
    found = _SEPARATOR.search(content)
    while found:
        start, found = found.end(), _SEPARATOR.search(content, found.end())
        yield _QUOTED.sub(rb"\1", content[start : found.start() if found else len(content)])

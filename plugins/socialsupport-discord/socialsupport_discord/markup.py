"""Discord's markup and CommonMark, which are nearly the same.

https://docs.discord.com/developers/reference#message-formatting and
https://support.discord.com/hc/en-us/articles/210298617 (2026-11)
"""

import re
from collections.abc import Mapping

from socialsupport_core.text import from_spans, to_spans

_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_MARK = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})|@&(?P<role>\d{1,20})|#(?P<channel>\d{1,20})|a?:(?P<emoji>\w{1,32}):\d{1,20}"
    r"|/(?P<command>[^<>:\n]{1,100}):\d{1,20}|t:(?P<time>-?\d{1,13})(?::\w)?)>"
)
_UNDERLINE = re.compile(r"__(?=\S)(.+?)(?<=\S)__(?!_)")
_SUBTEXT = re.compile(r"^-# ", re.MULTILINE)
_SPOILER = re.compile(r"\|\|")
_LIVE = re.compile(r"(?<!\\)<(?=[@#:/]|a:|t:|id:)|(?<!\\)\|(?=\|)|(?<=\|)(?<!\\)\|")
"""What would be a mention, an emoji, a time or a spoiler on Discord, and is nothing in CommonMark."""


def read(text: str, names: Mapping[str, str]) -> str:
    """CommonMark of what somebody wrote; `names` are those of the users that are mentioned."""
    parts = _CODE.split(text)
    return "".join(part if number % 2 else _read(part, names) for number, part in enumerate(parts))


def _read(text: str, names: Mapping[str, str]) -> str:
    text = _SUBTEXT.sub("", _UNDERLINE.sub(r"\1", _SPOILER.sub("", text)))
    return _MARK.sub(lambda found: _mark(found, names), text)


def _mark(found: re.Match[str], names: Mapping[str, str]) -> str:
    kind, value = found.lastgroup or "", found[found.lastgroup or 0]
    if kind == "user":
        name = re.sub(r"[\[\]\\]", "", names.get(value, value))
        return f"[@{name}](mention:{value})"
    return {"role": f"@{value}", "channel": f"#{value}", "emoji": f":{value}:", "command": f"/{value}"}.get(kind, value)


def write(markdown: str) -> str:
    """What Discord shows as this CommonMark. Nobody is mentioned, whatever it says."""
    text, spans = to_spans(markdown)
    written = from_spans(text, [span for span in spans if span.style != "mention"])
    parts = _CODE.split(written)
    return "".join(part if number % 2 else _LIVE.sub(r"\\\g<0>", part) for number, part in enumerate(parts))

"""What an ask says, in plain words: addresses, fields and texts, however they are packed."""

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx

from socialsupport_core.testing.scripted import fields_of


def spoken(asks: list[Any]) -> str:
    """Everything that the asks say, unpacked; for looking things up in it."""
    return "\n".join(word for ask in asks for word in _words(ask))


def _words(ask: Any) -> Iterator[str]:
    if not isinstance(ask, httpx.Request):
        yield from _strings(_raw_fields(ask))
        return
    yield unquote(str(ask.url))
    yield from (value for _, value in ask.url.params.multi_items())
    yield from ask.headers.values()
    yield from _body(ask.read())


def _raw_fields(ask: Any) -> dict[str, Any]:
    return {name: getattr(ask, name, None) for name in fields_of(ask)}


def _body(body: bytes) -> Iterator[str]:
    text = body.decode("utf-8", "replace")
    yield text
    try:
        yield from _strings(json.loads(body))
    except (ValueError, RecursionError):
        yield from (value for _, value in parse_qsl(text, keep_blank_values=True))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
        yield from _mail(message_from_bytes(value))
    elif isinstance(value, Message):
        yield from _mail(value)
    elif value is not None:
        yield str(value)


def _mail(message: Message) -> Iterator[str]:
    for part in message.walk():
        yield from (str(header) for header in part.values())
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content.decode("utf-8", "replace")

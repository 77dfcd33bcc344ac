"""Bodies that a network never sends: each field in turn missing or strange, and bodies broken as a whole."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

Path = tuple[str | int, ...]

_DEEP: Any = None
for _ in range(100):
    _DEEP = [_DEEP]
STRANGE: tuple[Any, ...] = (
    None, "", " ", 0, -1, 1.5, True, [], {}, [None], {"": None}, 10**30, -(10**30), 1e308, "NaN", "\ud800", "\x00",
    "0" * 100_000, _DEEP,
)  # fmt: skip
STRANGE_TEXTS = ("", " ", "0", "-1", "NaN", "9" * 30, "\x00", "\ufffd", "{}", "[", "a" * 100_000)
UNKNOWN = ("zz_unknown_field", {"id": "zz", "text": "zz", "list": [1, None]})


def json_bytes(content: Any) -> bytes:
    return json.dumps(content).encode()


def _read(body: bytes) -> Any:
    """The body's JSON, or None."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content if isinstance(content, dict | list) else None


def _read_form(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form, or none where the body is something else."""
    if not re.fullmatch(rb"[\w.+%*~!'()\[\]-]+=[^\s<>{}]*", body):
        return []
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def is_json(body: bytes) -> bool:
    return _read(body) is not None


def is_fields(body: bytes) -> bool:
    """JSON or a form."""
    return _read(body) is not None or bool(_read_form(body))


def mutants(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What was changed, and the body with it: JSON and forms by their fields, anything else by its lines."""
    if (content := _read(body)) is not None:
        yield from ((change, json_bytes(changed)) for change, changed in _json_mutants(content))
    elif form := _read_form(body):
        yield from _form_mutants(form)
    else:
        yield from _line_mutants(body)


def _json_mutants(content: Any) -> Iterator[tuple[str, Any]]:
    for path in paths(content):
        if not path:
            continue
        where = ".".join(map(str, path))
        yield f"{where} missing", _missing(content, path)
        for strange in STRANGE:
            yield f"{where} = {str(strange)[:40]!r}", _with(content, path, strange)
        if isinstance(inner := _at(content, path), str) and (nested := _read(inner.encode())) is not None:
            for change, changed in _json_mutants(nested):
                yield f"{where} holds {change}", _with(content, path, json.dumps(changed))


def _form_mutants(form: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    for index, (name, value) in enumerate(form):
        others = form[:index] + form[index + 1 :]
        yield f"{name} missing", urlencode(others).encode()
        yield f"{name} twice", urlencode([*form, (name, "other")]).encode()
        for strange in STRANGE_TEXTS:
            yield f"{name} = {strange[:40]!r}", urlencode([*others, (name, strange)]).encode()
        yield f"{name} is no UTF-8", urlencode(others).encode() + b"&" + name.encode() + b"=%ff%fe"
        for change, changed in mutants(value.encode()) if _read(value.encode()) is not None else ():
            yield f"{name} holds {change}", urlencode([*others, (name, changed.decode())]).encode()


def _line_mutants(body: bytes) -> Iterator[tuple[str, bytes]]:
    lines = body.split(b"\n")
    for index, line in enumerate(lines[:200]):
        before, after = lines[:index], lines[index + 1 :]
        yield f"line {index} missing", b"\n".join(before + after)
        yield f"line {index} twice", b"\n".join([*before, line, line, *after])
        name = line.split(b":")[0]
        for strange in (
            b"",
            b" ",
            b":",
            b"\x00",
            b"\xff\xfe",
            name + b":",
            name + b": \xff",
            name + b": " + b"x" * 9000,
        ):
            yield f"line {index} = {strange[:20]!r}", b"\n".join([*before, strange, *after])


def broken_bodies(body: bytes) -> Iterator[bytes]:
    """Broken as a whole."""
    yield from (b"", b" ", b"null", b"true", b"0", b'""', b'"text"', b"[]", b"{}", b"[null]", b"[[]]", b'{"":{}}')
    yield from (b"NaN", b"Infinity", b'{"a":NaN}', b"\xff\xfe", b"\xef\xbb\xbf{}", b"\x00", b"<html></html>", b"a=b&c")
    yield b"[" * 100_000
    yield b"[" * 100_000 + b"]" * 100_000
    yield b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield b"1" * 5000
    for cut in range(1, 20):
        yield body[: len(body) * cut // 20]


def with_unknown_fields(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The body with a field that nobody knows, in each object in turn, first and last."""
    content = _read(body)
    if content is None:
        if form := _read_form(body):
            yield "the form", urlencode([*form, (UNKNOWN[0], "zz")]).encode()
        return
    for path in paths(content):
        if isinstance(_at(content, path), dict):
            where = ".".join(map(str, path)) or "the whole"
            yield where, json_bytes(_replaced(content, path, lambda inner: {**inner, UNKNOWN[0]: UNKNOWN[1]}))
            yield where, json_bytes(_replaced(content, path, lambda inner: {UNKNOWN[0]: UNKNOWN[1], **inner}))


def keys_of(body: bytes) -> set[str]:
    return {step for path in paths(_read(body)) for step in path if isinstance(step, str)}


def paths(content: Any, at: Path = ()) -> Iterator[Path]:
    """The place of everything in JSON, the whole first."""
    yield at
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for step, inner in items:
        yield from paths(inner, (*at, step))


def _at(content: Any, path: Path) -> Any:
    for step in path:
        content = content[step]
    return content


def _with(content: Any, path: Path, new: Any) -> Any:
    """A copy with something else in this place."""
    return _replaced(content, path, lambda _: new)


def _missing(content: Any, path: Path) -> Any:
    return _replaced(content, path[:-1], lambda inner: _without(inner, path[-1]))


def _without(inner: Any, step: str | int) -> Any:
    if isinstance(inner, dict):
        return {key: value for key, value in inner.items() if key != step}
    return [value for index, value in enumerate(inner) if index != step]


def _replaced(content: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(content)
    shallow = copy.copy(content)
    shallow[path[0]] = _replaced(content[path[0]], path[1:], change)
    return shallow

"""A connector's asks as JSON."""

import dataclasses
import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel

if TYPE_CHECKING:
    import httpx


def shown(request: "httpx.Request") -> dict[str, Any]:
    """`method, url, headers, body`; the body as JSON, a form's fields, a multipart's parts, or text."""
    return {
        "method": request.method,
        "url": str(request.url),
        "headers": dict(request.headers),
        "body": _body(request.headers.get("content-type", ""), request.read()),
    }


def _body(content_type: str, content: bytes) -> Any:
    media_type = content_type.partition(";")[0].strip().lower()
    if not content:
        return None
    if media_type == "multipart/form-data":
        return _parts(content_type, content)
    text = content.decode("utf-8", "replace")
    if media_type == "application/x-www-form-urlencoded":
        return _form(text)
    return _json(text) if media_type.endswith(("/json", "+json")) else text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _form(text: str) -> dict[str, Any]:
    """A field that comes twice is a list."""
    fields: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        fields[key] = value if key not in fields else [*_listed(fields[key]), value]
    return fields


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parts(content_type: str, content: bytes) -> list[dict[str, Any]]:
    head = f"content-type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + content)
    return [_part(part) for part in message.iter_parts()]


def _part(part: Any) -> dict[str, Any]:
    """A file by its name, type and size; a field by its value."""
    content = part.get_payload(decode=True) or b""
    about = {
        "name": part.get_param("name", header="content-disposition"),
        "filename": part.get_filename(),
        "content_type": part.get_content_type() if part["content-type"] else None,
        "size": len(content),
    }
    if about["filename"] is None:
        about["value"] = content.decode("utf-8", "replace")
    return {key: value for key, value in about.items() if value is not None}


def shown_ask(ask: Any) -> dict[str, Any]:
    """An ask that is not HTTP: its type and its fields."""
    if dataclasses.is_dataclass(ask):
        fields = {one.name: getattr(ask, one.name) for one in dataclasses.fields(ask)}
    else:
        fields = ask.model_dump() if isinstance(ask, BaseModel) else vars(ask)
    return {"ask": type(ask).__name__, **{key: _plain(value) for key, value in fields.items()}}


def _plain(value: Any) -> Any:
    """JSON has no bytes, sets or moments."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    return value if value is None or isinstance(value, str | int | float) else str(value)

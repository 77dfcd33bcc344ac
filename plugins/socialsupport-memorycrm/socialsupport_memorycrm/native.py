"""What the CRM writes: contacts and changes, and what they mean to us. Unknown fields are ignored."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentReplied,
    CaseClosed,
    Contact,
    ContactChanged,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Identifier, Instant


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class NativeIdentifier(_Native):
    value: str
    """`kind:value`; the CRM lets people type anything, so it may be neither."""
    verified: bool = False


class NativeField(_Native):
    name: str
    value: str | None = None


class NativeContact(_Native):
    id: str
    name: str | None = None
    identifiers: tuple[NativeIdentifier, ...] = ()
    fields: tuple[NativeField, ...] = ()


class NativeAgent(_Native):
    name: str


class NativeChange(_Native):
    id: str
    at: Instant


class Reply(NativeChange):
    case: str
    agent: NativeAgent
    text: str


class Closing(NativeChange):
    case: str


class Update(NativeChange):
    contact: NativeContact


def contact(native: NativeContact) -> Contact:
    """An identifier that cannot be read is left out: it would be no evidence for anything."""
    read = [(_identifier(one.value), one.verified) for one in native.identifiers]
    known = [(identifier, verified) for identifier, verified in read if identifier]
    return Contact(
        id=native.id,
        identifiers=tuple(dict.fromkeys(identifier for identifier, _ in known)),
        verified=frozenset(identifier for identifier, verified in known if verified),
        name=native.name,
        fields={one.name: one.value for one in native.fields if one.value is not None},
    )


def _identifier(written: str) -> Identifier | None:
    try:
        return Identifier.parse(written)
    except ValueError:
        return None


def _replied(change: Reply) -> AgentReplied:
    return AgentReplied(id=change.id, case=change.case, agent=change.agent.name, text=change.text, at=change.at)


def _closed(change: Closing) -> CaseClosed:
    return CaseClosed(id=change.id, case=change.case, at=change.at)


def _changed(change: Update) -> ContactChanged:
    return ContactChanged(id=change.id, contact=contact(change.contact), at=change.at)


C = TypeVar("C", bound=NativeChange)


def _reader(model: type[C], event: Callable[[C], CRMEvent]) -> Callable[[Any], CRMEvent]:
    return lambda native: event(model.model_validate(native))


READERS: Mapping[str, Callable[[Any], CRMEvent]] = {
    "case.replied": _reader(Reply, _replied),
    "case.closed": _reader(Closing, _closed),
    "contact.updated": _reader(Update, _changed),
}
"""Other types of change are not for us."""


def events(body: bytes) -> list[CRMEvent]:
    """Of a webhook (one change) or of a polled page (`{"changes": [...]}`). Raises MalformedPayload."""
    return [event for native in _changes(body) if (event := _event(native))]


def _changes(body: bytes) -> Iterator[dict[str, Any]]:
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise MalformedPayload("the body is neither a change nor a page of changes")
    changes = content.get("changes", [content])
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise MalformedPayload("changes: not a list of objects")
    yield from changes


def _event(native: dict[str, Any]) -> CRMEvent | None:
    kind = native.get("type")
    if not isinstance(kind, str):
        raise MalformedPayload("type: a change without its type")
    try:
        return READERS[kind](native) if kind in READERS else None
    except ValidationError as error:
        raise MalformedPayload(f"{kind}: {misfit(error)}") from None


def error_code(content: bytes) -> str | None:
    """From `{"error": {"code": "…"}}`, whatever else the answer is."""
    try:
        code = json.loads(content)["error"]["code"]
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    return code if isinstance(code, str) else None

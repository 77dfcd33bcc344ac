"""A request and an answer, compared with what a description says of them."""

import json
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

import httpx

from socialsupport_core.testing.against.document import Document, Node
from socialsupport_core.testing.against.operations import NOT_PARAMETERS, Found, Operation, Operations, Parameter
from socialsupport_core.testing.against.shapes import Fault, Shapes
from socialsupport_core.testing.cases import GivenResponse
from socialsupport_core.testing.scripted import response_of

FORM, MULTIPART, _JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"


class Description:
    """One description; `server` stands in for the addresses that it names."""

    def __init__(self, document: Document, server: str | None = None, *, whole: bool = False) -> None:
        self.document = document
        self._operations = Operations(document, server)
        self._shapes = Shapes(document, whole=whole)

    def find(self, request: httpx.Request) -> Found:
        return self._operations.find(request)

    def unknown(self, request: httpx.Request, found: Found) -> Fault:
        """What is wrong with a request that is no operation of this description."""
        where = self.document.path
        if found.methods:
            said = f"{', '.join(found.methods)} ({where})"
            return Fault("method", "wrong method", f"{request.method} is asked", said)
        return Fault("path", "unknown path", f"{request.url.path} is asked", f"nothing of it ({where})")

    def of_request(self, request: httpx.Request, found: Found) -> Iterator[Fault]:
        assert found.operation is not None
        yield from self._parameters(found.operation, request, found.values)
        yield from self._body(found.operation, request)

    def of_response(self, operation: Operation, given: GivenResponse) -> Iterator[Fault]:
        """Errors are compared where they are described; most descriptions leave most of them out."""
        if given.dropped or (described := operation.answered(given.status)) is None:
            if not given.dropped and given.status < 300 and operation.answers:
                known = f"{', '.join(sorted(operation.answers))} (#{operation.pointer}/responses)"
                yield Fault("answer", "unknown status", f"{given.status} is answered", known)
            return
        answer = response_of(given)
        known = _JSON if given.text is not None and _is_json(given.text) else ""  # exact texts are written as text
        kind = _type(httpx.Headers(given.headers)) or known or _type(answer.headers)
        schema = _of_type(described, kind)
        if schema is not None and "json" in kind:
            yield from self._shapes.faults(json.loads(answer.content), schema, "answer", "response")

    def _parameters(self, operation: Operation, request: httpx.Request, path: Mapping[str, str]) -> Iterator[Fault]:
        query: dict[str, list[str]] = {}
        for name, value in request.url.params.multi_items():
            query.setdefault(name, []).append(value)
        headers = {one.name: request.headers.get_list(one.name) for one in operation.parameters}
        given: Mapping[str, Mapping[str, list[str]]] = {
            "query": query,
            "path": {name: [value] for name, value in path.items()},
            "header": {name: values for name, values in headers.items() if values},
        }
        for one in operation.parameters:
            if one.place in given and not (one.place == "header" and one.name.lower() in NOT_PARAMETERS):
                yield from self._parameter(operation, one, given[one.place])
        yield from self._unknown_query(operation, query)

    def _parameter(self, operation: Operation, one: Parameter, given: Mapping[str, list[str]]) -> Iterator[Fault]:
        values = given.get(one.name) or given.get(f"{one.name}[]")
        if one.is_open:
            return
        if values is None:
            if one.required:
                said = f'"required": true (#{operation.pointer}/parameters)'
                yield Fault(f"{one.place}.{one.name}", "missing", "it is not given", said)
        elif one.schema is not None:
            value = self._shapes.listed(values, one.schema, one.separated)
            yield from self._shapes.faults(value, one.schema, f"{one.place}.{one.name}", "request")

    def _unknown_query(self, operation: Operation, query: Mapping[str, Any]) -> Iterator[Fault]:
        known = [one for one in operation.parameters if one.place == "query"]
        if any(one.is_open and one.separated == "" and self._is_form(one) for one in known):
            return
        names = {one.name for one in known} | {f"{one.name}[]" for one in known}
        deep = tuple(f"{one.name}[" for one in known if one.is_open)
        listed = ", ".join(sorted(one.name for one in known)) or "no parameters"
        for name in query:
            if name not in names and not (deep and name.startswith(deep)):
                said = f"{listed} (#{operation.pointer}/parameters)"
                yield Fault(f"query.{name}", "unknown", "it is given", said)

    def _is_form(self, one: Parameter) -> bool:
        return one.schema is not None and one.schema.value.get("additionalProperties") not in {None, False}

    def _body(self, operation: Operation, request: httpx.Request) -> Iterator[Fault]:
        body, kind = request.read(), _type(request.headers)
        where = f"(#{operation.pointer}/requestBody)"
        if not body and not kind:
            if operation.needs_body:
                yield Fault("body", "missing", "nothing is given", f'"required": true {where}')
            return
        if not operation.bodies:
            if body not in {b"", b"{}"}:
                yield Fault("body", "unknown", f"{kind or 'a body'} is given", f"of no body {where}")
            return
        if (chosen := _matching(operation.bodies, kind)) is None:
            said = f"{', '.join(operation.bodies)} {where}"
            yield Fault("body", "wrong content type", f"{kind or 'none'} is given", said)
            return
        if (schema := operation.bodies[chosen]) is not None:
            yield from self._content(body, kind, schema, request.headers.get("content-type", ""))

    def _content(self, body: bytes, kind: str, schema: Node, whole: str) -> Iterator[Fault]:
        if kind == FORM:
            pairs = parse_qsl(body.decode(), keep_blank_values=True)
            value: Any = self._fields(pairs, schema)
        elif kind == MULTIPART:
            value = self._fields(list(_parts(body, whole)), schema)
        elif "json" in kind:
            try:
                value = json.loads(body)
            except ValueError:
                yield Fault("body", "ill-typed", "what is given is not JSON", f"{kind} (#{schema.pointer})")
                return
        else:
            return
        yield from self._shapes.faults(value, schema, "body", "request")

    def _fields(self, pairs: list[tuple[str, Any]], schema: Node) -> dict[str, Any]:
        """The fields of a form as the values for which they stand."""
        known = self._shapes.properties(schema)
        found: dict[str, Any] = {}
        several: dict[str, list[Any]] = {}
        for name, value in pairs:
            plain = name if name in known else name.removesuffix("[]")
            several.setdefault(plain, []).append(value)
        for name, values in several.items():
            texts = [one for one in values if isinstance(one, str)]
            found[name] = self._shapes.listed(texts, known.get(name)) if texts else "(a file)"
        return found


def _parts(body: bytes, content_type: str) -> Iterator[tuple[str, str | None]]:
    """The fields of a form with files; None stands for a file, of which nothing is said but that it is there."""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            is_file = part.get_filename() is not None
            yield name, None if is_file or not isinstance(content, bytes) else content.decode("utf-8", "replace")


def _type(headers: httpx.Headers) -> str:
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _matching(bodies: Mapping[str, Any], kind: str) -> str | None:
    """The described content type that this one is."""
    family = f"{kind.partition('/')[0]}/*"
    named = {one.partition(";")[0].strip(): one for one in bodies}
    return next((named[one] for one in (kind, family, "*/*") if one in named), None)


def _of_type(described: Mapping[str, Node | None], kind: str) -> Node | None:
    found = _matching(described, kind)
    return described[found] if found else None

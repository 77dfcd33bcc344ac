"""Which operation of a description a request is: servers, paths and methods; and what it takes and gives."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import httpx

from socialsupport_core.testing.against.document import Document, Node

Place = Literal["path", "query", "header", "cookie"]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# OpenAPI 3.1, "Parameter Object" (https://spec.openapis.org/oas/v3.1.1#parameter-object, read 2026-11)
NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
_VARIABLE = re.compile(r"\{([^{}]+)\}")
# fmt: off
_SCHEMA_WORDS = (
    "type", "format", "items", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
)
# fmt: on
"""What Swagger 2 writes beside a parameter, and OpenAPI 3 into its schema."""


@dataclass(frozen=True)
class Parameter:
    name: str
    place: Place
    required: bool
    schema: Node | None
    separated: str = ""
    """Between the elements of a list; nothing where each has the name before it."""
    is_open: bool = False
    """Its members stand beside the other parameters."""


@dataclass(frozen=True)
class Operation:
    """What one method of one path takes and gives, whichever version describes it."""

    method: str
    template: str
    pointer: str
    parameters: tuple[Parameter, ...] = ()
    bodies: Mapping[str, Node | None] = field(default_factory=dict)
    """By content type."""
    needs_body: bool = False
    answers: Mapping[str, Mapping[str, Node | None]] = field(default_factory=dict)
    """By status, `default` and `2XX` among them, and content type."""

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def answered(self, status: int) -> Mapping[str, Node | None] | None:
        """None: the description does not know this status."""
        wanted = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
        return next((self.answers[one] for one in wanted if one in self.answers), None)


@dataclass(frozen=True)
class Found:
    operation: Operation | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """Of the parameters in the path."""
    is_ours: bool = True
    """Whether the description speaks of this host at all."""
    methods: tuple[str, ...] = ()
    """Where the path is known and the method is not."""


class Operations:
    """All operations of a description. `server` stands in for the addresses that it names itself."""

    def __init__(self, document: Document, server: str | None = None) -> None:
        self.document = document
        self._server = server
        self._read: dict[str, Operation] = {}

    def find(self, request: httpx.Request) -> Found:
        """The operation that the request is: of several paths that fit, the one with the fewest variables."""
        bases = [base for base in self._bases if base.takes(request.url)]
        fitting = [(one, values) for base in bases for one in self._paths for values in one.matches(base, request.url)]
        best = sorted(fitting, key=lambda found: found[0].variables)
        for path, values in best:
            if (held := path.node.get(request.method.lower())) is not None:
                return Found(self._known(request.method, path, held), values)
        known = [name.upper() for path, _ in best for name in METHODS if path.node.get(name)]
        return Found(is_ours=bool(bases), methods=tuple(dict.fromkeys(known)))

    @cached_property
    def _bases(self) -> "list[_Base]":
        if self._server is not None:
            return [_Base.of(self._server)]
        if self.document.version == "2.0":
            return [_Base.of(_swagger_server(self.document.content))]
        holders = [path.node for path in self._paths]
        holders += [held for path in self._paths for name in METHODS if (held := path.node.get(name))]
        named = [url for holder in (self.document.root, *holders) for url in _servers(holder)]
        return [_Base.of(url) for url in dict.fromkeys(named or ["/"])]

    @cached_property
    def _paths(self) -> "list[_Path]":
        paths = self.document.root.get("paths")
        assert paths is not None
        return [_Path(template, self.document.followed(node)) for template, node in paths.items()]

    def _known(self, method: str, path: "_Path", held: Node) -> Operation:
        if held.pointer not in self._read:
            self._read[held.pointer] = self._operation(method, path, held)
        return self._read[held.pointer]

    def _operation(self, method: str, path: "_Path", held: Node) -> Operation:
        parameters = {(str(one.value.get("name")), one.value.get("in")): one for one in self._declared(path.node, held)}
        known = tuple(
            self._parameter(one) for (_, place), one in parameters.items() if place not in {"body", "formData"}
        )
        made = (
            _Swagger(self, list(parameters.values()), held) if self.document.version == "2.0" else _OpenAPI(self, held)
        )
        return Operation(method, path.template, held.pointer, (*known, *self._keys()), *made.body(), made.answers())

    def _declared(self, *nodes: Node) -> Iterator[Node]:
        for node in nodes:
            for one in (node.get("parameters") or Node([], "")).elements():
                yield self.document.followed(one)

    def _parameter(self, node: Node) -> Parameter:
        value = node.value
        schema = node.get("schema")
        if schema is None and "type" in value:
            schema = self.document.made(_schema_of(value), node.pointer)
        style = value.get("style", "form" if value.get("in") in {"query", "cookie"} else "simple")
        explode = value.get("explode", style == "form")
        if self.document.version == "2.0":
            explode = value.get("collectionFormat", "csv") == "multi"
        separated = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(style, "" if explode else ",")
        is_open = style == "deepObject" or (explode and self._type(schema) == "object")
        needed = bool(value.get("required"))
        return Parameter(str(value.get("name")), value.get("in"), needed, schema, separated, is_open)

    def _type(self, schema: Node | None) -> Any:
        return self.document.followed(schema).value.get("type") if schema else None

    def _keys(self) -> Iterator[Parameter]:
        """What proves who we are may stand in the query."""
        holder = self.document.root.get("components") or self.document.root
        for name in ("securitySchemes", "securityDefinitions"):
            for _, one in (holder.get(name) or Node({}, "")).items():
                known = self.document.followed(one).value
                if known.get("type") == "apiKey" and known.get("in") == "query":
                    yield Parameter(str(known.get("name")), "query", required=False, schema=None)


@dataclass(frozen=True)
class _OpenAPI:
    operations: Operations
    held: Node

    def body(self) -> tuple[Mapping[str, Node | None], bool]:
        given = self.held.get("requestBody")
        if given is None:
            return {}, False
        given = self.operations.document.followed(given)
        return _contents(given), bool(given.value.get("required"))

    def answers(self) -> Mapping[str, Mapping[str, Node | None]]:
        given = self.held.get("responses") or Node({}, "")
        return {status: _contents(self.operations.document.followed(one)) for status, one in given.items()}


@dataclass(frozen=True)
class _Swagger:
    operations: Operations
    parameters: list[Node]
    held: Node

    def body(self) -> tuple[Mapping[str, Node | None], bool]:
        whole = [one for one in self.parameters if one.value.get("in") == "body"]
        fields = [one for one in self.parameters if one.value.get("in") == "formData"]
        taken = self._types("consumes") or (["application/x-www-form-urlencoded"] if fields else ["application/json"])
        if whole:
            return dict.fromkeys(taken, whole[0].get("schema")), bool(whole[0].value.get("required"))
        if fields:
            needed = [one.value["name"] for one in fields if one.value.get("required") is True]
            return dict.fromkeys(taken, self._form(fields, needed)), bool(needed)
        return {}, False

    def _form(self, fields: list[Node], needed: list[str]) -> Node:
        known = {one.value["name"]: {} if one.value.get("type") == "file" else _schema_of(one.value) for one in fields}
        schema = {"type": "object", "properties": known, "required": needed}
        return self.operations.document.made(schema, f"{self.held.pointer}/parameters")

    def answers(self) -> Mapping[str, Mapping[str, Node | None]]:
        given = self.held.get("responses") or Node({}, "")
        types = self._types("produces") or ["application/json"]
        followed = {status: self.operations.document.followed(one) for status, one in given.items()}
        return {status: dict.fromkeys(types, one.get("schema")) for status, one in followed.items()}

    def _types(self, name: str) -> list[str]:
        return list(self.held.value.get(name) or self.operations.document.content.get(name) or [])


def _schema_of(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """What Swagger 2 writes beside a parameter's name."""
    return {name: value for name, value in parameter.items() if name in _SCHEMA_WORDS}


def _contents(node: Node) -> dict[str, Node | None]:
    return {name.lower(): one.get("schema") for name, one in (node.get("content") or Node({}, "")).items()}


def _servers(node: Node) -> list[str]:
    """Of the description or of a path; with relative addresses any host will do."""
    return [str(one.value["url"]) for one in (node.get("servers") or Node([], "")).elements() if "url" in one.value]


def _swagger_server(content: Mapping[str, Any]) -> str:
    host, base = content.get("host"), str(content.get("basePath") or "/")
    return f"https://{host}{base}" if host else base


@dataclass(frozen=True)
class _Base:
    """An address at which paths begin. Variables in it stand for anything."""

    host: re.Pattern[str] | None
    path: str

    @classmethod
    def of(cls, url: str) -> "_Base":
        parts = urlsplit(url)
        path = "/".join(parts.path.rstrip("/").split("/"))
        return cls(re.compile(_pattern(parts.netloc, "[^/]+")) if parts.netloc else None, path)

    def takes(self, url: httpx.URL) -> bool:
        return self.host is None or bool(self.host.fullmatch(url.netloc.decode()))


@dataclass(frozen=True)
class _Path:
    template: str
    node: Node

    @property
    def variables(self) -> int:
        return len(_VARIABLE.findall(self.template))

    def matches(self, base: _Base, url: httpx.URL) -> Iterator[dict[str, str]]:
        """Once, with the values of the variables, if the address is this path below that base."""
        path = url.raw_path.decode("ascii").partition("?")[0]
        literal = _VARIABLE.split(self.template)[0]
        if not _VARIABLE.search(base.path) and not path.startswith(base.path + literal.partition("?")[0]):
            return  # nearly all end here
        names = _VARIABLE.findall(base.path + self.template)
        found = re.fullmatch(_pattern(base.path + self.template.partition("?")[0], "([^/]+)"), path)
        if found:
            yield dict(zip(names, map(unquote, found.groups()), strict=True))


def _pattern(template: str, variable: str) -> str:
    return variable.join(re.escape(part) for part in _VARIABLE.split(template)[::2])

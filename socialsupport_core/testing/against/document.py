"""A published description of an API: OpenAPI 3, or Swagger 2, as JSON or YAML.

It may be tens of megabytes: nothing is resolved before it is needed, and nothing is checked that is not used.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from socialsupport_core.contract import ConfigError

ADDRESS = "urn:socialsupport:description"
"""What the description is called where schemas refer to each other."""
_VERSIONS = ("2.0", "3.0", "3.1", "3.2")
_DEEPEST = 50
"""References that lead to references."""


class Node(NamedTuple):
    """A value of the description, and where it stands: `/components/schemas/Message`."""

    value: Any
    pointer: str

    def get(self, name: str | int) -> "Node | None":
        held = self.value
        if isinstance(held, dict) and name in held:
            return Node(held[name], f"{self.pointer}/{_escaped(str(name))}")
        if isinstance(held, list) and isinstance(name, int) and name < len(held):
            return Node(held[name], f"{self.pointer}/{name}")
        return None

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """The members of an object; nothing of anything else."""
        for name, value in self.value.items() if isinstance(self.value, dict) else ():
            yield str(name), Node(value, f"{self.pointer}/{_escaped(str(name))}")

    def elements(self) -> Iterator["Node"]:
        for at, value in enumerate(self.value) if isinstance(self.value, list) else ():
            yield Node(value, f"{self.pointer}/{at}")


@dataclass(frozen=True, eq=False)
class Document:
    path: str
    content: dict[str, Any]
    _made: dict[str, str] = field(default_factory=dict)
    """Where our schemas stand, and what they were made of."""

    def made(self, schema: dict[str, Any], origin: str) -> Node:
        """A schema that the description does not have in this form, put into it."""
        every: list[Any] = self.content.setdefault("x-made", [])
        every.append(schema)
        node = Node(schema, f"/x-made/{len(every) - 1}")
        self._made[node.pointer] = origin
        return node

    def shown(self, pointer: str) -> str:
        """Where people find it."""
        return self._made.get(pointer, pointer)

    @property
    def version(self) -> str:
        """`3.1`, or `2.0` of Swagger."""
        return ".".join(str(self.content.get("openapi") or self.content.get("swagger")).split(".")[:2])

    @property
    def root(self) -> Node:
        return Node(self.content, "")

    def at(self, pointer: str) -> Node:
        """Raises ConfigError when nothing stands there."""
        node: Node | None = self.root
        for part in pointer.split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            assert node is not None
            node = node.get(int(name) if isinstance(node.value, list) and name.isdigit() else name)
            if node is None:
                raise ConfigError(f"{self.path} refers to #{pointer}, and nothing stands there")
        assert node is not None
        return node

    def followed(self, node: Node) -> Node:
        """What it refers to, if it is a reference. Raises ConfigError."""
        for _ in range(_DEEPEST):
            ref = node.value.get("$ref") if isinstance(node.value, dict) else None
            if not isinstance(ref, str):
                return node
            node = self.at(self.local(ref))
        raise ConfigError(f"{self.path}: #{node.pointer} refers to itself")

    def local(self, ref: str) -> str:
        """The pointer in a reference. Raises ConfigError when it leads out of the file."""
        before, _, pointer = ref.partition("#")
        if before not in {"", ADDRESS} or (pointer and not pointer.startswith("/")):
            raise ConfigError(
                f"{self.path} refers to {ref!r}, outside of the file; bundle the description into one file"
            )
        return pointer


def read(path: str) -> Document:
    """Raises ConfigError when the file is no description, or one of a kind that is not understood."""
    content = _content(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is no description of an API: it holds no object")
    document = Document(path, content)
    if not ("openapi" in content or "swagger" in content):
        held = "AsyncAPI, which describes messages" if "asyncapi" in content else "neither `openapi` nor `swagger`"
        raise ConfigError(f"{path} is no OpenAPI description: it has {held}")
    if document.version not in _VERSIONS:
        known = ", ".join(_VERSIONS)
        raise ConfigError(f"{path} is of version {document.version}; OpenAPI (Swagger) {known} are understood")
    if not isinstance(content.get("paths"), dict) or not content["paths"]:
        raise ConfigError(f"{path} describes no paths; there is nothing to compare requests with")
    return document


def _content(path: str) -> Any:
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if text.lstrip()[:1] == b"{":
        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{path} is not JSON: {error}") from error
    return _yaml(path, text)


def _yaml(path: str, text: bytes) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise ConfigError(MISSING) from error
    fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    as_json = {
        "yaml_implicit_resolvers": _without_dates(fast.yaml_implicit_resolvers),
        "flatten_mapping": _with_names(fast.flatten_mapping),
    }
    loader = type("Loader", (fast,), as_json)
    try:
        return yaml.load(text, loader)  # noqa: S506 - a safe loader, but for dates
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def _without_dates(resolvers: dict[str, Any]) -> dict[str, Any]:
    """A date is a string in JSON, and in what an API says."""
    dated = "tag:yaml.org,2002:timestamp"
    return {first: [one for one in known if one[0] != dated] for first, known in resolvers.items()}


def _with_names(usual: Any) -> Any:
    """The status `200` is a name in JSON."""

    def flatten(self: Any, node: Any) -> None:
        usual(self, node)
        for key, _ in node.value:
            if key.id == "scalar":
                key.tag = "tag:yaml.org,2002:str"

    return flatten


MISSING = (
    "comparing with a description needs openapi-schema-validator and PyYAML; "
    "install the extra: pip install 'socialsupport[openapi]'"
)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")

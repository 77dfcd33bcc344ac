"""Whether a value has the form that the description says: missing, unknown and ill-typed members."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from socialsupport_core.contract import ConfigError
from socialsupport_core.testing.against.document import ADDRESS, MISSING, Document, Node

Direction = Literal["request", "response"]
_SHOWN = 120
"""Characters of a value, or of what the description says."""
_COMBINED = ("allOf", "oneOf", "anyOf")
_CLOSED = ("additionalProperties", "unevaluatedProperties")
_MANY = 2
_NUMBER: Mapping[str, Callable[[str], Any]] = {"integer": int, "number": float}


@dataclass(frozen=True)
class Fault:
    """What does not fit."""

    place: str
    """`body.message.text`, `query.limit`."""
    kind: str
    """`missing`, `unknown`, `ill-typed`, `unknown path`, `wrong method`, `wrong content type`, `unknown status`."""
    told: str
    says: str
    """What the description says, and where."""

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.told}; the description says {self.says}"


class Shapes:
    """Golden answers are abbreviated: what they leave out is a fault only where they are compared `whole`.

    Raises ConfigError when what validates schemas is not installed.
    """

    def __init__(self, document: Document, *, whole: bool = False) -> None:
        self.document = document
        self._whole = whole

    def faults(self, value: Any, schema: Node, place: str, direction: Direction) -> Iterator[Fault]:
        """Unknown members are faults of what we ask only: a network may answer more than it describes."""
        unknown = dict.fromkeys(self._unknown(value, [schema], place) if direction == "request" else ())
        yield from dict.fromkeys(self._ill_typed(value, schema, place, direction, told=bool(unknown)))
        yield from unknown

    def coerced(self, text: str, schema: Node | None) -> Any:
        """What a string in an address or a form stands for."""
        kinds = self._types(schema)
        if "string" in kinds or not kinds:
            return text
        if "boolean" in kinds and text in {"true", "false"}:
            return text == "true"
        for name, number in _NUMBER.items():
            if name in kinds and re.fullmatch(r"-?\d+" if name == "integer" else r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
                return number(text)
        return _json(text) if kinds & {"array", "object"} else text

    def listed(self, texts: list[str], schema: Node | None, separated: str = "") -> Any:
        """The same of something that may be given several times."""
        if "array" not in self._types(schema):
            return self.coerced(texts[0], schema) if len(texts) < _MANY else texts
        whole = _json(texts[0]) if len(texts) == 1 else None
        if isinstance(whole, list):
            return whole
        parts = texts[0].split(separated) if separated and len(texts) == 1 else texts
        element = next((one for held in self._branches(schema, None) if (one := held.get("items"))), None)
        return [self.coerced(part, element) for part in parts]

    def properties(self, schema: Node | None) -> dict[str, Node]:
        """Those that it names, in whatever branch."""
        return {name: one for held in self._branches(schema, None) for name, one in _named(held)}

    def _types(self, schema: Node | None) -> set[str]:
        found: set[str] = set()
        for held in self._branches(schema, None):
            kind = held.value.get("type", ())
            found |= {kind} if isinstance(kind, str) else set(kind)
        return found - {"null"}

    # what jsonschema says

    def _ill_typed(self, value: Any, schema: Node, place: str, direction: Direction, *, told: bool) -> Iterator[Fault]:
        """`told`: unknown members are told of already."""
        errors = self._errors(value, schema, direction)
        if errors:
            from jsonschema.exceptions import best_match  # noqa: PLC0415 - optional, as `_validators` has seen

        for error in errors:
            deepest = best_match([error])
            assert deepest is not None
            if not (told and deepest.validator in (*_CLOSED, "oneOf", "anyOf")):
                yield _told(deepest, place, self.document.shown(schema.pointer))

    def _errors(self, value: Any, schema: Node, direction: Direction) -> list[Any]:
        from referencing.exceptions import Unresolvable  # noqa: PLC0415

        validator = self._validators[direction]({"$ref": f"{ADDRESS}#{schema.pointer}"}, registry=self._registry)
        try:
            return list(validator.iter_errors(value))
        except Unresolvable as error:
            ref = getattr(error, "ref", schema.pointer)  # the error itself prints the whole description
            raise ConfigError(
                f"{self.document.path} refers to {ref!r}, which leads nowhere; bundle it into one file"
            ) from None
        except RecursionError as error:
            raise ConfigError(f"{self.document.path}: #{schema.pointer} refers to itself without an end") from error

    @cached_property
    def _registry(self) -> Any:
        from referencing import Registry, Resource, Specification  # noqa: PLC0415

        # opaque: a member called `id` or `$id` in the description is no address of a schema
        opaque: Any = Resource
        whole = opaque(contents=self.document.content, specification=Specification.OPAQUE)
        return Registry().with_resource(ADDRESS, whole)

    @cached_property
    def _validators(self) -> Mapping[Direction, Any]:
        try:
            from jsonschema import validators  # noqa: PLC0415
            from openapi_schema_validator import (  # noqa: PLC0415
                OAS30ReadValidator,
                OAS30WriteValidator,
                OAS31Validator,
            )
        except ImportError as error:
            raise ConfigError(MISSING) from error
        extend: Any = validators.extend
        usual = validators.Draft202012Validator.VALIDATORS
        # Descriptions write oneOf where alternatives overlap. The library's own combinations follow a discriminator
        # from base to heir and back again without an end.
        either = _unless_mapped(usual["anyOf"])
        ours = {"allOf": usual["allOf"], "oneOf": either, "anyOf": either, "discriminator": _Discriminator(self)}
        ours["pattern"] = _as_python_reads(usual["pattern"])
        lenient = {} if self._whole else dict.fromkeys(("required", *_CLOSED), _nothing)
        asked, answered = OAS30WriteValidator, OAS30ReadValidator
        if self.document.version in {"3.1", "3.2"}:
            asked = answered = OAS31Validator
        return {"request": extend(asked, ours), "response": extend(answered, {**ours, **lenient})}

    # what is not described

    def _unknown(self, value: Any, schemas: list[Node], place: str) -> Iterator[Fault]:
        branches = [one for schema in schemas for one in self._branches(schema, value)]
        if isinstance(value, list):
            elements = [one for held in branches if (one := held.get("items"))]
            for at, element in enumerate(value):
                yield from self._unknown(element, elements, f"{place}[{at}]")
        elif isinstance(value, dict):
            yield from self._unknown_members(value, branches, place)

    def _unknown_members(self, value: Mapping[str, Any], branches: list[Node], place: str) -> Iterator[Fault]:
        named: dict[str, list[Node]] = {}
        for held in branches:
            for name, one in _named(held):
                named.setdefault(name, []).append(one)
        more = [held.get("additionalProperties") for held in branches]
        more += [held.get("patternProperties") for held in branches]
        is_open = not named or any(node is not None and node.value is not False for node in more)
        for name, one in value.items():
            if name in named:
                yield from self._unknown(one, named[name], f"{place}.{name}")
            elif not is_open:
                says = f"{_cut(', '.join(sorted(named)))} (#{self.document.shown(branches[0].pointer)})"
                yield Fault(f"{place}.{name}", "unknown", "it is given", says)

    def _branches(self, schema: Node | None, value: Any, seen: frozenset[str] = frozenset()) -> Iterator[Node]:
        """The schema and all that it is combined of; of alternatives those that fit the value, else all."""
        if schema is None or schema.pointer in seen or not isinstance(schema.value, dict):
            return
        seen |= {schema.pointer}
        yield schema
        ref = schema.value.get("$ref")
        if isinstance(ref, str):
            yield from self._branches(self.document.at(self.document.local(ref)), value, seen)
        heir = self.heir(schema.value, value)
        if heir:
            yield from self._branches(self.document.at(heir), value, seen)
        for name in ("allOf",) if heir else _COMBINED:
            every = list((schema.get(name) or Node([], "")).elements())
            fitting = every if name == "allOf" or value is None else [one for one in every if self._fits(value, one)]
            for one in fitting or every:
                yield from self._branches(one, value, seen)

    def _fits(self, value: Any, schema: Node) -> bool:
        return not self._errors(value, schema, "request")

    def heir(self, schema: Mapping[str, Any], value: Any) -> str | None:
        """The pointer to the schema that a discriminator chooses for this value."""
        told = schema.get("discriminator")
        if not isinstance(told, dict) or not isinstance(value, dict):
            return None  # in Swagger 2 it is a name only
        chosen = value.get(told.get("propertyName"))
        if not isinstance(chosen, str):
            return None
        ref = told.get("mapping", {}).get(chosen, f"#/components/schemas/{chosen}")
        named = ref if "#" in ref else f"#/components/schemas/{ref}"
        known = (self.document.content.get("components") or {}).get("schemas") or {}
        return self.document.local(named) if named.rpartition("/")[2] in known else None


@dataclass(frozen=True, eq=False)
class _Discriminator:
    """The keyword `discriminator`: the value is also what the heir that it names says."""

    shapes: Shapes

    def __call__(self, validator: Any, _: Any, value: Any, schema: Any) -> Iterator[Any]:
        heir = self.shapes.heir(schema, value)
        at = (id(value), heir)
        if heir is None or at in _under_way:
            return
        _under_way.add(at)
        try:
            yield from validator.descend(value, {"$ref": f"{ADDRESS}#{heir}"})
        finally:
            _under_way.discard(at)


_under_way: set[tuple[int, str | None]] = set()
"""An heir refers to its base, which has the discriminator."""


def _unless_mapped(usual: Any) -> Any:
    """Alternatives among which a discriminator chooses are not tried one by one."""

    def alternatives(validator: Any, every: Any, value: Any, schema: Any) -> Iterator[Any]:
        choice = validator.VALIDATORS["discriminator"]
        if not (isinstance(choice, _Discriminator) and choice.shapes.heir(schema, value)):
            yield from usual(validator, every, value, schema)

    return alternatives


def _as_python_reads(usual: Any) -> Any:
    """Patterns are those of JavaScript; one that Python cannot read says nothing."""

    def pattern(validator: Any, written: Any, value: Any, schema: Any) -> Iterator[Any]:
        try:
            yield from usual(validator, written, value, schema)
        except re.error:
            return

    return pattern


def _nothing(*_: Any) -> Iterator[Any]:
    """A keyword that is never violated."""
    return iter(())


def _told(error: Any, place: str, pointer: str) -> Fault:
    where = place + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    says = f"{_shown({error.validator: error.validator_value})} (below #{pointer})"
    if error.validator == "required":
        absent = next((name for name in error.validator_value if f"'{name}'" in error.message), "a member")
        return Fault(f"{where}.{absent}", "missing", "it is not given", says)
    return Fault(where, "ill-typed", f"{_given(error)} is given", says)


def _given(error: Any) -> str:
    """No more of it than is wrong with it."""
    kind = _KINDS[type(error.instance)]
    if error.validator in _SIZES:
        return f"{kind} of another size"
    return kind if error.validator in _OF_KIND else _shown(error.instance)


_SIZES = frozenset({"maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"})
_OF_KIND = frozenset({"type", "anyOf", "oneOf", "allOf", "not", *_CLOSED})
_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number",
          type(None): "null"}  # fmt: skip


def _named(schema: Node) -> Iterator[tuple[str, Node]]:
    yield from (schema.get("properties") or Node({}, "")).items()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

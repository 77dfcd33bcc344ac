"""What the code says of itself, as Markdown: docstrings, fields, signatures."""

import ast
import dataclasses
import inspect
import json
import re
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

Lines = Iterator[str]


def joined(lines: Lines) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def told(thing: Any) -> str:
    """The docstring, if it is its own and nobody else's."""
    text = inspect.getdoc(thing) or ""
    inherited = any(text == inspect.getdoc(base) for base in getattr(thing, "__mro__", (None,))[1:])
    made_up = dataclasses.is_dataclass(thing) and text.startswith(f"{getattr(thing, '__name__', '')}(")
    return "" if inherited or made_up or "pydantic" in text[:200].lower() else text


def remarks(cls: type) -> dict[str, str]:
    """The string that stands below a field, in the class and its bases."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if one.__module__.startswith("socialsupport"):
            body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(one))).body[0]
            assert isinstance(body, ast.ClassDef)
            found |= dict(_remarks(body.body))
    return found


def _remarks(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


def shown(annotation: Any) -> str:
    """A type as a reader writes it."""
    origin, inner = typing.get_origin(annotation), get_args(annotation)
    if inner and origin is tuple and inner[-1] is not Ellipsis:
        return f"({', '.join(map(shown, inner))})"
    if inner and origin in SHOWN:
        return SHOWN[origin](inner)
    return NAMES.get(getattr(annotation, "__name__", ""), getattr(annotation, "__name__", str(annotation)))


SHOWN: Mapping[Any, Callable[[Sequence[Any]], str]] = {
    typing.Annotated: lambda inner: shown(inner[0]),
    typing.Literal: lambda inner: " or ".join(json.dumps(one) for one in inner),
    **dict.fromkeys(
        (types.UnionType, typing.Union),
        lambda inner: " or ".join(shown(one) for one in inner if one is not type(None)),
    ),
    **dict.fromkeys((tuple, list, frozenset, set, Iterable), lambda inner: f"list of {shown(inner[0])}"),
    dict: lambda inner: f"table of {shown(inner[1])}",
    Callable: lambda inner: f"function from {', '.join(map(shown, inner[0]))} to {shown(inner[1])}",
}
NAMES = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true or false",
    "datetime": "time",
    "AwareDatetime": "time",
    "timedelta": "duration",
    "SecretStr": "secret",
    "bytes": "bytes",
    "Any": "anything",
    "Path": "path",
}


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def row(*cells: str) -> str:
    return "| " + " | ".join(cell(one) for one in cells) + " |"


def table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Lines:
    listed = list(rows)
    if listed:
        yield from ("", row(*head), "|" + "---|" * len(head), *(row(*one) for one in listed), "")


def fields(model: type[BaseModel], leave_out: Sequence[str] = ()) -> Lines:
    about = remarks(model)
    yield from table(
        ("field", "type", "", ""),
        [
            (f"`{one.alias or name}`", shown(one.annotation), when(one), about.get(name, ""))
            for name, one in model.model_fields.items()
            if name not in leave_out
        ],
    )


def parts(kind: type) -> Lines:
    """The fields of a dataclass, as `fields` shows those of a value."""
    hints, about = typing.get_type_hints(kind), remarks(kind)
    yield from table(
        ("field", "type", "", ""),
        [(f"`{one.name}`", shown(hints[one.name]), preset(one), about.get(one.name, "")) for one in listed(kind)],
    )


def listed(kind: Any) -> Sequence[dataclasses.Field[Any]]:
    return [one for one in dataclasses.fields(kind) if not one.name.startswith("_")]


def preset(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else ""
    return "" if field.default in (None, (), "") else f"`{json.dumps(field.default, default=str)}`"


def described(kind: type, level: str = "##") -> Lines:
    """A class: what it is, its fields, and the methods of its own."""
    yield from (f"{level} `{kind.__name__}`", "", told(kind), "")
    if issubclass(kind, BaseModel):
        yield from fields(kind)
    elif dataclasses.is_dataclass(kind):
        yield from parts(kind)
    yield from methods(kind, level=f"{level}#", prefix=f"{kind.__name__}.", own=True)


def when(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined:
        value = field.default_factory() if field.default_factory else None  # type: ignore[call-arg]
    if value in (None, (), {}, frozenset(), b"") or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value, default=str)}`"


def signature(function: Callable[..., Any], width: int = 100) -> str:
    """As it stands in the source, over several lines if it is long."""
    written = Unquoted().visit(ast.parse(textwrap.dedent(inspect.getsource(function))).body[0])
    assert isinstance(written, ast.FunctionDef | ast.AsyncFunctionDef)
    written.args.args = [one for one in written.args.args if one.arg not in {"self", "cls"}]
    arguments, result = ast.unparse(written.args), ast.unparse(written.returns or ast.Constant(None))
    head = ("async " if isinstance(written, ast.AsyncFunctionDef) else "") + written.name
    if len(head + arguments + result) < width:
        return f"{head}({arguments}) -> {result}"
    lines = textwrap.wrap(arguments, width - 4, break_long_words=False, break_on_hyphens=False)
    return "\n".join([f"{head}(", *(f"    {one}" for one in lines), f") -> {result}"])


class Unquoted(ast.NodeTransformer):
    """Annotations that are written as strings, as what they mean."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = _meant(node.annotation)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = _meant(node.returns)
        node.args = self.visit(node.args)
        return node


def _meant(annotation: ast.expr | None) -> ast.expr | None:
    match annotation:
        case ast.Constant(value=str(text)):
            return ast.parse(text, mode="eval").body
    return annotation


def made(title: str, *lead: str) -> Lines:
    yield from (f"# {title}", "", *lead, "")


def methods(cls: type, level: str = "##", prefix: str = "", *, own: bool = False) -> Lines:
    for name, member in _members(cls.__mro__[:1] if own else cls.__mro__):
        if isinstance(member, property):
            assert member.fget is not None
            result = signature(member.fget).partition(" -> ")[2]
            yield from (f"{level} `{prefix}{name}`", "", f"A property: `{result}`", "", told(member), "")
            continue
        plain = member.__func__ if isinstance(member, classmethod) else member
        yield from (f"{level} `{prefix}{name}`", "", "```", signature(plain), "```", "", told(plain), "")


def _members(classes: Sequence[type]) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class and those that it is put together from."""
    for part in classes:
        for name, member in vars(part).items():
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property | classmethod)):
                yield name, member

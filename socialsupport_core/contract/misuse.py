"""What is said to somebody whose method is no flow, or whose flow asks what nobody can answer."""

import inspect
from collections.abc import Callable, Coroutine, Generator, Iterator
from types import GeneratorType
from typing import Any, get_args, get_origin

import httpx
from pydantic import BaseModel

_PLAIN = frozenset({type(None), bool, int, float, str, bytes, dict, list, tuple, set, frozenset})
_NEVER = (BaseModel, httpx.Response, httpx.URL, Generator, Coroutine, BaseException)
"""What is no ask of any wire. An ask of one's own is a dataclass."""


def is_flow(flow: object) -> bool:
    return type(flow) is GeneratorType or isinstance(flow, Generator)


def is_no_ask(ask: object) -> bool:
    return type(ask) in _PLAIN or isinstance(ask, _NEVER)


def no_flow(given: object, failure: Callable[..., Any]) -> str:
    """`given` is what a method returned; the plugin's `failure` knows whose."""
    if isinstance(given, Coroutine):
        given.close()
        method = getattr(given, "__qualname__", "a flow")
        return f"{method} is a coroutine; write `def` in place of `async def`, and `yield` in place of `await`"
    method = " or ".join(_suspects(given, getattr(failure, "__self__", None))) or "a flow"
    told = f"{method} returned {_named(given)}, and is no generator"
    if isinstance(given, httpx.Request):
        return f"{told}; write `response = yield httpx.Request(...)`"
    return f"{told}; it needs a `yield` of what it asks, such as `response = yield httpx.Request(...)`"


def no_ask(ask: object, flow: Generator[Any, Any, Any]) -> str:
    told = f"{getattr(flow, '__qualname__', 'the flow')} yields {_named(ask)}"
    if isinstance(ask, Generator):
        return f"{told}; write `yield from`"
    if isinstance(ask, Coroutine):
        ask.close()
        return f"{told}; a flow awaits nothing: yield the request itself"
    if isinstance(ask, BaseModel):
        return f"{told}; give the result with `return`"
    return f"{told}; yield an httpx.Request, a Wait, or an ask of a wire that your plugin registers"


def _named(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _suspects(given: object, owner: object) -> list[str]:
    """The owner's methods that are meant to be flows and are not; those whose result it is, if there are any."""
    found = dict(_unwritten(type(owner)))
    fitting = [name for name, result in found.items() if isinstance(result, type) and isinstance(given, result)]
    return [f"{type(owner).__name__}.{name}" for name in fitting or found]


def _unwritten(kind: type) -> Iterator[tuple[str, Any]]:
    for base in kind.__mro__:
        for name, method in vars(base).items() if base.__module__.startswith(__package__) else ():
            returned = getattr(method, "__annotations__", {}).get("return")
            written = getattr(kind, name)
            if get_origin(returned) is Generator and written is not method and not _is_another(written):
                yield name, get_args(returned)[-1]


def _is_another(written: Any) -> bool:
    return inspect.isgeneratorfunction(written) or inspect.iscoroutinefunction(written)

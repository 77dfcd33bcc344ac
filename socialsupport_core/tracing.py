"""Spans of what becomes of a payload and of a reply, for OpenTelemetry. Where its API is not installed, none are made.

What they tell are ids, networks, states, sizes and counts: never what people say, who they are, or where they can be
reached. So nothing goes in that has no place in `Facts`, and of an error only its class.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypedDict, Unpack

trace: Any = None
"""OpenTelemetry's API, where the extra `tracing` is installed."""
with suppress(ImportError):
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

NAME = "socialsupport"


class Facts(TypedDict, total=False):
    """All that a span may tell."""

    tenant: str
    channel: str
    network: str
    source: str
    """How a payload came: `webhook`, `poll`, `stream`, `file`."""
    conversation: str
    entry: int
    """The payload's number in the journal."""
    part: str
    """`part_id` of the part's key, in which an agent's name may stand."""
    intent: str
    state: str
    bytes: int
    events: int
    parts: int
    attempts: int
    batch: int
    error: str
    """The error's class."""


class Span:
    """One that was begun and must be ended; nothing at all where there is no tracing."""

    def __init__(self, made: Any = None) -> None:
        self._made = made

    @property
    def context(self) -> str | None:
        """What a later span links to: a W3C traceparent, None if this one is not recorded."""
        if self._made is None or not self._made.get_span_context().trace_flags.sampled:
            return None
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, self._within())
        return carrier.get("traceparent")

    def set(self, **facts: Unpack[Facts]) -> None:
        if self._made is None:
            return
        for name, value in facts.items():
            self._made.set_attribute(f"{NAME}.{name}", value)
        if "error" in facts:
            self._made.set_status(trace.StatusCode.ERROR)

    def end(self) -> None:
        if self._made is not None:
            self._made.end()

    def _within(self) -> "Context | None":
        return trace.set_span_in_context(self._made) if self._made is not None else None


NONE = Span()


def active() -> bool:
    """Whether anybody records spans."""
    return trace is not None and not isinstance(
        trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider
    )


def begin(name: str, *, parent: Span | None = None, link: str | None = None, **facts: Unpack[Facts]) -> Span:
    """Below `parent`, or whatever is under way here. With a `link` it begins a trace of its own."""
    if not active():
        return NONE
    linked = _links(link)
    within = Context() if linked else parent._within() if parent else None
    span = Span(trace.get_tracer(NAME).start_span(f"{NAME}.{name}", within, links=linked))
    span.set(**facts)
    return span


@contextmanager
def span(name: str, *, link: str | None = None, **facts: Unpack[Facts]) -> Iterator[Span]:
    """The same around what is done within; what is raised is told by its class."""
    begun = begin(name, link=link, **facts)
    if begun._made is None:
        yield begun
        return
    with trace.use_span(begun._made, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield begun
        except BaseException as error:
            begun.set(error=type(error).__name__)
            raise


def part_id(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _links(link: str | None) -> list[Any]:
    if link is None:
        return []
    found = trace.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": link}))
    context = found.get_span_context()
    return [trace.Link(context)] if context.is_valid else []

"""Spans from the door to the receipt, linked over processes, and not a word of what people say."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from raven import Roost, bird, message, settling

from socialsupport_core import tracing
from socialsupport_core.hub import ReplyRefused
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx

trace = pytest.importorskip("opentelemetry.trace")
sdk = pytest.importorskip("opentelemetry.sdk.trace")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

CANARIES = ("canary-text", "canary-name", "canary-handle", "canary@acme.example", "canary-answer", "canary-agent")


class Spans:
    """What was exported."""

    def __init__(self) -> None:
        self.exporter = memory.InMemorySpanExporter()

    @property
    def all(self) -> list[Any]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[Any]:
        return [one for one in self.all if one.name == f"socialsupport.{name}"]

    def one(self, name: str) -> Any:
        (found,) = self.named(name)
        return found

    def facts(self, name: str) -> dict[str, Any]:
        return {key.removeprefix("socialsupport."): value for key, value in self.one(name).attributes.items()}

    def tree(self) -> set[tuple[str, str | None]]:
        """Each span's name and its parent's."""
        names = {one.context.span_id: one.name.removeprefix("socialsupport.") for one in self.all}
        return {
            (names[one.context.span_id], names.get(one.parent.span_id, "?") if one.parent else None) for one in self.all
        }

    def links(self) -> set[tuple[str, str]]:
        names = {one.context.span_id: one.name.removeprefix("socialsupport.") for one in self.all}
        return {
            (names[one.context.span_id], names.get(link.context.span_id, "?")) for one in self.all for link in one.links
        }


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A provider for this test alone."""
    made = Spans()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(made.exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield made
    provider.shutdown()


def kept(roost: Roost) -> list[str]:
    def look(tx: Tx) -> list[str]:
        return [row["kind"] for row in tx.all("SELECT kind FROM traces")]

    return roost.hub._database.read(look)


def test_the_tree_from_payload_to_receipt(roost: Roost, spans: Spans) -> None:
    roost.deliver(message(1, "hello", at=roost.clock.now))
    assert spans.tree() == {("door", None), ("journal", "door")}
    assert kept(roost) == ["entry"]
    roost.hub.drain()
    roost.reply("hi")
    assert kept(roost) == ["part"]
    roost.hub.drain()
    assert spans.tree() == {
        ("door", None),
        ("journal", "door"),
        ("translate", None),
        ("record", "translate"),
        ("reply", None),
        ("plan", "reply"),
        ("outbox", "reply"),
        ("send", None),
        ("receipt", "send"),
    }
    assert spans.links() == {("translate", "door"), ("send", "outbox")}
    assert kept(roost) == []


def test_what_they_tell(roost: Roost, spans: Spans) -> None:
    roost.deliver(message(1, "hello", at=roost.clock.now), message(2, "hello?", at=roost.clock.now))
    roost.hub.drain()
    roost.reply("hi", key="k1")
    roost.hub.drain()
    size = spans.facts("door")["bytes"]
    entry = spans.facts("journal")["entry"]
    con = roost.conversation()
    assert spans.facts("door") == {"source": "webhook", "network": "raven", "bytes": size}
    assert spans.facts("journal") == {"entry": entry, "bytes": size}
    place = {"tenant": "acme", "channel": "tower", "network": "raven"}
    assert spans.facts("translate") == place | {"entry": entry, "source": "webhook", "bytes": size, "events": 2}
    assert spans.facts("record") == {"entry": entry, "batch": 1, "state": "recorded"}
    assert spans.facts("reply") == {"tenant": "acme", "conversation": con}
    assert spans.facts("plan") == {"network": "raven", "channel": "tower", "parts": 1}
    part = tracing.part_id("k1")
    assert spans.facts("outbox") == {"part": part, "parts": 1}
    sent = {"part": part, "conversation": con, "intent": "send.message", "attempts": 1, "state": "sent"}
    assert spans.facts("send") == place | sent
    assert spans.facts("receipt") == {"part": part, "state": "sent"}


def test_no_word_no_name_and_no_address(roost: Roost, spans: Spans) -> None:
    """In every way in which something can go right or wrong."""
    roost.hub.add_agent("acme", "canary-agent", "canary-name")
    author = bird("kerry", Identifier(kind="email", value="canary@acme.example"))
    named = author.model_copy(update={"name": "canary-name", "handle": "canary-handle"})
    roost.hear(message(1, "canary-text", at=roost.clock.now, author="kerry").model_copy(), message(2, "x"))
    roost.deliver(
        message(3, "canary-text", at=roost.clock.now).model_copy(
            update={
                "interaction": message(3, "canary-text", at=roost.clock.now).interaction.model_copy(
                    update={"author": named}
                )
            }
        )
    )
    roost.deliver({"type": "canary-text"})
    with pytest.raises(Exception, match="not ours"):
        roost.deliver(message(4, "canary-text"), secret="canary-text")
    with pytest.raises(Exception, match="no such door"):
        roost.hub.receive("canary-text", roost.payload(message(4, "canary-text")))
    roost.hub.drain()
    how = {"agent": "canary-agent", "key": "canary-agent:canary-answer"}
    con = roost.conversation()
    with pytest.raises(ReplyRefused):
        roost.hub.reply("acme", con, "canary-answer " * 2000, **how)
    roost.sky.faults.unavailable, roost.sky.faults.drop = 1, 0
    roost.hub.reply("acme", con, "canary-answer", **how)
    roost.hub.drain()
    roost.clock.forward(hours=1)
    roost.sky.faults.drop = 1
    roost.hub.drain()
    roost.sky.blocked.add("dm-kerry")
    roost.hub.reply("acme", con, "canary-answer", agent="canary-agent", key="canary-answer")
    roost.hub.drain()
    assert {one.name.removeprefix("socialsupport.") for one in spans.all} >= {"door", "record", "send", "receipt"}
    assert {"retrying", "uncertain", "failed"} <= {
        one.attributes.get("socialsupport.state") for one in spans.named("send")
    }
    told = " ".join(one.to_json() for one in spans.all)
    assert [canary for canary in CANARIES if canary in told] == []
    assert roost.doors["acme"] not in told
    assert "raven.ring" not in told
    assert all(not one.events and not one.status.description for one in spans.all)


def test_each_try_links_to_where_it_was_said(roost: Roost, spans: Spans) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.faults.unavailable = 1
    roost.reply("hi")
    roost.hub.drain()
    assert spans.facts("send")["error"] == "Unavailable"
    roost.clock.forward(hours=1)
    roost.hub.drain()
    outbox = spans.one("outbox").context
    first, second = spans.named("send")
    assert [one.links[0].context.span_id for one in (first, second)] == [outbox.span_id] * 2
    assert first.context.trace_id != second.context.trace_id
    assert (first.status.is_ok, second.status.is_ok) == (False, True)


def test_it_goes_on_in_another_process(roost: Roost, spans: Spans) -> None:
    roost.deliver(message(1, "hello", at=roost.clock.now))
    roost.reopen()
    roost.hub.drain()
    roost.reply("hi")
    roost.reopen()
    roost.hub.drain()
    assert spans.links() == {("translate", "door"), ("send", "outbox")}


def test_nothing_of_it_goes_to_the_network(roost: Roost, spans: Spans) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.reply("hi")
    roost.hub.drain()
    sent = [call for call in roost.sky.calls if call.method == "POST"]
    assert sent
    for call in sent:
        assert not {"traceparent", "tracestate", "baggage"} & call.headers.keys()
        trace_id = f"{spans.one('send').context.trace_id:032x}"
        assert trace_id not in f"{call.headers}{call.content!r}"


def test_what_is_quarantined_and_what_is_refused_is_told_as_such(roost: Roost, spans: Spans) -> None:
    roost.hear({"type": "nonsense"})
    assert (spans.facts("translate")["state"], spans.facts("record")["state"]) == ("trouble", "quarantined")
    with pytest.raises(Exception, match="not ours"):
        roost.deliver(message(1, "x"), secret="wrong")
    refused = next(one for one in spans.named("door") if "socialsupport.error" in one.attributes)
    assert refused.attributes["socialsupport.error"] == "SignatureError"


def test_a_callers_own_span_is_the_parent(roost: Roost, spans: Spans) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    with trace.get_tracer("host").start_as_current_span("host"):
        roost.reply("hi")
    assert ("reply", "host") in spans.tree()


def test_an_unsampled_trace_leaves_nothing_behind(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = sdk.TracerProvider(sampler=pytest.importorskip("opentelemetry.sdk.trace.sampling").ALWAYS_OFF)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    roost.deliver(message(1, "hello", at=roost.clock.now))
    roost.settle()
    assert kept(roost) == []
    roost.hub.drain()
    assert roost.journal()["recorded"] == 1


def test_without_a_provider_nothing_is_made_and_nothing_kept(roost: Roost) -> None:
    assert not tracing.active()
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.reply("hi")
    assert kept(roost) == []
    roost.hub.drain()
    assert roost.states() == ["sent"]


def test_a_batch_that_must_be_done_again_has_one_span_each(
    roost: Roost, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        roost.deliver(message(number, "hello", at=roost.clock.now))
    roost.hub.drain()
    assert len(spans.named("record")) == 3
    assert {one.attributes["socialsupport.batch"] for one in spans.named("record")} == {3}


def test_a_doubt_that_is_looked_up_is_one_try(roost: Roost, spans: Spans) -> None:
    roost.reopen(settling("lookup"))
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.faults.drop = 1
    roost.reply("hi")
    roost.hub.drain()
    assert spans.facts("send")["state"] == "sent"


def test_it_is_no_dependency() -> None:
    """Where the API is not installed, everything else works."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from socialsupport_core import tracing, hub\n"
        "assert not tracing.active()\n"
        "with tracing.span('door', bytes=1) as one:\n"
        "    one.set(state='x')\n"
        "assert one.context is None\n"
        "assert tracing.begin('door', parent=one, link='00-1-1-01').context is None\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""Flows ask only where they may, always the same, and end; what is sent arrives whole and where it belongs."""

import json
import re
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import DeliveryError, declares, digest, drive
from socialsupport_core.model import Interaction, Page, SendMessage
from socialsupport_core.testing.cases import FlowCase, Outbound
from socialsupport_core.testing.conformance.base import Base, OfConnector, fail
from socialsupport_core.testing.conformance.content import spoken
from socialsupport_core.testing.conformance.improvised import Endless, Improvised
from socialsupport_core.text import count, plain, split

CORE_LIMIT = 100_000
"""Characters of a text where the network declares no limit."""
LONGEST = 2_000
"""Characters of the other sample texts: enough for several parts where the limit is small."""


class Flows(Base):
    def test_requests_stay_on_declared_hosts(self, flow: FlowCase) -> None:
        """Every request goes to one of `hosts`, over https."""
        connector = self.make()
        for ask in self._improvised(connector, flow).asks:
            if not isinstance(ask, httpx.Request):
                continue
            if ask.url.scheme != "https":
                fail(f"{flow}: {ask.method} {_place(ask)} does not go over https")
            if not declares(connector.hosts, ask.url.host):
                fail(f"{flow}: {ask.method} {_place(ask)} goes to a host that `hosts` does not declare")

    def test_flows_are_deterministic(self, flow: FlowCase) -> None:
        """The same answers lead to the same asks and the same end; so a flow can be resumed after a crash."""
        first, second = (self._run(flow) for _ in range(2))
        if first != second:
            fail(f"{flow}: two runs with the same answers differ; take no time and no chance, derive keys from "
                 f"`intent.key`:\n{first}\n{second}")  # fmt: skip

    def test_flows_end(self, flow: FlowCase) -> None:
        """A flow ends, whatever well-meant answers it is given."""
        try:
            self._improvised(self.make(), flow)
        except Endless as error:
            fail(f"{flow}: {error}; poll one page at a time, and bound every loop")

    def _improvised(self, connector: Any, flow: FlowCase) -> Improvised:
        network = Improvised(self.steps, self.authorized(connector))
        try:
            running = self.flow_of(connector, flow)
            if not isinstance(running, str):
                drive(running, network, connector.failure)
        except DeliveryError:
            pass  # the improvised answer did not fit
        return network

    def _run(self, flow: FlowCase) -> tuple[list[str], str]:
        """The digests of what a golden flow asks, and how it ends."""
        connector, asked = self.make(), []
        network = Improvised(flow.exchange)

        def respond(ask: Any) -> Any:
            asked.append(digest(ask))
            return network(ask)

        try:
            running = self.flow_of(connector, flow)
            end = running if isinstance(running, str) else drive(running, respond, connector.failure)
        except DeliveryError as error:
            end = type(error)
        return asked, repr(_without_clock(end))


class Sending(OfConnector):
    def test_a_reply_reaches_its_thread(self) -> None:
        """An answer to a golden interaction goes to that interaction's thread, or to its author."""
        self._asks_to_send()
        connector = self.make()
        for interaction in self._answerable(connector):
            asks = self.improvise(connector, reply_to(interaction)).asks
            if not any(mark in spoken(asks) for mark in marks_of(interaction)):
                fail(f"a reply to {interaction.native_id!r} in thread {interaction.thread.id!r} names neither the "
                     f"thread nor its author in any request:\n{spoken(asks)[:1000]}")  # fmt: skip

    def test_replies_do_not_get_mixed_up(self) -> None:
        """Answers to interactions of two different threads ask two different things."""
        self._asks_to_send()
        connector = self.make()
        seen: dict[tuple[str, ...], Interaction] = {}
        for interaction in self._answerable(connector):
            asks = [digest(ask) for ask in self.improvise(connector, reply_to(interaction)).asks]
            other = seen.setdefault(tuple(asks), interaction)
            if other.thread != interaction.thread:
                fail(f"the replies into {other.thread.id!r} and {interaction.thread.id!r} are the same requests")

    def test_long_texts_arrive_whole(self) -> None:
        """Split as declared, every part fits, nothing is lost, and each request holds its part to the last word."""
        self._asks_to_send()
        connector = self.make()
        for case in self._spoken_to():
            assert isinstance(case.intent, SendMessage)
            for kind, text in samples(self._limit).items():
                parts = split(text, self._limit, self._measure(connector))
                self._fits(connector, kind, text, parts)
                for part in _few(parts):
                    self._arrives(connector, case.intent.model_copy(update={"text": part, "attachments": ()}))

    def _fits(self, connector: Any, kind: str, text: str, parts: list[str]) -> None:
        measure = self._measure(connector)
        for part in parts:
            if measure(part) > self._limit:
                fail(f"{kind}: a part of {measure(part)} is longer than the limit of {self._limit}; "
                     "`measured` must give the text whose length the network counts")  # fmt: skip
        if _bare("".join(map(plain, parts))) != _bare(plain(text)):
            fail(f"{kind}: the parts together are not the text")

    def _arrives(self, connector: Any, intent: SendMessage) -> None:
        asks = self.improvise(connector, intent).asks
        said = spoken(asks)
        words = re.findall(r"[a-z]+\d+", plain(intent.text or ""))
        for word in (*words[:1], *words[-1:]):
            if word not in said:
                fail(f"a text of {len(intent.text or '')} characters that fits the declared limit is sent without "
                     f"its word {word!r}; never cut a text, the core has split it:\n{said[-500:]}")  # fmt: skip

    def _asks_to_send(self) -> None:
        if "send.message" not in self.capabilities.intents:
            pytest.skip("it does not claim send.message")
        if self.messages and not any(case.exchange for case in self.messages):
            pytest.skip("it asks nothing to send: its surface shows what is recorded")

    @property
    def _limit(self) -> int:
        text = self.connector.capabilities.text
        return text.limit if text else CORE_LIMIT

    def _measure(self, connector: Any) -> Any:
        text = self.connector.capabilities.text
        return lambda part: count(connector.measured(part), text.unit if text else "characters")

    def _spoken_to(self) -> list[Outbound]:
        """A golden message for each visibility."""
        found = {case.intent.thread.visibility: case for case in reversed(self.messages)}
        return list(found.values()) or pytest.skip("no case sends a text")

    def _answerable(self, connector: Any) -> list[Interaction]:
        events = [event for case in self.cases.inbound for event in case.events or ()]
        heard = [event.interaction for event in events if event.type == "interaction.received"]
        return [
            one
            for one in heard
            if one.direction == "inbound" and one.thread.visibility in connector.capabilities_in(one.thread).sends
        ]


def reply_to(interaction: Interaction) -> SendMessage:
    return SendMessage(
        key="conformance",
        own_account=interaction.own_account,
        thread=interaction.thread,
        recipient=interaction.author,
        target=interaction,
        text="Thank you, we are looking into it.",
    )


def marks_of(interaction: Interaction) -> set[str]:
    """What tells this thread from others: its id and the parts of it, its author, its context.

    In public the interaction's own id does as well: there one answers a comment.
    """
    found = {interaction.thread.id, *re.split(r"[:/|,;#@]", interaction.thread.id)}
    found |= {identifier.value for identifier in interaction.author.identifiers}
    if interaction.context:
        found |= {interaction.context, *_leaves(interaction.context)}
    if interaction.thread.visibility == "public":
        found.add(interaction.native_id)
    return {mark for mark in found if mark and mark != interaction.own_account}


def _leaves(context: str) -> set[str]:
    """The strings and numbers in a context that is JSON."""
    try:
        waiting = [json.loads(context)]
    except ValueError:
        return set()
    leaves = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str | int) and not isinstance(value, bool):
            leaves.add(str(value))
    return leaves


def samples(limit: int) -> dict[str, str]:
    """Texts of several parts, each of whose words occurs once."""
    words = [f"word{number}" for number in range(2 * min(limit, CORE_LIMIT // 2) // 7 + 40)]
    few = words[: LONGEST // 7]
    return {
        "plain words": " ".join(words),
        "sentences and paragraphs": ".\n\n".join(" ".join(few[at : at + 9]) for at in range(0, len(few), 9)),
        "emphasis": " ".join(f"**{word}** _{word}x_" for word in few),
        "links": " ".join(f"{word} https://acme.example/{word}" for word in few),
        "emoji": " ".join(f"{word} 👩‍👩‍👧🏳️‍🌈" for word in few),
        "other scripts": " ".join(f"{word} 荷物はどこですか" for word in few),
        "signs that are markup elsewhere": " ".join(f"{word} <&> \\* \\_ #1 @you" for word in few),
    }


def _few(parts: list[str]) -> list[str]:
    return parts[:2] + parts[2:][-2:]


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _place(request: httpx.Request) -> str:
    """Scheme and host: the rest may hold a secret."""
    return f"{request.url.scheme}://{request.url.host}"


def _without_clock(end: Any) -> Any:
    """A page without the moments of its payloads: the host stamps them."""
    return [(one.body, one.headers) for one in end.payloads] + [end.cursor] if isinstance(end, Page) else end

"""Replies as agents write them: ordinary ones, against which no rule may speak, and some that must be caught.

Those for tuning were looked at while the rules were written, those held out were not; the fresh ones came last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from socialsupport_core.contract import Refusal
from socialsupport_core.guidance.policy import Rules, Situation, judge
from socialsupport_core.model import SendMessage, Thread

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    language: str
    network: str
    visibility: str
    rule: str | None
    text: str

    def judged(self) -> tuple[Refusal, ...]:
        """As the first answer in its conversation."""
        thread = Thread(id="t", visibility="public" if self.visibility == "public" else "private")
        intent = SendMessage(key="k", own_account="acme", thread=thread, text=self.text)
        now = Situation(intent, self.network, self.network, "dana", NOW, first=True, spoken_on=self.network)
        return judge(Rules(), now)


def lines(name: str) -> Iterator[Line]:
    where = ["", "", ""]
    for written in (Path(__file__).parent / f"{name}.txt").read_text("utf-8").splitlines():
        if written.startswith("# "):
            where = written[2:].split()
        elif written:
            rule, _, text = written.rpartition(" | ") if name.startswith("caught") else ("", "", written)
            yield Line(where[0], where[1], where[2], rule or None, text)

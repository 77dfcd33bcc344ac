"""Which rules object to what is about to be said: pure functions over a situation."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.contract import Refusal
from socialsupport_core.guidance.policy.settings import Rule, Rules, compiled
from socialsupport_core.guidance.policy.words import (
    Span,
    amounts,
    complains,
    is_angry,
    reached,
    sentences,
    shouted,
    texts_of,
)
from socialsupport_core.model import Intent, Interaction
from socialsupport_core.model.intent import OpenPrivate

PATIENCE = 0.25  # seconds for one pattern in one text
MARKED = 20  # places that one rule marks


@dataclass(frozen=True, slots=True)
class Situation:
    """What is about to be said, by whom and where, and what was said before."""

    intent: Intent
    channel: str
    network: str
    agent: str
    at: datetime
    written: bool = True
    """By an agent; else words of a hand-off."""
    first: bool = False
    spoken_on: str | None = None
    """The channel on which the customer spoke last."""
    recent: tuple[Interaction, ...] = ()
    """The conversation's newest interactions, the newest first."""

    @property
    def visibility(self) -> str:
        private = isinstance(self.intent, OpenPrivate) or self.intent.thread.visibility == "private"
        return "private" if private else "public"


def judge(rules: Rules, now: Situation) -> tuple[Refusal, ...]:
    """Every rule that objects, in the order of the file. Nothing is said against what says nothing."""
    said = texts_of(now.intent)
    if said is None:
        return ()
    found = (_objection(name, rule, rules, now, *said) for name, rule in rules.effective.items())
    return tuple(one for one in found if one)


def _objection(
    name: str, rule: Rule, rules: Rules, now: Situation, text: str, beside: tuple[str, ...]
) -> Refusal | None:
    if not _is_meant(rule, rules, now) or not all(holds(rule, now, text) for holds in _HOLDS):
        return None
    try:
        spans = _places(rule, text, beside)
    except TimeoutError:
        return _told(name, rule, (), "the rule's pattern takes too long for this text, so it could not be checked")
    return None if spans is None else _told(name, rule, tuple(spans[:MARKED]))


def _told(name: str, rule: Rule, spans: tuple[Span, ...], reason: str | None = None) -> Refusal:
    verdict: Any = rule.verdict or "warn"
    remedy = rule.remedy or "say it otherwise"
    return Refusal(rule=name, reason=reason or rule.reason or name, remedy=remedy, spans=spans, verdict=verdict)


def _is_meant(rule: Rule, rules: Rules, now: Situation) -> bool:
    if rule.new_agents and not now.at.date() <= rules.new_agents.get(now.agent, now.at.date() - timedelta(days=1)):
        return False
    return (
        (rule.channels is None or now.channel in rule.channels)
        and (rule.networks is None or now.network in rule.networks)
        and (rule.visibility is None or now.visibility == rule.visibility)
        and (rule.agents is None or now.agent in rule.agents)
        and (not rule.written or now.written)
    )


# what is asked of the situation


def _is_first(rule: Rule, now: Situation, _text: str) -> bool:
    return rule.first is None or rule.first == now.first


def _goes_elsewhere(rule: Rule, now: Situation, _text: str) -> bool:
    elsewhere = now.spoken_on is not None and now.channel != now.spoken_on
    return rule.other_channel is None or rule.other_channel == elsewhere


def _is_long(rule: Rule, _now: Situation, text: str) -> bool:
    return rule.longer_than is None or len(text) > rule.longer_than


def _is_lacking(rule: Rule, _now: Situation, text: str) -> bool:
    return rule.lacks is None or (bool(text.strip()) and not _found(rule.lacks, text))


def _is_heated(rule: Rule, now: Situation, _text: str) -> bool:
    if rule.heated is None:
        return True
    since = now.at - timedelta(minutes=rule.within)
    inbound = (one for one in now.recent if one.direction == "inbound" and one.sent_at >= since)
    return sum(is_angry(one.text or "") for one in inbound) >= rule.heated


def _was_read_by_many(rule: Rule, now: Situation, _text: str) -> bool:
    if rule.reach is None:
        return True
    for one in now.recent:
        if one.thread.visibility == "public":
            return one.direction == "inbound" and reached(one) >= rule.reach
    return False


def _is_complaint(rule: Rule, now: Situation, _text: str) -> bool:
    newest = next((one for one in now.recent if one.direction == "inbound"), None)
    return rule.complains is None or (newest is not None and complains(newest.text or "") == rule.complains)


_HOLDS: tuple[Callable[[Rule, Situation, str], bool], ...] = (
    _is_first,
    _goes_elsewhere,
    _is_long,
    _is_lacking,
    _is_heated,
    _was_read_by_many,
    _is_complaint,
)


# what is looked for in the text


def _places(rule: Rule, text: str, beside: tuple[str, ...]) -> list[Span] | None:
    """Where the rule's words stand; None if it asks for some and there are none."""
    spans: list[Span] = []
    if rule.shouting is not None:
        spans = shouted(text, rule.shouting)
        if not spans:
            return None
    if rule.pattern is None and rule.words is None and rule.amount_above is None:
        return spans
    found = list(_in_sentences(rule, text))
    elsewhere = any(True for one in beside for _ in _in_sentences(rule, one))
    return spans + found if found or elsewhere else None


def _in_sentences(rule: Rule, text: str) -> Iterator[Span]:
    for start, end in sentences(text):
        sentence = text[start:end]
        if not sentence.strip() or (rule.unless is not None and _found(rule.unless, sentence)):
            continue
        yield from ((start + a, start + b) for a, b in _in_one(rule, sentence))


def _in_one(rule: Rule, sentence: str) -> list[Span]:
    """All of pattern, words and amount must be there."""
    spans: list[Span] = []
    for look in _LOOKS:
        found = look(rule, sentence)
        if found is not None and not found:
            return []
        spans += found or []
    return sorted(spans)


def _patterned(rule: Rule, sentence: str) -> list[Span] | None:
    return None if rule.pattern is None else _found(rule.pattern, sentence)


def _worded(rule: Rule, sentence: str) -> list[Span] | None:
    return None if rule.words is None else _found(_any_of(rule.words), sentence)


def _priced(rule: Rule, sentence: str) -> list[Span] | None:
    if rule.amount_above is None:
        return None
    return [span for amount, span in amounts(sentence) if amount > rule.amount_above]


_LOOKS = (_patterned, _worded, _priced)
_ESCAPES: Mapping[int, str] = {ord(one): f"\\{one}" for one in r".^$*+?{}[]\|()"}


def _any_of(words: tuple[str, ...]) -> str:
    return rf"(?<!\w)(?:{'|'.join(one.translate(dict(_ESCAPES)) for one in words)})(?!\w)"


def _found(pattern: str, text: str) -> list[Span]:
    return [match.span() for match in compiled(pattern).finditer(text, timeout=PATIENCE)]

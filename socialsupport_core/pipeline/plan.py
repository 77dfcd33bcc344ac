"""The plan: what would be sent, in how many parts, what would be lost, and what forbids it.

Pure functions from a connector's claims and an intent to values; nothing is sent and no clock is read.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from socialsupport_core.contract import Connector
from socialsupport_core.model import (
    Attachment,
    Capabilities,
    EditMessage,
    Intent,
    IntentType,
    OpenPrivate,
    SendMessage,
    TextLimit,
    Thread,
    Value,
)
from socialsupport_core.text import Unit, count, escape, from_spans, plain, split, to_spans

CORE_LIMIT = TextLimit(limit=100_000, unit="characters")
"""The longest text of one intent, and of one part where the network has no limit of its own."""
MAX_PARTS = 50
"""More messages in a row are no answer but a flood."""
_KEY_LENGTH = 128
_Texting = SendMessage | EditMessage | OpenPrivate

Lost = Literal["markup", "subject", "choices"]
Rule = Literal[
    "unsupported",
    "not_implemented",
    "visibility",
    "target",
    "reply_window",
    "empty",
    "too_long",
    "too_many_parts",
    "attachments",
    "media_type",
    "media_size",
]


class Part(Value):
    """One message as the outbox will hold it. `size` is the length that the network counts, in `unit`."""

    intent: Annotated[Intent, Field(discriminator="type")]
    size: int = 0
    limit: int | None = None
    unit: Unit = "characters"


class Loss(Value):
    """What the recipient will not get, or not in this form."""

    what: Lost
    why: str


class Obstacle(Value):
    """What forbids it: the rule, why it does, and what can be done instead."""

    rule: Rule
    reason: str
    remedy: str


class Plan(Value):
    """`parts` are what would be sent if there were no `obstacles`."""

    parts: tuple[Part, ...] = ()
    losses: tuple[Loss, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def possible(self) -> bool:
        return not self.obstacles


@dataclass(frozen=True, slots=True)
class _Case:
    """What a rule looks at."""

    connector: Connector[Any]
    intent: Intent
    able: Capabilities
    silence: timedelta | None
    """Since the customer's last message, if known."""

    @property
    def name(self) -> str:
        return self.connector.name

    @property
    def text(self) -> str | None:
        return self.intent.text if isinstance(self.intent, _Texting) else None

    @property
    def limit(self) -> TextLimit:
        return self.able.text or CORE_LIMIT

    def is_endless(self) -> bool:
        """Too long to be looked at any further."""
        return count(self.text or "", CORE_LIMIT.unit) > CORE_LIMIT.limit

    def size(self, text: str) -> int:
        """In the unit of the limit."""
        return count(self.connector.measured(text), self.limit.unit)

    def is_flood(self) -> bool:
        """Certainly too much to split: a cut drops nothing but white space."""
        solid = "".join(self.connector.measured(self.text or "").split())
        return count(solid, self.limit.unit) > self.limit.limit * MAX_PARTS

    def is_blank(self, text: str | None) -> bool:
        return not text or not self.connector.measured(text).strip()


def make_plan(
    connector: Connector[Any],
    intent: Intent,
    *,
    now: datetime | None = None,
    last_inbound: datetime | None = None,
) -> Plan:
    """The reply window is checked only if both times are given."""
    silence = now - last_inbound if now and last_inbound else None
    given = _Case(connector, intent, connector.capabilities_in(_destination(intent)), silence)
    case, losses = _fitting(given)
    obstacles = [obstacle for rule in _RULES for obstacle in rule(case)]
    parts, more = ([], []) if any(one.rule in _UNSPLIT for one in obstacles) else _parts(case)
    return Plan(parts=tuple(parts), losses=tuple(losses), obstacles=(*obstacles, *more))


def also_possible(connector: Connector[Any], intent: Intent) -> tuple[IntentType, ...]:
    """Which other intents the network takes in this thread."""
    able = connector.capabilities_in(intent.thread)
    others = sorted(able.intents - {intent.type})
    return tuple(one for one in others if one != "open.private" or intent.thread.visibility == "public")


def _destination(intent: Intent) -> Thread:
    """Where it will be read: what opens a private thread answers to the limits of that one."""
    if isinstance(intent, OpenPrivate):
        return intent.thread.model_copy(update={"visibility": "private"})
    return intent.thread


# what forbids it


def _claimed(case: _Case) -> Iterator[Obstacle]:
    support = case.connector.capabilities_in(case.intent.thread).support(case.intent.type)
    if support == "unsupported":
        yield Obstacle(
            rule="unsupported",
            reason=f"{case.name} has no {case.intent.type}",
            remedy="hand the conversation off to a channel that has it",
        )
    elif support == "not_implemented":
        yield Obstacle(
            rule="not_implemented",
            reason=f"the connector for {case.name} does not do {case.intent.type}",
            remedy="do it in the network's own application",
        )


def _visible(case: _Case) -> Iterator[Obstacle]:
    if case.intent.type not in _SEEN:
        return
    wanted = _destination(case.intent).visibility
    if wanted not in case.able.sends:
        yield Obstacle(
            rule="visibility",
            reason=f"{case.name} cannot send in {wanted}",
            remedy=_other_place(case, wanted),
        )


def _other_place(case: _Case, closed: str) -> str:
    if closed == "public" and "open.private" in case.able.intents:
        return "answer in private with open.private"
    return "hand the conversation off to another channel"


def _targeted(case: _Case) -> Iterator[Obstacle]:
    if case.intent.type in ("edit.message", "delete.message", "react") and case.intent.target is None:
        yield Obstacle(
            rule="target",
            reason=f"{case.intent.type} names no message",
            remedy="put the stored interaction into target",
        )


def _in_time(case: _Case) -> Iterator[Obstacle]:
    window = case.able.reply_window
    if not isinstance(case.intent, SendMessage) or window is None or case.silence is None or case.intent.template:
        return
    if case.intent.by_person:
        window = max(window, case.able.person_window or window)
    if case.silence > window:
        yield Obstacle(
            rule="reply_window",
            reason=f"{case.name} takes answers for {_spoken(window)} after the customer's last message, "
            f"which came {_spoken(case.silence)} ago",
            remedy=_too_late(case),
        )


def _too_late(case: _Case) -> str:
    other = "send a template, or hand" if case.able.templates else "hand"
    return f"wait for the customer to write, or {other} the conversation off to another channel"


def window_closed(
    connector: Connector[Any], intent: Intent, *, now: datetime, last_inbound: datetime
) -> Obstacle | None:
    """The rule of the reply window alone, for a part that was planned in time and has waited since."""
    able = connector.capabilities_in(_destination(intent))
    return next(_in_time(_Case(connector, intent, able, now - last_inbound)), None)


def _spoken(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _says_something(case: _Case) -> Iterator[Obstacle]:
    has_files = isinstance(case.intent, SendMessage) and (case.intent.attachments or case.intent.template)
    if not isinstance(case.intent, _Texting) or has_files or case.is_endless():
        return
    if case.is_blank(case.text):
        yield _EMPTY


def _templated(case: _Case) -> Iterator[Obstacle]:
    if isinstance(case.intent, SendMessage) and case.intent.template and not case.able.templates:
        yield Obstacle(
            rule="not_implemented",
            reason=f"{case.name} has no templates here",
            remedy="write the text instead",
        )


def _not_endless(case: _Case) -> Iterator[Obstacle]:
    if case.is_endless():
        yield _too_long(case, f"the text has more than {CORE_LIMIT.limit} {CORE_LIMIT.unit}")


def _attachable(case: _Case) -> Iterator[Obstacle]:
    files = case.intent.attachments if isinstance(case.intent, SendMessage) else ()
    if files and not case.able.media:
        yield Obstacle(
            rule="attachments",
            reason=f"{case.name} takes no attachments",
            remedy="leave them out, or hand the conversation off to another channel",
        )
        return
    for file in files:
        yield from _one_attachable(case, file)


def _one_attachable(case: _Case, file: Attachment) -> Iterator[Obstacle]:
    name = file.name or "the attachment"
    limits = [one.max_bytes for one in case.able.media if _matches(one.media_type, file.media_type)]
    if not limits:
        known = ", ".join(sorted({one.media_type for one in case.able.media}))
        yield Obstacle(
            rule="media_type",
            reason=f"{case.name} does not take {name}: {file.media_type}",
            remedy=f"convert it to one of {known}",
        )
    elif file.size is not None and file.size > max(limits):
        yield Obstacle(
            rule="media_size",
            reason=f"{name} has {file.size} bytes, {case.name} takes {max(limits)} of {file.media_type}",
            remedy="make it smaller, or hand the conversation off to another channel",
        )


def _matches(pattern: str, media_type: str) -> bool:
    """Whether `image/*` or `*/*` covers `Image/PNG; q=1`."""
    bare = media_type.partition(";")[0].strip().lower()
    wanted = pattern.lower()
    if wanted in ("*/*", "*"):
        return True
    return bare.startswith(wanted[:-1]) if wanted.endswith("/*") else bare == wanted


_RULES: tuple[Callable[[_Case], Iterator[Obstacle]], ...] = (
    _claimed,
    _visible,
    _targeted,
    _in_time,
    _templated,
    _says_something,
    _not_endless,
    _attachable,
)


_EMPTY = Obstacle(rule="empty", reason="the message says nothing", remedy="write a text, or attach a file")
_UNSPLIT: frozenset[Rule] = frozenset({"empty", "too_long"})
"""With these there are no parts to show."""
_SEEN: frozenset[IntentType] = frozenset({"send.message", "edit.message", "react", "open.private"})
"""Whoever sees the thread sees these."""


def _too_long(case: _Case, reason: str) -> Obstacle:
    if isinstance(case.intent, SendMessage):
        return Obstacle(rule="too_long", reason=reason, remedy="shorten it, or attach it as a file")
    return Obstacle(rule="too_long", reason=reason, remedy=f"shorten it; {case.intent.type} is never split")


def _too_many() -> Obstacle:
    return Obstacle(
        rule="too_many_parts",
        reason=f"it would take more than {MAX_PARTS} messages",
        remedy="shorten it, or attach it as a file",
    )


# what is lost


def _fitting(case: _Case) -> tuple[_Case, list[Loss]]:
    """The intent without what the network does not have, and what was lost by that."""
    intent, losses = case.intent, []
    if case.is_endless():
        return case, []
    if isinstance(intent, SendMessage):
        if len(intent.choices) > case.able.choices:
            losses.append(Loss(what="choices", why=_no_buttons(case, len(intent.choices))))
            intent = intent.model_copy(update={"text": _with_list(intent), "choices": ()})
        if intent.subject and not case.able.subject:
            losses.append(Loss(what="subject", why=f"{case.name} has no subjects"))
            intent = intent.model_copy(update={"subject": None})
    if not case.able.markup and to_spans(case.text or "")[1]:
        losses.append(Loss(what="markup", why=f"{case.name} shows plain text only"))
    return replace(case, intent=intent), losses


def _no_buttons(case: _Case, wanted: int) -> str:
    most = case.able.choices
    has = f"shows {most} buttons at most, not {wanted}" if most else "has no buttons"
    return f"{case.name} {has}; the choices become a numbered list"


def _with_list(message: SendMessage) -> str:
    """All choices as a list: some buttons and some lines would hide that they belong together.

    Escaped as a whole: after a list of the agent's own, the numbers would go on from there.
    """
    titles = enumerate((" ".join(choice.title.split()) for choice in message.choices), 1)
    listed = "\n".join(f"{number}. {title}" for number, title in titles)
    text = message.text or ""
    both = _below(text, listed)
    is_swallowed = not plain(both).endswith(listed)  # by a code block that was left open
    return _below(from_spans(*to_spans(text)), listed) if is_swallowed else both


def _below(text: str, listed: str) -> str:
    lines = "\n".join(map(escape, listed.split("\n")))
    return f"{text.rstrip()}\n\n{lines}" if text.strip() else lines


# what is sent


def _parts(case: _Case) -> tuple[list[Part], list[Obstacle]]:
    """The parts, and what only shows once the text is split."""
    if case.is_flood():
        return [], [_too_many()]
    try:
        intents = _intents(case)
    except ValueError as error:  # one character, with the link that it carries, is longer than the limit
        return [], [_too_long(case, f"it cannot be split to fit: {error}")]
    parts = [_part(replace(case, intent=intent)) for intent in intents]
    if not parts:
        return [], [_EMPTY]
    if len(parts) > MAX_PARTS:
        return parts[:MAX_PARTS], [_too_many()]
    over = next((part for part in parts if part.limit is not None and part.size > part.limit), None)
    if over:
        return parts, [_too_long(case, f"it has {over.size} {over.unit} where {over.limit} fit")]
    return parts, []


def _intents(case: _Case) -> Sequence[Intent]:
    return _numbered(_messages(case, case.intent)) if isinstance(case.intent, SendMessage) else [case.intent]


def _messages(case: _Case, intent: SendMessage) -> list[SendMessage]:
    """The first text takes as many attachments as it may, the others follow; choices end the text.

    A template is sent as it is.
    """
    if intent.template:
        return [intent]
    texts = _texts(case, intent)
    most = case.able.attachments
    files = [intent.attachments[at : at + most] for at in range(0, len(intent.attachments), most)]
    shared = 1 if texts and files and _is_caption(case, texts[0]) else 0
    filled = [
        *zip(texts[:shared], files[:shared], strict=True),
        *((text, None) for text in texts[shared:]),
        *((None, some) for some in files[shared:]),
    ]
    speaking = max(len(texts) - 1, 0)
    return [
        intent.model_copy(
            update={
                "text": text,
                "attachments": some or (),
                "choices": intent.choices if at == speaking else (),
            }
        )
        for at, (text, some) in enumerate(filled)
    ]


def _is_caption(case: _Case, text: str) -> bool:
    limit = case.able.caption
    return limit is None or count(case.connector.measured(text), limit.unit) <= limit.limit


def _texts(case: _Case, intent: SendMessage) -> list[str]:
    if intent.text is None or case.is_blank(intent.text):
        return []
    return split(intent.text, case.limit.limit, case.size)


def _numbered(messages: Sequence[SendMessage]) -> Sequence[SendMessage]:
    """A message that stays whole keeps its key."""
    if len(messages) == 1:
        return messages
    keyed = enumerate(messages, 1)
    return [one.model_copy(update={"key": part_key(one.key, number)}) for number, one in keyed]


def _part(case: _Case) -> Part:
    if case.text is None:
        return Part(intent=case.intent)
    limit = case.limit
    return Part(intent=case.intent, size=case.size(case.text), limit=limit.limit, unit=limit.unit)


def part_key(key: str, number: int) -> str:
    """The key of part `number`; a key that leaves no room is cut and told apart by its digest."""
    ending = f"/{number}"
    if len(key) + len(ending) > _KEY_LENGTH:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        key = f"{key[: _KEY_LENGTH - len(ending) - 33]}~{digest}"
    return key + ending

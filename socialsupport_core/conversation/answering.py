"""Whether a customer still waits, once it turns out that an answer did not arrive, or did after all."""

import re
from datetime import datetime

from socialsupport_core.conversation import sorting
from socialsupport_core.guidance.rating import CHOICE
from socialsupport_core.store import Tx, conversations, handoffs, interactions, log, micros, outbox, waiting
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.outbox import Part

_HANDED = re.compile(r"(ho_\w+)~")
"""Begins the key of words of a hand-off, with its id."""
_NO_ANSWER = re.compile(rf"away~|chl_|{re.escape(CHOICE)}|ho_\w+~(?:asked|code|reminder)\b")
"""Keys of what the hub says by itself and nobody has waited for: out of hours, about codes, how it was, once more."""


_BY_ITSELF = ("ho_", "away~", "chl_", CHOICE)


def is_by_itself(key: str | None) -> bool:
    """Whether the hub says it by itself: words of hand-offs, out of hours, about codes, how it was."""
    return (key or "").startswith(_BY_ITSELF)


def is_answer(key: str) -> bool:
    """Whether what we say with this key answers what the customer waits for."""
    return _NO_ANSWER.match(key) is None


def weigh(tx: Tx, part: Part, now: int) -> None:
    """Counts anew what was answered in the conversation of this part, and since when somebody waits.

    Of a reply in several parts none counts unless all of them do: half an answer is none.
    """
    found = _conversation(tx, part)
    if found is None or found.superseded_by:
        return
    resolved = [at for at in _resolutions(tx, found) if at < part.created_at]
    after = _answered(tx, found, resolved)
    if after.waiting_since is not None and after.status == "resolved":
        conversations.set_status(tx, part.tenant, found.id, "open", now)
        log.publish(tx, part.tenant, "conversation.reopened", now, {"by": "failed answer"}, conversation=found.id)


def recount(tx: Tx, found: Conversation) -> None:
    """Its legs are others now: who waits, since when, and when anything happened last."""
    resolved = _resolutions(tx, found)
    last = conversations.last_word(tx, found.tenant, found.id)
    if last is None:
        return
    _answered(tx, found, resolved)
    conversations.recount(tx, found.tenant, found.id, max([last, *resolved]))
    sorting.recount(tx, conversations.get(tx, found.tenant, found.id) or found)


def reconsider(tx: Tx, found: Conversation) -> None:
    """A hand-off has come to nothing: what it said is no answer any more."""
    _answered(tx, found, _resolutions(tx, found))


def _answered(tx: Tx, found: Conversation, resolved: list[int]) -> Conversation:
    said = [*waiting.spoken(tx, found.tenant, found.id), *_unshown(tx, found)]
    over = _over(tx, found, {key for _, key, _ in said if key})
    lost = {_reply(key) for _, key, state in said if key and (state == "failed" or _handed(key) in over)}
    heard = [
        at
        for at, key, state in said
        if state != "failed" and (key is None or (_reply(key) not in lost and is_answer(key)))
    ]
    since = max(resolved, default=0)
    after = waiting.answered_until(tx, found.tenant, found.id, max(heard, default=None), since)
    expired = max(over.values(), default=0)
    if expired > max(since, *heard, 0):
        waiting.back_to_queue(tx, after, expired)  # nothing was asked, and yet somebody was to come
    return conversations.get(tx, found.tenant, found.id) or after


def _over(tx: Tx, found: Conversation, keys: set[str]) -> dict[str, int]:
    """Of the hand-offs to which these words belong those that came to nothing, and when they expired, if they did."""
    given = [handoffs.get(tx, found.tenant, id) for id in sorted({_handed(key) or "" for key in keys} - {""})]
    gone = [one for one in given if one and one.state in ("expired", "withdrawn")]
    return {one.id: one.expires_at if one.state == "expired" else 0 for one in gone}


def _handed(key: str) -> str | None:
    said = _HANDED.match(key)
    return said[1] if said else None


def _conversation(tx: Tx, part: Part) -> Conversation | None:
    """The one in which the part stands now: conversations may have become one since."""
    key = interactions.key_by_seq(tx, part.tenant, part.seq) if part.seq is not None else None
    stored = interactions.get(tx, part.tenant, key) if key else None
    leg = conversations.leg(tx, stored.leg) if stored else None
    return conversations.current(tx, part.tenant, leg.conversation if leg else part.conversation)


def _unshown(tx: Tx, found: Conversation) -> list[tuple[int, str | None, str | None]]:
    """What stands in no timeline yet, such as what opens a private thread."""
    legs = conversations.legs(tx, found.tenant, found.id)
    threads = dict.fromkeys((leg.channel, leg.thread) for leg in legs)
    parts = [part for channel, thread in threads for part in outbox.unshown(tx, found.tenant, channel, thread)]
    return [(part.created_at, part.key, part.state) for part in parts if part.conversation == found.id]


def _resolutions(tx: Tx, found: Conversation) -> list[int]:
    turns = log.turns(tx, found.tenant, found.id)
    return [micros(datetime.fromisoformat(one.at)) for one in turns if one.type == "conversation.resolved"]


def _reply(key: str) -> str:
    """The reply of which this is a part."""
    return key.partition("/")[0]

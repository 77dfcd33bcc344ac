"""Answers for one conversation: found by words, filled in, and each with the reason why it is shown."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from socialsupport_core.contract import Asked, Connector, Ranker
from socialsupport_core.conversation import secrecy, views
from socialsupport_core.conversation.answering import is_by_itself
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.conversation.personal import personal_data
from socialsupport_core.conversation.secrecy import seen_in_private
from socialsupport_core.guidance.answers import Answer, Blanks, Outcome, fill, matching, tokens
from socialsupport_core.guidance.answers.outcome import changed, match
from socialsupport_core.model import SendMessage, Thread
from socialsupport_core.pipeline.channels import able_in
from socialsupport_core.store import Tx, answers, conversations, identity, interactions
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.answers import Kept
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.identity import Node
from socialsupport_core.text import plain

logger = logging.getLogger("socialsupport")
LOOKED_AT = 40  # candidates that are weighed
ASKED = 3  # of the customer's newest messages
EXCERPT = 1200  # characters of an article or an earlier answer that are shown
OPINION = 0.7
"""The share of a plugin's opinion in what counts."""
HIDDEN = "…"
"""In place of what is somebody else's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer would be said, and by whom."""

    conversation: Conversation
    leg: Leg
    agent: Agent
    connector: Connector[Any]
    conduct: Conduct


@dataclass(frozen=True, slots=True)
class Offer:
    """One answer, ready to be inserted."""

    kept: Kept
    title: str
    text: str
    missing: tuple[str, ...]
    found: float
    matched: tuple[str, ...]
    outcome: Outcome
    alike: bool = False
    """A plugin finds it alike in meaning."""

    @property
    def weight(self) -> float:
        return self.found * (0.5 + self.outcome.score)


def index(tx: Tx, tenant: str, kind: str, name: str, given: Answer, source: str, at: int) -> int:
    """Canned, or an article: found by all that it says."""
    said = " ".join([given.title, given.keywords, plain(given.text), plain(given.short or "")])
    value = given.model_dump(mode="json", exclude_defaults=True)
    return answers.put(tx, tenant, kind, name, value, tokens(said), source=source, at=at)


def index_matter(tx: Tx, one: Conversation, at: int) -> None:
    """What the customer asked leads to what we answered last. Nothing of either is kept here but words to find it."""
    legs = conversations.legs(tx, one.tenant, one.id)
    nodes = sorted({leg.node for leg in legs})
    told = interactions.newest_of_all(tx, one.tenant, nodes, None, LOOKED_AT, {leg.id for leg in legs})
    ours = [each for each in told if each.interaction.direction == "outbound" and each.deleted_at is None]
    asked = [each.interaction.text or "" for each in told if each.interaction.direction == "inbound"]
    answered = next((each for each in ours if each.interaction.text and _is_written(each)), None)
    words = tokens(plain(" ".join(reversed(asked))))
    if answered is None or not words:
        return
    answers.put(tx, one.tenant, "matter", one.id, {}, words, source="", at=at, node=answered.node, seq=answered.seq)


def _is_written(ours: interactions.Stored) -> bool:
    """By a person, and not what a hand-off or a code says in an agent's name."""
    return not ours.interaction.author.is_bot and not is_by_itself(ours.part)


def offers(tx: Tx, place: Place, rankers: Sequence[Ranker]) -> list[dict[str, Any]]:
    """The best first."""
    question = _question(tx, place)
    asked = tokens(question)
    settings = place.conduct.guidance.answers
    found = [
        offer
        for kept in answers.find(tx, place.conversation.tenant, asked, LOOKED_AT)
        if (kept.kind != "matter" or settings.matters) and (offer := _offer(tx, place, kept, asked))
    ]
    ranked = sorted(_ranked(found, place, question, rankers), key=lambda one: (-one.weight, one.kept.number))
    return [_shown(one) for one in ranked[: settings.limit]]


def _question(tx: Tx, place: Place) -> str:
    """What the customer wrote last, and what the matter is called."""
    one = place.conversation
    legs = conversations.legs(tx, one.tenant, one.id)
    nodes = sorted({leg.node for leg in legs})
    told = interactions.newest_of_all(tx, one.tenant, nodes, None, LOOKED_AT, {leg.id for leg in legs})
    said = [each.interaction for each in told if each.interaction.direction == "inbound" and each.deleted_at is None]
    return plain("\n".join([one.subject or "", *(each.text or "" for each in said[:ASKED])]))


def _offer(tx: Tx, place: Place, kept: Kept, asked: tuple[str, ...]) -> Offer | None:
    if kept.kind == "matter":
        text, missing = _earlier(tx, place, kept), tuple[str, ...]()
        title = "What we answered in a like matter"
        matched = tuple(word for word in asked if word in kept.words)
    else:
        given = Answer.model_validate(kept.value)
        title = given.title
        matched = tuple(matching(asked, f"{title} {given.keywords} {given.text}"))
        text, missing = _said(tx, place, kept, given)
    if not text:
        return None
    result = Outcome(*answers.outcomes(tx, kept.tenant, [kept.number]).get(kept.number, ()))
    return Offer(kept, title, text, missing, match(asked, kept.words, title), matched, result)


def _said(tx: Tx, place: Place, kept: Kept, given: Answer) -> tuple[str, tuple[str, ...]]:
    thread = Thread(id=place.leg.thread, visibility="public" if place.leg.visibility == "public" else "private")
    limits = able_in(place.connector, thread).text
    text = given.said_on(place.leg.channel, place.leg.network, limits.limit if limits else None)
    if kept.kind == "article":
        lead = given.short or text[:EXCERPT]
        text = f"{lead}\n{given.url}" if given.url else lead
    filled = fill(text, _blanks(tx, place, given.language))
    return filled.text, filled.missing


def _blanks(tx: Tx, place: Place, language: str | None) -> Blanks:
    node = identity.by_numbers(tx, [place.leg.node])[place.leg.node]
    public, private = dict[str, str](), dict[str, str]()
    for told in views.context(tx, place.conversation, place.conduct):
        kind = place.conduct.by_name.get(told["kind"])
        if told["state"] != "removed":
            (public if kind and kind.public else private).setdefault(told["kind"], told["value"])
    return Blanks(
        agent=place.agent.name,
        customer=node.name,
        handle=node.handle,
        language=language,
        network=place.leg.network,
        public=place.leg.visibility == "public",
        private=private,
        open=public,
    )


# what we said to others


def _earlier(tx: Tx, place: Place, kept: Kept) -> str:
    """Read where it stands, so what was edited, deleted or erased since is so here; without what is private."""
    key = interactions.key_by_seq(tx, kept.tenant, kept.seq) if kept.seq is not None else None
    stored = interactions.get(tx, kept.tenant, key) if key else None
    leg = conversations.leg(tx, stored.leg) if stored else None
    if stored is None or leg is None or stored.deleted_at is not None or leg.conversation == place.conversation.id:
        return ""
    return redacted(tx, kept.tenant, stored.node, (stored.interaction.text or "")[:EXCERPT], place.conduct)


def redacted(tx: Tx, tenant: str, node: int, text: str, conduct: Conduct) -> str:
    """Without anything by which this customer could be known: names, handles, accounts, all that they have told."""
    owner = identity.by_numbers(tx, [node])[node]
    members = identity.members(tx, tenant, owner.customer)
    square = Thread(id="square", visibility="public")
    intent = SendMessage(key="k", own_account="k", thread=square, text=text)
    secrets = secrecy.read(tx, tenant, node, intent, conduct)
    found = [(start, end) for _, start, end in personal_data(text, conduct.countries)]
    found += [(start, end) for _, start, end in seen_in_private(text, secrets, conduct)]
    found += [(start, end) for kind in conduct.kinds for _, start, end in kind.found_in(text)]
    return _without(text, [*found, *_named(text, members)])


def _named(text: str, members: Collection[Node]) -> Iterable[tuple[int, int]]:
    small = text.casefold()
    if len(small) != len(text):
        small = text.lower() if len(text.lower()) == len(text) else text
    names = {word.casefold() for one in members for word in (one.name or "").split()}
    names |= {value.casefold() for one in members for value in (one.handle, one.identifier.value) if value}
    for name in names:
        at = small.find(name) if len(name) > 1 else -1
        while at >= 0:
            yield at, at + len(name)
            at = small.find(name, at + len(name))


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            pieces += [text[done:start], HIDDEN]
        done = max(done, end)
    return "".join([*pieces, text[done:]])


# in order


def _ranked(found: list[Offer], place: Place, question: str, rankers: Sequence[Ranker]) -> list[Offer]:
    """A plugin's opinion counts for more than words do."""
    if not found:
        return found
    asked = Asked(
        tenant=place.conversation.tenant, question=question, texts=tuple(f"{one.title}\n{one.text}" for one in found)
    )
    for ranker in rankers:
        if (opinions := _opinions(ranker, asked)) is not None:
            found = [_weighed(one, opinion) for one, opinion in zip(found, opinions, strict=True)]
    return found


def _weighed(one: Offer, opinion: float) -> Offer:
    mixed = (1 - OPINION) * one.found + OPINION * max(0.0, min(opinion, 1.0))
    return replace(one, found=mixed, alike=one.alike or opinion >= 0.5)


def _opinions(ranker: Ranker, asked: Asked) -> list[float] | None:
    try:
        opinions = ranker(asked)
        return None if opinions is None else [float(one) for _, one in zip(asked.texts, opinions, strict=True)]
    except (Exception, SystemExit) as error:
        logger.warning("the ranker %s failed, and words decide: %s", getattr(ranker, "__name__", ranker), error)
        return None


def _shown(one: Offer) -> dict[str, Any]:
    words = f"it has the words {', '.join(one.matched[:8])}" if one.matched else "it is alike in meaning"
    return {
        "id": str(one.kept.number),
        "kind": one.kept.kind,
        "title": one.title,
        "text": one.text,
        "missing": list(one.missing),
        "matched": list(one.matched[:8]),
        "why": "; ".join([words, *(["a plugin finds it alike in meaning"] if one.alike else []), one.outcome.words]),
        "score": round(one.weight, 3),
    }


def note_use(tx: Tx, place: Place, id: str, text: str, key: str, at: int) -> None:
    """Which answer a reply began with, and how much of it was changed; an unknown one is passed over."""
    kept = answers.by_numbers(tx, place.conversation.tenant, [int(id)]) if id.isascii() and id.isdigit() else []
    for one in kept:
        offer = _offer(tx, place, one, ())
        edited = changed(offer.text, text) if offer else 1.0
        answers.note_use(tx, one.tenant, key, one.number, place.conversation.id, place.agent.id, at, edited)

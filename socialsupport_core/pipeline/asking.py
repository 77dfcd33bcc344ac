"""Asking for a one-time code: where it can be told, where it can be said, and what its customer hears about it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.handing.arrival import BEGUN
from socialsupport_core.conversation.handing.words import Words
from socialsupport_core.identity import explain
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.proofs import FORGEABLE, ProofRefused
from socialsupport_core.model import Identifier, Interaction
from socialsupport_core.pipeline import proving
from socialsupport_core.pipeline.channels import said_by
from socialsupport_core.pipeline.placing import Ways
from socialsupport_core.pipeline.proving import Word
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.store import Tx, accounts, conversations, handoffs, identity, interactions, proofs
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node
from socialsupport_core.store.proofs import Challenge

if TYPE_CHECKING:  # what says something is built upon this
    from socialsupport_core.pipeline.channels import Live
    from socialsupport_core.pipeline.handing import Desk

ROUND = "ask for it the other way round"
MOST = 20
"""Accounts that may be the customer's, too, among which an agent chooses."""


@dataclass(frozen=True, slots=True)
class End:
    """An account, and how a code gets there and back."""

    node: Node
    told: Leg | None
    """The private thread in which only its owner reads."""
    begins: "Live | None"
    """The channel that may write to it first."""
    said: Leg | None
    """Where it writes, if what comes from there was certainly written by its owner."""
    by_voice: bool
    """It is said by telephone, and typed by the agent who hears it."""

    @property
    def is_of_use(self) -> bool:
        return bool(self.told or self.begins or self.said or self.by_voice)


def ends(tx: Tx, desk: "Desk", found: Conversation, ways: Ways) -> list[End]:
    """The customer's accounts, and those that are said or suggested to be theirs."""
    mine = [one.number for leg in conversations.legs(tx, found.tenant, found.id) for one in _all_of(tx, leg)]
    owner = identity.by_numbers(tx, [found.node])[found.node]
    related = [*dict.fromkeys([*mine, *_suggested(tx, found.tenant, owner)])]
    nodes = identity.by_numbers(tx, related)
    all_ends = [_end(tx, desk, found.tenant, nodes[number], ways) for number in related if number in nodes]
    return [one for one in all_ends if one.is_of_use]


def _all_of(tx: Tx, leg: Leg) -> list[Node]:
    return identity.members(tx, leg.tenant, identity.by_numbers(tx, [leg.node])[leg.node].customer)


def _suggested(tx: Tx, tenant: str, owner: Node) -> list[int]:
    told = explain(tx, tenant, str(owner.identifier))["refused"][:MOST]
    written = dict.fromkeys(end for one in told for end in one["between"])
    found = [identity.find(tx, tenant, canonical(Identifier.parse(one))) for one in written]
    return [one.number for one in found if one]


def _end(tx: Tx, desk: "Desk", tenant: str, node: Node, ways: Ways) -> End:
    legs = [one for one in conversations.legs_of_nodes(tx, tenant, [node.number]) if ways.speaks(one)]
    legs.sort(key=lambda one: (one.last_inbound or 0, one.opened_at))
    private = [one for one in legs if one.visibility == "private" and ways.reaches(one)]
    kind = node.identifier.kind.partition(".")[0]
    is_sure = kind not in FORGEABLE or proofs.has_control(tx, tenant, node.number)
    heard = [one for one in legs if one.last_inbound is not None] if is_sure else []
    begins = None if private else _beginning(desk, tenant, node)
    return End(node, private[-1] if private else None, begins, heard[-1] if heard else None, kind == "phone")


def _beginning(desk: "Desk", tenant: str, node: Node) -> "Live | None":
    live = [one for one in desk.of_tenant(tenant) if node.identifier.kind in one.connector.capabilities.begins]
    return next((one for one in live if one.channel.state == "active"), None)


# asking


@dataclass(frozen=True, slots=True)
class Asking:
    """A code that is told on one leg and expected on another. Without `asked` an agent hears it by telephone."""

    id: str
    agent: Agent
    told: Leg
    expected: Node
    asked: Leg | None
    language: str | None
    key: str
    """Begins the keys of what is said."""
    handoff: Handoff | None = None
    asks: str = "code_wanted"
    """The template with which it is asked for."""


def carry_out(tx: Tx, desk: "Desk", found: Conversation, one: Asking) -> Challenge:
    """Both ends hear of it. Raises ReplyRefused if it cannot be told there, ProofRefused; then nothing is said."""
    words, now = Words(handoffs.templates(tx, found.tenant)), desk.clock()
    network = one.asked.network if one.asked else "phone"
    place = words.place(network, one.language)
    name = "code_public" if one.asked and one.asked.visibility == "public" else "code_told"
    trial = words.say(name, one.language, code="000000", where=place)
    half = desk.half(tx, one.told, trial, one.agent, f"{one.key}~trial")
    if not half.is_possible:
        raise ReplyRefused("; ".join(half.reasons), refusals=half.refusals, plan=half.plan)
    told = identity.by_numbers(tx, [one.told.node])[one.told.node]
    given: dict[str, Any] = {
        "id": one.id,
        "agent": one.agent.id,
        "at": desk.now,
        "random": desk.random,
        "handoff": one.handoff,
    }
    made, code = proving.begin(tx, found, told, one.expected, **given)
    text = words.say(name, one.language, code=code, where=place)
    desk.half(tx, one.told, text, one.agent, f"{one.key}~code").say(tx, one.agent, now)
    if one.asked and one.asked.visibility == "private":
        text = words.say(one.asks, one.language, where=words.place(one.told.network, one.language))
        there = desk.half(tx, one.asked, text, one.agent, f"{one.key}~asked")
        if there.is_possible:
            there.say(tx, one.agent, now)
    return made


def by_agent(
    tx: Tx, desk: "Desk", found: Conversation, told: Node, expected: Node, agent: Agent, ways: Ways, id: str, new: str
) -> Challenge:
    """Between two accounts that an agent names. `new` is the id of a conversation, should one have to be begun.

    Raises ProofRefused, ReplyRefused.
    """
    there, here = (_end(tx, desk, found.tenant, one, ways) for one in (told, expected))
    if here.said is None and not here.by_voice:
        why = FORGEABLE.get(expected.identifier.kind.partition(".")[0], "nobody has written from it yet")
        raise ProofRefused(f"a code cannot be expected from {expected.identifier}: {why}; {ROUND}")
    leg = there.told or _begun(tx, desk, found, there, agent, id, new)
    spoken = language_of(tx, here.said or leg) or language_of(tx, leg)
    return carry_out(tx, desk, found, Asking(id, agent, leg, expected, here.said, spoken, id))


def _begun(tx: Tx, desk: "Desk", found: Conversation, end: End, agent: Agent, id: str, new: str) -> Leg:
    """A thread that we begin. Nobody knows yet whose it is, so it stands in a conversation of its own."""
    if end.begins is None:
        why = "we have no private thread with it, and no channel may write to it first"
        raise ProofRefused(f"a code cannot be told to {end.node.identifier}: {why}; {ROUND}")
    live, node = end.begins, end.node
    own = live.channel.own_account or live.connector.facts.own_account or live.channel.id
    thread = said_by(live.connector, lambda: live.connector.thread_with(node.identifier), str, None) or f"{BEGUN}{id}"
    where = ThreadOf(live.channel.id, live.connector.name, own, thread, "private")
    owner = identity.by_numbers(tx, [found.node])[found.node]
    if node.customer == owner.customer:
        home = found
    else:
        home = conversations.open_conversation(tx, found.tenant, new, node.number, None, desk.now)
        conversations.set_status(tx, found.tenant, new, "resolved", desk.now)  # until somebody answers there
    return conversations.add_leg(tx, home, where, node.number, desk.now, "code", f"{agent.id} has asked for a code")


# answering what was said


class Hearing:
    """Whoever types a code hears what came of it, if the tenant wants it: where it was typed, or if everybody reads
    along there, where it was told."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    def __call__(self, tx: Tx, leg: Leg, one: Challenge, heard: Word) -> None:
        if not self._desk.channels.conducting.of(tx, leg.tenant).guidance.codes.answer:
            return
        if leg.visibility != "private":
            told = max(handoffs.newest_private_legs(tx, leg.tenant, [one.told]).values(), default=None)
            found = conversations.leg(tx, told) if told is not None else None
            if found is None or (heard == "wrong" and len(proofs.open_of(tx, one.tenant, one.node)) > 1):
                return  # of several who were told a code nobody knows which was meant
            leg = found
        words, language = Words(handoffs.templates(tx, leg.tenant)), language_of(tx, leg)
        where = {"where": words.place(_expected_on(tx, one), language)} if heard == "elsewhere" else {}
        text = words.say(f"code_{heard}", language, **where)
        tried = proofs.get(tx, one.tenant, one.id)
        agent = speaker(tx, one.tenant, one.agent)
        try:
            half = self._desk.half(tx, leg, text, agent, f"{one.id}~{heard}{tried.tries if tried else ''}")
        except ConfigError:
            return  # the channel is gone
        if half.is_possible:
            half.say(tx, agent, self._desk.clock())


def _expected_on(tx: Tx, one: Challenge) -> str:
    """The network on which the code is waited for."""
    legs = conversations.legs_of_nodes(tx, one.tenant, [one.node])
    if legs:
        return max(legs, key=lambda leg: leg.last_inbound or 0).network
    return identity.by_numbers(tx, [one.node])[one.node].identifier.kind.partition(".")[0]


Answer = Callable[[Tx, Leg, Challenge, Word], None]


def nothing(_tx: Tx, _leg: Leg, _one: Challenge, _heard: Word) -> None:
    """Nobody is told anything."""


def speaker(tx: Tx, tenant: str, agent: str) -> Agent:
    known = {one.id: one for one in accounts.agents(tx, tenant)}
    return known.get(agent) or Agent(tenant, agent, agent)


def language_of(tx: Tx, leg: Leg) -> str | None:
    """As the customer's newest message that tells."""
    newest: Sequence[interactions.Stored] = interactions.newest(tx, leg.tenant, leg.node, None, 20)
    return _first(_spoken(stored.interaction) for stored in newest)


def said_to(tx: Tx, leg: Leg) -> list[str]:
    """What we have said lately to who is on this leg, the newest first."""
    newest = interactions.newest(tx, leg.tenant, leg.node, None, 50)
    return [one.interaction.text or "" for one in newest if one.interaction.direction == "outbound"]


def _first(found: Iterable[str | None]) -> str | None:
    return next((one for one in found if one), None)


def _spoken(interaction: Interaction) -> str | None:
    if interaction.direction != "inbound":
        return None
    return interaction.language or interaction.author.language

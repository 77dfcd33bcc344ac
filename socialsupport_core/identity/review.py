"""The review queue: what the machine may not decide, with its reasons, for a person who may.

`producers` are pure: from what is known about some pairs to items. A decision is evidence like any other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.explaining import explain, time
from socialsupport_core.identity.policy import Policy, policy_of
from socialsupport_core.identity.resolving import Change, resolve
from socialsupport_core.identity.suggestions.result import Suggestion
from socialsupport_core.identity.verdicts import Verdict, VerdictRefused, customer_ids, undo
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, nodes, reviews
from socialsupport_core.store import evidence as reasons
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.nodes import Node
from socialsupport_core.store.reviews import Decided, Proposal

Kind = Literal["suggestion", "public_token", "one_sided", "conflict", "oversized", "shared", "proposal"]
Decision = Literal["link", "apart", "later", "undo"]
PAIRS = 400  # that are looked at for one answer
OTHERS = 20  # ends of a shared identifier that are shown

KINDS: Mapping[str, Kind | None] = {
    "tier": "suggestion",
    "exclusive": "conflict",
    "limit": "conflict",
    "told_apart": "conflict",
    "cap": "oversized",
    "component": "oversized",
    "shared": "shared",
    "role": None,
    "blocked": None,
    "apart": None,
}
"""What becomes of evidence by the rule that refused it. None: the policy, or a person, has decided that already."""
REASONS: Mapping[Kind, str] = {
    "suggestion": "somebody says so, and nothing proves it",
    "public_token": "came with a hand-off link that anybody may have read or forged",
    "one_sided": "came with a hand-off link, and has not shown yet who they are",
    "conflict": "proof would join them, and a rule forbids it",
    "oversized": "more accounts hang together than may be joined by a machine",
    "shared": "several customers have this in common, so it joins none of them",
    "proposal": "what is known of them is much alike",
}
ORDER: tuple[Kind, ...] = ("conflict", "one_sided", "public_token", "suggestion", "proposal", "oversized", "shared")
"""How they are told: first what a customer is waiting for."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to decide. `nodes` are the accounts of which one customer would be made."""

    id: str
    kind: Kind
    reason: str
    nodes: tuple[int, ...]
    at: int = 0
    rule: str | None = None
    remedy: str | None = None
    evidence: tuple[Mapping[str, Any], ...] = ()
    proposal: Proposal | None = None
    identifier: str | None = None
    """What is shared."""
    told: Mapping[str, Any] = field(default_factory=dict)


Refused = Mapping[str, Any]
"""Refused evidence, as `explain` tells it."""


# producers


def from_refused(refused: Iterable[Refused], number: Callable[[str], int | None], policy: Policy) -> Iterator[Item]:
    """`number` finds the node of an account that is written `kind:value`."""
    for one in refused:
        kind = _kind_of(one)
        ends = [number(written) for written in one["between"]]
        known = tuple(sorted(end for end in ends if end is not None))
        if kind is None or len(known) < 2:
            continue
        shared = _shared_end(one, policy) if kind == "shared" else None
        yield Item(
            id=_id([number(shared) or 0] if shared else known),
            kind=kind,
            reason=REASONS[kind],
            nodes=known,
            rule=one.get("rule"),
            remedy=one.get("remedy"),
            evidence=(one,),
            identifier=shared,
        )


def _kind_of(one: Refused) -> Kind | None:
    kind = KINDS.get(one["code"], "conflict")
    if one["code"] == "told_apart" and one["tier"] == "asserted":
        return "shared"  # one item for the telephone, and not one for each who is said to have it
    if kind in {"suggestion", "conflict"} and one["proof"] == "handoff_token":
        return "public_token" if one["tier"] == "claimed" else "one_sided"
    return kind


def _shared_end(one: Refused, policy: Policy) -> str:
    """The contact point; of two the one that its rule names, or the telephone."""

    def place(end: str) -> tuple[bool, bool, bool, str]:
        kind = Identifier.parse(end).kind
        return end not in one["rule"], kind not in policy.told_apart_by, not policy.is_contact(kind), end

    return min(map(str, one["between"]), key=place)


def from_proposals(found: Iterable[Proposal]) -> Iterator[Item]:
    for one in found:
        pair = (one.a, one.b)
        yield Item(_id(pair), "proposal", REASONS["proposal"], pair, one.at, proposal=one)


def from_arrivals(found: Iterable[tuple[int, int, str, int]]) -> Iterator[Item]:
    for node, bearer, channel, at in found:
        pair = (min(node, bearer), max(node, bearer))
        rule = f"the link was given on {channel}"
        yield Item(_id(pair), "one_sided", REASONS["one_sided"], pair, at, rule=rule)


def joined(items: Iterable[Item]) -> list[Item]:
    """One item for each pair and each shared identifier, with everything that speaks of it."""
    found: dict[str, Item] = {}
    for one in items:
        known = found.get(one.id)
        found[one.id] = one if known is None else _both(known, one)
    return sorted(found.values(), key=lambda one: (ORDER.index(one.kind), -one.at, one.id))


def _both(one: Item, other: Item) -> Item:
    first, second = sorted((one, other), key=lambda each: ORDER.index(each.kind))
    evidence = {each["id"]: each for each in (*first.evidence, *second.evidence)}
    return replace(
        first,
        nodes=tuple(sorted({*one.nodes, *other.nodes})),
        at=max(one.at, other.at),
        evidence=tuple(evidence.values()),
        proposal=first.proposal or second.proposal,
    )


def _id(found: Sequence[int]) -> str:
    return "rev_" + "-".join(f"{one:x}" for one in sorted(found))


# reading


def queue(tx: Tx, tenant: str, now: int, *, later: bool = False, limit: int = 50) -> list[Item]:
    """What is to be decided; with `later` only what was put off."""
    found = joined(_everything(tx, tenant))
    hidden = reviews.hidden(tx, tenant, now)
    put_off = {one.review for one in reviews.decided(tx, tenant, PAIRS) if one.decision == "later"} & hidden
    return [one for one in found if (one.id in put_off if later else one.id not in hidden)][:limit]


def _everything(tx: Tx, tenant: str) -> Iterator[Item]:
    policy = policy_of(tx, tenant)
    pairs = reviews.unjoined(tx, tenant, PAIRS)
    yield from from_refused(_refused(tx, tenant, pairs), lambda written: _number(tx, tenant, policy, written), policy)
    yield from from_proposals(reviews.proposals(tx, tenant, PAIRS))
    unproven = [one for one in reviews.arrived(tx, tenant, PAIRS) if not _is_proven(tx, tenant, one[0], one[1])]
    yield from from_arrivals(unproven)


def _refused(tx: Tx, tenant: str, pairs: Iterable[tuple[int, int]]) -> Iterator[Refused]:
    """What explains each pair, of which a customer explains all at once."""
    explained: set[int] = set()
    for low, high in pairs:
        ends = nodes.by_numbers(tx, (low, high))
        heads = {end.customer for end in ends.values()}
        if len(ends) == 2 and not heads & explained:
            head = nodes.by_numbers(tx, [ends[high].customer])[ends[high].customer]
            explained.add(head.number)
            yield from (one for one in explain(tx, tenant, head.id)["refused"] if _is_open(tx, tenant, one))


def _is_open(tx: Tx, tenant: str, one: Refused) -> bool:
    """Whether its ends are two customers still, and nobody has said that they are."""
    policy = policy_of(tx, tenant)
    found = [_number(tx, tenant, policy, written) for written in one["between"]]
    ends = nodes.by_numbers(tx, [number for number in found if number is not None])
    return len({end.customer for end in ends.values()}) > 1 and not _are_apart(tx, tenant, *sorted(ends))


def _are_apart(tx: Tx, tenant: str, low: int, high: int) -> bool:
    tie = reasons.hood(tx, tenant, low).ties.get(high)
    return bool(tie and tie.apart)


def _is_proven(tx: Tx, tenant: str, a: int, b: int) -> bool:
    """By a proof, or by a person, either way."""
    ends = nodes.by_numbers(tx, (a, b))
    if len(ends) < 2:
        return True
    tie = reasons.hood(tx, tenant, ends[a].base).ties.get(ends[b].base)
    return bool(tie and (tie.apart or tie.human is not None or tie.verified is not None))


def proposal(tx: Tx, tenant: str, one: Suggestion, at: int) -> Proposal | None:
    """None if one of them is not known, or both are one customer."""
    policy = policy_of(tx, tenant)
    found = [nodes.find(tx, tenant, canonical(end, policy)) for end in one.pair]
    ends = sorted(node.base for node in found if node)
    if len(ends) < 2 or ends[0] == ends[1]:
        return None
    data = {name: value for name, value in one.as_json().items() if name in {"weight", "waterfall", "reasons"}}
    return Proposal(ends[0], ends[1], one.probability, data, at)


def _number(tx: Tx, tenant: str, policy: Policy, written: str) -> int | None:
    found = nodes.find(tx, tenant, canonical(Identifier.parse(written), policy))
    return found.base if found else None


# deciding


def decide(
    tx: Tx, tenant: str, review: str, decision: Decision, *, agent: str, at: int, until: int | None = None
) -> Verdict:
    """`link` and `apart` are verdicts, `later` puts it off, `undo` takes back what was decided.

    Raises VerdictRefused.
    """
    if decision == "undo":
        return _undo(tx, tenant, review, agent, at)
    ends = _ends(tx, tenant, review)
    numbers = sorted(ends)
    if decision == "link" and len(ends) < 2:
        raise VerdictRefused("several have this in common, and one link cannot mean them all; link two of them by name")
    verdict = Verdict("", customer_ids(tx, ends.values()), tuple(numbers))
    if decision != "later" and len(ends) > 1:
        tier = "human" if decision == "link" else "cannot"
        verdict = _judge(tx, tenant, numbers, tier, agent, at)
    kept = until if decision == "later" else None
    first, last = numbers[0], numbers[-1]
    reviews.put(tx, tenant, Decided(review, decision, verdict.id or None, agent, at, kept, first, last))
    return verdict


def _ends(tx: Tx, tenant: str, review: str) -> dict[int, Node]:
    try:
        numbers = [int(part, 16) for part in review.removeprefix("rev_").split("-")]
        found = reviews.own(tx, tenant, numbers)
    except (ValueError, OverflowError):
        numbers, found = [], set()
    if not found or found != set(numbers):
        raise VerdictRefused(f"there is nothing to decide under {review[:60]!r}; the queue lists what there is")
    return nodes.by_numbers(tx, found)


def _judge(tx: Tx, tenant: str, numbers: Sequence[int], tier: str, agent: str, at: int) -> Verdict:
    """Says it of each pair, whatever they are taken for now."""
    mark = "+" if tier == "human" else "/"
    source = f"verdict:{agent}:{at}:{mark.join(map(str, numbers))}"
    change = Change.of(tx, tenant, numbers)
    first, *others = numbers
    told = [Evidence(first, other, tier, "agent", source, at, agent) for other in others]
    for one in told:
        reasons.add_evidence(tx, tenant, one)
    resolve(tx, tenant, change, cause="merged" if tier == "human" else "split", why=told[0])
    now = nodes.by_numbers(tx, numbers)
    customers = {node.customer for node in now.values()}
    if tier == "human" and len(customers) > 1:
        names = " and ".join(str(node.identifier) for node in now.values())
        raise VerdictRefused(f"{names} cannot be one customer; `explain` tells which rule forbids it, and what helps")
    return Verdict(source, customer_ids(tx, now.values()), tuple(numbers))


def _undo(tx: Tx, tenant: str, review: str, agent: str, at: int) -> Verdict:
    known = reviews.get(tx, tenant, review)
    if known is None:
        raise VerdictRefused(f"nothing was decided under {review[:60]!r}")
    reviews.drop(tx, tenant, review)
    if known.verdict is None:
        return Verdict("", (), (known.a, known.b))
    return undo(tx, tenant, known.verdict, agent=agent, at=at)


# as the API shows it


def shown(tx: Tx, one: Item) -> dict[str, Any]:
    ends = nodes.by_numbers(tx, one.nodes)
    told: dict[str, Any] = {
        "id": one.id,
        "kind": one.kind,
        "reason": one.reason,
        "between": [_end(tx, ends[number]) for number in one.nodes[:OTHERS] if number in ends],
        "evidence": [dict(each) for each in one.evidence[:OTHERS]],
    }
    more = {"identifier": one.identifier, "rule": one.rule, "remedy": one.remedy}
    told |= {name: value for name, value in more.items() if value}
    if one.at:
        told["at"] = time(one.at)
    if one.proposal is not None:
        told |= {"probability": one.proposal.probability, **one.proposal.data}
    return told


def _end(tx: Tx, node: Node) -> dict[str, Any]:
    head = nodes.by_numbers(tx, [node.customer])[node.customer]
    shown = {"identifier": str(node.identifier), "name": node.name, "handle": node.handle, "customer": head.id}
    return {name: value for name, value in shown.items() if value}


def shown_decided(one: Decided) -> dict[str, Any]:
    told = {
        "id": one.review,
        "decision": one.decision,
        "agent": one.agent,
        "at": time(one.at),
        "until": time(one.until) if one.until else None,
        "verdict": one.verdict,
    }
    return {name: value for name, value in told.items() if value is not None}

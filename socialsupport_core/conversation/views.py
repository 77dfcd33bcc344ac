"""Customers and conversations as the API shows them. Absent fields are left out."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.kinds import same
from socialsupport_core.conversation.timeline import name_of, of_conversation, timeline
from socialsupport_core.identity import proven
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, conversations, crm, glances, identity, log, moment, moves, outbox
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.backfills import Backfill
from socialsupport_core.store.context import Told
from socialsupport_core.store.context import of_nodes as told_by
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.health import Watched
from socialsupport_core.store.identity import Node
from socialsupport_core.store.interactions import Stored
from socialsupport_core.store.outbox import Part
from socialsupport_core.text import plain

SECOND = 1_000_000
MICRO = timedelta(microseconds=1)
OPEN = frozenset({"queued", "retrying", "uncertain", "failed"})
"""Delivery states of which an agent wants to know more."""


def present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def time(at: int | None) -> str | None:
    return None if at is None else moment(at).isoformat().replace("+00:00", "Z")


def customer(tx: Tx, tenant: str, number: int) -> dict[str, Any]:
    members = identity.members(tx, tenant, number)
    canonical = next(node for node in members if node.number == number)
    return present(
        id=canonical.id,
        name=name_of(members),
        aliases=sorted(node.id for node in members if node.number != number),
        accounts=[account(node) for node in members],
        crm=crm.contacts(tx, tenant, number) or None,
        conversations=summaries(tx, tenant, conversations.of_customer(tx, tenant, number)),
    )


def account(node: Node) -> dict[str, Any]:
    identifier = node.identifier
    return present(
        identifier=str(identifier),
        kind=identifier.kind,
        value=identifier.value,
        id=node.id,
        name=node.name,
        handle=node.handle,
        since=time(node.first_seen),
    )


def summaries(tx: Tx, tenant: str, wanted: Sequence[Conversation]) -> list[dict[str, Any]]:
    """Conversations as the queue shows them."""
    names = [one.id for one in wanted]
    legs = conversations.legs_of(tx, tenant, names)
    nodes = identity.by_numbers(tx, [one.node for one in wanted])
    owners = identity.members_of(tx, tenant, {node.customer for node in nodes.values()})
    last, cases = glances.last_of(tx, tenant, legs), glances.cases_of(tx, tenant, names)
    began = [leg.began for own in legs.values() for leg in own]
    failed = glances.failed_in(tx, tenant, [*names, *began])
    found = []
    for one in wanted:
        owner, newest = nodes[one.node].customer, last.get(one.id)
        fields = _fields(one, owners[owner], owner) | present(
            channels=list(dict.fromkeys(leg.channel for leg in legs[one.id])),
            networks=list(dict.fromkeys(leg.network for leg in legs[one.id])),
            cases=cases[one.id] or None,
            triage=standing(one),
            last=_excerpt(newest) if newest else None,
            failed=_failed(one, legs[one.id], failed),
        )
        found.append(fields)
    return found


def _fields(one: Conversation, members: list[Node], owner: int) -> dict[str, Any]:
    return present(
        id=one.id,
        customer={"id": next(n.id for n in members if n.number == owner), "name": name_of(members)},
        subject=one.subject,
        status=one.status,
        superseded_by=one.superseded_by,
        assignee=one.assignee,
        opened_at=time(one.opened_at),
        updated_at=time(one.updated_at),
        waiting_since=time(one.waiting_since),
    )


def standing(one: Conversation) -> dict[str, Any] | None:
    """What kind of contact it is, why, and when its target runs out."""
    stands = one.standing
    if stands.kind is None or stands.triage is None:
        return None
    told = json.loads(stands.triage)
    given = {name: told[name] for name in ("language", "sentiment", "by") if name in told}
    waits = one.waiting_since is not None and one.status == "open"
    return given | present(
        kind=stands.kind,
        urgency=stands.urgency,
        noise=stands.noise,
        reasons=told.get("reasons", []),
        due_at=time(stands.due_at) if waits else None,
    )


def text_of(data: str) -> str:
    """What an interaction says, of its JSON."""
    told = json.loads(data)
    return "\n".join(one for one in (told.get("subject"), told.get("text")) if one)


def _failed(one: Conversation, legs: list[Leg], failed: list[Part]) -> dict[str, Any] | None:
    """The newest answer that did not arrive, as long as none has since."""
    if one.status == "resolved":
        return None
    own, since = {one.id, *(leg.began for leg in legs)}, one.answered_at or 0
    part = next((part for part in failed if part.conversation in own and part.created_at > since), None)
    return None if part is None else {"channel": part.channel, "agent": part.agent} | delivery(part)


def conversation(tx: Tx, one: Conversation, conduct: Conduct = DEFAULT) -> dict[str, Any]:
    """One conversation with its legs, and everything the customer has said and heard."""
    legs = conversations.legs(tx, one.tenant, one.id)
    nodes = identity.by_numbers(tx, [leg.node for leg in legs])
    owner = identity.by_numbers(tx, [one.node])[one.node].customer
    (summary,) = summaries(tx, one.tenant, [one])
    sure = proven(tx, one.tenant, one.node, nodes)
    return summary | {
        "legs": [shown_leg(leg, nodes[leg.node]) | {"unproven": leg.node not in sure} for leg in legs],
        "context": context(tx, one, conduct),
        "moves": shown_moves(tx, one),
        "entries": _with_delivery(tx, one.tenant, of_conversation(tx, one.tenant, one.id)),
        "timeline": _with_delivery(tx, one.tenant, timeline(tx, one.tenant, owner)),
        "turns": [_turn(tx, record) for record in log.turns(tx, one.tenant, one.id)],
        "unsent": [_unsent(part) for part in _unshown(tx, one, legs)],
    }


def context(tx: Tx, one: Conversation, conduct: Conduct = DEFAULT) -> list[dict[str, Any]]:
    """What the customer has told here, and what belongs to the person wherever it was told; each value once.

    The newest telling of each stands for it. What an agent has removed comes last.
    """
    owner = identity.by_numbers(tx, [one.node])[one.node].customer
    nodes = [node.number for node in identity.members(tx, one.tenant, owner)]
    newest: dict[tuple[str, str], Told] = {}
    for told in told_by(tx, one.tenant, nodes):
        kind = conduct.by_name.get(told.kind)
        if told.conversation == one.id or (kind and kind.lasting):
            newest[told.kind, same(told.corrected or told.value)] = told
    places = {kind.name: place for place, kind in enumerate(conduct.kinds)}
    shown = sorted(newest.values(), key=lambda each: (each.state == "removed", places.get(each.kind, 99), each.at))
    return [_told(tx, each, conduct) for each in shown]


def _told(tx: Tx, told: Told, conduct: Conduct) -> dict[str, Any]:
    kind, leg = conduct.by_name.get(told.kind), conversations.leg(tx, told.leg)
    return present(
        kind=told.kind,
        label=kind.label if kind else told.kind,
        value=told.corrected or told.value,
        told=told.value if told.corrected else None,
        state=told.state,
        at=time(told.at),
        interaction=str(told.seq),
        conversation=told.conversation,
        network=leg.network if leg else None,
        visibility=told.visibility,
        agent=told.agent,
        decided_at=time(told.decided_at),
    )


def shown_moves(tx: Tx, one: Conversation) -> list[dict[str, Any]]:
    """What was merged into it, split from it or moved, taken back or not, the oldest first."""
    rows = moves.of_conversation(tx, one.tenant, one.id)
    by_move = {row.move: [each for each in rows if each.move == row.move] for row in rows}
    return [_move(mine) for mine in by_move.values()]


def _move(rows: list[moves.Move]) -> dict[str, Any]:
    first = rows[0]
    return present(
        id=first.move,
        kind=first.kind,
        origin=first.origin,
        target=first.target,
        legs=[row.leg for row in rows],
        at=time(first.at),
        agent=first.agent,
        reason=first.reason,
        undone_at=time(first.undone_at),
        undone_by=first.undone_by,
    )


def _with_delivery(tx: Tx, tenant: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Says of each part that is not out yet, or may not be, how it stands."""
    for entry in entries:
        key = entry["interaction"].get("client_key")
        part = outbox.get(tx, tenant, key) if key and entry.get("state") in OPEN else None
        if part is not None:
            entry["delivery"] = delivery(part)
    return entries


def delivery(part: Part) -> dict[str, Any]:
    return present(
        part=part.key,
        state=part.state,
        reason=part.error,
        code=part.code,
        attempts=part.attempts,
        next_at=time(part.due_at) if part.state == "retrying" else None,
    )


def _unshown(tx: Tx, one: Conversation, legs: list[Leg]) -> list[Part]:
    threads = dict.fromkeys((leg.channel, leg.thread) for leg in legs)
    found = [part for channel, thread in threads for part in outbox.unshown(tx, one.tenant, channel, thread)]
    return [part for part in found if part.conversation == one.id]


def _unsent(part: Part) -> dict[str, Any]:
    """A part that stands in no timeline yet."""
    return present(
        channel=part.channel,
        type=part.intent.type,
        text=getattr(part.intent, "text", None),
        agent=part.agent,
        at=time(part.created_at),
        delivery=delivery(part),
    )


def _turn(tx: Tx, record: log.Record) -> dict[str, Any]:
    """What an agent did with the conversation; `handles` are those of the accounts that it names."""
    handles = {written: handle for name in ("account", "told") for written, handle in _handle(tx, record, name)}
    told = {"id": str(record.cursor), "type": record.type, "at": record.at} | record.data
    return told | ({"handles": handles} if handles else {})


def _handle(tx: Tx, record: log.Record, name: str) -> Iterator[tuple[str, str]]:
    with suppress(ValueError):  # an account that was erased
        node = identity.find(tx, record.tenant, Identifier.parse(str(record.data.get(name))))
        if node is not None and node.handle:
            yield record.data[name], node.handle


def shown_leg(leg: Leg, node: Node) -> dict[str, Any]:
    return present(
        id=leg.id,
        channel=leg.channel,
        network=leg.network,
        thread=leg.thread,
        visibility=leg.visibility,
        account=str(node.identifier),
        opened_at=time(leg.opened_at),
        last_inbound=time(leg.last_inbound),
        rule=leg.joined[0],
        reason=leg.joined[1],
    )


def channel(one: Channel, public_url: str, broken: str | None, *, page: bool = True) -> dict[str, Any]:
    """A channel without its settings: secrets go in, they never come out. `page`: its plugin brings one along."""
    return present(
        id=one.id,
        connector=one.connector,
        app=one.app,
        own_account=one.own_account,
        name=one.facts.name,
        handle=one.facts.handle,
        state="broken" if broken else one.state,
        reason=broken or one.reason,
        mode=one.mode,
        door=f"{public_url}/hooks/{one.door}",
        chat=f"{public_url}/chat/{one.door}/" if page else None,
    )


def felt(watched: Watched | None, running: Backfill | None) -> dict[str, Any]:
    """A channel's signs of life, and what is read back of it."""
    return present(
        last_heard_at=time(watched.last_at) if watched else None,
        expect_within=watched.expect_within // SECOND if watched and watched.expect_within else None,
        backfill=backfill(running) if running else None,
    )


def backfill(one: Backfill) -> dict[str, Any]:
    return present(
        state=one.state,
        cause=one.cause,
        since=time(one.since),
        pages=one.pages,
        payloads=one.payloads,
        reason=one.reason,
        started_at=time(one.started_at),
        updated_at=time(one.updated_at),
    )


def _excerpt(stored: Stored) -> dict[str, Any]:
    said, gone = stored.interaction, stored.deleted_at is not None
    text = "(deleted)" if gone else plain((said.text or "")[:1000]).strip() or said.subject or said.kind
    return present(
        text=text[:140],  # a glance needs no more
        direction=said.direction,
        network=said.network,
        visibility=said.thread.visibility,
        at=time(stored.at),
        state=stored.state,
    )

"""Routing carried out: what waits and is nobody's is given to somebody, and what is somebody's for too long to others.

What is to be done is worked out on a snapshot, which costs no commit, and worked out again within the one that does
it, beside nobody else of the tenant: so of many workers one gives a conversation away, and no agent gets too many.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from socialsupport_core.contract import Router, RoutingChoice
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance.routing import (
    AgentAtWork,
    AtWork,
    Case,
    Choice,
    Routing,
    case_for,
    choose,
    skills_needed,
    taken,
)
from socialsupport_core.guidance.service import Hours
from socialsupport_core.model import Interaction
from socialsupport_core.pipeline.channels import Channels
from socialsupport_core.store import (
    Database,
    Row,
    StoreError,
    Tx,
    accounts,
    conversations,
    identity,
    interactions,
    log,
)
from socialsupport_core.store import context as told
from socialsupport_core.store import routing as table
from socialsupport_core.store.routing import Routed, Seen

logger = logging.getLogger("socialsupport")
SECOND = 1_000_000
DAY = 86_400 * SECOND
MOST = 100
"""Conversations given away in one commit; whoever has waited longest comes first."""
RECENT = 20  # messages of a customer in which words are looked for
BY = "routing"
"""Who assigns, as the log names it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one conversation."""

    case: Case
    choice: Choice
    before: Routed | None
    assignee: str | None
    escalated: tuple[str, str] | None = None
    """The group to which it goes now, and why."""
    step: int = 0
    released: bool = False
    """Its agent is not there; if nobody can have it, it is nobody's."""
    stays: bool = False
    """Its agent is in the group to which it is escalated already."""

    @property
    def agent(self) -> str | None:
        return self.choice.agent or (None if self.released else self.assignee)

    @property
    def is_news(self) -> bool:
        known = self.before.reason if self.before and self.before.agent is None else None
        return (
            self.agent != self.assignee
            or self.escalated is not None
            or (self.agent is None and known != self.choice.reason)
        )


class Guide:
    """Routing, on a store."""

    def __init__(self, database: Database, channels: Channels, routers: Sequence[Router]) -> None:
        self._database = database
        self._channels = channels
        self._routers = tuple(routers)

    async def turn(self, tenant: str, conduct: Conduct, now: int) -> int:
        """How many conversations have changed hands, or were escalated."""
        return await asyncio.to_thread(self._route, tenant, now) if conduct.guidance.routing.enabled else 0

    def _conduct(self, tx: Tx, tenant: str) -> Conduct:
        return self._channels.conducting.of(tx, tenant)

    def _route(self, tenant: str, now: int) -> int:
        try:
            if not self._database.read(lambda tx: any(one.is_news for one in self._steps(tx, tenant, now))):
                return 0
            return self._database.do(lambda tx: self._carry_out(tx, tenant, now), tenant)
        except StoreError:
            raise
        except Exception:
            logger.exception("the conversations of %s could not be routed", tenant)
            return 0

    def _carry_out(self, tx: Tx, tenant: str, now: int) -> int:
        done = 0
        for step in self._steps(tx, tenant, now):
            if step.is_news:
                self._take(tx, tenant, step, now)
                done += step.agent != step.assignee or step.escalated is not None
        return done

    def _take(self, tx: Tx, tenant: str, step: Step, now: int) -> None:
        case, reason = step.case, step.choice.reason
        if step.escalated:
            group, why = step.escalated
            data = {"to": group, "reason": why, "step": step.step}
            log.publish(tx, tenant, "conversation.escalated", now, data, conversation=case.conversation)
        if step.agent != step.assignee:
            conversations.assign(tx, tenant, case.conversation, step.agent)
            data = {"assignee": step.agent or "", "agent": BY, "reason": reason}
            log.publish(tx, tenant, "conversation.assigned", now, data, conversation=case.conversation)
        elif step.agent is None and (step.before is None or step.before.agent is not None):
            log.publish(tx, tenant, "conversation.unrouted", now, {"reason": reason}, conversation=case.conversation)
        kept = step.before.agent if step.before and step.assignee is not None else None
        given = step.agent if step.agent != step.assignee else kept
        table.put(tx, Routed(tenant, case.conversation, given, reason, case.group, step.step, now))

    # what is to be done

    def _steps(self, tx: Tx, tenant: str, now: int) -> Iterator[Step]:
        """In the order in which they are done; each counts for the next."""
        conduct = self._conduct(tx, tenant)
        team = {one.agent: one for one in at_work(tx, tenant, conduct, now)}
        for found in self._cases(tx, tenant, conduct, team, now):
            if found.stays:
                yield found
                continue
            choice = self._chosen(tenant, found.case, list(team.values()), conduct.guidance.routing)
            yield (step := replace(found, choice=choice))
            if choice.agent is not None and choice.agent != step.assignee:
                team[choice.agent] = taken(team[choice.agent], now)
            if step.agent != step.assignee and step.assignee in team:
                left = team[step.assignee]
                team[step.assignee] = replace(left, load=max(0, left.load - 1))

    def _chosen(self, tenant: str, case: Case, team: Sequence[AtWork], routing: Routing) -> Choice:
        choice = choose(case, team, routing)
        if choice.agent is None or not self._routers:
            return choice
        own = self._asked(tenant, case, choice)
        return Choice(own.agent, own.reason, choice.candidates) if own else choice

    def _asked(self, tenant: str, case: Case, choice: Choice) -> RoutingChoice | None:
        """What a plugin would rather have, among those who may have it."""
        asked = case_for(tenant, case, choice)
        for router in self._routers:
            try:
                own = router(asked)
                own = None if own is None else RoutingChoice.model_validate(own)
            except (Exception, SystemExit):
                logger.exception("a router failed; the default decides")
                continue
            if own is not None and own.agent in {one.agent for one in choice.candidates}:
                return own
            if own is not None:
                logger.warning("a router chose %r, who is no candidate; the default decides", own.agent)
        return None

    def _cases(self, tx: Tx, tenant: str, conduct: Conduct, team: dict[str, AtWork], now: int) -> Iterator[Step]:
        routing, hours = conduct.guidance.routing, conduct.guidance.hours
        free, kept = table.waiting(tx, tenant, MOST), table.held(tx, tenant, MOST * 10)
        known = table.of(tx, tenant, {row["conversation"] for row in [*free, *kept]})
        for row in free:
            before = _of_this_wait(known.get(row["conversation"]), row)
            if before and before.agent and row["updated_at"] <= before.at:
                continue  # somebody gave it back to everybody: that stands until the customer writes again
            found = _escalated(routing, hours, row, before, now)
            yield self._step(tx, tenant, conduct, row, before, found)
        for row in kept:
            before = _of_this_wait(known.get(row["conversation"]), row)
            found = _escalated(routing, hours, row, before, now)
            gone = self._gone(routing, team, row, before, now)
            pending = (
                before is not None and before.team is not None and not _is_in(routing, row["assignee"], before.team)
            )
            if gone or found or pending:
                yield self._step(tx, tenant, conduct, row, before, found, released=gone)

    def _gone(self, routing: Routing, team: dict[str, AtWork], row: Row, before: Routed | None, now: int) -> bool:
        """What routing gave to somebody who is off duty now, or away for long. What a person has given stays."""
        if not routing.reassign or before is None or before.agent != row["assignee"]:
            return False
        holder = team.get(row["assignee"])
        return holder is None or holder.on is None or (holder.away is not None and holder.away.startswith("away"))

    def _step(
        self,
        tx: Tx,
        tenant: str,
        conduct: Conduct,
        row: Row,
        before: Routed | None,
        escalated: tuple[int, str, str] | None,
        *,
        released: bool = False,
    ) -> Step:
        group = escalated[1] if escalated else before.team if before else None
        number = escalated[0] if escalated else before.step if before else 0
        holder, routing = row["assignee"], conduct.guidance.routing
        stays = holder is not None and not released and group is not None and _is_in(routing, holder, group)
        without = frozenset({holder}) if holder else frozenset[str]()
        case = replace(_case(tx, tenant, conduct, row), group=group, without=without)
        told_why = (group, escalated[2]) if escalated and group else None
        why = Choice(None, f"{holder} is in {group}" if stays else "")
        return Step(case, why, before, holder, told_why, number, released, stays)


def at_work(tx: Tx, tenant: str, conduct: Conduct, now: int) -> list[AtWork]:
    """The agents whom the settings name and who exist, as things stand."""
    routing, hours = conduct.guidance.routing, conduct.guidance.hours
    people = {one.id for one in accounts.agents(tx, tenant) if not one.is_bot}
    loads, last, seen = table.loads(tx, tenant), table.given_last(tx, tenant), table.seen(tx, tenant)
    return [
        AtWork(
            name,
            one,
            loads.get(name, 0),
            on_duty(one, hours, now),
            _away(routing, seen.get(name), now),
            last.get(name, 0),
        )
        for name, one in sorted(routing.agents.items())
        if name in people
    ]


def on_duty(one: AgentAtWork, hours: Hours, now: int) -> Literal["hours", "call"] | None:
    if (one.hours or hours).open_at(now):
        return "hours"
    return "call" if one.on_call is not None and one.on_call.open_at(now) else None


def _away(routing: Routing, seen: Seen | None, now: int) -> str | None:
    """`away` for so long that others take over, `is away` for less."""
    if seen is not None and seen.away_since is not None:
        return _for(now - seen.away_since, routing)
    if routing.seen_within is None:
        return None
    last = seen.seen_at if seen else 0
    gone = now - last - int(routing.seen_within * SECOND)
    return None if gone <= 0 else _for(gone, routing)


def _for(span: int, routing: Routing) -> str:
    return "away for long" if span >= routing.away_after * SECOND else "is away"


def _is_in(routing: Routing, agent: str, group: str) -> bool:
    at = routing.agents.get(agent)
    return at is not None and group in at.groups


def _of_this_wait(before: Routed | None, row: Row) -> Routed | None:
    """The steps of an earlier wait, which was ended by an answer, count no more."""
    if before is None or row["waiting_since"] <= before.at:
        return before
    return replace(before, step=0, team=None)


def _escalated(
    routing: Routing, hours: Hours, row: Row, before: Routed | None, now: int
) -> tuple[int, str, str] | None:
    """The number of the step that is due now, the group, and why."""
    done = before.step if before else 0
    waited = hours.within(row["waiting_since"], now)
    due = [n for n, one in enumerate(routing.escalation, 1) if waited >= one.after * SECOND]
    if not due or due[-1] <= done:
        return None
    one = routing.escalation[due[-1] - 1]
    return due[-1], one.to, f"no answer for {int(one.after // 60)} minutes of the hours"


def _case(tx: Tx, tenant: str, conduct: Conduct, row: Row) -> Case:
    """What the conversation needs, from what the customer said on it."""
    legs = conversations.legs(tx, tenant, row["conversation"])
    routing, mine = conduct.guidance.routing, {one.id for one in legs}
    said = interactions.newest_of_all(tx, tenant, sorted({one.node for one in legs}), None, RECENT, mine)
    heard = [one.interaction for one in said if one.interaction.direction == "inbound" and one.deleted_at is None]
    channels = frozenset({one.channel for one in legs} | {one.network for one in legs})
    owner = identity.by_numbers(tx, [row["node"]])[row["node"]].customer
    nodes = [one.number for one in identity.members(tx, tenant, owner)]
    text = "\n".join(f"{one.subject or ''} {one.text or ''}" for one in heard)
    kinds = _kinds(tx, tenant, nodes, row["conversation"]) if any(one.told for one in routing.needs) else frozenset()
    since = row["waiting_since"] - routing.sticky_days * DAY
    return Case(
        row["conversation"],
        row["waiting_since"],
        channels,
        next((spoken.partition("-")[0].lower() for one in heard if (spoken := _language(one))), None),
        skills_needed(routing, text, kinds, channels),
        tuple(table.answered_by(tx, tenant, nodes, since)) if routing.sticky else (),
    )


def _kinds(tx: Tx, tenant: str, nodes: list[int], conversation: str) -> frozenset[str]:
    found = told.of_nodes(tx, tenant, nodes)
    return frozenset(one.kind for one in found if one.conversation == conversation and one.state != "removed")


def _language(one: Interaction) -> str | None:
    return one.language or one.author.language

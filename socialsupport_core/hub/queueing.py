"""Which message to answer next, and of what kind it is."""

from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, ContactKind, Urgency, Verdict
from socialsupport_core.conversation import sorting, views
from socialsupport_core.guidance import Guidance
from socialsupport_core.guidance.ranking import Part, Waiter, parts, score
from socialsupport_core.guidance.triage import GRAVE
from socialsupport_core.hub.base import Base, agent_of, check_tenant, conversation_of
from socialsupport_core.mistakes import near
from socialsupport_core.store import Tx, conversations, log, micros, queue, standing
from socialsupport_core.store.queue import Asked, Waiting

ORDERS = ("oldest", "next")
CORRECTED = 20
"""Of so many messages of the contact that waits an agent's word is at most; without one that waits of the last."""


class Queueing(Base):
    def queue(
        self,
        tenant: str,
        *,
        status: str | None = "open",
        channel: str | None = None,
        assignee: str | None = None,
        waiting: bool = False,
        noise: bool | None = None,
        kind: str | None = None,
        order: str = "oldest",
        limit: int = 100,
        after: int = 0,
    ) -> list[dict[str, Any]]:
        """Conversations, whoever has waited longest first; ordered by `next`, whoever is to be answered next, with the
        score and its reasons, from the place `after` on; whoever does not wait comes last.

        `noise` True: only what is kept out of the queue, such as those who are after a coupon; False: only what is not;
        None: as False, unless `status` is None, which asks for all there is.
        """
        if order not in ORDERS:
            raise ConfigError(f"there is no order {order!r}; {near(order, ORDERS)}")
        if status not in (None, "open", "resolved"):
            raise ConfigError(f"there is no status {status!r}; there is open, resolved, or None for both")
        if kind is not None and kind not in GRAVE:
            raise ConfigError(f"there is no kind {kind!r}; {near(kind, GRAVE)}")
        shown = noise if noise is not None or status is None else False
        asked = Asked(status, channel, assignee, waiting or None, shown, kind)
        if order == "next":
            return self._next(tenant, asked, limit, after)

        def find(tx: Tx) -> list[dict[str, Any]]:
            check_tenant(tx, tenant)
            return views.summaries(tx, tenant, queue.oldest(tx, tenant, asked, limit))

        return self._database.read(find)

    def _next(self, tenant: str, asked: Asked, limit: int, after: int) -> list[dict[str, Any]]:
        now, windows = micros(self.clock()), self._windows(tenant)

        def find(tx: Tx) -> list[dict[str, Any]]:
            check_tenant(tx, tenant)
            guidance = self.channels.conducting.of(tx, tenant).guidance
            waiting = queue.waiting(tx, tenant, asked, guidance.queue.candidates)
            waiters = [(_waiter(one, windows), one.conversation) for one in waiting]
            ranked = sorted(
                waiters, key=lambda one: (-score(one[0], now, guidance.queue, guidance), one[0].since, one[1])
            )
            page = ranked[after : after + limit]
            conversations.read_conversations(tx, tenant, [name for _, name in page])
            summaries = views.summaries(tx, tenant, [conversation_of(tx, tenant, name) for _, name in page])
            shown = [
                summary | {"next": _told(waiter, now, guidance)}
                for (waiter, _), summary in zip(page, summaries, strict=True)
            ]
            if len(shown) == limit or asked.waiting:
                return shown
            place = max(0, after - len(ranked))
            rest = queue.oldest(tx, tenant, asked._replace(waiting=False), limit - len(shown), place)
            return shown + views.summaries(tx, tenant, rest)

        return self._database.read(find)

    def _windows(self, tenant: str) -> dict[str, int]:
        """By channel: for how long after the customer's last word the network takes answers."""
        live = [one for one in self.channels.all().values() if one.channel.tenant == tenant]
        return {
            one.channel.id: one.connector.capabilities.reply_window // views.MICRO
            for one in live
            if one.connector.capabilities.reply_window is not None
        }

    # triage

    def triage(
        self,
        tenant: str,
        conversation: str,
        kind: ContactKind,
        *,
        agent: str,
        urgency: Urgency | None = None,
    ) -> dict[str, Any]:
        """An agent says of what kind the conversation is, and brings it back into the queue, or takes it out.

        What waits in it, or was said last, is learnt from; whoever said it is remembered. How it stands then.
        Raises ConfigError.
        """
        at = micros(self.clock())
        verdict = _verdict(kind, urgency or ("low" if kind in {"promotion", "spam", "praise"} else "normal"), agent)

        def write(tx: Tx) -> dict[str, Any]:
            agent_of(tx, tenant, agent)
            one = conversation_of(tx, tenant, conversation)
            noise = kind in self.channels.conducting.of(tx, tenant).guidance.triage.noise
            rows = standing.inbound(tx, tenant, one.id, CORRECTED)
            since = one.waiting_since or (rows[0]["at"] if rows else 0)
            for row in (row for row in rows if row["at"] >= since):
                standing.correct(tx, tenant, row, verdict.model_dump_json(exclude_none=True), kind, agent, at)
            standing.set_wanted(tx, sorting.senders(tx, one), int(not noise))
            one = conversation_of(tx, tenant, one.id)
            stands = one.standing._replace(
                kind=kind,
                urgency=verdict.urgency,
                noise=noise,
                triage=verdict.model_dump_json(exclude_none=True),
                due_at=None,
                alert_at=None,
            )
            conversations.stand(tx, one, stands)
            data = {"kind": kind, "noise": noise, "reasons": list(verdict.reasons), "by": "agent", "agent": agent}
            log.publish(tx, tenant, "conversation.triaged", at, data, conversation=one.id)
            return views.standing(conversation_of(tx, tenant, one.id)) or {}

        return self._database.do(write, tenant)

    def triage_labels(self, tenant: str, limit: int = 10_000) -> list[dict[str, str]]:
        """What agents have put right, the newest first, as `kind` and `text`: what a model learns from."""
        found = self._database.read(lambda tx: standing.labels(tx, tenant, limit))
        return [{"kind": row["kind"], "text": views.text_of(row["data"])} for row in found]

    def learn_triage(self, tenant: str) -> dict[str, Any]:
        """Lets the plugins that learn do so; by the name of each, how good it is then. Raises ConfigError."""
        return self.triaging.learn(tenant, [(one["kind"], one["text"]) for one in self.triage_labels(tenant)])


def _verdict(kind: ContactKind, urgency: Urgency, agent: str) -> Verdict:
    try:
        return Verdict(kind=kind, urgency=urgency, reasons=(f"{kind}: {agent} says so",), by="agent")
    except ValidationError as error:
        what = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise ConfigError(what) from None


def _waiter(one: Waiting, windows: dict[str, int]) -> Waiter:
    window = windows.get(one.channel)
    return Waiter(
        since=one.since,
        due_at=one.due_at,
        channel=one.channel,
        network=one.network,
        kind=one.kind,
        urgency=one.urgency,
        followers=one.reach,
        public=one.visibility == "public",
        returned=one.answered_at is not None,
        handed=one.handed,
        closes_at=one.last_inbound + window if window is not None and one.last_inbound is not None else None,
    )


def _told(waiter: Waiter, now: int, guidance: Guidance) -> dict[str, Any]:
    found: list[Part] = parts(waiter, now, guidance.queue, guidance)
    return {
        "score": round(sum(part.points for part in found), 2),
        "parts": [{"name": one.name, "points": round(one.points, 2), "reason": one.reason} for one in found],
    }

"""The continuous conversation, and everything that happened."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from socialsupport_core import identity as people
from socialsupport_core.contract import SocialSupportError
from socialsupport_core.conversation import views
from socialsupport_core.conversation.timeline import PAGE, timeline
from socialsupport_core.guidance import Guidance
from socialsupport_core.hub.base import Base, check_tenant, conversation_of
from socialsupport_core.insight import Filters, History, Settings, report
from socialsupport_core.insight.filters import Known, check
from socialsupport_core.insight.history import read as read_history
from socialsupport_core.insight.settings import assuming
from socialsupport_core.model import Payload
from socialsupport_core.pipeline import approving, placing
from socialsupport_core.pipeline.doing import possible
from socialsupport_core.pipeline.fanouts import TROUBLE
from socialsupport_core.pipeline.fetching import HELD_UP
from socialsupport_core.store import (
    Tx,
    accounts,
    attachments,
    conversations,
    fanouts,
    identity,
    journal,
    log,
    micros,
    outbox,
    webhooks,
)
from socialsupport_core.store import health as watch
from socialsupport_core.store.interactions import Order


class CursorAhead(SocialSupportError):
    """The log has never given this cursor: the store has been restored from a backup, or is another one."""

    def __init__(self, cursor: int, newest: int) -> None:
        super().__init__(
            f"the cursor {cursor} is ahead of the log, whose newest is {newest}: the store is older than what you have"
            f" read; read what you show anew, and go on from {newest}"
        )
        self.newest = newest


class Reading(Base):
    def timeline(
        self, tenant: str, who: str, *, before: Order | None = None, limit: int = PAGE
    ) -> list[dict[str, Any]]:
        """The newest `limit` interactions of a customer id or identifier, oldest first. Raises NoSuchCustomer."""
        return self._database.read(
            lambda tx: timeline(tx, tenant, people.customer_of(tx, tenant, who).number, before=before, limit=limit)
        )

    def customer(self, tenant: str, who: str) -> dict[str, Any]:
        return self._database.read(lambda tx: views.customer(tx, tenant, people.customer_of(tx, tenant, who).number))

    def customer_id(self, tenant: str, who: str) -> str:
        """The current id of a customer id or identifier. Raises NoSuchCustomer."""
        return self._database.read(lambda tx: people.customer_of(tx, tenant, who).id)

    def find_customers(self, tenant: str, text: str, limit: int = 20) -> list[dict[str, Any]]:
        def find(tx: Tx) -> list[dict[str, Any]]:
            return [views.customer(tx, tenant, one) for one in identity.search(tx, tenant, text, limit)]

        return self._database.read(find)

    def conversation(self, tenant: str, conversation: str) -> dict[str, Any]:
        """One conversation with its legs; `speaks` tells on which of them we can say something, `reply_leg` to which
        an answer goes that names none."""
        ways = self._ways(tenant)

        def find(tx: Tx) -> dict[str, Any]:
            one = conversation_of(tx, tenant, conversation, follow=False)
            shown = views.conversation(tx, one, self.channels.conducting.of(tx, tenant))
            for leg, told in zip(conversations.legs(tx, tenant, one.id), shown["legs"], strict=True):
                told["speaks"] = ways.speaks(leg)
            answered = placing.answered(tx, one, ways) if shown["legs"] else None
            held = approving.on_legs(tx, tenant, {leg["id"] for leg in shown["legs"]}, micros(self.clock()))
            return shown | ({"reply_leg": answered.id} if answered else {}) | ({"approvals": held} if held else {})

        found = self._database.read(find)
        self._tell_verbs(tenant, [*found["entries"], *found["timeline"]])
        return found

    def conversation_id(self, tenant: str, conversation: str) -> str:
        """Its id, or that of the one into which it was merged. Raises NoSuchConversation."""
        return self._database.read(lambda tx: conversation_of(tx, tenant, conversation).id)

    def _tell_verbs(self, tenant: str, entries: list[dict[str, Any]]) -> None:
        """Of each entry what can be done to it: `edit`, `delete`, `react`."""
        live = {one.channel.id: one.connector for one in self.channels.all().values() if one.channel.tenant == tenant}
        for entry in entries:
            connector = live.get(entry.get("channel", ""))
            if connector is not None and (can := possible(connector, entry)):
                entry["can"] = can

    def payloads(self, door: str) -> list[Payload]:
        """Everything that came in at a door and is still kept, in order."""
        return self._database.read(lambda tx: journal.of_door(tx, door))

    def explain(self, tenant: str, who: str) -> dict[str, Any]:
        """Why these identifiers are one customer."""
        return self._database.read(lambda tx: people.explain(tx, tenant, who))

    def events(self, tenant: str, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
        """Everything that happened since the cursor, in order. Raises CursorAhead."""

        def read(tx: Tx) -> list[log.Record]:
            check_tenant(tx, tenant)
            if after and log.is_ahead(tx, after):
                raise CursorAhead(after, log.newest(tx, tenant))
            return log.after(tx, tenant, after, limit)

        return [one.as_json() for one in self._database.read(read)]

    def thread_events(
        self, tenant: str, channel: str, thread: str, after: int, types: Collection[str]
    ) -> list[log.Record]:
        """What was recorded of these types in one thread since the cursor, at most 200."""
        return self._database.read(lambda tx: log.of_thread(tx, tenant, channel, thread, after, types))

    def report(
        self,
        tenant: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        settings: Settings | None = None,
        channel: str | None = None,
        network: str | None = None,
        visibility: str | None = None,
        agent: str | None = None,
    ) -> dict[str, Any]:
        """How fast, how many, how well, what it cost, and where and why it broke down: of the matters that began
        `since` then (the beginning), as they stood at `until` (now). What `settings` do not say about targets and
        hours is as in the tenant's guidance. With `channel`, `network`, `visibility` or `agent` only of matters with a
        leg that meets all of them, each matter whole. See the page on measures. Raises ConfigError."""
        seen = micros(until or self.clock())

        def look(tx: Tx) -> tuple[History, Guidance, Known]:
            conduct = self.channels.conducting.of(tx, tenant)
            channels, agents = accounts.channels(tx, tenant), accounts.agents(tx, tenant)
            known = Known({one.id for one in channels}, {one.connector for one in channels}, {one.id for one in agents})
            return read_history(tx, tenant, conduct, seen), conduct.guidance, known

        filters = Filters(channel, network, visibility, agent)
        history, guidance, known = self._database.read(look)
        check(filters, history, known)
        start = None if since is None else micros(since)
        return report(history, assuming(settings or Settings(), guidance), start, filters)

    def cursor(self, tenant: str | None = None) -> int:
        """The newest cursor."""
        return self._database.read(lambda tx: log.newest(tx, tenant))

    def health(self, *, audited: bool = False) -> dict[str, Any]:
        """Is all accounted for? `unexplained` is 0, or something is very wrong, and the status is `failing`, as it is
        while nothing can be written. It is `degraded` while a channel, a webhook or a broker is not well: more
        processes would not help there.

        The journal's numbers are counted along with each commit. `audited` counts the entries themselves and compares:
        about a second for a million of them. It also tries whether something can be written.
        """

        def look(tx: Tx) -> dict[str, Any]:
            found = accounts.channels(tx)
            troubled = [(one.tenant, one.id, one.reason) for one in found if one.state not in {"active", "paused"}]
            troubled += [(one.tenant, f"webhook {one.id}", one.reason) for one in webhooks.dead(tx)]
            troubled += [(one.tenant, f"fan-out {one.fanout}", one.reason) for one in fanouts.failing(tx, TROUBLE)]
            for tenant, reason, count in attachments.held_up(tx, HELD_UP):
                troubled.append((tenant, f"{count} attachment{'s' * (count != 1)} cannot be kept", reason))
            return {
                "journal": journal.audited(tx) if audited else journal.counts(tx),
                "refused": journal.refused(tx),
                "outbox": outbox.counts(tx),
                "channels": dict(sorted(Counter(one.state for one in found).items())),
                "failing": [f"{tenant}/{name}: {reason}" for tenant, name, reason in troubled],
            }

        found = self._database.read(look)
        found["broken"] = [f"{b.plugin}: {b.reason}" for b in self.registry.broken]
        if self.running:  # else the key may be none, as for `doctor`
            self.channels.all()
            broken = self.channels.broken.items()
            found["failing"] += [f"{tenant}/{name} is broken here: {reason}" for (tenant, name), reason in broken]
            self.crms.by_door()
            unread = self.crms.broken.values()
            found["failing"] += [f"{one.tenant}/crm {one.id} is broken here: {reason}" for one, reason in unread]
        unwritable = self._database.unwritable(tried=audited)
        if unwritable:
            found["failing"].insert(0, unwritable)
        is_failing = unwritable or found["journal"]["unexplained"]
        status = "failing" if is_failing else "degraded" if found["failing"] else "ok"
        return {"status": status, **found}

    def metrics(self) -> "list[Sample]":
        """The same in numbers, for a monitoring system. Those with a tenant or a credential are for operators only."""
        found, now = self.health(), micros(self.clock())

        def look(tx: Tx) -> tuple[int | None, int | None, list[accounts.Channel], list[tuple[str, str, bool]]]:
            return journal.oldest_waiting(tx), outbox.next_due(tx), accounts.channels(tx), watch.breakers(tx)

        waiting, due, channels, breakers = self._database.read(look)
        samples = [Sample("journal", count, {"state": state}) for state, count in found["journal"].items()]
        samples += [Sample("outbox", count, {"state": state}) for state, count in found["outbox"].items()]
        samples += [Sample("channels", count, {"state": state}) for state, count in found["channels"].items()]
        samples += [
            Sample("refused_total", found["refused"], {}),
            Sample("oldest_waiting_seconds", _seconds(waiting, now), {}),
            Sample("oldest_due_seconds", _seconds(due, now), {}),
            Sample("working", int(self.running), {}),
            Sample("unwell", len(found["failing"]), {}),
        ]
        named = [{"tenant": one.tenant, "channel": one.id, "state": one.state} for one in channels]
        samples += [Sample("channel_state", 1, labels) for labels in named]
        return samples + [
            Sample("breaker_open", int(is_open), {"credential": credential, "host": host})
            for credential, host, is_open in breakers
        ]

    def attachment(self, tenant: str, attachment: str) -> tuple[attachments.Kept, bytes]:
        """A stored attachment and its content. Raises KeyError."""
        seq, _, position = attachment.partition(".")
        if not (f"{seq}{position}".isascii() and seq.isdigit() and position.isdigit() and len(attachment) < 19):
            raise KeyError(attachment)
        kept = self._database.read(lambda tx: attachments.one(tx, tenant, int(seq), int(position)))
        if kept is None or kept.blob is None:
            raise KeyError(attachment)
        return kept, self.blobs.get(kept.blob)


class Sample(NamedTuple):
    """One number of a monitoring system."""

    name: str
    value: float
    labels: dict[str, str]


def _seconds(since: int | None, now: int) -> float:
    return max(0, now - since) / 1_000_000 if since is not None else 0

"""Erasing a person, and how long things are kept."""

from datetime import timedelta
from typing import Any

from socialsupport_core import identity as people
from socialsupport_core.contract import ConfigError
from socialsupport_core.hub.base import Base, agent_of, check_tenant
from socialsupport_core.pipeline import erasing, keeping
from socialsupport_core.store import Row, Tx, accounts, erasures, identity, journal, micros, moment, retention
from socialsupport_core.store.erasures import Erasure

NETWORK = "network"
"""Who decided, where a channel's operator has said that its network may."""
_DAY = timedelta(days=1) // timedelta(microseconds=1)
_LONGEST = 36_500  # days
ALWAYS_LEFT = (
    "copies of the store that were made before: backups, snapshots, exports",
    "what other people wrote, though it may speak of this person",
    "what the networks, CRMs and subscribers keep; subscribers were told customer.changed with the cause erased",
)


class Erasing(Base):
    def erase(self, tenant: str, who: str, *, agent: str, compact: bool = True) -> dict[str, Any]:
        """Erases a customer for good. What was removed where, and what may still hold something.

        All rows go in one commit; files and the store's own free pages after it. If that is cut off, erasing the same
        customer again finishes it, and so does a running hub. `compact=False` leaves the store's pages to the latter,
        which then cleans them once for many. Raises NoSuchCustomer, ConfigError.
        """
        at, erasure = micros(self.clock()), self._id("era")

        def begin(tx: Tx) -> Erasure:
            if agent != NETWORK:
                agent_of(tx, tenant, agent)
            if earlier := erasing.earlier(tx, tenant, who):
                return earlier
            return erasing.begin(tx, tenant, people.customer_of(tx, tenant, who), erasure, agent, at)

        return self._finish(self._database.do(begin, tenant), compact=compact)

    def _finish(self, one: Erasure, *, compact: bool) -> dict[str, Any]:
        keeping.remove_files(self._database, self.blobs, one)
        cleaned: dict[str, Any] = one.cleaned or {"left": []}
        if one.state != "done" and compact:
            cleaned = keeping.told(keeping.clean(self._database, [one]))
        elif one.state != "done":
            cleaned = {"left": ["the store's own files, until a running hub has cleaned them"]}
        left, store = cleaned["left"], {name: cleaned[name] for name in ("store",) if name in cleaned}
        self.bell.ring()
        shown = self._shown_erasure(one.tenant, one.id)
        if any(asked["state"] == "queued" for asked in shown["crm"]):
            left = [*left, "the names of contacts in CRMs, until a running hub has had them erased there"]
        return shown | {
            "left": [*left, *self._unread(one.tenant), *ALWAYS_LEFT],
            **store,
        }

    def _unread(self, tenant: str) -> list[str]:
        """Nobody knows what is in them."""
        found = self._database.read(lambda tx: journal.by_state(tx, "quarantined", 1000, tenant))
        count = sum(bool(one.payload.body) for one in found)
        return [f"{count} payloads in quarantine that do not name this person, but cannot be read"] if count else []

    def erasures(self, tenant: str, limit: int = 100) -> list[dict[str, Any]]:
        """What was erased, the newest first."""
        found = self._database.read(lambda tx: erasures.of_tenant(tx, tenant, limit))
        return [self._shown_erasure(tenant, one.id) for one in found]

    def erasure_requests(self, tenant: str) -> list[dict[str, Any]]:
        """Demands of networks that wait for an agent: to `erase` the customer, or to `dismiss_erasure`."""

        def find(tx: Tx) -> list[dict[str, Any]]:
            rows = erasures.requests(tx, tenant, "waiting", "accepted")
            known = identity.by_numbers(tx, {row["node"] for row in rows})
            return [
                {
                    "id": row["request"],
                    "customer": identity.by_numbers(tx, [known[row["node"]].customer])[known[row["node"]].customer].id,
                    "channel": row["channel"],
                    "at": _time(row["at"]),
                    "state": row["state"],
                }
                for row in rows
                if row["node"] in known
            ]

        return self._database.read(find)

    def dismiss_erasure(self, tenant: str, request: str, *, agent: str) -> None:
        """An agent decides that there is nothing to erase. Raises KeyError if no such demand waits."""
        at = micros(self.clock())

        def dismiss(tx: Tx) -> bool:
            agent_of(tx, tenant, agent)
            accounts.audit(tx, tenant, agent, at, "dismiss erasure", request)
            return erasures.set_request(tx, tenant, request, "dismissed")

        if not self._database.do(dismiss, tenant):
            raise KeyError(f"no demand {request[:80]!r} waits")

    def erase_on_request(self, tenant: str, channel: str, *, allowed: bool) -> None:
        """Whether the network's demands on this channel are carried out without an agent. They are not, by default."""

        def write(tx: Tx) -> None:
            if channel not in {one.id for one in accounts.channels(tx, tenant)}:
                raise ConfigError(f"{tenant} has no channel {channel!r}; add it first")
            erasures.allow(tx, tenant, channel, allowed=allowed)

        self._database.do(write)

    def set_retention(self, tenant: str, *, payloads: int | None = None, interactions: int | None = None) -> None:
        """For how many days raw payloads and interactions are kept; None is for ever."""
        for name, days in (("payloads", payloads), ("interactions", interactions)):
            if days is not None and not 1 <= days <= _LONGEST:
                raise ConfigError(f"{name} are kept for 1 to {_LONGEST:,} days, or for ever")

        def write(tx: Tx) -> None:
            check_tenant(tx, tenant)
            retention.put(tx, retention.Retention(tenant, _span(payloads), _span(interactions)))

        self._database.do(write)

    def retention(self, tenant: str) -> dict[str, int | None]:
        """In days; None is for ever."""
        found = self._database.read(lambda tx: retention.get(tx, tenant))
        spans = {"payloads": found.payloads, "interactions": found.interactions}
        return {name: span // _DAY if span is not None else None for name, span in spans.items()}

    def retention_due(self) -> dict[str, int]:
        """What has had its time and is still there, erasures that are not finished, and demands that wait."""
        now = micros(self.clock())

        def count(tx: Tx) -> dict[str, int]:
            waiting = len(erasures.requests(tx, None, "waiting", "accepted", limit=1000))
            return {"erasures": erasures.count_unfinished(tx), "erasure_requests": waiting}

        return keeping.due(self._database, now) | self._database.read(count)

    def _shown_erasure(self, tenant: str, erasure: str) -> dict[str, Any]:
        def find(tx: Tx) -> dict[str, Any]:
            one = erasures.get(tx, tenant, erasure)
            assert one is not None
            crms = [_at_crm(asked) for asked in erasures.at_crms(tx, tenant, erasure)]
            return {
                "id": one.id,
                "customer": one.customer,
                "agent": one.agent,
                "at": _time(one.at),
                "state": one.state,
                "removed": one.removed,
                "files": {"removed": one.blob_count, "bytes": one.blob_bytes, "shared": one.shared},
                "crm": crms,
            }

        return self._database.read(find)

    def _erase_on_request(self, row: Row) -> None:
        """What the network demanded, where the channel's operator has allowed it."""
        known = self._database.read(lambda tx: identity.by_numbers(tx, [row["node"]]))
        if known:
            self.erase(row["tenant"], known[row["node"]].id, agent=NETWORK, compact=False)
        self._database.do(lambda tx: erasures.set_request(tx, row["tenant"], row["request"], "done"))


def _at_crm(one: erasures.CRMErasure) -> dict[str, Any]:
    shown = {"crm": one.crm, "state": one.state, "reason": one.reason, "attempts": one.attempts}
    named = {"contact" if one.what == "contact" else "case": one.contact} if one.state != "done" else {}
    return {name: value for name, value in (shown | named).items() if value is not None}


def _span(days: int | None) -> int | None:
    return days * _DAY if days is not None else None


def _time(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")

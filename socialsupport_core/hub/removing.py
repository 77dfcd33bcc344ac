"""A tenant that leaves: everything of it goes, with an account of what went and what may be left."""

from typing import Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub.base import Base
from socialsupport_core.pipeline import keeping
from socialsupport_core.pipeline.files import drop
from socialsupport_core.store import Tx, micros, moment, tenancy
from socialsupport_core.store.tenancy import Removed

_ALWAYS_LEFT = (
    "copies of the store that were made before: backups, snapshots, exports",
    "what the networks, CRMs, brokers and subscribers keep; they are told nothing, and a network may go on calling the"
    " doors, which are closed",
)


class Removing(Base):
    def remove_tenant(self, tenant: str) -> dict[str, Any]:
        """Erases everything of a tenant for good: people, messages, files, channels and their credentials, the log, the
        audit. What was removed where, and what may still hold something; nothing of it is kept in the store.

        All rows go in one commit; files and the store's own free pages after it. What another process has taken in
        meanwhile goes when it is done again. Raises ConfigError if nothing is known of such a tenant.
        """

        def remove(tx: Tx) -> Removed:
            if not tenancy.is_known(tx, tenant):
                raise ConfigError(f"there is no tenant {tenant[:80]!r}, and nothing is left of one")
            return tenancy.remove(tx, self._secrets, tenant)

        at = micros(self.clock())
        removed = self._database.do(remove)
        self.channels.forget()
        self.crms.forget()
        self.bell.ring()
        files = [drop(self._database, self.blobs, blob) for blob in sorted(removed.blobs)]
        gone = [size for size in files if size is not None]
        cleaned = keeping.told(self._database.compact(sorted(removed.rows)))
        return {
            "tenant": tenant,
            "at": moment(at).isoformat().replace("+00:00", "Z"),
            "removed": removed.rows,
            "files": {"removed": len(gone), "bytes": sum(gone), "shared": len(files) - len(gone)},
            "store": cleaned["store"],
            "left": [*cleaned["left"], *_left(removed), *_ALWAYS_LEFT],
        }


def _left(removed: Removed) -> list[str]:
    left = []
    if removed.unread:
        left.append(
            f"{removed.unread} payloads from which nothing was recorded, at doors of apps that serve other tenants too:"
            " they may be anybody's"
        )
    if removed.queued:
        left.append(f"{removed.queued} contacts or cases that CRMs had yet to be asked to erase: do it there")
    left += [f"the app {app} and its credentials, which serve no channel any more" for app in removed.idle]
    return left

"""How each tenant wants conversations to be conducted, read once and again after each change."""

import threading

from socialsupport_core.conversation.conduct import Conduct, conduct_of
from socialsupport_core.store import Tx, conduct


class Conducting:
    """Thread-safe. Costs no statement for a tenant that was asked for before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Conduct] = {}
        self._turn = 0
        """What was read before something changed is not kept after it."""

    def of(self, tx: Tx, tenant: str) -> Conduct:
        found = self._known.get(tenant)
        if found is None:
            turn = self._turn
            found = conduct_of(conduct.get(tx, tenant))
            with self._lock:
                if turn == self._turn:
                    self._known[tenant] = found
        return found

    def forget(self) -> None:
        """Something has been configured, here or by another process."""
        with self._lock:
            self._known, self._turn = {}, self._turn + 1

"""What a CRM marks as proven."""

from collections.abc import Collection
from typing import ClassVar

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.proofs.base import Proof, Proven
from socialsupport_core.model import Identifier


class CrmRecord(Proof):
    """A contact of the CRM has this account among its values, perhaps marked as proven.

    Proves what the CRM's own staff or sign-up has proven, no more: *verified* for exactly the value that is marked,
    *asserted* for every other. Against a contact found by name, and a mark on one value that is taken for another.
    """

    name: ClassVar[str] = "crm_record"

    def judge(
        self, account: Identifier, record: Identifier, marked: Collection[Identifier], *, source: str, at: int
    ) -> Proven:
        is_marked = canonical(account) in {canonical(one) for one in marked}
        return Proven(self.name, account, (record,), "verified" if is_marked else "asserted", source, at)

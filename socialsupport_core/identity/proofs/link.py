"""The hand-off link."""

import base64
from collections.abc import Callable
from typing import ClassVar

from socialsupport_core.identity.proofs.base import Outcome, Proof, Proven
from socialsupport_core.model import Identifier
from socialsupport_core.model.event import Tier
from socialsupport_core.store.conversations import ThreadOf
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node


class HandoffLink(Proof):
    """A link of 128 random bits, given to one account, good once and for a week.

    Proves that whoever comes with it was given it, by us or by somebody who had it: it can be forwarded. So what it is
    worth depends on where it was shown and on who comes:

    * shown in public: anybody may have read it. It suggests (*claimed*), and is spent only by whoever proves himself;
    * brought by a mail or a call whose author anybody can forge: it suggests;
    * given in private: *asserted*. The conversation goes on; nothing is disclosed until a code is typed too;
    * given in private *for* an account that had asked from the other end, and brought by exactly that one: *verified*,
      for then both ends have acted.

    Against guessing (2^128), replay (once, in one statement of the store), another tenant, another channel or
    account than it was given for, and time (a week, by our clock). Found by its digest, so no comparison of secrets
    takes longer or shorter. Not against somebody who talks a customer into forwarding it: hence the code.
    """

    name: ClassVar[str] = "handoff_token"

    @staticmethod
    def make(random: Callable[[int], bytes]) -> str:
        """26 characters that survive an e-mail address: `[a-z2-7]{26}`."""
        return base64.b32encode(random(16)).decode().rstrip("=").lower()

    def judge(
        self,
        given: Handoff | None,
        tenant: str,
        owner: Identifier | None,
        bearer: Node,
        where: ThreadOf,
        *,
        source: str,
        at: int,
        is_authentic: bool,
    ) -> Outcome:
        """`owner` is the account to which it was given."""
        reason = self._objection(given, tenant, bearer, where, at)
        if reason or given is None or owner is None:
            return self.refused(reason or "the token is unknown")
        tier = self._tier(given, bearer, is_authentic)
        return Proven(self.name, bearer.identifier, (owner,), tier, source, at, given.agent)

    def _objection(self, given: Handoff | None, tenant: str, bearer: Node, where: ThreadOf, at: int) -> str | None:
        if given is None or given.tenant != tenant:
            return "the token is unknown"
        if given.node == bearer.number and given.channel == where.channel and not _goes_private(given, where):
            return "the account to which it was given has shown it again"
        if given.state == "withdrawn":
            return "the hand-off was withdrawn"
        if given.redeemed_by == bearer.number:
            return "the token was used before"
        if given.is_spent:
            return "the token was used already"
        return next((reason for wrong, reason in _wrongs(given, bearer, where, at) if wrong), None)

    def _tier(self, given: Handoff, bearer: Node, is_authentic: bool) -> Tier:
        if given.node == bearer.number:
            return "verified"  # the same account, elsewhere: there is nothing to join
        if given.visibility != "private" or not is_authentic:
            return "claimed"
        return "verified" if given.recipient == bearer.number else "asserted"


def _wrongs(given: Handoff, bearer: Node, where: ThreadOf, at: int) -> tuple[tuple[bool, str], ...]:
    return (
        (at > given.expires_at, "the token has expired"),
        (given.recipient not in (None, bearer.number), "the token was given for another account"),
        (given.target not in (None, where.channel), f"the token was given for {given.target}"),
        (where.visibility == "public", "the token was shown in public by its bearer"),
    )


def _goes_private(given: Handoff, where: ThreadOf) -> bool:
    return given.visibility == "public" and where.visibility == "private"

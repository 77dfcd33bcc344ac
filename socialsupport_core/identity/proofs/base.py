"""What every proof comes to: evidence, or a refusal with its reason. A refusal is told, never swallowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.identity.people import attest
from socialsupport_core.model import Identifier, Interaction
from socialsupport_core.model.event import Tier
from socialsupport_core.store import Tx, log, proofs
from socialsupport_core.store.identity import Node


class ProofRefused(SocialSupportError, ValueError):
    """The proof does not hold; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Evidence as strong as what was shown. Without `claims` it shows control of `subject` and joins nothing."""

    proof: str
    subject: Identifier
    claims: tuple[Identifier, ...]
    tier: Tier
    source: str
    at: int
    agent: str | None = None

    def establish(self, tx: Tx, tenant: str) -> None:
        attest(
            tx,
            tenant,
            self.subject,
            self.claims,
            tier=self.tier,
            proof=self.proof,
            source=self.source,
            at=self.at,
            agent=self.agent,
        )


@dataclass(frozen=True, slots=True)
class Refused:
    proof: str
    reason: str

    def publish(
        self,
        tx: Tx,
        tenant: str,
        account: Identifier,
        at: int,
        *,
        channel: str | None = None,
        thread: str | None = None,
        conversation: str | None = None,
        **more: Any,
    ) -> None:
        """Recorded for good: agents see it among the conversation's turns, subscribers as an event."""
        data = {"proof": self.proof, "account": str(account), "reason": self.reason, **more}
        kind = "handoff.refused" if self.proof == "handoff_token" else "proof.refused"
        log.publish(tx, tenant, kind, at, data, channel=channel, thread=thread, conversation=conversation)


Outcome = Proven | Refused


class Proof:
    """One way to show that two accounts are one person's. The docstring says what it proves, and against whom."""

    name: ClassVar[str]
    """As evidence names it."""

    def refused(self, reason: str) -> Refused:
        return Refused(self.name, reason)


FORGEABLE: Mapping[str, str] = {
    "email": "anybody can write that From (RFC 5321 7.1)",
    "phone": "a caller's number and an SMS's sender can be set by whoever calls",
}
"""Kinds of accounts in whose name a stranger may write, and why. What comes from them proves nothing by itself, unless
the same payload shows that they hold the account; what is sent *to* them only they read."""


DOUBTS: Mapping[str, str] = {
    "email": "no aligned DMARC result came with it, and anybody can write that From",
}
"""Of kinds of accounts whose messages are marked: what is said where nothing shows who has written one."""
TYPED = "somebody has typed this address into a form, and nothing shows that it is theirs"


def doubt(tx: Tx, tenant: str, author: Node, said: Interaction, entry: int | None) -> str | None:
    """Why this message may be somebody else's; None if it need not be asked, or its author is certain."""
    reason = DOUBTS.get(author.identifier.kind)
    if reason is None or said.direction != "inbound":
        return said.doubt
    if entry is not None and proofs.controlled_in(tx, tenant, author.number, entry):
        return None
    return said.doubt or (TYPED if said.kind == "form" else reason)


def is_authentic(tx: Tx, tenant: str, author: Node, entry: int | None) -> bool:
    """Whether the author of what this journal entry holds is certainly who it says."""
    if author.identifier.kind.partition(".")[0] not in FORGEABLE:
        return True
    return entry is not None and proofs.controlled_in(tx, tenant, author.number, entry)

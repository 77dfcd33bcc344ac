"""Proofs that connectors bring along as `identity.claimed`: what each is believed for, and what never."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.proofs.base import Outcome, Proof, Proven
from socialsupport_core.model import Identifier, IdentityClaimed


@dataclass(frozen=True, slots=True)
class Bringing:
    """An event, and the network of the channel through which it came."""

    event: IdentityClaimed
    network: str
    at: int
    is_signed: bool = True
    """The network is known to have sent it."""

    def proven(self, name: str) -> Proven:
        one = self.event
        return Proven(name, one.subject, one.claims, one.tier, one.id, self.at)


class Brought(Proof):
    """Any other reason that a connector gives: believed as strongly as the connector says, for the operator has
    installed it."""

    def judge(self, bringing: Bringing) -> Outcome:
        return bringing.proven(bringing.event.proof)


class SignedIdentity(Brought):
    """Who is logged in on the host's own page, signed by the host's server for the web chat.

    Proves that a page which our customer's session could load was opened by this visitor: the signature covers user,
    address, number and end (a day at most) character for character. Against claiming an address in the chat's form,
    taking one signature for another contact, and time. Not against somebody who reads the page of another: it works
    for whoever holds it until it ends, so the host's page must not be cached or shared.
    """

    name: ClassVar[str] = "signed_identity"

    def judge(self, bringing: Bringing) -> Outcome:
        if not _is_of(bringing.event.subject, bringing.network):
            return self.refused(f"{bringing.network} cannot speak for {bringing.event.subject.kind}")
        return bringing.proven(self.name)


class DmarcAligned(Brought):
    """A mail whose From domain our own mail server has found to be aligned (RFC 7489), as its Authentication-Results
    header says (RFC 8601) under the name that the channel's settings trust.

    Proves that the author's domain let this mail out, so that its author holds the mailbox if the domain guards its
    own. It says nothing of any other account, so it joins nothing by itself: it makes what the mail brings (a
    link, a code) count. Against a forged From, a header that the sender wrote, and one of another server. Not against a
    domain whose users may write in each other's name.
    """

    name: ClassVar[str] = "dmarc"

    def judge(self, bringing: Bringing) -> Outcome:
        subject = canonical(bringing.event.subject)
        if subject.kind != "email" or any(canonical(one) != subject for one in bringing.event.claims):
            return self.refused("DMARC speaks of the author's own address and of nothing else")
        return Proven(self.name, subject, (), "verified", bringing.event.id, bringing.at)


class ProviderMigration(Brought):
    """The network itself says that an account goes on under another identifier: a number changed, an id replaced.

    Proves that the two are one account before and after; what the old identifier does later is somebody else's, for
    numbers are given anew. Against a customer who says so in a text (only the connector's own event counts, from a
    payload that the network has signed) and a connector that moves accounts of another network or kind.
    """

    name: ClassVar[str] = "migration"

    def judge(self, bringing: Bringing) -> Outcome:
        event = bringing.event
        if event.tier != "verified" or not event.claims:
            return self.refused("a migration names the old identifier and is the network's own word, or it is none")
        if not bringing.is_signed:
            return self.refused("anybody could have sent this: the channel does not verify what comes in")
        if any(not _moves(event.subject, old) for old in event.claims):
            return self.refused("an account moves to an identifier of the same kind and issuer, and to another one")
        return bringing.proven(self.name)


_MIGRATION = ProviderMigration()
BROUGHT: Mapping[str, Brought] = {
    "signed_identity": SignedIdentity(),
    "dmarc": DmarcAligned(),
    "migration": _MIGRATION,
    "provider_migration": _MIGRATION,
}
"""By what the event says in `proof`."""


def judge(bringing: Bringing) -> Outcome:
    return BROUGHT.get(bringing.event.proof, Brought()).judge(bringing)


def _is_of(account: Identifier, network: str) -> bool:
    return account.kind.partition(".")[0] == network


def _moves(new: Identifier, old: Identifier) -> bool:
    return (new.kind, new.scope) == (old.kind, old.scope) and canonical(new) != canonical(old)

"""Asking for a proof, and taking one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.continuity import reunite
from socialsupport_core.conversation.views import present, time
from socialsupport_core.hub.base import Base, agent_of, check_tenant, conversation_of
from socialsupport_core.identity import customer_of
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.proofs import TRIES, OidcSignIn, Outcome, ProofRefused, Refused, code_for, oidc
from socialsupport_core.model import Identifier
from socialsupport_core.pipeline import asking, proving
from socialsupport_core.store import Tx, conversations, identity, micros, proofs
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.identity import Node
from socialsupport_core.store.proofs import Challenge


class Proving(Base):
    def challenge(self, tenant: str, conversation: str, told: str, expected: str, *, agent: str) -> dict[str, Any]:
        """A one-time code to be told to the account `told`, and to be said by the account `expected`.

        Ten minutes, five tries. The code is in the answer and nowhere else: tell it in the first channel, and ask for
        it in the other. A message with it redeems it; `hear_code` does so for what is said by telephone. Raises
        ProofRefused.
        """
        at, id = micros(self.clock()), self._id("chl")

        def write(tx: Tx) -> tuple[Challenge, str]:
            agent_of(tx, tenant, agent)
            found = conversation_of(tx, tenant, conversation)
            ends = account_of(tx, tenant, told), account_of(tx, tenant, expected)
            return proving.begin(tx, found, *ends, id=id, agent=agent, at=at, random=self._random)

        one, code = self._database.do(write, tenant)
        return self._database.read(lambda tx: _shown(tx, one, micros(self.clock()))) | {"code": code}

    def ask_for_code(self, tenant: str, conversation: str, told: str, expected: str, *, agent: str) -> dict[str, Any]:
        """The same, told by us: in the newest private thread of `told`, or first to its mailbox or number, and asked
        for where `expected` writes. The answer holds no code. `code_ends` says which accounts will do.

        Raises ProofRefused, ReplyRefused.
        """
        id, new, way = self._id("chl"), self._new_conversation_id(), self._ways(tenant)

        def write(tx: Tx) -> Challenge:
            speaker = agent_of(tx, tenant, agent)
            found = conversation_of(tx, tenant, conversation)
            there, here = account_of(tx, tenant, told), account_of(tx, tenant, expected)
            return asking.by_agent(tx, self.desk, found, there, here, speaker, way, id, new)

        one = self._database.do(write, tenant)
        return self._database.read(lambda tx: _shown(tx, one, micros(self.clock())))

    def code_ends(self, tenant: str, conversation: str) -> list[dict[str, Any]]:
        """The customer's accounts, and those that may be theirs: where each is told a code, and where it says one."""
        way = self._ways(tenant)

        def read(tx: Tx) -> list[dict[str, Any]]:
            found = conversation_of(tx, tenant, conversation)
            return [_end(one) for one in asking.ends(tx, self.desk, found, way)]

        return self._database.read(read)

    def challenges(self, tenant: str, conversation: str) -> list[dict[str, Any]]:
        """The codes that were asked for in this conversation and how each stands, the newest first."""
        now = micros(self.clock())

        def read(tx: Tx) -> list[dict[str, Any]]:
            found: Conversation = conversation_of(tx, tenant, conversation)
            began = {found.id, *(leg.began for leg in conversations.legs(tx, tenant, found.id))}
            asked = [one for id in sorted(began) for one in proofs.of_conversation(tx, tenant, id)]
            return [_shown(tx, one, now) for one in sorted(asked, key=lambda one: -one.created_at)]

        return self._database.read(read)

    def hear_code(self, tenant: str, challenge: str, code: str, *, agent: str) -> dict[str, Any]:
        """What the customer has said by telephone, typed by the agent who heard it. A wrong code counts as a try.

        Raises ProofRefused.
        """
        at = micros(self.clock())

        def write(tx: Tx) -> str | None:
            agent_of(tx, tenant, agent)
            one = proofs.get(tx, tenant, challenge)
            if one is None or one.state != "open":
                raise ProofRefused(f"no code is waited for under {challenge!r}; ask for a new one")
            nodes = identity.by_numbers(tx, [one.told, one.node])
            told, author = nodes[one.told], nodes[one.node]
            outcome = code_for(told).hear(
                tx, one, told, author, code, source=f"{challenge}:{agent}", at=at, is_authentic=True
            )
            if outcome is None:
                raise ProofRefused("a code has six digits; type them as the customer said them")
            proving.settle(tx, one, outcome, author, at)
            reunite(tx, tenant, [one.told, one.node], self.channels.conducting.of(tx, tenant))
            return outcome.reason if isinstance(outcome, Refused) else None

        reason = self._database.do(write, tenant)
        if reason is not None:
            raise ProofRefused(reason)
        found = self._database.read(lambda tx: proofs.get(tx, tenant, challenge))
        assert found is not None
        return self._database.read(lambda tx: _shown(tx, found, at))

    # signing in

    def trust_issuer(
        self,
        tenant: str,
        issuer: str,
        audience: str,
        keys: Mapping[str, Any] | None = None,
        *,
        algorithms: Sequence[str] = ("RS256",),
        at_once: bool = True,
    ) -> None:
        """Believes ID tokens (OpenID Connect) of this issuer for this audience, the portal's client id.

        Its public keys are read where it publishes them (`/.well-known/openid-configuration`), now, or at the first
        sign-in if not `at_once`; again when it signs with another, and every day. Or `keys` are these, as its
        `jwks_uri` answers; give them again when they change. Raises ConfigError.
        """
        one = oidc.trusted(tenant, issuer, audience, keys, algorithms)
        known = self._database.read(lambda tx: proofs.issuer(tx, tenant, issuer))
        if keys is None and at_once:
            one = self.issuer_keys.found(one)
        elif keys is None and known is not None and known.fetched_at is not None:
            one = replace(one, keys=known.keys, fetched_at=known.fetched_at)

        def write(tx: Tx) -> None:
            check_tenant(tx, tenant)
            proofs.put_issuer(tx, one)

        self._database.do(write, tenant)

    def issuers(self, tenant: str) -> list[dict[str, Any]]:
        """Whose ID tokens are believed."""
        found = self._database.read(lambda tx: proofs.issuers(tx, tenant))
        return [{"issuer": one.issuer, "audience": one.audience, "algorithms": list(one.algorithms)} for one in found]

    def distrust_issuer(self, tenant: str, issuer: str) -> None:
        """Raises ConfigError if it was not trusted."""
        if not self._database.do(lambda tx: proofs.remove_issuer(tx, tenant, issuer), tenant):
            raise ConfigError(f"{issuer[:80]!r} is not trusted; the list of issuers says who is")

    def ask_sign_in(self, tenant: str, account: str) -> dict[str, Any]:
        """A nonce with which the portal signs in whoever is at this account, such as a visitor of the web chat.

        For ten minutes and one sign-in. Raises ProofRefused.
        """
        at = micros(self.clock())

        def write(tx: Tx) -> tuple[str, int]:
            return SIGN_IN.ask(tx, tenant, account_of(tx, tenant, account), self._random, at)

        nonce, expires_at = self._database.do(write, tenant)
        return {"nonce": nonce, "expires_at": time(expires_at)}

    def signed_in(self, tenant: str, account: str, id_token: str) -> dict[str, Any]:
        """The portal's ID token for the nonce that was given for this account: verified evidence of who it is.

        The customer, and what was joined to the account. Raises ProofRefused, and the refusal is recorded.
        """
        self.issuer_keys.freshen(tenant, id_token)
        at = micros(self.clock())

        def write(tx: Tx) -> tuple[Outcome, str]:
            node = account_of(tx, tenant, account)
            outcome = SIGN_IN.judge(tx, tenant, node, id_token, proofs.issuers(tx, tenant), at)
            if isinstance(outcome, Refused):
                newest = next(iter(conversations.of_customer(tx, tenant, node.customer)), None)
                told = newest.id if newest else None
                outcome.publish(tx, tenant, node.identifier, at, conversation=told)
                return outcome, ""
            outcome.establish(tx, tenant)
            reunite(tx, tenant, [node.number], self.channels.conducting.of(tx, tenant))
            return outcome, customer_of(tx, tenant, str(node.identifier)).id

        outcome, customer = self._database.do(write, tenant)
        if isinstance(outcome, Refused):
            raise ProofRefused(outcome.reason)
        return {"customer": customer, "proof": outcome.proof, "claims": [str(one) for one in outcome.claims]}


SIGN_IN = OidcSignIn()


def account_of(tx: Tx, tenant: str, written: str) -> Node:
    """The account as `kind:value`. Raises ProofRefused."""
    try:
        account = canonical(Identifier.parse(written))
    except ValueError as error:
        raise ProofRefused(str(error)) from None
    found = identity.find(tx, tenant, account)
    if found is None:
        raise ProofRefused(
            f"nobody is known as {written[:200]!r}; give an account of the conversation, as in x.user:42"
        )
    return found


def _end(one: asking.End) -> dict[str, Any]:
    told = one.told
    tells = {"channel": told.channel, "how": "leg"} if told else None
    if one.begins:
        tells = {"channel": one.begins.channel.id, "how": "begin"}
    said = {"channel": one.said.channel, "how": one.said.visibility} if one.said else None
    if said is None and one.by_voice:
        said = {"channel": "phone", "how": "telephone"}
    node = one.node
    return present(account=str(node.identifier), name=node.name, handle=node.handle, tells=tells, says=said)


def _shown(tx: Tx, one: Challenge, now: int) -> dict[str, Any]:
    nodes = identity.by_numbers(tx, [one.told, one.node])
    state = "expired" if one.state == "open" and now > one.expires_at else one.state
    return present(
        id=one.id,
        proof=one.proof,
        conversation=one.conversation,
        told=str(nodes[one.told].identifier),
        expected=str(nodes[one.node].identifier),
        agent=one.agent,
        state=state,
        tries=one.tries,
        tries_left=max(0, TRIES - one.tries) if state == "open" else None,
        created_at=time(one.created_at),
        expires_at=time(one.expires_at),
        ended_at=time(one.ended_at),
    )

"""What waits for a second person: listed, approved, refused, withdrawn."""

from typing import Any

from socialsupport_core.hub.acting import Acting
from socialsupport_core.hub.base import agent_of
from socialsupport_core.model import Intent
from socialsupport_core.pipeline import approving, judging, outbound, replying
from socialsupport_core.pipeline.approving import ApprovalRefused
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.store import Tx, approvals, conversations, micros
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.approvals import Approval
from socialsupport_core.store.conversations import Leg

WROTE = "the customer has written since; read it, and approve it `anyway`, or refuse it"


class Approving(Acting):
    def approvals(self, tenant: str, *, waiting: bool = True, limit: int = 100) -> list[dict[str, Any]]:
        """Replies that wait for a second person, the longest first; without `waiting` those that were decided in the
        last 30 days, the newest first."""

        def read(tx: Tx) -> list[dict[str, Any]]:
            look = approvals.waiting if waiting else approvals.decided
            return [approving.shown(tx, one) for one in look(tx, tenant, limit)]

        return self._database.read(read)

    def approve(
        self, tenant: str, approval: str, *, agent: str, text: str | None = None, anyway: bool = False
    ) -> dict[str, Any]:
        """It goes out as it was written, or with another `text`; in one commit with the decision, so once.

        Raises ApprovalRefused if it is the agent's own, was decided, or the customer has written since (then say
        `anyway`); ReplyRefused if it cannot go out any more, and then it goes on waiting; NoSuchApproval.
        """
        now = self.clock()

        def write(tx: Tx) -> dict[str, Any]:
            one, speaker, leg = self._of(tx, tenant, approval, agent)
            if not anyway and approving.wrote_since(tx, one, leg):
                raise ApprovalRefused(WROTE)
            intent = approving.changed(one.intent, text)
            author = agent_of(tx, tenant, one.agent)
            plan = self._checked(tx, intent or one.intent, leg, author)
            approving.settle(tx, one, leg, "approved", speaker.id, micros(now), intent=intent)
            parts = outbound.enqueue(tx, plan, leg, author, one.key, now)
            shown = [part.shown | {"state": part.state} for part in parts]
            return {"key": one.key, "leg": leg.id, "parts": shown}

        return self._database.do(write, tenant)

    def refuse_reply(self, tenant: str, approval: str, word: str, *, agent: str) -> None:
        """It does not go out, and its author reads why. Raises ApprovalRefused, NoSuchApproval."""
        if not word.strip():
            raise ApprovalRefused("say in a word why, for its author to read")
        at = micros(self.clock())

        def write(tx: Tx) -> None:
            one, speaker, leg = self._of(tx, tenant, approval, agent)
            approving.settle(tx, one, leg, "refused", speaker.id, at, word=word.strip())

        self._database.do(write, tenant)

    def withdraw_reply(self, tenant: str, approval: str, *, agent: str) -> None:
        """Its author takes it back. Raises ApprovalRefused, NoSuchApproval."""
        at = micros(self.clock())

        def write(tx: Tx) -> None:
            one = approving.of(tx, tenant, approval)
            if one.agent != agent:
                raise ApprovalRefused(f"only {one.agent}, who has written it, withdraws it; refuse it instead")
            approving.settle(tx, one, _leg(tx, one), "withdrawn", agent, at)

        self._database.do(write, tenant)

    def _of(self, tx: Tx, tenant: str, approval: str, agent: str) -> tuple[Approval, Agent, Leg]:
        one, speaker = approving.of(tx, tenant, approval), agent_of(tx, tenant, agent)
        approving.check_person(one, speaker)
        if one.expires_at <= micros(self.clock()):
            raise ApprovalRefused("nobody has approved it in time; its author may write it again")
        return one, speaker, _leg(tx, one)

    def _checked(self, tx: Tx, intent: Intent, leg: Leg, author: Agent) -> Any:
        """The plan, if it may and can go out now. What a second person is for needs no third."""
        conduct = self.channels.conducting.of(tx, leg.tenant)
        found = judging.objections(tx, self._policies, conduct, intent, leg, author, self.clock())
        refused = judging.forbidding(found)
        plan = replying.plan_for(self.channels.get(leg.tenant, leg.channel).connector, intent, leg, self.clock())
        if refused or not plan.possible:
            reasons = [one.reason for one in refused] + [one.reason for one in plan.obstacles]
            raise ReplyRefused("; ".join(reasons), refusals=refused, plan=plan)
        return plan


def _leg(tx: Tx, one: Approval) -> Leg:
    found = conversations.leg(tx, one.leg)
    if found is None:
        raise ApprovalRefused("its conversation is gone; it cannot go out")
    return found

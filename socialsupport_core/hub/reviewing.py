"""What the machine may not decide about identities, for a person who may."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from socialsupport_core.conversation.reuniting import reunite
from socialsupport_core.hub.base import Base, agent_of
from socialsupport_core.identity import Verdict, review
from socialsupport_core.identity.suggestions import Suggestion
from socialsupport_core.store import Tx, conversations, micros, nodes, reviews

PUT_OFF = timedelta(days=7)
"""For so long what is put off stays away."""


class Reviewing(Base):
    def reviews(self, tenant: str, *, state: str = "open", limit: int = 50) -> list[dict[str, Any]]:
        """What waits for a person (`open`), what was put off (`later`), or what was `decided`, the newest first."""
        now = micros(self.clock())

        def find(tx: Tx) -> list[dict[str, Any]]:
            if state == "decided":
                return [review.shown_decided(one) for one in reviews.decided(tx, tenant, limit)]
            found = review.queue(tx, tenant, now, later=state == "later", limit=limit)
            return [review.shown(tx, one) | _where(tx, tenant, one) for one in found]

        return self._database.read(find)

    def decide(
        self, tenant: str, item: str, decision: review.Decision, *, agent: str, later: timedelta = PUT_OFF
    ) -> Verdict:
        """`link`: one person; `apart`: not the same; `later`; `undo` takes back what was decided.

        Raises VerdictRefused.
        """
        at = micros(self.clock())
        until = micros(self.clock() + later)

        def write(tx: Tx) -> Verdict:
            agent_of(tx, tenant, agent)
            verdict = review.decide(tx, tenant, item, decision, agent=agent, at=at, until=until)
            if verdict.id:
                conduct = self.channels.conducting.of(tx, tenant)
                reunite(tx, tenant, verdict.nodes, conduct, judged=decision != "link")
            return verdict

        return self._database.do(write, tenant)

    def propose(self, tenant: str, suggestions: Iterable[Suggestion]) -> int:
        """Puts what a scorer suggests into the queue, where it joins nothing; how many are about two who are known."""
        at = micros(self.clock())
        given = list(suggestions)

        def write(tx: Tx) -> int:
            found = [one for each in given if (one := review.proposal(tx, tenant, each, at)) is not None]
            reviews.propose(tx, tenant, found)
            return len(found)

        return self._database.do(write, tenant)


def _where(tx: Tx, tenant: str, one: review.Item) -> dict[str, Any]:
    """The newest conversation of any of them, in which it can be looked at."""
    heads = {node.customer for node in nodes.by_numbers(tx, one.nodes).values()}
    found = [talk for head in sorted(heads)[:10] for talk in conversations.of_customer(tx, tenant, head)]
    newest = max(found, key=lambda talk: (talk.status == "open", talk.updated_at), default=None)
    return {"conversation": newest.id} if newest else {}

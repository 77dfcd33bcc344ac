"""Answers that are there already: brought in, listed, and offered beside the reply box."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, SocialSupportError
from socialsupport_core.guidance.answers import Answer, Outcome
from socialsupport_core.hub.base import Base, agent_of, check_tenant, conversation_of
from socialsupport_core.mistakes import mistakes
from socialsupport_core.pipeline import answers as answering
from socialsupport_core.pipeline import placing, replying
from socialsupport_core.pipeline.answers import Place
from socialsupport_core.store import Tx, answers, micros
from socialsupport_core.store.answers import Kept

OWN = "api"
"""The source of what was brought in one by one."""


class NoSuchAnswer(SocialSupportError, LookupError):
    """The tenant has no canned reply or article of this name."""


class Answering(Base):
    def answers(self, tenant: str, conversation: str, *, agent: str, leg: int | None = None) -> list[dict[str, Any]]:
        """What may answer the customer, the best first: canned replies with their blanks filled for this place,
        articles, and what we said in like matters; each with the reason. Only for agents who may read."""
        ways = self._ways(tenant)

        def read(tx: Tx) -> list[dict[str, Any]]:
            found = conversation_of(tx, tenant, conversation)
            where = None if leg else placing.answered(tx, found, ways)
            where = where or replying.choose_leg(tx, found, leg, ways, in_public=True)
            connector = self.channels.get(tenant, where.channel).connector
            conduct = self.channels.conducting.of(tx, tenant)
            place = Place(found, where, agent_of(tx, tenant, agent), connector, conduct)
            return answering.offers(tx, place, self.registry.rankers)

        return self._database.read(read)

    def written_answers(self, tenant: str) -> list[dict[str, Any]]:
        """All canned replies and articles, with what came of them."""

        def read(tx: Tx) -> list[dict[str, Any]]:
            kept = answers.written(tx, tenant)
            known = answers.outcomes(tx, tenant, [one.number for one in kept])
            return [_shown(one, Outcome(*known.get(one.number, ()))) for one in kept]

        return self._database.read(read)

    def put_answer(self, tenant: str, name: str, given: Mapping[str, Any]) -> None:
        """One canned reply or article, new or in place of the one of this name. Raises ConfigError."""
        self._put_answers(tenant, {name: checked(name, given)}, OWN, whole=False)

    def import_answers(self, tenant: str, given: Mapping[str, Mapping[str, Any]], *, source: str) -> dict[str, int]:
        """All of one source, such as a folder: what it does not name any more goes. Raises ConfigError, and then
        nothing has changed."""
        return self._put_answers(tenant, {name: checked(name, one) for name, one in given.items()}, source, whole=True)

    def remove_answer(self, tenant: str, name: str) -> None:
        """Raises NoSuchAnswer."""

        def write(tx: Tx) -> None:
            numbers = [one.number for one in answers.written(tx, tenant) if one.name == name]
            if not answers.remove(tx, tenant, numbers):
                raise NoSuchAnswer(f"there is no answer {name[:60]!r}")

        self._database.do(write, tenant)

    def _put_answers(self, tenant: str, given: Mapping[str, Answer], source: str, *, whole: bool) -> dict[str, int]:
        at = micros(self.clock())

        def write(tx: Tx) -> dict[str, int]:
            check_tenant(tx, tenant)
            before = {one.name: one for one in answers.written(tx, tenant)}
            gone = [one.number for name, one in before.items() if _is_gone(one, given, source, whole=whole)]
            answers.remove(tx, tenant, gone)
            for name, one in given.items():
                answering.index(tx, tenant, one.kind, name, one, source, at)
            return {"kept": len(given), "removed": len([one for one in gone if whole])}

        return self._database.do(write, tenant)


def _is_gone(one: Kept, given: Mapping[str, Answer], source: str, *, whole: bool) -> bool:
    """What its source does not name any more, and what has become of another kind."""
    if one.name in given:
        return one.kind != given[one.name].kind
    return whole and one.source == source


def checked(name: str, given: Mapping[str, Any]) -> Answer:
    """Raises ConfigError that names the answer, the key and the remedy."""
    if not 0 < len(name) <= 100:
        raise ConfigError(f"an answer's name has 1 to 100 characters, and {name[:40]!r} has {len(name)}")
    try:
        return Answer.model_validate(given)
    except ValidationError as error:
        raise ConfigError("; ".join(f"{name}.{key}: {what}" for key, what in mistakes(error, Answer))) from None


def _shown(one: Kept, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": str(one.number),
        "name": one.name,
        "kind": one.kind,
        **{"title": one.name, "text": ""},
        **{name: value for name, value in one.value.items() if name != "kind"},
        "source": one.source,
        "sent": outcome.sent,
        "edited": round(outcome.edited, 3),
        "stayed": outcome.stayed,
        "came_back": outcome.came_back,
        "score": round(outcome.score, 3),
    }

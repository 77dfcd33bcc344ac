"""Answers that are there already, over HTTP."""

from typing import Any

from starlette.requests import Request

from socialsupport_core.guidance.answers import Answer
from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import audit, body_of, id_of, number, route


class AnswerBody(Answer):
    """A canned reply, or an article."""


def offered(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "read")
    given = request.query_params.get("leg")
    leg = number("leg", given) if given else None
    return {"answers": hub.answers(access.agent.tenant, id_of(request), agent=access.agent.id, leg=leg)}


def answers(_request: Request, hub: Hub, access: Access) -> Any:
    return {"answers": hub.written_answers(access.agent.tenant)}


def put(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, AnswerBody)
    audit(request, hub, access, "configure")
    hub.put_answer(access.agent.tenant, id_of(request), body.model_dump(exclude_unset=True))
    return {}


def remove(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.remove_answer(access.agent.tenant, id_of(request))
    return {}


ROUTES = [
    route("/answers", "GET", "read", answers),
    route("/answers/{id}", "PUT", "configure", put),
    route("/answers/{id}", "DELETE", "configure", remove),
    route("/conversations/{id}/answers", "GET", "read", offered, query=("leg",)),
]

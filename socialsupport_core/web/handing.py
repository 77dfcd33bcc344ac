"""Handing on and proving: the addresses behind the hand-off button, and behind the host's customer portal."""

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import Body, audit, audit_customer, body_of, id_of, number, route

Written = Field(min_length=1, max_length=2048)


class HandoffBody(Body):
    """Without `to` and `to_agent`: only a link, which you say yourself."""

    leg: int | None = None
    to: str | None = Field(default=None, min_length=1)
    to_agent: str | None = Field(default=None, min_length=1)
    note: str | None = Field(default=None, max_length=100_000)
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}$")
    recipient: str | None = Field(default=None, min_length=1, max_length=2048)
    """The only account that may bring the link: one that has asked for it from elsewhere."""


class ChallengeBody(Body):
    """Accounts as `kind:value`: to which the code is told, and from which it is expected."""

    told: str = Written
    expected: str = Written
    send: bool = False
    """We tell it there ourselves, and ask for it at the other end; the answer then holds no code."""


class HearBody(Body):
    code: str = Field(min_length=1, max_length=100)


class NonceBody(Body):
    account: str = Written


class SignedInBody(Body):
    account: str = Written
    id_token: str = Field(min_length=1, max_length=10_000)


class IssuerBody(Body):
    issuer: str = Field(min_length=1, max_length=250)
    audience: str = Field(min_length=1, max_length=250)
    keys: dict[str, Any] | None = None
    """Its public JSON Web Key Set; left out, it is read where the issuer publishes it."""
    algorithms: list[str] = Field(default_factory=lambda: ["RS256"], min_length=1)


class ConsentBody(Body):
    channel: str = Field(min_length=1)
    state: Literal["in", "out"]
    source: str = Field(default="", max_length=500)


class WordsBody(Body):
    toml: str = Field(max_length=100_000)


def targets(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "read")
    given = request.query_params.get("leg")
    leg = number("leg", given) if given else None
    return hub.hand_off_targets(access.agent.tenant, id_of(request), leg=leg)


def hand_off(request: Request, hub: Hub, access: Access) -> Any:
    given = body_of(request, HandoffBody).model_dump(exclude_none=True)
    return hub.hand_off(access.agent.tenant, id_of(request), agent=access.agent.id, **given)


def withdraw(request: Request, hub: Hub, access: Access) -> Any:
    return hub.withdraw_hand_off(access.agent.tenant, id_of(request), agent=access.agent.id)


def challenge(request: Request, hub: Hub, access: Access) -> Any:
    body, agent = body_of(request, ChallengeBody), access.agent
    make = hub.ask_for_code if body.send else hub.challenge
    made = make(agent.tenant, id_of(request), body.told, body.expected, agent=agent.id)
    return JSONResponse(made, 201)


def challenges(request: Request, hub: Hub, access: Access) -> Any:
    tenant, conversation = access.agent.tenant, id_of(request)
    return {"challenges": hub.challenges(tenant, conversation), "ends": hub.code_ends(tenant, conversation)}


def hear(request: Request, hub: Hub, access: Access) -> Any:
    code, agent = body_of(request, HearBody).code, access.agent
    return hub.hear_code(agent.tenant, id_of(request), code, agent=agent.id)


def nonce(request: Request, hub: Hub, access: Access) -> Any:
    made = hub.ask_sign_in(access.agent.tenant, body_of(request, NonceBody).account)
    return JSONResponse(made, 201)


def signed_in(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, SignedInBody)
    return hub.signed_in(access.agent.tenant, body.account, body.id_token)


def issuers(_request: Request, hub: Hub, access: Access) -> Any:
    return {"issuers": hub.issuers(access.agent.tenant)}


def trust(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    body = body_of(request, IssuerBody)
    hub.trust_issuer(access.agent.tenant, body.issuer, body.audience, body.keys, algorithms=body.algorithms)
    return JSONResponse({}, 201)


def distrust(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.distrust_issuer(access.agent.tenant, id_of(request))
    return {}


def consents(request: Request, hub: Hub, access: Access) -> Any:
    audit_customer(request, hub, access, "read")
    return {"consents": hub.consents(access.agent.tenant, id_of(request))}


def consent(request: Request, hub: Hub, access: Access) -> Any:
    body, agent = body_of(request, ConsentBody), access.agent
    hub.consent(agent.tenant, id_of(request), body.channel, body.state, agent=agent.id, source=body.source)
    return {}


def words(_request: Request, hub: Hub, access: Access) -> Any:
    return {"templates": hub.templates(access.agent.tenant)}


def set_words(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.set_templates(access.agent.tenant, body_of(request, WordsBody).toml)
    return {}


CUSTOMERS: list[Route] = [
    route("/customers/{id:path}/consents", "GET", "read", consents),
    route("/customers/{id:path}/consents", "POST", "reply", consent),
]
"""Before the address of a customer, whose id may hold slashes."""
ROUTES: list[Route] = [
    route("/conversations/{id}/hand-off", "GET", "read", targets, query=("leg",)),
    route("/conversations/{id}/hand-off", "POST", "reply", hand_off),
    route("/conversations/{id}/challenge", "GET", "read", challenges),
    route("/conversations/{id}/challenge", "POST", "reply", challenge),
    route("/challenges/{id}/hear", "POST", "reply", hear),
    route("/identities/nonce", "POST", "link", nonce),
    route("/identities/issuers", "GET", "configure", issuers),
    route("/identities/issuers", "POST", "configure", trust),
    route("/identities/issuers/{id:path}", "DELETE", "configure", distrust),
    route("/identities", "POST", "link", signed_in),
    route("/hand-off/templates", "GET", "read", words),
    route("/hand-off/templates", "PUT", "configure", set_words),
    route("/hand-off/{id}", "DELETE", "reply", withdraw),
]

"""Outgoing webhooks over HTTP: who may, what is answered, and that every answer has the shape that is described."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import message
from raven.web import Desk, Web
from receiver import URL, listening

from socialsupport_core.contract import SocialSupportError
from socialsupport_core.web import create_app
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import asyncapi, openapi

jsonschema = pytest.importorskip("jsonschema")


class House:
    """A roost over HTTP, and the helpdesk that listens to it."""

    def __init__(self, folder: Path, store: str | Path) -> None:
        self.roost, self.receiver = listening(folder, store=store)
        web = Web(create_app(self.roost.hub, run_workers=False))
        self.acme, self.rival = Desk(self.roost, web, "acme"), Desk(self.roost, web, "rival")
        self.reader = Desk(self.roost, web, "acme", "read", "reply", "link")

    def ask(self, method: str, path: str, content: Any = None, *, status: int = 200) -> Any:
        """As acme; the answer must have the shape and the status that OpenAPI gives."""
        more = {} if content is None else {"json": content}
        answer = self.acme.ask(method, path, **more)
        assert answer.status_code == status, answer.text
        if status < 400:
            described = OPERATIONS[method, path.replace("/desk", "/{id}")]
            assert described.status == status
            fits(answer.json(), described.answer, openapi())
        else:
            fits(answer.json(), {"$ref": "#/components/schemas/Problem"}, openapi())
        return answer.json()

    def register(self, **more: Any) -> None:
        made = self.ask("POST", "/api/webhooks", {"id": "desk", "url": URL} | more, status=201)
        self.receiver.secrets.append(made["secret"])

    def hear(self, number: int) -> None:
        self.roost.hear(message(number, "hello", at=self.roost.clock.now))


@pytest.fixture
def house(tmp_path: Path, store: str | Path) -> Iterator[House]:
    made = House(tmp_path, store)
    yield made
    made.roost.hub.close()


def fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    whole = {**schema, "components": document["components"]}
    jsonschema.validate(value, whole, cls=jsonschema.Draft202012Validator)


def test_from_registering_to_forgetting(house: House) -> None:
    house.register(types=["interaction.received"], description="our desk")
    house.hear(1)
    assert len(house.receiver.taken) == 1
    (listed,) = house.ask("GET", "/api/webhooks")["webhooks"]
    shown = house.ask("GET", "/api/webhooks/desk")
    assert shown == listed | {"held": []}
    assert "secret" not in shown
    changed = house.ask("PATCH", "/api/webhooks/desk", {"types": None, "description": ""})
    assert "types" not in changed
    assert "description" not in changed
    assert changed["url"] == URL
    house.ask("POST", "/api/webhooks/desk/pause")
    house.hear(2)
    assert len(house.receiver.taken) == 1
    house.ask("POST", "/api/webhooks/desk/resume")
    house.roost.hub.drain()
    assert len(house.receiver.taken) == 3
    house.ask("POST", "/api/webhooks/desk/replay", {"after": 0})
    house.roost.hub.drain()
    assert len(house.receiver.taken) == 3 + len(house.roost.hub.events("acme"))
    house.ask("DELETE", "/api/webhooks/desk")
    house.ask("GET", "/api/webhooks/desk", status=404)
    assert house.ask("GET", "/api/webhooks") == {"webhooks": []}


def test_a_secret_is_changed_without_a_break(house: House) -> None:
    house.register()
    old = house.receiver.secrets[0]
    new = house.ask("POST", "/api/webhooks/desk/secret", status=201)["secret"]
    assert new not in json.dumps(house.ask("GET", "/api/webhooks/desk"))
    told = house.ask("POST", "/api/webhooks/desk/secret", status=422)
    assert told["detail"] == "two secrets are valid already; retire the old one first"
    for accepted, number in ((old, 1), (new, 2)):
        house.receiver.secrets = [accepted]
        house.hear(number)
    house.ask("POST", "/api/webhooks/desk/secret/retire")
    house.hear(3)
    assert [len(one.headers["webhook-signature"].split(" ")) for one in house.receiver.requests[::3]] == [2, 1]


def test_a_trial(house: House) -> None:
    house.register()
    assert house.ask("POST", "/api/webhooks/desk/test") == {"delivered": True, "status": 204, "seconds": 0.0}
    house.receiver.down = True
    assert house.ask("POST", "/api/webhooks/desk/test")["reason"] == "desk.example: ConnectError"
    house.hear(1)
    fits(house.ask("GET", "/api/webhooks/desk"), {"$ref": "#/components/schemas/Webhook"}, openapi())
    assert house.ask("GET", "/api/webhooks/desk")["held"][0]["reason"] == "desk.example: ConnectError"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "url"),
        ({"url": "http://desk.example"}, "by https"),
        ({"url": "https://10.0.0.1"}, "is not public"),
        ({"url": URL, "open_network": True}, "open_network"),
        ({"url": URL, "secret": "whsec_x"}, "secret"),
        ({"url": URL, "types": ["message"]}, "there is no event 'message'"),
        ({"url": URL, "types": "all"}, "types"),
        ({"url": URL, "id": "Desk!"}, "id"),
        ({"url": URL, "after": -1}, "after"),
        ({"url": URL, "after": 10**30}, "the log ends at the cursor 0"),
    ],
)
def test_what_is_wrong_is_named(house: House, given: dict[str, Any], problem: str) -> None:
    assert problem in house.ask("POST", "/api/webhooks", given, status=422)["detail"]
    assert house.ask("GET", "/api/webhooks") == {"webhooks": []}


def test_only_the_operator_opens_the_network(house: House) -> None:
    house.roost.hub.add_webhook("acme", "http://10.0.0.1/", webhook="desk", open_network=True)
    house.ask("PATCH", "/api/webhooks/desk", {"url": "http://10.0.0.2/"}, status=422)
    house.ask("PATCH", "/api/webhooks/desk", {"open_network": True}, status=422)
    assert house.ask("PATCH", "/api/webhooks/desk", {"description": "x"})["open_network"] is True
    assert "open_network" not in house.ask("PATCH", "/api/webhooks/desk", {"url": URL})


PATHS = [(method, path.replace("{id}", "desk")) for method, path in OPERATIONS if path.startswith("/api/webhooks")]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_another_tenants_is_404_and_without_the_scope_403(house: House, method: str, path: str) -> None:
    house.register()
    before = house.ask("GET", "/api/webhooks/desk")
    body = {"json": {"after": 0} if path.endswith("replay") else {}}
    assert house.reader.ask(method, path, **body).status_code == 403
    if path != "/api/webhooks":
        answer = house.rival.ask(method, path, **body)
        assert (answer.status_code, answer.json()["detail"]) == (404, "there is no webhook 'desk'")
    elif method == "GET":
        assert house.rival.ask(method, path).json() == {"webhooks": []}
    assert house.ask("GET", "/api/webhooks/desk") == before
    assert house.receiver.calls == []


def test_what_was_configured_is_audited(house: House) -> None:
    house.register()
    house.ask("PATCH", "/api/webhooks/desk", {"description": "x"})
    house.ask("DELETE", "/api/webhooks/desk")
    house.roost.settle()
    rows = house.roost.hub._database.read(lambda tx: tx.all("SELECT agent, verb, object FROM audit ORDER BY number"))
    assert [tuple(row[name] for name in ("agent", "verb", "object")) for row in rows] == [
        ("dana", "configure", "POST /api/webhooks"),
        ("dana", "configure", "PATCH /api/webhooks/desk"),
        ("dana", "configure", "DELETE /api/webhooks/desk"),
    ]


def test_a_dead_endpoint_degrades_health(house: House) -> None:
    house.register()
    assert house.acme.client.get("/health").status_code == 200
    house.roost.hub._database.do(lambda tx: tx.run("UPDATE webhooks SET state = 'dead', reason = 'nobody is there'"))
    answer = house.acme.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "desk" not in answer.text, "no names without a token"


def test_asyncapi_describes_what_is_sent(house: House) -> None:
    house.register(types=None)
    house.hear(1)
    house.roost.reply("On its way.")
    house.roost.hub.drain()
    house.ask("POST", "/api/webhooks/desk/resume")
    house.ask("POST", "/api/webhooks/desk/replay", {"after": 0})
    house.roost.hub.drain()
    house.ask("POST", "/api/webhooks/desk/test")
    document = asyncapi()
    messages = document["channels"]["webhooks"]["messages"]
    assert set(messages) == {*document["channels"]["events"]["messages"], "webhook.ping"}
    assert len(house.receiver.requests) > 8
    for request in house.receiver.requests:
        envelope = json.loads(request.content)
        one = messages[envelope["type"]]
        fits(envelope, one["payload"], document)
        fits({name: request.headers[name] for name in one["headers"]["properties"]}, one["headers"], document)
        assert request.headers["content-type"] == one["contentType"]


def test_the_hub_says_the_same_without_http(house: House) -> None:
    """Every verb over HTTP is one of the hub's, with the same answer."""
    house.register()
    assert house.ask("GET", "/api/webhooks/desk") == house.roost.hub.webhook("acme", "desk")
    assert house.ask("GET", "/api/webhooks")["webhooks"] == house.roost.hub.list_webhooks("acme")
    with pytest.raises(SocialSupportError):
        asyncio.run(house.roost.hub.test_webhook("acme", "nowhere"))

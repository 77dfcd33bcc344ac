"""Over HTTP: edit, delete, react, typing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Parrot, Roost, message
from raven.web import Desk, Web

from socialsupport_core.web import create_app
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture
def parrots(tmp_path: Path) -> Iterator[Roost]:
    made = Roost(tmp_path, Parrot)
    made.hear(message(1, "hello"))
    made.reply("on its weigh")
    made.hub.drain()
    yield made
    made.hub.close()


@pytest.fixture
def dana(parrots: Roost) -> Desk:
    return Desk(parrots, Web(create_app(parrots.hub, inbox=True, run_workers=False)), "acme")


def shown(dana: Desk, con: str) -> list[dict[str, Any]]:
    answer = dana.get(f"/api/conversations/{con}").json()
    schema = {**OPERATIONS["GET", "/api/conversations/{id}"].answer, "components": openapi()["components"]}
    jsonschema.validate(answer, schema, cls=jsonschema.Draft202012Validator)
    return list(answer["timeline"])


def test_all_of_it(dana: Desk, parrots: Roost) -> None:
    con = parrots.conversation()
    theirs, ours = shown(dana, con)
    assert (theirs["can"], ours["can"]) == (["react"], ["edit", "delete", "react"])
    calls = (
        ("PATCH", f"/api/interactions/{ours['id']}", {"text": "on its way"}),
        ("POST", f"/api/interactions/{theirs['id']}/reaction", {"reaction": "👍"}),
        ("POST", f"/api/conversations/{con}/typing", {}),
    )
    for method, path, body in calls:
        for _ in range(2):
            answer = dana.ask(method, path, json=body, headers={"idempotency-key": method + path[-4:]})
            assert answer.status_code == 202, answer.text
            named = path.replace(ours["id"], "{id}", 1) if method == "PATCH" else path
            named = named.replace(f"/{theirs['id']}/", "/{id}/").replace(con, "{id}")
            schema = {**OPERATIONS[method, named].answer, "components": openapi()["components"]}
            jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)
    parrots.hub.drain()
    assert parrots.sky.texts() == ["on its weigh", "edit.message raven-1 on its way", "react 1 👍", "typing", "typing"]
    theirs, ours = shown(dana, con)
    assert (ours["interaction"]["text"], theirs["reactions"]) == ("on its way", ["👍"])
    assert dana.ask("DELETE", f"/api/interactions/{ours['id']}").status_code == 202
    parrots.hub.drain()
    assert "deleted_at" in shown(dana, con)[1]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("PATCH", "/api/interactions/999", {"text": "x"}, 404, "there is no interaction '999'"),
        ("PATCH", "/api/interactions/1", {"text": "x"}, 422, "the customer has written this"),
        ("PATCH", "/api/interactions/2", {"text": ""}, 422, "text"),
        ("PATCH", "/api/interactions/2", {"text": "   "}, 422, "the message says nothing"),
        ("POST", "/api/interactions/2/reaction", {"reaction": "two words"}, 422, "one emoji"),
        ("POST", "/api/conversations/con_x/typing", {}, 404, "con_x"),
    ],
)
def test_what_is_wrong_is_said(
    dana: Desk, method: str, path: str, body: dict[str, Any], status: int, told: str
) -> None:
    answer = dana.ask(method, path, json=body)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


def test_the_channel_that_cannot_is_named(roost: Roost, acme: Desk) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("soon")
    roost.hub.drain()
    one = roost.timeline()[-1]["id"]
    answer = acme.ask("DELETE", f"/api/interactions/{one}")
    assert answer.status_code == 422
    assert "tower: the connector for raven does not do delete.message" in answer.json()["detail"]
    assert answer.json()["obstacles"][0]["rule"] == "not_implemented"


def test_who_may_only_read_does_nothing(parrots: Roost) -> None:
    reader = Desk(parrots, Web(create_app(parrots.hub, inbox=True, run_workers=False)), "acme", "read")
    for method, path in (("PATCH", "/api/interactions/2"), ("DELETE", "/api/interactions/2")):
        assert reader.ask(method, path, json={"text": "x"}).status_code == 403

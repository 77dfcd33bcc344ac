import json
from typing import Any, get_args

import pytest

from socialsupport_core.model import EventType, IntentType


def tags(schema: dict[str, Any]) -> set[str]:
    return set(schema["discriminator"]["mapping"])


def test_events_and_intents_are_told_apart_by_type(run: Any) -> None:
    assert tags(json.loads(run("schema", "--what", "events").out)) == set(get_args(EventType))
    assert tags(json.loads(run("schema", "--what", "intents").out)) == set(get_args(IntentType))


@pytest.mark.parametrize("what", ["events", "intents", "capabilities"])
def test_each_document_names_its_dialect(run: Any, what: str) -> None:
    ran = run("schema", "--what", what)
    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_settings_of_each_connector(run: Any) -> None:
    every = json.loads(run("schema", "--what", "settings").out)
    one = json.loads(run("schema", "parrot").out)
    assert every == {"parrot": one}
    assert one["required"] == ["token", "secret"]
    assert one["properties"]["token"]["writeOnly"] is True
    assert one["additionalProperties"] is False


def test_all_of_them_in_one_object(run: Any) -> None:
    ran = run("schema")
    assert ran.status == 0
    said = json.loads(ran.out)
    assert {"events", "intents", "capabilities", "settings"} <= set(said)
    for name in {"openapi", "asyncapi"} - set(said):
        assert f"without {name}: " in ran.err


def test_an_unknown_connector(run: Any) -> None:
    assert run("schema", "parot").err == "socialsupport: there is no connector 'parot'; did you mean parrot?\n"

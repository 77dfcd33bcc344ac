"""One readable line for whatever is wrong."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import INTENT, Capabilities, Identifier, Intent
from socialsupport_core.testing.cases import Inbound
from socialsupport_core.testing.problems import near, one_line, problems, raised


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")
    leaves: tuple[Leaf, ...] = ()
    best: Leaf | None = None


def refused(model: Any, value: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        model.validate_python(value) if model is INTENT else model.model_validate(value)
    return caught.value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"laeves": []}, "laeves: there is no such key; did you mean leaves?"),
        ({"leaves": [{"size": 1, "seize": 2}]}, "leaves.0.seize: there is no such key; did you mean size?"),
        ({"best": {"zz": 1, "size": 1}}, "best.zz: there is no such key; there is: size"),
        ({"leaves": [{}]}, "leaves.0.size: is missing; add it"),
        ({"best": {"size": "secret-9"}}, "best.size: must be a whole number"),
    ],
)
def test_a_problem_has_its_place_and_its_remedy(value: Any, told: str) -> None:
    assert problems(refused(Tree, value), Tree) == told


def test_a_misspelt_key_of_a_value_of_ours_is_put_right() -> None:
    told = one_line(refused(Capabilities, {"recieves": ["webhook"]}))
    assert told == "Capabilities: recieves: there is no such key; did you mean receives?"


def test_each_problem_can_be_preceded_by_its_file() -> None:
    told = problems(refused(Tree, {"a": 1, "leaves": 2}), Tree, "tree.json")
    assert told == (
        "tree.json: a: there is no such key; there is: best, leaves; "
        "tree.json: leaves: must be a list"
    )  # fmt: skip


def test_without_the_model_a_key_that_is_not_there_is_told_all_the_same() -> None:
    assert problems(refused(Tree, {"a": 1})) == "a: there is no such key; take it out"


INTERACTION = {"type": "interaction.received", "id": "1", "interaction": {"treahd": {}}}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (INTERACTION, "events.0.interaction.treahd: there is no such key; did you mean thread?"),
        (INTERACTION, "events.0.interaction.kind: is missing; add it"),
        ({"type": "interaction.recieved"}, "events.0.type: must be one of interaction.received, interaction.edited"),
        ({"id": "1"}, "events.0.type: must be one of interaction.received, interaction.edited"),
    ],
)
def test_the_member_of_a_union_is_no_place(event: dict[str, Any], told: str) -> None:
    case = {"name": "n", "source": "s", "payload": {"received_at": "2026-01-01T00:00:00Z"}, "events": [event]}
    assert told in problems(refused(Inbound, case), Inbound)


def test_a_union_at_the_root() -> None:
    intent = {
        "type": "typing",
        "key": "k",
        "own_account": "1",
        "thread": {"id": "1", "visibility": "private"},
        "kye": 1,
    }
    assert problems(refused(INTENT, intent), Intent) == "kye: there is no such key; did you mean key?"


@pytest.mark.parametrize(("word", "known"), [("heron", ["phone"]), ("to", ["text"]), ("twitter", ["telegram", "x"])])
def test_what_only_shares_letters_is_not_suggested(word: str, known: list[str]) -> None:
    assert near(word, known) == f"there is: {', '.join(known)}"


@pytest.mark.parametrize(
    ("word", "name"), [("telegrm", "telegram"), ("mail", "email"), ("ids", "id"), ("prot", "port")]
)
def test_a_slip_of_the_fingers_is_corrected(word: str, name: str) -> None:
    assert near(word, [name, "quite_another"]) == f"did you mean {name}?"


def test_nothing_known_is_told() -> None:
    assert near("x", []) == "there is: nothing"


def read() -> None:
    try:
        Identifier.model_validate({"kind": "No Kind", "value": "private words"})
    except ValueError as error:
        raise MalformedPayload(f"not a message: {error}") from error


def test_what_pydantic_says_inside_a_message_becomes_one_line() -> None:
    with pytest.raises(MalformedPayload) as caught:
        read()
    assert one_line(caught.value) == (
        "not a message: Identifier: kind: must match pattern '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$'"
    )


def test_other_messages_lose_their_line_breaks_only() -> None:
    assert one_line(ValueError("first\n  second")) == "first second"
    assert one_line(ValueError()) == ""


def test_an_error_names_the_line_it_came_from() -> None:
    with pytest.raises(MalformedPayload) as caught:
        read()
    assert raised(caught.value).startswith("MalformedPayload: not a message: Identifier: kind")
    assert raised(caught.value).endswith(f"({Path(__file__).name}, line {read.__code__.co_firstlineno + 4})")
    assert raised(KeyError("who")) == "KeyError: 'who'"

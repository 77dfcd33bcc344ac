"""What is wrong with what somebody wrote is told field by field, in words that say what to do."""

from typing import Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from socialsupport_core.mistakes import mistakes, near


class Nest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    eggs: int = 0
    lined: bool = False
    kind: Literal["cup", "dome"] = "cup"
    built: AwareDatetime | None = None
    name: str = Field(default="nest", min_length=3, max_length=5)


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")

    height: float
    nests: dict[str, Nest] = Field(default_factory=dict)
    branches: list[Nest] = Field(default_factory=list)
    top: Nest | None = None


def told(given: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as error:
        Tree.model_validate(given)
    return mistakes(error.value, Tree)


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({}, "height", "is missing; add it"),
        ({"height": "high"}, "height", "unable to parse"),
        ({"height": 1, "hight": 2}, "hight", "there is no such key; did you mean height?"),
        ({"height": 1, "zzz": 2}, "zzz", "there is no such key; there is: branches, height, nests, top"),
        ({"height": 1, "nests": {"a": {"egs": 2}}}, "nests.a.egs", "did you mean eggs?"),
        ({"height": 1, "branches": [{"egs": 2}]}, "branches.0.egs", "did you mean eggs?"),
        ({"height": 1, "top": {"egs": 2}}, "top.egs", "did you mean eggs?"),
        ({"height": 1, "nests": []}, "nests", "must be a table of names and values"),
        ({"height": 1, "branches": 5}, "branches", "must be a list"),
        ({"height": 1, "top": 5}, "top", "must be a table of names and values"),
        ({"height": 1, "top": {"eggs": "many"}}, "top.eggs", "must be a whole number"),
        ({"height": 1, "top": {"lined": "perhaps"}}, "top.lined", "must be true or false"),
        ({"height": 1, "top": {"kind": "box"}}, "top.kind", "must be 'cup' or 'dome'"),
        ({"height": 1, "top": {"name": "ab"}}, "top.name", "must have at least 3 characters"),
        ({"height": 1, "top": {"name": "abcdef"}}, "top.name", "may have at most 5 characters"),
        ({"height": 1, "top": {"name": 5}}, "top.name", "must be a text"),
        ({"height": 1, "top": {"built": "2026-01-30T01:57:09"}}, "top.built", "says no time zone; add Z"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(given: dict[str, Any], field: str, problem: str) -> None:
    ((where, what),) = told(given)
    assert where == field
    assert problem in what
    assert "Input should" not in what


def test_unknown_keys_come_first_since_they_are_why_others_are_missing() -> None:
    assert [field for field, _ in told({"top": {"eggs": "x"}, "heigth": 3})] == ["heigth", "height", "top.eggs"]


def test_no_value_is_repeated() -> None:
    assert "hunter2" not in str(told({"height": "hunter2", "top": {"kind": "hunter2", "hunter": "hunter2"}}))


def test_without_a_model_nothing_is_guessed() -> None:
    with pytest.raises(ValidationError) as error:
        Tree.model_validate({"height": 1, "hight": 2})
    assert mistakes(error.value) == [("hight", "there is no such key; take it out")]


def test_what_is_near() -> None:
    assert near("opne", ["open", "all"]) == "did you mean open?"
    assert near("zzz", ["open", "all"]) == "there is: all, open"
    assert near("heron", ["phone"]) == "there is: phone"
    assert near("zzz", [], "installed: {}") == "installed: nothing"

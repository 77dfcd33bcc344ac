"""The reason why a payload cannot be read: fields and faults, and nobody's words."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from socialsupport_core.contract.misfit import MOST, misfit


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["said"] = "said"
    words: Annotated[str, Field(max_length=5)]
    at: UUID | None = None

    @field_validator("words")
    @classmethod
    def _has_words(cls, words: str) -> str:
        if not words.strip():
            raise ValueError("say something")
        return words


class Unsaid(BaseModel):
    kind: Literal["unsaid"]


class Told(BaseModel):
    said: list[Annotated[Said | Unsaid, Field(discriminator="kind")]] = []
    phones: dict[str, int] = {}


def reason(native: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Told.model_validate(native)
    return misfit(refused.value)


SECRET = "kerry@mail.example"


@pytest.mark.parametrize(
    ("native", "told"),
    [
        ({"said": [{"kind": "said"}]}, "said.0.said.words: is missing"),
        ({"said": [{"kind": "said", "words": " "}]}, "said.0.said.words: say something"),
        ({"said": [{"kind": "said", "words": SECRET}]}, "said.0.said.words: String should have at most 5 characters"),
        ({"said": [{"kind": SECRET}]}, "said.0: is of a kind that is not known"),
        ({"said": [{"kind": "said", "words": "hi", "at": SECRET}]}, "said.0.said.at: is no UUID"),
        ({"said": [{"kind": "said", "words": "hi", SECRET: 1}]}, "said.0.said.…: is not known"),
        ({"phones": {"+1 555 0147": SECRET}}, "phones.…: Input should be a valid integer"),
        ([], "the body: Input should be a valid dictionary"),
    ],
)
def test_it_names_the_field_and_what_is_wrong(native: Any, told: str) -> None:
    found = reason(native)
    assert found.startswith(told)
    assert "kerry" not in found
    assert "0147" not in found
    assert "\n" not in found


def test_many_faults_are_some() -> None:
    assert reason({"said": [{"kind": "said"}] * 50}).count("is missing") == MOST

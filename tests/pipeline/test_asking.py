"""A one-time code that we tell ourselves, in either direction, and what whoever types one hears about it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, bird, message

from socialsupport_core.identity.proofs import ProofRefused
from socialsupport_core.model import Identifier, IdentityClaimed
from socialsupport_core.model.event import Tier

KERRY, OWL, MALLORY, SAM = (f"raven.ring:{name}" for name in ("kerry", "owl", "mallory", "sam"))
RIGHT = "Thank you, that was the code. We know now that it is you."
WRONG = "That was not the code. Please type the six digits of the newest code that we have sent you."
OVER = "This code is not valid any more. If you still need one, please ask us for a new code."


class Crier(Raven):
    """Ravens that may write first."""

    capabilities = Raven.capabilities.model_copy(update={"begins": frozenset({"raven.ring"})})

    def thread_with(self, identifier: Identifier) -> str | None:
        return f"dm-{identifier.value}"


@pytest.fixture
def roost(tmp_path: Path) -> Iterator[Roost]:
    made = arrived(Roost(tmp_path, Crier))
    yield made
    made.hub.close()


def arrived(made: Roost) -> Roost:
    """Kerry in public, owl and mallory in private: three customers so far."""
    made.hear(message(1, "help!", "kerry", visibility="public", at=made.clock.now))
    made.hear(message(2, "it is me, kerry", "owl", at=made.clock.now))
    made.hear(message(3, "it is me, kerry", "mallory", at=made.clock.now))
    return made


_count = iter(range(100, 1_000_000))


def says(roost: Roost, text: str, who: str = "owl", **more: Any) -> None:
    roost.clock.forward(seconds=10)
    roost.hear(message(next(_count), text, who, at=roost.clock.now, **more))
    roost.hub.drain()


def asks(roost: Roost, told: str = KERRY, expected: str = OWL, whose: str = "owl") -> dict[str, Any]:
    made = roost.hub.ask_for_code("acme", roost.conversation(whose), told, expected, agent="dana")
    roost.hub.drain()
    return made


def heard(roost: Roost, who: str) -> list[str]:
    return [str(one["text"]) for one in roost.sky.messages if one["thread"] == f"dm-{who}"]


def code(roost: Roost, who: str = "kerry") -> str:
    (found,) = [one for text in heard(roost, who) if (one := re.search(r"\d{6}", text))]
    return found[0]


def wrong(right: str, step: int = 1) -> str:
    return f"{(int(right) + step) % 1_000_000:06}"


def standing(roost: Roost, whose: str = "owl") -> tuple[str, int | None]:
    (one,) = roost.hub.challenges("acme", roost.conversation(whose))
    return one["state"], one.get("tries_left")


def claims(roost: Roost, subject: str, other: str, tier: Tier = "claimed") -> None:
    subject_, other_ = Identifier.parse(subject), Identifier.parse(other)
    id, at = f"c-{next(_count)}", roost.clock.now
    given = {"subject": subject_, "claims": (other_,), "proof": "typed", "tier": tier}
    roost.hear(IdentityClaimed(id=id, own_account="tower", at=at, **given))


def test_told_in_one_channel_and_typed_in_the_other_it_makes_them_one(roost: Roost) -> None:
    made = asks(roost)
    assert "code" not in made
    assert (made["state"], made["tries_left"], made["proof"]) == ("open", 5, "one_time_code")
    assert heard(roost, "kerry")[0].startswith("Your code is ")
    assert heard(roost, "owl") == [
        "To show that it is you, please type the code here that we have just sent you on raven."
    ]
    says(roost, code(roost))
    assert standing(roost, "kerry") == ("proven", None)
    assert roost.conversation("owl") == roost.conversation("kerry")
    assert heard(roost, "owl")[1:] == [RIGHT]
    assert roost.sky.texts().count(RIGHT) == 1


def test_on_a_server_too(tmp_path: Path, new_store: Callable[[str, Path], str | Path]) -> None:
    made = arrived(Roost(tmp_path, Crier, store=new_store("postgresql", tmp_path)))
    try:
        claims(made, OWL, "email:kerry@mail.example")
        assert [one["account"] for one in made.hub.code_ends("acme", made.conversation("owl"))] == [OWL]
        test_told_in_one_channel_and_typed_in_the_other_it_makes_them_one(made)
    finally:
        made.hub.close()


def test_the_other_way_round_nothing_is_said_in_public(roost: Roost) -> None:
    asks(roost, OWL, KERRY)
    assert "answer us with" in heard(roost, "owl")[0]
    for guess in (wrong(code(roost, "owl")), code(roost, "owl")):
        says(roost, f"@acme {guess}", "kerry", visibility="public")
    assert roost.conversation("owl") == roost.conversation("kerry")
    assert {one["thread"] for one in roost.sky.messages} == {"dm-owl"}
    assert heard(roost, "owl")[1:] == [WRONG, RIGHT], "where the code was told, its owner hears what came of it"


def test_a_code_that_is_said_too_late_in_public_is_answered_where_it_was_told(roost: Roost) -> None:
    asks(roost, OWL, KERRY)
    roost.clock.forward(minutes=11)
    says(roost, code(roost, "owl"), "kerry", visibility="public")
    assert heard(roost, "owl")[1:] == [OVER]


def test_who_types_the_code_where_it_was_told_hears_where_it_belongs(roost: Roost) -> None:
    """The first thing that a tired person does with a code."""
    asks(roost, OWL, KERRY)
    says(roost, "it is " + code(roost, "owl"), "owl")
    assert heard(roost, "owl")[1:] == ["Almost: please type the code on raven, not here."]
    says(roost, wrong(code(roost, "owl")), "owl")  # whatever else has six digits is no code
    assert len(heard(roost, "owl")) == 2
    says(roost, code(roost, "owl"), "kerry", visibility="public")
    assert roost.conversation("owl") == roost.conversation("kerry")


def test_whoever_might_be_forged_is_answered_only_if_he_knows_the_code(
    roost: Roost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As who answers the mail with the code in it: nobody else can have read it."""
    asks(roost, OWL, KERRY)
    monkeypatch.setattr("socialsupport_core.pipeline.proving.is_authentic", lambda *_: False)
    says(roost, wrong(code(roost, "owl")), "kerry", visibility="public")
    assert heard(roost, "owl")[1:] == []
    says(roost, code(roost, "owl"), "owl")
    assert heard(roost, "owl")[1:] == ["Almost: please type the code on raven, not here."]
    roost.clock.forward(minutes=11)
    says(roost, "123456", "owl")
    assert len(heard(roost, "owl")) == 2


@pytest.mark.parametrize(
    ("said", "by", "waits"),
    [
        ("{code}", "kerry", False),
        ("@acme {code}!", "kerry", False),
        ("{code}", "mallory", False),
        ("{wrong}", "kerry", False),
        ("{wrong}", "mallory", True),
        ("{code} and where is my parcel?", "kerry", True),
        ("order {wrong}", "kerry", True),
    ],
)
def test_nobody_has_to_answer_a_message_that_is_nothing_but_a_code(
    roost: Roost, said: str, by: str, waits: bool
) -> None:
    asks(roost, OWL, KERRY)
    for name in ("kerry", "owl", "mallory"):
        roost.reply("We look into it.", name)
    right = code(roost, "owl")
    says(roost, said.format(code=right, wrong=wrong(right)), by, visibility="public")
    assert ("waiting_since" in roost.hub.conversation("acme", roost.conversation(by))) is waits


def test_who_may_only_be_written_to_first_is_told_it_in_a_conversation_apart(roost: Roost) -> None:
    """Kerry has no private thread; hers begins with the code, and is nobody's answer."""
    asks(roost)
    found = roost.hub.conversation("acme", roost.conversation("owl"))
    assert [leg["account"] for leg in found["legs"]] == [OWL]
    assert found["reply_leg"] == found["legs"][0]["id"]
    assert roost.hub.conversation("acme", roost.conversation("kerry"))["status"] == "open"


def test_a_wrong_code_is_answered_in_a_sentence_and_the_last_once(roost: Roost) -> None:
    asks(roost)
    right = code(roost)
    for step in range(1, 6):
        says(roost, wrong(right, step))
    assert standing(roost) == ("spent", None)
    for guess in (wrong(right, 9), right, right):
        says(roost, guess)
    assert heard(roost, "owl")[1:] == [WRONG] * 4 + [OVER]
    assert roost.conversation("owl") != roost.conversation("kerry")
    assert not any(digit in text for text in (RIGHT, WRONG, OVER) for digit in "0123456789")


def test_many_guesses_in_one_message_are_answered_once(roost: Roost) -> None:
    asks(roost)
    right = code(roost)
    says(roost, f"{wrong(right)} {wrong(right, 2)} {wrong(right, 3)}")
    assert (heard(roost, "owl")[1:], standing(roost)) == ([WRONG], ("open", 2))


def test_too_late_is_said_once(roost: Roost) -> None:
    asks(roost)
    roost.clock.forward(minutes=11)
    assert standing(roost) == ("expired", None)
    for _ in range(2):
        says(roost, code(roost))
    assert heard(roost, "owl")[1:] == [OVER]


def test_whoever_was_not_asked_hears_nothing_and_leaves_a_trace(roost: Roost) -> None:
    asks(roost)
    right = code(roost)
    says(roost, right, "mallory")
    says(roost, f"look: {right}", "sam", visibility="public")
    for who in ("mallory", "sam"):
        assert heard(roost, who) == []
        turns = roost.hub.conversation("acme", roost.conversation(who))["turns"]
        assert [one["reason"] for one in turns] == ["the code was said by an account that was not asked"]
    of_owl = roost.hub.conversation("acme", roost.conversation("owl"))["turns"]
    assert [one["account"] for one in of_owl if one["type"] == "proof.refused"] == [MALLORY, SAM]
    assert standing(roost) == ("open", 5)
    assert [one for one in roost.sky.messages if one["thread"] == "square"] == []


def test_a_tenant_may_want_no_answers_or_words_of_its_own(roost: Roost) -> None:
    roost.hub.set_templates("acme", '[en]\ncode_wrong = "Hm, no. Look again."')
    asks(roost)
    right = code(roost)
    says(roost, wrong(right))
    roost.hub.set_guidance("acme", {"codes": {"answer": False}})
    says(roost, wrong(right, 2))
    says(roost, right)
    assert heard(roost, "owl")[1:] == ["Hm, no. Look again."]
    assert standing(roost, "kerry") == ("proven", None)


def test_it_speaks_the_customers_language(roost: Roost) -> None:
    says(roost, "Ich bin es", language="de")
    asks(roost)
    says(roost, wrong(code(roost)))
    assert heard(roost, "owl")[-1].startswith("Das war nicht der Code.")


def test_where_a_code_can_go_is_told(roost: Roost) -> None:
    claims(roost, OWL, KERRY)
    ends = {one["account"]: one for one in roost.hub.code_ends("acme", roost.conversation("owl"))}
    assert ends[OWL]["tells"] == {"channel": "tower", "how": "leg"}
    assert ends[OWL]["says"] == {"channel": "tower", "how": "private"}
    assert ends[KERRY]["tells"] == {"channel": "tower", "how": "begin"}
    assert ends[KERRY]["says"] == {"channel": "tower", "how": "public"}
    assert MALLORY not in ends


def test_what_would_prove_nothing_is_refused(roost: Roost) -> None:
    claims(roost, OWL, "email:kerry@mail.example")
    claims(roost, OWL, "phone:+15550147")
    conversation = roost.conversation("owl")
    for told, expected, why in (
        (OWL, OWL, "proves nothing"),
        (OWL, "email:kerry@mail.example", "anybody can write that From"),
        ("email:kerry@mail.example", OWL, "no channel may write to it first"),
    ):
        with pytest.raises(ProofRefused, match=why):
            roost.hub.ask_for_code("acme", conversation, told, expected, agent="dana")
    assert roost.sky.texts() == []
    spoken = roost.hub.ask_for_code("acme", conversation, KERRY, "phone:+15550147", agent="dana")
    roost.hub.drain()
    assert roost.hub.hear_code("acme", spoken["id"], code(roost), agent="dana")["state"] == "proven"


def test_a_code_from_one_hand_off_and_one_from_an_agent_do_not_void_each_other(roost: Roost) -> None:
    asks(roost)
    asks(roost, MALLORY, OWL)
    says(roost, code(roost))
    assert roost.conversation("owl") == roost.conversation("kerry")
    assert roost.conversation("mallory") != roost.conversation("kerry")
    assert bird("owl").account == Identifier.parse(OWL)


def test_what_we_ask_answers_nobody_whoever_the_customer_turns_out_to_be(roost: Roost) -> None:
    """Counted anew as accounts come together and part: only a person's answer ends the wait."""

    theirs = [roost.conversation(name) for name in ("kerry", "owl", "mallory")]

    def waits() -> list[Any]:
        return [roost.hub.conversation("acme", one).get("waiting_since") for one in theirs]

    before = waits()
    roost.clock.forward(seconds=10)
    asks(roost)
    assert waits() == before
    linked = roost.hub.link("acme", OWL, MALLORY, agent="dana")
    assert None not in waits()
    roost.hub.undo("acme", linked.id, agent="dana")
    assert waits() == before

"""A one-time code against whoever guesses, replays, forwards, comes late, or is not the one who was asked."""

import hmac
from typing import Any

import pytest
from raven import Roost, message
from raven.events import bird

from socialsupport_core.hub import Hub
from socialsupport_core.identity.proofs import ProofRefused, SmsCode, codes_in
from socialsupport_core.identity.proofs import code as code_module
from socialsupport_core.model import Identifier, InteractionReceived, Party
from socialsupport_core.store import Tx, identity

KERRY, OWL, MALLORY = "raven.ring:kerry", "raven.ring:owl", "raven.ring:mallory"


@pytest.fixture
def talking(roost: Roost) -> Roost:
    """Kerry in public, owl and mallory in private: three customers so far."""
    roost.hear(message(1, "help!", "kerry", visibility="public", at=roost.clock.now))
    roost.hear(message(2, "it is me, kerry", "owl", at=roost.clock.now))
    roost.hear(message(3, "it is me, kerry", "mallory", at=roost.clock.now))
    return roost


def asked(roost: Roost, told: str = OWL, expected: str = KERRY) -> dict[str, Any]:
    return roost.hub.challenge("acme", roost.conversation("kerry"), told, expected, agent="dana")


_count = iter(range(100, 1_000_000))


def says(roost: Roost, text: str, who: str = "kerry", **more: Any) -> None:
    more = {"visibility": "public" if who == "kerry" else "private", "at": roost.clock.now} | more
    roost.hear(message(next(_count), text, who, **more))


def refusals(roost: Roost) -> list[str]:
    return [one["data"]["reason"] for one in roost.log("proof.refused")]


def one_customer(roost: Roost, *names: str) -> bool:
    return len({roost.hub.customer("acme", str(bird(name).account))["id"] for name in names}) == 1


def state(roost: Roost) -> str:
    found: str = roost.hub.challenges("acme", roost.conversation("kerry"))[0]["state"]
    return found


def test_told_in_private_and_said_in_public_it_makes_them_one(talking: Roost) -> None:
    given = asked(talking)
    assert not one_customer(talking, "kerry", "owl")
    says(talking, f"My code is {given['code']}")
    assert one_customer(talking, "kerry", "owl")
    (evidence,) = talking.hub.explain("acme", OWL)["evidence"]
    assert (evidence["tier"], evidence["proof"], evidence["agent"]) == ("verified", "one_time_code", "dana")
    assert talking.conversation("kerry") == talking.conversation("owl")
    assert state(talking) == "proven"


def test_the_other_direction_serves_as_well(talking: Roost) -> None:
    given = asked(talking, told=KERRY, expected=OWL)
    says(talking, given["code"], "owl")
    assert one_customer(talking, "kerry", "owl")


def test_it_is_told_what_is_asked_and_what_came_of_it(talking: Roost) -> None:
    given = asked(talking)
    assert (given["told"], given["expected"], given["tries"], given["state"]) == (OWL, KERRY, 0, "open")
    says(talking, "000000" if given["code"] != "000000" else "111111")
    says(talking, given["code"])
    turns = talking.hub.conversation("acme", talking.conversation("kerry"))["turns"]
    told = [one["type"] for one in turns if one["type"] != "conversation.merged"]
    assert told == ["challenge.started", "proof.refused", "challenge.proven"]


@pytest.mark.parametrize("form", ["{a}{b}", "{a} {b}", "{a}-{b}", "code: {a}{b}.", "({a}{b})", "**{a}{b}**"])
def test_people_write_it_in_many_ways(talking: Roost, form: str) -> None:
    code = asked(talking)["code"]
    says(talking, form.format(a=code[:3], b=code[3:]))
    assert one_customer(talking, "kerry", "owl")


def test_digits_of_other_scripts_are_digits(talking: Roost) -> None:
    code = asked(talking)["code"]
    says(talking, "".join(chr(0x0660 + int(digit)) for digit in code))
    assert one_customer(talking, "kerry", "owl")


@pytest.mark.parametrize("text", ["1234567", "12345", "12 34 56", "a123456", "order 4711", ""])
def test_what_is_no_code_is_no_try(talking: Roost, text: str) -> None:
    assert codes_in(text) == []
    asked(talking)
    says(talking, text)
    assert (state(talking), refusals(talking)) == ("open", [])


# guessing


def wrong(code: str, count: int) -> list[str]:
    return [f"{(int(code) + step) % 1_000_000:06}" for step in range(1, count + 1)]


def test_five_tries_and_it_is_void(talking: Roost) -> None:
    code = asked(talking)["code"]
    for guess in wrong(code, 5):
        says(talking, guess)
    assert state(talking) == "spent"
    says(talking, code)
    assert not one_customer(talking, "kerry", "owl")
    assert [reason.split(";")[0].split(",")[0] for reason in refusals(talking)] == ["the code was wrong"] * 5


def test_the_fifth_may_be_right(talking: Roost) -> None:
    code = asked(talking)["code"]
    for guess in wrong(code, 4):
        says(talking, guess)
    says(talking, code)
    assert one_customer(talking, "kerry", "owl")


def test_many_guesses_in_one_message_are_many_tries(talking: Roost) -> None:
    code = asked(talking)["code"]
    says(talking, " ".join([*wrong(code, 20), code]))
    assert state(talking) == "spent"
    assert not one_customer(talking, "kerry", "owl")


def test_an_account_is_asked_five_times_a_day(talking: Roost) -> None:
    for _ in range(5):
        asked(talking)
    with pytest.raises(ProofRefused, match="asked 5 times today"):
        asked(talking)
    talking.clock.forward(days=1, seconds=1)
    asked(talking)


def test_a_new_code_replaces_the_old_one(talking: Roost) -> None:
    old = asked(talking)["code"]
    new = asked(talking)["code"]
    assert old != new
    says(talking, old)
    assert not one_customer(talking, "kerry", "owl")
    says(talking, new)
    assert one_customer(talking, "kerry", "owl")


def test_a_code_told_to_somebody_else_voids_nobodys(talking: Roost) -> None:
    """Kerry has come with one link, mallory with another that was meant for kerry: both were told a code."""
    hers = asked(talking, told=OWL)["code"]
    asked(talking, told=MALLORY)
    says(talking, hers)
    assert one_customer(talking, "kerry", "owl")
    assert not one_customer(talking, "kerry", "mallory")
    assert refusals(talking) == []


def test_a_guess_is_a_try_at_every_code_that_is_open(talking: Roost) -> None:
    first = asked(talking, told=OWL)["code"]
    second = asked(talking, told=MALLORY)["code"]
    guesses = [one for one in wrong(first, 9) if one != second][:5]
    for guess in guesses:
        says(talking, guess)
    assert len(refusals(talking)) == 5
    for code in (first, second):
        says(talking, code)
    assert {one["state"] for one in talking.hub.challenges("acme", talking.conversation("kerry"))} == {"spent"}
    assert not one_customer(talking, "kerry", "owl")
    assert not one_customer(talking, "kerry", "mallory")


def test_tries_are_counted_by_all_processes_together(talking: Roost) -> None:
    code = asked(talking)["code"]
    for guess in wrong(code, 3):
        says(talking, guess)
    talking.reopen()
    for guess in wrong(code, 5)[3:]:
        says(talking, guess)
    assert state(talking) == "spent"


# replay, time, the wrong one


def test_it_works_once(talking: Roost) -> None:
    code = asked(talking)["code"]
    says(talking, code)
    says(talking, code, "mallory")
    says(talking, code)
    assert not one_customer(talking, "kerry", "mallory")
    assert len(talking.hub.explain("acme", KERRY)["evidence"]) == 1


def test_the_same_webhook_again_is_no_second_try(talking: Roost) -> None:
    asked(talking)
    said = message(77, "000 000", "kerry", visibility="public", at=talking.clock.now)
    for _ in range(6):
        talking.hear(said)
    assert talking.hub.challenges("acme", talking.conversation("kerry"))[0]["tries"] == 1


@pytest.mark.parametrize(("seconds", "holds"), [(600, True), (601, False)])
def test_it_lives_for_ten_minutes(talking: Roost, seconds: int, holds: bool) -> None:
    code = asked(talking)["code"]
    talking.clock.forward(seconds=seconds)
    says(talking, code)
    assert one_customer(talking, "kerry", "owl") is holds
    assert refusals(talking) == ([] if holds else ["the code has expired"])


def test_a_moment_of_ones_own_choosing_does_not_revive_it(talking: Roost) -> None:
    code, then = asked(talking)["code"], talking.clock.now
    talking.clock.forward(hours=1)
    says(talking, code, at=then)
    assert refusals(talking) == ["the code has expired"]


def test_another_account_that_says_it_is_refused_and_recorded(talking: Roost) -> None:
    code = asked(talking)["code"]
    says(talking, code, "mallory")
    assert not one_customer(talking, "mallory", "kerry")
    assert not one_customer(talking, "mallory", "owl")
    assert refusals(talking) == ["the code was said by an account that was not asked"]
    assert talking.log("proof.refused")[0]["data"]["account"] == MALLORY


def test_said_where_it_was_told_it_proves_nothing(talking: Roost) -> None:
    code = asked(talking)["code"]
    says(talking, code, "owl")
    assert "belongs into the other channel" in refusals(talking)[0]
    assert state(talking) == "open"


def test_strangers_cannot_spend_the_tries_of_others(talking: Roost) -> None:
    code = asked(talking)["code"]
    for guess in wrong(code, 9):
        says(talking, guess, "mallory")
    says(talking, code)
    assert one_customer(talking, "kerry", "owl")


def test_an_account_proves_nothing_to_itself(talking: Roost) -> None:
    with pytest.raises(ProofRefused, match="name another"):
        asked(talking, KERRY, KERRY)


def test_another_tenant_has_other_codes(talking: Roost) -> None:
    talking.hear(message(1, "help!", "kerry", visibility="public", at=talking.clock.now), tenant="rival")
    code = asked(talking)["code"]
    said = message(50, code, "kerry", visibility="public", at=talking.clock.now)
    talking.hear(said, tenant="rival")
    assert state(talking) == "open"
    assert talking.log("challenge.proven", tenant="rival") == []


def test_nobody_that_is_known_is_a_clear_error(talking: Roost) -> None:
    with pytest.raises(ProofRefused, match="nobody is known as"):
        asked(talking, "raven.ring:nobody", KERRY)
    with pytest.raises(ProofRefused, match="write kind:value"):
        asked(talking, "kerry", OWL)


# the store, and time


def test_the_store_does_not_know_the_code(talking: Roost) -> None:
    given = asked(talking)
    assert given["id"] in (dump := talking.dump())
    assert given["code"] not in dump


def test_every_comparison_is_of_digests_in_constant_time(talking: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many digits are right, two digests of one length are compared, by the function made for it."""
    seen: list[tuple[str, str]] = []

    class Spy:
        @staticmethod
        def compare_digest(one: str, other: str) -> bool:
            seen.append((one, other))
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(code_module, "hmac", Spy)
    code = asked(talking)["code"]
    nearly = f"{code[:5]}{(int(code[5]) + 1) % 10}"
    says(talking, nearly)
    says(talking, wrong(code, 500)[-1])
    says(talking, code)
    assert [len(one) == len(other) == 32 and code not in (one, other) for one, other in seen] == [True] * 3
    assert [one == other for one, other in seen] == [False, False, True]


# by telephone


def test_an_agent_types_what_was_said_by_telephone(talking: Roost) -> None:
    given = asked(talking)
    done = talking.hub.hear_code("acme", given["id"], f" {given['code'][:3]} {given['code'][3:]} ", agent="dana")
    assert done["state"] == "proven"
    assert one_customer(talking, "kerry", "owl")


def test_an_agents_guesses_are_tries_as_well(talking: Roost) -> None:
    given = asked(talking)
    for guess in wrong(given["code"], 5):
        with pytest.raises(ProofRefused, match="the code was wrong"):
            talking.hub.hear_code("acme", given["id"], guess, agent="dana")
    with pytest.raises(ProofRefused, match="ask for a new one"):
        talking.hub.hear_code("acme", given["id"], given["code"], agent="dana")


@pytest.mark.parametrize("wrong_id", ["chl_nobody", ""])
def test_there_must_be_a_challenge(talking: Roost, wrong_id: str) -> None:
    hub: Hub = talking.hub
    with pytest.raises(ProofRefused, match="ask for a new one"):
        hub.hear_code("acme", wrong_id, "123456", agent="dana")
    with pytest.raises(ProofRefused, match="six digits"):
        hub.hear_code("acme", asked(talking)["id"], "twelve", agent="dana")


# by SMS

NUMBER = Identifier(kind="phone", value="+15550147")


@pytest.fixture
def texting(talking: Roost) -> Roost:
    """Somebody has written from a number, as by SMS."""
    talking.hear(by_sms(4, "hello", talking))
    return talking


def by_sms(number: int, text: str, roost: Roost) -> InteractionReceived:
    said = message(number, text, "sms", at=roost.clock.now)
    written = said.interaction.model_copy(update={"author": Party(identifiers=(NUMBER,))})
    return said.model_copy(update={"interaction": written})


def test_a_code_sent_to_a_number_proves_the_number(texting: Roost) -> None:
    given = asked(texting, told=str(NUMBER), expected=OWL)
    assert given["proof"] == "sms_code"
    says(texting, given["code"], "owl")
    customers = {texting.hub.customer("acme", one)["id"] for one in (OWL, str(NUMBER))}
    assert len(customers) == 1


def test_a_code_that_comes_from_a_number_proves_nothing(texting: Roost) -> None:
    """Whoever sends an SMS chooses its sender."""
    given = asked(texting, told=OWL, expected=str(NUMBER))
    texting.hear(by_sms(5, given["code"], texting))
    assert "anybody could have written this" in refusals(texting)[0]
    assert texting.hub.challenges("acme", texting.conversation("kerry"))[0]["tries"] == 0


def test_an_sms_goes_to_a_number(talking: Roost) -> None:
    with pytest.raises(ProofRefused, match="an SMS goes to a phone number"):
        talking.hub._database.do(lambda tx: _begin_by_sms(tx, OWL, KERRY))


def _begin_by_sms(tx: Tx, told: str, expected: str) -> None:
    ends = [identity.find(tx, "acme", Identifier.parse(one)) for one in (told, expected)]
    assert ends[0]
    assert ends[1]
    SmsCode().begin(tx, "acme", *ends, id="x", conversation="c", agent="dana", at=0, random=bytes)

"""Each condition of a rule, tuning what is shipped, and rules of one's own."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from socialsupport_core.contract import Registry
from socialsupport_core.guidance.policy import Rules, Situation, complains, is_angry, judge, shipped
from socialsupport_core.guidance.policy.words import amounts, shouted
from socialsupport_core.model import (
    Choice,
    DeleteMessage,
    EditMessage,
    Intent,
    Interaction,
    OpenPrivate,
    Party,
    SendMessage,
    Template,
    Thread,
)
from socialsupport_core.model.interaction import Attachment, Reach

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SQUARE, DM = Thread(id="post", visibility="public"), Thread(id="dm", visibility="private")


def sent(text: str | None = "Hello.", thread: Thread = DM, **more: Any) -> SendMessage:
    return SendMessage(key="k", own_account="acme", thread=thread, text=text, **more)


def rules(intent: Intent, given: dict[str, Any] | None = None, **more: Any) -> list[str]:
    how = {"channel": "bot", "network": "telegram", "agent": "dana", "at": NOW} | more
    return [one.rule for one in judge(Rules.model_validate(given or {}), Situation(intent, **how))]


def heard(text: str, minutes: float = 1, thread: Thread = DM, direction: Any = "inbound", **more: Any) -> Interaction:
    return Interaction(
        network="telegram",
        native_id=f"{text}{minutes}",
        kind="message",
        direction=direction,
        own_account="acme",
        thread=thread,
        author=Party(),
        text=text,
        sent_at=NOW - timedelta(minutes=minutes),
        **more,
    )


def own(**rule: Any) -> dict[str, Any]:
    return {"rules": {"mine": {"verdict": "refuse", "reason": "house rule", **rule}}}


def test_every_shipped_rule_says_what_and_why_and_what_to_do() -> None:
    for name, one in shipped().items():
        assert one.verdict in {"refuse", "approval", "warn"}, name
        assert one.reason, name
        assert one.remedy, name


def test_the_place_is_marked() -> None:
    (found,) = judge(Rules(), Situation(sent("Well, shut up now."), "bot", "telegram", "dana", NOW))
    assert (found.rule, found.verdict, found.spans) == ("no_rudeness", "refuse", ((6, 13),))


@pytest.mark.parametrize(
    "intent",
    [
        sent("shut up"),
        sent("fine", subject="shut up"),
        sent("fine", choices=(Choice(title="Shut up", value="x"),)),
        sent("fine", attachments=(Attachment(name="shut up.pdf", blob="0" * 64),)),
        sent("fine", attachments=(Attachment(text="shut up", blob="0" * 64),)),
        sent(None, template=Template(name="t", language="en", parameters=("shut up",))),
        EditMessage(key="k", own_account="acme", thread=DM, text="shut up"),
        OpenPrivate(key="k", own_account="acme", thread=SQUARE, text="shut up"),
    ],
)
def test_it_holds_for_every_way_a_text_goes_out_on_every_network(intent: Intent) -> None:
    networks = sorted(Registry.discover().connectors)
    assert len(networks) > 10
    for network in networks:
        assert rules(intent, network=network, channel=network) == ["no_rudeness"], network


def test_what_says_nothing_is_not_judged() -> None:
    assert rules(DeleteMessage(key="k", own_account="acme", thread=DM), own(agents=["dana"])) == []


def test_a_private_thread_that_is_opened_from_public_is_private() -> None:
    said = "We'll refund you right away."
    assert rules(sent(said, SQUARE)) == ["compensation_in_public"]
    assert rules(OpenPrivate(key="k", own_account="acme", thread=SQUARE, text=said)) == []


def test_unless_looks_at_the_same_sentence_only() -> None:
    assert rules(sent("We can't refund you.", SQUARE)) == []
    assert rules(sent("We can't repair it. We will refund you.", SQUARE)) == ["compensation_in_public"]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("$1,250.00", 1250.0),
        ("1.250,50 €", 1250.5),
        ("1 250 EUR", 1250.0),
        ("CHF 1'250", 1250.0),
        ("99.90 USD", 99.9),
        ("£5", 5.0),
        ("20 euros", 20.0),
    ],
)
def test_amounts_however_they_are_written(written: str, amount: float) -> None:
    assert [one for one, _ in amounts(f"it is {written}.")] == [amount]


@pytest.mark.parametrize(("amount", "found"), [(100, []), (101, ["large_amount"]), (5000, ["large_amount"])])
def test_an_amount_above_the_limit(amount: int, found: list[str]) -> None:
    assert rules(sent(f"I have credited {amount} EUR to your account.")) == found


def test_a_tenant_sets_its_own_limit_and_switches_rules_off() -> None:
    said = sent("I have credited 400 EUR to your account.")
    assert rules(said, {"rules": {"large_amount": {"amount_above": 500}}}) == []
    assert rules(said, {"rules": {"large_amount": {"verdict": "off"}}}) == []
    strict = {"rules": {"large_amount": {"verdict": "refuse", "networks": ["telegram"], "reason": "no"}}}
    (found,) = judge(Rules.model_validate(strict), Situation(said, "bot", "telegram", "dana", NOW))
    assert (found.verdict, found.reason, found.remedy) == ("refuse", "no", shipped()["large_amount"].remedy)
    assert rules(said, strict, network="email") == []


def test_a_condition_is_taken_away_by_an_empty_value() -> None:
    said = sent("We can't refund you.", SQUARE)
    assert rules(said, {"rules": {"compensation_in_public": {"unless": "", "pattern": "refund"}}}) == [
        "compensation_in_public"
    ]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"words": ["globex", "c++"]}, True),
        ({"words": ["globe"]}, False),
        ({"words": ["globex"], "channels": ["mail"]}, False),
        ({"words": ["globex"], "agents": ["lee"]}, False),
        ({"words": ["globex"], "visibility": "public"}, False),
        ({"words": ["globex"], "pattern": "better"}, True),
        ({"words": ["globex"], "pattern": "worse"}, False),
        ({"lacks": "kind regards"}, True),
        ({"lacks": "better"}, False),
        ({"longer_than": 10}, True),
        ({"longer_than": 1000}, False),
    ],
)
def test_a_rule_of_ones_own_without_python(rule: dict[str, Any], found: bool) -> None:
    assert rules(sent("We are better than Globex and C++."), own(**rule)) == (["mine"] if found else [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"rules": {"mine": {"verdict": "warn", "words": ["x"]}}}, "needs a reason"),
        ({"rules": {"mine": {"reason": "no", "words": ["x"]}}}, "needs a verdict"),
        ({"rules": {"mine": {"verdict": "warn", "reason": "no"}}}, "applies to everything"),
        (own(pattern="("), "is no regular expression"),
        ({"rules": {"Mine": {"verdict": "off"}}}, "pattern"),
        ({"rules": {"no_rudeness": {"verdict": "forbid"}}}, "verdict"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Rules.model_validate(given)


def test_a_pattern_that_never_ends_is_given_up_and_objects() -> None:
    begun = time.monotonic()
    given = own(pattern=r"(a|aa)+$")
    (found,) = judge(Rules.model_validate(given), Situation(sent("a" * 5000 + "!"), "bot", "t", "dana", NOW))
    assert "takes too long" in found.reason
    assert time.monotonic() - begun < 5


def test_shipped_patterns_are_quick_on_long_and_nasty_texts() -> None:
    for nasty in ("a " * 10_000, "we will " * 2_500, "1 000 " * 3_000, "WE " * 6_000, "your " * 4_000):
        begun = time.monotonic()
        found = judge(Rules(), Situation(sent(nasty, SQUARE), "x", "x", "dana", NOW, first=True))
        assert not [one for one in found if "takes too long" in one.reason], nasty[:10]
        assert time.monotonic() - begun < 3, nasty[:10]


def test_shouting_is_a_row_of_words_and_no_abbreviations() -> None:
    assert shouted("please READ THE MANUAL first", 3) == [(7, 22)]
    assert shouted("USB, HDMI, VGA and DVI", 3) == []
    assert shouted("NFC and GPS", 3) == []


def test_angry_messages_in_a_short_time_cool_off() -> None:
    angry = [heard("This is ridiculous", 1), heard("UNVERSCHÄMT!!!", 5), heard("quelle honte", 20)]
    assert rules(sent(), recent=tuple(angry)) == ["cooling_off"]
    assert rules(sent(), recent=tuple(angry[:2])) == []
    assert rules(sent(), recent=(*angry[:2], heard("a scam", 31))) == []
    assert rules(sent(), recent=(*angry[:2], heard("ridiculous", 2, direction="outbound"))) == []
    assert rules(sent(), recent=tuple(angry), written=False) == []
    assert rules(sent(), {"rules": {"cooling_off": {"heated": 4}}}, recent=tuple(angry)) == []


def test_a_complaint_that_many_have_read_is_answered_in_public_first() -> None:
    loud = heard("still no answer, my lamp is broken", thread=SQUARE, reach=Reach(followers=50_000))
    ours = heard("We see to it", 0.5, thread=SQUARE, direction="outbound")
    assert rules(sent(), recent=(loud,)) == ["in_public_first"]
    assert rules(sent("We see to it.", SQUARE), recent=(loud,)) == []
    assert rules(sent(), recent=(ours, loud)) == []
    assert rules(sent(), recent=(heard("broken", thread=SQUARE, reach=Reach(followers=50)),)) == []
    assert rules(sent(), recent=(heard("lovely", thread=SQUARE, reach=Reach(views=50_000)),)) == []


def test_the_first_answer_goes_where_the_customer_is() -> None:
    assert rules(sent(), first=True, spoken_on="mail") == ["first_where_the_customer_is"]
    assert rules(sent(), first=False, spoken_on="mail") == []
    assert rules(sent(), first=True, spoken_on="bot") == []


@pytest.mark.parametrize(("until", "found"), [("2026-11-21", []), ("2026-11-22", ["new_agents"])])
def test_whoever_is_new_has_a_colleague_read_along(until: str, found: list[str]) -> None:
    given = {"new_agents": {"dana": until}}
    assert Rules.model_validate(given).new_agents == {"dana": date.fromisoformat(until)}
    assert rules(sent(), given) == found
    assert rules(sent(), given, agent="lee") == []
    assert rules(sent(), given, written=False) == []


def test_words_that_complain_are_not_always_angry() -> None:
    assert complains("my lamp is broken")
    assert not is_angry("my lamp is broken")
    assert not complains("thank you, lovely lamp")

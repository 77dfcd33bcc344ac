"""What the customer has told: found by patterns, kept with its source, carried along, corrected, and forgotten."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raven import Roost, deleted, edited, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.conduct import DEFAULT, conduct_of
from socialsupport_core.conversation.context import extract, facts_in
from socialsupport_core.conversation.kinds import SHIPPED, same
from socialsupport_core.hub import NothingTold

TELLING = [
    ("My order 4711 has not come", [("order", "4711")]),
    ("Order number: AB-47110, please", [("order", "AB-47110")]),
    ("order #17?", [("order", "17")]),
    ("Order ID 123-4567890-1234567", [("order", "123-4567890-1234567")]),
    ("order no. 2026-000123 is late", [("order", "2026-000123")]),
    ("my order number is 98765.", [("order", "98765")]),
    ("Orders 4711 and 4712", [("order", "4711")]),
    ("Meine Bestellung 100234 fehlt", [("order", "100234")]),
    ("commande n° 445566", [("order", "445566")]),
    ("pedido 998877", [("order", "998877")]),
    ("Ticket INC0012345 is still open", [("reference", "INC0012345")]),
    ("case number 00123456", [("reference", "00123456")]),
    ("Rechnungsnummer RE-10023", [("invoice", "RE-10023")]),
    ("invoice 2026000123", [("invoice", "2026000123")]),
    ("account number 12345678", [("account", "12345678")]),
    ("my customer no is C-998877", [("account", "C-998877")]),
    ("membership number 123456", [("account", "123456")]),
    ("Kundennummer 123456", [("account", "123456")]),
    ("Meine Kundennummer lautet KD-123456", [("account", "KD-123456")]),
    ("write to kerry@acme.example", [("email", "kerry@acme.example")]),
    ("call +44 20 7946 0958", [("phone", "+44 20 7946 0958")]),
    ("I live at 12 High Street, Leeds LS1 4AB", [("address", "12 High Street, Leeds LS1 4AB")]),
    ("221B Baker Street, London", [("address", "221B Baker Street, London")]),
    ("my address is Elm Street 12, and I want", [("address", "Elm Street 12")]),
    ("Old Mill Road 7b, LS1 4AB", [("address", "Old Mill Road 7b, LS1 4AB")]),
    ("1600 Amphitheatre Ave, Springfield, IL 62704", [("address", "1600 Amphitheatre Ave, Springfield, IL 62704")]),
    ("Musterstraße 12, 10115 Berlin", [("address", "Musterstraße 12, 10115 Berlin")]),
    ("Lange Str. 5", [("address", "Lange Str. 5")]),
    ("12 rue de la Paix, 75002 Paris", [("address", "12 rue de la Paix, 75002 Paris")]),
    ("order 4711, mail k@acme.example", [("order", "4711"), ("email", "k@acme.example")]),
]
TELLS_NOTHING = """
Where is my parcel?
I ordered 100 pieces
my order from 2026-03-01
order 2026-03-01
I placed the order 2026
an order for 20 people
in case 12 of you come
In case 2024 is over
case closed on 12 March
my account was hacked in 2024
I have been a customer since 2019
there are 5000 of them in the street
it costs 1,299.00 €
version 10.0.19045.4046
I walked 12 miles
along Elm Street 12 minutes from here
we met in Elm Street 5pm
the shop in Bond Street 2024
Elm Street 5% off
see you at 5
4111 1111 1111 1111
DE89 3704 0044 0532 0130 00
""".strip().splitlines()


def pairs(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in facts_in(text)]


@pytest.mark.parametrize(("text", "told"), TELLING)
def test_what_a_text_tells(text: str, told: list[tuple[str, str]]) -> None:
    assert pairs(text) == told
    for one in facts_in(f"Hello! {text}"):
        assert one.value in f"Hello! {text}"[one.start : one.end]


@pytest.mark.parametrize("text", TELLS_NOTHING)
def test_what_tells_nothing(text: str) -> None:
    """Numbers of cards and bank accounts least of all: nobody should have them."""
    assert pairs(text) == []


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    found = facts_in(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert facts_in(text) == found


@pytest.mark.parametrize("unit", ["order 1", "1 A ", "order number ", "-", "order #", "12 High ", "straße 1 "])
def test_a_text_of_four_times_the_length_takes_no_more_than_a_few_times_as_long(unit: str) -> None:
    def spent(size: int) -> float:
        text, began = unit * (size // len(unit)), time.process_time()
        facts_in(text)
        return time.process_time() - began

    short, long = (min(spent(size) for _ in range(5)) for size in (2_000, 8_000))
    assert long < 14 * max(short, 0.005)


SHREDS = st.sampled_from(
    ["order", "Order", "ORDERS", "ticket", "reorder", " ", "  ", "#", "no. ", "4711", "AB-1234", ":", "x"]
)


@given(st.lists(SHREDS, max_size=12).map("".join))
def test_looking_at_the_places_of_hints_finds_what_looking_everywhere_finds(text: str) -> None:
    for kind in SHIPPED:
        assert list(kind.found_in(text)) == list(replace(kind, leading=False).found_in(text))


def test_spellings_of_one_value_are_the_same() -> None:
    assert same("AB-47 11") == same("ab4711") != same("ab4712")


def test_bots_and_we_ourselves_tell_nothing() -> None:
    said = message(1, "order 4711").interaction
    assert extract(said)
    assert extract(message(1, "order 4711", outbound=True).interaction) == ()
    robot = said.author.model_copy(update={"is_bot": True})
    assert extract(said.model_copy(update={"author": robot})) == ()


def test_a_pressed_button_and_a_subject_tell_too() -> None:
    said = message(1, "yes please", subject="Order 4711", choice="WH-1000XM5").interaction
    assert [(one.kind, one.value) for one in extract(said)] == [("order", "4711"), ("choice", "WH-1000XM5")]


# by the tenant's own patterns


def conduct(**context: Any) -> Any:
    return conduct_of({"context": context})


def test_a_tenants_pattern_comes_first_and_its_group_is_the_value() -> None:
    own = conduct(contract_no={"pattern": r"contract\s+(Z\d+)", "label": "Contract"})
    assert [(one.kind, one.value) for one in facts_in("contract Z99887 and order 4711", own)] == [
        ("contract_no", "Z99887"),
        ("order", "4711"),
    ]
    assert own.by_name["contract_no"].label == "Contract"


def test_a_tenants_pattern_takes_the_place_of_the_shipped_one_of_that_name() -> None:
    own = conduct(order={"pattern": r"\bZ-\d{3}\b"})
    assert [(one.kind, one.value) for one in facts_in("order 4711, z-123", own)] == [("order", "z-123")]
    assert facts_in("order 4711", conduct(order={"pattern": ""})) == ()


def test_words_are_products_of_a_tenant() -> None:
    own = conduct(product={"pattern": "lamp|shade", "public": True})
    assert [one.value for one in facts_in("The Lamp and its shade are broken", own)] == ["Lamp", "shade"]


def test_a_pattern_that_takes_for_ever_finds_nothing_and_holds_nobody_up() -> None:
    own = conduct(bad={"pattern": r"(a+)+$"})
    began = time.monotonic()
    assert [one.kind for one in facts_in("a" * 5000 + "! order 4711", own)] == ["order"]
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"order": {"pattern": "("}}, "context.order.pattern: is no regular expression"),
        ({"order": {"pattern": "x*"}}, "would find nothing everywhere"),
        ({"Bad name": {"pattern": "x"}}, "a-z, 0-9 and _"),
        ({"order": {"pattern": "x", "colour": 1}}, "context.order.colour"),
    ],
)
def test_a_pattern_that_is_none_is_refused(roost: Roost, given_: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        roost.hub.set_conduct("acme", context=given_)
    assert roost.hub.conduct("acme") == {}


# in a conversation


def context(roost: Roost, name: str = "kerry") -> list[tuple[str, str]]:
    found = roost.hub.conversation("acme", roost.conversation(name))["context"]
    return [(one["kind"], one["value"]) for one in found]


def say(roost: Roost, number: int, text: str, name: str = "kerry", **more: Any) -> Any:
    said = message(number, text, name, at=roost.clock.now, **more)
    roost.hear(said)
    return said


def test_it_is_carried_across_legs_with_its_source_and_time(roost: Roost) -> None:
    say(roost, 1, "my order 4711 is late", visibility="public")
    roost.clock.forward(minutes=1)
    say(roost, 2, "my customer number is 12345678")
    shown = roost.hub.conversation("acme", roost.conversation())
    order, account = shown["context"]
    assert (order["label"], order["visibility"], order["interaction"]) == ("Order", "public", shown["entries"][0]["id"])
    assert (account["value"], account["at"], account["state"]) == ("12345678", "2026-03-01T13:01:00Z", "told")


def test_a_value_told_twice_is_shown_once_and_newest(roost: Roost) -> None:
    say(roost, 1, "order AB-4711")
    roost.clock.forward(hours=1)
    say(roost, 2, "the order is ab4711!")
    (one,) = roost.hub.conversation("acme", roost.conversation())["context"]
    assert (one["value"], one["at"]) == ("ab4711", "2026-03-01T14:00:00Z")


def test_what_belongs_to_the_person_is_known_in_the_next_matter_and_what_belongs_to_the_matter_is_not(
    roost: Roost,
) -> None:
    say(roost, 1, "order 4711, my customer number is 12345678")
    roost.hub.resolve("acme", roost.conversation(), agent="dana")
    roost.clock.forward(days=9)
    say(roost, 2, "something else")
    assert context(roost) == [("account", "12345678")]


def test_it_comes_along_with_the_customer_and_leaves_with_him(roost: Roost) -> None:
    say(roost, 1, "my customer number is 12345678", "kerry")
    say(roost, 2, "order 4711", "robin")
    verdict = roost.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="dana")
    assert context(roost) == [("order", "4711"), ("account", "12345678")]
    roost.hub.undo("acme", verdict.id, agent="dana")
    assert context(roost, "kerry") == [("account", "12345678")]
    assert context(roost, "robin") == [("order", "4711")]


def test_it_goes_with_its_leg(roost: Roost) -> None:
    say(roost, 1, "order 4711", visibility="public")
    say(roost, 2, "order 4712")
    con = roost.conversation()
    legs = roost.hub.conversation("acme", con)["legs"]
    new = roost.hub.split_conversation("acme", con, legs=[legs[1]["id"]], agent="dana").conversations[-1]
    told = [roost.hub.conversation("acme", one)["context"] for one in (con, new)]
    assert [[one["value"] for one in each] for each in told] == [["4711"], ["4712"]]


def test_an_edit_tells_anew_and_a_deletion_takes_back(roost: Roost) -> None:
    said = say(roost, 1, "order 4711, customer number 12345678")
    roost.hear(edited(said, "order 4712, customer number 12345678", 7200))
    assert context(roost) == [("order", "4712"), ("account", "12345678")]
    roost.hear(deleted(said, 7300))
    assert context(roost) == []


def test_an_edit_that_came_first_tells_what_it_says(roost: Roost) -> None:
    said = message(1, "order 4711", at=roost.clock.now)
    roost.hear(edited(said, "order 4712", 7200))
    roost.hear(said)
    assert context(roost) == [("order", "4712")]


def test_by_the_tenants_patterns_from_then_on(roost: Roost) -> None:
    say(roost, 1, "Z-123 is my order")
    assert context(roost) == []
    roost.hub.set_conduct("acme", context={"order": {"pattern": r"\bZ-\d{3}\b", "label": "Order", "topic": True}})
    say(roost, 2, "Z-123 I said")
    assert context(roost) == [("order", "Z-123")]
    roost.hub.set_conduct("acme")
    say(roost, 3, "Z-124")
    assert context(roost) == [("order", "Z-123")], "what was told stays told"
    assert roost.hub.conduct("acme") == {}


# by an agent


def test_it_is_corrected_removed_and_restored(roost: Roost) -> None:
    say(roost, 1, "order 4711, my customer number is 12345678")
    con = roost.conversation()
    changed = roost.hub.change_context("acme", con, "order", "4711", agent="dana", corrected="4712")
    assert (changed[0]["value"], changed[0]["told"], changed[0]["agent"]) == ("4712", "4711", "dana")
    removed = roost.hub.change_context("acme", con, "account", "12345678", agent="dana")
    assert [(one["kind"], one["state"]) for one in removed] == [("order", "corrected"), ("account", "removed")]
    roost.hub.restore_context("acme", con, "order", "4712", agent="dana")
    restored = roost.hub.restore_context("acme", con, "account", "12345678", agent="dana")
    assert [(one["value"], one["state"]) for one in restored] == [("4711", "told"), ("12345678", "told")]
    told = [(one["data"]["kind"], one["data"]["state"]) for one in roost.log("conversation.context")]
    assert told == [("order", "corrected"), ("account", "removed"), ("order", "told"), ("account", "told")]
    assert all("value" not in one["data"] for one in roost.log("conversation.context"))


def test_what_nobody_told_is_not_corrected(roost: Roost) -> None:
    say(roost, 1, "order 4711")
    with pytest.raises(NothingTold, match="no order like that was told"):
        roost.hub.change_context("acme", roost.conversation(), "order", "4712", agent="dana")
    with pytest.raises(ConfigError, match="no agent"):
        roost.hub.change_context("acme", roost.conversation(), "order", "4711", agent="ghost")


def test_it_is_never_sent_by_itself(roost: Roost) -> None:
    say(roost, 1, "order 4711")
    roost.reply("We look into it.")
    roost.hub.drain()
    assert roost.sky.texts() == ["We look into it."]


# and forgotten


def test_erasure_leaves_nothing_of_it(roost: Roost) -> None:
    say(roost, 1, "my customer number is 31415926")
    roost.hub.change_context("acme", roost.conversation(), "account", "31415926", agent="dana", corrected="27182818")
    removed = roost.hub.erase("acme", "raven.ring:kerry", agent="dana")["removed"]
    assert removed["context"] == 1
    assert not {"31415926", "27182818"} & {one for one in ("31415926", "27182818") if one in roost.dump()}


def test_it_is_kept_no_longer_than_what_told_it(roost: Roost) -> None:
    roost.hub.set_retention("acme", interactions=30)
    say(roost, 1, "my customer number is 31415926")
    roost.clock.forward(days=20)
    say(roost, 2, "order 4711")
    roost.clock.now += timedelta(days=15)
    roost.hub.drain()
    assert context(roost) == [("order", "4711")]


def test_the_kinds_that_are_shipped_are_named_once() -> None:
    assert len({one.name for one in SHIPPED}) == len(SHIPPED) == len(DEFAULT.by_name)

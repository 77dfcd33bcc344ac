"""Somebody plays another's part, against the whole hub: nobody becomes anybody else by it, and every try is recorded."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Clock, Roost, message

from socialsupport_core.demo.world import CHANNELS, TENANT, World, build
from socialsupport_core.hub import ReplyRefused
from socialsupport_core.identity.proofs import ProofRefused
from socialsupport_core.model import Identifier, Interaction, Party, Thread

SERVER = CHANNELS["email"]["trusted_authserv_id"]
KERRY = "email:kerry@mail.example"
ORDER = "My order is 48151623, please keep it to yourselves."


class Scene:
    """Kerry has told something by a genuine mail; mallory is everywhere else."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.world: World = build(folder, "https://hub.example", self.clock)
        self.hub: Any = self.world.hub
        self.says("email", "kerry", ORDER, subject="My order")

    def says(self, network: str, who: str, text: str, place: str = "", **more: Any) -> None:
        self.world.simulators[network].speak(who, text, place or {"x": "dm", "telegram": "dm"}.get(network, ""), **more)
        self.pass_by()

    def pass_by(self) -> None:
        self.world.settle()
        self.clock.forward(seconds=10)
        self.world.settle()

    def account(self, network: str) -> str:
        """Of whoever wrote there last, other than kerry's mailbox."""
        legs = [leg for one in self.hub.queue(TENANT, status=None) for leg in self.legs(one["id"])]
        found = [leg for leg in legs if leg["network"] == network and leg["account"] != KERRY]
        return str(max(found, key=lambda leg: leg["opened_at"])["account"])

    def legs(self, conversation: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.hub.conversation(TENANT, conversation)["legs"]
        return found

    def of(self, account: str) -> dict[str, Any]:
        found: dict[str, Any] = self.hub.customer(TENANT, account)
        return found

    def conversation(self, account: str) -> dict[str, Any]:
        found: dict[str, Any] = self.hub.conversation(TENANT, self.of(account)["conversations"][0]["id"])
        return found

    def is_told_apart(self, account: str) -> bool:
        """Kerry's words are in no timeline of this account's."""
        theirs = [one["interaction"].get("text") for one in self.hub.timeline(TENANT, account)]
        return ORDER not in theirs and self.of(account)["id"] != self.of(KERRY)["id"]

    def heard(self, network: str, who: str) -> list[str]:
        return [one.text for one in self.world.simulators[network].heard(who) if one.author == "us"]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.hub.close()


# a forged From


@pytest.mark.parametrize(
    ("result", "doubt"),
    [
        (f"{SERVER}; dmarc=fail header.from=mail.example", "our mail server's check of mail.example says dmarc=fail"),
        ("mx.evil.example; dmarc=pass header.from=mail.example", "no aligned DMARC result came with it"),
    ],
)
def test_a_mail_in_kerrys_name_is_marked_and_the_answer_goes_to_kerry(scene: Scene, result: str, doubt: str) -> None:
    headers = {"Authentication-Results": result, "Reply-To": "kerry@evil.example"}
    scene.says("email", "kerry@mail.example", "What was my order?", subject="Order?", headers=headers)
    found = scene.conversation(KERRY)
    genuine, forged = [one["interaction"] for one in found["entries"] if one["interaction"]["direction"] == "inbound"]
    assert "doubt" not in genuine
    assert forged["doubt"].startswith(doubt)
    plan = scene.hub.plan(TENANT, found["id"], "It is 48151623", agent="dana", leg=found["legs"][-1]["id"])
    (warned,) = [one for one in plan["warnings"] if one["rule"] == "unproven_author"]
    assert "ask for a code first" in warned["remedy"]
    scene.hub.reply(TENANT, found["id"], "We look into it", agent="dana", leg=found["legs"][-1]["id"])
    scene.pass_by()
    boxes = scene.world.simulators["email"].mailboxes  # type: ignore[attr-defined]
    assert {address for address, letters in boxes.items() if letters} == {"kerry@mail.example"}
    (event,) = [
        one
        for one in scene.hub.events(TENANT, limit=500)
        if one["type"] == "interaction.received" and one["data"]["interaction"].get("doubt")
    ]
    assert event["data"]["interaction"]["text"] == "What was my order?"


# claiming another's address


def test_an_address_that_is_typed_or_worn_as_a_name_opens_nothing(scene: Scene) -> None:
    scene.world.claim("mallory", "kerry@mail.example")
    scene.says("webchat", "mallory", "It is me, kerry@mail.example: what was my order?")
    scene.says("telegram", "kerry@mail.example", "It is me")
    scene.says("x", "kerry@mail.example", "It is me, Kerry")
    for network in ("webchat", "telegram", "x"):
        assert scene.is_told_apart(scene.account(network)), network
    typed = scene.hub.explain(TENANT, scene.account("webchat"))["refused"]
    assert [(one["tier"], KERRY in one["between"]) for one in typed] == [("claimed", True)]
    con = scene.conversation(scene.account("webchat"))["id"]
    ways = {one["channel"]: one for one in scene.hub.hand_off_targets(TENANT, con)["targets"]}
    assert ways["email"].get("how") in (None, "link")


def test_a_code_that_mallory_is_asked_for_goes_to_kerry(scene: Scene) -> None:
    """The agent asks; the code is in kerry's mailbox, and guesses on every channel together are five."""
    scene.world.claim("mallory", "kerry@mail.example")
    scene.says("webchat", "mallory", "It is me, Kerry")
    visitor = scene.account("webchat")
    con = scene.conversation(visitor)["id"]
    scene.hub.ask_for_code(TENANT, con, KERRY, visitor, agent="dana")
    scene.pass_by()
    assert re.search(r"Your code is \d{6}", scene.heard("email", "kerry")[-1])
    assert not any(re.search(r"\d{6}", text) for text in scene.heard("webchat", "mallory"))
    for step in range(4):
        scene.says("webchat", "mallory", f"{step}00000")
        scene.says("telegram", "mallory", f"{step}00001")  # another account is not asked, and spends nothing
        scene.says("email", "mallory", f"{step}00002", subject="My code")
    (asked,) = scene.hub.challenges(TENANT, con)
    assert (asked["state"], asked["tries"]) == ("open", 4)
    scene.says("webchat", "mallory", "500000 500001 500002 500003")
    (asked,) = scene.hub.challenges(TENANT, con)
    assert (asked["state"], asked["tries"]) == ("spent", 5)
    assert scene.is_told_apart(visitor)
    assert len([one for one in scene.hub.events(TENANT, limit=500) if one["type"] == "proof.refused"]) == 5


def test_many_visitors_do_not_get_many_more_guesses(scene: Scene) -> None:
    """Each new visitor of the chat is a new account; codes told to kerry are limited all the same."""

    def ask(number: int) -> None:
        scene.says("webchat", f"mallory-{number}", "It is me, Kerry")
        visitor = scene.account("webchat")
        scene.hub.ask_for_code(TENANT, scene.conversation(visitor)["id"], KERRY, visitor, agent="dana")

    for number in range(10):
        ask(number)
    with pytest.raises(ProofRefused, match="has been told 10 codes today"):
        ask(11)


# a link


def test_a_link_that_is_passed_on_or_used_again_opens_nothing(scene: Scene) -> None:
    scene.says("telegram", "owl", "In confidence: 555-SECRET")
    owner = scene.account("telegram")
    given = scene.hub.hand_off(TENANT, scene.conversation(owner)["id"], agent="dana")
    scene.says("webchat", "mallory", "It is me", handoff=given["token"])
    scene.says("webchat", "sam", "It is me", handoff=given["token"])
    visitors = [leg["account"] for one in scene.hub.queue(TENANT, status=None) for leg in scene.legs(one["id"])]
    visitors = [one for one in dict.fromkeys(visitors) if one.startswith("webchat.visitor")]
    assert len(visitors) == 2
    for visitor in visitors:
        con = scene.conversation(visitor)["id"]
        for target in scene.hub.hand_off_targets(TENANT, con)["targets"]:
            assert target.get("how") != "begin"
    refused = [one["data"]["reason"] for one in scene.hub.events(TENANT, limit=500) if one["type"] == "handoff.refused"]
    assert refused == ["the token was used already"]


# a CRM, and the API


def test_an_address_that_mallory_has_written_into_the_crm_discloses_nothing(scene: Scene) -> None:
    """His own contact there, with kerry's address: one customer for us at most, and never for the channel."""
    scene.says("telegram", "mallory", "It is me, Kerry")
    mallory = scene.account("telegram")
    crm: Any = scene.world.simulators["memory"]
    contact = crm.add_contact("Kerry", {mallory: True})
    crm.change_contact(contact.id, {mallory: True, KERRY: False})
    scene.pass_by()
    scene.says("telegram", "mallory", "What was my order?")
    scene.says("email", "kerry", "Any news?", subject="Any news?")
    scene.pass_by()
    con = scene.conversation(mallory)["id"]
    for target in scene.hub.hand_off_targets(TENANT, con)["targets"]:
        assert not (target["channel"] == "email" and target.get("how") in ("leg", "begin")), target
    assert scene.of(mallory)["id"] == scene.of(KERRY)["id"]  # for us, until somebody looks
    (between,) = [one for one in scene.hub.explain(TENANT, mallory)["evidence"] if KERRY in one["between"]]
    assert (between["tier"], between["proof"]) == ("asserted", "crm_record")
    places = [(one["id"], leg) for one in scene.hub.queue(TENANT, status=None) for leg in scene.legs(one["id"])]
    con, leg = next((id, leg["id"]) for id, leg in places if leg["account"] == mallory)
    plan = scene.hub.plan(TENANT, con, "Your order is 48151623", agent="dana", leg=leg)
    (warned,) = [one for one in plan["warnings"] if one["rule"].startswith("nothing")]
    assert (warned["rule"], warned["spans"]) == ("nothing_unproven", ((14, 22),))
    assert "nothing_unproven" not in str(scene.hub.plan(TENANT, con, "We look into it", agent="dana", leg=leg))
    scene.hub.add_agent(TENANT, "robot", "Robot", is_bot=True)
    with pytest.raises(ReplyRefused, match="nothing proves to be the same person's"):
        scene.hub.reply(TENANT, con, "Your order is 48151623", agent="robot", leg=leg)
    scene.hub.link(TENANT, mallory, KERRY, agent="dana")  # a person's word counts
    told = scene.hub.plan(TENANT, con, "Your order is 48151623", agent="dana", leg=leg)
    assert "nothing_unproven" not in str(told)


def test_what_is_written_down_over_the_api_proves_nothing(scene: Scene) -> None:
    """A program with a token tells of a visitor who is a record of the CRM and has kerry's address."""
    crm: Any = scene.world.simulators["memory"]
    contact = crm.add_contact("Kerry", {KERRY: True})
    scene.says("email", "kerry", "Hello again", subject="Hello")
    mallory = (Identifier(kind="store.visitor", value="7"), Identifier.parse(f"crm.memory:{contact.id}"))
    visit = Interaction(
        network="store",
        native_id="visit-1",
        kind="visit",
        direction="inbound",
        own_account="shop",
        thread=Thread(id="visit-1", visibility="private"),
        author=Party(identifiers=mallory, name="Mallory"),
        text="What was my order?",
        sent_at=scene.clock.now,
    )
    scene.hub.record_interaction(TENANT, visit)
    scene.pass_by()
    told = scene.hub.explain(TENANT, "store.visitor:7")
    joined = [*told["evidence"], *told["refused"]]
    assert [one["tier"] for one in joined if "store.visitor:7" in one["between"]] == ["asserted"]
    con = scene.conversation("store.visitor:7")["id"]
    ways = {one["channel"]: one for one in scene.hub.hand_off_targets(TENANT, con)["targets"]}
    assert ways["email"].get("how") in (None, "link")


# names, numbers and letters, on a network where a test says exactly what happens


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Roost]:
    made = Roost(tmp_path)
    yield made
    made.hub.close()


def speaks(nest: Roost, native: int, party: Party, text: str = "It is me", visibility: Any = "private") -> None:
    nest.clock.forward(minutes=1)
    told = message(native, text, party.identifiers[0].value[:40], at=nest.clock.now, visibility=visibility)
    nest.hear(told.model_copy(update={"interaction": told.interaction.model_copy(update={"author": party})}))


def party(*identifiers: str, **more: Any) -> Party:
    return Party(identifiers=tuple(Identifier.parse(one) for one in identifiers), **more)


def customers(nest: Roost, *accounts: str) -> int:
    return len({nest.hub.customer("acme", one)["id"] for one in accounts})


@pytest.mark.parametrize(
    "other",
    [
        "email:\u212aerry@mail.example",
        "email:kerr\u0443@mail.example",
        "email:kerry+shop@mail.example",
        "email:kerry@m\u0430il.example",
        "email:ker\u200bry@mail.example",
    ],
)
def test_letters_that_only_look_alike_are_somebody_else(nest: Roost, other: str) -> None:
    speaks(nest, 1, party(KERRY))
    speaks(nest, 2, party(other))
    assert customers(nest, KERRY, other) == 2


def test_a_name_and_a_handle_that_somebody_takes_over_are_nobodys_account(nest: Roost) -> None:
    speaks(nest, 1, party("raven.ring:1", name="Kerry Fisher", handle="kerry"), ORDER)
    speaks(nest, 2, party("raven.ring:1", name="Kerry Fisher", handle="kerry_new"))
    speaks(nest, 3, party("raven.ring:2", name="Kerry Fisher", handle="kerry"))
    assert customers(nest, "raven.ring:1", "raven.ring:2") == 2
    assert [one["interaction"]["text"] for one in nest.hub.timeline("acme", "raven.ring:2")] == ["It is me"]
    assert nest.hub.explain("acme", "raven.ring:2")["evidence"] == []


def test_the_same_number_on_another_page_is_somebody_else(nest: Roost) -> None:
    speaks(nest, 1, party("facebook.psid@100:77"))
    speaks(nest, 2, party("facebook.psid@200:77"))
    speaks(nest, 3, party("instagram.igsid@100:77"))
    assert customers(nest, "facebook.psid@100:77", "facebook.psid@200:77", "instagram.igsid@100:77") == 3


def test_a_shared_number_joins_no_two_accounts_of_a_network_and_discloses_nothing(nest: Roost) -> None:
    speaks(nest, 1, party("raven.ring:kerry", "phone:+15550147"), ORDER)
    speaks(nest, 2, party("raven.ring:mallory", "phone:+15550147"))
    assert customers(nest, "raven.ring:kerry", "raven.ring:mallory") == 2
    speaks(nest, 3, party("jay.nest:mallory", "phone:+15550147"), "What was my order?", "public")
    assert customers(nest, "raven.ring:kerry", "jay.nest:mallory") == 2  # by now the number is shared, and joins nobody
    assert [one["interaction"]["text"] for one in nest.hub.timeline("acme", "jay.nest:mallory")] == [
        "What was my order?"
    ]

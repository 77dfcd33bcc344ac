"""A hand-off between any two networks, in both directions: the customer really comes, and it is one conversation.

Everything runs on the simulators; what is said to the customer is read where the customer reads it.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networks
import pytest
from raven import Clock

from socialsupport_core.demo.world import CHANNELS, TENANT, World, build
from socialsupport_core.hub import Hub, ReplyRefused

WRITING = ("telegram", "x", "email", "webchat")
EVERYWHERE = (*WRITING, *networks.JOINING)
PLACES = {"telegram": "dm", "x": "dm"}
FORGEABLE = {"email", "twilio"}
"""Whose author anybody can feign: a code that comes from there proves nothing by itself."""
PAIRS = [(one, other) for one in EVERYWHERE for other in EVERYWHERE if one != other and {one, other} != FORGEABLE]
REFERRING = ("facebook", "instagram")
"""Their links tell whose they are beside the first message, and not in it."""
ON_A_SERVER = [
    pytest.param(one, EVERYWHERE[place - 1], marks=[pytest.mark.long] if place % 3 else [])
    for place, one in enumerate(EVERYWHERE)
]
"""Each once at either end."""
SERVER = CHANNELS["email"]["trusted_authserv_id"]


class Town:
    """Somebody who is `kerry` on every network, and nobody knows that it is one person."""

    def __init__(self, folder: Path, store: str | Path | None = None, *, everywhere: bool = False) -> None:
        self.clock = Clock()
        registry = networks.registry() if everywhere else None
        self.world: World = build(folder, "https://hub.example", self.clock, registry, store)
        if everywhere:
            networks.join(self.world)
        self.hub: Hub = self.world.hub

    def says(self, network: str, text: str, place: str | None = None, **more: Any) -> None:
        where = PLACES.get(network, "") if place is None else place
        self.world.simulators[network].speak("kerry", text, where, **more)
        self.pass_by()

    def pass_by(self, **span: float) -> None:
        self.world.settle()
        self.clock.forward(**(span or {"minutes": 1}))
        self.world.settle()

    def comes(self, network: str, token: str) -> None:
        """Follows the link, by the way that it offers on this network."""
        ways = {way["network"]: way["url"] for way in self.hub.handoff_ways(token) or []}
        assert set(ways) == {network}, "the link was given for one channel"
        simulator: Any = self.world.simulators[network]
        if network == "telegram":
            simulator.start("kerry", re.search(r"start=(\w+)", ways[network])[1])
            self.says(network, "here I am")
        elif network in REFERRING:
            simulator.happened("kerry", referral={"ref": token, "source": "SHORTLINK", "type": "OPEN_THREAD"})
            self.says(network, "here I am")
        elif network in ("x", "whatsapp", "line", "twilio"):  # it waits in the field where they write
            assert token in ways[network]
            self.says(network, token)
        elif network == "email":
            address = ways[network].removeprefix("mailto:").split("?")[0]
            self.says(network, "here I am", to=address, subject="Hello")
        else:
            self.says(network, "here I am", handoff=re.search(r"handoff=(\w+)", ways[network])[1])

    def conversations(self) -> list[dict[str, Any]]:
        return self.hub.queue(TENANT, status=None)

    def conversation(self) -> dict[str, Any]:
        return self.hub.conversation(TENANT, self.conversations()[0]["id"])

    def last_said(self, network: str) -> str:
        """Our newest words there."""
        heard = [
            entry["interaction"]
            for one in self.conversations()
            for entry in self.hub.conversation(TENANT, one["id"])["entries"]
            if entry["interaction"]["direction"] == "outbound" and entry["interaction"]["network"] == network
        ]
        return str(max(heard, key=lambda one: one["sent_at"])["text"])

    def steps(self, conversation: str) -> list[str]:
        turns = self.hub.conversation(TENANT, conversation)["turns"]
        return [one["step"] for one in turns if one["type"] == "conversation.handed_off"]

    def answer_the_code(self) -> None:
        """Types the code where the words say, as the customer would."""
        (asked,) = [one for con in self.conversations() for one in self.hub.challenges(TENANT, con["id"])]
        told, expected = (_network(asked[name]) for name in ("told", "expected"))
        code = re.search(r"\b\d{6}\b", self.last_said(told))
        assert code, self.last_said(told)
        self.says(expected, code[0])


def _network(account: str) -> str:
    kind = account.partition(":")[0].partition(".")[0].partition("@")[0]
    return "twilio" if kind == "phone" else kind


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.hub.close()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Town]:
    """With every network that is installed."""
    made = Town(tmp_path, everywhere=True)
    yield made
    made.hub.close()


@pytest.mark.parametrize(("origin", "target"), PAIRS, ids=str)
def test_from_any_network_to_any_other(city: Town, origin: str, target: str) -> None:
    from_one_to_another(city, origin, target)


@pytest.mark.parametrize(("origin", "target"), ON_A_SERVER, ids=str)
def test_on_a_server_too(
    tmp_path: Path, new_store: Callable[[str, Path], str | Path], origin: str, target: str
) -> None:
    made = Town(tmp_path, new_store("postgresql", tmp_path), everywhere=True)
    from_one_to_another(made, origin, target)
    made.hub.close()


def from_one_to_another(town: Town, origin: str, target: str) -> None:
    town.says(origin, "my parcel is lost")
    con = town.conversation()["id"]
    done = town.hub.hand_off(TENANT, con, agent="dana", to=target)
    assert (done["how"], done["proves"]) == ("link", True)
    town.pass_by()
    assert f"/h/{done['token']}" in town.last_said(origin)
    town.comes(target, done["token"])
    found = town.hub.conversation(TENANT, con)
    assert {leg["network"] for leg in found["legs"]} == {origin, target}
    assert len(town.conversations()) == 1
    assert "waiting_since" in found, "the words that ask for a code are no answer"
    town.answer_the_code()
    assert len({str(leg["account"]) for leg in found["legs"]}) == 2
    assert len({town.hub.customer(TENANT, leg["account"])["id"] for leg in found["legs"]}) == 1
    assert town.steps(con) == ["planned", "offered", "arrived", "confirmed"]
    explained = town.hub.explain(TENANT, found["legs"][0]["account"])
    assert "verified" in {one["tier"] for one in explained["evidence"]}


@pytest.mark.parametrize("target", [one for one in WRITING if one != "x"])
def test_out_of_public_to_any_other(town: Town, target: str) -> None:
    """Whoever comes with a link that all could read is a stranger, until the public account has said the code."""
    town.says("x", "my parcel is lost", "post")
    con = town.conversation()["id"]
    done = town.hub.hand_off(TENANT, con, agent="dana", to=target)
    assert (done["how"], done["proves"]) == ("link", False)
    town.pass_by()
    assert done["url"] in town.last_said("x")
    town.comes(target, done["token"])
    assert len(town.conversations()) == 2
    code = re.search(r"\b\d{6}\b", town.last_said(target))
    assert code, town.last_said(target)
    town.says("x", f"@acme {code[0]}", "post")
    (left,) = [one for one in town.conversations() if one["status"] == "open"]
    assert left["id"] == con
    assert set(left["networks"]) == {"x", target}
    assert town.steps(con)[-1] == "confirmed"


def test_out_of_public_on_the_same_network(town: Town) -> None:
    town.says("x", "my parcel is lost", "post")
    con = town.conversation()["id"]
    done = town.hub.hand_off(TENANT, con, agent="dana", to="x")
    assert (done["how"], done["said"], done["proves"]) == ("open", ["x", "x"], True)
    assert "token" not in done
    town.pass_by()
    texts = [one.text for one in town.world.simulators["x"].heard("kerry")]
    assert any("Here we can talk privately" in text for text in texts)
    assert any("We have sent you a private message" in text for text in texts)
    town.says("x", "thank you", "dm")
    assert [leg["visibility"] for leg in town.hub.conversation(TENANT, con)["legs"]] == ["public", "private"]
    assert town.steps(con)[-1] == "arrived"


def test_where_we_know_the_mailbox_we_write_first(town: Town) -> None:
    """The shop's own page has signed who chats: the mailbox is proven, and needs no link."""
    town.world.sign_in("kerry", "kerry@mail.example", "Kerry")
    town.says("webchat", "my parcel is lost")
    con = town.conversation()["id"]
    done = town.hub.hand_off(TENANT, con, agent="dana", to="email")
    assert (done["how"], done["said"]) == ("begin", ["email", "webchat"])
    town.pass_by()
    mail: Any = town.world.simulators["email"]
    assert "where we left off in the web chat" in mail.heard("kerry@mail.example")[-1].text
    mail.speak("kerry@mail.example", "yes, it is order 4711")
    town.pass_by()
    assert len(town.conversations()) == 1
    assert town.conversation()["networks"] == ["webchat", "email"]
    assert town.steps(con) == ["planned", "offered", "arrived"]
    town.hub.reply(TENANT, con, "we are on it", agent="dana")
    town.pass_by()
    assert len({leg["thread"] for leg in town.conversation()["legs"] if leg["network"] == "email"}) == 1


def test_where_we_know_the_number_we_write_first(city: Town) -> None:
    """The shop's table knows whose mailbox and whose number it is; nobody has sent a text yet."""
    table = b"id,email,phone,verified\n4711,kerry@mail.example,+15550001234,yes\n"
    city.hub.import_contacts(TENANT, table, kind="crm.ledger")
    city.world.sign_in("kerry", "kerry@mail.example", "Kerry")
    city.says("webchat", "my parcel is lost")
    con = city.conversation()["id"]
    done = city.hub.hand_off(TENANT, con, agent="dana", to="twilio")
    assert (done["how"], done["said"]) == ("begin", ["twilio", "webchat"])
    city.pass_by()
    texts: Any = city.world.simulators["twilio"]
    assert "where we left off in the web chat" in texts.said[-1].text
    assert texts.said[-1].thread == "+15550001234"
    texts.speak("+15550001234", "yes, it is order 4711")
    city.pass_by()
    assert city.conversation()["networks"] == ["webchat", "twilio"]
    assert len(city.conversations()) == 1
    assert city.steps(con) == ["planned", "offered", "arrived"]


@pytest.mark.parametrize(("origin", "target"), [("email", "twilio"), ("twilio", "email")])
def test_between_two_that_anybody_can_feign_nothing_is_proven(city: Town, origin: str, target: str) -> None:
    """It is one conversation for us, and neither is shown what the other has said."""
    city.says(origin, "my parcel is lost")
    con = city.conversation()["id"]
    done = city.hub.hand_off(TENANT, con, agent="dana", to=target)
    city.pass_by()
    city.comes(target, done["token"])
    assert len(city.conversations()) == 1
    assert city.steps(con) == ["planned", "offered", "arrived"]
    assert city.hub.challenges(TENANT, con) == []
    for leg in city.conversation()["legs"]:
        told = city.hub.explain(TENANT, leg["account"])["evidence"]
        assert {one["tier"] for one in told if one["proof"] != "account"} <= {"asserted"}


def test_who_must_write_first_is_not_written_to(city: Town) -> None:
    """WhatsApp takes no message to a number that has not written, however well it is known."""
    table = b"id,email,phone,verified\n4711,kerry@mail.example,+15550001234,yes\n"
    city.hub.import_contacts(TENANT, table, kind="crm.ledger")
    city.world.sign_in("kerry", "kerry@mail.example", "Kerry")
    city.says("webchat", "my parcel is lost")
    con = city.conversation()["id"]
    ways = {one["channel"]: one["how"] for one in city.hub.hand_off_targets(TENANT, con)["targets"] if "how" in one}
    assert (ways["twilio"], ways["email"]) == ("begin", "begin")
    assert {ways[one] for one in ("whatsapp", "line", "facebook", "instagram", "telegram", "x")} == {"link"}


def test_a_call_brings_no_link_but_a_code_can_be_said(town: Town) -> None:
    town.says("telegram", "please call me")
    con = town.conversation()["id"]
    targets = {one["channel"]: one for one in town.hub.hand_off_targets(TENANT, con)["targets"]}
    assert targets["phone"]["obstacles"][0]["rule"] == "capability"
    with pytest.raises(ReplyRefused, match="ask for a one-time code"):
        town.hub.hand_off(TENANT, con, agent="dana", to="phone")
    town.world.simulators["phone"].speak("kerry", "calls back", "call")
    town.pass_by()
    legs = [leg for one in town.conversations() for leg in town.hub.conversation(TENANT, one["id"])["legs"]]
    accounts = {leg["network"]: leg["account"] for leg in legs}
    given = town.hub.challenge(TENANT, con, accounts["telegram"], accounts["phone"], agent="dana")
    town.hub.reply(TENANT, con, f"Your code is {given['code']}", agent="dana")
    town.pass_by()
    said = re.search(r"\b\d{6}\b", town.world.simulators["telegram"].heard("kerry")[-1].text)
    assert said
    town.hub.hear_code(TENANT, given["id"], said[0], agent="dana")
    assert len({town.hub.customer(TENANT, one)["id"] for one in accounts.values()}) == 1
    assert len([one for one in town.conversations() if one["status"] == "open"]) == 1


@pytest.mark.parametrize("target", [one for one in WRITING if one != "email"])
def test_from_a_forged_mail_nobody_is_anybody(town: Town, target: str) -> None:
    """Mallory brings his own link by a mail in Kerry's name: Kerry's mailbox is told the code, and he never reads it."""
    town.says(target, "it is me, mallory")
    con = town.conversation()["id"]
    done = town.hub.hand_off(TENANT, con, agent="dana", to="email")
    town.pass_by()
    (way,) = town.hub.handoff_ways(done["token"]) or []
    address = way["url"].removeprefix("mailto:").split("?")[0]
    forged = {"Authentication-Results": f"{SERVER}; dmarc=fail header.from=mail.example"}
    town.world.simulators["email"].speak("kerry@mail.example", "me too", to=address, subject="Hello", headers=forged)
    town.pass_by()
    victim = town.hub.customer(TENANT, "email:kerry@mail.example")["id"]
    assert town.hub.customer(TENANT, town.conversation()["legs"][0]["account"])["id"] != victim
    (asked,) = town.hub.challenges(TENANT, con)
    assert asked["told"] == "email:kerry@mail.example"
    for guess in ("000000", "123456", "111111", "222222", "333333"):
        town.says(target, guess)
    assert town.hub.challenges(TENANT, con)[0]["state"] == "spent"
    refused = [one for one in town.hub.events(TENANT, limit=500) if one["type"] == "proof.refused"]
    assert len(refused) == 5


@pytest.mark.parametrize(("result", "is_proven"), [("pass", True), ("fail", False), (None, False)])
def test_a_code_in_a_mail_counts_only_if_its_author_is_proven(town: Town, result: str | None, is_proven: bool) -> None:
    """The code was told to mallory on Telegram; a mail in Kerry's name says it."""
    town.says("telegram", "it is me, kerry@mail.example")
    town.says("email", "hello", subject="Hello")
    con = next(one["id"] for one in town.conversations() if one["networks"] == ["telegram"])
    account = town.hub.conversation(TENANT, con)["legs"][0]["account"]
    given = town.hub.challenge(TENANT, con, account, "email:kerry@mail.example", agent="dana")
    said = f"{SERVER}; dmarc={result} header.from=mail.example" if result else "mx.evil.example; dmarc=pass"
    town.says("email", given["code"], subject="My code", headers={"Authentication-Results": said})
    customers = {town.hub.customer(TENANT, one)["id"] for one in (account, "email:kerry@mail.example")}
    assert (len(customers) == 1) is is_proven
    if not is_proven:
        (refused,) = [one for one in town.hub.events(TENANT, limit=500) if one["type"] == "proof.refused"]
        assert "anybody could have written this" in refused["data"]["reason"]
        assert town.hub.challenges(TENANT, con)[0]["tries"] == 0


def test_a_typed_address_opens_nobodys_history(town: Town) -> None:
    """Mallory types Kerry's address into the chat: the mailbox is suggested, and nothing is written or handed there."""
    town.says("email", "my account number is A-2291", subject="Hello")
    town.world.claim("kerry", "kerry@mail.example")
    town.says("webchat", "it is me, kerry")
    con = next(one["id"] for one in town.conversations() if one["networks"] == ["webchat"])
    texts = [one["interaction"].get("text") for one in town.hub.conversation(TENANT, con)["timeline"]]
    assert texts == ["it is me, kerry"]
    (mail,) = [one for one in town.hub.hand_off_targets(TENANT, con)["targets"] if one["channel"] == "email"]
    assert mail["how"] == "link"
    assert "account" not in mail

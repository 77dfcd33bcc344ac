"""The story: one customer, five channels, one conversation. Each step says what must have come of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from socialsupport_core.demo.clock import StoryClock
from socialsupport_core.demo.world import TENANT, World
from socialsupport_core.hub import ReplyRefused

KERRY = "kerry"
MAIL = "kerry.fisher@mail.example"
PHONE = "+15550147"


class StoryBroken(AssertionError):
    """What must have happened did not."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One step as it is told: who does what where, and what the library made of it."""

    where: str
    who: str
    what: str
    outcome: str


class Story:
    """Plays the seeded story in a world. `play` yields each scene after its outcome was checked."""

    def __init__(self, world: World, clock: StoryClock) -> None:
        self.world = world
        self.hub = world.hub
        self._clock = clock
        self.customer = ""
        self.conversation = ""

    def play(self) -> Iterator[Scene]:
        for scene in (
            self._is_in_the_crm,
            self._complains_in_public,
            self._arrives_twice,
            self._phone_number_in_public,
            self._answers_in_public,
            self._opens_a_direct_message,
            self._answers_the_direct_message,
            self._gives_a_link,
            self._writes_a_mail,
            self._answers_the_mail,
            self._comes_to_the_chat,
            self._answers_in_the_chat,
            self._answers_from_the_crm,
            self._somebody_claims_the_address,
            self._calls,
            self._is_linked,
            self._wrong_link_is_split,
            self._others_ask,
        ):
            yield scene()

    def _is_in_the_crm(self) -> Scene:
        crm: Any = self.world.simulators["memory"]
        crm.add_contact("Kerry Fisher", {f"email:{MAIL}": True}, plan="Plus", account_number="A-2291")
        return Scene(
            "CRM", "Acme", "has a contact Kerry Fisher with a proven address", "nothing yet: nobody has written"
        )

    def _answers_from_the_crm(self) -> Scene:
        text = "One more thing: the refund has been booked."
        crm: Any = self.world.simulators["memory"]
        shown = self.hub.customer(TENANT, self.customer)
        self._must(shown["crm"][0]["fields"]["plan"] == "Plus", "the agent must see what the CRM knows")
        case = self.hub.conversation(TENANT, self.conversation)["cases"][0]["case"]
        crm.reply(case, "Ines", text)
        self._arrive()
        told = self._timeline()[-1]
        self._must(told["interaction"]["text"] == text and told["state"] == "sent", "it must go out to her")
        return Scene("CRM", "Ines", text, f"answered in case {case}, sent on {told['interaction']['network']}")

    def _complains_in_public(self) -> Scene:
        text = "My order 4711 has been on its way for two weeks and nobody answers. What is going on?"
        self._speak("x", KERRY, text, "post")
        found = self._queue_of("Kerry")
        self.customer, self.conversation = found["customer"]["id"], found["id"]
        return Scene("X, public", "Kerry", text, "a new conversation in the queue")

    def _arrives_twice(self) -> Scene:
        simulator = self.world.simulators["x"]
        simulator.faults.duplicate = 1
        before = len(self._timeline())
        self._speak("x", KERRY, "Anybody there?", "post")
        self._must(len(self._timeline()) == before + 1, "a webhook that came twice must show once")
        return Scene("X, public", "Kerry", "Anybody there?", "the webhook came twice; it shows once")

    def _phone_number_in_public(self) -> Scene:
        text = "Sorry, Kerry! Is +1 555 0147 still your number?"
        try:
            self._reply(text)
        except ReplyRefused as refused:
            return Scene("X, public", "Dana", text, f"refused: {refused}")
        raise StoryBroken("a phone number must not go out in public")

    def _answers_in_public(self) -> Scene:
        text = "Sorry about that, Kerry. We have found the parcel and are writing to you privately."
        self._reply(text)
        self._must(self._timeline()[-1]["state"] == "sent", "the public reply must be sent")
        return Scene("X, public", "Dana", text, "sent, as an answer under the post")

    def _opens_a_direct_message(self) -> Scene:
        text = "Hello Kerry, here we can talk. Where may we send the refund for the shipping?"
        self._reply(text, private=True)
        self._must(self._timeline()[-1]["interaction"]["thread"]["visibility"] == "private", "it must be private")
        return Scene("X, direct message", "Dana", text, "public → private: the same account, the same conversation")

    def _answers_the_direct_message(self) -> Scene:
        text = "I'd rather do this by mail, I have to attach the invoice."
        self._speak("x", KERRY, text, "dm")
        self._same_conversation("x")
        return Scene("X, direct message", "Kerry", text, "joined: the same account on the same network")

    def _gives_a_link(self) -> Scene:
        self.offer = self.hub.hand_off(TENANT, self.conversation, agent="dana")
        self._must(self.offer["proves"], "a link given in private must prove who comes with it")
        self._reply(f"Of course: {self.offer['url']} takes you to us by mail, and you need not tell it all again.")
        return Scene("X, direct message", "Dana", "gives a hand-off link", "signed for this conversation, works once")

    def _writes_a_mail(self) -> Scene:
        address = self._mail_address(self.offer["token"])
        text = "Hello, here is the invoice for order 4711. Thanks for picking this up so quickly!"
        simulator = self.world.simulators["email"]
        simulator.speak(MAIL, text, subject="Order 4711", to=address, name="Kerry Fisher")
        self._arrive()
        self._same_conversation("email")
        return Scene("E-mail", "Kerry", text, f"joined: {self._why('email')}")

    def _mail_address(self, token: str) -> str:
        ways = {way["network"]: way["url"] for way in self.hub.handoff_ways(token) or []}
        self._must("email" in ways, "the link must offer e-mail")
        return ways["email"].removeprefix("mailto:").split("?")[0]

    def _answers_the_mail(self) -> Scene:
        text = "Thank you, Kerry. **12.50** will be back on your card by Friday, and the parcel arrives tomorrow."
        self._reply(text)
        return Scene("E-mail", "Dana", text, "sent, threaded under her mail")

    def _comes_to_the_chat(self) -> Scene:
        text = "Me again: may the neighbours take the parcel?"
        self.world.sign_in(KERRY, MAIL, "Kerry Fisher")
        self._arrive()
        self._speak("webchat", KERRY, text)
        self._same_conversation("webchat")
        return Scene("Web chat", "Kerry", text, "joined: the shop's page signed who is logged in")

    def _answers_in_the_chat(self) -> Scene:
        text = "They may. I have noted it for the driver."
        self._reply(text)
        return Scene("Web chat", "Dana", text, "sent, live in her browser")

    def _somebody_claims_the_address(self) -> Scene:
        text = f"Hi, I am {MAIL}. Which address is on my order?"
        self.world.claim("stranger", MAIL)
        self._arrive()
        self._speak("webchat", "stranger", text)
        explained = self.hub.explain(TENANT, self.customer)
        claims = [one for one in explained["refused"] if one["tier"] == "claimed"]
        self._must(bool(claims) and len(self._networks()) == 3, "a claim must not join")
        return Scene("Web chat", "a stranger", text, f"refused: {claims[0]['rule']}")

    def _calls(self) -> Scene:
        text = "Asks whether the driver rings. He does. Friendly."
        self.world.simulators["phone"].speak(PHONE, text, "call", duration=95, agent="Dana")
        self._arrive()
        self._must("phone" not in self._networks(), "a number that nobody knows is nobody yet")
        return Scene("Phone", "Kerry", "calls for a minute and a half", "the number is unknown: a customer of its own")

    def _is_linked(self) -> Scene:
        self.hub.link(TENANT, self.customer, f"phone:{PHONE}", agent="dana", note="gave the order number")
        self.customer = self.hub.customer(TENANT, self.customer)["id"]
        self._must("phone" in self._networks(), "the agent's link must join the call")
        self._same_conversation("phone")
        return Scene("The desk", "Dana", f"links {PHONE}: she gave the order number", "joined: an agent's verdict")

    def _wrong_link_is_split(self) -> Scene:
        self._speak("telegram", "sam", "Do you ship to Norway?")
        other = self._queue_of("Sam")["customer"]["id"]
        account = self.hub.customer(TENANT, other)["accounts"][0]["identifier"]
        before = [entry["id"] for entry in self._timeline()]
        self.hub.link(TENANT, self.customer, account, agent="bo")
        self.hub.split(TENANT, self.customer, [account], agent="dana")
        after = [entry["id"] for entry in self._timeline()]
        self._must(before == after, "a split must restore exactly")
        self._must(self.hub.customer(TENANT, account)["id"] == other, "and give the other side its id back")
        return Scene("The desk", "Bo, then Dana", "links Sam by mistake; splits", "exactly as before, ids included")

    def _others_ask(self) -> Scene:
        self._speak("telegram", "amira", "Is the blue one back in stock?")
        self._speak("x", "jo", "Fastest delivery I have ever had, thank you!", "post")
        note = "Told the driver about the neighbours. If she writes again: everything is arranged."
        self.hub.note(TENANT, self.conversation, note, agent="dana")
        return Scene("Telegram, X", "Amira, Jo", "ask and praise", "a queue like any other morning")

    # telling

    def _speak(self, network: str, person: str, text: str, place: str = "") -> None:
        self.world.simulators[network].speak(person, text, place)
        self._arrive()

    def _reply(self, text: str, **how: Any) -> None:
        self.hub.reply(TENANT, self.conversation, text, agent="dana", **how)
        self._arrive(minutes=3)

    def _arrive(self, minutes: float = 17) -> None:
        self.world.settle()
        self._clock.pass_by(minutes=minutes)

    def _timeline(self) -> list[dict[str, Any]]:
        return self.hub.timeline(TENANT, self.customer, limit=200)

    def _networks(self) -> set[str]:
        return {entry["interaction"]["network"] for entry in self._timeline()} - {"internal"}

    def _why(self, network: str) -> str:
        legs = self.hub.conversation(TENANT, self.conversation)["legs"]
        return str(next(leg["reason"] for leg in legs if leg["network"] == network))

    def _same_conversation(self, network: str) -> None:
        found = self.hub.conversation(TENANT, self.conversation)
        self._must(network in found["networks"], f"{network} must have joined the conversation")
        self.customer = found["customer"]["id"]

    def _queue_of(self, name: str) -> dict[str, Any]:
        found = [one for one in self.hub.queue(TENANT) if one["customer"]["name"].startswith(name)]
        self._must(bool(found), f"{name} must be in the queue")
        return found[0]

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise StoryBroken(otherwise)


def tell(world: World, clock: StoryClock, listen: Callable[[Scene], None] = lambda _scene: None) -> Story:
    """Plays the whole story; the world is then as the demo opens."""
    story = Story(world, clock)
    for scene in story.play():
        listen(scene)
    clock.catch_up()
    return story

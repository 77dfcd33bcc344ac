"""What a hand-off says at either end, before it is said: for whoever carries it out, and for whoever chooses."""

from typing import NamedTuple

from socialsupport_core.conversation.handing.targets import Target
from socialsupport_core.conversation.handing.words import Words
from socialsupport_core.model import Visibility
from socialsupport_core.pipeline.asking import language_of, said_to
from socialsupport_core.store import Tx, handoffs, moment
from socialsupport_core.store.conversations import Leg


class Phrase(NamedTuple):
    channel: str
    visibility: Visibility
    text: str


def phrases(
    tx: Tx, origin: Leg, target: Target, language: str | None, url: str, until: int
) -> tuple[Phrase, Phrase | None]:
    """What must be said, and what is said at the other end, if anything. `url` is that of the link, `until` its end."""
    words = Words(handoffs.templates(tx, origin.tenant))
    spoken, said = language or language_of(tx, origin), said_to(tx, origin)
    side: Visibility = "public" if origin.visibility == "public" else "private"
    there, here = (words.place(network, spoken) for network in (target.network, origin.network))
    if target.how == "link":
        text = words.say(f"{side}_link", spoken, url=url, where=there, until=day(until))
        return Phrase(origin.channel, side, text), None
    if target.how == "open":
        opening = Phrase(origin.channel, "private", words.say("private_open", spoken))
        return opening, Phrase(origin.channel, "public", words.say("public_open", spoken, said))
    going_on = Phrase(target.channel, "private", words.say("go_on", spoken, where=here))
    return going_on, Phrase(origin.channel, side, words.say(f"{side}_sent", spoken, said, where=there))


def day(at: int) -> str:
    return moment(at).strftime("%Y-%m-%d %H:%M UTC")

"""Handing a conversation on: from public to private, to another channel, to another agent."""

from collections.abc import Mapping
from typing import Any

from socialsupport_core.contract import ConfigError, SocialSupportError
from socialsupport_core.conversation import handoff
from socialsupport_core.conversation.handing import words
from socialsupport_core.conversation.handing.targets import Target
from socialsupport_core.conversation.views import present, time
from socialsupport_core.hub.base import Base, NoSuchChannel, agent_of, check_tenant, conversation_of
from socialsupport_core.hub.proving import account_of
from socialsupport_core.identity import customer_of
from socialsupport_core.mistakes import near
from socialsupport_core.pipeline import handing, replying
from socialsupport_core.pipeline.handing import Done, Order
from socialsupport_core.store import Tx, accounts, conversations, handoffs, identity, micros
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.handoffs import Consent, Handoff

PUBLIC = "anybody can read a public reply: whoever comes with it must say a code there, or be linked by an agent"


class NoSuchHandoff(SocialSupportError, LookupError):
    """The tenant has made no hand-off with this id."""


class Handing(Base):
    def hand_off(
        self,
        tenant: str,
        conversation: str,
        *,
        agent: str,
        leg: int | None = None,
        to: str | None = None,
        to_agent: str | None = None,
        note: str | None = None,
        language: str | None = None,
        recipient: str | None = None,
    ) -> dict[str, Any]:
        """Hands the conversation on, without starting over.

        `to` a channel of `hand_off_targets`: says the words of both halves, follows up when the customer does not come
        (a reminder after a day, back to the queue after three), and asks whoever comes by a link for a one-time code.
        `to_agent`: assigns it, with a `note` for the timeline. Neither: a token that brings its bearer to this
        conversation, once, and the page on which to choose a channel; saying it is up to you. With a `recipient`, an
        account that has asked from elsewhere, only that account may bring it, and then both ends have acted.
        `leg` is where the customer is now, else where the customer spoke last. Raises ReplyRefused.
        """
        if to is not None and to_agent is not None:
            raise ConfigError("a hand-off goes to a channel or to an agent; give one of `to` and `to_agent`")
        if note is not None and to_agent is None:
            raise ConfigError("a note is for the agent who goes on; give `to_agent`, or write it by `note`")
        if to_agent is not None:
            return self._to_agent(tenant, conversation, agent, to_agent, note)
        if to is not None:
            return self._to_channel(tenant, conversation, agent, to, leg, language)
        return self._link(tenant, conversation, agent, leg, recipient)

    def hand_off_targets(self, tenant: str, conversation: str, *, leg: int | None = None) -> dict[str, Any]:
        """The tenant's channels, the most suitable first: how each is reached and why, or what closes it.

        `says` are the words that a hand-off to it would say, and where; for the link in them stands `…`.
        """

        def read(tx: Tx) -> dict[str, Any]:
            found, origin = self._origin(tx, tenant, conversation, leg)
            made = handoffs.of_conversation(tx, tenant, found.id)
            return {
                "leg": origin.id,
                "channel": origin.channel,
                "visibility": origin.visibility,
                "targets": [self._target(tx, origin, one) for one in handing.targets(tx, self.desk, found, origin)],
                "handoffs": [_shown(one, micros(self.clock())) for one in made[:20]],
            }

        return self._database.read(read)

    def _target(self, tx: Tx, origin: Leg, target: Target) -> dict[str, Any]:
        said = handing.spoken(tx, self.desk, origin, target) if target.is_open else ()
        return target.model_dump(exclude_none=True) | {"says": [one._asdict() for one in said if one]}

    def withdraw_hand_off(self, tenant: str, handoff: str, *, agent: str) -> dict[str, Any]:
        """Takes back what nobody has come by yet, by the id that `hand_off` gave.

        Its link and its codes are good for nothing from now on, words of it that nobody has tried to send are not sent,
        and the customer waits as before. What was sent stays where it is; deleting the message with the link
        withdraws the hand-off too. Raises NoSuchHandoff; ReplyRefused if somebody has come, or it is over.
        """

        def write(tx: Tx) -> Handoff:
            speaker = agent_of(tx, tenant, agent)
            given = handoffs.get(tx, tenant, handoff)
            if given is None:
                raise NoSuchHandoff(
                    f"there is no hand-off {handoff[:80]!r}; hand_off_targets lists those of a conversation"
                )
            handing.withdraw(tx, given, speaker, self.clock())
            return handoffs.get(tx, tenant, handoff) or given

        return _shown(self._database.do(write, tenant), micros(self.clock()))

    def _origin(self, tx: Tx, tenant: str, conversation: str, leg: int | None) -> tuple[Conversation, Leg]:
        found = conversation_of(tx, tenant, conversation)
        return found, replying.choose_leg(tx, found, leg, self._ways(tenant), in_public=True)

    def _to_channel(
        self, tenant: str, conversation: str, agent: str, to: str, leg: int | None, language: str | None
    ) -> dict[str, Any]:
        id = self._id("ho")

        def write(tx: Tx) -> Done:
            speaker = agent_of(tx, tenant, agent)
            found, origin = self._origin(tx, tenant, conversation, leg)
            order = Order(tenant, found.id, speaker, to, id, leg, language)
            return handing.carry_out(tx, self.desk, order, found, origin)

        done = self._database.do(write, tenant)
        proves = done.origin.visibility == "private" or done.target.how == "open"
        return present(
            id=id,
            to=to,
            how=done.target.how,
            leg=done.origin.id,
            proves=proves,
            note="" if proves else PUBLIC,
            said=list(done.said),
            unsaid=list(done.unsaid),
            expires_at=time(done.expires_at),
            token=done.token,
            url=f"{self.public_url}/h/{done.token}" if done.token else None,
        )

    def _to_agent(self, tenant: str, conversation: str, agent: str, to_agent: str, note: str | None) -> dict[str, Any]:
        """The note tells what the next one must know; everything else is in the conversation."""
        at = micros(self.clock())

        def write(tx: Tx) -> Conversation:
            agent_of(tx, tenant, agent)
            agent_of(tx, tenant, to_agent)
            found = conversation_of(tx, tenant, conversation)
            conversations.assign(tx, tenant, found.id, to_agent)
            self._publish(tx, tenant, "conversation.assigned", {"assignee": to_agent, "agent": agent}, found.id)
            handoff.publish_handed_off(tx, found, agent, to_agent, agent, at, "arrived", how="agent")
            return found

        found = self._database.do(write, tenant)
        if note:
            self._write_note(tenant, found.id, note, agent)
        return {"to_agent": to_agent, "conversation": found.id}

    def _write_note(self, tenant: str, conversation: str, text: str, agent: str) -> None:
        """An internal note in the timeline."""
        raise NotImplementedError

    def _link(
        self, tenant: str, conversation: str, agent: str, leg: int | None, recipient: str | None
    ) -> dict[str, Any]:
        token, at, id = handoff.new_token(self._random), micros(self.clock()), self._id("ho")

        def write(tx: Tx) -> Leg:
            agent_of(tx, tenant, agent)
            found, origin = self._origin(tx, tenant, conversation, leg)
            bound = account_of(tx, tenant, recipient).number if recipient else None
            handoff.offer(tx, origin, token, id=id, agent=agent, at=at, recipient=bound)
            handoff.publish_handed_off(tx, found, origin.channel, "any", agent, at, "offered", handoff=id)
            return origin

        origin = self._database.do(write, tenant)
        safe = origin.visibility == "private"
        return {
            "id": id,
            "token": token,
            "url": f"{self.public_url}/h/{token}",
            "leg": origin.id,
            "proves": safe,
            "note": "" if safe else PUBLIC,
        }

    def handoff_ways(self, token: str, language: str | None = None) -> list[dict[str, str]] | None:
        """The channels by which the bearer of a token may go on; None if it is not valid any more.

        Each with its `label` in the customer's language, as far as it is known, else in `language`.
        """
        found = self._database.read(lambda tx: handoffs.by_token(tx, token))
        if found is None or found.is_spent or found.expires_at < micros(self.clock()):
            return None
        said = words.Words(self._database.read(lambda tx: handoffs.templates(tx, found.tenant)))
        allowed = [one for one in self.desk.of_tenant(found.tenant) if found.target in (None, one.channel.id)]
        ways = [(one, self.desk.address(one, token)) for one in allowed]
        return [
            {
                "channel": one.channel.id,
                "network": one.connector.name,
                "url": address,
                "label": _capital(said.place(one.connector.name, found.language or language)),
            }
            for one, address in ways
            if address
        ]

    def handoff_language(self, token: str) -> str | None:
        """In which its customer is spoken to, as far as it is known."""
        found = self._database.read(lambda tx: handoffs.by_token(tx, token))
        return found.language if found else None

    # consent, words

    def consent(self, tenant: str, who: str, channel: str, state: Consent, *, agent: str, source: str = "") -> None:
        """The customer agreed (`in`) or refused (`out`) to be written to on this channel; `source` tells how we know.

        A refusal closes the channel for hand-offs. Raises NoSuchCustomer, NoSuchChannel.
        """
        if state not in ("in", "out"):
            raise ConfigError(f"{state!r} is no consent; say in or out")
        at, known = micros(self.clock()), source or f"{agent} recorded it"

        def write(tx: Tx) -> None:
            agent_of(tx, tenant, agent)
            node = customer_of(tx, tenant, who)
            there = {one.id for one in accounts.channels(tx, tenant)}
            if channel not in there:  # a refusal that closes nothing would be no refusal
                raise NoSuchChannel(f"{tenant} has no channel {channel!r}; {near(channel, there)}")
            handoffs.consent(tx, tenant, node.number, channel, state, at, known, agent)

        self._database.do(write, tenant)

    def consents(self, tenant: str, who: str) -> dict[str, dict[str, Any]]:
        """By channel the customer's last word. Raises NoSuchCustomer."""

        def read(tx: Tx) -> dict[str, dict[str, Any]]:
            members = identity.members(tx, tenant, customer_of(tx, tenant, who).number)
            found = handoffs.consents(tx, tenant, [one.number for one in members])
            return {
                channel: {"state": state, "at": time(at), "source": source}
                for channel, (state, at, source) in sorted(found.items())
            }

        return self._database.read(read)

    def set_templates(self, tenant: str, written: str | Mapping[str, Any]) -> None:
        """The tenant's own words for hand-offs, in place of those it had, in TOML or as the table that it makes; see
        `hand-off`. Raises ConfigError."""
        given = words.read(written) if isinstance(written, str) else words.checked(written)

        def write(tx: Tx) -> None:
            check_tenant(tx, tenant)
            for language, name in handoffs.templates(tx, tenant):
                handoffs.put_template(tx, tenant, language, name, None)
            for (language, name), text in given.items():
                handoffs.put_template(tx, tenant, language, name, text)

        self._database.do(write, tenant)

    def templates(self, tenant: str) -> dict[str, dict[str, str]]:
        """The words that hold now, by language and name: the defaults, and the tenant's own in place of them.

        Further ways to say the same are `public_open.2` and so on.
        """
        own = self._database.read(lambda tx: handoffs.templates(tx, tenant))
        spoken = dict.fromkeys([*words.LANGUAGES, *sorted({language for language, _ in own if language})])
        return {
            language: words.merged(
                {name: text for (written, name), text in own.items() if written == language}, language
            )
            for language in spoken
        }


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _shown(one: Handoff, now: int) -> dict[str, Any]:
    return present(
        id=one.id,
        to=one.target,
        how=one.how,
        state=one.state,
        open=one.is_open and now <= one.expires_at,
        agent=one.agent,
        offered_at=time(one.created_at),
        reminded_at=time(one.reminded_at),
        arrived_at=time(one.redeemed_at),
        expires_at=time(one.expires_at),
    )

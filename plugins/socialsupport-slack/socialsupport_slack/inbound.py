"""From what Slack tells to events, whether it came to the door or over a socket.

https://docs.slack.dev/apis/events-api, https://docs.slack.dev/reference/events/message and
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload (2026-11)
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import (
    Json,
    Unreadable,
    json_object,
    needed,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from socialsupport_core.model import (
    Event,
    Facts,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    Payload,
    ProfileUpdated,
    ReactionAdded,
    ReactionRemoved,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_slack import emoji, interactive, mrkdwn, places, said

USER, BOT = "slack.user", "slack.bot"
TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)/>|])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
SPOKEN = frozenset({None, "file_share", "me_message", "thread_broadcast", "reply_broadcast", "bot_message"})
"""Subtypes of messages that somebody has written, https://docs.slack.dev/reference/events/message (2026-11). What was
sent to the channel as well has had two names."""
CHANGES: Mapping[str, str] = {
    "channel_join": "member_joined",
    "channel_leave": "member_left",
    "group_join": "member_joined",
    "group_leave": "member_left",
    "channel_name": "renamed",
    "group_name": "renamed",
    "channel_topic": "topic",
    "group_topic": "topic",
    "channel_purpose": "purpose",
    "group_purpose": "purpose",
    "channel_archive": "archived",
    "group_archive": "archived",
    "channel_unarchive": "unarchived",
    "group_unarchive": "unarchived",
}
HAPPENED: Mapping[str, str] = {
    "member_joined_channel": "member_joined",
    "member_left_channel": "member_left",
    "channel_rename": "renamed",
    "group_rename": "renamed",
    "channel_archive": "archived",
    "group_archive": "archived",
    "channel_unarchive": "unarchived",
    "group_unarchive": "unarchived",
}
"""The same as events of their own, https://docs.slack.dev/reference/events (2026-11)"""
NAMES: Mapping[str, str] = {"directmessage": "im", "privategroup": "group"}
"""https://docs.slack.dev/reference/interaction-payloads/block_actions-payload (2026-11)"""
GONE: Mapping[str, str] = {
    "app_uninstalled": "the app was removed from the workspace: install it again, then test the connection",
    "tokens_revoked": "tokens were revoked: install the app again, then test the connection",
}
"""After which nothing works any more."""
_GONE = tuple(name.encode() for name in GONE)
REASONS: Mapping[str, str] = {
    **GONE,
    "app_rate_limited": "Slack holds events back for a minute: more than 30,000 came within an hour",
    "message_replied": "a reply was counted; the reply itself comes as a message",
}
ALONE = frozenset({"message", "app_mention", "reaction_added", "reaction_removed", *HAPPENED})
"""Events that are told without what Slack puts around them, as the documentation prints them."""
NOBODY = "?"
"""In place of our account, where nothing in a payload says which of ours it was for; Slack itself always does."""
UNKNOWN = "this connector does not read events of this kind"


def translated(payload: Payload, facts: Facts) -> list[Event]:
    try:
        return list(Reading(_content(payload), payload, facts).events())
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise MalformedPayload(f"the payload cannot be read: {str(error).partition(chr(10))[0][:200]}") from error


def end(payload: Payload) -> str | None:
    if not any(name in payload.body for name in _GONE):
        return None
    return gone(object_of(json_object(payload.body), "event"))


def gone(event: Json) -> str | None:
    """Tokens of people may be revoked as well; we need the bot's."""
    kind = text_of(event, "type") or ""
    if kind == "tokens_revoked" and not object_of(event, "tokens").get("bot"):
        return None
    return GONE.get(kind)


def challenge(payload: Payload) -> str | None:
    """Slack tries the door: https://docs.slack.dev/reference/events/url_verification (2026-11)."""
    if b"url_verification" not in payload.body:
        return None  # reading the whole of every message for this would be half of an answer's time
    content = json_object(payload.body)
    return text_of(content, "challenge") if content.get("type") == "url_verification" else None


def _content(payload: Payload) -> Json:
    """JSON; buttons come as a form that holds it, commands as a form of their own."""
    if payload.body[:1] in (b"{", b"["):
        content = payload.json()
    else:
        form = payload.form
        if not form:
            raise Unreadable("the payload is neither JSON nor a form")
        held = form.get("payload")
        content = {"type": "slash_commands", **form} if held is None else _held(payload, held)
    if not isinstance(content, dict):
        raise Unreadable("the payload is no JSON object")
    return object_of(content, "payload") if "envelope_id" in content and content.get("payload") else content


def _held(payload: Payload, written: str) -> Any:
    return payload.model_copy(update={"body": written.encode("utf-8", "replace")}).json()


@dataclass(frozen=True)
class Reading:
    outer: Json
    payload: Payload
    facts: Facts

    def events(self) -> Iterator[Event]:
        kind = needed(self.outer, "type")
        readers: Mapping[str, Callable[[], Iterator[Event]]] = {
            "event_callback": self._event,
            "block_actions": lambda: self._pressed(self.outer),
            "interactive_message": lambda: self._pressed(interactive.as_blocks(self.outer)),
            "slash_commands": self._called,
            "url_verification": lambda: iter(()),
        }
        if kind in ALONE and "event" not in self.outer:
            wrapped = {**self.outer, "type": "event_callback", "event": self.outer, "team_id": self.outer.get("team")}
            return Reading(wrapped, self.payload, self.facts).events()
        return readers[kind]() if kind in readers else self._unknown(kind)

    def _event(self) -> Iterator[Event]:
        event = object_of(self.outer, "event")
        kind = needed(event, "type")
        if kind in HAPPENED:
            return self._happened(event, HAPPENED[kind])
        readers: Mapping[str, Callable[[Json], Iterator[Event]]] = {
            "message": self._message,
            "app_mention": self._said,
            "reaction_added": self._reacted,
            "reaction_removed": self._reacted,
            "user_change": self._profile,
            "team_join": self._profile,
        }
        reader = readers.get(kind)
        return reader(event) if reader else self._unknown(kind)

    # who is who

    @cached_property
    def own(self) -> str:
        """The bot's user where we are installed; https://docs.slack.dev/apis/events-api (authorizations, 2026-11), once
        `authed_users`."""
        for one in objects_of(self.outer, "authorizations"):
            if mine := text_of(one, "user_id"):
                return mine
        return self.facts.own_account or next(iter(texts_of(self.outer, "authed_users")), None) or self._app

    @property
    def _app(self) -> str:
        return text_of(self.outer, "api_app_id") or self.team or NOBODY

    @property
    def team(self) -> str | None:
        named = text_of(self.outer, "team_id") or text_of(object_of(self.outer, "team"), "id")
        return named or self.facts.extra.get("team_id")

    def _is_ours(self, event: Json) -> bool:
        app, bot = text_of(event, "app_id"), text_of(event, "bot_id")
        return (
            text_of(event, "user") == self.own
            or (app is not None and app == text_of(self.outer, "api_app_id"))
            or (bot is not None and bot == self.facts.extra.get("bot_id"))
        )

    def _author(self, event: Json) -> Party:
        """Whoever comes from another workspace (Slack Connect) keeps the id that they have there."""
        team = text_of(event, "user_team") or text_of(event, "source_team") or text_of(event, "team") or self.team
        if self._is_ours(event):
            return Party(identifiers=(self._identifier(USER, self.team, self.own),), is_self=True, is_bot=True)
        user, bot, profile = text_of(event, "user"), text_of(event, "bot_id"), object_of(event, "user_profile")
        if user is None and bot is None:
            raise Unreadable("user is missing")
        known = self._identifier(USER, team, user) if user else self._identifier(BOT, team, bot or "")
        return Party(
            identifiers=(known,),
            name=text_of(profile, "real_name")
            or text_of(event, "username")
            or text_of(object_of(event, "bot_profile"), "name"),
            handle=text_of(profile, "name"),
            is_bot=bot is not None or user == "USLACKBOT",
        )

    def _identifier(self, kind: str, scope: str | None, value: str) -> Identifier:
        return Identifier(kind=kind, scope=scope, value=value)

    # messages

    def _message(self, event: Json) -> Iterator[Event]:
        subtype = text_of(event, "subtype")
        if subtype in SPOKEN:
            return self._said(event)
        if subtype == "message_changed":
            return self._changed(event)
        if subtype == "message_deleted":
            return self._deleted(event, needed(event, "deleted_ts"))
        change = CHANGES.get(subtype or "")
        return self._updated(event, change) if change else self._unknown(f"message/{subtype}")

    def _said(self, event: Json) -> Iterator[Event]:
        interaction = self._interaction(event, needed(event, "channel"), text_of(event, "channel_type"))
        if interaction.direction == "inbound" and interaction.thread.visibility == "private":
            yield from self._claim(text_of(event, "text") or "", interaction)
        yield InteractionReceived(id=interaction.native_id, interaction=interaction)

    def _claim(self, text: str, about: Interaction) -> Iterator[Event]:
        if (found := TOKEN.search(text)) and about.author.account:
            yield IdentityClaimed(
                id=f"{about.native_id}/token",
                own_account=about.own_account,
                subject=about.author.account,
                proof="handoff_token",
                token=found[1],
                thread=about.thread,
                at=about.sent_at,
            )

    def _interaction(self, event: Json, channel: str, kind: str | None) -> Interaction:
        ts, root = needed(event, "ts"), text_of(event, "thread_ts")
        author, answered = self._author(event), root if root and root != ts else None
        return Interaction(
            network="slack",
            native_id=places.native_id(channel, ts),
            kind="message",
            direction="outbound" if author.is_self else "inbound",
            own_account=self.own,
            thread=places.thread(channel, kind, root or ts),
            author=author,
            in_reply_to=places.native_id(channel, answered) if answered else None,
            text=said.words(event) or None,
            attachments=said.files(event),
            duration=said.duration(event),
            client_key=_key(event) if author.is_self else None,
            context=json.dumps({"thread": answered}) if answered else None,
            sent_at=places.moment(ts),
        )

    def _changed(self, event: Json) -> Iterator[Event]:
        """Also told when a link has been unfolded or a reply counted: then nobody has edited anything."""
        message, channel = object_of(event, "message"), needed(event, "channel")
        edited = object_of(message, "edited")
        if message.get("subtype") == "tombstone":
            yield from self._deleted(event, needed(message, "ts"))
        elif edited:
            interaction = self._interaction(message, channel, text_of(event, "channel_type"))
            at = needed(edited, "ts")
            yield InteractionEdited(
                id=f"{interaction.native_id}/edited/{at}", interaction=interaction, edited_at=places.moment(at)
            )
        else:
            yield from self._unknown("message/message_changed", "nothing that somebody wrote has changed")

    def _deleted(self, event: Json, ts: str) -> Iterator[Event]:
        channel, before = needed(event, "channel"), object_of(event, "previous_message")
        gone = places.native_id(channel, ts)
        yield InteractionDeleted(
            id=f"{gone}/deleted",
            own_account=self.own,
            thread=places.thread(channel, text_of(event, "channel_type"), text_of(before, "thread_ts") or ts),
            native_id=gone,
            at=places.moment(needed(event, "ts")),
        )

    def _updated(self, event: Json, change: str) -> Iterator[Event]:
        channel, ts = needed(event, "channel"), needed(event, "ts")
        yield ThreadUpdated(
            id=places.native_id(channel, ts),
            own_account=self.own,
            thread=places.channel_itself(channel, text_of(event, "channel_type")),
            change=change,
            at=places.moment(ts),
        )

    def _happened(self, event: Json, change: str) -> Iterator[Event]:
        at = needed(event, "event_ts")
        channel = text_of(event, "channel") or needed(object_of(event, "channel"), "id")
        yield ThreadUpdated(
            id=self._event_id(),
            own_account=self.own,
            thread=places.channel_itself(channel, None),
            change=change,
            at=places.moment(at),
        )

    # all else

    def _reacted(self, event: Json) -> Iterator[Event]:
        item = object_of(event, "item")
        if text_of(item, "type") != "message":
            yield from self._unknown(needed(event, "type"), "the reaction is to no message")
            return
        channel, ts, at = needed(item, "channel"), needed(item, "ts"), needed(event, "event_ts")
        kind = ReactionAdded if needed(event, "type") == "reaction_added" else ReactionRemoved
        about, name = places.native_id(channel, ts), needed(event, "reaction")
        yield kind(
            id=f"{about}/{needed(event, 'user')}/{name[:100]}/{at}/{kind.__name__}",
            own_account=self.own,
            thread=places.thread(channel, None, ts),
            native_id=about,
            author=self._author(event),
            reaction=emoji.sign(name[:100]),
            at=places.moment(at),
        )

    def _profile(self, event: Json) -> Iterator[Event]:
        user = object_of(event, "user")
        yield ProfileUpdated(
            id=f"{self._event_id()}",
            own_account=self.own,
            party=party(user, self.team),
            at=self.payload.received_at,
        )

    def _pressed(self, told: Json) -> Iterator[Event]:
        """A button or a menu of ours. The message that it stands under is what the press answers."""
        (action,) = objects_of(told, "actions")[:1] or (None,)
        container, user = object_of(told, "container"), object_of(told, "user")
        if action is None or text_of(container, "type") != "message":
            yield from self._unknown(needed(told, "type"), "it was not pressed under a message")
            return
        channel, under = needed(container, "channel_id"), needed(container, "message_ts")
        at = needed(action, "action_ts")
        who = self._identifier(USER, text_of(user, "team_id") or self.team, needed(user, "id"))
        root = text_of(container, "thread_ts")
        pressed = places.native_id(channel, at)
        words_on_it, value = interactive.chosen(action)
        interaction = Interaction(
            network="slack",
            native_id=pressed,
            kind="message",
            direction="inbound",
            own_account=self._own_of_button(),
            thread=places.thread(channel, self._kind_of_button(), root or under),
            author=Party(identifiers=(who,), name=text_of(user, "name"), handle=text_of(user, "username")),
            in_reply_to=places.native_id(channel, under),
            text=words_on_it,
            choice=value,
            context=json.dumps({"thread": root}) if root else None,
            sent_at=places.moment(at),
        )
        yield InteractionReceived(id=pressed, interaction=interaction)

    def _called(self) -> Iterator[Event]:
        """A command, in the channel where it was typed; only its author sees it there, all see what we answer."""
        channel, name = needed(self.outer, "channel_id"), text_of(self.outer, "channel_name") or ""
        who = self._identifier(USER, self.team, needed(self.outer, "user_id"))
        typed = " ".join(filter(None, (needed(self.outer, "command"), text_of(self.outer, "text"))))
        interaction = Interaction(
            network="slack",
            native_id=self._event_id(),
            kind="message",
            direction="inbound",
            own_account=self.own,
            thread=places.channel_itself(channel, _kind(name)),
            author=Party(identifiers=(who,), handle=text_of(self.outer, "user_name")),
            text=mrkdwn.markdown(typed),
            sent_at=self.payload.received_at,  # Slack does not say when
        )
        yield InteractionReceived(id=interaction.native_id, interaction=interaction)

    def _kind_of_button(self) -> str | None:
        """Of what is not public Slack gives a word in place of the channel's name."""
        return _kind(text_of(object_of(self.outer, "channel"), "name") or "")

    def _own_of_button(self) -> str:
        return text_of(object_of(self.outer, "message"), "user") or self.own

    def _unknown(self, kind: str, reason: str | None = None) -> Iterator[Event]:
        own = next((text_of(one, "user_id") for one in objects_of(self.outer, "authorizations")), None)
        yield Unrecognised(
            id=self._event_id(),
            own_account=own or self.facts.own_account,
            native_type=kind[:100],
            reason=reason or REASONS.get(kind.rpartition("/")[2], UNKNOWN),
        )

    def _event_id(self) -> str:
        """Slack's own; what has none is told by its content."""
        if found := text_of(self.outer, "event_id") or text_of(self.outer, "trigger_id"):
            return found[:200]
        return hashlib.sha256(json.dumps(self.outer, sort_keys=True).encode()).hexdigest()[:32]


def _kind(name: str) -> str | None:
    """By the name of a channel."""
    return "mpim" if name.startswith("mpdm-") else NAMES.get(name)


def party(user: Json, team: str | None) -> Party:
    """A user object, https://docs.slack.dev/reference/objects/user-object (2026-11)."""
    profile = object_of(user, "profile")
    known = [Identifier(kind=USER, scope=text_of(user, "team_id") or team, value=needed(user, "id"))]
    if (address := text_of(profile, "email")) and "@" in address:
        known.append(Identifier(kind="email", value=address.lower()[:1024]))
    return Party(
        identifiers=tuple(known),
        name=text_of(profile, "real_name") or text_of(user, "real_name") or text_of(user, "name"),
        handle=text_of(user, "name"),
        language=(text_of(user, "locale") or "")[:35] or None,
        avatar=text_of(profile, "image_192"),
        is_bot=user.get("is_bot") is True,
    )


def _key(event: Json) -> str | None:
    """Ours, from the metadata that we have added: https://docs.slack.dev/messaging/message-metadata (2026-11)."""
    payload: Any = object_of(object_of(event, "metadata"), "event_payload")
    return text_of(payload, "key")

"""From an Update to events.

https://core.telegram.org/bots/api#update (Bot API 10.1, 2026-06)
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from socialsupport_core.model import (
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_telegram.address import Address, thread_of, visibility
from socialsupport_telegram.content import content, full_name
from socialsupport_telegram.native import (
    BusinessMessagesDeleted,
    CallbackQuery,
    Chat,
    Member,
    MemberUpdated,
    Message,
    MessageReaction,
    Reaction,
    Update,
    User,
)

START = re.compile(r"/start(?:@\w+)? ([a-z2-7]{26})")
"""What the deep link `t.me/BOT?start=TOKEN` sends.

https://core.telegram.org/bots/features#deep-linking (2026-06)
"""

CHANGES = {
    "new_chat_members": "joined",
    "left_chat_member": "left",
    "new_chat_title": "renamed",
    "group_chat_created": "opened",
    "supergroup_chat_created": "opened",
    "channel_chat_created": "opened",
    "migrate_to_chat_id": "migrated",
    "migrate_from_chat_id": "migrated",
    "pinned_message": "pinned",
    "forum_topic_created": "opened",
    "forum_topic_edited": "renamed",
    "forum_topic_closed": "closed",
    "forum_topic_reopened": "reopened",
    "general_forum_topic_hidden": "closed",
    "general_forum_topic_unhidden": "reopened",
}
"""Service messages that say something about their thread."""

SURROUNDINGS = frozenset(
    {
        "author_signature",
        "effect_id",
        "external_reply",
        "guest_bot_caller_chat",
        "guest_bot_caller_user",
        "guest_query_id",
        "has_media_spoiler",
        "has_protected_content",
        "is_from_offline",
        "is_paid_post",
        "link_preview_options",
        "paid_star_count",
        "quote",
        "reply_to_checklist_task_id",
        "reply_to_poll_option_id",
        "reply_to_story",
        "sender_boost_count",
        "sender_tag",
        "show_caption_above_media",
        "suggested_post_info",
        "via_bot",
    }
)
"""Fields of a message that we do not read and that are not what it says."""

MEMBERS = frozenset({"creator", "administrator", "member"})


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates one update for one bot; `now` is when it arrived, for what Telegram does not date."""

    bot: str
    now: datetime
    update: int

    def events(self, update: Update) -> list[Event]:
        for kind, translate in KINDS.items():
            if native := getattr(update, kind):
                return list(translate(self, native))
        kind = next(iter(update.model_extra or ()), "update")
        return [
            Unrecognised(
                id=f"update:{update.update_id}",
                own_account=self.bot,
                native_type=kind,
                reason="this connector does not read updates of this kind",
            )
        ]

    # messages

    def message(self, message: Message) -> Iterator[Event]:
        event_id = f"{Address.of(message).key}:{message.message_id}"
        said = content(message)
        if not said:
            yield self._service(message, event_id)
            return
        interaction = self._interaction(message, said)
        if interaction.direction == "inbound":
            yield from self._claims(message, interaction, event_id)
        yield InteractionReceived(id=event_id, interaction=interaction)

    def edited(self, message: Message) -> Iterator[Event]:
        said = content(message)
        interaction = self._interaction(message, said)
        # Edits within a second share their date; the number of the update tells which is the later.
        event_id = f"{Address.of(message).key}:{message.message_id}:edit:{message.edit_date}:{self.update}"
        if not said:
            yield self._unread(message, event_id)
            return
        edited_at = self.now if message.edit_date is None else moment(message.edit_date)
        yield InteractionEdited(id=event_id, interaction=interaction, edited_at=edited_at)

    def deleted(self, deleted: BusinessMessagesDeleted) -> Iterator[Event]:
        address = Address(deleted.chat.id, business=deleted.business_connection_id)
        for message_id in deleted.message_ids:
            yield InteractionDeleted(
                id=f"{address.key}:{message_id}:deleted",
                own_account=self.bot,
                thread=Thread(id=address.thread_id, visibility="private"),
                native_id=str(message_id),
                at=self.now,
            )

    def pressed(self, query: CallbackQuery) -> Iterator[Event]:
        if query.message is None or query.data is None:
            reason = "a game was opened" if query.message else "the button's message came by inline mode"
            yield Unrecognised(
                id=f"callback:{query.id}", own_account=self.bot, native_type="callback_query", reason=reason
            )
            return
        yield InteractionReceived(
            id=f"callback:{query.id}",
            interaction=Interaction(
                network="telegram",
                native_id=query.id,
                kind="message",
                direction="inbound",
                own_account=self.bot,
                thread=thread_of(query.message),
                author=self._user(query.sender),
                in_reply_to=str(query.message.message_id),
                text=_title(query.message, query.data),
                choice=query.data,
                context=_json({"callback_query_id": query.id}),
                sent_at=self.now,  # Telegram does not say when a button was pressed
            ),
        )

    def _interaction(self, message: Message, said: dict[str, Any]) -> Interaction:
        author, outbound = self._author(message)
        return Interaction(
            network="telegram",
            native_id=str(message.message_id),
            kind="message",
            direction="outbound" if outbound else "inbound",
            own_account=self.bot,
            thread=thread_of(message),
            author=author,
            recipients=self._recipients(message) if outbound else (),
            in_reply_to=_replied(message),
            context=_context(message),
            sent_at=moment(message.date),
            **said,
        )

    def _author(self, message: Message) -> tuple[Party, bool]:
        """Who speaks, and whether that is us.

        A chat that speaks as itself is us: a bot only receives the posts of channels that it administers, and
        only their administrators post. `from` is then made up by Telegram, and `sender_chat` counts.
        """
        if message.sender is None and message.sender_chat is None and message.chat.type == "private":
            return _person(message.chat), False
        if message.sender_chat or message.sender is None:
            chat = message.sender_chat or message.chat
            ours = chat.id == message.chat.id or message.is_automatic_forward
            return _chat(chat, is_self=ours), ours
        author = self._user(message.sender)
        if message.business_connection_id and message.sender.id != message.chat.id:
            return author.model_copy(update={"is_self": True}), True
        return author, author.is_self

    def _recipients(self, message: Message) -> tuple[Party, ...]:
        if message.chat.type == "private":
            return (_person(message.chat),)
        replied = message.reply_to_message.sender if message.reply_to_message else None
        return (self._user(replied),) if replied and str(replied.id) != self.bot else ()

    def _service(self, message: Message, event_id: str) -> Event:
        unread = message.model_extra or {}
        change = next((change for field, change in CHANGES.items() if field in unread), None)
        if change is None:
            return self._unread(message, event_id)
        thread, at = thread_of(message), moment(message.date)
        return ThreadUpdated(id=event_id, own_account=self.bot, thread=thread, change=change, at=at)

    def _unread(self, message: Message, event_id: str) -> Event:
        field = next((field for field in message.model_extra or () if field not in SURROUNDINGS), None)
        return Unrecognised(
            id=event_id,
            own_account=self.bot,
            native_type=f"message.{field}" if field else "message",
            reason="it says nothing that this connector reads",
        )

    def _claims(self, message: Message, interaction: Interaction, event_id: str) -> Iterator[Event]:
        subject = interaction.author.account
        assert subject
        about = {"own_account": self.bot, "subject": subject, "thread": interaction.thread}
        if start := START.fullmatch(message.text or ""):
            token = {"proof": "handoff_token", "token": start[1]}
            yield IdentityClaimed(id=f"{event_id}:start", at=interaction.sent_at, **about, **token)
        if phone := _own_phone(message):
            shared = {"proof": "contact_shared", "tier": "asserted", "claims": (phone,)}
            yield IdentityClaimed(id=f"{event_id}:contact", at=interaction.sent_at, **about, **shared)

    # everything else

    def reacted(self, changed: MessageReaction) -> Iterator[Event]:
        author = self._user(changed.user) if changed.user else _chat(changed.actor_chat or changed.chat)
        who = author.account
        before, after = (_reactions(which) for which in (changed.old_reaction, changed.new_reaction))
        kinds = ((ReactionRemoved, before, after), (ReactionAdded, after, before))
        for kind, these, others in kinds:
            for reaction in these:
                if reaction not in others:
                    sign = "+" if kind is ReactionAdded else "-"
                    yield kind(
                        id=f"{changed.chat.id}:{changed.message_id}:{who}:{changed.date}:{sign}{reaction}",
                        own_account=self.bot,
                        thread=Thread(id=str(changed.chat.id), visibility=visibility(changed.chat)),
                        native_id=str(changed.message_id),
                        author=author,
                        reaction=reaction,
                        at=moment(changed.date),
                    )

    def member(self, changed: MemberUpdated) -> Iterator[Event]:
        change = _membership(changed)
        yield ThreadUpdated(
            id=f"{changed.chat.id}:member:{changed.new_chat_member.user.id}:{changed.date}:{change}",
            own_account=self.bot,
            thread=Thread(id=str(changed.chat.id), visibility=visibility(changed.chat)),
            change=change,
            at=moment(changed.date),
        )

    def _user(self, user: User) -> Party:
        return Party(
            identifiers=(Identifier(kind="telegram.user", value=str(user.id)),),
            name=full_name(user.first_name, user.last_name),
            handle=user.username,
            language=user.language_code,
            is_self=str(user.id) == self.bot,
            is_bot=user.is_bot,
        )


KINDS: dict[str, Callable[[Translator, Any], Iterator[Event]]] = {
    "message": Translator.message,
    "edited_message": Translator.edited,
    "channel_post": Translator.message,
    "edited_channel_post": Translator.edited,
    "business_message": Translator.message,
    "edited_business_message": Translator.edited,
    "deleted_business_messages": Translator.deleted,
    "callback_query": Translator.pressed,
    "message_reaction": Translator.reacted,
    "my_chat_member": Translator.member,
    "chat_member": Translator.member,
}
"""The kinds of updates that we ask for."""


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _person(chat: Chat) -> Party:
    """A private chat has the id and the names of the person."""
    return Party(
        identifiers=(Identifier(kind="telegram.user", value=str(chat.id)),),
        name=full_name(chat.first_name, chat.last_name),
        handle=chat.username,
    )


def _chat(chat: Chat, *, is_self: bool = False) -> Party:
    return Party(
        identifiers=(Identifier(kind="telegram.chat", value=str(chat.id)),),
        name=chat.title,
        handle=chat.username,
        is_self=is_self,
    )


def _replied(message: Message) -> str | None:
    """In a forum every message replies to the one that opened its topic; that says nothing."""
    replied = message.reply_to_message
    return str(replied.message_id) if replied and replied.forum_topic_created is None else None


def _context(message: Message) -> str | None:
    kept: dict[str, Any] = {"media_group_id": message.media_group_id}
    kept["forwarded_from"] = _forwarded_from(message)
    return _json({name: value for name, value in kept.items() if value})


def _forwarded_from(message: Message) -> str | None:
    origin = message.forward_origin
    user = origin.sender_user if origin else message.forward_from
    chat = (origin.sender_chat or origin.chat) if origin else message.forward_from_chat
    hidden = origin.sender_user_name if origin else message.forward_sender_name
    named = full_name(user.first_name, user.last_name) if user else hidden
    return named or (chat.title if chat else None) or (origin.type if origin else None)


def _json(kept: dict[str, Any]) -> str | None:
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def _title(message: Message, data: str) -> str | None:
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return next((button.text for row in rows for button in row if button.callback_data == data), None)


def _own_phone(message: Message) -> Identifier | None:
    """The number of whoever shares their own contact.

    Telegram fills in `user_id` itself, from the account that it has verified by this number; a stranger's or
    an invented number carries somebody else's id or none. So Telegram asserts the number.
    """
    contact = message.contact
    if not contact or not message.sender or contact.user_id != message.sender.id:
        return None
    digits = re.sub(r"\D", "", contact.phone_number)
    return Identifier(kind="phone", value=f"+{digits}") if 7 <= len(digits) <= 15 else None


def _reactions(native: tuple[Reaction, ...]) -> list[str]:
    """Emoji; others as `custom_emoji:ID` and `paid`."""
    return [one.emoji or (f"custom_emoji:{one.custom_emoji_id}" if one.custom_emoji_id else one.type) for one in native]


def _membership(changed: MemberUpdated) -> str:
    before, after = _is_member(changed.old_chat_member), _is_member(changed.new_chat_member)
    if changed.chat.type == "private":
        return "unblocked" if after else "blocked"
    if before != after:
        left = "removed" if changed.new_chat_member.status == "kicked" else "left"
        return "joined" if after else left
    return changed.new_chat_member.status


def _is_member(member: Member) -> bool:
    return member.status in MEMBERS or (member.status == "restricted" and member.is_member)

"""Threads: which conversation of Telegram a message belongs to, and how to write there.

    -100200              a chat
    -100200:7            a topic of a forum; its general topic, 1, is the chat itself
    -100200:direct:7     what one person writes to a channel directly
    42:business:AbC      the chat of a business account that is connected to the bot

Message ids are unique within a chat; a business account's chats are apart from the bot's own chats of the
same number. https://core.telegram.org/bots/api#message (Bot API 10.1, 2026-06)
"""

import re
from typing import Any, NamedTuple, Self

from socialsupport_core.contract import Unreachable
from socialsupport_core.model import Thread, Visibility
from socialsupport_telegram.native import Chat, Message

_WRITTEN = re.compile(
    r"(?P<chat>-?\d{1,19}|@\w+)(?::(?P<topic>\d{1,19})|:direct:(?P<direct>\d{1,19})|:business:(?P<business>.+))?",
    re.ASCII,
)


GENERAL = 1
"""The topic that every forum has (https://core.telegram.org/api/forum, 2026-11). What is sent there takes no
`message_thread_id`; one of 1 is refused with "message thread not found", which is observed and not documented."""


class Address(NamedTuple):
    chat: int | str
    topic: int | None = None
    direct: int | None = None
    business: str | None = None

    @classmethod
    def of(cls, message: Message) -> Self:
        topic = message.message_thread_id if message.is_topic_message else None
        topic = None if topic == GENERAL else topic
        direct = message.direct_messages_topic.topic_id if message.direct_messages_topic else None
        return cls(message.chat.id, topic, direct, message.business_connection_id)

    @classmethod
    def read(cls, thread_id: str) -> Self:
        """Raises Unreachable when this is no thread of Telegram."""
        match = _WRITTEN.fullmatch(thread_id)
        if match is None:
            raise Unreachable(f"{thread_id!r} is no thread of Telegram; it begins with the number of a chat")
        chat, topic, direct, business = match.groups()
        return cls(
            chat if chat.startswith("@") else int(chat),
            int(topic) if topic and int(topic) != GENERAL else None,
            int(direct) if direct else None,
            business,
        )

    @property
    def key(self) -> str:
        """Within which message ids are unique."""
        return f"{self.chat}:business:{self.business}" if self.business else str(self.chat)

    @property
    def thread_id(self) -> str:
        if self.direct is not None:
            return f"{self.chat}:direct:{self.direct}"
        return self.key if self.topic is None or self.business else f"{self.chat}:{self.topic}"

    def fields(self) -> dict[str, Any]:
        """Where a message is to go, as fields of a call."""
        where = {
            "business_connection_id": self.business,
            "chat_id": self.chat,
            "message_thread_id": self.topic,
            "direct_messages_topic_id": self.direct,
        }
        return {name: value for name, value in where.items() if value is not None}

    def message_fields(self) -> dict[str, Any]:
        """Where a message is, as fields of a call that changes it: topics play no part."""
        return self._replace(topic=None, direct=None).fields()


def visibility(chat: Chat) -> Visibility:
    """Public is what anybody can find and read: supergroups and channels that have a public name."""
    if chat.type in ("supergroup", "channel") and chat.username and not chat.is_direct_messages:
        return "public"
    return "private"


def thread_of(message: Message) -> Thread:
    return Thread(id=Address.of(message).thread_id, visibility=visibility(message.chat))

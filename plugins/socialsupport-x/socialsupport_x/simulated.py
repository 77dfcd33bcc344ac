"""The simulated X's memory, and how X writes it: v1.1 for the Account Activity API, v2 for everything else."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from socialsupport_x.messages import conversation_of
from socialsupport_x.reading import ESCAPES

Written = dict[str, Any]
LINK = re.compile(r"https?://[^\s<>]+")


@dataclass(slots=True)
class Account:
    id: str
    handle: str
    name: str
    followers: int = 120
    takes_messages: bool = True

    def v1(self) -> Written:
        return {
            "id": int(self.id),
            "id_str": self.id,
            "name": self.name,
            "screen_name": self.handle,
            "followers_count": self.followers,
            "profile_image_url_https": self.picture,
        }

    def v2(self) -> Written:
        return {
            "id": self.id,
            "name": self.name,
            "username": self.handle,
            "profile_image_url": self.picture,
            "public_metrics": {
                "followers_count": self.followers,
                "following_count": 0,
                "listed_count": 0,
                "post_count": 0,
            },
        }

    @property
    def picture(self) -> str:
        return f"https://pbs.twimg.com/profile_images/{self.id}/{self.handle}_normal.jpg"


@dataclass(slots=True)
class File:
    """An uploaded file, or one that a person attaches."""

    id: str
    category: str
    media_type: str
    content: bytes = b""
    expected: int = 0
    checks_left: int = 0
    """How often its status is still `in_progress`."""

    @property
    def is_complete(self) -> bool:
        return len(self.content) == self.expected


@dataclass(slots=True)
class Tweet:
    id: str
    author: Account
    text: str
    at: datetime
    root: str
    reply_to: "Tweet | None" = None
    quotes: "Tweet | None" = None
    versions: list[str] = field(default_factory=list)
    likers: list[Account] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    def v1(self) -> Written:
        text, links = shortened(self.text)
        answered = self.reply_to
        written: Written = {
            "created_at": self.at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
            "timestamp_ms": milliseconds(self.at),
            "id": int(self.id),
            "id_str": self.id,
            "text": text if len(text) <= 140 else text[:139] + "…",
            "truncated": len(text) > 140,
            "user": self.author.v1(),
            "in_reply_to_status_id_str": answered.id if answered else None,
            "in_reply_to_user_id_str": answered.author.id if answered else None,
            "in_reply_to_screen_name": answered.author.handle if answered else None,
            "favorite_count": len(self.likers),
            "retweet_count": 0,
            "quote_count": 0,
            "reply_count": 0,
            "entities": {"urls": links},
            "lang": "und",
        }
        if len(text) > 140:
            written["extended_tweet"] = {"full_text": text, "entities": {"urls": links}}
        if self.quotes:
            written["quoted_status"] = self.quotes.v1()
        if len(self.versions) > 1:
            written["edit_history"] = {"initial_tweet_id": self.versions[0], "edit_tweet_ids": self.versions}
        return written

    def v2(self) -> Written:
        text, links = shortened(self.text)
        replied = [{"type": "replied_to", "id": self.reply_to.id}] if self.reply_to else []
        quoted = [{"type": "quoted", "id": self.quotes.id}] if self.quotes else []
        written: Written = {
            "id": self.id,
            "text": text,
            "author_id": self.author.id,
            "conversation_id": self.root,
            "created_at": iso(self.at),
            "edit_history_post_ids": self.versions,
            "entities": {"urls": links},
            "lang": "und",
            "public_metrics": {
                "repost_count": 0,
                "reply_count": 0,
                "like_count": len(self.likers),
                "quote_count": 0,
                "bookmark_count": 0,
                "impression_count": 0,
            },
        }
        if self.reply_to:
            written["in_reply_to_user_id"] = self.reply_to.author.id
        if replied or quoted:
            written["referenced_posts"] = [*replied, *quoted]
        return written


@dataclass(slots=True)
class Direct:
    """A direct message."""

    id: str
    sender: Account
    recipient: Account
    text: str
    at: datetime
    files: list[File] = field(default_factory=list)

    @property
    def conversation(self) -> str:
        return conversation_of(self.sender.id, self.recipient.id)

    def v1(self) -> Written:
        text, links = shortened(self.text)
        data: Written = {"text": text, "entities": {"urls": links}}
        for file in self.files:
            address = f"https://ton.twitter.com/1.1/ton/data/dm/{self.id}/{file.id}/file"
            data["attachment"] = {"type": "media", "media": {"id_str": file.id, "media_url_https": address}}
        return {
            "type": "message_create",
            "id": self.id,
            "created_timestamp": milliseconds(self.at),
            "message_create": {
                "target": {"recipient_id": self.recipient.id},
                "sender_id": self.sender.id,
                "message_data": data,
            },
        }

    def v2(self) -> Written:
        text, links = shortened(self.text)
        return {
            "id": self.id,
            "event_type": "MessageCreate",
            "text": text,
            "sender_id": self.sender.id,
            "dm_conversation_id": self.conversation,
            "created_at": iso(self.at),
            "entities": {"urls": links},
        }


def users_v1(*accounts: Account) -> Mapping[str, Written]:
    return {account.id: account.v1() for account in accounts}


def shortened(text: str) -> tuple[str, list[Written]]:
    """The text with X's escapes and t.co links, and what the links stand for."""
    full = LINK.findall(text)
    shown = escaped(LINK.sub(lambda match: _short(match[0]), text))
    links: list[Written] = []
    end = 0
    for address in full:
        start = shown.index(_short(address), end)
        end = start + len(_short(address))
        places = {"start": start, "end": end, "indices": [start, end]}
        links.append({"url": _short(address), "expanded_url": address, "display_url": address[8:35], **places})
    return shown, links


def _short(address: str) -> str:
    return "https://t.co/" + hashlib.sha256(address.encode()).hexdigest()[:10]


def escaped(text: str) -> str:
    for escape, character in reversed(ESCAPES):
        text = text.replace(character, escape)
    return text


def only(written: Written, names: Iterable[str]) -> Written:
    wanted = set(names)
    return {name: value for name, value in written.items() if name in wanted}


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def milliseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def http_date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)

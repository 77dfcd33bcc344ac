"""Carrying out intents, and finding out what became of a doubtful one.

https://docs.x.com/x-api/posts/create-post,
https://docs.x.com/x-api/direct-messages/manage/introduction (2026-07)
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import httpx

from socialsupport_core.contract import Flow, Uncertain, Unreachable, Unsupported
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
from socialsupport_core.model import (
    Attachment,
    DeleteMessage,
    Intent,
    OpenPrivate,
    Party,
    React,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_core.model.interaction import Visibility
from socialsupport_core.text import plain, quiet
from socialsupport_x import api
from socialsupport_x.media import upload
from socialsupport_x.messages import counterpart, private
from socialsupport_x.people import KIND
from socialsupport_x.posts import LIKE
from socialsupport_x.reading import moment_of, written

LIKES = frozenset({LIKE, LIKE + "\ufe0f", "♥", "♥️"})
PAGES = 32
"""https://docs.x.com/x-api/posts/timelines/introduction (2026-07): at most 3,200 posts, 100 a page."""
TOO_MANY = "there are too many messages of our own since then to be sure; please check"
SKEW = {"public": timedelta(minutes=10), "private": timedelta(minutes=1)}
"""How far X's clock may be behind ours. X refuses a post that repeats another, so an equal one is surely the
one that we look for; two equal direct messages within minutes are possible."""


def carry_out(intent: Intent) -> Flow[Receipt]:
    match intent:
        case SendMessage(thread=Thread(visibility="public")):
            return reply(intent)
        case SendMessage():
            return message(intent)
        case OpenPrivate():
            return open_private(intent)
        case DeleteMessage():
            return delete(intent)
        case React():
            return react(intent)
        case _:
            raise Unsupported(f"X cannot carry out {intent.type}")


def reply(intent: SendMessage) -> Flow[Receipt]:
    media = yield from _uploads(intent.attachments, "public")
    response = yield api.create_post(words(intent.text), replied_to(intent), media)
    return Receipt(native_id=str(response.json()["data"]["id"]))


def replied_to(intent: Intent) -> str:
    """The newest version of the post that we answer; without one, the post that began the thread."""
    target = intent.target
    if target is None or target.thread.visibility != "public":
        return intent.thread.id
    return target.context or target.native_id


def message(intent: SendMessage) -> Flow[Receipt]:
    media = yield from _uploads(intent.attachments, "private")
    path = api.at(*_conversation(intent), "messages")
    response = yield api.create_message(path, words(intent.text), media)
    return Receipt(native_id=str(response.json()["data"]["dm_event_id"]))


def open_private(intent: OpenPrivate) -> Flow[Receipt]:
    path = api.at("dm_conversations", "with", addressee(intent), "messages")
    response = yield api.create_message(path, words(intent.text), ())
    data = response.json()["data"]
    return Receipt(native_id=str(data["dm_event_id"]), thread=private(str(data["dm_conversation_id"])))


def addressee(intent: Intent) -> str:
    parties: list[Party | None] = [intent.recipient, intent.target.counterpart if intent.target else None]
    accounts = [party.account for party in parties if party]
    user_id = next((account.value for account in accounts if account and account.kind == KIND), None)
    if user_id is None:
        raise Unreachable("the intent names nobody on X to write to", code="recipient")
    return user_id


def _conversation(intent: Intent) -> tuple[str, ...]:
    other = counterpart(intent.thread.id, intent.own_account)
    return ("dm_conversations", "with", other) if other else ("dm_conversations", intent.thread.id)


def _uploads(attachments: Sequence[Attachment], visibility: Visibility) -> Flow[list[str]]:
    media: list[str] = []
    for attachment in attachments:
        media.append((yield from upload(attachment, visibility)))
    return media


def delete(intent: DeleteMessage) -> Flow[Receipt]:
    yield api.send("DELETE", api.at("tweets", _public_target(intent)))
    return Receipt(native_id=_public_target(intent))


def react(intent: React) -> Flow[Receipt]:
    post, own = _public_target(intent), intent.own_account
    if not intent.reaction:
        yield api.send("DELETE", api.at("users", own, "likes", post))
    elif intent.reaction in LIKES:
        yield api.send("POST", api.at("users", own, "likes"), {"tweet_id": post})
    else:
        raise Unsupported(f"X knows no reaction but {LIKE}")
    return Receipt(native_id=post)


def _public_target(intent: Intent) -> str:
    """X deletes a direct message for its own side only and has no reactions to one by this API."""
    target = intent.target
    if target is None or target.thread.visibility != "public":
        raise Unsupported(f"X can do {intent.type} with a public post only")
    return target.context or target.native_id


# Looking up


def find(intent: Intent, since: datetime) -> Flow[Receipt | None]:
    match intent:
        case SendMessage(thread=Thread(visibility="public")):
            return find_reply(intent, since)
        case SendMessage():
            return find_message(_conversation(intent), intent, since)
        case OpenPrivate():
            return find_message(("dm_conversations", "with", addressee(intent)), intent, since)
        case DeleteMessage():
            return find_deleted(intent)
        case React():
            return find_like(intent)
        case _:
            raise Unsupported(f"X cannot carry out {intent.type}")


def find_reply(intent: SendMessage, since: datetime) -> Flow[Receipt | None]:
    start = (since - SKEW["public"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    token: str | None = None
    for _ in range(PAGES):
        response = yield api.own_posts(intent.own_account, start, token)
        page = response.json()
        for post in objects_of(page, "data"):
            if _answers(post, replied_to(intent)) and same_text(post, intent.text or ""):
                return Receipt(native_id=str(post["id"]), at=moment_of(post, "created_at"))
        token = text_of(object_of(page, "meta"), "next_token")
        if token is None:
            return None
    raise Uncertain(TOO_MANY)


def _answers(post: Json, post_id: str) -> bool:
    references = objects_of(post, "referenced_posts", "referenced_tweets")
    return any(text_of(one, "type") == "replied_to" and text_of(one, "id") == post_id for one in references)


def find_message(
    conversation: tuple[str, ...], intent: SendMessage | OpenPrivate, since: datetime
) -> Flow[Receipt | None]:
    token: str | None = None
    for _ in range(PAGES):
        response = yield api.direct_messages(api.at(*conversation, "dm_events"), token)
        page = response.json()
        for event in _newer(objects_of(page, "data"), since - SKEW["private"]):
            if text_of(event, "sender_id") == intent.own_account and same_text(event, intent.text or ""):
                thread = private(str(event["dm_conversation_id"])) if isinstance(intent, OpenPrivate) else None
                return Receipt(native_id=str(event["id"]), thread=thread, at=moment_of(event, "created_at"))
        token = text_of(object_of(page, "meta"), "next_token")
        if token is None or _reaches(objects_of(page, "data"), since - SKEW["private"]):
            return None
    raise Uncertain(TOO_MANY)


def _newer(events: Sequence[Json], since: datetime) -> Iterator[Json]:
    return (event for event in events if (at := moment_of(event, "created_at")) is None or at >= since)


def _reaches(events: Sequence[Json], since: datetime) -> bool:
    """The page, newest first, goes back far enough."""
    return any(at < since for event in events if (at := moment_of(event, "created_at")))


def find_deleted(intent: DeleteMessage) -> Flow[Receipt | None]:
    post = _public_target(intent)
    try:
        yield api.get(api.at("tweets", post))
    except Unreachable:
        return Receipt(native_id=post)
    return None


def find_like(intent: React) -> Flow[Receipt | None]:
    post = _public_target(intent)
    response: httpx.Response = yield api.get(api.at("users", intent.own_account, "liked_tweets"), max_results=100)
    liked = post in {text_of(item, "id") for item in objects_of(response.json(), "data")}
    return Receipt(native_id=post) if liked is bool(intent.reaction) else None


def words(markdown: str | None) -> str:
    """Plain text; who is named in a quotation is not told."""
    return plain(quiet(markdown or ""))


LEADING_MENTIONS = re.compile(r"(?:@\w+\s+)*", re.ASCII)
SCHEME = re.compile(r"https?://", re.IGNORECASE)


def same_text(native: Json, text: str) -> bool:
    """X puts @names before a reply and shortens links; neither makes it another text."""
    long = object_of(native, "note_post", "note_tweet")
    links = objects_of(object_of(long, "entities"), "urls") or objects_of(object_of(native, "entities"), "urls")
    ours = _comparable(words(text))
    theirs = _comparable(written(text_of(long, "text") or text_of(native, "text") or "", links) or "")
    return theirs == ours or (not ours and SHORT_ONLY.fullmatch(theirs) is not None)


SHORT_ONLY = re.compile(r"(?:t\.co/\w+|\S+/(?:photo|video)/\d|\S+/messages/media/\d+)?", re.ASCII)
"""What X shows as the text of a message that is only media."""


def _comparable(text: str) -> str:
    words = SCHEME.sub("", LEADING_MENTIONS.sub("", text.strip(), count=1)).split()
    return " ".join(word.rstrip("/") for word in words)

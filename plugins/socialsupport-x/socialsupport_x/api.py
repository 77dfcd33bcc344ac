"""The addresses and forms of X API v2 that we call.

https://docs.x.com/x-api/introduction; names as the published description 2.167 has them (2026-07)
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from socialsupport_core.contract import Unreachable

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
API = "https://api.x.com"
POST_FIELDS = "attachments,conversation_id,created_at,display_text_range,entities,id,lang,note_post,public_metrics,text"
POST_EXPANSIONS = "attachments.media_keys,author_id,edit_history_post_ids,in_reply_to_user_id,referenced_posts"
USER_FIELDS = "id,name,profile_image_url,public_metrics,username"
MEDIA_FIELDS = "alt_text,media_key,preview_image_url,type,url,variants"
MESSAGE_FIELDS = "attachments,created_at,dm_conversation_id,entities,event_type,id,text"
MESSAGE_EXPANSIONS = "attachments.media_keys,participant_ids,sender_id"


def at(*segments: str) -> str:
    """The path of one resource. Nothing but an id of X gets into it."""
    for segment in segments:
        if not ID.fullmatch(segment):
            raise Unreachable(f"{segment[:40]!r} is not an id of X", code="id")
    return "/2/" + "/".join(segments)


def get(path: str, **query: str | int | None) -> httpx.Request:
    told = {name.replace("__", "."): str(value) for name, value in query.items() if value is not None}
    return httpx.Request("GET", API + path, params=told)


def send(method: str, path: str, content: Mapping[str, Any] | None = None) -> httpx.Request:
    return httpx.Request(method, API + path, json=content)


def mentions(own: str, since: str | None, token: str | None) -> httpx.Request:
    return _posts(at("users", own, "mentions"), since_id=since, pagination_token=token)


def own_posts(own: str, start_time: str, token: str | None) -> httpx.Request:
    return _posts(at("users", own, "tweets"), start_time=start_time, pagination_token=token)


def posts_since(own: str, since: str | None, token: str | None, size: int) -> httpx.Request:
    return _posts(at("users", own, "tweets"), size, since_id=since, pagination_token=token)


def _posts(path: str, size: int = 100, **query: str | None) -> httpx.Request:
    return get(
        path,
        max_results=size,
        **query,
        post__fields=POST_FIELDS,
        expansions=POST_EXPANSIONS,
        user__fields=USER_FIELDS,
        media__fields=MEDIA_FIELDS,
    )


def direct_messages(path: str, token: str | None) -> httpx.Request:
    return get(
        path,
        max_results=100,
        pagination_token=token,
        dm_event__fields=MESSAGE_FIELDS,
        expansions=MESSAGE_EXPANSIONS,
        user__fields=USER_FIELDS,
        media__fields=MEDIA_FIELDS,
    )


def create_post(text: str, reply_to: str, media: Sequence[str]) -> httpx.Request:
    content: dict[str, Any] = {"reply": {"in_reply_to_tweet_id": reply_to}}
    if text:
        content["text"] = text
    if media:
        content["media"] = {"media_ids": list(media)}
    return send("POST", "/2/tweets", content)


def create_message(path: str, text: str, media: Sequence[str]) -> httpx.Request:
    content: dict[str, Any] = {"text": text} if text else {}
    if media:
        content["attachments"] = [{"media_id": media_id} for media_id in media]
    return send("POST", path, content)

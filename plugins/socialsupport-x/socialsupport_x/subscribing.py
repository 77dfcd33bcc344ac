"""Registering the door at X and ordering the events of our account.

https://docs.x.com/x-api/webhooks/introduction, https://docs.x.com/x-api/activity/introduction,
https://docs.x.com/x-api/account-activity/introduction (2026-07)
"""

import httpx

from socialsupport_core.contract import ContentRejected, Flow, Forbidden
from socialsupport_core.contract.lax import object_of, objects_of, text_of
from socialsupport_x.api import get, send

EVENTS = (
    "post.create",
    "post.delete",
    "post.mention.create",
    "post.reply.create",
    "post.quote.create",
    "like.create",
    "dm.received",
    "dm.sent",
    "dm.read",
    "dm.indicate_typing",
)
"""Of the X Activity API. Each delivered event costs credits: what needs no answer is not ordered."""


def webhook(public_url: str) -> Flow[str]:
    """The id of the webhook with this address, new or registered before."""
    try:
        response: httpx.Response = yield send("POST", "/2/webhooks", {"url": public_url})
    except ContentRejected as refused:
        registered = yield get("/2/webhooks")
        webhook_id = _registered(registered, public_url)
        if webhook_id is None:
            raise refused from None
        return webhook_id
    content = response.json()
    return str((object_of(content, "data") or content)["id"])


def _registered(response: httpx.Response, public_url: str) -> str | None:
    hooks = objects_of(response.json(), "data")
    return next((text_of(hook, "id") for hook in hooks if text_of(hook, "url") == public_url), None)


def account_activity(public_url: str) -> Flow[None]:
    webhook_id = yield from webhook(public_url)
    path = f"/2/account_activity/webhooks/{webhook_id}/subscriptions/all"
    response: httpx.Response = yield get(path)
    if object_of(response.json(), "data").get("subscribed") is True:
        return
    response = yield send("POST", path, {})
    if object_of(response.json(), "data").get("subscribed") is not True:
        raise Forbidden("X has not subscribed the account; has it granted access to direct messages?")


def x_activity(public_url: str, own: str) -> Flow[None]:
    """One subscription for each kind of event; those that exist are left alone."""
    webhook_id = yield from webhook(public_url)
    ordered = yield from _ordered(webhook_id, own)
    for event_type in EVENTS:
        if event_type not in ordered:
            order = {"event_type": event_type, "filter": {"user_id": own}, "webhook_id": webhook_id}
            yield send("POST", "/2/activity/subscriptions", order)


def _ordered(webhook_id: str, own: str) -> Flow[set[str]]:
    found: set[str] = set()
    token: str | None = None
    for _ in range(100):  # 1,000 a page; no tier has more than 100,000 subscriptions
        response: httpx.Response = yield get("/2/activity/subscriptions", max_results=1000, pagination_token=token)
        for one in objects_of(response.json(), "data"):
            mine = text_of(object_of(one, "filter"), "user_id") == own
            if mine and text_of(one, "webhook_id") == webhook_id:
                found.add(text_of(one, "event_type") or "")
        token = text_of(object_of(response.json(), "meta"), "next_token")
        if token is None:
            break
    return found

"""How the simulated X answers each call.

Refusals as X words them: https://docs.x.com/x-api/fundamentals/response-codes-and-errors (2026-07).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import httpx

from socialsupport_x.simulated import Direct, File, Tweet, Written, iso, only

if TYPE_CHECKING:
    from socialsupport_x.simulator import XSimulator

Answer = Callable[["XSimulator", httpx.Request, Any, Sequence[str]], httpx.Response]
"""From the request, its body and the ids in its path."""


def problem(status: int, title: str, detail: str, kind: str = "") -> httpx.Response:
    """A problem document; most refusals of v2 have no type and no code."""
    type_ = f"https://api.x.com/2/problems/{kind}" if kind else "about:blank"
    return httpx.Response(status, json={"title": title, "detail": detail, "type": type_, "status": status})


def refused(detail: str) -> httpx.Response:
    return problem(403, "Forbidden", detail)


def data(content: Any, status: int = 200, **beside: Any) -> httpx.Response:
    return httpx.Response(status, json={"data": content, **beside})


def refused_token(_error: str, description: str) -> httpx.Response:
    """X calls every refusal of a code or token an invalid request."""
    content = {"error": "invalid_request", "error_description": f"Value passed was invalid: {description}."}
    return httpx.Response(400, json=content)


def missing(kind: str, value: str) -> httpx.Response:
    error = {
        "title": "Not Found Error",
        "detail": f"Could not find {kind} with id: [{value}].",
        "type": "https://api.x.com/2/problems/resource-not-found",
        "resource_type": kind,
        "resource_id": value,
    }
    return httpx.Response(200, json={"errors": [error]})


NAME = re.compile(rb' name="(\w+)"')
TYPE = re.compile(rb"content-type: ([^\r\n;]+)", re.IGNORECASE)


def body_of(request: httpx.Request) -> Any:
    """JSON, or the parts of a multipart form by name, each with its media type."""
    content = request.read()
    boundary = request.headers.get("content-type", "").partition("multipart/form-data; boundary=")[2]
    if boundary:
        return _parts(content, f"--{boundary}".encode())
    try:
        return json.loads(content) if content else {}
    except ValueError:
        return None


def _parts(content: bytes, boundary: bytes) -> dict[str, tuple[bytes, str]]:
    parts: dict[str, tuple[bytes, str]] = {}
    for part in content.split(boundary)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        name, media_type = NAME.search(head), TYPE.search(head)
        if name:
            parts[name[1].decode()] = (body.removesuffix(b"\r\n"), media_type[1].decode() if media_type else "")
    return parts


# Posts


def create_post(x: "XSimulator", _request: httpx.Request, body: Any, _ids: Sequence[str]) -> httpx.Response:
    text, reply_to = body.get("text", ""), body.get("reply", {}).get("in_reply_to_tweet_id", "")
    files = [x.files.get(media_id) for media_id in body.get("media", {}).get("media_ids", ())]
    answered = x.tweets.get(reply_to)
    if reply_to and answered is None:
        return refused("You attempted to reply to a Tweet that is deleted or not visible to you.")
    if not text and not files:
        return problem(400, "Invalid Request", "A post needs a text or media.", "invalid-request")
    if x.too_long(text):
        return refused("Your Tweet text is too long. For more information, see counting characters.")
    if fault := _unfit(files, "tweet_"):
        return problem(400, "Invalid Request", fault, "invalid-request")
    if _is_repeated(x, text, answered) and not files:
        return refused("You are not allowed to create a Tweet with duplicate content.")
    said = x.post(x.brand, text, reply_to, files=[file for file in files if file])
    return data({"id": said.id, "text": said.text, "edit_history_post_ids": [said.id]}, 201)


def _is_repeated(x: "XSimulator", text: str, answered: Tweet | None) -> bool:
    shown = f"@{answered.author.handle} {text}" if answered and answered.author is not x.brand else text
    return any(one.author is x.brand and one.text in {shown, text} for one in x.tweets.values())


def _unfit(files: Sequence[File | None], category: str) -> str | None:
    for file in files:
        if file is None or not file.is_complete or file.checks_left:
            return "Your media IDs are invalid."
        if not file.category.startswith(category):
            return f"The media category {file.category} does not fit."
    return None


def delete_post(x: "XSimulator", _request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    tweet = x.tweets.get(ids[0])
    if tweet is None:
        return problem(404, "Not Found Error", f"Could not find tweet with id: [{ids[0]}].", "resource-not-found")
    if tweet.author is not x.brand:
        return refused("You are not allowed to delete this Tweet.")
    x.delete(ids[0])
    return data({"deleted": True})


def show_post(x: "XSimulator", request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    tweet = x.tweets.get(ids[0])
    return data(_post(tweet, request)) if tweet else missing("tweet", ids[0])


def mentions(x: "XSimulator", request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    if ids[0] != x.brand.id:
        return missing("user", ids[0])
    named = f"@{x.brand.handle}"
    return _posts(x, request, [one for one in _current(x) if one.author is not x.brand and named in one.text])


def own_posts(x: "XSimulator", request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    return _posts(x, request, [one for one in _current(x) if one.author is x.brand])


def liked_posts(x: "XSimulator", request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    return _posts(x, request, [one for one in _current(x) if x.brand in one.likers])


def _current(x: "XSimulator") -> list[Tweet]:
    return [tweet for post_id, tweet in x.tweets.items() if post_id == tweet.id]


def _posts(x: "XSimulator", request: httpx.Request, tweets: list[Tweet]) -> httpx.Response:
    query = request.url.params
    since, start = int(query.get("since_id", "0")), query.get("start_time", "")
    wanted = [one for one in tweets if int(one.id) > since and iso(one.at)[:19] >= start[:19]]
    page, meta = _page(x, request, sorted(wanted, key=lambda one: -int(one.id)))
    users = [account.v2() for one in page for account in (one.author, *_addressee(one))]
    return _listed([_post(one, request) for one in page], {"users": _distinct(users)}, meta)


def _addressee(tweet: Tweet) -> list[Any]:
    return [tweet.reply_to.author] if tweet.reply_to else []


def _post(tweet: Tweet, request: httpx.Request) -> Written:
    """Only what was asked for, as X does."""
    expansions = [name.partition(".")[0] for name in request.url.params.get("expansions", "").split(",")]
    asked = request.url.params.get("post.fields", "").split(",")
    return only(tweet.v2(), ("id", "text", *asked, *expansions))


def like(x: "XSimulator", _request: httpx.Request, body: Any, _ids: Sequence[str]) -> httpx.Response:
    tweet = x.tweets.get(body["tweet_id"])
    if tweet is None:
        return missing("tweet", body["tweet_id"])
    if x.brand not in tweet.likers:
        tweet.likers.append(x.brand)
        x.tell_like(tweet, x.brand)
    return data({"liked": True})


def unlike(x: "XSimulator", _request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    tweet = x.tweets.get(ids[1])
    if tweet and x.brand in tweet.likers:
        tweet.likers.remove(x.brand)
    return data({"liked": False})


# Direct messages


def create_message(x: "XSimulator", _request: httpx.Request, body: Any, ids: Sequence[str]) -> httpx.Response:
    recipient = x.accounts.get(ids[0])
    files = [x.files.get(one["media_id"]) for one in body.get("attachments", ())]
    if recipient is None:
        return problem(404, "Not Found Error", f"Could not find user with id: [{ids[0]}].", "resource-not-found")
    if not recipient.takes_messages:
        return refused("You do not have permission to DM one or more participants.")
    if "text" not in body and not files:
        return problem(400, "Invalid Request", "A message needs a text or media.", "invalid-request")
    if len(body.get("text", "")) > 10_000:
        return httpx.Response(403, json={"errors": [{"code": 354, "message": "The text is over the max limit."}]})
    if fault := _unfit(files, "dm_"):
        return problem(400, "Invalid Request", fault, "invalid-request")
    said = x.write(x.brand, recipient, body.get("text", ""), [file for file in files if file])
    return data({"dm_conversation_id": said.thread, "dm_event_id": said.id}, 201)


def all_messages(x: "XSimulator", request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    return _messages(x, request, x.directs)


def messages_with(x: "XSimulator", request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    return _messages(x, request, [one for one in x.directs if ids[0] in {one.sender.id, one.recipient.id}])


def _messages(x: "XSimulator", request: httpx.Request, directs: Sequence[Direct]) -> httpx.Response:
    page, meta = _page(x, request, list(reversed(directs)))
    query = request.url.params
    asked = query.get("dm_event.fields", "").split(",") + query.get("expansions", "").split(",")
    users = [account.v2() for one in page for account in (one.sender, one.recipient)]
    written = [only(one.v2(), ("id", "text", "event_type", *asked)) for one in page]
    return _listed(written, {"users": _distinct(users)}, meta)


# Pages


def _page(x: "XSimulator", request: httpx.Request, items: list[Any]) -> tuple[list[Any], Written]:
    start = int(request.url.params.get("pagination_token", "0"))
    size = min(x.page_size, int(request.url.params.get("max_results", "100")))
    page, left = items[start : start + size], len(items) - start - size
    more = {"next_token": f"{start + size:016d}"} if left > 0 else {}
    return page, {"result_count": len(page), **more}


def _listed(items: list[Written], includes: Written, meta: Written) -> httpx.Response:
    return data(items, includes=includes, meta=meta) if items else httpx.Response(200, json={"meta": meta})


def _distinct(users: list[Written]) -> list[Written]:
    return list({user["id"]: user for user in users}.values())


# Accounts and files


def me(x: "XSimulator", _request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    return data(x.brand.v2())


def user(x: "XSimulator", _request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    account = x.accounts.get(ids[0])
    return data(account.v2()) if account else missing("user", ids[0])


def upload(x: "XSimulator", _request: httpx.Request, body: Any, _ids: Sequence[str]) -> httpx.Response:
    if not isinstance(body, dict) or set(body) != {"media", "media_category"}:
        return problem(400, "Invalid Request", "media and media_category are needed", "invalid-request")
    content, media_type = body["media"]
    category = body["media_category"][0].decode()
    if len(content) > 5 * 1024 * 1024:
        return problem(400, "Invalid Request", "File size exceeds 5242880 bytes.", "invalid-request")
    return data(_uploaded(_kept(x, category, media_type, content, len(content))))


def initialize(x: "XSimulator", _request: httpx.Request, body: Any, _ids: Sequence[str]) -> httpx.Response:
    file = _kept(x, body["media_category"], body["media_type"], b"", body["total_bytes"])
    file.checks_left = 1
    return data(_uploaded(file))


def append(x: "XSimulator", _request: httpx.Request, body: Any, ids: Sequence[str]) -> httpx.Response:
    segment = body.get("segment_index", (b"", ""))[0] if isinstance(body, dict) else b""
    if ids[0] not in x.files or not segment.isdigit() or "media" not in body:
        return problem(400, "Invalid Request", "segment_index and media are needed", "invalid-request")
    x.files[ids[0]].content += body["media"][0]
    return data({"expires_at": int(x.clock().timestamp()) + 86_400})


def finalize(x: "XSimulator", _request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    file = x.files.get(ids[0])
    if file is None or not file.is_complete:
        return problem(400, "Invalid Request", "Segments do not add up to provided total file size.", "invalid-request")
    return data({**_uploaded(file), "processing_info": {"state": "pending", "check_after_secs": 1}})


def status(x: "XSimulator", request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    media_id = request.url.params["media_id"]
    file = x.files.get(media_id)
    if file is None:
        return missing("media", media_id)
    state = "in_progress" if file.checks_left > 1 else "succeeded"
    file.checks_left = max(0, file.checks_left - 1)
    return data({**_uploaded(file), "processing_info": {"state": state, "check_after_secs": 1}})


def _kept(x: "XSimulator", category: str, media_type: str, content: bytes, size: int) -> File:
    media_id = x.new_id()
    x.files[media_id] = File(media_id, category, media_type, content, size)
    return x.files[media_id]


def _uploaded(file: File) -> Written:
    return {"id": file.id, "media_key": f"3_{file.id}", "expires_after_secs": 86_400, "size": len(file.content)}


def file(x: "XSimulator", request: httpx.Request) -> httpx.Response:
    """What lies on X's other hosts; an address names the file by its id."""
    found = next((x.files[part] for part in request.url.path.split("/") if part in x.files), None)
    if found is None:
        return httpx.Response(404)
    return httpx.Response(200, content=found.content, headers={"content-type": found.media_type})


# Webhooks


def register(x: "XSimulator", _request: httpx.Request, body: Any, _ids: Sequence[str]) -> httpx.Response:
    if body["url"] in x.webhooks.values():
        return _not_registered("DuplicateUrlFailed: Webhook URL already in use.")
    x.door = body["url"]
    challenge = x.challenge()
    if x.deliver and not x.passes(challenge, x.deliver(challenge)):
        return _not_registered("CrcValidationFailed: the response token does not fit.")
    webhook_id = x.new_id()
    x.webhooks[webhook_id] = body["url"]
    return data(_webhook(x, webhook_id))


def _not_registered(reason: str) -> httpx.Response:
    content = {
        "errors": [{"message": reason}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.x.com/2/problems/invalid-request",
    }
    return httpx.Response(400, json=content)


def _webhook(x: "XSimulator", webhook_id: str) -> Written:
    return {"id": webhook_id, "url": x.webhooks[webhook_id], "valid": True, "created_at": iso(x.clock())}


def webhooks(x: "XSimulator", _request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    found = [_webhook(x, webhook_id) for webhook_id in x.webhooks]
    return data(found, meta={"result_count": len(found)})


def is_subscribed(x: "XSimulator", _request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    return data({"subscribed": any(one == {"webhook_id": ids[0]} for one in x.subscriptions)})


def subscribe_account(x: "XSimulator", _request: httpx.Request, _body: Any, ids: Sequence[str]) -> httpx.Response:
    if ids[0] not in x.webhooks:
        return _not_registered("WebhookIdInvalid: the webhook is not yours.")
    x.subscriptions.append({"webhook_id": ids[0]})
    x.activity = False
    return data({"subscribed": True})


def subscribe_event(x: "XSimulator", _request: httpx.Request, body: Any, _ids: Sequence[str]) -> httpx.Response:
    if body in [only(one, body) for one in x.subscriptions]:
        return _not_registered("DuplicateSubscriptionFailed: it exists already.")
    subscription = {"subscription_id": x.new_id(), **body}
    x.subscriptions.append(subscription)
    x.activity = True
    return data({"subscription": subscription})


def subscriptions(x: "XSimulator", request: httpx.Request, _body: Any, _ids: Sequence[str]) -> httpx.Response:
    page, meta = _page(x, request, [one for one in x.subscriptions if "event_type" in one])
    return data(page, meta=meta)


ANSWERS: Mapping[str, Answer] = {
    "POST /2/tweets": create_post,
    "DELETE /2/tweets/:id": delete_post,
    "GET /2/tweets/:id": show_post,
    "GET /2/users/me": me,
    "GET /2/users/:id": user,
    "GET /2/users/:id/mentions": mentions,
    "GET /2/users/:id/tweets": own_posts,
    "GET /2/users/:id/liked_tweets": liked_posts,
    "POST /2/users/:id/likes": like,
    "DELETE /2/users/:id/likes/:id": unlike,
    "GET /2/dm_events": all_messages,
    "GET /2/dm_conversations/with/:id/dm_events": messages_with,
    "POST /2/dm_conversations/with/:id/messages": create_message,
    "POST /2/media/upload": upload,
    "GET /2/media/upload": status,
    "POST /2/media/upload/initialize": initialize,
    "POST /2/media/upload/:id/append": append,
    "POST /2/media/upload/:id/finalize": finalize,
    "POST /2/webhooks": register,
    "GET /2/webhooks": webhooks,
    "GET /2/account_activity/webhooks/:id/subscriptions/all": is_subscribed,
    "POST /2/account_activity/webhooks/:id/subscriptions/all": subscribe_account,
    "GET /2/activity/subscriptions": subscriptions,
    "POST /2/activity/subscriptions": subscribe_event,
}

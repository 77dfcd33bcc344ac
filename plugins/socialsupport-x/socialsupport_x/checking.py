"""What X checks before it does anything: who calls, in which form, and how often.

Forms: published description of X API 2.167. Limits per user: https://docs.x.com/x-api/fundamentals/rate-limits
(2026-07).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from socialsupport_core.testing.oauth import Token
from socialsupport_x import oauth1
from socialsupport_x.settings import XSettings

QUARTER = 900
DAY = 86_400
LIMITS: Mapping[str, tuple[tuple[str, int, int], ...]] = {
    "POST /2/tweets": (("x-rate-limit", 100, QUARTER),),
    "DELETE /2/tweets/:id": (("x-rate-limit", 50, QUARTER),),
    "GET /2/tweets/:id": (("x-rate-limit", 900, QUARTER),),
    "GET /2/users/me": (("x-rate-limit", 75, QUARTER),),
    "GET /2/users/:id": (("x-rate-limit", 900, QUARTER),),
    "GET /2/users/:id/mentions": (("x-rate-limit", 300, QUARTER),),
    "GET /2/users/:id/tweets": (("x-rate-limit", 900, QUARTER),),
    "GET /2/users/:id/liked_tweets": (("x-rate-limit", 75, QUARTER),),
    "POST /2/users/:id/likes": (("x-rate-limit", 50, QUARTER), ("x-user-limit-24hour", 1000, DAY)),
    "DELETE /2/users/:id/likes/:id": (("x-rate-limit", 50, QUARTER), ("x-user-limit-24hour", 1000, DAY)),
    "GET /2/dm_events": (("x-rate-limit", 15, QUARTER),),
    "GET /2/dm_conversations/with/:id/dm_events": (("x-rate-limit", 15, QUARTER),),
    "POST /2/dm_conversations/with/:id/messages": (
        ("x-rate-limit", 15, QUARTER),
        ("x-user-limit-24hour", 1440, DAY),
    ),
    "POST /2/media/upload": (("x-rate-limit", 500, QUARTER),),
}


@dataclass(slots=True)
class Meter:
    """Counts the calls of one account in fixed windows."""

    limits: Mapping[str, tuple[tuple[str, int, int], ...]] = field(default_factory=lambda: LIMITS)
    windows: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """The end of the window (epoch seconds) and the calls in it."""

    def count(self, endpoint: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """Whether the call is within the limits, and the headers that tell."""
        within, headers = True, dict[str, str]()
        for prefix, calls, seconds in self.limits.get(endpoint, ()):
            at = int(now.timestamp())
            end, used = self.windows.get((endpoint, prefix), (0, 0))
            end, used = (at + seconds, 0) if end <= at else (end, used)
            within &= used < calls
            self.windows[endpoint, prefix] = (end, used + 1)
            left = max(0, calls - used - 1)
            headers |= {f"{prefix}-limit": str(calls), f"{prefix}-remaining": str(left), f"{prefix}-reset": str(end)}
        return within, headers


READING = frozenset({"tweet.read", "users.read"})
SCOPES: Mapping[str, frozenset[str]] = {
    "POST /2/tweets": READING | {"tweet.write"},
    "DELETE /2/tweets/:id": READING | {"tweet.write"},
    "GET /2/tweets/:id": READING,
    "GET /2/users/me": READING,
    "GET /2/users/:id": READING,
    "GET /2/users/:id/mentions": READING,
    "GET /2/users/:id/tweets": READING,
    "GET /2/users/:id/liked_tweets": READING | {"like.read"},
    "POST /2/users/:id/likes": READING | {"like.write"},
    "DELETE /2/users/:id/likes/:id": READING | {"like.write"},
    "GET /2/dm_events": READING | {"dm.read"},
    "GET /2/dm_conversations/with/:id/dm_events": READING | {"dm.read"},
    "POST /2/dm_conversations/with/:id/messages": READING | {"dm.write"},
    "POST /2/media/upload": frozenset({"media.write"}),
    "GET /2/media/upload": frozenset({"media.write"}),
    "POST /2/media/upload/initialize": frozenset({"media.write"}),
    "POST /2/media/upload/:id/append": frozenset({"media.write"}),
    "POST /2/media/upload/:id/finalize": frozenset({"media.write"}),
}
"""What an account must have granted for a call by OAuth 2.0."""


def lacks_scope(endpoint: str, token: Token | None) -> bool:
    return token is not None and not SCOPES.get(endpoint, frozenset()) <= set(token.scope.split())


APP_ONLY = frozenset({"GET /2/webhooks", "POST /2/webhooks"})


def is_authorized(request: httpx.Request, endpoint: str, settings: XSettings) -> bool:
    given = request.headers.get("authorization", "")
    bearer = settings.app_bearer_token if endpoint in APP_ONLY else None
    if bearer and given == f"Bearer {bearer.get_secret_value()}":
        return True
    if endpoint == "GET /2/webhooks":
        return bearer is None
    if settings.oauth2_token and given == f"Bearer {settings.oauth2_token.get_secret_value()}":
        return True
    return given.startswith("OAuth ") and is_signed(request, given, settings)


PROTOCOL = re.compile(r'(oauth_\w+)="([^"]*)"')


def is_signed(request: httpx.Request, given: str, settings: XSettings) -> bool:
    """The signature made again with the nonce and the time that the header names."""
    told = dict(PROTOCOL.findall(given))
    secrets = (settings.consumer_key, settings.consumer_secret, settings.access_token, settings.access_token_secret)
    values = [secret.get_secret_value() for secret in secrets if secret]
    if len(values) != len(secrets) or not told.get("oauth_timestamp", "").isdigit():
        return False
    keys = oauth1.Keys(*values)
    expected = oauth1.authorization(request, keys, told.get("oauth_nonce", ""), int(told["oauth_timestamp"]))
    return given == expected


# Forms. A name that ends in `!` is required; a string is a pattern; nothing else is allowed.

ID = "[0-9]{1,19}"
TEXT = "(?s:.*)"
FIELDS = {
    "post.fields": "attachments conversation_id created_at display_text_range edit_controls entities geo id lang "
    "note_post public_metrics reply_settings text",
    "user.fields": "created_at description entities id location name profile_image_url protected public_metrics "
    "receives_your_dm url username verified",
    "media.fields": "alt_text duration_ms height media_key preview_image_url public_metrics type url variants width",
    "dm_event.fields": "attachments created_at dm_conversation_id entities event_type id text",
}
POST_EXPANSIONS = (
    "attachments.media_keys author_id edit_history_post_ids entities.mentions.username in_reply_to_user_id "
    "referenced_posts username"
)
MESSAGE_EXPANSIONS = "attachments.media_keys participant_ids referenced_posts sender_id"
BODIES: Mapping[str, Any] = {
    "POST /2/tweets": {
        "text": TEXT,
        "reply": {"in_reply_to_tweet_id!": ID},
        "media": {"media_ids!": [ID, 1, 4]},
        "quote_tweet_id": ID,
    },
    "POST /2/dm_conversations/with/:id/messages": {
        "text": "(?s:.+)",
        "attachments": [{"media_id!": ID}, 1, 1],
    },
    "POST /2/users/:id/likes": {"tweet_id!": ID},
    "POST /2/media/upload/initialize": {
        "media_type": "(?:video/(?:mp4|webm|mp2t|quicktime)|image/(?:jpeg|gif|bmp|png|webp|tiff))",
        "media_category": "(?:tweet|dm)_(?:image|gif|video)",
        "total_bytes": int,
    },
    "POST /2/webhooks": {"url!": "https://[^:/]+/.{0,190}"},
    "POST /2/account_activity/webhooks/:id/subscriptions/all": {},
    "POST /2/activity/subscriptions": {
        "event_type!": "[a-z_]+(?:[.][a-z_]+)+",
        "filter!": {"user_id": ID, "keyword": TEXT, "direction": "inbound|outbound"},
        "tag": "(?s:.{1,200})",
        "webhook_id": ID,
    },
}
PAGE = {"max_results": "[0-9]+", "pagination_token": ".+"}
QUERIES: Mapping[str, Any] = {
    "GET /2/users/:id/mentions": {**PAGE, "since_id": ID, "until_id": ID, "start_time": ".+Z", "end_time": ".+Z"},
    "GET /2/users/:id/tweets": {**PAGE, "since_id": ID, "until_id": ID, "start_time": ".+Z", "end_time": ".+Z"},
    "GET /2/dm_events": PAGE,
    "GET /2/dm_conversations/with/:id/dm_events": PAGE,
    "GET /2/users/:id/liked_tweets": PAGE,
    "GET /2/activity/subscriptions": PAGE,
    "GET /2/media/upload": {"media_id!": ID, "command": "STATUS"},
}


def fault_in_body(endpoint: str, body: Any) -> str | None:
    form = BODIES.get(endpoint)
    return _fault(form, body, "the body") if form is not None else None


def fault_in_query(endpoint: str, query: Mapping[str, str]) -> str | None:
    lists = {name: value for name, value in query.items() if name in FIELDS or name == "expansions"}
    expansions = MESSAGE_EXPANSIONS if "dm_" in endpoint else POST_EXPANSIONS
    for name, value in lists.items():
        allowed = (FIELDS.get(name) or expansions).split()
        if unknown := [one for one in value.split(",") if one not in allowed]:
            return f"{name} does not know {unknown[0]}"
    others = {name: value for name, value in query.items() if name not in lists}
    return _fault(QUERIES.get(endpoint, {}), others, "the query")


def _fault(form: Any, value: Any, where: str) -> str | None:
    if form is int:
        return None if isinstance(value, int) and value >= 0 else f"{where} is not a number"
    if isinstance(form, str):
        fits = isinstance(value, str) and re.fullmatch(form, value)
        return None if fits else f"{where} has not the form {form}"
    if isinstance(form, list):
        return _fault_in_list(form, value, where)
    return _fault_in_object(form, value, where)


def _fault_in_list(form: list[Any], value: Any, where: str) -> str | None:
    inner, least, most = form
    if not isinstance(value, list) or not least <= len(value) <= most:
        return f"{where} is not a list of {least} to {most}"
    return next((fault for item in value if (fault := _fault(inner, item, where))), None)


def _fault_in_object(form: Mapping[str, Any], value: Any, where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where} is not an object"
    inner = {name.rstrip("!"): rule for name, rule in form.items()}
    if missing := [name[:-1] for name in form if name.endswith("!") and name[:-1] not in value]:
        return f"{where} lacks {missing[0]}"
    if unknown := set(value) - set(inner):
        return f"{where} has the unknown field {min(unknown)}"
    faults = (_fault(inner[name], item, f"{where}, {name},") for name, item in value.items())
    return next((fault for fault in faults if fault), None)

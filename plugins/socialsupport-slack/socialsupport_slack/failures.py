"""What Slack's refusals mean. It says `{"ok": false, "error": "channel_not_found"}` with a status of 200.

The codes stand on the page of each method, https://docs.slack.dev/reference/methods/chat.postMessage#errors and its
like (2026-11). A code that is not listed refuses the content.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
    from_response,
    retry_after,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.contract.lax import Json, text_of

DONE = frozenset({"already_reacted", "no_reaction"})
"""It was so already."""
_MEANINGS: Mapping[type[DeliveryError], str] = {
    AuthExpired: """
        account_inactive app_uninstalled invalid_auth invalid_refresh_token not_authed token_expired token_revoked""",
    Forbidden: """
        access_denied accesslimited bad_client_secret bad_redirect_uri cant_delete_message cant_update_message
        code_already_used compliance_exports_prevent_deletion edit_window_closed ekm_access_denied
        enterprise_is_restricted file_uploads_disabled forbidden_team invalid_app_token invalid_client_id invalid_code
        missing_scope no_permission not_allowed_token_type oauth_authorization_url_mismatch org_login_required
        restricted_action restricted_action_non_threadable_channel restricted_action_read_only_channel
        restricted_action_thread_only_channel storage_limit_reached team_access_not_granted
        two_factor_setup_required""",
    Unreachable: """
        cannot_dm_bot cannot_reply_to_message channel_not_found file_not_found is_archived is_inactive
        message_not_found messages_tab_disabled not_in_channel team_not_found thread_not_found user_disabled
        user_is_bot user_not_found user_not_visible users_not_found""",
    RateLimited: "message_limit_exceeded rate_limited ratelimited",
    Unavailable: "service_unavailable team_added_to_org",
    Uncertain: "fatal_error internal_error request_timeout",
}
MEANINGS: Mapping[str, type[DeliveryError]] = {
    code: kind for kind, codes in _MEANINGS.items() for code in codes.split()
}


def failure(response: httpx.Response, secrets: Iterable[str]) -> DeliveryError | None:
    if plain := from_response(response):
        return plain
    body = _body(response)
    if body.get("ok") is not False:
        return None
    code = text_of(body, "error") or "unknown_error"
    if code in DONE:
        return None
    kind = MEANINGS.get(code, ContentRejected)
    if kind is Uncertain and response.request.method in SAFE_METHODS:
        kind = Unavailable
    message = f"Slack refuses it: {_sentence(code, body, secrets)}"
    if issubclass(kind, RateLimited):
        return kind(message, code=code, retry_after=retry_after(response))
    return kind(message, code=code)


def _sentence(code: str, body: Json, secrets: Iterable[str]) -> str:
    """The code, the scope that is missing, and what Slack adds in words."""
    more = [f"it needs the scope {scope}"] if (scope := text_of(body, "needed")) else []
    metadata = body.get("response_metadata")
    told = metadata.get("messages") if isinstance(metadata, dict) else None
    more += [one for one in told[:3] if isinstance(one, str)] if isinstance(told, list) else []
    sentence = "; ".join([code, *more])
    for secret in secrets:
        sentence = sentence.replace(secret, "…")
    return sentence[:300]


def _body(response: httpx.Response) -> Json:
    """Only what the Web API answers; a file may hold anything."""
    if "json" not in response.headers.get("content-type", "") or "/api/" not in response.request.url.path:
        return {}
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}

"""What each operation is called in a client that is generated from the description: verb_noun, in snake_case.

A name follows from method and path; those that would read badly so have their own.
"""

VERBS = {"GET": "get", "POST": "add", "PUT": "put", "PATCH": "change", "DELETE": "remove"}
LISTED = frozenset(
    [
        "agents",
        "tenants",
        "tokens",
        "quarantine",
        "customers",
        "erasures",
        "conversations",
        "answers",
        "approvals",
        "drafts",
        "reviews",
        "spikes",
        "events",
        "channels",
        "webhooks",
        "team",
    ]
)
"""Last parts of paths whose GET is a list."""
DONE = frozenset(
    [
        "link",
        "split",
        "send",
        "discard",
        "assign",
        "resolve",
        "reopen",
        "merge",
        "pause",
        "resume",
        "backfill",
        "test",
        "subscribe",
        "replay",
    ]
)
"""Last parts of paths that are verbs: what they are done to stands before them."""
NAMES = {
    "GET /api/me": "get_me",
    "GET /api/quarantine/{entry}": "get_quarantined",
    "POST /api/quarantine/replay": "replay_quarantine",
    "PUT /api/guidance": "put_guidance",
    "POST /api/conversations/{id}/reply": "send_reply",
    "POST /api/conversations/{id}/plan": "plan_reply",
    "POST /api/conversations/{id}/move": "move_legs",
    "POST /api/conversations/{id}/undo": "undo_move",
    "GET /api/conversations/{id}/routing": "explain_routing",
    "POST /api/customers/{id}/undo": "undo_link",
    "POST /api/challenges/{id}/hear": "hear_code",
    "POST /api/approvals/{id}/approve": "approve_reply",
    "POST /api/approvals/{id}/refuse": "refuse_reply",
    "POST /api/approvals/{id}/withdraw": "withdraw_reply",
    "POST /api/conversations/{id}/note": "add_note",
    "POST /api/conversations/{id}/typing": "show_typing",
    "POST /api/conversations/{id}/presence": "show_presence",
    "POST /api/conversations/{id}/triage": "correct_triage",
    "POST /api/conversations/{id}/context": "correct_context",
    "POST /api/conversations/{id}/drafts": "add_draft",
    "GET /api/conversations/{id}/answers": "suggest_answers",
    "GET /api/conversations/{id}/drafts": "list_drafts",
    "GET /api/conversations/{id}/hand-off": "list_hand_off_ways",
    "POST /api/conversations/{id}/hand-off": "hand_off_conversation",
    "GET /api/conversations/{id}/challenge": "list_challenges",
    "POST /api/conversations/{id}/challenge": "start_challenge",
    "GET /api/customers/{id}/timeline": "get_customer_timeline",
    "GET /api/customers/{id}/explain": "explain_customer",
    "GET /api/customers/{id}/consents": "list_consents",
    "POST /api/customers/{id}/consents": "set_consent",
    "DELETE /api/customers/{id}": "erase_customer",
    "GET /api/customers": "find_customers",
    "POST /api/erasures/{id}/dismiss": "dismiss_erasure",
    "POST /api/interactions": "record_interaction",
    "PATCH /api/interactions/{id}": "edit_interaction",
    "DELETE /api/interactions/{id}": "delete_interaction",
    "POST /api/interactions/{id}/reaction": "react_to_interaction",
    "POST /api/identities/nonce": "issue_nonce",
    "POST /api/identities": "prove_identity",
    "GET /api/identities/issuers": "list_issuers",
    "POST /api/identities/issuers": "trust_issuer",
    "DELETE /api/identities/issuers/{id}": "distrust_issuer",
    "DELETE /api/hand-off/{id}": "withdraw_hand_off",
    "GET /api/hand-off/templates": "list_hand_off_templates",
    "PUT /api/hand-off/templates": "put_hand_off_templates",
    "POST /api/duty": "set_duty",
    "GET /api/report.html": "get_report_page",
    "POST /api/reviews/{id}": "decide_review",
    "POST /api/outbox/{part}/settle": "settle_part",
    "POST /api/attachments": "upload_attachment",
    "GET /api/attachments/{id}": "download_attachment",
    "POST /api/tokens": "issue_token",
    "DELETE /api/tokens/{id}": "revoke_token",
    "GET /api/connect/{connector}": "connect_channel",
    "GET /connect/callback": "finish_connecting",
    "POST /api/webhooks/{id}/secret": "rotate_webhook_secret",
    "POST /api/webhooks/{id}/secret/retire": "retire_webhook_secret",
    "GET /health": "get_health",
    "GET /metrics": "get_metrics",
    "GET /hooks/{door}": "verify_door",
    "POST /hooks/{door}": "call_door",
    "PUT /hooks/{door}": "put_to_door",
    "GET /hooks/app/{door}": "verify_app_door",
    "POST /hooks/app/{door}": "call_app_door",
    "PUT /hooks/app/{door}": "put_to_app_door",
    "GET /h/{token}": "open_hand_off",
    "GET /chat/{door}/{page}": "open_chat_page",
}
TAGS = {"h": "doors", "chat": "doors", "hooks": "doors", "report.html": "report", "hand-off": "hand_off"}
"""By the first part of the path, where that is no good name."""


def operation_id(method: str, path: str) -> str:
    if found := NAMES.get(f"{method} {path}"):
        return found
    parts = [one.replace("-", "_") for one in path.removeprefix("/api/").split("/") if not one.startswith("{")]
    *before, last = parts
    if last in DONE:
        return "_".join([last, *map(_singular, before)])
    if method == "GET" and last in LISTED and not path.endswith("}"):
        return "_".join(["list", *map(_singular, before), last])
    verb = VERBS[method]
    return "_".join([verb, *map(_singular, parts)])


def tag(path: str) -> str:
    """Of what it is about: generators put each into a module of its own."""
    first = path.removeprefix("/api/").strip("/").split("/")[0]
    return TAGS.get(first, first)


def _singular(noun: str) -> str:
    return noun.removesuffix("s") if noun in LISTED else noun

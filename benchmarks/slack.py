"""Direct messages of Slack, signed, for the benchmark against others.

https://docs.slack.dev/reference/events/message.im and
https://docs.slack.dev/authentication/verifying-requests-from-slack (2026-11)
"""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from socialsupport_core.model import Payload
from socialsupport_slack.connector import signed as signature


def message(number: int, customer: int, at: float) -> dict[str, Any]:
    """As Slack sends one: the text, and the same once more as blocks."""
    link, order = f"https://shop.example/orders/{number}", f"order {number * 31 % 9973}"
    elements = [
        {"type": "text", "text": f"Message {number}: where is "},
        {"type": "link", "url": link, "text": order},
        {"type": "text", "text": " & its "},
        {"type": "text", "text": "bill", "style": {"bold": True}},
        {"type": "text", "text": "?"},
    ]
    section = {"type": "rich_text_section", "elements": elements}
    event = {
        "type": "message",
        "user": f"U{customer:08}",
        "ts": f"{at:.6f}",
        "client_msg_id": f"00000000-0000-4000-8000-{number:012}",
        "text": f"Message {number}: where is <{link}|{order}> &amp; its *bill*?",
        "team": "T00000001",
        "blocks": [{"type": "rich_text", "block_id": f"b{number}", "elements": [section]}],
        "channel": f"D{customer:08}",
        "event_ts": f"{at:.6f}",
        "channel_type": "im",
    }
    return {
        "token": "not-used-any-more",
        "team_id": "T00000001",
        "api_app_id": "A00000001",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:010}",
        "event_time": int(at),
        "authorizations": [{"team_id": "T00000001", "user_id": "U00BOT", "is_bot": True}],
    }


def signed(number: int, customer: int, at: float, secret: str) -> Payload:
    body = json.dumps(message(number, customer, at + number / 1000)).encode()
    signed_at = str(int(at))
    headers = (
        ("content-type", "application/json"),
        ("x-slack-request-timestamp", signed_at),
        ("x-slack-signature", signature(SecretStr(secret), signed_at, body).decode()),
    )
    return Payload(
        url="https://hub.example/hooks/door", headers=headers, body=body, received_at=datetime.fromtimestamp(at, UTC)
    )

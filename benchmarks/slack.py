"""Slack, for the benchmark against others only: direct messages to a bot, translated, and nothing is sent.

https://docs.slack.dev/reference/events/message.im and
https://docs.slack.dev/authentication/verifying-requests-from-slack (2026-11)
"""

import hmac
import html
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import SecretStr

from socialsupport_core.contract import Connector, MalformedPayload, Settings, SignatureError, hookimpl
from socialsupport_core.model import (
    Capabilities,
    Event,
    Identifier,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Thread,
    Unrecognised,
)
from socialsupport_core.text import Span, from_spans

TOLERANCE = 300
"""Seconds between signing and arrival."""
_MARKUP = re.compile(r"<@(?P<user>\w+)(?:\|[^>]*)?>|<(?P<url>[^>|]+)(?:\|(?P<label>[^>]*))?>|\*(?P<bold>[^*\n]+)\*")


class SlackSettings(Settings):
    bot: str
    """The bot's user id."""
    signing_secret: SecretStr


class Slack(Connector[SlackSettings]):
    name: ClassVar[str] = "slack"
    settings_model: ClassVar[type[Settings]] = SlackSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"webhook"}),
        verification="signature",
        events=frozenset({"interaction.received", "unrecognised"}),
    )

    def verify(self, payload: Payload) -> None:
        signed_at = payload.header("x-slack-request-timestamp") or "0"
        if not signed_at.isdecimal() or abs(payload.received_at.timestamp() - int(signed_at)) > TOLERANCE:
            raise SignatureError("X-Slack-Request-Timestamp is missing or older than five minutes")
        given = payload.header("x-slack-signature") or ""
        secret = self.settings.signing_secret.get_secret_value()
        if not hmac.compare_digest(given.encode(), sign(secret, signed_at, payload.body).encode()):
            raise SignatureError("X-Slack-Signature does not fit the body and the signing secret")

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            outer = payload.json()
            event = outer["event"]
            if event["type"] != "message" or event["channel_type"] != "im" or "subtype" in event:
                return [Unrecognised(id=outer["event_id"], own_account=self.settings.bot, native_type=event["type"])]
            return [InteractionReceived(id=outer["event_id"], interaction=self._interaction(event, outer["team_id"]))]
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedPayload(f"this is no event of Slack: {error!r}") from error

    def _interaction(self, event: dict[str, Any], team: str) -> Interaction:
        return Interaction(
            network="slack",
            native_id=event["ts"],
            kind="message",
            direction="inbound",
            own_account=self.settings.bot,
            thread=Thread(id=event["channel"], visibility="private"),
            author=Party(identifiers=(Identifier(kind="slack.user", scope=team, value=event["user"]),)),
            text=markdown(event["text"]),
            sent_at=datetime.fromtimestamp(float(event["ts"]), UTC),
        )


def sign(secret: str, signed_at: str, body: bytes) -> str:
    mac = hmac.digest(secret.encode(), b"v0:" + signed_at.encode() + b":" + body, "sha256")
    return f"v0={mac.hex()}"


def markdown(text: str) -> str:
    """Slack's own markup as CommonMark: bold, links and mentions.

    https://docs.slack.dev/messaging/formatting-message-text (2026-11)
    """
    plain, spans, end = "", [], 0
    for found in _MARKUP.finditer(text):
        plain += html.unescape(text[end : found.start()])
        shown = html.unescape(found["bold"] or found["label"] or found["url"] or f"@{found['user']}")
        style, value = ("bold", "") if found["bold"] else ("mention", found["user"])
        if found["url"]:
            style, value = "link", html.unescape(found["url"])
        spans.append(Span(len(plain), len(plain) + len(shown), style, value))
        plain, end = plain + shown, found.end()
    return from_spans(plain + html.unescape(text[end:]), spans)


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
        ("x-slack-signature", sign(secret, signed_at, body)),
    )
    return Payload(
        url="https://hub.example/hooks/door", headers=headers, body=body, received_at=datetime.fromtimestamp(at, UTC)
    )


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Slack,)

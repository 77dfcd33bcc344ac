"""What somebody has pressed, picked or called: buttons and menus of blocks and of old attachments, commands.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload,
https://docs.slack.dev/legacy/legacy-messaging/legacy-making-messages-interactive and
https://docs.slack.dev/interactivity/implementing-slash-commands (2026-11)
"""

from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, texts_of
from socialsupport_slack import mrkdwn

PICKED = (
    "value",
    "selected_date",
    "selected_time",
    "selected_date_time",
    "selected_user",
    "selected_channel",
    "selected_conversation",
)
SEVERAL = ("selected_users", "selected_channels", "selected_conversations")
LONGEST = 1024


def chosen(action: Json) -> tuple[str | None, str | None]:
    """The words that people read, and the value behind them: of a button, or of what was picked from a menu."""
    options = objects_of(action, "selected_options") or [one for one in (object_of(action, "selected_option"),) if one]
    if options:
        words = [_label(one) or text_of(one, "value") or "" for one in options]
        values = [text_of(one, "value") or "" for one in options]
        return ", ".join(filter(None, words)) or None, ", ".join(filter(None, values))[:LONGEST] or None
    value = text_of(action, *PICKED) or ", ".join(texts_of(action, *SEVERAL))
    return _label(action), (value or text_of(action, "action_id", "name") or "")[:LONGEST] or None


def _label(given: Json) -> str | None:
    """A text object; in old attachments the text as it stands."""
    text = text_of(object_of(given, "text"), "text") or text_of(given, "text")
    return mrkdwn.markdown(text) if text else None


def as_blocks(legacy: Json) -> Json:
    """An `interactive_message` in the form of `block_actions`."""
    container = {
        "type": "message",
        "channel_id": object_of(legacy, "channel").get("id"),
        "message_ts": legacy.get("message_ts"),
        "thread_ts": object_of(legacy, "original_message").get("thread_ts"),
    }
    actions = [{**one, "action_ts": legacy.get("action_ts")} for one in objects_of(legacy, "actions")]
    return {**legacy, "container": container, "actions": actions}

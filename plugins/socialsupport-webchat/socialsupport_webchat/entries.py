"""What of a recorded entry a visitor may see: chosen field by field, never the entry itself."""

from collections.abc import Callable, Mapping
from typing import Any

from socialsupport_core.contract import Entry
from socialsupport_core.text import to_html

Shown = dict[str, Any]


def shown(entry: Entry) -> Shown | None:
    """None when there is nothing in it for the visitor."""
    show = _BY_TYPE.get(entry.type)
    try:
        return show(entry.data) if show else None
    except (LookupError, TypeError, AttributeError):
        return None  # one strange entry must not end the stream again and again


def _message(data: Mapping[str, Any]) -> Shown | None:
    interaction = data["interaction"]
    if interaction["direction"] == "internal":
        return None
    mine = interaction["direction"] == "inbound"
    text = interaction.get("text") or ""
    return {
        "kind": "message",
        "id": interaction["native_id"],
        "mine": mine,
        "at": interaction["sent_at"],
        **({"text": text} if mine else {"html": to_html(text), "name": interaction["author"].get("name")}),
        **_chosen(interaction),
    }


def _chosen(interaction: Mapping[str, Any]) -> Shown:
    choices = [{"title": one["title"], "value": one["value"]} for one in interaction.get("choices", ())]
    found = {
        "choices": choices,
        "choice": interaction.get("choice"),
        "reply_to": interaction.get("in_reply_to"),
    }
    return {key: value for key, value in found.items() if value}


def _edited(data: Mapping[str, Any]) -> Shown | None:
    message = _message(data)
    return message and {**message, "kind": "edited"}


def _deleted(data: Mapping[str, Any]) -> Shown | None:
    return {"kind": "deleted", "id": data["native_id"]}


def _typing(data: Mapping[str, Any]) -> Shown | None:
    author = data["author"]
    return {"kind": "typing", "name": author.get("name")} if author.get("is_self") else None


_BY_TYPE: Mapping[str, Callable[[Mapping[str, Any]], Shown | None]] = {
    "interaction.received": _message,
    "interaction.edited": _edited,
    "interaction.deleted": _deleted,
    "typing.started": _typing,
}

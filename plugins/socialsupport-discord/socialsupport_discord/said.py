"""What a message or an interaction says: words, files, polls, and what bots lay out in embeds and components.

https://docs.discord.com/developers/resources/message#message-object,
https://docs.discord.com/developers/components/reference and
https://docs.discord.com/developers/interactions/receiving-and-responding (2026-11)
"""

from collections.abc import Iterator
from typing import Any

from socialsupport_core.contract.lax import Json, needed, number_of, object_of, objects_of, text_of, texts_of, whole_of
from socialsupport_core.model import Attachment
from socialsupport_core.text import escape
from socialsupport_discord import markup

PARTS = 20
DEEPEST = 3
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
TEXT_DISPLAY = 10
LONGEST = 1024


def words(message: Json, depth: int = 0) -> str:
    """What somebody wrote, what they forwarded, their stickers and polls, and what a bot shows."""
    names = {
        text_of(one, "id") or "": text_of(one, "global_name") or text_of(one, "username") or "?"
        for one in objects_of(message, "mentions")[:100]
    }
    said = [markup.read(text_of(message, "content") or "", names)]
    said += [escape(text_of(one, "name") or "sticker") for one in objects_of(message, "sticker_items")[:PARTS]]
    said += [markup.read(one, names) for one in (*_embedded(message), *_displayed(message, 0))]
    said += _poll(object_of(message, "poll"))
    for one in objects_of(message, "message_snapshots")[:PARTS] if depth < DEEPEST else ():
        forwarded = words(object_of(one, "message"), depth + 1)
        said.append("\n".join(f"> {line}" for line in forwarded.split("\n")) if forwarded else "")
    return "\n".join(filter(None, said))


def _embedded(message: Json) -> Iterator[str]:
    """Embeds that a bot has made; others are previews of links."""
    for one in objects_of(message, "embeds")[:PARTS]:
        if text_of(one, "type") in ("rich", None):
            yield from filter(None, (text_of(one, name) for name in ("title", "description")))
            for field in objects_of(one, "fields")[:PARTS]:
                yield ": ".join(filter(None, (text_of(field, "name"), text_of(field, "value"))))


def _displayed(laid_out: Json, depth: int) -> Iterator[str]:
    """Texts among components; buttons and what else can be operated says nothing."""
    for one in objects_of(laid_out, "components")[:PARTS]:
        if one.get("type") == TEXT_DISPLAY:
            yield text_of(one, "content") or ""
        elif depth < DEEPEST:
            yield from _displayed(one, depth + 1)


def _poll(poll: Json) -> list[str]:
    """https://docs.discord.com/developers/resources/poll (2026-11)"""
    question = text_of(object_of(poll, "question"), "text")
    answers = [object_of(one, "poll_media") for one in objects_of(poll, "answers")[:PARTS]]
    options = [text_of(one, "text") or text_of(object_of(one, "emoji"), "name") for one in answers]
    return [escape(question or ""), *(f"• {escape(one)}" for one in options if one)]


def files(message: Json) -> tuple[Attachment, ...]:
    """#attachment-object, of what was forwarded, too; the address runs out."""
    forwarded = [object_of(one, "message") for one in objects_of(message, "message_snapshots")[:PARTS]]
    return tuple(
        Attachment(
            media_type=(text_of(one, "content_type") or "application/octet-stream").partition(";")[0],
            url=text_of(one, "url"),
            native_id=text_of(one, "id"),
            name=text_of(one, "filename"),
            size=whole_of(one, "size"),
            text=text_of(one, "description"),
        )
        for source in (message, *forwarded)
        for one in objects_of(source, "attachments")[:PARTS]
        if text_of(one, "url")
    )


def duration(message: Json) -> float | None:
    """Of a voice message."""
    told = (number_of(one, "duration_secs") for one in objects_of(message, "attachments"))
    return next((one for one in told if one is not None and one >= 0), None)


def reaction(emoji: Json) -> str:
    """A sign, or `:name:` of a server's own."""
    name = (text_of(emoji, "name") or "emoji")[:100]
    return f":{name}:" if text_of(emoji, "id") else name


def command(data: Json) -> dict[str, Any]:
    """Typed with its options, or chosen for a message, which then stands below."""
    names, options = _called(data, 0)
    target = text_of(data, "target_id")
    about = object_of(object_of(object_of(data, "resolved"), "messages"), target or "")
    typed = escape("\n".join([f"/{' '.join(names)}", *options]))
    quoted = "\n".join(f"> {line}" for line in words(about).split("\n")) if about else ""
    return {"text": "\n".join(filter(None, (typed, quoted))), "in_reply_to": target if about else None}


def _called(data: Json, depth: int) -> tuple[list[str], list[str]]:
    """The command's name with those of its subcommands, and the options of the last."""
    found = objects_of(data, "options")[:PARTS]
    name = needed(data, "name")
    if found and depth < DEEPEST and found[0].get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP):
        names, options = _called(found[0], depth + 1)
        return [name, *names], options
    return [name], [f"{needed(one, 'name')}: {_value(one.get('value'))}" for one in found]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) else ""


def component(data: Json, message: Json) -> dict[str, Any]:
    """A button, and the words on it if Discord tells the message; or what was selected."""
    pressed = needed(data, "custom_id")
    picked = texts_of(data, "values")
    titles = [title for one in _operable(message, 0) for title in _titles(one, pressed, picked)]
    return {
        "choice": (", ".join(picked) or pressed)[:LONGEST],
        "text": escape(", ".join(titles)) or None,
        "in_reply_to": text_of(message, "id"),
    }


def _operable(laid_out: Json, depth: int) -> Iterator[Json]:
    for one in (*objects_of(laid_out, "components")[:PARTS], object_of(laid_out, "accessory")):
        yield one
        if one and depth < DEEPEST:
            yield from _operable(one, depth + 1)


def _titles(component: Json, pressed: str, picked: list[str]) -> Iterator[str]:
    if text_of(component, "custom_id") == pressed:
        chosen = [one for one in objects_of(component, "options") if text_of(one, "value") in picked]
        yield from filter(None, (text_of(one, "label") for one in ([component], chosen)[bool(picked)]))


def form(data: Json) -> dict[str, Any]:
    """The fields of a form, each with what was entered; in rows, or each in its label."""
    filled = []
    for row in objects_of(data, "components")[:PARTS]:
        for field in (*objects_of(row, "components"), object_of(row, "component")):
            if value := text_of(field, "value") or ", ".join(texts_of(field, "values")):
                filled.append(f"{text_of(field, 'custom_id') or 'field'}: {value}")
    return {"text": escape("\n".join(filled)) or None, "choice": (text_of(data, "custom_id") or "")[:LONGEST] or None}

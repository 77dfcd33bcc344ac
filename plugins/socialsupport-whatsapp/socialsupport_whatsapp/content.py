"""What a message of WhatsApp says.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages (2026-05)
"""

from collections.abc import Callable, Mapping
from typing import Any

from socialsupport_core.contract.lax import Json, number_of, object_of, objects_of, text_of
from socialsupport_core.model import Attachment, Location
from socialsupport_core.text import escape
from socialsupport_meta.reading import context
from socialsupport_whatsapp.markup import read

MEDIA = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg",
    "voice": "audio/ogg",
    "document": "application/octet-stream",
    "sticker": "image/webp",
}
"""Types that are files, and what each is when its `mime_type` is missing."""
Said = dict[str, Any]


def content(message: Json) -> Said:
    """Nothing if it says nothing that is read here."""
    kind = text_of(message, "type") or next((name for name in (*READERS, *MEDIA) if name in message), "")
    said = _file(object_of(message, kind), kind) if kind in MEDIA else READERS.get(kind, _nothing)(message)
    said = {name: value for name, value in said.items() if value not in (None, "", ())}
    return said and said | _around(message)


def _around(message: Json) -> Said:
    answered, referral = object_of(message, "context"), object_of(message, "referral")
    wanted = ("source_url", "source_id", "source_type", "headline", "body", "ctwa_clid")
    came = {name: value[:300] for name in wanted if (value := text_of(referral, name))}
    product = object_of(answered, "referred_product")
    kept = context(
        referral=came,
        product=text_of(product, "product_retailer_id"),
        forwarded=True if answered.get("forwarded") is True or answered.get("frequently_forwarded") is True else None,
    )
    around = {"in_reply_to": text_of(answered, "id"), "context": kept}
    return {name: value for name, value in around.items() if value}


def _nothing(message: Json) -> Said:  # noqa: ARG001 - a reader like the others
    return {}


def _text(message: Json) -> Said:
    body = text_of(object_of(message, "text"), "body")
    return {"text": read(body) if body else None}


def _file(about: Json, kind: str) -> Said:
    caption, native_id = text_of(about, "caption"), text_of(about, "id")
    link = None if native_id else text_of(about, "link")
    if not native_id and not link:
        return {}
    media_type = (text_of(about, "mime_type") or MEDIA[kind]).partition(";")[0].strip()
    file = Attachment(media_type=media_type, native_id=native_id, url=link, name=text_of(about, "filename"))
    return {"text": read(caption) if caption else None, "attachments": (file,)}


def _location(message: Json) -> Said:
    about = object_of(message, "location")
    latitude, longitude = number_of(about, "latitude"), number_of(about, "longitude")
    if latitude is None or longitude is None:
        return {}
    name, address = text_of(about, "name"), text_of(about, "address")
    return {"location": Location(latitude=latitude, longitude=longitude, name=name, address=address)}


def _contacts(message: Json) -> Said:
    """Each with its numbers and addresses, a line each."""
    lines = [line for one in objects_of(message, "contacts") if (line := _contact(one))]
    return {"text": escape("\n".join(lines)) if lines else None}


def _contact(one: Json) -> str:
    numbers = [text_of(phone, "phone", "wa_id") for phone in objects_of(one, "phones")]
    mails = [text_of(mail, "email") for mail in objects_of(one, "emails")]
    reached = ", ".join(filter(None, [*numbers, *mails]))
    return ": ".join(filter(None, [text_of(object_of(one, "name"), "formatted_name", "first_name"), reached]))


def _interactive(message: Json) -> Said:
    """A button, a row of a list, a form that was filled in, or whether we may call."""
    about = object_of(message, "interactive")
    reply = object_of(about, "button_reply", "list_reply")
    if reply:
        title = text_of(reply, "title")
        return {"text": escape(title) if title else None, "choice": text_of(reply, "id")}
    if permission := object_of(about, "call_permission_reply"):
        return {"choice": text_of(permission, "response")}
    form = object_of(about, "nfm_reply")
    words = text_of(form, "body", "name") or _asked(about)
    return {"text": escape(words) if words else None, "choice": text_of(form, "response_json")}


def _asked(about: Json) -> str | None:
    """What we asked, or the product that is shown."""
    product = text_of(object_of(about, "product", "action"), "product_retailer_id")
    return "\n".join(filter(None, [text_of(object_of(about, "body"), "text"), product])) or None


def _template(message: Json) -> Said:
    """The words of a template of ours and what was put into them; only where another app has sent it are they told."""
    words, sent = _parts(object_of(message, "definition")), _parts(object_of(message, "template"))
    text = text_of(words.get("body", {}), "text") or ""
    for number, put in enumerate(objects_of(sent.get("body", {}), "parameters"), 1):
        text = text.replace(f"{{{{{text_of(put, 'parameter_name') or number}}}}}", text_of(put, "text") or "")
    return {"text": read(text) if text else None}


def _parts(template: Json) -> dict[str, Json]:
    return {(text_of(part, "type") or "").lower(): part for part in objects_of(template, "components")}


def _button(message: Json) -> Said:
    """Under a template."""
    about = object_of(message, "button")
    words = text_of(about, "text")
    return {"text": escape(words) if words else None, "choice": text_of(about, "payload")}


def _order(message: Json) -> Said:
    about = object_of(message, "order")
    items = [
        f"- {text_of(item, 'quantity') or '1'} × {escape(text_of(item, 'product_retailer_id') or '')}"
        for item in objects_of(about, "product_items")
    ]
    text = text_of(about, "text")
    return {"text": "\n".join([*([escape(text), ""] if text else []), *items])}


READERS: Mapping[str, Callable[[Json], Said]] = {
    "text": _text,
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "template": _template,
}

"""Moments, texts, media and languages in X's JSON; all else is read as `socialsupport_core.contract.lax` does."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import Attachment, Location

# Moments. v1.1: "Wed Oct 10 20:19:24 +0000 2018" and epoch milliseconds; v2: ISO 8601.

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
V1_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) \+0000 (\d{4})", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SNOWFLAKE_EPOCH = 1288834974657
"""Milliseconds; ids from 2010-11-04 on carry their moment in the upper bits.

https://docs.x.com/fundamentals/x-ids (2026-07)
"""


def moment_of(source: Json, *names: str) -> datetime | None:
    """The first readable moment among the fields."""
    return next((at for name in names if (at := moment(source.get(name))) is not None), None)


def moment(value: object) -> datetime | None:
    try:
        if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return EPOCH + timedelta(milliseconds=int(value))
        if not isinstance(value, str):
            return None
        if match := V1_DATE.fullmatch(value):
            month, day, hour, minute, second, year = match.groups()
            return datetime(
                int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def moment_in_id(native_id: str) -> datetime | None:
    """When a post was created, from its id."""
    if not (native_id.isascii() and native_id.isdigit() and len(native_id) <= 19):
        return None
    milliseconds = int(native_id) >> 22
    return moment(milliseconds + SNOWFLAKE_EPOCH) if milliseconds else None


# Texts. X escapes three characters and shortens every link.

ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
"""The ampersand last: `&amp;lt;` is somebody's `&lt;`."""
SHORT_LINK = re.compile(r"https?://t\.co/[A-Za-z0-9]+")


def unescaped(text: str) -> str:
    for escape, character in ESCAPES:
        text = text.replace(escape, character)
    return text


def written(text: str, links: Sequence[Json], hidden: frozenset[str] = frozenset()) -> str | None:
    """What the person wrote: links in full, without the `hidden` ones that X appends for attached media."""
    full = {short: long for link in links if (short := text_of(link, "url")) and (long := _web(link))}
    shown = SHORT_LINK.sub(lambda match: "" if match[0] in hidden else full.get(match[0], match[0]), unescaped(text))
    return (shown.rstrip() if hidden else shown) or None


def _web(link: Json) -> str | None:
    address = text_of(link, "expanded_url") or ""
    return address if address.startswith(("https://", "http://")) else None


# Media, v1.1 (`media_url_https`, `video_info`) and v2 (`url`, `variants`).

PHOTO_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


def attachment(media: Json) -> Attachment:
    variant = _best_variant(media)
    address = text_of(variant, "url") or text_of(media, "media_url_https", "media_url") or _direct(media)
    return Attachment(
        media_type=text_of(variant, "content_type") or photo_type(address or ""),
        url=address,
        native_id=text_of(media, "id_str", "media_key", "id"),
        text=text_of(media, "ext_alt_text", "alt_text"),
    )


def photo_type(address: str) -> str:
    ending = address.partition("?")[0].rpartition(".")[2].lower()
    return PHOTO_TYPES.get(ending, "image/jpeg")


def _direct(media: Json) -> str | None:
    """v2 gives a photo's address as `url`, where v1.1 has the t.co link."""
    address = text_of(media, "url", "preview_image_url")
    return None if address and SHORT_LINK.fullmatch(address) else address


def _best_variant(media: Json) -> Json:
    """The sharpest file; a playlist (no bit rate) cannot be stored."""
    variants = objects_of(media, "variants") or objects_of(object_of(media, "video_info"), "variants")
    files = [variant for variant in variants if text_of(variant, "content_type") == "video/mp4"]
    return max(files, key=lambda variant: whole_of(variant, "bitrate", "bit_rate") or 0, default={})


# Places.


def point(geo: Json, name: str | None = None) -> Location | None:
    """`[longitude, latitude]`, as GeoJSON has it. Raises ValueError."""
    pair = geo.get("coordinates")
    if not (isinstance(pair, list) and len(pair) == 2):
        return None
    longitude, latitude = pair
    return Location(latitude=latitude, longitude=longitude, name=name)


# Languages. X uses old codes, and private three-letter ones for posts of only media, links or tags.

OLD_LANGUAGES = {"iw": "he", "in": "id", "ji": "yi"}


def language(code: str | None) -> str | None:
    if code is None or code in {"und", "zxx"} or (len(code) == 3 and code.startswith("q")):
        return None
    return OLD_LANGUAGES.get(code, code)

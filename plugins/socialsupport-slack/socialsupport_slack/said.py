"""What a message says: its words, also those of other apps, and its files.

https://docs.slack.dev/reference/events/message and https://docs.slack.dev/reference/objects/file-object (2026-11)
"""

from collections.abc import Sequence

from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import Attachment
from socialsupport_core.text import Sheet
from socialsupport_slack import blocks, mrkdwn

DEAD_FILES = frozenset({"tombstone", "hidden_by_limit"})
PARTS = 20


def words(event: Json) -> str:
    """What somebody wrote, as CommonMark: from the blocks, which are exact; else from the text."""
    sheet = Sheet()
    blocks.read(objects_of(event, "blocks")[:PARTS], sheet)
    if not sheet.length:
        mrkdwn.read(text_of(event, "text") or "", sheet)
    for attached in objects_of(event, "attachments")[:PARTS]:
        _attached(attached, sheet)
    return sheet.markdown()


def _attached(attached: Json, sheet: Sheet) -> None:
    """A secondary attachment. What is only the preview of a link in the text says nothing new."""
    if text_of(attached, "from_url") and attached.get("is_share") is not True:
        return
    before = sheet.length
    for told in (text_of(attached, name) for name in ("pretext", "title", "text")):
        _line(told, sheet)
    blocks.read(objects_of(attached, "blocks")[:PARTS], sheet)
    for field in objects_of(attached, "fields")[:PARTS]:
        _line(": ".join(filter(None, (text_of(field, "title"), text_of(field, "value")))), sheet)
    if sheet.length == before and (fallback := text_of(attached, "fallback")):
        sheet.write(("\n" if sheet.ends_in_line() else "") + mrkdwn.unescape(fallback))


def _line(told: str | None, sheet: Sheet) -> None:
    if told:
        sheet.write("\n" if sheet.ends_in_line() else "")
        mrkdwn.read(told, sheet)


def files(event: Json) -> tuple[Attachment, ...]:
    """A file of another workspace may be told without its address: then it is asked for by its id."""
    found = _files(event)
    return tuple(
        Attachment(
            media_type=text_of(one, "mimetype") or "application/octet-stream",
            url=text_of(one, "url_private_download") or text_of(one, "url_private"),
            native_id=text_of(one, "id"),
            name=text_of(one, "name") or text_of(one, "title"),
            size=whole_of(one, "size"),
            text=text_of(one, "alt_txt") or _transcript(one),
        )
        for one in found
        if text_of(one, "mode") not in DEAD_FILES and text_of(one, "id")
    )


def _files(event: Json) -> Sequence[Json]:
    """Until 2018 a message had one: https://docs.slack.dev/changelog/2018-05-file-threads-soon-tread (2026-11)."""
    return objects_of(event, "files")[:PARTS] or ([one] if (one := object_of(event, "file")) else ())


def _transcript(file: Json) -> str | None:
    """Of a clip, its beginning: https://docs.slack.dev/reference/objects/file-object (2026-11)."""
    return text_of(object_of(object_of(file, "transcription"), "preview"), "content")


def duration(event: Json) -> float | None:
    told = next((found for one in _files(event) if (found := whole_of(one, "duration_ms")) is not None), None)
    return None if told is None else told / 1000

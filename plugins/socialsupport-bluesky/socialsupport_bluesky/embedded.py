"""What a post or a message holds beside its text: pictures, videos, a card, another post.

https://docs.bsky.app/docs/advanced-guides/posts#embeds and
https://docs.bsky.app/docs/api/app-bsky-feed-get-posts (2026-11)
"""

import re
from collections.abc import Iterator

from socialsupport_bluesky import records, richtext
from socialsupport_core.contract.lax import Json, Unreadable, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import Attachment
from socialsupport_core.text import escape

MOST = 20
FULL_SIZE = "https://cdn.bsky.app/img/feed_fullsize/plain"
"""Where a picture of a post can be seen, as `fullsize` of a post says it (2026-11)."""
_CID = re.compile(r"[a-zA-Z0-9]{8,100}")


def words(record: Json) -> str:
    """What somebody wrote, as CommonMark; a link that is only shown as a card follows. Of who shares a post and says
    nothing, the post's address."""
    text, facets, embed = text_of(record, "text") or "", objects_of(record, "facets"), object_of(record, "embed")
    written = richtext.markdown(text, facets)
    links = [one for one in _cards(embed) if one not in written]
    return "\n\n".join(filter(None, (written, *map(escape, links)))) or escape(_shared(embed) or "")


def _cards(embed: Json) -> Iterator[str]:
    for one in (embed, object_of(embed, "media")):
        address = text_of(object_of(one, "external"), "uri") or ""
        if address.startswith(("https://", "http://")):
            yield address


def _shared(embed: Json) -> str | None:
    held = object_of(embed, "record")
    pages = (_page(text_of(one, "uri")) for one in (held, object_of(held, "record")))
    return next(filter(None, pages), None)


def _page(uri: str | None) -> str | None:
    """Where people read the post."""
    try:
        did, collection, key = records.parted(uri or "")
    except Unreadable:
        return None
    return f"https://bsky.app/profile/{did}/post/{key}" if collection == records.POST else None


def files(post: Json, record: Json, author: str) -> tuple[Attachment, ...]:
    """As the post is shown now; where only its record is told, by the names of the files in it."""
    shown = list(_pictures(object_of(post, "embed")))
    embed = object_of(record, "embed")
    return (*(shown or _blobs(embed, author)), *_videos(embed))


def _pictures(embed: Json) -> Iterator[Attachment]:
    """Of `app.bsky.embed.images#view`, alone or beside a quote."""
    for one in _held(embed):
        if url := text_of(one, "fullsize"):
            yield Attachment(media_type="image/jpeg", url=url, text=text_of(one, "alt"))


def _held(embed: Json) -> list[Json]:
    return [*objects_of(embed, "images"), *objects_of(object_of(embed, "media"), "images")][:MOST]


def _blobs(embed: Json, author: str) -> Iterator[Attachment]:
    for one in _held(embed):
        if cid := _name(object_of(one, "image")):
            address = f"{FULL_SIZE}/{author}/{cid}@jpeg"
            yield Attachment(media_type="image/jpeg", url=address, native_id=cid, text=text_of(one, "alt"))


def _videos(embed: Json) -> Iterator[Attachment]:
    """Bluesky plays a video in pieces: there is no file to fetch, its post shows it."""
    for one in (embed, object_of(embed, "media")):
        video = object_of(one, "video")
        if cid := _name(video):
            told = text_of(video, "mimeType") or "video/mp4"
            yield Attachment(media_type=told, native_id=cid, size=whole_of(video, "size"), text=text_of(one, "alt"))


def _name(blob: Json) -> str | None:
    """https://atproto.com/specs/data-model#blob-type (2026-11), and before that a plain `cid`."""
    cid = text_of(object_of(blob, "ref"), "$link") or text_of(blob, "cid") or ""
    return cid if _CID.fullmatch(cid) else None

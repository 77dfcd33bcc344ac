"""Who is who on an instance, where something is said, and moments as Mastodon writes them."""

import re
from collections.abc import Mapping
from datetime import datetime

from socialsupport_core.contract.lax import Json, Unreadable, needed, objects_of, text_of
from socialsupport_core.model import Identifier, Party, Thread, Visibility

USER, ACTOR = "mastodon.user", "activitypub.actor"
DIRECT = "direct/"
MOST_PEOPLE = 20
VISIBLE: Mapping[str, Visibility] = {"public": "public", "unlisted": "public"}
"""`private` is for the author's followers, `direct` for those who are mentioned, https://docs.joinmastodon.org/entities/Status/#visibility
(2026-11). Everything but these two is private here."""
ANSWERS: Mapping[str, str] = {"public": "public", "unlisted": "unlisted"}
"""The visibility of an answer. Everything else is answered `direct`: an answer for followers would go to ours,
who are others than the author's."""
ACCT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?:@[A-Za-z0-9.:-]+)?", re.ASCII)


def moment(written: str) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written[:40]!r} is no moment") from None
    if at.tzinfo is None:
        raise Unreadable(f"{written[:40]!r} has no time zone")
    return at


def author_of(status: Json) -> str:
    account = status.get("account")
    return needed(account if isinstance(account, dict) else {}, "id")


def mentioned(status: Json) -> list[Json]:
    return [one for one in objects_of(status, "mentions")[:MOST_PEOPLE] if text_of(one, "id")]


def thread(status: Json, own: str) -> Thread:
    """In public the post that is answered; in private everything among the same people.

    A status does not name the first of its thread; what belongs together beyond that is known by what answers what.
    """
    visibility = VISIBLE.get(text_of(status, "visibility") or "", "private")
    if visibility == "public":
        return Thread(id=text_of(status, "in_reply_to_id") or needed(status, "id"), visibility="public")
    others = {author_of(status), *(needed(one, "id") for one in mentioned(status))} - {own}
    return Thread(id=DIRECT + ",".join(sorted(others)), visibility="private")


def party(account: Json, host: str, own: str) -> Party:
    """An account, or a mention. Its id is the instance's own; its actor's address is the same on every instance."""
    known = [Identifier(kind=USER, scope=host, value=needed(account, "id"))]
    actor = text_of(account, "uri")
    if actor and actor.startswith("https://") and len(actor) <= 1024:
        known.append(Identifier(kind=ACTOR, value=actor))
    avatar = text_of(account, "avatar")
    return Party(
        identifiers=tuple(known),
        name=text_of(account, "display_name") or text_of(account, "username"),
        handle=text_of(account, "acct"),
        avatar=avatar if avatar and avatar.startswith("https://") else None,
        is_self=known[0].value == own,
        is_bot=account.get("bot") is True,
    )

"""Public posts: mentions, replies, quotes, our own, reposts and likes.

v1.1: https://docs.x.com/x-api/account-activity/introduction (2026-07).
v2: https://docs.x.com/x-api/activity/event-payloads, https://docs.x.com/x-api/fundamentals/data-dictionary
(2026-07). The published description 2.167 writes `referenced_posts`, `repost_count`, `note_post` and
`edit_history_post_ids` where payloads still have the older names with `tweet`: both are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, texts_of, whole_of
from socialsupport_core.model import (
    Event,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Location,
    Party,
    Reach,
    ReactionAdded,
    Thread,
)
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_x.people import Users, followers, known, party
from socialsupport_x.reading import attachment, language, moment_in_id, moment_of, point, written

LIKE = "❤"
REPOST = "🔁"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a native event is read against."""

    own: str
    received_at: datetime
    users: Users = field(default_factory=dict)
    media: Mapping[str, Json] = field(default_factory=dict)
    posts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Post:
    """A post of either generation."""

    id: str
    author: Json
    text: str | None
    media: Sequence[Json]
    reach: Reach
    at: datetime | None
    language: str | None
    conversation: str | None = None
    reply_to: str | None = None
    addressee: Json = field(default_factory=dict)
    """The author of the post replied to."""
    repost_of: str | None = None
    location: Location | None = None
    versions: Sequence[str] = ()
    """Ids of all versions, oldest first: an edit makes a new id."""

    @property
    def native_id(self) -> str:
        """Of the first version, so that edits fall on it."""
        return self.versions[0] if self.versions else self.id

    @property
    def thread(self) -> Thread:
        """v1.1 tells no conversation: then it is the post answered, or the post itself."""
        return public(self.conversation or self.reply_to or self.native_id)


def public(thread_id: str) -> Thread:
    return Thread(id=thread_id, visibility="public")


# Reading


def from_v1(tweet: Json) -> Post:
    long = object_of(tweet, "extended_tweet")
    media = objects_of(object_of(long, "extended_entities"), "media") or objects_of(
        object_of(tweet, "extended_entities"), "media"
    )
    hidden = frozenset(link for item in media if (link := text_of(item, "url")))
    links = objects_of(object_of(long, "entities"), "urls") or objects_of(object_of(tweet, "entities"), "urls")
    quoted = object_of(tweet, "quoted_status_permalink")
    text = text_of(long, "full_text") or text_of(tweet, "full_text", "text") or ""
    author = object_of(tweet, "user")
    return Post(
        id=needed(tweet, "id_str", "id"),
        author=author,
        text=written(text, [*links, {"url": quoted.get("url"), "expanded_url": quoted.get("expanded")}], hidden),
        media=media,
        reach=Reach(
            followers=followers(author),
            likes=whole_of(tweet, "favorite_count"),
            shares=_sum(whole_of(tweet, "retweet_count"), whole_of(tweet, "quote_count")),
            replies=whole_of(tweet, "reply_count"),
        ),
        at=moment_of(tweet, "timestamp_ms", "created_at"),
        language=language(text_of(tweet, "lang")),
        reply_to=text_of(tweet, "in_reply_to_status_id_str", "in_reply_to_status_id"),
        addressee=_addressee_v1(tweet),
        repost_of=text_of(object_of(tweet, "retweeted_status"), "id_str", "id"),
        location=point(object_of(tweet, "coordinates"), text_of(object_of(tweet, "place"), "full_name")),
        versions=texts_of(object_of(tweet, "edit_history"), "edit_tweet_ids"),
    )


def _addressee_v1(tweet: Json) -> Json:
    user_id = text_of(tweet, "in_reply_to_user_id_str", "in_reply_to_user_id")
    return {"id": user_id, "screen_name": tweet.get("in_reply_to_screen_name")} if user_id else {}


def from_v2(post: Json, scene: Scene) -> Post:
    references = _references(post)
    long = object_of(post, "note_post", "note_tweet")
    links = objects_of(object_of(long, "entities"), "urls") or objects_of(object_of(post, "entities"), "urls")
    media = [scene.media.get(key, {"media_key": key}) for key in _media_keys(post)]
    author = known(needed(post, "author_id"), scene.users)
    metrics = object_of(post, "public_metrics")
    addressee = text_of(post, "in_reply_to_user_id")
    return Post(
        id=needed(post, "id"),
        author=author,
        text=written(text_of(long, "text") or text_of(post, "text") or "", links, _media_links(links)),
        media=media,
        reach=Reach(
            followers=followers(author),
            likes=whole_of(metrics, "like_count"),
            shares=_sum(whole_of(metrics, "repost_count", "retweet_count"), whole_of(metrics, "quote_count")),
            replies=whole_of(metrics, "reply_count"),
            views=whole_of(metrics, "impression_count"),
        ),
        at=moment_of(post, "created_at"),
        language=language(text_of(post, "lang")),
        conversation=text_of(post, "conversation_id"),
        reply_to=references.get("replied_to"),
        addressee=known(addressee, scene.users) if addressee else _author_of(references.get("replied_to"), scene),
        repost_of=references.get("retweeted"),
        location=point(object_of(object_of(post, "geo"), "coordinates")),
        versions=texts_of(post, "edit_history_post_ids", "edit_history_tweet_ids"),
    )


def _references(post: Json) -> Mapping[str, str]:
    references = objects_of(post, "referenced_posts", "referenced_tweets")
    return {needed(reference, "type"): needed(reference, "id") for reference in references}


def _author_of(post_id: str | None, scene: Scene) -> Json:
    author = text_of(scene.posts.get(post_id or "", {}), "author_id")
    return known(author, scene.users) if author else {}


def _media_keys(post: Json) -> list[str]:
    return texts_of(object_of(post, "attachments"), "media_keys")


def _media_links(links: Sequence[Json]) -> frozenset[str]:
    return frozenset(
        short for link in links if text_of(link, "media_key") and (short := text_of(link, "url")) is not None
    )


def _sum(*counts: int | None) -> int | None:
    told = [count for count in counts if count is not None]
    return sum(told) if told else None


# Translating


def created(post: Post, scene: Scene) -> Iterator[Event]:
    if post.repost_of:
        yield reposted(post, scene)
        return
    interaction = as_interaction(post, scene)
    if post.id == post.native_id:
        yield InteractionReceived(id=post.id, interaction=interaction)
    else:
        edited_at = post.at or scene.received_at
        yield InteractionEdited(id=post.id, interaction=interaction, edited_at=edited_at)


def as_interaction(post: Post, scene: Scene) -> Interaction:
    author = party(post.author, scene.own)
    edited = post.id != post.native_id
    first_at = moment_in_id(post.native_id) if edited else None
    return Interaction(
        network="x",
        native_id=post.native_id,
        kind=kind_of(post, author, scene.own),
        direction="outbound" if author.is_self else "inbound",
        own_account=scene.own,
        thread=post.thread,
        author=author,
        recipients=_recipients(post, author, scene.own),
        in_reply_to=post.reply_to,
        text=post.text,
        attachments=tuple(attachment(item) for item in post.media),
        location=post.location,
        language=post.language,
        reach=post.reach if post.reach != Reach() else None,
        context=post.id if edited else None,
        sent_at=first_at or post.at or scene.received_at,
    )


def kind_of(post: Post, author: Party, own: str) -> InteractionKind:
    """A reply to a post of ours is a comment under it; whatever else names or quotes us is a mention."""
    if author.is_self:
        return "comment" if post.reply_to else "message"
    return "comment" if post.reply_to and text_of(post.addressee, "id_str", "id") == own else "mention"


def _recipients(post: Post, author: Party, own: str) -> tuple[Party, ...]:
    if not author.is_self or not post.addressee:
        return ()
    addressee = party(post.addressee, own)
    return () if addressee.is_self else (addressee,)


def reposted(post: Post, scene: Scene) -> ReactionAdded:
    assert post.repost_of is not None
    return ReactionAdded(
        id=post.id,
        own_account=scene.own,
        thread=public(post.repost_of),
        native_id=post.repost_of,
        author=party(post.author, scene.own),
        reaction=REPOST,
        at=post.at or scene.received_at,
    )


def created_v1(tweet: Json, scene: Scene) -> Iterator[Event]:
    return created(from_v1(tweet), scene)


def created_v2(post: Json, scene: Scene) -> Iterator[Event]:
    return created(from_v2(post, scene), scene)


def deleted_v1(event: Json, scene: Scene) -> Iterator[Event]:
    yield deleted(needed(object_of(event, "status"), "id_str", "id"), event, scene)


def deleted_v2(payload: Json, scene: Scene) -> Iterator[Event]:
    yield deleted(needed(payload, "id"), payload, scene)


def deleted(post_id: str, event: Json, scene: Scene) -> InteractionDeleted:
    at = moment_of(event, "timestamp_ms") or scene.received_at
    return InteractionDeleted(id=f"{post_id}.deleted", own_account=scene.own, native_id=post_id, at=at)


def liked_v1(event: Json, scene: Scene) -> Iterator[Event]:
    post = from_v1(object_of(event, "favorited_status"))
    yield ReactionAdded(
        id=needed(event, "id"),
        own_account=scene.own,
        thread=post.thread,
        native_id=post.native_id,
        author=party(object_of(event, "user"), scene.own),
        reaction=LIKE,
        at=moment_of(event, "timestamp_ms", "created_at") or scene.received_at,
    )


def liked_v2(payload: Json, scene: Scene) -> Iterator[Event]:
    post_id = needed(payload, "liked_tweet_id", "liked_post_id")
    post = scene.posts.get(post_id, {})
    yield ReactionAdded(
        id=needed(payload, "id"),
        own_account=scene.own,
        thread=public(text_of(post, "conversation_id") or post_id),
        native_id=post_id,
        author=_liker(payload, scene),
        reaction=LIKE,
        at=moment_of(payload, "timestamp_ms", "created_at") or scene.received_at,
    )


def _liker(payload: Json, scene: Scene) -> Party:
    """The payload names the post's author only: whoever else is included has liked it."""
    if text_of(payload, "liked_tweet_author_id", "tweet_author_id") != scene.own:
        return party(known(scene.own, scene.users), scene.own)
    others = [user for user_id, user in scene.users.items() if user_id != scene.own]
    if len(others) != 1:
        raise Unreadable("the payload does not say who liked the post")
    return party(others[0], scene.own)

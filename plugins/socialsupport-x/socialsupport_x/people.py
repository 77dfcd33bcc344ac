"""Who it is: user objects of both generations of the API.

v1.1 (`screen_name`, `followers_count`): https://docs.x.com/x-api/account-activity/introduction (2026-07).
v2 (`username`, `public_metrics`, sometimes wrapped in `data`):
https://docs.x.com/x-api/activity/event-payloads (2026-07).
"""

from collections.abc import Mapping

from socialsupport_core.contract.lax import Json, needed, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import Identifier, Party

KIND = "x.user"
Users = Mapping[str, Json]


def identifier(user_id: str) -> Identifier:
    return Identifier(kind=KIND, value=user_id)


def party(user: Json, own: str) -> Party:
    user_id = needed(user, "id_str", "id")
    return Party(
        identifiers=(identifier(user_id),),
        name=text_of(user, "name"),
        handle=text_of(user, "screen_name", "username"),
        avatar=text_of(user, "profile_image_url_https", "profile_image_url"),
        is_self=user_id == own,
    )


def followers(user: Json) -> int | None:
    return whole_of({**object_of(user, "public_metrics"), **user}, "followers_count")


def known(user_id: str, users: Users) -> Json:
    """The user as far as the payload tells; at least the id."""
    return users.get(user_id) or {"id": user_id}


def users_in(source: Json) -> Users:
    """By id, from a list (`includes.users`) or a map (`users` beside direct messages)."""
    mapped = object_of(source, "users").values()
    found = [unwrapped(user) for user in (*objects_of(source, "users"), *mapped) if isinstance(user, dict)]
    return {user_id: user for user in found if (user_id := text_of(user, "id_str", "id"))}


def unwrapped(user: Json) -> Json:
    return object_of(user, "data") or user

"""Instagram, played on this machine: an account, a picture of its own, and whoever speaks there or in messages.

Written from the documentation named in the connector (v25.0, 2026-03), with nothing of it but the settings.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from socialsupport_core.testing import Place, Said
from socialsupport_instagram.settings import InstagramSettings
from socialsupport_meta.simulated import DAY, Json, MessagingSimulator, Refusal, fields_of

ACCOUNT = "17841400000000001"
LIFETIME = timedelta(days=60)
"""Of a token of login by Instagram."""


class InstagramSimulator(MessagingSimulator):
    """Its people are named by keys such as `kerry`; comments stand under the account's newest picture."""

    network = "instagram"
    object = "instagram"
    hosts = frozenset({"graph.facebook.com", "graph.instagram.com", "api.instagram.com", "cdn.fbsbx.com"})
    places: ClassVar = (
        Place("dm", "Message @acme on Instagram", "private"),
        Place("media", "Comments under @acme's picture", "public"),
    )
    settings: InstagramSettings

    def __init__(self, settings: InstagramSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.account = settings.account_id or ACCOUNT
        self.media = "18000000000000001"
        self.hidden: set[str] = set()
        self.mentioned: dict[str, Json] = {}
        """Comments elsewhere that mention us."""
        self.granted_at: dict[str, datetime] = {}
        """Tokens of login by Instagram."""

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self.comment(person, text, **more) if place == "media" else self.write(person, text=text, **more)

    def comment(self, person: str, text: str, *, under: str = "") -> Said:
        """A comment on the picture, or `under` another comment."""
        comment_id = f"1789{self.number()}"
        self.commented[comment_id] = (person, self.clock())
        said = self.say(comment_id, "media", self.media, person, text)
        self._tell(said, {"id": self.person(person), "username": person}, under)
        return said

    def mention(self, person: str, text: str) -> str:
        """In a comment under somebody else's picture."""
        media_id, comment_id = f"1800{self.number()}", f"1789{self.number()}"
        self.mentioned[comment_id] = {"id": comment_id, "text": text, "username": person}
        value = {"media_id": media_id, "comment_id": comment_id}
        self.tell({"changes": [{"field": "mentions", "value": value}]})
        return comment_id

    def mention_in_story(self, person: str) -> Said:
        payload = {"url": "https://cdn.fbsbx.com/story.jpg", "id": "17990"}
        return self.write(person, attachments=[{"type": "story_mention", "payload": payload}])

    # signing in by Instagram

    def allow(self, address: str) -> str:
        asked = httpx.URL(address)
        if asked.host != "www.instagram.com":
            return super().allow(address)
        assert asked.params["client_id"] == self.settings.instagram_app_id
        code = f"code-{self.number()}"
        self.codes.add(code)
        back = httpx.URL(asked.params["redirect_uri"])
        return str(back.copy_merge_params({"state": asked.params["state"], "code": code}))

    def _answer(self, request: httpx.Request) -> Any:
        own: dict[tuple[str, str], Callable[[Json], Json]] = {
            ("api.instagram.com", "/oauth/access_token"): self._short,
            ("graph.instagram.com", "/access_token"): self._lasting,
            ("graph.instagram.com", "/refresh_access_token"): self._renewed,
        }
        signing_in = own.get((request.url.host, request.url.path))
        return signing_in(fields_of(request)) if signing_in else super()._answer(request)

    def _short(self, fields: Json) -> Json:
        self._check_secret(fields)
        if fields.get("client_id") != self.settings.instagram_app_id or fields.get("code") not in self.codes:
            raise Refusal(100, "Invalid authorization code")
        self.codes.remove(fields["code"])
        return {"data": [{**self._token(timedelta(hours=1)), "user_id": self.account, "permissions": ""}]}

    def _lasting(self, fields: Json) -> Json:
        self._check_secret(fields)
        if fields.get("grant_type") != "ig_exchange_token" or fields.get("access_token") not in self.tokens:
            raise Refusal(190, "Invalid OAuth access token", status=401)
        return self._token(LIFETIME)

    def _renewed(self, fields: Json) -> Json:
        """A day after it was given at the earliest, and before its end. The old one stays good until then."""
        age = self.clock() - self.granted_at.get(fields.get("access_token", ""), self.clock())
        if fields.get("grant_type") != "ig_refresh_token" or not DAY <= age < LIFETIME:
            raise Refusal(190, "Error validating access token: it cannot be refreshed", status=401)
        return self._token(LIFETIME)

    def _check_secret(self, fields: Json) -> None:
        secret = self.settings.instagram_app_secret
        if secret is None or fields.get("client_secret") != secret.get_secret_value():
            raise Refusal(1, "Error validating client secret.")

    def _token(self, lifetime: timedelta) -> Json:
        token = f"account-token-{self.number()}"
        self.tokens.add(token)
        self.granted_at[token] = self.clock()
        return {"access_token": token, "token_type": "bearer", "expires_in": int(lifetime.total_seconds())}

    # what we ask

    def fits(self, text: str) -> bool:
        return len(text.encode()) <= 1000

    def call(self, method: str, path: list[str], fields: Json) -> Any:
        us = {"id": self.account, "name": "Acme", "username": "acme"}
        calls: dict[tuple[str, ...], Callable[[], Any]] = {
            ("POST", "me", "messages"): lambda: self.send(fields),
            ("POST", "me", "message_attachments"): lambda: self._upload(fields),
            ("POST", "me", "subscribed_apps"): lambda: self._subscribe(fields),
            ("POST", self.account, "mentions"): lambda: self._answer_mention(fields),
            ("GET", "me"): lambda: {"instagram_business_account": us, "user_id": self.account, **us},
            ("GET", "me", "accounts"): lambda: {"data": [self._page()]},
            ("GET", self.account): lambda: self._mention(fields),
        }
        if known := calls.get((method, *path)):
            return known()
        return self._profile(path[0]) if method == "GET" else self._about(method, path, fields)

    def _upload(self, fields: Json) -> Json:
        if fields.get("platform") != "instagram":
            raise Refusal(100, "(#100) Param platform must be instagram")
        return self.upload(fields)

    def _subscribe(self, fields: Json) -> Json:
        self.subscribed = set(fields["subscribed_fields"].split(","))
        return {"success": True}

    def _page(self) -> Json:
        token = f"page-token-{self.number()}"
        self.tokens.add(token)
        return {"id": "1", "name": "Acme", "access_token": token, "instagram_business_account": {"id": self.account}}

    def _profile(self, person_id: str) -> Json:
        key = self.known(person_id)
        return {"id": person_id, "name": key.capitalize(), "username": key}

    def _mention(self, fields: Json) -> Json:
        wanted = fields["fields"].partition("(")[2].partition(")")[0]
        if wanted not in self.mentioned:
            raise self.unknown([wanted])
        return {"mentioned_comment": self.mentioned[wanted], "id": self.account}

    def _answer_mention(self, fields: Json) -> Json:
        if fields.get("comment_id") not in self.mentioned:
            raise self.unknown([str(fields.get("comment_id"))])
        comment_id = f"1789{self.number()}"
        self.say(comment_id, "elsewhere", fields["media_id"], "us", fields["message"])
        return {"id": comment_id}

    def _about(self, method: str, path: list[str], fields: Json) -> Json:
        """Something about our picture or a comment."""
        about = path[0]
        if about not in {said.id for said in self.said} | {self.media}:
            raise self.unknown(path)
        match method, path[1:]:
            case "POST", ["replies" | "comments"]:
                return self._comment(about, fields)
            case "POST", [] if fields.get("hide") is True:
                self.hidden.add(about)
            case "DELETE", []:
                self.rewrite(about, deleted=True)
            case _:
                raise self.unknown(path)
        return {"success": True}

    def _comment(self, about: str, fields: Json) -> Json:
        if not 0 < len(fields.get("message", "")) <= 300:
            raise Refusal(100, "(#100) The comment is empty or too long")
        comment_id = f"1789{self.number()}"
        said = self.say(comment_id, "media", self.media, "us", fields["message"])
        self._tell(said, {"id": self.account, "username": "acme"}, "" if about == self.media else about)
        return {"id": comment_id}

    def _tell(self, said: Said, author: Json, under: str) -> None:
        media = {"id": self.media, "media_product_type": "FEED"}
        value = {"id": said.id, "from": author, "text": said.text, "media": media}
        value |= {"parent_id": under} if under else {}
        self.tell({"changes": [{"field": "comments", "value": value}]})

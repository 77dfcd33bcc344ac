"""Facebook, played on this machine: a page, a post of its own, and whoever speaks there or in Messenger.

Written from the documentation named in the connector (v25.0, 2026-03), with nothing of it but the settings.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from socialsupport_core.testing import Place, Said
from socialsupport_facebook.settings import FacebookSettings
from socialsupport_meta.simulated import Json, MessagingSimulator, Refusal

PAGE = "1353269864728879"


class FacebookSimulator(MessagingSimulator):
    """Its people are named by keys such as `kerry`; comments stand under the page's newest post."""

    network = "facebook"
    object = "page"
    hosts = frozenset({"graph.facebook.com", "cdn.fbsbx.com"})
    places: ClassVar = (
        Place("dm", "Message Acme on Messenger", "private"),
        Place("post", "Comments under Acme's post", "public"),
    )
    settings: FacebookSettings

    def __init__(self, settings: FacebookSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.account = settings.page_id or PAGE
        self.post = f"{self.account}_1"
        self.hidden: set[str] = set()
        self.liked: set[str] = set()

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self.comment(person, text, **more) if place == "post" else self.write(person, text=text, **more)

    def comment(self, person: str, text: str, *, under: str = "") -> Said:
        """A comment on the post, or `under` another comment."""
        comment_id = f"{self.post.partition('_')[2]}_{self.number()}"
        self.commented[comment_id] = (person, self.clock())
        said = self.say(comment_id, "post", self.post, person, text)
        self._feed(said, "comment", "add", parent_id=under or self.post, comment_id=comment_id)
        return said

    def visit(self, person: str, text: str) -> Said:
        """A post of a visitor's own on the page."""
        post_id = f"{self.account}_{self.number()}"
        self.commented[post_id] = (person, self.clock())
        said = self.say(post_id, "post", post_id, person, text)
        self._feed(said, "status", "add")
        return said

    def edit(self, said: Said, text: str) -> None:
        self._feed(said, "comment", "edited", comment_id=said.id, parent_id=self.post, message=text)

    def remove(self, said: Said) -> None:
        self._feed(said, "comment", "remove", comment_id=said.id, parent_id=self.post)

    # what we ask

    def fits(self, text: str) -> bool:
        return len(text) <= 2000

    def call(self, method: str, path: list[str], fields: Json) -> Any:
        calls: dict[tuple[str, ...], Callable[[], Any]] = {
            ("POST", self.account, "messages"): lambda: self.send(fields),
            ("POST", self.account, "message_attachments"): lambda: self.upload(fields),
            ("POST", self.account, "subscribed_apps"): lambda: self._subscribe(fields),
            ("GET", "me"): lambda: {"id": self.account, "name": "Acme", "username": "acme"},
            ("GET", "me", "accounts"): lambda: {"data": [self._page()]},
        }
        if known := calls.get((method, *path)):
            return known()
        return self._profile(path[0]) if method == "GET" else self._about(method, path, fields)

    def _subscribe(self, fields: Json) -> Json:
        self.subscribed = set(fields["subscribed_fields"].split(","))
        return {"success": True}

    def _profile(self, person_id: str) -> Json:
        return {"id": person_id, "first_name": self.known(person_id).capitalize(), "last_name": "Fisher"}

    def _page(self) -> Json:
        token = f"page-token-{self.number()}"
        self.tokens.add(token)
        return {"id": self.account, "name": "Acme", "access_token": token, "tasks": ["MESSAGING", "MODERATE"]}

    def _about(self, method: str, path: list[str], fields: Json) -> Json:
        """Something about a post or a comment."""
        about = path[0]
        if about not in {said.id for said in self.said} | {self.post}:
            raise self.unknown(path)
        match method, path[1:]:
            case "POST", ["comments"]:
                return self._comment(about, fields)
            case "POST", ["likes"]:
                self.liked.add(about)
            case "DELETE", ["likes"]:
                self.liked.discard(about)
            case "POST", [] if fields.get("is_hidden") is True:
                self.hidden.add(about)
            case "POST", [] if "message" in fields:
                self._rewrite(about, text=fields["message"])
            case "DELETE", []:
                self._rewrite(about, deleted=True)
            case _:
                raise self.unknown(path)
        return {"success": True}

    def _comment(self, about: str, fields: Json) -> Json:
        if not fields.get("message") and "source" not in fields:
            raise Refusal(100, "(#100) Missing message or attachment")
        comment_id = f"{self.post.partition('_')[2]}_{self.number()}"
        said = self.say(comment_id, "post", self.post, "us", str(fields.get("message", "")))
        self._feed(said, "comment", "add", parent_id=about, comment_id=comment_id)
        return {"id": comment_id}

    def _rewrite(self, said_id: str, **changes: Any) -> None:
        found = next(said for said in self.said if said.id == said_id)
        if found.author != "us" and "text" in changes:
            raise Refusal(200, "(#200) Permissions error")
        self.rewrite(said_id, **changes)

    def _feed(self, said: Said, item: str, verb: str, **more: Any) -> None:
        us = {"id": self.account, "name": "Acme"}
        author = us if said.author == "us" else {"id": self.person(said.author), "name": said.author.capitalize()}
        value = {"from": author, "item": item, "verb": verb, "post_id": said.thread, "message": said.text, **more}
        self.tell({"changes": [{"field": "feed", "value": {**value, "created_time": self.stamp() // 1000}}]})

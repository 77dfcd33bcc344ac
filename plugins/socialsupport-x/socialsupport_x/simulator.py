"""X on this machine: api.x.com, its webhooks, the brand's account and the people who write to it.

Account Activity payloads: https://docs.x.com/x-api/account-activity/introduction (2026-07).
X Activity payloads: https://docs.x.com/x-api/activity/event-payloads (2026-07).
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from socialsupport_core.model import Payload, Reply
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_core.testing.oauth import SignInPages
from socialsupport_core.text import count
from socialsupport_x import answering, checking
from socialsupport_x.answering import problem
from socialsupport_x.reading import SNOWFLAKE_EPOCH
from socialsupport_x.settings import XSettings
from socialsupport_x.signing import TOKEN_PATH
from socialsupport_x.simulated import Account, Direct, File, Tweet, Written, http_date, milliseconds, users_v1
from socialsupport_x.webhook import SIGNATURE, SIGNATURE_OAUTH2, signed

OWN = "2244994945"
PATH = re.compile(r"(?<=[a-z]/)[0-9]+(?=/|$)")


class XSimulator(Simulator):
    """`door` is where webhooks go. `deliver`, where given, is asked to answer the challenge when it registers."""

    network = "x"
    hosts = frozenset({"api.x.com", "x.com", "pbs.twimg.com", "video.twimg.com", "ton.twitter.com"})
    places = (
        Place(id="post", title="A public post", visibility="public"),
        Place(id="dm", title="A direct message", visibility="private"),
    )
    page_size: int = 100
    settings: XSettings

    def __init__(self, settings: XSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        handle = settings.handle or "acme"
        self.brand = Account(settings.account_id or OWN, handle, handle.capitalize(), followers=5502)
        self.accounts: dict[str, Account] = {self.brand.id: self.brand}
        self.tweets: dict[str, Tweet] = {}
        self.directs: list[Direct] = []
        self.files: dict[str, File] = {}
        self.webhooks: dict[str, str] = {}
        self.subscriptions: list[Written] = []
        self.activity = settings.subscription == "activity"
        """Webhooks are of the X Activity API, otherwise of the Account Activity API."""
        self.meter = checking.Meter()
        self.deliver: Callable[[Payload], Reply | None] | None = None
        self.signing = SignInPages(
            self.clock,
            self.random,
            settings.client_id or "",
            settings.client_secret.get_secret_value() if settings.client_secret else None,
            code_lifetime=timedelta(seconds=30),
            refuse=answering.refused_token,
        )
        """Where an operator grants access, and the tokens that came of it."""
        self._last_id = 0

    # people

    def person(self, key: str) -> Account:
        """The account of a person, made at first sight."""
        found = next((one for one in self.accounts.values() if one.handle == key), None)
        return found or self._join(Account(self.new_id(), key, key.capitalize()))

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """In `post` or `dm`. A post may have `reply_to` or `quotes`, the id of another."""
        author = self.person(person)
        if (place or "post") == "dm":
            return self.write(author, self.brand, text)
        return self.post(author, text, **more)

    def post(
        self, author: Account, text: str, reply_to: str = "", quotes: str = "", files: Sequence[File] = ()
    ) -> Said:
        """X names whom a reply answers; whoever wants to reach the brand names it."""
        answered, quoted = self.tweets.get(reply_to), self.tweets.get(quotes)
        named = answered.author if answered else self.brand
        if named is not author and not quoted and f"@{named.handle}" not in text:
            text = f"@{named.handle} {text}".rstrip()
        post_id = self.new_id()
        root = answered.root if answered else post_id
        tweet = Tweet(post_id, author, text, self.clock(), root, answered, quoted, [post_id], files=list(files))
        self.tweets[post_id] = tweet
        self._deliver_post(tweet)
        return self._say(Said(post_id, "post", root, self._key(author), text, tweet.at))

    def write(self, sender: Account, recipient: Account, text: str, files: Sequence[File] = ()) -> Said:
        direct = Direct(self.new_id(), sender, recipient, text, self.clock(), list(files))
        self.directs.append(direct)
        payload = {"direct_message_events": [direct.v1()], "users": users_v1(sender, recipient)}
        self._deliver("dm.sent" if sender is self.brand else "dm.received", payload)
        return self._say(Said(direct.id, "dm", direct.conversation, self._key(sender), text, direct.at))

    def like(self, person: str, post_id: str) -> None:
        tweet, liker = self.tweets[post_id], self.person(person)
        tweet.likers.append(liker)
        self.tell_like(tweet, liker)

    def edit(self, person: str, post_id: str, text: str) -> str:
        """The id of the new version."""
        tweet = self.tweets[post_id]
        if tweet.author is not self.person(person):
            raise ValueError(f"{person} has not written {post_id}")
        tweet.id, tweet.text = self.new_id(), text
        tweet.versions.append(tweet.id)
        self.tweets[tweet.id] = tweet
        self._change(tweet.versions[0], text=text, edited=True)
        self._deliver_post(tweet)
        return tweet.id

    def delete(self, post_id: str) -> None:
        """Its author takes the post back with all its versions, and X tells of each."""
        tweet = self.tweets[post_id]
        self._change(tweet.versions[0], deleted=True)
        for version in tweet.versions:
            del self.tweets[version]
            gone = {"status": {"id": version, "user_id": tweet.author.id}, "timestamp_ms": self._now_ms()}
            now = {"id": version, "author_id": tweet.author.id}
            self._deliver("post.delete", now, ("tweet_delete_events", gone))

    def type_message(self, person: str) -> None:
        self._indicate("dm.indicate_typing", "direct_message_indicate_typing_events", person)

    def read_messages(self, person: str) -> None:
        """The person reads everything that we have sent."""
        reader = self.person(person)
        last = next(one for one in reversed(self.directs) if one.recipient is reader)
        self._indicate("dm.read", "direct_message_mark_read_events", person, last_read_event_id=last.id)

    def heard(self, person: str) -> list[Said]:
        mine = self.person(person).id
        return [said for said in self.said if said.place == "post" or mine in said.thread.split("-")]

    # the API

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "x.com":
            return self.signing.page(request)
        if request.url.host != "api.x.com":
            return answering.file(self, request)
        endpoint = f"{request.method} {PATH.sub(':id', request.url.path)}"
        within, headers = self.meter.count(endpoint, self.clock())
        if endpoint == f"POST {TOKEN_PATH}":
            response = self.signing.token(request)
        else:
            response = self._answer(request, endpoint) if within else self._too_many()
        response.headers.update({"date": http_date(self.clock()), **headers})
        return response

    def _answer(self, request: httpx.Request, endpoint: str) -> httpx.Response:
        answer = answering.ANSWERS.get(endpoint)
        if answer is None:
            return problem(404, "Not Found Error", f"X has no {endpoint}", "resource-not-found")
        if refusal := self._refused(request, endpoint):
            return refusal
        if fault := checking.fault_in_query(endpoint, dict(request.url.params)):
            return problem(400, "Invalid Request", fault, "invalid-request")
        body = answering.body_of(request)
        if fault := checking.fault_in_body(endpoint, body):
            return problem(400, "Invalid Request", fault, "invalid-request")
        return answer(self, request, body, PATH.findall(request.url.path))

    def _refused(self, request: httpx.Request, endpoint: str) -> httpx.Response | None:
        token = self.signing.token_of(request)
        if token is None and not checking.is_authorized(request, endpoint, self.settings):
            return self.expired(request)
        if checking.lacks_scope(endpoint, token):
            return problem(403, "Forbidden", "Your client app is not configured with the appropriate oauth2 scopes")
        return None

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        reset = str(int(self.clock().timestamp()) + 1)
        response = self._too_many()
        response.headers.update({"date": http_date(self.clock()), "x-rate-limit-reset": reset})
        return response

    def expired(self, request: httpx.Request) -> httpx.Response:
        return problem(401, "Unauthorized", "Unauthorized")

    def _too_many(self) -> httpx.Response:
        return problem(429, "Too Many Requests", "Too Many Requests")

    # webhooks

    def tell_like(self, tweet: Tweet, liker: Account) -> None:
        event = {"id": f"{int(tweet.id):016x}{int(liker.id):016x}", "timestamp_ms": self._now_ms()}
        v2 = {**event, "liked_tweet_id": tweet.id, "liked_tweet_author_id": tweet.author.id}
        v1 = {**event, "favorited_status": tweet.v1(), "user": liker.v1()}
        includes = {"users": [tweet.author.v2(), liker.v2()], "tweets": [tweet.v2()]}
        self._deliver("like.create", v2, ("favorite_events", v1), includes)

    def challenge(self, token: str = "Y2hhbGxlbmdlLW9mLXg=") -> Payload:  # noqa: S107 - sent in the open
        url = str(httpx.URL(self.door).copy_merge_params({"crc_token": token}))
        return Payload(method="GET", url=url, received_at=self.clock())

    def passes(self, challenge: Payload, reply: Reply | None) -> bool:
        """Whether the door has answered as the owner of the secret would."""
        if reply is None or reply.status != 200:
            return False
        secret = self.settings.client_secret or self.settings.consumer_secret
        assert secret is not None
        expected = signed(secret.get_secret_value(), challenge.query["crc_token"].encode())
        return bool(json.loads(reply.body) == {"response_token": expected})

    def _deliver_post(self, tweet: Tweet) -> None:
        kind = "post.create" if tweet.author is self.brand else "post.mention.create"
        includes = {"users": [account.v2() for account in self._around(tweet)], "tweets": [tweet.v2()]}
        self._deliver(kind, tweet.v2(), ("tweet_create_events", tweet.v1()), includes)

    def _around(self, tweet: Tweet) -> list[Account]:
        others = [tweet.reply_to.author] if tweet.reply_to else []
        return list({account.id: account for account in (tweet.author, self.brand, *others)}.values())

    def _indicate(self, kind: str, key: str, person: str, **more: str) -> None:
        someone = self.person(person)
        event = {
            "created_timestamp": self._now_ms(),
            "sender_id": someone.id,
            "target": {"recipient_id": self.brand.id},
            **more,
        }
        self._deliver(kind, {key: [event], "users": users_v1(someone, self.brand)})

    def _deliver(
        self, kind: str, payload: Written, v1: tuple[str, Written] | None = None, includes: Written | None = None
    ) -> None:
        """`v1` is the list's name and its entry, where the Account Activity API has another form."""
        if not self.activity:
            older = {v1[0]: [v1[1]]} if v1 else payload
            self._emit({"for_user_id": self.brand.id, **older})
            return
        event = {"event_uuid": self.new_id(), "filter": {"user_id": self.brand.id}, "event_type": kind}
        self._emit({"data": {**event, "payload": payload, **({"includes": includes} if includes else {})}})

    def _emit(self, content: Written) -> None:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        secrets = ((SIGNATURE, self.settings.consumer_secret), (SIGNATURE_OAUTH2, self.settings.client_secret))
        proofs = [(name, signed(secret.get_secret_value(), body)) for name, secret in secrets if secret]
        headers = (("content-type", "application/json"), *proofs)
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))

    # inside

    def new_id(self) -> str:
        now = (int(self.clock().timestamp() * 1000) - SNOWFLAKE_EPOCH) << 22
        self._last_id = max(now, self._last_id + 1)
        return str(self._last_id)

    def too_long(self, text: str) -> bool:
        return count(text, "x_weighted") > 280

    def _join(self, account: Account) -> Account:
        self.accounts[account.id] = account
        return account

    def _key(self, account: Account) -> str:
        return "us" if account is self.brand else account.handle

    def _say(self, said: Said) -> Said:
        self.said.append(said)
        return said

    def _change(self, said_id: str, **changes: Any) -> None:
        self.said = [replace(said, **changes) if said.id == said_id else said for said in self.said]

    def _now_ms(self) -> str:
        return milliseconds(self.clock())

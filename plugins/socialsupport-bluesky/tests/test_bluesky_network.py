"""The connector at a real network: a directory, a PDS and an AppView, on loopback, each the published program.

They are npm's @atproto/dev-env, installed by `npm install` in tests/network, and the AppView keeps its index in
a PostgreSQL of its own. Direct messages are a service that is not published: they stay with the simulator.
"""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_bluesky import Bluesky, BlueskySettings
from socialsupport_bluesky.records import POST, tid
from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    ReadBlob,
    SignIn,
    Unreachable,
    drive,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Credentials,
    DeleteMessage,
    Event,
    Identifier,
    Interaction,
    React,
    Receipt,
    SendMessage,
)
from socialsupport_core.testing import postgresql

FOLDER = Path(__file__).parent / "network"
PROGRAM, OURS = shutil.which("node"), "raven.test"
PASSWORD = "a-password-of-the-tests"
SERVICE = "pds.test"
"""What the connector calls by https; here it is led to the PDS on loopback."""
SIGN_IN = SignIn(state="s", redirect="https://hub.example/connect/callback", verifier=SecretStr("v" * 43))
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def missing() -> str:
    if not PROGRAM:
        return "there is no node here"
    if not (FOLDER / "node_modules/better-sqlite3/build/Release").exists():
        return f"there is no PDS here; in {FOLDER.name}: npm install && npm rebuild better-sqlite3"
    return "" if postgresql.programs() else postgresql.MISSING


pytestmark = [pytest.mark.server, pytest.mark.timeout(180), pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the PDS."""
    folder = tmp_path_factory.mktemp("network")
    with postgresql.running() as database, (folder / "errors").open("wb") as errors:
        program = subprocess.Popen(
            [str(PROGRAM), "network.js"],
            cwd=FOLDER,
            env={"DB_POSTGRES_URL": database.url, "LOG_ENABLED": "false", "TMPDIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert program.stdin is not None
        assert program.stdout is not None
        with program:
            said = program.stdout.readline()
            assert said, (folder / "errors").read_text()[-2000:]
            yield str(json.loads(said)["pds"])
            program.stdin.close()


class Person:
    """Somebody with a plain client of their own."""

    def __init__(self, network: str, handle: str) -> None:
        self.handle, self.url = handle, f"{network}/xrpc/"
        account = {"handle": handle, "email": f"{handle}@acme.example", "password": PASSWORD}
        told = httpx.post(f"{self.url}com.atproto.server.createAccount", json=account).json()
        self.did, self.token = str(told["did"]), str(told["accessJwt"])

    def call(self, method: str, body: dict[str, Any] | None = None, **parameters: Any) -> Any:
        answer = self._asked(method, body, parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, method: str, **parameters: Any) -> int:
        return self._asked(method, None, parameters).status_code

    def _asked(self, method: str, body: dict[str, Any] | None, parameters: dict[str, Any]) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        way = "GET" if body is None else "POST"
        return httpx.request(way, self.url + method, json=body, params=parameters, headers=headers, timeout=30)

    def write(self, collection: str, rkey: str | None = None, **record: Any) -> dict[str, str]:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        whole = {"$type": collection, "createdAt": at, **record}
        body = {"repo": self.did, "collection": collection, "record": whole} | ({"rkey": rkey} if rkey else {})
        told = self.call("com.atproto.repo.createRecord", body)
        return {"uri": told["uri"], "cid": told["cid"]}

    def mentions(self, who: "Person", text: str, **more: Any) -> dict[str, str]:
        begin = len(text.encode()) + 1
        place = {"byteStart": begin, "byteEnd": begin + 1 + len(who.handle)}
        facet = {"index": place, "features": [{"$type": "app.bsky.richtext.facet#mention", "did": who.did}]}
        return self.write(POST, text=f"{text} @{who.handle}", facets=[facet], **more)

    def answers(self, root: dict[str, str], parent: dict[str, str], text: str) -> dict[str, str]:
        return self.write(POST, text=text, reply={"root": root, "parent": parent})

    def thread(self, uri: str) -> Any:
        return self.call("app.bsky.feed.getPostThread", uri=uri)["thread"]

    def removed(self, uri: str) -> None:
        _, _, repo, collection, rkey = uri.split("/")
        self.call("com.atproto.repo.deleteRecord", {"repo": repo, "collection": collection, "rkey": rkey})


class Desk:
    """The support account, signed in with an app password."""

    def __init__(self, network: str) -> None:
        self.network, self.us = network, Person(network, OURS)
        made = self.us.call("com.atproto.server.createAppPassword", {"name": "support"})
        self.settings = BlueskySettings(handle=OURS, app_password=made["password"], service=SERVICE, messages=False)
        self.bluesky, self.blobs = Bluesky(self.settings), dict[str, Blob]()
        self.credentials: Credentials | None = None
        self.cursor: str | None = None
        back = httpx.URL(self.bluesky.connect_with(SIGN_IN))
        self.credentials = self.run(self.bluesky.exchange_with(back.params["code"], SIGN_IN))
        self.bluesky = Bluesky(self.settings, self.run(self.bluesky.probe()))

    def run(self, flow: Flow[Any]) -> Any:
        return drive(flow, self.answer, self.bluesky.failure)

    def answer(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return self.blobs[ask.digest]
        assert isinstance(ask, httpx.Request)
        request = self.bluesky.authorize(ask, self.credentials, datetime.now(UTC), "")
        assert request.url.host == SERVICE
        here = httpx.URL(self.network)
        request.url = request.url.copy_with(scheme="http", host=here.host, port=here.port)
        request.headers["host"] = f"{here.host}:{here.port}"
        with httpx.Client(timeout=30) as client:
            return client.send(request)

    def cut_after(self, path: str) -> Callable[[Any], Any]:
        """Loses the answer to one call."""

        def answer(ask: Any) -> Any:
            response = self.answer(ask)
            if isinstance(ask, httpx.Request) and ask.url.path.endswith(path):
                raise ConnectionError
            return response

        return answer

    def poll(self) -> list[Event]:
        found: list[Event] = []
        more = True
        while more:
            page = self.run(self.bluesky.poll(self.cursor))
            found += [event for payload in page.payloads for event in self.bluesky.parse(payload)]
            self.cursor, more = page.cursor, page.more
        return found

    def heard(self, number: int = 1) -> list[Event]:
        """So many events: what is posted is indexed a moment later."""
        found: list[Event] = []
        until = time.monotonic() + 30
        while len(found) < number and time.monotonic() < until:
            found += self.poll()
            time.sleep(0.1)
        assert len(found) == number, found
        return found

    def asked(self) -> Interaction:
        (event,) = self.heard()
        assert event.type == "interaction.received"
        return event.interaction

    def intent(self, question: Interaction, text: str | None, key: str, **more: Any) -> SendMessage:
        return SendMessage(key=key, own_account=self.us.did, thread=question.thread, target=question, text=text, **more)

    def send(self, question: Interaction, text: str | None, key: str, **more: Any) -> Receipt:
        receipt: Receipt = self.run(self.bluesky.send(self.intent(question, text, key, **more)))
        return receipt

    def written(self, uri: str) -> Any:
        return self.us.call(
            "com.atproto.repo.getRecord", repo=self.us.did, collection=POST, rkey=uri.rpartition("/")[2]
        )["value"]


def until(told: Callable[[], Any]) -> Any:
    """What is true in the end: the index follows the repositories."""
    last = time.monotonic() + 30
    while not (found := told()) and time.monotonic() < last:
        time.sleep(0.1)
    assert found
    return found


@pytest.fixture(scope="module")
def desk(network: str) -> Desk:
    desk = Desk(network)
    assert desk.poll() == []
    return desk


@pytest.fixture(scope="module")
def kerry(network: str) -> Person:
    kerry = Person(network, "kerry.test")
    kerry.write("app.bsky.actor.profile", "self", displayName="Kerry Fisher")
    return kerry


def test_who_we_are(desk: Desk, kerry: Person) -> None:
    facts = desk.run(desk.bluesky.probe())
    assert (facts.own_account, facts.handle) == (desk.us.did, OURS)
    until(lambda: kerry.status("app.bsky.actor.getProfile", actor=kerry.did) == 200)
    party = desk.run(desk.bluesky.profile(Identifier(kind="bluesky.did", value=kerry.did)))
    assert (party.name, party.handle, party.account.value) == ("Kerry Fisher", "kerry.test", kerry.did)


def test_a_mention_an_answer_and_the_thread_goes_on(desk: Desk, kerry: Person) -> None:
    post = kerry.mentions(desk.us, "🦜 my parcel is lost,")
    question = desk.asked()
    assert (question.kind, question.native_id, question.thread.id) == ("mention", post["uri"], post["uri"])
    assert (question.thread.visibility, question.author.name) == ("public", "Kerry Fisher")
    assert question.author.account == Identifier(kind="bluesky.did", value=kerry.did)
    assert question.text is not None
    assert question.text.startswith("🦜 my parcel is lost, [@raven.test]")
    receipt = desk.send(question, "It is **on its way**, @kerry.test: https://acme.example/p/1", "k-thread")
    assert receipt.native_id == f"at://{desk.us.did}/{POST}/{tid('k-thread')}"
    (reply,) = until(lambda: kerry.thread(post["uri"]).get("replies"))
    record = reply["post"]["record"]
    assert (reply["post"]["uri"], record["text"]) == (
        receipt.native_id,
        "It is on its way, @kerry.test: https://acme.example/p/1",
    )
    features = [feature for facet in record["facets"] for feature in facet["features"]]
    assert [one.get("did") or one.get("uri") for one in features] == [kerry.did, "https://acme.example/p/1"]
    ours = {"uri": reply["post"]["uri"], "cid": reply["post"]["cid"]}
    thanks = kerry.answers(post, ours, "thank you")
    said = desk.asked()
    assert (said.kind, said.text, said.in_reply_to) == ("comment", "thank you", receipt.native_id)
    assert (said.thread, said.native_id) == (question.thread, thanks["uri"])
    again = desk.send(said, "You are welcome", "k-again")
    assert desk.written(again.native_id)["reply"] == {"root": post, "parent": thanks}
    assert again.thread == question.thread


def test_what_came_once_comes_once(desk: Desk, kerry: Person) -> None:
    posts = [kerry.mentions(desk.us, f"question {number}") for number in range(30)]
    found = desk.heard(30)
    assert {event.interaction.native_id for event in found if event.type == "interaction.received"} == {
        post["uri"] for post in posts
    }
    assert desk.poll() == []


def test_what_is_sent_twice_is_one_post(desk: Desk, kerry: Person) -> None:
    post = kerry.mentions(desk.us, "twice?")
    question = desk.asked()
    intent = desk.intent(question, "Once.", "k-twice")
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert desk.run(desk.bluesky.lookup(intent, since)) is None
    with pytest.raises(ConnectionError):
        drive(desk.bluesky.send(intent), desk.cut_after("putRecord"), desk.bluesky.failure)
    found = desk.run(desk.bluesky.lookup(intent, since))
    assert found is not None
    assert found.thread == question.thread
    assert desk.run(desk.bluesky.send(intent)).native_id == found.native_id
    replies = until(lambda: kerry.thread(post["uri"]).get("replies"))
    assert [one["post"]["uri"] for one in replies] == [found.native_id]


def test_pictures(desk: Desk, kerry: Person) -> None:
    told = httpx.post(
        f"{kerry.url}com.atproto.repo.uploadBlob",
        content=DOT,
        headers={"content-type": "image/png", "authorization": f"Bearer {kerry.token}"},
    ).json()
    image = {"alt": "the box, torn", "image": told["blob"]}
    post = kerry.mentions(desk.us, "look", embed={"$type": "app.bsky.embed.images", "images": [image]})
    question = desk.asked()
    (picture,) = question.attachments
    assert (picture.text, picture.media_type.partition("/")[0]) == ("the box, torn", "image")
    desk.blobs["a" * 64] = Blob(content=DOT, media_type="image/png", name="dot.png")
    dot = Attachment(media_type="image/png", blob="a" * 64, text="a dot")
    receipt = desk.send(question, "So is ours", "k-picture", attachments=(dot, dot))
    (reply,) = until(lambda: kerry.thread(post["uri"]).get("replies"))
    assert reply["post"]["uri"] == receipt.native_id
    assert [one["alt"] for one in reply["post"]["embed"]["images"]] == ["a dot", "a dot"]


def test_likes_in_both_directions(desk: Desk, kerry: Person) -> None:
    post = kerry.mentions(desk.us, "do you like it?")
    question = desk.asked()
    receipt = desk.send(question, "Very much", "k-like")
    ours = until(lambda: kerry.thread(post["uri"]).get("replies"))[0]["post"]
    kerry.write("app.bsky.feed.like", subject={"uri": ours["uri"], "cid": ours["cid"]})
    (liked,) = desk.heard()
    assert liked.type == "reaction.added"
    assert (liked.native_id, liked.thread) == (receipt.native_id, question.thread)
    like = React(key="k-heart", own_account=desk.us.did, thread=question.thread, target=question, reaction="👍")
    desk.run(desk.bluesky.send(like))
    desk.run(desk.bluesky.send(like))
    until(lambda: likes(kerry, post["uri"]) == [OURS])
    desk.run(desk.bluesky.send(like.model_copy(update={"key": "k-none", "reaction": ""})))
    until(lambda: likes(kerry, post["uri"]) == [])


def likes(who: Person, uri: str) -> list[str]:
    return [one["actor"]["handle"] for one in who.call("app.bsky.feed.getLikes", uri=uri)["likes"]]


def test_a_quotation_is_heard(desk: Desk, kerry: Person) -> None:
    kerry.mentions(desk.us, "where is it?")
    question = desk.asked()
    receipt = desk.send(question, "In the depot", "k-quoted")
    until(lambda: kerry.status("app.bsky.feed.getPostThread", uri=receipt.native_id) == 200)
    ours = {"uri": receipt.native_id, "cid": kerry.thread(receipt.native_id)["post"]["cid"]}
    kerry.write(POST, text="they say", embed={"$type": "app.bsky.embed.record", "record": ours})
    quoting = desk.asked()
    assert quoting.text is not None
    assert quoting.text.startswith("they say")
    assert quoting.thread.visibility == "public"


def test_our_posts_can_be_deleted_and_no_others(desk: Desk, kerry: Person) -> None:
    post = kerry.mentions(desk.us, "delete?")
    question = desk.asked()
    receipt = desk.send(question, "Oops", "k-delete")
    until(lambda: kerry.thread(post["uri"]).get("replies"))
    target = question.model_copy(update={"native_id": receipt.native_id})
    ask = DeleteMessage(key="k-gone", own_account=desk.us.did, thread=question.thread, target=target)
    desk.run(desk.bluesky.send(ask))
    desk.run(desk.bluesky.send(ask))
    until(lambda: not kerry.thread(post["uri"]).get("replies"))
    with pytest.raises(ContentRejected, match="ourselves"):
        desk.run(desk.bluesky.send(ask.model_copy(update={"target": question})))


def test_a_post_that_is_gone_is_not_answered(desk: Desk, kerry: Person) -> None:
    post = kerry.mentions(desk.us, "never mind")
    question = desk.asked()
    kerry.removed(post["uri"])
    until(lambda: not desk.us.call("app.bsky.feed.getPosts", uris=post["uri"])["posts"])
    with pytest.raises(Unreachable, match="gone"):
        desk.send(question, "What was it?", "k-late")


def test_who_has_blocked_us_is_not_answered(desk: Desk, network: str) -> None:
    angry = Person(network, "angry.test")
    post = angry.mentions(desk.us, "never again,")
    question = desk.asked()
    angry.write("app.bsky.graph.block", subject=desk.us.did)
    until(lambda: not desk.us.call("app.bsky.feed.getPosts", uris=post["uri"])["posts"])
    with pytest.raises(Unreachable, match="blocked"):
        desk.send(question, "We are sorry", "k-sorry")


def test_300_graphemes_and_not_one_more(desk: Desk, kerry: Person) -> None:
    kerry.mentions(desk.us, "how long?")
    question = desk.asked()
    family = "👩\u200d👩\u200d👧"
    fits = "a" * 270 + family * 30
    assert desk.written(desk.send(question, fits, "k-fits").native_id)["text"] == fits
    with pytest.raises(ContentRejected):
        desk.send(question, fits + "b", "k-long")


def test_tokens_are_renewed_and_refusals_told_apart(desk: Desk, network: str) -> None:
    old = desk.credentials
    assert old is not None
    fresh = desk.run(desk.bluesky.refresh(old))
    assert fresh.expires_at is not None
    assert fresh.expires_at > datetime.now(UTC)
    assert fresh.refresh_token != old.refresh_token
    desk.credentials = fresh
    assert desk.run(desk.bluesky.probe()).own_account == desk.us.did
    spoilt = fresh.model_copy(update={"access_token": SecretStr("e30.e30.c2lnbmF0dXJl")})
    desk.credentials = spoilt
    with pytest.raises(AuthExpired):
        desk.run(desk.bluesky.probe())
    lost = fresh.model_copy(update={"refresh_token": SecretStr("e30.e30.c2lnbmF0dXJl")})
    desk.credentials = desk.run(desk.bluesky.refresh(lost))  # the app password serves again
    assert desk.run(desk.bluesky.probe()).handle == OURS
    wrong = Bluesky(desk.settings.model_copy(update={"app_password": SecretStr("aaaa-bbbb-cccc-dddd")}))
    with pytest.raises(DeliveryError) as refused:
        drive(wrong.exchange_with("app-password", SIGN_IN), desk.answer, wrong.failure)
    assert isinstance(refused.value, AuthExpired | Forbidden)
    assert "aaaa-bbbb" not in str(refused.value)

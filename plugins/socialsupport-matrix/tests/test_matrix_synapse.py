"""The connector at a real homeserver: Synapse, on loopback, in a folder of its own.

It is found as `synapse_homeserver` beside this Python or on the path, or where SYNAPSE_HOMESERVER says.
"""

import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    DeliveryError,
    Flow,
    Forbidden,
    RateLimited,
    ReadBlob,
    Unreachable,
    drive,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    DeleteMessage,
    EditMessage,
    Event,
    Facts,
    Interaction,
    MarkRead,
    OpenPrivate,
    Party,
    React,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_core.text import to_spans
from socialsupport_matrix import Matrix, MatrixSettings

PROGRAM = (
    os.environ.get("SYNAPSE_HOMESERVER")
    or shutil.which("synapse_homeserver")
    or shutil.which("synapse_homeserver", path=str(Path(sys.executable).parent))
)
SERVER, SECRET = "acme.test", "only-for-tests"
PASSWORD = "a-password-of-the-tests"
pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not PROGRAM, reason="there is no Synapse here; uv sync --all-packages --group servers"),
]


class Synapse:
    """Nothing of it leaves the machine: no federation, no key servers, SQLite in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: list[httpx.Client] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "homeserver.yaml").write_text(self._configured())
        (folder / "log.yaml").write_text(
            f"version: 1\nhandlers: {{file: {{class: logging.FileHandler, filename: '{folder / 'log'}'}}}}\n"
            "root: {level: WARNING, handlers: [file]}\ndisable_existing_loggers: false\n"
        )
        command = [str(PROGRAM), "-c", "homeserver.yaml"]
        subprocess.run([*command, "--generate-keys"], cwd=folder, check=True, capture_output=True)
        self.output = (folder / "output").open("wb")
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.output, stderr=self.output)

    def _configured(self) -> str:
        resources = "[{names: [client]}]"
        listener = f"{{port: {self.port}, type: http, bind_addresses: ['127.0.0.1'], resources: {resources}}}"
        generous = "{per_second: 1000, burst_count: 1000}"
        return f"""
server_name: {SERVER}
listeners: [{listener}]
database: {{name: sqlite3, args: {{database: '{self.folder}/db'}}}}
log_config: '{self.folder}/log.yaml'
media_store_path: '{self.folder}/media'
signing_key_path: '{self.folder}/signing.key'
registration_shared_secret: {SECRET}
macaroon_secret_key: {SECRET}
form_secret: {SECRET}
report_stats: false
trusted_key_servers: []
federation_domain_whitelist: []
max_upload_size: 3M
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_room_creation: {generous}
rc_login: {{address: {generous}, account: {generous}, failed_attempts: {generous}}}
rc_joins: {{local: {generous}, remote: {generous}}}
rc_invites: {{per_room: {generous}, per_user: {generous}, per_issuer: {generous}}}
"""

    def wait(self) -> None:
        until = time.monotonic() + 150
        while time.monotonic() < until:
            assert self.process.poll() is None, (self.folder / "output").read_text()[-2000:]
            try:
                httpx.get(f"{self.url}/health").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.2)
            else:
                return
        raise AssertionError("Synapse does not answer")

    def client(self, **more: Any) -> httpx.Client:
        self.opened.append(httpx.Client(timeout=40, **more))
        return self.opened[-1]

    def stop(self) -> None:
        for client in self.opened:
            client.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def register(self, name: str, *, admin: bool = False) -> "Client":
        """#shared-secret registration, as Synapse documents it."""
        address = f"{self.url}/_synapse/admin/v1/register"
        nonce = httpx.get(address).json()["nonce"]
        written = "\0".join([nonce, name, PASSWORD, "admin" if admin else "notadmin"]).encode()
        mac = hmac.new(SECRET.encode(), written, hashlib.sha1).hexdigest()
        told = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": admin, "mac": mac}
        answer = httpx.post(address, json=told).json()
        return Client(self, answer["user_id"], answer["access_token"])


class Client:
    """Somebody with a plain client of their own."""

    def __init__(self, synapse: Synapse, user: str, token: str) -> None:
        self.user, self.token = user, token
        self.url = f"{synapse.url}/_matrix"
        headers = {"authorization": f"Bearer {token}"}
        self.http = synapse.client(base_url=f"{self.url}/client/v3/", headers=headers)
        self.count = 0

    def call(self, method: str, path: str, content: Any = None, **more: Any) -> Any:
        answer = self.http.request(method, path, json=content, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, **wanted: Any) -> str:
        return str(self.call("POST", "createRoom", wanted)["room_id"])

    def direct(self, who: str) -> str:
        return self.create(preset="private_chat", is_direct=True, invite=[who])

    def send(self, room: str, content: Any, kind: str = "m.room.message") -> str:
        self.count += 1
        path = f"rooms/{room}/send/{kind}/t{self.count}"
        return str(self.call("PUT", path, content)["event_id"])

    def say(self, room: str, text: str, **more: Any) -> str:
        return self.send(room, {"msgtype": "m.text", "body": text, **more})

    def redact(self, room: str, event: str) -> None:
        self.count += 1
        self.call("PUT", f"rooms/{room}/redact/{event}/r{self.count}", {})

    def read(self, room: str) -> list[Any]:
        """The room's events, oldest first."""
        chunk = self.call("GET", f"rooms/{room}/messages", params={"dir": "b", "limit": 100})["chunk"]
        return list(reversed(chunk))

    def messages(self, room: str) -> list[Any]:
        return [event for event in self.read(room) if event["type"] == "m.room.message" and event["content"]]


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    server = Synapse(tmp_path_factory.mktemp("synapse"))
    try:
        server.wait()
        yield server
    finally:
        server.stop()


class Desk:
    """The support account. Its first poll has been made: what comes from now on is news."""

    def __init__(self, synapse: Synapse, name: str, *, begins: bool = True, **settings: Any) -> None:
        self.us = synapse.register(name)
        token = settings.pop("access_token", self.us.token)
        self.matrix = Matrix(MatrixSettings(homeserver=synapse.url, access_token=token, **settings))
        self.http = synapse.client()
        self.blobs: dict[str, Blob] = {}
        self.cursor: str | None = None
        if begins:
            self.poll()

    def run(self, flow: Flow[Any]) -> Any:
        return drive(flow, self._answer, self.matrix.failure)

    def _answer(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return self.blobs[ask.digest]
        assert isinstance(ask, httpx.Request)
        if ask.url.path.endswith("/sync"):  # nobody waits in a test
            ask.url = ask.url.copy_set_param("timeout", "250")
        return self.http.send(self.matrix.authorize(ask, None, None, ""))  # type: ignore[arg-type]

    def cut_after(self, path: str) -> Callable[[Any], Any]:
        """Loses the answer to one call."""

        def answer(ask: Any) -> Any:
            response = self._answer(ask)
            if ask.url.path.endswith(path):
                raise ConnectionError
            return response

        return answer

    def poll(self) -> list[Event]:
        page = self.run(self.matrix.poll(self.cursor))
        self.cursor = page.cursor
        return [event for payload in page.payloads for event in self.matrix.parse(payload)]

    def heard(self) -> list[Event]:
        """All news: what comes with several answers too."""
        found: list[Event] = []
        for _ in range(3):
            news = self.poll()
            found += news
        return found

    def enter(self, who: Client) -> str:
        """A direct room that they have opened and we have entered."""
        room = who.direct(self.us.user)
        self.heard()
        return room

    def send(self, room: str, text: str | None, **more: Any) -> Any:
        thread = more.pop("thread", Thread(id=room, visibility="private"))
        key = more.pop("key", f"key-{time.monotonic_ns()}")
        return self.run(
            self.matrix.send(SendMessage(key=key, own_account=self.us.user, thread=thread, text=text, **more))
        )


def of(events: list[Event], kind: str) -> list[Any]:
    return [event for event in events if event.type == kind]


def messages(events: list[Event]) -> list[Interaction]:
    return [event.interaction for event in of(events, "interaction.received")]


@pytest.fixture(scope="module")
def desk(synapse: Synapse) -> Desk:
    return Desk(synapse, "support")


@pytest.fixture(scope="module")
def kerry(synapse: Synapse) -> Client:
    who = synapse.register("kerry")
    who.call("PUT", f"profile/{who.user}/displayname", {"displayname": "Kerry Fisher"})
    return who


def test_who_we_are(desk: Desk) -> None:
    facts: Facts = desk.run(desk.matrix.probe())
    assert facts.own_account == desk.us.user == f"@support:{SERVER}"
    assert facts.limits == {"upload": 3 * 1024 * 1024}
    limited = Matrix(desk.matrix.settings, facts)
    assert limited.capabilities_in(Thread(id="!a:b", visibility="private")).media[0].max_bytes == 3 * 1024 * 1024


def test_an_invitation_is_followed_and_what_was_said_meanwhile_is_heard(desk: Desk, kerry: Client) -> None:
    room = kerry.direct(desk.us.user)
    kerry.say(room, "Where is my parcel?")
    kerry.say(room, "**Hello?**", format="org.matrix.custom.html", formatted_body="<b>Hello?</b>")
    found = messages(desk.heard())
    assert [one.text for one in found] == ["Where is my parcel?", "**Hello?**"]
    first = found[0]
    assert str(first.author.account) == f"matrix.user:{kerry.user}"
    assert (first.author.name, first.thread.id, first.thread.visibility) == ("Kerry Fisher", room, "private")
    assert desk.us.call("GET", f"user/{desk.us.user}/account_data/m.direct") == {kerry.user: [room]}


def test_rooms_that_are_not_direct_are_not_entered_by_default(desk: Desk, kerry: Client) -> None:
    room = kerry.create(invite=[desk.us.user], preset="private_chat")
    kerry.say(room, "into the void")
    assert messages(desk.heard()) == []
    assert room not in desk.us.call("GET", "joined_rooms")["joined_rooms"]


def test_what_was_there_before_the_first_poll_is_history(synapse: Synapse, kerry: Client) -> None:
    late = Desk(synapse, "late", begins=False)
    room = kerry.direct(late.us.user)
    late.us.call("POST", f"join/{room}", {})
    for number in range(5):
        kerry.say(room, f"old {number}")
    assert messages(late.poll()) == []
    kerry.say(room, "new")
    assert [one.text for one in messages(late.heard())] == ["new"]
    two = Matrix(late.matrix.settings.model_copy(update={"backlog": 2}))
    page = late.run(two.poll(None))
    heard = [one.text for payload in page.payloads for one in messages(list(two.parse(payload)))]
    assert heard == ["old 4", "new"]


def test_a_hole_is_filled(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    for number in range(130):
        kerry.say(room, f"message {number}")
    found = desk.heard()
    assert [one.text for one in messages(found)] == [f"message {number}" for number in range(130)]
    assert of(found, "unrecognised") == []


def test_history_is_read_back(synapse: Synapse, kerry: Client) -> None:
    reader = Desk(synapse, "reader")
    room = reader.enter(kerry)
    for number in range(150):
        kerry.say(room, f"page {number}")
    said: list[str] = []
    cursor, since = None, Matrix(reader.matrix.settings)
    for _ in range(20):
        page = reader.run(since.history(_long_ago(), cursor))
        heard = [one.text or "" for payload in page.payloads for one in messages(list(since.parse(payload)))]
        said, cursor = heard + said, page.cursor
        if not page.more:
            break
    assert said == [f"page {number}" for number in range(150)]


def _long_ago() -> Any:
    return datetime(2020, 1, 1, tzinfo=UTC)


def test_an_answer_arrives_once_and_comes_back_as_ours(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    kerry.say(room, "Hello")
    asked = messages(desk.heard())[0]
    text = "It is **on its way**, [look](https://acme.example/t?a=1&b=2) & `1 < 2`\n\n> quoted"
    first = desk.send(room, text, target=asked, key="once")
    assert desk.send(room, text, target=asked, key="once").native_id == first.native_id
    (arrived,) = [one for one in kerry.messages(room) if one["sender"] == desk.us.user]
    content = arrived["content"]
    assert content["body"] == "It is on its way, look & 1 < 2\n\nquoted"
    assert (
        '<strong>on its way</strong>, <a href="https://acme.example/t?a=1&amp;b=2">look</a>'
        in content["formatted_body"]
    )
    assert content["m.mentions"] == {}
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": asked.native_id}}
    (echo,) = messages(desk.heard())
    assert (echo.native_id, echo.direction, echo.client_key) == (first.native_id, "outbound", "once")
    assert echo.author.is_self
    assert [str(one.account) for one in echo.recipients] == [f"matrix.user:{kerry.user}"]
    assert to_spans(echo.text or "") == to_spans(text)


def test_threads_replies_edits_reactions_and_redactions(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    root = kerry.say(room, "A root")
    inside = kerry.say(room, "inside", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    desk_heard = messages(desk.heard())
    assert [one.thread.id for one in desk_heard] == [room, f"{room}/{root}"]
    thread = desk_heard[1].thread
    answer = desk.send(room, "answered inside", thread=thread)
    (sent,) = [one for one in kerry.messages(room) if one["event_id"] == answer.native_id]
    assert sent["content"]["m.relates_to"]["rel_type"] == "m.thread"
    desk.heard()

    new = {"msgtype": "m.text", "body": "inside, mended"}
    kerry.say(
        room,
        "* inside, mended",
        **{"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": inside}},
    )
    reacted = {"m.relates_to": {"rel_type": "m.annotation", "event_id": answer.native_id, "key": "👍"}}
    reaction = kerry.send(room, reacted, "m.reaction")
    found = desk.heard()
    (edit,) = of(found, "interaction.edited")
    assert (edit.interaction.native_id, edit.interaction.text) == (inside, "inside, mended")
    assert edit.interaction.thread == thread
    (added,) = of(found, "reaction.added")
    assert (added.native_id, added.reaction, added.thread) == (answer.native_id, "👍", thread)

    kerry.redact(room, reaction)
    kerry.redact(room, inside)
    found = desk.heard()
    (removed,) = of(found, "reaction.removed")
    assert (removed.native_id, removed.reaction, removed.thread) == (answer.native_id, "👍", thread)
    (deleted,) = of(found, "interaction.deleted")
    assert deleted.native_id == inside


def test_we_edit_react_and_delete(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    asked_id = kerry.say(room, "Hello")
    asked = messages(desk.heard())[0]
    common = {"own_account": desk.us.user, "thread": asked.thread}
    sent = desk.send(room, "a typo")
    own = asked.model_copy(update={"native_id": sent.native_id})
    desk.run(desk.matrix.send(EditMessage(key="e1", text="no typo", target=own, **common)))
    shown = kerry.call("GET", f"rooms/{room}/event/{sent.native_id}")
    assert shown["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]["body"] == "no typo"
    desk.run(desk.matrix.send(React(key="r1", reaction="🎉", target=asked, **common)))
    desk.run(desk.matrix.send(React(key="r2", reaction="🎉", target=asked, **common)))
    assert [one["content"]["m.relates_to"]["key"] for one in _reactions(kerry, room)] == ["🎉"]
    desk.run(desk.matrix.send(React(key="r3", reaction="", target=asked, **common)))
    assert _reactions(kerry, room) == []
    desk.run(desk.matrix.send(DeleteMessage(key="d1", target=own, **common)))
    assert [one["event_id"] for one in kerry.messages(room) if one["type"] == "m.room.message"][:1] == [asked_id]
    assert not kerry.call("GET", f"rooms/{room}/event/{sent.native_id}")["content"]


def _reactions(who: Client, room: str) -> list[Any]:
    return [event for event in who.read(room) if event["type"] == "m.reaction" and event["content"]]


def test_typing_and_reading_in_both_directions(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    kerry.say(room, "Hello")
    asked = messages(desk.heard())[0]
    sent = desk.send(room, "Hi")
    desk.heard()
    kerry.call("PUT", f"rooms/{room}/typing/{kerry.user}", {"typing": True, "timeout": 20000})
    kerry.call("POST", f"rooms/{room}/receipt/m.read/{sent.native_id}", {})
    found = desk.heard()
    (typing,) = of(found, "typing.started")
    assert str(typing.author.account) == f"matrix.user:{kerry.user}"
    (read,) = of(found, "delivery.updated")
    assert (read.state, read.thread.id) == ("read", room)

    kerry.call("PUT", f"rooms/{room}/typing/{kerry.user}", {"typing": False})
    common: dict[str, Any] = {"own_account": desk.us.user, "thread": asked.thread}
    since = kerry.call("GET", "sync", params={"timeout": 0})["next_batch"]
    desk.run(desk.matrix.send(Typing(key="t1", **common)))
    desk.run(desk.matrix.send(MarkRead(key="m1", target=asked, **common)))
    news = kerry.call("GET", "sync", params={"since": since, "timeout": 2000})
    passing = {one["type"]: one["content"] for one in news["rooms"]["join"][room]["ephemeral"]["events"]}
    assert passing["m.typing"]["user_ids"] == [desk.us.user]
    assert desk.us.user in passing["m.receipt"][asked.native_id]["m.read"]


def test_files_in_both_directions(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    answer = kerry.http.post(
        f"{kerry.url}/media/v3/upload",
        content=b"pixels",
        headers={"content-type": "image/png"},
    )
    info = {"mimetype": "image/png", "size": 6}
    uri = answer.json()["content_uri"]
    kerry.send(room, {"msgtype": "m.image", "body": "broken", "filename": "box.png", "url": uri, "info": info})
    (heard,) = messages(desk.heard())
    (file,) = heard.attachments
    assert (heard.text, file.name, file.media_type, file.size) == ("broken", "box.png", "image/png", 6)
    blob = desk.run(desk.matrix.fetch(file))
    assert (blob.content, blob.media_type) == (b"pixels", "image/png")

    desk.blobs["b"] = Blob(content=b"%PDF", media_type="application/pdf", name="bill.pdf")
    sent = desk.send(
        room, "Your bill", attachments=(Attachment(media_type="application/pdf", blob="b", name="bill.pdf"),)
    )
    (content,) = [one["content"] for one in kerry.messages(room) if one["event_id"] == sent.native_id]
    assert (content["msgtype"], content["body"], content["filename"]) == ("m.file", "Your bill", "bill.pdf")
    again = desk.run(desk.matrix.fetch(Attachment(native_id=content["url"])))
    assert again.content == b"%PDF"
    desk.blobs["big"] = Blob(content=b"x" * (3 * 1024 * 1024 + 1))
    with pytest.raises(DeliveryError) as caught:
        desk.send(room, "too big", attachments=(Attachment(blob="big"),))
    assert caught.value.code == "M_TOO_LARGE"


def test_the_longest_text_that_is_allowed_arrives(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    text = "**ä** " + 'x"' * 7_300
    assert 41_000 < len(desk.matrix.measured(text).encode()) < desk.matrix.capabilities.text.limit  # type: ignore[union-attr]
    sent = desk.send(room, text)
    (content,) = [one["content"] for one in kerry.messages(room) if one["event_id"] == sent.native_id]
    assert content["body"].endswith('x"')


def test_an_encrypted_room_is_said_to_be_unreadable_and_is_not_written_to(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    kerry.call("PUT", f"rooms/{room}/state/m.room.encryption/", {"algorithm": "m.megolm.v1.aes-sha2"})
    secret = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "session_id": "s"}
    kerry.send(room, secret, "m.room.encrypted")
    found = desk.heard()
    assert [one.change for one in of(found, "thread.updated")] == ["encrypted"]
    (heard,) = messages(found)
    assert heard.text is not None
    assert "end-to-end encrypted" in heard.text
    with pytest.raises(Unreachable, match="end-to-end"):
        desk.send(room, "in the clear")
    assert kerry.messages(room) == []


def test_a_room_that_moves_is_followed(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    kerry.say(room, "here")
    desk.heard()
    new = kerry.call("POST", f"rooms/{room}/upgrade", {"new_version": "10"})["replacement_room"]
    kerry.call("POST", f"rooms/{new}/invite", {"user_id": desk.us.user})
    found = desk.heard()
    assert "moved" in [one.change for one in of(found, "thread.updated")]
    kerry.say(new, "there")
    assert [(one.text, one.thread.id) for one in messages(desk.heard())] == [("there", new)]
    receipt = desk.send(room, "an answer to the old address")
    assert receipt.thread == Thread(id=new, visibility="private")
    assert kerry.messages(new)[-1]["content"]["body"] == "an answer to the old address"


def test_a_private_room_is_opened_once_and_used_again(synapse: Synapse, desk: Desk) -> None:
    ada = synapse.register("ada")
    square = desk.us.create(preset="public_chat")
    ada.call("POST", f"join/{square}", {})
    ada.say(square, "My card is 4111…")
    (asked,) = [one for one in messages(desk.heard()) if one.direction == "inbound"]
    assert asked.thread.visibility == "public"
    intent = OpenPrivate(
        key="private-1", own_account=desk.us.user, thread=asked.thread, target=asked, text="Here, please."
    )
    first = desk.run(desk.matrix.send(intent))
    ada.call("POST", f"join/{first.thread.id}", {})
    assert ada.messages(first.thread.id)[-1]["content"]["body"] == "Here, please."
    again = desk.run(desk.matrix.send(intent.model_copy(update={"key": "private-2"})))
    assert again.thread == first.thread

    # the answer to createRoom was lost, so the same is asked once more
    bea = synapse.register("bea")
    lost = intent.model_copy(update={"key": "private-3", "target": None, "recipient": _party(bea.user)})
    with pytest.raises(ConnectionError):
        drive(desk.matrix.send(lost), desk.cut_after("createRoom"), desk.matrix.failure)
    receipt = desk.run(desk.matrix.send(lost))
    rooms = bea.call("GET", "sync", params={"timeout": 0})["rooms"]["invite"]
    assert list(rooms) == [receipt.thread.id]


def _party(user: str) -> Party:
    return Party.model_validate({"identifiers": [{"kind": "matrix.user", "value": user}]})


def test_whom_we_shut_out_and_what_we_may_not(desk: Desk, kerry: Client) -> None:
    room = desk.enter(kerry)
    kerry.call("POST", f"rooms/{room}/kick", {"user_id": desk.us.user})
    assert "member_left" in [one.change for one in of(desk.heard(), "thread.updated")]
    with pytest.raises(Forbidden):
        desk.send(room, "still there?")


def test_too_much_is_refused_with_the_time_to_wait(synapse: Synapse, desk: Desk, kerry: Client) -> None:
    boss = synapse.register("boss", admin=True)
    room = desk.enter(kerry)
    address = f"{synapse.url}/_synapse/admin/v1/users/{desk.us.user}/override_ratelimit"
    headers = {"authorization": f"Bearer {boss.token}"}
    httpx.post(address, headers=headers, json={"messages_per_second": 1, "burst_count": 1}).raise_for_status()
    with pytest.raises(RateLimited) as caught:
        _ = [desk.send(room, f"{number}") for number in range(5)]
    httpx.delete(address, headers=headers).raise_for_status()
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 5


def test_a_login_that_ended_is_said_to_have_ended(synapse: Synapse) -> None:
    gone = Desk(synapse, "gone")
    gone.us.call("POST", "logout", {})
    with pytest.raises(AuthExpired, match="new access_token") as caught:
        gone.poll()
    assert caught.value.code == "M_UNKNOWN_TOKEN"

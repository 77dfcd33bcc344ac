"""The protocol as a browser speaks it, against a hub in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.model import DeliveryUpdated, IdentityClaimed, TypingStarted
from socialsupport_webchat import Webchat, WebchatSettings
from socialsupport_webchat.protocol import make_token, sign
from socialsupport_webchat.surface import MAX_BODY, MAX_STREAMS, MESSAGES, SESSIONS, STREAM_LIFETIME, Surface

MESSAGE = "0b8f4c1e-5a7d-4e2b-9c3f-6d1a2b3c4d5e"
TOKEN = "k5vq3m7xw2p4ny6zr7b3cdaejh"
HOME = "https://hub.example"
EMBEDDER = "https://www.acme.example"


class Browser:
    """One visitor, by hand."""

    def __init__(self, surface: Surface) -> None:
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(surface.app()), base_url="https://hub.example")
        self.visitor = ""
        self.headers: dict[str, str] = {}

    async def arrive(self) -> "Browser":
        answer = (await self.client.post("/session", headers=self.headers)).json()
        self.visitor = answer["visitor"]
        self.headers = {"authorization": f"Bearer {answer['token']}"}
        return self

    async def post(self, path: str, content: Any, **headers: str) -> httpx.Response:
        return await self.client.post(path, json=content, headers={**self.headers, **headers})

    async def say(self, text: str, id: str = MESSAGE, **more: Any) -> httpx.Response:
        return await self.post("/messages", {"id": id, "text": text, **more})

    async def stream(self, after: int = 0, **headers: str) -> list[tuple[str, dict[str, Any]]]:
        """Event ids and data until the server ends the stream."""
        response = await self.client.get(f"/stream?after={after}", headers={**self.headers, **headers})
        assert response.status_code == 200, response.text
        return events_in(response.text)


def events_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields.get("event") == "entry":
            found.append((fields["id"], json.loads(fields["data"])))
    return found


@pytest.fixture
def surface(webchat: Webchat, host: Any, clock: Any) -> Surface:
    host.when_idle = lambda: clock.move(minutes=5)
    return Surface(webchat, host, clock, heartbeat=0.01)


@pytest.fixture
def browser(surface: Surface) -> Browser:
    return Browser(surface)


def run(work: Any) -> Any:
    return asyncio.run(work)


# sessions


def test_a_session_is_a_new_visitor_each_time(browser: Browser) -> None:
    async def scenario() -> None:
        first = (await browser.arrive()).visitor
        browser.headers = {}
        assert (await browser.arrive()).visitor != first
        assert len(first) == 32

    run(scenario())


def test_a_good_token_is_renewed_for_the_same_visitor(browser: Browser, clock: Any) -> None:
    async def scenario() -> None:
        first = (await browser.arrive()).visitor
        old = dict(browser.headers)
        clock.move(days=89)
        assert (await browser.arrive()).visitor == first
        clock.move(days=2)
        assert (await browser.say("renewed")).status_code == 200
        browser.headers = old
        assert (await browser.say("too old")).status_code == 401
        assert (await browser.arrive()).visitor != first

    run(scenario())


@pytest.mark.parametrize("path", ["messages", "identify", "typing", "read"])
@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer ", "Bearer a.b.c", "Basic abc", "Bearer .."])
def test_nobody_speaks_without_a_token(browser: Browser, host: Any, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    response = run(browser.client.post(f"/{path}", json={}, headers=headers))
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert host.journal == []


def test_a_token_is_good_for_its_visitor_and_its_channel_only(browser: Browser, clock: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        good = browser.headers["authorization"]
        browser.headers = {"authorization": good.replace(browser.visitor, "e" * 32)}
        assert (await browser.say("I am somebody else")).status_code == 401
        other = make_token(SecretStr("a-secret-for-these-tests"), "other-web", browser.visitor, clock())
        browser.headers = {"authorization": f"Bearer {other}"}
        assert (await browser.say("from another channel")).status_code == 401

    run(scenario())


# saying


def test_a_message_is_signed_committed_and_then_answered(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        assert (await browser.say("Hello", at="2026-11-20T09:29:00Z")).status_code == 200

    run(scenario())
    (payload,) = host.journal
    assert json.loads(payload.body) == {
        "type": "message",
        "visitor": browser.visitor,
        "id": MESSAGE,
        "text": "Hello",
        "at": "2026-11-20T09:29:00Z",
    }
    assert payload.url == "https://hub.example/chat/acme-web/messages"
    assert host.texts() == ["Hello"]


def test_the_same_message_twice_is_one(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        host.lose_answers = 1
        assert (await browser.say("Hello")).status_code == 500
        assert (await browser.say("Hello")).status_code == 200

    run(scenario())
    assert len(host.journal) == 2
    assert host.texts() == ["Hello"]


def test_what_was_not_committed_is_not_acknowledged(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        host.refuse = 1
        assert (await browser.say("Hello")).status_code == 503
        assert host.texts() == []

    run(scenario())


def test_the_body_cannot_say_who_it_is(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        await browser.say("Hello", visitor="e" * 32, type="identify")

    run(scenario())
    assert json.loads(host.journal[0].body)["visitor"] == browser.visitor
    assert host.texts() == ["Hello"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b"[" * 60_000, 400),
        (b'{"id": "x", "text": "Hello"}', 400),
        (json.dumps({"id": MESSAGE, "text": "x" * 4001}).encode(), 400),
        (json.dumps({"id": MESSAGE, "text": "\ud800"}).encode(), 400),
        (json.dumps({"id": MESSAGE, "text": "a\x00b"}).encode(), 400),
        (b" " * (MAX_BODY + 1), 413),
    ],
)
def test_bad_bodies_get_a_clear_answer(browser: Browser, host: Any, body: bytes, status: int) -> None:
    async def scenario() -> httpx.Response:
        await browser.arrive()
        return await browser.client.post("/messages", content=body, headers=browser.headers)

    response = run(scenario())
    assert response.status_code == status
    assert response.json()["detail"]
    assert host.journal == []


def test_typing_and_reading(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        assert (await browser.post("/typing", {"id": MESSAGE})).status_code == 200
        assert (await browser.post("/read", {"messages": ["a", "b"]})).status_code == 200

    run(scenario())
    assert [type(event) for event in host.events] == [TypingStarted, DeliveryUpdated, DeliveryUpdated]


# identity


def identity(clock: Any, **more: Any) -> dict[str, str]:
    expires = int((clock() + timedelta(hours=1)).timestamp())
    text = json.dumps({"user": "42", "email": "kerry@acme.example", "expires": expires, **more})
    return {
        "identity": text,
        "signature": sign(SecretStr("an-identity-secret-for-these-tests"), text.encode()),
    }


def test_a_signed_identity_with_a_hand_off(browser: Browser, host: Any, clock: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        assert (await browser.post("/identify", {**identity(clock), "handoff": TOKEN})).status_code == 200

    run(scenario())
    handed_off, claim = host.events
    assert isinstance(handed_off, IdentityClaimed)
    assert isinstance(claim, IdentityClaimed)
    assert (handed_off.token, claim.tier) == (TOKEN, "verified")


def test_forged_and_expired_identities_are_refused_at_the_door(browser: Browser, host: Any, clock: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        good = identity(clock)
        forged = {**good, "identity": good["identity"].replace("42", "43")}
        assert (await browser.post("/identify", forged)).status_code == 401
        clock.move(hours=1)
        assert (await browser.post("/identify", good)).status_code == 401
        assert (await browser.post("/identify", {"identity": '{"email": "nobody"}'})).status_code == 400

    run(scenario())
    assert host.journal == []


# the stream


def test_the_stream_tells_both_directions_in_order(browser: Browser, host: Any) -> None:
    async def scenario() -> list[tuple[str, dict[str, Any]]]:
        await browser.arrive()
        await browser.say("Where is my order?")
        native_id = await host.reply(browser.visitor, "It left **today**.", "Thanks", "More")
        await host.edit(browser.visitor, native_id, "It left *yesterday*.")
        await host.delete(browser.visitor, native_id)
        await host.type(browser.visitor)
        return await browser.stream()

    mine, reply, edited, deleted, typing = run(scenario())
    assert mine[0] == "1"
    assert (mine[1]["id"], mine[1]["mine"], mine[1]["text"]) == (MESSAGE, True, "Where is my order?")
    assert "<strong>today</strong>" in reply[1]["html"]
    assert reply[1]["name"] == "Robin"
    assert [choice["title"] for choice in reply[1]["choices"]] == ["Thanks", "More"]
    assert (edited[1]["kind"], edited[1]["id"]) == ("edited", reply[1]["id"])
    assert deleted[1] == {"kind": "deleted", "id": reply[1]["id"]}
    assert typing[1] == {"kind": "typing", "name": "Robin"}


def test_the_stream_goes_on_after_a_cursor(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        for number in range(3):
            await host.reply(browser.visitor, f"part {number}")
        assert [cursor for cursor, _ in await browser.stream(after=2)] == ["3"]
        response = await browser.client.get("/stream", headers={**browser.headers, "last-event-id": "1"})
        assert [cursor for cursor, _ in events_in(response.text)] == ["2", "3"]

    run(scenario())


def test_a_long_history_comes_page_by_page_and_whole(browser: Browser, host: Any) -> None:
    async def scenario() -> list[tuple[str, dict[str, Any]]]:
        await browser.arrive()
        for number in range(450):
            await host.reply(browser.visitor, f"part {number}")
        return await browser.stream()

    assert [int(cursor) for cursor, _ in run(scenario())] == list(range(1, 451))


def test_nobody_reads_anothers_thread(browser: Browser, host: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        await host.reply("e" * 32, "for somebody else")
        assert await browser.stream() == []

    run(scenario())


def test_internal_notes_and_hidden_fields_stay_inside(browser: Browser, host: Any) -> None:
    async def scenario() -> str:
        await browser.arrive()
        note = host.interaction(browser.visitor, "note", "rude customer").model_copy(
            update={"direction": "internal", "kind": "note"}
        )
        await host.write(browser.visitor, "interaction.received", {"interaction": json.loads(note.to_json())})
        await host.reply(browser.visitor, "Hello")
        await host.write(browser.visitor, "something.new", {"secret": "x"})
        await host.write(browser.visitor, "interaction.received", {"secret": "in a form that nobody knows"})
        await host.write(browser.visitor, "interaction.deleted", {"secret": "of nothing"})
        return str(await browser.stream())

    shown = run(scenario())
    assert "Hello" in shown
    assert "rude" not in shown
    assert "never for the visitor" not in shown
    assert "secret" not in shown


def test_what_happens_while_the_stream_is_open_arrives(surface: Surface, host: Any) -> None:
    async def scenario() -> None:
        host.when_idle = lambda: None
        events: AsyncIterator[str] = surface._events("e" * 32, 0)
        assert "event: live" in await anext(events)
        assert await anext(events) == ": still here\n\n"
        await host.reply("e" * 32, "the first of all")
        assert "the first of all" in await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await host.reply("e" * 32, "Hello")
        assert "Hello" in await waiting

    run(scenario())


def test_a_stream_ends_after_a_while_so_that_tokens_are_looked_at_anew(browser: Browser, clock: Any) -> None:
    began: datetime = clock()

    async def scenario() -> None:
        await browser.arrive()
        await browser.stream()

    run(scenario())
    assert clock() - began >= STREAM_LIFETIME


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "٣", "9" * 19])
def test_a_cursor_is_a_number(browser: Browser, after: str) -> None:
    async def scenario() -> int:
        await browser.arrive()
        return (await browser.client.get("/stream", params={"after": after}, headers=browser.headers)).status_code

    assert run(scenario()) == 400


def test_streams_of_one_visitor_are_counted_and_given_back(surface: Surface, host: Any) -> None:
    browser = Browser(surface)

    async def scenario() -> None:
        await browser.arrive()
        host.when_idle = lambda: None
        held = [surface._counted(browser.visitor, 0) for _ in range(MAX_STREAMS)]
        for stream in held:
            await anext(stream)
        refused = await browser.client.get("/stream", headers=browser.headers)
        assert refused.status_code == 429
        for stream in held:
            await stream.aclose()
        assert not surface._streams

    run(scenario())


# limits


def test_a_flood_of_messages_is_slowed_down(browser: Browser, host: Any, clock: Any) -> None:
    async def scenario() -> None:
        await browser.arrive()
        ids = [f"0b8f4c1e-5a7d-4e2b-9c3f-{number:012x}" for number in range(MESSAGES.burst + 1)]
        statuses = [(await browser.say("Hello", id)).status_code for id in ids]
        assert statuses == [200] * MESSAGES.burst + [429]
        refused = await browser.say("Hello", ids[-1])
        assert refused.headers["retry-after"] == "2"
        clock.move(seconds=2)
        assert (await browser.say("Hello", ids[-1])).status_code == 200

    run(scenario())
    assert len(host.texts()) == MESSAGES.burst + 1


def test_one_address_cannot_make_visitors_without_end(browser: Browser) -> None:
    async def scenario() -> int:
        for _ in range(SESSIONS.burst):
            await browser.client.post("/session")
        return (await browser.client.post("/session")).status_code

    assert run(scenario()) == 429


# other sites


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 200), (HOME, 200), (EMBEDDER, 200), ("https://evil.example", 403), ("null", 403)],
)
def test_only_known_sites_may_speak(browser: Browser, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"origin": origin}
    response = run(browser.client.post("/session", headers=headers))
    assert response.status_code == status
    allowed = response.headers.get("access-control-allow-origin")
    assert allowed == (EMBEDDER if origin == EMBEDDER else None)


def test_the_browsers_own_word_for_same_origin_is_enough(browser: Browser) -> None:
    headers = {"origin": "http://localhost:8080", "sec-fetch-site": "same-origin"}
    assert run(browser.client.post("/session", headers=headers)).status_code == 200


def test_a_preflight_names_what_an_embedding_site_may_do(browser: Browser) -> None:
    ask = {"origin": EMBEDDER, "access-control-request-method": "POST"}
    ask["access-control-request-headers"] = "authorization,content-type"
    assert run(browser.client.options("/messages", headers=ask)).status_code == 200
    assert run(browser.client.options("/messages", headers={**ask, "origin": "https://evil.example"})).is_error


# the page


def test_the_page_carries_the_channels_words_and_no_script_of_its_own(browser: Browser) -> None:
    page = run(browser.client.get("/"))
    policy = page.headers["content-security-policy"]
    assert "<h1>Acme support</h1>" in page.text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.endswith(f"frame-ancestors 'self' {EMBEDDER}")
    assert page.headers["referrer-policy"] == "no-referrer"
    for forbidden in ("<script>", "style=", " onclick", "http://", "https://hub"):
        assert forbidden not in page.text


def test_the_operators_words_cannot_break_out(host: Any, clock: Any) -> None:
    words = '"><script>alert(1)</script>'
    settings = WebchatSettings(
        own_account="acme-web", secret=SecretStr("a-secret-for-these-tests"), title=words, greeting=words
    )
    page = run(Browser(Surface(Webchat(settings), host, clock)).client.get("/")).text
    assert "<script>alert" not in page
    assert page.count("&quot;&gt;&lt;script&gt;alert(1)") == 3


@pytest.mark.parametrize("file", ["chat.js", "log.js", "outbox.js", "richtext.js", "session.js", "stream.js"])
def test_scripts_are_served_and_not_sent_twice(browser: Browser, file: str) -> None:
    first = run(browser.client.get(f"/{file}"))
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cross-origin-resource-policy"] == "same-origin"
    again = run(browser.client.get(f"/{file}", headers={"if-none-match": first.headers["etag"]}))
    assert (again.status_code, again.content) == (304, b"")


def test_the_widget_may_be_loaded_by_other_sites(browser: Browser) -> None:
    assert run(browser.client.get("/widget.js")).headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("path", ["/chat.html", "/../connector.py", "/static/chat.js", "/%2e%2e/connector.py"])
def test_nothing_else_is_served(browser: Browser, path: str) -> None:
    assert run(browser.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("accent", "ink"), [("#ffffff", "#000000"), ("#000000", "#ffffff"), ("#3f51b5", "#ffffff"), ("#ffd600", "#000000")]
)
def test_the_accent_stays_readable(host: Any, clock: Any, accent: str, ink: str) -> None:
    settings = WebchatSettings(own_account="acme-web", secret=SecretStr("a-secret-for-these-tests"), accent=accent)
    theme = run(Browser(Surface(Webchat(settings), host, clock)).client.get("/theme.css")).text
    assert f"--accent: {accent}; --on-accent: {ink};" in theme

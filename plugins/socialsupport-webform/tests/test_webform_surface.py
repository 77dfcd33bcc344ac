"""The form as browsers use it, against a real hub: what is taken, what is shown again, and what is kept out."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

import socialsupport_webform
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Reply
from socialsupport_core.web import create_app
from socialsupport_webform import WebformSettings
from socialsupport_webform.protocol import LENGTHS, MAX_FILE_BYTES
from socialsupport_webform.surface import LIFETIME, MAX_BODY, QUICKEST, Surface
from socialsupport_webform.words import WORDS

EN = WORDS["en"]
HOME = "https://hub.example"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Desk:
    """A hub with one form, and somebody who fills it in by hand."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = Clock()
        registry = Registry.of(socialsupport_webform)
        self.hub = Hub.open(folder / "support.sqlite", public_url=HOME, registry=registry, clock=self.clock)
        self.hub.add_tenant("acme", "Acme")
        self.hub.add_agent("acme", "dana", "Dana")
        written = {"own_account": "acme-contact", "secret": "a-long-random-text-of-yours"}
        path = self.hub.add_channel("acme", "contact", "webform", written | settings)
        self.place = f"/chat/{path.rsplit('/', 1)[1]}/"
        app = create_app(self.hub)
        surfaces = next(one.app for one in app.routes if getattr(one, "path", "") == "/chat")
        surfaces._app(self.place.split("/")[2])  # made now, so that its clock can be ours
        self.surface = self._with_our_clock(surfaces)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME)

    def _with_our_clock(self, surfaces: Any) -> Surface:
        door = self.place.split("/")[2]
        found = self.hub.channels.door(door)
        from socialsupport_core.web.surfaces import Host

        surface = Surface(found.connector, Host(self.hub, found.channels[0]), self.clock)
        surfaces._apps[door] = (found.connector, surface.app())
        return surface

    def get(self, path: str = "", **query: str) -> httpx.Response:
        return asyncio.run(self.client.get(self.place + path, params=query))

    def token(self) -> str:
        return token_in(self.get())

    def post(self, token: str | None = None, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """After a while, in which somebody may have written."""
        files = fields.pop("files", None) or {"files": ("", b"")}
        given = self.token() if token is None else token
        self.clock.move(fields.pop("after", QUICKEST))
        data = {"token": given, "email": "kerry@acme.example", "text": "Where is my parcel?"} | fields
        return asyncio.run(self.client.post(self.place, data=data, files=files, headers=headers))

    def kept(self) -> list[dict[str, Any]]:
        self.hub.drain()
        found = self.hub.queue("acme")
        return [self.hub.timeline("acme", one["customer"]["id"])[0]["interaction"] for one in found]


def token_in(answer: httpx.Response) -> str:
    return re.findall(r'name="token" value="([^"]*)"', answer.text)[0]


def told(answer: httpx.Response) -> str:
    """What stands in the box of troubles, as people read it."""
    box = re.search(r'<div class="trouble".*?</div>', answer.text, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", box[0])) if box else ""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    asyncio.run(made.client.aclose())
    made.hub.close()


def test_a_message_becomes_an_interaction(desk: Desk) -> None:
    answer = desk.post(name="Kerry Fisher", phone="+1 555 000 2222", order="4711", subject="Late")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{desk.place}sent")
    (said,) = desk.kept()
    assert (said["kind"], said["text"], said["subject"]) == ("form", "Where is my parcel?", "Late (order 4711)")
    assert said["author"]["name"] == "Kerry Fisher"
    assert said["author"]["identifiers"][0]["kind"] == "webform.sender"


def test_what_is_typed_joins_nobody_and_is_suggested(desk: Desk) -> None:
    desk.post()
    desk.post(text="And my bill?")
    desk.hub.drain()
    assert len({one["customer"]["id"] for one in desk.hub.queue("acme")}) == 2
    reasons = {
        (one["kind"], one["evidence"][0]["tier"], one["evidence"][0]["proof"]) for one in desk.hub.reviews("acme")
    }
    assert reasons == {("suggestion", "claimed", "typed")}


def test_files_come_along(desk: Desk) -> None:
    answer = desk.post(files={"files": ("../bill ü.pdf", b"%PDF-1.4\r\n\r\n--x", "text/html")})
    assert answer.status_code == 303
    (said,) = desk.kept()
    kept, content = desk.hub.attachment("acme", "1.0")
    assert (kept.name, kept.media_type, content) == ("bill ü.pdf", "application/pdf", b"%PDF-1.4\r\n\r\n--x")
    assert said["attachments"][0]["size"] == len(content)


def test_a_file_may_be_so_big(desk: Desk) -> None:
    assert desk.post(files={"files": ("film.bin", b"\r\n--" * (MAX_FILE_BYTES // 4))}).status_code == 303
    desk.hub.drain()
    kept, content = desk.hub.attachment("acme", "1.0")
    assert (kept.size, content[:4]) == (MAX_FILE_BYTES, b"\r\n--")


def test_the_page_says_thanks_and_can_be_loaded_again(desk: Desk) -> None:
    for _ in range(2):
        answer = desk.get("sent")
        assert (answer.status_code, EN["thanks"] in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  \r\n "}, ["missing"]),
        ({"email": ""}, ["missing"]),
        ({"email": "kerry at acme"}, ["bad_email"]),
        ({"phone": "soon"}, ["bad_phone"]),
        ({"text": "", "email": "x"}, ["missing", "bad_email"]),
    ],
)
def test_what_is_wrong_is_said_at_its_place_and_nothing_is_lost(desk: Desk, fields: Any, words: list[str]) -> None:
    answer = desk.post(name='Kerry "K" <b>', order="4711", **fields)
    assert answer.status_code == 422
    assert all(EN[word] in told(answer) for word in words)
    assert answer.text.count('aria-invalid="true"') == len(words)
    assert 'value="Kerry &quot;K&quot; &lt;b&gt;"' in answer.text
    assert 'value="4711"' in answer.text
    assert desk.kept() == []
    again = desk.post(token_in(answer), after=0)  # the same form, mended
    assert again.status_code == 303


def test_a_text_may_be_so_long(desk: Desk) -> None:
    assert desk.post(text="x" * LENGTHS["text"]).status_code == 303
    answer = desk.post(text="x" * (LENGTHS["text"] + 1))
    assert "10,000 characters are the most" in told(answer)


def test_files_that_are_too_big(desk: Desk) -> None:
    answer = desk.post(files={"files": ("a", b"x" * (MAX_FILE_BYTES + 1))})
    assert (answer.status_code, "5 files, 4 MB in all" in told(answer)) == (422, True)
    assert desk.post(files={"files": ("a", b"x" * MAX_BODY)}).status_code == 413
    many = asyncio.run(
        desk.client.post(
            desk.place,
            data={"token": desk.token(), "text": "a", "email": "a@b"},
            files=[("files", (f"{n}", b"x")) for n in range(6)],
        )
    )
    assert many.status_code == 422
    assert desk.kept() == []


def test_files_are_asked_for_again_when_something_else_was_wrong(desk: Desk) -> None:
    assert EN["files_again"] in told(desk.post(email="", files={"files": ("a.txt", b"x")}))


# who is kept out


def test_a_hidden_field_that_was_filled_in(desk: Desk) -> None:
    answer = desk.post(website="https://spam.example")
    assert (answer.status_code, EN["machine"] in told(answer)) == (422, True)
    assert desk.kept() == []
    assert desk.post(token_in(answer)).status_code == 303  # somebody whose browser was too eager


def test_nobody_writes_so_quickly(desk: Desk) -> None:
    answer = desk.post(after=QUICKEST - 1)
    assert (answer.status_code, EN["too_quick"] in told(answer)) == (422, True)
    assert desk.post(token_in(answer), after=1).status_code == 303  # the same form, a little later


def test_a_form_does_not_lie_open_for_ever(desk: Desk) -> None:
    answer = desk.post(after=LIFETIME + 1)
    assert (answer.status_code, EN["old"] in told(answer)) == (422, True)
    assert "Where is my parcel?" in answer.text
    assert desk.post(token_in(answer)).status_code == 303


@pytest.mark.parametrize("token", ["", "abc", "0.1.2", "\u00e9.1.x"])
def test_a_token_that_is_not_ours(desk: Desk, token: str) -> None:
    assert desk.post(token).status_code == 422
    assert desk.kept() == []


def test_a_token_of_another_form_of_ours(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = Desk(folder, own_account="acme-other")
    assert desk.post(other.token()).status_code == 422
    other.hub.close()


def test_a_form_is_sent_once(desk: Desk) -> None:
    token = desk.token()
    assert desk.post(token).status_code == 303
    answer = desk.post(token, text="Spam, spam, spam")
    assert (answer.status_code, EN["sent_before"] in told(answer)) == (422, True)
    assert len(desk.kept()) == 1
    assert desk.post(token_in(answer), text="Another matter").status_code == 303


def test_in_another_worker_the_same_form_is_still_one_and_another_text_another(desk: Desk) -> None:
    """What a worker remembers is its own; ids are not."""
    token = desk.token()
    for text in ("Hello", "Hello", "Hello again"):
        desk.surface._used.clear()
        assert desk.post(token, text=text).status_code == 303
    assert sorted(one["text"] for one in desk.kept()) == ["Hello", "Hello again"]


def test_one_address_may_write_five_times_and_then_once_a_minute(desk: Desk) -> None:
    tokens = [desk.token() for _ in range(6)]
    desk.clock.move(QUICKEST)
    assert [desk.post(token, after=0).status_code for token in tokens] == [303] * 5 + [429]
    answer = desk.post(tokens[-1], after=0)
    assert (answer.status_code, EN["too_much"] in told(answer)) == (429, True)
    assert desk.post(tokens[-1], after=61).status_code == 303


def test_a_page_of_another_site_cannot_send_for_its_visitors(desk: Desk) -> None:
    assert desk.post(headers={"origin": "https://evil.example"}).status_code == 403
    assert desk.post(headers={"origin": "null"}).status_code == 403
    assert desk.kept() == []
    assert desk.post(headers={"origin": HOME}).status_code == 303
    assert desk.post(headers={"origin": "https://proxy.example", "sec-fetch-site": "same-origin"}).status_code == 303


@pytest.mark.parametrize(("kind", "status"), [("text/plain", 400), ("multipart/form-data; boundary=x", 400)])
def test_what_is_no_form(desk: Desk, kind: str, status: int) -> None:
    answer = asyncio.run(desk.client.post(desk.place, content=b"hello", headers={"content-type": kind}))
    assert answer.status_code == status


def test_what_the_hub_does_not_take_can_be_sent_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_payload: Any) -> Reply:
        return Reply(status=503)

    with monkeypatch.context() as patch:
        patch.setattr(desk.surface.host, "accept", busy)
        answer = desk.post()
    assert (answer.status_code, EN["unavailable"] in told(answer)) == (503, True)
    assert "Where is my parcel?" in answer.text
    assert desk.post(token_in(answer)).status_code == 303


# the page


def test_the_page_is_closed_to_all_but_the_named_sites(tmp_path: Path) -> None:
    desk = Desk(tmp_path, allowed_origins=["https://www.acme.example"])
    for answer in (desk.get(), desk.get("sent"), desk.post(email="x")):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self' https://www.acme.example" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
    assert "<style" not in desk.get().text
    assert desk.get("embed.js").headers["cross-origin-resource-policy"] == "cross-origin"
    desk.hub.close()


def test_an_address_fills_in_what_does_no_harm(desk: Desk) -> None:
    page = desk.get(order='47"11', subject="<b>", email="evil@evil.example", text="I owe you").text
    assert 'value="47&quot;11"' in page
    assert 'value="&lt;b&gt;"' in page
    assert "evil" not in page
    assert "I owe you" not in page


def test_only_the_fields_that_are_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fields=["phone"], required=["phone"], files=False, language="de", words={"send": "Ab damit"})
    page = desk.get().text
    assert re.findall(r'<(?:input|textarea)[^>]* name="([a-z]+)"', page) == ["token", "phone", "text", "website"]
    assert 'lang="de"' in page
    assert "Ab damit" in page
    answer = desk.post(phone="+49 30 123456", subject="smuggled", files={"files": ("a", b"x")})
    assert answer.status_code == 303
    (said,) = desk.kept()
    assert "subject" not in said
    assert "attachments" not in said
    desk.hub.close()


def test_every_language_has_every_word_with_the_same_blanks() -> None:
    for language, words in WORDS.items():
        assert words.keys() == EN.keys(), language
        for key, text in words.items():
            assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", EN[key]), (language, key)


@pytest.mark.parametrize(
    "changed",
    [
        {"own_account": "Acme Contact"},
        {"secret": "short"},
        {"required": ["order"], "fields": ["email"]},
        {"words": {"sned": "Send"}},
        {"accent": "red"},
        {"allowed_origins": ["https://www.acme.example/path"]},
        {"fields": ["birthday"]},
    ],
)
def test_settings_that_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        WebformSettings.model_validate({"own_account": "a", "secret": "a-long-random-text"} | changed)

"""What is composed, and how a doubtful send is found again."""

from datetime import UTC, datetime

import httpx
import pytest

from socialsupport_core.contract import ContentRejected, Unavailable, Uncertain, Unreachable, Unsupported, Wait, drive
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    DeleteMessage,
    EditMessage,
    Identifier,
    MarkRead,
    OpenPrivate,
    Party,
    React,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_x import X, XSettings
from socialsupport_x.media import CHECKS, file_address
from socialsupport_x.sending import PAGES, same_text

OWN = "2244994945"
PUBLIC = Thread(id="20", visibility="public")
PRIVATE = Thread(id="2244994945-3001969357", visibility="private")
CONNECTOR = X(XSettings(consumer_secret="secret", account_id=OWN, oauth2_token="bearer"))
BASE = {"key": "k", "own_account": OWN}


def first(flow):
    return next(flow)


def test_in_public_posts_are_short_and_in_private_only_messages_are_sent():
    wide, public, private = (
        CONNECTOR.capabilities,
        CONNECTOR.capabilities_in(PUBLIC),
        CONNECTOR.capabilities_in(PRIVATE),
    )
    assert (public.text.limit, public.text.unit) == (280, "x_weighted")
    assert (private.text.limit, private.text.unit) == (10_000, "characters")
    assert private.intents == {"send.message"}
    assert private.attachments == 1
    for narrow in (public, private):
        for name in set(Capabilities.model_fields) - {"text"}:
            mine, all_ = getattr(narrow, name), getattr(wide, name)
            assert mine <= all_ if isinstance(all_, frozenset | int) else mine == all_, name


@pytest.mark.parametrize("kind", [EditMessage, MarkRead, Typing])
def test_what_x_cannot_do_is_unsupported(kind):
    more = {"text": "a"} if kind is EditMessage else {}
    with pytest.raises(Unsupported):
        CONNECTOR.send(kind(**BASE, thread=PUBLIC, **more))
    with pytest.raises(Unsupported):
        CONNECTOR.lookup(kind(**BASE, thread=PUBLIC, **more), datetime.now(UTC))


@pytest.mark.parametrize("intent", [DeleteMessage(**BASE, thread=PRIVATE), React(**BASE, thread=PRIVATE, reaction="❤")])
def test_a_direct_message_is_neither_deleted_nor_liked(intent):
    with pytest.raises(Unsupported, match="public post only"):
        first(CONNECTOR.send(intent))


def test_whoever_is_not_on_x_cannot_be_written_to(mention):
    stranger = Party(identifiers=(Identifier(kind="email", value="kerry@acme.example"),))
    opening = OpenPrivate(**BASE, thread=PUBLIC, recipient=stranger, text="Hello")
    with pytest.raises(Unreachable, match="nobody on X"):
        first(CONNECTOR.send(opening))
    named = opening.model_copy(update={"target": mention})
    assert first(CONNECTOR.send(named)).url.path == "/2/dm_conversations/with/3001969357/messages"


@pytest.mark.parametrize("thread_id", ["../users", "a b", "1?x=2", "x" * 65, "é"])
def test_no_strange_id_gets_into_an_address(thread_id):
    thread = Thread(id=thread_id, visibility="private")
    with pytest.raises(Unreachable, match="not an id of X"):
        first(CONNECTOR.send(SendMessage(**BASE, thread=thread, text="a")))
    with pytest.raises(Unreachable, match="not an id of X"):
        first(CONNECTOR.profile(Identifier(kind="x.user", value=thread_id)))


def test_a_direct_message_as_target_does_not_leak_into_a_public_reply(mention):
    private = mention.model_copy(update={"native_id": "77", "thread": PRIVATE})
    request = first(CONNECTOR.send(SendMessage(**BASE, thread=PUBLIC, target=private, text="a")))
    assert b'"in_reply_to_tweet_id":"20"' in request.read()


def test_an_attachment_without_content_is_refused():
    with pytest.raises(ContentRejected, match="no content"):
        first(CONNECTOR.send(SendMessage(**BASE, thread=PUBLIC, attachments=(Attachment(media_type="image/png"),))))


def video(respond):
    attachment = Attachment(media_type="video/mp4", blob="a" * 64)
    flow = CONNECTOR.send(SendMessage(**BASE, thread=PUBLIC, attachments=(attachment,)))
    return drive(flow, respond, CONNECTOR.failure)


def test_waiting_for_a_video_ends():
    waits = []

    def respond(ask):
        if isinstance(ask, Wait):
            return waits.append(ask.seconds)
        if not isinstance(ask, httpx.Request):
            return Blob(content=b"video")
        state = {"state": "in_progress", "check_after_secs": 100_000}
        return httpx.Response(200, json={"data": {"id": "5", "processing_info": state}})

    with pytest.raises(Unavailable, match="still processing"):
        video(respond)
    assert waits == [60.0] * CHECKS


def test_a_broken_upload_is_not_uncertain():
    def respond(ask):
        if not isinstance(ask, httpx.Request):
            return Blob(content=b"video")
        if "append" in str(ask.url):
            raise Uncertain("cut")
        return httpx.Response(200, json={"data": {"id": "5"}})

    with pytest.raises(Unavailable, match="the upload broke off"):
        video(respond)


TON = "https://ton.twitter.com/1.1/ton/data/dm/1034828552951160836/1034828533812486145/oP5p359h.jpg"


@pytest.mark.parametrize(
    ("address", "by_oauth2", "expected"),
    [
        (TON, False, TON),
        (TON, True, "https://api.x.com/2/dm_conversations/media/1034828552951160836/1034828533812486145/oP5p359h.jpg"),
        ("https://pbs.twimg.com/media/a.jpg", True, "https://pbs.twimg.com/media/a.jpg"),
        ("https://video.twimg.com/a.mp4", False, "https://video.twimg.com/a.mp4"),
    ],
)
def test_where_files_lie(address, by_oauth2, expected):
    assert file_address(address, by_oauth2=by_oauth2) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://pbs.twimg.com/a.jpg",
        "https://pbs.twimg.com.evil.example/a.jpg",
        "https://evil.example/a.jpg",
        "https://ton.twitter.com/1.1/other",
        "https://user@evil.example/https://pbs.twimg.com/",
        "https://127.0.0.1/a.jpg",
        "file:///etc/passwd",
    ],
)
def test_no_other_host_is_asked(address):
    with pytest.raises(Unsupported, match="no address at X"):
        file_address(address, by_oauth2=False)


@pytest.mark.parametrize("host", ["pbs.twimg.com", "video.twimg.com", "evil.example"])
def test_no_credential_goes_to_another_host(host):
    request = httpx.Request("GET", f"https://{host}/a")
    CONNECTOR.authorize(request, None, datetime.now(UTC), "0" * 32)
    assert "authorization" not in request.headers


LINKED = {
    "text": "@kerryf @amir See https://t.co/aaaaaaaaaa &amp; wait",
    "entities": {"urls": [{"url": "https://t.co/aaaaaaaaaa", "expanded_url": "http://acme.example/help/"}]},
}


@pytest.mark.parametrize(
    ("native", "text", "same"),
    [
        (LINKED, "See acme.example/help & wait", True),
        (LINKED, "See  https://acme.example/help\n& **wait**", True),
        (LINKED, "See acme.example/other & wait", False),
        (LINKED, "See", False),
        ({"text": "short…", "note_post": {"text": "the long text"}}, "the long text", True),
        ({"text": "https://t.co/aaaaaaaaaa"}, "", True),
        ({"text": "@kerryf https://t.co/aaaaaaaaaa"}, "", True),
        ({"text": "words"}, "", False),
        ({}, "", True),
    ],
)
def test_an_equal_text_is_recognised(native, text, same):
    assert same_text(native, text) is same


@pytest.mark.parametrize("thread", [PUBLIC, PRIVATE])
def test_looking_up_ends_in_doubt_when_there_is_too_much(thread):
    pages = []

    def respond(request):
        pages.append(request)
        return httpx.Response(200, json={"data": [], "meta": {"next_token": "more"}})

    intent = SendMessage(**BASE, thread=thread, text="a")
    with pytest.raises(Uncertain, match="please check"):
        drive(CONNECTOR.lookup(intent, datetime.now(UTC)), respond, CONNECTOR.failure)
    assert len(pages) == PAGES

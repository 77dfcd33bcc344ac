"""Files of a reply: uploaded first, then named; those of customers as downloads."""

from typing import Any
from urllib.parse import unquote

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.store.blobs import FolderBlobs
from socialsupport_core.web.files import MAX_FILE, disposition


@pytest.fixture
def con(roost: Roost) -> str:
    roost.hear(message(1, "hello", at=roost.clock.now))
    return roost.conversation()


def upload(desk: Desk, content: bytes, query: str = "", **headers: str) -> Any:
    return desk.ask("POST", f"/api/attachments{query}", content=content, headers=headers)


def test_what_an_upload_answers_goes_into_a_reply_as_it_is(acme: Desk, roost: Roost, con: str) -> None:
    made = upload(acme, b"GIF89a", "?name=tower.gif", **{"content-type": "image/gif"})
    assert made.status_code == 201
    file = made.json()
    assert (file["media_type"], file["name"], file["size"]) == ("image/gif", "tower.gif", 6)

    saying = {"text": "here", "attachments": [file]}
    plan = acme.post(f"/api/conversations/{con}/plan", saying).json()
    assert plan["possible"], plan
    assert acme.post(f"/api/conversations/{con}/reply", saying).status_code == 202
    entry = acme.get(f"/api/conversations/{con}").json()["entries"][-1]
    (shown,) = entry["attachments"]
    assert (shown["name"], shown["state"]) == ("tower.gif", "stored")
    assert acme.get(f"/api/attachments/{shown['id']}").content == b"GIF89a"


@pytest.mark.parametrize(
    ("name", "told", "media_type"),
    [
        ("?name=a.pdf", "application/x-www-form-urlencoded", "application/pdf"),
        ("?name=a.pdf", "", "application/pdf"),
        ("?name=a.pdf", "Text/Plain; charset=utf-8", "text/plain"),
        ("?name=a", "", "application/octet-stream"),
        ("", "image/png", "image/png"),
    ],
)
def test_the_type_is_what_the_request_says_else_what_the_name_says(
    acme: Desk, name: str, told: str, media_type: str
) -> None:
    headers = {"content-type": told} if told else {}
    assert upload(acme, b"x", name, **headers).json()["media_type"] == media_type


def test_what_finds_no_room_is_503(acme: Desk, roost: Roost) -> None:
    blobs = roost.hub.blobs
    assert isinstance(blobs, FolderBlobs)
    blobs.folder.rmdir()
    blobs.folder.write_bytes(b"")  # a file where the folder was: nothing can be written below it, not even by root
    answer = upload(acme, b"GIF89a")
    assert (answer.status_code, answer.json()["title"]) == (503, "StoreError")
    assert answer.headers["retry-after"] == "5"


def test_a_path_is_no_name(acme: Desk) -> None:
    name = upload(acme, b"x", "?name=..%2F..%2Fetc%2Fpasswd").json()["name"]
    assert "/" not in name
    assert name.endswith("passwd")


def test_what_cannot_be_taken_is_refused(acme: Desk, roost: Roost, web: Web) -> None:
    assert upload(acme, b"").status_code == 422
    assert upload(acme, b"x", **{"content-type": "<script>"}).status_code == 400
    assert upload(acme, b"x", "?nam=a").status_code == 400
    assert upload(acme, b"x" * (MAX_FILE + 1)).status_code == 413
    assert upload(Desk(roost, web, "acme", "read"), b"x").status_code == 403


@pytest.mark.parametrize(
    "file",
    [
        {"media_type": "text/plain", "url": "https://example.com/a.txt"},
        {"media_type": "text/plain", "blob": "deadbeef"},
        {"media_type": "text/plain", "blob": "0" * 64},
        {"media_type": "text/plain", "blob": "../../../etc/passwd"},
    ],
)
@pytest.mark.parametrize("verb", ["plan", "reply"])
def test_a_file_that_was_not_uploaded_is_refused_before_anything_is_queued(
    acme: Desk, roost: Roost, con: str, verb: str, file: dict[str, str]
) -> None:
    answer = acme.post(f"/api/conversations/{con}/{verb}", {"text": "see", "attachments": [file]})
    assert answer.status_code == 422
    (wrong,) = answer.json()["fields"]
    assert wrong["field"] == "attachments.0.blob"
    assert "POST /api/attachments" in wrong["problem"]
    assert roost.hub.health()["outbox"] == {}


def test_the_size_is_that_of_the_file_whatever_the_caller_says(acme: Desk, con: str) -> None:
    file = upload(acme, b"x" * 2000, "?name=large.txt").json() | {"size": 1}
    plan = acme.post(f"/api/conversations/{con}/plan", {"text": "see", "attachments": [file]}).json()
    assert [one["rule"] for one in plan["obstacles"]] == ["media_size"]


@pytest.mark.parametrize("name", ["inv.pdf", "ünï.txt", "発票.pdf", 'a "b".txt', "100%.txt", "a;b=c.txt"])
def test_a_download_has_its_name_whole_and_once_more_for_the_old(name: str) -> None:
    plain, _, whole = disposition(name).removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert unquote(whole) == name
    assert plain.isascii()
    assert '"' not in plain
    assert ";" not in whole

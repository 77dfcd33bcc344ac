"""What we ask, against the part of the published lexicons that we use, restated here.

https://github.com/bluesky-social/atproto/tree/main/lexicons (2026-11)
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import socialsupport_bluesky

CASES = Path(socialsupport_bluesky.__file__).parent / "cases"
RECORD = {"repo", "collection", "rkey"}
METHODS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "GET app.bsky.notification.listNotifications": ({"limit", "cursor", "reasons"}, set(), set()),
    "GET app.bsky.feed.getPosts": ({"uris"}, set(), set()),
    "GET app.bsky.actor.getProfile": ({"actor"}, set(), set()),
    "GET com.atproto.identity.resolveHandle": ({"handle"}, set(), set()),
    "GET com.atproto.server.getSession": (set(), set(), set()),
    "POST com.atproto.server.createSession": (set(), {"identifier", "password"}, {"authFactorToken"}),
    "POST com.atproto.server.refreshSession": (set(), set(), set()),
    "GET com.atproto.repo.getRecord": (RECORD, set(), set()),
    "POST com.atproto.repo.putRecord": (set(), RECORD | {"record"}, {"validate"}),
    "POST com.atproto.repo.deleteRecord": (set(), RECORD, set()),
    "POST com.atproto.repo.uploadBlob": (set(), set(), set()),
    "GET chat.bsky.convo.getLog": ({"cursor"}, set(), set()),
    "GET chat.bsky.convo.getMessages": ({"convoId", "limit", "cursor"}, set(), set()),
    "GET chat.bsky.convo.getConvoForMembers": ({"members"}, set(), set()),
    "POST chat.bsky.convo.sendMessage": (set(), {"convoId", "message"}, set()),
}
"""By method: the parameters of a query; the fields that a procedure needs, and those that it may have."""
RECORDS: dict[str, tuple[set[str], set[str]]] = {
    "app.bsky.feed.post": ({"$type", "text", "createdAt"}, {"facets", "reply", "embed", "langs"}),
    "app.bsky.feed.like": ({"$type", "subject", "createdAt"}, set()),
}
FEATURES = {"link": "uri", "mention": "did", "tag": "tag"}
REF = {"uri", "cid"}


def requests() -> list[Any]:
    return [
        pytest.param(step["request"], id=f"{case['name']}-{at}")
        for name in ("calls", "polls", "sending")
        for case in json.loads((CASES / f"{name}.json").read_text())
        for at, step in enumerate(case.get("exchange", []))
        if "request" in step and "/xrpc/" in step["request"]["url"]
    ]


@pytest.mark.parametrize("request_", requests())
def test_every_request_is_one_of_the_lexicons(request_: dict[str, Any]) -> None:
    url = urlsplit(request_["url"])
    method = url.path.removeprefix("/xrpc/")
    parameters, needed, allowed = METHODS[f"{request_['method']} {method}"]
    assert {name for name, _ in parse_qsl(url.query)} <= parameters
    body = request_.get("json", {})
    assert needed <= body.keys() <= needed | allowed
    assert ("atproto-proxy" in request_.get("headers", {})) == method.startswith("chat.")
    if "record" in body:
        fits_its_lexicon(body["record"], body["collection"])
    if "message" in body:
        assert {"text"} <= body["message"].keys() <= {"text", "facets"}
        fit_their_text(body["message"])


def fits_its_lexicon(record: dict[str, Any], collection: str) -> None:
    needed, allowed = RECORDS[collection]
    assert record["$type"] == collection
    assert needed <= record.keys() <= needed | allowed
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["createdAt"])
    refs = [record["subject"]] if "subject" in record else list(record.get("reply", {}).values())
    assert all(ref.keys() == REF for ref in refs)
    for image in record.get("embed", {}).get("images", ()):
        assert image.keys() == {"alt", "image"}
        assert image["image"]["$type"] == "blob"
    if "text" in record:
        fit_their_text(record)


def fit_their_text(record: dict[str, Any]) -> None:
    written = record["text"].encode()
    for facet in record.get("facets", ()):
        index = facet["index"]
        assert written[index["byteStart"] : index["byteEnd"]].decode()
        for feature in facet["features"]:
            kind = feature["$type"].removeprefix("app.bsky.richtext.facet#")
            assert feature.keys() == {"$type", FEATURES[kind]}

"""Facets by bytes in both directions, lengths, record keys and addresses."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_bluesky import BlueskySettings
from socialsupport_bluesky.records import parted, tid
from socialsupport_bluesky.richtext import FACET, counted, handles, markdown, written
from socialsupport_core.text import count, plain

DID = "did:plc:kerrykerrykerrykerrykerr"
LINK = {"$type": f"{FACET}#link", "uri": "https://example.com/a"}


def facet(start: int, end: int, feature: dict[str, str] = LINK) -> dict[str, Any]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


@pytest.mark.parametrize(
    ("text", "facets", "read"),
    [
        ("see this", [facet(4, 8)], "see [this](https://example.com/a)"),
        ("👋🏽 so", [facet(9, 11)], "👋🏽 [so](https://example.com/a)"),
        ("äöü", [facet(2, 4)], "ä[ö](https://example.com/a)ü"),
        ("äöü", [facet(1, 3)], "äöü"),
        ("abc", [facet(2, 1)], "abc"),
        ("abc", [facet(0, 9)], "abc"),
        ("@kerry", [facet(0, 6, {"did": DID})], f"[@kerry](mention:{DID})"),
        ("#tag", [facet(0, 4, {"tag": "tag"})], "#tag"),
        ("*a*", [], "\\*a\\*"),
        ("x", [facet(0, 1, {"uri": "javascript:alert(1)"})], "x"),
    ],
)
def test_facets_are_read_by_bytes(text: str, facets: list[dict[str, Any]], read: str) -> None:
    assert markdown(text, facets) == read


@pytest.mark.parametrize(
    ("given_", "text", "starts"),
    [
        ("Päckchen [here](https://example.com)", "Päckchen here", [(10, 14, "link")]),
        ("📦 https://example.com/x.", "📦 https://example.com/x.", [(5, 26, "link")]),
        ("(https://help.acme.example/a_(b)).", "(https://help.acme.example/a_(b)).", [(1, 33, "link")]),
        ("(see https://intranet/a)!", "(see https://intranet/a)!", [(5, 23, "link")]),
        ("https://... or https:// or xhttps://a.example", "https://... or https:// or xhttps://a.example", []),
        ("**bold** #paket", "bold #paket", [(5, 11, "tag")]),
        ("ask @sam.example.com", "ask @sam.example.com", [(4, 20, "mention")]),
        ("ask @nobody.example.com", "ask @nobody.example.com", []),
        ("a@sam.example.com", "a@sam.example.com", []),
        (f"[@k](mention:{DID})", "@k", [(0, 2, "mention")]),
        ("[x](mention:42)", "x", []),
    ],
)
def test_facets_are_written_by_bytes(given_: str, text: str, starts: list[tuple[int, int, str]]) -> None:
    told = written(given_, {"sam.example.com": DID})
    assert told["text"] == text
    found = [
        (one["index"]["byteStart"], one["index"]["byteEnd"], one["features"][0]["$type"].partition("#")[2])
        for one in told.get("facets", [])
    ]
    assert found == starts


@given(st.text(st.sampled_from("aä👋🏽\u200d [](:/.)@#*hexmplco\n"), max_size=60))
def test_what_is_written_fits_its_text(text: str) -> None:
    told = written(text, {})
    size = len(told["text"].encode())
    last = 0
    for one in told.get("facets", []):
        index = one["index"]
        assert last <= index["byteStart"] < index["byteEnd"] <= size
        told["text"].encode()[index["byteStart"] : index["byteEnd"]].decode()
        last = index["byteEnd"]
    assert plain(markdown(told["text"], told.get("facets", []))).strip() == told["text"].strip()


def test_much_text_takes_little_time() -> None:
    start = time.perf_counter()
    markdown("ä" * 300_000, [facet(n * 2, n * 2 + 2) for n in range(5000)])
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("text", "length"), [("hello", 5), ("**hello**", 5), ("👩‍👩‍👧" * 3, 6), ("ä" * 10, 10), ("", 0)]
)
def test_graphemes_count_or_bytes_where_they_run_out_first(text: str, length: int) -> None:
    assert count(counted(text), "graphemes") == length


def test_handles_are_found_once() -> None:
    assert handles("@Sam.example.com, @sam.example.com and @kerry (not a@b.example.com)") == ["sam.example.com"]


def test_record_keys_are_timestamps_and_the_same_for_one_key() -> None:
    keys = [tid(f"k-{number}") for number in range(500)]
    assert len(set(keys)) == 500
    assert all(re.fullmatch("[234567abcdefghij][2-7a-z]{12}", key) for key in keys)
    assert tid("k-1") == keys[1]


@pytest.mark.parametrize("uri", ["", "https://a/b/c", "at://kerry.example.com/app.bsky.feed.post/1", f"at://{DID}/a"])
def test_what_is_no_address_is_told(uri: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parted(uri)


def test_handle_and_service_as_people_copy_them() -> None:
    settings = BlueskySettings(handle="@Acme.example.com", app_password="p", service="https://pds.example.com/")
    assert (settings.handle, settings.service) == ("acme.example.com", "pds.example.com")
    with pytest.raises(ValueError, match="handle"):
        BlueskySettings(handle="acme", app_password="p")

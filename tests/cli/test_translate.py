import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

HELLO = {"id": "1", "kind": "talk", "from": "kea", "text": "Hello **you**"}
DANCE = {"id": "2", "kind": "dance"}
AT = ("--at", "2026-01-30T02:57:09+01:00")


def test_an_event_is_a_line_with_its_type_first_and_its_file_last(run: Any, write: Any) -> None:
    ran = run("translate", "parrot", write("hello.json", HELLO), *AT)
    assert ran.status == 0
    assert ran.lines == [
        {
            "type": "interaction.received",
            "id": "1",
            "interaction": {
                "network": "parrot",
                "native_id": "1",
                "kind": "message",
                "direction": "inbound",
                "own_account": "polly",
                "thread": {"id": "kea", "visibility": "private"},
                "author": {
                    "identifiers": [{"kind": "parrot.bird", "value": "kea"}],
                    "is_self": False,
                    "is_bot": False,
                },
                "text": "Hello **you**",
                "sent_at": "2026-01-30T01:57:09Z",
            },
            "source": "hello.json",
        }
    ]
    assert list(ran.lines[0]) == ["type", "id", "interaction", "source"]
    assert list(ran.lines[0]["interaction"])[:3] == ["network", "native_id", "kind"]


def test_one_file_may_hold_many_events_and_many_files_keep_their_order(run: Any, write: Any) -> None:
    two = write("two.json", f"{json.dumps(HELLO)}\n{json.dumps(DANCE)}")
    ran = run("translate", "parrot", two, write("one.json", HELLO))
    assert [(line["id"], line["source"]) for line in ran.lines] == [
        ("1", "two.json"),
        ("2", "two.json"),
        ("1", "one.json"),
    ]


def test_a_dash_is_stdin(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(HELLO).encode())))
    assert [line["source"] for line in run("translate", "parrot", "-").lines] == ["-"]


def test_text_of_every_script_leaves_as_utf8(run: Any, write: Any) -> None:
    ran = run("translate", "parrot", write("a.json", {**HELLO, "text": "né 木 👩‍👩‍👧"}))
    assert "né 木 👩‍👩‍👧" in ran.out


# what is refused


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{", "MalformedPayload", "not JSON"),
        (b"\xff\xfe", "UnicodeDecodeError", "a mistake in the connector parrot"),
        (b'{"id": "1"}', "KeyError", "a mistake in the connector parrot"),
    ],
)
def test_a_refused_file_gives_its_reason_and_the_others_go_on(
    run: Any, write: Any, content: bytes, kind: str, said: str
) -> None:
    bad = write("bad.json", content)
    ran = run("translate", "parrot", bad, write("good.json", HELLO))
    assert ran.status == 1
    assert ran.lines[0]["source"] == "bad.json"
    assert ran.lines[0]["error"]["type"] == kind
    assert said in ran.lines[0]["error"]["message"]
    assert ran.lines[1]["id"] == "1"
    assert "1 of 2 refused" in ran.err


def test_a_file_is_translated_as_a_whole_or_not_at_all(run: Any, write: Any) -> None:
    ran = run("translate", "parrot", write("half.json", json.dumps(HELLO) + "\n{"))
    assert [sorted(line) for line in ran.lines] == [["error", "source"]]


def test_a_file_that_is_not_there_is_refused_by_name(run: Any, tmp_path: Path) -> None:
    ran = run("translate", "parrot", str(tmp_path / "none.json"), str(tmp_path))
    assert ran.status == 1
    assert [line["error"]["type"] for line in ran.lines] == ["FileNotFoundError", "IsADirectoryError"]
    assert ran.lines[0]["error"]["message"] == "No such file or directory"


# who sent it


def test_with_settings_the_sender_is_checked(run: Any, write: Any, settings: str) -> None:
    hello = write("hello.json", HELLO)
    refused = run("translate", "parrot", hello, "--settings", settings)
    assert refused.status == 1
    assert refused.lines[0]["error"] == {"type": "SignatureError", "message": "x-secret is missing or wrong"}
    accepted = run("translate", "parrot", hello, "--settings", settings, "--header", "X-Secret:  s3cr3t!")
    assert accepted.status == 0
    assert accepted.lines[0]["interaction"]["own_account"] == "ara"
    assert accepted.err == ""


def test_no_verify_trusts_the_file(run: Any, write: Any, settings: str) -> None:
    ran = run("translate", "parrot", write("a.json", HELLO), "--settings", settings, "--no-verify")
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.parametrize("source", ["poll", "stream", "file"])
def test_only_webhooks_are_checked(run: Any, write: Any, settings: str, source: str) -> None:
    ran = run("translate", "parrot", write("a.json", HELLO), "--settings", settings, "--source", source)
    assert ran.status == 0


def test_without_settings_stderr_says_what_stands_in(run: Any, write: Any) -> None:
    ran = run("translate", "parrot", write("a.json", HELLO))
    assert "placeholders stand in for token, secret" in ran.err
    assert "signatures are not checked" in ran.err
    assert len(ran.err.splitlines()) == 1


# the way in


def test_the_request_reaches_the_connector(run: Any, write: Any) -> None:
    dance = write("a.json", DANCE)
    ran = run("translate", "parrot", dance, "--url", "https://hub.example/hooks/1", "--method", "GET")
    assert ran.lines[0]["native_type"] == "webhook GET https://hub.example/hooks/1"


@pytest.mark.parametrize(
    ("name", "way"), [("a.json", "webhook"), ("a.CSV", "file"), ("a.mbox", "file"), ("b.eml", "file")]
)
def test_exports_are_files(run: Any, write: Any, name: str, way: str) -> None:
    assert run("translate", "parrot", write(name, DANCE)).lines[0]["native_type"].split()[0] == way


@pytest.mark.parametrize(
    ("receives", "name", "way"),
    [
        ({"webhook", "poll"}, "a.csv", "webhook"),
        ({"poll", "file"}, "a.json", "file"),
        ({"stream"}, "a.json", "file"),
    ],
)
def test_the_way_in_follows_what_the_connector_receives(
    run: Any,
    write: Any,
    registry: Any,
    monkeypatch: pytest.MonkeyPatch,
    receives: set[str],
    name: str,
    way: str,
) -> None:
    kind = registry.connectors["parrot"]
    narrowed = kind.capabilities.model_copy(update={"receives": frozenset(receives)})
    monkeypatch.setattr(kind, "capabilities", narrowed)
    assert run("translate", "parrot", write(name, DANCE)).lines[0]["native_type"].split()[0] == way


# misuse


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--at", "yesterday"), "write 2026-01-30T01:57:09Z"),
        (("--at", "2026-01-30T01:57:09"), "add Z or +01:00"),
        (("--header", "X-Secret"), "has no ':'"),
        (("--header", ": x"), "has no ':'"),
        (("--method", "PUT"), "--method"),
        (("--source", "pigeon"), "--source"),
        (("--sauce", "file"), "--sauce"),
    ],
)
def test_misuse_is_one_line_and_status_2(run: Any, write: Any, options: tuple[str, ...], said: str) -> None:
    ran = run("translate", "parrot", write("a.json", HELLO), *options)
    assert ran.status == 2
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert "see socialsupport translate --help" in ran.err


def test_a_misspelt_connector_is_corrected(run: Any, write: Any) -> None:
    ran = run("translate", "parot", write("a.json", HELLO))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "socialsupport: there is no connector 'parot'; did you mean parrot?\n"

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.cli.redaction import Redactor

THREAD = {"id": "kea", "visibility": "private"}
SAY = {"type": "send.message", "key": "k1", "own_account": "polly", "thread": THREAD, "text": "Hello"}
OK = {"status": 200, "json": {"id": 7}}
SECRETS = ("42:t/k+n&", "42%3At%2Fk%2Bn%26", "42:t%2Fk", "s3cr3t!", "s3cr3t%21")


def test_without_answers_it_stops_at_the_first_request(run: Any, write: Any) -> None:
    ran = run("compose", "parrot", write("i.json", SAY))
    assert ran.status == 0
    assert [sorted(line) for line in ran.lines] == [["body", "headers", "method", "url"], ["waiting"]]
    assert ran.lines[1] == {"waiting": "give --answers to go on"}
    assert "placeholders stand in for token, secret" in ran.err


def test_with_answers_it_goes_on_to_the_receipt(run: Any, write: Any) -> None:
    ran = run("compose", "parrot", write("i.json", SAY), "--answers", write("a.json", [{"status": 204}, OK]))
    wake, say, end = ran.lines
    assert (wake["method"], wake["url"]) == ("POST", "https://parrot.example/placeholder/wake")
    assert wake["body"] == {"secret": "placeholder", "to": ["a", "b"]}
    assert wake["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert say["url"] == "https://parrot.example/say?token=placeholder"
    assert say["body"] == {"text": "Hello", "key": "k1", "proof": ["placeholder"]}
    assert end == {"receipt": {"native_id": "7", "state": "sent"}}


def test_each_request_is_authorized_with_a_nonce_of_its_own(run: Any, write: Any, settings: str) -> None:
    answers = write("a.json", [{"status": 204}, OK])
    ran = run("compose", "parrot", write("i.json", SAY), "--settings", settings, "--answers", answers)
    proofs = [line["headers"]["x-proof"] for line in ran.lines[:2]]
    assert all(re.fullmatch(r"20\d\d [0-9a-f]{32} \*\*\*", proof) for proof in proofs)
    assert proofs[0] != proofs[1]


def test_real_secrets_are_hidden_wherever_they_stand(run: Any, write: Any, settings: str) -> None:
    answers = write("a.json", [{"status": 204}, {"status": 400, "text": "s3cr3t!"}])
    ran = run("compose", "parrot", write("i.json", SAY), "--settings", settings, "--answers", answers)
    assert ran.status == 1
    assert not [secret for secret in SECRETS if secret in ran.out + ran.err]
    wake, say, _ = ran.lines
    assert wake["url"] == "https://parrot.example/***/wake"
    assert wake["body"]["secret"] == "***"
    assert say["url"] == "https://parrot.example/say?token=***"
    assert say["body"]["proof"] == ["***"]
    assert say["headers"]["authorization"] == "Basic ***"
    assert ran.err == ""


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 400}, {"type": "ContentRejected", "code": "400"}),
        (
            {"status": 429, "headers": {"retry-after": "5"}},
            {"type": "RateLimited", "code": "429", "retry_after": 5.0},
        ),
        ({"status": 500}, {"type": "Uncertain", "code": "500"}),
        ({"status": 200, "json": {"no": "id"}}, {"type": "Uncertain", "code": None}),
        ({"dropped": True}, {"type": "Uncertain", "code": None}),
        ({"raises": "Unreachable"}, {"type": "Unreachable", "code": None}),
    ],
)
def test_an_answer_that_is_no_success_ends_in_an_error(
    run: Any, write: Any, answer: dict[str, Any], error: dict[str, Any]
) -> None:
    ran = run("compose", "parrot", write("i.json", SAY), "--answers", write("a.json", [{"status": 204}, answer]))
    assert ran.status == 1
    said = ran.lines[-1]["error"]
    assert said.pop("message")
    assert said == error


def test_what_the_connector_cannot_do_is_an_error_and_stderr_says_more(run: Any, write: Any) -> None:
    ran = run("compose", "parrot", write("i.json", {**SAY, "type": "react", "text": None, "reaction": "x"}))
    assert ran.status == 1
    assert "text" in ran.err
    react = {key: value for key, value in SAY.items() if key != "text"} | {"type": "react", "reaction": "x"}
    ran = run("compose", "parrot", write("i.json", react))
    assert ran.lines == [{"error": {"type": "Unsupported", "message": "no react here", "code": None}}]
    assert "the hub would not send this: parrot has no react" in ran.err


def test_an_ask_that_is_not_http_shows_its_fields(run: Any, write: Any) -> None:
    typing = {**SAY, "type": "typing"}
    del typing["text"]
    ran = run("compose", "parrot", write("i.json", typing), "--answers", write("a.json", [{"answer": None}]))
    assert ran.lines == [
        {"ask": "Squawk", "words": ["typing"], "loud": "\u0001"},
        {"receipt": {"state": "sent"}},
    ]


@pytest.mark.parametrize("answer", [{"status": 200}, {"answer": {"type": "Nothing"}}])
def test_an_answer_must_suit_its_ask(run: Any, write: Any, answer: dict[str, Any]) -> None:
    typing = {key: value for key, value in SAY.items() if key != "text"} | {"type": "typing"}
    ran = run("compose", "parrot", write("i.json", typing), "--answers", write("a.json", [answer]))
    assert ran.status == 1
    assert "--answers: that does not answer Squawk" in ran.err


def test_a_long_text_is_composed_part_by_part(run: Any, write: Any) -> None:
    text = "The first sentence fills a part. The second one does so too, and here is more."
    answers = write("a.json", [{"status": 204}, OK] * 3)
    ran = run("compose", "parrot", write("i.json", {**SAY, "text": text}), "--answers", answers)
    said = [line["body"] for line in ran.lines if line.get("url", "").startswith("https://parrot.example/say")]
    assert [one["key"] for one in said] == ["k1/1", "k1/2", "k1/3"]
    assert " ".join(one["text"] for one in said) == text
    assert all(len(one["text"]) <= 40 for one in said)
    assert sum("receipt" in line for line in ran.lines) == 3


def test_a_list_of_intents_shares_the_answers(run: Any, write: Any) -> None:
    intents = write("i.json", [SAY, {**SAY, "key": "k2"}])
    ran = run("compose", "parrot", intents, "--answers", write("a.json", [{"status": 204}, OK, {"status": 204}]))
    assert ran.status == 0
    assert ["receipt" in line for line in ran.lines].index(True) == 2
    assert ran.lines[-1] == {"waiting": "give --answers to go on"}


def test_answers_left_over_are_told(run: Any, write: Any) -> None:
    ran = run("compose", "parrot", write("i.json", SAY), "--answers", write("a.json", [{"status": 204}, OK, OK, OK]))
    assert ran.status == 0
    assert "2 of the answers were not asked for" in ran.err


# what the sign-in gave

SIGNED_IN = {"access_token": "4ccess-t0ken!", "refresh_token": "r3fresh-t0ken!"}


@pytest.fixture
def with_token(registry: Any) -> str:
    """A network whose calls are authorized with what the sign-in gave."""
    parrot = registry.connectors["parrot"]

    def authorize(_: Any, request: Any, credentials: Any, now: Any, nonce: Any) -> Any:
        request.headers["authorization"] = credentials.access_token.get_secret_value() if credentials else "nobody"
        return request

    registry.connectors["signed_in"] = type("SignedIn", (parrot,), {"name": "signed_in", "authorize": authorize})
    return "signed_in"


def test_credentials_are_used_and_hidden(run: Any, write: Any, with_token: str, settings: str) -> None:
    token = write("c.json", SIGNED_IN)
    for more in ((), ("--settings", settings)):
        ran = run("compose", with_token, write("i.json", SAY), "--credentials", token, *more)
        assert ran.lines[0]["headers"]["authorization"] == "***"
        assert "4ccess" not in ran.out + ran.err
    assert run("compose", with_token, "i.json").lines[0]["headers"]["authorization"] == "nobody"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"acess_token": "4ccess-t0ken!"}, "c.json: acess_token: there is no such key; did you mean access_token?"),
        ({}, "c.json: access_token: is missing; add it"),
        ("{", "c.json, line 1, column 2: not JSON"),
    ],
)
def test_mistaken_credentials_are_told_without_their_values(
    run: Any, write: Any, with_token: str, content: Any, said: str
) -> None:
    ran = run("compose", with_token, write("i.json", SAY), "--credentials", write("c.json", content))
    assert ran.status == 1
    assert said in ran.err
    assert "4ccess" not in ran.out + ran.err


def test_without_settings_the_fake_credentials_of_the_cases_are_used(run: Any, write: Any, tmp_path: Path) -> None:
    run("new", "connector", "plover")
    folder = tmp_path / "socialsupport-plover" / "socialsupport_plover"
    (folder / "cases" / "credentials.json").write_text('{"access_token": "a-fake-access-token"}')
    source = folder / "connector.py"
    source.write_text(
        source.read_text() + "\n    def authorize(self, request, credentials, now, nonce):\n"
        "        request.headers['authorization'] = credentials.access_token.get_secret_value()\n"
        "        return request\n"
    )
    ran = run("compose", "socialsupport-plover", write("i.json", SAY))
    assert ran.lines[0]["headers"]["authorization"] == "a-fake-access-token"


# attachments

IMAGE = b"\x89PNG\r\n\x1a\nwith\r\n--lines"
DIGEST = hashlib.sha256(IMAGE).hexdigest()
SHOW = {**SAY, "attachments": [{"media_type": "image/png", "blob": DIGEST}]}


def test_an_upload_shows_its_parts(run: Any, write: Any) -> None:
    image = write("cat.png", IMAGE)
    ran = run("compose", "parrot", write("i.json", SHOW), "--blob", f"{DIGEST}={image}")
    assert ran.lines[0]["body"] == [
        {"name": "purpose", "size": 4, "value": "chat"},
        {"name": "file", "filename": "cat.png", "content_type": "image/png", "size": len(IMAGE)},
    ]


def test_a_missing_blob_names_the_option(run: Any, write: Any) -> None:
    ran = run("compose", "parrot", write("i.json", SHOW))
    assert (ran.status, ran.out) == (1, "")
    assert f"add --blob {DIGEST}=FILE" in ran.err


# mistakes in the files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"type": ', "i.json, line 1, column 10: not JSON"),
        ("[" * 100_000, "i.json: nested too deeply"),
        ('{"key": NaN}', "i.json: not JSON: NaN is no JSON number"),
        ({**SAY, "txt": "x"}, "i.json: txt: there is no such key; did you mean text?"),
        (
            {**SAY, "thread": {**THREAD, "ids": "x"}},
            "i.json: thread.ids: there is no such key; did you mean id?",
        ),
        ({"type": "send.message"}, "i.json: key: is missing; add it; i.json: own_account: is missing"),
        ({**SAY, "type": "sent"}, "i.json: type: must be one of send.message, edit.message"),
        ([SAY, {**SAY, "key": ""}], "i.json: [1]: key: must have at least 1 character"),
        ("7", "i.json: the whole: must be a table of names and values"),
    ],
)
def test_a_mistaken_intent_is_told_with_its_place(run: Any, write: Any, content: Any, said: str) -> None:
    ran = run("compose", "parrot", write("i.json", content))
    assert (ran.status, ran.out) == (1, "")
    assert said in ran.err
    assert ran.err.splitlines()[-1].startswith("socialsupport: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"status": 200}, "must be a list of answers"),
        ([{"statis": 200}], "--answers: statis: there is no such key; did you mean status?"),
        ([{"status": "ok"}], "--answers: status: must be a whole number"),
        ([{"raises": "ValueError"}], "'ValueError' is not a DeliveryError"),
        ([{"answer": 7}], "--answers: answer: there is no such key"),
    ],
)
def test_mistaken_answers_are_told(run: Any, write: Any, content: Any, said: str) -> None:
    ran = run("compose", "parrot", write("i.json", SAY), "--answers", write("a.json", content))
    assert ran.status == 1
    assert said in ran.err


def test_the_redactor_sees_through_every_form() -> None:
    redact = Redactor(["p/ss:w ä", "", "p/ss"])
    inside = base64.urlsafe_b64encode("user:p/ss:w ä!".encode()).decode().rstrip("=")
    hidden = redact({"p/ss": ["x p/ss:w ä y", "a=p%2fss%3aw%20%c3%a4", "p/ss%3Aw+%C3%A4", inside], "n": 5})
    assert hidden == {"***": ["x *** y", "a=***", "***", "***"], "n": 5}
    assert json.dumps(Redactor([])({"a": "aGVsbG8gd29ybGQ="})) == '{"a": "aGVsbG8gd29ybGQ="}'

"""What RT's transactions mean, and what does not come out of them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import CaseChanged, CaseFields, MalformedPayload, SignatureError, drive
from socialsupport_core.model import Identifier, Party, Payload
from socialsupport_rt import RT, RTSettings
from socialsupport_rt.native import contact, wanted
from socialsupport_rt.simulator import RTSimulator

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CRM = RT(RTSettings(base_url="https://rt.example", user="hub", token=SecretStr("t")))


def transaction(kind: str, **more: Any) -> dict[str, Any]:
    dana = {"Name": "dana", "RealName": "Dana"}
    return {"id": 7, "Type": kind, "Creator": dana, "Created": "2026-03-01T10:00:00Z", "ObjectId": "3"} | more


def parse(*transactions: dict[str, Any]) -> list[Any]:
    body = json.dumps({"transactions": transactions}).encode()
    return list(CRM.parse(Payload(source="poll", body=body, received_at=NOW)))


def part(content: str, kind: str = "text/plain", name: str = "") -> dict[str, Any]:
    coded = base64.b64encode(content.encode()).decode()
    return {"id": "9", "ContentType": kind, "Filename": name, "Content": coded}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("On <b>its</b> way", "On its way"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<style>p{}</style><script>alert(1)</script>x", "x"),
        ("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo"),
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("</style>still here", "still here"),
        ("", ""),
    ],
)
def test_markup_is_left_out(html: str, text: str) -> None:
    (said,) = parse(transaction("Correspond", parts=[part(html, "text/html")]))
    assert said.text == text


def test_the_plain_text_goes_before_the_markup() -> None:
    (said,) = parse(transaction("Correspond", parts=[part("<p>no</p>", "text/html"), part("yes")]))
    assert said.text == "yes"


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ("open", "resolved", CaseFields(status="closed")),
        ("rejected", "open", CaseFields(status="open")),
        ("new", "open", None),
        ("resolved", "rejected", None),
        ("open", "stalled", None),
    ],
)
def test_statuses(old: str, new: str, fields: CaseFields | None) -> None:
    told = parse(transaction("Status", Field="Status", OldValue=old, NewValue=new))
    assert [event.fields for event in told if isinstance(event, CaseChanged)] == ([fields] if fields else [])


def test_what_we_did_ourselves_is_left_out() -> None:
    ours = {"Creator": {"Name": "hub", "RealName": ""}}
    assert parse(transaction("Correspond", parts=[part("x")], **ours)) == []
    assert not wanted(transaction("Correspond", **ours), "hub")


def test_a_merge_is_told_once() -> None:
    link = {"Field": "MergedInto", "NewValue": "fsck.com-rt://x/ticket/3"}
    assert [wanted(transaction("AddLink", **link, ObjectId=one), "hub") for one in ("2", "3")] == [True, False]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"transactions": [{}]}', b'{"transactions": 1}', b"\xff"])
def test_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        list(CRM.parse(Payload(source="poll", body=body, received_at=NOW)))


def test_content_that_is_not_base64() -> None:
    with pytest.raises(MalformedPayload, match="not base64"):
        parse(transaction("Comment", parts=[part("x") | {"Content": "a"}]))


def test_nobody_writes_to_the_door() -> None:
    with pytest.raises(SignatureError):
        CRM.verify(Payload(body=b"{}", received_at=NOW))


def test_numbers_as_people_type_them() -> None:
    user = {
        "id": "k",
        "Name": "k",
        "MobilePhone": "+1 (555) 014-7",
        "WorkPhone": "0555 1",
        "EmailAddress": " K@X.example ",
    }
    assert [str(one) for one in contact(user).identifiers] == ["email:k@x.example", "phone:+15550147"]


def test_a_user_without_the_right_to_search_is_given_everybody_and_takes_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RT passes over a condition on a field that may not be searched."""
    monkeypatch.setattr("socialsupport_rt.simulator.SEARCHABLE", ("id", "Name"))
    desk = RTSimulator(CRM.settings, clock=lambda: NOW)
    for name in ("kerry", "lee"):
        desk.add_user(name, EmailAddress=f"{name}@acme.example")
    party = Party(identifiers=(Identifier(kind="email", value="lee@acme.example"),))
    found = drive(CRM.find_customers(party), lambda ask: desk.handle(CRM.authorize(ask, NOW, "")), CRM.failure)
    assert [one.id for one in found] == ["lee"]


@pytest.mark.parametrize(
    "more",
    [{}, {"token": "t", "password": "p"}, {"token": "t", "base_url": "http://rt.example"}, {"token": "t", "user": ""}],
)
def test_settings_that_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RTSettings.model_validate({"base_url": "https://rt.example", "user": "hub"} | more)

"""What the CRM tells us."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from socialsupport_core.contract import (
    AgentReplied,
    CaseClosed,
    ContactChanged,
    MalformedPayload,
    SignatureError,
)
from socialsupport_core.model import Payload
from socialsupport_memorycrm import MemoryCRM, MemorySettings

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NEW, OLD = "new-webhook-secret", "old-webhook-secret"
CRM = MemoryCRM(
    MemorySettings(token=SecretStr("t"), webhook_secret=SecretStr(NEW), previous_webhook_secret=SecretStr(OLD))
)
AT = "2026-03-01T10:00:00+01:00"
DANA = {"name": "Dana"}
REPLY = {"id": "change-3", "type": "case.replied", "at": AT, "case": "case-2", "agent": DANA, "text": "Hi"}
CLOSED = {"id": 4, "type": "case.closed", "at": AT, "case": "case-2"}
CONTACT = {
    "id": "contact-1",
    "name": "Kerry",
    "identifiers": [
        {"value": "email:kerry@acme.example", "verified": True},
        {"value": "email:kerry@acme.example"},
        {"value": "by pigeon", "verified": True},
    ],
    "fields": [{"name": "plan", "value": "gold"}, {"name": "nickname", "value": None}],
}
CHANGED = {"id": "change-5", "type": "contact.updated", "at": AT, "contact": CONTACT}


def parse(content: Any) -> list[Any]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(CRM.parse(Payload(body=body, received_at=NOW)))


def header(secret: str = NEW, body: bytes = b"{}", at: datetime = NOW) -> str:
    signed_at = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},v1={digest}"


def verify(signature: str | None, body: bytes = b"{}", **more: Any) -> None:
    headers = () if signature is None else (("X-CRM-Signature", signature),)
    CRM.verify(Payload(headers=headers, body=body, received_at=NOW, **more))


def test_a_reply() -> None:
    assert parse(REPLY) == [AgentReplied(id="change-3", case="case-2", agent="Dana", text="Hi", at=NOW)]


def test_a_closed_case() -> None:
    assert parse(CLOSED) == [CaseClosed(id="4", case="case-2", at=NOW)]


def test_a_changed_contact() -> None:
    (event,) = parse(CHANGED)
    assert isinstance(event, ContactChanged)
    assert (event.contact.id, event.contact.name) == ("contact-1", "Kerry")
    assert event.contact.fields == {"plan": "gold"}
    assert list(map(str, event.contact.identifiers)) == ["email:kerry@acme.example"]
    assert event.contact.verified == set(event.contact.identifiers)


def test_a_page_keeps_its_order_and_passes_over_what_is_not_for_us() -> None:
    page = {
        "changes": [CLOSED, {"id": "x", "type": "agent.logged_in"}, REPLY | {"colour": "blue"}],
        "cursor": "5",
    }
    assert [event.type for event in parse(page)] == ["case.closed", "agent.replied"]
    assert parse({"changes": []}) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the body is not JSON"),
        (b"[" * 9000, "the body is not JSON"),
        ([], "neither a change nor a page"),
        ({}, "type: a change without its type"),
        ({"changes": 1}, "changes: not a list of objects"),
        ({"changes": [1]}, "changes: not a list of objects"),
        (REPLY | {"agent": "Dana"}, "case.replied: agent: "),
        (REPLY | {"at": "2026-03-01T10:00:00"}, "case.replied: at: Input should have timezone info"),
        (REPLY | {"at": "0001-01-01T00:00:00+14:00"}, "case.replied: at: "),
        (CHANGED | {"contact": CONTACT | {"identifiers": ["x"]}}, "contact.updated: contact.identifiers.0"),
        ({"changes": [REPLY, {"type": "case.closed"}]}, "case.closed: id: is missing"),
    ],
)
def test_what_cannot_be_read_says_which_field(content: Any, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        parse(content)


def test_reasons_do_not_repeat_personal_data() -> None:
    with pytest.raises(MalformedPayload) as refused:
        parse(REPLY | {"agent": "Kerry Fisher", "text": ["Kerry Fisher"]})
    assert "Kerry" not in str(refused.value)


strange = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(change=st.sampled_from([REPLY, CLOSED, CHANGED]), field=st.sampled_from(sorted(REPLY)), value=strange)
def test_parse_is_total(change: dict[str, Any], field: str, value: Any) -> None:
    try:
        assert len(parse(change | {field: value})) <= 1
    except MalformedPayload:
        return


@pytest.mark.parametrize("secret", [NEW, OLD])
@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_both_secrets_within_five_minutes(secret: str, minutes: int) -> None:
    verify(header(secret, at=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_stale_and_future_signatures_are_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verify(header(at=NOW + timedelta(seconds=seconds)))


def test_every_one_bit_forgery_is_refused() -> None:
    good = header()
    for index in range(len(good) * 8):
        forged = bytearray(good.encode())
        forged[index // 8] ^= 1 << index % 8
        with pytest.raises(SignatureError):
            verify(forged.decode("latin-1"))


@pytest.mark.parametrize("signature", [None, "", "t=,v1=", header("x" * 20), header().upper(), header() + " "])
def test_missing_and_misshapen_signatures_are_refused(signature: str | None) -> None:
    with pytest.raises(SignatureError):
        verify(signature)


@pytest.mark.parametrize("body", [b"", b"{} ", b"{}\n", b"[]"])
def test_a_changed_body_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        verify(header(), body)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"base_url": "http://crm.example"}, "base_url"),
        ({"base_url": "https://crm.example/"}, "base_url"),
        ({"webhook_secret": "short"}, "at least 16"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_say_what_is_wrong(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MemorySettings.model_validate({"token": "t", "webhook_secret": NEW} | change)


def test_an_instance_elsewhere_is_called_there_only() -> None:
    elsewhere = MemoryCRM(
        MemorySettings(base_url="https://acme.example/crm", token=SecretStr("t"), webhook_secret=SecretStr(NEW))
    )
    assert elsewhere.hosts == {"acme.example"}
    assert str(next(elsewhere.poll("7")).url) == "https://acme.example/crm/v1/changes?after=7"

"""What HubSpot tells us, and that it is HubSpot who tells it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from socialsupport_core.contract import CaseChanged, CaseClosed, ContactGone, MalformedPayload, SignatureError
from socialsupport_core.model import Payload
from socialsupport_hubspot import HubSpot, HubSpotSettings
from socialsupport_hubspot.signing import decoded, sign

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SECRET = SecretStr("client-secret")
SETTINGS = HubSpotSettings(access_token=SecretStr("private-app-token"), client_secret=SECRET, portal_id="62515")
CRM = HubSpot(SETTINGS)
URL = "https://hub.example/hooks/hubspot"
CHANGE = {
    "subscriptionType": "ticket.propertyChange",
    "objectId": 104,
    "occurredAt": 1772355600000,
    "propertyName": "hs_pipeline_stage",
    "propertyValue": "4",
    "portalId": 62515,
    "changeSource": "CRM_UI",
}


def parse(content: Any, settings: HubSpotSettings = SETTINGS) -> list[Any]:
    return list(HubSpot(settings).parse(Payload(body=json.dumps(content).encode(), received_at=NOW)))


def verify(url: str = URL, *, signed_url: str | None = None, at: datetime = NOW, method: str = "POST") -> None:
    stamp = str(int(at.timestamp() * 1000))
    proof = sign(SECRET, "POST", signed_url or url, b"{}", stamp)
    headers = (("X-HubSpot-Signature-v3", proof), ("X-HubSpot-Request-Timestamp", stamp))
    CRM.verify(Payload(url=url, method=method, headers=headers, body=b"{}", received_at=NOW))


def test_the_documented_characters_are_signed_decoded_and_no_others() -> None:
    assert decoded("https://a/b%3A%2f%3F%40%21%24%27%28%29%2A%2C%3B") == "https://a/b:/?@!$'()*,;"
    assert decoded("https://a/b?c=%20%26%25%3D%2B#d") == "https://a/b?c=%20%26%25%3D%2B"
    assert decoded("https://a/%253A") == "https://a/%253A"


def test_an_address_is_signed_as_a_whole() -> None:
    verify(URL + "?a=%40")
    verify(URL + "?a=%40", signed_url=URL + "?a=@")
    for other in (URL, URL + "?a=%41", URL.replace("https", "http")):
        with pytest.raises(SignatureError, match="does not fit"):
            verify(URL + "?a=%40", signed_url=other)
    with pytest.raises(SignatureError, match="does not fit"):
        verify(method="PUT")


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_borne(seconds: int) -> None:
    verify(at=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_older_and_newer_are_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verify(at=NOW + timedelta(seconds=seconds))


def test_without_the_apps_secret_nothing_is_believed() -> None:
    bare = HubSpot(HubSpotSettings(access_token=SecretStr("private-app-token")))
    with pytest.raises(SignatureError, match="client_secret is not set"):
        bare.verify(Payload(body=b"{}", received_at=NOW))


def test_only_the_stages_that_are_named_are_the_end() -> None:
    (closed,) = parse([CHANGE])
    assert isinstance(closed, CaseClosed)
    (changed,) = parse([CHANGE | {"propertyValue": "3"}])
    assert isinstance(changed, CaseChanged)
    assert changed.fields.status == "open"
    (also,) = parse([CHANGE | {"propertyValue": "3"}], SETTINGS.model_copy(update={"other_closed_stages": ("3",)}))
    assert isinstance(also, CaseClosed)


@pytest.mark.parametrize(("app", "source", "told"), [(None, "9", 0), ("4711", "4711", 0), ("4711", "9", 1)])
def test_what_our_own_app_did_is_left_out(app: str | None, source: str, told: int) -> None:
    settings = SETTINGS.model_copy(update={"app_id": app})
    assert len(parse([CHANGE | {"changeSource": "INTEGRATION", "sourceId": source}], settings)) == told


def test_merged_contacts_go_on_as_another() -> None:
    merge = {**CHANGE, "subscriptionType": "contact.merge", "objectId": 105, "primaryObjectId": 101,
             "mergedObjectIds": [103, 104], "newObjectId": 105}  # fmt: skip
    events = parse([merge])
    assert all(isinstance(event, ContactGone) for event in events)
    assert {(event.contact, event.into) for event in events} == {("101", "105"), ("103", "105"), ("104", "105")}
    older = {name: value for name, value in merge.items() if name != "newObjectId"} | {"objectId": 101}
    assert {(event.contact, event.into) for event in parse([older])} == {("103", "101"), ("104", "101")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1], "neither a change nor a list"),
        (1, "neither a change nor a list"),
        ([{}], "a change without its type"),
        ([CHANGE | {"objectId": None}], "objectId"),
        ([CHANGE | {"occurredAt": -1}], "occurredAt"),
        ([CHANGE | {"occurredAt": 10**18}], "occurredAt"),
        ({"type": "OUTGOING_CHANNEL_MESSAGE_CREATED"}, "message: is missing"),
    ],
)
def test_what_cannot_be_read_says_which_field(content: Any, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        parse(content)


def test_reasons_do_not_repeat_personal_data() -> None:
    with pytest.raises(MalformedPayload) as refused:
        parse([CHANGE | {"occurredAt": "Kerry Fisher"}])
    assert "Kerry" not in str(refused.value)


@pytest.mark.parametrize("body", [b"[]", b'{"results": 1}', b'{"results": [1]}', b"1"])
def test_strange_pages_are_refused(body: bytes) -> None:
    page = Payload(
        source="poll", url="https://api.hubapi.com/crm/v3/objects/tickets/batch/read", body=body, received_at=NOW
    )
    with pytest.raises(MalformedPayload):
        list(CRM.parse(page))

"""What the kit does not ask: the export's minute, its last second, who is staff, and what must not go out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core import testing
from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    ContentRejected,
    SignatureError,
    SignIn,
    Unavailable,
    drive,
)
from socialsupport_core.model import Attachment, Credentials, Facts, Identifier, Party, Payload
from socialsupport_zendesk import Zendesk, ZendeskSettings
from socialsupport_zendesk.signing import SIGNATURE, TIMESTAMP, sign
from socialsupport_zendesk.simulator import ZendeskSimulator

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
SETTINGS = ZendeskSettings(
    subdomain="acme",
    email="hub@acme.example",
    api_token=SecretStr("fake-token"),
    webhook_secret=SecretStr("fake-secret"),
    previous_webhook_secret=SecretStr("older-secret"),
)
CRM = Zendesk(SETTINGS, Facts(own_account="1"))


class Desk(testing.CRMDesk[Zendesk, ZendeskSimulator]):
    def __init__(self) -> None:
        super().__init__(CRM, ZendeskSimulator(SETTINGS, clock=self.clock))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_newest_minute_comes_later_and_nothing_of_its_last_second_is_lost(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.now += timedelta(seconds=90)
    desk.sim.speak("dana", "one", case.id)
    assert desk.polled(cursor)[0] == []
    desk.now += timedelta(seconds=60)
    told, cursor = desk.polled(cursor)
    assert [getattr(event, "text", None) for event in told] == ["one"]
    late = dict(
        desk.sim.audits[-1], id=999_999, child_events=[dict(desk.sim.audits[-1]["child_events"][0], id=5, body="two")]
    )
    desk.sim.audits.append(late)  # in the very second in which the last page ended
    told, cursor = desk.polled(cursor)
    assert [getattr(event, "text", None) for event in told] == ["two"]
    assert desk.polled(cursor)[0] == []


def test_an_export_asked_for_too_early_waits_a_minute(desk: Desk) -> None:
    with pytest.raises(Unavailable) as caught:
        desk.run(CRM.poll(str(int(NOW.timestamp()))))
    assert caught.value.retry_after == 60


def test_files_of_a_public_comment_come_once_and_those_of_a_note_never(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.sim.speak("dana", "see the label", case.id, files={"label.txt": b"the label"})
    desk.sim.speak("dana", "our margin", case.id, public=False, files={"margin.txt": b"secret"})
    hooks = [event for payload in desk.sim.due() for event in CRM.parse(payload)]
    desk.now += timedelta(minutes=5)
    exported = desk.polled(cursor)[0]
    assert [event.id for event in hooks] == [event.id for event in exported if not getattr(event, "attachments", ())]
    files = [file for event in (*hooks, *exported) for file in getattr(event, "attachments", ())]
    (label,) = files
    assert label.name == "label.txt"
    assert desk.run(CRM.fetch(label)).content == b"the label"
    assert [type(event) for event in hooks] == [AgentReplied, AgentNoted]


def test_what_a_customer_comments_is_no_reply(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.sim.add_user("Kerry Fisher")
    desk.sim.speak("Kerry Fisher", "hello?", case.id)
    body = json.loads(desk.sim.due()[0].body)
    body["event"]["comment"]["author"]["is_staff"] = False
    assert list(CRM.parse(Payload(body=json.dumps(body).encode(), received_at=NOW))) == []
    desk.now += timedelta(minutes=5)
    assert desk.polled(cursor)[0] == []


def test_a_file_is_fetched_from_this_zendesk_only() -> None:
    for address in (
        None,
        "https://evil.example/attachments/token/1/",
        "https://other.zendesk.com/attachments/token/1/",
    ):
        with pytest.raises(ContentRejected):
            drive(CRM.fetch(Attachment(url=address)), lambda ask: httpx.Response(200), CRM.failure)


def test_credentials_go_nowhere_else() -> None:
    given = Credentials(access_token=SecretStr("t"))
    for address in ("https://p1.zdusercontent.com/attachment/1", "https://acme.zendesk.com/oauth/tokens"):
        request = CRM.authorize_with(httpx.Request("GET", address), given, NOW, "")
        assert "authorization" not in request.headers


def test_a_requester_is_who_zendesk_knows_or_who_has_an_address(desk: Desk) -> None:
    kerry = desk.sim.add_user("Kerry Fisher", email=("kerry@acme.example", True))
    known = desk.opened("con_1", contact=str(kerry))
    mail = Party(identifiers=(Identifier(kind="email", value="lee@acme.example"),), name="Lee")
    fresh = desk.opened("con_2", party=mail)
    nobody = desk.opened("con_3", party=Party(identifiers=(Identifier(kind="telegram.user", value="4"),), name="Max"))
    requesters = [desk.sim.tickets[int(case.id)].requester for case in (known, fresh, nobody)]
    assert [desk.sim.users[number]["name"] for number in requesters] == ["Kerry Fisher", "Lee", "The hub"]
    assert all(ticket.tags == ["socialsupport"] for ticket in desk.sim.tickets.values())


def test_what_is_saved_is_never_public(desk: Desk) -> None:
    desk.opened()
    comments = [event for audit in desk.sim.audits for event in audit["events"] if event["type"] == "Comment"]
    assert [comment["public"] for comment in comments] == [False]


def test_a_person_with_two_spellings_is_found_and_a_near_match_is_not(desk: Desk) -> None:
    desk.sim.add_user("Kerry", phone_number=("+1 (555) 0147-22", True), email=("Kerry@Acme.example", False))
    party = Party(identifiers=(Identifier(kind="email", value="kerry@acme.example"),))
    (found,) = desk.run(CRM.find_customers(party))
    assert {str(one) for one in found.identifiers} == {"phone:+1555014722", "email:kerry@acme.example"}
    assert {str(one) for one in found.verified} == {"phone:+1555014722"}
    desk.sim._search = None  # type: ignore[method-assign,assignment]
    near = {"users": [{"id": 9, "name": "X", "role": "end-user", "email": "kerry@acme.example.org"}]}

    def answer(ask: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=near if "search" in ask.url.path else {"identities": []})

    assert drive(CRM.find_customers(party), answer, CRM.failure) == ()


@pytest.mark.parametrize("secret", ["fake-secret", "older-secret"])
def test_both_secrets_open_while_they_rotate(secret: str) -> None:
    stamp = "2026-03-01T10:00:00Z"
    headers = ((SIGNATURE, sign(SecretStr(secret), stamp, b"{}")), (TIMESTAMP, stamp))
    CRM.verify(Payload(headers=headers, body=b"{}", received_at=NOW))


def test_without_a_secret_nothing_is_taken() -> None:
    bare = Zendesk(ZendeskSettings(subdomain="acme", email="a@b", api_token=SecretStr("t")))
    headers = ((SIGNATURE, sign(SecretStr(""), "2026-03-01T10:00:00Z", b"{}")), (TIMESTAMP, "2026-03-01T10:00:00Z"))
    with pytest.raises(SignatureError, match="webhook_secret"):
        bare.verify(Payload(headers=headers, body=b"{}", received_at=NOW))


def test_the_older_order_of_body_and_timestamp_is_refused() -> None:
    stamp, body = "2026-03-01T10:00:00Z", b'{"a": 1}'
    old = sign(SecretStr("fake-secret"), body.decode(), stamp.encode())
    with pytest.raises(SignatureError):
        CRM.verify(Payload(headers=((SIGNATURE, old), (TIMESTAMP, stamp)), body=body, received_at=NOW))


def test_signing_in_asks_for_a_client() -> None:
    sign_in = SignIn(state="s", redirect="https://hub.example/connect/callback", verifier=SecretStr("v" * 43))
    with pytest.raises(ContentRejected, match="client_id"):
        CRM.connect_with(sign_in)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"email": "a@b"},
        {"client_id": "c"},
        {"email": "a@b", "api_token": "t", "client_id": "c", "client_secret": "s"},
        {"email": "a@b", "api_token": "t", "subdomain": "acme.evil.example/"},
    ],
)
def test_settings_that_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ZendeskSettings.model_validate({"subdomain": "acme"} | given)

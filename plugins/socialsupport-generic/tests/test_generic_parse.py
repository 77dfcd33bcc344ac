"""Their JSON in, our events out; beyond what the golden cases show."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_core.contract import MalformedPayload, SignatureError
from socialsupport_core.model import Event, Payload
from socialsupport_generic import Generic, GenericSettings

SECRET = "whsec_aWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWk="
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PLACES: dict[str, Any] = {
    "id": "id",
    "thread": "room",
    "text": "text",
    "author": {"id": "who", "email": "mail", "phone": "tel"},
}
SAID = {"id": "m-1", "room": "r-1", "text": "Hello", "who": "u-1"}


def channel(**changed: Any) -> Generic:
    mapping = {name: value for name, value in (PLACES | changed).items() if value is not None}
    written = {"own_account": "app", "secret": SECRET, "mapping": mapping}
    return Generic(GenericSettings.model_validate(written))


def read(body: Any, **changed: Any) -> list[Any]:
    return parsed(channel(**changed), json.dumps(body).encode())


def parsed(connector: Generic, body: bytes) -> list[Event]:
    return list(connector.parse(Payload(body=body, received_at=NOW)))


def test_a_message_with_the_least() -> None:
    (event,) = read(SAID)
    assert event.id == "message:r-1/m-1"
    assert str(event.interaction.author.account) == "generic.user@app:u-1"
    assert event.interaction.thread.visibility == "private"
    assert event.interaction.sent_at == NOW


def test_what_people_typed_is_claimed_and_no_part_of_the_author() -> None:
    claim, message = read(SAID | {"mail": "kerry@acme.example", "tel": "+15550002222"})
    assert (claim.tier, claim.proof) == ("claimed", "typed")
    assert [str(one) for one in claim.claims] == ["email:kerry@acme.example", "phone:+15550002222"]
    assert len(message.interaction.author.identifiers) == 1


def test_what_the_system_knows_is_part_of_the_author() -> None:
    author = PLACES["author"] | {"contacts": "asserted"}
    (message,) = read(SAID | {"mail": "kerry@acme.example"}, author=author)
    told = [str(one) for one in message.interaction.author.identifiers]
    assert told == ["generic.user@app:u-1", "email:kerry@acme.example"]


@pytest.mark.parametrize("mail", ["kerry", "kerry@", "two words@acme.example", "@acme.example", "\n"])
def test_what_is_no_address_is_no_evidence(mail: str) -> None:
    assert [event.type for event in read(SAID | {"mail": mail})] == ["interaction.received"]


def test_without_an_id_the_address_is_the_account() -> None:
    author = {"email": "mail", "phone": "tel"}
    claim, message = read(SAID | {"mail": "k@acme.example", "tel": "+15550002222"}, author=author)
    assert str(message.interaction.author.account) == "email:k@acme.example"
    assert [str(one) for one in claim.claims] == ["phone:+15550002222"]
    (alone,) = read(SAID | {"tel": "+15550002222"}, author=author)
    assert str(alone.interaction.author.account) == "phone:+15550002222"
    with pytest.raises(
        MalformedPayload, match=r"none of mail, tel is there; the mapping reads author\.email or author"
    ):
        read(SAID, author=author)


def test_where_ids_are_known_an_address_is_no_account() -> None:
    """Else one person would be two, whenever their system forgets to name them."""
    without = {name: value for name, value in SAID.items() if name != "who"} | {"mail": "k@acme.example"}
    with pytest.raises(MalformedPayload, match=r"^who is missing; the mapping reads author\.id there"):
        read(without)


def test_a_list_without_a_name_is_a_list_of_events() -> None:
    first, second = read([SAID, SAID | {"id": "m-2"}])
    assert (first.id, second.id) == ("message:r-1/m-1", "message:r-1/m-2")


def test_one_event_in_place_of_the_list() -> None:
    (event,) = read({"news": SAID}, events="news")
    assert event.id == "message:r-1/m-1"


def test_all_or_none_of_a_body_comes_in() -> None:
    with pytest.raises(MalformedPayload, match=r"^news\[1\]\.room is missing; the mapping reads thread there$"):
        read({"news": [SAID, {"id": "m-2", "who": "u-1"}]}, events="news")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b'{"id": NaN}', "not JSON"),
        (b"7", "the body is no object"),
        (b"[7]", r"\[0\] is no object"),
        (b"[" * 500, "not JSON"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, told: str) -> None:
    with pytest.raises(MalformedPayload, match=told):
        parsed(channel(), body)


def test_so_many_events_and_no_more() -> None:
    assert len(read([SAID | {"id": str(number)} for number in range(1000)])) == 1000
    with pytest.raises(MalformedPayload, match="1001 events; 1000 are the most"):
        read([SAID] * 1001)


def test_an_id_that_is_too_long() -> None:
    assert read(SAID | {"id": "x" * 400})
    with pytest.raises(MalformedPayload, match="id of the body is longer than 400 characters"):
        read(SAID | {"id": "x" * 401})


def test_words_that_are_none_of_ours_name_the_remedy() -> None:
    with pytest.raises(MalformedPayload, match=r"^kind is none of message, .*; name their words in mapping\.kind\.val"):
        read(SAID | {"kind": "shout"}, kind="kind")


def test_a_receipt_needs_its_places_and_something_that_it_is_about() -> None:
    with pytest.raises(MalformedPayload, match="the mapping has no `receipt`"):
        read(SAID | {"what": "receipt"}, type="what")
    places = {"message": "m", "key": "k", "state": "state"}
    with pytest.raises(MalformedPayload, match=r"none of m, k is there; the mapping reads receipt\.message or"):
        read({"what": "receipt", "state": "read"}, type="what", receipt=places)


def test_an_edit_is_told_by_a_field_that_is_there() -> None:
    kind = {"path": "changed", "present": "edit", "default": "message"}
    (new,) = read(SAID, type=kind, edited_at="changed")
    (changed,) = read(SAID | {"changed": 1772355590}, type=kind, edited_at="changed")
    assert (new.type, changed.type) == ("interaction.received", "interaction.edited")
    assert changed.edited_at == datetime(2026, 3, 1, 8, 59, 50, tzinfo=UTC)


def test_versions_without_a_time_are_told_apart_by_what_they_say() -> None:
    kind = {"value": "edit"}
    (one,), (other,), (again,) = (read(SAID | {"text": text}, type=kind) for text in ("a", "b", "a"))
    assert one.id == again.id != other.id


def test_what_was_said_on_our_behalf_is_no_claim_of_anybody() -> None:
    (event,) = read(
        SAID | {"ours": True, "mail": "dana@acme.example", "to": "u-1"},
        direction={"path": "ours", "values": {"true": "outbound", "false": "inbound"}},
        recipient={"id": "to"},
    )
    assert event.interaction.author.is_self
    assert str(event.interaction.recipients[0].account) == "generic.user@app:u-1"


def test_files_that_are_not_as_the_mapping_says() -> None:
    places = {"each": "files", "url": "link"}
    assert read(SAID, attachments=places)[0].interaction.attachments == ()
    with pytest.raises(MalformedPayload, match=r"^files is no list of objects"):
        read(SAID | {"files": ["a.png"]}, attachments=places)
    with pytest.raises(MalformedPayload, match=r"^files\[1\]\.link is missing"):
        read(SAID | {"files": [{"link": "https://files.example/a"}, {}]}, attachments=places)


def test_a_bare_secret_opens_the_door() -> None:
    written = {"own_account": "app", "secret": "the very secret word", "header": "X-App", "mapping": PLACES}
    bare = Generic(GenericSettings.model_validate(written))
    bare.verify(Payload(headers=(("x-app", "the very secret word"),), received_at=NOW))
    for given in ("", "the very secret wor", "the very secret word ", "ünlike", "THE VERY SECRET WORD"):
        with pytest.raises(SignatureError, match="x-app is missing or does not hold"):
            bare.verify(Payload(headers=(("x-app", given),), received_at=NOW))
    with pytest.raises(SignatureError):
        bare.verify(Payload(received_at=NOW))

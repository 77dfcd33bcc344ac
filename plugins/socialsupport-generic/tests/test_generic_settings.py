"""What an operator may say of a channel, and what is said back where it does not fit together."""

import copy
import json
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from socialsupport_core.model import Thread
from socialsupport_generic import Generic, GenericSettings

WRITTEN: dict[str, Any] = json.loads((files("socialsupport_generic") / "cases/settings.json").read_text("utf-8"))


def settings(**changed: Any) -> GenericSettings:
    return GenericSettings.model_validate(copy.deepcopy(WRITTEN) | changed)


def mapping(**changed: Any) -> dict[str, Any]:
    found = copy.deepcopy(WRITTEN["mapping"]) | changed
    return {name: value for name, value in found.items() if value is not None}


SMALL = {"id": "id", "thread": "room", "author": {"id": "who"}}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"own_account": "Acme App"}, "own_account"),
        ({"secret": "a long text that is no webhook secret"}, "whsec_ and Base64; `echo whsec_"),
        ({"secret": "whsec_c2hvcnRzaG9ydHNob3J0"}, "24 to 64 bytes"),
        ({"previous_secret": "a long text that is no webhook secret"}, "whsec_ and Base64"),
        ({"signing_secret": None}, "address: set signing_secret too"),
        ({"signing_secret": WRITTEN["secret"]}, "take another than secret"),
        ({"previous_signing_secret": WRITTEN["secret"]}, "take another than secret"),
        ({"address": "ftp://acme.example/"}, "address"),
        ({"address": "https://kerry:pass@acme.example/"}, "address"),
        ({"header": "X Secret"}, "header"),
        ({"invitation": "https://acme.example/"}, "write {token} once"),
        ({"invitation": "javascript:{token}"}, "invitation"),
        ({"mapping": mapping(handoff=None)}, "invitation: set mapping.handoff too"),
        ({"mapping": mapping(author={"name": "name"})}, "mapping.author"),
        ({"mapping": mapping(id=None)}, "mapping.id"),
        ({"mapping": mapping(receipt={"state": "s"})}, "mapping.receipt"),
        ({"mapping": mapping(attachments={"each": "files"})}, "mapping.attachments"),
        (
            {"mapping": mapping(type={"path": "what", "values": {"said": "mesage"}})},
            "mapping.type: values.said: 'mesage' is none of our words; did you mean message?",
        ),
        (
            {"mapping": mapping(visibility={"value": "privat"})},
            "value: 'privat' is none of our words; did you mean private?",
        ),
        ({"mapping": mapping(direction={"path": "us", "default": "internal"})}, "there is: inbound, outbound"),
        ({"mapping": mapping(kind={"path": "what", "present": "coment"})}, "present: 'coment' is none of our words"),
        (
            {"mapping": mapping(receipt={"message": "id", "state": {"path": "s", "values": {"seen": "raed"}}})},
            "mapping.receipt.state: values.seen: 'raed' is none of our words; did you mean read?",
        ),
        ({"mapping": mapping(timezone="Mars/Olympus")}, "not an IANA time zone"),
        ({"mapping": mapping(txet="text")}, "mapping.txet"),
        ({"max_text": 5}, "max_text"),
    ],
)
def test_what_does_not_fit_is_told_and_no_secret_with_it(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(**changed)
    said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in raised.value.errors())
    assert told in said.replace("Value error, ", "")
    assert WRITTEN["secret"] not in str(raised.value)


def test_a_bare_secret_may_be_any_text() -> None:
    found = settings(secret="any text that is long", header="X-App-Secret", previous_secret=None)
    assert found.header == "x-app-secret"
    assert Generic(found).capabilities.verification == "shared_secret"


def test_without_an_address_nothing_can_be_said() -> None:
    mute = Generic(settings(address=None))
    assert (mute.capabilities.intents, mute.capabilities.sends) == (frozenset(), frozenset())
    assert mute.capabilities.settles == "none"
    assert mute.hosts == {"files.example"}
    assert Generic.capabilities.intents == {"send.message"}  # the class still says what others may


def test_a_shorter_limit_is_the_operators() -> None:
    able = Generic(settings(max_text=160)).capabilities_in(Thread(id="r", visibility="private"))
    assert able.text is not None
    assert (able.text.limit, able.text.unit) == (160, "characters")


def test_it_calls_the_address_and_the_hosts_of_files() -> None:
    assert Generic(settings()).hosts == {"channel.example", "files.example"}


def test_the_least_that_can_be_said() -> None:
    least = GenericSettings.model_validate({"own_account": "a", "secret": WRITTEN["secret"], "mapping": SMALL})
    assert least.mapping.visibility.value == "private"
    assert Generic(least).invitation("t") is None


def test_an_invitation_carries_the_token() -> None:
    assert Generic(settings()).invitation("abc&d") == "https://channel.example/chat?with=abc%26d"

"""Mistakes that whoever embeds the hub makes: each is told what is wrong, and nothing is kept of it."""

import inspect
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, message

from socialsupport_core.contract import ConfigError, SocialSupportError
from socialsupport_core.hub import Hub
from socialsupport_core.model import Interaction, Party, Thread

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - the mistake itself


class Sparrow(Raven):
    name = "sparrow"


@pytest.fixture
def hub(roost: Roost) -> Hub:
    roost.hear(message(1, "hello"))
    return roost.hub


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda hub: hub.issue_token("acme", "dana", "read"), r"scopes are a list, as in \['read'\]"),
        (lambda hub: hub.issue_token("acme", "dana", ("reed",)), "no scope 'reed'; did you mean read"),
        (lambda hub: hub.issue_token("acme", "nobody"), "acme has no agent 'nobody'; add it first"),
        (lambda hub: hub.add_agent("acmee", "lee", "Lee"), "there is no tenant 'acmee'; did you mean acme?"),
        (lambda hub: hub.set_channel_state("acme", "tower", "off"), "active or paused, and not 'off'"),
        (lambda hub: hub.set_templates("acmee", ""), "there is no tenant 'acmee'; did you mean acme"),
        (lambda hub: hub.set_templates("acme", ["hello"]), "write a table of templates for each language"),
        (lambda hub: hub.link("acme", "a.b:1", "a.b:2", agent="ghost"), "acme has no agent 'ghost'"),
        (lambda hub: hub.hand_off("acme", "con", agent="dana", note="n"), "a note is for the agent who goes on"),
        (lambda hub: hub.queue("acme", status="opened"), "no status 'opened'; there is open, resolved"),
        (lambda hub: hub.queue("acme", kind="nope"), "no kind 'nope'; there is: "),
        (
            lambda hub: hub.add_tenant("Acme/Berlin", "Acme"),
            "tenant 'Acme/Berlin': an id may have up to 64 characters of",
        ),
        (lambda hub: hub.add_tenant("", "Acme"), "begins with none of the marks"),
        (lambda hub: hub.add_channel("acme", "a b", "raven", {}), "channel 'a b': an id may have"),
        (lambda hub: hub.add_app("app/1", "raven", {}), "app 'app/1': an id may have"),
        (lambda hub: hub.add_agent("acme", " ", "Lee"), "has something to read in it"),
        (lambda hub: hub.add_agent("acme", "a\0b", "Lee"), "has something to read in it"),
        (lambda hub: hub.report("acme", since=NOON), "give a datetime with its time zone"),
        (lambda hub: hub.staffing("acme", since=NOON), "give a datetime with its time zone"),
    ],
)
def test_what_the_hub_says(hub: Hub, mistake: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        mistake(hub)


GIVEN: dict[str, Any] = {
    "conversation": "con_x",
    "who": "phone:+15551234567",
    "interaction": Interaction(
        network="store",
        native_id="1",
        kind="visit",
        direction="inbound",
        own_account="shop",
        thread=Thread(id="1", visibility="private"),
        author=Party(),
        sent_at="2026-03-01T12:00:00Z",
    ),
}


@pytest.mark.parametrize("method", ["agents", "queue", "events", "record_interaction", "list_channels"])
def test_a_tenant_that_is_not_there_is_no_silence(hub: Hub, method: str) -> None:
    verb = getattr(hub, method)
    wanted = [one for one in inspect.signature(verb).parameters.values() if one.default is one.empty]
    before = hub.health()["journal"]
    with pytest.raises(SocialSupportError, match=r"there is no tenant .acmee.; did you mean acme\?"):
        verb("acmee", *(GIVEN[one.name] for one in wanted[1:]))
    assert hub.health()["journal"] == before


def test_a_channel_keeps_its_connector(roost: Roost) -> None:
    """Else what comes to its door from the old network would be refused, and old conversations be lost to it."""
    roost.reopen(Sparrow, Raven)
    with pytest.raises(ConfigError, match="there is a channel 'tower' of raven; remove it first"):
        roost.hub.add_channel("acme", "tower", "sparrow", {})
    with pytest.raises(ConfigError, match="no mode 'polling'"):
        roost.hub.change_channel("acme", "tower", {}, mode="polling")


def test_the_path_of_a_door_is_its_door(roost: Roost) -> None:
    address = roost.hub.list_channels("acme")[0]["door"]
    assert address.endswith(f"/hooks/{roost.doors['acme']}")
    roost.hub.receive(f"/hooks/{roost.doors['acme']}", roost.payload(message(1, "hello"))).result()
    roost.hub.drain()
    assert roost.texts() == ["hello"]


def test_an_agent_who_is_not_there_resolves_nothing_and_an_empty_note_is_none(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    con = roost.conversation()
    with pytest.raises(ConfigError, match="acme has no agent 'ghost'"):
        roost.hub.resolve("acme", con, agent="ghost")
    with pytest.raises(ConfigError, match="the note is empty"):
        roost.hub.note("acme", con, " ", agent="dana")
    with pytest.raises(ValueError, match="no leg '1'; it has 1"):
        roost.reply("hi", leg="1")
    assert roost.texts() == ["hello"]


@pytest.mark.parametrize(
    ("store", "public_url", "said"),
    [
        ("sqlite:///s.sqlite", "https://support.example", "give the path of a file, or postgresql"),
        ("s.sqlite", "support.example", "must be an address such as https://support.example"),
        ("s.sqlite", "", "must be an address"),
    ],
)
def test_where_nothing_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, public_url: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=said):
        Hub.open(store, public_url=public_url)


def test_a_private_reply_in_private_is_a_reply(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    said = roost.reply("good morning", private=True)
    roost.hub.drain()
    (told,) = [one for one in roost.hub.events("acme") if one["type"] == "delivery.updated"]
    assert told["data"]["id"] == said["parts"][0]["id"] == roost.hub.timeline("acme", "raven.ring:kerry")[-1]["id"]
    assert not [one for one in roost.hub.events("acme") if one["type"] == "conversation.handed_off"]


def test_what_is_no_interaction_has_no_id(roost: Roost) -> None:
    roost.hear(message(1, "hello", visibility="public"))
    said = roost.reply("let us talk", private=True)
    (part,) = said["parts"]
    assert (part["intent"], "id" in part) == ("open.private", False)
    roost.hub.drain()
    (told,) = [one for one in roost.hub.events("acme") if one["type"] == "delivery.updated"]
    assert (told["data"]["intent"], told["data"]["key"], "id" in told["data"]) == ("open.private", part["key"], False)

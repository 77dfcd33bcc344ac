"""Drafts: kept for a person, sent once and only by one, gone with their customer."""

import pytest
from raven import Roost, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub import NoSuchConversation, NoSuchDraft, ReplyRefused
from socialsupport_core.hub.drafting import MOST


@pytest.fixture
def con(roost: Roost) -> str:
    roost.hear(message(1, "where is my parcel?", "kerry", at=roost.clock.now))
    roost.hub.add_agent("acme", "copilot", "Copilot", is_bot=True)
    return roost.conversation("kerry")


def test_a_draft_says_nothing_to_anybody(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "It left today.", agent="copilot", why="the order says so")
    roost.hub.drain()
    assert roost.sky.texts() == []
    assert roost.texts() == ["where is my parcel?"]
    assert roost.hub.queue("acme")[0]["waiting_since"]
    assert roost.hub.drafts("acme", con) == [made]
    assert (made["by_machine"], made["why"], made["state"]) == (True, "the order says so", "open")
    (told,) = roost.log("draft.changed")
    assert told["data"] == {"draft": made["id"], "state": "open", "agent": "copilot"}


def test_a_person_sends_it_once_however_often_asked(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "It left today.", agent="copilot")
    first = roost.hub.send_draft("acme", made["id"], agent="dana")
    again = roost.hub.send_draft("acme", made["id"], agent="dana")
    with pytest.raises(ReplyRefused):
        roost.hub.send_draft("acme", made["id"], "another text", agent="dana")
    roost.hub.drain()
    assert first["parts"][0]["id"] == again["parts"][0]["id"]
    assert roost.sky.texts() == ["It left today."]
    assert roost.hub.drafts("acme", con) == []
    (sent,) = roost.hub.drafts("acme", con, ended=True)
    assert (sent["state"], sent["ended_by"], sent["key"]) == ("sent", "dana", first["key"])
    assert roost.timeline()[-1]["agent"] == "dana"
    assert [one["data"]["state"] for one in roost.log("draft.changed")] == ["open", "sent"]


def test_it_is_sent_as_the_person_has_changed_it(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "It left today.", agent="copilot")
    roost.hub.send_draft("acme", made["id"], "It leaves tomorrow.", agent="dana")
    roost.hub.drain()
    assert roost.sky.texts() == ["It leaves tomorrow."]


def test_no_machine_sends_it(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "Yes.", agent="copilot")
    with pytest.raises(ReplyRefused, match="by a person"):
        roost.hub.send_draft("acme", made["id"], agent="copilot")
    roost.hub.drain()
    assert roost.sky.texts() == []
    assert len(roost.hub.drafts("acme", con)) == 1


def test_what_is_discarded_is_not_sent(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "Yes.", agent="copilot")
    roost.hub.discard_draft("acme", made["id"], agent="dana")
    roost.hub.discard_draft("acme", made["id"], agent="dana")
    with pytest.raises(ReplyRefused, match="discarded by dana"):
        roost.hub.send_draft("acme", made["id"], agent="dana")
    assert [one["data"]["state"] for one in roost.log("draft.changed")] == ["open", "discarded"]


def test_it_passes_the_guard_like_every_reply(roost: Roost) -> None:
    roost.hear(message(5, "mail me at kerry@acme.example", "owl", at=roost.clock.now))
    roost.hear(message(6, "in public now", "owl", visibility="public", at=roost.clock.now))
    con = roost.conversation("owl")
    leg = next(one["id"] for one in roost.hub.conversation("acme", con)["legs"] if one["visibility"] == "public")
    made = roost.hub.draft("acme", con, "We wrote to kerry@acme.example", agent="dana", leg=leg)
    with pytest.raises(ReplyRefused):
        roost.hub.send_draft("acme", made["id"], agent="dana")
    assert [one["id"] for one in roost.hub.drafts("acme", con)] == [made["id"]]


def test_nothing_crosses_tenants(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "Yes.", agent="copilot")
    with pytest.raises(NoSuchConversation):
        roost.hub.draft("rival", con, "Yes.", agent="dana")
    for call in (roost.hub.send_draft, roost.hub.discard_draft):
        with pytest.raises(NoSuchDraft):
            call("rival", made["id"], agent="dana")
    with pytest.raises(ConfigError):
        roost.hub.draft("acme", con, "Yes.", agent="nobody")
    assert roost.hub.drafts("acme", con)[0]["state"] == "open"


def test_there_is_an_end_to_drafting(roost: Roost, con: str) -> None:
    for n in range(MOST):
        roost.hub.draft("acme", con, f"try {n}", agent="copilot")
    with pytest.raises(ReplyRefused, match="must go first"):
        roost.hub.draft("acme", con, "one more", agent="copilot")
    with pytest.raises(ReplyRefused, match="20,000 characters"):
        roost.hub.draft("acme", con, "x" * 20_001, agent="copilot")


def test_it_goes_with_its_customer(roost: Roost, con: str) -> None:
    made = roost.hub.draft("acme", con, "Dear Kerry Nightingale", agent="copilot")
    roost.hub.send_draft("acme", made["id"], agent="dana")
    roost.hub.draft("acme", con, "Nightingale again", agent="copilot")
    done = roost.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert done["removed"]["drafts"] == 2
    assert "Nightingale" not in roost.dump()


def test_it_goes_with_what_is_kept_no_longer(roost: Roost, con: str) -> None:
    roost.hub.draft("acme", con, "Dear Nightingale", agent="copilot")
    roost.hub.set_retention("acme", interactions=30)
    roost.clock.forward(days=31)
    roost.hub.drain()
    assert "Nightingale" not in roost.dump()


def test_it_goes_along_with_a_merge(roost: Roost, con: str) -> None:
    roost.hear(message(2, "another matter", "owl", at=roost.clock.now))
    other = roost.conversation("owl")
    made = roost.hub.draft("acme", other, "Yes.", agent="copilot")
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:owl", agent="dana")
    into = roost.hub.conversation("acme", other)["superseded_by"]
    assert into == con
    assert [one["id"] for one in roost.hub.drafts("acme", into)] == [made["id"]]
    roost.hub.send_draft("acme", made["id"], agent="dana")
    roost.hub.drain()
    assert roost.sky.texts() == ["Yes."]

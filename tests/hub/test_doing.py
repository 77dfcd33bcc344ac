"""Edit, delete, react, typing: refused where the network cannot, guarded, sent once, and shown when it is done."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Parrot, Roost, message

from socialsupport_core.hub import Hub, KeyReused, NoSuchInteraction, ReplyRefused


@pytest.fixture
def parrots(tmp_path: Path, store: str | Path) -> Iterator[Roost]:
    made = Roost(tmp_path, Parrot, store=store)
    made.hear(message(1, "hello"))
    yield made
    made.hub.close()


def said(roost: Roost, text: str = "on its way") -> str:
    """The id of what we said, sent."""
    roost.reply(text)
    roost.hub.drain()
    return str(roost.timeline()[-1]["id"])


def entry(roost: Roost, id: str) -> dict[str, Any]:
    return next(one for one in roost.timeline() if one["id"] == id)


def test_an_edit_goes_out_and_is_shown(parrots: Roost) -> None:
    one = said(parrots, "on its weigh")
    done = parrots.hub.edit("acme", one, "on its way", agent="dana")
    assert [part["state"] for part in done["parts"]] == ["queued"]
    assert entry(parrots, one)["interaction"]["text"] == "on its weigh"  # until the network has it
    parrots.hub.drain()
    assert parrots.sky.texts() == ["on its weigh", "edit.message raven-1 on its way"]
    shown = entry(parrots, one)
    assert shown["interaction"]["text"] == "on its way"
    assert "edited_at" in shown
    (told,) = parrots.log("interaction.edited")
    assert told["data"]["interaction"]["text"] == "on its way"
    assert len(parrots.timeline()) == 2


def test_what_is_deleted_is_gone(parrots: Roost) -> None:
    one = said(parrots)
    parrots.hub.delete("acme", one, agent="dana")
    parrots.hub.drain()
    assert parrots.sky.texts()[-1] == "delete.message raven-1"
    shown = entry(parrots, one)
    assert "deleted_at" in shown
    assert "text" not in shown["interaction"]
    assert parrots.log("interaction.deleted")[-1]["data"]["agent"] == "dana"
    for again in (lambda: parrots.hub.delete("acme", one, agent="dana"), lambda: edit(parrots.hub, one)):
        with pytest.raises(ReplyRefused, match="has been deleted"):
            again()


def edit(hub: Hub, one: str) -> None:
    hub.edit("acme", one, "again", agent="dana")


def test_a_reaction_is_one_and_can_be_taken_back(parrots: Roost) -> None:
    theirs = str(parrots.timeline()[0]["id"])
    for reaction, shown in (("👍", ["👍"]), ("❤", ["❤"]), ("", [])):
        parrots.clock.forward(seconds=1)
        parrots.hub.react("acme", theirs, reaction, agent="dana")
        parrots.hub.drain()
        assert entry(parrots, theirs).get("reactions", []) == shown
    assert [one["type"] for one in parrots.log("reaction.added", "reaction.removed")] == [
        "reaction.added",
        "reaction.added",
        "reaction.removed",
    ]
    with pytest.raises(ReplyRefused, match="one emoji"):
        parrots.hub.react("acme", theirs, "a whole sentence", agent="dana")


def test_none_of_it_is_an_answer(parrots: Roost) -> None:
    theirs, con = str(parrots.timeline()[0]["id"]), parrots.conversation()
    parrots.hub.react("acme", theirs, "👍", agent="dana")
    parrots.hub.typing("acme", con, agent="dana")
    assert parrots.hub.conversation("acme", con).get("unsent", []) == []
    parrots.hub.drain()
    assert "waiting_since" in parrots.hub.conversation("acme", con)


def test_typing_is_shown_and_soon_no_news(parrots: Roost) -> None:
    con = parrots.conversation()
    parrots.hub.typing("acme", con, agent="dana")
    parrots.hub.drain()
    assert parrots.sky.texts() == ["typing"]
    parrots.hub.typing("acme", con, agent="dana")
    parrots.clock.forward(seconds=20)
    parrots.hub.drain()
    assert parrots.sky.texts() == ["typing"]
    assert len(parrots.timeline()) == 1


@pytest.mark.parametrize("verb", ["edit", "delete", "react"])
def test_the_same_key_does_it_once(parrots: Roost, verb: str) -> None:
    one = said(parrots)
    more = {"edit": ["better"], "react": ["👍"]}.get(verb, [])
    for _ in range(3):
        getattr(parrots.hub, verb)("acme", one, *more, agent="dana", key="once")
        parrots.hub.drain()
    assert len(parrots.sky.texts()) == 2
    other = {"edit": ["worse"], "react": ["❤"]}.get(verb)
    if other:
        with pytest.raises(KeyReused, match="'once' was used for another"):
            getattr(parrots.hub, verb)("acme", one, *other, agent="dana", key="once")


def test_a_crash_before_it_went_out_loses_nothing(parrots: Roost) -> None:
    one = said(parrots)
    parrots.hub.edit("acme", one, "better", agent="dana")
    parrots.reopen(Parrot)
    parrots.hub.drain()
    assert entry(parrots, one)["interaction"]["text"] == "better"
    assert parrots.sky.texts()[-1] == "edit.message raven-1 better"


def test_what_failed_changes_nothing(parrots: Roost) -> None:
    one = said(parrots)
    parrots.sky.blocked.add(parrots.timeline()[0]["interaction"]["thread"]["id"])
    parrots.hub.edit("acme", one, "better", agent="dana")
    parrots.hub.drain()
    assert entry(parrots, one)["interaction"]["text"] == "on its way"
    assert entry(parrots, one)["state"] == "sent"
    (failed,) = [one for one in parrots.log("delivery.updated") if one["data"]["state"] == "failed"]
    assert failed["data"]["code"] == "blocked"


def test_a_network_that_cannot_is_named(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    one = said(roost)
    calls = (
        ("edit.message", lambda: roost.hub.edit("acme", one, "better", agent="dana")),
        ("delete.message", lambda: roost.hub.delete("acme", one, agent="dana")),
        ("react", lambda: roost.hub.react("acme", one, "👍", agent="dana")),
        ("typing", lambda: roost.hub.typing("acme", roost.conversation(), agent="dana")),
    )
    for what, call in calls:
        with pytest.raises(ReplyRefused, match=f"tower: the connector for raven does not do {what}"):
            call()
    assert roost.sky.texts() == ["on its way"]
    assert all("can" not in entry for entry in roost.hub.conversation("acme", roost.conversation())["timeline"])


def test_what_may_not_be_read_in_public_is_not_edited_in(parrots: Roost) -> None:
    parrots.hear(message(2, "where is my parcel?", "owl", visibility="public"))
    parrots.reply("on its way", "owl")
    parrots.hub.drain()
    (one,) = [entry["id"] for entry in parrots.timeline("owl") if entry["interaction"]["direction"] == "outbound"]
    with pytest.raises(ReplyRefused) as refused:
        parrots.hub.edit("acme", one, "on its way to kerry@mail.example", agent="dana")
    assert refused.value.refusals
    parrots.hub.drain()
    assert parrots.sky.texts() == ["on its way"]


def test_only_what_we_said_and_what_was_sent(parrots: Roost) -> None:
    theirs = str(parrots.timeline()[0]["id"])
    for call in (parrots.hub.edit, lambda *given, **more: parrots.hub.delete(*given[:2], **more)):
        with pytest.raises(ReplyRefused, match="the customer has written this"):
            call("acme", theirs, "x", agent="dana")
    parrots.reply("soon")
    (waiting,) = [one["id"] for one in parrots.timeline() if one.get("state") == "queued"]
    with pytest.raises(ReplyRefused, match="it is queued and not sent"):
        edit(parrots.hub, waiting)
    parrots.hub.note("acme", parrots.conversation(), "a thought", agent="dana")
    (note,) = [one["id"] for one in parrots.timeline() if one["interaction"]["direction"] == "internal"]
    with pytest.raises(ReplyRefused, match="a note of ours"):
        edit(parrots.hub, note)


@pytest.mark.parametrize("id", ["0", "999999", "-1", "x", "", "9" * 30, "١"])
def test_what_is_not_there(parrots: Roost, id: str) -> None:
    with pytest.raises(NoSuchInteraction):
        edit(parrots.hub, id)


def test_another_tenants_is_not_there(parrots: Roost) -> None:
    one = said(parrots)
    with pytest.raises(NoSuchInteraction):
        parrots.hub.edit("rival", one, "x", agent="dana")


def test_the_page_is_told_what_can_be_done(parrots: Roost) -> None:
    one = said(parrots)
    shown = {
        entry["id"]: entry.get("can") for entry in parrots.hub.conversation("acme", parrots.conversation())["timeline"]
    }
    theirs = str(parrots.timeline()[0]["id"])
    assert shown == {theirs: ["react"], one: ["edit", "delete", "react"]}

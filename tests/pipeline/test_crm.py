"""A CRM is told what happens, in order and once; what people do there happens here; conflicts are shown."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from help_desk import API, Desk, Shop
from raven import bird, deleted, edited, message, thread_id

from socialsupport_core.contract import (
    CRM,
    AgentNoted,
    AgentReplied,
    CaseClosed,
    CaseGone,
    CaseMerged,
    CaseRef,
    ConfigError,
    Contact,
    ContactChanged,
    ContactGone,
    Flow,
    Ref,
)
from socialsupport_core.model import Attachment, Facts, Identifier, Interaction, Page, Payload
from socialsupport_core.pipeline.channels import DoorClosed
from socialsupport_core.store import StoreError


@pytest.fixture
def shop(tmp_path: Path, store: str | Path) -> Iterator[Shop]:
    made = Shop(tmp_path, store)
    yield made
    made.hub.close()


# telling


def test_every_touch_and_answer_is_in_the_case(shop: Shop) -> None:
    shop.say(1, "where is it?")
    shop.reply("on its way")
    shop.hub.note("acme", shop.conversation(), "she is in a hurry", agent="dana")
    shop.hub.drain()
    assert shop.office.told() == ["inbound: where is it?", "outbound: on its way", "internal: she is in a hurry"]
    assert shop.office.cases["case-1"]["name"] == "Kerry"
    assert shop.hub.queue("acme")[0]["cases"] == [{"crm": "desk", "case": "case-1", "url": f"{API}/cases/case-1"}]


def test_an_edit_and_a_removal_are_told(shop: Shop) -> None:
    first = message(1, "whre is it?", at=shop.clock.now)
    shop.hear(first)
    shop.hear(edited(first, "where is it?", 4000))
    assert shop.office.told() == ["inbound: where is it?"]
    shop.hear(deleted(first, 5000))
    assert shop.office.told() == []


def test_what_cannot_be_removed_there_is_said_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "remove_interaction", CRM.remove_interaction)
    first = message(1, "where is it?", at=shop.clock.now)
    shop.hear(first)
    shop.hear(deleted(first, 5000))
    assert shop.office.told()[0] == "inbound: where is it?"
    assert "deleted by its author" in shop.office.told()[1]


def test_what_did_not_arrive_is_said_there(shop: Shop) -> None:
    shop.say(1, "where is it?")
    shop.sky.before = lambda request: (_ for _ in ()).throw(httpx.ConnectError("no", request=request))
    shop.sky.faults.drop = 1
    shop.sky.before = lambda request: None
    shop.reply("on its way")
    shop.hub.drain()
    assert shop.office.told()[1] == "outbound: on its way"
    assert "may not have reached the customer" in shop.office.told()[2]


def test_a_file_of_ours_is_attached_once(shop: Shop) -> None:
    shop.say(1, "where is it?")
    digest = shop.hub.blobs.put(b"the label")
    file = {"media_type": "text/plain", "name": "label.txt", "blob": digest, "size": 9}
    shop.reply("see there", attachments=[file])
    shop.hub.drain()
    assert shop.office.told()[-1] == "file label.txt: the label"
    assert shop.office.asked.count("save") == 3


def test_a_case_that_is_gone_is_followed_by_another(shop: Shop) -> None:
    shop.say(1, "one")
    shop.office.cases["case-1"]["gone"] = True
    shop.say(2, "two")
    assert shop.office.told("case-2") == ["inbound: two"]
    assert shop.office.cases["case-2"]["key"].endswith("~case-1")
    assert shop.log("crm.failed") == []


def test_a_crm_that_takes_nothing_gets_one_case_and_one_complaint_each(shop: Shop) -> None:
    """The second half of the rule: what has never taken anything is not replaced."""
    shop.office._save = lambda **given: httpx.Response(404)  # type: ignore[method-assign]
    shop.say(1, "one")
    shop.say(2, "two")
    assert len(shop.office.cases) == 1
    assert len(shop.log("crm.failed")) == 2


def test_a_mistake_of_the_adapter_holds_nobody_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Desk, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        raise RuntimeError("a mistake")
        yield

    monkeypatch.setattr(Desk, "save_interaction", broken)
    shop.say(1, "one")
    monkeypatch.undo()
    shop.say(2, "two")
    assert shop.office.told() == ["inbound: two"]
    (failed,) = shop.log("crm.failed")
    assert "RuntimeError" in failed["data"]["reason"]


def test_what_the_crm_chokes_on_holds_up_the_rest_for_a_while_only(shop: Shop) -> None:
    save = shop.office._save

    def choke(**given: Any) -> httpx.Response:
        return httpx.Response(500) if given["text"] == "poison" else save(**given)

    shop.office._save = choke  # type: ignore[method-assign]
    shop.say(1, "poison")
    shop.say(2, "two")
    assert shop.office.told() == []
    for _ in range(12):
        shop.clock.forward(minutes=11)
        shop.hub.drain()
    assert shop.office.told() == ["inbound: two"]
    (failed,) = shop.log("crm.failed")
    assert "given up after 12 tries" in failed["data"]["reason"]


def test_a_crm_that_is_away_is_waited_for(shop: Shop) -> None:
    shop.say(1, "one")
    shop.office.faults.unavailable = 100
    shop.say(2, "two")
    for _ in range(30):
        shop.clock.forward(hours=1)
        shop.hub.drain()
    reasons = [one["data"]["reason"] for one in shop.log("crm.failed")]
    (away,) = [one for one in reasons if "news could not be read" not in one]
    assert away.endswith("it is asked until it answers")
    shop.office.faults.unavailable = 0
    shop.clock.forward(hours=1)
    shop.hub.drain()
    assert shop.office.told() == ["inbound: one", "inbound: two"]


def test_the_name_of_a_crm_can_stand_in_evidence(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="begins with a letter"):
        shop.hub.add_crm("acme", "help-desk", "desk", {})
    with pytest.raises(ConfigError, match="did you mean newest"):
        shop.hub.add_crm("acme", "desk", "desk", {}, rules={"status": "newst"})


# hearing


@pytest.mark.parametrize("way", ["webhook", "poll", "both"])
def test_a_reply_there_goes_out_once(shop: Shop, way: str) -> None:
    shop.say(1, "where is it?")
    reply = shop.replied("r-1", "On its way.", agent_name="Max", record="note-7")
    if way != "webhook":
        shop.office.news.append(reply)
    if way != "poll":
        shop.happens(reply)
        shop.happens(reply)
    shop.clock.forward(minutes=1)
    shop.hub.drain()
    assert [one["text"] for one in shop.sky.messages] == ["On its way."]
    entry = shop.timeline()[-1]
    assert (entry["state"], entry["agent"]) == ("sent", "crm.desk.max")
    assert shop.office.told() == ["inbound: where is it?"]  # it is there already


def test_a_long_id_of_a_reply_is_not_mixed_up_with_another(shop: Shop) -> None:
    shop.say(1, "where is it?")
    shop.happens(shop.replied("r" * 300 + "1", "one"), shop.replied("r" * 300 + "2", "two"))
    assert [one["text"] for one in shop.sky.messages] == ["one", "two"]
    assert shop.office.told() == ["inbound: where is it?"]


def test_what_we_saved_is_no_reply(shop: Shop) -> None:
    shop.say(1, "where is it?")
    record = next(iter(shop.office.records))
    shop.happens(shop.replied("r-1", "where is it?", record=record))
    assert shop.sky.messages == []


def test_a_note_there_is_a_note_here_and_leaves_neither(shop: Shop) -> None:
    shop.say(1, "where is it?")
    note = AgentNoted(id="n-1", case="case-1", agent="max", text="she is cross", at=shop.clock.now)
    shop.happens(note)
    shop.happens(note)
    assert shop.texts() == ["where is it?", "she is cross"]
    assert shop.timeline()[-1]["interaction"]["direction"] == "internal"
    assert shop.sky.messages == []
    assert shop.office.told() == ["inbound: where is it?"]


def test_a_reply_with_files_waits_for_them_and_what_comes_next_waits_behind(shop: Shop) -> None:
    shop.say(1, "where is it?")
    shop.office.faults.unavailable = 10
    file = Attachment(native_id="f-1", media_type="text/plain", name="list.txt")
    shop.happens(shop.replied("r-1", "see the list", attachments=(file,)))
    shop.clock.forward(seconds=1)
    shop.happens(shop.replied("r-2", "and answer"))
    assert shop.sky.messages == []
    shop.office.faults.unavailable = 0
    for _ in range(3):
        shop.clock.forward(hours=1)
        shop.hub.drain()
    sent = [one["interaction"] for one in shop.timeline() if one["interaction"]["direction"] == "outbound"]
    assert [one.get("text") for one in sent] == ["see the list", "and answer"]
    (kept,) = sent[0]["attachments"]
    assert shop.hub.blobs.get(kept["blob"]) == b"the list"


def test_a_file_that_is_gone_is_told_to_both_sides(shop: Shop) -> None:
    shop.say(1, "where is it?")
    shop.happens(shop.replied("r-1", "see the list", attachments=(Attachment(native_id="gone"),)))
    shop.hub.drain()
    assert shop.sky.messages == []
    assert "a file could not be had" in shop.texts()[-1]
    assert "> see the list" in shop.office.told()[-1]


def test_what_may_not_be_said_is_told_to_both_sides(shop: Shop) -> None:
    shop.say(1, "where is it?")
    shop.clock.forward(days=3)
    shop.happens(shop.replied("r-1", "On its way."))
    assert shop.sky.messages == []
    assert "was not sent to the customer" in shop.texts()[-1]
    assert shop.office.told()[-1].startswith("internal: What max wrote in desk was not sent")
    shop.happens(shop.replied("r-1", "On its way."))
    assert len(shop.texts()) == 2


def test_a_merged_case_goes_on_as_the_other(shop: Shop) -> None:
    shop.say(1, "one")
    shop.office._open("elsewhere", "Somebody")
    shop.happens(CaseMerged(id="e-1", case="case-1", into="case-2", at=shop.clock.now))
    shop.say(2, "two")
    assert shop.office.told("case-2") == ["inbound: two"]
    shop.happens(AgentReplied(id="r-1", case="case-2", agent="max", text="Yes.", at=shop.clock.now))
    assert [one["text"] for one in shop.sky.messages] == ["Yes."]


def test_a_deleted_case_is_followed_by_another(shop: Shop) -> None:
    shop.say(1, "one")
    shop.happens(CaseGone(id="e-1", case="case-1", at=shop.clock.now))
    shop.say(2, "two")
    assert shop.office.told("case-2") == ["inbound: two"]


def test_a_payload_on_which_the_adapter_chokes_is_in_quarantine(shop: Shop) -> None:
    shop.say(1, "one")
    shop.happens(body=b"boom")
    assert shop.journal()["quarantined"] == 1


def test_news_that_cannot_be_read_are_told_once(shop: Shop) -> None:
    shop.office._news = lambda after: httpx.Response(403)  # type: ignore[method-assign]
    for _ in range(3):
        shop.clock.forward(minutes=5)
        shop.hub.drain()
    (failed,) = shop.log("crm.failed")
    assert "news could not be read" in failed["data"]["reason"]


def test_who_we_are_there_is_asked_once(shop: Shop) -> None:
    for number in range(3):
        shop.say(number, f"text {number}")
    assert shop.office.asked.count("whoami") == 1
    assert next(iter(shop.hub.crms.by_door().values())).adapter.facts.own_account == "us"


def test_who_we_are_is_asked_again_when_the_settings_are_others(shop: Shop) -> None:
    shop.say(1, "one")
    shop.hub.add_crm("acme", "desk", "desk", {})
    shop.say(2, "two")
    assert shop.office.asked.count("whoami") == 2
    assert shop.office.told() == ["inbound: one", "inbound: two"]


def test_a_cursor_that_stands_still_is_no_endless_loop(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def poll(self: Desk, cursor: str | None) -> Flow[Page]:
        yield from self.call("whoami")
        return Page(cursor="7", more=True)

    monkeypatch.setattr(Desk, "poll", poll)
    shop.say(1, "one")
    shop.clock.forward(minutes=1)
    shop.hub.drain()
    assert shop.office.told() == ["inbound: one"]


# people


def _customers(shop: Shop) -> tuple[str, str]:
    kerry, fisher = (shop.hub.customer("acme", f"raven.ring:{name}")["id"] for name in ("kerry", "fisher"))
    return kerry, fisher


def _contact(*names: str) -> Contact:
    known = tuple(Identifier(kind="raven.ring", value=name) for name in names)
    return Contact(id="p-1", identifiers=known, verified=frozenset(known), name="Kerry Fisher", fields={"plan": "gold"})


def test_a_contact_that_changes_joins_and_parts(shop: Shop) -> None:
    shop.office.contacts = [_contact("kerry")]
    shop.say(1, "one")
    shop.say(2, "two", "fisher")
    assert len(set(_customers(shop))) == 2
    for round in range(2):  # what was taken back may be said again
        shop.happens(ContactChanged(id=f"c-{round}", contact=_contact("kerry", "fisher"), at=shop.clock.now))
        assert len(set(_customers(shop))) == 1
        shop.clock.forward(minutes=1)
        shop.happens(ContactChanged(id=f"d-{round}", contact=_contact("kerry"), at=shop.clock.now))
        assert len(set(_customers(shop))) == 2
        shop.clock.forward(minutes=1)


def test_a_contact_that_is_gone_is_evidence_no_more(shop: Shop) -> None:
    shop.office.contacts = [_contact("kerry", "fisher")]
    shop.say(1, "one")
    shop.say(2, "two", "fisher")
    assert len(set(_customers(shop))) == 1
    shop.happens(ContactGone(id="c-1", contact="p-1", at=shop.clock.now))
    assert len(set(_customers(shop))) == 2
    assert "gold" not in json.dumps(shop.hub.customer("acme", "raven.ring:kerry"))


def test_the_crm_is_asked_by_all_that_the_network_tells(shop: Shop) -> None:
    phone = Identifier(kind="phone", value="+15550147")
    shop.office.contacts = [Contact(id="p-1", identifiers=(phone,), name="Kerry Fisher")]
    shop.say(1, "one", author="kerry")
    both = message(2, "two", "wren", at=shop.clock.now)
    author = bird("wren", phone)
    shop.hear(both.model_copy(update={"interaction": both.interaction.model_copy(update={"author": author})}))
    assert "Kerry Fisher" in json.dumps(shop.hub.customer("acme", "raven.ring:wren"))


def test_the_crm_is_asked_about_every_account_of_a_case(shop: Shop) -> None:
    shop.say(1, "one")
    shop.say(2, "two", "fisher", thread=thread_id("kerry"))
    assert len(shop.office.cases) == 1
    assert shop.office.asked.count("find") == 2


# fields


def test_closing_and_opening_go_both_ways(shop: Shop) -> None:
    shop.say(1, "one")
    name = shop.conversation()
    shop.hub.resolve("acme", name, agent="dana")
    shop.hub.drain()
    assert shop.office.cases["case-1"]["status"] == "closed"
    shop.hub.reopen("acme", name, agent="dana")
    shop.hub.drain()
    assert shop.office.cases["case-1"]["status"] == "open"
    shop.clock.forward(minutes=1)
    shop.happens(CaseClosed(id="e-1", case="case-1", at=shop.clock.now))
    assert shop.status() == "resolved"
    shop.clock.forward(minutes=1)
    shop.happens(shop.changed("e-2", status="open", assignee="max"))
    assert (shop.status(), shop.assignee()) == ("open", "crm.desk.max")
    assert shop.log("crm.conflict") == []


def test_whom_it_is_assigned_to_is_told_where_the_crm_knows_them(shop: Shop) -> None:
    shop.say(1, "one")
    shop.hub.add_agent("acme", "crm.desk.max", "Max")
    shop.hub.assign("acme", shop.conversation(), "crm.desk.max", agent="dana")
    shop.hub.drain()
    assert shop.office.cases["case-1"]["assignee"] == "max"
    shop.hub.assign("acme", shop.conversation(), "dana", agent="dana")
    shop.hub.drain()
    assert shop.office.cases["case-1"]["assignee"] == "max"


def test_an_old_change_does_not_undo_a_newer_one(shop: Shop) -> None:
    shop.say(1, "one")
    old = shop.changed("e-1", status="closed")
    shop.clock.forward(minutes=1)
    shop.happens(shop.changed("e-2", status="closed"))
    shop.clock.forward(minutes=1)
    shop.happens(shop.changed("e-3", status="open"))
    shop.happens(old)
    assert shop.status() == "open"


def test_a_crm_whose_clock_is_late_is_heard_all_the_same(shop: Shop) -> None:
    shop.office.behind = timedelta(minutes=10)
    shop.say(1, "one")
    shop.hub.resolve("acme", shop.conversation(), agent="dana")
    shop.hub.drain()
    shop.clock.forward(minutes=1)
    told = shop.changed("e-1", status="open")
    shop.happens(told.model_copy(update={"at": told.at - shop.office.behind}))
    assert shop.status() == "open"


@pytest.mark.parametrize(
    ("rules", "theirs_later", "stands"),
    [
        ({}, True, "closed"),
        ({}, False, "open"),
        ({"status": "ours"}, True, "open"),
        ({"status": "theirs"}, False, "closed"),
    ],
)
@pytest.mark.parametrize("way", ["told", "read"])
def test_a_conflict_has_a_rule_and_is_shown(
    shop: Shop, rules: dict[str, str], theirs_later: bool, stands: str, way: str
) -> None:
    """Both agree that it is resolved; here it is reopened, there somebody says something else."""
    shop.hub.add_crm("acme", "desk", "desk", {}, rules=rules)
    shop.say(1, "one")
    name = shop.conversation()
    shop.hub.add_agent("acme", "crm.desk.max", "Max")
    shop.hub.resolve("acme", name, agent="dana")
    shop.hub.drain()
    shop.hub.reopen("acme", name, agent="dana")
    shop.hub.drain()
    # from here on: agreed is open; ours becomes resolved, theirs gets an assignee and stays open: no conflict
    shop.clock.forward(minutes=1)
    shop.hub.resolve("acme", name, agent="dana")
    shop.office.change("case-1", assignee="max")
    shop.hub.drain()
    assert (shop.office.cases["case-1"]["status"], shop.assignee()) == ("closed", "crm.desk.max")
    assert shop.log("crm.conflict") == []
    # now both change who works on it
    shop.hub.add_agent("acme", "crm.desk.ann", "Ann")
    first, second = ("ours", "theirs") if theirs_later else ("theirs", "ours")
    rule = {"assignee": rules["status"]} if rules else {}
    shop.hub.add_crm("acme", "desk", "desk", {}, rules=rule)
    event = None
    for side in (first, second):
        shop.clock.forward(minutes=1)
        if side == "ours":
            shop.hub.assign("acme", name, "crm.desk.ann", agent="dana")
        else:
            event = shop.changed("e-9", assignee="zoe")
            shop.office.change("case-1", assignee="zoe")
    if way == "told" and event:
        shop.hub.receive(shop.door, Payload(body=json.dumps([json.loads(event.to_json())]).encode(),
                                            received_at=shop.clock())).result()  # fmt: skip
        shop.hub.workers.record_waiting()
    shop.hub.drain()
    kept = "zoe" if stands == "closed" else "ann"
    assert shop.assignee() == f"crm.desk.{kept}"
    assert shop.office.cases["case-1"]["assignee"] == kept
    (shown,) = shop.log("crm.conflict")
    told = shown["data"]
    assert (told["field"], told["ours"], told["theirs"]) == ("assignee", "ann", "zoe")
    assert told["kept"] == ("theirs" if kept == "zoe" else "ours")


def test_a_change_between_reading_and_writing_is_looked_at_again(shop: Shop) -> None:
    shop.say(1, "one")
    reads = shop.office._read

    def read(case: str) -> httpx.Response:
        answer = reads(case)
        shop.office._read = reads  # type: ignore[method-assign]
        shop.office.change(case, assignee="max")
        return answer

    shop.office._read = read  # type: ignore[method-assign]
    shop.hub.resolve("acme", shop.conversation(), agent="dana")
    shop.hub.drain()
    assert shop.office.cases["case-1"]["status"] == "closed"
    assert shop.assignee() == "crm.desk.max"


def test_erasing_takes_the_cases_along(shop: Shop) -> None:
    shop.say(1, "one")
    shop.happens(shop.replied("r-1", "x", attachments=(Attachment(native_id="f-1"),)))
    told = shop.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert [(one["case"], one["state"]) for one in told["crm"] if "case" in one] == [("case-1", "queued")]
    shop.hub.drain()
    (asked,) = [one for one in shop.hub.erasures("acme")[0]["crm"] if "case" in one]
    assert asked["state"] == "by_hand"


# an adapter that cannot run, or stumbles


class Stumbling(Desk):
    name = "stumbling"

    def probe(self) -> Flow[Facts]:
        raise KeyError("desk-token-1")


def test_one_that_stumbles_over_who_we_are_keeps_no_other_from_being_told(shop: Shop) -> None:
    shop.restart(Desk, Stumbling)
    shop.say(1, "where is it?")
    shop.hub.add_crm("acme", "a_first", "stumbling", {})
    shop.say(2, "anybody?")
    assert shop.office.told() == ["inbound: where is it?", "inbound: anybody?"]
    complaints = [one["data"] for one in shop.log("crm.failed")]
    assert [(one["crm"], one["reason"]) for one in complaints] == [("a_first", "stumbling failed: KeyError")]


class Fragile(Desk):
    def __init__(self, *given: Any) -> None:
        raise RuntimeError("desk-token-1")


@pytest.mark.parametrize(("adapters", "reason"), [((), "there is no CRM adapter"), ((Fragile,), "RuntimeError")])
def test_one_that_cannot_run_stops_nothing_else_and_misses_nothing(
    shop: Shop, adapters: tuple[type[CRM[Any]], ...], reason: str
) -> None:
    shop.say(1, "where is it?")
    waiting = json.dumps([json.loads(shop.replied("r1", "on its way").to_json())]).encode()
    shop.hub.receive(shop.door, Payload(body=waiting, received_at=shop.clock())).result()
    shop.restart(*adapters)
    shop.say(2, "anybody?")
    assert shop.texts() == ["where is it?", "anybody?"]
    assert (shop.journal()["waiting"], shop.journal()["quarantined"]) == (1, 0)
    with pytest.raises(DoorClosed):
        shop.hub.receive(shop.door, Payload(body=b"[]", received_at=shop.clock()))
    shop.hub.start()
    health = shop.hub.health()
    assert health["status"] == "degraded"
    assert any("acme/crm desk is broken here" in one and reason in one for one in health["failing"]), health["failing"]
    assert "desk-token-1" not in str(health)
    with pytest.raises(ConfigError, match=reason):
        shop.hub.crms.get("acme", "desk")
    shop.restart(Desk)
    shop.hub.drain()
    assert shop.office.told()[:2] == ["inbound: where is it?", "inbound: anybody?"]
    assert shop.texts()[-1] == "on its way"
    assert shop.hub.add_crm("acme", "desk", "desk", {}).rsplit("/", 1)[1] == shop.door


def test_a_store_that_is_away_as_plugins_are_made_breaks_none_of_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*given: Any) -> Any:
        raise shop.trouble("the server is away")

    for kept, look in ((shop.hub.crms, shop.hub.crms.by_door), (shop.hub.channels, shop.hub.channels.all)):
        kept.forget()
        with monkeypatch.context() as patched:
            patched.setattr(kept._secrets, "get", away)
            with pytest.raises(StoreError):
                look()
        assert look()
        assert not kept.broken

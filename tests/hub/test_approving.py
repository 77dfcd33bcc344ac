"""What needs approval waits for a second person, and goes out once, as it was written, or not at all."""

import os
import threading
from typing import Any

import pytest
from raven import Parrot, Roost, message

from socialsupport_core.contract import Draft, Refusal
from socialsupport_core.hub import ApprovalRefused, KeyReused, NoSuchApproval, ReplyRefused
from socialsupport_core.model import SendMessage
from socialsupport_core.pipeline import outbound
from socialsupport_core.store import approvals

SAID = "I guarantee that it is there on Friday."


@pytest.fixture
def held(roost: Roost) -> Roost:
    """Kerry has asked, and kim may approve."""
    roost.hub.add_agent("acme", "kim", "Kim")
    roost.hub.add_agent("acme", "lee", "Lee")
    roost.hub.issue_token("acme", "kim", ("read", "approve"))
    roost.hear(message(1, "when does it come?", at=roost.clock.now))
    return roost


def ask(roost: Roost, text: str = SAID, **how: Any) -> str:
    found = roost.reply(text, **{"key": "once"} | how)
    assert found["parts"] == []
    return str(found["approval"]["id"])


def waiting(roost: Roost) -> list[dict[str, Any]]:
    return roost.hub.approvals("acme")


def test_it_waits_and_nothing_goes_out(held: Roost) -> None:
    id = ask(held)
    held.hub.drain()
    assert held.sky.texts() == []
    (one,) = waiting(held)
    assert (one["id"], one["agent"], one["text"], one["state"]) == (id, "dana", SAID, "waiting")
    assert [rule["rule"] for rule in one["rules"]] == ["no_guarantees"]
    assert one["rules"][0]["spans"] == [[0, 11]]
    shown = held.hub.conversation("acme", held.conversation())
    assert [each["id"] for each in shown["approvals"]] == [id]
    assert "waiting_since" in shown
    assert held.hub.approvals("rival") == []
    (told,) = held.log("approval.asked")
    assert told["data"] == {
        "approval": id,
        "state": "waiting",
        "agent": "dana",
        "by": "dana",
        "rules": "no_guarantees",
    }


def test_a_plan_tells_it_beforehand(held: Roost) -> None:
    plan = held.hub.plan("acme", held.conversation(), SAID, agent="dana")
    assert plan["possible"]
    assert plan["refusals"] == []
    assert [one["rule"] for one in plan["approvals"]] == ["no_guarantees"]


def test_where_nobody_may_approve_it_is_a_hint(roost: Roost) -> None:
    roost.hear(message(1, "when?"))
    plan = roost.hub.plan("acme", roost.conversation(), SAID, agent="dana")
    assert "nobody may approve it" in plan["warnings"][0]["reason"]
    assert roost.reply(SAID)["parts"]
    roost.hub.set_guidance("acme", {"policy": {"approvals": True}})
    assert roost.reply(SAID)["parts"] == []
    roost.hub.set_guidance("acme", {"policy": {"approvals": False}})
    assert roost.reply(SAID)["parts"]


def test_ones_own_token_does_not_make_a_second_person(roost: Roost) -> None:
    roost.hub.add_agent("acme", "robin", "Robin", is_bot=True)
    for agent in ("dana", "robin"):
        roost.hub.issue_token("acme", agent, ("approve",))
    roost.hear(message(1, "when?"))
    assert roost.reply(SAID)["parts"]


def test_approved_it_goes_out_as_it_was_written_in_its_authors_name(held: Roost) -> None:
    id = ask(held)
    done = held.hub.approve("acme", id, agent="kim")
    assert [part["state"] for part in done["parts"]] == ["queued"]
    held.hub.drain()
    assert held.sky.texts() == [SAID]
    assert held.timeline()[-1]["agent"] == "dana"
    assert waiting(held) == []
    (one,) = held.hub.approvals("acme", waiting=False)
    assert (one["state"], one["decided_by"], one["edited"]) == ("approved", "kim", False)
    assert held.log("approval.decided")[0]["data"]["by"] == "kim"
    assert "waiting_since" not in held.hub.conversation("acme", held.conversation())


def test_the_approver_may_write_it_otherwise(held: Roost) -> None:
    held.hub.approve("acme", ask(held), agent="kim", text="It should be there on Friday.")
    held.hub.drain()
    assert held.sky.texts() == ["It should be there on Friday."]
    assert held.hub.approvals("acme", waiting=False)[0]["edited"]
    again = held.reply(SAID, key="once")
    assert again["approval"]["state"] == "approved"
    assert len(again["parts"]) == 1
    held.hub.drain()
    assert len(held.sky.texts()) == 1


def test_what_the_approver_writes_is_checked_too(held: Roost) -> None:
    id = ask(held)
    with pytest.raises(ReplyRefused, match="offends"):
        held.hub.approve("acme", id, agent="kim", text="Shut up.")
    with pytest.raises(ApprovalRefused, match="no text left"):
        held.hub.approve("acme", id, agent="kim", text="  ")
    assert len(waiting(held)) == 1


def test_nobody_approves_their_own_and_no_bot_does(held: Roost) -> None:
    id = ask(held)
    held.hub.add_agent("acme", "robin", "Robin", is_bot=True)
    for agent, why in (("dana", "of their own"), ("robin", "bot")):
        with pytest.raises(ApprovalRefused, match=why):
            held.hub.approve("acme", id, agent=agent)
        with pytest.raises(ApprovalRefused, match=why):
            held.hub.refuse_reply("acme", id, "no", agent=agent)
    with pytest.raises(NoSuchApproval):
        held.hub.approve("rival", id, agent="dana")
    assert len(waiting(held)) == 1


def test_refused_with_a_word_it_comes_back_to_its_author(held: Roost) -> None:
    id = ask(held)
    with pytest.raises(ApprovalRefused, match="in a word why"):
        held.hub.refuse_reply("acme", id, " ", agent="kim")
    held.hub.refuse_reply("acme", id, "we do not know that", agent="kim")
    (one,) = held.hub.conversation("acme", held.conversation())["approvals"]
    assert (one["state"], one["word"]) == ("refused", "we do not know that")
    with pytest.raises(ReplyRefused, match="kim has refused it: we do not know that"):
        held.reply(SAID, key="once")
    with pytest.raises(ApprovalRefused, match="refused already, by kim"):
        held.hub.approve("acme", id, agent="lee")
    held.hub.drain()
    assert held.sky.texts() == []


def test_only_its_author_withdraws_it(held: Roost) -> None:
    id = ask(held)
    with pytest.raises(ApprovalRefused, match="only dana"):
        held.hub.withdraw_reply("acme", id, agent="kim")
    held.hub.withdraw_reply("acme", id, agent="dana")
    assert waiting(held) == []
    with pytest.raises(ReplyRefused, match="withdrawn"):
        held.reply(SAID, key="once")


def test_after_its_time_it_does_not_go_out(held: Roost) -> None:
    id = ask(held)
    held.clock.forward(hours=25)
    with pytest.raises(ApprovalRefused, match="in time"):
        held.hub.approve("acme", id, agent="kim")
    held.hub.drain()
    (told,) = held.log("approval.decided")
    assert (told["data"]["state"], told["data"]["by"]) == ("expired", "hub")
    with pytest.raises(ReplyRefused, match="nobody approved it in time"):
        held.reply(SAID, key="once")
    held.clock.forward(days=31)
    held.hub.drain()
    assert SAID not in held.dump()


def test_the_same_key_again_is_the_same_reply(held: Roost) -> None:
    id = ask(held)
    assert ask(held) == id
    assert len(waiting(held)) == 1
    with pytest.raises(KeyReused, match="used for another reply"):
        held.reply("I promise something else.", key="once")
    held.hub.approve("acme", id, agent="kim")
    again = held.reply(SAID, key="once")
    assert [part["state"] for part in again["parts"]] == ["queued"]
    held.hub.drain()
    assert held.sky.texts() == [SAID]


def test_a_rule_that_is_switched_off_meanwhile_sends_nothing_behind_the_queue(held: Roost) -> None:
    id = ask(held)
    held.hub.set_guidance("acme", {"policy": {"rules": {"no_guarantees": {"verdict": "off"}}}})
    assert ask(held) == id
    held.hub.approve("acme", id, agent="kim")
    held.hub.drain()
    assert held.sky.texts() == [SAID]


def test_of_two_approvers_at_once_one_is_told_that_it_is_done(held: Roost) -> None:
    id, results = ask(held), list[Any]()

    def approve(agent: str) -> None:
        try:
            results.append(held.hub.approve("acme", id, agent=agent))
        except ApprovalRefused as error:
            results.append(error)

    threads = [threading.Thread(target=approve, args=(agent,)) for agent in ("kim", "lee")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    held.hub.drain()
    assert sorted(isinstance(one, ApprovalRefused) for one in results) == [False, True]
    assert held.sky.texts() == [SAID]


def test_the_customer_who_wrote_meanwhile_is_heard_first(held: Roost) -> None:
    id = ask(held)
    held.clock.forward(minutes=1)
    held.hear(message(2, "never mind, I have found it", at=held.clock.now))
    assert waiting(held)[0]["wrote_since"]
    with pytest.raises(ApprovalRefused, match="has written since"):
        held.hub.approve("acme", id, agent="kim")
    held.hub.approve("acme", id, agent="kim", anyway=True)
    held.hub.drain()
    assert held.sky.texts() == [SAID]


def test_decision_and_outbox_are_one_commit(held: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    id = ask(held)

    def broken(*_: Any) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(outbound, "enqueue", broken)
        with pytest.raises(RuntimeError):
            held.hub.approve("acme", id, agent="kim")
    assert [one["state"] for one in waiting(held)] == ["waiting"]
    assert held.log("approval.decided") == []
    held.hub.approve("acme", id, agent="kim")
    held.reopen()
    held.hub.drain()
    assert held.sky.texts() == [SAID]


def test_what_waits_outlives_a_restart(held: Roost) -> None:
    id = ask(held)
    held.reopen()
    assert [one["id"] for one in waiting(held)] == [id]
    assert ask(held) == id


def test_the_guard_has_the_last_word(held: Roost) -> None:
    held.hear(message(3, "my lamp is broken", "finn", visibility="public", at=held.clock.now))
    id = held.reply("We'll refund you.", "finn", key="other")["approval"]["id"]
    with pytest.raises(ReplyRefused, match="e-mail"):
        held.hub.approve("acme", id, agent="kim", text="We wrote to finn@mail.example.")
    held.hub.approve("acme", id, agent="kim")


def test_an_edit_waits_as_well(tmp_path: Any, store: Any) -> None:
    roost = Roost(tmp_path, Parrot, store=store)
    roost.hub.set_guidance("acme", {"policy": {"approvals": True}})
    roost.hub.add_agent("acme", "kim", "Kim")
    roost.hear(message(1, "when?", at=roost.clock.now))
    roost.reply("soon")
    roost.hub.drain()
    one = str(roost.timeline()[-1]["id"])
    done = roost.hub.edit("acme", one, SAID, agent="dana", key="edit")
    roost.hub.drain()
    assert roost.sky.texts() == ["soon"]
    roost.hub.approve("acme", done["approval"]["id"], agent="kim")
    roost.hub.drain()
    assert roost.sky.texts() == ["soon", f"edit.message raven-1 {SAID}"]
    roost.hub.close()


def test_a_note_is_nobodys_business(held: Roost) -> None:
    held.hub.note("acme", held.conversation(), SAID + " Shut up.", agent="dana")
    assert waiting(held) == []
    assert held.timeline()[-1]["interaction"]["text"].endswith("Shut up.")


def test_words_of_a_hand_off_are_not_held_but_refused(held: Roost) -> None:
    held.hub.set_templates("acme", "[en]\nprivate_link = 'I guarantee it: {url} {until} {where}'\n")
    held.hub.set_guidance("acme", {"policy": {"new_agents": {"dana": "2030-01-01"}}})
    half = held.hub._database.read(
        lambda tx: held.hub.desk.half(tx, _leg(held, tx), "I guarantee it.", _dana(held, tx), "k").reasons
    )
    assert half == ["this binds us to what nobody can be sure of"]
    assert held.hub._database.read(
        lambda tx: held.hub.desk.half(tx, _leg(held, tx), "Go on here.", _dana(held, tx), "k").is_possible
    )


def _leg(roost: Roost, tx: Any) -> Any:
    from socialsupport_core.store import conversations

    return conversations.legs(tx, "acme", roost.conversation())[0]


def _dana(roost: Roost, tx: Any) -> Any:
    from socialsupport_core.hub.base import agent_of

    return agent_of(tx, "acme", "dana")


def test_a_plugin_may_ask_for_approval_or_only_warn(tmp_path: Any, store: Any) -> None:
    def careful(draft: Draft) -> Refusal | None:
        said = draft.intent.text if isinstance(draft.intent, SendMessage) else None
        verdict: Any = {"look": "approval", "hm": "warn", "no": "refuse"}.get(said or "")
        return Refusal(rule="careful", reason="said so", remedy="", verdict=verdict) if verdict else None

    roost = Roost(tmp_path, store=store, policies=(careful,))
    roost.hub.set_guidance("acme", {"policy": {"approvals": True}})
    roost.hear(message(1, "when?"))
    assert roost.reply("look")["approval"]["rules"][0]["rule"] == "careful"
    assert roost.hub.plan("acme", roost.conversation(), "hm", agent="dana")["warnings"][0]["rule"] == "careful"
    assert roost.reply("hm")["parts"]
    with pytest.raises(ReplyRefused, match="said so"):
        roost.reply("no")
    roost.hub.close()


def test_who_is_erased_leaves_nothing_that_waits(held: Roost) -> None:
    ask(held, "I promise it to Zebulon-Kerry.")
    held.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert waiting(held) == []
    assert "Zebulon" not in held.dump()


def test_a_file_of_what_was_never_sent_goes_with_the_customer(held: Roost) -> None:
    digest = held.hub.blobs.put(b"a drawing for kerry")
    file = {"blob": digest, "media_type": "image/png", "name": "drawing.png"}
    ask(held, attachments=[file])
    assert held.hub.blobs.get(digest) == b"a drawing for kerry"
    held.hub.erase("acme", "raven.ring:kerry", agent="dana")
    with pytest.raises(LookupError):
        held.hub.blobs.get(digest)


def test_a_file_is_kept_for_as_long_as_its_reply_waits(held: Roost) -> None:
    held.hub.set_guidance("acme", {"policy": {"expires": "P3D"}})
    digest = held.hub.blobs.put(b"a drawing for kerry")
    (path,) = held.path.parent.rglob(f"*{digest}")
    os.utime(path, (held.clock().timestamp(),) * 2)
    id = ask(held, attachments=[{"blob": digest, "media_type": "image/png", "name": "drawing.png"}])
    held.clock.forward(days=2)
    held.hub.drain()
    assert held.hub.blobs.get(digest) == b"a drawing for kerry"
    held.hub.refuse_reply("acme", id, "not like that", agent="kim")
    held.clock.forward(hours=2)
    held.hub.drain()
    with pytest.raises(LookupError):
        held.hub.blobs.get(digest)


def test_a_decision_falls_once_whoever_asks_the_store(held: Roost) -> None:
    id = ask(held)

    def decide(tx: Any, state: Any) -> bool:
        one = approvals.get(tx, "acme", id)
        assert one is not None
        return approvals.decide(tx, one, state, "kim", 1)

    assert held.hub._database.do(lambda tx: (decide(tx, "refused"), decide(tx, "approved"))) == (True, False)


def test_the_same_key_is_the_same_reply_wherever_the_customer_has_gone_since(held: Roost) -> None:
    first = held.reply(SAID, key="once")
    held.clock.forward(minutes=1)
    path = held.hub.add_channel("acme", "bridge", "raven", {}, mode="webhook")
    held.doors["bridge"] = path.rsplit("/", 1)[1]
    held.hub.receive(held.doors["bridge"], held.payload(message(9, "and here?", at=held.clock.now))).result()
    held.hub.drain()
    shown = held.hub.conversation("acme", held.conversation())
    assert {leg["channel"] for leg in shown["legs"]} == {"tower", "bridge"}
    again = held.reply(SAID, key="once")
    assert (again["approval"]["id"], again["leg"]) == (first["approval"]["id"], first["leg"])

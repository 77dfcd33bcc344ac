"""Messages are sorted as they come: into the queue or out of it, with reasons, and as agents have said before."""

from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, edited, message

from socialsupport_core.contract import ConfigError, Heard, Triage, Verdict, hookimpl
from socialsupport_core.model import Reach

COUPON = "any promo codes for new customers?"


def say(roost: Roost, number: int, text: str, name: str = "kerry", **more: Any) -> None:
    roost.hear(message(number, text, name, at=roost.clock.now, **more))
    roost.clock.forward(minutes=1)


def names(roost: Roost, **asked: Any) -> list[str]:
    return [one["customer"]["name"].lower() for one in roost.hub.queue("acme", **asked)]


def stands(roost: Roost, name: str = "kerry") -> dict[str, Any]:
    found: dict[str, Any] = roost.hub.conversation("acme", roost.conversation(name))["triage"]
    return found


def test_marketing_is_kept_out_of_the_queue_and_a_filter_shows_it(roost: Roost) -> None:
    say(roost, 1, COUPON, "kerry")
    say(roost, 2, "my lamp is broken", "flo")
    assert names(roost) == ["flo"]
    assert names(roost, noise=True) == ["kerry"]
    assert names(roost, status=None) == ["kerry", "flo"]
    assert names(roost, kind="promotion", noise=True) == ["kerry"]
    assert names(roost, kind="complaint") == ["flo"]
    assert (stands(roost)["kind"], stands(roost)["noise"]) == ("promotion", True)
    (told,) = roost.log("conversation.triaged")
    assert told["data"] == {
        "kind": "promotion",
        "noise": True,
        "reasons": ["promotion: “promo codes”"],
        "by": "rules",
    }


def test_one_call_brings_it_back_and_is_remembered_for_the_sender(roost: Roost) -> None:
    say(roost, 1, COUPON)
    first = roost.conversation()
    shown = roost.hub.triage("acme", first, "question", agent="dana")
    assert (shown["kind"], shown["noise"], shown["by"]) == ("question", False, "agent")
    assert shown["reasons"] == ["question: dana says so"]
    assert names(roost) == ["kerry"]
    assert "due_at" not in shown
    roost.hub.drain()
    assert stands(roost)["due_at"]
    roost.clock.forward(days=30)
    say(roost, 2, "is there a giveaway?", visibility="public")
    assert roost.conversation() != first
    assert len(names(roost)) == 2
    assert len(roost.log("conversation.triaged")) == 2
    entries = roost.hub.conversation("acme", first)["entries"]
    assert entries[0]["triage"]["by"] == "agent"


def test_an_agent_takes_somebody_out_and_a_complaint_comes_in_all_the_same(roost: Roost) -> None:
    say(roost, 1, "hello there")
    assert names(roost) == ["kerry"]
    roost.hub.triage("acme", roost.conversation(), "spam", agent="dana")
    assert names(roost) == []
    say(roost, 2, "anybody?", visibility="public")
    assert names(roost) == []
    say(roost, 3, "my lamp is broken", visibility="public")
    assert names(roost) == ["kerry"]


def test_a_matter_of_support_stays_one_whatever_is_said_in_it(roost: Roost) -> None:
    say(roost, 1, "my lamp is broken")
    say(roost, 2, COUPON)
    assert names(roost) == ["kerry"]
    assert stands(roost)["kind"] == "complaint"


def test_somebody_after_a_coupon_who_turns_out_to_be_in_need_is_in_the_queue(roost: Roost) -> None:
    say(roost, 1, COUPON)
    say(roost, 2, "and my lamp is broken, it smells of smoke")
    assert names(roost) == ["kerry"]
    shown = stands(roost)
    assert (shown["kind"], shown["urgency"], shown["noise"]) == ("complaint", "high", False)
    assert [one["data"]["noise"] for one in roost.log("conversation.triaged")] == [True, False]


def test_a_message_that_is_edited_is_judged_anew_unless_an_agent_has(roost: Roost) -> None:
    original = message(1, COUPON, at=roost.clock.now)
    roost.hear(original)
    roost.hear(edited(original, "my lamp is broken", 3700))
    assert names(roost) == ["kerry"]
    assert stands(roost)["kind"] == "complaint"
    roost.hub.triage("acme", roost.conversation(), "spam", agent="dana")
    roost.hear(edited(original, "my lamp is broken again", 3800))
    assert names(roost) == []
    assert stands(roost)["by"] == "agent"


def test_the_gravest_of_a_contact_stands_for_it_until_it_is_answered(roost: Roost) -> None:
    say(roost, 1, "my card was stolen, help")
    say(roost, 2, "thank you so much")
    assert (stands(roost)["kind"], stands(roost)["urgency"]) == ("request", "high")
    roost.reply("Done.")
    roost.hub.drain()
    roost.clock.forward(minutes=1)
    say(roost, 3, "thank you so much, you are amazing")
    assert (stands(roost)["kind"], stands(roost)["urgency"]) == ("praise", "low")


def test_two_conversations_that_become_one_are_what_either_was(roost: Roost) -> None:
    say(roost, 1, COUPON, visibility="public")
    first = roost.conversation()
    roost.clock.forward(days=8)
    say(roost, 2, "my lamp is broken")
    second = roost.conversation()
    assert first != second
    done = roost.hub.merge_conversation("acme", second, first, agent="dana")
    assert names(roost) == ["kerry"]
    assert roost.hub.conversation("acme", first)["triage"]["kind"] == "complaint"
    roost.hub.undo_move("acme", second, done.id, agent="dana")
    assert roost.hub.conversation("acme", second)["triage"]["kind"] == "complaint"


def test_a_tenant_may_do_without_or_keep_all_in_the_queue(roost: Roost) -> None:
    roost.hub.set_guidance("acme", {"triage": {"noise": []}})
    say(roost, 1, COUPON)
    assert names(roost) == ["kerry"]
    assert stands(roost)["kind"] == "promotion"
    roost.hub.set_guidance("acme", {"triage": {"enabled": False}})
    say(roost, 2, COUPON, "flo")
    assert names(roost) == ["kerry", "flo"]
    assert "triage" not in roost.hub.conversation("acme", roost.conversation("flo"))


def test_corrections_are_what_a_model_learns_from_and_go_with_the_customer(roost: Roost) -> None:
    say(roost, 1, "hello there")
    say(roost, 2, "hi all", "flo")
    roost.hub.triage("acme", roost.conversation("flo"), "opinion", agent="dana")
    roost.hub.triage("acme", roost.conversation("kerry"), "spam", agent="dana")
    roost.hub.triage("acme", roost.conversation("kerry"), "praise", agent="dana")
    assert roost.hub.triage_labels("rival") == []
    told = sorted(roost.hub.triage_labels("acme"), key=lambda one: one["kind"])
    assert told == [{"kind": "opinion", "text": "hi all"}, {"kind": "praise", "text": "hello there"}]
    roost.hub.erase("acme", roost.hub.conversation("acme", roost.conversation("kerry"))["customer"]["id"], agent="dana")
    assert [one["kind"] for one in roost.hub.triage_labels("acme")] == ["opinion"]


def test_an_agents_word_is_of_what_waits_and_not_of_all_that_was_said(roost: Roost) -> None:
    say(roost, 1, "my lamp is broken")
    roost.reply("Sorry!")
    roost.hub.drain()
    roost.clock.forward(minutes=1)
    say(roost, 2, "so so")
    say(roost, 3, "well")
    roost.hub.triage("acme", roost.conversation(), "opinion", agent="dana")
    assert [one["text"] for one in roost.hub.triage_labels("acme")] == ["well", "so so"]
    roost.reply("Noted.")
    roost.hub.drain()
    roost.hub.triage("acme", roost.conversation(), "praise", agent="dana")
    told = [(one["kind"], one["text"]) for one in roost.hub.triage_labels("acme")]
    assert sorted(told) == [("opinion", "so so"), ("praise", "well")]


def test_a_kind_that_is_none_is_refused(roost: Roost) -> None:
    say(roost, 1, "hello there")
    with pytest.raises(ConfigError, match="kind"):
        roost.hub.triage("acme", roost.conversation(), "moan", agent="dana")  # type: ignore[arg-type]
    assert stands(roost)["kind"] == "request"


# plugins


class Clever:
    name = "clever"

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def judge(self, heard: Heard, verdict: Verdict) -> Verdict | None:
        if "raise" in heard.text:
            raise RuntimeError(heard.text)
        if "nothing" in heard.text:
            return None
        reason = f"{self.folder.name if self.folder else '-'}: {verdict.kind}"
        return Verdict(kind="spam", sentiment=-0.5, reasons=(reason,), by=self.name)


def broken(_folder: Path | None) -> Triage:
    raise OSError("no model")


def test_a_plugin_may_know_better_and_one_that_fails_loses_nothing(
    roost: Roost, caplog: pytest.LogCaptureFixture
) -> None:
    roost.reopen(Raven, socialsupport_triage=hookimpl(lambda: [broken, Clever]))
    say(roost, 1, "hello there")
    shown = stands(roost)
    assert (shown["kind"], shown["sentiment"], shown["by"], shown["noise"]) == ("spam", -0.5, "clever", True)
    assert shown["reasons"][0].endswith(": request")
    say(roost, 2, "raise the dead", "flo")
    say(roost, 3, "nothing", "max")
    assert (stands(roost, "flo")["by"], stands(roost, "max")["by"]) == ("rules", "rules")
    assert names(roost) == ["flo", "max"]
    said = [record.getMessage() for record in caplog.records]
    assert "triage by clever failed: RuntimeError" in said
    assert "raise the dead" not in caplog.text


# the queue


def test_what_to_answer_next_comes_with_its_reasons(roost: Roost) -> None:
    say(roost, 1, "what time do you open?", "kerry")
    say(roost, 2, "my lamp is broken", "flo", visibility="public", reach=Reach(followers=12_000))
    say(roost, 3, "thanks, you are amazing", "max")
    assert names(roost) == ["kerry", "flo", "max"]
    found = roost.hub.queue("acme", order="next")
    assert [one["customer"]["name"].lower() for one in found] == ["flo", "kerry", "max"]
    flo = found[0]["next"]
    assert [part["name"] for part in flo["parts"]] == ["complaint", "reach", "waiting"]
    assert flo["parts"][1]["reason"] == "12,000 followers"
    assert flo["score"] == pytest.approx(sum(part["points"] for part in flo["parts"]), abs=0.02)


def test_a_window_about_to_close_presses(roost: Roost) -> None:
    """Ravens take answers for 48 hours."""
    say(roost, 1, "what time do you open?", "kerry")
    roost.clock.forward(hours=46)
    say(roost, 2, "what time do you open?", "flo")
    roost.clock.forward(minutes=78)
    (kerry, _) = roost.hub.queue("acme", order="next")
    reasons = {part["name"]: part["reason"] for part in kerry["next"]["parts"]}
    assert reasons["window"] == "window closes in 40 min"


def test_it_is_leafed_through_without_gaps_and_who_does_not_wait_comes_last(roost: Roost) -> None:
    for number, name in enumerate(("kerry", "flo", "max", "sam")):
        say(roost, number, "hello there", name)
    roost.reply("hi", "flo")
    roost.hub.drain()
    pages = [names(roost, order="next", limit=2, after=after) for after in (0, 2, 4)]
    assert pages == [["kerry", "max"], ["sam", "flo"], []]
    assert names(roost, order="next", waiting=True) == ["kerry", "max", "sam"]
    assert names(roost, order="next", status="resolved") == []


def test_weights_are_the_tenants(roost: Roost) -> None:
    say(roost, 1, "what time do you open?", "kerry")
    say(roost, 2, "my lamp is broken", "flo")
    assert names(roost, order="next") == ["flo", "kerry"]
    roost.hub.set_guidance("acme", {"queue": {"complaint": 0}})
    assert names(roost, order="next") == ["kerry", "flo"]


def test_an_order_that_is_none_is_refused(roost: Roost) -> None:
    with pytest.raises(ConfigError, match="there is no order 'nest'; did you mean next"):
        roost.hub.queue("acme", order="nest")

"""Hand-off: from public to private without starting over, by a token that cannot be turned against anybody."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from raven import Roost, message
from raven.events import bird
from raven.web import Web

from socialsupport_core.model import IdentityClaimed, Thread
from socialsupport_core.store import log
from socialsupport_core.web import create_app


def shows(roost: Roost, token: str, name: str, number: int = 1, **more: Any) -> IdentityClaimed:
    account = bird(name).account
    assert account is not None
    given: dict[str, Any] = {
        "id": f"h{number}",
        "own_account": "tower",
        "subject": account,
        "proof": "handoff_token",
        "token": token,
        "thread": Thread(id=f"dm-{name}", visibility="private"),
        "at": roost.clock.now,
    }
    return IdentityClaimed(**(given | more))


@pytest.fixture
def token(roost: Roost) -> str:
    """Given to kerry, in private."""
    roost.hear(message(1, "hello", at=roost.clock.now))
    given = roost.hub.hand_off("acme", roost.conversation(), agent="dana")
    assert given["proves"] is True
    return str(given["token"])


def arrive(roost: Roost, token: str, name: str, number: int = 1, tenant: str = "acme", **more: Any) -> None:
    """The token, and then a first word, in one payload."""
    said = message(f"first-{name}-{number}", "here I am", name, at=roost.clock.now)
    roost.hear(shows(roost, token, name, number, **more), said, tenant=tenant)


def refusals(roost: Roost, tenant: str = "acme") -> list[str]:
    return [one["data"]["reason"] for one in roost.log("handoff.refused", tenant=tenant)]


def one_customer(roost: Roost, *names: str) -> bool:
    return len({roost.hub.customer("acme", str(bird(name).account))["id"] for name in names}) == 1


def together(roost: Roost, *names: str) -> bool:
    return len({roost.conversation(name) for name in names}) == 1


def tiers(roost: Roost, name: str) -> set[tuple[str, str]]:
    """Of all evidence about an account, whether it joins by itself or not."""
    explained = roost.hub.explain("acme", str(bird(name).account))
    return {(one["tier"], one["proof"]) for one in (*explained["evidence"], *explained["refused"])}


def test_it_goes_on_where_it_was(roost: Roost, token: str) -> None:
    assert re.fullmatch("[a-z2-7]{26}", token)
    roost.clock.forward(minutes=1)
    arrive(roost, token, "owl")
    assert together(roost, "kerry", "owl")
    leg = roost.hub.conversation("acme", roost.conversation())["legs"][-1]
    assert (leg["rule"], leg["reason"]) == ("handoff_token", "came with the hand-off link that dana gave on tower")
    assert [one["data"]["step"] for one in roost.log("conversation.handed_off")] == ["offered", "arrived"]
    entries = roost.hub.conversation("acme", roost.conversation())["entries"]
    assert [one["interaction"]["text"] for one in entries] == ["hello", "here I am"]


def test_a_link_that_could_be_forwarded_proves_only_that_somebody_clicked(roost: Roost, token: str) -> None:
    """Action at both ends verifies."""
    arrive(roost, token, "owl")
    assert tiers(roost, "owl") == {("asserted", "handoff_token")}
    told, expected = str(bird("kerry").account), str(bird("owl").account)
    code = roost.hub.challenge("acme", roost.conversation(), told, expected, agent="dana")["code"]
    roost.hear(message("typed", code, "owl", at=roost.clock.now))
    assert ("verified", "one_time_code") in tiers(roost, "owl")
    assert one_customer(roost, "kerry", "owl")
    assert together(roost, "kerry", "owl")


def test_it_works_once(roost: Roost, token: str) -> None:
    arrive(roost, token, "owl")
    arrive(roost, token, "stranger", 2)
    assert refusals(roost) == ["the token was used already"]
    assert not one_customer(roost, "kerry", "stranger")
    assert roost.conversation("stranger") != roost.conversation("kerry")


def test_the_same_webhook_again_changes_nothing(roost: Roost, token: str) -> None:
    arrive(roost, token, "owl")
    before = roost.timeline("owl"), refusals(roost)
    arrive(roost, token, "owl")
    assert (roost.timeline("owl"), refusals(roost)) == before


def test_shown_again_by_the_account_to_which_it_was_given_it_is_not_spent(roost: Roost, token: str) -> None:
    roost.hear(shows(roost, token, "kerry", 7))
    assert "shown it again" in refusals(roost)[0]
    arrive(roost, token, "owl")
    assert together(roost, "kerry", "owl")


def test_it_expires_after_a_week(roost: Roost, token: str) -> None:
    roost.clock.forward(days=7, seconds=1)
    arrive(roost, token, "owl")
    assert refusals(roost) == ["the token has expired"]
    assert not one_customer(roost, "kerry", "owl")


def test_a_date_of_ones_own_choosing_does_not_revive_it(roost: Roost, token: str) -> None:
    """The Date of a mail is the sender's to write."""
    earlier = roost.clock.now
    roost.clock.forward(days=30)
    arrive(roost, token, "owl", at=earlier)
    assert refusals(roost) == ["the token has expired"]


@pytest.mark.parametrize("wrong", ["a" * 26, "", "A" * 26, "x", "☃" * 26])
def test_an_unknown_one_is_refused(roost: Roost, token: str, wrong: str) -> None:
    arrive(roost, wrong, "owl")
    assert not one_customer(roost, "kerry", "owl")
    assert refusals(roost) in (["the token is unknown"], [])


def test_another_tenants_is_unknown_and_not_spent(roost: Roost, token: str) -> None:
    arrive(roost, token, "owl", tenant="rival")
    assert refusals(roost, "rival") == ["the token is unknown"]
    told = roost.hub._database.read(lambda tx: log.after(tx, "rival", 0))
    assert {one.conversation for one in told if one.type == "handoff.refused"} == {None}  # nothing of ours is named
    arrive(roost, token, "owl")
    assert together(roost, "kerry", "owl")


def test_shown_in_public_it_proves_nothing(roost: Roost) -> None:
    roost.hear(message(1, "help!", visibility="public", at=roost.clock.now))
    given = roost.hub.hand_off("acme", roost.conversation(), agent="dana")
    assert given["proves"] is False
    assert "anybody can read" in given["note"]
    arrive(roost, given["token"], "stranger")
    assert not one_customer(roost, "kerry", "stranger")
    assert roost.texts("stranger") == ["here I am"]
    suggested = roost.hub.explain("acme", "raven.ring:stranger")["refused"]
    assert [(one["tier"], one["proof"]) for one in suggested] == [("claimed", "handoff_token")]


def test_given_for_an_account_that_asked_it_verifies_by_itself(roost: Roost) -> None:
    """Owl asked, kerry was given it, owl brings it: both ends have acted. To anybody else it is worth nothing."""
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.hear(message(2, "it is me, kerry", "owl", at=roost.clock.now))
    owl = str(bird("owl").account)
    token = roost.hub.hand_off("acme", roost.conversation(), agent="dana", recipient=owl)["token"]
    roost.clock.forward(minutes=1)
    arrive(roost, token, "stranger", 3)
    assert refusals(roost) == ["the token was given for another account"]
    arrive(roost, token, "owl", 4)
    assert tiers(roost, "owl") == {("verified", "handoff_token")}
    assert one_customer(roost, "kerry", "owl")
    assert not one_customer(roost, "kerry", "stranger")


def test_a_refusal_stands_among_the_turns_of_whoever_tried(roost: Roost, token: str) -> None:
    arrive(roost, token, "owl")
    arrive(roost, token, "stranger", 2)
    arrive(roost, "a" * 26, "guesser", 3)
    used = [one for one in roost.hub.conversation("acme", roost.conversation())["turns"] if "reason" in one]
    assert [(one["type"], one["reason"]) for one in used] == [("handoff.refused", "the token was used already")]
    unknown = roost.hub.conversation("acme", roost.conversation("guesser"))["turns"]
    assert [(one["type"], one["reason"]) for one in unknown] == [("handoff.refused", "the token is unknown")]


def test_brought_to_a_public_place_it_is_not_spent(roost: Roost, token: str) -> None:
    arrive(roost, token, "owl", thread=Thread(id="square", visibility="public"))
    assert refusals(roost) == ["the token was shown in public by its bearer"]
    roost.clock.forward(minutes=1)
    arrive(roost, token, "owl", 2)
    assert together(roost, "kerry", "owl")


def test_out_of_public_the_same_account_may_bring_it_in_private(roost: Roost) -> None:
    """There is nothing to prove: the network says who it is."""
    roost.hear(message(1, "help!", visibility="public", at=roost.clock.now))
    token = roost.hub.hand_off("acme", roost.conversation(), agent="dana")["token"]
    arrive(roost, token, "kerry", 2)
    assert refusals(roost) == []
    assert [one["data"]["step"] for one in roost.log("conversation.handed_off")] == ["offered", "arrived"]


def test_the_store_does_not_know_the_token_itself(roost: Roost, token: str) -> None:
    assert "offered" in (dump := roost.dump())
    assert token not in dump


def test_tokens_are_all_different(roost: Roost, token: str) -> None:
    others = {roost.hub.hand_off("acme", roost.conversation(), agent="dana")["token"] for _ in range(50)}
    assert len(others | {token}) == 51


def test_the_page_behind_the_link_forgets_a_spent_token(roost: Roost, token: str) -> None:
    web = Web(create_app(roost.hub, run_workers=False))
    assert web.get(f"/h/{token}").status_code == 200
    assert web.get("/h/" + "a" * 26).status_code in (404, 410)
    arrive(roost, token, "owl")
    gone = web.get(f"/h/{token}")
    assert gone.status_code in (404, 410)
    assert "Ask us for a new one" in gone.text


def test_a_token_given_by_a_reply_of_long_ago_leads_to_the_reopened_conversation(roost: Roost, token: str) -> None:
    con = roost.conversation()
    roost.hub.resolve("acme", con, agent="dana")
    roost.clock.forward(days=2)
    arrive(roost, token, "owl")
    assert [one["id"] for one in roost.hub.queue("acme")] == [con]


def test_moments_are_as_they_were(roost: Roost, token: str) -> None:
    arrive(roost, token, "owl", at=datetime.fromisoformat("2026-03-01T12:30:00+00:00"))
    assert roost.hub.customer("acme", "raven.ring:owl")["accounts"][0]["since"] <= "2026-03-01T13:00:00Z"
    assert roost.clock.now - timedelta(days=1) < roost.clock.now

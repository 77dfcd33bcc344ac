"""Hand-offs followed up: a reminder, back to the queue, across restarts; consent; from person to person."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from raven import Roost, message, settling
from raven.events import bird
from raven.parrot import Parrot

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub import NoSuchChannel, NoSuchHandoff, ReplyRefused
from socialsupport_core.identity.proofs.code import CODES, CROWD
from socialsupport_core.model import IdentityClaimed, InteractionDeleted, Thread
from socialsupport_core.store import Tx, handoffs, log
from socialsupport_core.store.database import micros


class Perch(Parrot):
    """Ravens to whom one may come with a link."""

    capabilities = Parrot.capabilities.model_copy(update={"reply_window": timedelta(days=30)})

    def invitation(self, token: str) -> str | None:
        return f"https://raven.example/?token={token}"


@pytest.fixture
def perch(tmp_path: Path, store: str | Path) -> Iterator[Roost]:
    """Two channels of acme: the tower, where kerry wrote, and the bridge."""
    made = Roost(tmp_path, Perch, store=store)
    path = made.hub.add_channel("acme", "bridge", "raven", {}, mode="webhook")
    made.doors["bridge"] = path.rsplit("/", 1)[1]
    made.hear(message(1, "hello", at=made.clock.now))
    made.hub.add_agent("acme", "lee", "Lee")
    yield made
    made.hub.close()


def said(roost: Roost) -> list[str]:
    return roost.sky.texts()


def steps(roost: Roost) -> list[str]:
    return [one["data"]["step"] for one in roost.log("conversation.handed_off")]


def later(roost: Roost, **span: float) -> None:
    roost.clock.forward(**span)
    roost.hub.drain()


def handed(roost: Roost, **more: Any) -> dict[str, Any]:
    done = roost.hub.hand_off("acme", roost.conversation(), agent="dana", to="bridge", **more)
    roost.hub.drain()
    return done


def waiting(roost: Roost) -> bool:
    return "waiting_since" in roost.hub.conversation("acme", roost.conversation())


def test_it_says_the_link_and_stands_in_the_timeline(perch: Roost) -> None:
    done = handed(perch)
    assert done["url"] == f"https://hub.example/h/{done['token']}"
    assert done["url"] in " ".join(said(perch))
    assert steps(perch) == ["planned", "offered"]
    planned = perch.log("conversation.handed_off")[0]["data"]
    assert (planned["from"], planned["to"], planned["how"]) == ("tower", "bridge", "link")
    assert "code proves the rest" in planned["reasons"]
    assert not waiting(perch)


def test_who_does_not_come_is_reminded_once_and_then_is_in_the_queue_again(perch: Roost) -> None:
    handed(perch)
    later(perch, hours=23)
    assert steps(perch) == ["planned", "offered"]
    later(perch, hours=2)
    assert steps(perch)[-1] == "reminded"
    assert "still good, until 2026-03-04" in said(perch)[-1]
    assert not waiting(perch)
    later(perch, hours=20)
    assert steps(perch).count("reminded") == 1
    later(perch, days=2)
    assert steps(perch)[-1] == "expired"
    assert waiting(perch)
    count = len(said(perch))
    later(perch, days=10)
    assert (steps(perch).count("expired"), len(said(perch))) == (1, count)


def test_a_restart_forgets_nothing(perch: Roost) -> None:
    handed(perch)
    perch.reopen(Perch)
    later(perch, days=1, hours=1)
    assert steps(perch)[-1] == "reminded"
    perch.reopen(Perch)
    later(perch, days=3)
    assert steps(perch)[-1] == "expired"


def test_a_hub_that_slept_all_the_time_reminds_nobody_of_what_is_over(perch: Roost) -> None:
    handed(perch)
    count = len(said(perch))
    later(perch, days=9)
    assert steps(perch) == ["planned", "offered", "expired"]
    assert len(said(perch)) == count


def test_what_is_resolved_meanwhile_is_left_alone(perch: Roost) -> None:
    handed(perch)
    perch.hub.resolve("acme", perch.conversation(), agent="dana")
    count = len(said(perch))
    later(perch, days=9)
    assert steps(perch) == ["planned", "offered"]
    assert len(said(perch)) == count
    assert not waiting(perch)


def test_in_public_nobody_is_reminded(perch: Roost) -> None:
    perch.hear(message(9, "help!", "owl", visibility="public", at=perch.clock.now))
    done = perch.hub.hand_off("acme", perch.conversation("owl"), agent="dana", to="bridge")
    assert not done["proves"]
    perch.hub.drain()
    count = len(said(perch))
    later(perch, days=1, hours=1)
    assert len(said(perch)) == count
    later(perch, days=3)
    assert steps(perch) == ["planned", "offered", "expired"]


def test_the_public_half_names_nobody(perch: Roost) -> None:
    perch.hear(message(9, "help!", "owl", visibility="public", at=perch.clock.now))
    done = perch.hub.hand_off("acme", perch.conversation("owl"), agent="dana", to="tower")
    assert done["how"] == "open"
    perch.hub.drain()
    public = [one["text"] for one in perch.sky.messages if one["thread"] == "square"]
    assert public == ["We have sent you a private message, so that we can look into it together."]
    private = [one["text"] for one in perch.sky.messages if one["thread"] == "dm-owl"]
    assert private == ["Hello! Here we can talk privately, and you need not tell it all again."]


def test_it_speaks_the_customers_language(perch: Roost) -> None:
    perch.hear(message(5, "Hallo, mein Paket!", at=perch.clock.now, language="de"))
    handed(perch)
    assert "Der Link ist nur für Sie" in said(perch)[-1]
    later(perch, days=1, hours=1)
    assert "gilt noch bis" in said(perch)[-1]


def test_an_agent_may_choose_the_language_and_a_tenant_its_words(perch: Roost) -> None:
    perch.hub.set_templates("acme", '[fr]\nprivate_link = "Par ici : {url}"')
    done = handed(perch, language="fr")
    assert said(perch)[-1] == f"Par ici : {done['url']}"
    assert perch.hub.templates("acme")["fr"]["private_link"] == "Par ici : {url}"
    perch.hub.set_templates("acme", "")
    assert "pour vous seul" in perch.hub.templates("acme")["fr"]["private_link"]
    assert "pour vous seul" in perch.hub.templates("rival")["fr"]["private_link"]


def test_who_opted_out_of_a_channel_is_not_handed_there(perch: Roost) -> None:
    kerry = str(bird("kerry").account)
    perch.hub.consent("acme", kerry, "bridge", "out", agent="dana", source="wrote STOP")
    with pytest.raises(ReplyRefused, match=r"bridge is closed: the customer does not want .* \(wrote STOP\)"):
        handed(perch)
    perch.clock.forward(minutes=1)
    perch.hub.consent("acme", kerry, "bridge", "in", agent="dana", source="asked for it")
    assert perch.hub.consents("acme", kerry)["bridge"]["state"] == "in"
    assert handed(perch)["how"] == "link"


def test_a_refusal_of_a_channel_that_is_not_there_is_refused(perch: Roost) -> None:
    """It would close nothing."""
    kerry = str(bird("kerry").account)
    with pytest.raises(NoSuchChannel, match=r"acme has no channel 'brigde'; did you mean bridge\?"):
        perch.hub.consent("acme", kerry, "brigde", "out", agent="dana")
    assert perch.hub.consents("acme", kerry) == {}


def test_a_word_that_is_older_changes_nothing(perch: Roost) -> None:
    kerry = str(bird("kerry").account)
    perch.hub.consent("acme", kerry, "bridge", "out", agent="dana")
    perch.clock.forward(minutes=-5)
    perch.hub.consent("acme", kerry, "bridge", "in", agent="dana")
    assert perch.hub.consents("acme", kerry)["bridge"]["state"] == "out"


def test_of_two_accounts_the_later_word_counts(perch: Roost) -> None:
    kerry, robin = (str(bird(name).account) for name in ("kerry", "robin"))
    perch.hear(message(5, "me too", "robin", at=perch.clock.now))
    for account, state in ((robin, "in"), (kerry, "out")):
        perch.hub.consent("acme", account, "bridge", state, agent="dana")  # type: ignore[arg-type]
        perch.clock.forward(minutes=1)
    perch.hub.link("acme", kerry, robin, agent="dana")
    assert perch.hub.consents("acme", robin)["bridge"]["state"] == "out"


def test_of_two_words_at_one_moment_the_refusal_counts(perch: Roost) -> None:
    kerry = str(bird("kerry").account)
    for state in ("out", "in"):
        perch.hub.consent("acme", kerry, "bridge", state, agent="dana")  # type: ignore[arg-type]
    assert perch.hub.consents("acme", kerry)["bridge"]["state"] == "out"


def test_the_targets_are_told_with_their_reasons(perch: Roost) -> None:
    found = perch.hub.hand_off_targets("acme", perch.conversation())
    assert (found["channel"], found["visibility"]) == ("tower", "private")
    assert {one["channel"]: one.get("how") for one in found["targets"]} == {"bridge": "link", "tower": None}
    assert found["targets"][1]["obstacles"][0]["rule"] == "here_already"
    handed(perch)
    (under_way,) = perch.hub.hand_off_targets("acme", perch.conversation())["handoffs"]
    assert (under_way["to"], under_way["state"]) == ("bridge", "offered")


@pytest.mark.parametrize(("to", "said_"), [("tower", "there already"), ("nowhere", "there is bridge, tower")])
def test_a_channel_that_is_closed_or_unknown(perch: Roost, to: str, said_: str) -> None:
    with pytest.raises(ReplyRefused, match=said_):
        perch.hub.hand_off("acme", perch.conversation(), agent="dana", to=to)
    assert steps(perch) == []


def test_where_nothing_can_be_said_nothing_is_begun(perch: Roost) -> None:
    perch.clock.forward(days=40)
    with pytest.raises(ReplyRefused, match="takes answers for"):
        handed(perch)
    assert steps(perch) == []
    assert perch.hub.hand_off_targets("acme", perch.conversation())["handoffs"] == []


def test_a_second_click_is_none(perch: Roost) -> None:
    handed(perch)
    count = len(said(perch))
    with pytest.raises(ReplyRefused, match="just been handed off"):
        handed(perch)
    assert len(said(perch)) == count


def test_a_later_hand_off_to_the_same_channel_replaces_the_earlier(perch: Roost) -> None:
    handed(perch)
    later(perch, hours=2)
    handed(perch)
    later(perch, hours=23)
    assert "reminded" not in steps(perch)
    found = perch.hub.hand_off_targets("acme", perch.conversation())["handoffs"]
    assert [one["state"] for one in found] == ["offered", "replaced"]
    later(perch, days=9)
    assert steps(perch).count("expired") == 1


def test_a_channel_that_is_gone_holds_up_nobody(perch: Roost, caplog: pytest.LogCaptureFixture) -> None:
    handed(perch)
    perch.clock.forward(days=1, hours=1)
    perch.reopen(settling("echo"))
    perch.hub.desk.half = _broken  # type: ignore[method-assign]
    perch.hub.drain()
    assert "waits" in caplog.text
    perch.reopen(Perch)
    later(perch, hours=1)
    assert steps(perch)[-1] == "reminded"


def _broken(*_given: Any, **_more: Any) -> Any:
    raise ConfigError("the channel is gone")


def test_erasing_takes_codes_links_and_consents_along(perch: Roost) -> None:
    perch.hear(message(2, "help!", "owl", at=perch.clock.now))
    kerry, owl = (str(bird(name).account) for name in ("kerry", "owl"))
    done = handed(perch)
    perch.hub.challenge("acme", perch.conversation(), owl, kerry, agent="dana")
    perch.hub.challenge("acme", perch.conversation("owl"), kerry, owl, agent="dana")
    perch.hub.consent("acme", kerry, "bridge", "in", agent="dana")
    perch.hub.ask_sign_in("acme", kerry)
    erased = perch.hub.erase("acme", kerry, agent="dana")
    assert {"challenges": 2, "consents": 1, "handoffs": 1, "nonces": 1}.items() <= erased["removed"].items()
    assert kerry not in perch.dump()
    assert perch.hub.handoff_ways(done["token"]) is None
    later(perch, days=9)
    assert "expired" not in steps(perch)


def test_from_person_to_person(perch: Roost) -> None:
    perch.hub.add_agent("acme", "lee", "Lee")
    done = perch.hub.hand_off("acme", perch.conversation(), agent="dana", to_agent="lee", note="Knows Kerry.")
    found = perch.hub.conversation("acme", done["conversation"])
    assert found["assignee"] == "lee"
    assert found["entries"][-1]["interaction"]["text"] == "Knows Kerry."
    assert [one["type"] for one in found["turns"]] == ["conversation.assigned", "conversation.handed_off"]
    with pytest.raises(ConfigError, match="no agent 'nobody'"):
        perch.hub.hand_off("acme", perch.conversation(), agent="dana", to_agent="nobody")
    with pytest.raises(ConfigError, match="give one of"):
        perch.hub.hand_off("acme", perch.conversation(), agent="dana", to_agent="lee", to="bridge")


def test_of_two_who_look_after_it_only_the_first_does(perch: Roost) -> None:
    """A step that leaves the state as it is, is taken once as well."""
    handed(perch)
    database = perch.hub._database
    (given,) = database.read(lambda tx: handoffs.due(tx, micros(perch.clock.now) + 10**15))
    moved = [database.do(lambda tx: handoffs.move(tx, given, given.state, None)) for _ in range(2)]
    assert moved == [True, False]


def test_what_is_refused_at_another_tenants_thread_of_the_same_name_is_not_shown(perch: Roost) -> None:
    found = perch.hub.conversation("acme", perch.conversation())
    (leg,) = found["legs"]

    def refuse(tx: Tx) -> None:
        for tenant, word in (("rival", "theirs"), ("acme", "ours")):
            more = {"channel": leg["channel"], "thread": leg["thread"]}
            log.publish(tx, tenant, "proof.refused", micros(perch.clock.now), {"reason": word}, **more)

    perch.hub._database.do(refuse)
    turns = perch.hub.conversation("acme", perch.conversation())["turns"]
    assert [one["reason"] for one in turns if one["type"] == "proof.refused"] == ["ours"]


def comes(roost: Roost, token: str, name: str) -> None:
    """To the bridge, with the link that stood in public."""
    account, thread = bird(name).account, Thread(id=f"dm-{name}", visibility="private")
    assert account is not None
    roost.clock.forward(seconds=5)
    at, id = roost.clock.now, f"{name}-{roost.clock.now:%H%M%S}"
    claim = IdentityClaimed(
        id=id, own_account="tower", subject=account, proof="handoff_token", token=token, thread=thread, at=at
    )
    roost.hear(claim, message(id, "here I am", name, at=at), tenant="bridge")
    roost.hub.drain()


def code_told_to(roost: Roost, name: str) -> str:
    """The newest."""
    told = [re.search(r"\d{6}", one["text"]) for one in roost.sky.messages if one["thread"] == f"dm-{name}"]
    return [one[0] for one in told if one][-1]


def offered_in_public(roost: Roost) -> str:
    """The link that owl was given for all to see."""
    roost.hear(message(9, "help!", "owl", visibility="public", at=roost.clock.now))
    token = roost.hub.hand_off("acme", roost.conversation("owl"), agent="dana", to="bridge")["token"]
    roost.hub.drain()
    return str(token)


@pytest.mark.parametrize("comers", [("mallory", "robin"), ("robin", "mallory"), ("robin", "mallory", "sid")])
def test_a_passer_by_who_follows_a_public_link_takes_nothing_from_the_customer(
    perch: Roost, comers: tuple[str, ...]
) -> None:
    """Anybody may have read it: it stays good until one who came by it has proven himself, and nobody is lost."""
    token = offered_in_public(perch)
    for name in comers:
        assert perch.hub.handoff_ways(token)
        comes(perch, token, name)
    assert code_told_to(perch, "mallory") != code_told_to(perch, "robin")
    perch.hear(message(10, code_told_to(perch, "robin"), "owl", visibility="public", at=perch.clock.now))
    perch.hub.drain()
    owl, robin, mallory = (perch.hub.customer("acme", f"raven.ring:{one}")["id"] for one in ("owl", "robin", "mallory"))
    assert owl == robin != mallory
    assert steps(perch)[-1] == "confirmed"
    assert perch.hub.handoff_ways(token) is None
    comes(perch, token, "sam")
    assert perch.log("handoff.refused")[-1]["data"]["reason"] == "the token was used already"
    later(perch, days=9)
    assert "expired" not in steps(perch)


def test_of_whom_only_passers_by_came_the_customer_is_in_the_queue_again(perch: Roost) -> None:
    token = offered_in_public(perch)
    here = perch.conversation("owl")
    comes(perch, token, "mallory")
    assert "waiting_since" not in perch.hub.conversation("acme", here)
    later(perch, days=9)
    assert steps(perch)[-1] == "expired"
    assert "waiting_since" in perch.hub.conversation("acme", here)


def test_no_crowd_of_passers_by_gets_a_code_each(perch: Roost) -> None:
    """A number that the customer says by chance would be somebody's. But nor do they use up what the customer needs."""
    token = offered_in_public(perch)
    for number in range(CODES + 2):
        comes(perch, token, f"bird{number}")
    comes(perch, token, "robin")
    states = [one["state"] for one in perch.hub.challenges("acme", perch.conversation("owl"))]
    assert sorted(states) == ["open"] * CODES + ["replaced"] * 3
    wrong = f"{(int(code_told_to(perch, 'robin')) + 1) % 1_000_000:06}"
    for guess in (wrong, code_told_to(perch, "bird0"), code_told_to(perch, "robin")):
        perch.hear(message(guess, guess, "owl", visibility="public", at=perch.clock.now))
        perch.hub.drain()
    assert not any("That was not the code" in one["text"] for one in perch.sky.messages), "to whom?"
    owl, robin, first = (perch.hub.customer("acme", f"raven.ring:{one}")["id"] for one in ("owl", "robin", "bird0"))
    assert owl == robin != first


def test_a_crowd_without_end_is_told_no_more_codes(perch: Roost) -> None:
    token = offered_in_public(perch)
    for number in range(CROWD + 2):
        comes(perch, token, f"bird{number}")
    assert len(perch.log("challenge.started")) == CROWD
    assert len(perch.log("proof.refused")) == 2
    later(perch, days=1)
    comes(perch, token, "robin")
    assert code_told_to(perch, "robin")


# taken back, and made by two


def wrote(roost: Roost) -> datetime:
    """When kerry asked what nobody has answered."""
    return datetime.fromisoformat(str(roost.hub.conversation("acme", roost.conversation())["waiting_since"]))


def test_what_is_withdrawn_leads_nowhere_and_the_customer_waits_as_before(perch: Roost) -> None:
    asked = wrote(perch)
    done = handed(perch)
    assert not waiting(perch)
    made = perch.hub.withdraw_hand_off("acme", done["id"], agent="lee")
    assert (made["state"], made["open"]) == ("withdrawn", False)
    assert wrote(perch) == asked
    assert perch.hub.handoff_ways(done["token"]) is None
    assert perch.log("conversation.handed_off")[-1]["data"] == {
        "from": "tower", "to": "bridge", "agent": "lee", "step": "withdrawn", "handoff": done["id"]
    }  # fmt: skip
    assert handed(perch)["token"]
    comes(perch, done["token"], "kerry")
    assert perch.log("handoff.refused")[-1]["data"]["reason"] == "the hand-off was withdrawn"
    later(perch, days=9)
    assert steps(perch) == ["planned", "offered", "withdrawn", "planned", "offered", "arrived"]
    with pytest.raises(ReplyRefused, match="the hand-off is withdrawn; there is nothing to withdraw"):
        perch.hub.withdraw_hand_off("acme", done["id"], agent="lee")


def test_a_link_of_our_own_is_withdrawn_too_and_over_by_itself(perch: Roost) -> None:
    first, second = (perch.hub.hand_off("acme", perch.conversation(), agent="dana") for _ in range(2))
    perch.hub.withdraw_hand_off("acme", first["id"], agent="dana")
    assert perch.hub.handoff_ways(first["token"]) is None
    assert perch.hub.handoff_ways(second["token"])
    shown = perch.hub.hand_off_targets("acme", perch.conversation())["handoffs"]
    assert sorted((one["state"], one["open"]) for one in shown) == [("offered", True), ("withdrawn", False)]
    later(perch, days=8)
    shown = perch.hub.hand_off_targets("acme", perch.conversation())["handoffs"]
    assert not any(one["open"] for one in shown)


def test_that_it_was_withdrawn_is_told_though_the_matter_is_resolved(perch: Roost) -> None:
    done = handed(perch)
    perch.hub.resolve("acme", perch.conversation(), agent="dana")
    perch.hub.withdraw_hand_off("acme", done["id"], agent="dana")
    assert steps(perch)[-1] == "withdrawn"
    assert not waiting(perch)


def test_words_that_nobody_has_tried_to_send_are_not_sent(perch: Roost) -> None:
    done = perch.hub.hand_off("acme", perch.conversation(), agent="dana", to="bridge")
    perch.hub.withdraw_hand_off("acme", done["id"], agent="dana")
    perch.hub.drain()
    assert said(perch) == []
    entries = perch.hub.conversation("acme", perch.conversation())["entries"][1:]
    assert {one["state"] for one in entries} == {"failed"}
    assert {one["delivery"]["reason"] for one in entries} == {"the hand-off was withdrawn before this was sent"}


def test_who_has_come_is_not_sent_away(perch: Roost) -> None:
    token = offered_in_public(perch)
    (made,) = perch.hub.hand_off_targets("acme", perch.conversation("owl"))["handoffs"]
    comes(perch, token, "robin")
    code = code_told_to(perch, "robin")
    perch.hear(message(10, code, "owl", visibility="public", at=perch.clock.now))
    perch.hub.drain()
    with pytest.raises(ReplyRefused, match="the hand-off is confirmed; the customer has come and has proven it"):
        perch.hub.withdraw_hand_off("acme", made["id"], agent="dana")


def test_a_code_of_a_withdrawn_hand_off_proves_nothing(perch: Roost) -> None:
    token = offered_in_public(perch)
    (made,) = perch.hub.hand_off_targets("acme", perch.conversation("owl"))["handoffs"]
    comes(perch, token, "robin")
    perch.hub.withdraw_hand_off("acme", made["id"], agent="dana")
    perch.hear(message(10, code_told_to(perch, "robin"), "owl", visibility="public", at=perch.clock.now))
    perch.hub.drain()
    owl, robin = (perch.hub.customer("acme", f"raven.ring:{one}")["id"] for one in ("owl", "robin"))
    assert owl != robin


@pytest.mark.parametrize("by_us", [True, False])
def test_who_deletes_the_words_with_the_link_withdraws_it(perch: Roost, by_us: bool) -> None:
    """Whether here, or on the network itself."""
    done = handed(perch)
    entry = max(perch.timeline(), key=lambda one: int(one["id"]))
    if by_us:
        perch.hub.delete("acme", entry["id"], agent="dana")
    else:
        id, thread = entry["interaction"]["native_id"], Thread(id="dm-kerry", visibility="private")
        perch.hear(InteractionDeleted(id="d1", own_account="tower", thread=thread, native_id=id, at=perch.clock.now))
    perch.hub.drain()
    assert steps(perch)[-1] == "withdrawn"
    assert perch.hub.handoff_ways(done["token"]) is None
    assert waiting(perch)


def test_of_two_who_hand_off_at_once_to_two_places_the_second_is_refused(perch: Roost) -> None:
    """The customer would be sent here and there."""
    path = perch.hub.add_channel("acme", "gate", "raven", {}, mode="webhook")
    perch.doors["gate"] = path.rsplit("/", 1)[1]
    handed(perch)
    with pytest.raises(ReplyRefused, match="it has just been handed off to bridge by dana; wait, or withdraw that"):
        perch.hub.hand_off("acme", perch.conversation(), agent="lee", to="gate")
    perch.hub.hand_off("acme", perch.conversation(), agent="dana", to="gate")  # one agent offers both
    later(perch, minutes=2)
    perch.hub.hand_off("acme", perch.conversation(), agent="lee", to="gate")


@pytest.mark.parametrize("how", ["used", "withdrawn"])
def test_of_two_processes_that_redeem_or_withdraw_at_once_one_wins(
    perch: Roost, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has read that the link is good; the store decides."""
    done = handed(perch)
    stale = perch.hub._database.read(lambda tx: handoffs.by_token(tx, done["token"]))
    if how == "used":
        comes(perch, done["token"], "robin")
    else:
        perch.hub.withdraw_hand_off("acme", done["id"], agent="dana")
    monkeypatch.setattr(handoffs, "by_token", lambda _tx, _token: stale)
    comes(perch, done["token"], "mallory")
    refused = perch.log("handoff.refused")[-1]["data"]
    assert refused["reason"] == "at this moment the token was used, or the hand-off withdrawn"
    assert refused["account"] == "raven.ring:mallory"
    legs = perch.hub.conversation("acme", perch.conversation())["legs"]
    assert "raven.ring:mallory" not in [leg["account"] for leg in legs]


def test_there_is_no_such_hand_off(perch: Roost) -> None:
    done = handed(perch)
    for tenant, id in (("acme", "ho_none"), ("rival", done["id"])):
        with pytest.raises(NoSuchHandoff, match="there is no hand-off"):
            perch.hub.withdraw_hand_off(tenant, id, agent="dana")


def test_after_it_has_expired_the_customer_has_waited_since_the_question(perch: Roost) -> None:
    """And not since it expired: who was sent elsewhere in vain is not last in the queue."""
    asked = wrote(perch)
    handed(perch)
    later(perch, days=9)
    assert wrote(perch) == asked


def test_who_had_no_question_left_is_in_the_queue_since_it_expired(perch: Roost) -> None:
    perch.hub.reply("acme", perch.conversation(), "Let us go on elsewhere.", agent="dana", key="k1")
    perch.hub.drain()
    expires = datetime.fromisoformat(handed(perch)["expires_at"])
    later(perch, days=9)
    assert wrote(perch) == expires
    again = handed(perch)
    assert not waiting(perch)
    perch.hub.withdraw_hand_off("acme", again["id"], agent="dana")
    assert wrote(perch) == expires


def test_a_hand_off_goes_with_its_leg_into_another_conversation(perch: Roost) -> None:
    """Who was handed off, and whose conversations became one meanwhile, is missed there."""
    perch.hear(message(5, "me again", "owl", at=perch.clock.now))
    first, second = perch.conversation(), perch.conversation("owl")
    perch.hub.hand_off("acme", second, agent="dana", to="bridge")
    perch.hub.link("acme", "raven.ring:owl", "raven.ring:kerry", agent="dana")
    assert [one["state"] for one in perch.hub.hand_off_targets("acme", first)["handoffs"]] == ["offered"]
    perch.hub.reply("acme", first, "Yes?", agent="dana", key="k2")
    later(perch, days=9)
    assert steps(perch)[-1] == "expired"
    assert perch.log("conversation.handed_off")[-1]["conversation"] == first != second
    assert "waiting_since" in perch.hub.conversation("acme", first)


def test_the_words_are_told_before_they_are_said(perch: Roost) -> None:
    (bridge,) = [one for one in perch.hub.hand_off_targets("acme", perch.conversation())["targets"] if one.get("how")]
    (told,) = bridge["says"]
    done = handed(perch)
    assert " ".join(said(perch)) == told["text"].replace("/h/…", f"/h/{done['token']}")
    assert (told["channel"], told["visibility"]) == ("tower", "private")

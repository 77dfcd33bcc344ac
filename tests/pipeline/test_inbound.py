"""Once, whatever the network delivers how often; and every accepted payload accounted for."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from raven import Raven, Roost, Scrolls, message
from raven.events import NOON, bird

from socialsupport_core.contract import SignatureError
from socialsupport_core.hub import NoSuchDoor
from socialsupport_core.model import Event, InteractionReceived, Party, Payload, Thread, ThreadUpdated, Unrecognised


def accounted(roost: Roost) -> dict[str, int]:
    """The journal's counters, which must add up."""
    found = roost.journal()
    assert found["unexplained"] == 0
    parts = ("recorded", "ignored", "quarantined", "waiting")
    assert found["accepted"] == sum(found[name] for name in parts)
    return found


def nameless(number: int) -> InteractionReceived:
    """Genuine, well-formed and impossible to record: nobody wrote it."""
    original = message(number, "who am I?")
    return original.model_copy(update={"interaction": original.interaction.model_copy(update={"author": Party()})})


def test_the_same_payload_twenty_times_from_eight_threads_is_one_interaction(roost: Roost) -> None:
    payload = roost.payload(message(1, "hello"))
    roost.hub.start()
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(roost.hub.receive, roost.doors["acme"], payload) for _ in range(20)]
        assert {one.result().result().status for one in answers} == {200}
    roost.hub.workers.stop()
    roost.hub.drain()
    assert roost.texts() == ["hello"]
    assert len(roost.log("interaction.received")) == 1
    assert accounted(roost)["accepted"] == 20


def test_what_leaves_only_a_line_in_the_log_leaves_it_once(roost: Roost) -> None:
    thread = Thread(id="dm-kerry", visibility="private")
    renamed = ThreadUpdated(id="t1", own_account="tower", thread=thread, change="renamed", at=NOON)
    for _ in range(3):
        roost.hear(renamed, Unrecognised(id="u1", native_type="moulting"))
    assert [one["type"] for one in roost.hub.events("acme")] == ["thread.updated", "unrecognised"]


def test_the_same_message_under_another_event_id_is_one_interaction(roost: Roost) -> None:
    first = message(1, "hello")
    roost.hear(first, first.model_copy(update={"id": "polled-1"}))
    assert roost.texts() == ["hello"]


def test_the_same_message_id_of_another_thread_is_another_message(roost: Roost) -> None:
    roost.hear(message(1, "one"), message(1, "two", "robin").model_copy(update={"id": "m-1b"}))
    assert (roost.texts("kerry"), roost.texts("robin")) == (["one"], ["two"])


def test_the_same_event_of_another_tenant_is_that_tenants_own(roost: Roost) -> None:
    roost.hear(message(1, "for acme"))
    roost.hear(message(1, "for rival"), tenant="rival")
    assert roost.texts() == ["for acme"]
    assert roost.texts(tenant="rival") == ["for rival"]


@pytest.mark.parametrize("place", [0, 24, 49])
def test_one_bad_event_among_fifty_leaves_forty_nine(roost: Roost, place: int) -> None:
    events: list[Event] = [message(n, f"text {n}", at=n) for n in range(50)]
    events[place] = nameless(place)
    roost.hear(*events)
    assert roost.texts() == [f"text {n}" for n in range(50) if n != place]
    assert accounted(roost)["quarantined"] == 1
    (entry,) = roost.hub.quarantine()
    assert f"m-{place}" in (entry.reason or "")
    assert "no identifier" in (entry.reason or "")


def test_a_number_too_large_for_the_store_spoils_its_own_event_only(roost: Roost) -> None:
    file = {"media_type": "image/png", "native_id": "f1", "size": 10**30}
    first = json.loads(message(1, "one").to_json())
    first["interaction"]["attachments"] = [file]
    roost.hear(first, message(2, "two"))
    assert roost.texts() == ["two"]
    assert accounted(roost)["quarantined"] == 1


def test_replay_records_the_rest_once_the_connector_is_mended(roost: Roost) -> None:
    scroll = {"type": "scroll", "event": json.loads(message(2, "a scroll").to_json())}
    roost.hear(scroll)
    roost.hear(message(1, "a letter"))
    assert roost.texts() == ["a letter"]
    assert [one.reason for one in roost.hub.quarantine()] == ["not a raven's letter: ravens carry no scrolls"]

    hub = roost.reopen(Scrolls)
    assert hub.replay() == 1
    hub.drain()
    assert sorted(roost.texts()) == ["a letter", "a scroll"]
    assert hub.quarantine() == []
    assert hub.replay() == 0
    accounted(roost)


def test_replay_of_what_was_recorded_changes_nothing(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    before = roost.timeline()
    roost.hub.replay(1)
    roost.hub.drain()
    assert roost.timeline() == before


def test_what_nobody_understands_is_quarantined_with_its_reason(roost: Roost) -> None:
    assert roost.deliver(body=b"\xff\xfe not json").status == 200
    roost.hub.drain()
    assert accounted(roost)["quarantined"] == 1
    assert "not a raven's letter" in (roost.hub.quarantine()[0].reason or "")


def test_an_unknown_event_is_kept_as_unrecognised(roost: Roost) -> None:
    roost.hear(Unrecognised(id="u1", native_type="moulting", own_account="tower", reason="new in spring"))
    (seen,) = roost.log("unrecognised")
    assert (seen["data"]["native_type"], seen["data"]["reason"]) == ("moulting", "new in spring")
    assert accounted(roost)["quarantined"] == 0


def test_a_payload_without_events_is_ignored_with_a_reason(roost: Roost) -> None:
    roost.hear()
    assert accounted(roost)["ignored"] == 1


@pytest.mark.parametrize("failing", [RuntimeError, SystemExit, RecursionError, AssertionError, OverflowError])
def test_whatever_a_connector_raises_is_quarantined_and_the_rest_flows(
    roost: Roost, failing: type[BaseException]
) -> None:
    class Evil(Raven):
        def parse(self, payload: Payload) -> Any:
            if b"poison" in payload.body:
                raise failing("evil")
            return super().parse(payload)

    roost.reopen(Evil)
    roost.deliver(message(1, "poison"))
    roost.deliver(message(2, "food"))
    roost.hub.drain()
    assert roost.texts() == ["food"]
    assert accounted(roost) | {"quarantined": 1, "recorded": 1} == accounted(roost)


def test_a_connector_that_never_stops_is_cut_off(roost: Roost) -> None:
    class Endless(Raven):
        def parse(self, payload: Payload) -> Any:
            while True:
                yield Unrecognised(id="again", native_type="again")

    roost.reopen(Endless)
    roost.hear(message(1, "x"))
    assert "more than 10,000 events" in (roost.hub.quarantine()[0].reason or "")


def test_a_moment_is_never_later_than_its_receipt(roost: Roost) -> None:
    roost.hear(message(1, "from the future", at=roost.clock.now + timedelta(days=400)))
    (entry,) = roost.timeline()
    assert entry["at"] == entry["received_at"] == "2026-03-01T13:00:00Z"
    assert entry["interaction"]["sent_at"].startswith("2027")


def test_late_messages_are_put_in_their_place(roost: Roost) -> None:
    for number in (3, 1, 2):
        roost.hear(message(number, f"text {number}", at=number))
    assert roost.texts() == ["text 1", "text 2", "text 3"]


def test_a_message_from_before_1970_is_kept_and_paged(roost: Roost) -> None:
    roost.hear(message(1, "old", at=NOON.replace(year=1960)), message(2, "new"))
    assert roost.texts() == ["old", "new"]


def test_a_forged_payload_leaves_nothing_but_a_counter(roost: Roost) -> None:
    with pytest.raises(SignatureError):
        roost.deliver(message(1, "forged"), secret="wrong")
    roost.settle()
    roost.hub.drain()
    health = roost.hub.health()
    assert (health["refused"], health["journal"]["accepted"]) == (1, 0)
    assert roost.hub.find_customers("acme", "") == []


def test_a_verifier_that_fails_lets_nobody_in(roost: Roost) -> None:
    class Broken(Raven):
        def verify(self, payload: Payload) -> None:
            raise ZeroDivisionError

    roost.reopen(Broken)
    with pytest.raises(SignatureError):
        roost.deliver(message(1, "hello"))
    roost.settle()
    health = roost.hub.health()
    assert (health["refused"], health["journal"]["accepted"]) == (1, 0)


def test_a_connector_that_cannot_acknowledge_still_gets_its_payload_recorded(roost: Roost) -> None:
    class Mute(Raven):
        def acknowledge(self, payload: Payload) -> Any:
            raise SystemExit(1)

    roost.reopen(Mute)
    assert roost.deliver(message(1, "hello")).status == 200
    roost.hear(message(2, "again"))
    assert roost.texts() == ["hello", "again"]


def test_the_door_of_what_is_written_down_by_hand_is_closed_to_networks(roost: Roost) -> None:
    """It takes no signature: the API stands before it, with its tokens."""
    payload = Payload(body=message(1, "forged").interaction.to_json().encode(), received_at=roost.clock.now)
    for door in ("api:acme", "api:", "api:nobody"):
        with pytest.raises(NoSuchDoor):
            roost.hub.receive(door, payload)
    roost.hub.drain()
    assert roost.journal()["accepted"] == 0


def test_an_app_serves_many_tenants_and_leaks_to_none(roost: Roost) -> None:
    hub = roost.hub
    door = hub.add_app("flock", "raven", {"secret": "flock-secret"}).rsplit("/", 1)[1]
    hub.add_channel("acme", "east", "raven", {}, app="flock", own_account="east")
    hub.add_channel("rival", "west", "raven", {}, app="flock", own_account="west")
    mixed = [message(n, f"to {where}", own_account=where) for n, where in enumerate(("east", "west", "north"))]
    hub.receive(door, roost.payload(*mixed, secret="flock-secret")).result()
    hub.drain()
    assert roost.texts() == ["to east"]
    assert roost.texts(tenant="rival") == ["to west"]
    entry = accounted(roost)
    assert (entry["accepted"], entry["recorded"]) == (1, 1)


def test_what_is_said_to_a_channel_of_an_app_that_cannot_run_is_heard(roost: Roost) -> None:
    class Moody(Raven):
        def __init__(self, settings: Any, *more: Any) -> None:
            if settings.token.get_secret_value() == "spoilt":
                raise RuntimeError
            super().__init__(settings, *more)

    hub = roost.hub
    door = hub.add_app("flock", "raven", {"secret": "flock-secret"}).rsplit("/", 1)[1]
    hub.add_channel("acme", "east", "raven", {"token": "spoilt"}, app="flock", own_account="east")
    hub.add_channel("rival", "west", "raven", {}, app="flock", own_account="west")
    hub = roost.reopen(Moody)
    both = [message(n, f"to {where}", own_account=where) for n, where in enumerate(("east", "west"))]
    hub.receive(door, roost.payload(*both, secret="flock-secret")).result()
    hub.drain()
    assert (roost.texts(), roost.texts(tenant="rival")) == (["to east"], ["to west"])


def test_a_stranger_who_reuses_a_messages_id_hides_nothing(roost: Roost) -> None:
    genuine = message("7@mail.example", "my order is late")
    forged = genuine.model_copy(
        update={
            "id": "another",
            "interaction": genuine.interaction.model_copy(update={"author": bird("mallory"), "text": "cancel it"}),
        }
    )
    for order in ((genuine, forged), (genuine, forged)):
        roost.hear(*order)
    assert roost.texts("kerry") == ["my order is late"]
    assert roost.texts("mallory") == ["cancel it"]


def test_the_same_message_under_another_event_id_is_one_record(roost: Roost) -> None:
    one = message(1, "hello")
    roost.hear(one)
    roost.hear(one.model_copy(update={"id": "from-an-export"}))
    assert roost.texts() == ["hello"]


def test_what_is_refused_on_purpose_is_one_line_in_the_log_and_in_the_quarantine(
    roost: Roost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "socialsupport")
    roost.hear(nameless(1), message(2, "hello"))
    (line,) = [one for one in caplog.records if "quarantine" in one.getMessage()]
    assert (line.exc_info, line.getMessage().endswith("its author has no identifier")) == (None, True)
    (entry,) = roost.hub.quarantine()
    assert entry.reason is not None
    assert entry.reason.endswith(": its author has no identifier")
    assert roost.texts() == ["hello"]


def test_what_nobody_expected_is_in_the_log_with_its_stack(
    roost: Roost, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("seven")

    monkeypatch.setattr("socialsupport_core.pipeline.record.attach", fail)
    roost.hear(message(1, "hello"))
    (line,) = [one for one in caplog.records if "could not be recorded" in one.getMessage()]
    assert line.exc_info is not None
    (entry,) = roost.hub.quarantine()
    assert str(entry.reason).endswith("ZeroDivisionError: seven")

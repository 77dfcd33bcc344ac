"""How it feels, over HTTP: health, metrics, channels that are not well, and reading back."""

import re
from datetime import timedelta
from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.web import create_app


def silence(roost: Roost) -> str:
    """The channel tower of acme has fallen silent; why."""
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    roost.clock.forward(hours=5)
    roost.hub.examine()
    (found,) = [one for one in roost.hub.list_channels("acme") if one["id"] == "tower"]
    assert found["state"] == "silent"
    return str(found["reason"])


def with_token(roost: Roost, *scopes: Any) -> dict[str, str]:
    token = f"token-of-{'-'.join(scopes)}-{'x' * 20}"
    roost.hub.accept_token("acme", "dana", token, scopes)
    return {"authorization": f"Bearer {token}"}


def samples(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


# health


def test_a_silent_channel_makes_it_degraded_and_names_nobody_to_strangers(web: Web, roost: Roost) -> None:
    reason = silence(roost)
    answer = web.get("/health")
    assert answer.status_code == 200, "a process more or less would not help"
    assert (answer.json()["status"], answer.json()["channels"]) == ("degraded", {"active": 1, "silent": 1})
    assert not {"failing", "broken"} & answer.json().keys()
    assert "acme" not in answer.text
    told = web.get("/health", headers=with_token(roost, "operate")).json()
    assert (told["failing"], told["broken"]) == ([f"acme/tower: {reason}"], [])
    assert "failing" not in web.get("/health", headers=with_token(roost, "read")).json()
    assert web.get("/health", headers={"authorization": "Bearer nonsense"}).status_code == 200


def test_agents_are_told_which_channel_and_why(acme: Desk, roost: Roost) -> None:
    reason = silence(roost)
    (shown,) = [one for one in acme.get("/api/me").json()["channels"] if one["id"] == "tower"]
    assert (shown["state"], shown["reason"]) == ("silent", reason)


# metrics


def test_metrics_count_everything(web: Web, roost: Roost) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now), {"type": "nonsense"})
    roost.hear(message(2, "hello", at=roost.clock.now))
    roost.hear(message(2, "hello", at=roost.clock.now))
    with pytest.raises(Exception, match="not ours"):
        roost.deliver(message(3, "x"), secret="wrong")
    roost.settle()
    roost.sky.faults.unavailable = 1
    roost.reply("one")
    roost.hub.drain()
    roost.deliver(message(4, "waiting", at=roost.clock.now))
    roost.clock.forward(seconds=90)
    found = samples(web.get("/metrics").text)
    journal = {name: value for name, value in found.items() if name.startswith("socialsupport_journal")}
    assert journal == {
        'socialsupport_journal{state="accepted"}': 4,
        'socialsupport_journal{state="waiting"}': 1,
        'socialsupport_journal{state="recorded"}': 2,
        'socialsupport_journal{state="ignored"}': 0,
        'socialsupport_journal{state="quarantined"}': 1,
        'socialsupport_journal{state="unexplained"}': 0,
    }
    assert found["socialsupport_refused_total"] == 1
    assert found['socialsupport_outbox{state="retrying"}'] == 1
    assert found["socialsupport_oldest_waiting_seconds"] == 90
    assert 80 < found["socialsupport_oldest_due_seconds"] <= 90
    assert found['socialsupport_channels{state="active"}'] == 2
    assert found["socialsupport_working"] == 0
    assert found["socialsupport_unwell"] == 0


def test_metrics_are_as_prometheus_reads_them(web: Web, roost: Roost) -> None:
    silence(roost)
    answer = web.get("/metrics", headers=with_token(roost, "operate"))
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    line = re.compile(
        r"# (HELP socialsupport_[a-z_]+ \S.*|TYPE socialsupport_[a-z_]+ (gauge|counter))"
        r'|socialsupport_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+'
    )
    assert [one for one in answer.text.splitlines() if not line.fullmatch(one)] == []
    typed = re.findall(r"# TYPE (\S+)", answer.text)
    assert len(typed) == len(set(typed))
    assert set(typed) == {re.split(r"[{ ]", one)[0] for one in answer.text.splitlines() if not one.startswith("#")}


def test_channels_and_breakers_are_for_operators(web: Web, roost: Roost) -> None:
    silence(roost)
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.faults.unavailable = 5
    for number in range(5):
        roost.hear(message(f"a{number}", "hello", f"bird{number}", at=roost.clock.now))
        roost.reply("hi", name=f"bird{number}")
    roost.hub.drain()
    found = samples(web.get("/metrics", headers=with_token(roost, "operate")).text)
    assert found['socialsupport_channel_state{tenant="rival",channel="tower",state="active"}'] == 1
    assert [name for name in found if 'tenant="acme"' in name] == [
        'socialsupport_channel_state{tenant="acme",channel="tower",state="silent"}'
    ]
    (breaker,) = [name for name in found if "breaker_open" in name]
    assert ('host="api.raven.example"' in breaker, found[breaker]) == (True, 1)
    assert "raven-token-1" not in breaker
    for headers in ({}, with_token(roost, "read"), {"authorization": "Bearer nonsense"}):
        text = web.get("/metrics", headers=headers).text
        assert "socialsupport_channels" in text
        assert not re.search("acme|rival|raven", text)


# reading back


def test_reading_back_is_begun_and_told(acme: Desk, roost: Roost) -> None:
    answer = acme.post("/api/channels/tower/backfill", {"since": "2026-02-01T00:00:00Z"})
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["since"]) == ("running", "2026-02-01T00:00:00Z")
    roost.hub.drain()
    (shown,) = acme.get("/api/channels").json()["channels"]
    assert (shown["backfill"]["state"], shown["backfill"]["pages"]) == ("done", 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"since": "soon"}, 422),
        ({"since": "2026-02-01T00:00:00"}, 422),
        ({"since": "2999-01-01T00:00:00Z"}, 422),
    ],
)
def test_a_reading_back_that_cannot_be_is_refused(acme: Desk, body: dict[str, str], status: int) -> None:
    answer = acme.post("/api/channels/tower/backfill", body)
    assert (answer.status_code, "since" in answer.text) == (status, True)


def test_a_strangers_channel_is_not_there(rival: Desk, acme: Desk) -> None:
    acme.post("/api/channels", {"id": "loft", "connector": "raven"})
    assert rival.post("/api/channels/loft/backfill", {"since": "2026-02-01T00:00:00Z"}).status_code == 404


# what is expected


def test_what_is_expected_is_set_and_taken_back_over_http(acme: Desk, roost: Roost) -> None:
    assert acme.ask("PATCH", "/api/channels/tower", json={"expect_within": 3600}).status_code == 200
    (shown,) = acme.get("/api/channels").json()["channels"]
    assert shown["expect_within"] == 3600
    acme.ask("PATCH", "/api/channels/tower", json={"expect_within": 0})
    (shown,) = acme.get("/api/channels").json()["channels"]
    assert "expect_within" not in shown
    acme.post("/api/channels", {"id": "loft", "connector": "raven", "expect_within": 60})
    assert [one.get("expect_within") for one in acme.get("/api/channels").json()["channels"]] == [60, None]
    assert acme.ask("PATCH", "/api/channels/tower", json={"expect_within": -1}).status_code == 422


def test_resuming_acknowledges(acme: Desk, roost: Roost) -> None:
    silence(roost)
    acme.post("/api/channels/tower/resume")
    (shown,) = acme.get("/api/channels").json()["channels"]
    assert (shown["state"], "reason" in shown) == ("active", False)


def test_a_failed_answer_is_in_the_queue_over_http(acme: Desk, roost: Roost) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.blocked.add("dm-kerry")
    roost.reply("hi")
    roost.hub.drain()
    (found,) = acme.get("/api/conversations?waiting=1").json()["conversations"]
    assert found["failed"]["reason"] == "this raven is blocked there"


def test_the_workers_are_counted(roost: Roost) -> None:
    roost.hub.start()
    assert samples(Web(create_app(roost.hub, run_workers=False)).get("/metrics").text)["socialsupport_working"] == 1

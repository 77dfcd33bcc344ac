"""What has had its time goes, in batches, and nothing else does."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, bird, delivered, edited, message, reacted
from raven.connector import RavenSettings

from socialsupport_core.config import apply, load
from socialsupport_core.contract import ConfigError
from socialsupport_core.model import Attachment
from socialsupport_core.pipeline import keeping
from socialsupport_core.pipeline.files import drop
from socialsupport_core.store import Tx, retention

DAY = 86_400


def bodies(roost: Roost) -> list[bytes]:
    rows = roost.hub._database.read(lambda tx: tx.all("SELECT body FROM journal ORDER BY entry"))
    return [bytes(row["body"]) for row in rows]


def test_nothing_goes_unless_somebody_says_so(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.clock.forward(days=10_000)
    roost.hub.drain()
    assert all(bodies(roost))
    assert roost.texts() == ["hello"]
    assert roost.hub.retention("acme") == {"payloads": None, "interactions": None}


def test_payloads_go_after_their_days_and_all_is_still_accounted_for(roost: Roost) -> None:
    roost.hub.set_retention("acme", payloads=30)
    roost.hear(message(1, "hello"), url="https://hub.example/hooks/x?key=secret")
    roost.hear({"type": "scroll"})
    roost.hear(message(1, "elsewhere"), tenant="rival")
    before = roost.journal()
    roost.clock.forward(days=29)
    roost.hear(message(2, "younger", at=29 * DAY))
    assert all(bodies(roost))
    assert roost.hub.retention_due()["payloads"] == 0
    roost.clock.forward(days=1, seconds=1)
    assert roost.hub.retention_due()["payloads"] == 2
    roost.hub.drain()
    assert [bool(body) for body in bodies(roost)] == [False, False, True, True]
    entry = roost.hub.journalled(1)
    assert entry is not None
    assert (entry.state, entry.reason, entry.payload.url, entry.payload.headers) == ("recorded", "expired", "", ())
    quarantined = roost.hub.journalled(2)
    assert quarantined is not None
    assert quarantined.state == "quarantined"
    assert str(quarantined.reason).endswith("; expired")
    after = roost.journal()
    assert after == before | {"accepted": 4, "recorded": before["recorded"] + 1}
    assert after["unexplained"] == roost.hub.retention_due()["payloads"] == 0
    assert roost.texts() == ["hello", "younger"]


def test_without_its_payload_nothing_is_run_again(roost: Roost) -> None:
    roost.hub.set_retention("acme", payloads=1)
    roost.hear({"type": "scroll"})
    roost.clock.forward(days=2)
    roost.hub.drain()
    assert (roost.hub.replay(1), roost.hub.replay()) == (0, 0)
    assert roost.journal()["quarantined"] == 1


def test_what_is_seen_stays_seen(roost: Roost) -> None:
    roost.hub.set_retention("acme", payloads=1, interactions=2)
    first = message(1, "hello")
    roost.hear(first)
    roost.clock.forward(days=3)
    roost.hub.drain()
    assert roost.texts() == []
    roost.hear(first)
    assert roost.texts() == []
    entry = roost.hub.journalled(2)
    assert entry is not None
    assert entry.reason == "it was recorded before"


def test_interactions_go_after_their_days_with_all_that_hangs_on_them(roost: Roost) -> None:
    roost.sky.files["nest"] = b"old straw"
    old = message(1, "old words", at=0, attachments=(Attachment(native_id="nest", name="straw.txt"),))
    roost.hear(old, reacted(old, "+1", 5), edited(old, "old words, mended", 6))
    roost.reply("an old answer")
    roost.hub.drain()
    roost.clock.forward(days=9)
    roost.hear(message(2, "newer", at=roost.clock()))
    roost.hub.set_retention("acme", interactions=10)
    roost.clock.forward(days=1, seconds=1)
    roost.hub.drain()
    assert roost.texts() == ["newer"]
    tables = ("interactions", "log", "attachments", "reactions", "outbox", "asks")
    text = roost.hub._database.read(lambda tx: "".join(_rows(tx, table) for table in tables))
    assert "old" not in text
    assert list(roost.path.parent.rglob("*.blobs/*/*")) == []
    assert roost.journal()["unexplained"] == 0
    assert len(roost.hub.customer("acme", str(bird("kerry").account))["conversations"]) == 1


def _rows(tx: Tx, table: str) -> str:
    names = {"interactions": "data", "log": "data", "attachments": "name", "reactions": "reaction", "outbox": "intent"}
    column = names.get(table, "digest")
    return "".join(str(row["x"]) for row in tx.all(f"SELECT {column} AS x FROM {table}"))


def test_a_payload_that_nobody_has_read_is_kept_until_somebody_has(roost: Roost) -> None:
    roost.hub.set_retention("acme", payloads=1)
    roost.deliver(message(1, "hello"))
    roost.clock.forward(days=2)
    assert roost.hub.retention_due()["payloads"] == 0
    asyncio.run(roost.hub.workers._subscribers.keeping.turn(at_once=True))
    assert all(bodies(roost))
    roost.hub.drain()
    assert roost.texts() == ["hello"]
    assert not any(bodies(roost))


def test_each_tenant_has_a_round_of_its_own_and_then_a_pause(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "ACCOUNTS", 2)
    for number in range(10):
        for tenant in ("acme", "rival"):
            roost.deliver(message(number, f"words {number}", f"bird{number}", at=number), tenant=tenant)
    roost.hub.drain()
    for tenant in ("acme", "rival"):
        roost.hub.set_retention(tenant, interactions=1)
    roost.clock.forward(days=2)
    roost.hub.drain()
    database = roost.hub._database
    assert database.read(lambda tx: tx.all("SELECT * FROM interactions")) == []
    now = int(roost.clock().timestamp() * 1_000_000)
    assert {(one.node, one.swept_at) for one in database.read(retention.everyone)} == {(0, now)}


def test_everybody_has_their_turn_in_small_batches(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 3)
    monkeypatch.setattr(keeping, "ACCOUNTS", 2)
    for number in range(20):
        roost.deliver(message(number, f"words {number}", f"bird{number % 5}", at=number))
    roost.hub.drain()
    most: list[int] = []
    real = retention.old_interactions

    def counted(*given: Any) -> Any:
        found = real(*given)
        most.append(len(found[0]))
        return found

    monkeypatch.setattr(retention, "old_interactions", counted)
    roost.hub.set_retention("acme", payloads=1, interactions=1)
    roost.clock.forward(days=2)
    roost.hub.drain()
    assert (sum(most), max(most)) == (20, 3)
    assert not any(bodies(roost))
    for number in range(5):
        assert roost.texts(f"bird{number}") == []


def test_what_waits_to_be_read_is_not_old(roost: Roost) -> None:
    roost.hub.set_retention("acme", payloads=1)
    roost.deliver(message(1, "hello"))
    roost.clock.forward(days=5)
    assert roost.hub.retention_due()["payloads"] == 0
    roost.hub.workers.record_waiting()
    assert roost.texts() == ["hello"]
    roost.hub.drain()
    assert not any(bodies(roost))


def test_what_waited_in_vain_goes_with_a_reason(roost: Roost) -> None:
    roost.hear(delivered("never-sent", "read", 5), edited(message("lost", "x"), "y", 7))
    assert "it waits for" in str(roost.hub.quarantine() or roost.hub.journalled(1))
    roost.clock.forward(days=29)
    roost.hub.drain()
    assert roost.hub._database.read(lambda tx: len(tx.all("SELECT * FROM early"))) == 2
    roost.clock.forward(days=2)
    assert roost.hub.retention_due()["early"] == 2
    roost.hub.drain()
    assert roost.hub._database.read(lambda tx: len(tx.all("SELECT * FROM early"))) == 0
    entry = roost.hub.journalled(1)
    assert entry is not None
    assert (entry.state, entry.reason) == ("recorded", keeping.NEVER_CAME)


def test_a_file_that_was_never_sent_goes_after_a_day(roost: Roost) -> None:
    roost.clock.now += timedelta(seconds=time.time()) - timedelta(seconds=roost.clock.now.timestamp())
    roost.hear(message(1, "hello", at=roost.clock()))
    never, sent = roost.hub.blobs.put(b"never sent"), roost.hub.blobs.put(b"sent")
    half = roost.hub.blobs.folder / never[:2] / "tmp123"  # type: ignore[attr-defined]
    half.write_bytes(b"half")
    roost.reply("here", attachments=[{"blob": sent, "media_type": "text/plain", "name": "a.txt"}])
    roost.hub.drain()
    assert roost.hub.blobs.get(never) == b"never sent"
    for path in (roost.hub.blobs.folder / never[:2] / never, half):  # type: ignore[attr-defined]
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    roost.clock.forward(hours=2)
    roost.hub.drain()
    with pytest.raises(KeyError):
        roost.hub.blobs.get(never)
    assert not half.exists()
    roost.clock.forward(days=30)
    roost.hub.drain()
    assert roost.hub.blobs.get(sent) == b"sent"


def test_a_file_that_somebody_takes_up_while_it_goes_stays(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    roost.hear(message(1, "hello"))
    digest, delete = roost.hub.blobs.put(b"eggs"), roost.hub.blobs.delete
    file = {"blob": digest, "media_type": "text/plain", "name": "a.txt"}

    def late(gone: str) -> None:
        delete(gone)
        roost.reply("here", attachments=[file])

    monkeypatch.setattr(roost.hub.blobs, "delete", late)
    assert drop(roost.hub._database, roost.hub.blobs, digest) is None
    assert roost.hub.blobs.get(digest) == b"eggs"


def test_what_came_for_many_is_kept_as_long_as_the_most_patient_wants(roost: Roost) -> None:
    secret = RavenSettings().secret.get_secret_value()
    door = roost.hub.add_app("birds", "raven", {"secret": secret}).rpartition("/")[2]
    for tenant in ("acme", "rival"):
        roost.hub.add_channel(tenant, "hut", "raven", {}, app="birds", own_account=f"{tenant}-hut")
    roost.hub.receive(door, roost.payload(message(1, "hello"))).result()
    roost.hub.drain()
    roost.hub.set_retention("acme", payloads=1)
    roost.clock.forward(days=5)
    roost.hub.drain()
    assert all(bodies(roost))
    roost.hub.set_retention("rival", payloads=10)
    roost.hub.drain()
    assert all(bodies(roost))
    roost.clock.forward(days=6)
    roost.hub.drain()
    assert not any(bodies(roost))


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_an_absurd_time_is_refused(roost: Roost, days: int) -> None:
    with pytest.raises(ConfigError, match="1 to 36,500 days"):
        roost.hub.set_retention("acme", payloads=days)
    with pytest.raises(ConfigError, match="there is no tenant"):
        roost.hub.set_retention("nobody", payloads=1)


def test_the_configuration_file_says_how_long(roost: Roost, tmp_path: Path) -> None:
    file = tmp_path / "socialsupport.toml"
    file.write_text(
        '[tenants.acme]\nname = "Acme"\n[tenants.acme.retention]\npayloads = 30\ninteractions = 730\n'
        '[tenants.acme.channels.tower]\nconnector = "raven"\nerase_on_request = true\n'
        '[tenants.rival]\nname = "Rival"\n'
    )
    apply(load(file), roost.hub)
    assert roost.hub.retention("acme") == {"payloads": 30, "interactions": 730}
    assert roost.hub.retention("rival") == {"payloads": None, "interactions": None}
    allowed = roost.hub._database.read(lambda tx: tx.all("SELECT * FROM erase_on_request"))
    assert [(row["tenant"], row["channel"]) for row in allowed] == [("acme", "tower")]
    file.write_text('[tenants.acme]\nname = "Acme"\nretention = { payloads = 0 }\n')
    with pytest.raises(ConfigError, match=r"tenants\.acme\.retention\.payloads"):
        load(file)


def test_only_one_process_sweeps(roost: Roost) -> None:
    if roost.store == roost.path:
        pytest.skip("one process works on one file")
    other = roost.open(Raven)
    try:
        roost.hub.set_retention("acme", payloads=1)
        roost.hear(message(1, "hello"))
        roost.clock.forward(days=2)
        roost.hub.drain()
        assert not any(bodies(roost))
        late = message(2, "again", at=0)
        roost.deliver(late, received_at=late.interaction.sent_at)
        other.workers.record_waiting()
        other.drain()
        assert bodies(roost)[1]  # the other process has not got the lease
        roost.hub.drain()
        assert not any(bodies(roost))
    finally:
        other.close()

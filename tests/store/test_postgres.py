"""PostgreSQL as it is run: a role without rights on tables, a pooler in between, restarts, several processes."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.contract import ConfigError
from socialsupport_core.pipeline.replying import KeyReused
from socialsupport_core.store import StoreError, accounts, migrations, open_store
from socialsupport_core.testing import postgresql

psycopg = pytest.importorskip("psycopg")

from socialsupport_core.store.postgres import PostgreSQL, migrate, shown, split_url  # noqa: E402

NewStore = Callable[[str, Path], str]
PROCESS = Path(__file__).with_name("process.py")


@pytest.fixture
def url(new_store: NewStore, tmp_path: Path) -> str:
    return str(new_store("postgresql", tmp_path))


@pytest.fixture
def raven(url: str, tmp_path: Path) -> Iterator[Roost]:
    made = Roost(tmp_path, store=url)
    yield made
    made.hub.close()


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    address, schema = split_url(url)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'SET search_path TO "{schema}"')
        return list(connection.execute(sql).fetchall())


# the schema


def test_a_start_makes_no_tables(server: postgresql.Server) -> None:
    url = f"{server.url}?schema=untouched"
    with pytest.raises(StoreError, match="run socialsupport migrate"):
        open_store(url)
    assert rows(url, "SELECT 1 FROM information_schema.schemata WHERE schema_name = 'untouched'") == []


def test_migrating_twice_changes_nothing(url: str) -> None:
    before = rows(url, "SELECT name, value FROM meta ORDER BY name")
    assert migrate(url) == []
    assert rows(url, "SELECT name, value FROM meta ORDER BY name") == before


def statements(script: str) -> list[str]:
    return [one for one in (part.strip() for part in script.split(";\n")) if one and not one.startswith("--")]


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
def test_a_migration_that_is_killed_at_any_statement_has_changed_nothing_and_is_run_again(
    server: postgresql.Server, every: int
) -> None:
    name = f"killed_{every}"
    script = migrations.postgresql_script(migrations.STEPS[0], name).replace(";", ";\n")
    whole = statements(script)
    assert len(whole) > 60
    for survived in range(1, len(whole), every):
        with psycopg.connect(server.url, autocommit=True) as victim:
            for statement in whole[:survived]:
                victim.execute(statement)
            victim.pgconn.finish()  # as if the process had died
        found = rows(server.url, f"SELECT 1 FROM pg_namespace WHERE nspname = '{name}'")
        assert found == [], whole[survived - 1]
    assert migrate(f"{server.url}?schema={name}") == [1]
    open_store(f"{server.url}?schema={name}").close()


def test_two_that_migrate_at_once_do_it_once(server: postgresql.Server) -> None:
    url = f"{server.url}?schema=twice"
    with ThreadPoolExecutor(4) as threads:
        tried = [threads.submit(migrate, url) for _ in range(4)]
    done = [one.exception() or one.result() for one in tried]
    assert [1] in done
    open_store(url).close()


@pytest.mark.parametrize(
    ("version", "oldest", "told"),
    [(0, 1, "run socialsupport migrate"), (7, 1, None), (7, 5, "install the newer release")],
)
def test_the_previous_release_runs_on_the_new_schema_and_an_older_one_says_what_to_do(
    url: str, version: int, oldest: int, told: str | None
) -> None:
    address, schema = split_url(url)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'UPDATE "{schema}".meta SET value = %s WHERE name = %s', (str(version), "version"))
        connection.execute(f'UPDATE "{schema}".meta SET value = %s WHERE name = %s', (str(oldest), "oldest"))
    if told is None:
        open_store(url).close()
    else:
        with pytest.raises(StoreError, match=told):
            open_store(url)


def test_an_expanding_and_a_contracting_step(server: postgresql.Server) -> None:
    url = f"{server.url}?schema=steps"
    expand = migrations.Step(2, "ALTER TABLE agents ADD COLUMN motto TEXT;\nCREATE TABLE mottos (n SERIAL, t TEXT);\n")
    contract = migrations.Step(3, "ALTER TABLE agents DROP COLUMN is_bot;\n", oldest=2)
    assert migrate(url) == [1]
    assert migrate(url, steps=(*migrations.STEPS, expand)) == [2]
    open_store(url).close()  # this release knows version 1
    assert migrate(url, steps=(*migrations.STEPS, expand, contract)) == [3]
    with pytest.raises(StoreError, match="needs a release that knows schema 2"):
        open_store(url)


@pytest.mark.parametrize("name", ["Upper", "a-b", "a b", 'a"b', "", "a" * 64, "1a"])
def test_a_schema_has_a_plain_name(name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a schema"):
        split_url(f"postgresql://h/d?schema={name}") if name else split_url("postgresql://h/d?schema=%20")


def test_no_password_is_shown() -> None:
    assert shown("postgresql://me:hunter2@db.example:5432/support?schema=s&password=hunter2") == (
        "postgresql://db.example:5432/support"
    )
    with pytest.raises(StoreError) as refused:
        open_store("postgresql://me:hunter2@127.0.0.1:1/support?connect_timeout=1")
    assert "hunter2" not in str(refused.value)


# the role


def test_the_role_that_runs_the_hub_may_touch_rows_and_no_tables(server: postgresql.Server, tmp_path: Path) -> None:
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE runtime LOGIN")
    url = f"{server.url}?schema=guarded"
    migrate(url, role="runtime")
    mine = url.replace("support@", "runtime@")
    roost = Roost(tmp_path, store=mine)
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    roost.hub.drain()
    assert (roost.texts(), roost.states()) == (["hello", "hi"], ["sent"])
    last = roost.hub.cursor("acme")
    roost.clock.forward(hours=1)
    roost.hub.start()  # the log goes on elsewhere
    roost.hub.note("acme", roost.conversation(), "it may", agent="dana")
    assert roost.hub.cursor("acme") > last + 1000
    roost.hub.close()
    for forbidden in ("CREATE TABLE guarded.x (n INT)", "DROP TABLE guarded.log", "ALTER TABLE guarded.log ADD x INT"):
        with psycopg.connect(mine.partition("?")[0]) as connection, pytest.raises(psycopg.Error):
            connection.execute(forbidden)


# a pooler


@pytest.fixture
def pooler(server: postgresql.Server, tmp_path: Path) -> Iterator[int]:
    """pgbouncer in transaction mode: no two transactions are sure to have the same session."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("no pgbouncer here; on Debian: apt install pgbouncer")
    port = postgresql._free_port()
    folder = server.folder / f"pooler-{port}"
    folder.mkdir()
    (folder / "users").write_text('"support" ""\n')
    (folder / "ini").write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={server.port} user=support\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\nauth_file = {folder}/users\npool_mode = transaction\n"
        "default_pool_size = 3\n"
    )
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "postgres") if server._user else None
    running = subprocess.Popen([program, "-q", str(folder / "ini")], user=server._user, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    assert running.poll() is None
    yield port
    running.kill()
    running.wait()


def test_behind_a_pooler_in_transaction_mode(url: str, pooler: int, tmp_path: Path) -> None:
    parts = urlsplit(url)
    pooled = urlunsplit(parts._replace(netloc=f"support@127.0.0.1:{pooler}"))
    roost = Roost(tmp_path, store=pooled)
    roost.hub.start()
    for number in range(30):
        roost.deliver(message(number, f"text {number}", ("kerry", "robin", "dana")[number % 3]))
    deadline = time.monotonic() + 20
    while roost.journal()["recorded"] < 30:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    roost.reply("hi")
    while roost.states() != ["sent"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    roost.hub.close()


# trouble


def test_while_the_server_is_away_nothing_is_promised_and_afterwards_all_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "socialsupport")
    with postgresql.running(options=()) as server:
        url = f"{server.url}?schema=s"
        migrate(url)
        roost = Roost(tmp_path, store=url)
        roost.hub.start()
        roost.deliver(message(1, "before"))
        server.stop("immediate")
        with pytest.raises(StoreError):
            roost.deliver(message(2, "meanwhile"))
        server.start()
        deadline = time.monotonic() + 20
        while True:
            try:
                roost.deliver(message(3, "after"))
                break
            except StoreError:
                assert time.monotonic() < deadline
        while roost.journal()["waiting"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert set(roost.texts()) == {"before", "after"}
        assert roost.journal()["unexplained"] == 0
        while "the store answers again" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        roost.hub.close()


def test_a_server_that_takes_no_changes_is_no_fault_of_ours_and_all_goes_on_when_it_does(tmp_path: Path) -> None:
    """A replica, or what a failover leaves for a while."""
    with postgresql.running() as server:
        url = f"{server.url}?schema=s"
        migrate(url)
        roost = Roost(tmp_path, store=url)
        roost.hear(message(1, "before"))
        roost.reply("answered")  # it is due, and can be claimed by nobody
        read_only(server, "on")
        roost.hub.start()
        with pytest.raises(StoreError, match="read-only transaction; if it is a replica"):
            roost.deliver(message(2, "meanwhile"))
        felt = roost.hub.health()
        assert (felt["status"], "read-only" in felt["failing"][0]) == ("failing", True)
        time.sleep(2.5)
        read_only(server, "off")
        roost.deliver(message(3, "after"))
        deadline = time.monotonic() + 20
        while roost.journal()["waiting"] or roost.states() != ["sent"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert roost.hub.health()["status"] == "ok"
        roost.hub.close()


def read_only(server: postgresql.Server, switch: str) -> None:
    with psycopg.connect(f"{server.url}?options=-cdefault_transaction_read_only%3Doff", autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {switch}")
        connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def test_a_role_that_lost_a_right_is_told_what_to_do(url: str, server: postgresql.Server) -> None:
    schema = split_url(url)[1]
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN")
        connection.execute(migrations.grants(schema, "poor"))
        store = PostgreSQL(url.replace("support@", "poor@"))
        connection.execute(f"REVOKE INSERT ON {schema}.tenants FROM poor")
    with pytest.raises(StoreError, match="permission denied for table tenants; run socialsupport migrate with --role"):
        store.do(lambda tx: accounts.add_tenant(tx, "acme", "Acme", b""))
    store.close()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY poor")
        connection.execute("DROP ROLE poor")


def test_what_is_not_text_to_the_server_is_kept_all_the_same(raven: Roost) -> None:
    raven.hear(message(1, "a NUL: \0 and a smile: 🙂", "bird"))
    assert raven.texts("bird") == ["a NUL: \0 and a smile: 🙂"]
    assert raven.journal()["recorded"] == 1


def test_the_same_payloads_from_eight_sides_at_once_are_recorded_once(raven: Roost) -> None:
    payloads = [raven.payload(message(n, f"text {n}", f"bird{n % 3}")) for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: raven.hub.receive(raven.doors["acme"], payloads[n % 40]), range(320)))
    for answer in answers:
        answer.result()
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(raven.hub.drain) for _ in range(4)]:
            done.result()
    while raven.journal()["waiting"]:
        raven.hub.drain()
    shown = Counter(text for bird in range(3) for text in raven.texts(f"bird{bird}"))
    assert shown == {f"text {n}": 1 for n in range(40)}
    assert (raven.journal()["accepted"], raven.journal()["unexplained"]) == (320, 0)


# several processes


class Process:
    """A worker of its own; `kill` is kill -9."""

    def __init__(self, url: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROCESS), url, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        with self._process.stdout as told:
            assert told.readline() == "working\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.wait(20) == 0


def wait_until(true: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_several_processes_share_the_work_and_what_a_killed_one_held_is_taken_over(
    raven: Roost, url: str, tmp_path: Path
) -> None:
    first, second = Process(url, tmp_path), Process(url, tmp_path)
    for number in range(600):
        tenant = "acme" if number % 2 else "rival"
        raven.deliver(message(number, f"text {number}", f"bird{number % 7}"), tenant=tenant)
        if number == 300:
            first.kill()
    third = Process(url, tmp_path)
    wait_until(lambda: raven.journal()["waiting"] == 0)
    second.stop()
    third.stop()
    journal = raven.journal()
    assert (journal["recorded"], journal["accepted"], journal["unexplained"]) == (600, 600, 0)
    for tenant, odd in (("acme", 1), ("rival", 0)):
        shown = Counter(
            entry["interaction"]["text"]
            for bird in range(7)
            for entry in raven.hub.timeline(tenant, f"raven.ring:bird{bird}", limit=1000)
        )
        assert shown == {f"text {number}": 1 for number in range(600) if number % 2 == odd}
    opened = Counter(
        event["data"]["customer"]
        for event in raven.hub.events("acme", limit=5000)
        if event["type"] == "conversation.opened"
    )
    assert set(opened.values()) == {1}


def test_a_cursor_that_has_passed_something_never_finds_more_before_it(raven: Roost, url: str, tmp_path: Path) -> None:
    """Commits of two processes overlap; whoever reads by cursor still misses nothing."""
    workers = [Process(url, tmp_path), Process(url, tmp_path)]
    seen: list[int] = []
    done = threading.Event()

    def follow() -> None:
        while not done.is_set() or raven.hub.events("acme", after=seen[-1] if seen else 0):
            seen.extend(event["cursor"] for event in raven.hub.events("acme", after=seen[-1] if seen else 0))

    follower = threading.Thread(target=follow)
    follower.start()
    for number in range(400):
        raven.deliver(message(number, f"text {number}", f"bird{number % 50}"))
    wait_until(lambda: raven.journal()["waiting"] == 0)
    done.set()
    follower.join(20)
    for worker in workers:
        worker.stop()
    after = [event["cursor"] for event in raven.hub.events("acme", limit=5000)]
    assert seen == after
    assert len(seen) >= 400


def test_a_channel_that_one_process_adds_is_live_in_the_others(raven: Roost, url: str, tmp_path: Path) -> None:
    other = Roost(tmp_path, store=url)
    other.hub.start()
    raven.hub.add_channel("acme", "late", "raven", {}, mode="webhook")
    wait_until(lambda: ("acme", "late") in other.hub.channels.all(), 5)
    raven.hub.remove_channel("acme", "late")
    wait_until(lambda: ("acme", "late") not in other.hub.channels.all(), 5)
    other.hub.close()


def test_a_part_of_a_dead_process_is_taken_over_when_its_lease_ends(raven: Roost, url: str) -> None:
    raven.hear(message(1, "hello"))
    raven.reply("hi")
    database = raven.hub._database
    from socialsupport_core.store import micros, outbox

    now = micros(raven.clock())
    (taken,) = database.do(lambda tx: outbox.claim(tx, now, 9, worker="dead:1", until=now + 30_000_000))
    raven.hub.start()
    time.sleep(0.6)
    assert raven.states() == ["queued"]  # as the timeline shows what is being sent
    assert database.read(lambda tx: outbox.get(tx, "acme", taken.key)).state == "sending"
    raven.hub.close()
    raven.clock.forward(seconds=31)
    raven.reopen().start()
    wait_until(lambda: raven.states() == ["sent"], 15)
    assert raven.sky.texts() == ["hi"]


def test_a_worker_that_was_taken_for_dead_does_not_decide_for_the_next(raven: Roost) -> None:
    from socialsupport_core.store import micros, outbox

    raven.hear(message(1, "hello"))
    raven.reply("hi")
    database, now = raven.hub._database, micros(raven.clock())
    (slow,) = database.do(lambda tx: outbox.claim(tx, now, 9, worker="slow:1", until=now + 1))
    database.do(lambda tx: outbox.move(tx, slow, "retrying", due_at=now))
    (next_one,) = database.do(lambda tx: outbox.claim(tx, now, 9, worker="next:1", until=now + 1))
    assert not database.do(lambda tx: outbox.move(tx, slow, "failed"))
    assert database.do(lambda tx: outbox.move(tx, next_one, "uncertain"))
    assert database.do(lambda tx: outbox.move(tx, slow, "sent"))  # that it was sent is true whoever says so


@pytest.mark.parametrize("database", [PostgreSQL])
def test_a_commit_in_doubt_is_no_promise(url: str, database: type[PostgreSQL], monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends with the COMMIT: whoever waited must not be told that it is written, nor is it run again."""
    store = database(url)
    runs: list[int] = []

    def work(tx: Any) -> None:
        runs.append(1)
        accounts.add_tenant(tx, "acme", "Acme", b"")
        tx.run("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(StoreError):
        store.do(work)
    assert runs == [1]
    assert store.do(lambda tx: accounts.add_tenant(tx, "next", "Next", b""))
    assert [tenant for tenant, _ in store.read(accounts.tenants)] == ["next"]
    store.close()


def test_the_figures_of_time_are_those_of_the_event(raven: Roost) -> None:
    raven.hear(message(1, "hello", at=NOON))
    (entry,) = raven.hub.timeline("acme", "raven.ring:kerry")
    assert entry["at"] == json.loads(message(1, "hello", at=NOON).to_json())["interaction"]["sent_at"]


# a reply within the caller's own transaction


def test_a_reply_commits_with_the_callers_own_rows_or_not_at_all(raven: Roost, url: str) -> None:
    raven.hear(message(1, "where is my order?"))
    address, _ = split_url(url)
    with psycopg.connect(address) as mine:
        mine.execute("CREATE TEMPORARY TABLE tickets (id TEXT)")
        mine.commit()
        for key, keeps in (("gone", False), ("kept", True)):
            mine.execute("INSERT INTO tickets VALUES (%s)", (key,))
            said = raven.hub.reply("acme", raven.conversation(), key, agent="dana", key=key, connection=mine)
            assert [part["state"] for part in said["parts"]] == ["queued"]
            mine.execute("SELECT * FROM tickets")  # his own search path is his own again
            assert raven.states() == []  # nobody sees it yet
            mine.commit() if keeps else mine.rollback()
    raven.hub.drain()
    assert (raven.texts(), raven.sky.texts()) == (["where is my order?", "kept"], ["kept"])
    sent = [event for event in raven.hub.events("acme") if event["type"] == "interaction.received"]
    assert [event["data"]["interaction"]["text"] for event in sent] == ["where is my order?", "kept"]


@pytest.fixture
def mine(raven: Roost, url: str) -> Iterator[Any]:
    """A connection of the caller's with a reply in its transaction, so that acme is held."""
    raven.hear(message(1, "where is my order?"))
    with psycopg.connect(split_url(url)[0]) as connection:
        raven.hub.reply("acme", raven.conversation(), "soon", agent="dana", connection=connection)
        yield connection


def test_what_waits_for_ones_own_transaction_says_so_and_does_not_hang(
    raven: Roost, mine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socialsupport_core.store.postgres.PATIENCE", "200ms")
    con = raven.conversation()
    for act in (
        lambda: raven.hub.resolve("acme", con, agent="dana"),
        lambda: raven.hub.note("acme", con, "She waits.", agent="dana"),
    ):
        with pytest.raises(StoreError, match=r"a transaction that has not ended holds 'acme'; .* commit it before"):
            act()
    assert mine.execute("SHOW lock_timeout").fetchone() == ("0",)
    mine.commit()
    raven.hub.resolve("acme", con, agent="dana")
    raven.hub.drain()
    assert raven.sky.texts() == ["soon"]


def test_who_holds_one_tenant_holds_up_neither_doors_nor_other_tenants(
    raven: Roost, mine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socialsupport_core.store.postgres.PATIENCE", "20s")
    con = raven.conversation()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(raven.hub.resolve, "acme", con, agent="dana")
        raven.deliver(message(2, "hello?"))
        raven.deliver(message(3, "good morning"), tenant="rival")
        assert raven.hub.workers.record_waiting()
        assert (raven.texts(tenant="rival"), waiting.done()) == (["good morning"], False)
        assert raven.hub.health()["journal"]["waiting"] == 1
        mine.commit()
        waiting.result()
    raven.hub.drain()
    assert sorted(raven.texts()) == ["hello?", "soon", "where is my order?"]


def test_a_reply_that_fails_leaves_the_callers_transaction_as_it_was(raven: Roost, mine: Any, url: str) -> None:
    with psycopg.connect(split_url(url)[0]) as other:
        other.execute("SET LOCAL lock_timeout = '3s'")
        other.execute("CREATE TEMPORARY TABLE tickets (id TEXT)")
        mine.commit()
        raven.hub.reply("acme", raven.conversation(), "one", agent="dana", key="k", connection=other)
        with pytest.raises(KeyReused):
            raven.hub.reply("acme", raven.conversation(), "another", agent="dana", key="k", connection=other)
        other.execute("INSERT INTO tickets VALUES ('t')")  # its search path is the caller's own, and nothing is aborted
        assert other.execute("SHOW lock_timeout").fetchone() == ("3s",)
        other.commit()
    raven.hub.drain()
    assert raven.sky.texts() == ["soon", "one"]


def test_a_role_that_may_not_write_our_tables_is_told_so(raven: Roost, url: str, server: postgresql.Server) -> None:
    raven.hear(message(1, "hello"))
    with psycopg.connect(server.url, autocommit=True) as owner:
        owner.execute("CREATE ROLE helpdesk LOGIN")
    parts = urlsplit(split_url(url)[0])
    address = urlunsplit(parts._replace(netloc=f"helpdesk@{parts.netloc.rpartition('@')[2]}"))
    with psycopg.connect(address) as theirs:
        with pytest.raises(ConfigError, match="its role needs what socialsupport migrate --role grants"):
            raven.reply("hi", connection=theirs)
        theirs.execute("SELECT 1")
    assert raven.states() == []


def test_a_connection_that_cannot_carry_a_reply_is_refused(raven: Roost, url: str, tmp_path: Path) -> None:
    raven.hear(message(1, "hello"))
    with psycopg.connect(split_url(url)[0], autocommit=True) as mine:
        with pytest.raises(ConfigError, match="in no transaction"):
            raven.reply("hi", connection=mine)
        with pytest.raises(ConfigError, match="psycopg 3"):
            raven.reply("hi", connection=object())
    (tmp_path / "file").mkdir()
    local = Roost(tmp_path / "file")
    local.hear(message(1, "hello"))
    with pytest.raises(ConfigError, match="one writer"):
        local.reply("hi", connection=object())
    assert local.states() == []
    local.hub.close()

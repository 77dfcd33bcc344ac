"""A tenant is removed: nothing of it is left in any table or file, and others do not notice."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from canary import Aviary, left_in, live
from raven import message
from raven.connector import SECRET

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub import NoSuchDoor
from socialsupport_core.model import Credentials
from socialsupport_core.store import Tx, credentials, journal, leases, tenancy

NEVER = 9_999_999_999_999_999  # a time at which nothing is due
SQLITE = (
    "SELECT m.name AS name, c.name AS col, c.type AS kind FROM sqlite_master m JOIN pragma_table_info(m.name) c"
    " WHERE m.type = 'table' AND m.name NOT LIKE 'answer_words_%' ORDER BY m.name, c.cid"
)
POSTGRESQL = (
    "SELECT table_name AS name, column_name AS col, data_type AS kind FROM information_schema.columns"
    " WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
)


@pytest.fixture
def aviary(tmp_path: Path, store: str | Path) -> Iterator[Aviary]:
    made = Aviary(tmp_path, store)
    yield made
    made.hub.close()


def tables(aviary: Aviary) -> dict[str, dict[str, str]]:
    """As the store itself knows them, with the kind of each column; those that have a tenant."""
    sql = SQLITE if aviary.store == aviary.path else POSTGRESQL
    found: dict[str, dict[str, str]] = {}
    for row in aviary.hub._database.read(lambda tx: tx.all(sql)):
        found.setdefault(row["name"], {})[row["col"]] = row["kind"].upper()
    return {name: columns for name, columns in found.items() if "tenant" in columns}


def rows(tx: Tx, table: str, tenant: str) -> list[str]:
    marks = "" if table != "answer_words" else "CAST(words AS TEXT), "
    found = tx.all(f"SELECT {marks}t.* FROM {table} t WHERE tenant = ?", tenant)
    return sorted(str(tuple(row[name] for name in _names(row))) for row in found)


def _names(row: Any) -> list[str]:
    return sorted(str(name) for name in row.keys())  # noqa: SIM118 - a row of SQLite goes over its values


def fill(tx: Tx, all_tables: dict[str, dict[str, str]]) -> None:
    """A row of each tenant in every table in which it has none yet."""
    number = itertools.count(NEVER)
    for table, columns in all_tables.items():
        for tenant in ("acme", "rival"):
            if rows(tx, table, tenant):
                continue
            values = [_value(name, kind, tenant, next(number)) for name, kind in columns.items()]
            marks = ", ".join("CAST(? AS TSVECTOR)" if kind == "TSVECTOR" else "?" for kind in columns.values())
            tx.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *values)


def _value(column: str, kind: str, tenant: str, number: int) -> Any:
    if column == "tenant":
        return tenant
    if "INT" in kind:
        return number
    return f"{tenant}-{column}-{number}" if kind in ("TEXT", "", "TSVECTOR") else tenant.encode()


def settled(aviary: Aviary) -> dict[str, dict[str, str]]:
    """Both tenants have lived, and then something in every table."""
    hub = aviary.hub
    aviary.hear(message("theirs", "only rivals know", "robin"), tenant="rival")
    live(aviary)
    aviary.sky.before = lambda request: None
    for tenant in ("acme", "rival"):
        hub.issue_token(tenant, "dana", ["read"])
        with suppress(ConfigError):
            hub.add_crm(tenant, "books", "ledger", {})
        hub.add_webhook(tenant, "https://desk.example/other", webhook="other")
    hub.drain()
    found = tables(aviary)

    def keep(tx: Tx) -> None:
        for tenant in ("acme", "rival"):
            credentials.keep(tx, hub._secrets, f"channel/{tenant}/tower", Credentials(access_token=tenant))
            leases.hold(tx, f"poll {tenant} tower", "worker", 1, 2)
            tx.run("INSERT INTO refused (door, count) VALUES (?, 1)", aviary.doors[tenant])
        fill(tx, found)

    hub._database.do(keep)
    return found


def test_a_table_that_is_new_is_known(aviary: Aviary) -> None:
    assert {*tenancy.TABLES, "journal", "tenants"} == set(tables(aviary))


def test_nothing_is_left_of_it_and_others_lose_nothing(aviary: Aviary) -> None:
    found = settled(aviary)
    hub, read = aviary.hub, aviary.hub._database.read
    before = {table: read(lambda tx, table=table: rows(tx, table, "rival")) for table in found}  # type: ignore[misc]
    assert [table for table, kept in before.items() if not kept] == []
    assert "acme" in aviary.dump()

    told = hub.remove_tenant("acme")

    assert set(found) <= set(told["removed"])
    assert {"secrets", "credentials", "leases", "refused", "token_issues"} <= set(told["removed"])
    assert told["files"]["removed"] == 2
    dumped = aviary.dump().lower()
    assert "acme" not in dumped.replace("acme.example", "")  # whoever the rival's messages speak of
    assert (left_in(dumped), aviary.doors["acme"] in dumped) == ([], False)
    assert {table: read(lambda tx, table=table: rows(tx, table, "rival")) for table in found} == before  # type: ignore[misc]
    if aviary.store == aviary.path:
        assert [path.name for path in aviary.files(None) if left_in(path.read_bytes())] == []
    assert read(lambda tx: hub._secrets.get(tx, "channel/rival/tower"))


def test_at_the_door_of_a_shared_app_its_payloads_are_emptied_and_the_rest_goes_on(aviary: Aviary) -> None:
    hub = aviary.hub
    door = hub.add_app("flock", "raven", {"secret": SECRET}).rsplit("/", 1)[1]
    alone = hub.add_app("lone", "raven", {"secret": SECRET}).rsplit("/", 1)[1]
    hub.add_channel("acme", "east", "raven", {}, app="flock", own_account="east")
    hub.add_channel("acme", "nest", "raven", {}, app="lone", own_account="nest")
    hub.add_channel("rival", "west", "raven", {}, app="flock", own_account="west")
    for number, (where, at) in enumerate((("east", door), ("west", door), ("moon", door), ("nest", alone))):
        said = message(number, f"said to {where}", own_account=where)
        hub.receive(at, aviary.payload(said)).result()
    hub.drain()
    late = aviary.payload(message("late", "is anybody there"))
    before = aviary.journal()

    told = hub.remove_tenant("acme")

    dumped = aviary.dump()
    assert [where for where in ("east", "nest") if f"said to {where}" in dumped] == []
    assert aviary.texts("kerry", "rival") == ["said to west"]
    assert [one for one in told["left"] if one.startswith(("1 payloads from which", "the app lone"))] == told["left"][
        len(told["left"]) - 4 : -2
    ]
    assert (aviary.journal()["accepted"], aviary.journal()["unexplained"]) == (before["accepted"], 0)
    with pytest.raises(NoSuchDoor):
        hub.receive(aviary.doors["acme"], late)
    aviary.hear(message("next", "go on", "wren"), tenant="rival")
    assert aviary.texts("wren", "rival") == ["go on"]


def test_what_another_process_had_taken_in_goes_when_it_is_done_again(aviary: Aviary) -> None:
    hub, door = aviary.hub, aviary.doors["acme"]
    aviary.hear(message("first", "here I am"))
    late = aviary.payload(message("late", "is anybody there"))
    hub.remove_tenant("acme")
    hub._database.do(lambda tx: journal.append(tx, [("acme", door, late)]))
    hub.drain()
    assert hub.tenants() == ["rival"]
    assert hub.remove_tenant("acme")["removed"] == {"journal": 1}
    assert aviary.journal() == {"accepted": 0, "waiting": 0, "recorded": 0, "ignored": 0, "quarantined": 0} | {
        "unexplained": 0
    }
    with pytest.raises(ConfigError, match="there is no tenant 'acme', and nothing is left of one"):
        hub.remove_tenant("acme")
    hub.add_tenant("acme", "Acme again")
    assert hub.queue("acme", status=None) == []

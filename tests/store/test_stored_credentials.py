"""Credentials in the store: sealed, counted in versions, and renewed by one at a time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from socialsupport_core.contract import ConfigError
from socialsupport_core.model import Credentials
from socialsupport_core.store import Database, Tx, open_store
from socialsupport_core.store import credentials as table
from socialsupport_core.store.secrets import EncryptedSecrets, new_key
from socialsupport_core.store.sqlite import SQLite

HOLDER, NOW, LEASE = "channel/acme/tower", 10**15, 1000
SECRETS = EncryptedSecrets([new_key()])


def some(number: int = 1, **more: Any) -> Credentials:
    return Credentials(
        access_token=SecretStr(f"access-token-{number}"), refresh_token=SecretStr(f"refresh-token-{number}"), **more
    )


@pytest.fixture
def database(store: str | Path) -> Iterator[Database]:
    made = open_store(store)
    yield made
    made.close()


def held(tx: Tx) -> tuple[int, Credentials] | None:
    found = table.standing(tx, HOLDER)
    return (found.version, table.get(tx, SECRETS, HOLDER)) if found else None


def test_what_is_kept_comes_back_whole(database: Database) -> None:
    whole = some(expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC), scopes=frozenset({"a", "b"}))
    assert database.read(held) is None
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, whole))
    assert database.read(held) == (1, whole)
    bare = Credentials(access_token=SecretStr("only"))
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, bare))
    assert database.read(held) == (2, bare)


def test_nothing_is_kept_in_the_clear(database: Database) -> None:
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some()))

    def everything(tx: Tx) -> str:
        rows = [*tx.all("SELECT * FROM credentials"), *tx.all("SELECT * FROM secrets")]
        return " ".join(
            str(bytes(value) if isinstance(value, memoryview) else value)
            for row in rows
            for value in dict(row).values()
        )

    assert "token-1" not in database.read(everything)
    with pytest.raises(ConfigError, match="sealed with another key"):
        database.read(lambda tx: table.get(tx, EncryptedSecrets([new_key()]), HOLDER))


def test_a_renewal_replaces_just_the_version_that_it_was_got_with(database: Database) -> None:
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(1)))
    assert database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, 1, some(2), NOW))
    assert not database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, 1, some(3), NOW))
    assert not database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, 9, some(3), NOW))
    assert not database.do(lambda tx: table.renew(tx, SECRETS, "channel/acme/none", 1, some(3), NOW))
    assert database.read(held) == (2, some(2))


def test_a_claim_is_one_s_until_its_lease_runs_out(database: Database) -> None:
    def claim(who: str, now: int, version: int = 1) -> str | None:
        return database.do(lambda tx: table.claim(tx, HOLDER, version, who, now, now + LEASE))

    assert claim("a", NOW) is None  # there is nothing
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(1)))
    assert claim("a", NOW, version=2) is None
    assert claim("a", NOW) == "good"
    assert claim("b", NOW + LEASE - 1) is None
    assert claim("a", NOW + LEASE - 1) is None
    assert claim("b", NOW + LEASE) == "doubtful"  # whatever became of a's
    assert database.do(lambda tx: table.settle(tx, HOLDER, 1, "a", "good")) is False
    assert database.do(lambda tx: table.settle(tx, HOLDER, 1, "b", "good"))
    assert claim("a", NOW + LEASE) == "good"
    assert database.do(lambda tx: table.settle(tx, HOLDER, 1, "a", "refused", "connect again"))
    assert claim("b", NOW + 10 * LEASE) is None
    found = database.read(lambda tx: table.standing(tx, HOLDER))
    assert found is not None
    assert (found.state, found.reason) == ("refused", "connect again")
    assert database.do(lambda tx: table.revive(tx, HOLDER))
    assert not database.do(lambda tx: table.revive(tx, HOLDER))
    assert claim("b", NOW + 10 * LEASE) == "good"


def test_what_an_operator_brings_ends_everything_under_way(database: Database) -> None:
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(1)))
    database.do(lambda tx: table.claim(tx, HOLDER, 1, "a", NOW, NOW + LEASE))
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(7)))
    assert not database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, 1, some(2), NOW))
    assert not database.do(lambda tx: table.settle(tx, HOLDER, 1, "a", "refused", "no"))
    assert database.read(held) == (2, some(7))
    assert database.do(lambda tx: table.claim(tx, HOLDER, 2, "b", NOW, NOW + LEASE)) == "good"


def test_what_an_operator_brings_was_never_renewed(database: Database) -> None:
    """Else it would be taken for a token that the network refuses although it is new."""
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(1)))
    database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, 1, some(2), NOW))
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(3)))
    found = database.read(lambda tx: table.standing(tx, HOLDER))
    assert found is not None
    assert found.renewed_at is None


def test_what_is_held_is_not_begun_again(database: Database) -> None:
    database.do(lambda tx: table.begin(tx, SECRETS, HOLDER, some(1)))
    database.do(lambda tx: table.begin(tx, SECRETS, HOLDER, some(2)))
    assert database.read(held) == (1, some(1))


def test_no_version_is_given_twice(database: Database) -> None:
    """Else a process that remembers a version would take another's credentials for it."""
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(1)))
    database.do(lambda tx: table.forget(tx, SECRETS, HOLDER))
    assert database.read(held) is None
    assert not database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, 2, some(2), NOW))
    with pytest.raises(ConfigError):
        database.read(lambda tx: table.get(tx, SECRETS, HOLDER))
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(2)))
    assert database.read(held) == (3, some(2))


def test_eight_stores_race_for_one_claim(store: str | Path) -> None:
    """As many processes would: each with connections of its own."""
    stores = [open_store(store) for _ in range(4)]
    stores[0].do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(0)))
    won: list[tuple[int, str]] = []
    start = threading.Barrier(8)

    def race(number: int) -> None:
        database = stores[number % 4]
        for version in range(1, 26):
            start.wait(20)
            who = f"p{number}"
            if database.do(lambda tx: table.claim(tx, HOLDER, version, who, NOW, NOW + LEASE)):  # noqa: B023
                won.append((version, who))
                assert database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, version, some(version), NOW))  # noqa: B023

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(race, number) for number in range(8)]:
            done.result(60)
    assert sorted(version for version, _ in won) == list(range(1, 26))
    assert stores[1].read(held) == (26, some(25))
    for one in stores:
        one.close()


class Model:
    """What the table ought to do, in a few lines."""

    def __init__(self) -> None:
        self.version, self.state, self.claimant, self.until = 1, "good", None, 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["claim", "renew", "settle", "keep", "revive", "wait"]),
            st.sampled_from("ab"),
            st.sampled_from(["good", "doubtful", "refused"]),
        ),
        max_size=25,
    )
)
def test_whatever_happens_one_at_a_time_renews_and_versions_only_grow(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, Any]]
) -> None:
    database = SQLite(tmp_path_factory.mktemp("steps") / "store.sqlite")
    model, now, known = Model(), NOW, {"a": 0, "b": 0}
    database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(1)))
    for verb, who, state in steps:
        mine = known[who]
        if verb == "claim":
            free = model.state != "refused" and model.until <= now
            before = model.state if free else None
            assert database.do(lambda tx: table.claim(tx, HOLDER, model.version, who, now, now + LEASE)) == before  # noqa: B023
            if free:
                model.state, model.claimant, model.until, known[who] = "doubtful", who, now + LEASE, model.version
        elif verb == "renew":
            fits = mine == model.version
            assert database.do(lambda tx: table.renew(tx, SECRETS, HOLDER, mine, some(9), now)) is fits  # noqa: B023
            if fits:
                model.version, model.state, model.claimant, model.until = model.version + 1, "good", None, 0
        elif verb == "settle":
            fits = mine == model.version and model.claimant == who
            assert database.do(lambda tx: table.settle(tx, HOLDER, mine, who, state)) is fits  # noqa: B023
            if fits:
                model.state, model.claimant, model.until = state, None, 0
        elif verb == "keep":
            database.do(lambda tx: table.keep(tx, SECRETS, HOLDER, some(5)))
            model.version, model.state, model.claimant, model.until = model.version + 1, "good", None, 0
        elif verb == "revive":
            assert database.do(lambda tx: table.revive(tx, HOLDER)) is (model.state == "refused")
            model.state = "good" if model.state == "refused" else model.state
        else:
            now += LEASE
        found = database.read(lambda tx: table.standing(tx, HOLDER))
        assert found is not None
        assert (found.version, found.state, found.claimed_until) == (model.version, model.state, model.until)
    database.close()


# on the way


def trip(digest: str = "d1", expires_at: int = NOW + LEASE) -> table.Trip:
    return table.Trip(digest, "acme", "dana", "tower", "https://hub.example/back", "/settings", None, expires_at)


def test_a_state_is_good_once(database: Database) -> None:
    database.do(lambda tx: table.set_out(tx, SECRETS, trip(), SecretStr("v" * 43), NOW))
    assert database.read(lambda tx: table.trip(tx, "d1")) == trip()
    assert database.read(lambda tx: table.trip(tx, "d2")) is None
    found = database.do(lambda tx: table.come_back(tx, SECRETS, trip(), NOW + 1))
    assert found == SecretStr("v" * 43)
    assert database.do(lambda tx: table.come_back(tx, SECRETS, trip(), NOW + 2)) is None
    assert database.read(lambda tx: table.trip(tx, "d1")) == trip()  # still recognised, as used


def test_a_state_that_is_late_is_void_and_its_verifier_gone(database: Database) -> None:
    database.do(lambda tx: table.set_out(tx, SECRETS, trip(), SecretStr("v" * 43), NOW))
    assert database.do(lambda tx: table.come_back(tx, SECRETS, trip(), NOW + LEASE)) is None
    assert database.read(lambda tx: tx.all("SELECT * FROM secrets")) == []


def test_old_states_are_cleared_away_with_their_verifiers(database: Database) -> None:
    for number in range(5):
        database.do(lambda tx: table.set_out(tx, SECRETS, trip(f"d{number}"), SecretStr("v" * 43), NOW))  # noqa: B023
    later = NOW + LEASE + table.KEEP_SIGN_INS + 1
    database.do(lambda tx: table.set_out(tx, SECRETS, trip("new", later + 1), SecretStr("v" * 43), later))
    left = database.read(lambda tx: [row["digest"] for row in tx.all("SELECT digest FROM sign_ins")])
    sealed = database.read(lambda tx: [row["ref"] for row in tx.all("SELECT ref FROM secrets")])
    assert (left, sealed) == (["new"], ["sign-in/new"])


def test_two_who_come_back_at_once_get_one_verifier(store: str | Path) -> None:
    stores = [open_store(store) for _ in range(2)]
    for number in range(20):
        one = trip(f"d{number}")
        stores[0].do(lambda tx: table.set_out(tx, SECRETS, one, SecretStr("v" * 43), NOW))  # noqa: B023
        start = threading.Barrier(4)

        def come(number: int) -> SecretStr | None:
            start.wait(20)  # noqa: B023
            return stores[number % 2].do(lambda tx: table.come_back(tx, SECRETS, one, NOW + 1))  # noqa: B023

        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(come, range(4)))
        assert len([one for one in found if one is not None]) == 1
    for database in stores:
        database.close()

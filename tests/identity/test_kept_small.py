"""How ids, digests and times stand in the store: in few bytes, and everybody reads what was written."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.identity import customer_of, link, observe
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Database, nodes, open_store
from socialsupport_core.store.accounts import add_tenant
from socialsupport_core.store.evidence import MONTH, Evidence, evidence_at, evidence_of
from socialsupport_core.store.nodes import Told, kept_id, public_id

WREN = Identifier(kind="raven.ring", value="wren")
PHONE = Identifier(kind="phone", value="+442079460958")
AT = 20_000 * MONTH // 30


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_store(tmp_path / "s.sqlite")
    made.do(lambda tx: add_tenant(tx, "acme", "Acme", b"k" * 32))
    yield made
    made.close()


@given(st.binary(min_size=15, max_size=15))
def test_an_id_is_written_in_one_way_only(kept: bytes) -> None:
    public = public_id(kept)
    assert public == f"cus_{base64.b32encode(kept).decode().lower()}"
    assert kept_id(public) == kept
    for other in (public.upper(), public[:-1], f"{public}a", f"{public[:-1]}1", public[4:], f"{public[:-1]}é"):
        assert kept_id(other) is None


@given(st.binary(min_size=6, max_size=6), st.integers(-(2**62), 2**62), st.integers(-3000, 3000))
def test_what_was_told_takes_18_bytes(mark: bytes, first: int, months: int) -> None:
    told = Told(mark, first, months * MONTH)
    assert Told.read(told.written()) == told
    assert len(told.written()) == 18
    assert Told.read(None) is None


def test_rows_hold_bytes_and_are_found_by_the_public_id(database: Database) -> None:
    database.do(lambda tx: observe(tx, "acme", Party(identifiers=(WREN, PHONE), name="Wren"), AT))
    found = database.read(lambda tx: customer_of(tx, "acme", str(WREN)))
    row = database.read(lambda tx: tx.one("SELECT * FROM nodes WHERE node = ?", found.number))
    assert row is not None
    assert (len(row["id"]), len(row["told"]), row["name"]) == (15, 18, "Wren")
    assert database.read(lambda tx: customer_of(tx, "acme", found.id)) == found
    assert database.read(lambda tx: nodes.search(tx, "acme", found.id, 9)) == [found.number]
    assert database.read(lambda tx: nodes.by_id(tx, "acme", f"{found.id}a")) is None


def test_evidence_is_read_as_it_was_given(database: Database) -> None:
    wren = database.do(lambda tx: observe(tx, "acme", Party(identifiers=(WREN, PHONE)), AT))
    assert wren is not None
    (one,) = database.read(lambda tx: evidence_at(tx, "acme", wren.number))
    given = Evidence(1, 2, "asserted", "profile", str(WREN), AT, last=AT // MONTH * MONTH)
    assert (one, one.digest) == (given, given.digest)
    row = database.read(lambda tx: tx.one("SELECT * FROM evidence"))
    assert row is not None
    assert (len(row["digest"]), row["digest"].hex(), row["last"]) == (10, given.content, AT // MONTH)
    assert evidence_of(row) == given


def test_the_same_said_again_is_no_news_until_the_next_month(database: Database) -> None:
    party = Party(identifiers=(WREN, PHONE))
    for at, last in ((AT, AT), (AT + 1, AT), (AT + 2 * MONTH, AT + 2 * MONTH), (AT + MONTH, AT + 2 * MONTH)):
        wren = database.do(lambda tx, at=at: observe(tx, "acme", party, at))
        (one,) = database.read(lambda tx, wren=wren: evidence_at(tx, "acme", wren.number))
        assert (one.at, one.last) == (AT, last // MONTH * MONTH)
        assert wren.told == Told(wren.told.mark, AT, last // MONTH * MONTH)


def test_a_verdict_on_two_new_accounts_is_kept(database: Database) -> None:
    verdict = database.do(lambda tx: link(tx, "acme", str(WREN), str(PHONE), agent="dana", at=AT))
    assert database.read(lambda tx: {customer_of(tx, "acme", str(one)).id for one in (WREN, PHONE)}) == {
        *verdict.customers
    }

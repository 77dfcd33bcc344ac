"""The store keeps the partition up: after every step it is what a rebuild from nothing but the evidence gives."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import identity_oracle as oracle
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from socialsupport_core import identity as people
from socialsupport_core.identity import NoSuchCustomer, Policy, VerdictRefused, erasable
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import SQLite, Tx, accounts, erasures, identity, nodes
from socialsupport_core.store import evidence as reasons

DAY = 86_400_000_000
TENANTS = ("acme", "rival")
KINDS = ("x.user", "telegram.user", "email", "phone", "crm.ledger")
VALUES = {"email": ("k@a.example", "l@a.example", "info@a.example"), "phone": ("+442079460958", "+442079460959")}
EXAMPLES = int(os.environ.get("IDENTITY_EXAMPLES", "8"))
STEPS = int(os.environ.get("IDENTITY_STEPS", "16"))
identifiers = st.sampled_from(
    [Identifier(kind=kind, value=value) for kind in KINDS for value in VALUES.get(kind, ("1", "2", "3"))]
)
times = st.sampled_from([*range(1, 13), 40]).map(lambda day: day * 20 * DAY)
policies = st.builds(
    Policy,
    cap=st.sampled_from([3, 4, 32]),
    component=st.sampled_from([4, 6, 512]),
    merges=st.sampled_from(["asserted", "asserted", "verified"]),
    values=st.sampled_from([2, 8]),
)


@contextmanager
def small_hubs(size: int) -> Iterator[None]:
    """Nodes are hubs sooner, so that small examples have some."""
    modules = ("socialsupport_core.store.evidence", "socialsupport_core.identity.partition")
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            patch.setattr(sys.modules[module], "HUB", size)
        yield


class Keeping(RuleBasedStateMachine):
    """Everything that can happen to identities, in any order and at any event time."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._hubs = small_hubs(4)
        self._hubs.__enter__()
        self.store = SQLite(Path(self._folder.name) / "s.sqlite")
        self.store._writer.execute("PRAGMA synchronous=OFF")  # nobody pulls the plug
        self.ids: dict[str, set[str]] = {tenant: set() for tenant in TENANTS}
        self.told: dict[str, dict[str, str]] = {tenant: {} for tenant in TENANTS}
        self.cursor = 0
        self.clock = 900 * DAY

    def teardown(self) -> None:
        self.store.close()
        self._hubs.__exit__(None, None, None)
        self._folder.cleanup()

    def do(self, tenant: str, call: Any) -> Any:
        self.clock += DAY
        try:
            return self.store.do(call, tenant)
        except (VerdictRefused, NoSuchCustomer):
            return None

    @initialize(policy=policies)
    def begin(self, policy: Policy) -> None:
        for number, tenant in enumerate(TENANTS):
            self.store.do(lambda tx, t=tenant, n=number: accounts.add_tenant(tx, t, t, bytes([n]) * 32))
            self.store.do(lambda tx, t=tenant: people.keep_policy(tx, t, policy))

    @rule(tenant=st.sampled_from(TENANTS), account=identifiers, others=st.lists(identifiers, max_size=2), at=times)
    def observe(self, tenant: str, account: Identifier, others: list[Identifier], at: int) -> None:
        party = Party(identifiers=(account, *others), handle=account.value)
        self.do(tenant, lambda tx: people.observe(tx, tenant, party, at))

    @rule(
        tenant=st.sampled_from(TENANTS),
        ends=st.lists(identifiers, min_size=2, max_size=3),
        tier=st.sampled_from(["verified", "verified", "asserted", "asserted", "claimed"]),
        proof=st.sampled_from(["p", "p", "migration"]),
        at=times,
    )
    def attest(self, tenant: str, ends: list[Identifier], tier: str, proof: str, at: int) -> None:
        def call(tx: Tx) -> None:
            people.attest(tx, tenant, ends[0], ends[1:], tier=tier, proof=proof, source=f"s{at}", at=at)

        self.do(tenant, call)

    @rule(tenant=st.sampled_from(TENANTS), one=identifiers, other=identifiers)
    def link(self, tenant: str, one: Identifier, other: Identifier) -> None:
        self.do(tenant, lambda tx: people.link(tx, tenant, str(one), str(other), agent="dana", at=self.clock))

    @rule(tenant=st.sampled_from(TENANTS), one=identifiers, count=st.integers(1, 3))
    def split(self, tenant: str, one: Identifier, count: int) -> None:
        def call(tx: Tx) -> None:
            found = identity.members(tx, tenant, people.customer_of(tx, tenant, str(one)).number)
            leaving = sorted({str(node.identifier) for node in found})[:count]
            people.split(tx, tenant, str(one), leaving, agent="dana", at=self.clock)

        self.do(tenant, call)

    @rule(tenant=st.sampled_from(TENANTS), pick=st.integers(0, 100))
    def undo(self, tenant: str, pick: int) -> None:
        def call(tx: Tx) -> None:
            rows = tx.all("SELECT * FROM evidence WHERE tenant = ? AND retracted_by IS NULL", tenant)
            live = sorted((reasons.evidence_of(row) for row in rows), key=lambda one: (one.at, one.digest))
            if live:
                one = live[pick % len(live)]
                name = one.source if one.source.startswith("verdict:") else one.digest
                people.undo(tx, tenant, name, agent="dana", at=self.clock)

        self.do(tenant, call)

    @rule(tenant=st.sampled_from(TENANTS), one=identifiers, at=times)
    def close(self, tenant: str, one: Identifier, at: int) -> None:
        self.do(tenant, lambda tx: people.close(tx, tenant, one, proof="bounce", source=f"b{at}", at=at))

    @rule(tenant=st.sampled_from(TENANTS), one=identifiers)
    def erase(self, tenant: str, one: Identifier) -> None:
        def call(tx: Tx) -> None:
            customer = people.customer_of(tx, tenant, str(one))
            gone = erasable.accounts(tx, tenant, customer.number)
            marks = [identity.account_digest(tx, tenant, node.identifier) for node in gone]
            erasable.remove(tx, tenant, [node.number for node in gone])
            erasures.bury(tx, tenant, f"era{self.clock}", marks, self.clock)
            ids = [node.id for node in gone]
            erasure = erasures.Erasure(tenant, f"era{self.clock}", customer.id, "dana", self.clock, "done", {}, [])
            erasures.begin(tx, erasure, ids)
            for node in gone:
                self.told[tenant].pop(node.id, None)
            sole = [node.number for node in gone if not nodes.of_base(tx, node.base)]
            assert left_of(tx, tenant, sole) == []

        self.do(tenant, call)

    @invariant()
    def is_what_a_rebuild_gives(self) -> None:
        for tenant in TENANTS:
            expected, found = self.store.read(lambda tx, t=tenant: (oracle.rebuilt(tx, t), oracle.kept(tx, t)))
            assert found == dict(expected.customer), tenant

    @invariant()
    def neighbours_are_what_the_evidence_says(self) -> None:
        for tenant in TENANTS:
            found, expected = self.store.read(lambda tx, t=tenant: oracle.hoods(tx, t))
            for number, mine in expected.items():
                if mine.hub:
                    assert found[number].hub
                else:
                    assert found[number] == mine

    @invariant()
    def every_id_ever_issued_resolves(self) -> None:
        for tenant in TENANTS:

            def look(tx: Tx, tenant: str = tenant) -> None:
                self.ids[tenant] |= {node.id for node in oracle.nodes_of(tx, tenant).values()}
                for one in self.ids[tenant]:
                    if erasures.erasure_of(tx, tenant, one) is None:
                        assert people.customer_of(tx, tenant, one).since >= 0

            self.store.read(look)

    @invariant()
    def every_change_was_told(self) -> None:
        """Whoever follows the log knows each account's customer."""

        def look(tx: Tx) -> None:
            rows = tx.all(
                "SELECT * FROM log WHERE cursor > ? AND type = 'customer.changed' ORDER BY cursor", self.cursor
            )
            for row in rows:
                data, self.cursor = json.loads(row["data"]), row["cursor"]
                assert data["old"] != data["new"]
                assert data["accounts"]
                assert data["cause"] in ("merged", "split")
                self.told[row["tenant"]][data["old"]] = data["new"]

        self.store.read(look)


def left_of(tx: Tx, tenant: str, numbers: list[int]) -> list[str]:
    """Where rows of erased nodes are still found."""
    found = []
    for table, columns in (
        ("nodes", ("node",)),
        ("evidence", ("a", "b")),
        ("ties", ("node", "other")),
        ("hints", ("node", "other")),
        ("handles", ("node",)),
    ):
        for column in columns:
            for number in numbers:
                if tx.one(f"SELECT 1 AS one FROM {table} WHERE tenant = ? AND {column} = ?", tenant, number):
                    found.append(f"{table}.{column}")
    return found


@pytest.mark.timeout(900)  # and longer where more is asked for than the default
class TestKeeping(Keeping.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=EXAMPLES, stateful_step_count=STEPS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLite]:
    made = SQLite(tmp_path / "s.sqlite")
    made.do(lambda tx: accounts.add_tenant(tx, "acme", "Acme", bytes(32)))
    yield made
    made.close()


def who(store: SQLite, written: str) -> str:
    return store.read(lambda tx: people.customer_of(tx, "acme", written).id)


def attest(store: SQLite, subject: str, claim: str, tier: str, day: int, proof: str = "p") -> None:
    one, other = Identifier.parse(subject), Identifier.parse(claim)
    source = f"{subject}{day}"
    store.do(lambda tx: people.attest(tx, "acme", one, [other], tier=tier, proof=proof, source=source, at=day * DAY))
    assert store.read(lambda tx: oracle.kept(tx, "acme")) == dict(
        store.read(lambda tx: oracle.rebuilt(tx, "acme")).customer
    )


# identifiers that change hands

PHONE = "phone:+442079460958"


def say(store: SQLite, account: str, day: int) -> None:
    """A message whose account is the identifier itself."""

    def call(tx: Tx) -> None:
        node = people.observe(tx, "acme", Party(identifiers=(Identifier.parse(account),)), day * DAY)
        assert node is not None
        seq = tx.number("seq")
        tx.run(
            "INSERT INTO interactions (tenant, node, at, seq, leg, direction, kind, data, received_at)"
            " VALUES ('acme', ?, ?, ?, 0, 'inbound', 'call', '{}', 0)",
            node.number,
            day * DAY,
            seq,
        )

    store.do(call)


def days_of(store: SQLite, customer: str) -> list[int]:
    """When somebody spoke, as their timeline has it."""

    def read(tx: Tx) -> list[int]:
        found = identity.members(tx, "acme", people.customer_of(tx, "acme", customer).number)
        numbers = {node.number for node in found}
        rows = tx.all("SELECT node, at FROM interactions ORDER BY at")
        return [row["at"] // DAY for row in rows if row["node"] in numbers]

    return store.read(read)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_what_is_said_belongs_to_whoever_had_the_number_then(store: SQLite, order: tuple[int, ...]) -> None:
    steps = (
        lambda: attest(store, "x.user:old", PHONE, "asserted", 1),
        lambda: say(store, PHONE, 5),
        lambda: attest(store, "x.user:new", PHONE, "verified", 200),
        lambda: say(store, PHONE, 205),
    )
    for index in order:
        steps[index]()
    assert who(store, PHONE) == who(store, "x.user:new") != who(store, "x.user:old")
    assert days_of(store, "x.user:new") == [205]
    early = store.read(lambda tx: identity.find(tx, "acme", Identifier.parse(PHONE), 5 * DAY))
    assert early is not None
    assert days_of(store, early.id) == [5]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_a_mailbox_that_was_given_up_parts_before_and_after(store: SQLite, order: tuple[int, ...]) -> None:
    mail = Identifier(kind="email", value="k@a.example")

    def close() -> None:
        attest(store, "telegram.user:0", "email:k@a.example", "claimed", 1)  # somebody must know it
        store.do(lambda tx: people.close(tx, "acme", mail, proof="bounce", source="b", at=50 * DAY))

    steps = (
        lambda: attest(store, "x.user:old", "email:k@a.example", "verified", 2),
        close,
        lambda: attest(store, "x.user:new", "email:k@a.example", "verified", 90),
    )
    for index in order:
        steps[index]()
    assert who(store, "email:k@a.example") == who(store, "x.user:new") != who(store, "x.user:old")
    assert len(store.read(lambda tx: people.explain(tx, "acme", "x.user:old"))["accounts"]) == 2


def test_a_link_to_whoever_had_a_number_is_not_to_whoever_has_it_now(store: SQLite) -> None:
    say(store, PHONE, 1)
    past = who(store, PHONE)
    number = Identifier.parse(PHONE)
    store.do(lambda tx: people.close(tx, "acme", number, proof="said so", source="c", at=50 * DAY))
    say(store, PHONE, 60)
    now = who(store, PHONE)
    assert now != past

    def link(day: int) -> None:
        store.do(lambda tx: people.link(tx, "acme", past, "x.user:9", agent="dana", at=day * DAY))

    with pytest.raises(VerdictRefused, match=r"somebody else's now; nothing else is known"):
        link(70)
    attest(store, "telegram.user:1", PHONE, "verified", 2)  # of the time before
    link(71)
    assert who(store, past) == who(store, "x.user:9") == who(store, "telegram.user:1")
    assert who(store, PHONE) == now


def test_a_migration_joins_old_and_new_and_frees_the_old(store: SQLite) -> None:
    new, old = "whatsapp.user:2", "phone:+15550001111"
    attest(store, "whatsapp.user:1", old, "verified", 1)
    attest(store, new, old, "verified", 30, proof="migration")
    assert who(store, "whatsapp.user:1") == who(store, new)
    attest(store, "whatsapp.user:3", old, "verified", 60)
    assert who(store, old) == who(store, "whatsapp.user:3") != who(store, new)


def test_the_earliest_time_of_the_same_evidence_counts(store: SQLite) -> None:
    one, other = Identifier.parse("x.user:1"), Identifier.parse("email:k@a.example")
    told: dict[str, Any] = {"tier": "verified", "proof": "p", "source": "the same"}
    for day in (50, 1, 100):
        store.do(lambda tx, at=day * DAY: people.attest(tx, "acme", one, [other], at=at, **told))  # type: ignore[misc]

    def kept(tx: Tx) -> tuple[list[int], int]:
        a, b = (nodes.find(tx, "acme", end) for end in (one, other))
        assert a is not None
        assert b is not None
        found = reasons.pair(tx, "acme", a.number, b.number)
        return [reason.at for reason in found], reasons.month(100 * DAY) - found[0].last

    assert store.read(kept) == ([DAY], 0)


@pytest.mark.parametrize(("tier", "told"), [("asserted", False), ("verified", True)])
def test_what_is_only_said_joins_and_discloses_nothing(store: SQLite, tier: str, told: bool) -> None:
    attest(store, "x.user:1", "email:k@a.example", tier, 1)
    attest(store, "telegram.user:1", "email:k@a.example", "verified", 2)
    assert who(store, "x.user:1") == who(store, "telegram.user:1")

    def disclosed(tx: Tx) -> bool:
        found = [nodes.find(tx, "acme", Identifier.parse(one)) for one in ("x.user:1", "telegram.user:1")]
        return people.may_disclose(tx, "acme", *(node.number for node in found if node))

    assert store.read(disclosed) is told


def test_taking_the_closing_back_brings_all_together_again(store: SQLite) -> None:
    attest(store, "x.user:old", PHONE, "asserted", 1)
    say(store, PHONE, 5)
    say(store, PHONE, 90)
    closing = store.do(
        lambda tx: people.close(tx, "acme", Identifier.parse(PHONE), proof="said so", source="c", at=50 * DAY)
    )
    later = who(store, PHONE)
    assert (days_of(store, "x.user:old"), days_of(store, later)) == ([5], [90])
    store.do(lambda tx: people.undo(tx, "acme", closing, agent="dana", at=99 * DAY))
    assert days_of(store, "x.user:old") == [5, 90]
    assert who(store, later) == who(store, "x.user:old")  # the id that was handed out still leads somewhere


# shared, and turned back


def test_a_second_holder_parts_what_the_first_had_joined_and_goes_again(store: SQLite) -> None:
    attest(store, "x.user:1", PHONE, "asserted", 1)
    attest(store, "telegram.user:1", PHONE, "asserted", 2)
    assert who(store, "x.user:1") == who(store, "telegram.user:1")
    attest(store, "x.user:2", PHONE, "asserted", 3)
    assert len({who(store, one) for one in ("x.user:1", "x.user:2", "telegram.user:1", PHONE)}) == 4
    told = store.read(lambda tx: people.explain(tx, "acme", "x.user:2"))
    store.do(lambda tx: people.undo(tx, "acme", told["refused"][0]["id"], agent="dana", at=9 * DAY))
    assert who(store, "x.user:1") == who(store, "telegram.user:1") != who(store, "x.user:2")


def test_a_split_takes_a_wrong_holder_out_of_the_count(store: SQLite) -> None:
    attest(store, "x.user:1", "email:k@a.example", "verified", 1)
    attest(store, "x.user:2", "email:k@a.example", "verified", 2)
    assert who(store, "x.user:1") == who(store, "x.user:2")
    store.do(lambda tx: people.split(tx, "acme", "x.user:1", ["x.user:2"], agent="dana", at=9 * DAY))
    attest(store, "telegram.user:3", "email:k@a.example", "asserted", 4)
    assert who(store, "telegram.user:3") == who(store, "x.user:1") != who(store, "x.user:2")


def test_erasing_whoever_had_a_number_leaves_who_has_it_now(store: SQLite) -> None:
    attest(store, "x.user:old", PHONE, "asserted", 1)
    say(store, PHONE, 5)
    attest(store, "x.user:new", PHONE, "verified", 200)
    before = who(store, PHONE)
    gone = who(store, "x.user:old")

    def erase(tx: Tx) -> None:
        customer = people.customer_of(tx, "acme", "x.user:old").number
        erasable.remove(tx, "acme", [node.number for node in erasable.accounts(tx, "acme", customer)])

    store.do(erase)
    assert who(store, PHONE) == who(store, "x.user:new") == before
    for one in ("x.user:old", gone):
        with pytest.raises(NoSuchCustomer):
            who(store, one)


def test_of_whoever_had_a_shared_identifier_nothing_is_left_but_the_identifier(store: SQLite) -> None:
    say(store, PHONE, 5)

    def row(tx: Tx) -> dict[str, Any]:
        (found,) = tx.all("SELECT * FROM nodes WHERE value = ?", PHONE.partition(":")[2])
        return dict(found)

    number = store.read(row)["node"]

    def know(tx: Tx) -> None:
        for at, handle in ((7, "kerry_f"), (8, "kerry_fisher")):
            nodes.set_profile(tx, "acme", nodes.by_numbers(tx, [number])[number], "Kerry", handle, at)
        tx.run("UPDATE nodes SET told = ?, wanted = 0 WHERE node = ?", bytes(18), number)

    store.do(know)
    before = store.read(row)
    assert (before["name"], before["handle"], before["wanted"]) == ("Kerry", "kerry_fisher", 0)
    assert store.read(lambda tx: tx.all("SELECT * FROM handles WHERE node = ?", number))
    store.do(lambda tx: nodes.renew(tx, "acme", nodes.by_numbers(tx, [number])[number]))
    after = store.read(row)
    assert after["id"] != before["id"]
    assert {name: after[name] for name in ("name", "handle", "told", "wanted", "name_at", "handle_at")} == {
        "name": None,
        "handle": None,
        "told": None,
        "wanted": None,
        "name_at": 0,
        "handle_at": 0,
    }
    assert store.read(lambda tx: tx.all("SELECT * FROM handles WHERE node = ?", number)) == []


def test_erasing_one_holder_leaves_a_shared_number_shared(store: SQLite) -> None:
    attest(store, "x.user:1", PHONE, "asserted", 1)
    attest(store, "x.user:2", PHONE, "asserted", 2)
    say(store, PHONE, 3)

    def erase(tx: Tx) -> None:
        customer = people.customer_of(tx, "acme", "x.user:1").number
        erasable.remove(tx, "acme", [node.number for node in erasable.accounts(tx, "acme", customer)])

    store.do(erase)
    assert who(store, "x.user:2") != who(store, PHONE)
    attest(store, "telegram.user:9", PHONE, "asserted", 9)
    assert len({who(store, one) for one in ("x.user:2", "telegram.user:9", PHONE)}) == 3


# the hub


def test_a_hub_costs_the_same_however_large_it_is(store: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more sender at a shared mailbox: statements and rows are counted, for time tells little."""
    from socialsupport_core.store.sqlite import SQLiteTx

    counted = {"statements": 0, "rows": 0}
    original = SQLiteTx._all

    def all_(self: Any, sql: str, values: Any) -> Any:
        found = original(self, sql, values)
        counted["statements"] += 1
        counted["rows"] += len(found)
        return found

    monkeypatch.setattr(SQLiteTx, "_all", all_)
    costs = []
    hub = Identifier(kind="email", value="everybody@a.example")
    for number in range(600):
        counted.update(statements=0, rows=0)
        sender = Identifier(kind="x.user", value=str(number))
        store.do(
            lambda tx, sender=sender, number=number: people.attest(
                tx, "acme", sender, [hub], tier="asserted", proof="p", source="s", at=number
            )
        )
        costs.append(dict(counted))
    assert costs[150] == costs[599]
    assert costs[599]["rows"] < 2 * reasons.HUB
    assert costs[599]["statements"] < 12
    assert len({who(store, f"x.user:{number}") for number in range(600)}) == 600


def test_a_known_account_with_nothing_new_asks_nothing(store: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read ahead suffices."""
    from socialsupport_core.store.sqlite import SQLiteTx

    account, number = Identifier(kind="whatsapp.user", value="1"), Identifier(kind="phone", value="+442079460958")
    party = Party(identifiers=(account, number), name="Kerry", handle="kerry")
    store.do(lambda tx: people.observe(tx, "acme", party, 5 * DAY))
    asked: list[str] = []

    def again(tx: Tx) -> None:
        identity.read_ahead(tx, "acme", [account])
        people.policy_of(tx, "acme")
        original = SQLiteTx._all
        with monkeypatch.context() as patch:
            patch.setattr(SQLiteTx, "_all", lambda self, sql, values: asked.append(sql) or original(self, sql, values))
            patch.setattr(SQLiteTx, "_run", lambda self, sql, values: asked.append(sql) or 0)
            for second in range(3):
                people.observe(tx, "acme", party, 5 * DAY + second)

    store.do(again)
    assert asked == []


# too much that hangs together


def test_more_than_may_hang_together_joins_by_proof_alone(store: SQLite) -> None:
    store.do(lambda tx: people.keep_policy(tx, "acme", Policy(component=6, cap=4)))
    for number in range(5):
        attest(store, f"x{number}.user:1", f"email:m{number}@a.example", "asserted", number + 1)
        attest(store, f"x{number}.user:1", f"email:m{number + 1}@a.example", "asserted", number + 1)
    assert len({who(store, f"x{number}.user:1") for number in range(5)}) == 5
    told = store.read(lambda tx: people.explain(tx, "acme", "x0.user:1"))
    assert told["refused"][0]["code"] == "component"
    attest(store, "x0.user:1", "x1.user:1", "verified", 30)
    assert who(store, "x0.user:1") == who(store, "x1.user:1") != who(store, "x2.user:1")


def test_nodes_of_one_identifier_are_found_by_time(store: SQLite) -> None:
    attest(store, "x.user:old", PHONE, "asserted", 1)
    attest(store, "x.user:new", PHONE, "verified", 200)
    first, now = (store.read(lambda tx, at=at: nodes.find(tx, "acme", Identifier.parse(PHONE), at)) for at in (1, None))
    assert first is not None
    assert now is not None
    assert (first.since, now.since, now.base) == (0, 200 * DAY, first.number)


def test_whoever_is_left_behind_by_too_much_is_parted_too(store: SQLite) -> None:
    """The new reason is at one end of what was small, and the other end must notice."""
    store.do(lambda tx: people.keep_policy(tx, "acme", Policy(component=4)))
    attest(store, "telegram.user:1", PHONE, "asserted", 240)
    attest(store, "x.user:3", "telegram.user:1", "verified", 180)
    attest(store, "x.user:3", "crm.ledger:3", "verified", 180)
    assert who(store, PHONE) == who(store, "crm.ledger:3")
    attest(store, PHONE, "phone:+442079460959", "verified", 40)
    assert who(store, PHONE) != who(store, "crm.ledger:3") == who(store, "telegram.user:1")


def test_another_policy_holds_for_what_is_there_already(store: SQLite) -> None:
    attest(store, "x.user:1", PHONE, "asserted", 1)
    attest(store, "telegram.user:1", PHONE, "asserted", 2)
    attest(store, "x.user:2", "email:k@a.example", "asserted", 100)
    attest(store, "x.user:3", "email:k@a.example", "verified", 200)
    for policy, together in ((Policy(merges="verified"), False), (None, True), (Policy(blocked={PHONE}), False)):
        assert store.do(lambda tx, policy=policy: people.keep_policy(tx, "acme", policy))
        assert store.do(lambda tx: people.rebuild(tx, "acme"))
        assert not store.do(lambda tx: people.rebuild(tx, "acme"))
        found = store.read(lambda tx: (oracle.rebuilt(tx, "acme"), oracle.kept(tx, "acme")))
        assert found[1] == dict(found[0].customer)
        assert (who(store, "x.user:1") == who(store, "telegram.user:1")) is together
        assert not store.do(lambda tx, policy=policy: people.keep_policy(tx, "acme", policy))


def test_a_number_of_long_ago_joins_again_when_somebody_is_seen_with_it_in_between(store: SQLite) -> None:
    attest(store, "x.user:1", PHONE, "asserted", 1)
    attest(store, "telegram.user:2", PHONE, "asserted", 400)
    assert who(store, "x.user:1") != who(store, "telegram.user:2")
    told = store.read(lambda tx: people.explain(tx, "acme", "telegram.user:2"))
    (refused,) = told["refused"]
    assert refused["code"] == "shared"
    assert refused["rule"].startswith("it is shared: a year lay between one who had it and the next")
    attest(store, "x.user:1", PHONE, "asserted", 200)
    assert who(store, "x.user:1") == who(store, "telegram.user:2")

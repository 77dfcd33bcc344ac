"""Identities in a batch: observations in, one line an account out."""

import io
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub

KERRY = {"kind": "x.user", "value": "1"}
SAME = {"kind": "telegram.user", "value": "9"}
MAIL = {"kind": "email", "value": "kerry@acme.example"}


def seen(account: dict[str, str], day: int, *claims: dict[str, str]) -> dict[str, Any]:
    return {"at": f"2026-01-{day:02}T00:00:00Z", "account": account, "claims": list(claims), "source": f"m{day}"}


def said(tier: str, kind: str = "email", value: str = "kerry@acme.example") -> dict[str, str]:
    return {"kind": kind, "value": value, "tier": tier}


def lines(*observations: Any) -> str:
    return "".join(json.dumps(one) + "\n" for one in observations)


def customers(ran: Any) -> dict[str, str | None]:
    assert (ran.status, ran.err) == (0, "")
    return {f"{one['account']['kind']}:{one['account']['value']}": one["customer"] for one in ran.lines}


def test_one_line_an_account_and_one_a_claimed_identifier(run: Any, write: Any) -> None:
    asserted, verified = seen(SAME, 1, said("asserted")), seen(KERRY, 2, said("verified"))
    ran = run("resolve", write("o.jsonl", lines(asserted, verified)))
    assert [one["account"] for one in ran.lines] == [MAIL, SAME, KERRY]
    (customer,) = set(customers(ran).values())
    assert str(customer).startswith("cus_")


def test_any_order_of_the_lines_gives_the_same_output(run: Any, write: Any) -> None:
    shared = said("asserted", "phone", "+442079460958")
    told = [
        seen(KERRY, 1, said("verified"), shared),
        seen(SAME, 2, said("asserted")),
        seen({"kind": "x.user", "value": "2"}, 3, shared),
        {"at": "2026-01-04T00:00:00Z", "split": [KERRY, SAME]},
        {"at": "2026-01-05T00:00:00Z", "link": [KERRY, {"kind": "crm.ledger", "value": "7"}]},
    ]
    outputs = {run("resolve", write("o.jsonl", lines(*order))).out for order in itertools.permutations(told)}
    assert len(outputs) == 1
    found = customers(run("resolve", write("o.jsonl", lines(*told))))
    assert found["phone:+442079460958"] is None
    assert found["x.user:1"] == found["crm.ledger:7"] != found["telegram.user:9"]


@pytest.mark.parametrize(
    ("tiers", "together"),
    [
        (("verified", "verified"), True),
        (("asserted", "verified"), True),
        (("asserted", "asserted"), True),
        (("claimed", "verified"), False),
        (("claimed", "claimed"), False),
    ],
)
def test_what_each_tier_does(run: Any, write: Any, tiers: tuple[str, str], together: bool) -> None:
    found = customers(run("resolve", write("o.jsonl", lines(*map(seen, (KERRY, SAME), (1, 2), map(said, tiers))))))
    assert (found["x.user:1"] == found["telegram.user:9"]) is together


@pytest.mark.parametrize(("tier", "together"), [("asserted", False), ("verified", True)])
def test_a_customer_has_one_account_a_network_unless_proven(run: Any, write: Any, tier: str, together: bool) -> None:
    other = {"kind": "x.user", "value": "2"}
    found = customers(run("resolve", write("o.jsonl", lines(seen(KERRY, 1, said(tier)), seen(other, 2, said(tier))))))
    assert (found["x.user:1"] == found["x.user:2"]) is together
    assert (found["email:kerry@acme.example"] is None) is not together


def test_a_customer_has_one_record_in_a_crm(run: Any, write: Any) -> None:
    one, other = ({"kind": "crm.ledger", "value": value} for value in "12")
    found = customers(
        run("resolve", write("o.jsonl", lines(seen(one, 1, said("verified")), seen(other, 2, said("verified")))))
    )
    assert found["crm.ledger:1"] == found["email:kerry@acme.example"] != found["crm.ledger:2"]


def test_scopes_tell_accounts_of_one_kind_apart(run: Any, write: Any) -> None:
    pages = [{"kind": "facebook.psid", "scope": page, "value": "5"} for page in ("PAGE1", "PAGE2")]
    ran = run("resolve", write("o.jsonl", lines(*(seen(one, 1, said("asserted")) for one in pages))))
    assert [one["account"].get("scope") for one in ran.lines] == [None, "PAGE1", "PAGE2"]
    assert len({one["customer"] for one in ran.lines}) == 1


def test_each_spelling_that_was_seen_has_its_line(run: Any, write: Any) -> None:
    written = seen(SAME, 2, said("asserted", value="Kerry@Acme.example"))
    found = customers(run("resolve", write("o.jsonl", lines(seen(KERRY, 1, said("asserted")), written))))
    assert len(found) == 4
    assert len(set(found.values())) == 1


def test_a_dash_is_stdin_and_empty_lines_are_nothing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"\n{lines(seen(KERRY, 1))}\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert list(customers(run("resolve", "-"))) == ["x.user:1"]


def test_a_policy_changes_the_rules(run: Any, write: Any) -> None:
    told = write("o.jsonl", lines(seen(KERRY, 1, said("asserted")), seen(SAME, 2, said("asserted"))))
    strict = write("strict.toml", 'merges = "verified"\n')
    found = customers(run("resolve", told, "--policy", strict))
    assert found["x.user:1"] != found["telegram.user:9"]
    ran = run("resolve", told, "--policy", write("bad.toml", 'merge = "verified"\n'))
    assert (ran.status, "bad.toml: merge" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("nonsense", "not JSON"),
        ("[]", "it is no JSON object"),
        ('{"at": "2026-01-01T00:00:00Z", "account": {"kind": "x.user", "value": "\\uD800"}}', "half a character"),
        ('{"at": "2026-01-01T00:00:00Z"}', "it names no account, no link and no split"),
        ('{"at": 1767261600, "account": {"kind": "x.user", "value": "1"}}', "at: write the time as text"),
        ('{"account": {"kind": "x.user", "value": "1"}}', "at: is missing"),
        ('{"at": "2026-01-01T00:00:00", "account": {"kind": "x.user", "value": "1"}}', "says no time zone"),
        ('{"at": "soon", "account": {"kind": "x.user", "value": "1"}}', "soon"),
        ('{"at": "2026-01-01T00:00:00Z", "account": {"kind": "X", "value": "1"}}', "kind: must match pattern"),
        ('{"at": "2026-01-01T00:00:00Z", "account": {"kind": "x.user", "value": ""}}', "at least 1 character"),
        ('{"at": "2026-01-01T00:00:00Z", "link": [{"kind": "x.user", "value": "1"}]}', "link.1: is missing"),
        (json.dumps(seen(KERRY, 1, said("sure"))), "claims.0.tier: must be 'claimed'"),
        (json.dumps(seen(KERRY, 1)).replace('"1"', f'"{"1" * 2000}"'), "has 1 to 1,024 characters"),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(run: Any, write: Any, line: str, problem: str) -> None:
    ran = run("resolve", write("o.jsonl", lines(seen(KERRY, 1)) + line + "\n"))
    assert (ran.status, ran.out) == (1, "")
    assert "o.jsonl, line 2: " in ran.err
    assert problem in ran.err
    assert "write an observation such as" in ran.err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"at": "2026-01-01T00:00:00Z", "account": {"kind": "x.user", "value": "\xed\xa0\x80"}}', "half a character"),
        (b'{"at": "\xff"}', "not JSON: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_bytes_that_are_no_text_are_named_too(run: Any, tmp_path: Path, line: bytes, problem: str) -> None:
    file = tmp_path / "o.jsonl"
    file.write_bytes(lines(seen(KERRY, 1)).encode() + line + b"\n")
    ran = run("resolve", str(file))
    assert (ran.status, ran.out) == (1, "")
    assert "o.jsonl, line 2: " in ran.err
    assert problem in ran.err


def test_a_file_that_begins_with_a_byte_order_mark(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "o.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + lines(seen(KERRY, 1)).encode())
    assert list(customers(run("resolve", str(file)))) == ["x.user:1"]


def test_a_file_that_is_not_there(run: Any) -> None:
    ran = run("resolve", "nowhere.jsonl")
    assert (ran.status, "nowhere.jsonl" in ran.err) == (1, True)


# contact tables

TABLE = "id,email,name\n1,kerry@acme.example,Kerry\n2,,Nobody\n"


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> str:
    path = tmp_path / "support.sqlite"
    hub = Hub.open(path, public_url="https://support.example", registry=registry)
    hub.add_tenant("acme", "Acme")
    hub.close()
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("contacts", "ledger.csv"), "crm.ledger"),
        (("ledger.csv",), "crm.ledger"),
        (("contacts", "ledger.csv", "--as", "crm.people"), "crm.people"),
    ],
)
def test_contacts_come_in_as_evidence(run: Any, write: Any, store: str, arguments: tuple[str, ...], kind: str) -> None:
    write("ledger.csv", TABLE)
    ran = run("import", *arguments, "--store", store)
    assert ran.status == 1
    assert f"1 contacts kept as {kind}, 1 left out" in ran.out
    assert "ledger.csv, line 3: it has no address" in ran.err
    told = json.loads(run("explain", f"{kind}:1", "--store", store, "--json").out)
    assert {one["identifier"] for one in told["accounts"]} == {f"{kind}:1", "email:kerry@acme.example"}
    assert told["weakest"]["tier"] == "asserted"


def test_a_table_without_a_fault_ends_well(run: Any, write: Any, store: str) -> None:
    ran = run("import", "contacts", write("ledger.csv", "id,email\n1,kerry@acme.example\n"), "--store", store)
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("contacts",), "import contacts FILE"),
        (("mails.mbox",), "name the --channel"),
        (("contacts", "mails.mbox"), "no column with the records' own ids"),
        (("contacts", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_what_is_no_table_is_told(run: Any, write: Any, store: str, arguments: tuple[str, ...], problem: str) -> None:
    write("mails.mbox", "From kerry\n")
    ran = run("import", *arguments, "--store", store)
    assert (ran.status, problem in ran.err) == (1, True)

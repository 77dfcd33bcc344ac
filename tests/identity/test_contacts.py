"""A contact table is evidence, row by row; what cannot be used is told and nothing else is lost."""

from datetime import timedelta

import pytest
from raven import Roost, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.identity import NoSuchCustomer, Policy
from socialsupport_core.identity.contacts import Contact, Trouble, is_contact_table, read

TABLE = """id,email,phone,name,city,verified
1,Kerry@acme.example,+44 20 7946 0958,Kerry Fisher,Leeds,yes
2,flo@acme.example;flo@home.example,,Flo,,
"""


def contacts(table: str, policy: Policy | None = None) -> list[Contact | Trouble]:
    return list(read(table.encode(), "crm.ledger", policy or Policy()))


def test_a_row_claims_what_stands_beside_its_id() -> None:
    kerry, flo = contacts(TABLE)
    assert isinstance(kerry, Contact)
    assert isinstance(flo, Contact)
    assert str(kerry.record) == "crm.ledger:1"
    assert [str(one) for one in kerry.claims] == ["email:Kerry@acme.example", "phone:+44 20 7946 0958"]
    assert (kerry.proven, kerry.name, dict(kerry.fields)) == (set(kerry.claims), "Kerry Fisher", {"city": "Leeds"})
    assert [str(one) for one in flo.claims] == ["email:flo@acme.example", "email:flo@home.example"]
    assert flo.proven == set()


@pytest.mark.parametrize(
    ("header", "row", "claims", "proven"),
    [
        ("ID;E-Mail;Mobile Phone", "1;a@b.example;+44 20 7946 0958", 2, 0),
        ("contact_id\tEmail address", "1\ta@b.example", 1, 0),
        ("id,email,email 2,phone1", "1,a@b.example,c@d.example,+442079460958", 3, 0),
        ("id,email,email_verified,phone", "1,a@b.example,TRUE,+442079460958", 2, 1),
        ("id,telegram.user,x.user", "1,42,7", 2, 0),
    ],
)
def test_columns_are_known_by_many_names(header: str, row: str, claims: int, proven: int) -> None:
    (found,) = contacts(f"\ufeff{header}\r\n{row}\r\n\r\n")
    assert isinstance(found, Contact)
    assert (len(found.claims), len(found.proven)) == (claims, proven)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",a@b.example,,,,", "it has no id"),
        ("1,,,,,", "no address, number or account"),
        ("1,no mail,,,,", "'email' is no e-mail address"),
        ("1,,12,,,", "'phone' is no telephone number"),
        ("1,,020 7946 0958,,,", "'phone' has no calling code; write it as"),
        ("1,a@b.example,,,,perhaps", "'verified' must be yes or no"),
        ("1,a@b.example", "it has 2 columns, the header 6"),
        (f"{'1' * 2000},a@b.example,,,,", "'id' is longer"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_never_what(row: str, problem: str) -> None:
    kerry, trouble, flo = contacts(TABLE.replace("\n2,", f"\n{row}\n2,"))
    assert isinstance(trouble, Trouble)
    assert problem in trouble.problem
    assert trouble.line == 3
    assert "no mail" not in trouble.problem
    assert isinstance(kerry, Contact)
    assert isinstance(flo, Contact)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("", "the table is empty"),
        ("name,email\nK,k@b.example\n", "no column with the records' own ids.*has 2 columns"),
        ("PK\x03\x04 and so on", "save the table from there as CSV"),
        ("id,name\n1,K\n", "neither addresses nor numbers"),
        ('id,email\n1,"a@b.example\n', "line 2: .*quotation mark"),
    ],
)
def test_what_is_no_contact_table_is_refused_whole(table: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        contacts(table)


def test_numbers_of_the_tenants_country_need_no_calling_code() -> None:
    (found,) = contacts("id,phone\n1,020 7946 0958\n", Policy(calling_code="44"))
    assert isinstance(found, Contact)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_what_a_spreadsheet_saves_is_read(encoding: str) -> None:
    content = "id\tname\temail\r\n1\tJürgen\tj@b.example\r\n".encode(encoding)
    assert is_contact_table(content)
    (found,) = read(content, "crm.sheet")
    assert isinstance(found, Contact)
    assert (found.name, str(found.claims[0])) == ("Jürgen", "email:j@b.example")


def test_it_is_told_from_other_files() -> None:
    assert is_contact_table(TABLE.encode())
    assert not is_contact_table(b"From alice@example Mon\nSubject: hello\n\nid,email\n")
    assert not is_contact_table(b"date,caller,duration\n")
    assert not is_contact_table(b"\xff\xfe\x00")


# on the hub


def test_a_table_makes_its_people_known_under_the_vendors_own_id(roost: Roost) -> None:
    told = roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    assert told == {"kept": 2, "left_out": []}
    kerry = roost.hub.customer("acme", "crm.ledger:1")
    assert {one["identifier"] for one in kerry["accounts"]} == {
        "crm.ledger:1",
        "email:kerry@acme.example",
        "phone:+442079460958",
    }
    assert kerry["name"] == "Kerry Fisher"
    assert kerry["crm"] == [{"crm": "ledger", "contact": "1", "name": "Kerry Fisher", "fields": {"city": "Leeds"}}]
    assert roost.hub.customer("acme", "email:KERRY@acme.example")["id"] == kerry["id"]
    assert roost.hub.explain("acme", "crm.ledger:1")["weakest"]["tier"] == "verified"
    assert roost.hub.explain("acme", "crm.ledger:2")["weakest"]["tier"] == "asserted"


def test_the_same_table_twice_changes_nothing(roost: Roost) -> None:
    roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    cursor, before = roost.hub.cursor(), roost.hub.explain("acme", "crm.ledger:1")
    roost.clock.forward(days=100)
    roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    assert (roost.hub.cursor(), roost.hub.explain("acme", "crm.ledger:1")) == (cursor, before)


def test_a_corrected_address_takes_the_place_of_the_wrong_one_and_may_come_back(roost: Roost) -> None:
    """Whoever has the mistyped mailbox is not the customer, and reads nothing of hers."""

    def bring(*rows: str) -> set[str]:
        table = "\n".join(("id,email,phone", *rows))
        roost.clock.forward(days=1)
        roost.hub.import_contacts("acme", table.encode(), kind="crm.ledger")
        return {one["identifier"] for one in roost.hub.customer("acme", "crm.ledger:1")["accounts"]} - {"crm.ledger:1"}

    right, wrong, phone = "email:kerry@acme.example", "email:keri@typo.example", "phone:+442079460958"
    assert bring("1,keri@typo.example,+44 20 7946 0958") == {wrong, phone}
    assert bring("1,kerry@acme.example,+44 20 7946 0958") == {right, phone}
    stranger = roost.hub.customer("acme", wrong)
    assert [one["identifier"] for one in stranger["accounts"]] == [wrong]
    assert bring("1,,") == {right, phone}  # says nothing of addresses
    assert bring("1,keri@typo.example,") == {wrong, phone}
    assert bring("1,kerry@acme.example,", "1,keri@typo.example,") == {right, wrong, phone}
    told = roost.hub.explain("acme", "crm.ledger:1")
    roost.hub.import_contacts("acme", b"id,email,at\n1,old@acme.example,2020-01-01T00:00:00Z", kind="crm.ledger")
    assert roost.hub.customer_id("acme", right) == roost.hub.customer_id("acme", "crm.ledger:1")  # it was an older one
    assert told["customer"] == roost.hub.explain("acme", "crm.ledger:1")["customer"]


def test_what_an_agent_has_taken_back_no_table_brings_again(roost: Roost) -> None:
    roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    (reason,) = [one for one in roost.hub.explain("acme", "crm.ledger:2")["evidence"] if "flo@home.example" in str(one)]
    roost.hub.undo("acme", reason["id"], agent="dana")
    apart = roost.hub.customer("acme", "crm.ledger:2")["accounts"]
    roost.clock.forward(days=1)
    roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    assert roost.hub.customer("acme", "crm.ledger:2")["accounts"] == apart


def test_two_records_with_one_address_join_nobody_through_it(roost: Roost) -> None:
    """A table may hold a person twice, or two people with one mailbox: it cannot be told which."""
    table = "id,email\n1,desk@acme.example\n2,desk@acme.example\n"
    roost.hub.import_contacts("acme", table.encode(), kind="crm.ledger")
    for who in ("crm.ledger:1", "crm.ledger:2", "email:desk@acme.example"):
        assert len(roost.hub.customer("acme", who)["accounts"]) == 1
    (refused,) = roost.hub.explain("acme", "crm.ledger:1")["refused"]
    assert (refused["code"], "2 of crm.ledger have it" in refused["rule"]) == ("shared", True)


def test_whoever_was_erased_does_not_come_back_with_an_old_table(roost: Roost) -> None:
    roost.hear(message(1, "hello", "kerry"))
    roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    roost.clock.forward(days=1)
    roost.hub.erase("acme", "crm.ledger:1", agent="dana")
    roost.clock.forward(days=1)
    told = roost.hub.import_contacts("acme", TABLE.encode(), kind="crm.ledger")
    assert told == {"kept": 1, "left_out": [{"line": 2, "reason": "somebody in it has been erased since"}]}
    with pytest.raises(NoSuchCustomer):
        roost.hub.customer("acme", "email:kerry@acme.example")
    later = (roost.clock() + timedelta(days=1)).isoformat()
    fresh = f"id,email,updated_at\n1,kerry@acme.example,{later}\n"
    assert roost.hub.import_contacts("acme", fresh.encode(), kind="crm.ledger")["kept"] == 1


@pytest.mark.parametrize("kind", ["ledger", "crm.", "crm.Ledger", "email"])
def test_records_are_kept_under_a_crm_only(roost: Roost, kind: str) -> None:
    with pytest.raises(ConfigError, match=r"crm\.NAME"):
        roost.hub.import_contacts("acme", TABLE.encode(), kind=kind)

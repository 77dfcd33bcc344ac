"""Where profiles come from: observations as `socialsupport resolve` reads them, or the store."""

from collections.abc import Iterable, Mapping
from typing import Any

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.suggestions.profiles import FORMS, Profile, name_of, profile
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx

TOLD_AS = {
    "email": "email",
    "phone": "phone",
    "name": "name",
    "handle": "handle",
    "birth.date": "birth_date",
    "national.id": "national_id",
    "address.street": "street",
    "address.number": "street_number",
    "address.district": "district",
    "address.city": "city",
    "address.postcode": "postcode",
    "address.region": "region",
}
"""The kinds of identifiers that say something of a person, and the attribute that they are."""

EXAMPLE = '{"name": "Kerry Fisher", "handle": "kerry_f", "city": "Leeds"}'
Known = dict[str, set[str]]


def from_observations(lines: Iterable[Mapping[str, Any]]) -> list[Profile]:
    """One profile an account, of whatever was ever told of it: its claims of any tier, and what `profile` holds.

    `profile` may name any attribute, and `given_name` and `family_name` in place of `name`. Raises ValueError for a
    profile that is none.
    """
    found: dict[Identifier, Known] = {}
    for line in lines:
        if "account" in line:
            account = canonical(Identifier.model_validate(line["account"]))
            _tell(found.setdefault(account, {}), account, line)
    return [profile(account, known) for account, known in sorted(found.items(), key=lambda one: str(one[0]))]


def _tell(known: Known, account: Identifier, line: Mapping[str, Any]) -> None:
    told = [(account.kind, account.value), *((claim["kind"], claim["value"]) for claim in line.get("claims", ()))]
    for kind, value in told:
        if attribute := TOLD_AS.get(kind):
            known.setdefault(attribute, set()).add(value)
    shown = _shown(line)
    if parts := name_of(shown.pop("given_name", None), shown.pop("family_name", None)):
        known.setdefault("name", set()).add(parts)
    for attribute in FORMS.keys() & shown.keys():
        known.setdefault(attribute, set()).add(shown[attribute])


def _shown(line: Mapping[str, Any]) -> dict[str, str]:
    shown = line.get("profile", {})
    if not isinstance(shown, Mapping) or not all(isinstance(value, str) for value in shown.values()):
        raise ValueError(f"a profile holds texts, such as {EXAMPLE}; that of {line['account']} does not")
    return dict(shown)


def split_in(lines: Iterable[Mapping[str, Any]]) -> set[frozenset[Identifier]]:
    """The pairs of which a person has said that they are two."""
    return {frozenset(map(Identifier.model_validate, line["split"])) for line in lines if "split" in line}


def from_store(tx: Tx, tenant: str) -> list[Profile]:
    """One profile a customer: names and handles of its accounts, contacts that evidence of any tier gives it."""
    customers: dict[int, list[Identifier]] = {}
    names: dict[int, Identifier] = {}
    customer_of: dict[int, int] = {}
    known: dict[int, Known] = {}
    for row in tx.all(
        "SELECT node, kind, scope, value, customer, name, handle FROM nodes WHERE tenant = ? AND since >= 0", tenant
    ):
        one = Identifier(kind=row["kind"], scope=row["scope"] or None, value=row["value"])
        names[row["node"]], customer_of[row["node"]] = one, row["customer"]
        customers.setdefault(row["customer"], []).append(one)
        told = known.setdefault(row["customer"], {})
        for attribute, value in (("name", row["name"]), ("handle", row["handle"]), (TOLD_AS.get(one.kind), one.value)):
            if attribute and value:
                told.setdefault(attribute, set()).add(value)
    for a, b in _told_of_each_other(tx, tenant):
        for teller, said in ((a, b), (b, a)):
            if attribute := TOLD_AS.get(names[said].kind):
                known[customer_of[teller]].setdefault(attribute, set()).add(names[said].value)
    return [profile(names[number], known[number], accounts) for number, accounts in sorted(customers.items())]


def _told_of_each_other(tx: Tx, tenant: str) -> list[tuple[int, int]]:
    sql = "SELECT a, b FROM evidence WHERE tenant = ? AND tier IN ('human', 'verified', 'asserted', 'claimed')"
    sql += " AND retracted_by IS NULL"
    return [(row["a"], row["b"]) for row in tx.all(sql, tenant)]


def split_in_store(tx: Tx, tenant: str) -> set[frozenset[Identifier]]:
    sql = (
        "SELECT x.kind AS kind, x.scope AS scope, x.value AS value,"
        " y.kind AS other_kind, y.scope AS other_scope, y.value AS other_value"
        " FROM evidence JOIN nodes x ON x.node = evidence.a JOIN nodes y ON y.node = evidence.b"
        " WHERE evidence.tenant = ? AND tier = 'cannot' AND retracted_by IS NULL"
    )
    return {
        frozenset(
            Identifier(kind=row[f"{which}kind"], scope=row[f"{which}scope"] or None, value=row[f"{which}value"])
            for which in ("", "other_")
        )
        for row in tx.all(sql, tenant)
    }

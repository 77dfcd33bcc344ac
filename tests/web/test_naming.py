"""What operations are called in a generated client."""

import re
from collections import Counter

from socialsupport_core.web import api, doing
from socialsupport_core.web.naming import NAMES, VERBS, operation_id
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

READING = frozenset({"get", "list", "find", "explain", "suggest", "download", "connect", "finish", "verify", "open"})
"""How the name of a GET begins."""


def test_every_operation_has_a_name_of_its_own_that_any_language_takes() -> None:
    described = [(method, one) for path in openapi()["paths"].values() for method, one in path.items()]
    names = Counter(one["operationId"] for _, one in described)
    assert len(described) == len(OPERATIONS) > 100
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert [one["tags"] for _, one in described if not re.fullmatch(r"[a-z]+(_[a-z]+)*", " ".join(one["tags"]))] == []


def test_a_name_begins_with_what_is_done() -> None:
    named = [(method, operation_id(method, path)) for method, path in OPERATIONS]
    reads = {name for method, name in named if method == "GET"}
    assert {name.split("_")[0] for name in reads} == READING
    things = {tag for path in openapi()["paths"].values() for one in path.values() for tag in one["tags"]}
    things |= {one.removesuffix("s") for one in things} - {"connect"}
    assert [name for method, name in named if method != "GET" and name.split("_")[0] in things] == []
    assert VERBS.keys() == {method for method, _ in OPERATIONS}


def test_a_key_is_offered_where_it_is_taken() -> None:
    """Where the code asks for it: a reply, a note, and what is done to what we said."""
    offered = {
        f"{method.upper()} {path}"
        for path, one in openapi()["paths"].items()
        for method, told in one.items()
        if any(given["name"] == "Idempotency-Key" for given in told["parameters"])
    }
    routes = {
        f"{method} /api{one.path}": one.name for one in [*api.ROUTES, *doing.ROUTES] for method in one.methods or ()
    }
    assert {routes[one] for one in offered} == {"reply", "note", "edit", "delete", "react"}


def test_names_that_are_said_are_of_something() -> None:
    assert NAMES.keys() - {f"{method} {path}" for method, path in OPERATIONS} == set()

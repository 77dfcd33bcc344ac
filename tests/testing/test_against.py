"""`check --against`: each way in which a request differs from its description is found, and the right one passes."""

import builtins
import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pigeon.connector import Pigeon
from pigeon.ledger import Ledger, LedgerSimulator

from socialsupport_core.contract import ConfigError
from socialsupport_core.testing.against import Description, Fault, compare, descriptions
from socialsupport_core.testing.against.document import read
from socialsupport_core.testing.cases import GivenResponse
from socialsupport_core.testing.loading import load_cases

SPEC = str(Path(__file__).with_name("pigeon.openapi.yaml"))
API = "https://api.pigeon.example/v1"
LETTER = {"perch": "p-77", "text": "Hello", "key": "k-1"}


@pytest.fixture(scope="module")
def pigeon_post() -> Description:
    return Description(read(SPEC))


def faults(description: Description, request: httpx.Request) -> list[Fault]:
    found = description.find(request)
    return list(description.of_request(request, found)) if found.operation else [description.unknown(request, found)]


def letter(**more: Any) -> httpx.Request:
    """With None a member is left out."""
    content = {name: value for name, value in {**LETTER, **more}.items() if value is not None}
    return httpx.Request("POST", f"{API}/letters", json=content)


def get(path: str) -> httpx.Request:
    return httpx.Request("GET", API + path)


RIGHT = {
    "a letter": letter(),
    "pictures": letter(pictures=["pic-1", "pic-2"]),
    "marks": letter(marks=[{"kind": "ring", "ring": "r-1"}, {"kind": "wax", "colour": "red"}]),
    "a limit in the query": get("/notes?after=&limit=7"),
    "another region": httpx.Request("GET", "https://eu.pigeon.example/v1/loft"),
    "the literal path before the variable one": get("/letters/newest"),
    "a value in the path": httpx.Request("DELETE", f"{API}/letters/l-7"),
    "files": httpx.Request("POST", f"{API}/pictures", files={"picture": ("x.png", b"png")}, data={"wide": "true"}),
    "two schemas in one": httpx.Request("POST", f"{API}/perches", json={"ring": "r-1", "text": "Hello", "key": "k"}),
    "no body where none is needed": httpx.Request("POST", f"{API}/perches"),
}
WRONG = {
    "unknown path": (get("/eggs"), "path", "unknown path"),
    "path without its base": (httpx.Request("GET", "https://api.pigeon.example/loft"), "path", "unknown path"),
    "wrong method": (httpx.Request("PUT", f"{API}/letters", json=LETTER), "method", "wrong method"),
    "missing parameter": (get("/notes?limit=7"), "query.after", "missing"),
    "unknown parameter": (get("/notes?after=&befor=x"), "query.befor", "unknown"),
    "ill-typed parameter": (get("/notes?after=&limit=many"), "query.limit", "ill-typed"),
    "parameter that is too large": (get("/notes?after=&limit=1000"), "query.limit", "ill-typed"),
    "ill-typed value in the path": (httpx.Request("DELETE", f"{API}/letters/x"), "path.letter", "ill-typed"),
    "missing member": (letter(text=None), "body.text", "missing"),
    "missing member of the shared part": (letter(key=None), "body.key", "missing"),
    "unknown member": (letter(txt="Hello"), "body.txt", "unknown"),
    "ill-typed member": (letter(text=7), "body.text", "ill-typed"),
    "member that is too long": (letter(text="a" * 161), "body.text", "ill-typed"),
    "null where none may be": (letter(pictures=[None]), "body.pictures[0]", "ill-typed"),
    "ill-typed element": (letter(pictures=["pic-1", "7"]), "body.pictures[1]", "ill-typed"),
    "missing member of the chosen kind": (letter(marks=[{"kind": "ring"}]), "body.marks[0].ring", "missing"),
    "ill-typed member of the chosen kind": (
        letter(marks=[{"kind": "wax", "colour": "blue"}]), "body.marks[0].colour", "ill-typed",
    ),
    "unknown member of the chosen kind": (
        letter(marks=[{"kind": "wax", "ring": "r-1"}]), "body.marks[0].ring", "unknown",
    ),
    "wrong content type": (httpx.Request("POST", f"{API}/letters", data=LETTER), "body", "wrong content type"),
    "no body": (httpx.Request("POST", f"{API}/letters"), "body", "missing"),
    "a body that is no JSON": (
        httpx.Request("POST", f"{API}/letters", content=b"{", headers={"content-type": "application/json"}),
        "body", "ill-typed",
    ),
    "a body where none belongs": (httpx.Request("GET", f"{API}/loft", json={"a": 1}), "body", "unknown"),
    "a form without its file": (
        httpx.Request("POST", f"{API}/pictures", files={"image": ("x.png", b"png")}), "body.picture", "missing",
    ),
    "an ill-typed field of a form": (
        httpx.Request("POST", f"{API}/pictures", files={"picture": ("x.png", b"png")}, data={"wide": "perhaps"}),
        "body.wide", "ill-typed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_request_passes(pigeon_post: Description, name: str) -> None:
    assert faults(pigeon_post, RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_each_violation_is_found_at_its_place(pigeon_post: Description, name: str) -> None:
    request, place, kind = WRONG[name]
    assert (place, kind) in {(one.place, one.kind) for one in faults(pigeon_post, request)}


def test_only_what_is_wrong_is_told(pigeon_post: Description) -> None:
    (one,) = faults(pigeon_post, letter(txt="Hello"))
    assert str(one).startswith("body.txt: unknown: it is given; the description says key, marks, perch, pictures, text")
    (other,) = faults(pigeon_post, letter(text=None))
    assert 'the description says {"required": ["perch", "text"]}' in str(other)
    (method,) = faults(pigeon_post, httpx.Request("PUT", f"{API}/letters", json=LETTER))
    assert "PUT is asked; the description says POST" in str(method)


ANSWERS = {
    "right": ({"json": {"ring": "loft-1", "name": None}}, []),
    "abbreviated": ({"json": {}}, []),
    "more than described": ({"json": {"ring": "loft-1", "colour": "grey"}}, []),
    "ill-typed": ({"json": {"ring": 7}}, [("answer.ring", "ill-typed")]),
    "exact text": ({"text": '{"ring": 7}'}, [("answer.ring", "ill-typed")]),
    "unknown success": ({"status": 201, "json": {}}, [("answer", "unknown status")]),
    "failure that is not described": ({"status": 503, "json": {"ring": 7}}, []),
    "cut": ({"dropped": True}, []),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_golden_answers_are_compared(pigeon_post: Description, name: str) -> None:
    given, expected = ANSWERS[name]
    operation = pigeon_post.find(get("/loft")).operation
    assert operation
    found = pigeon_post.of_response(operation, GivenResponse.model_validate(given))
    assert [(one.place, one.kind) for one in found] == expected


def test_whole_answers_leave_nothing_out() -> None:
    (strict,) = descriptions([SPEC], whole=True)
    operation = strict.find(get("/loft")).operation
    assert operation
    found = list(strict.of_response(operation, GivenResponse.model_validate({"json": {}})))
    assert [(one.place, one.kind) for one in found] == [("answer.ring", "missing")]


# other versions


SWAGGER = {
    "swagger": "2.0", "host": "slow.example", "basePath": "/api", "schemes": ["https"],
    "consumes": ["application/json"],
    "paths": {
        "/say": {"post": {
            "consumes": ["application/x-www-form-urlencoded"],
            "parameters": [
                {"name": "text", "in": "formData", "type": "string", "required": True},
                {"name": "times", "in": "formData", "type": "integer"},
                {"name": "to", "in": "query", "type": "array", "items": {"type": "integer"}, "required": True},
            ],
            "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Said"}}},
        }},
        "/keep": {"post": {
            "parameters": [{"name": "it", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Said"}}],
            "responses": {"200": {"description": ""}},
        }},
    },
    "definitions": {"Said": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}},
}  # fmt: skip


def said(**form: str) -> httpx.Request:
    return httpx.Request("POST", "https://slow.example/api/say?to=1,2", data=form)


@pytest.fixture
def swagger(tmp_path: Path) -> Description:
    return Description(read(kept(tmp_path, SWAGGER)))


def kept(folder: Path, content: Any) -> str:
    path = folder / "spec.json"
    path.write_text(json.dumps(content))
    return str(path)


SWAGGER_WRONG = {
    "missing": (said(times="7"), "body.text", "missing"),
    "unknown": (said(text="a", tone="b"), "body.tone", "unknown"),
    "ill-typed": (said(text="a", times="often"), "body.times", "ill-typed"),
    "parameter": (httpx.Request("POST", "https://slow.example/api/say?to=1,x", data={"text": "a"}), "query.to[1]", "ill-typed"),
    "base": (httpx.Request("POST", "https://slow.example/say", data={"text": "a"}), "path", "unknown path"),
    "body": (httpx.Request("POST", "https://slow.example/api/keep", json={"id": "7"}), "body.id", "ill-typed"),
    "no body": (httpx.Request("POST", "https://slow.example/api/keep"), "body", "missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", SWAGGER_WRONG)
def test_swagger_2_is_understood(swagger: Description, name: str) -> None:
    assert faults(swagger, said(text="a", times="7")) == []
    request, place, kind = SWAGGER_WRONG[name]
    assert [(one.place, one.kind) for one in faults(swagger, request)] == [(place, kind)]


@pytest.mark.parametrize("version", ["3.1.0", "3.2.0"])
def test_openapi_3_1_has_types_in_lists_and_constants(tmp_path: Path, version: str) -> None:
    content = copy.deepcopy(read(SPEC).content)
    content["openapi"] = version
    content["components"]["schemas"]["Keyed"]["properties"]["key"] = {"type": ["string", "null"]}
    content["components"]["schemas"]["Ring"]["properties"]["kind"] = {"const": "ring"}
    modern = Description(read(kept(tmp_path, content)))
    assert faults(modern, letter(pictures=["pic-1"])) == []
    assert [str(one.place) for one in faults(modern, letter(key=7))] == ["body.key"]


def test_an_heir_that_refers_to_its_base_ends(tmp_path: Path) -> None:
    """LINE writes its messages so: the base names its heirs, and each heir is all of its base."""
    content = copy.deepcopy(read(SPEC).content)
    schemas = content["components"]["schemas"]
    mapping = {"ring": "#/components/schemas/Ring"}
    named = {"propertyName": "kind", "mapping": mapping}
    schemas["Mark"] = {"type": "object", "properties": {"kind": {"type": "string"}}, "discriminator": named}
    schemas["Ring"] = {"allOf": [{"$ref": "#/components/schemas/Mark"}, {"required": ["ring"], "properties": {"ring": {"type": "string"}}}]}  # fmt: skip
    heirs = Description(read(kept(tmp_path, content)))
    assert faults(heirs, letter(marks=[{"kind": "ring", "ring": "r-1"}])) == []
    assert [one.place for one in faults(heirs, letter(marks=[{"kind": "ring"}]))] == ["body.marks[0].ring"]
    assert [one.place for one in faults(heirs, letter(marks=[{"kind": "ring", "ring": "r", "x": 1}]))] == [
        "body.marks[0].x"
    ]


def test_a_pattern_that_python_cannot_read_says_nothing(tmp_path: Path) -> None:
    content = copy.deepcopy(read(SPEC).content)
    content["components"]["schemas"]["Ring"]["properties"]["ring"]["pattern"] = "^\\p{Lu}"
    described = Description(read(kept(tmp_path, content)))
    assert faults(described, letter(marks=[{"kind": "ring", "ring": "r-1"}])) == []


@pytest.mark.parametrize("kind", [["ring"], {"a": 1}, None, 7])
def test_a_kind_that_is_no_word_chooses_nothing(pigeon_post: Description, kind: Any) -> None:
    found = faults(pigeon_post, letter(marks=[{"kind": kind}]))
    assert {one.place.partition("[")[0] for one in found} == {"body.marks"}


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "no file": (b"", "cannot be read: No such file"),
    "no JSON": (b"{", "is not JSON"),
    "no YAML": (b"a: [", "is not YAML"),
    "a list": (b"[]", "it holds no object"),
    "AsyncAPI": (b'{"asyncapi": "2.0.0"}', "it has AsyncAPI"),
    "something else": (b'{"a": 1}', "neither `openapi` nor `swagger`"),
    "a version of tomorrow": (b'{"openapi": "4.0.0", "paths": {}}', "is of version 4.0"),
    "no paths": (b'{"openapi": "3.0.0"}', "describes no paths"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_description_says_so(tmp_path: Path, name: str) -> None:
    content, told = UNREADABLE[name]
    path = tmp_path / "spec"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        read(str(path))


@pytest.mark.parametrize("ref", ["#/components/schemas/Nobody", "other.yaml#/Letter", "#/components/schemas/Letter"])
def test_a_reference_that_leads_nowhere_says_so(tmp_path: Path, ref: str) -> None:
    content = copy.deepcopy(read(SPEC).content)
    content["components"]["schemas"]["Letter"] = {"$ref": ref}
    with pytest.raises(ConfigError, match=r"nothing stands there|leads nowhere|bundle|refers to itself"):
        faults(Description(read(kept(tmp_path, content))), letter())


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def missing(name: str, *more: Any) -> Any:
        if name.partition(".")[0] in {"openapi_schema_validator", "yaml"}:
            raise ImportError(name)
        return usual(name, *more)

    described = Description(read(SPEC))
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"socialsupport\[openapi\]"):
        faults(described, letter())
    with pytest.raises(ConfigError, match=r"socialsupport\[openapi\]"):
        read(SPEC)


def test_of_a_huge_description_only_what_is_needed_is_resolved(tmp_path: Path) -> None:
    """Twenty thousand schemas, each of which leads to the next and to nowhere."""
    content = copy.deepcopy(read(SPEC).content)
    for number in range(20_000):
        properties = {f"p{at}": {"$ref": f"#/components/schemas/S{number + at}"} for at in range(10)}
        content["components"]["schemas"][f"S{number}"] = {"type": "object", "properties": properties}
        content["paths"][f"/s/{number}/{{x}}"] = {"get": {"responses": {"200": {"description": "s" * 300}}}}
    path = kept(tmp_path, content)
    assert Path(path).stat().st_size > 15_000_000
    began = time.process_time()
    huge = Description(read(path))
    assert [faults(huge, one) for one in RIGHT.values()] == [[]] * len(RIGHT)
    assert time.process_time() - began < 10


# a whole plugin


class Chatty(Pigeon):
    """It asks for what is not described."""

    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        if path == "/letters":
            content["json"] = {**content["json"], "urgent": True}
        return super().ask(method, path, **content)


class Elsewhere(Pigeon):
    def url(self, path: str) -> str:
        return f"https://api.pigeon.example/v2{path}"


def told(kind: Any, *specs: str, **how: Any) -> tuple[dict[str, int], Iterator[str]]:
    server = how.pop("server", None)
    report = compare(kind, descriptions(specs or [SPEC], server), **how)
    counts = {one: sum(result.outcome == one for result in report.results) for one in ("passed", "failed", "skipped")}
    return counts, (result.message for result in report.results if result.outcome != "passed")


def test_a_connector_that_keeps_to_the_description_passes() -> None:
    counts, messages = told(Pigeon)
    assert list(messages) == []
    assert counts["passed"] > 2 * len(load_cases(Pigeon).flows)  # golden ones, replies and long texts


def test_a_connector_that_does_not_is_told_by_case_and_place() -> None:
    counts, messages = told(Chatty)
    every = list(messages)
    assert counts["failed"] > 5
    assert any(one.startswith("a text: POST /letters: body.urgent: unknown") for one in every)
    assert any(one.startswith("a reply to 'l-1'") for one in every)
    assert any("(a long text: emoji)" in one for one in every)


def test_what_no_description_speaks_of_is_skipped_only_elsewhere_or_where_it_is_said() -> None:
    counts, messages = told(Elsewhere)
    assert counts["failed"]
    assert "unknown path" in next(messages)
    counts, messages = told(Elsewhere, partial=True)
    assert counts["failed"] == 0
    assert "no description has the path" in next(messages)
    counts, _ = told(Elsewhere, server="https://api.pigeon.example/v2")
    assert counts["failed"] == counts["skipped"] == 0
    counts, messages = told(Pigeon, server="https://pigeons.test/v1")
    assert counts["passed"] == 0
    assert "api.pigeon.example is described nowhere" in next(messages)


def test_what_is_described_otherwise_is_exempt_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from socialsupport_core.testing import against

    monkeypatch.setattr(against, "exempt_of", lambda _: {"* body.urgent": "younger than the description"})
    counts, messages = told(Chatty)
    assert counts["failed"] == 0
    assert set(messages) == {"exempt: younger than the description"}


LEDGER = {
    "openapi": "3.0.0",
    "paths": {
        "/api/people": {"get": {"parameters": [{"name": "mail", "in": "query", "schema": {"type": "string"}}]}},
        "/api/cases": {"get": {"parameters": [{"name": "key", "in": "query"}]}, "post": {"requestBody": {"content": {
            "application/json": {"schema": {"type": "object", "properties": {
                "conversation": {"type": "string"}, "subject": {"type": "string", "nullable": True}}}}}}}},
        "/api/cases/{case}": {"patch": {"requestBody": {"content": {"application/json": {"schema": {}}}}}},
        "/api/cases/{case}/notes": {"get": {"parameters": [{"name": "key", "in": "query"}]}, "post": {"requestBody": {
            "content": {"application/json": {"schema": {"type": "object", "properties": {
                "key": {"type": "string"}, "text": {"type": "string"}}}}}}}},
        "/api/cases/{case}/files": {"get": {"parameters": [{"name": "key", "in": "query"}]}, "post": {"requestBody": {
            "content": {"application/json": {"schema": {"type": "object", "properties": {
                "key": {"type": "string"}, "name": {"type": "string"}}}}}}}},
    },
}  # fmt: skip


def test_a_crm_adapter_is_compared_in_its_cases_and_in_what_the_kit_does_with_it(tmp_path: Path) -> None:
    spec = kept(tmp_path, LEDGER)
    counts, messages = told(Ledger, spec, simulator=LedgerSimulator)
    assert list(messages) == []
    alone, _ = told(Ledger, spec)
    assert counts["passed"] > alone["passed"] + 10
    content = json.loads(json.dumps(LEDGER).replace('"subject"', '"topic"'))
    _, messages = told(Ledger, kept(tmp_path, content), simulator=LedgerSimulator)
    assert any(
        one.startswith("the kit's a_conversation_is_one_case: POST /api/cases: body.subject") for one in messages
    )

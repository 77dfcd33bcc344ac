"""`socialsupport resolve`: identities in a batch, from a file of observations."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from socialsupport_core.identity import Policy
    from socialsupport_core.identity.batch import Batch, Written

_DECODER = json.JSONDecoder()
TIERS = ("claimed", "asserted", "verified", "human", "cannot")
EXAMPLE = '{"at": "2026-01-30T01:57:09Z", "account": {"kind": "x.user", "value": "123"}}'


def add(app: typer.Typer) -> None:
    app.command()(resolve)


def resolve(
    file: Annotated[
        str, typer.Argument(metavar="FILE.jsonl", help="Observations, one JSON object a line; - is stdin.")
    ],
    policy: Annotated[
        str | None,
        typer.Option("--policy", metavar="FILE", help="TOML or JSON with the keys of a tenant's `identity`."),
    ] = None,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Then tell who else may be one customer, and why; nothing is decided.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE", help="Suggest by a learnt model; it is learnt if there is none."),
    ] = None,
) -> None:
    """Tell which accounts are one customer: one line an account, the same for every order of the observations.

    A line is {"at", "account", "claims", "source"}, {"at", "link": [account, account]} or {"at", "split": […]}. What is
    shared by several people has no customer: null.
    """
    from socialsupport_core.cli.output import json_lines, progress
    from socialsupport_core.contract import Registry
    from socialsupport_core.identity.canonical import add_forms

    add_forms(Registry.discover().canonical_forms)
    kept: list[bytes] = []
    batch = _read(file, _policy(policy), kept if suggest or model else None)
    rows = progress(batch.rows(), len(batch.values), doing="resolving")
    json_lines({"account": account, "customer": customer} for account, customer in rows)
    if suggest or model:
        from socialsupport_core.cli.suggesting import tell_suggestions

        tell_suggestions(kept, batch, model)


def _policy(path: str | None) -> "Policy":
    from pydantic import ValidationError

    from socialsupport_core.cli.reading import table_of
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.identity import DEFAULT, Policy
    from socialsupport_core.mistakes import problems

    if path is None:
        return DEFAULT
    try:
        return Policy.model_validate(table_of(path))
    except ValidationError as error:
        raise ConfigError(problems(error, Policy, path)) from None


def _read(file: str, policy: "Policy", kept: list[bytes] | None) -> "Batch":
    from socialsupport_core.cli.output import progress
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.identity.batch import Batch

    batch = Batch(policy)
    for number, line in progress(enumerate(_lines(file), 1), doing="reading"):
        if not line.strip():
            continue
        try:
            _take(batch, line)
        except ValueError as error:
            what = _problem(error)
            raise ConfigError(f"{file}, line {number}: {what}; write an observation such as {EXAMPLE}") from None
        if kept is not None:
            kept.append(line)
    return batch


def _problem(error: ValueError) -> str:
    from pydantic import ValidationError

    from socialsupport_core.mistakes import problems

    return problems(error) if isinstance(error, ValidationError) else "; ".join(str(error).splitlines())


def _lines(file: str) -> Iterator[bytes]:
    import sys
    from pathlib import Path

    if file == "-":
        yield from sys.stdin.buffer
        return
    with Path(file).open("rb") as opened:
        yield from opened


def _take(batch: "Batch", line: bytes) -> None:
    """Raises ValueError with what is wrong."""
    from socialsupport_core.identity.batch import moment_of

    said = _json(line)
    account, claims, verdicts = _end(said.get("account")), _claims(said.get("claims", ())), _verdicts(said)
    names_nobody = account is None and (said.get("account") is not None or claims or not verdicts)
    if type(said.get("at")) is not str or claims is None or verdicts is None or names_nobody:
        _explain(line)
    at = moment_of(said["at"])
    if account is not None:
        batch.observe(at, account, claims)
    for one, other, apart in verdicts:
        batch.judge(at, one, other, apart=apart)


def _verdicts(said: dict[str, Any]) -> "list[tuple[Written, Written, bool]] | None":
    found = []
    for name, apart in (("link", False), ("split", True)):
        pair = said.get(name)
        if pair is None:
            continue
        ends = [_end(one) for one in pair] if type(pair) is list else []
        if len(ends) != 2 or ends[0] is None or ends[1] is None:
            return None
        found.append((ends[0], ends[1], apart))
    return found


def _json(line: bytes) -> dict[str, Any]:
    try:
        said = _DECODER.decode(line.decode())
        may_be_half = b"\\u" in line and b"\\ud" in line.lower()
    except (ValueError, RecursionError):
        said, may_be_half = _searched(line), True
    if type(said) is not dict:
        raise ValueError("it is no JSON object")
    if may_be_half and any("\ud800" <= c <= "\udfff" for c in json.dumps(said, ensure_ascii=False)):
        raise ValueError("not JSON: it holds half a character (a surrogate on its own)")
    return said


def _searched(line: bytes) -> Any:
    """The slower way, which knows other encodings, and what is wrong with a line."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None


def _explain(line: bytes) -> NoReturn:
    """Raises ValueError with what is wrong about it."""
    from pydantic import ValidationError

    from socialsupport_core.identity.batch import Observation
    from socialsupport_core.mistakes import problems

    try:
        Observation.model_validate_json(line)
    except ValidationError as error:
        raise ValueError(problems(error, Observation, "")) from None
    if type(_json(line).get("at")) is not str:
        raise ValueError('at: write the time as text, as in "2026-01-31T12:00:00Z"')
    raise ValueError("it names no account, no link and no split, or claims without an account")


def _claims(said: Any) -> list[tuple[str, str | None, str, str]] | None:
    if type(said) not in (list, tuple):
        return None
    found = []
    for one in said:
        end = _end(one)
        if end is None or one.get("tier") not in TIERS:
            return None
        found.append((*end, one["tier"]))
    return found


def _end(said: Any) -> "Written | None":
    if type(said) is not dict:
        return None
    kind, scope, value = said.get("kind"), said.get("scope") or None, said.get("value")
    if type(kind) is not str or type(value) is not str or not value or type(scope) not in (str, type(None)):
        return None
    return kind, scope, value

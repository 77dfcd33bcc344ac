"""What a plugin composes, compared with published descriptions: `compare(Parrot, ["parrot.openapi.json"])`.

It needs the extra `openapi`, beside `testing`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from socialsupport_core.testing.against.comparing import Description
from socialsupport_core.testing.against.document import read
from socialsupport_core.testing.against.shapes import Fault
from socialsupport_core.testing.check import Report, Result, Told, installed, untold
from socialsupport_core.testing.loading import exempt_of

Exempt = Mapping[str, str]
"""`exempt.json`: `POST /messages body.text` → why this place is right, although the description has it otherwise."""

REQUESTS, ANSWERS = "requests_fit_the_description", "answers_fit_the_description"
SENTENCES = {
    REQUESTS: "What is asked is what the description takes.",
    ANSWERS: "Golden answers are what the description gives.",
}


def descriptions(paths: Iterable[str], server: str | None = None, *, whole: bool = False) -> list[Description]:
    """With `whole`, golden answers must have every member that is required. Raises ConfigError."""
    return [Description(read(path), server, whole=whole) for path in paths]


def compare(
    kind: Any,
    described: Sequence[Description],
    simulator: type[Any] | None = None,
    *,
    partial: bool = False,
    told: Told = untold,
) -> Report:
    """A result for each request and each golden answer, or for each fault of one; what goes to hosts of none of the
    descriptions is skipped.

    With `partial` also what none of them has a path for. Raises ConfigError.
    """
    installed()
    from socialsupport_core.testing.against.composing import asked_by  # noqa: PLC0415 - imports pytest

    exempt, every = exempt_of(kind), list(asked_by(kind, simulator))
    results: list[Result] = []
    for number, asked in enumerate(every):
        results += _results(asked, described, exempt, partial=partial)
        told(number + 1, len(every))
    return Report(kind.name, tuple(results))


def _results(asked: Any, described: Sequence[Description], exempt: Exempt, *, partial: bool) -> Iterator[Result]:
    tried = [(one, one.find(asked.request)) for one in described]
    found = next(((one, where.operation, where) for one, where in tried if where.operation), None)
    if found is None:
        yield from _unknown(asked, tried, exempt, partial=partial)
        return
    description, operation, where = found
    yield from _judged(REQUESTS, asked.case, str(operation), description.of_request(asked.request, where), exempt)
    if asked.response is not None:
        answered = description.of_response(operation, asked.response)
        yield from _judged(ANSWERS, asked.case, str(operation), answered, exempt)


def _unknown(
    asked: Any, tried: Sequence[tuple[Description, Any]], exempt: Exempt, *, partial: bool
) -> Iterator[Result]:
    host, line = asked.request.url.host, f"{asked.request.method} {asked.request.url.path}"
    ours = sorted((one for one in tried if one[1].is_ours), key=lambda one: not one[1].methods)
    if not ours:
        why = f"{host} is described nowhere; --server tells where the paths of a description begin"
        yield _skipped(REQUESTS, asked.case, why)
        return
    description, where = ours[0]
    fault = description.unknown(asked.request, where)
    if partial and fault.kind == "unknown path":
        yield _skipped(REQUESTS, asked.case, f"no description has the path of {asked.request.method} {host}")
        return
    yield from _judged(REQUESTS, asked.case, line, [fault], exempt)


def _judged(name: str, case: str, line: str, faults: Iterable[Fault], exempt: Exempt) -> Iterator[Result]:
    """One failure for each fault, one skip for each reason by which others are exempt; else it has passed."""
    excuses = {fault: _excuse(f"{line} {fault.place}", exempt) for fault in faults}
    for why in dict.fromkeys(why for why in excuses.values() if why is not None):
        yield _skipped(name, case, f"exempt: {why}")
    left = [fault for fault, why in excuses.items() if why is None]
    for fault in left:
        yield Result(name, case, SENTENCES[name], "failed", f"{case}: {line}: {fault}", 0.0)
    if not (left or any(fault.place in {"path", "method"} for fault in excuses)):
        yield Result(name, case, SENTENCES[name], "passed", "", 0.0)


def _skipped(name: str, case: str, why: str) -> Result:
    return Result(name, case, SENTENCES[name], "skipped", why, 0.0)


def _excuse(place: str, exempt: Exempt) -> str | None:
    """The reason in `exempt.json` of this place, or of one that holds it. A star stands for anything."""
    plain = re.sub(r"\[\d+\]", "", place)
    return next((why for name, why in exempt.items() if re.fullmatch(_pattern(name), plain)), None)


def _pattern(name: str) -> str:
    return ".*".join(map(re.escape, name.split("*"))) + r"([ .].*)?"


__all__ = ["Description", "Fault", "compare", "descriptions"]

"""`socialsupport compose`: an intent to the exact requests, without a network."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socialsupport_core.cli.options import ConnectorName, IntentFile, SettingsFile

if TYPE_CHECKING:
    from socialsupport_core.contract import Connector, DeliveryError, FlowRun
    from socialsupport_core.model import Credentials, Intent, Receipt

WAITING = {"waiting": "give --answers to go on"}


def add(app: typer.Typer) -> None:
    app.command()(compose)


def compose(
    connector: ConnectorName,
    intent: IntentFile,
    settings: SettingsFile = None,
    answers: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON: a list of {status, headers, json or text}."),
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON: what the sign-in gave, {access_token, refresh_token, …}."),
    ] = None,
    blob: Annotated[list[str] | None, typer.Option(metavar="DIGEST=FILE", help="The content of an attachment.")] = None,
) -> None:
    """Turn an intent into the exact requests.

    Each is one JSON object on one line, then comes the receipt or the error. Nothing is sent: the first
    request ends it unless there are answers to go on with.
    """
    from socialsupport_core.cli import plugged
    from socialsupport_core.cli.output import json_line, remark
    from socialsupport_core.cli.reading import intents_of, pairs
    from socialsupport_core.cli.redaction import Redactor
    from socialsupport_core.testing.hidden import secrets_of

    given = Answers.read(answers, dict(pairs(blob or (), "=", "--blob")))
    kind = plugged.connector(connector)
    fitted = plugged.fitted(kind, settings)
    if fitted.remark:
        remark(fitted.remark)
    signed_in = plugged.credentials_of(credentials) if credentials else None
    redact = Redactor([*fitted.secrets, *secrets_of(signed_in)])
    failed = False
    for one in intents_of(intent):
        for line in composed(kind(fitted.settings, fitted.facts), one, given, signed_in or fitted.credentials):
            failed |= "error" in line
            json_line(redact(line))
    if given.left:
        remark(f"{len(given.left)} of the answers were not asked for")
    if failed:
        raise typer.Exit(1)


@dataclass
class Answers:
    """What the network will have said, in order; None: nobody knows yet."""

    left: deque[Any] = field(default_factory=deque)
    blobs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | None, blobs: Mapping[str, str]) -> "Answers":
        """Raises ConfigError."""
        from socialsupport_core.cli.reading import json_of
        from socialsupport_core.contract import ConfigError

        found = json_of(path) if path else []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise ConfigError(f"{path}: must be a list of answers, [{{status, headers, json or text}}, …]")
        return cls(deque(found), blobs)


def composed(
    connector: "Connector[Any]", intent: "Intent", answers: Answers, credentials: "Credentials | None" = None
) -> Iterator[dict[str, Any]]:
    """The lines of one intent: of each part that it is sent in, its asks and then its end."""
    from socialsupport_core.cli.output import remark
    from socialsupport_core.pipeline.plan import make_plan

    plan = make_plan(connector, intent)
    for obstacle in plan.obstacles:
        remark(f"the hub would not send this: {obstacle.reason}; {obstacle.remedy}")
    for part in [part.intent for part in plan.parts] or [intent]:
        yield from _sent(connector, part, answers, credentials)


def _sent(
    connector: "Connector[Any]", intent: "Intent", answers: Answers, credentials: "Credentials | None"
) -> Iterator[dict[str, Any]]:
    import httpx

    from socialsupport_core.cli.requests import shown, shown_ask
    from socialsupport_core.contract import DeliveryError, FlowRun, ReadBlob

    try:
        run = FlowRun(connector.send(intent), connector.failure)
        while not run.done:
            if isinstance(run.ask, httpx.Request):
                run.ask = connector.authorize(run.ask, credentials, datetime.now(UTC), secrets.token_hex(16))
                yield shown(run.ask)
            elif not isinstance(run.ask, ReadBlob):
                yield shown_ask(run.ask)
            if not _answer(run, answers):
                yield WAITING
                return
        yield {"receipt": run.result.model_dump(mode="json", exclude_none=True)}
    except DeliveryError as error:
        yield {"error": _error(error)}


def _answer(run: "FlowRun[Receipt]", answers: Answers) -> bool:
    """Whether there was an answer. Raises DeliveryError, ConfigError."""
    from socialsupport_core.contract import ReadBlob, Wait

    if isinstance(run.ask, Wait):
        run.answer(None)
    elif isinstance(run.ask, ReadBlob):
        run.answer(_blob(run.ask.digest, answers.blobs))
    elif answers.left:
        _give(run, answers.left.popleft())
    else:
        return False
    return True


def _give(run: "FlowRun[Receipt]", answer: dict[str, Any]) -> None:
    from socialsupport_core.contract import DeliveryError

    try:
        said = _said(run.ask, answer)
    except DeliveryError as error:
        run.throw(error)
    else:
        run.answer(said)


def _said(ask: Any, answer: dict[str, Any]) -> Any:
    """What golden cases may write (`dropped`, `raises`, `answer`) holds here too. Raises DeliveryError."""
    import httpx
    from pydantic import ValidationError

    from socialsupport_core.contract import ConfigError
    from socialsupport_core.testing.cases import GivenResponse, Step
    from socialsupport_core.testing.problems import problems
    from socialsupport_core.testing.scripted import Unexpected, answer_of, answer_to, error_named

    if "raises" in answer:
        raise error_named(str(answer["raises"]))("as --answers says")
    try:
        if isinstance(ask, httpx.Request):
            step = Step.model_construct(response=GivenResponse.model_validate(answer))
            return answer_of(step, ask)
        return answer_to(ask, answer["answer"])
    except ValidationError as error:
        raise ConfigError(problems(error, GivenResponse, "--answers")) from error
    except (LookupError, AttributeError, TypeError, Unexpected) as error:
        name = type(ask).__name__
        raise ConfigError(f'--answers: that does not answer {name} ({error}); write {{"answer": …}}') from error


def _blob(digest: str, blobs: Mapping[str, str]) -> Any:
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.model import Blob

    if digest not in blobs:
        raise ConfigError(f"the content of blob {digest} is needed; add --blob {digest}=FILE")
    path = Path(blobs[digest])
    return Blob(content=path.read_bytes(), name=path.name)


def _error(error: "DeliveryError") -> dict[str, Any]:
    about = {
        "type": type(error).__name__,
        "message": str(error),
        "code": error.code,
        "retry_after": getattr(error, "retry_after", None),
    }
    return {key: value for key, value in about.items() if value is not None or key == "code"}

"""`socialsupport translate`: native payloads to events."""

# ruff: noqa: PLC0415 - imported when the verb runs; an option is an argument

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from socialsupport_core.cli.options import ConnectorName, SettingsFile

if TYPE_CHECKING:
    from socialsupport_core.contract import Connector
    from socialsupport_core.model import Event

Way = Literal["webhook", "poll", "stream", "file"]
FILE_SUFFIXES = frozenset({".csv", ".tsv", ".mbox", ".eml"})
"""Such a file is an export, whatever else the connector receives."""


def add(app: typer.Typer) -> None:
    app.command()(translate)


def translate(
    connector: ConnectorName,
    file: Annotated[list[str], typer.Argument(metavar="FILE", help="Native payloads; - is stdin.")],
    settings: SettingsFile = None,
    header: Annotated[list[str] | None, typer.Option(metavar="'K: V'", help="A header of the request.")] = None,
    url: Annotated[str, typer.Option(help="The address that the network called.")] = "",
    method: Annotated[Literal["GET", "POST"], typer.Option()] = "POST",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it came in; default now.", show_default=False)
    ] = None,
    source: Annotated[
        Way | None, typer.Option(help="The way in; default webhook, or file for exports.", show_default=False)
    ] = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not check who sent it. Only webhooks are checked.")
    ] = False,
) -> None:
    """Turn native payloads into events.

    Each event is one JSON object on one line, with its file as "source". A file that is refused gives
    {"source", "error"} there, and the exit status 1 at the end.
    """
    from socialsupport_core.cli import plugged
    from socialsupport_core.cli.output import json_line, progress, remark
    from socialsupport_core.cli.reading import moment, pairs

    request = {
        "url": url,
        "method": method,
        "headers": tuple(pairs(header or (), ":", "--header")),
        "received_at": moment(at, "--at") or datetime.now(UTC),
    }
    kind = plugged.connector(connector)
    fitted = plugged.fitted(kind, settings)
    if fitted.remark:
        remark(f"{fitted.remark}; signatures are not checked")
    translator = kind(fitted.settings, fitted.facts)
    verify, refused = not (no_verify or fitted.remark), 0
    for name in progress(file, len(file), doing="translating"):
        way = source or way_of(translator, name)
        for one in lines(translator, name, {"source": way, **request}, verify=verify):
            refused += "error" in one
            json_line(one)
    if refused:
        remark(f"{refused} of {len(file)} refused; the reasons stand in the lines with an error")
        raise typer.Exit(1)


def way_of(connector: "Connector[Any]", name: str) -> Way:
    """How a file of this name would have come in."""
    receives = connector.capabilities.receives
    is_export = "file" in receives and PurePath(name).suffix.lower() in FILE_SUFFIXES
    return "webhook" if "webhook" in receives and not is_export else "file"


def lines(connector: "Connector[Any]", name: str, request: dict[str, Any], *, verify: bool) -> Sequence[dict[str, Any]]:
    """The events of one file, or the one reason why it has none."""
    from socialsupport_core.contract import MalformedPayload, SignatureError
    from socialsupport_core.testing.problems import one_line, raised

    try:
        return [event_line(event, name) for event in _events(connector, name, request, verify=verify)]
    except (SignatureError, MalformedPayload) as error:
        return [_refusal(name, error, one_line(error))]
    except OSError as error:
        return [_refusal(name, error, error.strerror or str(error))]
    except Exception as error:  # one broken connector or strange file must not stop the others
        return [_refusal(name, error, f"a mistake in the connector {connector.name}: {raised(error)}")]


def _events(connector: "Connector[Any]", name: str, request: dict[str, Any], *, verify: bool) -> "Iterator[Event]":
    from socialsupport_core.cli.reading import content
    from socialsupport_core.model import Payload

    payload = Payload(body=content(name), **request)
    if verify and payload.source == "webhook":
        connector.verify(payload)
    yield from connector.parse(payload)


def event_line(event: "Event", source: str) -> dict[str, Any]:
    """The event as JSON, its type first, and the file that it comes from."""
    return {"type": event.type, **event.model_dump(mode="json", exclude_none=True), "source": source}


def _refusal(source: str, error: Exception, message: str) -> dict[str, Any]:
    return {"source": source, "error": {"type": type(error).__name__, "message": message}}

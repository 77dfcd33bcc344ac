"""`socialsupport schema`: JSON Schema, OpenAPI and AsyncAPI of everything that crosses a border."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import typer

DIALECT = "https://json-schema.org/draft/2020-12/schema"
What = Literal["all", "events", "intents", "capabilities", "settings", "openapi", "asyncapi"]


def add(app: typer.Typer) -> None:
    app.command()(schema)


def schema(
    connector: Annotated[str | None, typer.Argument(metavar="CONNECTOR", help="Only its settings.")] = None,
    what: Annotated[What, typer.Option(help="Which part.")] = "all",
) -> None:
    """Print JSON Schema, OpenAPI and AsyncAPI.

    One document, or with "all" an object of them.
    """
    from socialsupport_core.cli.output import json_document

    if connector:
        json_document(_settings_of(connector))
    elif what == "all":
        json_document(dict(_all()))
    else:
        json_document(_DOCUMENTS[what]())


def _all() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is not installed is left out, and stderr says so."""
    from socialsupport_core.cli.errors import explained
    from socialsupport_core.cli.output import remark

    for name, document in _DOCUMENTS.items():
        try:
            yield name, document()
        except ModuleNotFoundError as error:
            remark(f"without {name}: {explained(error)[0]}")


def _events() -> dict[str, Any]:
    from socialsupport_core.model import EVENT

    return {"$schema": DIALECT, "title": "Event", **EVENT.json_schema()}


def _intents() -> dict[str, Any]:
    from socialsupport_core.model import INTENT

    return {"$schema": DIALECT, "title": "Intent", **INTENT.json_schema()}


def _capabilities() -> dict[str, Any]:
    from socialsupport_core.model import Capabilities

    return {"$schema": DIALECT, **Capabilities.model_json_schema()}


def _settings() -> dict[str, Any]:
    from socialsupport_core.cli.plugged import everything

    return {kind.name: _schema(kind.settings_model) for kind in everything([])}


def _settings_of(name: str) -> dict[str, Any]:
    from socialsupport_core.cli.plugged import everything

    return _schema(everything([name])[0].settings_model)


def _schema(model: Any) -> dict[str, Any]:
    return {"$schema": DIALECT, **model.model_json_schema()}


def _openapi() -> dict[str, Any]:
    from socialsupport_core.web.schema import openapi

    return openapi()


def _asyncapi() -> dict[str, Any]:
    from socialsupport_core.web.schema import asyncapi

    return asyncapi()


_DOCUMENTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "events": _events,
    "intents": _intents,
    "capabilities": _capabilities,
    "settings": _settings,
    "openapi": _openapi,
    "asyncapi": _asyncapi,
}

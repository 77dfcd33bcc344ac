"""Writes docs/reference/ from the code. Run by the build of the site (`hooks:` in mkdocs.yml), or by hand.

Nothing that it writes is committed: what the reference says is what the code says.
"""

import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import typer
from matrix import matrix
from plugin_pages import plugin_pages, plugins
from pydantic import BaseModel
from telling import Lines, cell, described, fields, joined, made, methods, remarks, shown, signature, table, told, when

from socialsupport_core import config, contract, model, testing, text
from socialsupport_core.cli.main import assembled
from socialsupport_core.contract import CRM, Connector, FanOut, LogRecord, hookspecs
from socialsupport_core.contract import crm as crms
from socialsupport_core.contract import errors as failures
from socialsupport_core.hub import Hub
from socialsupport_core.identity import Policy
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_core.web.happenings import EVENTS
from socialsupport_core.web.operation import QUERY
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

HOUSE = Path(__file__).parents[1]
TARGET = HOUSE / "docs" / "reference"


def on_pre_build(**_: Any) -> None:
    """Called by mkdocs before it looks for pages."""
    write(TARGET)


def write(folder: Path) -> None:
    pages = {"index.md": joined(index())} | {name: joined(page()) for name, (_, page) in PAGES.items()}
    pages |= {f"plugins/{name}.md": joined(lines) for name, lines in plugin_pages()}
    for stale in folder.rglob("*.md"):
        if str(stale.relative_to(folder)) not in pages:
            stale.unlink()
    for name, content in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != content:
            path.write_text(content, "utf-8")


# the pages


def index() -> Lines:
    yield from made("Reference", "Generated from the code of this version, so it says what the code says.")
    yield from (f"- [{title}]({page})" for page, (title, _) in PAGES.items())
    yield from ("", "Each installed network and CRM has its page:", "")
    yield from (f"- [{name}](plugins/{name}.md)" for name, _ in plugins())


def hooks() -> Lines:
    yield from made(
        "Hooks",
        "A plugin is a module that an entry point of the group `socialsupport` names. It may have these functions,",
        "each marked with `@hookimpl` from `socialsupport_core.contract`. They are called once, when the registry is",
        "built. A misspelt hook, or one without its marker, is an error that says so; a plugin that raises is listed",
        "as broken, and the others load.",
    )
    for name, function in vars(hookspecs).items():
        if name.startswith("socialsupport_"):
            yield from (f"## `{name}`", "", f"`{signature(function)}`", "", told(function), "")


def values(title: str, lead: str, named: Sequence[tuple[str, type[BaseModel]]], leave_out: Sequence[str]) -> Lines:
    yield from made(title, lead)
    for name, one in named:
        yield from (f"## `{name}`", "", *in_python(name, one), told(one), *fields(one, leave_out))


def in_python(name: str, kind: type) -> Lines:
    """The class, where it goes by another name in JSON."""
    if name != kind.__name__:
        yield from (f"In Python `model.{kind.__name__}`.", "")


def typed(union: Any) -> list[tuple[str, type[BaseModel]]]:
    return [(one.model_fields["type"].default, one) for one in get_args(union)]


def interaction() -> Lines:
    first: tuple[type[BaseModel], ...] = (model.Interaction, model.Party, model.Identifier, model.Thread)
    then: tuple[type[BaseModel], ...] = (model.Attachment, model.Choice, model.Location, model.Reach)
    named = [(one.__name__, one) for one in (*first, *then)]
    lead = "One touch between a customer and us, whatever the network. In JSON absent optional fields are left out."
    yield from values("Interaction", lead, named, ())
    yield from ("## Kinds", "", "What `kind` says of an interaction:", "")
    yield from table(("kind", "what"), [(f"`{name}`", KINDS[name]) for name in get_args(InteractionKind)])
    yield from (
        "`kind` of an identifier is `phone` or `email`, which mean the same on every network, or `NETWORK.THING` for",
        "what one network names people by: `x.user`, `telegram.user`.",
    )


KINDS: Mapping[str, str] = {
    "message": "said in a conversation of its own: a direct or group message, an e-mail, a line of a chat",
    "comment": "said under something: a post, a video, another comment",
    "mention": "a post of somebody's own that names us",
    "review": "an opinion that others read, normally with `rating`",
    "call": "spoken, whether answered or missed; `duration` where it is known",
    "voicemail": "a recording left for us; what was said is the `text`, where somebody or something wrote it down",
    "form": "what somebody has filled in: a contact form, a lead",
    "visit": "somebody came by in person",
    "note": "written by an agent for colleagues; `direction` is `internal`, and no network ever sees it",
}


def events() -> Lines:
    lead = (
        "What a connector says has happened. Every event has a `type` and an `id`, which is stable over redelivery and"
        " over every way in."
    )
    yield from values("Events", lead, typed(model.Event), ("type", "id"))
    yield from (
        "## The hub's log",
        "",
        "What `GET /api/events` and `hub.events` give, in the order in which it was committed. Each has `cursor`,",
        "`tenant`, `type`, `at`, `data` and, where they apply, `channel`, `thread` and `conversation`.",
    )
    yield from table(
        ("type", "what", "`data`"), [(f"`{name}`", text, members(shape)) for name, (text, shape) in EVENTS.items()]
    )


def members(shape: dict[str, Any]) -> str:
    if "properties" not in shape:
        return str(shape.get("description", ""))
    return ", ".join(f"`{one}`" + ("" if one in shape.get("required", ()) else "?") for one in shape["properties"])


def intents() -> Lines:
    lead = "What we want to happen on a network. Every intent has a `type` and the fields of the first table."
    common = [name for name in model.MarkRead.model_fields if name != "type"]
    yield from made("Intents", lead)
    yield from fields(model.MarkRead, ("type",))
    for name, one in typed(model.Intent):
        yield from (f"## `{name}`", "", *in_python(name, one), told(one), *fields(one, ("type", *common)))
    for one in (model.Template, model.Receipt):
        yield from (f"## `{one.__name__}`", "", told(one), *fields(one))


def capabilities() -> Lines:
    about = remarks(model.Capabilities)
    yield from made("Capabilities", *told(model.Capabilities).splitlines())
    for name, one in model.Capabilities.model_fields.items():
        default = f", {when(one)} unless claimed" if when(one) else ""
        yield from (f"## `{name}`", "", f"{shown(one.annotation)}{default}", "", about.get(name, ""), "")
    for other in (model.TextLimit, model.MediaLimit, model.RateLimit):
        yield from (f"## `{other.__name__}`", "", told(other), *fields(other))


def errors() -> Lines:
    lead, _, tree = (failures.__doc__ or "").partition("\n\n")
    yield from made("Errors", lead, "", "```", tree.strip(), "```")
    for name, one in vars(failures).items():
        if isinstance(one, type) and issubclass(one, failures.SocialSupportError):
            lines = ("", *(f"Decision: {text}." for text in [decision(tree, name)] if text), "")
            yield from (f"## `{name}`", "", f"`{raising(one)}`", "", told(one), *lines)
    yield from ("## Statuses", "", "What a bare HTTP status stands for, unless the connector knows better.", "")
    yield from table(
        ("status", "error"), [(str(status), f"`{one.__name__}`") for status, one in failures.BY_STATUS.items()]
    )
    rest = inspect.getsource(failures).split("BY_STATUS", 1)[1].split('"""')[1]
    yield from (rest, "")
    for function in (failures.from_response, failures.retry_after):
        yield from called(function)


def raising(kind: type[Exception]) -> str:
    """How it is made: `RateLimited(message, *, code=None, retry_after=None)`."""
    if not inspect.isfunction(kind.__init__):
        return f"{kind.__name__}(message)"
    arguments = signature(kind.__init__).removeprefix("__init__").rpartition(" -> ")[0]
    return f"{kind.__name__}{arguments}"


def called(function: Callable[..., Any], level: str = "##") -> Lines:
    yield from (f"{level} `{function.__name__}`", "", "```", signature(function), "```", "", told(function), "")


def decision(tree: str, name: str) -> str:
    found = re.search(rf"── {name}\s{{2,}}(.+)", tree)
    return found[1].strip() if found else ""


def commands() -> Lines:
    root: Any = typer.main.get_command(assembled())
    yield from made("Commands", *(root.help or "").splitlines())
    yield from options(root)
    yield from _commands(root, "socialsupport")


def _commands(group: Any, path: str) -> Lines:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield from (f"## `{path} {name}`", "", *(command.help or "").splitlines(), "", *options(command))


def options(command: Any) -> Lines:
    rows = []
    for one in command.params:
        name = one.metavar or one.name.upper() if one.param_type_name == "argument" else ", ".join(one.opts)
        value = f" {one.metavar}" if one.param_type_name == "option" and one.metavar else ""
        plain = one.default is not None and not isinstance(one.default, bool) and not callable(one.default)
        default = f"`{one.default}`" if plain and one.default not in ("", ()) else "required" if one.required else ""
        rows.append((f"`{name}{value}`", default, one.help or ""))
    yield from table(("", "", ""), rows)


def http() -> Lines:
    schemas = openapi()["components"]["schemas"]
    yield from made(
        "HTTP",
        "JSON in and out. A token goes along as `Authorization: Bearer …` and carries tenant, agent and scopes.",
        "Errors are `application/problem+json`. `socialsupport schema --what openapi` prints this as OpenAPI 3.1.",
    )
    for path in dict.fromkeys(path for _, path in OPERATIONS):
        yield from (f"## `{path}`", "")
        for (method, where), one in OPERATIONS.items():
            if where == path:
                scope = f"scope `{one.scope}`" if one.scope else "no token"
                yield from (f"**{method}**, {scope}. {one.summary}", "")
                yield from _asked(one, schemas)
                yield from (f"Answers {one.status}: {answered(one.answer, one.media_type)}.", "")
    yield from ("## Shapes", "", "A question mark: the field may be absent.", "")
    for name, schema in schemas.items():
        yield from (f"### {name}", "", cell(schema.get("description", "")), *properties(schema))


def _asked(one: Any, schemas: dict[str, Any]) -> Lines:
    yield from table(("query", ""), [(f"`{name}`", QUERY[name][1]) for name in one.query])
    if one.body is not None:
        name = one.body.__name__
        yield from (f"Takes [{name}](#{name.lower()}): {members(schemas[name])}.", "")


def answered(schema: dict[str, Any], media_type: str) -> str:
    if media_type != "application/json":
        return {"*/*": "what the network expects"}.get(media_type, f"`{media_type}`")
    if "$ref" in schema or "properties" in schema:
        return kind_of(schema)
    return "an empty object"


def properties(schema: dict[str, Any]) -> Lines:
    needed = schema.get("required", ())
    rows = [
        (f"`{name}`" + ("" if name in needed else "?"), kind_of(one), one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]
    yield from table(("field", "", ""), rows)


def kind_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(kind_of(one) for one in schema[several])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if "properties" in schema:
        return "{" + ", ".join(f"`{name}`: {kind_of(one)}" for name, one in schema["properties"].items()) + "}"
    kind = schema.get("format") or schema.get("type", "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def configuration() -> Lines:
    yield from made(
        "Configuration",
        "The file of `socialsupport serve`, in TOML. A key that is not here is refused by name; paths are relative to",
        "the file. `settings` of a channel are those of its connector, on [its page](index.md).",
    )
    sections: tuple[tuple[str, type[BaseModel]], ...] = (
        ("hub", config.HubSection),
        ("tenants.TENANT", config.TenantSection),
        ("tenants.TENANT.identity", Policy),
        ("tenants.TENANT.agents.AGENT", config.AgentSection),
        ("tenants.TENANT.channels.CHANNEL", config.ChannelSection),
        ("tenants.TENANT.crms.CRM", config.CRMSection),
        ("tenants.TENANT.webhooks.WEBHOOK", config.WebhookSection),
        ("apps.APP", config.AppSection),
        ("fanouts.FANOUT", config.FanOutSection),
    )
    for name, section in sections:
        yield from (f"## `[{name}]`", "", told(section), *fields(section, ("agents", "channels", "crms", "webhooks")))


def hub() -> Lines:
    yield from made(
        "Hub",
        "`from socialsupport_core.hub import Hub`. Every method may be called from any thread; what it gives are plain",
        "values in the form in which [the HTTP API](http.md) shows them.",
    )
    yield from methods(Hub)


CRM_VALUES = (
    crms.Contact,
    crms.CaseSummary,
    crms.CaseRef,
    crms.CaseFields,
    crms.CaseState,
    crms.AgentReplied,
    crms.AgentNoted,
    crms.CaseClosed,
    crms.CaseChanged,
    crms.CaseMerged,
    crms.CaseGone,
    crms.ContactChanged,
    crms.ContactGone,
)


def verbs() -> Lines:
    yield from made("Connector and CRM", "`from socialsupport_core.contract import Connector, CRM`.")
    yield from ("## Connector", "", told(Connector), "")
    yield from methods(Connector, level="###")
    yield from ("## CRM", "", told(CRM), "")
    yield from methods(CRM, level="###", prefix="CRM.")
    yield from ("## FanOut", "", told(FanOut), "")
    yield from methods(FanOut, level="###", prefix="FanOut.")
    yield from ("### LogRecord", "", told(LogRecord), *fields(LogRecord))
    for one in CRM_VALUES:
        yield from (f"### {one.__name__}", "", told(one), *fields(one))


def held() -> Lines:
    yield from made(
        "Values and asks",
        "What a connector is given and gives beside [events](events.md), [intents](intents.md) and the",
        "[interaction](interaction.md): `from socialsupport_core import model`.",
    )
    for kind in (model.Value, model.Payload, model.Reply, model.Page, model.Blob, model.Facts, model.Credentials):
        yield from described(kind)
    yield from ("## Settings", "", told(contract.Settings), "")
    yield from (
        "## Asks",
        "",
        "What a flow may yield beside an `httpx.Request`: `from socialsupport_core.contract import Wait`.",
        "",
    )
    for ask in (contract.Wait, contract.ReadBlob, contract.ReadPayload):
        yield from described(ask, "###")
    yield from (
        "## Running a flow",
        "",
        "What a test needs of it: `from socialsupport_core.contract import drive`.",
        "",
    )
    for function in (contract.drive, contract.digest):
        yield from called(function, "###")
    yield from ("## Streams", "", "What `dial` and `step` are given and give: [Streams](../connectors/streams.md).", "")
    streamed = (contract.StreamState, contract.Dial, contract.Opened, contract.Frame, contract.Tick, contract.Closed)
    for kind in (*streamed, contract.Step):
        yield from described(kind, "###")
    yield from ("## Signing in", "", "What the host hands to `connect_with` and `exchange_with`.", "")
    yield from described(contract.SignIn, "###")


def texts() -> Lines:
    yield from made(
        "Text",
        "`from socialsupport_core.text import plain, split`. Texts of intents and interactions are CommonMark; these",
        "turn them into what a network takes, count them as it counts, and make safe what strangers wrote.",
    )
    for title, names in TEXT.items():
        yield from (f"## {title}", "")
        for name in names:
            yield from text_member(name)


def text_member(name: str) -> Lines:
    thing = getattr(text, name)
    if inspect.isfunction(thing):
        yield from called(thing, "###")
    elif isinstance(thing, type):
        yield from described(thing, "###")
    else:
        yield from (f"### `{name}`", "", f"`{thing}`" if isinstance(thing, text.Weights) else shown(thing), "")


TEXT: Mapping[str, Sequence[str]] = {
    "Markup": ("plain", "to_spans", "from_spans", "escape", "Span", "Style", "Sheet"),
    "Length and splitting": ("count", "Unit", "split", "fits", "Measure", "is_gsm7"),
    "Safe display": ("to_html", "visible", "file_name"),
    "Naming nobody": ("quiet", "BREAK"),
    "What X finds in a text": (
        "entities", "mentions", "hashtags", "cashtags", "urls", "reply_to", "Entity",
        "is_username", "is_list", "is_hashtag", "is_url", "is_post",
        "weigh", "Weighed", "Weights", "V1", "V2", "V3",
    ),
}  # fmt: skip


def kit() -> Lines:
    yield from made(
        "Testing",
        "`from socialsupport_core.testing import ConnectorConformance, Simulator`; it comes with the extra `testing`.",
        "",
        "## Properties",
        "",
        "What `socialsupport check` asserts. The name is what `cases/exempt.json` takes, and `test_NAME` the test.",
    )
    for kind in (testing.ConnectorConformance, testing.CRMConformance):
        names = [name for part in kind.__mro__ for name in vars(part) if name.startswith("test_")]
        rows = [(f"`{name.removeprefix('test_')}`", told(getattr(kind, name))) for name in names]
        yield from (f"### `{kind.__name__}`", *table(("property", "what holds"), rows))
    yield from ("## Simulators", "")
    yield from described(testing.Simulator, "###")
    for kind in (testing.Place, testing.Said, testing.Faults, testing.Network, testing.Desk, testing.CRMDesk):
        yield from described(kind, "###")


PAGES: dict[str, tuple[str, Callable[[], Lines]]] = {
    "hub.md": ("Hub: what you call when you embed it", hub),
    "http.md": ("HTTP: every path", http),
    "commands.md": ("Commands", commands),
    "configuration.md": ("Configuration of `serve`", configuration),
    "interaction.md": ("Interaction", interaction),
    "events.md": ("Events", events),
    "intents.md": ("Intents and receipts", intents),
    "capabilities.md": ("Capabilities", capabilities),
    "matrix.md": ("Networks side by side", matrix),
    "errors.md": ("Errors", errors),
    "hooks.md": ("Hooks", hooks),
    "contract.md": ("Connector and CRM: every method", verbs),
    "values.md": ("Values and asks: what a connector is given and gives", held),
    "text.md": ("Text: markup, length, splitting, safe display", texts),
    "testing.md": ("The conformance kit and simulators", kit),
}

if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)

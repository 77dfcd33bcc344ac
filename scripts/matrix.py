"""The page on which all networks stand side by side, from what their connectors claim."""

import html
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from standing import PLUGINS, cells, stands
from telling import Lines, made

from socialsupport_core.contract import Connector, Registry
from socialsupport_core.model import Capabilities

MARKS = {"yes": "✓", "unsupported": "–", "not_implemented": "not yet"}
DAY = timedelta(days=1)


def matrix() -> Lines:
    lead = (
        "What each connector does, as it claims it and golden cases prove it: ✓ is done, – is what the network does not"
        " have, *not yet* is what we do not do. Type what you need, such as `webhook edit`, and the others go away;"
        " every event and intent can be asked for by its name, such as `reaction.added`, the"
        " [tier](../connectors/tiers.md) as `gold`, and what stands behind a surface as `sending:specification`."
    )
    yield from ("---", "hide: [toc]", "---", "")
    yield from made("Networks side by side", lead)
    yield '<input type="search" data-filters="networks" placeholder="webhook edit …" aria-label="What you need">'
    yield ""
    yield '<table id="networks">'
    yield from table_of(("network", *COLUMNS), (row(plugin, kind) for plugin, kind in connectors()))
    yield from ("", "## Helpdesks and brokers", "", "What stands behind each, and its tier.", "")
    yield '<table id="others">'
    others = ((plugin, kind) for plugin, kind in of_plugins(Registry.discover()) if not issubclass(kind, Connector))
    heads = ("plugin", "tier", "what stands behind it")
    yield from table_of(heads, (f"<tr>{name_of(plugin, kind)}{cells(plugin, kind)}</tr>" for plugin, kind in others))


def table_of(heads: tuple[str, ...], rows: Iterable[str]) -> Lines:
    """What follows the opening tag."""
    yield f"<thead><tr>{''.join(f'<th>{html.escape(head)}</th>' for head in heads)}</tr></thead>"
    yield "<tbody>"
    yield from rows
    yield "</tbody></table>"


def connectors() -> Iterator[tuple[str, type[Connector[Any]]]]:
    yield from ((plugin, kind) for plugin, kind in of_plugins(Registry.discover()) if issubclass(kind, Connector))


def of_plugins(registry: Registry) -> Iterator[tuple[str, Any]]:
    """Each with the name of the plugin that provides it, which is that of its page."""
    pages = {path.name.removeprefix("socialsupport-") for path in PLUGINS.glob("socialsupport-*")}
    for _, kind in sorted({**registry.connectors, **registry.crms, **registry.fanouts}.items()):
        plugin = kind.__module__.split(".")[0].removeprefix("socialsupport_")
        if plugin in pages:
            yield plugin, kind


def row(plugin: str, kind: type[Connector[Any]]) -> str:
    able = kind.capabilities
    layers = [f"{surface}:{layer}" for surface, layer in stands(plugin, kind).surfaces.items()]
    can = " ".join([*sorted(able.events | able.intents), *layers])
    claimed = (f"<td>{html.escape(tell(able))}</td>" for tell in COLUMNS.values() if tell is not None)
    whole = "".join((name_of(plugin, kind), cells(plugin, kind), *claimed))
    return f'<tr data-can="{html.escape(can)}">{whole}</tr>'


def name_of(plugin: str, kind: Any) -> str:
    return f'<td><a href="../plugins/{plugin}/">{kind.name}</a></td>'


def support(*types: Any) -> Callable[[Capabilities], str]:
    """One mark, or one for each direction where they differ."""

    def tell(able: Capabilities) -> str:
        marks = [MARKS[able.support(one)] for one in types]
        return marks[0] if len(set(marks)) == 1 else " / ".join(marks)

    return tell


def window(able: Capabilities) -> str:
    if able.reply_window is None:
        return "none"
    days = able.reply_window / DAY
    return f"{days:g} days" if days > 1 else f"{days * 24:g} hours"


def length(able: Capabilities) -> str:
    return f"{able.text.limit:,} {able.text.unit}".replace("_", " ") if able.text else "–"


COLUMNS: dict[str, Callable[[Capabilities], str] | None] = {
    "tier": None,  # these two are not claimed
    "what stands behind it": None,
    "comes in by": lambda able: ", ".join(sorted(able.receives)),
    "proven by": lambda able: able.verification.replace("_", " "),
    "answers": lambda able: ", ".join(sorted(able.sends)) or "–",
    "text": length,
    "files": lambda able: str(able.attachments) if able.media else "–",
    "buttons": lambda able: str(able.choices or "–"),
    "edits in / out": support("interaction.edited", "edit.message"),
    "deletions in / out": support("interaction.deleted", "delete.message"),
    "reactions in / out": support("reaction.added", "react"),
    "private answer to a public word": support("open.private"),
    "typing": support("typing"),
    "receipts": lambda able: ", ".join(sorted(able.receipts)) or "–",
    "reply window": window,
    "a doubtful send is settled by": lambda able: able.settles.replace("_", " "),
}

"""What stands behind a plugin, for its page and for the side by side."""

import html
from pathlib import Path
from typing import Any

from telling import Lines, table

from socialsupport_core.testing.tiers import Standing, standing_of, verdict
from socialsupport_core.testing.truth import Proof, truth_of

PLUGINS = Path(__file__).parents[1] / "plugins"


def stands(plugin: str, kind: Any) -> Standing:
    """The kit is run by the plugin's own tests, so a page is made of what is green."""
    page = (PLUGINS / f"socialsupport-{plugin}" / "README.md").read_text("utf-8")
    return standing_of(kind, "green", page)


def cells(plugin: str, kind: Any) -> str:
    """Two of a table: the tier, with what is missing for the next, and the layer behind each surface."""
    known = stands(plugin, kind)
    reached = verdict(known)
    behind = "<br>".join(html.escape(f"{surface}: {layer}") for surface, layer in known.surfaces.items())
    return f'<td title="{html.escape(str(reached))}">{reached.tier}</td><td class="layers">{behind}</td>'


def proven(plugin: str, kind: Any) -> Lines:
    """A section: the tier, and the truth that ships with the plugin."""
    told = truth_of(kind)
    reached = verdict(stands(plugin, kind))
    yield from (f"## Tier of {kind.name}", "", f"[{str(reached).capitalize()}](../../connectors/tiers.md).", "")
    proofs = [(surface, one) for surface, every in (told.surfaces if told else {}).items() for one in every]
    rows = [
        (f"`{surface}`", one.layer, f"{_what(one)} {_link(one.address)}".strip(), one.read, f"`{one.test}`")
        for surface, one in proofs
    ]
    yield from table(("surface", "layer", "what stands behind it", "seen", "proven by"), rows)
    limits = [(f"`{name}`", f"{_link(one.address)}, {one.read}") for name, one in (told.limits if told else {}).items()]
    reasons = [(f"`{name}`", f"none: {why}") for name, why in (told.without if told else {}).items()]
    yield from table(("limit, renewal, probe", "source or reason"), [*limits, *reasons])


def _what(proof: Proof) -> str:
    return f"{proof.what} (not {proof.lacks})" if proof.lacks else proof.what


def _link(address: str) -> str:
    return f"<{address}>" if address else ""

"""The hooks. Each is synchronous and called once, when the registry is built."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from socialsupport_core.contract.connector import Connector
from socialsupport_core.contract.crm import CRM
from socialsupport_core.contract.fanout import FanOut
from socialsupport_core.contract.policy import Policy
from socialsupport_core.contract.ranking import Ranker
from socialsupport_core.contract.routing import Router
from socialsupport_core.contract.surface import ListenerFactory, SurfaceFactory
from socialsupport_core.contract.triage import TriageFactory
from socialsupport_core.contract.wire import Wire

if TYPE_CHECKING:
    from typing import Any

PROJECT = "socialsupport"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's hook functions."""


@hookspec
def socialsupport_connectors() -> "Sequence[type[Connector[Any]]]":
    """Connector classes."""
    return ()


@hookspec
def socialsupport_crms() -> "Sequence[type[CRM[Any]]]":
    """CRM adapter classes."""
    return ()


@hookspec
def socialsupport_fanouts() -> "Sequence[type[FanOut[Any]]]":
    """Brokers to which everything is handed on after it was committed."""
    return ()


@hookspec
def socialsupport_wires() -> Sequence[Wire]:
    """Wires for asks that are not HTTP requests."""
    return ()


@hookspec
def socialsupport_surfaces() -> Mapping[str, SurfaceFactory]:
    """Web pages of connectors, by the connector's name."""
    return {}


@hookspec
def socialsupport_listeners() -> Mapping[str, ListenerFactory]:
    """Doors that are not HTTP, by the connector's name."""
    return {}


@hookspec
def socialsupport_canonical_forms() -> Mapping[str, Callable[[str], str]]:
    """How values of an identifier's kind are spelled in one way, by the kind, such as `mastodon.account`."""
    return {}


@hookspec
def socialsupport_policies() -> Sequence[Policy]:
    """Rules that every reply must pass before it goes out: each refuses, asks for approval, or warns."""
    return ()


@hookspec
def socialsupport_rankers() -> Sequence[Ranker]:
    """Which of some texts answer a question, by their meaning; words find them, this puts them in order."""
    return ()


@hookspec
def socialsupport_triage() -> Sequence[TriageFactory]:
    """What judges of which kind a customer's message is, after the rules: made once, given its folder."""
    return ()


@hookspec
def socialsupport_routers() -> Sequence[Router]:
    """Choices of your own among the agents who may have a conversation. The first that has an opinion decides."""
    return ()


@hookspec
def socialsupport_simulators() -> "Sequence[type[Any]]":
    """Simulators (`socialsupport_core.testing.Simulator`) of the plugin's networks. Import them inside the hook."""
    return ()

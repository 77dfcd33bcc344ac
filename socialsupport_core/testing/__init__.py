"""For authors of plugins: the conformance kit, simulators, fault injection.

Nothing is imported before it is asked for: pytest loads this package at its start, before coverage measures.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socialsupport_core.testing.conformance import ConnectorConformance
    from socialsupport_core.testing.crm import CRMConformance
    from socialsupport_core.testing.crm_desk import CRMDesk
    from socialsupport_core.testing.desk import Desk, simulated_hub
    from socialsupport_core.testing.loading import Cases, load_cases, load_crm_cases
    from socialsupport_core.testing.scaffold import new_connector, new_crm
    from socialsupport_core.testing.scripted import ScriptedNetwork, Unexpected
    from socialsupport_core.testing.simulator import Faults, Network, Place, Said, Simulator
    from socialsupport_core.testing.streams import Line, Refused

__all__ = [
    "CRMConformance",
    "CRMDesk",
    "Cases",
    "ConnectorConformance",
    "Desk",
    "Faults",
    "Line",
    "Network",
    "Place",
    "Refused",
    "Said",
    "ScriptedNetwork",
    "Simulator",
    "Unexpected",
    "load_cases",
    "load_crm_cases",
    "new_connector",
    "new_crm",
    "simulated_hub",
]

_HOME = {
    "crm_desk": ("CRMDesk",),
    "desk": ("Desk", "simulated_hub"),
    "loading": ("Cases", "load_cases", "load_crm_cases"),
    "conformance": ("ConnectorConformance",),
    "crm": ("CRMConformance",),
    "scaffold": ("new_connector", "new_crm"),
    "scripted": ("ScriptedNetwork", "Unexpected"),
    "simulator": ("Faults", "Network", "Place", "Said", "Simulator"),
    "streams": ("Line", "Refused"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

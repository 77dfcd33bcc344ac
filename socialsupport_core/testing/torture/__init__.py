"""The torture bench: a hub is killed, cut off, flooded and lied to, and an auditor looks for what is missing or twice.

    socialsupport torture --minutes 5

or, in a test of your own:

    from socialsupport_core.testing.torture import run
    assert all(row.holds for row in run(["kill_outside"], store="postgresql://…"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socialsupport_core.testing.torture.auditor import Finding, Witness, audit
    from socialsupport_core.testing.torture.bench import Row, again, run
    from socialsupport_core.testing.torture.fault import CannotRun, Fault, Tried
    from socialsupport_core.testing.torture.faults import FAULTS

__all__ = ["FAULTS", "CannotRun", "Fault", "Finding", "Row", "Tried", "Witness", "again", "audit", "run"]

_HOME = {
    "auditor": ("Finding", "Witness", "audit"),
    "bench": ("Row", "again", "run"),
    "fault": ("CannotRun", "Fault", "Tried"),
    "faults": ("FAULTS",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

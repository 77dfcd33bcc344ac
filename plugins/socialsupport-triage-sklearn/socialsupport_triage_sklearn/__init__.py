"""Triage that learns from what a tenant's agents have put right."""

from collections.abc import Sequence

from socialsupport_core.contract import TriageFactory, hookimpl
from socialsupport_triage_sklearn.learned import Learned

__all__ = ["Learned"]


@hookimpl
def socialsupport_triage() -> Sequence[TriageFactory]:
    return [Learned]

"""What a plugin leaves to the host: it computes, and touches nothing; and it overrides what it means to."""

import contextlib
import inspect
from typing import Any

from socialsupport_core.contract import CRM, Connector, DeliveryError, MalformedPayload, SignatureError, drive
from socialsupport_core.mistakes import near
from socialsupport_core.testing.cases import FlowCase, Inbound
from socialsupport_core.testing.conformance.base import Base, fail
from socialsupport_core.testing.scripted import ScriptedNetwork, Unexpected
from socialsupport_core.testing.watching import root, watching

NOT_THEIRS = frozenset({"socialsupport_core", "typing", "builtins", "abc"})


class Pure(Base):
    def test_it_does_no_io(self) -> None:
        """Over all golden cases it opens no file, socket or process, and never sleeps: it yields what it asks."""
        packages = {root(cls.__module__) for cls in self.plugin.__mro__} - NOT_THEIRS
        for case in (*self.cases.inbound, *self.cases.flows):
            self._run_through(case)  # what is imported or read once, such as time zones, is there then
            with watching(packages) as watch:
                self._run_through(case)
            if watch.seen:
                fail(f"{case}: the plugin {watch.seen[0]}; yield what it asks, or have it in the settings")

    def _run_through(self, case: Inbound | FlowCase) -> None:
        """However it ends: that is for the golden cases to say."""
        with contextlib.suppress(SignatureError, MalformedPayload, DeliveryError, Unexpected):
            if isinstance(case, Inbound):
                self._come_in(self.make(), case)
            else:
                self._carry_out(self.make(), case)

    def _come_in(self, plugin: Any, case: Inbound) -> None:
        payload = case.payload.payload
        if case.is_handshake:
            plugin.handshake(payload)
            return
        if payload.source == "webhook":
            plugin.verify(payload)
        list(plugin.parse(payload))
        plugin.acknowledge(payload)

    def _carry_out(self, plugin: Any, case: FlowCase) -> None:
        flow = self.flow_of(plugin, case)
        if not isinstance(flow, str):
            drive(flow, ScriptedNetwork(case.exchange, self.authorized(plugin)), plugin.failure)

    def test_no_override_is_misspelt(self) -> None:
        """No public method is nearly named after one of the contract that is not written: it would never be called."""
        contract: type[Any] = Connector if issubclass(self.plugin, Connector) else CRM
        ours = _methods(contract)
        unwritten = {name for name in ours if not self.overrides(name)}
        for name in sorted(_methods(self.plugin) - ours):
            if remedy := near(name, unwritten, ""):
                fail(
                    f"{self.plugin.__name__}.{name} overrides nothing, so nobody calls it; {remedy} "
                    "If it is a helper of yours, begin its name with _"
                )


def _methods(kind: type[Any]) -> set[str]:
    """Properties among them."""
    found = inspect.getmembers_static(kind, lambda one: inspect.isroutine(one) or isinstance(one, property))
    return {name for name, _ in found if not name.startswith("_")}

"""Wires: for networks that are not HTTP. A plugin defines its own asks and registers the wire that answers them."""

from typing import Any, ClassVar, Protocol


class Wire(Protocol):
    """Answers the asks whose types it lists. One instance serves one host process."""

    asks: ClassVar[tuple[type, ...]]

    async def answer(self, ask: Any) -> Any:
        """Does it. Raises DeliveryError exactly as HTTP would: `Uncertain` once it may have been done."""
        ...

    async def aclose(self) -> None: ...

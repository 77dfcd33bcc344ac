"""Web chat: our own network, a page in the browser with a live stream both ways."""

from collections.abc import Mapping, Sequence
from typing import Any

from socialsupport_core.contract import Connector, SurfaceFactory, hookimpl
from socialsupport_webchat.connector import Webchat, WebchatSettings

__all__ = ["Webchat", "WebchatSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Webchat,)


@hookimpl
def socialsupport_surfaces() -> Mapping[str, SurfaceFactory]:
    return {Webchat.name: _make_surface}


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_webchat.simulator import WebchatSimulator  # noqa: PLC0415 - tests and demo only

    return (WebchatSimulator,)


def _make_surface(connector: Webchat, host: Any) -> Any:
    from socialsupport_webchat.surface import make_surface  # noqa: PLC0415 - only a server needs starlette

    return make_surface(connector, host)

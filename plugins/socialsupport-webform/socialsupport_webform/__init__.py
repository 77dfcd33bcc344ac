"""A contact form: a page of your own, or a frame on your site."""

from collections.abc import Mapping, Sequence
from typing import Any

from socialsupport_core.contract import Connector, SurfaceFactory, hookimpl
from socialsupport_webform.connector import Webform
from socialsupport_webform.settings import WebformSettings

__all__ = ["Webform", "WebformSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Webform,)


@hookimpl
def socialsupport_surfaces() -> Mapping[str, SurfaceFactory]:
    return {Webform.name: _make_surface}


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_webform.simulator import WebformSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (WebformSimulator,)


def _make_surface(connector: Webform, host: Any) -> Any:
    from socialsupport_webform.surface import make_surface  # noqa: PLC0415 - only a server needs starlette

    return make_surface(connector, host)

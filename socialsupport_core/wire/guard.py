"""Where a connector may call: its declared hosts, by https, at public addresses, resolved once and pinned."""

import asyncio
import ipaddress
import socket
from typing import Any

import httpx

from socialsupport_core.contract.errors import Forbidden, Unavailable


def check(request: httpx.Request, hosts: frozenset[str], *, open_network: bool) -> None:
    """Raises Forbidden for a host that is not declared, or for plain http."""
    host = request.url.host
    if host not in hosts:
        raise Forbidden(f"this connector may not call {host!r}; it declares {', '.join(sorted(hosts)) or 'no host'}")
    if request.url.scheme != "https" and not open_network:
        raise Forbidden(f"{request.url.scheme} to {host} is refused; the operator may open it for this channel")


def is_public(address: str) -> bool:
    """Whether the address belongs to the public internet, whatever its spelling."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    return inner.is_global and not inner.is_multicast and ip.is_global | (inner is not ip)


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves a name once, checks every address, and connects to the one that was checked."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, open_network: bool) -> None:
        self._inner = inner
        self._open = open_network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._open:
            await self._pin(request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _pin(self, request: httpx.Request) -> None:
        host = request.url.host
        addresses = await _resolve(host, request.url.port or 443)
        if private := [address for address in addresses if not is_public(address)]:
            raise Forbidden(f"{host} leads to {private[0]}, which is not a public address")
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=addresses[0])


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found: list[Any] = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} cannot be resolved: {error}") from error
    return [entry[4][0] for entry in found]

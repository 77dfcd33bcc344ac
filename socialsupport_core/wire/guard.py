"""Where a connector may call: its declared hosts, by https, at public addresses, resolved once and pinned."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import httpx

from socialsupport_core.contract.errors import Forbidden, Unavailable
from socialsupport_core.contract.flow import declares

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_ISATAP = 0x0000_5EFE  # RFC 5214, 6.1, with or without the universal bit
_RESERVED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # the platform address of a large cloud, reachable from inside only
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",  # IPv4-compatible, deprecated (RFC 4291, 2.5.5.1)
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b:1::/48",
        "2001::/23",  # protocol assignments (RFC 2928), of which each release of Python knows others
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",  # site-local, deprecated (RFC 3879)
    )
)
"""https://www.iana.org/assignments/iana-ipv6-special-registry (2025-10), beyond what `ipaddress` knows."""


def check(request: httpx.Request, hosts: frozenset[str], *, open_network: bool) -> None:
    """Raises Forbidden for a host that is not declared, or for plain http."""
    host = request.url.host
    if not declares(hosts, host):
        raise Forbidden(f"this connector may not call {host!r}; it declares {', '.join(sorted(hosts)) or 'no host'}")
    if request.url.scheme != "https" and not open_network:
        raise Forbidden(f"{request.url.scheme} to {host} is refused; the operator may open it for this channel")


def place(url: httpx.URL) -> str:
    """Host, and port where it is not the scheme's own: what whoever mends a connection looks for."""
    return url.netloc.decode("ascii", "replace")


def is_public(address: str) -> bool:
    """Whether the address belongs to the public internet, whatever its spelling."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and (inner := _inner(ip)):
        return _is_public(inner)
    return _is_public(ip)


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    reserved = any(ip in network for network in _RESERVED)
    return ip.is_global and not ip.is_multicast and not reserved


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address to which one that only wraps another really leads."""
    if ip in _NAT64 or int(ip) >> 32 & 0xFDFF_FFFF == _ISATAP:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves a name once, checks every address, and connects to the one that was checked.

    Each name has connections of its own: two names behind one address must not share one whose certificate was
    checked for the other.
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], *, open_network: bool) -> None:
        self._make = make
        self._open = open_network
        self._made: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        if name not in self._made:
            self._made[name] = self._make()
        if not self._open:
            await self._pin(request)
        return await self._made[name].handle_async_request(request)

    async def aclose(self) -> None:
        for made in self._made.values():
            await made.aclose()

    async def _pin(self, request: httpx.Request) -> None:
        host = request.url.host
        addresses = await public_addresses(host, request.url.port or 443, open_network=False)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=addresses[0])


async def public_addresses(host: str, port: int, *, open_network: bool) -> list[str]:
    """Where the name leads. Raises Unavailable; Forbidden if any of it is private and that was not opened."""
    addresses = await _resolve(host, port)
    private = [address for address in addresses if not is_public(address)]
    if private and not open_network:
        raise Forbidden(f"{host} leads to {private[0]}, which is not a public address")
    return addresses


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found: list[Any] = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} cannot be resolved: {error}") from error
    return [entry[4][0] for entry in found]

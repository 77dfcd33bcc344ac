"""Where a connector may call: never inside, whatever the spelling, and to the address that was checked."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import Forbidden, Unavailable
from socialsupport_core.wire.guard import PinnedTransport, check, is_public

INSIDE = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.255",
    "127.1",
    "127.0.1",
    "0.0.0.0",
    "0",
    "0.0.0.1",
    "0.1.2.3",
    "2130706433",
    "3232235777",
    "167772161",
    "2852039166",
    "4294967295",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7F000001",
    "0xA9FEA9FE",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "0300.0250.0.1",
    "012.0.0.1",
    "0251.0376.0251.0376",
    "127.0.0.0x1",
    "0x7f.0x0.0x0.0x1",
    "10.0.0.1",
    "10.255.255.255",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "192.168.257",
    "169.254.169.254",
    "169.254.0.1",
    "169.254.170.2",
    "169.254.43518",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "192.88.99.1",
    "::1",
    "::",
    "::2",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:0:127.0.0.1",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "0:0:0:0:0:ffff:127.0.0.1",
    "::FFFF:192.168.1.1",
    "::127.0.0.1",
    "::7f00:1",
    "::10.0.0.1",
    "::a9fe:a9fe",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::1%lo",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff05::1:3",
    "ff0e::1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:7f00:0001::1",
    "2002:a00:1::",
    "2002:c0a8:101::",
    "2002:a9fe:a9fe::",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2001:10::1",
    "2001:20::1",
    "100::1",
    "3fff::1",
    "5f00::1",
    "2001:0000:4136:e378:8000:63bf:80ff:fffe",
    "2a00:1450:4001:0:0:5efe:127.0.0.1",
    "2a00:1450:4001::200:5efe:10.0.0.1",
]
OUTSIDE = [
    "8.8.8.8",
    "1.1.1.1",
    "149.154.167.220",
    "104.16.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "11.0.0.1",
    "9.255.255.255",
    "100.63.255.255",
    "100.128.0.1",
    "169.253.255.255",
    "169.255.0.1",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.255",
    "126.255.255.255",
    "128.0.0.1",
    "2606:4700::1111",
    "2a00:1450:4001:80b::200e",
    "2001:4860:4860::8888",
    "2620:fe::fe",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2400:cb00::1",
]


class Network(httpx.AsyncBaseTransport):
    """Notes where the request would have gone."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json={})


def call(host: str, *, open_network: bool = False) -> list[httpx.Request]:
    """Where a request to this host goes."""
    network = Network()

    async def send() -> None:
        url = f"https://[{host}]/x" if ":" in host else f"https://{host}/x"
        request = httpx.Request("GET", url.replace("%", "%25"))
        await PinnedTransport(lambda: network, open_network=open_network).handle_async_request(request)

    asyncio.run(send())
    return network.requests


@pytest.mark.parametrize("host", INSIDE)
def test_inside_in_every_spelling_is_refused_before_anything_is_sent(host: str) -> None:
    network = Network()
    with pytest.raises((Forbidden, Unavailable, httpx.InvalidURL)):
        network.requests += call(host)
    assert network.requests == []


def test_a_declared_domain_stands_for_the_hosts_below_it() -> None:
    below = frozenset({"*.cdn.example"})
    for host in ("a.cdn.example", "b.a.cdn.example"):
        check(httpx.Request("GET", f"https://{host}/file"), below, open_network=False)
    for host in ("cdn.example", "evilcdn.example", "cdn.example.evil.example", "example"):
        with pytest.raises(Forbidden):
            check(httpx.Request("GET", f"https://{host}/file"), below, open_network=False)


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(set(INSIDE)) >= 100


@pytest.mark.parametrize("address", OUTSIDE)
def test_nothing_outside_is_refused(address: str) -> None:
    assert is_public(address)
    (request,) = call(address)
    assert request.url.host == address.lower() or ":" in address


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A resolver of our own: for each name its answers, the next at each question."""
    found: dict[str, list[list[str]]] = {}

    async def getaddrinfo(_loop: Any, host: str, port: int, **_more: Any) -> list[Any]:
        answers = found.get(host)
        if not answers:
            raise socket.gaierror(-2, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return found


def test_a_name_is_resolved_once_and_that_address_is_called(names: dict[str, list[list[str]]]) -> None:
    """The second answer of a rebinding resolver comes too late."""
    names["api.raven.example"] = [["93.184.216.34"], ["127.0.0.1"]]
    (request,) = call("api.raven.example")
    assert request.url.host == "93.184.216.34"
    assert request.headers["host"] == "api.raven.example"
    assert request.extensions["sni_hostname"] == "api.raven.example"
    assert len(names["api.raven.example"]) == 1


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"], ["::1"]]
)
def test_a_name_that_leads_inside_is_refused(names: dict[str, list[list[str]]], addresses: list[str]) -> None:
    names["api.raven.example"] = [addresses]
    with pytest.raises(Forbidden, match="not a public address"):
        call("api.raven.example")


def test_a_name_that_is_none_is_tried_again_later(names: dict[str, list[list[str]]]) -> None:
    with pytest.raises(Unavailable):
        call("nowhere.raven.example")


def test_the_operator_may_open_it(names: dict[str, list[list[str]]]) -> None:
    (request,) = call("127.0.0.1", open_network=True)
    assert request.url.host == "127.0.0.1"


HOSTS = frozenset({"api.raven.example"})


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://api.raven.example.evil.example/x",
        "https://evil.example/api.raven.example",
        "https://api.raven.example@evil.example/x",
        "https://raven.example/x",
        "https://api.raven.example./x",
        "https://xapi.raven.example/x",
        "http://api.raven.example/x",
        "ftp://api.raven.example/x",
        "https:///x",
    ],
)
def test_only_the_declared_hosts_by_https(url: str) -> None:
    with pytest.raises(Forbidden):
        check(httpx.Request("GET", url), HOSTS, open_network=False)


def test_an_opened_channel_may_call_plain_http_but_no_other_host() -> None:
    check(httpx.Request("GET", "http://api.raven.example:8081/x"), HOSTS, open_network=True)
    check(httpx.Request("GET", "https://API.RAVEN.example/x"), HOSTS, open_network=False)
    with pytest.raises(Forbidden):
        check(httpx.Request("GET", "http://evil.example/x"), HOSTS, open_network=True)


def test_two_names_behind_one_address_share_no_connection(names: dict[str, list[list[str]]]) -> None:
    """A certificate that was checked for one name says nothing of the other."""
    names["one.example"], names["two.example"] = [["93.184.215.14"]] * 2, [["93.184.215.14"]]
    made: list[Network] = []

    def make() -> Network:
        made.append(Network())
        return made[-1]

    async def send() -> None:
        network = PinnedTransport(make, open_network=False)
        for host in ("one.example", "two.example", "one.example"):
            await network.handle_async_request(httpx.Request("GET", f"https://{host}/"))

    asyncio.run(send())
    assert [[str(request.extensions["sni_hostname"]) for request in one.requests] for one in made] == [
        ["one.example", "one.example"],
        ["two.example"],
    ]

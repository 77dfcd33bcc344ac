"""HubSpot's HTTP interface: addresses, and the shapes of what is asked.

https://developers.hubspot.com/docs/api-reference/legacy/crm/objects/tickets (v3, 2026-11); the published descriptions
of contacts, tickets, communications (v3) and of custom channels (2025-09).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from socialsupport_core.contract import ContentRejected

HOST = "api.hubapi.com"
OBJECTS = "/crm/v3/objects"
ASSOCIATIONS = "/crm/v4/objects"
"""`PUT /{type}/{id}/associations/default/{type}/{id}` ties two records; again it changes nothing.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations/overview (2026-11)"""
CHANNELS = "/conversations/custom-channels/2025-09"
FILES = "/files/v3/files"
ACCOUNT = "/account-info/v3/details"
PROPERTIES = "/crm/v3/properties"
FILE_HOSTS = frozenset(
    {"*.hubspot.com", "*.hubspot.net", "*.hubspotusercontent-na1.net", "*.hubspotusercontent-eu1.net"}
)
"""Where signed addresses of private files lead, in the two oldest data centres; they are told no token."""
TOKEN = "/oauth/2026-03/token"  # noqa: S105 - an address
"""v1 ends on 2027-02-16: https://developers.hubspot.com/changelog/v1-oauth-api-deprecation (2026-11)"""
GROUPS = 5
"""Filter groups in one search. https://developers.hubspot.com/docs/api/crm/search (2026-11)"""
PAGE = 200
"""Records on one page of a search, at most (published description of contacts, v3)."""
DEEPEST = 10_000
"""A search answers with so many records; beyond it a new search must begin. Same page."""

Filter = tuple[str, str, str]
"""Property, operator, value."""


def request(method: str, path: str, **content: Any) -> httpx.Request:
    return httpx.Request(method, f"https://{HOST}{path}", **content)


def segment(written: str) -> str:
    """An id as one segment of a path. Raises ContentRejected for those that would leave it."""
    if written in ("", ".", ".."):
        raise ContentRejected(f"{written!r} is not an id of HubSpot")
    return quote(written, safe="")


def search(
    kind: str,
    groups: Sequence[Sequence[Filter]],
    properties: Sequence[str],
    *,
    sort: str | None = None,
    after: str = "0",
    limit: int = PAGE,
) -> httpx.Request:
    """Every group's filters must hold, and one group must; sorted upwards by one property at most."""
    filters = [
        {"filters": [{"propertyName": name, "operator": operator, "value": value} for name, operator, value in group]}
        for group in groups
    ]
    asked = {
        "filterGroups": filters,
        "properties": list(properties),
        "limit": limit,
        "after": after,
        "sorts": [sort] if sort else [],
    }
    return request("POST", f"{OBJECTS}/{kind}/search", json=asked)


def by_key(kind: str, key: str, id_property: str, *properties: str) -> httpx.Request:
    """The record that has this value in a property with unique values; 404 if none has."""
    asked = {"idProperty": id_property} | ({"properties": ",".join(properties)} if properties else {})
    return request("GET", f"{OBJECTS}/{kind}/{segment(key)}", params=asked)


def upsert(kind: str, key: str, id_property: str, properties: Mapping[str, str]) -> httpx.Request:
    """Makes the record with this key, or writes these properties of the one that has it already."""
    one = {"idProperty": id_property, "id": key, "properties": dict(properties)}
    return request("POST", f"{OBJECTS}/{kind}/batch/upsert", json={"inputs": [one]})


def associate(kind: str, one: str, other_kind: str, other: str) -> httpx.Request:
    path = f"{ASSOCIATIONS}/{kind}/{segment(one)}/associations/default/{other_kind}/{segment(other)}"
    return request("PUT", path)

"""Salesforce's REST interface: addresses, queries, and requests that count as one.

https://developer.salesforce.com/docs/platform/api-rest/guide (version 66.0, 2026-11)
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from socialsupport_core.contract import ContentRejected
from socialsupport_salesforce.settings import SalesforceSettings

TOKEN = "/services/oauth2/token"  # noqa: S105 - an address
SUBREQUESTS = 25
"""In one composite request, of which five may be queries. All count as one call.
https://developer.salesforce.com/docs/atlas.en-us.264.0.api_rest.meta/api_rest/resources_composite_composite_post.htm
(2026-11)"""
COLLECTION = 200
"""Records in one request for a collection."""

_ID = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?")
ESCAPES: Mapping[str, str] = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f",
}  # fmt: skip
"""https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-select-quotedstringescapes.html
(2026-11)"""


class API:
    """Composes requests to one org."""

    def __init__(self, settings: SalesforceSettings) -> None:
        self.base = settings.instance_url
        self.root = f"/services/data/v{settings.api_version}"
        self.key = settings.key_field

    def request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.base}{path}", **content)

    def record(self, method: str, kind: str, name: str, **content: Any) -> httpx.Request:
        return self.request(method, f"{self.root}/sobjects/{kind}/{record_id(name)}", **content)

    def by_key(self, kind: str, key: str, *fields: str) -> httpx.Request:
        """404 if there is none."""
        return self.request("GET", self._keyed(kind, key), params={"fields": ",".join(fields)})

    def upsert(self, kind: str, key: str, fields: Mapping[str, Any]) -> httpx.Request:
        """Makes the record with this key, or writes these fields of the one that has it."""
        return self.request("PATCH", self._keyed(kind, key), json=dict(fields))

    def query(self, soql: str) -> httpx.Request:
        return self.request("GET", f"{self.root}/query", params={"q": soql})

    def composite(self, subrequests: Sequence[Mapping[str, Any]], *, all_or_none: bool) -> httpx.Request:
        content = {"allOrNone": all_or_none, "compositeRequest": [dict(one) for one in subrequests]}
        return self.request("POST", f"{self.root}/composite", json=content)

    def asking(self, name: str, soql: str) -> dict[str, Any]:
        """A query as part of a composite request; it sees what was deleted, too."""
        return {"method": "GET", "url": f"{self.root}/queryAll?q={quote_plus(soql)}", "referenceId": name}

    def deleting(self, name: str, kind: str, ids: Sequence[str]) -> dict[str, Any]:
        if kind == "Case":
            return {"method": "DELETE", "url": f"{self.root}/sobjects/Case/{record_id(ids[0])}", "referenceId": name}
        joined = ",".join(record_id(one) for one in ids)
        url = f"{self.root}/composite/sobjects?ids={joined}&allOrNone=true"
        return {"method": "DELETE", "url": url, "referenceId": name}

    def _keyed(self, kind: str, key: str) -> str:
        if key in ("", ".", ".."):
            raise ContentRejected(f"{key!r} is no key")
        return f"{self.root}/sobjects/{kind}/{self.key}/{quote(key, safe='')}"


def record_id(written: str) -> str:
    """Raises ContentRejected for what is no id of a record."""
    if not _ID.fullmatch(written):
        raise ContentRejected(f"{written[:64]!r} is not an id of Salesforce")
    return written


def select(fields: Iterable[str], kind: str, where: str | None, limit: int, *, order: str | None = None) -> str:
    """SOQL. What people wrote is only ever within `where`, as `quoted` and `among` write it."""
    conditions = f" WHERE {where}" if where else ""
    ordered = f" ORDER BY {order}" if order else ""
    return f"SELECT {', '.join(fields)} FROM {kind}{conditions}{ordered} LIMIT {limit}"  # noqa: S608


def quoted(text: str) -> str:
    """As a string of SOQL."""
    return "'" + "".join(ESCAPES.get(sign, sign) for sign in text) + "'"


def among(values: Iterable[str]) -> str:
    return f"({', '.join(quoted(one) for one in values)})"


def moment(at: datetime) -> str:
    """As SOQL and JSON have it, in milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

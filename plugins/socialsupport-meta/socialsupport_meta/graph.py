"""Requests to the Graph API. The token goes into a header, never into an address.

https://developers.facebook.com/docs/graph-api/overview (2026-03)
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from socialsupport_core.model import Blob, Credentials
from socialsupport_meta.settings import AppSettings

HOST = "graph.facebook.com"


class Graph:
    """The Graph API at one host and of one version."""

    def __init__(self, version: str, host: str = HOST) -> None:
        self.host = host
        self.base = f"https://{host}/{version}"

    def get(self, *path: str, **params: str) -> httpx.Request:
        return httpx.Request("GET", self._at(path), params=params or None)

    def post(self, *path: str, body: Any) -> httpx.Request:
        return httpx.Request("POST", self._at(path), json=body)

    def delete(self, *path: str) -> httpx.Request:
        return httpx.Request("DELETE", self._at(path))

    def upload(self, *path: str, fields: Mapping[str, Any], name: str, blob: Blob, media_type: str) -> httpx.Request:
        """A form with a file; what is not text becomes JSON."""
        data = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
        return httpx.Request("POST", self._at(path), data=data, files={name: (_name(blob), blob.content, media_type)})

    def _at(self, path: tuple[str, ...]) -> str:
        return "/".join([self.base, *(quote(part, safe="") for part in path)])


def _name(blob: Blob) -> str:
    return blob.name or "file"


def authorized(request: httpx.Request, credentials: Credentials | None, settings: AppSettings) -> httpx.Request:
    """With the token of whoever is connected, else that of the settings. A request that brings its own keeps it."""
    token = credentials.access_token if credentials else settings.access_token
    if token is not None and "authorization" not in request.headers:
        request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
    return request

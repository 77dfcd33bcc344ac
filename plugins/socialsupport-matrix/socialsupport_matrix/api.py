"""The addresses of the client-server API. https://spec.matrix.org/latest/client-server-api/ (v1.18, 2026-11)"""

from dataclasses import dataclass
from urllib.parse import quote

import httpx

from socialsupport_core.contract import Unreachable
from socialsupport_matrix.native import ROOM


@dataclass(frozen=True, slots=True)
class Api:
    homeserver: str

    def get(self, path: str, **query: str) -> httpx.Request:
        return httpx.Request("GET", self.client(path), params=query or None)

    def post(self, path: str, content: object, **query: str) -> httpx.Request:
        return httpx.Request("POST", self.client(path), json=content, params=query or None)

    def put(self, path: str, content: object) -> httpx.Request:
        return httpx.Request("PUT", self.client(path), json=content)

    def client(self, path: str) -> str:
        return f"{self.homeserver}/_matrix/client/v3/{path}"

    def upload(self, content: bytes, media_type: str, name: str | None) -> httpx.Request:
        """#post_matrixmediav3upload, which has stayed where it was when downloads moved."""
        address = f"{self.homeserver}/_matrix/media/v3/upload"
        query = {"filename": name} if name else None
        return httpx.Request("POST", address, content=content, params=query, headers={"content-type": media_type})

    def media(self, path: str, *, old: bool = False) -> httpx.Request:
        """Authenticated since v1.11; `old` is what homeservers before it have."""
        place = "_matrix/media/v3" if old else "_matrix/client/v1/media"
        return httpx.Request("GET", f"{self.homeserver}/{place}/{path}")

    @staticmethod
    def quoted(segment: str) -> str:
        return quote(segment, safe="")

    def room(self, room: str) -> str:
        """The beginning of a room's paths. Raises Unreachable."""
        if not ROOM.fullmatch(room):
            raise Unreachable(f"{room[:40]!r} is no room of Matrix", code="room")
        return f"rooms/{self.quoted(room)}"

"""Attachments' contents, by their digest. A folder by default."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

MAX_BYTES = 100 * 1024 * 1024  # of one attachment; larger ones are refused with this number in the reason


class BlobTooLarge(ValueError):
    """The attachment is larger than `MAX_BYTES`."""


class BlobStore(Protocol):
    def put(self, content: bytes) -> str:
        """The digest (SHA-256, hex) under which it is kept. Raises BlobTooLarge."""
        ...

    def get(self, digest: str) -> bytes:
        """Raises KeyError."""
        ...

    def delete(self, digest: str) -> None: ...


class FolderBlobs:
    """One file a blob, written aside and renamed, so that there is never half a file under a digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        if len(content) > MAX_BYTES:
            raise BlobTooLarge(f"{len(content):,} bytes; at most {MAX_BYTES:,} are kept")
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
        return digest

    def get(self, digest: str) -> bytes:
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise KeyError(digest) from None

    def delete(self, digest: str) -> None:
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
            raise KeyError(digest)
        return self.folder / digest[:2] / digest

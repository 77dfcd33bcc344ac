"""Attachments' contents, by their digest. A folder by default."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from socialsupport_core.store.database import StoreError

MAX_BYTES = 100 * 1024 * 1024  # of one attachment; larger ones are refused with this number in the reason


class BlobTooLarge(ValueError):
    """The attachment is larger than `MAX_BYTES`."""


class BlobStore(Protocol):
    def put(self, content: bytes) -> str:
        """The digest (SHA-256, hex) under which it is kept. Raises BlobTooLarge, and StoreError while it cannot be."""
        ...

    def get(self, digest: str) -> bytes:
        """Raises KeyError, and StoreError if it is there and cannot be read."""
        ...

    def delete(self, digest: str) -> None: ...

    def put_before(self, moment: float) -> Iterable[str]:
        """Digests of what was put for the last time before that moment, in seconds since 1970."""
        ...


class FolderBlobs:
    """One file a blob, written aside and renamed, so that there is never half a file under a digest.

    The folder is made here and never again: one that is gone later was unmounted, and what is put elsewhere in the
    meantime would be missed.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def put(self, content: bytes) -> str:
        if len(content) > MAX_BYTES:
            raise BlobTooLarge(f"{len(content):,} bytes; at most {MAX_BYTES:,} are kept")
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        try:
            if path.exists():
                os.utime(path)  # whoever puts it again means to use it
            else:
                if not path.parent.is_dir():
                    path.parent.mkdir(exist_ok=True)
                    _sync(self.folder)
                _write(path, content)
        except OSError as error:
            raise self._trouble("written", error) from error
        return digest

    def get(self, digest: str) -> bytes:
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                raise self._trouble("read", error) from error
            raise KeyError(digest) from None
        except OSError as error:
            raise self._trouble("read", error) from error

    def delete(self, digest: str) -> None:
        self._path(digest).unlink(missing_ok=True)

    def put_before(self, moment: float) -> Iterable[str]:
        """What a process that died has left half written counts too."""
        for path in self.folder.glob("??/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < moment:
                    if _is_digest(path.name):
                        yield path.name
                    else:
                        path.unlink()

    def _trouble(self, verb: str, error: OSError) -> StoreError:
        why = error.strerror if self.folder.is_dir() else "the folder is not there; is its disk mounted?"
        return StoreError(f"the attachments in {self.folder} cannot be {verb}: {why}")

    def _path(self, digest: str) -> Path:
        if not _is_digest(digest):
            raise KeyError(digest)
        return self.folder / digest[:2] / digest


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: on a full disk half a file would keep it full."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Names too are kept through a power cut, where the system can be asked to."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _is_digest(name: str) -> bool:
    return len(name) == 64 and all(c in "0123456789abcdef" for c in name)

"""A disk that can be hurt, beneath the very SQLite library that the hub uses.

The functions for opening, writing, truncating and syncing of SQLite's default VFS are replaced in this process (a
victim, which is going to die anyway) by ones that ask a `Disk` first. Nothing of the store is replaced: it opens,
writes and commits as always. The structures are those of sqlite3.h (https://sqlite.org/c3ref/vfs.html and
https://sqlite.org/c3ref/io_methods.html, read 2026-08), which SQLite promises never to change.

Not simulated: the loss of a directory entry that was not synced, and of shared memory (SQLite rebuilds it).
"""

import ctypes
import os
import random
import signal
import threading
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

from socialsupport_core.testing.torture.fault import CannotRun

SECTOR = 512
"""Bytes that a disk writes as a whole, and at times does not: the smallest in use."""
IOERR_WRITE, IOERR_FSYNC, FULL = 778, 1034, 13
"""Result codes, https://sqlite.org/rescode.html (2026-08)."""


class _Methods(Structure):
    _fields_ = (
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", c_void_p),
        ("xTruncate", c_void_p),
        ("xSync", c_void_p),
        ("rest", c_void_p * 13),
    )


class _File(Structure):
    _fields_ = (("methods", POINTER(_Methods)),)


class _VFS(Structure):
    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", c_void_p),
    )


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(_File), c_int, c_void_p)  # SQLite keeps the name it gives
_WRITE = CFUNCTYPE(c_int, POINTER(_File), c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, POINTER(_File), c_int64)
_SYNC = CFUNCTYPE(c_int, POINTER(_File), c_int)
_KEPT: list[Any] = []
"""Functions and structures to which the library now points."""


class Disk:
    """Asked before each operation. A number other than 0 is the error with which it fails, undone."""

    def write(self, path: Path, offset: int, data: bytes) -> int:
        return 0

    def truncate(self, path: Path, size: int) -> int:
        return 0

    def sync(self, path: Path) -> int:
        return 0

    def synced(self, path: Path) -> None:
        """It has really been synced."""


class FailingDisk(Disk):
    """From its k-th write or sync on, so many of them fail."""

    def __init__(self, first: int, failures: int, error: int) -> None:
        self._left, self._failures, self._error = first, failures, error
        self._lock = threading.Lock()
        self.failed = 0

    def write(self, path: Path, offset: int, data: bytes) -> int:
        return self._next(self._error)

    def sync(self, path: Path) -> int:
        return self._next(IOERR_FSYNC if self._error == IOERR_WRITE else self._error)

    def _next(self, error: int) -> int:
        with self._lock:
            self._left -= 1
            if self._left > 0 or self.failed >= self._failures:
                return 0
            self.failed += 1
            return error


class PowerCut(Disk):
    """At its k-th write or sync the lights go out.

    Of each sector that was written since its file was last synced, either the new content survives or the old, in no
    order; now and then only the first bytes of the new. A file that has grown may have its old length again.
    """

    def __init__(self, at: int, chance: random.Random) -> None:
        self._left, self._chance = at, chance
        self._lock = threading.RLock()
        self._handles: dict[Path, int] = {}
        self._before: dict[Path, dict[int, bytes]] = {}
        self._sizes: dict[Path, int] = {}

    def write(self, path: Path, offset: int, data: bytes) -> int:
        with self._lock:
            self._remember(path, offset, offset + len(data))
            if self._is_last():
                os.pwrite(self._handle(path), data, offset)
                self._go_out()
        return 0

    def truncate(self, path: Path, size: int) -> int:
        with self._lock:
            self._remember(path, size, os.fstat(self._handle(path)).st_size)
        return 0

    def sync(self, path: Path) -> int:
        with self._lock:
            if self._is_last():
                self._go_out()
        return 0

    def synced(self, path: Path) -> None:
        with self._lock:
            self._before.pop(path, None)
            self._sizes.pop(path, None)

    def _is_last(self) -> bool:
        self._left -= 1
        return self._left == 0

    def _remember(self, path: Path, start: int, end: int) -> None:
        """What stood there when the file was last synced."""
        handle, known = self._handle(path), self._before.setdefault(path, {})
        self._sizes.setdefault(path, os.fstat(handle).st_size)
        for sector in range(start // SECTOR, -(-end // SECTOR)):
            if sector not in known:
                known[sector] = os.pread(handle, SECTOR, sector * SECTOR).ljust(SECTOR, b"\0")

    def _handle(self, path: Path) -> int:
        """Never closed: closing any handle of a file would drop SQLite's locks on it."""
        if path not in self._handles:
            self._handles[path] = os.open(path, os.O_RDWR)
        return self._handles[path]

    def _go_out(self) -> None:
        for path, sectors in self._before.items():
            handle = self._handle(path)
            size = os.fstat(handle).st_size
            for sector, old in sectors.items():
                new = os.pread(handle, SECTOR, sector * SECTOR)
                os.pwrite(handle, self._survives(new, old), sector * SECTOR)
            os.ftruncate(handle, self._chance.choice([size, max(size, self._sizes[path]), self._sizes[path]]))
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    def _survives(self, new: bytes, old: bytes) -> bytes:
        fate = self._chance.random()
        if fate < 0.45:
            return old
        if fate < 0.9:
            return new.ljust(SECTOR, b"\0")
        torn = self._chance.randrange(SECTOR)
        return new[:torn] + old[torn:]


def library() -> ctypes.CDLL:
    """The SQLite library with which this Python's sqlite3 works. Raises CannotRun."""
    import _sqlite3  # noqa: PLC0415 - other Pythons have none

    for name in (getattr(_sqlite3, "__file__", None), None):
        found = ctypes.CDLL(name)
        if hasattr(found, "sqlite3_vfs_find"):
            return found
    raise CannotRun("this Python's sqlite3 does not show the interface of the library it was built with")


def install(disk: Disk) -> None:
    """From now on, in this process and for good, whatever SQLite opens is on this disk."""
    find: Any = library().sqlite3_vfs_find
    find.restype, find.argtypes = POINTER(_VFS), (c_char_p,)
    vfs = find(None).contents
    really_open = _OPEN(vfs.xOpen)
    paths: dict[int, Path] = {}
    changed: dict[int, Any] = {}

    def opened(vfs_: int, name: int | None, file: Any, flags: int, out: int) -> int:
        result: int = really_open(vfs_, name, file, flags, out)
        if result == 0 and name and file.contents.methods:
            paths[_address(file)] = Path(os.fsdecode(ctypes.string_at(name)))
            original = file.contents.methods
            key = _address(original)
            if key not in changed:
                changed[key] = _hurt(original.contents, disk, paths)
            file.contents.methods = ctypes.pointer(changed[key])
        return result

    callback = _OPEN(opened)
    _KEPT.extend([callback, changed])
    vfs.xOpen = ctypes.cast(callback, c_void_p).value


def _hurt(original: _Methods, disk: Disk, paths: dict[int, Path]) -> _Methods:
    """The methods of a file, with those that write and sync asking the disk first."""
    copy = _Methods.from_buffer_copy(original)
    really_write, really_truncate = _WRITE(original.xWrite), _TRUNCATE(original.xTruncate)
    really_sync = _SYNC(original.xSync)

    def write(file: Any, data: int, size: int, offset: int) -> int:
        error = disk.write(paths[_address(file)], offset, ctypes.string_at(data, size))
        return error or int(really_write(file, data, size, offset))

    def truncate(file: Any, size: int) -> int:
        return disk.truncate(paths[_address(file)], size) or int(really_truncate(file, size))

    def sync(file: Any, flags: int) -> int:
        path = paths[_address(file)]
        if error := disk.sync(path):
            return error
        result = int(really_sync(file, flags))
        if result == 0:
            disk.synced(path)
        return result

    functions: tuple[tuple[str, Callable[..., int], Any], ...] = (
        ("xWrite", write, _WRITE),
        ("xTruncate", truncate, _TRUNCATE),
        ("xSync", sync, _SYNC),
    )
    for name, function, kind in functions:
        callback = kind(function)
        _KEPT.append(callback)
        setattr(copy, name, ctypes.cast(callback, c_void_p).value)
    return copy


def _address(pointer: Any) -> int:
    return ctypes.addressof(pointer.contents)

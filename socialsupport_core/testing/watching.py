"""Sees what code does beside computing: files, sockets, processes, sleep. For the kit, in one thread at a time.

Python tells of files, sockets and processes by its audit events, https://docs.python.org/3/library/audit_events.html
(2026-11). `time.sleep` is among them from 3.13 on only, so it is replaced while somebody watches.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any
from unittest import mock

TOLD: Mapping[str, str] = {
    "open": "opens the file {0}",
    "os.listdir": "lists the folder {0}",
    "os.scandir": "lists the folder {0}",
    "os.system": "starts a process",
    "os.posix_spawn": "starts a process",
    "subprocess.Popen": "starts the process {0}",
    "socket.__new__": "opens a socket",
    "socket.getaddrinfo": "looks up the host {0}",
    "socket.gethostbyname": "looks up the host {0}",
    "sqlite3.connect": "opens the database {0}",
}


@dataclass
class Watch:
    """What was seen: what it was, and the line of theirs from which it came."""

    packages: Set[str]
    """Theirs, at the root."""
    seen: list[str] = field(default_factory=list)
    thread: int = field(default_factory=threading.get_ident)

    def note(self, what: str) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame and root(str(frame.f_globals.get("__name__"))) not in self.packages:
            frame = frame.f_back
        if frame:
            self.seen.append(f"{what} ({Path(frame.f_code.co_filename).name}, line {frame.f_lineno})")


@contextmanager
def confined() -> Iterator[None]:
    """Nobody reaches anybody, and `time.sleep` takes no time."""

    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError("the kit lets nothing out: yield the request in place of sending it")

    with mock.patch.object(socket.socket, "connect", refuse), mock.patch.object(time, "sleep", return_value=None):
        yield


_watch: Watch | None = None


@contextmanager
def watching(packages: Set[str]) -> Iterator[Watch]:
    """What code of these packages does meanwhile, in this thread."""
    global _watch  # noqa: PLW0603 - an audit hook is one for the process, and stays
    _listen()
    watch = Watch(packages)
    with _no_sleep(watch):
        _watch = watch
        try:
            yield watch
        finally:
            _watch = None


@cache
def _listen() -> None:
    sys.addaudithook(_heard)


def _heard(event: str, given: tuple[Any, ...]) -> None:
    watch = _watch
    if watch is not None and (told := TOLD.get(event)) and threading.get_ident() == watch.thread:
        watch.note(told.format(given[0] if given else ""))


@contextmanager
def _no_sleep(watch: Watch) -> Iterator[None]:
    """Under every name by which their modules know it."""
    slept = _sleeper(watch)
    with mock.patch.object(time, "sleep", slept):
        changed = [(module, name) for module in _modules(watch.packages) for name in _named(module)]
        for module, name in changed:
            setattr(module, name, slept)
        try:
            yield
        finally:
            for module, name in changed:
                setattr(module, name, SLEEP)


SLEEP = time.sleep


def _sleeper(watch: Watch) -> Callable[[float], None]:
    return lambda _seconds: watch.note("sleeps")


def _modules(packages: Set[str]) -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if root(name) in packages]


def root(module: str) -> str:
    return module.partition(".")[0]


def _named(module: ModuleType) -> list[str]:
    return [name for name, value in list(vars(module).items()) if value is SLEEP]

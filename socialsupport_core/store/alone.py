"""One process works on one SQLite file: two would poll and send side by side.

The lock goes with the process, however that ends.
"""

# ruff: noqa: PLC0415 - each system has a lock of its own

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from socialsupport_core.contract.errors import ConfigError

_mine = set[Path]()
"""What this process has taken."""


@contextmanager
def alone(store: str | Path) -> Iterator[None]:
    """Keeps other processes off this file. A store on a server needs no such thing.

    This process may take it several times. Raises ConfigError with the other's number.
    """
    if isinstance(store, str) and "://" in store:
        yield
        return
    path = Path(store).absolute()
    with ExitStack() as stack:
        if path not in _mine:
            stack.enter_context(_taken(path))
            _mine.add(path)
            stack.callback(_mine.discard, path)
        yield


@contextmanager
def _taken(store: Path) -> Iterator[None]:
    with _lock_file(store) as file:
        if not _locked(file):
            file.seek(0)
            who = file.read(20).strip()
            named = f"process {who}" if who.isdigit() else "another process"
            raise ConfigError(f"{store} is being served by {named}; end that one, or name another store")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _lock_file(store: Path) -> IO[str]:
    if store.is_dir():
        raise ConfigError(f"the store {store} is a folder; name a file in it, such as {store / 'support.sqlite'}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        return store.with_name(f"{store.name}.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"the store {store} cannot be kept there ({error.strerror}); name another place") from None


def _locked(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1000)  # beyond what is read: there the lock is also one on reading
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

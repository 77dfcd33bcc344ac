"""The wire that reads Maildirs: folders of this machine into which a mail server delivers, one file a mail.

https://cr.yp.to/proto/maildir.html and, for folders, https://www.courier-mta.org/imap/README.maildirquota.html
("Maildir++") (2026-11): what is new lies in `new` under a name that never returns; whoever has taken it moves it
to `cur` and writes its flags after `:2,`.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from socialsupport_core.contract import Forbidden, Unavailable
from socialsupport_email.asks import CheckMaildir, Fetched, FetchMaildir, Filed, ReadMaildir
from socialsupport_email.imap import MAX_MAIL, MAX_PAGE

ROOTS = "SOCIALSUPPORT_MAILDIRS"
"""The folders below which mailboxes may be read, separated as in PATH: settings alone must not open the machine."""
LOOK_AGAIN = 1.0
"""Seconds until `new` is looked into again."""


class MaildirWire:
    asks: ClassVar[tuple[type, ...]] = (FetchMaildir, ReadMaildir, CheckMaildir)

    def __init__(self, roots: Callable[[], str] = lambda: os.environ.get(ROOTS, "")) -> None:
        self._roots = roots

    async def answer(self, ask: Any) -> Any:
        return await asyncio.to_thread(self._answered, ask)

    async def aclose(self) -> None:
        """Nothing stays open."""

    def _answered(self, ask: Any) -> Any:
        try:
            folder = self._allowed(Path(ask.path))
            if isinstance(ask, CheckMaildir):
                return sum(1 for place in ("new", "cur") for _ in _names(folder / place))
            return _past(folder, ask) if isinstance(ask, ReadMaildir) else _new(folder, ask)
        except PermissionError as error:
            raise Forbidden(f"{error.filename} may not be read or written by this process") from error
        except OSError as error:
            raise Unavailable(f"the Maildir cannot be used: {error.strerror} ({type(error).__name__})") from error

    def _allowed(self, path: Path) -> Path:
        """Raises Forbidden for what lies elsewhere, by whatever links, and for what is no Maildir."""
        roots = [Path(one).resolve() for one in self._roots().split(os.pathsep) if one]
        found = path.resolve()
        if not any(found.is_relative_to(root) for root in roots):
            raise Forbidden(f"{path} is not below a folder that the environment variable {ROOTS} names; add it there")
        if not all((found / place).is_dir() for place in ("new", "cur")):
            raise Forbidden(f"{path} is no Maildir: it has no folders `new` and `cur`")
        return found


def _new(folder: Path, ask: FetchMaildir) -> Filed:
    """What the last page brought has been committed, or it would not be named: now it is moved."""
    for name in ask.done:
        _take(folder, name, ask.flags)
    until = time.monotonic() + ask.wait
    while not (names := sorted(_names(folder / "new"), key=_age)) and time.monotonic() < until:
        time.sleep(min(LOOK_AGAIN, max(0.0, until - time.monotonic())))
    return _page(((name, folder / "new" / name) for name in names), ask.limit)


def _take(folder: Path, name: str, flags: str) -> None:
    """A name may have been written by whoever keeps the cursor; one that leaves the folder is no name."""
    if not name or name != Path(name).name or name.startswith("."):
        return
    with suppress(FileNotFoundError):  # moved already, before the answer was lost, or by another program
        os.rename(folder / "new" / name, folder / "cur" / f"{name.partition(':')[0]}:2,{flags}")  # noqa: PTH104


def _past(folder: Path, ask: ReadMaildir) -> Filed:
    """By name, which a flag does not change: `cur` and what still waits in `new`."""
    place = folder / f".{ask.folder}" if ask.folder else folder
    if not (place / "cur").is_dir():
        raise Forbidden(f"the Maildir has no folder {ask.folder!r}")
    files = {_unique(name): place / kind / name for kind in ("new", "cur") for name in _names(place / kind)}
    names = sorted(name for name, path in files.items() if name > ask.after and _modified(path) >= ask.since)
    return _page(((name, files[name]) for name in names), ask.limit)


def _page(files: Iterable[tuple[str, Path]], limit: int) -> Filed:
    """As many as fit; one that vanished meanwhile is passed over."""
    mails: list[Fetched] = []
    names: list[str] = []
    total = 0
    for name, path in files:
        if len(names) == limit or total > MAX_PAGE:
            return Filed(tuple(mails), tuple(names), more=True)
        try:
            mail = _read(path)
        except FileNotFoundError:
            continue
        mails.append(mail)
        names.append(name)
        total += len(mail.message)
    return Filed(tuple(mails), tuple(names))


def _read(path: Path) -> Fetched:
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        return Fetched(file.read(MAX_MAIL), datetime.fromtimestamp(about.st_mtime, UTC), about.st_size)


def _names(folder: Path) -> Iterator[str]:
    """Files only, and no links: a mailbox holds nothing that lies elsewhere."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                yield entry.name


def _age(name: str) -> tuple[int, str]:
    """Names begin with the second of the delivery."""
    seconds = name.partition(".")[0]
    return (int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 16 else 0), name


def _unique(name: str) -> str:
    return name.partition(":")[0]


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0

"""Where one try happens: a fresh store each time, in a folder of its own or in a database of its own."""

import itertools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from socialsupport_core.store import is_server

_NAMES = itertools.count()


@dataclass(frozen=True, slots=True)
class Store:
    """What `Hub.open` is given, and the folder for everything that is not in a database."""

    url: str
    folder: Path


class Ground(Protocol):
    """`kind` is `sqlite` or `postgresql`."""

    kind: str

    def fresh(self) -> Store: ...

    def copy(self, store: Store) -> Store:
        """Of a store that nobody has open."""

    def remove(self, store: Store) -> None: ...

    def remove_all(self) -> None:
        """Whatever is left at the end."""


class SQLiteGround:
    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self) -> Store:
        folder = _new_folder(self._folder)
        return Store(str(folder / "support.sqlite"), folder)

    def copy(self, store: Store) -> Store:
        folder = _new_name(self._folder)
        shutil.copytree(store.folder, folder)
        return Store(str(folder / "support.sqlite"), folder)

    def remove(self, store: Store) -> None:
        shutil.rmtree(store.folder, ignore_errors=True)

    def remove_all(self) -> None:
        for folder in self._folder.glob(f"{os.getpid()}-*"):
            shutil.rmtree(folder, ignore_errors=True)


class PostgreSQLGround:
    """Each store is a database of its own on the server behind the URL, made and dropped by its role (CREATEDB)."""

    kind = "postgresql"

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._there: set[Store] = set()

    def on(self, url: str) -> "PostgreSQLGround":
        """The same on another server."""
        return PostgreSQLGround(url, self._folder)

    def fresh(self) -> Store:
        from socialsupport_core.store.postgres import migrate  # noqa: PLC0415 - only with its extra installed

        store = self._made("")
        migrate(store.url)
        return store

    def copy(self, store: Store) -> Store:
        made = self._made(f" TEMPLATE {_database(store.url)}")
        shutil.copytree(store.folder, made.folder, dirs_exist_ok=True)
        return made

    def remove(self, store: Store) -> None:
        self._run(f"DROP DATABASE IF EXISTS {_database(store.url)} WITH (FORCE)")
        shutil.rmtree(store.folder, ignore_errors=True)
        self._there.discard(store)

    def remove_all(self) -> None:
        for store in [*self._there]:
            self.remove(store)

    def _made(self, template: str) -> Store:
        name = f"torture_{os.getpid()}_{next(_NAMES)}"
        self._run(f"CREATE DATABASE {name}{template}")
        store = Store(urlsplit(self._url)._replace(path=f"/{name}").geturl(), _new_folder(self._folder))
        self._there.add(store)
        return store

    def _run(self, sql: str) -> None:
        import psycopg  # noqa: PLC0415 - as above

        from socialsupport_core.store.postgres import split_url  # noqa: PLC0415

        with psycopg.connect(split_url(self._url)[0], autocommit=True) as connection:
            connection.execute(sql)


def ground(store: str | None, folder: Path) -> Ground:
    """For a `postgresql://` URL, or a folder for SQLite files; None: `folder`."""
    if store and is_server(store):
        return PostgreSQLGround(store, folder)
    if store:
        Path(store).mkdir(parents=True, exist_ok=True)
    return SQLiteGround(Path(store) if store else folder)


def _database(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def _new_name(folder: Path) -> Path:
    return folder / f"{os.getpid()}-{next(_NAMES)}"


def _new_folder(folder: Path) -> Path:
    made = _new_name(folder)
    made.mkdir(parents=True)
    return made

"""The live channels: which connector speaks for which door, ready made."""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, Connector, Registry, Settings, SocialSupportError
from socialsupport_core.mistakes import problems
from socialsupport_core.model import Capabilities, Event, Facts, Thread, Unrecognised
from socialsupport_core.pipeline.conducting import Conducting
from socialsupport_core.pipeline.manual import CHANNEL, Manual
from socialsupport_core.store import Database, Tx, accounts
from socialsupport_core.store.accounts import App, Channel
from socialsupport_core.store.secrets import SecretStore

logger = logging.getLogger(__name__)
T = TypeVar("T")
T2 = TypeVar("T2")

BY_HAND = "api:"
"""Begins the door of what a tenant's agents write down; no network reaches it."""


class NoSuchDoor(SocialSupportError, LookupError):
    """Nobody lives there: 404."""


class DoorClosed(ConfigError):
    """Its channel is there and cannot run now: 503, so that the network comes again."""


@dataclass(frozen=True, slots=True)
class Live:
    """A channel with its connector."""

    channel: Channel
    connector: Connector[Any]


@dataclass(frozen=True, slots=True)
class Door:
    """One address. `tenant` is None for an app's, which serves channels of several tenants."""

    id: str
    tenant: str | None
    connector: Connector[Any]
    channels: tuple[Channel, ...]

    def route(self, event: Event) -> Channel | str:
        """The channel of an event by the account of ours that it names; else why there is none."""
        if self.tenant is not None:
            return self.channels[0]
        account = event.own_account
        for channel in self.channels:
            if account is not None and channel.own_account == account:
                return channel
        if isinstance(event, Unrecognised):
            return f"unrecognised: {event.native_type}"
        return f"no channel here is the account {account}"


class Channels:
    """Reads the configuration once and again after each change. Thread-safe."""

    def __init__(self, database: Database, registry: Registry, secrets: SecretStore) -> None:
        self._database = database
        self._registry = registry
        self._secrets = secrets
        self._lock = threading.Lock()
        self._live: dict[tuple[str, str], Live] | None = None
        self._doors: dict[str, Door] = {}
        self._closed = frozenset[str]()
        """Doors of channels that cannot run."""
        self._version = ""
        self.broken: dict[tuple[str, str], str] = {}
        """Channels that cannot run, and why."""
        self.conducting = Conducting()

    def forget(self) -> None:
        """The configuration has changed."""
        with self._lock:
            self._live = None
        self.conducting.forget()

    def all(self) -> dict[tuple[str, str], Live]:
        with self._lock:
            if self._live is None:
                self._live = self._database.read(self._load)
            return self._live

    def get(self, tenant: str, channel: str) -> Live:
        """Raises ConfigError that says why it is not there."""
        if live := self.all().get((tenant, channel)):
            return live
        if channel == CHANNEL:
            return manual(tenant)
        raise ConfigError(self.broken.get((tenant, channel)) or f"{tenant} has no channel {channel!r}")

    def door(self, door: str) -> Door:
        """Raises NoSuchDoor, DoorClosed."""
        if door.startswith(BY_HAND):
            live = manual(door.removeprefix(BY_HAND))
            return Door(door, live.channel.tenant, live.connector, (live.channel,))
        self.all()
        if door not in self._doors and self._database.read(accounts.version) != self._version:
            self.forget()  # another process has just made it
            self.all()
        if found := self._doors.get(door):
            return found
        if door in self._closed:
            raise DoorClosed("this channel cannot run at the moment; the list of channels says why")
        raise NoSuchDoor("there is no such door")

    def closed(self) -> frozenset[str]:
        """Doors at which nothing can be read at the moment."""
        self.all()
        return self._closed

    def settings(
        self, connector: str, values: dict[str, Any], shared: dict[str, Any] | None = None, *, where: str
    ) -> Settings:
        """Checked settings. Raises ConfigError that names the key and the remedy."""
        model = self._registry.connector(connector).settings_model
        try:
            return model.model_validate((shared or {}) | values)
        except ValidationError as error:
            raise ConfigError(problems(error, model, where)) from None

    def _load(self, tx: Tx) -> dict[tuple[str, str], Live]:
        self.broken = {}
        self._version = accounts.version(tx)
        live: dict[tuple[str, str], Live] = {}
        channels = accounts.channels(tx)
        for channel in channels:
            try:
                live[channel.tenant, channel.id] = Live(channel, self._connector(tx, channel))
            except tx.outside:
                raise
            except SocialSupportError as error:
                self.broken[channel.tenant, channel.id] = str(error)
            except (Exception, SystemExit) as error:
                self.broken[channel.tenant, channel.id] = f"{channel.connector} failed: {type(error).__name__}"
        apps = accounts.apps(tx)
        self._doors = {one.channel.door: _own_door(one) for one in live.values()} | _app_doors(apps, channels, live)
        broken = [one for one in channels if (one.tenant, one.id) in self.broken]
        hit = {one.app for one in broken}
        closed = {one.door for one in broken} | {app.door for app in apps if app.id in hit}
        self._closed = frozenset(closed - self._doors.keys())
        return live

    def _connector(self, tx: Tx, channel: Channel) -> Connector[Any]:
        values = json.loads(self._secrets.get(tx, channel.secret_ref))
        shared = json.loads(self._secrets.get(tx, f"app/{channel.app}")) if channel.app else {}
        cls = self._registry.connector(channel.connector)
        settings = self.settings(channel.connector, values, shared, where=f"channel {channel.id}")
        return cls(settings, channel.facts)


def able_in(connector: Connector[Any], thread: Thread) -> Capabilities:
    """What it can there; where it fails to say so, nothing."""
    return said_by(connector, lambda: connector.capabilities_in(thread), Capabilities, Capabilities())


def said_by(connector: Connector[Any], call: Callable[[], object], kind: type[T], otherwise: T2) -> T | T2:
    """What a connector says of itself; where it fails to, `otherwise`, so that other channels go on."""
    try:
        said = call()
    except (Exception, SystemExit):
        logger.exception("%s failed as it was asked about itself", connector.name)
        return otherwise
    return said if isinstance(said, kind) else otherwise


def _own_door(live: Live) -> Door:
    return Door(live.channel.door, live.channel.tenant, live.connector, (live.channel,))


def _app_doors(apps: Iterable[App], channels: Iterable[Channel], live: dict[tuple[str, str], Live]) -> dict[str, Door]:
    """An app's channels share its credentials, so any of their connectors can verify and read for all.

    For those that cannot run, too: they say nothing, and what is said to them is heard.
    """
    doors = {}
    for app in apps:
        mine = tuple(one for one in channels if one.app == app.id)
        if running := [live[one.tenant, one.id] for one in mine if (one.tenant, one.id) in live]:
            doors[app.door] = Door(app.door, None, running[0].connector, mine)
    return doors


def manual(tenant: str) -> Live:
    """The channel that every tenant has for what is written down by hand."""
    door = f"{BY_HAND}{tenant}"
    channel = Channel(tenant, CHANNEL, Manual.name, None, door, None, Facts(), "active", None, None, False)
    return Live(channel, Manual(Settings()))

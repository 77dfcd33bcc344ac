"""What a hub is made of, and what its parts share."""

import asyncio
import base64
import json
import logging
import random
import re
import secrets as chance
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from socialsupport_core.contract import (
    ConfigError,
    CRMEvent,
    Policy,
    Registry,
    SocialSupportError,
    Wire,
)
from socialsupport_core.identity.canonical import add_forms
from socialsupport_core.mistakes import near
from socialsupport_core.model import Attachment
from socialsupport_core.pipeline.alerting import Alerting
from socialsupport_core.pipeline.approving import Expiring
from socialsupport_core.pipeline.asking import Hearing
from socialsupport_core.pipeline.bell import Bell
from socialsupport_core.pipeline.channels import Channels
from socialsupport_core.pipeline.connecting import Connecting
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.crm import CRMs
from socialsupport_core.pipeline.fanouts import FanOuts
from socialsupport_core.pipeline.guiding import Guiding
from socialsupport_core.pipeline.handing import Desk, FollowUps
from socialsupport_core.pipeline.issuers import IssuerKeys
from socialsupport_core.pipeline.keeping import Keeping
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.pipeline.placing import Ways, ways
from socialsupport_core.pipeline.record import Recorder
from socialsupport_core.pipeline.subscribers import Subscribers
from socialsupport_core.pipeline.triaging import Triaging, made
from socialsupport_core.pipeline.webhooks import Webhooks
from socialsupport_core.pipeline.workers import Workers
from socialsupport_core.store import (
    Database,
    Row,
    StoreError,
    Tx,
    accounts,
    conversations,
    credentials,
    is_server,
    log,
    micros,
    open_store,
    starts,
)
from socialsupport_core.store import crm as crms
from socialsupport_core.store.accounts import Agent, App, Channel
from socialsupport_core.store.blobs import BlobStore, FolderBlobs
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.crm import Connected
from socialsupport_core.store.secrets import EncryptedSecrets, SecretStore, any_sealed, keys_beside
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire.sockets import Sockets
from socialsupport_core.wire.webhook import Poster

logger = logging.getLogger("socialsupport")
ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
CALLBACK = "/connect/callback"
"""Where a network sends an operator back to who has granted access there."""


class NoSuchConversation(SocialSupportError, LookupError):
    """The tenant has no conversation with this id."""


class NoSuchTenant(ConfigError, LookupError):
    """There is no tenant of this name."""


class NoSuchChannel(ConfigError, LookupError):
    """The tenant has no channel of this name."""


class Base:
    """One store, its channels and its workers."""

    def __init__(  # noqa: PLR0913 - what a host may bring along, each by its name
        self,
        database: Database,
        registry: Registry,
        *,
        public_url: str,
        secrets: SecretStore,
        blobs: BlobStore,
        policies: Sequence[Policy] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        sockets: Sockets | None = None,
        wires: Sequence[Wire] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random_bytes: Callable[[int], bytes] = chance.token_bytes,
        models: Path | None = None,
    ) -> None:
        self.registry = registry
        add_forms(registry.canonical_forms)
        if not ADDRESS.fullmatch(public_url):
            raise ConfigError(f"public_url: {public_url!r} must be an address such as https://support.example")
        self.public_url = public_url.rstrip("/")
        self.running = False
        """Whether this hub records and sends: it has been started, and not closed."""
        self.blobs = blobs
        self.bell = Bell()
        self.clock = clock
        self._random = random_bytes
        self._database = database
        self._secrets = secrets
        self._policies = (*policies, *registry.policies)
        self.channels = Channels(database, registry, secrets)
        self.wire = self._make_wire(transport, sockets, wires, sleep)
        self.keepers = Keepers(database, secrets, self.wire, clock, random_bytes)
        self.crms = CRMs(
            database, registry, secrets, self.wire, self.keepers, blobs, clock, self._act_for_crm, self._note_for_crm
        )
        self.connecting = self._make_connecting()
        jitter = random.Random(random_bytes(16))  # noqa: S311 - no secret
        self.leases = Leases(database, clock)
        self.webhooks = Webhooks(database, secrets, Poster(transport), clock, jitter, self.leases.worker)
        self.issuer_keys = IssuerKeys(database, lambda: Poster(transport), clock)
        self.fanouts = FanOuts(database, registry, clock, self.leases.worker)
        self.desk = Desk(database, self.channels, registry, self._policies, clock, random_bytes, self.public_url)
        self.keeping = Keeping(database, blobs, self.leases, clock, self._erase_on_request)
        self.triaging = Triaging(made(registry.triage, models))
        self.workers = self._make_workers(jitter)
        database.on_commit = self.bell.ring

    def _make_wire(
        self,
        transport: httpx.AsyncBaseTransport | None,
        sockets: Sockets | None,
        wires: Sequence[Wire],
        sleep: Callable[[float], Awaitable[None]],
    ) -> NetworkWire:
        return NetworkWire(
            (*self.registry.wires, *wires),
            database=self._database,
            transport=transport,
            sockets=sockets,
            read_blob=self.blobs.get,
            clock=self.clock,
            sleep=sleep,
        )

    def _make_connecting(self) -> Connecting:
        return Connecting(
            self._database,
            self._secrets,
            self.channels,
            self.crms,
            self.wire,
            self.keepers,
            self.clock,
            self._random,
            f"{self.public_url}{CALLBACK}",
        )

    def _make_workers(self, jitter: random.Random) -> Workers:
        conducting = self.channels.conducting.of
        turns = (
            FollowUps(self.desk),
            Guiding(self.desk, self.registry.routers),
            Expiring(self._database, self.clock),
            Alerting(self._database, lambda tx, tenant: conducting(tx, tenant).guidance, self.clock),
        )
        return Workers(
            self._database,
            self.channels,
            self.keepers,
            self.blobs,
            Recorder(self._new_conversation_id, conducting, self.triaging, Hearing(self.desk)),
            Subscribers(self.crms, self.webhooks, self.fanouts, self.leases, self.keeping, turns),
            self.leases,
            self.bell,
            self.clock,
            jitter,
        )

    @classmethod
    def open(
        cls,
        store: str | Path,
        *,
        public_url: str,
        registry: Registry | None = None,
        folder: str | Path | None = None,
        secret_keys: Sequence[str] = (),
        blobs: BlobStore | None = None,
        **options: Any,
    ) -> Self:
        """Opens the store: a file, made if it is new, or `postgresql://…`. Raises StoreError, ConfigError.

        Attachments and the secret key live beside the file, or in `folder`, unless they are given. Every process on
        one PostgreSQL needs the same ones.
        """
        beside = _beside(store, Path(folder) if folder is not None else None)
        if beside is None and not (secret_keys and blobs):
            raise ConfigError(
                "a store on a server keeps neither the secret key nor attachments: give a folder that all its"
                " processes share, or secret_keys and blobs"
            )
        if beside is not None:
            kept = beside.with_name(f"{beside.name}.blobs")
            options.setdefault("models", beside.with_name(f"{beside.name}.triage"))
            blobs = blobs or FolderBlobs(kept)  # there from the start, so that a backup can name it
        assert blobs is not None
        database = open_store(store)
        try:
            keys = secret_keys or keys_beside(beside or Path(), sealed=database.read(any_sealed))
            return cls(
                database,
                registry or Registry.discover(),
                public_url=public_url,
                secrets=EncryptedSecrets(keys),
                blobs=blobs,
                **options,
            )
        except BaseException:
            database.close()
            raise

    def check_key(self) -> None:
        """Raises ConfigError if our key opens nothing of what is sealed in the store: it is another's."""
        if isinstance(self._secrets, EncryptedSecrets) and self._database.read(self._secrets.opens_nothing):
            raise ConfigError(
                "the secret key opens none of the channels' settings in the store: bring the key from where the other"
                " processes have it; without it every payload would end in quarantine"
            )

    def _reseal(self) -> None:
        """So that an old key can go."""
        if not isinstance(self._secrets, EncryptedSecrets) or (left := self._database.do(self._secrets.reseal)) is None:
            return
        if left:
            logger.warning("%s secrets are sealed with keys that are not here; the others with the first of ours", left)
        else:
            logger.info("all secrets are sealed with the first key; the others are for processes that have them first")

    def start(self) -> None:
        """Starts recording, sending, polling and fetching in threads of their own. From here on the log goes on at
        cursors that nobody has seen, also where the store has been restored from a backup."""
        now = micros(self.clock())
        with suppress(StoreError):  # a disk that is full keeps nothing from starting, and nothing is given either
            self._database.do(lambda tx: starts.begin(tx, now))
            self._reseal()
        self.workers.start()
        self.running = True

    def close(self) -> None:
        """Finishes what is under way; what waits is done at the next start."""
        self.running = False
        self.workers.stop()
        self._database.close()

    def drain(self) -> None:
        """Does all that is waiting, in this thread: for tests and scripts that do not `start` the workers."""
        self.workers.drain()

    def audit(self, tenant: str, agent: str, verb: str, what: str) -> None:
        """Who has read or decided what. Does not wait for the commit."""
        at = micros(self.clock())
        self._database.write(lambda tx: accounts.audit(tx, tenant, agent, at, verb, what))

    # inside

    def _ways(self, tenant: str) -> Ways:
        """Where we can say something, and where it arrives."""
        return ways(self.channels, tenant, self.clock())

    def _publish(self, tx: Tx, tenant: str, type_: str, data: dict[str, Any], conversation: str) -> None:
        log.publish(tx, tenant, type_, micros(self.clock()), data, conversation=conversation)

    def _keep(self, tx: Tx, one: App | Channel | Connected, settings: Mapping[str, Any]) -> None:
        if isinstance(one, App):
            accounts.put_app(tx, one)
        elif isinstance(one, Connected):
            crms.put(tx, one)
        else:
            accounts.put_channel(tx, one)
        self._secrets.put(tx, one.secret_ref, json.dumps(dict(settings)))
        credentials.revive(tx, one.secret_ref)

    def _app_settings(self, app: str) -> dict[str, Any]:
        if app not in {one.id for one in self._database.read(accounts.apps)}:
            raise ConfigError(f"there is no app {app!r}; add it first")
        found: dict[str, Any] = json.loads(self._database.read(lambda tx: self._secrets.get(tx, f"app/{app}")))
        return found

    def _known(self, tenant: str, channel: str) -> Channel | None:
        def find(tx: Tx) -> Channel | None:
            check_tenant(tx, tenant)
            return next((one for one in accounts.channels(tx, tenant) if one.id == channel), None)

        return self._database.read(find)

    def _door(self) -> str:
        return base64.urlsafe_b64encode(self._random(18)).decode()

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{base64.b32encode(self._random(15)).decode().lower()}"

    def _new_conversation_id(self) -> str:
        return self._id("con")

    def _erase_on_request(self, row: Row) -> None:
        """Carries out a network's demand that needs no agent."""
        raise NotImplementedError

    def _act_for_crm(self, crm: Connected, conversation: str, event: CRMEvent, files: tuple[Attachment, ...]) -> None:
        """Carries out what an agent did in a CRM."""
        raise NotImplementedError

    def _note_for_crm(self, tenant: str, conversation: str, text: str, agent: str, key: str) -> None:
        """Writes what agents should know into the timeline, once for each key."""
        raise NotImplementedError


def _beside(store: str | Path, folder: Path | None) -> Path | None:
    """Where files of the store go: beside it."""
    if folder is not None:
        return folder / "support"
    return None if is_server(store) else Path(store)


def check_tenant(tx: Tx, tenant: str) -> None:
    """Raises NoSuchTenant."""
    if not accounts.has_tenant(tx, tenant):
        raise NoSuchTenant(f"there is no tenant {tenant!r}; {near(tenant, dict(accounts.tenants(tx)), 'add it first')}")


def conversation_of(tx: Tx, tenant: str, conversation: str, *, follow: bool = True) -> Conversation:
    """Where it goes on, if it is superseded; without `follow` the very one. Raises NoSuchConversation."""
    found = (conversations.current if follow else conversations.get)(tx, tenant, conversation)
    if found is None:
        raise NoSuchConversation(f"there is no conversation {conversation!r}")
    return found


def agent_of(tx: Tx, tenant: str, agent: str) -> Agent:
    found = next((one for one in accounts.agents(tx, tenant) if one.id == agent), None)
    if found is None:
        check_tenant(tx, tenant)
        raise ConfigError(f"{tenant} has no agent {agent!r}; add it first")
    return found

"""The hub: what a helpdesk embeds.

    hub = Hub.open("support.sqlite", public_url="https://support.example")
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    hub.add_channel("acme", "bot", "telegram", {"token": "…", "secret_token": "…"})
    hub.start()
    hub.timeline("acme", "telegram.user:42")
    hub.reply("acme", "con_…", "On its way.", agent="dana", key="order-17")

Every method is synchronous and safe to call from any thread: a Django view calls it as it is, an asynchronous
application through `asyncio.to_thread`. Results are plain values in the form in which the HTTP API shows them.
"""

import base64
import hashlib
import json
import random
import secrets as chance
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from socialsupport_core import identity as people
from socialsupport_core.contract import (
    AgentReplied,
    CaseClosed,
    ConfigError,
    CRMEvent,
    Policy,
    Refusal,
    Registry,
    SignatureError,
    SocialSupportError,
    Wire,
)
from socialsupport_core.conversation import handoff, views
from socialsupport_core.conversation.continuity import reunite
from socialsupport_core.conversation.guard import no_personal_data_in_public
from socialsupport_core.conversation.timeline import PAGE, timeline
from socialsupport_core.model import Choice, Facts, Interaction, Party, Payload, Reply, Thread
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.pipeline import outbound, replying
from socialsupport_core.pipeline.bell import Bell
from socialsupport_core.pipeline.channels import BY_HAND, Channels, Live, NoSuchDoor
from socialsupport_core.pipeline.crm import CRMs
from socialsupport_core.pipeline.plan import Plan
from socialsupport_core.pipeline.record import Recorder, publish_interaction
from socialsupport_core.pipeline.replying import ReplyRefused, Saying
from socialsupport_core.pipeline.workers import Workers
from socialsupport_core.store import (
    Database,
    Tx,
    accounts,
    conversations,
    identity,
    interactions,
    journal,
    log,
    micros,
    outbox,
)
from socialsupport_core.store import crm as crms
from socialsupport_core.store.accounts import SCOPES, Access, Agent, App, Channel, Scope
from socialsupport_core.store.blobs import BlobStore, FolderBlobs
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.crm import Connected
from socialsupport_core.store.interactions import Stored
from socialsupport_core.store.secrets import EncryptedSecrets, SecretStore, keys_beside
from socialsupport_core.wire import NetworkWire

__all__ = ["Hub", "NoSuchConversation", "NoSuchDoor", "ReplyRefused"]


class NoSuchConversation(SocialSupportError, LookupError):
    """The tenant has no conversation with this id."""


class Hub:
    """One store, its channels and its workers."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        public_url: str,
        secrets: SecretStore,
        blobs: BlobStore,
        policies: Sequence[Policy] = (no_personal_data_in_public,),
        transport: httpx.AsyncBaseTransport | None = None,
        wires: Sequence[Wire] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_bytes: Callable[[int], bytes] = chance.token_bytes,
    ) -> None:
        self.registry = registry
        self.public_url = public_url.rstrip("/")
        self.blobs = blobs
        self.bell = Bell()
        self.clock = clock
        self._random = random_bytes
        self._database = database
        self._secrets = secrets
        self._policies = (*policies, *registry.policies)
        self.channels = Channels(database, registry, secrets)
        self.wire = NetworkWire((*registry.wires, *wires), transport=transport, read_blob=blobs.get, clock=clock)
        self.crms = CRMs(database, registry, secrets, self.wire, clock, self._act_for_crm)
        self.workers = Workers(
            database,
            self.channels,
            self.wire,
            blobs,
            Recorder(self._new_conversation_id),
            self.crms,
            self.bell,
            clock,
            random.Random(random_bytes(16)),  # noqa: S311 - jitter, no secret
        )
        database.on_commit = self.bell.ring

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        public_url: str,
        registry: Registry | None = None,
        secret_keys: Sequence[str] = (),
        blobs: BlobStore | None = None,
        **options: Any,
    ) -> Self:
        """Opens the store, made if it is new. Attachments and the secret key live beside it unless given."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(
            Database(path),
            registry or Registry.discover(),
            public_url=public_url,
            secrets=EncryptedSecrets(secret_keys or keys_beside(path)),
            blobs=blobs or FolderBlobs(path.with_name(path.name + ".blobs")),
            **options,
        )

    def start(self) -> None:
        """Starts recording, sending, polling and fetching in threads of their own."""
        self.workers.start()

    def close(self) -> None:
        """Finishes what is under way; what waits is done at the next start."""
        self.workers.stop()
        self._database.close()

    def drain(self) -> None:
        """Does all that is waiting, in this thread: for tests and scripts that do not `start` the workers."""
        self.workers.drain()

    # tenants, agents, apps and channels

    def add_tenant(self, tenant: str, name: str) -> None:
        """Adding a tenant that is there changes nothing."""
        key = self._random(32)
        self._database.do(lambda tx: accounts.add_tenant(tx, tenant, name, key))

    def tenants(self) -> list[str]:
        return [tenant for tenant, _ in self._database.read(accounts.tenants)]

    def add_agent(self, tenant: str, agent: str, name: str, *, is_bot: bool = False) -> Agent:
        added = Agent(tenant, agent, name, is_bot)
        self._database.do(lambda tx: accounts.add_agent(tx, added))
        return added

    def agents(self, tenant: str) -> list[dict[str, Any]]:
        found = self._database.read(lambda tx: accounts.agents(tx, tenant))
        return [{"id": one.id, "name": one.name, "is_bot": one.is_bot} for one in found]

    def issue_token(self, tenant: str, agent: str, scopes: Iterable[Scope] = SCOPES[:3]) -> str:
        """A bearer token for the HTTP API; only its digest is kept."""
        token = "sst_" + base64.urlsafe_b64encode(self._random(24)).decode()
        self.accept_token(tenant, agent, token, scopes)
        return token

    def accept_token(self, tenant: str, agent: str, token: str, scopes: Iterable[Scope]) -> None:
        """The same for a token that comes from elsewhere."""
        self._database.do(lambda tx: accounts.add_token(tx, token, tenant, agent, frozenset(scopes)))

    def access(self, token: str) -> Access | None:
        """What the token allows, None if it is not one of ours."""
        return self._database.read(lambda tx: accounts.access(tx, token))

    def add_app(self, app: str, connector: str, settings: Mapping[str, Any]) -> str:
        """Credentials that several channels share. Returns the path of the app's door."""
        self.registry.connector(connector)
        known = next((one for one in self._database.read(accounts.apps) if one.id == app), None)
        added = App(app, connector, known.door if known else self._door())
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.channels.forget()
        return f"/hooks/app/{added.door}"

    def add_channel(
        self,
        tenant: str,
        channel: str,
        connector: str,
        settings: Mapping[str, Any],
        *,
        app: str | None = None,
        own_account: str | None = None,
        mode: str | None = None,
        open_network: bool = False,
    ) -> str:
        """Adds or changes a channel, live at once. Returns the path of its door. Raises ConfigError."""
        cls = self.registry.connector(connector)
        shared = self._app_settings(app) if app else {}
        self.channels.settings(connector, dict(settings), shared, where=f"channel {channel}")
        known = self._known(tenant, channel)
        receives = cls.capabilities.receives
        added = Channel(
            tenant,
            channel,
            connector,
            app,
            known.door if known else self._door(),
            own_account or (known.own_account if known else None),
            known.facts if known else Facts(),
            "active",
            None,
            known.cursor if known else None,
            open_network,
            mode or ("poll" if "poll" in receives and "webhook" not in receives else "webhook"),
        )
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.channels.forget()
        self.bell.ring()
        return f"/hooks/{added.door}"

    def list_channels(self, tenant: str) -> list[dict[str, Any]]:
        broken = (self.channels.all(), self.channels.broken)[1]
        found = self._database.read(lambda tx: accounts.channels(tx, tenant))
        return [views.channel(one, self.public_url, broken.get((tenant, one.id))) for one in found]

    def set_channel_state(self, tenant: str, channel: str, state: str, reason: str | None = None) -> None:
        """`active` or `paused`."""
        self.channels.get(tenant, channel)
        self._database.do(lambda tx: accounts.set_state(tx, tenant, channel, state, reason))
        self.channels.forget()

    def remove_channel(self, tenant: str, channel: str) -> None:
        """What came through it stays."""
        live = self.channels.get(tenant, channel)

        def remove(tx: Tx) -> None:
            accounts.delete_channel(tx, tenant, channel)
            self._secrets.forget(tx, live.channel.secret_ref)

        self._database.do(remove)
        self.channels.forget()

    def add_crm(self, tenant: str, crm: str, adapter: str, settings: Mapping[str, Any]) -> str:
        """Connects a CRM: it is told what happens from now on. Returns the path of its door. Raises ConfigError."""
        self.crms.made(adapter, dict(settings), where=f"crm {crm}")
        known = next((one for one in self.crms.by_door().values() if one.is_for(tenant, crm)), None)
        door = known.connected.door if known else self._door()
        added = Connected(tenant, crm, adapter, door, self.cursor(tenant))
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.crms.forget()
        return f"/hooks/{door}"

    def _act_for_crm(self, crm: Connected, conversation: str, event: CRMEvent) -> None:
        """An agent answered or closed the case in the CRM."""
        agent = f"crm.{crm.id}"
        if isinstance(event, AgentReplied):
            speaker = self.add_agent(crm.tenant, f"{agent}.{event.agent}", event.agent)
            self.reply(crm.tenant, conversation, event.text, agent=speaker.id, key=f"{agent}.{event.id}"[:120])
        elif isinstance(event, CaseClosed):
            self.resolve(crm.tenant, conversation, agent=agent)

    async def test_channel(self, tenant: str, channel: str) -> Facts:
        """The connection test: who are we there? What it learns is kept. Raises DeliveryError."""
        live = self.channels.get(tenant, channel)
        facts = await self.wire.read(live.connector.probe, live.connector, open_network=live.channel.open_network)
        changed = replace(live.channel, facts=facts, own_account=facts.own_account or live.channel.own_account)
        self._database.do(lambda tx: accounts.put_channel(tx, changed))
        self.channels.forget()
        return facts

    async def subscribe(self, tenant: str, channel: str) -> None:
        """Tells the network where our door is. Raises DeliveryError."""
        live = self.channels.get(tenant, channel)
        address = f"{self.public_url}/hooks/{live.channel.door}"
        await self.wire.run(live.connector.subscribe(address), live.connector, open_network=live.channel.open_network)

    # doors

    def receive(self, door: str, payload: Payload) -> "Future[Reply]":
        """What a door answers, once the payload is committed. Raises NoSuchDoor (404), SignatureError (401)."""
        if crm := self.crms.by_door().get(door):
            self._verified(door, crm.adapter.verify, payload)
            return self._journalled(crm.connected.tenant, door, payload, crm.adapter)
        found = self.channels.door(door)
        if found.id.startswith(BY_HAND):
            raise NoSuchDoor("there is no such door")  # what comes there has passed the API and its tokens
        connector = found.connector
        if payload.method == "GET":
            return _done(self._handshake(found.id, connector, payload))
        self._verified(found.id, connector.verify, payload)
        return self._journalled(found.tenant, found.id, payload, connector)

    def _journalled(self, tenant: str | None, door: str, payload: Payload, answers: Any) -> "Future[Reply]":
        """The acknowledgement of `answers` is made at once and leaves after the commit."""
        acknowledgement = _acknowledgement(answers, payload)
        committed = self._database.write(lambda tx: journal.append(tx, tenant, door, payload))
        answer: Future[Reply] = Future()
        answer.set_running_or_notify_cancel()
        committed.add_done_callback(lambda done: _answer(done, answer, acknowledgement))
        return answer

    def _handshake(self, door: str, connector: Any, payload: Payload) -> Reply:
        reply: Reply | None = self._verified(door, connector.handshake, payload)
        if reply is None:
            raise NoSuchDoor("this door answers no GET")
        return reply

    def _verified(self, door: str, check: Callable[[Payload], Any], payload: Payload) -> Any:
        """A check that fails in any other way lets nobody in either."""
        try:
            return check(payload)
        except SignatureError:
            self._database.write(lambda tx: journal.count_refused(tx, door))
            raise
        except (Exception, SystemExit) as error:
            self._database.write(lambda tx: journal.count_refused(tx, door))
            raise SignatureError(f"it could not be verified ({type(error).__name__})") from error

    def record_interaction(self, tenant: str, interaction: Interaction) -> None:
        """What no network tells: a call, a visit, a form. Journalled like everything else."""
        body = interaction.to_json().encode()
        payload = Payload(source="file", body=body, received_at=self.clock())
        self._database.do(lambda tx: journal.append(tx, tenant, f"{BY_HAND}{tenant}", payload))

    def import_file(self, tenant: str, channel: str, content: bytes, name: str) -> None:
        """History in, through the channel's own connector."""
        live = self.channels.get(tenant, channel)
        payload = Payload(source="file", url=f"file:{name}", body=content, received_at=self.clock())
        self._database.do(lambda tx: journal.append(tx, tenant, live.channel.door, payload))

    # the continuous conversation

    def timeline(
        self, tenant: str, who: str, *, before: tuple[int, int] | None = None, limit: int = PAGE
    ) -> list[dict[str, Any]]:
        """The newest `limit` interactions of a customer id or identifier, oldest first. Raises NoSuchCustomer."""
        return self._database.read(
            lambda tx: timeline(tx, tenant, people.customer_of(tx, tenant, who).number, before=before, limit=limit)
        )

    def customer(self, tenant: str, who: str) -> dict[str, Any]:
        return self._database.read(lambda tx: views.customer(tx, tenant, people.customer_of(tx, tenant, who).number))

    def find_customers(self, tenant: str, text: str, limit: int = 20) -> list[dict[str, Any]]:
        def find(tx: Tx) -> list[dict[str, Any]]:
            return [views.customer(tx, tenant, one) for one in identity.search(tx, tenant, text, limit)]

        return self._database.read(find)

    def queue(
        self,
        tenant: str,
        *,
        status: str | None = "open",
        channel: str | None = None,
        assignee: str | None = None,
        waiting: bool = False,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Conversations, whoever has waited longest first."""

        def find(tx: Tx) -> list[dict[str, Any]]:
            found = conversations.queue(tx, tenant, status, channel, assignee, waiting, limit)
            return [views.summary(tx, one) for one in found]

        return self._database.read(find)

    def conversation(self, tenant: str, conversation: str) -> dict[str, Any]:
        return self._database.read(lambda tx: views.conversation(tx, _conversation(tx, tenant, conversation)))

    # what an agent does

    def plan(self, tenant: str, conversation: str, text: str | None, *, agent: str, **how: Any) -> dict[str, Any]:
        """What would go out, in how many parts, what is lost, and what forbids it. Nothing is sent."""
        _, plan, refusals, leg = self._planned(tenant, conversation, agent, self._saying(text, "plan", how), how)
        return replying.shown(plan, refusals, leg)

    def reply(
        self,
        tenant: str,
        conversation: str,
        text: str | None,
        *,
        agent: str,
        key: str | None = None,
        **how: Any,
    ) -> dict[str, Any]:
        """Puts a reply into the outbox, once for each key. Raises ReplyRefused, and then nothing is sent.

        `how`: `leg` (else where the customer spoke last), `attachments` (blob digests with media type and name),
        `choices`, `subject`, `private` (open a private thread with somebody who spoke in public).
        """
        saying = self._saying(text, _plain_key(key) if key else self._id("out"), how)
        speaker, plan, refusals, leg = self._planned(tenant, conversation, agent, saying, how)
        if refusals or not plan.possible:
            reasons = [one.reason for one in refusals] + [one.reason for one in plan.obstacles]
            raise ReplyRefused("; ".join(reasons), refusals=refusals, plan=plan)
        now = self.clock()
        parts = self._database.do(lambda tx: outbound.enqueue(tx, plan, leg, speaker, saying.key, now))
        shown = [{"key": part.key, "id": str(part.seq), "state": part.state} for part in parts]
        return {"key": saying.key, "leg": leg.id, "parts": shown}

    def _saying(self, text: str | None, key: str, how: Mapping[str, Any]) -> Saying:
        if unknown := how.keys() - {"leg", "attachments", "choices", "subject", "private"}:
            raise TypeError(f"a reply has no {', '.join(sorted(unknown))}")
        return Saying(
            text=text,
            key=key,
            attachments=tuple(Attachment.model_validate(one) for one in how.get("attachments") or ()),
            choices=tuple(Choice.model_validate(one) for one in how.get("choices") or ()),
            subject=how.get("subject"),
            private=bool(how.get("private")),
        )

    def _planned(
        self, tenant: str, conversation: str, agent: str, saying: Saying, how: Mapping[str, Any]
    ) -> tuple[Agent, Plan, tuple[Refusal, ...], conversations.Leg]:
        def prepare(tx: Tx) -> tuple[Agent, Any, conversations.Leg, tuple[Interaction, ...]]:
            leg = replying.choose_leg(tx, _conversation(tx, tenant, conversation), how.get("leg"))
            recent = interactions.newest(tx, tenant, leg.node, None, 10)
            intent = replying.compose(tx, leg, saying)
            return _agent(tx, tenant, agent), intent, leg, tuple(one.interaction for one in recent)

        speaker, intent, leg, recent = self._database.read(prepare)
        live = self.channels.get(tenant, leg.channel)
        plan = replying.plan_for(live.connector, intent, leg, self.clock())
        return speaker, plan, replying.refusals(self._policies, intent, leg, speaker, recent), leg

    def note(self, tenant: str, conversation: str, text: str, *, agent: str) -> None:
        """An internal note in the timeline; it never leaves."""
        now, native = self.clock(), self._id("note")

        def write(tx: Tx) -> None:
            speaker = _agent(tx, tenant, agent)
            leg = replying.choose_leg(tx, _conversation(tx, tenant, conversation), None)
            interaction = Interaction(
                network="internal",
                native_id=native,
                kind="note",
                direction="internal",
                own_account=tenant,
                thread=Thread(id=conversation, visibility="private"),
                author=Party(name=speaker.name, is_self=True, is_bot=speaker.is_bot),
                text=text,
                sent_at=now,
            )
            at = micros(now)
            seq = interactions.claim_key(tx, tenant, "internal", conversation, native, leg.node, at)
            assert seq is not None
            stored = Stored(seq, leg.node, at, leg.id, None, interaction, at, None, None, agent, None, None)
            interactions.store(tx, tenant, stored)
            publish_interaction(tx, tenant, "interaction.received", stored, None, conversation=conversation)

        self._database.do(write)

    def assign(self, tenant: str, conversation: str, assignee: str | None, *, agent: str) -> None:
        def write(tx: Tx) -> None:
            if assignee is not None:
                _agent(tx, tenant, assignee)
            _conversation(tx, tenant, conversation)
            conversations.assign(tx, tenant, conversation, assignee)
            data = {"assignee": assignee or "", "agent": agent}
            self._publish(tx, tenant, "conversation.assigned", data, conversation)

        self._database.do(write)

    def resolve(self, tenant: str, conversation: str, *, agent: str) -> None:
        self._set_status(tenant, conversation, "resolved", agent)

    def reopen(self, tenant: str, conversation: str, *, agent: str) -> None:
        self._set_status(tenant, conversation, "open", agent)

    def _set_status(self, tenant: str, conversation: str, status: str, agent: str) -> None:
        type_ = "conversation.resolved" if status == "resolved" else "conversation.reopened"

        def write(tx: Tx) -> None:
            if _conversation(tx, tenant, conversation).status != status:
                conversations.set_status(tx, tenant, conversation, status, micros(self.clock()))
                self._publish(tx, tenant, type_, {"agent": agent}, conversation)

        self._database.do(write)

    def hand_off(self, tenant: str, conversation: str, *, agent: str, leg: int | None = None) -> dict[str, Any]:
        """A token that brings its bearer to this conversation, once, and the page on which to choose a channel."""
        token, at = handoff.new_token(self._random), micros(self.clock())

        def write(tx: Tx) -> conversations.Leg:
            _agent(tx, tenant, agent)
            found = _conversation(tx, tenant, conversation)
            origin = replying.choose_leg(tx, found, leg)
            handoff.offer(tx, origin, token, agent=agent, at=at)
            handoff.publish_handed_off(tx, found, origin.channel, "any", agent, at, "offered")
            return origin

        origin = self._database.do(write)
        safe = origin.visibility == "private"
        return {
            "token": token,
            "url": f"{self.public_url}/h/{token}",
            "leg": origin.id,
            "proves": safe,
            "note": "" if safe else "anybody can read a public reply: whoever comes with it must be linked by an agent",
        }

    def handoff_ways(self, token: str) -> list[dict[str, str]] | None:
        """The channels by which the bearer of a token may go on; None if it is not valid any more."""
        found = self._database.read(lambda tx: conversations.handoff(tx, token))
        if found is None or found.redeemed_at is not None or found.expires_at < micros(self.clock()):
            return None
        mine = [one for one in self.channels.all().values() if one.channel.tenant == found.tenant]
        return [way for one in mine if (way := self._way(one, token))]

    def _way(self, live: Live, token: str) -> dict[str, str] | None:
        address = live.connector.invitation(token)
        if address is None and live.channel.connector in self.registry.surfaces:
            address = f"{self.public_url}/chat/{live.channel.door}/?handoff={token}"
        if address is None:
            return None
        return {"channel": live.channel.id, "network": live.connector.name, "url": address}

    def link(self, tenant: str, who: str, other: str, *, agent: str, note: str | None = None) -> people.Verdict:
        """These two are one customer. Raises VerdictRefused."""
        at = micros(self.clock())
        return self._judge(tenant, lambda tx: people.link(tx, tenant, who, other, agent=agent, at=at, note=note))

    def split(self, tenant: str, who: str, leaving: Sequence[str], *, agent: str) -> people.Verdict:
        """These accounts are somebody else."""
        at = micros(self.clock())
        return self._judge(tenant, lambda tx: people.split(tx, tenant, who, leaving, agent=agent, at=at))

    def undo(self, tenant: str, verdict: str, *, agent: str) -> people.Verdict:
        at = micros(self.clock())
        return self._judge(tenant, lambda tx: people.undo(tx, tenant, verdict, agent=agent, at=at))

    def _judge(self, tenant: str, verdict: Callable[[Tx], people.Verdict]) -> people.Verdict:
        """A verdict on identities, and what follows for their conversations, in one commit."""

        def write(tx: Tx) -> people.Verdict:
            found = verdict(tx)
            reunite(tx, tenant, found.nodes)
            return found

        return self._database.do(write)

    def explain(self, tenant: str, who: str) -> dict[str, Any]:
        """Why these identifiers are one customer."""
        return self._database.read(lambda tx: people.explain(tx, tenant, who))

    def settle(self, tenant: str, part: str, state: outbox.State, *, agent: str) -> None:
        """A person has looked: an uncertain part was `sent`, or `failed`, or goes out again (`queued`)."""
        if state not in outbox.NEXT["uncertain"]:
            raise ValueError(f"{state!r} is no verdict; say sent, failed or queued")
        now = micros(self.clock())

        def write(tx: Tx) -> None:
            found = outbox.get(tx, tenant, part)
            if found is None or not outbound.judge(tx, found, state, agent, now):
                raise ReplyRefused(f"the part {part!r} is not waiting for a verdict")

        self._database.do(write)

    # events and health

    def events(self, tenant: str, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
        """Everything that happened since the cursor, in order."""
        found = self._database.read(lambda tx: log.after(tx, tenant, after, limit))
        return [one.as_json() for one in found]

    def thread_events(self, tenant: str, channel: str, thread: str, after: int) -> list[log.Record]:
        return self._database.read(lambda tx: log.of_thread(tx, tenant, channel, thread, after))

    def cursor(self, tenant: str | None = None) -> int:
        """The newest cursor."""
        return self._database.read(lambda tx: log.newest(tx, tenant))

    def health(self) -> dict[str, Any]:
        """Is all accounted for? `unexplained` is 0, or something is very wrong."""

        def look(tx: Tx) -> dict[str, Any]:
            troubled = [one for one in accounts.channels(tx) if one.state == "failing"]
            return {
                "journal": journal.counts(tx),
                "refused": journal.refused(tx),
                "outbox": outbox.counts(tx),
                "failing": [f"{one.tenant}/{one.id}: {one.reason}" for one in troubled],
            }

        found = self._database.read(look)
        found["broken"] = [f"{b.plugin}: {b.reason}" for b in self.registry.broken]
        well = not found["journal"]["unexplained"] and not found["failing"]
        return {"status": "ok" if well else "degraded", **found}

    def quarantine(self, tenant: str | None = None, limit: int = 100) -> list[journal.Entry]:
        """What could not be read, and why; the newest first."""
        return self._database.read(lambda tx: journal.by_state(tx, "quarantined", limit, tenant))

    def replay(self, entry: int | None = None, tenant: str | None = None) -> int:
        """Runs quarantined entries, or the one given, again; how many."""
        return self._database.do(lambda tx: journal.reopen(tx, entry, tenant))

    def attachment(self, tenant: str, attachment: str) -> tuple[interactions.Kept, bytes]:
        """A stored attachment and its content. Raises KeyError."""
        seq, _, position = attachment.partition(".")
        if not (seq.isdigit() and position.isdigit()):
            raise KeyError(attachment)
        kept = self._database.read(lambda tx: interactions.attachment(tx, tenant, int(seq), int(position)))
        if kept is None or kept.blob is None:
            raise KeyError(attachment)
        return kept, self.blobs.get(kept.blob)

    def audit(self, tenant: str, agent: str, verb: str, what: str) -> None:
        """Who has read or decided what. Does not wait for the commit."""
        at = micros(self.clock())
        self._database.write(lambda tx: accounts.audit(tx, tenant, agent, at, verb, what))

    def new_state(self) -> str:
        """An unguessable text for a round trip through a sign-in page."""
        return self._random(16).hex()

    # inside

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

    def _app_settings(self, app: str) -> dict[str, Any]:
        if app not in {one.id for one in self._database.read(accounts.apps)}:
            raise ConfigError(f"there is no app {app!r}; add it first")
        found: dict[str, Any] = json.loads(self._database.read(lambda tx: self._secrets.get(tx, f"app/{app}")))
        return found

    def _known(self, tenant: str, channel: str) -> Channel | None:
        def find(tx: Tx) -> Channel | None:
            if tenant not in dict(accounts.tenants(tx)):
                raise ConfigError(f"there is no tenant {tenant!r}; add it first")
            return next((one for one in accounts.channels(tx, tenant) if one.id == channel), None)

        return self._database.read(find)

    def _door(self) -> str:
        return base64.urlsafe_b64encode(self._random(18)).decode()

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{base64.b32encode(self._random(15)).decode().lower()}"

    def _new_conversation_id(self) -> str:
        return self._id("con")


def _plain_key(key: str) -> str:
    """A key that leaves room for the numbers of its parts, and holds no slash, which begins those."""
    if len(key) <= 100 and "/" not in key:
        return key
    return f"{key[:60].replace('/', '.')}~{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _done(reply: Reply) -> "Future[Reply]":
    future: Future[Reply] = Future()
    future.set_result(reply)
    return future


def _acknowledgement(connector: Any, payload: Payload) -> Reply:
    """The network gets one, whatever the connector makes of it."""
    try:
        reply: Reply = connector.acknowledge(payload)
    except (Exception, SystemExit):
        return Reply()
    return reply


def _answer(done: "Future[int]", answer: "Future[Reply]", acknowledgement: Reply) -> None:
    if error := done.exception():
        answer.set_exception(error)
    else:
        answer.set_result(acknowledgement)


def _conversation(tx: Tx, tenant: str, conversation: str) -> Conversation:
    found = conversations.get(tx, tenant, conversation)
    if found is None:
        raise NoSuchConversation(f"there is no conversation {conversation!r}")
    return found


def _agent(tx: Tx, tenant: str, agent: str) -> Agent:
    found = next((one for one in accounts.agents(tx, tenant) if one.id == agent), None)
    if found is None:
        raise ConfigError(f"{tenant} has no agent {agent!r}; add it first")
    return found

"""The configuration file of `serve`: tenants, agents, apps and channels, in TOML.

[hub]
store = "support.sqlite"
public_url = "https://support.example"

[tenants.acme]
name = "Acme"

[tenants.acme.agents.dana]
name = "Dana"

[tenants.acme.channels.bot]
connector = "telegram"
settings = { token = "…", secret_token = "…" }
"""

import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.conversation.conduct import ContinuitySection, GuardSection, KindName, ToldSection
from socialsupport_core.conversation.handing import words
from socialsupport_core.guidance import Guidance
from socialsupport_core.hub import Hub, names
from socialsupport_core.hub.base import ADDRESS
from socialsupport_core.identity import Policy
from socialsupport_core.identity.proofs import oidc
from socialsupport_core.mistakes import mistakes
from socialsupport_core.store import is_server
from socialsupport_core.store.accounts import Scope


def _name(pattern: re.Pattern[str], marks: str) -> Callable[[str], str]:
    def checked(name: str) -> str:
        if not pattern.fullmatch(name):
            raise ValueError(names.rule(marks))
        return name

    return checked


def _address(url: str) -> str:
    if not ADDRESS.fullmatch(url):
        raise ValueError("must be an address such as https://support.example, perhaps with a path")
    return url


Id = Annotated[str, AfterValidator(_name(names.ID, names.ID_MARKS))]
"""Of tenants, channels, apps and CRMs: it stands in addresses."""
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)
AgentId = Annotated[str, AfterValidator(_name(_AGENT, "letters, 0-9, _ . @ and -"))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSection(_Section):
    store: str = "support.sqlite"
    """A file, relative to the configuration, or `postgresql://user@host/database?schema=socialsupport`."""
    folder: Path | None = None
    """Where the secret key and the attachments lie, the same for all processes; beside the store if that is a file."""
    public_url: Annotated[str, AfterValidator(_address)] = "http://127.0.0.1:8765"
    """How the world reaches us, as it stands in the addresses of doors and links; with HTTPS, but for a first try."""
    inbox: bool = False
    """The agents' page; they sign in with a token."""
    mcp: bool = False
    """Assistants may read and draft at `/mcp`, each with a token of the API; `socialsupport[mcp]`."""
    plugins: frozenset[str] = frozenset()
    """Those to be loaded beside what channels, CRMs and brokers name: rules, triage, routing."""
    hosts: frozenset[str] = frozenset()
    """Names beside that of the public address under which pages and API may be called."""


class AgentSection(_Section):
    name: str
    """As colleagues and, on some networks, customers read it."""
    is_bot: bool = False
    """A program; some networks have other rules for those."""
    token: str | None = Field(default=None, min_length=20)
    """Of the HTTP API; `openssl rand -hex 24` makes a good one. Left out, the agent has no access over HTTP."""
    scopes: tuple[Scope, ...] = ("read", "reply", "link")
    """What the token allows."""


class AppSection(_Section):
    connector: str
    """The name of an installed plugin, such as `slack`; `socialsupport plugins` lists them."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Those of the connector that all channels of this app share; each channel may add its own."""


class ChannelSection(_Section):
    connector: str
    """The name of an installed plugin, such as `telegram`; `socialsupport plugins` lists them."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The connector's own: `socialsupport schema CONNECTOR` and its page tell which."""
    app: str | None = None
    """The name of an `[apps.APP]` whose credentials and door it shares. Left out, it has its own."""
    own_account: str | None = None
    """Our account at the network, such as a page's id or our number: by it what comes to the door of a shared app finds
    this channel. Left out, the connection test learns it where the network tells."""
    mode: Literal["webhook", "poll", "stream"] | None = None
    """How we receive: the network calls our door, we ask it, or a connection stays open. Left out, what suits the
    connector and its settings."""
    open_network: bool = False
    """Private addresses and plain http are allowed for this channel."""
    expect_within: timedelta | None = Field(default=None, gt=timedelta(0))
    """So long it may be silent at most, in seconds or such as `PT4H`. Left out, its own rhythm tells."""
    erase_on_request: bool = False
    """A customer is erased when this network demands it, without an agent."""
    listen: str | None = Field(default=None, pattern=r"^[^\s:]+:\d{1,5}$")
    """`host:port` of a door that is not HTTP, such as an SMTP server of our own. Such a channel is not polled, unless
    `mode` says so."""


class CRMSection(_Section):
    adapter: str
    """The name of an installed plugin, such as `zammad`; `socialsupport plugins` lists them."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The adapter's own; its page tells which."""
    rules: dict[str, str] = Field(default_factory=dict)
    """Which side stands (`newest`, `ours`, `theirs`) where `status` or `assignee` of a case was changed on both."""


class FanOutSection(_Section):
    adapter: str
    """The name of an installed plugin, such as `nats`; `socialsupport plugins` lists them."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The adapter's own; its page tells which."""
    everything: bool = False
    """A new one is told the whole log, not only what happens from now on."""


class WebhookSection(_Section):
    url: str
    """Where each event is posted."""
    secret: str
    """`whsec_` and 24 to 64 bytes in Base64: `echo whsec_$(openssl rand -base64 32)` makes a good one."""
    previous_secret: str | None = None
    """Valid beside it, until whoever listens has changed over."""
    types: tuple[str, ...] | None = None
    """Of events, all of them unless named."""
    description: str = ""
    """For whoever reads the list."""
    open_network: bool = False
    """Private addresses and plain http are allowed for this webhook."""


class RetentionSection(_Section):
    payloads: int | None = Field(default=None, ge=1, le=36_500)
    """Days for which payloads are kept as they came; for ever if left out. What they said stays."""
    interactions: int | None = Field(default=None, ge=1, le=36_500)
    """Days for which interactions are kept; for ever if left out."""


def _words(table: dict[str, Any]) -> dict[str, Any]:
    words.checked(table)
    return table


class HandoffSection(_Section):
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}$")
    """In which customers are spoken to whose own is not known; English if left out."""
    words: Annotated[dict[str, dict[str, Any]], AfterValidator(_words)] = Field(default_factory=dict)
    """Templates by language, in place of those that are shipped: `public_link`, `private_link`, …, and `places`."""

    def table(self) -> dict[str, Any]:
        return self.words | ({"language": self.language} if self.language else {})


class IssuerSection(_Section):
    issuer: str
    """As its tokens name it: `https://login.acme.example`."""
    audience: str = Field(min_length=1, max_length=250)
    """The client id for which it makes them."""
    algorithms: tuple[str, ...] = ("RS256",)
    """Those by which it signs."""
    keys: dict[str, Any] | None = None
    """Its public JSON Web Key Set. Left out, it is read where the issuer publishes it."""

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        oidc.trusted("", self.issuer, self.audience, self.keys, self.algorithms)
        return self


class TenantSection(_Section):
    name: str
    """Of the company, as people write it."""
    retention: RetentionSection = RetentionSection()
    """How long things are kept."""
    identity: Policy = Policy()
    """Which evidence joins by itself, and what guards it."""
    continuity: ContinuitySection = ContinuitySection()
    """Which conversation a message continues."""
    context: dict[KindName, ToldSection] = Field(default_factory=dict)
    """What is looked for in customers' texts, beside what is shipped or in its place."""
    guard: GuardSection = GuardSection()
    """What may always be said in public."""
    handoff: HandoffSection | None = None
    """What is said when a customer is handed off. Left out, what was set by the API stays."""
    guidance: Guidance | None = None
    """What customers may expect, and how agents are guided. Left out, what was set by the API stays."""
    issuers: dict[Id, IssuerSection] = Field(default_factory=dict)
    """Whose sign-in proves who a customer is; `socialsupport[oidc]`."""
    agents: dict[AgentId, AgentSection] = Field(default_factory=dict)
    channels: dict[Id, ChannelSection] = Field(default_factory=dict)
    crms: dict[Id, CRMSection] = Field(default_factory=dict)
    webhooks: dict[Id, WebhookSection] = Field(default_factory=dict)


class Config(_Section):
    hub: HubSection = HubSection()
    tenants: dict[Id, TenantSection] = Field(default_factory=dict)
    apps: dict[Id, AppSection] = Field(default_factory=dict)
    fanouts: dict[Id, FanOutSection] = Field(default_factory=dict)
    """Brokers to which the events of all tenants are handed on."""

    def connectors(self) -> frozenset[str]:
        """The plugins that this configuration names; `serve` loads no others."""
        named = [one.connector for one in self.apps.values()]
        named += [one.connector for tenant in self.tenants.values() for one in tenant.channels.values()]
        named += [one.adapter for tenant in self.tenants.values() for one in tenant.crms.values()]
        named += [one.adapter for one in self.fanouts.values()]
        return self.hub.plugins.union(named)


def load(path: Path) -> Config:
    """Reads the file. Raises ConfigError that names the file, the key and the remedy."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `socialsupport demo` needs none") from None
    except OSError as error:
        raise ConfigError(f"{path}: it cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = "; a text stands in quotation marks" if "Invalid value" in str(error) else ""
        raise ConfigError(f"{path}: {error}{hint}") from None
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        told = "; ".join(f"{key.removesuffix('.[key]')}: {problem}" for key, problem in mistakes(error, Config))
        raise ConfigError(f"{path}: {told}") from None


def connect(config: Config, folder: Path, **options: Any) -> Hub:
    """A hub on the store that is named, as it is; `folder` is where the file lies. Raises ConfigError, StoreError."""
    options.setdefault("registry", Registry.discover(only=config.connectors()))
    options.setdefault("folder", folder / config.hub.folder if config.hub.folder else None)
    return Hub.open(store_of(config, folder), public_url=config.hub.public_url, **options)


def open_hub(config: Config, folder: Path, **options: Any) -> Hub:
    """The same, with the configuration applied."""
    hub = connect(config, folder, **options)
    try:
        apply(config, hub)
    except BaseException:
        hub.close()
        raise
    return hub


def store_of(config: Config, folder: Path) -> str | Path:
    return config.hub.store if is_server(config.hub.store) else folder / config.hub.store


def apply(config: Config, hub: Hub) -> dict[str, str]:
    """Brings the store in line with the file; what is there beside it stays, but a token that is not in the file
    any more is revoked. The doors by channel or app."""
    given = set[str]()
    doors = {f"app {name}": hub.add_app(name, one.connector, one.settings) for name, one in config.apps.items()}
    for tenant, section in config.tenants.items():
        hub.add_tenant(tenant, section.name)
        for name, agent in section.agents.items():
            hub.add_agent(tenant, name, agent.name, is_bot=agent.is_bot)
            if agent.token:
                hub.accept_token(tenant, name, agent.token, agent.scopes, origin="file")
                given.add(agent.token)
        for name, channel in section.channels.items():
            doors[f"{tenant}/{name}"] = _add(hub, tenant, name, channel)
            hub.erase_on_request(tenant, name, allowed=channel.erase_on_request)
        hub.set_retention(tenant, **section.retention.model_dump())
        hub.set_identity(tenant, section.identity)
        hub.set_conduct(
            tenant,
            window=section.continuity.window,
            rules=section.continuity.rules,
            context={name: one.model_dump() for name, one in section.context.items()},
            allowed=section.guard.allowed,
            countries=section.guard.countries,
        )
        if section.guidance is not None:
            hub.set_guidance(tenant, section.guidance.model_dump(mode="json", exclude_defaults=True))
        _hand_off(hub, tenant, section)
        for name, crm in section.crms.items():
            doors[f"{tenant}/{name}"] = hub.add_crm(tenant, name, crm.adapter, crm.settings, rules=crm.rules)
        for name, webhook in section.webhooks.items():
            _tell(hub, tenant, name, webhook)
    for name, fanout in config.fanouts.items():
        hub.add_fanout(name, fanout.adapter, fanout.settings, everything=fanout.everything)
    hub.keep_tokens("file", given)
    return doors


def _add(hub: Hub, tenant: str, name: str, channel: ChannelSection) -> str:
    try:
        return hub.add_channel(
            tenant,
            name,
            channel.connector,
            channel.settings,
            app=channel.app,
            own_account=channel.own_account,
            mode=channel.mode or ("webhook" if channel.listen else None),
            open_network=channel.open_network,
            expect_within=channel.expect_within,
        )
    except ConfigError as error:
        raise ConfigError(f"tenants.{tenant}.channels.{name}: {error}") from None


def _hand_off(hub: Hub, tenant: str, section: TenantSection) -> None:
    if section.handoff is not None:
        hub.set_templates(tenant, section.handoff.table())
    for issuer in section.issuers.values():
        hub.trust_issuer(tenant, **issuer.model_dump(), at_once=False)


def _tell(hub: Hub, tenant: str, name: str, one: WebhookSection) -> None:
    secrets = [secret for secret in (one.secret, one.previous_secret) if secret is not None]
    more: dict[str, Any] = one.model_dump(include={"types", "description", "open_network"})
    try:
        hub.apply_webhook(tenant, name, one.url, secrets, **more)
    except ConfigError as error:
        raise ConfigError(f"tenants.{tenant}.webhooks.{name}: {error}") from None

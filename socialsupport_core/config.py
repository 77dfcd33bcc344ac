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

import difflib
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Scope


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSection(_Section):
    store: Path = Path("support.sqlite")
    """Relative to the configuration file."""
    public_url: str = Field(default="http://127.0.0.1:8765", pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")
    inbox: bool = False
    """The agents' page; they sign in with a token."""
    hosts: frozenset[str] = frozenset()
    """Names beside that of the public address under which pages and API may be called."""


class AgentSection(_Section):
    name: str
    is_bot: bool = False
    token: str | None = Field(default=None, min_length=20)
    """Of the HTTP API; `openssl rand -hex 24` makes a good one. Left out, the agent has no access over HTTP."""
    scopes: tuple[Scope, ...] = ("read", "reply", "link")


class AppSection(_Section):
    connector: str
    settings: dict[str, Any] = Field(default_factory=dict)


class ChannelSection(_Section):
    connector: str
    settings: dict[str, Any] = Field(default_factory=dict)
    app: str | None = None
    own_account: str | None = None
    mode: Literal["webhook", "poll"] | None = None
    open_network: bool = False
    """Private addresses and plain http are allowed for this channel."""
    listen: str | None = Field(default=None, pattern=r"^[^\s:]+:\d{1,5}$")
    """`host:port` of a door that is not HTTP, such as an SMTP server of our own."""


class CRMSection(_Section):
    adapter: str
    settings: dict[str, Any] = Field(default_factory=dict)


class TenantSection(_Section):
    name: str
    agents: dict[str, AgentSection] = Field(default_factory=dict)
    channels: dict[str, ChannelSection] = Field(default_factory=dict)
    crms: dict[str, CRMSection] = Field(default_factory=dict)


class Config(_Section):
    hub: HubSection = HubSection()
    tenants: dict[str, TenantSection] = Field(default_factory=dict)
    apps: dict[str, AppSection] = Field(default_factory=dict)

    def connectors(self) -> frozenset[str]:
        """The plugins that this configuration names; `serve` loads no others."""
        named = [one.connector for one in self.apps.values()]
        named += [one.connector for tenant in self.tenants.values() for one in tenant.channels.values()]
        named += [one.adapter for tenant in self.tenants.values() for one in tenant.crms.values()]
        return frozenset(named)


def load(path: Path) -> Config:
    """Reads the file. Raises ConfigError that names the file, the key and the remedy."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `socialsupport demo` needs none") from None
    except OSError as error:
        raise ConfigError(f"{path}: it cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = difflib.get_close_matches(name, _KEYS, n=1)
        return f"{key}: there is no such key" + (f"; did you mean {near[0]}?" if near else "")
    return f"{key}: {first['msg']}"


_SECTIONS = (Config, HubSection, AgentSection, AppSection, ChannelSection, CRMSection, TenantSection)
_KEYS = sorted({name for section in _SECTIONS for name in section.model_fields})


def open_hub(config: Config, folder: Path, **options: Any) -> Hub:
    """A hub as configured; `folder` is where the file lies. Raises ConfigError."""
    registry = options.pop("registry", None) or Registry.discover(only=config.connectors())
    hub = Hub.open(folder / config.hub.store, public_url=config.hub.public_url, registry=registry, **options)
    try:
        apply(config, hub)
    except BaseException:
        hub.close()
        raise
    return hub


def apply(config: Config, hub: Hub) -> dict[str, str]:
    """Brings the store in line with the file; what is there beside it stays. The doors by channel or app."""
    doors = {f"app {name}": hub.add_app(name, one.connector, one.settings) for name, one in config.apps.items()}
    for tenant, section in config.tenants.items():
        hub.add_tenant(tenant, section.name)
        for name, agent in section.agents.items():
            hub.add_agent(tenant, name, agent.name, is_bot=agent.is_bot)
            if agent.token:
                hub.accept_token(tenant, name, agent.token, agent.scopes)
        for name, channel in section.channels.items():
            doors[f"{tenant}/{name}"] = _add(hub, tenant, name, channel)
        for name, crm in section.crms.items():
            doors[f"{tenant}/{name}"] = hub.add_crm(tenant, name, crm.adapter, crm.settings)
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
            mode=channel.mode,
            open_network=channel.open_network,
        )
    except ConfigError as error:
        raise ConfigError(f"tenants.{tenant}.channels.{name}: {error}") from None

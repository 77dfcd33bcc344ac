"""Who is told what happens: the endpoints of outgoing webhooks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from socialsupport_core.contract import ConfigError, SocialSupportError
from socialsupport_core.hub.base import Base, check_tenant
from socialsupport_core.mistakes import near
from socialsupport_core.pipeline.webhooks import TYPES
from socialsupport_core.store import Tx, fanouts, log, micros, moment, webhooks
from socialsupport_core.store.webhooks import Endpoint, Held
from socialsupport_core.wire.webhook import check_secret, check_url, new_secret

MOST = 50  # endpoints of one tenant, and types of one endpoint
SHOWN = 100  # lanes in trouble that are listed
TOLD = 2_000  # characters of an answer that a test shows
LONGEST = 500  # characters of a description
_ALL = ("*",)


class NoSuchWebhook(SocialSupportError, LookupError):
    """The tenant has no webhook with this id."""


class Telling(Base):
    def add_webhook(
        self,
        tenant: str,
        url: str,
        *,
        webhook: str | None = None,
        types: Iterable[str] | None = None,
        description: str = "",
        after: int | None = None,
        secret: str | None = None,
        open_network: bool = False,
    ) -> dict[str, Any]:
        """Tells an endpoint everything that happens from now on, or from the cursor `after` on.

        The answer holds its secret, this once. `open_network` allows private addresses and plain http.
        """
        secret = secret or new_secret(self._random)
        check_secret(secret)
        added = self._described(
            Endpoint(
                tenant=tenant,
                id=webhook or self._id("wh"),
                url=url,
                source=f"{self.public_url}/tenants/{quote(tenant, safe='')}",
                types=None,
                description=description,
                open_network=open_network,
                state="active",
                reason=None,
                created_at=micros(self.clock()),
                cursor=0,
            ),
            types,
        )

        def write(tx: Tx) -> Endpoint:
            one = replace(added, cursor=_from(tx, tenant, after))
            _check_room(tx, tenant)
            if not webhooks.add(tx, one):
                raise ConfigError(f"there is a webhook {one.id!r} already; change that one, or leave the id out")
            self._keep_secrets(tx, one, [secret])
            return one

        made = self._database.do(write)
        self.bell.ring()
        return {"id": made.id, "secret": secret, "cursor": made.cursor}

    def list_webhooks(self, tenant: str) -> list[dict[str, Any]]:
        def find(tx: Tx) -> list[dict[str, Any]]:
            return [self._shown(tx, one) for one in webhooks.of_tenant(tx, tenant)]

        return self._database.read(find)

    def webhook(self, tenant: str, webhook: str) -> dict[str, Any]:
        """One of them, and what it holds up."""

        def find(tx: Tx) -> dict[str, Any]:
            one = _known(tx, tenant, webhook)
            held = webhooks.held(tx, tenant, webhook, SHOWN)
            return self._shown(tx, one) | {"held": [_held(each) for each in held]}

        return self._database.read(find)

    def change_webhook(
        self,
        tenant: str,
        webhook: str,
        *,
        url: str | None = None,
        types: Iterable[str] | None = None,
        description: str | None = None,
        open_network: bool | None = None,
    ) -> dict[str, Any]:
        """What is left out stays; the types `["*"]` are all of them.

        A new address is a public one, unless `open_network` is given with it.
        """

        def write(tx: Tx) -> dict[str, Any]:
            known = _known(tx, tenant, webhook)
            moved = url is not None and url != known.url
            opened = known.open_network and not moved if open_network is None else open_network
            changed = replace(
                known,
                url=known.url if url is None else url,
                description=known.description if description is None else description,
                open_network=opened,
            )
            changed = self._described(changed, known.types if types is None else types)
            webhooks.change(tx, changed)
            return self._shown(tx, changed)

        return self._database.do(write)

    def remove_webhook(self, tenant: str, webhook: str) -> None:
        def remove(tx: Tx) -> None:
            known = _known(tx, tenant, webhook)
            webhooks.remove(tx, tenant, webhook)
            self._secrets.forget(tx, known.secret_ref)

        self._database.do(remove)

    def pause_webhook(self, tenant: str, webhook: str) -> None:
        """It is told nothing until it is resumed; nothing is lost."""

        def write(tx: Tx) -> None:
            _known(tx, tenant, webhook)
            webhooks.set_state(tx, tenant, webhook, "paused", "paused by an agent")

        self._database.do(write)

    def resume_webhook(self, tenant: str, webhook: str) -> None:
        """It goes on where it stopped."""
        now = micros(self.clock())

        def write(tx: Tx) -> None:
            _known(tx, tenant, webhook)
            if webhooks.resume(tx, tenant, webhook, now):
                log.publish(tx, tenant, "webhook.resumed", now, {"webhook": webhook})

        self._database.do(write)

    def replay_webhook(self, tenant: str, webhook: str, after: int) -> None:
        """Everything after the cursor is told again, and nothing before it any more."""
        now = micros(self.clock())

        def write(tx: Tx) -> None:
            _known(tx, tenant, webhook)
            webhooks.replay(tx, tenant, webhook, _from(tx, tenant, after))
            log.publish(tx, tenant, "webhook.resumed", now, {"webhook": webhook, "after": after})

        self._database.do(write)

    def rotate_webhook_secret(self, tenant: str, webhook: str, secret: str | None = None) -> str:
        """A new secret; both are valid until the old one is retired. It is shown this once."""
        secret = secret or new_secret(self._random)
        check_secret(secret)

        def write(tx: Tx) -> None:
            one = _known(tx, tenant, webhook)
            valid = self.webhooks.secrets_of(tx, one)
            if len(valid) > 1:
                raise ConfigError("two secrets are valid already; retire the old one first")
            self._keep_secrets(tx, one, [secret, *valid])

        self._database.do(write)
        return secret

    def retire_webhook_secret(self, tenant: str, webhook: str) -> None:
        """Only the newest is valid from now on."""

        def write(tx: Tx) -> None:
            one = _known(tx, tenant, webhook)
            self._keep_secrets(tx, one, self.webhooks.secrets_of(tx, one)[:1])

        self._database.do(write)

    def apply_webhook(self, tenant: str, webhook: str, url: str, secrets: Sequence[str], **how: Any) -> None:
        """As a configuration file says it: added if it is not there, else changed. `secrets`: the newest first."""
        for secret in secrets:
            check_secret(secret)
        known = self._database.read(lambda tx: webhooks.get(tx, tenant, webhook))
        if known is None:
            self.add_webhook(tenant, url, webhook=webhook, secret=secrets[0], **how)
        else:
            self.change_webhook(tenant, webhook, url=url, **how | {"types": how.get("types") or _ALL})
        self._database.do(lambda tx: self._keep_secrets(tx, _known(tx, tenant, webhook), secrets))

    async def test_webhook(self, tenant: str, webhook: str) -> dict[str, Any]:
        """Sends a ping, whatever its state, and tells what came back."""
        one = self._database.read(lambda tx: _known(tx, tenant, webhook))
        began = self.clock()
        answer = await self.webhooks.ping(one, self._random(8).hex())
        told = {
            "delivered": answer.reason is None,
            "status": answer.status,
            "reason": answer.reason,
            "body": answer.body.decode("utf-8", "replace")[:TOLD] or None,
            "seconds": (self.clock() - began).total_seconds(),
        }
        return {name: value for name, value in told.items() if value is not None}

    def add_fanout(self, name: str, adapter: str, settings: Mapping[str, Any], *, everything: bool = False) -> None:
        """Hands what happens in all tenants on to a broker, from now on or, a new one, `everything` there is.

        It lasts as long as this object; how far the broker has been told is kept under its name.
        """
        self.fanouts.add(name, adapter, settings, everything=everything)
        self.bell.ring()

    def replay_fanout(self, name: str, tenant: str, after: int) -> None:
        """Everything of the tenant after the cursor is handed on again."""

        def write(tx: Tx) -> None:
            if not fanouts.rewind(tx, name, tenant, _from(tx, tenant, after)):
                raise ConfigError(f"there is no fan-out {name!r} of {tenant}")

        self._database.do(write)

    def remove_fanout(self, name: str) -> None:
        """Nothing is handed on any more, and how far it was is forgotten."""
        self.fanouts.remove(name)

    # inside

    def _described(self, one: Endpoint, types: Iterable[str] | None) -> Endpoint:
        """Raises ConfigError for what cannot be."""
        check_url(one.url, open_network=one.open_network)
        if len(one.description) > LONGEST:
            raise ConfigError(f"a description has at most {LONGEST} characters")
        if types is None or tuple(types) == _ALL:
            return replace(one, types=None)
        wanted = frozenset(types)
        if not 0 < len(wanted) <= MOST:
            raise ConfigError(f"name 1 to {MOST} event types, or none at all for every one")
        if unknown := sorted(wanted - TYPES):
            meant = near(unknown[0], TYPES, "such as interaction.received")
            raise ConfigError(f"there is no event {unknown[0][:60]!r}; {meant}")
        return replace(one, types=wanted)

    def _keep_secrets(self, tx: Tx, one: Endpoint, valid: Sequence[str]) -> None:
        self._secrets.put(tx, one.secret_ref, json.dumps(list(valid)))

    def _shown(self, tx: Tx, one: Endpoint) -> dict[str, Any]:
        shown = {
            "id": one.id,
            "url": one.url,
            "types": sorted(one.types) if one.types is not None else None,
            "description": one.description or None,
            "state": one.state,
            "reason": one.reason,
            "open_network": one.open_network or None,
            "created_at": _time(one.created_at),
            "delivered_at": _time(one.delivered_at) if one.delivered_at else None,
            "cursor": one.cursor,
            "waiting": one.waiting,
            "secrets": len(self.webhooks.secrets_of(tx, one)),
        }
        return {name: value for name, value in shown.items() if value is not None}


def _known(tx: Tx, tenant: str, webhook: str) -> Endpoint:
    found = webhooks.get(tx, tenant, webhook)
    if found is None:
        raise NoSuchWebhook(f"there is no webhook {webhook!r}")
    return found


def _from(tx: Tx, tenant: str, after: int | None) -> int:
    newest = log.newest(tx, tenant)
    if after is not None and not 0 <= after <= newest:
        raise ConfigError(f"the log ends at the cursor {newest}; {after} is not in it")
    return newest if after is None else after


def _check_room(tx: Tx, tenant: str) -> None:
    check_tenant(tx, tenant)
    if len(webhooks.of_tenant(tx, tenant)) >= MOST:
        raise ConfigError(f"{tenant} has {MOST} webhooks, which is the most; remove one")


def _time(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")


def _held(one: Held) -> dict[str, Any]:
    return {
        "lane": one.lane,
        "event": one.cursor,
        "attempts": one.attempts,
        "next_at": _time(one.due_at),
        "reason": one.reason,
    }

"""Who may call the HTTP API: tokens, given out, listed and taken back at run time."""

import base64
from collections.abc import Collection, Iterable
from typing import Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub.base import Base, agent_of
from socialsupport_core.mistakes import near
from socialsupport_core.store import Tx, accounts, micros, tokens
from socialsupport_core.store.accounts import SCOPES, Access, Scope


class Admitting(Base):
    def issue_token(
        self,
        tenant: str,
        agent: str,
        scopes: Iterable[Scope] = SCOPES[:3],
        *,
        origin: str = "code",
        by: str | None = None,
        purpose: str | None = None,
    ) -> str:
        """A bearer token for the HTTP API; only its digest is kept. Raises ConfigError."""
        token = "sst_" + base64.urlsafe_b64encode(self._random(24)).decode()
        self.accept_token(tenant, agent, token, scopes, origin=origin, by=by, purpose=purpose)
        return token

    def accept_token(
        self,
        tenant: str,
        agent: str,
        token: str,
        scopes: Iterable[Scope],
        *,
        origin: str = "code",
        by: str | None = None,
        purpose: str | None = None,
    ) -> None:
        """The same for a token that comes from elsewhere. `origin`: `code`, `http`, or `file`."""
        if isinstance(scopes, str):
            raise ConfigError(f"scopes are a list, as in [{scopes!r}]")
        granted, at = frozenset(scopes), micros(self.clock())
        if unknown := sorted(granted - set(SCOPES)):
            raise ConfigError(f"there is no scope {unknown[0]!r}; {near(unknown[0], SCOPES)}")

        def write(tx: Tx) -> None:
            agent_of(tx, tenant, agent)
            accounts.add_token(tx, token, tenant, agent, granted)
            tokens.note(tx, token, origin, at, by, purpose)

        self._database.do(write)

    def access(self, token: str) -> Access | None:
        """What the token allows, None if it is not one of ours."""
        return self._database.read(lambda tx: accounts.access(tx, token))

    def tokens(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """Of one tenant or of all: for whom, for what, and where from. Never the tokens themselves."""
        return [_shown(one) for one in self._database.read(lambda tx: tokens.tokens(tx, tenant))]

    def revoke_token(self, token: str) -> bool:
        """By its name in the list. False if there is none of that name."""
        return self._database.do(lambda tx: tokens.revoke(tx, token))

    def keep_tokens(self, origin: str, kept: Collection[str]) -> int:
        """Revokes all tokens of this origin but those; how many."""
        return self._database.do(lambda tx: tokens.revoke_others(tx, origin, kept))


def token_name(token: str) -> str:
    """What a token is called in lists; it opens nothing."""
    return tokens.name(token)


def _shown(one: tokens.Token) -> dict[str, Any]:
    shown = {
        "id": one.id,
        "tenant": one.tenant,
        "agent": one.agent,
        "scopes": list(one.scopes),
        "origin": one.origin,
        "issued_at": one.issued_at.isoformat().replace("+00:00", "Z") if one.issued_at else None,
        "issued_by": one.issued_by,
        "purpose": one.purpose,
    }
    return {name: value for name, value in shown.items() if value is not None}

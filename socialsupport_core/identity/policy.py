"""Which evidence joins by itself, and what guards it: data, a tenant's own if it wants."""

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from socialsupport_core.identity import nobodys
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, policies

TIERS = ("human", "verified", "asserted", "claimed")
"""From the strongest. `cannot` is apart: it forbids."""
RANK: Mapping[str, int] = MappingProxyType({tier: rank for rank, tier in enumerate(TIERS)})
HUMAN, VERIFIED, ASSERTED, CLAIMED = range(4)


def _lower(values: frozenset[str]) -> frozenset[str]:
    return frozenset(value.strip().lower() for value in values)


Lower = Annotated[frozenset[str], AfterValidator(_lower)]
Count = Annotated[int, Field(ge=1)]


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


TOLD_APART: Mapping[str, tuple[str, ...]] = MappingProxyType({"phone": ("email", "phone")})
Kinds = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""One may be written without brackets."""


class Policy(BaseModel):
    """How identities are resolved. `[tenants.NAME.identity]` in the configuration has the same keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    merges: Literal["human", "verified", "asserted"] = "asserted"
    """The weakest tier that joins by itself; weaker evidence only suggests."""
    contact_points: frozenset[str] = frozenset({"email", "phone"})
    """Kinds of identifiers that several accounts of one customer may have in common."""
    exclusive: tuple[str, ...] = ("crm.*",)
    """Kinds of which a customer has one at each issuer; `*` stands for any text."""
    limits: dict[str, Count] = Field(default_factory=lambda: {"webchat.visitor": 30})
    """Accounts of a kind that one customer may have without proof; 1 unless named. A browser is soon a new visitor."""
    proven: dict[str, Count] = Field(default_factory=lambda: {"phone": 2})
    """Accounts of one kind that may prove one contact point of this kind; 8 unless named, and above it is shared. A
    mailbox is a person's, a telephone soon a household's."""
    values: Count = 8
    """Contact points of one kind that one account may be said to have."""
    told_apart_by: dict[str, Kinds] = Field(default_factory=lambda: dict(TOLD_APART))
    """A telephone is soon a household's or an office's: it is weighed last, and joins nobody whose own e-mail addresses
    or other telephones tell them apart."""
    recycled: dict[str, timedelta] = Field(default_factory=dict)
    """After so long without a sign a contact point of this kind may be somebody else's: when another account of the
    network proves it then, it has changed hands, though it was proven before. Left out, it is shared. Numbers rest for
    at least 45 days before they are given out again
    (https://www.fcc.gov/consumers/guides/reassigned-numbers-database, 2026-11)."""
    role_mailboxes: Lower = nobodys.ROLES
    """Local parts of e-mail addresses that are nobody's own, alone or as a part: `info@`, `info2@`, `info.berlin@`."""
    placeholders: bool = False
    """Whether what people type in place of a contact joins as well: `test@test.com`, a number of nothing but zeros."""
    family_mailboxes: bool = False
    """Whether a mailbox that calls itself a family's joins without proof: `familie.meyer@`, `family@`."""
    blocked: Lower = frozenset()
    """Values that join nobody: `kind:value`, in which `*` stands for any text, such as `email:*@example.com`."""
    plus_tags: Literal["keep", "drop"] = "keep"
    """Whether `kerry+shop@…` is a mailbox of its own, or Kerry's."""
    calling_code: Annotated[str, Field(pattern=r"^[1-9]\d{0,2}$")] | None = None
    """Of telephone numbers that are written without one, such as `44`. Without it they are left as they are."""
    cap: Count = 32
    """Accounts of one customer, above which only a person joins."""
    component: Count = 512
    """Accounts that hang together by whatever evidence, above which only proof joins."""

    @property
    def weakest(self) -> int:
        return RANK[self.merges]

    def is_contact(self, kind: str) -> bool:
        return kind in self.contact_points

    def is_exclusive(self, kind: str) -> bool:
        return _matches(self.exclusive, kind)

    def limit(self, kind: str) -> int:
        """Of accounts of one kind, without proof."""
        return self.limits.get(kind, 1)

    def rest(self, kind: str) -> int | None:
        """In microseconds; None if identifiers of this kind are not given out again."""
        found = self.recycled.get(kind)
        return None if found is None else found // timedelta(microseconds=1)

    def is_role(self, identifier: Identifier) -> bool:
        return identifier.kind == "email" and self.is_role_mailbox(identifier.value)

    def is_role_mailbox(self, address: str) -> bool:
        return nobodys.is_role(address, self.role_mailboxes)

    def is_nobodys(self, kind: str, value: str) -> bool:
        """By the look of it a placeholder, or a whole family's: nothing that is only said of it joins."""
        if kind == "email" and not self.family_mailboxes and nobodys.is_family(value):
            return True
        return not self.placeholders and nobodys.is_placeholder(kind, value)

    def is_blocked(self, identifier: Identifier) -> bool:
        return bool(self.blocked) and any(fnmatchcase(str(identifier).lower(), one) for one in self.blocked)


@lru_cache(maxsize=4096)
def _matches(patterns: tuple[str, ...], kind: str) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


DEFAULT = Policy()


def policy_of(tx: Tx, tenant: str) -> Policy:
    written = policies.get(tx, tenant)
    return _read(written) if written else DEFAULT


def keep_policy(tx: Tx, tenant: str, policy: Policy | None) -> bool:
    """True if that is a change; then `rebuild` brings the customers in line with it."""
    written = None if policy is None or policy == DEFAULT else policy.model_dump_json(exclude_defaults=True)
    return policies.put(tx, tenant, written)


@lru_cache(maxsize=256)
def _read(written: str) -> Policy:
    return Policy.model_validate_json(written)


def policy_from(written: Mapping[str, Any]) -> Policy:
    """From a file. Raises pydantic's ValidationError."""
    return Policy.model_validate(dict(written))

"""Canonical forms: one spelling for one account, per kind.

They compare; they need not be what is dialled or written to. What a network said stands in the interaction.
"""

import logging
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from socialsupport_core.identity.addresses import account_at
from socialsupport_core.identity.phones import phone
from socialsupport_core.identity.policy import DEFAULT, Policy
from socialsupport_core.model import Identifier

logger = logging.getLogger("socialsupport")
Form = Callable[[str], str]
_PLAIN = re.compile(r"[a-z0-9._-]+@[a-z0-9.-]*[a-z0-9]").fullmatch
"""A mailbox as most are, of which there is nothing to change."""


def canonical(identifier: Identifier, policy: Policy = DEFAULT) -> Identifier:
    """The identifier in the spelling under which it is kept and compared."""
    value = canonical_value(identifier.kind, identifier.value, policy)
    return identifier if value == identifier.value else identifier.model_copy(update={"value": value})


def canonical_value(kind: str, value: str, policy: Policy = DEFAULT) -> str:
    if kind == "phone" and value[:1] == "+":
        return phone(value, policy.calling_code)
    form = FORMS.get(kind)
    if form is None and kind != "phone" and value.isalnum():
        return value  # a bare number or name, as most are, has but one spelling
    if form is email and _PLAIN(value):
        return value
    if value[:4].lower() in ("http", "mail", "tel:") and (found := account_at(value)) and found.kind == kind:
        value = found.value
    if kind == "phone":
        return phone(value, policy.calling_code)
    written = (form(value) if form else value.strip()) or value
    return without_tag(written) if policy.plus_tags == "drop" and kind == "email" else written


def email(value: str) -> str:
    """Case does not tell two mailboxes apart in practice; the domain is compared in its ASCII form (RFC 5890)."""
    local, _, domain = value.strip().rpartition("@")
    if not local:
        return _small(value.strip())
    return f"{_small(local)}@{_ascii(domain).lower()}"


def _small(written: str) -> str:
    """A letter that is none of ASCII stays none: a mailbox with the sign of the Kelvin (U+212A) is not that with k."""
    if written.isascii():
        return written.lower()
    return "".join(c if not c.isascii() and c.lower().isascii() else c.lower() for c in written)


@lru_cache(maxsize=4096)
def _ascii(domain: str) -> str:
    try:
        return domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        return domain


def without_tag(address: str) -> str:
    """`kerry+shop@…` is Kerry's (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    plain = local.partition("+")[0]
    return f"{plain}@{domain}" if plain else address


FORMS: dict[str, Form] = {"email": email}


def add_forms(forms: Mapping[str, Form]) -> None:
    """Those of plugins, for kinds of their own; what the core compares is its own affair."""
    FORMS.update((kind, _contained(kind, form)) for kind, form in forms.items() if kind not in ("email", "phone"))


def _contained(kind: str, form: Form) -> Form:
    """What a plugin cannot spell stays as it is written: nobody's message waits for it."""

    def spelt(value: str) -> str:
        try:
            return form(value).strip() or value
        except (Exception, SystemExit) as error:
            logger.warning("the canonical form of %s failed: %s", kind, type(error).__name__)
            return value

    return spelt

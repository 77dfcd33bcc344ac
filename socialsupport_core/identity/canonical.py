"""Canonical forms: one spelling for one account, per kind."""

from collections.abc import Callable

from socialsupport_core.model import Identifier


def canonical(identifier: Identifier) -> Identifier:
    """The identifier in the spelling under which it is kept and compared."""
    form = FORMS.get(identifier.kind)
    value = form(identifier.value) if form else identifier.value.strip()
    return identifier if value == identifier.value else identifier.model_copy(update={"value": value})


def _email(value: str) -> str:
    """Case does not tell two mailboxes apart in practice; the domain is compared in its ASCII form (RFC 5890)."""
    local, _, domain = value.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = domain
    return f"{local}@{ascii_domain}".lower() if local else value.strip().lower()


def _phone(value: str) -> str:
    """E.164 keeps the plus and the digits; spaces, dots and brackets are for people."""
    kept = "".join(c for c in value if c.isascii() and c.isdigit())
    return f"+{kept}" if value.strip().startswith("+") else kept or value


FORMS: dict[str, Callable[[str], str]] = {"email": _email, "phone": _phone}

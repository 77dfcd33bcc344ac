"""What tenants, channels, apps and agents may be called."""

import re

from socialsupport_core.contract import ConfigError

ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
ID_MARKS = "a-z, 0-9, _ . and -"


def rule(marks: str) -> str:
    return f"may have up to 64 characters of {marks}, and begins with none of the marks"


def check_id(what: str, given: str) -> None:
    """Of tenants, channels and apps: it stands in addresses. Raises ConfigError."""
    if not ID.fullmatch(given):
        raise ConfigError(f"{what} {given[:80]!r}: an id {rule(ID_MARKS)}")


def check_agent(given: str) -> None:
    """A CRM's agents have ids of its making. Raises ConfigError."""
    if not given.strip() or not given.isprintable():
        raise ConfigError(f"agent {given[:80]!r}: an id has something to read in it")

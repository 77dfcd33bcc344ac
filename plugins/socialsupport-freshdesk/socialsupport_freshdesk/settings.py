"""What an operator enters for one Freshdesk."""

from typing import Annotated

from pydantic import SecretStr, StringConstraints

from socialsupport_core.contract import Settings


class FreshdeskSettings(Settings):
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*\.freshdesk\.com$")]
    api_key: SecretStr
    """Of an agent that is ours alone."""
    field: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")] = "cf_socialsupport"
    """The name of a ticket field for a single line of text."""
    file_hosts: tuple[str, ...] = ()
    """Where files lie beside `*.freshdesk.com`."""

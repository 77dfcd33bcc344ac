"""What the operator says of one channel."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from socialsupport_core.contract import Settings
from socialsupport_core.contract.standard_webhooks import LONGEST, SHORTEST, secret_key
from socialsupport_generic.mapping import Mapping

Secret = Annotated[SecretStr, Field(min_length=16)]
HowTo = "`echo whsec_$(openssl rand -base64 32)` makes a good one"


class GenericSettings(Settings):
    own_account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    """The name of this channel in identifiers. Changing it makes everybody there somebody new."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    mapping: Mapping
    secret: Secret
    """By which their webhooks are known: `whsec_…`, or any text where `header` names the header that carries it."""
    previous_secret: Secret | None = None
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$", to_lower=True)] | None = None
    """Their webhooks carry the bare secret in this header; left out, they are signed as Standard Webhooks."""
    address: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$", max_length=2000)] | None = (
        None
    )
    """Where our messages are posted. Left out, nothing can be said there."""
    signing_secret: Secret | None = None
    """`whsec_…`; signs what we post."""
    previous_signing_secret: Secret | None = None
    max_text: Annotated[int, Field(ge=20, le=100_000)] | None = None
    """Characters of the longest message; a longer one is sent in parts."""
    file_hosts: frozenset[str] = frozenset()
    """Hosts from which files are fetched, over https."""
    invitation: Annotated[str, StringConstraints(pattern=r"^https?://", max_length=2000)] | None = None
    """An address by which customers come here; `{token}` in it is the hand-off token, which `mapping.handoff` finds."""

    @field_validator("signing_secret", "previous_signing_secret")
    @classmethod
    def _signs(cls, secret: SecretStr | None) -> SecretStr | None:
        return _checked(secret)

    @field_validator("invitation")
    @classmethod
    def _carries_the_token(cls, address: str | None) -> str | None:
        if address is not None and address.count("{token}") != 1:
            raise ValueError("write {token} once, where the hand-off token belongs")
        return address

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.header is None:
            _checked(self.secret)
            _checked(self.previous_secret)
        if self.address and self.signing_secret is None:
            raise ValueError(f"address: set signing_secret too, by which they know that it is us; {HowTo}")
        if self.invitation and self.mapping.handoff is None:
            raise ValueError("invitation: set mapping.handoff too, where the token comes back")
        ways_in = {one.get_secret_value() for one in self.incoming}
        if ways_in & {one.get_secret_value() for one in self.outgoing}:
            raise ValueError(
                "signing_secret: take another than secret, or what we post could be sent back to us as theirs"
            )
        return self

    @property
    def incoming(self) -> tuple[SecretStr, ...]:
        return tuple(one for one in (self.secret, self.previous_secret) if one)

    @property
    def outgoing(self) -> tuple[SecretStr, ...]:
        return tuple(one for one in (self.signing_secret, self.previous_signing_secret) if one)

    @property
    def host(self) -> str | None:
        return urlsplit(self.address).hostname if self.address else None


def _checked(secret: SecretStr | None) -> SecretStr | None:
    if secret is None:
        return None
    try:
        length = len(secret_key(secret.get_secret_value()))
    except ValueError as error:
        raise ValueError(f"{error}; {HowTo}") from None
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"a webhook's secret holds {SHORTEST} to {LONGEST} bytes; {HowTo}")
    return secret

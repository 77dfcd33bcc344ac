"""How a plugin comes by credentials and keeps them, the same for connectors and CRM adapters."""

import base64
import hashlib
from typing import ClassVar

from pydantic import SecretStr

from socialsupport_core.contract.errors import Unsupported
from socialsupport_core.contract.flow import Flow
from socialsupport_core.model import Credentials, Value


class SignIn(Value):
    """An operator on the way to the network's own page and back. The host keeps it, and uses it once."""

    state: str
    redirect: str
    """Our address to which the network sends the operator back; it wants the same when the code is exchanged."""
    verifier: SecretStr
    """PKCE (RFC 7636): 43 characters that nobody but the host knows until the code is exchanged."""

    @property
    def challenge(self) -> str:
        """S256 of the verifier, for the address."""
        digest = hashlib.sha256(self.verifier.get_secret_value().encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class SignsIn:
    """What the host calls to get credentials and to renew them. It stores them; a plugin never does."""

    name: ClassVar[str]

    @property
    def grants_itself(self) -> bool:
        """Whether the settings alone prove who we are: `refresh` then needs no credentials of before (RFC 7523)."""
        return False

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        """New credentials for old. A refresh token or scopes that the network leaves out stay as they were."""
        raise Unsupported(f"{self.name} has no credentials to refresh")

    def connect(self, state: str, redirect: str) -> str:
        """The address at which an operator grants access (OAuth)."""
        raise Unsupported(f"{self.name} has no sign-in; put its credentials into the settings")

    def connect_with(self, sign_in: SignIn) -> str:
        """What the host calls. Write this one for PKCE, and `connect` where state and redirect are enough."""
        return self.connect(sign_in.state, sign_in.redirect)

    def exchange(self, code: str) -> Flow[Credentials]:
        """The credentials for the code that the operator brought back."""
        raise Unsupported(f"{self.name} has no sign-in; put its credentials into the settings")

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        """What the host calls. Write this one where the network wants the redirect or the verifier again."""
        return self.exchange(code)

"""Who sent a webhook: HMAC-SHA1 under the account's auth token.

https://www.twilio.com/docs/usage/webhooks/webhooks-security (2026-11): over the address and, of a form,
every parameter's name and value, sorted by name; of another body its SHA-256 stands in the address as `bodySHA256`.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload

HEADER = "x-twilio-signature"
BODY_DIGEST = "bodySHA256"
PORTS = {"https": 443, "http": 80}
Parameters = Sequence[tuple[str, str]]


def signature(token: str, url: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """A parameter that is there twice with one value counts once."""
    written = "".join(f"{name}{value}" for name, value in sorted(set(parameters)))
    signed = hmac.new(token.encode(), f"{url}{written}".encode(), "sha1")
    return b64encode(signed.digest()).decode()


def verify(payload: Payload, tokens: Iterable[str]) -> None:
    given = (payload.header(HEADER) or "").encode("utf-8", "replace")
    if not given:
        raise SignatureError("X-Twilio-Signature is missing")
    if not payload.url:
        raise SignatureError("the address that Twilio called is not known, and it is signed too")
    parameters = _parameters(payload)
    good = [signature(token, url, parameters).encode() for token in tokens for url in addresses(payload.url)]
    if True not in [hmac.compare_digest(one, given) for one in good]:  # always all of them
        raise SignatureError("X-Twilio-Signature fits neither address and parameters nor the auth token")


def form(body: bytes) -> list[tuple[str, str]]:
    """Raises ValueError where it is no form in UTF-8."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict") if body else []


def _parameters(payload: Payload) -> Parameters:
    """Those that are signed beside the address."""
    digest = payload.query.get(BODY_DIGEST)
    if digest is not None:
        if not hmac.compare_digest(hashlib.sha256(payload.body).hexdigest().encode(), digest.encode()):
            raise SignatureError("bodySHA256 in the address is not the digest of the body")
        return []
    try:
        return form(payload.body)
    except ValueError:
        raise SignatureError("the body is no form, and the address has no bodySHA256") from None


def addresses(url: str) -> Iterator[str]:
    """Twilio signs the address with its standard port or without, depending on the product."""
    yield url
    try:
        parts = urlsplit(url)
        port, standard = parts.port, PORTS.get(parts.scheme)
    except ValueError:
        return
    if standard and port == standard:
        yield urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))
    elif standard and port is None:
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc}:{standard}"))

"""Where an issuer's keys are, and which of them may sign: OpenID Connect Discovery 1.0, RFC 7517.

https://openid.net/specs/openid-connect-discovery-1_0.html (2026-11). Nothing here calls anybody.
"""

import json
from datetime import timedelta
from typing import Any, NamedTuple

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.identity.proofs.oidc import LONGEST, MOST_KEYS, NO_KEYS
from socialsupport_core.store.proofs import Issuer
from socialsupport_core.wire.webhook import check_url

WELL_KNOWN = "/.well-known/openid-configuration"
LEAST = timedelta(minutes=1) // timedelta(microseconds=1)
"""Between two times that keys are asked for: whoever sends tokens with invented keys calls nobody more often."""
MOST = timedelta(days=1) // timedelta(microseconds=1)
"""After so long they are asked for again, so that one that was withdrawn is soon believed no more."""


class Named(NamedTuple):
    """What a token says of itself; nothing of it is proven."""

    issuer: str
    key: str | None


def configuration_of(issuer: str) -> str:
    """Its address (section 4). Raises ConfigError for one at which nothing would be read."""
    address = issuer.rstrip("/") + WELL_KNOWN
    check_url(address, open_network=False)
    return address


def keys_at(issuer: str, configuration: bytes) -> str:
    """`jwks_uri` of an issuer's own configuration. Raises ConfigError."""
    said = _object(configuration, "configuration")
    if said.get("issuer") != issuer:  # section 4.3: exactly the same, or one issuer could speak for another
        raise ConfigError(f"the configuration of {issuer} names another issuer; write it as its tokens name it")
    address = said.get("jwks_uri")
    if not isinstance(address, str):
        raise ConfigError(f"the configuration of {issuer} names no keys (jwks_uri)")
    try:
        check_url(address, open_network=False)
    except ConfigError as error:
        raise ConfigError(f"the keys of {issuer} cannot be read: {error}") from None
    return address


def usable(key_set: bytes) -> str:
    """Its public keys for signatures, as JSON. Whatever is shared or private is left out: it must never be believed."""
    written = _object(key_set, "key set").get("keys")
    listed = [one for one in written if isinstance(one, dict)] if isinstance(written, list) else []
    kept = [one for one in listed if one.get("kty") in ("RSA", "EC", "OKP") and "d" not in one and _signs(one)]
    if not kept:
        raise ConfigError("the issuer has no public key for signatures (RSA, EC, OKP)")
    _check(kept[:MOST_KEYS])
    return json.dumps({"keys": kept[:MOST_KEYS]})


def _signs(key: dict[str, Any]) -> bool:
    return bool(key.get("use", "sig") == "sig")


def _check(keys: list[dict[str, Any]]) -> None:
    from joserfc.errors import JoseError  # noqa: PLC0415 - only with its extra installed
    from joserfc.jwk import KeySet  # noqa: PLC0415

    try:
        KeySet.import_key_set({"keys": keys})
    except (JoseError, ValueError, TypeError) as error:
        raise ConfigError(f"the issuer's keys cannot be used: {error}") from None


def _object(body: bytes, what: str) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ConfigError(f"the issuer's {what} is no JSON object")
    return said


def named(id_token: str) -> Named | None:
    from joserfc import jws  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415

    if len(id_token) > LONGEST:
        return None
    try:
        found = jws.extract_compact(id_token.encode())
        issuer = json.loads(found.payload).get("iss")
    except (JoseError, ValueError, AttributeError, RecursionError):
        return None
    key = found.headers().get("kid")
    return Named(issuer, key if isinstance(key, str) else None) if isinstance(issuer, str) else None


def is_due(one: Issuer, key: str | None, at: int) -> bool:
    """Whether its keys are to be asked for: there are none, this one is not among them, or they are old."""
    if one.fetched_at is None or at < one.fetched_at + LEAST:
        return False
    is_known = key is None or any(held.get("kid") == key for held in json.loads(one.keys)["keys"])
    return one.keys == NO_KEYS or not is_known or at >= one.fetched_at + MOST

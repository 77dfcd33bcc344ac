"""Sign-in at the host's customer portal: an ID token of OpenID Connect."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.proofs.base import Outcome, Proof, Proven
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, proofs
from socialsupport_core.store.digests import digest
from socialsupport_core.store.identity import Node
from socialsupport_core.store.proofs import Issuer

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
)  # fmt: skip
"""Signatures by a private key that only the issuer has (RFC 7518 3.1, RFC 8037). No `none`, and no HMAC: with a public
key taken for a shared secret, anybody could sign."""
LONGEST = 8_192  # characters of a token
SECOND = 1_000_000
LEEWAY = 60  # seconds by which two clocks may differ
MOST_KEYS = 50
NO_KEYS = json.dumps({"keys": []})
NONCE_LIFETIME = timedelta(minutes=10) // timedelta(microseconds=1)


class OidcSignIn(Proof):
    """An ID token of the issuer whom the host's customer portal trusts, asked for with a nonce of ours.

    Proves that whoever is at this account has just signed in at the portal as this subject (OpenID Connect Core
    3.1.3.7): signed by a key of the issuer, made for our audience, not over, and for the nonce that was given for
    exactly this account and is used up by it. An address counts if the issuer says that it is verified.

    Against tokens of another issuer, for another audience or party, expired ones, ones without a signature or with
    another algorithm than was agreed, a public key taken for a shared secret, and any token that was used or stolen:
    its nonce is spent, or was given for another account. Not against an issuer that lets people choose the addresses
    that it calls verified.
    """

    name: ClassVar[str] = "oidc"

    def ask(self, tx: Tx, tenant: str, account: Node, random: Callable[[int], bytes], at: int) -> tuple[str, int]:
        """A nonce for this account, and until when; only its digest is kept."""
        nonce = random(16).hex()
        expires_at = at + NONCE_LIFETIME
        proofs.forget_nonces(tx, at - NONCE_LIFETIME)
        proofs.put_nonce(tx, tenant, digest(tx, tenant, "nonce", nonce), account.number, expires_at)
        return nonce, expires_at

    def judge(self, tx: Tx, tenant: str, account: Node, id_token: str, issuers: Collection[Issuer], at: int) -> Outcome:
        """Spends the nonce whatever comes of it, if the token is otherwise right."""
        try:
            issuer, claims = _verified(id_token, issuers)
            _check(issuer, claims, at)
        except _Wrong as wrong:
            return self.refused(str(wrong))
        nonce = claims.get("nonce")
        if not isinstance(nonce, str):
            return self.refused("the token has no nonce; ask for one, and sign in with it")
        spent = proofs.use_nonce(tx, tenant, digest(tx, tenant, "nonce", nonce), at)
        if spent is None:
            return self.refused("the nonce was used already, or is not ours")
        if spent["node"] != account.number:
            return self.refused("the nonce was given for another account")
        if at > spent["expires_at"]:
            return self.refused("the nonce has expired")
        source = f"oidc:{digest(tx, tenant, 'nonce', nonce)}"
        return Proven(self.name, account.identifier, _claims(issuer, claims), "verified", source, at)


class _Wrong(Exception):
    """Why the token counts for nothing. Never holds anything of the token but its names."""


def _verified(id_token: str, issuers: Collection[Issuer]) -> tuple[Issuer, Mapping[str, Any]]:
    """By the keys and algorithms of the issuer that it names, which must be one of ours."""
    from joserfc import jws, jwt  # noqa: PLC0415 - only with its extra installed
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    if len(id_token) > LONGEST:
        raise _Wrong(f"the token has more than {LONGEST} characters")
    try:
        named = json.loads(jws.extract_compact(id_token.encode()).payload)
        issuer = next((one for one in issuers if one.issuer == named.get("iss")), None)
    except (JoseError, ValueError, AttributeError, RecursionError):
        raise _Wrong("this is no signed token (RFC 7519); give the id_token as the issuer gave it") from None
    if issuer is None:
        raise _Wrong("the token's issuer is not trusted here")
    if issuer.keys == NO_KEYS:
        raise _Wrong("the issuer's keys could not be read yet; try again in a minute")
    try:
        keys = KeySet.import_key_set(json.loads(issuer.keys))
        token = jwt.decode(id_token, keys, algorithms=list(issuer.algorithms))
    except (JoseError, ValueError):
        raise _Wrong("the signature does not fit a key of the issuer, or its algorithm is not allowed") from None
    if "crit" in token.header:
        raise _Wrong("the token demands something that is not known here (crit)")
    return issuer, token.claims


def _check(issuer: Issuer, claims: Mapping[str, Any], at: int) -> None:
    """OpenID Connect Core 3.1.3.7."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if issuer.audience not in audiences:
        raise _Wrong("the token was made for somebody else (aud)")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != issuer.audience:
        raise _Wrong("the token was asked for by somebody else (azp)")
    now = at / SECOND
    expires, issued, begins = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise _Wrong("the token does not say when it was made and when it ends (iat, exp)")
    if now >= expires + LEEWAY:
        raise _Wrong("the token has expired")
    if max(issued, begins or 0) > now + LEEWAY:
        raise _Wrong("the token comes from the future; look at the clocks")
    subject = claims.get("sub")
    if not (isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable()):
        raise _Wrong("the token names nobody (sub)")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _claims(issuer: Issuer, claims: Mapping[str, Any]) -> tuple[Identifier, ...]:
    found = [Identifier(kind="oidc.subject", scope=_scope(issuer.issuer), value=claims["sub"])]
    for name, kind in (("email", "email"), ("phone_number", "phone")):
        value = claims.get(name)
        if claims.get(f"{name}_verified") is True and isinstance(value, str) and 0 < len(value) <= 320:
            found.append(canonical(Identifier(kind=kind, value=value)))
    return tuple(found)


def _scope(issuer: str) -> str:
    """The issuer within which a subject is unique, in the form in which identifiers are written."""
    return issuer.removeprefix("https://").rstrip("/").replace(":", "%3A")


def trusted(
    tenant: str, issuer: str, audience: str, keys: Mapping[str, Any] | None, algorithms: Collection[str]
) -> Issuer:
    """Checked before it is trusted. `keys` is the issuer's public JSON Web Key Set; without it they are asked for where
    the issuer says. Raises ConfigError."""
    _need_library()
    address = urlsplit(issuer)
    if address.scheme != "https" or not address.netloc or address.query or address.fragment or len(issuer) > 250:
        raise ConfigError(f"{issuer[:80]!r} is no issuer; write it as its tokens name it, https://login.acme.example")
    if not audience:
        raise ConfigError("audience: write the client id for which the issuer makes its tokens")
    if unknown := sorted(set(algorithms) - set(ALGORITHMS)):
        raise ConfigError(f"algorithms: {unknown[0]!r} is not allowed; there is {', '.join(ALGORITHMS)}")
    if not algorithms:
        raise ConfigError("algorithms: name at least one, such as RS256")
    if keys is None:
        return Issuer(tenant, issuer, audience, tuple(algorithms), NO_KEYS, 0)
    return Issuer(tenant, issuer, audience, tuple(algorithms), _given(keys))


def _need_library() -> None:
    try:
        import joserfc  # noqa: F401, PLC0415
    except ImportError:
        raise ConfigError("sign-in needs a library: pip install 'socialsupport[oidc]'") from None


def _given(keys: Mapping[str, Any]) -> str:
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    written = keys.get("keys")
    if not isinstance(written, list) or not 0 < len(written) <= MOST_KEYS:
        raise ConfigError("keys: give the issuer's JSON Web Key Set, as its jwks_uri answers (RFC 7517)")
    if any(not isinstance(one, Mapping) or one.get("kty") not in ("RSA", "EC", "OKP") or "d" in one for one in written):
        raise ConfigError("keys: public keys only (RSA, EC, OKP); a shared or private key must never be given")
    try:
        KeySet.import_key_set({"keys": written})
    except (JoseError, ValueError, TypeError) as error:
        raise ConfigError(f"keys: {error}") from None
    return json.dumps({"keys": written})

"""Keyed digests: what must be known again and must not be kept."""

import hmac

from socialsupport_core.store.accounts import tenant_key
from socialsupport_core.store.database import Tx


def digest(tx: Tx, tenant: str, *parts: str) -> str:
    """128 bits under the tenant's own key, in hex: the same text gives the same one, and nobody else can try texts."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    known = tx.memo("keyed")
    if tenant not in known:
        known[tenant] = hmac.new(tenant_key(tx, tenant), digestmod="sha256")
    keyed: hmac.HMAC = known[tenant].copy()
    keyed.update(text)
    return keyed.digest()[:16].hex()

"""Keyed digests: what must be known again and must not be kept."""

import hmac

from socialsupport_core.store.accounts import tenant_key
from socialsupport_core.store.database import Tx


def digest(tx: Tx, tenant: str, *parts: str) -> str:
    """128 bits under the tenant's own key, in hex: the same text gives the same one, and nobody else can try texts."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hmac.digest(tenant_key(tx, tenant), text, "sha256")[:16].hex()

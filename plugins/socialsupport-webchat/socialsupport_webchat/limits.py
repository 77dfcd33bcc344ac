"""How fast a visitor may be."""

from socialsupport_core.contract.pages import MAX_BUCKETS, Buckets, Rate

__all__ = ["MAX_BUCKETS", "Buckets", "Rate"]

"""Everything that lasts. `Database` runs work in micro-batches; each module beside it holds one concept's tables."""

from socialsupport_core.store.database import Database, StoreError, Tx, micros, moment

__all__ = ["Database", "StoreError", "Tx", "micros", "moment"]

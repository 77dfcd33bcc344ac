"""Files go when no message has them any more."""

from socialsupport_core.store import Database, removing
from socialsupport_core.store.blobs import BlobStore


def drop(database: Database, blobs: BlobStore, blob: str) -> int | None:
    """Deletes the file unless a message has it; its size in bytes, None if it stays.

    Somebody may be sending or fetching the very same file: whoever commits a reference while it is being deleted has
    it put back.
    """
    if database.read(lambda tx: removing.is_referred_to(tx, blob)):
        return None
    try:
        content = blobs.get(blob)
    except KeyError:
        return 0
    blobs.delete(blob)
    if database.read(lambda tx: removing.is_referred_to(tx, blob)):
        blobs.put(content)
        return None
    return len(content)

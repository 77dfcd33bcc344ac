"""Files by their digest: bounded, whole or not there, and used again by whoever puts them again."""

import os
import time
from pathlib import Path

import pytest

from socialsupport_core.store import blobs
from socialsupport_core.store.blobs import BlobTooLarge, FolderBlobs

LONG_AGO = time.time() - 100_000


@pytest.fixture
def folder(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def test_what_is_too_large_is_not_kept(folder: FolderBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "MAX_BYTES", 10)
    assert folder.get(folder.put(b"0123456789")) == b"0123456789"
    with pytest.raises(BlobTooLarge, match="at most 10"):
        folder.put(b"0123456789a")


def test_what_is_put_again_is_new_again(folder: FolderBlobs) -> None:
    digest = folder.put(b"eggs")
    path = folder.folder / digest[:2] / digest
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert list(folder.put_before(LONG_AGO + 1)) == [digest]
    assert folder.put(b"eggs") == digest
    assert list(folder.put_before(time.time() - 1000)) == []


def test_what_is_being_written_is_left_alone(folder: FolderBlobs) -> None:
    digest = folder.put(b"eggs")
    half = folder.folder / digest[:2] / "tmp123"
    half.write_bytes(b"eg")
    assert list(folder.put_before(time.time() - 1000)) == []
    assert half.exists()
    os.utime(half, (LONG_AGO, LONG_AGO))
    assert list(folder.put_before(time.time() - 1000)) == []
    assert not half.exists()


@pytest.mark.parametrize("name", ["", "../secret", "f" * 63, "F" * 64, "g" * 64])
def test_what_is_no_digest_leads_nowhere(folder: FolderBlobs, name: str) -> None:
    with pytest.raises(KeyError):
        folder.get(name)
    with pytest.raises(KeyError):
        folder.delete(name)

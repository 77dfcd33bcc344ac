"""Files by their digest: bounded, whole or not there, used again by whoever puts them again, and kept for later while the
disk takes none."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from raven import Roost, message

from socialsupport_core.store import StoreError, blobs
from socialsupport_core.store.blobs import BlobTooLarge, FolderBlobs

LONG_AGO = time.time() - 100_000
FILE = {"media_type": "image/png", "native_id": "f1", "name": "a.png"}


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


# a disk that takes none


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """A file stands where the folder was: whoever one is, root too, nothing can be written or read below it."""
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.write_bytes(b"")
    yield
    folder.unlink()
    elsewhere.rename(folder)


def folder_of(roost: Roost) -> Path:
    kept = roost.hub.blobs
    assert isinstance(kept, FolderBlobs)
    return kept.folder


def test_what_does_not_fit_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = FolderBlobs(tmp_path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            kept.put(b"a picture")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert kept.get(kept.put(b"a picture")) == b"a picture"


def test_a_file_of_a_customer_waits_for_the_disk_as_long_as_it_takes(roost: Roost) -> None:
    roost.sky.files["f1"] = b"a picture"
    with away(folder_of(roost)):
        roost.hear(message(1, "look", at=roost.clock.now, attachments=(FILE,)))
        assert roost.hub.health()["failing"] == []
        for _ in range(40):
            roost.clock.forward(hours=2)
            roost.hub.drain()
        (told,) = roost.hub.health()["failing"]
        assert told.startswith("acme/1 attachment cannot be kept: the attachments in ")
        assert roost.log("attachment.refused") == []
    roost.clock.forward(hours=2)
    roost.hub.drain()
    (shown,) = roost.timeline()[0]["attachments"]
    assert roost.hub.attachment("acme", shown["id"])[1] == b"a picture"
    assert roost.hub.health()["failing"] == []

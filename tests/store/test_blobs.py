"""The folder of attachments: what cannot be kept now is said, left nowhere, and kept when there is room again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from raven import Roost, message

from socialsupport_core.store import StoreError
from socialsupport_core.store.blobs import FolderBlobs

FILE = {"media_type": "image/png", "native_id": "f1", "name": "a.png"}


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
    blobs = roost.hub.blobs
    assert isinstance(blobs, FolderBlobs)
    return blobs.folder


def test_what_does_not_fit_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FolderBlobs(tmp_path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            blobs.put(b"a picture")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert blobs.get(blobs.put(b"a picture")) == b"a picture"


def test_a_file_of_a_customer_waits_for_the_disk_as_long_as_it_takes(roost: Roost) -> None:
    roost.sky.files["f1"] = b"a picture"
    with away(folder_of(roost)):
        roost.hear(message(1, "look", at=roost.clock.now, attachments=(FILE,)))
        for _ in range(40):
            roost.clock.forward(hours=2)
            roost.hub.drain()
        assert roost.log("attachment.refused") == []
    roost.clock.forward(hours=2)
    roost.hub.drain()
    (shown,) = roost.timeline()[0]["attachments"]
    assert roost.hub.attachment("acme", shown["id"])[1] == b"a picture"

"""Secrets at rest, and attachments by their digest."""

import hashlib
import stat
from pathlib import Path

import pytest
from raven import Roost, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub import Hub
from socialsupport_core.store import StoreError, open_store
from socialsupport_core.store.blobs import MAX_BYTES, BlobTooLarge, FolderBlobs
from socialsupport_core.store.secrets import EncryptedSecrets, keys_beside, new_key


def test_no_secret_lies_open_on_the_disk(roost: Roost, tmp_path: Path) -> None:
    roost.hub.add_channel("acme", "east", "raven", {"secret": "hunter2-hunter2"})
    token = roost.hub.issue_token("acme", "dana")
    dump = roost.dump()
    assert "hunter2" not in dump
    assert token not in dump
    roost.hub.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert roost.key in files
    for path in files:
        content = path.read_bytes()
        assert b"hunter2" not in content, path
        assert token.encode() not in content, path


def test_two_keys_are_valid_during_a_rotation(tmp_path: Path) -> None:
    database = open_store(tmp_path / "store.sqlite")
    old, new = new_key(), new_key()
    database.do(lambda tx: EncryptedSecrets([old]).put(tx, "a", "geheim ☃"))
    both = EncryptedSecrets([new, old])
    assert database.read(lambda tx: both.get(tx, "a")) == "geheim ☃"
    database.do(lambda tx: both.put(tx, "a", "fresh"))
    assert database.read(lambda tx: EncryptedSecrets([new]).get(tx, "a")) == "fresh"
    with pytest.raises(ConfigError, match="sealed with another key"):
        database.read(lambda tx: EncryptedSecrets([old]).get(tx, "a"))
    database.close()


def test_what_an_old_key_has_sealed_is_sealed_with_the_first_so_that_the_old_one_can_go(tmp_path: Path) -> None:
    database = open_store(tmp_path / "store.sqlite")
    older, old, new = new_key(), new_key(), new_key()
    for ref, keys in (("a", [old]), ("b", [new]), ("c", [older])):
        database.do(lambda tx, ref=ref, keys=keys: EncryptedSecrets(keys).put(tx, ref, f"geheim {ref}"))
    alone = EncryptedSecrets([new])
    assert database.do(alone.reseal) is None
    assert database.do(EncryptedSecrets([new, old]).reseal) == 1
    assert [database.read(lambda tx, ref=ref: alone.get(tx, ref)) for ref in "ab"] == ["geheim a", "geheim b"]
    with pytest.raises(ConfigError, match="sealed with another key"):
        database.read(lambda tx: alone.get(tx, "c"))
    assert database.do(EncryptedSecrets([new, older]).reseal) == 0
    assert database.read(lambda tx: alone.get(tx, "c")) == "geheim c"
    database.close()


def test_a_start_ends_a_rotation(roost: Roost, caplog: pytest.LogCaptureFixture) -> None:
    (old,) = roost.key.read_text().split()
    new = new_key()
    roost.key.write_text(f"{new}\n{old}\n")
    roost.reopen()
    with caplog.at_level("INFO", "socialsupport"):
        roost.hub.start()
    assert "all secrets are sealed with the first key" in caplog.text
    roost.key.write_text(f"{new}\n")
    roost.reopen()
    roost.hear(message(1, "hello"))
    assert roost.texts() == ["hello"]


def test_a_key_that_is_none_says_so_without_quoting_it() -> None:
    with pytest.raises(ConfigError) as refused:
        EncryptedSecrets(["not-a-key-hunter2"])
    assert "hunter2" not in str(refused.value)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = keys_beside(tmp_path / "a.sqlite")
    assert keys_beside(tmp_path / "a.sqlite") == first
    mode = stat.S_IMODE((tmp_path / "a.sqlite.key").stat().st_mode)
    assert mode == 0o600


@pytest.mark.parametrize("content", [b"hunter2 is no key\n", b"", "g\u00e9heim".encode()])
def test_a_file_with_no_valid_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sqlite.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="holds no valid key") as refused:
        Hub.open(tmp_path / "a.sqlite", public_url="https://support.example")
    assert str(refused.value).startswith(str(path))
    assert "hunter2" not in str(refused.value)


def test_a_channel_sealed_with_a_lost_key_is_broken_and_the_rest_runs(roost: Roost) -> None:
    roost.hub.close()
    roost.key.write_text(new_key())
    hub = roost.reopen()
    (shown,) = hub.list_channels("acme")
    assert (shown["state"], "another key" in shown["reason"]) == ("broken", True)
    assert hub.health()["journal"]["unexplained"] == 0
    hub.start()
    felt = hub.health()
    assert felt["status"] == "degraded"
    (told,) = [one for one in felt["failing"] if one.startswith("acme/")]
    assert "is broken here" in told


def test_no_new_key_is_made_where_something_is_sealed_already(roost: Roost) -> None:
    kept = roost.key.read_text()
    roost.hub.close()
    roost.key.unlink()
    with pytest.raises(ConfigError, match=r"sealed with a key, and there is none at .*\.key: bring it from where"):
        roost.reopen()
    assert not roost.key.exists()
    roost.key.write_text(kept)
    assert roost.reopen().list_channels("acme")[0]["state"] == "active"


def test_blobs_are_kept_once_by_their_digest(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(b"content")
    assert digest == hashlib.sha256(b"content").hexdigest() == blobs.put(b"content")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert blobs.get(digest) == b"content"
    blobs.delete(digest)
    blobs.delete(digest)
    with pytest.raises(KeyError):
        blobs.get(digest)


def test_a_folder_that_was_unmounted_is_not_made_anew(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "disk" / "blobs")
    digest = blobs.put(b"content")
    disk = (tmp_path / "disk").rename(tmp_path / "unmounted")
    with pytest.raises(StoreError, match="is its disk mounted"):
        blobs.get(digest)
    with pytest.raises(StoreError, match="is its disk mounted"):
        blobs.put(b"more")
    disk.rename(tmp_path / "disk")
    assert blobs.get(digest) == b"content"


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "/" * 64, "g" * 64, "٣" * 64])
def test_a_digest_that_is_none_reaches_no_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(KeyError):
        FolderBlobs(tmp_path).get(digest)


def test_too_large_a_blob_is_refused_with_the_number(tmp_path: Path) -> None:
    class Large(bytes):
        def __len__(self) -> int:
            return MAX_BYTES + 1

    with pytest.raises(BlobTooLarge, match="104,857,600"):
        FolderBlobs(tmp_path).put(Large())

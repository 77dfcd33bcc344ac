"""Secrets at rest: encrypted in the database, the key outside of it. Two keys are valid during a rotation."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.store.database import Tx


class SecretStore(Protocol):
    """Keeps texts under a name. `tx` is the store's own transaction; other stores ignore it."""

    def put(self, tx: Tx, ref: str, secret: str) -> None: ...

    def get(self, tx: Tx, ref: str) -> str: ...

    def forget(self, tx: Tx, ref: str) -> None: ...


class EncryptedSecrets:
    """The default. The first key encrypts, all of them decrypt."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._first, *older = (Fernet(key) for key in keys)
            self._box = MultiFernet([self._first, *older])
            self._rotates = bool(older)
        except ValueError as error:
            raise ConfigError(
                f"the secret key is not valid ({error}); make one with socialsupport_core.store.secrets.new_key()"
            ) from error

    def put(self, tx: Tx, ref: str, secret: str) -> None:
        sealed = self._box.encrypt(secret.encode())
        tx.run(
            "INSERT INTO secrets (ref, value) VALUES (?, ?) ON CONFLICT (ref) DO UPDATE SET value = excluded.value",
            ref,
            sealed,
        )

    def get(self, tx: Tx, ref: str) -> str:
        row = tx.one("SELECT value FROM secrets WHERE ref = ?", ref)
        if row is None:
            raise ConfigError(f"there is no secret {ref}")
        try:
            return self._box.decrypt(bytes(row["value"])).decode()
        except InvalidToken:
            raise ConfigError(
                f"the secret {ref} was sealed with another key; give the old key as the second one"
            ) from None

    def reseal(self, tx: Tx) -> int | None:
        """Seals with the first key what older ones have sealed; how much is left that none of ours opens. None where
        there is only one key."""
        if not self._rotates:
            return None
        left = 0
        for row in tx.all("SELECT ref, value FROM secrets ORDER BY ref"):
            sealed = bytes(row["value"])
            if _opened_by(self._first, sealed):
                continue
            if not _opened_by(self._box, sealed):
                left += 1
                continue
            change = "UPDATE secrets SET value = ? WHERE ref = ? AND value = ?"
            tx.run(change, self._box.rotate(sealed), row["ref"], row["value"])
        return left

    def opens_nothing(self, tx: Tx) -> bool:
        """Whether something is sealed there, and all of it with other keys."""
        sealed = [bytes(row["value"]) for row in tx.all("SELECT value FROM secrets")]
        return bool(sealed) and not any(_opened_by(self._box, one) for one in sealed)

    def forget(self, tx: Tx, ref: str) -> None:
        tx.run("DELETE FROM secrets WHERE ref = ?", ref)


def _opened_by(box: Fernet | MultiFernet, sealed: bytes) -> bool:
    try:
        box.decrypt(sealed)
    except InvalidToken:
        return False
    return True


def new_key() -> str:
    return Fernet.generate_key().decode()


def any_sealed(tx: Tx) -> bool:
    return tx.one("SELECT 1 AS one FROM secrets LIMIT 1") is not None


def keys_beside(database: Path, *, sealed: bool = False) -> list[str]:
    """The keys in the file beside the database, one a line. Made at the first start, for its owner only.

    Where something is sealed already, a new key would open nothing and shut the others out. Raises ConfigError.
    """
    path = database.with_name(database.name + ".key")
    if sealed and not path.exists():
        raise ConfigError(
            f"the store holds settings that were sealed with a key, and there is none at {path}: bring it from where"
            " the other processes, or the backup, have it; if it is lost, put a new one there"
            " (openssl rand -base64 32 | tr +/ -_) and enter the channels' settings again"
        )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _keys_in(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_key() + "\n")
    return _keys_in(path)


def _keys_in(path: Path) -> list[str]:
    try:
        keys = path.read_text(encoding="ascii").split()
        MultiFernet([Fernet(key) for key in keys])
    except OSError as error:
        raise ConfigError(f"the key in {path} cannot be read ({error.strerror})") from None
    except ValueError as error:  # also what is no ASCII
        raise ConfigError(
            f"{path} holds no valid key, or not only such ({error}): bring it from where the other processes, or the"
            " backup, have it, one key a line (openssl rand -base64 32 | tr +/ -_ makes a new one)"
        ) from None
    return keys

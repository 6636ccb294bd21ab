"""Encryption at rest, if the operator sets a key: authenticated AES (Fernet); user names are hashed (HMAC-SHA-256)."""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Protocol

from companion.errors import StageError

VARIABLE = "VASARI_MEMORY_KEY"


class Seal(Protocol):
    """How data is protected before it is stored."""

    def close(self, data: bytes) -> bytes:
        """Encrypt ``data`` for storage."""
        ...

    def open(self, data: bytes) -> bytes:
        """Decrypt stored data. Raises StageError ``memory_key`` when it was encrypted with another key."""
        ...

    def name(self, user: str) -> str:
        """The name under which the data of ``user`` is stored: a hash where there is a key."""
        ...


class Plain:
    """No encryption: data and names are stored as they are."""

    def close(self, data: bytes) -> bytes:
        return data

    def open(self, data: bytes) -> bytes:
        return data

    def name(self, user: str) -> str:
        return user


class Sealed:
    """Encryption with a ``key`` made by `new_key`. Raises StageError ``memory_key`` for anything else."""

    def __init__(self, key: str) -> None:
        from cryptography.fernet import Fernet

        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            message = f"The key of the memory ({VARIABLE} or key_file) is none. Make one with: companion memory key"
            raise StageError("memory_key", message) from error
        self._name_key = hashlib.sha256(b"vasari user names" + key.encode()).digest()

    def close(self, data: bytes) -> bytes:
        return self._fernet.encrypt(data)

    def open(self, data: bytes) -> bytes:
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(data)
        except InvalidToken as error:
            message = f"The memory was sealed with another key than the one in {VARIABLE} or key_file."
            raise StageError("memory_key", message) from error

    def name(self, user: str) -> str:
        return hmac.new(self._name_key, user.encode(), "sha256").hexdigest()


def new_key() -> str:
    """A new random key: 32 bytes in URL-safe base64, as Fernet takes it."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def find(key_file: str) -> Seal:
    """The seal with the key in the environment, else that in ``key_file``, else `Plain`.

    Raises StageError ``memory_key`` for an invalid key or an unreadable file.
    """
    key = os.environ.get(VARIABLE, "").strip()
    if not key and key_file:
        try:
            key = Path(key_file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StageError("memory_key", f"The key_file {key_file} of the memory cannot be read: {error}") from error
    return Sealed(key) if key else Plain()

"""Encryption at rest, if the operator gives a key: authenticated AES (Fernet); user names are hashed."""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Protocol

from companion.errors import StageError

VARIABLE = "VASARI_MEMORY_KEY"


class Seal(Protocol):
    def close(self, data: bytes) -> bytes:
        """What may be stored of ``data``."""
        ...

    def open(self, data: bytes) -> bytes:
        """The data again. Raises StageError ``memory_key`` when they were sealed otherwise."""
        ...

    def name(self, user: str) -> str:
        """Under which name the memories of ``user`` are stored."""
        ...


class Plain:
    """Nothing is sealed."""

    def close(self, data: bytes) -> bytes:
        return data

    def open(self, data: bytes) -> bytes:
        return data

    def name(self, user: str) -> str:
        return user


class Sealed:
    """By a key as `new_key` makes them."""

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
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def find(key_file: str) -> Seal:
    """The seal of the key in the environment, else in ``key_file``, else none. Raises StageError ``memory_key``."""
    key = os.environ.get(VARIABLE, "").strip()
    if not key and key_file:
        try:
            key = Path(key_file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StageError("memory_key", f"The key_file {key_file} of the memory cannot be read: {error}") from error
    return Sealed(key) if key else Plain()

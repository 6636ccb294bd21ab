"""The record of the grounds on which people upload faces, of withdrawals, and of pictures that may not be used.

It is a JSON Lines file that only its owner can read; it holds hashes, never a picture.
"""

import datetime
import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from animator.storage import data_folder
from companion import frontmatter, resources
from companion.avatar.portraits import PictureError
from companion.errors import StageError
from companion.frontmatter import strict

GROUNDS = ("self", "agreed", "art")  # it is me; they agreed to it; a work of art, or nobody who lives
UNSAID, SEEN, WITHDRAWN = "unsaid", "seen", "withdrawn"

log = logging.getLogger(__name__)


@strict
@dataclass(frozen=True, slots=True)
class Sentences:
    """What people say before the camera, one phrase of each of the ``parts``; and what is said to them where that
    fails, as `prompts/safety/faces.md` explains it."""

    parts: tuple[tuple[str, ...], ...]
    expired: str
    unseen: str
    still: str
    other: str
    unheard: str
    incomparable: str


@strict
@dataclass(frozen=True, slots=True)
class Faces:
    """`prompts/safety/faces.md`: the operator's policy. ``present`` are grounds."""

    required: bool
    deny: tuple[str, ...]
    denied: str
    ask: str
    present: tuple[Literal["self", "agreed"], ...]
    sentences: Sentences


@dataclass(frozen=True, slots=True)
class Entry:
    """``ground`` is one of `GROUNDS`, `UNSAID`, `SEEN` (the person was, before the camera) or `WITHDRAWN`; ``at`` in
    UTC; ``by``: a user's id, or an address."""

    sha256: str
    ground: str
    at: str
    by: str


class Consents:
    """The record in ``file``, by default in the user's data folder. Thread-safe."""

    def __init__(self, file: Path | None = None, policy: Faces | None = None) -> None:
        """Raises `companion.frontmatter.PromptError` for a policy that cannot be used."""
        self._file = file or data_folder() / "consent.jsonl"
        path = resources.folder("prompts") / "safety" / "faces.md"
        self.policy = policy or frontmatter.parse(Faces, frontmatter.read(path)[0], path)
        self._lock = threading.Lock()
        self._withdrawn: set[str] = set()  # hashes, of the first `_read` bytes of the record
        self._read = 0

    def admit(self, content: bytes, ground: str) -> str:
        """The SHA-256 of a picture that may be used on this ground ("" for none). Raises PictureError
        ``ground_missing`` if one is required, and ``picture_denied``."""
        if ground not in (*GROUNDS, "") or (self.policy.required and not ground):
            raise PictureError("ground_missing", self.policy.ask)
        sha256 = hashlib.sha256(content).hexdigest()
        if self.refuses(sha256):
            raise PictureError("picture_denied", self.policy.denied)
        return sha256

    def given(self, sha256: str, ground: str, by: str) -> None:
        """Record who uploaded a picture, and on what ground. Raises PictureError ``consent_unwritten`` if a ground is
        required and cannot be recorded."""
        self._write(Entry(sha256, ground or UNSAID, _now(), by))

    def refuses(self, sha256: str) -> bool:
        """Whether this picture may not be used: the operator denies it, or consent to it was withdrawn."""
        if sha256.lower() in {denied.lower() for denied in self.policy.deny}:
            return True
        with self._lock:
            self._catch_up()
            return sha256 in self._withdrawn

    def withdraw(self, sha256: str, by: str) -> None:
        """Refuse the picture from now on. Raises PictureError ``consent_unwritten`` if that cannot be recorded."""
        self._write(Entry(sha256, WITHDRAWN, _now(), by), must=True)

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first."""
        yield from filter(None, map(_entry, self._lines()))

    def of(self, user: str) -> list[Entry]:
        """What is recorded of what ``user`` did."""
        return [entry for entry in self.entries() if entry.by == user]

    def forget(self, user: str) -> int:
        """Nobody can tell any more what ``user`` did -> how many entries that were: grounds are deleted, and of a
        withdrawal stays which picture is refused. Raises StageError ``consent_unwritten``.

        Lines are written over in their places: other processes may add some meanwhile.
        """
        count = 0
        try:
            with self._lock, self._file.open("r+b") as file:
                for line in iter(file.readline, b""):
                    entry, end = _entry(line), file.tell()
                    if entry and entry.by == user:
                        left = replace(entry, by="") if entry.ground == WITHDRAWN else None
                        file.seek(end - len(line))
                        file.write(_line(left).rstrip().ljust(len(line) - 1) + b"\n")
                        count += 1
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StageError("consent_unwritten", "The record of consents cannot be changed now.") from error
        return count

    def _lines(self, start: int = 0) -> list[bytes]:
        """The complete lines of the record from byte ``start`` on; each ends in a line break."""
        try:
            with self._file.open("rb") as file:
                file.seek(start)
                return [line for line in file if line.endswith(b"\n")]
        except FileNotFoundError:
            return []

    def _catch_up(self) -> None:
        """Read what was recorded since the last time, which other processes may have done."""
        with suppress(FileNotFoundError):
            if self._file.stat().st_size < self._read:  # another record has taken its place
                self._withdrawn, self._read = set(), 0
        lines = self._lines(self._read)
        self._withdrawn |= {entry.sha256 for entry in map(_entry, lines) if entry and entry.ground == WITHDRAWN}
        self._read += sum(map(len, lines))

    def _write(self, entry: Entry, must: bool = False) -> None:
        line = _line(entry)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
            with self._lock, os.fdopen(os.open(self._file, flags, 0o600), "ab") as file:
                file.write(line)
        except OSError as error:
            if must or self.policy.required:
                message = "The consent cannot be written down now. Try again later."
                raise PictureError("consent_unwritten", message) from error
            log.warning("a consent could not be written down: %s", error.strerror)


def _entry(line: bytes) -> Entry | None:
    """None for one that was deleted."""
    return Entry(**json.loads(line)) if line.strip() else None


def _line(entry: Entry | None) -> bytes:
    return (json.dumps(asdict(entry)) if entry else "").encode() + b"\n"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")

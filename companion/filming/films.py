"""The files of recordings: an unfinished video's name ends in `GROWING`; a finished one is signed and renamed. Beside
it are captions, perhaps a log, and whose it is."""

import datetime
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from animator.marks.credentials import Ingredient, Signature
from animator.marks.installation import Signer
from animator.media.encoder import Packet
from animator.media.growing import GrowingMp4, Stretch
from animator.storage import whole
from companion.filming.captions import FACE, USER

T = TypeVar("T")

GROWING = ".growing.mp4"
USERS = ".users.json"  # the users whose recording it is, as a list
KINDS = ("mp4", "vtt", "jsonl")  # suffixes of what a user can have: video, captions, log
STAMP = "%Y-%m-%d-%H%M%S"  # how a recording's name begins: when it began, UTC
LEFT_S = 60.0  # s without a write after which an unfinished video counts as abandoned


class WithdrawnError(OSError):
    """A recording was deleted while it was being made."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording of a user: its ``id``, when it began (ISO 8601, UTC), its size, and which of `KINDS` there are;
    without "mp4" it is still being made."""

    id: str
    at: str
    bytes: int
    files: tuple[str, ...]


class Film:
    """One video with its captions and its log beside it. Every method blocks and may raise OSError (a full disk)."""

    def __init__(self, folder: Path, name: str, picture: Packet | None) -> None:
        self.users: set[str] = set()
        self._path, self._captions = folder / f"{name}{GROWING}", folder / f"{name}.vtt"
        self._log, self._users = folder / f"{name}.jsonl", folder / f"{name}{USERS}"
        self._file = GrowingMp4(self._path, picture, (FACE, USER))

    @property
    def withdrawn(self) -> bool:
        """Whether it was deleted for one of its users, perhaps by another process."""
        return bool(self.users) and not self._users.exists()

    def belong(self, user: str) -> None:
        """Note that it is a recording of ``user``, too."""
        if not self.withdrawn:
            self.users.add(user)
            with whole(self._users) as file:
                file.write(json.dumps(sorted(self.users)).encode())

    def write(self, stretch: Stretch, captions: str | None) -> None:
        """Append a stretch of video and audio. ``captions``: the whole new caption file, None if it has not changed.
        Raises WithdrawnError."""
        if self.withdrawn:
            raise WithdrawnError
        self._file.write(stretch)
        if captions is not None:
            with whole(self._captions) as file:
                file.write(captions.encode())

    def log(self, lines: str) -> None:
        """Append ``lines`` to the log of events. Raises WithdrawnError."""
        if self.withdrawn:
            raise WithdrawnError
        with self._log.open("a", encoding="utf-8") as file:
            file.write(lines)

    def finish(self, signature: Signature) -> None:
        """Close, sign and rename the video, even if closing it fails; what is left of a withdrawn one is deleted."""
        try:
            self._file.close()
        finally:
            if self.withdrawn:
                self.delete()
            else:
                _release(self._path, signature)

    def delete(self) -> None:
        """Delete all its files."""
        _delete(self._users)


class Device(Protocol):
    """The part of `companion.avatar.device.Device` that is used here."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Call ``work(*args)`` in a thread and return its result."""
        ...


class Films:
    """The recordings in ``folder``, which is created. ``device`` runs the writing; ``signer`` signs the videos, None:
    this installation's key."""

    def __init__(self, folder: Path, device: Device, signer: Signer | None = None) -> None:
        """Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.device, self._folder, self._signer = device, folder, signer

    def begin(self, name: str, picture: Packet | None) -> Film:
        """Start a recording, whose files are named by the time (UTC) and ``name``. ``picture`` as in `GrowingMp4`.
        Blocks. Raises OSError."""
        at = datetime.datetime.now(datetime.UTC)
        return Film(self._folder, f"{at:{STAMP}}-{name}", picture)

    def finish(self, film: Film, made_of: Callable[[], list[Ingredient]]) -> None:
        """Finish ``film``, with the ingredients that ``made_of`` returns in its credentials. Blocks. Raises OSError."""
        film.finish(Signature(made_of(), self._signer))

    def of(self, user: str) -> list[Recorded]:
        """The recordings of ``user``, the oldest first. Blocks. Raises OSError."""
        return [_recorded(users) for users in self._owned(user)]

    def file(self, user: str, id: str, kind: str) -> Path | None:
        """One of the files of a recording of ``user``; None if there is none. ``kind`` is one of `KINDS`. Blocks."""
        found = next(self._owned(user, id), None)
        path = found.with_name(f"{id}.{kind}") if found and kind in KINDS else None
        return path if path and path.exists() else None

    def delete(self, user: str, id: str) -> bool:
        """Delete a recording of ``user``, also one that is being made -> whether there was one. Blocks. Raises
        OSError."""
        return bool(self._forget(user, id))

    def forget(self, user: str) -> int:
        """Delete all recordings of ``user`` -> their number. Blocks. Raises OSError."""
        return self._forget(user)

    def mend(self) -> None:
        """Finish videos whose server was killed, without ingredients, which are no longer known. Blocks. Raises
        OSError."""
        for path in self._folder.glob(f"*{GROWING}"):
            if time.time() - path.stat().st_mtime > LEFT_S:
                _release(path, Signature([], self._signer))

    def _forget(self, user: str, id: str | None = None) -> int:
        found = list(self._owned(user, id))
        for users in found:
            _delete(users)
        return len(found)

    def _owned(self, user: str, id: str | None = None) -> Iterator[Path]:
        """The lists of users with ``user`` in them: of all recordings, or of the one with this ``id``."""
        for path in sorted(self._folder.glob(f"*{USERS}")):
            if id is not None and _name(path) != id:
                continue
            with suppress(FileNotFoundError, ValueError):
                if user in json.loads(path.read_bytes()):
                    yield path


def _name(users: Path) -> str:
    return users.name.removesuffix(USERS)


def _recorded(users: Path) -> Recorded:
    name = _name(users)
    at = datetime.datetime.strptime(name[:17], STAMP).replace(tzinfo=datetime.UTC)
    found = {kind: path for kind in KINDS if (path := users.with_name(f"{name}.{kind}")).exists()}
    size = sum(path.stat().st_size for path in found.values())
    return Recorded(name, at.isoformat().replace("+00:00", "Z"), size, tuple(found))


def _delete(users: Path) -> None:
    """Delete the recording whose list of users this is. Where a file is being written, and the system does not let it
    be deleted, whoever writes it does so within a second."""
    name = _name(users)
    for suffix in (USERS, GROWING, *(f".{kind}" for kind in KINDS)):
        with suppress(PermissionError):
            users.with_name(f"{name}{suffix}").unlink(missing_ok=True)


def _final(growing: Path) -> Path:
    return growing.with_name(growing.name.removesuffix(GROWING) + ".mp4")


def _release(growing: Path, signature: Signature) -> None:
    signature(growing)
    growing.replace(_final(growing))

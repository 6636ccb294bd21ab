"""Whose face is shown: the shipped characters, and pictures that users upload."""

import mimetypes
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

KEPT = 8  # prepared portraits of shipped characters kept in memory


@dataclass(frozen=True, slots=True)
class CharacterCard:
    """A shipped character as a client shows it for choice; ``credit`` must be shown with it."""

    name: str
    title: str
    credit: str


@dataclass(frozen=True, slots=True)
class Upload:
    """``id`` goes into ``session.avatar.character``. It is random: to know it is the right to use the picture."""

    id: str
    warnings: tuple[str, ...] = ()


class PictureError(Exception):
    """A picture or a name that gives no portrait. ``code`` is stable; the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Portraits(Protocol):
    """Blocking, and called from worker threads."""

    def characters(self) -> list[CharacterCard]:
        """Those that are shipped, the default first."""
        ...

    def picture(self, name: str) -> tuple[bytes, str]:
        """A shipped character's encoded picture and its media type. Raises PictureError(unknown_character)."""
        ...

    def has(self, name: str) -> bool:
        """Whether ``name`` is a character or an upload that is still kept. Quick."""
        ...

    def load(self, name: str) -> Any:
        """A character's name or an upload's id -> what ``Animator.open`` takes. Raises PictureError."""
        ...

    def add(self, data: bytes) -> Upload:
        """An encoded picture -> its upload. Raises PictureError."""
        ...


class Gallery:
    """The characters of `animator.portrait`, and up to ``uploads`` uploaded pictures, in memory."""

    def __init__(self, size: int = 512, uploads: int = 16) -> None:
        from animator.portrait import characters

        self._size = size
        self._characters = {c.name: c for c in characters.characters()}
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._uploads: OrderedDict[str, Any] = OrderedDict()
        self._limit = uploads
        self._lock = threading.Lock()

    def characters(self) -> list[CharacterCard]:
        return [CharacterCard(c.name, c.title, c.credit) for c in self._characters.values()]

    def picture(self, name: str) -> tuple[bytes, str]:
        path = self._path(name)
        return path.read_bytes(), mimetypes.guess_type(path)[0] or "application/octet-stream"

    def has(self, name: str) -> bool:
        return name in self._characters or name in self._uploads

    def load(self, name: str) -> Any:
        with self._lock:
            known = self._uploads.get(name) or self._kept.get(name)
        if known is not None:
            return known
        portrait = self._prepare(self._path(name))
        with self._lock:
            _keep(self._kept, name, portrait, KEPT)
        return portrait

    def add(self, data: bytes) -> Upload:
        portrait = self._prepare(data)
        upload = Upload(f"upload_{secrets.token_urlsafe(16)}", tuple(portrait.warnings))
        with self._lock:
            _keep(self._uploads, upload.id, portrait, self._limit)
        return upload

    def _path(self, name: str) -> Path:
        if name not in self._characters:
            raise unknown(name)
        return Path(self._characters[name].picture)

    def _prepare(self, source: Path | bytes) -> Any:
        from animator.portrait import portrait
        from animator.portrait.picture import PortraitError

        try:
            return portrait.load(source, self._size)
        except PortraitError as error:
            raise PictureError(error.code, str(error)) from error


def unknown(name: str) -> PictureError:
    return PictureError("unknown_character", f"There is no character {name[:80]!r}; GET /v1/characters lists them.")


def _keep(store: OrderedDict[str, Any], key: str, value: Any, limit: int) -> None:
    store[key] = value
    while len(store) > limit:
        store.popitem(last=False)

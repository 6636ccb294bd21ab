"""Whose face is shown: the shipped characters, and pictures that users upload."""

import hashlib
import mimetypes
import secrets
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

Json = dict[str, Any]

KEPT_PORTRAITS = 8  # prepared portraits of shipped characters kept in memory
MOST_BYTES = 100_000_000  # of uploaded files, kept so that their landmarks can be corrected


@dataclass(frozen=True, slots=True)
class CharacterCard:
    """A shipped character as a client shows it for choice; ``credit`` must be shown with it."""

    name: str
    title: str
    credit: str


@dataclass(frozen=True, slots=True)
class Upload:
    """``id`` goes into ``session.avatar.character``. It is random: to know it is the right to use the picture.

    ``landmarks`` are the named points of the face, as `animator.portrait.picture.named.Landmarks.json`; with
    ``check`` a person should look at them before the face is used. ``others`` are those of the other faces in the
    picture. ``drawn``: it is treated as a drawing in flat colours. ``waits``: nobody can use the face until its person
    has been seen.
    """

    id: str
    warnings: tuple[str, ...] = ()
    landmarks: Json | None = None
    check: bool = False
    others: tuple[Json, ...] = ()
    drawn: bool = False
    waits: bool = False


class PictureError(Exception):
    """A picture or a name from which no portrait can be made. ``code`` is stable; the message says what to do. Where no
    face was found, ``landmarks`` are those of one in the middle of the picture, for a person to place."""

    def __init__(self, code: str, message: str, landmarks: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.landmarks = landmarks


class Portraits(Protocol):
    """The available portraits. The methods block, and are called from worker threads."""

    def characters(self) -> list[CharacterCard]:
        """Those that are shipped, the default first."""
        ...

    def picture(self, name: str) -> tuple[bytes, str]:
        """A shipped character's encoded picture and its media type. Raises PictureError(unknown_character)."""
        ...

    def has(self, name: str) -> bool:
        """Whether ``name`` is a character, or an upload that is still kept and waits for nobody. Quick."""
        ...

    def load(self, name: str) -> Any:
        """A character's name or an upload's id -> what ``Animator.open`` takes. Raises PictureError."""
        ...

    def hold(self, name: str) -> object:
        """Keep ``name`` available, if it is, for as long as the result is referenced. Quick."""
        ...

    def add(self, data: bytes, landmarks: bytes | None = None, owner: str = "", user: str = "") -> Upload:
        """An encoded picture, and points of its face as JSON -> its upload, which belongs to ``user`` ("": to nobody
        who is known). Where there is no room, one that nobody holds goes: of the ``owner`` who has most. Raises
        PictureError, ``no_room`` where all are held."""
        ...

    def wait(self, id: str) -> Upload:
        """Let nobody use an upload until its person has been `seen`; anew, too, whenever it is corrected. Quick. Raises
        PictureError(unknown_portrait)."""
        ...

    def seen(self, upload: Upload) -> Upload:
        """The person of ``upload`` was seen -> it, to be used from now on, unless it was corrected meanwhile. Quick.
        Raises PictureError(unknown_portrait)."""
        ...

    def of(self, user: str) -> list[str]:
        """The ids of the uploads that belong to ``user``, the oldest first. Quick."""
        ...

    def upload(self, id: str) -> Upload:
        """One that is still kept. Raises PictureError(unknown_portrait)."""
        ...

    def correct(self, id: str, landmarks: bytes) -> Upload:
        """Fit the face of an upload to points, and treat it as a drawing or not, as JSON says. Raises PictureError."""
        ...

    def source(self, id: str) -> bytes:
        """An upload's whole picture as a JPEG, upright. Raises PictureError."""
        ...

    def sha256(self, id: str) -> str:
        """That of an upload's file. Raises PictureError(unknown_portrait)."""
        ...

    def forget(self, id: str) -> None:
        """Drop an upload at once, even if it is worn. Does nothing if there is none. Quick."""
        ...

    def forget_file(self, sha256: str) -> None:
        """Drop all uploads of the same file."""
        ...


class _Hold:
    """Whoever keeps it wears the picture."""


@dataclass(slots=True)
class _Uploaded:
    """``content`` is the picture's file, as long as there is room for it; ``holds`` are those that somebody keeps.
    ``guarded``: its person must be seen; ``waits``: was not yet, with the face as it is now."""

    portrait: Any
    content: bytes
    owner: str
    user: str
    sha256: str
    holds: WeakSet[_Hold] = field(default_factory=WeakSet[_Hold])
    guarded: bool = False
    waits: bool = False


class Gallery:
    """The characters of `animator.portrait`, and up to ``uploads`` uploaded pictures, in memory."""

    def __init__(self, size: int = 512, uploads: int = 16) -> None:
        from animator.portrait import characters

        self._size = size
        self._characters = {c.name: c for c in characters.characters()}
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._uploads: OrderedDict[str, _Uploaded] = OrderedDict()
        self._limit = uploads
        self._lock = threading.Lock()

    def characters(self) -> list[CharacterCard]:
        return [CharacterCard(c.name, c.title, c.credit) for c in self._characters.values()]

    def picture(self, name: str) -> tuple[bytes, str]:
        path = self._path(name)
        return path.read_bytes(), mimetypes.guess_type(path)[0] or "application/octet-stream"

    def has(self, name: str) -> bool:
        uploaded = self._uploads.get(name)
        return name in self._characters or (uploaded is not None and not uploaded.waits)

    def load(self, name: str) -> Any:
        with self._lock:
            uploaded = self._uploads.get(name)
            if uploaded and uploaded.waits:
                raise unseen()
            known = uploaded.portrait if uploaded else self._kept.get(name)
        if known is not None:
            return known
        portrait = self._prepare(self._path(name))
        with self._lock:
            _keep(self._kept, name, portrait, KEPT_PORTRAITS)
        return portrait

    def hold(self, name: str) -> object:
        hold = _Hold()
        with self._lock:
            if uploaded := self._uploads.get(name):
                uploaded.holds.add(hold)
        return hold

    def of(self, user: str) -> list[str]:
        with self._lock:
            return [id for id, uploaded in self._uploads.items() if user and uploaded.user == user]

    def add(self, data: bytes, landmarks: bytes | None = None, owner: str = "", user: str = "") -> Upload:
        portrait = self._prepare(data, landmarks)
        id = f"upload_{secrets.token_urlsafe(16)}"
        with self._lock:
            while len(self._uploads) >= self._limit:
                self._forget_one(owner)
            self._uploads[id] = _Uploaded(portrait, data, owner, user, hashlib.sha256(data).hexdigest())
            self._make_room()
        return _described(id, portrait)

    def wait(self, id: str) -> Upload:
        uploaded = self._uploaded(id)
        uploaded.guarded = uploaded.waits = True
        return _described(id, uploaded.portrait, waits=True)

    def seen(self, upload: Upload) -> Upload:
        uploaded = self._uploaded(upload.id)
        now = _described(upload.id, uploaded.portrait)
        if now.landmarks == upload.landmarks:
            uploaded.waits = False
        return replace(now, waits=uploaded.waits)

    def _forget_one(self, coming: str) -> None:
        """The oldest upload of who would have most, with one more of ``coming``; none that somebody wears."""
        counts = Counter([coming, *(uploaded.owner for uploaded in self._uploads.values())])
        free = {id: uploaded.owner for id, uploaded in self._uploads.items() if not uploaded.holds}
        if not free:
            raise PictureError("no_room", "All pictures that the server keeps are in use. Try again later.")
        most = max(counts[owner] for owner in free.values())
        del self._uploads[next(id for id, owner in free.items() if counts[owner] == most)]

    def upload(self, id: str) -> Upload:
        uploaded = self._uploaded(id)
        return _described(id, uploaded.portrait, uploaded.waits)

    def correct(self, id: str, landmarks: bytes) -> Upload:
        uploaded = self._uploaded(id, with_content=True)
        portrait = self._prepare(uploaded.content, landmarks)
        uploaded.waits, uploaded.portrait = uploaded.guarded, portrait
        return _described(id, portrait, uploaded.waits)

    def source(self, id: str) -> bytes:
        from animator.portrait.picture.reading import PortraitError, as_jpeg, decode

        try:
            return as_jpeg(decode(self._uploaded(id, with_content=True).content))
        except PortraitError as error:
            raise PictureError(error.code, str(error)) from error

    def sha256(self, id: str) -> str:
        return self._uploaded(id).sha256

    def forget(self, id: str) -> None:
        with self._lock:
            self._uploads.pop(id, None)

    def forget_file(self, sha256: str) -> None:
        with self._lock:
            for id in [id for id, each in self._uploads.items() if each.sha256 == sha256]:
                del self._uploads[id]

    def _uploaded(self, id: str, with_content: bool = False) -> _Uploaded:
        with self._lock:
            found = self._uploads.get(id)
        if found is None:
            raise unknown_portrait(id)
        if with_content and not found.content:
            raise PictureError("picture_forgotten", "The server no longer has the picture itself. Upload it again.")
        return found

    def _make_room(self) -> None:
        """Forgets the files of the oldest uploads, whose portraits stay."""
        size = 0
        for uploaded in reversed(self._uploads.values()):
            size += len(uploaded.content)
            if size > MOST_BYTES:
                uploaded.content = b""

    def _path(self, name: str) -> Path:
        if name not in self._characters:
            raise unknown(name)
        return Path(self._characters[name].picture)

    def _prepare(self, source: Path | bytes, landmarks: bytes | None = None) -> Any:
        from animator.portrait import portrait
        from animator.portrait.picture.named import parse
        from animator.portrait.picture.reading import PortraitError

        try:
            return portrait.load(source, self._size, None if landmarks is None else parse(landmarks))
        except PortraitError as error:
            points = error.landmarks.json() if error.landmarks else None
            raise PictureError(error.code, str(error), points) from error


def _described(id: str, portrait: Any, waits: bool = False) -> Upload:
    others = tuple(face.json() for face in portrait.other_faces())
    drawn = any(portrait.drawing)
    return Upload(id, tuple(portrait.warnings), portrait.named().json(), portrait.doubtful, others, drawn, waits)


def unknown(name: str) -> PictureError:
    return PictureError("unknown_character", f"There is no character {name[:80]!r}; GET /v1/characters lists them.")


def unknown_portrait(id: str) -> PictureError:
    message = f"There is no uploaded picture {id[:80]!r} any more. Upload it again."
    return PictureError("unknown_portrait", message)


def unseen() -> PictureError:
    return PictureError("presence_missing", "This face can be used once its person has been seen before the camera.")


def _keep(store: OrderedDict[str, Any], key: str, value: Any, limit: int) -> None:
    store[key] = value
    while len(store) > limit:
        store.popitem(last=False)

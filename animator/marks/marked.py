"""What draws a portrait, with the marks on every frame."""

import datetime
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from animator.marks.installation import SigningError, installation
from animator.marks.invisible import Mark
from animator.marks.tiles import Payload
from animator.marks.visible import Label

if TYPE_CHECKING:
    from animator.portrait.portrait import Portrait

NAMES = ("label", "watermark")  # that everybody sees, that nobody sees
UNKNOWN = 0  # the installation of a machine that cannot keep a key

_log = logging.getLogger(__name__)


class Drawer(Protocol):
    def draw(self, motion: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]: ...
    def draw_many(self, motions: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]: ...


class Marked:
    """Draws as ``drawer`` does, and marks what it drew."""

    def __init__(self, drawer: Drawer, portrait: "Portrait", marks: Sequence[str]) -> None:
        """``marks`` are of `NAMES`; ValueError for another."""
        if unknown := set(marks) - set(NAMES):
            raise ValueError(f"There is no mark {unknown.pop()!r}; choose of {', '.join(NAMES)}.")
        x, y = portrait.view
        size = portrait.size
        self._drawer = drawer
        self._marks: list[Label | Mark] = []
        if "label" in marks:
            self._marks.append(Label(size, portrait.landmarks[:, :2] - np.array([x, y], np.float32)))
        if "watermark" in marks:
            self._marks.append(Mark(portrait.picture[y : y + size, x : x + size], payload()))

    def draw(self, motion: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """See `animator.render.Renderer.draw`."""
        frame = self._drawer.draw(motion, out)
        for mark in self._marks:
            mark.put(frame)
        return frame

    def draw_many(self, motions: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """See `animator.render.Renderer.draw_many`."""
        frames = self._drawer.draw_many(motions, out)
        for frame in frames:
            for mark in self._marks:
                mark.put(frame)
        return frames


def payload() -> Payload:
    """Of this installation, today."""
    try:
        id = installation().id
    except SigningError as error:
        _log.warning("Pictures are marked as of an unknown installation: %s", error)
        id = UNKNOWN
    return Payload(id, datetime.datetime.now(datetime.UTC).date())

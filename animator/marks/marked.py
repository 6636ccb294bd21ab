"""A renderer that marks every frame which it draws."""

import datetime
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from animator.marks.installation import SigningError, installation
from animator.marks.invisible import Mark
from animator.marks.tiles import Payload
from animator.marks.visible import Label

if TYPE_CHECKING:
    from animator.portrait.portrait import Portrait

MARKS = ("label", "watermark")  # that everybody sees, that nobody sees
UNKNOWN_INSTALLATION = 0  # the installation of a machine that cannot keep a key

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class _Stamps:
    """What is put on each frame of one portrait: the same for all its faces, like `animator.render.layers.Layers`."""

    portrait: "Portrait"
    marks: tuple[Label | Mark, ...]


_known: WeakValueDictionary[tuple[int, Payload | None, bool], _Stamps] = WeakValueDictionary()
_making = threading.Lock()


class Drawer(Protocol):
    def draw(self, motion: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]: ...
    def draw_many(self, motions: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]: ...


class Marked:
    """Draws as ``drawer`` does, and marks what it drew."""

    def __init__(self, drawer: Drawer, portrait: "Portrait", marks: Sequence[str]) -> None:
        """``marks`` are of `MARKS`; ValueError for another."""
        if unknown := set(marks) - set(MARKS):
            raise ValueError(f"There is no mark {unknown.pop()!r}; choose of {', '.join(MARKS)}.")
        self._drawer = drawer
        self._stamps = _stamps(portrait, payload() if "watermark" in marks else None, "label" in marks)

    def draw(self, motion: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """See `animator.render.Renderer.draw`."""
        frame = self._drawer.draw(motion, out)
        for mark in self._stamps.marks:
            mark.put(frame)
        return frame

    def draw_many(self, motions: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """See `animator.render.Renderer.draw_many`."""
        frames = self._drawer.draw_many(motions, out)
        for frame in frames:
            for mark in self._stamps.marks:
                mark.put(frame)
        return frames


def _stamps(portrait: "Portrait", said: Payload | None, label: bool) -> _Stamps:
    """Made unless another open face of this portrait has the same."""
    key = id(portrait), said, label
    with _making:
        known = _known.get(key)
        if known is None or known.portrait is not portrait:
            known = _known[key] = _Stamps(portrait, tuple(_made(portrait, said, label)))
        return known


def _made(portrait: "Portrait", said: Payload | None, label: bool) -> Iterator[Label | Mark]:
    (x, y), size = portrait.view, portrait.size
    if label:
        yield Label(size, portrait.landmarks[:, :2] - np.array([x, y], np.float32))
    if said:
        yield Mark(portrait.picture[y : y + size, x : x + size], said)


def payload() -> Payload:
    """Of this installation, today."""
    try:
        id = installation().id
    except SigningError as error:
        _log.warning("Pictures are marked as of an unknown installation: %s", error)
        id = UNKNOWN_INSTALLATION
    return Payload(id, datetime.datetime.now(datetime.UTC).date())

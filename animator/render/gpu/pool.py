"""`Pool`: draws the faces of many threads together, in batches of whatever is requested at the moment."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

import threading
from concurrent.futures import Future
from weakref import WeakSet

import numpy as np
import torch

from animator.portrait.portrait import Portrait
from animator.render.gpu.batch_renderer import BatchRenderer
from animator.render.kernels.arrays import Floats, Image
from animator.render.moment import check

LARGEST_BATCH = 32  # frames; each takes some 100 MB while it is drawn at 512 px

_Asked = tuple[Portrait, Floats, Future[Image]]


class Drawer:
    """One face of a `Pool`; `animator.face.Drawer`. Any thread may draw."""

    def __init__(self, pool: "Pool", portrait: Portrait) -> None:
        self.portrait, self.size = portrait, portrait.size
        self._pool = pool

    def draw(self, motion: Floats, out: Image | None = None) -> Image:
        """(64,), see `animator.motion.rows.space` -> (size, size, 3) uint8 RGB, in ``out`` if given."""
        return self.draw_many(motion[None], None if out is None else out[None])[0]

    def draw_many(self, motions: Floats, out: Image | None = None) -> Image:
        """(n, 64) -> (n, size, size, 3), in one batch with what other faces of the pool request."""
        for motion in motions:
            check(motion)
        frames = self._pool.draw(self.portrait, motions)
        if out is None:
            return frames
        np.copyto(out, frames)
        return out


class Pool:
    """Draws on one ``device``. Requests that arrive while it is busy form the next batch: no request waits for a batch
    to fill, and the more of them there are, the less each costs."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._open: WeakSet[Drawer] = WeakSet()
        self._renderers: dict[int, BatchRenderer] = {}  # by size
        self._asked: list[_Asked] = []
        self._opening, self._asking, self._drawing = threading.Lock(), threading.Lock(), threading.Lock()

    def open(self, portrait: Portrait) -> Drawer:
        """A face of ``portrait``, which is uploaded together with the portraits of all open faces; takes 0.3 s."""
        drawer = Drawer(self, portrait)
        with self._opening:
            self._open.add(drawer)
            known = self._renderers.get(portrait.size)
            if known is None or not any(each is portrait for each in known.portraits):
                alive = {id(each.portrait): each.portrait for each in self._open if each.size == portrait.size}
                self._renderers[portrait.size] = BatchRenderer(list(alive.values()), self._device)
        return drawer

    def draw(self, portrait: Portrait, motions: Floats) -> Image:
        """(n, 64) -> (n, size, size, 3)."""
        asked = [(portrait, motion, Future[Image]()) for motion in motions]
        with self._asking:
            self._asked += asked
        with self._drawing:
            while not all(future.done() for _, _, future in asked):
                with self._asking:
                    size = self._asked[0][0].size
                    alike = [one for one in self._asked if one[0].size == size]
                    self._asked = [one for one in self._asked if one[0].size != size] + alike[LARGEST_BATCH:]
                self._serve(self._renderers[size], alike[:LARGEST_BATCH])
        return np.stack([future.result() for _, _, future in asked])

    def _serve(self, renderer: BatchRenderer, batch: list[_Asked]) -> None:
        try:
            frames = renderer.draw_many(
                np.stack([motion for _, motion, _ in batch]), [renderer.number(portrait) for portrait, _, _ in batch]
            )
        except Exception as error:
            for _, _, future in batch:
                future.set_exception(error)
            return
        for (_, _, future), frame in zip(batch, frames, strict=True):
            future.set_result(frame)

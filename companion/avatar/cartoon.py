"""A face that needs no picture and no model: a disc, drawn in no time. `configs/fakes.toml` uses it."""

import hashlib
import io
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.face import Shown
from animator.units import SAMPLES_PER_FRAME, Frames, Samples
from companion.avatar.portraits import CharacterCard, PictureError, Upload, unknown, unknown_portrait, unseen


class CartoonFace:
    """A disc with eyes and a mouth that opens with loudness; ``delay_frames`` late, as a face with look-ahead is."""

    def __init__(self, size: int, chunk_frames: int, hue: int) -> None:
        self.width = self.height = size
        self.chunk_frames = chunk_frames
        self.delay_frames = 2
        self._skin = np.array(((hue * 67) % 100 + 130, 150, 130), np.uint8)
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
        self._x, self._y = x, y
        self.reset()

    def step(self, audio: Samples, control: Control, other: Samples | None = None, every: int = 1) -> Shown:
        joined = np.concatenate([self._late, audio])
        now, self._late = joined[: len(audio)], joined[len(audio) :]
        frames = np.stack(
            [
                self._draw(now[i * SAMPLES_PER_FRAME : (i + 1) * SAMPLES_PER_FRAME], control)
                for i in range(len(audio) // SAMPLES_PER_FRAME)
            ]
        )
        return Shown(frames[::every], now, np.zeros((len(frames), 64), np.float32))

    def interrupt(self) -> None:
        self._late = np.zeros(self.delay_frames * SAMPLES_PER_FRAME, np.float32)

    def reset(self) -> None:
        self._frame = 0
        self.interrupt()

    def _draw(self, audio: Samples, control: Control) -> NDArray[np.uint8]:
        self._frame += 1
        sway = 0.06 * np.sin(self._frame / 9)
        x, y = self._x - np.float32(sway), self._y
        opening = min(0.3, 2.0 * float(np.sqrt(np.mean(audio**2)))) + 0.02
        blink = 0.02 if self._frame % 90 < 4 else 0.1
        picture = np.empty((*x.shape, 3), np.uint8)
        picture[...] = (40, 60, 90) if control.state != "listening" else (40, 90, 70)
        picture[x**2 + y**2 < 0.6] = self._skin
        for side in (-0.28, 0.28):
            picture[((x - side) / 0.1) ** 2 + ((y + 0.2) / blink) ** 2 < 1] = (20, 20, 30)
        picture[(x / 0.3) ** 2 + ((y - 0.35) / opening) ** 2 < 1] = (120, 30, 40)
        return picture


class CartoonAnimator:
    """Opens any portrait; the face is the same disc in another colour."""

    def __init__(self, size: int = 256, chunk_frames: int = 2) -> None:
        self.size, self.chunk_frames = size, chunk_frames

    def open(self, portrait: Any) -> CartoonFace:
        return CartoonFace(self.size, self.chunk_frames, len(str(portrait)))


class CartoonPortraits:
    """Two characters, and any picture that can be decoded; a face is in the middle of all but those of one colour, and
    another one above it where they are tall."""

    def __init__(self, size: int = 256) -> None:
        self._names = ("dot", "circle")
        self._uploads: dict[str, tuple[Upload, bytes]] = {}
        self._users: dict[str, str] = {}
        self._guarded: set[str] = set()
        self._numbers = itertools.count(1)
        self._size = size

    def characters(self) -> list[CharacterCard]:
        return [CharacterCard(name, name.title(), "Drawn by the fakes, CC0") for name in self._names]

    def picture(self, name: str) -> tuple[bytes, str]:
        from PIL import Image

        if name not in self._names:
            raise unknown(name)
        face: Frames = (
            CartoonFace(self._size, 1, len(name)).step(np.zeros(SAMPLES_PER_FRAME, np.float32), Control()).frames
        )
        file = io.BytesIO()
        Image.fromarray(face[0]).save(file, "png")
        return file.getvalue(), "image/png"

    def has(self, name: str) -> bool:
        return name in self._names or (name in self._uploads and not self._uploads[name][0].waits)

    def hold(self, name: str) -> object:
        return name

    def load(self, name: str) -> str:
        if not self.has(name):
            raise unseen() if name in self._uploads else unknown(name)
        return name

    def of(self, user: str) -> list[str]:
        return [id for id in self._uploads if user and self._users.get(id) == user]

    def add(self, data: bytes, landmarks: bytes | None = None, owner: str = "", user: str = "") -> Upload:
        upload = self._described(f"upload_{next(self._numbers)}", data, landmarks)
        self._uploads[upload.id], self._users[upload.id] = (upload, data), user
        return upload

    def wait(self, id: str) -> Upload:
        self._guarded.add(id)
        return self._waiting(id, True)

    def seen(self, upload: Upload) -> Upload:
        return self._waiting(upload.id, self.upload(upload.id).landmarks != upload.landmarks)

    def _waiting(self, id: str, waits: bool) -> Upload:
        upload, data = self._uploaded(id)
        self._uploads[id] = replace(upload, waits=waits), data
        return self._uploads[id][0]

    def upload(self, id: str) -> Upload:
        return self._uploaded(id)[0]

    def correct(self, id: str, landmarks: bytes) -> Upload:
        _, data = self._uploaded(id)
        self._uploads[id] = self._described(id, data, landmarks), data
        return self._waiting(id, id in self._guarded)

    def source(self, id: str) -> bytes:
        return self._uploaded(id)[1]

    def sha256(self, id: str) -> str:
        return hashlib.sha256(self._uploaded(id)[1]).hexdigest()

    def forget(self, id: str) -> None:
        self._uploads.pop(id, None)

    def forget_file(self, sha256: str) -> None:
        for gone in [id for id, (_, data) in self._uploads.items() if hashlib.sha256(data).hexdigest() == sha256]:
            del self._uploads[gone]

    def _uploaded(self, id: str) -> tuple[Upload, bytes]:
        if id not in self._uploads:
            raise unknown_portrait(id)
        return self._uploads[id]

    def _described(self, id: str, data: bytes, landmarks: bytes | None) -> Upload:
        from animator.portrait.finding.bending import layout
        from animator.portrait.picture.named import parse
        from animator.portrait.picture.reading import PortraitError, decode

        try:
            source = decode(data)
            found = layout(source.width, source.height)
            told = found if landmarks is None else parse(landmarks)
        except PortraitError as error:
            raise PictureError(error.code, str(error)) from error
        points = told if told.points else found
        if landmarks is None and source.picture.std(axis=(0, 1)).max() < 1:
            raise PictureError("no_face", "No face was found. Use another picture.", points.json())
        half = layout(source.width, source.height // 2).json()
        others = (half,) if source.height > 2 * source.width else ()
        return Upload(id, (), points.json(), others=others, drawn=bool(told.drawn))

"""Makes the moving picture of the README: three faces that speak by turns, and listen to each other meanwhile.

python -m scripts.moving_picture docs/speaking.webp
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from animator.control import Control
from animator.export import speak
from animator.live import Animator
from animator.portrait.characters import find
from animator.portrait.portrait import load
from animator.units import FPS, SAMPLES_PER_FRAME, Samples
from companion.stages.streams import collected
from companion.stages.tts import Hibari

PICTURES = Path(__file__).parents[1] / "docs" / "gallery" / "pictures"
SIDE = 320  # px of one face
CAPTION = 34  # px below the faces, for the words
PAUSE = 9  # frames between two speakers
SEED = 3


@dataclass(frozen=True, slots=True)
class Speaker:
    """A face, and what it says."""

    picture: Path
    words: str


SPEAKERS = (
    Speaker(PICTURES / "photo_011.jpg", "Hello! One photo is all it takes."),
    Speaker(PICTURES / "samary.jpg", "So is a painting."),
    Speaker(find("toon").picture, "Or a drawing. Talk to us!"),
)


def main() -> None:
    """Writes the animated WebP."""
    out = Path(sys.argv[1])
    sounds = asyncio.run(_spoken())
    starts, length = _turns(sounds)
    faces = [_speaking(index, sounds, starts, length) for index in range(len(SPEAKERS))]
    captions = [_caption(frame, sounds, starts) for frame in range(length)]
    frames = [Image.fromarray(np.vstack([np.hstack([face[i] for face in faces]), captions[i]])) for i in range(length)]
    frames[0].save(out, save_all=True, append_images=frames[1:], duration=1000 // FPS, loop=0, quality=62, method=6)


async def _spoken() -> list[Samples]:
    voice = Hibari()
    said = [await collected(voice.speak(speaker.words)) for speaker in SPEAKERS]
    return [np.concatenate([piece.audio for piece in pieces]) for pieces in said]


def _turns(sounds: list[Samples]) -> tuple[list[int], int]:
    """The frame in which each sound begins, and the number of frames in all."""
    starts, now = [], PAUSE
    for sound in sounds:
        starts.append(now)
        now += _frames(sound) + PAUSE
    return starts, now


def _frames(sound: Samples) -> int:
    return -(-len(sound) // SAMPLES_PER_FRAME)


def _speaking(index: int, sounds: list[Samples], starts: list[int], length: int) -> NDArray[np.uint8]:
    """(length, SIDE, SIDE, 3): the face of speaker ``index``, which hears the others."""
    own, heard = np.zeros((2, length * SAMPLES_PER_FRAME), np.float32)
    for number, (sound, start) in enumerate(zip(sounds, starts, strict=True)):
        track = own if number == index else heard
        track[start * SAMPLES_PER_FRAME :][: len(sound)] = sound
    face = Animator(SIDE, 2, SEED + index).open(load(SPEAKERS[index].picture, SIDE))
    return np.concatenate([shown.frames for shown in speak(face, own, Control("speaking", articulation=1.1), heard)])


def _caption(frame: int, sounds: list[Samples], starts: list[int]) -> NDArray[np.uint8]:
    """(CAPTION, width, 3): the words below the face that says them."""
    image = Image.new("RGB", (SIDE * len(SPEAKERS), CAPTION), "white")
    for index, (sound, start) in enumerate(zip(sounds, starts, strict=True)):
        if start <= frame < start + _frames(sound) + PAUSE:
            middle = (SIDE * (index + 0.5), CAPTION / 2)
            ImageDraw.Draw(image).text(
                middle, SPEAKERS[index].words, "#333333", ImageFont.load_default(18), anchor="mm"
            )
    return np.asarray(image)


if __name__ == "__main__":
    main()

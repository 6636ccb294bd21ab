"""Contact sheets to look at: one face in the poses, gazes, mouths and moods that matter."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.control import EMOTIONS as NAMES
from animator.evaluate.stills.beside import PAPER, caption, write
from animator.evaluate.wishes.sweep import mood, row
from animator.media.files import check_place
from animator.motion.rows.space import CAMERA
from animator.portrait.portrait import Portrait
from animator.render import Renderer
from animator.render.neutral.parted import parting

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB
Tiles = dict[str, Floats]  # caption -> motion row

COLUMNS = 9
CLOSE_HEIGHTS = 1.25  # heights of the face that a close tile shows

POSES: Tiles = {
    "rest": row(),
    **{f"yaw {degrees:+d}": row(head_yaw=degrees) for degrees in (-15, -8, 8, 15)},
    "pitch -10": row(head_pitch=-10),
    "pitch +10": row(head_pitch=10),
    "roll -12": row(head_roll=-12),
    "roll +12": row(head_roll=12),
}
GAZES: Tiles = {
    **{f"gaze {degrees:+d}": row(gaze_yaw=degrees) for degrees in (-20, -10, 10, 20)},
    "gaze up": row(gaze_pitch=12),
    "gaze down": row(gaze_pitch=-12),
    "held, yaw 12": row(head_yaw=12),
    "closer": row(head_z=0.15 * CAMERA),
    "farther": row(head_z=-0.15 * CAMERA),
}
LIDS: Tiles = {
    **{f"blink {share}": row(eyeBlink=share) for share in (0.25, 0.5, 0.75, 1)},
    "squint": row(eyeSquint=1),
    "wide": row(eyeWide=1),
    "brows up": row(browInnerUp=0.8, browOuterUp=0.8),
    "inner up": row(browInnerUp=1),
    "brows down": row(browDown=1),
}
MOUTHS: Tiles = {
    "ah": row(jawOpen=0.5, mouthLowerDown=0.2, mouthUpperUp=0.1),
    "oh": row(jawOpen=0.2, mouthFunnel=0.45, mouthPucker=0.6),
    "oo": row(jawOpen=0.05, mouthFunnel=0.3, mouthPucker=0.8),
    "ee": row(jawOpen=0.1, mouthStretch=0.4, mouthSmile=0.2, mouthLowerDown=0.3),
    "f": row(jawOpen=0.1, mouthRollLower=0.6, mouthUpperUp=0.2),
    "m": row(jawOpen=0.2, mouthClose=0.2, mouthPress=0.3),
    "s": row(jawOpen=0.05, mouthStretch=0.3, mouthLowerDown=0.2, mouthUpperUp=0.1),
    "smile": row(mouthSmile=0.8, cheekSquint=0.5),
    "tongue": row(jawOpen=0.4, tongueOut=0.8),
}


def moods(gap: float = 0.0) -> tuple[Tiles, Tiles]:
    """All presets at full strength, and at the strongest."""
    strong = {f"{name} 1.5": mood(name, 1.5, gap) for name in NAMES if name != "neutral"}
    return {name: mood(name, 1.0, gap) for name in NAMES}, strong


def sheet(portrait: Portrait, side: int = 220) -> Image:
    """All tiles of ``side`` px in rows of `COLUMNS`: poses as a viewer sees them, the rest from close by."""
    renderer = Renderer(portrait)
    rows = [strip(renderer, POSES, side, close=False)]
    for tiles in (GAZES, LIDS, MOUTHS, *moods(parting(portrait))):
        rows += [strip(renderer, part, side) for part in _wrapped(tiles)]
    return np.vstack(rows)


def _wrapped(tiles: Tiles) -> list[Tiles]:
    """``tiles`` in rows of at most `COLUMNS`."""
    listed = list(tiles.items())
    return [dict(listed[start : start + COLUMNS]) for start in range(0, len(listed), COLUMNS)]


def save(portrait: Portrait, path: Path) -> None:
    """Writes `sheet` as PNG or JPEG. Raises `animator.media.files.MediaError` when the place cannot be written."""
    check_place(path)
    write(sheet(portrait), path)


def strip(renderer: Renderer, tiles: Tiles, side: int, close: bool = True) -> Image:
    """One row of captioned tiles, filled up to `COLUMNS`."""
    left, top, length = _window(renderer.portrait) if close else (0, 0, renderer.size)
    made: list[Image] = []
    for name, motion in tiles.items():
        frame = renderer.draw(motion)[top : top + length, left : left + length]
        tile = cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA if length > side else cv2.INTER_CUBIC)
        made.append(np.asarray(tile, np.uint8))
        caption(made[-1], name)
    made += [np.full((side, side, 3), PAPER, np.uint8)] * (COLUMNS - len(made))
    return np.hstack(made)


def _window(portrait: Portrait) -> tuple[int, int, int]:
    """Left, top and side of a square around the face in the frame."""
    length = min(int(CLOSE_HEIGHTS * max(portrait.face_height, portrait.face_width)), portrait.size)
    low, high = portrait.landmarks[:468, :2].min(axis=0), portrait.landmarks[:468, :2].max(axis=0)
    left, top = (low + high) / 2 - np.array(portrait.view) - length / 2
    limit = portrait.size - length
    return min(max(int(left), 0), limit), min(max(int(top), 0), limit), length

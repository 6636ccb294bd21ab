"""Frames of several videos at the same times, one row a video, to look at."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from animator.media.files import MediaError, check_place, opened

Image = NDArray[np.uint8]  # (height, width, 3) RGB

COLUMNS = 8
FRAME_HEIGHT = 240  # px, height of a frame
_INK, PAPER = (255, 255, 255), (24, 24, 28)


def save(videos: Sequence[Path], path: Path) -> None:
    """Writes a picture with a row of `COLUMNS` frames a video, from evenly spaced times of the shortest one.

    Raises `animator.media.files.MediaError` when a video cannot be read or the place cannot be written.
    """
    check_place(path)
    shortest = min(_seconds(video) for video in videos)
    times = [(column + 0.5) * shortest / COLUMNS for column in range(COLUMNS)]
    rows = [captioned([_fitted(image) for image in _frames(video, times)], times) for video in videos]
    write(stacked(rows), path)


def captioned(tiles: Sequence[Image], times: Sequence[float]) -> Image:
    """``tiles`` of one height side by side, with their ``times`` (seconds)."""
    made: list[Image] = []
    for tile, time in zip(tiles, times, strict=True):
        tile = np.ascontiguousarray(tile)
        caption(tile, f"{time:.2f} s")
        made.append(tile)
    return np.hstack(made)


def caption(tile: Image, text: str) -> None:
    """Writes ``text`` into the lower left corner of ``tile``, in place."""
    height = tile.shape[0]
    cv2.rectangle(tile, (0, height - 20), (7 + 9 * len(text), height), PAPER, -1)
    cv2.putText(tile, text, (4, height - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)


def stacked(rows: Sequence[Image]) -> Image:
    """``rows`` above one another, filled up on the right to one width."""
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def write(picture: Image, path: Path) -> None:
    """Writes a PNG or JPEG, as the name says. Raises `animator.media.files.MediaError`."""
    try:
        PIL.Image.fromarray(picture).save(path, quality=90)
    except (OSError, ValueError) as error:
        raise MediaError(f"{path} cannot be written: {error}. Give a name that ends in .png or .jpg.") from error


def _fitted(image: Image) -> Image:
    width = round(image.shape[1] * FRAME_HEIGHT / image.shape[0])
    way = cv2.INTER_AREA if image.shape[0] > FRAME_HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, FRAME_HEIGHT), interpolation=way), np.uint8)


def _seconds(video: Path) -> float:
    """How long the pictures of the video last, in seconds."""
    with opened(video, "pictures") as container:
        times = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.pts is not None]
    if not times:
        raise MediaError(f"{video} cannot be read as a video: there is no picture in it.")
    return float(max(times) - min(times))


def _frames(video: Path, times: Sequence[float]) -> list[Image]:
    """The frames that are shown ``times`` (ascending, seconds) after the first one."""
    found: list[Image] = []
    image: Image | None = None
    with opened(video, "pictures") as container:
        start: float | None = None
        for frame in container.decode(video=0):
            now = frame.time or 0.0
            start = now if start is None else start
            while image is not None and len(found) < len(times) and times[len(found)] < now - start:
                found.append(image)
            if len(found) == len(times):
                break
            image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return found + [image for _ in range(len(times) - len(found)) if image is not None]

"""How robust the watermark is to compression, what it costs, and its rate of false positives:
``python -m animator.bench.survival``, with ``--unmarked FOLDER`` for films that carry none."""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from animator.control import Control
from animator.export import speak
from animator.live import Animator
from animator.marks import tiles
from animator.marks.invisible import Mark, find, folded, residue
from animator.marks.marked import payload
from animator.portrait.characters import characters
from animator.units import RATE, Frames

SIZE = 512
LENGTH_S = 3.0
FRAME_STEP = 3  # frames between two that are looked at
ROUNDS = 20
Lumas = list[NDArray[np.uint8]]


def frames(picture: Path) -> Frames:
    """(n, SIZE, SIZE, 3) of a face that speaks, without marks."""
    seconds = np.arange(int(LENGTH_S * RATE)) / RATE
    voice = 0.4 * np.sin(2 * np.pi * 130 * seconds) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * seconds))
    animator = Animator(SIZE, 2, seed=1, marks=())
    face = animator.open(animator.prepare(picture))
    return np.concatenate([shown.frames for shown in speak(face, voice.astype(np.float32), Control())])


def coded(shown: Sequence[NDArray[np.uint8]], codec: str, **options: str) -> Lumas:
    """The luma of every third frame, after the encoder."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=25, options=options))
        stream.height, stream.width, stream.pix_fmt = *shown[0].shape[:2], "yuv420p"
        for frame in shown:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    return list(lumas(file))


def lumas(file: Path | io.BytesIO, apart: int = FRAME_STEP) -> Iterator[NDArray[np.uint8]]:
    with av.open(file, "r") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % apart == 0:
                yield np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def _scaled(shown: Frames, share: float) -> Lumas:
    side = round(SIZE * share / 2) * 2
    return [np.asarray(cv2.resize(f, (side, side), interpolation=cv2.INTER_AREA), np.uint8) for f in shown]


def _cropped(shown: Frames, share: float) -> Frames:
    edge = round(SIZE * share / 4) * 2
    return shown[:, edge : SIZE - edge, edge : SIZE - edge]


TREATMENTS: dict[str, Callable[[Frames], Lumas]] = {
    "H.264, CRF 23": lambda shown: coded(list(shown), "libx264", crf="23"),
    "H.264, CRF 28": lambda shown: coded(list(shown), "libx264", crf="28"),
    "H.264, CRF 33": lambda shown: coded(list(shown), "libx264", crf="33"),
    "half the size, CRF 18": lambda shown: coded(_scaled(shown, 0.5), "libx264", crf="18"),
    "half the size, CRF 23": lambda shown: coded(_scaled(shown, 0.5), "libx264", crf="23"),
    "half the size, CRF 28": lambda shown: coded(_scaled(shown, 0.5), "libx264", crf="28"),
    "10 % cropped, CRF 28": lambda shown: coded(list(_cropped(shown, 0.1)), "libx264", crf="28"),
    "VP8, 1 Mbit/s": lambda shown: coded(list(shown), "libvpx", b="1000000", deadline="realtime", **{"cpu-used": "8"}),
    "three quarters, CRF 23": lambda shown: coded(_scaled(shown, 0.75), "libx264", crf="23"),
}


def survival(picture: Path) -> dict[str, Any]:
    """What is found of the mark after each of `TREATMENTS`, what it costs and how strong it is."""
    plain = frames(picture)
    mark, shown = Mark(plain[0], payload()), plain.copy()
    rounds: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for frame in shown:
            mark.put(frame)
        rounds.append((time.perf_counter() - begun) / len(shown) * 1000)
        np.copyto(shown, plain)
    for frame in shown:
        mark.put(frame)
    error = np.mean([((a.astype(np.float32) - b) ** 2).mean() for a, b in zip(shown, plain, strict=True)])
    found = {name: find(residue(treat(shown)))[0] for name, treat in TREATMENTS.items()}
    return {
        "psnr_db": round(float(10 * np.log10(255**2 / error)), 1),
        "ms_a_frame": {"median": round(float(np.median(rounds)), 3), "most": round(max(rounds), 3)},
        "found": {name: reading.payload == payload() for name, reading in found.items()},
        "strength": {name: round(reading.strength, 1) for name, reading in found.items()},
    }


def false_finds(files: Sequence[Path]) -> dict[str, Any]:
    """Frame by frame at its own size, and film by film at all sizes, of videos without a mark."""
    strengths: list[float] = []
    claimed = films = 0
    for file in files:
        seen = list(lumas(file, apart=1))
        for luma in seen:
            strengths.append(tiles.read(folded(residue([luma]), 1.0)).strength)
            claimed += strengths[-1] > tiles.sure(1)
        films += find(residue(seen[::FRAME_STEP]))[0].payload is not None
    return {
        "frames": len(strengths), "claimed": claimed, "films": len(files), "films_claimed": films,
        "strength": {"mean": round(float(np.mean(strengths)), 2), "most": round(max(strengths), 2)},
        "bound": tiles.CHANCE,
    }  # fmt: skip


def main() -> None:
    """Prints one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--unmarked", type=Path, help="a folder of videos without marks")
    options.add_argument("--films", type=int, default=150, help="so many of them at most")
    given = options.parse_args()
    figures: dict[str, Any] = {character.name: survival(character.picture) for character in characters()}
    if given.unmarked:
        files = sorted(f for f in given.unmarked.rglob("*") if f.suffix in (".mpg", ".mpeg", ".mp4"))
        figures["unmarked"] = false_finds(files[: given.films])
    print(json.dumps(figures))  # noqa: T201 - a command's result


if __name__ == "__main__":
    main()

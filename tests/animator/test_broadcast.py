"""What goes down the pipe can be watched: every picture with its sound, in real time, from any moment on."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest

from animator.cli.broadcast import show
from animator.live import LiveFace
from animator.marks.stream import TellingEncoder, words
from animator.media.transport import TransportStream
from animator.streaming import StreamedFace

RATE = 16_000


def spoken() -> bytes:
    """Three tones of 200 ms with 200 ms between them."""
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE // 5) / RATE)
    return (np.concatenate([tone, np.zeros(RATE // 5)] * 3) * 32767).astype("<i2").tobytes()


def units(frame: av.VideoFrame) -> list[bytes]:
    """What is said beside a picture of H.264."""
    return [bytes(data) for data in frame.side_data if data.type.name == "SEI_UNREGISTERED"]


async def in_pieces(pcm: bytes) -> AsyncIterator[bytes]:
    """A pause, then all of it in pieces that cut samples in two."""
    await asyncio.sleep(0.4)
    for at in range(0, len(pcm), 1001):
        yield pcm[at : at + 1001]


def test_the_pipe_can_be_watched(lamp: LiveFace, tmp_path: Path):
    out, began = tmp_path / "face.ts", time.monotonic()
    face = StreamedFace(lamp)
    asyncio.run(show(face, in_pieces(spoken()), RATE, TransportStream(str(out), TellingEncoder(width=64, height=64))))
    face.close()
    assert time.monotonic() - began > 1.4
    with av.open(out) as file:
        lights = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in file.decode(video=0)]
    with av.open(out) as file:
        sound = [(frame.time, np.abs(frame.to_ndarray()).max()) for frame in file.decode(audio=0)]
    assert np.diff([at for at, _ in lights]) == pytest.approx(0.04, abs=0.001)
    with av.open(out) as file:
        said = [units(frame) for frame in file.decode(video=0) if frame.key_frame]
    assert len(said) > 1 and all(any(words().encode() in unit for unit in frame) for frame in said)

    def onsets(levels: list[tuple[float, float]]) -> list[float]:
        loudest = max(level for _, level in levels)
        on = [(at, level > 0.5 * loudest) for at, level in levels]
        return [now for (_, before), (now, after) in zip(on, on[1:], strict=False) if after and not before]

    seen, heard = onsets(lights), onsets(sound)
    assert len(seen) == len(heard) == 3
    assert np.subtract(seen, heard) == pytest.approx(0.0, abs=0.05)
    assert np.diff(heard) == pytest.approx(0.4, abs=0.05)

    data = out.read_bytes()
    out.write_bytes(data[188 * (len(data) // 188 // 2) :])  # who comes later
    with av.open(out) as file:
        assert sum(1 for _ in file.decode(video=0)) > 5

"""A session's sound and pictures as tracks: in step, at their time, and silent at once; on a virtual clock."""

import asyncio
from typing import Any

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from companion.call.virtual_time import run
from companion.protocol.events import VideoDelta
from companion.server.transport.tracks import KEYFRAME_S, FaceTrack, Playout, VoiceTrack

RATE = 24_000
CHUNK = RATE * 8 // 100
TONE = 0.3 * np.sin(2 * np.pi * 300 * np.arange(10 * RATE) / RATE).astype(np.float32)
LOUD = 0.05  # RMS


class Tracks:
    """Both tracks, and what came of them: (loop time, timestamp in s, RMS or frame)."""

    def __init__(self) -> None:
        self.dropped: list[int] = []
        self.heard: list[tuple[float, float, float]] = []
        self.seen: list[tuple[float, float, bytes]] = []
        playout = Playout(self.now)
        self.voice, self.face = VoiceTrack(playout), FaceTrack(playout, self.dropped.append)
        self.tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._see())]

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _hear(self) -> None:
        decoder = av.CodecContext.create("libopus", "r")
        while True:
            packet = await self.voice.recv()
            at, stamp = self.now(), float(packet.pts * packet.time_base)
            for frame in decoder.decode(packet):
                self.heard.append((at, stamp, float(np.sqrt(np.mean((frame.to_ndarray() / 32768) ** 2)))))

    async def _see(self) -> None:
        while True:
            packet = await self.face.recv()
            self.seen.append((self.now(), float(packet.pts * packet.time_base), bytes(packet)))

    async def speak(self, start_s: float, chunks: int, late: dict[int, float] | None = None) -> None:
        """Chunks of 80 ms, each as soon as its time has come, with their pictures; some are late by so many s."""
        for n in range(chunks):
            at = round(start_s * RATE) + n * CHUNK
            await asyncio.sleep(max(0.0, at / RATE + (late or {}).get(n, 0.0) - self.now()))
            self.voice.put(at, TONE[at : at + CHUNK])
            for frame in range(2):
                self.face.put(picture(at / RATE + frame * 0.04, f"{n}.{frame}".encode()))

    def sounding(self) -> list[tuple[float, float]]:
        return [(at, stamp) for at, stamp, rms in self.heard if rms > LOUD]


def picture(pts_s: float, data: bytes = b"x", response: str | None = "resp_1", keyframe: bool = False) -> VideoDelta:
    return VideoDelta(data, "vp8", "vp8", pts_s * 1000, 40.0, keyframe, 64, 64, response)


def held(script: Any) -> Tracks:
    async def talk() -> Tracks:
        tracks = Tracks()
        await script(tracks)
        for task in tracks.tasks:
            task.cancel()
        await asyncio.gather(*tracks.tasks, return_exceptions=True)
        return tracks

    return run(talk())


def test_a_picture_leaves_with_its_sound_and_has_its_timestamp():
    tracks = held(lambda tracks: tracks.speak(1.0, 20))
    first_at, first_stamp = tracks.sounding()[0]
    assert first_at == pytest.approx(1.08, abs=0.021), "80 ms after it came"
    assert tracks.seen[0][0] == pytest.approx(first_at, abs=0.021)
    assert tracks.seen[0][1] == pytest.approx(first_stamp, abs=0.021)
    steps = np.diff([stamp for _, stamp, _ in tracks.seen])
    assert np.allclose(steps, 0.04, atol=1e-4)
    assert np.allclose(np.diff([stamp for _, stamp, _ in tracks.heard]), 0.02, atol=1e-4), "also in silence"
    assert all(abs((at - stamp) - (tracks.heard[0][0] - tracks.heard[0][1])) < 0.001 for at, stamp, _ in tracks.seen)


@pytest.mark.parametrize(("late", "moved"), [(0.05, 0.0), (0.3, 0.3)])
def test_a_chunk_that_is_late_is_heard_whole_and_the_rest_moves_back(late: float, moved: float):
    tracks = held(lambda tracks: speak_and_wait(tracks, {5: late}))
    sounding = [at for at, _ in tracks.sounding()]
    assert len(sounding) == pytest.approx(20 * 4, abs=2), "nothing is lost"
    assert sounding[-1] - sounding[0] == pytest.approx(20 * 0.08 - 0.02 + moved, abs=0.041)


async def speak_and_wait(tracks: Tracks, late: dict[int, float]) -> None:
    await tracks.speak(1.0, 20, late)
    await asyncio.sleep(0.6)


def test_what_is_cleared_is_neither_heard_nor_seen():
    async def script(tracks: Tracks) -> None:
        await tracks.speak(1.0, 10)
        tracks.cut = tracks.now()  # type: ignore[attr-defined]
        tracks.voice.clear()
        tracks.face.clear("resp_1")
        tracks.face.put(picture(1.84, b"idle", None))
        tracks.face.put(picture(1.88, b"key", None, keyframe=True))
        await asyncio.sleep(0.5)

    tracks = held(script)
    assert max(at for at, _ in tracks.sounding()) <= tracks.cut + 0.021  # type: ignore[attr-defined]
    assert tracks.dropped[0] >= 2 and tracks.dropped[1:] == [1], "the frame after them cannot be decoded either"
    assert tracks.seen[-1][2] == b"key" and b"idle" not in [data for *_, data in tracks.seen]


def test_what_comes_while_somebody_may_begin_to_speak_is_not_heard():
    async def script(tracks: Tracks) -> None:
        await tracks.speak(1.0, 5)
        tracks.voice.hushed = True
        await tracks.speak(1.4, 5)
        tracks.voice.hushed = False
        await tracks.speak(1.8, 5)
        await asyncio.sleep(0.3)

    tracks = held(script)
    assert not [at for at, _ in tracks.sounding() if 1.40 < at < 1.70]
    assert [at for at, _ in tracks.sounding() if at > 1.85]


def test_a_client_gets_a_keyframe_when_it_asks_but_not_all_the_time():
    async def script(tracks: Tracks) -> None:
        for _ in range(10):
            tracks.face.renew()
            await asyncio.sleep(KEYFRAME_S / 5)

    assert held(script).dropped == [0, 0]


def test_a_track_that_is_stopped_ends():
    async def script(tracks: Tracks) -> None:
        tracks.face.stop()
        tracks.voice.stop()
        ended = await asyncio.gather(*tracks.tasks, return_exceptions=True)
        assert all(isinstance(error, MediaStreamError) for error in ended)

    held(script)

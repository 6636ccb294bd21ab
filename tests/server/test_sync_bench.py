"""The test character, the network and the arithmetic of `companion bench sync`; tests/browser/test_sync.py runs it."""

import asyncio
import time

import av
import numpy as np
import pytest

from animator.control import Control
from animator.media.encoder import VideoEncoder
from animator.units import SAMPLES_PER_FRAME
from companion.bench.syncing import offsets
from companion.bench.syncing.clapper import CELL, FIELDS, NEVER, NUMBERS, WORD_S, ClapAnimator, Claps, ClapVoice, strip
from companion.bench.syncing.proxy import RETRANSMIT_S, Network, proxy


async def spoken(words: int) -> np.ndarray:
    return np.concatenate([piece.audio async for piece in ClapVoice().speak("clap " * words)])


async def test_claps_are_found_where_they_are_however_the_sound_is_cut():
    sound = await spoken(NUMBERS + 2)
    for size in (SAMPLES_PER_FRAME, 128, 1000):
        claps, end = Claps(), 0
        for piece in np.array_split(sound, len(sound) // size):
            end += len(piece)
            number, since = claps.hear(piece)
            word = int((end - 1) / 24000 / WORD_S)
            clapped = word * WORD_S * 1000
            if end / 24 - clapped > 10:  # the second pulse has come, too
                assert number == word % NUMBERS
                assert since == pytest.approx(end / 24 - clapped)


@pytest.mark.parametrize("codec", ["h264", "vp8", "jpeg"])
async def test_the_strip_survives_the_encoder(codec):
    face = ClapAnimator().open(None)
    sound = await spoken(2)
    pieces = sound[: len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    frames = [face.step(piece, Control()).frames[0] for piece in pieces.astype(np.float32)]
    encoder = VideoEncoder(face.width, face.height, codec=codec)
    decoder = av.CodecContext.create({"jpeg": "mjpeg"}.get(codec, codec), "r")
    packets = [packet.data for frame in frames for packet in encoder.encode(frame)]
    decoded = [one for data in packets for one in decoder.decode(av.Packet(data))] + decoder.decode(None)
    assert len(decoded) == len(frames)
    rows = sum(FIELDS.values()) // 16
    for seen, drawn in zip(decoded, frames, strict=True):
        pictures = (seen.to_ndarray(format="gray"), drawn[..., 0])
        cells = [picture[-CELL * rows :][CELL // 2 :: CELL, CELL // 2 :: CELL] > 127 for picture in pictures]
        assert np.array_equal(*cells)


def test_the_strip_holds_every_value_in_its_place():
    fields = {"frame": 255, "clap": 0, "since": NEVER, "drawn": 0, "open": 1}
    bits = "".join(map(str, strip(fields).ravel()))
    assert bits[:8] == "1" * 8 and bits[8:12] == "0000" and bits[12:24] == "1" * 12 and bits[24:41] == "0" * 16 + "1"
    assert int(bits[41:], 2) == (255 + NEVER + 1) % 125


LATE, DRIFT, OUTPUT = 30.0, 6.0, 1234.5  # ms; ms a minute; page time of the audio context's zero


def noted(seconds: float, hold: range = range(0)) -> list[list]:
    """What the page notes where pictures are `LATE` and ever later, and those of ``hold`` are never painted."""
    notes: list[list] = [["clock", 0.0, OUTPUT, 20.0], ["clock", 1000.0, OUTPUT + 1e6, 20.0]]
    notes += [["audible", 0.0], ["silent", seconds + 1.0]] if seconds else []
    for number in range(int(seconds / WORD_S) + 1):
        notes.append(["clap", number * WORD_S, number % NUMBERS])
    for frame in range(int(25 * seconds)):
        number, since = int((frame + 1) * 40 / 500), (frame + 1) * 40 % 500
        at = OUTPUT + frame * 40 + LATE + DRIFT * frame * 40 / 60_000
        if frame not in hold:
            notes.append(["frame", at, frame % 256, number % NUMBERS, since, 1, 140.0])
    return notes


def test_lateness_and_drift_are_what_they_are():
    found = offsets.offsets(offsets.read(noted(30.0)))
    assert len(found) == 750
    assert found[0][1] == pytest.approx(LATE, abs=0.01)
    assert offsets.drift(found) == pytest.approx(DRIFT, abs=0.01)


def test_a_picture_that_stays_is_later_every_frame():
    notes = offsets.read(noted(4.0, range(50, 60)))
    late = [by for at, by in offsets.offsets(notes) if 49 * 40 <= at - OUTPUT - LATE < 60 * 40 - 1]
    assert late == pytest.approx([LATE + extra for extra in (0, *range(80, 440, 40))], abs=0.5)
    assert offsets.missed(notes) == (99, 10)


def test_an_interruption_ends_with_the_last_sound_and_the_last_open_mouth():
    notes = noted(0.0)
    for begun, ended in ((0.0, 0.9), (1.0, 1.95), (2.05, 2.3), (4.0, 5.0)):
        notes += [["audible", begun], ["silent", ended]]
    for frame in range(125):
        at = frame * 40
        notes.append(["frame", OUTPUT + at, frame, 0, NEVER, int(at < 2400 or at >= 4040), 0.0])
    notes += [["interrupt", OUTPUT + 2100.0], ["interrupt", OUTPUT + 3500.0]]
    read = offsets.read(notes)
    assert offsets.silences(read) == pytest.approx([200.0]), "the second one interrupted nothing"
    assert offsets.closings(read) == pytest.approx([300.0])


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def through(network: Network, size: int, cut_s: float = 0.0) -> float:
    """Seconds until ``size`` bytes are back through the network, which is cut as they are sent."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, proxy(network, server.sockets[0].getsockname()[1]) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"x")
        await reader.readexactly(1)
        if cut_s:
            line.cut()
            asyncio.get_running_loop().call_later(cut_s, line.mend)
        begun = time.monotonic()
        writer.write(b"x" * size)
        await reader.readexactly(size)
        lasted = time.monotonic() - begun
        writer.close()
        return lasted


@pytest.mark.parametrize(
    ("network", "size", "least"),
    [
        (Network(), 10_000, 0.0),
        (Network(delay_s=0.06), 1, 0.12),
        (Network(bytes_s=100_000), 40_000, 0.4),
        (Network(loss=1.0), 1, 2 * RETRANSMIT_S),
    ],
)
async def test_a_network_delays_throttles_and_loses(network, size, least):
    assert await through(network, size) >= least


async def test_what_is_cut_off_arrives_when_the_network_is_mended():
    assert await through(Network(), 5000, cut_s=0.3) >= 0.3


async def test_segments_arrive_in_order_whatever_the_network_does():
    sent = np.arange(5000, dtype="<u2").tobytes()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    network = Network(delay_s=0.001, jitter_s=0.01, loss=0.05)
    async with server, proxy(network, server.sockets[0].getsockname()[1]) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent
        writer.close()

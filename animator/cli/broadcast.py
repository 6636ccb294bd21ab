"""``animator stream``: a face that says what comes on standard input, live, for OBS or a virtual camera."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

import numpy as np
import typer

from animator.cli.terminal import console, fail, prepare
from animator.live import Animator
from animator.marks.stream import TellingEncoder
from animator.media.transport import BITRATE, TransportStream
from animator.streaming import SILENCE, StreamedFace
from animator.units import RATE

PIECE_BYTES = 4096  # that are read at most at a time


def stream(
    portrait: Annotated[str, typer.Argument(help="A picture file, or the name of a shipped character.")],
    output: Annotated[str, typer.Option(help="A file, pipe:1, or an address: udp://, tcp://, srt://.")],
    rate: Annotated[int, typer.Option(help="Of the sound on standard input, Hz.", min=8000, max=96_000)] = RATE,
    size: Annotated[int, typer.Option(help="Side of the square video, in pixels.", min=128, max=2048)] = 512,
) -> None:
    """Shows PORTRAIT live as an MPEG-TS; it says the sound that comes on standard input: PCM16, mono.

    Where nothing comes it is silent, and goes on living. It ends with standard input.
    """
    if size % 2:
        fail(f"--size is {size}; H.264 wants an even number.")
    found = prepare(portrait, size)
    face = StreamedFace(Animator(size).open(found))
    encoder = TellingEncoder(width=size, height=size, bitrate=BITRATE)
    try:
        asyncio.run(show(face, pieces(sys.stdin.fileno()), rate, TransportStream(output, encoder)))
    except OSError as error:
        fail(f"{output} takes nothing (any more): {error.strerror or error}")
    except KeyboardInterrupt:
        console.print("Stopped.")
        raise typer.Exit(130) from None
    finally:
        face.close()


async def show(face: StreamedFace, sound: AsyncIterator[bytes], rate: int, out: TransportStream) -> None:
    """Write ``face`` in real time until ``sound`` (PCM16, mono, ``rate`` Hz) is over and said. Raises OSError."""
    feeding = asyncio.create_task(_feed(face, sound, rate), name="feed")
    try:
        async for moment in face.paced():
            await asyncio.to_thread(out.write, moment.picture, SILENCE if moment.sound is None else moment.sound)
            if feeding.done() and not face.busy:
                break
        await feeding
    finally:
        feeding.cancel()
        with suppress(OSError):  # it was told already, or nobody waits for the end
            out.close()


async def pieces(file: int) -> AsyncIterator[bytes]:
    """What comes from an open file, as it comes."""
    while piece := await asyncio.to_thread(os.read, file, PIECE_BYTES):
        yield piece


async def _feed(face: StreamedFace, sound: AsyncIterator[bytes], rate: int) -> None:
    half = b""
    async for piece in sound:
        whole = len(half + piece) // 2 * 2
        pcm, half = (half + piece)[:whole], (half + piece)[whole:]
        face.say(np.frombuffer(pcm, "<i2"), rate)
    face.end()

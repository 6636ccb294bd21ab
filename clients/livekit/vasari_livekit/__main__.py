"""A worker that shows a face in one room: ``LIVEKIT_URL=... LIVEKIT_TOKEN=... python -m vasari_livekit FACE``."""

import asyncio
import os
import sys

from livekit import rtc

from animator.cli.terminal import prepare
from animator.live import Animator
from animator.streaming import StreamedFace
from vasari_livekit.avatar import serve

SIZE = 512  # px


async def _show(portrait: str, url: str, token: str) -> None:
    face = StreamedFace(Animator(SIZE).open(prepare(portrait, SIZE)))
    room = rtc.Room()
    await room.connect(url, token)
    runner = await serve(room, face)
    try:
        await runner.wait_for_complete()
    finally:
        await runner.aclose()
        face.close()
        await room.disconnect()


def main() -> None:
    """The first argument is a picture, or the name of a shipped character; the token is that of the avatar."""
    asyncio.run(_show(sys.argv[1], os.environ["LIVEKIT_URL"], os.environ["LIVEKIT_TOKEN"]))


if __name__ == "__main__":
    main()

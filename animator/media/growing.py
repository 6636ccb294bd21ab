"""An MP4 of pictures and two voices that can be watched while it grows, and after whatever ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from animator.media.encoder import Packet
from animator.media.files import Voice, encoded_stream, put
from animator.units import FPS, Samples

FRAGMENTED = {
    "movflags": "empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds that a crash may cost
    "flush_packets": "1",
    "max_interleave_delta": "1000000",  # microseconds that sound waits for pictures which do not come
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """What follows: H.264 pictures with their numbers in the video, rising from 0, and both voices, equally long."""

    pictures: Sequence[tuple[int, Packet]]
    voices: tuple[Samples, Samples]


class GrowingMp4:
    """``picture`` is the first one, a keyframe; without it there is sound alone. Each of two tracks is one voice.

    What raises OSError, such as a full disk, ends it; what was written before can be watched.
    """

    def __init__(self, path: Path, picture: Packet | None, voices: tuple[str, str]) -> None:
        self.path = path
        self._container = av.open(path, "w", format="mp4", options=FRAGMENTED)
        self._video = encoded_stream(self._container, picture, FPS) if picture else None
        self._voices = [Voice(self._container, title) for title in voices]

    def write(self, stretch: Stretch) -> None:
        """Blocks as long as encoding the sound takes."""
        for number, packet in stretch.pictures:
            if self._video:
                put(self._container, self._video, packet, number, FPS)
        for track, sound in zip(self._voices, stretch.voices, strict=True):
            track.write(sound)

    def close(self) -> None:
        """It is complete."""
        for track in self._voices:
            track.finish()
        self._container.close()

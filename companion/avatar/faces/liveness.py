"""Whether the person of an uploaded picture is there: they say a sentence that they were just shown to the camera.

It stops who holds up a photograph, an old film of somebody, or another face. It does not stop who can animate a picture
and copy a voice within a minute, as this very software can: docs/trust.md.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from animator.evaluate.presence import CONTAINERS, Presence, look
from animator.media.files import MediaError
from animator.portrait.picture.reading import decode
from animator.units import RATE
from companion.avatar.faces.consent import Faces, Sentences
from companion.avatar.portraits import PictureError, Upload
from companion.errors import as_stage_error
from companion.stages.protocols import ASR, HEAR_RATE, Samples

PATIENCE_S = 90.0  # s in which the clip must come
WORDS_SHARE = 0.7  # of the sentence's words, in its order, that must be heard
# Measured on the GRID corpus (docs/trust.md): what people who speak reach, and still pictures and others do not.
SEEN_SHARE = 0.8
LEAST_MOVED = 0.022
LEAST_SYNC = 0.3
LEAST_IDENTITY = 0.5
MOST_SHAPE = 0.16

Image = NDArray[np.uint8]
Look = Callable[[bytes, str, Image, tuple[float, float]], Presence]


@dataclass(frozen=True, slots=True)
class Challenge:
    """``say`` must be filmed and sent within ``seconds``."""

    say: str
    seconds: float


class _Asked(NamedTuple):
    say: str
    until: float


class Liveness:
    """The challenges of one server, each good for one clip. ``looks`` compares clip and picture; ``clock`` gives
    seconds."""

    def __init__(
        self, policy: Faces, asr: ASR, looks: Look | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._words, self._grounds = policy.sentences, policy.present
        self._asr, self._looks, self._clock = asr, looks or look, clock
        self._asked: dict[str, _Asked] = {}  # by upload

    def required(self, ground: str) -> bool:
        """Whether the person must be seen who is shown on this ground."""
        return ground in self._grounds

    def ask(self, id: str) -> Challenge:
        """A new sentence for the upload ``id``; an earlier one no longer counts."""
        now = self._clock()
        self._asked = {other: asked for other, asked in self._asked.items() if asked.until > now}
        say = _sentence(self._words)
        self._asked[id] = _Asked(say, now + PATIENCE_S)
        return Challenge(say, PATIENCE_S)

    async def check(self, upload: Upload, source: bytes, clip: bytes, kind: str) -> None:
        """Whether a ``clip`` of media type ``kind`` shows the person of ``upload``, whose picture's file is ``source``,
        saying what was asked. Raises PictureError, which says what was wrong."""
        asked = self._asked.pop(upload.id, None)
        if asked is None or asked.until < self._clock():
            raise PictureError("presence_expired", self._words.expired)
        if kind not in CONTAINERS:
            raise PictureError("presence_unread", f"The clip is one of {', '.join(CONTAINERS)}.")
        try:
            found = await asyncio.to_thread(self._seen, upload, source, clip, kind)
        except MediaError as error:
            raise PictureError("presence_unread", str(error)) from error
        except ValueError as error:
            raise PictureError("presence_incomparable", self._words.incomparable) from error
        self._judge(found)
        if said_share(asked.say, await self._heard(found.sound)) < WORDS_SHARE:
            raise PictureError("presence_unheard", self._words.unheard)

    def _seen(self, upload: Upload, source: bytes, clip: bytes, kind: str) -> Presence:
        picture = decode(source).picture
        face = upload.landmarks or {}
        x, y = np.array(list(face["points"].values())).mean(axis=0) * picture.shape[1] / face["width"]
        return self._looks(clip, kind, picture, (float(x), float(y)))

    def _judge(self, found: Presence) -> None:
        if found.seen < SEEN_SHARE:
            raise PictureError("presence_unseen", self._words.unseen)
        if found.moved < LEAST_MOVED or found.sync < LEAST_SYNC:
            raise PictureError("presence_still", self._words.still)
        known = found.shape <= MOST_SHAPE if found.identity is None else found.identity >= LEAST_IDENTITY
        if not known:
            raise PictureError("presence_other", self._words.other)

    async def _heard(self, sound: Samples) -> str:
        try:
            return (await self._asr.transcribe(_resampled(sound))).text
        except Exception as error:  # whatever a recogniser raises
            raise PictureError("asr_failed", str(as_stage_error(error, "asr_failed"))) from error


def said_share(wanted: str, heard: str) -> float:
    """The share of the words of ``wanted`` that ``heard`` has in the same order, in [0, 1]."""
    one, other = (re.findall(r"\w+", text.lower()) for text in (wanted, heard))
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(len(one), 1)


def _sentence(words: Sentences) -> str:
    return " ".join(secrets.choice(part) for part in words.parts) + "."


def _resampled(sound: Samples) -> Samples:
    """From `RATE` to what recognisers hear."""
    resampler = av.AudioResampler("fltp", "mono", HEAR_RATE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None], np.float32), "fltp", "mono")
    frame.sample_rate = RATE
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])

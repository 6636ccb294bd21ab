"""A face for a session: portrait, animator and encoder, put together in a worker thread."""

from collections.abc import Callable

import numpy as np

from animator.control import Control
from animator.units import SAMPLES_PER_FRAME
from companion.avatar.device import Animator, Device, Encoder
from companion.avatar.elastic import ElasticEncoder
from companion.avatar.pictures import Look
from companion.avatar.portraits import Portraits
from companion.protocol.settings import Avatar


class Looks:
    """``encoder`` takes (width, height, codec, bitrate) as keyword arguments; ``default`` names the character that is
    shown where an avatar names none."""

    def __init__(
        self,
        *,
        animator: Animator,
        portraits: Portraits,
        encoder: Callable[..., Encoder],
        device: Device,
        default: str,
    ) -> None:
        self._animator, self._portraits, self._encoder = animator, portraits, encoder
        self._device, self._default = device, default

    def hold(self, character: str) -> object:
        """As long as the result is kept, the picture stays."""
        return self._portraits.hold(character)

    async def open(self, avatar: Avatar) -> Look:
        """Takes seconds the first time a picture is used. Raises PictureError."""
        return await self._device.run(self._open, avatar)

    async def warm(self) -> None:
        """Prepare the default portrait and draw once, so that the first session does not wait for it."""
        await self._device.run(self._warm)

    def _open(self, avatar: Avatar) -> Look:
        face = self._animator.open(self._portraits.load(avatar.character or self._default))
        video = avatar.video

        def make(bitrate: int) -> Encoder:
            return self._encoder(width=face.width, height=face.height, codec=video.codec, bitrate=bitrate)

        return Look(face, ElasticEncoder(make, video.bitrate), video.codec)

    def _warm(self) -> None:
        look = self._open(Avatar())
        look.face.step(np.zeros(look.face.chunk_frames * SAMPLES_PER_FRAME, np.float32), Control())
        look.encoder.close()

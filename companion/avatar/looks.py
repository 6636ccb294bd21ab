"""A face for a session: portrait, animator and encoder, put together in a worker thread."""

import numpy as np

from animator.control import Control
from animator.units import SAMPLES_PER_FRAME
from companion.avatar.pictures import Look
from companion.engine import Engine
from companion.protocol.settings import Avatar


def open_look(engine: Engine, avatar: Avatar) -> Look:
    """Blocks for seconds the first time a picture is used. Raises PictureError."""
    name = avatar.character or engine.default_character
    face = engine.animator.open(engine.portraits.load(name))
    video = avatar.video
    encoder = engine.encoder(width=face.width, height=face.height, codec=video.codec, bitrate=video.bitrate)
    return Look(face, encoder, video.codec)


def warm(engine: Engine) -> None:
    """Prepare the default portrait and draw once, so that the first session does not wait for it."""
    look = open_look(engine, Avatar())
    look.face.step(np.zeros(look.face.chunk_frames * SAMPLES_PER_FRAME, np.float32), Control())
    look.encoder.close()

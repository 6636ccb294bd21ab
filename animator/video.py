"""Frames to a live video stream: every frame that goes in comes out encoded at once."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

Codec = Literal["h264", "vp8", "jpeg"]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

KEYFRAME_SECONDS = 2
JPEG_QUALITY = 85

# H.264 table A-1: level, macroblocks a second, macroblocks a frame. The level is part of the codec string that a
# browser is asked about before the first frame exists.
_LEVELS = ((30, 40_500, 1_620), (31, 108_000, 3_600), (32, 216_000, 5_120), (40, 245_760, 8_192), (51, 983_040, 36_864))


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded frame. ``keyframe`` says that a decoder can start here."""

    data: bytes
    keyframe: bool


def to_yuv420(frame: Image) -> NDArray[np.uint8]:
    """(h, w, 3) RGB -> (h * 3 / 2, w) planar YUV 4:2:0, BT.601, limited range."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), np.uint8)


def tag_colours(context: av.VideoCodecContext) -> None:
    """Says in the stream what `to_yuv420` made, since players guess differently."""
    context.color_range = 1  # limited
    context.colorspace = context.color_primaries = context.color_trc = 6  # SMPTE 170M, that is BT.601


class VideoEncoder:
    """A live encoder without delay, on the caller's thread.

    H.264 is constrained baseline as Annex B, with SPS and PPS in front of every keyframe, so that a decoder needs no
    description beside `codec_string`. VP8 is one frame a packet; JPEG one picture a packet, each a keyframe.
    Width and height are even; ``bitrate`` in bits a second is what a
    detailed picture takes (up to half more while much moves), a calm one less; it does not concern JPEG.
    """

    def __init__(self, width: int, height: int, fps: int = 25, codec: Codec = "h264", bitrate: int = 1_000_000) -> None:
        if codec not in get_args(Codec):
            raise ValueError(f"There is no codec {codec!r}; choose one of {', '.join(get_args(Codec))}.")
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise ValueError(f"A video is at least 16x16 with even sides; {width}x{height} was asked for.")
        self.width, self.height, self.fps, self.codec = width, height, fps, codec
        self._level = _level(width, height, fps)
        self._context = None if codec == "jpeg" else self._open(bitrate)
        self._count = 0

    @property
    def codec_string(self) -> str:
        """What ``VideoDecoder.isConfigSupported`` is asked, or "jpeg", which needs no decoder."""
        return f"avc1.42E0{self._level:02X}" if self.codec == "h264" else self.codec

    def encode(self, frame: Image, force_keyframe: bool = False) -> list[Packet]:
        """(height, width, 3) RGB -> its packet. Raises ValueError for another shape or dtype."""
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise ValueError(
                f"Expected uint8 frames of {(self.height, self.width, 3)}; got {frame.dtype} {frame.shape}."
            )
        if self._context is None:
            picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            return [Packet(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes(), True)]
        picture = av.VideoFrame.from_ndarray(to_yuv420(frame), format="yuv420p")
        picture.pts = self._count
        picture.time_base = Fraction(1, self.fps)
        picture.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        self._count += 1
        return [Packet(bytes(packet), packet.is_keyframe) for packet in self._context.encode(picture)]

    def close(self) -> None:
        """Frees the encoder; what it was given has long come out."""
        self._context = None

    def _open(self, bitrate: int) -> av.VideoCodecContext:
        context = av.VideoCodecContext.create("libx264" if self.codec == "h264" else "libvpx", "w")
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.framerate, context.time_base = Fraction(self.fps), Fraction(1, self.fps)
        context.gop_size = KEYFRAME_SECONDS * self.fps
        context.thread_count = 1
        tag_colours(context)
        context.options = self._x264(bitrate) if self.codec == "h264" else _vpx(bitrate)
        context.open()
        return context

    def _x264(self, bitrate: int) -> dict[str, str]:
        # superfast costs 0.9 ms a frame more than ultrafast at 512x512 and gains 3 dB at the same rate. Constant
        # quality under a limit looks steadier than a constant rate, and a calm picture takes half of it; the buffer
        # of one keyframe interval keeps keyframes of rough textures (a cracked painting) from being starved.
        limit = bitrate * 3 // 2
        rate = {"crf": "21", "maxrate": str(limit), "bufsize": str(limit * KEYFRAME_SECONDS)}
        level = f"{self._level // 10}.{self._level % 10}"
        live = {"preset": "superfast", "tune": "zerolatency", "profile": "baseline", "level": level, "forced-idr": "1"}
        return rate | live


def _vpx(bitrate: int) -> dict[str, str]:
    live = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"}
    return {"b": str(bitrate), "maxrate": str(bitrate * 3 // 2), "bufsize": str(bitrate * 3)} | live


def _level(width: int, height: int, fps: int) -> int:
    blocks = -(-width // 16) * -(-height // 16)
    for level, rate, size in _LEVELS:
        if blocks <= size and blocks * fps <= rate:
            return level
    raise ValueError(f"{width}x{height} at {fps} frames a second is beyond H.264 level 5.1.")

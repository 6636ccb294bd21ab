"""A live video encoder without delay: every frame that goes in comes out encoded at once.

How the settings were chosen: docs/encoding.md.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast, get_args

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.frame import PictureType
from numpy.typing import NDArray

Codec = Literal["h264", "vp8", "jpeg"]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

KEYFRAME_SECONDS = 2
JPEG_QUALITY = 85
SOFTWARE_ENCODER = "libx264"

# What makes the encoders of graphics chips answer at once, with a stream that any browser takes. Others are tried
# with FFmpeg's defaults.
_HARDWARE_OPTIONS = {
    "h264_nvenc": {"preset": "p4", "tune": "ull", "profile": "baseline", "delay": "0", "forced-idr": "1"},
    "h264_qsv": {"preset": "veryfast", "profile": "baseline", "async_depth": "1", "forced_idr": "1"},
    "h264_amf": {"usage": "ultralowlatency", "profile": "constrained_baseline"},
    "h264_videotoolbox": {"profile": "baseline", "realtime": "1"},
}
_BASELINE_PROFILE = 0x42
_TRIAL_SIDE = 256  # px, side of the trial's frames: some chips refuse smaller ones

_log = logging.getLogger(__name__)

# H.264 table A-1: level, macroblocks a second, macroblocks a frame. The level is part of the codec string that a
# browser is asked about before the first frame exists.
_LEVELS = ((30, 40_500, 1_620), (31, 108_000, 3_600), (32, 216_000, 5_120), (40, 245_760, 8_192), (51, 983_040, 36_864))


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded frame. ``keyframe`` says that a decoder can start here."""

    data: bytes
    keyframe: bool


class EncoderError(Exception):
    """An encoder does not work here; the message names it and says what happened."""


def choose_h264(wanted: Iterable[str]) -> str:
    """The first of ``wanted``, names of FFmpeg's H.264 encoders, that works on this machine; else `SOFTWARE_ENCODER`.

    Each is tried with frames. What failed is said as a warning.
    """
    for name in wanted:
        try:
            _try(name)
            return name
        except EncoderError as error:
            _log.warning("%s; trying the next one, at last %s", error, SOFTWARE_ENCODER)
    return SOFTWARE_ENCODER


def _try(name: str) -> None:
    encoder = VideoEncoder(_TRIAL_SIDE, _TRIAL_SIDE, h264=name)
    black = np.zeros((_TRIAL_SIDE, _TRIAL_SIDE, 3), np.uint8)
    for forced in (False, False, True):
        packets = encoder.encode(black, forced)
        if len(packets) != 1:
            raise EncoderError(f"{name} delays frames: {len(packets)} came out for one that went in")
    if not packets[0].keyframe or _sps(packets[0].data) is None:
        raise EncoderError(f"{name} does not make a complete keyframe on demand")


def _sps(data: bytes) -> bytes | None:
    """Profile, constraints and level out of the sequence parameter set of an Annex B packet, if it has one."""
    for start in range(len(data) - 7):
        if data[start : start + 3] == b"\0\0\1" and data[start + 3] & 31 == 7:
            return data[start + 4 : start + 7]
    return None


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
    Width and height are even. ``bitrate``, in bits a second, is what a detailed picture takes (half more while much
    moves); a calm one takes less, and JPEG ignores it. ``h264`` names the encoder of H.264, as `choose_h264` found it.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: int = 25,
        codec: Codec = "h264",
        bitrate: int = 1_000_000,
        h264: str = SOFTWARE_ENCODER,
    ) -> None:
        """Raises ValueError for an impossible size or codec, EncoderError where ``h264`` does not work."""
        if codec not in get_args(Codec):
            raise ValueError(f"There is no codec {codec!r}; choose one of {', '.join(get_args(Codec))}.")
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise ValueError(f"A video is at least 16x16 with even sides; {width}x{height} was asked for.")
        self.width, self.height, self.fps, self.codec = width, height, fps, codec
        self._h264, self._bitrate = h264, bitrate
        self._level = _level(width, height, fps)
        self._sps = self._promised() if codec == "h264" else b""
        self._context = None if codec == "jpeg" else self._open()
        self._count = 0

    @property
    def codec_string(self) -> str:
        """What ``VideoDecoder.isConfigSupported`` is asked, or "jpeg", which needs no decoder."""
        return f"avc1.{self._sps.hex().upper()}" if self.codec == "h264" else self.codec

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

    def _promised(self) -> bytes:
        """Profile, constraints and level of the stream; what the encoder of a chip makes is seen on a first frame."""
        if self._h264 == SOFTWARE_ENCODER:
            return bytes((_BASELINE_PROFILE, 0xE0, self._level))
        black = av.VideoFrame.from_ndarray(np.full((self.height * 3 // 2, self.width), 128, np.uint8), "yuv420p")
        black.pts, black.time_base = 0, Fraction(1, self.fps)
        try:
            sps = next((_sps(bytes(packet)) for packet in self._open().encode(black)), None)
        except FFmpegError as error:
            raise EncoderError(f"The H.264 encoder {self._h264} does not work here: {error.strerror}") from error
        except ValueError as error:
            raise EncoderError(f"This build of FFmpeg has no encoder {self._h264}") from error
        if sps is None or sps[0] != _BASELINE_PROFILE:
            raise EncoderError(f"{self._h264} does not make a stream of the baseline profile")
        return sps

    def _open(self) -> av.VideoCodecContext:
        name = self._h264 if self.codec == "h264" else "libvpx"
        context = cast(av.VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.framerate, context.time_base = Fraction(self.fps), Fraction(1, self.fps)
        context.gop_size = KEYFRAME_SECONDS * self.fps
        context.thread_count = 1
        tag_colours(context)
        if self.codec == "vp8":
            context.options = _vpx(self._bitrate)
        else:
            context.options = self._x264() if name == SOFTWARE_ENCODER else _chip(name, self._bitrate)
        context.open()
        return context

    def _x264(self) -> dict[str, str]:
        # Constant quality under a limit looks steadier than a constant rate, and a calm picture takes half of it; the
        # buffer of one keyframe interval keeps keyframes of rough textures (a cracked painting) from being starved.
        limit = self._bitrate * 3 // 2
        rate = {"crf": "21", "maxrate": str(limit), "bufsize": str(limit * KEYFRAME_SECONDS)}
        level = f"{self._level // 10}.{self._level % 10}"
        live = {"preset": "superfast", "tune": "zerolatency", "profile": "baseline", "level": level, "forced-idr": "1"}
        return rate | live


def _chip(name: str, bitrate: int) -> dict[str, str]:
    rate = {"b": str(bitrate), "maxrate": str(bitrate * 3 // 2), "bufsize": str(bitrate * 3), "bf": "0"}
    return rate | _HARDWARE_OPTIONS.get(name, {})


def _vpx(bitrate: int) -> dict[str, str]:
    live = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"}
    return {"b": str(bitrate), "maxrate": str(bitrate * 3 // 2), "bufsize": str(bitrate * 3)} | live


def _level(width: int, height: int, fps: int) -> int:
    blocks = -(-width // 16) * -(-height // 16)
    for level, rate, size in _LEVELS:
        if blocks <= size and blocks * fps <= rate:
            return level
    raise ValueError(f"{width}x{height} at {fps} frames a second is beyond H.264 level 5.1.")

import av
import numpy as np
import pytest

from animator.media.encoder import Codec, EncoderError, VideoEncoder, choose_h264

DECODER = {"h264": "h264", "vp8": "vp8", "jpeg": "mjpeg"}
SIDE = 128


def scene(count: int) -> list[np.ndarray]:
    """A red disc that wanders over a soft gradient."""
    y, x = np.mgrid[:SIDE, :SIDE]
    frames = []
    for i in range(count):
        frame = np.stack([x + 60, y + 60, np.full_like(x, 120)], 2).astype(np.uint8)
        frame[(x - 40 - i % 40) ** 2 + (y - 64) ** 2 < 400] = (220, 30, 40)
        frames.append(frame)
    return frames


@pytest.mark.parametrize("codec", ["h264", "vp8", "jpeg"])
def test_every_frame_comes_out_at_once_and_can_be_decoded(codec: Codec) -> None:
    encoder = VideoEncoder(SIDE, SIDE, codec=codec)
    decoder = av.VideoCodecContext.create(DECODER[codec], "r")
    for frame in scene(60):
        (packet,) = encoder.encode(frame)
        (picture,) = decoder.decode(av.Packet(packet.data))
        error = np.abs(picture.to_ndarray(format="rgb24").astype(int) - frame).mean()
        assert error < 4
    encoder.close()


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_keyframes_come_first_every_two_seconds_and_on_demand(codec: Codec) -> None:
    encoder = VideoEncoder(SIDE, SIDE, codec=codec)
    packets = [encoder.encode(frame, force_keyframe=i == 20)[0] for i, frame in enumerate(scene(75))]
    assert [i for i, packet in enumerate(packets) if packet.keyframe] == [0, 20, 70]
    decoder = av.VideoCodecContext.create(DECODER[codec], "r")
    assert len(decoder.decode(av.Packet(packets[20].data))) == 1, "a decoder must be able to join at a keyframe"


@pytest.mark.parametrize("side", [128, 512, 1024, 1920])
def test_the_codec_string_promises_what_the_stream_says(side: int) -> None:
    encoder = VideoEncoder(side, side)
    data = encoder.encode(np.zeros((side, side, 3), np.uint8))[0].data
    sps = data[data.index(b"\0\0\0\1\x67") + 5 :]
    assert sps[0] == 0x42, "baseline"
    assert encoder.codec_string == f"avc1.42E0{sps[2]:02X}"


def test_unusable_requests_are_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="even"):
        VideoEncoder(513, 512)
    with pytest.raises(ValueError, match="h264, vp8, jpeg"):
        VideoEncoder(64, 64, codec="av1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"64, 64, 3"):
        VideoEncoder(64, 64).encode(np.zeros((32, 64, 3), np.uint8))


def test_an_encoder_that_is_not_there_is_named_and_the_next_one_taken(caplog: pytest.LogCaptureFixture) -> None:
    assert choose_h264(["h264_nowhere", "libx264", "h264_elsewhere"]) == "libx264"
    assert "h264_nowhere" in caplog.text
    assert "h264_elsewhere" not in caplog.text
    assert choose_h264([]) == "libx264"
    with pytest.raises(EncoderError, match="h264_nowhere"):
        VideoEncoder(64, 64, h264="h264_nowhere")


def test_an_encoder_that_a_browser_could_not_follow_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    assert choose_h264(["mpeg4"]) == "libx264"
    assert "mpeg4 does not make a stream of the baseline profile" in caplog.text

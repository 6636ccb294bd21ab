"""Whether somebody is there and speaks: real people, still pictures, other voices."""

import io
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from animator.evaluate import presence
from animator.evaluate.presence import Presence, look
from animator.media.files import MediaError
from animator.units import FPS
from companion.avatar.faces.liveness import LEAST_IDENTITY, LEAST_MOVED, LEAST_SYNC, MOST_SHAPE, SEEN_SHARE

PEOPLE = Path(__file__).parent / "people"
WEBM = "video/webm"


def picture(name: str) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(PEOPLE / name))[..., ::-1])


def seen(clip: bytes, name: str) -> Presence:
    image = picture(name)
    return look(clip, WEBM, image, (image.shape[1] / 2, image.shape[0] / 2))


def held_up(name: str, heard: bytes) -> bytes:
    """A film of a picture that is moved about, with the sound of another film."""
    image, file = picture(name), io.BytesIO()
    height, width = image.shape[:2]
    with av.open(file, "w", format="webm") as out, av.open(io.BytesIO(heard)) as source:
        video = out.add_stream("libvpx", rate=FPS, options={"deadline": "realtime", "cpu-used": "8"})
        video.width, video.height, video.pix_fmt = width // 2 * 2, height // 2 * 2, "yuv420p"
        voice = out.add_stream_from_template(source.streams.audio[0])
        for number in range(3 * FPS):
            phase = number / 9
            turned = cv2.getRotationMatrix2D((width / 2, height / 2), 4 * np.sin(phase), 1 + 0.05 * np.cos(phase))
            frame = cv2.warpAffine(image, turned, (width, height), borderMode=cv2.BORDER_REPLICATE)
            out.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        out.mux(video.encode(None))
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = voice
                out.mux(packet)
    return file.getvalue()


@pytest.fixture(scope="module")
def film() -> bytes:
    return (PEOPLE / "she.webm").read_bytes()


@pytest.fixture(scope="module")
def herself(film: bytes) -> Presence:
    return seen(film, "she.jpg")


def test_a_person_who_speaks_is_there(herself: Presence) -> None:
    assert herself.seen > SEEN_SHARE and herself.sync > LEAST_SYNC and herself.shape < MOST_SHAPE
    assert herself.identity is None or herself.identity > LEAST_IDENTITY
    assert len(herself.sound) == pytest.approx(3 * 24_000, rel=0.05)


def test_another_person_is_another(film: bytes, herself: Presence) -> None:
    other = seen(film, "other.jpg")
    assert other.shape > herself.shape
    assert other.identity is None or other.identity < LEAST_IDENTITY


def test_a_picture_that_is_held_up_does_not_speak(film: bytes, herself: Presence) -> None:
    still = seen(held_up("she.jpg", film), "she.jpg")
    assert still.seen > SEEN_SHARE
    assert still.moved < LEAST_MOVED < herself.moved, "what is left is noise, which may go with any sound by chance"


@pytest.mark.parametrize("clip", [b"", b"no film", b"\x1aE\xdf\xa3" + bytes(2000)])
def test_what_is_no_film_is_told(clip: bytes) -> None:
    for kind in (WEBM, "video/mp4", "image/png"):
        with pytest.raises(MediaError):
            look(clip, kind, picture("she.jpg"), (0, 0))


def test_a_picture_without_a_face_is_told(film: bytes) -> None:
    with pytest.raises(ValueError, match="no face"):
        look(film, WEBM, np.full((200, 200, 3), 99, np.uint8), (0, 0))


def test_long_films_are_not_read_to_their_end(film: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LONGEST_S", 1.0)
    with pytest.raises(MediaError, match="more than 1 s"):
        seen(film, "she.jpg")


def test_frames_that_would_fill_the_memory_are_refused(film: bytes) -> None:
    """A few bytes of black that unpack to pictures of 60 MB."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as out, av.open(io.BytesIO(film)) as source:
        video = out.add_stream("libvpx", rate=FPS, options={"deadline": "realtime", "cpu-used": "8"})
        video.width, video.height, video.pix_fmt = 4096, 2400, "yuv420p"
        voice = out.add_stream_from_template(source.streams.audio[0])
        frame = av.VideoFrame(4096, 2400, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = voice
                out.mux(packet)
    with pytest.raises(MediaError, match="cannot be read"):
        seen(file.getvalue(), "she.jpg")

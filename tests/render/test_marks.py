"""The marks in every picture: what they say, that they last, that nobody sees the one and everybody the other."""

import datetime
import io

import av
import cv2
import numpy as np
import pytest

from animator.live import Animator
from animator.marks import tiles
from animator.marks.installation import installation
from animator.marks.invisible import Mark, find, look, residue
from animator.marks.stream import STREAM_ID, TellingEncoder
from animator.marks.tiles import Payload
from animator.marks.visible import Label
from animator.media.encoder import Codec, VideoEncoder
from animator.media.files import MediaError, Mp4Writer
from animator.portrait.characters import find as character

DAY = datetime.date(2026, 11, 28)
PAYLOAD = Payload(0xABCDEF, DAY)


def still() -> np.ndarray:
    """(512, 512, 3): the picture of a shipped character."""
    picture = cv2.imread(str(character("mona_lisa").picture))
    side = min(picture.shape[:2])
    return np.ascontiguousarray(cv2.resize(picture[:side, :side], (512, 512), interpolation=cv2.INTER_AREA)[..., ::-1])


@pytest.fixture(scope="module")
def marked() -> np.ndarray:
    frame = still()
    Mark(frame, PAYLOAD).put(frame)
    return frame


def encoded(frame: np.ndarray, codec: str, options: dict[str, str]) -> np.ndarray:
    """What is left of it, in grey, after ten frames of a video."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *frame.shape[:2], "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return residue(frame.to_ndarray(format="gray") for frame in container.decode(video=0))


@pytest.mark.parametrize("payload", [PAYLOAD, Payload(0, datetime.date(2026, 1, 1)), Payload(2**24 - 1, DAY)])
def test_a_tile_says_what_was_put_into_it_wherever_it_begins(payload: Payload) -> None:
    found = tiles.read(np.roll(tiles.tile(payload), (37, 90), (0, 1)))
    assert (found.payload, found.place) == (payload, (90, 37))


def test_what_does_not_fit_is_refused() -> None:
    for wrong in (Payload(1 << 24, DAY), Payload(-1, DAY), Payload(1, datetime.date(2025, 12, 31))):
        with pytest.raises(ValueError, match="24 bits"):
            tiles.tile(wrong)


def test_it_lasts_through_what_is_done_to_videos(marked: np.ndarray) -> None:
    half = cv2.resize(marked, (256, 256), interpolation=cv2.INTER_AREA)
    done = {
        "H.264": encoded(marked, "libx264", {"crf": "28"}),
        "VP8": encoded(marked, "libvpx", {"b": "1000000", "deadline": "realtime", "cpu-used": "8"}),
        "half": encoded(half, "libx264", {"crf": "23"}),
        "cropped": encoded(marked[26:486, 26:486], "libx264", {"crf": "28"}),
        "larger": encoded(cv2.resize(marked[20:490, 20:490], (640, 640)), "libx264", {"crf": "23"}),
    }
    assert {name: find(left)[0].payload for name, left in done.items()} == dict.fromkeys(done, PAYLOAD)


def test_it_is_faint_and_fainter_where_nothing_hides_it(marked: np.ndarray) -> None:
    error = marked.astype(float) - still()
    assert 10 * np.log10(255**2 / (error**2).mean()) > 42
    flat = np.full((512, 512, 3), 180, np.uint8)
    Mark(flat, PAYLOAD).put(flat)
    assert np.abs(flat.astype(int) - 180).max() <= 3 and (flat != 180).mean() < 0.5
    assert find(residue([flat[..., 0]]))[0].payload == PAYLOAD


def test_in_pictures_without_a_mark_it_is_found_as_seldom_as_chance_says() -> None:
    noise = np.random.default_rng(0)
    folded = [noise.normal(size=(tiles.SIDE, tiles.SIDE)).astype(np.float32) for _ in range(20)]
    strengths = [tiles.read(tile).strength for tile in folded]
    assert 6.5 < np.mean(strengths) < 8.5 and max(strengths) < 9.5 < tiles.sure(1) < tiles.sure(700) < 11.5
    # Of random phases every match is normal with variance 1, and so is that of a payload's noises together.
    match = tiles._match(tiles._phases(folded[0]), 0)  # pyright: ignore[reportPrivateUsage]
    assert match.std() == pytest.approx(1, rel=0.02)
    assert tiles.sure(700) == pytest.approx(np.sqrt(2 * np.log(700 * 128**2 * 2.0**40 / tiles.CHANCE)))
    assert find(residue([cv2.cvtColor(still(), cv2.COLOR_RGB2GRAY)]))[0].payload is None


@pytest.mark.parametrize("lost", [(0,), (3,), (1, 5)])
def test_a_payload_is_read_where_some_of_its_noises_are_hidden(lost: tuple[int, ...]) -> None:
    """By another shift of the same noise, a little stronger: hard decisions would go wrong."""
    tile, symbols = tiles.tile(PAYLOAD), tiles._symbols(PAYLOAD)  # pyright: ignore[reportPrivateUsage]
    noises = tiles._noises()  # pyright: ignore[reportPrivateUsage]
    for number in lost:
        row, column = divmod((symbols[number] + 77) % 1024, 32)
        tile = tile + 0.45 * np.roll(noises[number + 1], (4 * row, 4 * column), (0, 1))
    reading = tiles.read(np.roll(tile, (5, 6), (0, 1)))
    assert reading.payload == PAYLOAD and reading.strength > tiles.sure(700)


def test_a_face_is_marked_live_unless_it_shall_not_be(tmp_path) -> None:
    bare, both = Animator(256, marks=()), Animator(256)
    portrait = bare.prepare(character("toon").picture)
    rest = np.zeros((1, 64), np.float32)
    plain, shown = (animator.drawer(portrait).draw_many(rest) for animator in (bare, both))
    assert (both.drawer(portrait).draw(rest[0]) == shown[0]).all(), "the same every time: nothing flickers"
    changed = np.abs(shown[0].astype(int) - plain[0]).max(axis=2)
    assert changed[:24, -40:].max() > 100, "the letters"
    with Mp4Writer(tmp_path / "a.mp4", 256, 256) as writer:
        writer.write(np.repeat(shown, 30, axis=0), np.zeros(30 * 960, np.float32))
    assert look(tmp_path / "a.mp4") == Payload(installation().id, datetime.datetime.now(datetime.UTC).date())
    with pytest.raises(ValueError, match="choose of label, watermark"):
        Animator(256, marks=["stamp"]).drawer(portrait)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError, match="no pictures"):
        look(tmp_path / "b.mp4")


@pytest.mark.parametrize(("face", "row", "column"), [
    ((128, 128), 0, -1),
    ((230, 20), -1, -1),  # a face in the upper right corner
])  # fmt: skip
def test_the_label_is_in_a_corner_off_the_face(face: tuple[int, int], row: int, column: int) -> None:
    frame = np.full((256, 256, 3), 120, np.uint8)
    Label(256, np.array([face], np.float32)).put(frame)
    rows, columns = np.nonzero((frame != 120).any(axis=2))
    extent = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 16 <= extent[0] <= 20 and extent[1] <= 32, "small, and two letters of ten px"
    assert frame.max() > 220 and frame.min() < 80, "light letters on a dark ground"
    for places, corner in ((rows, row), (columns, column)):
        assert places.max() > 240 if corner else places.min() < 16


@pytest.mark.parametrize("codec", ["h264", "vp8", "jpeg"])
def test_the_stream_says_in_words_what_it_is_and_is_decoded_as_before(codec: Codec) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), np.uint8)
    said = f"AI generated: a picture moved by Vasari, installation {installation().id:06x}".encode()
    telling, plain = [make(width=64, height=64, codec=codec) for make in (TellingEncoder, VideoEncoder)]
    assert telling.codec_string == plain.codec_string
    decoders = [av.CodecContext.create("mjpeg" if codec == "jpeg" else codec, "r") for _ in range(2)]
    for i, frame in enumerate(frames):
        (ours,), (other,) = [each.encode(frame, i == 3) for each in (telling, plain)]
        assert ours.keyframe == other.keyframe
        assert (said in ours.data) == (ours.keyframe and codec != "vp8")
        shown = [decoder.decode(av.Packet(p.data)) for decoder, p in zip(decoders, (ours, other), strict=True)]
        assert [len(pictures) for pictures in shown] == [1, 1]
        if codec != "vp8":  # whose live encoder takes less trouble on a busy machine
            assert np.array_equal(*(pictures[0].to_ndarray() for pictures in shown))
        if codec == "h264" and ours.keyframe:
            beside = shown[0][0].side_data
            units = [bytes(beside[i]) for i in range(len(beside)) if beside[i].type.name == "SEI_UNREGISTERED"]
            assert STREAM_ID.bytes + said in units

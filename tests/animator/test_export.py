import resource
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from animator.control import Control
from animator.export import speak, write
from animator.face import Shown
from animator.live import LiveFace
from animator.media.encoder import VideoEncoder
from animator.media.files import MediaError, Mp4Writer, read_audio
from animator.media.loudness import gain_to_speech
from animator.units import RATE


def click(seconds: float, at: float) -> np.ndarray:
    audio = np.zeros(int(seconds * RATE), np.float32)
    audio[int(at * RATE) : int(at * RATE) + 200] = 0.9
    return audio


def write_sound(path: Path, audio: np.ndarray, rate: int, layout: str = "mono", codec: str | None = None) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream(
            codec or {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "mp3"}[path.suffix], rate=rate
        )
        stream.codec_context.layout = layout
        channels = np.repeat(audio[None], 2 if layout == "stereo" else 1, 0)
        resampler = av.AudioResampler(format=stream.codec_context.format or "s16", layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", layout)
        frame.sample_rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3.333])
def test_sound_and_picture_are_equally_long_and_in_step(lamp: LiveFace, tmp_path: Path, seconds: float) -> None:
    out = tmp_path / "out.mp4"
    motion = write(speak(lamp, click(seconds, at=0.42), Control()), 64, out)
    with av.open(out) as container:
        lengths = {s.type: float(s.duration * s.time_base) for s in container.streams}
        bright = [f.to_ndarray(format="gray").mean() > 100 for f in container.decode(video=0)]
        assert {s.codec_context.name for s in container.streams} == {"h264", "aac"}
    assert len(bright) == len(motion) == int(np.ceil(seconds * 25 - 1e-9))
    assert abs(lengths["video"] - lengths["audio"]) < 0.04
    assert np.flatnonzero(bright).tolist() == [10], "the frame that lasts from 0.40 to 0.44 s"
    heard = np.argmax(np.abs(read_audio(out)) > 0.3) / RATE
    assert heard == pytest.approx(0.42, abs=0.005)


def test_a_face_listens_where_it_is_silent_and_both_are_heard(lamp: LiveFace) -> None:
    own, other = click(2.0, at=0.42), click(4.0, at=3.0)
    asked: list[tuple[str, float]] = []
    step = lamp.step

    def watch(audio: np.ndarray, control: Control, heard: np.ndarray) -> Shown:
        asked.append((control.state, float(heard.max())))
        return step(audio, control, heard)

    lamp.step = watch  # type: ignore[method-assign]
    shown = list(speak(lamp, own, Control("speaking", "happy"), other))
    np.testing.assert_allclose(np.concatenate([chunk.audio for chunk in shown]), np.pad(own, (0, 48000)) + other)
    states = [state for state, _ in asked]
    assert states[0] == states[5] == "speaking"
    assert set(states[12:]) == {"listening"}
    assert [i for i, (_, loud) in enumerate(asked) if loud > 0.5] == [37], "as it comes, in chunks of 80 ms"


def test_a_failing_face_leaves_no_file_and_spares_the_old_one(lamp: LiveFace, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"yesterday's")

    def stop(done: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(speak(lamp, click(2, 1), Control()), 64, out, stop)
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]
    assert out.read_bytes() == b"yesterday's"


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no folder"):
        Mp4Writer(tmp_path / "nowhere" / "out.mp4", 64, 64)
    with pytest.raises(MediaError, match="is a folder"):
        Mp4Writer(tmp_path, 64, 64)


def test_a_full_disk_is_reported_and_nothing_is_left(tmp_path: Path) -> None:
    code = """
import sys; from pathlib import Path; import numpy as np
from animator.media.files import MediaError, Mp4Writer
from animator.media.encoder import VideoEncoder
noise = np.random.default_rng(0)
try:
    with Mp4Writer(Path(sys.argv[1]), 256, 256) as writer:
        for _ in range(50):
            writer.write(noise.integers(0, 255, (1, 256, 256, 3), np.uint8), np.zeros(960, np.float32))
except MediaError as error:
    print(error)
"""
    limit: Callable[[], None] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # noqa: E731
    command = [sys.executable, "-c", code, str(tmp_path / "out.mp4")]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)
    assert "cannot be written" in done.stdout, done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "rate", "layout"), [("a.wav", 8000, "mono"), ("b.flac", 44100, "stereo")])
def test_sound_of_any_rate_and_layout_is_read_at_ours(tmp_path: Path, name: str, rate: int, layout: str) -> None:
    t = np.arange(rate) / rate
    path = write_sound(tmp_path / name, (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), rate, layout)
    audio = read_audio(path)
    assert abs(len(audio) - RATE) < 100
    assert np.argmax(np.abs(np.fft.rfft(audio[:RATE]))) == pytest.approx(440, abs=2)
    assert audio.std() == pytest.approx(0.354, abs=0.02)


def _stereo(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((32767 * np.stack([left, right], 1)).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("right", [-1.0, 0.0, 1.0])
def test_a_channel_that_cancels_or_holds_nothing_does_not_count(tmp_path: Path, right: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    audio = read_audio(_stereo(tmp_path / "a.wav", tone, right * tone))
    assert audio.std() == pytest.approx(0.354, abs=0.01)


def test_files_whose_rate_and_channels_change_in_the_middle_are_read_whole(tmp_path: Path) -> None:
    joined = b""
    for name, hz, rate, layout in (("a.mp3", 440, 44100, "mono"), ("b.mp3", 880, 48000, "stereo")):
        sound = (0.5 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)).astype(np.float32)
        joined += write_sound(tmp_path / name, sound, rate, layout).read_bytes()
    (tmp_path / "joined.mp3").write_bytes(joined)
    audio = read_audio(tmp_path / "joined.mp3")
    assert len(audio) / RATE == pytest.approx(2.0, abs=0.2)
    for first, hz in ((0.3, 440), (1.4, 880)):
        part = audio[int(first * RATE) :][: RATE // 2]
        assert 2 * np.argmax(np.abs(np.fft.rfft(part))) == pytest.approx(hz, abs=4)


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = _stereo(tmp_path / "a.wav", *np.full((2, 2 * RATE), 0.2))
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 5])
    assert len(read_audio(whole)) == 2 * RATE and not caplog.records
    assert len(read_audio(cut)) == pytest.approx(1.2 * RATE, abs=RATE / 50)
    assert "cut off: 0.8 s" in caplog.text


def test_sound_that_begins_late_in_a_video_begins_with_silence(tmp_path: Path) -> None:
    path = tmp_path / "late.mp4"
    with av.open(path, "w") as container:
        video, audio = container.add_stream("libx264", rate=25), container.add_stream("aac", rate=RATE)
        video.width = video.height = 64
        for _ in range(100):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(video.encode(None))
        tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.rate, frame.pts = RATE, round(1.5 * RATE)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    assert np.argmax(np.abs(read_audio(path)) > 0.2) / RATE == pytest.approx(1.5, abs=0.06)


def test_a_voice_is_as_loud_for_the_face_whatever_the_gain_of_its_file() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(4 * RATE) / RATE
    voice = 0.2 * rng.standard_normal(len(t)) * np.maximum(0, np.sin(2 * np.pi * 2.2 * t)) ** 2
    levels = [gain_to_speech((gain * voice).astype(np.float32)) * gain for gain in (1.0, 0.3, 0.0178)]
    assert 20 * np.log10(max(levels) / min(levels)) < 3.5, "dB"
    assert gain_to_speech((0.001 * rng.standard_normal(len(t))).astype(np.float32)) == 1.0, "noise is no voice"
    assert gain_to_speech(np.zeros(len(t), np.float32)) == 1.0


def test_files_without_sound_say_so(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="There is no file"):
        read_audio(tmp_path / "missing.wav")
    text = tmp_path / "text.wav"
    text.write_text("not sound")
    with pytest.raises(MediaError, match="cannot be read as sound"):
        read_audio(text)
    silent = tmp_path / "silent.mp4"
    with av.open(silent, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="has no sound"):
        read_audio(silent)


def test_a_live_stream_is_stored_as_it_was_sent(tmp_path: Path) -> None:
    encoder = VideoEncoder(64, 64)
    frames = [np.full((64, 64, 3), i * 4, np.uint8) for i in range(60)]
    packets = [encoder.encode(frame)[0] for frame in frames]
    out = tmp_path / "live.mp4"
    with Mp4Writer(out, 64, 64) as writer:
        writer.write_encoded(packets, range(60), np.zeros(60 * 960, np.float32))
    with av.open(out) as container:
        lengths = {s.type: float(s.duration * s.time_base) for s in container.streams}
        grey = [f.to_ndarray(format="rgb24").mean() for f in container.decode(video=0)]
    assert lengths["video"] == pytest.approx(2.4)
    assert lengths["audio"] == pytest.approx(2.4, abs=0.04)
    assert np.allclose(grey, [frame.mean() for frame in frames], atol=4)

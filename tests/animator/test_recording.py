"""What `companion talk` stores and times, from events alone."""

from pathlib import Path

import av
import numpy as np
import pytest

from animator.media.encoder import VideoEncoder
from animator.media.files import read_audio
from companion.call.recording import Recording
from companion.protocol import events

PART = {"response_id": "r", "item_id": "i"}


def pcm(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


def video(encoder: VideoEncoder, brightness: int, pts_ms: float, response_id: str | None = None) -> events.VideoDelta:
    packet = encoder.encode(np.full((64, 64, 3), brightness, np.uint8))[0]
    return events.VideoDelta(
        packet.data, "h264", encoder.codec_string, pts_ms, 40.0, packet.keyframe, 64, 64, response_id
    )


def test_frames_and_sound_are_stored_where_their_times_say(tmp_path: Path) -> None:
    encoder, recording = VideoEncoder(64, 64), Recording()
    for i in range(50):
        recording.add(video(encoder, 250 if i == 30 else 5, 1000 + i * 40), at=i * 0.04)
    beep = np.concatenate([np.zeros(240), np.full(720, 0.9)]).astype(np.float32)
    recording.add(events.AudioDelta(delta=pcm(beep), pts_ms=1000 + 30 * 40, **PART), at=1.2)
    recording.save(tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as container:
        bright = [f.to_ndarray(format="gray").mean() > 100 for f in container.decode(video=0)]
    assert np.flatnonzero(bright).tolist() == [30]
    assert np.argmax(np.abs(read_audio(tmp_path / "a.mp4")) > 0.3) / 24000 == pytest.approx(1.21, abs=0.003)


def test_a_turn_is_timed_by_the_first_of_each_and_by_audible_sound() -> None:
    recording = Recording()
    recording.begin_turn()
    usage = {"type": "duration", "seconds": 1.0}
    recording.add(events.TranscriptionCompleted("item", "Hello there.", usage), at=1.0)
    silence, sound = np.zeros(960, np.float32), np.full(960, 0.5, np.float32)
    recording.add(events.AudioDelta(delta=pcm(silence), pts_ms=0, **PART), at=1.5)
    recording.add(events.AudioDelta(delta=pcm(np.append(silence[:480], sound)), pts_ms=40, **PART), at=1.6)
    recording.add(events.AudioDelta(delta=pcm(sound), pts_ms=100, **PART), at=1.7)
    recording.add(events.AudioTranscriptDone(transcript="Hi!", **PART), at=2.0)
    assert not recording.answered
    recording.add(events.ResponseDone({"status": "completed"}), at=2.1)
    (turn,) = recording.turns
    assert (turn.user, turn.assistant, recording.answered) == ("Hello there.", "Hi!", True)
    assert turn.times == pytest.approx({"transcript": 1.0, "first_sent": 1.5, "first_audio": 1.62, "over": 2.1})


def test_missing_frames_are_counted_and_leave_the_rest_in_step(tmp_path: Path) -> None:
    encoder, recording = VideoEncoder(64, 64), Recording()
    for i in (0, 1, 2, 5, 6):
        recording.add(video(encoder, 250 if i == 5 else 5, i * 40.0), at=0.0)
    recording.add(events.AudioDelta(delta=pcm(np.full(960, 0.5)), pts_ms=200.0, **PART), at=0.0)
    assert recording.dropped_frames() == 2
    recording.save(tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as container:
        lengths = [float(s.duration * s.time_base) for s in container.streams]
        shown = [(f.time, f.to_ndarray(format="gray").mean() > 100) for f in container.decode(video=0)]
    assert lengths == pytest.approx([0.28, 0.28], abs=0.03)
    assert [round(time, 2) for time, bright in shown if bright] == [0.2]


def test_what_was_cut_off_by_a_pause_is_not_told_twice() -> None:
    recording = Recording()
    turn = recording.begin_turn()
    usage = {"type": "duration", "seconds": 1.0}
    recording.add(events.TranscriptionCompleted("one", "I would like", usage), at=1.0)
    recording.add(events.SpeechStarted(1200, "two"), at=1.2)
    recording.add(events.ItemDeleted("one"), at=1.2)
    recording.add(events.TranscriptionCompleted("two", "I would like some tea.", usage), at=3.0)
    assert turn.user == "I would like some tea."
    assert turn.times == {"transcript": 3.0}


def _reply(recording: Recording, gap_s: float) -> None:
    """A "Well," of 0.4 s, silence for so long, then more; its words are told with the sound that they begin in."""
    t = np.arange(9600) / 24000
    said = (0.5 * np.sin(2 * np.pi * 200 * t)).astype(np.float32)
    sound = np.concatenate([said, np.zeros(round(gap_s * 24000), np.float32), said, said])
    cues = {0.0: ("Well, ", "Well,"), 0.4 + gap_s: ("it depends. ", "it")}
    for first in range(0, len(sound), 960):
        for at in [at for at in cues if first / 24000 <= at < (first + 960) / 24000]:
            line, word = cues[at]
            recording.add(events.AudioTranscriptDelta(delta=line, **PART), at=0.0)
            recording.add(events.AudioTimestampDelta("r", "i", word, round(1000 * at), 300), at=0.0)
        delta = pcm(sound[first : first + 960])
        recording.add(events.AudioDelta(delta=delta, pts_ms=first / 24, **PART), at=first / 24000)


@pytest.mark.parametrize("gap", [0.0, 0.13, 0.87])
def test_the_silence_after_the_first_words_is_that_of_the_sound(gap: float) -> None:
    recording = Recording(keep=False)
    turn = recording.begin_turn()
    _reply(recording, gap)
    assert turn.sounding.lines == ["Well,", "it depends."]
    assert turn.sounding.first_gap == pytest.approx(gap, abs=0.01)


def test_a_listener_s_murmur_is_no_answer() -> None:
    recording = Recording()
    turn = recording.begin_turn()
    recording.add(events.AudioDelta("listening", "", pcm(np.full(960, 0.5)), 0.0), at=1.0)
    assert turn.times == {}

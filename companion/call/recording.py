"""What a client of a session receives: frames and sound by presentation time, and a timeline of every turn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from animator.media.encoder import Packet
from animator.media.files import Mp4Writer
from animator.units import FPS
from companion.avatar.show import MURMUR_ID
from companion.protocol import events
from companion.stages.protocols import SPEAK_RATE, Samples, from_pcm16

LATE_FRAMES = 2  # frames that may be late without a loss
KEPT_PIECES = 250  # pieces of sound that are kept in any case, ten seconds
AUDIBLE_LEVEL = 0.003  # of full scale: the first sample of sound above it counts as heard
BREATH_S = 0.03  # s of less sound that are a pause
WORD_ERROR_S = 0.05  # s by which the times of words are wrong


@dataclass(slots=True)
class Heard:
    """The sound of a reply as a client hears it: its pauses, and where its lines begin, in seconds of its own."""

    lines: list[str] = field(default_factory=list[str])
    starts: list[float] = field(default_factory=list[float])  # of the first words of those that have begun
    pauses: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])  # from, to
    _received: int = 0  # samples
    _audible: int = 0  # place of the last audible one

    def line(self, text: str) -> None:
        """Another line of the reply begins with the word that follows."""
        self.lines.append(text)

    def word(self, start: float) -> None:
        if len(self.starts) < len(self.lines):
            self.starts.append(start)

    def sound(self, samples: Samples) -> None:
        """The next piece of the sound."""
        audible = np.append(self._audible, self._received + np.flatnonzero(np.abs(samples) > AUDIBLE_LEVEL))
        for place in np.flatnonzero(np.diff(audible) > BREATH_S * SPEAK_RATE):
            self.pauses.append((audible[place] / SPEAK_RATE, audible[place + 1] / SPEAK_RATE))
        self._audible = int(audible[-1])
        self._received += len(samples)

    @property
    def first_gap(self) -> float | None:
        """Seconds of silence between its first line and the second; None where there is no second one."""
        if len(self.starts) < 2:
            return None
        near = [end - start for start, end in self.pauses if start - WORD_ERROR_S < self.starts[1] < end + WORD_ERROR_S]
        return max(near, default=0.0)


@dataclass(slots=True)
class Turn:
    """One question and its answer. ``times`` are seconds on the caller's clock."""

    sounding: Heard = field(default_factory=Heard)
    heard: dict[str, str] = field(default_factory=dict[str, str])  # by item, what the user said
    assistant: str = ""
    status: str = ""  # how the reply ended, as in `response.done`
    steps: dict[str, float] = field(default_factory=dict[str, float])  # ms, the session's own figures
    times: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def user(self) -> str:
        return " ".join(text for text in self.heard.values() if text)

    def mark(self, name: str, at: float) -> None:
        """Note the time of ``name``; only the first call for it counts."""
        self.times.setdefault(name, at)


@dataclass(slots=True)
class Recording:
    """Fill it with `add`. ``errors`` holds (code, message) of what the session reported. Unless it is to ``keep`` them,
    pictures and old sound are forgotten, and it cannot be saved."""

    keep: bool = True
    width: int = 0
    height: int = 0
    packets: list[Packet] = field(default_factory=list[Packet])
    frame_pts: list[float] = field(default_factory=list[float])  # ms
    frame_times: list[float] = field(default_factory=list[float])  # s, when each came
    sounds: list[tuple[float, Samples]] = field(default_factory=list[tuple[float, Samples]])  # pts in ms, samples
    sound_times: list[float] = field(default_factory=list[float])  # s, when each came
    turns: list[Turn] = field(default_factory=list[Turn])
    errors: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    steps: int = 0  # events that were not pictures: as long as they come, the session is at work
    answered: bool = False  # the last turn's reply has been said to its end

    def begin_turn(self) -> Turn:
        """The user begins a question."""
        self.answered = False
        self.turns.append(Turn())
        return self.turns[-1]

    def add(self, event: events.ServerEvent, at: float) -> None:
        """``event`` was received at ``at`` seconds."""
        self.steps += not isinstance(event, events.VideoDelta)
        match event:
            case events.VideoDelta():
                self._add_frame(event, at)
            case events.AudioDelta():
                self._add_sound(event, at)
            case events.Error():
                self.errors.append((event.error.code, event.error.message))
            case _ if self.turns:
                self._add_to_turn(self.turns[-1], event, at)
            case _:
                pass

    def frame_numbers(self) -> list[int]:
        """The number of each frame in the recording; numbers of frames that the session skipped are missing."""
        return [round((pts - self.frame_pts[0]) * FPS / 1000) for pts in self.frame_pts]

    def sound(self) -> Samples:
        """The sound of the whole recording, exactly as long as its pictures; zeros where nobody speaks."""
        start = self.frame_pts[0] if self.frame_pts else 0.0
        track = np.zeros(self._length() * SPEAK_RATE // FPS, np.float32)
        for pts, samples in self.sounds:
            first = round((pts - start) * SPEAK_RATE / 1000)
            skipped = max(0, -first)
            part = samples[skipped : max(0, len(track) - first)]
            track[first + skipped : first + skipped + len(part)] = part
        return track

    def silent_since(self) -> float:
        """The end of the last audible sample received so far, in seconds on the caller's clock."""
        for at, (_, samples) in zip(reversed(self.sound_times), reversed(self.sounds), strict=True):
            if (loud := np.flatnonzero(np.abs(samples) > AUDIBLE_LEVEL)).size:
                return at + (float(loud[-1]) + 1) / SPEAK_RATE
        return 0.0

    def dropped_frames(self) -> int:
        """Frames that never came: gaps in the presentation times, and time that the session skipped."""
        wall, shown = self._pace()
        return self._length() - len(self.packets) + max(0, int((wall - shown) * FPS) - LATE_FRAMES)

    def real_time_factor(self) -> float | None:
        """Wall time over presentation time: 1 is real time, more is too slow."""
        wall, shown = self._pace()
        return wall / shown if shown else None

    def save(self, path: Path, finish: Callable[[Path], None] | None = None) -> None:
        """To an MP4, with the frames as they were sent, finished as `Mp4Writer` says. Raises
        `animator.media.files.MediaError`."""
        with Mp4Writer(path, self.width, self.height, finish=finish) as writer:
            writer.write_encoded(self.packets, self.frame_numbers(), self.sound())

    def _length(self) -> int:
        """Frames that the presentation times have room for."""
        return self.frame_numbers()[-1] + 1 if self.packets else 0

    def _pace(self) -> tuple[float, float]:
        """Seconds from the first frame's arrival to the last chunk's, and their distance in presentation time."""
        if not self.packets:
            return 0.0, 0.0
        last = next(i for i, at in enumerate(self.frame_times) if at == self.frame_times[-1])
        return self.frame_times[-1] - self.frame_times[0], (self.frame_pts[last] - self.frame_pts[0]) / 1000

    def _add_frame(self, event: events.VideoDelta, at: float) -> None:
        self.width, self.height = event.width, event.height
        self.packets.append(Packet(event.delta if self.keep else b"", event.keyframe))
        self.frame_pts.append(event.pts_ms)
        self.frame_times.append(at)
        if event.response_id and self.turns:
            self.turns[-1].mark("first_frame", at)

    def _add_sound(self, event: events.AudioDelta, at: float) -> None:
        samples = from_pcm16(event.delta)
        self.sounds.append((event.pts_ms, samples))
        self.sound_times.append(at)
        if not self.keep:
            del self.sounds[:-KEPT_PIECES], self.sound_times[:-KEPT_PIECES]
        loud = np.abs(samples) > AUDIBLE_LEVEL
        if not self.turns or event.response_id == MURMUR_ID:
            return
        self.turns[-1].sounding.sound(samples)
        self.turns[-1].mark("first_sent", at)
        if loud.any():
            self.turns[-1].mark("first_audio", at + float(np.argmax(loud)) / SPEAK_RATE)

    def _add_to_turn(self, turn: Turn, event: events.ServerEvent, at: float) -> None:
        match event:
            case events.SpeechStarted():  # the user goes on: what was marked belonged to a pause
                turn.times.clear()
                turn.sounding = Heard()
                self.answered = False
            case events.TranscriptionCompleted():
                turn.heard[event.item_id] = event.transcript.strip()
                turn.mark("transcript", at)
            case events.ItemDeleted():  # a pause was taken for the end: the whole is transcribed again
                turn.heard.pop(event.item_id, None)
            case events.AudioTranscriptDelta():
                turn.sounding.line(event.delta.strip())
            case events.AudioTimestampDelta():
                turn.sounding.word(event.audio_offset_ms / 1000)
            case events.AudioTranscriptDone():
                turn.assistant = event.transcript
            case events.AvatarMetrics(ms=ms) if {"first_token", "first_audio"} <= ms.keys():
                turn.steps = ms
                # Only the session sees the first token; both clocks meet at the first sound that was sent.
                turn.mark("first_token", turn.times["first_sent"] - (ms["first_audio"] - ms["first_token"]) / 1000)
            case events.ResponseDone():
                turn.status = str(event.response.get("status"))
                turn.mark("over", at)
                self.answered = turn.status == "completed"
            case _:
                pass

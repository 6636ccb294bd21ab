"""Records what a client of a session receives: video and audio by presentation time, and the times of every turn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from animator.media.encoder import Packet
from animator.media.files import Mp4Writer
from animator.units import FPS, from_pcm16
from companion.avatar.show import MURMUR_ID
from companion.protocol import events
from companion.stages.protocols import SPEAK_RATE, Samples

LATE_FRAMES = 2  # frames that may be late without counting as dropped
KEPT_PIECES = 250  # pieces of audio, 10 s, that are kept even if the recording is not
AUDIBLE_LEVEL = 0.003  # of full scale; samples above it are audible
BREATH_S = 0.03  # s without an audible sample that count as a pause
WORD_ERROR_S = 0.05  # s, tolerance of the word timings


@dataclass(slots=True)
class Heard:
    """The audio of a reply at the client: its pauses, and the starts of its lines, in s from the start of the audio."""

    lines: list[str] = field(default_factory=list[str])
    starts: list[float] = field(default_factory=list[float])  # of the lines whose first word has been announced
    pauses: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])  # from, to
    _received: int = 0  # samples
    _audible: int = 0  # index of the last audible sample

    def line(self, text: str) -> None:
        """A new line of the reply begins; the next word is its first."""
        self.lines.append(text)

    def word(self, start: float) -> None:
        """A word begins at ``start`` (s)."""
        if len(self.starts) < len(self.lines):
            self.starts.append(start)

    def sound(self, samples: Samples) -> None:
        """The next piece of the audio, (n,) float32 at `SPEAK_RATE`."""
        audible = np.append(self._audible, self._received + np.flatnonzero(np.abs(samples) > AUDIBLE_LEVEL))
        for place in np.flatnonzero(np.diff(audible) > BREATH_S * SPEAK_RATE):
            self.pauses.append((audible[place] / SPEAK_RATE, audible[place + 1] / SPEAK_RATE))
        self._audible = int(audible[-1])
        self._received += len(samples)

    @property
    def first_gap(self) -> float | None:
        """The silence between its first and its second line, in s; None if there is no second line."""
        if len(self.starts) < 2:
            return None
        near = [end - start for start, end in self.pauses if start - WORD_ERROR_S < self.starts[1] < end + WORD_ERROR_S]
        return max(near, default=0.0)


@dataclass(slots=True)
class Turn:
    """One question and its answer. ``times``: s on the caller's clock; after `Caller.ask`, from the end of speech."""

    sounding: Heard = field(default_factory=Heard)
    heard: dict[str, str] = field(default_factory=dict[str, str])  # transcripts of the user, by item id
    assistant: str = ""
    status: str = ""  # of the reply, as in `response.done`; "" until then
    steps: dict[str, float] = field(default_factory=dict[str, float])  # ms, as the session itself measured them
    times: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def user(self) -> str:
        """All that the user said, joined by spaces."""
        return " ".join(text for text in self.heard.values() if text)

    def mark(self, name: str, at: float) -> None:
        """Record that ``name`` happened at ``at`` (s); only the first call for a name counts."""
        self.times.setdefault(name, at)


@dataclass(slots=True)
class Recording:
    """Everything that was received, filled by `add`. Without ``keep``, video and old audio are dropped, and it cannot
    be saved."""

    keep: bool = True
    width: int = 0
    height: int = 0
    packets: list[Packet] = field(default_factory=list[Packet])
    frame_pts: list[float] = field(default_factory=list[float])  # ms
    frame_times: list[float] = field(default_factory=list[float])  # s, arrival of each frame
    sounds: list[tuple[float, Samples]] = field(default_factory=list[tuple[float, Samples]])  # pts in ms, samples
    sound_times: list[float] = field(default_factory=list[float])  # s, arrival of each piece of audio
    turns: list[Turn] = field(default_factory=list[Turn])
    errors: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # (code, message)
    steps: int = 0  # events other than frames: while they come, the session is at work
    answered: bool = False  # whether the last turn's reply is complete

    def begin_turn(self) -> Turn:
        """Start a new turn, to which the following events belong."""
        self.answered = False
        self.turns.append(Turn())
        return self.turns[-1]

    def add(self, event: events.ServerEvent, at: float) -> None:
        """Add an event that was received at ``at`` (s on the caller's clock)."""
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
        """The number of each received frame, from 0, by its presentation time; skipped frames leave gaps."""
        return [round((pts - self.frame_pts[0]) * FPS / 1000) for pts in self.frame_pts]

    def sound(self) -> Samples:
        """The audio of the whole recording, (n,) float32 at `SPEAK_RATE`, as long as the video; silence is zeros."""
        start = self.frame_pts[0] if self.frame_pts else 0.0
        track = np.zeros(self._length() * SPEAK_RATE // FPS, np.float32)
        for pts, samples in self.sounds:
            first = round((pts - start) * SPEAK_RATE / 1000)
            skipped = max(0, -first)
            part = samples[skipped : max(0, len(track) - first)]
            track[first + skipped : first + skipped + len(part)] = part
        return track

    def silent_since(self) -> float:
        """The end of the last audible sample received so far, in s on the caller's clock; 0 if there is none."""
        for at, (_, samples) in zip(reversed(self.sound_times), reversed(self.sounds), strict=True):
            if (loud := np.flatnonzero(np.abs(samples) > AUDIBLE_LEVEL)).size:
                return at + (float(loud[-1]) + 1) / SPEAK_RATE
        return 0.0

    def dropped_frames(self) -> int:
        """The number of frames that never came: gaps in the presentation times, and the lag behind the wall clock."""
        wall, shown = self._pace()
        return self._length() - len(self.packets) + max(0, int((wall - shown) * FPS) - LATE_FRAMES)

    def real_time_factor(self) -> float | None:
        """Wall time divided by presentation time: 1 is real time, more is too slow; None if the latter is 0."""
        wall, shown = self._pace()
        return wall / shown if shown else None

    def save(self, path: Path, finish: Callable[[Path], None] | None = None) -> None:
        """Write an MP4 with the frames as they were received; ``finish`` as in `Mp4Writer`. Blocks. Raises
        `animator.media.files.MediaError`."""
        with Mp4Writer(path, self.width, self.height, finish=finish) as writer:
            writer.write_encoded(self.packets, self.frame_numbers(), self.sound())

    def _length(self) -> int:
        """The number of frames that the range of presentation times spans."""
        return self.frame_numbers()[-1] + 1 if self.packets else 0

    def _pace(self) -> tuple[float, float]:
        """From the first frame to the first one of the last chunk: s between arrivals, s between presentation times."""
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
            case events.SpeechStarted():  # the user goes on: what was marked so far belonged to a pause
                turn.times.clear()
                turn.sounding = Heard()
                self.answered = False
            case events.TranscriptionCompleted():
                turn.heard[event.item_id] = event.transcript.strip()
                turn.mark("transcript", at)
            case events.ItemDeleted():  # the turn was ended at a pause: the whole is transcribed again
                turn.heard.pop(event.item_id, None)
            case events.AudioTranscriptDelta():
                turn.sounding.line(event.delta.strip())
            case events.AudioTimestampDelta():
                turn.sounding.word(event.audio_offset_ms / 1000)
            case events.AudioTranscriptDone():
                turn.assistant = event.transcript
            case events.AvatarMetrics(ms=ms) if {"first_token", "first_audio"} <= ms.keys():
                turn.steps = ms
                # Only the session knows the first token's time; the first audio sent aligns the two clocks.
                turn.mark("first_token", turn.times["first_sent"] - (ms["first_audio"] - ms["first_token"]) / 1000)
            case events.ResponseDone():
                turn.status = str(event.response.get("status"))
                turn.mark("over", at)
                self.answered = turn.status == "completed"
            case _:
                pass

"""Captions of a recording as WebVTT (https://www.w3.org/TR/webvtt1/); of an interrupted reply only the heard words."""

from dataclasses import dataclass, field

from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.stages.protocols import SPEAK_RATE

FACE, USER = "Face", "User"
TYPED_MS = 3000.0  # ms for which typed text is shown
SHORTEST_MS = 300.0  # ms, minimum duration of a cue


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """One caption. ``start`` and ``end`` in ms on the session's clock; ``who``: `FACE` or `USER`."""

    start: float
    end: float
    who: str
    text: str


@dataclass(slots=True)
class _Line:
    """A line that the face is saying; ``words``: those whose playout has begun. Times in ms."""

    text: str
    words: list[str] = field(default_factory=list[str])
    start: float | None = None
    end: float = 0.0


class Captions:
    """Collects captions from the events that a session sends (`note`)."""

    def __init__(self) -> None:
        self.cues: list[Cue] = []
        self._line: _Line | None = None
        self._turns: dict[str, tuple[float, float]] = {}  # by item id: start and end of the user's speech, ms

    def note(self, event: ServerEvent, now: float) -> None:
        """Take the next event. ``now``: ms on the session's clock."""
        match event:
            case events.AudioTranscriptDelta():
                self._end()
                self._line = _Line(event.delta.strip())
            case events.AudioTimestampDelta() if self._line:
                self._line.words.append(event.text)
            case events.AudioDelta() if self._line and event.item_id:
                self._line.start = event.pts_ms if self._line.start is None else self._line.start
                self._line.end = event.pts_ms + len(event.delta) / 2 * 1000 / SPEAK_RATE
            case events.ResponseDone():
                self._end(whole=event.response.get("status") == "completed")
            case _:
                self._user(event, now)

    def text(self, since: float) -> str:
        """The WebVTT file for a recording that begins at ``since`` (ms on the session's clock)."""
        shown = [cue for cue in sorted(self.cues) if cue.end > since]
        return "\n".join(["WEBVTT\n", *(_written(cue, since) for cue in shown)])

    def _user(self, event: ServerEvent, now: float) -> None:
        match event:
            case events.SpeechStarted():
                self._turns[event.item_id] = now, now
            case events.SpeechStopped():
                self._turns[event.item_id] = self._turns.get(event.item_id, (now, now))[0], now
            case events.TranscriptionCompleted():
                start, end = self._turns.pop(event.item_id, (now, now))
                self._add(start, end, USER, event.transcript)
            case events.ItemAdded() if event.item.get("role") == "user":
                typed = [part.get("text") or "" for part in event.item.get("content", []) if "text" in part]
                self._add(now, now + TYPED_MS, USER, " ".join(typed))
            case _:
                pass

    def _end(self, whole: bool = True) -> None:
        line, self._line = self._line, None
        if line and line.start is not None:
            self._add(line.start, line.end, FACE, line.text if whole or not line.words else " ".join(line.words))

    def _add(self, start: float, end: float, who: str, text: str) -> None:
        if text.strip():
            self.cues.append(Cue(start, max(end, start + SHORTEST_MS), who, " ".join(text.split())))


def _written(cue: Cue, since: float) -> str:
    text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_clock(cue.start - since)} --> {_clock(cue.end - since)}\n<v {cue.who}>{text}\n"


def _clock(ms: float) -> str:
    whole = max(0, round(ms))
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"

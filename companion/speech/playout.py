"""Playout: speech that waits to be shown, and how much of it has been. Here the two loops of a session meet.

One item speaks at a time. Its sound runs without a break from its first sample: where synthesis is late, silence is
part of it, so that a position in the item is also a time.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from companion.speech.text.sentences import Mark
from companion.stages.protocols import SPEAK_RATE, Samples, Speech, Word

BUFFER_SAMPLES = 6 * SPEAK_RATE  # samples of speech made in advance; an interruption throws them away
REPLAY_SAMPLES = 2 * SPEAK_RATE  # samples that were taken and may be said again: a word, and what the face looks ahead


@dataclass(slots=True)
class Line:
    """One sentence of an item; a sound without words has no text. Positions are samples of the item's sound; `start` is
    None until it is shown."""

    text: str
    emotion: str = "neutral"
    start: int | None = None
    end: int = 0  # of what has been taken
    made: int = 0  # samples synthesized so far
    whole: bool = False  # nothing more of it will be synthesized
    words: list[Word] = field(default_factory=list[Word])  # seconds from the start of the item's sound
    marks: tuple[Mark, ...] = ()  # what changes with which of its words
    shown: tuple[tuple[str, ...], ...] = ()  # for each word as spoken, those of the text that begin with it
    said: int = 0  # words as spoken that have been placed

    def placed(self) -> list[tuple[int, int]]:
        """The beginnings and ends of the words that are known."""
        return [(round(word.start * SPEAK_RATE), round(word.end * SPEAK_RATE)) for word in self.words]

    def place(self, word: Word) -> list[Word]:
        """A spoken word -> the words of the text that it says. A spoken word that belongs to the text word before makes
        that one longer."""
        texts = self.shown[self.said] if self.said < len(self.shown) else (word.text,)
        self.said += 1
        if not texts and self.words:
            self.words[-1] = replace(self.words[-1], end=word.end)
        each = (word.end - word.start) / max(1, len(texts))
        starts = [word.start + each * i for i in range(len(texts))]
        return [Word(text, start, start + each) for text, start in zip(texts, starts, strict=True)]

    def postpone(self, first: int, since: int, by: int) -> None:
        """Move what begins at ``first`` or later back by ``by`` samples; what was shown begins before ``since``."""
        if self.start is not None and self.start > since:
            self.start += by
        self.words = [_later(word, by) if round(word.start * SPEAK_RATE) >= first else word for word in self.words]


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence or a word that starts at ``at``, in samples of the item's sound."""

    at: int
    line: Line
    word: Word | None = None
    marks: tuple[Mark, ...] = ()  # what changes with the word

    def later(self, by: int) -> "Cue":
        """The same, so many samples later."""
        return replace(self, at=self.at + by, word=self.word and _later(self.word, by))


class Speaker(Protocol):
    """The response that is being spoken."""

    @property
    def id(self) -> str: ...
    def cue(self, cue: Cue) -> None:
        """A sentence or a word begins with the sound that follows."""
        ...

    def sound(self, audio: Samples, pts_ms: float) -> None: ...
    def seen(self, begun: float, drawn: float) -> None:
        """The pictures of the sound were sent, too; they were drawn between two times of the loop."""
        ...

    def ended(self) -> None:
        """The last of the sound was sent."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    audio: Samples
    cues: tuple[Cue, ...]


@dataclass(slots=True)
class _Piece:
    line: Line
    speech: Speech
    used: int = 0


class Feed:
    """Puts one item's speech into the mouth as long as that item speaks; later speech is dropped."""

    def __init__(self, mouth: "Mouth") -> None:
        self._mouth = mouth

    def say(self, line: Line) -> None:
        """The pieces that follow are of this line."""
        self._line = line

    def put(self, speech: Speech) -> None:
        """The next piece of the line."""
        self._line.made += len(speech.audio)
        if self._mouth.fed_by(self):
            self._mouth.add(self._line, speech)

    def finish(self) -> None:
        """The item has no more lines."""
        if self._mouth.fed_by(self):
            self._mouth.finish()

    async def room(self) -> None:
        """Wait until less than `BUFFER_SAMPLES` speech is waiting."""
        if self._mouth.fed_by(self):
            await self._mouth.room()


class Mouth:
    """The buffer: a `Feed` fills it, `take` empties it at the pace of the face, `clear` is an interruption."""

    def __init__(self) -> None:
        self._room = asyncio.Event()
        self.begin()

    def begin(self) -> Feed:
        """A new item speaks; what is left of the one before is dropped, as is what still comes from it."""
        self._feed = Feed(self)
        self._pieces: deque[_Piece] = deque()
        self._recent: Samples = np.zeros(0, np.float32)  # what was taken last
        self._begun: deque[Line] = deque(maxlen=4)  # the lines that were taken last
        self._finished = False
        self.waiting = 0  # samples
        self.taken = 0  # samples of the item's sound so far, silence in between included
        self.ends_at: int | None = None  # where the item's sound ends, when that is known
        self._room.set()
        return self._feed

    clear = begin

    def fed_by(self, feed: Feed) -> bool:
        """Whether ``feed`` is that of the item that speaks."""
        return feed is self._feed

    def add(self, line: Line, speech: Speech) -> None:
        """The next piece of the item."""
        self._pieces.append(_Piece(line, speech))
        self.waiting += len(speech.audio)
        if self.waiting >= BUFFER_SAMPLES:
            self._room.clear()

    def finish(self) -> None:
        """The item has no more lines."""
        self._finished = True
        if not self._pieces:
            self.ends_at = self.taken

    async def room(self) -> None:
        """Wait until less than `BUFFER_SAMPLES` speech is waiting."""
        await self._room.wait()

    def ahead(self, n: int) -> Samples:
        """The next ``n`` samples that wait, or fewer; they are not taken."""
        waiting = [piece.speech.audio[piece.used :] for piece in self._pieces]
        return np.concatenate([np.zeros(0, np.float32), *waiting])[:n]

    def take(self, n: int) -> Taken:
        """The next ``n`` samples, zeros where there is no speech, and what starts in them."""
        audio = np.zeros(n, np.float32)
        cues: list[Cue] = []
        filled = 0
        begun = self.taken > 0
        while self._pieces and filled < n:
            filled += self._take_piece(self._pieces[0], audio[filled:], self.taken + filled, cues)
            if self._pieces[0].used == len(self._pieces[0].speech.audio):
                self._pieces.popleft()
        self.waiting -= filled
        if self.waiting < BUFFER_SAMPLES:
            self._room.set()
        if self._finished and not self._pieces and self.ends_at is None:
            self.ends_at = self.taken + filled
        if begun or filled:
            self.taken += n
            self._recent = np.concatenate([self._recent, audio])[-REPLAY_SAMPLES:]
        return Taken(audio, tuple(cues))

    def again(self, since: int) -> int:
        """After a pause at position ``since``: queue everything from the beginning of the word that was cut off again
        -> by how many samples all that had not been shown then moves back."""
        end = self.taken if self.ends_at is None else self.ends_at
        cut = [start for line in self._begun for start, word_end in line.placed() if start <= since < word_end]
        first = max(cut[-1] if cut else since, self.taken - len(self._recent))
        if first >= end or not self._begun:
            return 0
        repeated, later = self._recent[len(self._recent) - (self.taken - first) :][: end - first], self.taken - first
        self._pieces.appendleft(_Piece(self._begun[-1], Speech(repeated)))
        for line in self._begun:
            line.postpone(first, since, later)
        self._begun[-1].made += len(repeated)
        self.waiting += len(repeated)
        self.ends_at = None
        return later

    def _take_piece(self, piece: _Piece, out: Samples, at: int, cues: list[Cue]) -> int:
        """Fill ``out``, which starts at position ``at``, from ``piece`` -> samples used."""
        line = piece.line
        if piece.used == 0:
            if line.start is None:
                line.start = at
                self._begun.append(line)
                cues += [Cue(at, line)] if line.text else []
            for word in piece.speech.words:
                for placed in line.place(_later(word, at)):
                    marks = tuple(mark for mark in line.marks if mark.word == len(line.words))
                    line.words.append(placed)
                    cues.append(Cue(int(placed.start * SPEAK_RATE), line, placed, marks))
        chunk = piece.speech.audio[piece.used : piece.used + len(out)]
        out[: len(chunk)] = chunk
        piece.used += len(chunk)
        line.end = at + len(chunk)
        return len(chunk)


def _later(word: Word, by: int) -> Word:
    return replace(word, start=word.start + by / SPEAK_RATE, end=word.end + by / SPEAK_RATE)

"""Short texts that must be heard at once, such as the beginnings of replies, synthesized in advance."""

from collections.abc import AsyncIterator, Hashable, Iterable
from dataclasses import replace

from companion.speech.text.sentences import Sentence
from companion.stages.protocols import TTS, Speech, abilities, switches
from companion.stages.streams import closing, collected
from companion.stages.tts.synthesis import level

_Known = dict[tuple[str, str], tuple[Speech, ...]]  # by text and emotion


class Repertoire:
    """The sounds of short sentences, by voice and by how that voice was told to speak."""

    def __init__(self) -> None:
        self._voices: dict[Hashable, _Known] = {}

    async def learn(self, tts: TTS, sentences: Iterable[Sentence]) -> None:
        """Synthesize with ``tts`` what is not known yet. Raises what ``tts`` raises."""
        practised = tts if isinstance(tts, _Practised) else self.voice(tts)
        for sentence in sentences:
            said = (sentence.spoken, sentence.emotion)
            if said not in practised.known:
                practised.known[said] = tuple(await collected(practised.tts.speak(*said)))

    def voice(self, tts: TTS, manner: Hashable = (), gain: float = 1.0) -> "_Practised":
        """``tts``, with what was learned available at once, ``gain`` times as loud. ``manner`` tells it apart from the
        same voice at another pace or with other pronunciations."""
        known = self._voices.setdefault((abilities(tts).voice, manner), {})
        return _Practised(tts, known, gain)


class _Practised:
    def __init__(self, tts: TTS, known: _Known, gain: float) -> None:
        self.tts, self.known, self.abilities, self._gain = tts, known, abilities(tts), gain

    def in_language(self, language: str) -> "_Practised":
        """As `companion.stages.protocols.Switches`, where the voice is one of these."""
        other = self.tts.in_language(language) if switches(self.tts) else self.tts
        return _Practised(other, self.known, self._gain)

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        known = self.known.get((text, emotion))
        if known is None:
            async with closing(self.tts.speak(text, emotion)) as pieces:
                async for piece in pieces:
                    yield self._loud(piece)
            return
        for piece in known:
            yield self._loud(piece)

    def _loud(self, piece: Speech) -> Speech:
        return piece if self._gain == 1.0 else replace(piece, audio=level(piece.audio, self._gain))

"""Short texts that must be heard at once, such as the beginnings of replies, synthesized in advance."""

from collections.abc import AsyncIterator, Iterable

from companion.speech.text.sentences import Sentence
from companion.stages.protocols import TTS, Speech, abilities
from companion.stages.streams import closing, collected

_Known = dict[tuple[str, str], tuple[Speech, ...]]  # by text and emotion


class Repertoire:
    """The sounds of short sentences, by voice."""

    def __init__(self) -> None:
        self._voices: dict[str, _Known] = {}

    async def learn(self, tts: TTS, sentences: Iterable[Sentence]) -> None:
        """Synthesize with ``tts`` what is not known yet. Raises what ``tts`` raises."""
        known = self._of(tts)
        for sentence in sentences:
            said = (sentence.spoken, sentence.emotion)
            if said not in known:
                known[said] = tuple(await collected(tts.speak(*said)))

    def voice(self, tts: TTS) -> TTS:
        """``tts``, with what was learned available at once."""
        return _Practised(tts, self._of(tts))

    def _of(self, tts: TTS) -> _Known:
        if isinstance(tts, _Practised):
            return tts.known
        return self._voices.setdefault(abilities(tts).voice, {})


class _Practised:
    def __init__(self, tts: TTS, known: _Known) -> None:
        self.tts, self.known, self.abilities = tts, known, abilities(tts)

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        known = self.known.get((text, emotion))
        if known is None:
            async with closing(self.tts.speak(text, emotion)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        for piece in known:
            yield piece

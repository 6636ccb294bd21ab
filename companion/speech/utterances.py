"""A sentence as a voice says it, with the laughter, sighs and breaths that no voice can read."""

from collections.abc import AsyncGenerator

import numpy as np

from companion.speech import laughter
from companion.speech.breath import breath, sigh
from companion.speech.text.sentences import Sentence
from companion.stages.protocols import TTS, Samples, Speech, switches
from companion.stages.streams import closing, collected

MERRY = "happy"  # how a voice says what its laughter is made of


async def said(tts: TTS, sentence: Sentence) -> AsyncGenerator[Speech]:
    """What is heard of ``sentence``, in pieces, read in its language. Raises what ``tts`` raises."""
    tts = tts.in_language(sentence.language) if sentence.language and switches(tts) else tts
    if sentence.sound:
        yield Speech(await _sound(tts, sentence.sound))
    for text, laughed in laughter.parts(sentence.spoken):
        if laughed:
            audio = await _laugh(tts, text)
            yield Speech(audio, laughter.words_of(text, audio))
            continue
        async with closing(tts.speak(text, sentence.emotion)) as pieces:
            async for piece in pieces:
                yield piece


async def _sound(tts: TTS, name: str) -> Samples:
    """What is heard of a stage direction."""
    if name == "laugh":
        return await _laugh(tts, "")
    made = sigh if name == "sigh" else breath
    return made(np.random.default_rng())


async def _laugh(tts: TTS, written: str) -> Samples:
    pieces = await collected(tts.speak(laughter.SAMPLE, MERRY))
    sample = np.concatenate([np.zeros(0, np.float32), *(piece.audio for piece in pieces)])
    return laughter.laugh(sample, written, np.random.default_rng())

"""What is prepared before the first question: the voice synthesizes the openers, the language model reads the persona,
and a whole turn is tried."""

import numpy as np

from companion.config import Talk
from companion.dialogue.personas.personas import Persona, Prompts
from companion.dialogue.replying.prompt import Setting, messages
from companion.speech.laughter import SAMPLE
from companion.speech.repertoire import Repertoire
from companion.speech.text.sentences import Sentence
from companion.speech.utterances import MERRY
from companion.stages.protocols import ASR, HEAR_RATE, LLM, TTS, Message, abilities, prepares, switches
from companion.stages.streams import closing

PROBE_QUESTION, PROBE_ANSWER = "Hello.", "Yes."  # of a turn that is tried
LAUGHTER = Sentence(SAMPLE, SAMPLE, MERRY)
DEFAULT_LANGUAGE = "en"  # in which a voice rehearses that does not say what it speaks


class Rehearsal:
    """What the voice says goes into ``repertoire``."""

    def __init__(self, *, talk: Talk, prompts: Prompts, llm: LLM, repertoire: Repertoire) -> None:
        self._talk, self._prompts, self._llm, self._repertoire = talk, prompts, llm, repertoire

    async def say(self, tts: TTS, persona: Persona, language: str = DEFAULT_LANGUAGE) -> None:
        """Let ``tts`` synthesize the openers of ``persona``, so that they are heard at once later: in all languages of
        the voice, or in the ``language`` of the conversation if it must be told."""
        if self._talk.openers and persona.openers is not False:
            spoken = (language,) if switches(tts) else abilities(tts).languages or (DEFAULT_LANGUAGE,)
            sentences = [*self._prompts.openers.sentences(spoken, persona.openers, persona.emotions)]
            await self._repertoire.learn(tts, [*sentences, LAUGHTER] if sentences else [])

    async def read(self, tts: TTS, name: str) -> None:
        """Let the voice rehearse a persona and a language model that can read it, so that no session waits for it."""
        persona = self._prompts.personas[name]
        await self.say(tts, persona)
        if prepares(self._llm):
            speech = "\n".join((self._prompts.speech, *persona.rules))
            setting = Setting(persona, speech, persona.instructions, tags=self._talk.feeling_tags)
            await self._llm.prepare(messages(setting, ()))

    async def turn(self, asr: ASR, tts: TTS) -> None:
        """Hear nothing, think of the first word, and say one. Raises what the stages raise; StopAsyncIteration where
        one of them gives nothing."""
        await asr.transcribe(np.zeros(HEAR_RATE // 2, np.float32))
        async with closing(self._llm.reply([Message("user", PROBE_QUESTION)])) as deltas:
            await anext(deltas)
        async with closing(tts.speak(PROBE_ANSWER)) as pieces:
            await anext(pieces)

"""The pipeline follows the language of the user, as far as the voice speaks it."""

from dataclasses import replace
from typing import Any

import pytest

from companion.call.virtual_time import run
from companion.dialogue.personas import personas
from companion.dialogue.personas.openers import Openers
from companion.dialogue.personas.personas import Prompts
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Abilities, Transcript
from tests.loop.conversation import PERSONA, Conversation, asked, engine, said

PROMPTS = personas.load()


class Hears:
    """Speech recognition that takes everything for one sentence."""

    def __init__(self, text: str, language: str) -> None:
        self._said = Transcript(text, language)

    async def transcribe(self, audio: Any) -> Transcript:
        return self._said


class Voice(fakes.ToneTTS):
    def __init__(self, *languages: str) -> None:
        super().__init__()
        self.abilities = Abilities(languages=languages)


def _answered(text: str, language: str, tts: fakes.ToneTTS) -> tuple[str, str]:
    """-> what the language model was asked last, and what was said."""
    made = engine(llm=fakes.ScriptedLLM(["it depends."]), asr=Hears(text, language), tts=tts)
    prompts = Prompts({"anna": PERSONA}, "Be short.", openers=PROMPTS.openers, languages=PROMPTS.languages)
    talk = asked(replace(made, prompts=prompts), 1)
    return talk.engine.llm.asked[-1][-1].content, said(talk)[0]


def test_a_voice_that_speaks_it_answers_in_the_user_s_language():
    told, reply = _answered("Warum ist der Himmel blau?", "de", Voice("en", "de"))
    assert "Answer in German." in told
    assert reply.startswith("Na ja,")


def test_a_voice_that_does_not_answers_in_its_own():
    told, reply = _answered("Warum ist der Himmel blau?", "de", Voice("en"))
    assert "answer in English" in told
    assert reply == "it depends."


def test_nothing_is_told_of_the_language_of_the_prompts_or_of_an_unknown_one():
    assert "(" not in _answered("Why is the sky blue?", "en", Voice("en"))[0].partition('"')[0].partition("\n")[0]
    assert not PROMPTS.languages.note("en", ("en",)) and not PROMPTS.languages.note("", ("en",))


def test_only_what_the_voice_speaks_is_rehearsed():
    tts = Voice("fr")
    _answered("Bonjour !", "fr", tts)
    assert "Bonjour!" in {text for text, _ in tts.spoken}
    assert "Well," not in {text for text, _ in tts.spoken}


@pytest.mark.parametrize("language", sorted(set(PROMPTS.openers.languages) - {"en"}))
def test_every_language_has_words_for_the_kinds_that_a_persona_may_name(language: str):
    known = PROMPTS.openers.languages[language]
    assert set(known.words) <= set(PROMPTS.openers.languages["en"].words)
    assert PROMPTS.languages.names[language]
    assert not PROMPTS.personas["tutor"].openers[language]["listening"], "a tutor listens in silence"  # type: ignore[index]


@pytest.mark.parametrize(
    ("language", "said", "fitting"),
    [
        ("de", "Mein Vater ist gestorben.", "Oh,"),
        ("de", "Guten Morgen!", "Hallo!"),
        ("fr", "Non.", ""),
        ("fr", "Raconte-moi une histoire.", "Bien sûr."),
        ("es", "¿Por qué el cielo es azul?", "Pues,"),
        ("it", "Arrivederci.", ""),
        ("pt", "Obrigado por tudo.", "De nada."),
        ("ja", "父が亡くなりました。", "そうですか。"),
        ("ja", "いいえ。", ""),
        ("zh", "你好，你好吗？", "你好！"),
        ("zh", "我爸爸去世了。", "我明白。"),
    ],
)
def test_openers_of_other_languages_suit_what_was_said(language: str, said: str, fitting: str):
    opener = Openers(PROMPTS.openers).choose(said, language, "neutral", {})
    assert (opener.text if opener else "") == fitting


class _Polyglot:
    """Hears any language where nobody tells it which; notes what it was told."""

    abilities = Abilities(languages=frozenset({"de", "en", "cy"}))

    def __init__(self, hears: list[Transcript], told: list[str | None], language: str | None = None) -> None:
        self.hears, self.told, self.language = hears, told, language

    def in_language(self, language: str):
        return _Polyglot(self.hears, self.told, language)

    async def transcribe(self, audio):
        self.told.append(self.language)
        return self.hears.pop(0)


def test_a_language_that_was_heard_for_long_holds_for_what_is_short():
    hears = [Transcript("Ich komme aus Berlin.", "de", confidence=0.9), Transcript("Ja.", "de", confidence=0.9)]
    told: list[str | None] = []

    async def script() -> None:
        async with Conversation(engine(asr=_Polyglot(hears, told))) as talk:
            for number, seconds in enumerate((3.0, 0.5), 1):
                await talk.hear(seconds)
                await talk.silence(1.0)
                await talk.until(events.ResponseDone, number)

    run(script())
    assert told == [None, "de"]


def test_what_is_hardly_understood_in_that_language_may_be_another():
    hears = [
        Transcript("Ich komme aus Berlin.", "de", confidence=0.9),
        Transcript("Ei hat a dog.", "de", confidence=0.2),
        Transcript("I had a dog.", "en", confidence=0.8),
        Transcript("Yes.", "en", confidence=0.8),
    ]
    told: list[str | None] = []

    async def script() -> list[str]:
        async with Conversation(engine(asr=_Polyglot(hears, told))) as talk:
            for number, seconds in enumerate((3.0, 3.0, 0.5), 1):
                await talk.hear(seconds)
                await talk.silence(1.0)
                await talk.until(events.ResponseDone, number)
            return [event.transcript for event in talk.all(events.TranscriptionCompleted)]

    assert run(script()) == ["Ich komme aus Berlin.", "I had a dog.", "Yes."]
    assert told == [None, "de", None, "en"]


@pytest.mark.parametrize(
    ("text", "language"), [("How are you today?", "en"), ("Wie geht es dir heute?", "de"), ("Okay", "")]
)
def test_typed_text_knows_its_language(text: str, language: str):
    async def script() -> str:
        async with Conversation(engine()) as talk:
            talk.ask(text)
            await talk.until(events.ResponseDone)
            return talk.session.conversation.language

    assert run(script()) == language

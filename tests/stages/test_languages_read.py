"""How other languages than English are read, without any model: text -> symbols, and who is told of which language."""

import unicodedata

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Abilities, Speech
from companion.stages.tts.english import alphabet
from companion.stages.tts.kokoro import Kokoro
from companion.stages.tts.languages import asian, devanagari, numerals
from companion.stages.tts.languages.spelling import Speller
from companion.stages.tts.polyglot import Polyglot, available, reader
from tests.loop.conversation import Conversation, engine

READ = {
    "es": {
        "guitarra": "ɡitˈara", "queso": "kˈeso", "ciudad": "θiuðˈað", "niño": "nˈiɲo", "hoy": "ˈoj", "gente": "xˈente",
        "calle": "kˈaʎe", "corazón": "koɾaθˈon", "perro": "pˈero", "pingüino": "pinɡwˈino", "muchachos": "muʧˈaʧos",
    },
    "fr": {
        "bonjour": "bɔ̃ʒˈuʁ", "oiseaux": "wazˈo", "soleil": "sɔlˈɛj", "maison": "mɛzˈɔ̃", "chien": "ʃjˈɛ̃", "temps": "tˈɑ̃",
        "beaucoup": "bokˈu", "fille": "fˈij", "gagner": "ɡaɲˈe", "français": "fʁɑ̃sˈɛ", "heureux": "œʁˈø",
    },
    "it": {
        "ciao": "ʧˈao", "chiave": "kjˈave", "gli": "ʎi", "scuola": "skwˈola", "pesce": "pˈeʃe", "pizza": "pˈiʦːa",
        "oggi": "ˈoʤːi", "gnocchi": "ɲˈokːi", "città": "ʧitːˈa", "casa": "kˈaza", "giorno": "ʤˈoɾno",
    },
    "pt": {
        "não": "nˈɐ̃ʊ̃", "coração": "koɾasˈɐ̃ʊ̃", "tempo": "tˈẽpʊ", "gente": "ʒˈẽʧi", "filho": "fˈiʎʊ", "rua": "xˈuɐ",
        "carro": "kˈaxʊ", "brasil": "bɾazˈiw", "amanhã": "amaɲˈɐ̃", "dia": "ʤˈiɐ",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", READ)
def test_words_are_read_as_their_letters_tell(language: str):
    speller = Speller(language)
    said = {word: speller.read(word) for word in READ[language]}
    assert {word: unicodedata.normalize("NFC", symbols) for word, symbols in said.items()} == {
        word: unicodedata.normalize("NFC", symbols) for word, symbols in READ[language].items()
    }


def test_words_that_meet_are_joined_in_french():
    assert Speller("fr").read("les", "amis") == "lez"
    assert Speller("fr").read("les", "chats") == "le"


@pytest.mark.parametrize(
    ("word", "symbols"),
    [("नमस्ते", "nəməstˈeː"), ("किताब", "kɪtˈaːb"), ("घर", "ɡʰəɾ"), ("ज़रा", "zəɾˈaː"), ("हिन्दी", "hɪndˈiː"),
     ("लड़का", "ləɽkˈaː")],
)  # fmt: skip
def test_hindi_is_read_without_the_vowel_that_nobody_says(word: str, symbols: str):
    assert devanagari.read(word) == symbols


@pytest.mark.parametrize(
    ("kana", "symbols"),
    [("こんにちは", "koɴɲiʨiha"), ("キョウ", "kʲoɯ"), ("ガッコー", "ɡaʔkoː"),
     ("シャシン", "ɕaɕiɴ"), ("ファイル", "ɸaiɾɯ")],
)  # fmt: skip
def test_kana_are_read_one_by_one(kana: str, symbols: str):
    assert asian.kana(kana) == symbols


@pytest.mark.parametrize(
    ("pinyin", "symbols"),
    [
        ("zhong1", "ꭧʊ→ŋ"), ("guo2", "kwo↗"), ("shi4", "ʂɨ↘"), ("yue4", "ɥe↘"), ("ju3", "ʨy↓"), ("wo3", "wo↓"),
        ("yuan2", "ɥɛ↗n"), ("de", "tɤ"), ("nv3", "ny↓"), ("er2", "ɚ↗"), ("xiong2", "ɕjʊ↗ŋ"), ("ying1", "i→ŋ"),
    ],
)  # fmt: skip
def test_syllables_of_chinese_have_their_tones(pinyin: str, symbols: str):
    assert asian._syllable(pinyin) == symbols


def test_every_symbol_of_a_reader_is_one_of_the_network_s():
    texts = {
        "es": "¿Cuánto cuesta? Son 1.250 €, un 15 % más — ¡de veras!",
        "fr": "« L'été », dit-il : 71 œufs, n'est-ce pas ?",
        "it": "Perché no? 1.000 volte «sì»…", "pt": "Às 21h, três irmãs; põe-nas lá!",
        "hi": "मेरे पास 25 किताबें हैं। सच?",
    }  # fmt: skip
    for language, text in texts.items():
        for utterance in reader(language).utterances(text):
            assert set(utterance.symbols) <= set(alphabet())
            assert len(reader(language).ids(utterance.symbols)) == len(utterance.symbols) + 2
            spoken = [word for word in utterance.words if word.end > word.start]
            assert spoken and all(a.end <= b.start for a, b in zip(spoken, spoken[1:], strict=False))
        words = [word.text for utterance in reader(language).utterances(text) for word in utterance.words]
        assert "".join(words).replace(".", "") == "".join(text.split()).replace(".", ""), "captions keep their words"
    assert reader("es").utterances("— …") == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, {"es": "cero", "fr": "zéro"}), (21, {"es": "veintiuno", "fr": "vingt et un", "it": "ventuno"}),
        (80, {"fr": "quatre-vingts"}), (91, {"fr": "quatre-vingt onze", "es": "noventa y uno", "pt": "noventa e um"}),
        (100, {"es": "cien", "pt": "cem", "zh": "一百", "ja": "百"}), (345, {"pt": "trezentos e quarenta e cinco"}),
        (2024, {"es": "dos mil veinticuatro", "fr": "deux mille vingt quatre", "zh": "二千二十四"}),
        (123456, {"hi": "एक लाख तेईस हज़ार चार सौ छप्पन", "zh": "十二万三千四百五十六"}),
        (1234567, {"es": "uno dos tres cuatro cinco seis siete"}),
    ],
)  # fmt: skip
def test_numbers_become_words(number: int, said: dict[str, str]):
    assert {language: numerals.said(number, language) for language in said} == said


def test_a_language_that_needs_a_dictionary_is_offered_where_that_is_installed(monkeypatch):
    monkeypatch.setattr(asian, "installed", lambda language: False)
    assert set(available()) == {"es", "fr", "it", "pt", "hi"}


class Linguist(fakes.ToneTTS):
    """Notes which text it was told to read in which language."""

    abilities = Abilities(languages=("en", "es", "fr"), switches=True)

    def __init__(self) -> None:
        super().__init__()
        self.language = "en"

    def in_language(self, language: str) -> "Linguist":
        other = Linguist()
        other.language, other.spoken = language, self.spoken
        return other

    async def speak(self, text, emotion="neutral"):
        self.spoken.append((text, self.language))
        yield Speech(np.full(2400, 0.1, np.float32))


def test_the_voice_is_told_the_language_that_is_heard_and_that_of_each_sentence():
    replies = ["Estoy muy bien, gracias. Okay.", "I am here. Où est le chat de la voisine?"]

    async def script():
        async with Conversation(engine(tts=Linguist(), llm=fakes.ScriptedLLM(replies))) as talk:
            for count, text in enumerate(("Hola, ¿cómo estás tú hoy?", "And what is in the house?"), 1):
                talk.ask(text)
                await talk.until(events.ResponseDone, count)
        return talk.engine.tts.spoken

    spoken = [said for said in run(script()) if said[0] != "Ha!"]
    assert spoken == [
        ("Estoy muy bien,", "es"),
        ("gracias.", "es"),
        ("Okay.", "es"),
        ("I am here.", "en"),
        ("Où est le chat de la voisine?", "fr"),
    ]


def test_a_voice_that_has_switched_comes_back_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: Kokoro, *_: object) -> None:
        self.abilities, self._english, self._styles = Abilities(voice="af_heart"), "english", "af_heart"

    monkeypatch.setattr(Kokoro, "__init__", load)
    monkeypatch.setattr(Kokoro, "_styles_of", lambda self, voice: voice)
    home = Polyglot()
    spanish = home.in_language("es")
    assert (spanish._styles, spanish.in_language("fr")._styles) == ("ef_dora", "ff_siwis")
    assert spanish.in_language("en") is home.in_language("en") is spanish.in_language("fr").in_language("en") is home

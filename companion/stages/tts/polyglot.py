"""One voice in eight languages: Kokoro, with a speaker and a reader for each.

A reader makes utterances of text as `companion.stages.tts.english` does; how words sound is told by
`companion.stages.tts.languages`.
"""

import copy
import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from companion.stages.protocols import TTS
from companion.stages.tts.english import MAX_SYMBOLS, Spoken, Utterance, alphabet, cut
from companion.stages.tts.kokoro import Kokoro
from companion.stages.tts.languages import asian, devanagari, numerals
from companion.stages.tts.languages.spelling import Speller

SPEAKERS = {  # a woman and a man of each language; French has no man
    "es": ("ef_dora", "em_alex"),
    "fr": ("ff_siwis", "ff_siwis"),
    "it": ("if_sara", "im_nicola"),
    "pt": ("pf_dora", "pm_alex"),
    "hi": ("hf_alpha", "hm_omega"),
    "ja": ("jf_alpha", "jm_kumo"),
    "zh": ("zf_xiaobei", "zm_yunjian"),
}
SPELT = ("es", "fr", "it", "pt")  # their letters tell how they sound
LANGUAGES = (*SPELT, "hi", "ja", "zh")
_MARKS = {"。": ".", "，": ",", "、": ",", "！": "!", "？": "?", "；": ";", "：": ":", "।": ".", "–": "—"}
_SENTENCE = re.compile(r"[^.!?。！？।]*[.!?。！？।…]*[\"”»)\]]*\s*")
_PART = re.compile(r"\d+|[^\W\d_]+(?:['’][^\W\d_]*)*(?:[\u0900-\u0963\u0966-\u097f]+[^\W\d_]*)*|.", re.DOTALL)
_THOUSANDS = re.compile(r"(?<=\d)[.,\u202f ](?=\d{3}(?!\d))")
_SIGNS = {
    "es": {"%": "por ciento", "€": "euros", "&": "y", "+": "más"},
    "fr": {"%": "pour cent", "€": "euros", "&": "et", "+": "plus"},
    "it": {"%": "per cento", "€": "euro", "&": "e", "+": "più"},
    "pt": {"%": "por cento", "€": "euros", "&": "e", "+": "mais"},
    "hi": {"%": "प्रतिशत"},
    "ja": {"%": "パーセント"},
    "zh": {"%": "百分之"},
}


class Polyglot(Kokoro):
    """Kokoro in English, Spanish, French, Italian, Portuguese and Hindi, and, with the extra ``multilingual``, in
    Japanese and Chinese. The voice is that of English; another language is spoken by a native speaker of its gender,
    or by the voice itself if it is one.

    Args and errors: as `Kokoro`.
    """

    def __init__(self, voice: str = "af_heart", speed: float = 1.0, threads: int = 2) -> None:
        super().__init__(voice, speed, threads)
        self.abilities = replace(self.abilities, languages=("en", *available()), switches=True)
        self._home: TTS | None = None  # of a copy for another language: the voice in English

    def in_language(self, language: str) -> TTS:
        """The same engine for texts in one of ``abilities.languages`` (ISO 639-1), English for any other."""
        voice = self.abilities.voice
        if language not in SPEAKERS or language not in self.abilities.languages:
            return self._home or self
        woman, man = SPEAKERS[language]
        speaker = voice if voice[0] == woman[0] else woman if voice[1] == "f" else man
        other = copy.copy(self)
        other._home = self._home or self
        other._english, other._styles = reader(language), self._styles_of(speaker)
        return other


def available() -> tuple[str, ...]:
    """The languages (ISO 639-1) that can be read here: for some, a dictionary must be installed."""
    return tuple(code for code in LANGUAGES if code not in ("ja", "zh") or asian.installed(code))


@functools.cache
def reader(language: str) -> "Reader":
    """The reader of one of `LANGUAGES`."""
    return Reader(language)


class Reader:
    """Reads one language. Not thread-safe."""

    def __init__(self, language: str) -> None:
        self._language, self._alphabet = language, alphabet()
        self._speller = Speller(language) if language in SPELT else None

    def utterances(self, text: str) -> list[Utterance]:
        """As `companion.stages.tts.english.English.utterances`."""
        result: list[Utterance] = []
        for sentence in _SENTENCE.findall(_THOUSANDS.sub("", text)):
            utterance = self._read(sentence.split())
            if any(symbol.isalpha() for symbol in utterance.symbols):
                result += cut(utterance, MAX_SYMBOLS)
        return result

    def ids(self, symbols: str) -> list[int]:
        """As `companion.stages.tts.english.English.ids`."""
        return [0, *(self._alphabet[symbol] for symbol in symbols), 0]

    def _read(self, written: list[str]) -> Utterance:
        symbols, words = "", list[Spoken]()
        for word, following in zip(written, [*written, ""][1:], strict=True):
            start = len(symbols)
            said = self._word(word, following)
            symbols += self._known(said)
            words.append(Spoken(word, start, len(symbols)))
            symbols += " " if following else ""
        return Utterance(symbols, tuple(words))

    def _known(self, said: str) -> str:
        """What is in the alphabet; it has tildes, and no letters with tildes."""
        apart = "".join(c if c in self._alphabet else unicodedata.normalize("NFD", c) for c in said)
        return "".join(c for c in apart if c in self._alphabet)

    def _word(self, word: str, following: str) -> str:
        parts = _PART.findall(word)
        return "".join(self._part(part, next_) for part, next_ in zip(parts, [*parts, following][1:], strict=True))

    def _part(self, part: str, following: str) -> str:
        if part.isdigit():
            said = numerals.said(int(part), self._language)
            return " ".join(self._letters(word, "") for word in said.replace("-", " ").split())
        if sign := _SIGNS[self._language].get(part):
            return " " + " ".join(self._letters(word, "") for word in sign.split())
        return _MARKS.get(part, part) if not part[0].isalpha() else self._letters(part, following)

    def _letters(self, word: str, following: str) -> str:
        if self._speller:
            return self._speller.read(word, following)
        if self._language == "hi":
            return devanagari.read(word)
        read: Callable[[str], list[tuple[str, str]]] = asian.chinese if self._language == "zh" else asian.japanese
        joint = "" if self._language == "zh" else " "
        return joint.join(said for _, said in read(word) if said)

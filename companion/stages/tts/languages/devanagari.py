"""Hindi, whose script tells how a word sounds, but for the vowel "a", which is written nowhere and not always said."""

import re
import unicodedata

from companion.stages.tts.languages.sounds import signs

_CONSONANTS, _SIGNS, _VOWELS = signs("consonants"), signs("vowel_signs"), signs("vowels")
_VIRAMA = "्"
_SIGN = re.compile("[\u0915-\u0939]\u093c?|.")  # a consonant and the dot below it are one sign
_SOUND = re.compile("[aɪiʊueɛoɔə]")


def read(word: str) -> str:
    """One word -> its symbols."""
    signs = _SIGN.findall(unicodedata.normalize("NFC", word))
    sounds: list[str] = []
    for sign, following in zip(signs, [*signs[1:], ""], strict=True):
        if sign in _CONSONANTS:
            sounds += [_CONSONANTS[sign], *([] if following in _SIGNS or following == _VIRAMA else ["ə"])]
        elif sign in _SIGNS or sign in _VOWELS:
            sounds.append(_SIGNS.get(sign) or _VOWELS[sign])
        elif sign in "ंँ" and sounds:
            sounds.append("n" if following in _CONSONANTS and sign == "ं" else "̃")
    return _stressed(_without_a(sounds))


def _without_a(sounds: list[str]) -> list[str]:
    """Without the "a" at the end of a word, and between vowel, consonant and consonant, vowel."""
    kept = sounds[:-1] if len(sounds) > 2 and sounds[-1] == "ə" else list(sounds)
    for i in range(len(kept) - 3, 1, -1):
        around = (kept[i - 2], kept[i - 1], kept[i + 1], kept[i + 2])
        vowels = [bool(_SOUND.match(sound)) for sound in around]
        if kept[i] == "ə" and vowels == [True, False, False, True]:
            del kept[i]
    return kept


def _stressed(sounds: list[str]) -> str:
    vowels = [i for i, sound in enumerate(sounds) if _SOUND.match(sound)]
    long = [i for i in vowels if "ː" in sounds[i]]
    at = (long or vowels[:1] or [None])[0] if len(vowels) > 1 else None
    return "".join(f"ˈ{sound}" if i == at else sound for i, sound in enumerate(sounds))

"""Chinese and Japanese, which dictionaries read: pypinyin, and MeCab with UniDic (extra ``multilingual``)."""

import functools
import re
from importlib import util
from typing import Any

from companion.stages.tts.languages.sounds import signs

_INITIALS = {
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
_FINALS = {  # with where the tone stands
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n", "eng": "ə0ŋ",
    "er": "ɚ0", "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0", "in": "i0n",
    "ing": "i0ŋ", "iong": "jʊ0ŋ", "iu": "jou0", "iou": "jou0", "o": "wo0", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0",
    "ua": "wa0", "uai": "wai0", "uan": "wa0n", "uang": "wa0ŋ", "ui": "wei0", "uei": "wei0", "un": "wə0n",
    "uen": "wə0n", "ueng": "wə0ŋ", "uo": "wo0", "v": "y0", "ve": "ɥe0", "van": "ɥɛ0n", "vn": "y0n", "ue": "ɥe0",
}  # fmt: skip
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
_BUZZING = frozenset({"zh", "ch", "sh", "r", "z", "c", "s"})  # after which "i" is the consonant gone on
_SYLLABLE = re.compile(rf"({'|'.join(_INITIALS)})?([a-z]+)([1-5])?")
_MORAE = signs("kana")
_GLIDES = {"ャ": "a", "ュ": "ɯ", "ョ": "o"}
_SMALL = {"ァ": "a", "ィ": "i", "ゥ": "ɯ", "ェ": "e", "ォ": "o"}
_PALATAL = {"ɕ", "ʨ", "ʥ", "ɲ", "ç"}


def installed(language: str) -> bool:
    """Whether the dictionary of "zh" or "ja" is there."""
    needed = ("pypinyin",) if language == "zh" else ("fugashi", "unidic_lite")
    return all(util.find_spec(name) for name in needed)


def chinese(text: str) -> list[tuple[str, str]]:
    """Text without punctuation -> each character with its symbols."""
    from pypinyin import Style, lazy_pinyin  # pyright: ignore[reportMissingImports]

    found: list[str] = lazy_pinyin(list(text) if len(text) == 1 else text, style=Style.TONE3, v_to_u=False)
    return list(zip(text, map(_syllable, found), strict=False)) if len(found) == len(text) else [(text, "")]


def _syllable(pinyin: str) -> str:
    """ "zhong1" -> its symbols."""
    match = _SYLLABLE.fullmatch(_plain(pinyin))
    if not match:
        return ""
    initial, final, tone = match[1] or "", match[2], _TONES[match[3] or "5"]
    if final == "i" and initial in _BUZZING:
        return _INITIALS[initial] + "ɨ" + tone
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    return _INITIALS.get(initial, "") + _FINALS.get(final, "").replace("0", tone)


def _plain(pinyin: str) -> str:
    """Without the letters that only stand at the beginning of a syllable: "yi" is "i", "wo" is "uo"."""
    for written, meant in (("yu", "v"), ("yi", "i"), ("y", "i"), ("wu", "u"), ("w", "u")):
        if pinyin.startswith(written):
            return meant + pinyin.removeprefix(written)
    return pinyin


def japanese(text: str) -> list[tuple[str, str]]:
    """Text -> its words, each with its symbols; "" for marks."""
    words: list[tuple[str, str]] = []
    for word in _tagger()(text):
        reading = getattr(word.feature, "pron", None) or word.surface
        words.append((word.surface, kana(reading)))
    return words


def kana(reading: str) -> str:
    """Kana -> symbols."""
    katakana = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in reading)
    said = ""
    for sign in katakana:
        if sign in _GLIDES and said:
            said = said[:-1] + ("" if said[-2:-1] in (*_PALATAL, "ʲ", "j") else "j") + _GLIDES[sign]
        elif sign in _SMALL and said and said[-1] in "aiɯeoɨ":
            said = said[:-1] + _SMALL[sign]
        else:
            said += _MORAE.get(sign, "")
    return said


@functools.cache
def _tagger() -> Any:
    from fugashi import Tagger  # pyright: ignore[reportMissingImports]

    return Tagger()

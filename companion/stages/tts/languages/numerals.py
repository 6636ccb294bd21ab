"""Whole numbers in words, up to 999,999 (of Chinese and Japanese up to 99,999,999)."""

from collections.abc import Callable

from companion.stages.tts.languages.sounds import numerals

_ES, _ES_TENS, _ES_HUNDREDS = numerals("es"), numerals("es_tens"), numerals("es_hundreds")
_FR, _FR_TENS = numerals("fr"), numerals("fr_tens")
_IT, _IT_TENS = numerals("it"), numerals("it_tens")
_PT, _PT_TENS, _PT_HUNDREDS = numerals("pt"), numerals("pt_tens"), numerals("pt_hundreds")
_HI = numerals("hi")
_HAN = "零一二三四五六七八九"


def said(number: int, language: str) -> str:
    """``number`` in words of ``language`` (es, fr, it, pt, hi, zh, ja); digit by digit where it is too large."""
    most = 99_999_999 if language in ("zh", "ja") else 999_999
    if number > most:
        return " ".join(said(int(digit), language) for digit in str(number))
    return {"es": _es, "fr": _fr, "it": _it, "pt": _pt, "hi": _hi, "zh": _zh, "ja": _ja}[language](number)


def _es(n: int) -> str:
    if n < 30:
        return _ES[n]
    if n < 100:
        return _ES_TENS[n // 10 - 3] + (f" y {_ES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return "cien" if n == 100 else _joined(_ES_HUNDREDS[n // 100 - 1], n % 100, _es)
    return _joined("mil" if n < 2000 else f"{_es(n // 1000)} mil".replace("uno mil", "ún mil"), n % 1000, _es)


def _fr(n: int) -> str:
    if n < 20:
        return _FR[n]
    if n < 100:
        tens, rest = n // 10, n % 10 + (10 if n // 10 in (7, 9) else 0)
        name = _FR_TENS[tens - 2]
        if rest == 0:
            return name + ("s" if name == "quatre-vingt" else "")
        return f"{name} et {_FR[rest]}" if rest in (1, 11) and tens < 8 else f"{name} {_FR[rest]}"
    if n < 1000:
        return _joined("cent" if n < 200 else f"{_FR[n // 100]} cent", n % 100, _fr)
    return _joined("mille" if n < 2000 else f"{_fr(n // 1000)} mille", n % 1000, _fr)


def _it(n: int) -> str:
    if n < 20:
        return _IT[n]
    if n < 100:
        name, rest = _IT_TENS[n // 10 - 2], n % 10
        return (name[:-1] if rest in (1, 8) else name) + (_IT[rest] if rest else "")
    if n < 1000:
        return ("" if n < 200 else _IT[n // 100]) + "cento" + (f" {_it(n % 100)}" if n % 100 else "")
    return _joined("mille" if n < 2000 else f"{_it(n // 1000)} mila", n % 1000, _it)


def _pt(n: int) -> str:
    if n < 20:
        return _PT[n]
    if n < 100:
        return _PT_TENS[n // 10 - 2] + (f" e {_PT[n % 10]}" if n % 10 else "")
    if n < 1000:
        return "cem" if n == 100 else _PT_HUNDREDS[n // 100 - 1] + (f" e {_pt(n % 100)}" if n % 100 else "")
    rest, joint = n % 1000, " e " if n % 1000 < 100 or n % 100 == 0 else " "
    return ("mil" if n < 2000 else f"{_pt(n // 1000)} mil") + (joint + _pt(rest) if rest else "")


def _hi(n: int) -> str:
    if n < 100:
        return _HI[n]
    for unit, name in ((100_000, "लाख"), (1000, "हज़ार"), (100, "सौ")):
        if n >= unit:
            return _joined(f"{_hi(n // unit)} {name}", n % unit, _hi)
    return ""


def _zh(n: int) -> str:
    return _han(n, (10,))


def _ja(n: int) -> str:
    return _han(n, (10, 100, 1000))


def _han(n: int, bare: tuple[int, ...]) -> str:
    """``bare``: units before which one is not said."""
    if n < 10:
        return _HAN[n]
    for unit, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if n >= unit:
            many, rest = divmod(n, unit)
            return ("" if many == 1 and unit in bare else _han(many, bare)) + name + (_han(rest, bare) if rest else "")
    return ""


def _joined(first: str, rest: int, words: Callable[[int], str]) -> str:
    return f"{first} {words(rest)}" if rest else first

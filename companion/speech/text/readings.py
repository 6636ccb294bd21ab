"""How English reads what is no word: dates, addresses, versions, units, money, Roman numerals, telephone numbers.

Only what a voice would read wrong: plain numbers, "Dr.", times and "$5" are left as they are, which keeps the words of
the text and of the voice alike. Every rule is a pattern and what takes its place, applied in order.
"""

import re
from collections.abc import Callable

from companion.speech.text.mathematics import cardinal, ordinal
from companion.speech.text.wording import numbered

_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
]  # fmt: skip
_DAYS_OF = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_UNITS = {
    "m²": ("square meter", "square meters"), "km²": ("square kilometer", "square kilometers"),
    "cm²": ("square centimeter", "square centimeters"), "ft²": ("square foot", "square feet"),
    "m³": ("cubic meter", "cubic meters"), "cm³": ("cubic centimeter", "cubic centimeters"),
    "m/s": ("meter per second", "meters per second"), "m": ("meter", "meters"), "g": ("gram", "grams"),
    "l": ("liter", "liters"), "L": ("liter", "liters"), "W": ("watt", "watts"), "V": ("volt", "volts"),
    "dB": ("decibel", "decibels"), "kcal": ("kilocalorie", "kilocalories"), "Nm": ("newton meter", "newton meters"),
    "mph": ("mile per hour", "miles per hour"), "bpm": ("beat per minute", "beats per minute"),
    "°C": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
}  # fmt: skip  # "km", "kg", "GB" and their like are known to every English voice
_MONEY = {"€": ("euro", "euros"), "$": ("dollar", "dollars"), "£": ("pound", "pounds"), "CHF": ("franc", "francs"),
          "EUR": ("euro", "euros"), "USD": ("US dollar", "US dollars"), "GBP": ("pound", "pounds")}  # fmt: skip
_LARGE = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion", "tn": "trillion"}
_ENDINGS = "com org net edu gov int io ai app dev info eu uk de fr es it nl ch at us ca au co me tv"
_FILES = "py js ts css html txt md csv json toml yaml yml pdf png jpg jpeg gif mp3 mp4 wav zip exe docx xlsx"
_NUMERALS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_REIGNS = re.compile(r"\b(?:King|Queen|Pope|Emperor|Empress|Tsar|Prince|Kaiser) $")
_COUNTED, _RULERS = numbered()
_SENTENCE_ABOUT_ME = re.compile(r" (?!(?:of|and|to|is|was|in|or|ends|begins|shows)\b)[a-z]")
_ROMAN = r"(?=[IVXLC])(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"

Reading = Callable[[re.Match[str]], str]


def read(text: str) -> str:
    """An English text with what is no word as words, less what a voice reads by itself."""
    for pattern, reading in _RULES:
        text = pattern.sub(reading, text)
    return text


def ranges(text: str) -> str:
    """Hyphens and arrows that are left between numbers, once arithmetic has taken its own."""
    for pattern, reading in _RANGES:
        text = pattern.sub(reading, text)
    return text


def dotted(name: str) -> str:
    """example.com/a?b=c -> "example dot com"."""
    return name.replace(".", " dot ").replace("_", " ").replace("@", " at ").replace("-", " dash ")


def _date(match: re.Match[str]) -> str:
    """24.12.2024 -> "the twenty-fourth of December 2024"; "on the" stays single."""
    day, month = int(match["day"]), int(match["month"])
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS_OF[month - 1]:
        return match.group()
    year = match["year"] or ""
    year = f" 20{year}" if len(year) == 2 else f" {year}" if year else ""
    the = "" if match["the"] else "the "
    return f"{match['the'] or ''}{the}{ordinal(day)} of {_MONTHS[month - 1]}{year}"


def _digits(match: re.Match[str]) -> str:
    """A telephone number, digit by digit with a pause where it was grouped."""
    groups = re.findall(r"\d+", match.group())
    said = ", ".join(map(_each, groups))
    return f"plus {said}" if match.group().startswith("+") else said


def _version(match: re.Match[str]) -> str:
    parts = match["numbers"].split(".")
    joint = " dot " if len(parts) == 4 else " point "
    said = joint.join(_short(part) for part in parts)
    return f"version {said}" if match["v"] and not match["word"] else f"{match['word'] or ''}{said}"


def _short(digits: str) -> str:
    return cardinal(int(digits)) if len(digits) < 4 else _each(digits)


def _each(digits: str) -> str:
    """One digit after the other."""
    return " ".join(cardinal(int(digit)) for digit in digits)


def _unit(match: re.Match[str]) -> str:
    one, many = _UNITS[match["unit"].replace(" ", "")]
    return f"{match['number']} {one if match['number'] in ('1', '-1') else many}"


def _money_after(match: re.Match[str]) -> str:
    """3,50 € -> "3 euros 50"; 20 EUR -> "20 euros"."""
    one, many = _MONEY[match["sign"]]
    whole, cents = match["whole"], match["cents"]
    said = f"{whole} {one if whole == '1' else many}"
    return f"{said} {int(cents)}" if cents and int(cents) else said


def _money_large(match: re.Match[str]) -> str:
    """$3bn -> "3 billion dollars"."""
    return f"{match['number']} {_LARGE[match['large'].lower()]} {_MONEY[match['sign']][1]}"


def _roman(match: re.Match[str]) -> str:
    """Louis XIV -> "Louis the fourteenth", Chapter IV -> "Chapter four"; "I" and "V" only where things are counted."""
    name, numeral = match["name"], match["roman"]
    value = _value(numeral)
    if name.title() in _COUNTED:
        pronoun = numeral == "I" and (name.islower() or _SENTENCE_ABOUT_ME.match(match.string[match.end() :]))
        return match.group() if pronoun else f"{name} {cardinal(value)}"
    ruler = name in _RULERS and numeral in ("V", "X") or _REIGNS.search(match.string[: match.start()])
    if value > 20 or len(numeral) < 2 and not ruler:
        return match.group()
    return f"{name} the {ordinal(value)}"


def _value(numeral: str) -> int:
    values = [_NUMERALS[letter] for letter in numeral]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))


def _century(match: re.Match[str]) -> str:
    return f"{ordinal(_value(match['roman']))} {match['what']}"


def _function(match: re.Match[str]) -> str:
    """f(x) -> "f of x", log_2(8) -> "log base 2 of 8"."""
    base = f" base {match['base']}" if match["base"] else ""
    return f"{match['name']}{base} of {match['of']}"


def _times(match: re.Match[str]) -> str:
    return f"{match[1]} times "


def _scientific(match: re.Match[str]) -> str:
    """3.2e-4 -> "3.2 times ten to the power of minus 4"."""
    power = match["power"].lstrip("+").replace("-", "minus ")
    return f"{match['number']} times ten to the power of {power}"


def _domain(match: re.Match[str]) -> str:
    return dotted(match.group())


_NUMBER = r"(?P<number>-?\d+(?:,\d{3})*(?:\.\d+)?)"
_SIGN = r"(?P<sign>[€$£]|EUR|USD|GBP|CHF)"


_UNIT = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_LOWER = "|".join(sorted(_COUNTED)).lower()


def _rule(pattern: str, reading: Reading) -> tuple[re.Pattern[str], Reading]:
    return re.compile(pattern), reading


_RULES = (
    _rule(r"(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?<![.])", _domain),
    _rule(rf"(?<![\w.@])(?:[a-zA-Z0-9][\w-]*\.)+(?:{'|'.join(_ENDINGS.split())})(?![\w.]*\w)", _domain),
    _rule(rf"(?<![\w.@])[a-zA-Z_][\w-]*\.(?:{'|'.join(_FILES.split())})(?![\w.]*\w)", _domain),
    _rule(
        r"(?P<the>\b[Tt]he )?(?<![\d.])(?P<day>\d{1,2})\. ?(?P<month>\d{1,2})\. ?(?P<year>\d{4}|\d{2})(?![\d.]*\d)",
        _date,
    ),
    _rule(
        r"(?P<the>\b[Tt]he )?(?<![\d.])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>)(?=\s+[a-z])(?!\s*[ap]\.?m)",
        _date,
    ),
    _rule(r"(?P<the>\b[Tt]he )?(?<![\w-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\w-])", _date),
    _rule(r"(?P<the>\b[Tt]he )?(?<![\w/])(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})(?![\w/])", _date),
    _rule(r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)|\d{1,5})(?:[ .-]?\d{2,5}){1,5}(?!\w)", _digits),
    _rule(r"(?<![\w.])\(\d{3}\) ?\d{3}[- .]\d{4}(?!\w)", _digits),
    _rule(r"(?<![\w.-])(?:\d-)?(?:\d{3}[-.])?\d{3}[-.]\d{4}(?![\w.-]*\w)", _digits),
    _rule(r"(?<![\w.,-])0\d{2,4}[ /-]\d{3,}(?:[ -]\d{2,})*(?!\w)", _digits),
    _rule(
        r"(?P<word>\b[Vv]ersion )?(?<![\w.])(?P<v>[vV])?(?P<numbers>\d{1,3}(?:\.\d{1,5}){2,3})(?![\w.]*\w)", _version
    ),
    _rule(r"(?P<word>\b[Vv]ersion )?(?<![\w.])(?P<v>[vV])(?P<numbers>\d{1,3}(?:\.\d{1,5})?)(?![\w.]*\w)", _version),
    _rule(r"\b(\d{1,2})\.(\d{2}) ?(?=[ap]\.?m\b)", lambda m: f"{m[1]}:{m[2]} "),
    _rule(rf"(?<![\w.]){_SIGN}(?P<number>\d[\d.,]*) ?(?P<large>k|m|mn|bn|b|tn|K|M|B)\b", _money_large),
    _rule(rf"(?<![\w.,])(?P<whole>\d+)(?:[.,](?P<cents>\d{{2}}))? ?{_SIGN}(?![\w])", _money_after),
    _rule(
        rf"(?<![\w.,]){_NUMBER} ?(?P<unit>{_UNIT}|° ?[CF])(?![\w²³/°'’])",
        _unit,
    ),
    _rule(
        rf"\b(?P<name>[A-Z][a-zäöüéèç]+|{_LOWER}) (?P<roman>{_ROMAN})(?!\w|\.\w|['’](?!s\b))",
        _roman,
    ),
    _rule(rf"\b(?P<roman>{_ROMAN})(?:th|st|nd|rd)? (?P<what>century|centuries)\b", _century),
    _rule(r"(?<!\w)~ ?(?=\d)", lambda m: "about "),
    _rule(r"(?<![\w|])\|(-?\w{1,6}(?: ?[-+] ?\w{1,6})?)\|(?![\w|])", lambda m: f"the absolute value of {m[1]}"),
    _rule(r"\b(?P<name>[fgh]|log|ln|sin|cos|tan|exp)(?:_(?P<base>\w{1,3}))?\((?P<of>-?\w{1,6})\)", _function),
    _rule(r"(?<=\d)(?=[¼-¾⅐-⅞])", lambda m: " and "),
    _rule(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d.,]*\d)", lambda m: re.sub(r"\s", ",", m.group())),
    _rule(r"(?<![\w.])(\d+)x (?=(?:as|faster|slower|more|less|better|larger|bigger|smaller|cheaper|the)\b)", _times),
    _rule(r"(?<![\w.])(?P<number>\d+(?:\.\d+)?)[eE](?P<power>[-+]?\d{1,3})(?!\w)", _scientific),
    _rule(r"\b([A-G])#(?!\w)", lambda m: f"{m[1]} sharp"),
    _rule(r"\be\.g\.,?(?= )", lambda m: "for example,"),
    _rule(r"\bi\.e\.,?(?= )", lambda m: "that is,"),
    _rule(r"\betc\.(?= [a-z(])", lambda m: "et cetera"),
    _rule(r"\bpp?\. ?(?=\d)", lambda m: "page " if m.group()[1] == "." else "pages "),
)
_RANGES = (
    _rule(
        r"(?<![\w.,:/-])(\d{1,4}(?:\.\d+)?) ?[-–] ?(\d{1,4}(?:\.\d+)?)(?![\w.,-]*\d)(?![\w-])",
        lambda m: f"{m[1]} to {m[2]}",
    ),
    _rule(r"\b(\d{1,2}) ?([ap]m) ?[-–] ?(?=\d)", lambda m: f"{m[1]} {m[2]} to "),
    _rule(r"(?<=[\w)]) ?(?:->|→|⇒|=>) ?(?=[\w(])", lambda m: " to "),
)

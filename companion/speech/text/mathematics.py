"""Arithmetic and LaTeX as words: "x^2 + \\frac{1}{2}" is said "x squared plus one half"."""

import functools
import re
from collections.abc import Mapping

from companion.speech.text.wording import language

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
]  # fmt: skip
_LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψω", _GREEK, strict=True))
_COMMANDS = {  # of LaTeX, to the signs below
    "times": "×", "cdot": "×", "ast": "×", "div": "÷", "pm": "±", "mp": "±", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "≈", "equiv": "=", "lt": "<", "gt": ">", "to": "→",
    "rightarrow": "→", "Rightarrow": "→", "implies": "→", "infty": " infinity ", "degree": "°", "circ": "°",
    "percent": "%",
    "sum": " the sum of ", "prod": " the product of ", "int": " the integral of ", "lim": " the limit of ",
    "in": " in ", "cdots": " and so on ", "ldots": " and so on ", "dots": " and so on ", "partial": " partial ",
    "sin": " sine ", "cos": " cosine ", "tan": " tangent ", "log": " log ", "ln": " natural log ",
    "therefore": " therefore ",
    "cup": " union ", "cap": " intersection ", "forall": " for all ", "exists": " there exists ", "quad": " ",
    "angle": " angle ",
}  # fmt: skip
_BOUNDED = ("sum", "prod", "int")
_ARGUMENTS = frozenset({"text", "mathrm", "mathbf", "mathit", "operatorname", "boxed", "textbf", "vec", "hat", "bar",
                        "overline", "mathbb", "mathcal", "textit", "underline"})  # fmt: skip  # said as what is in them
_SIGNS = {
    "×": "times", "·": "times", "⋅": "times", "✕": "times", "*": "times", "÷": "divided", "/": "over", "+": "plus",
    "-": "minus", "−": "minus", "–": "minus", "=": "equals", "==": "equals", "≠": "unequal",
    "!=": "unequal", "≈": "about", "~": "about", "<": "less", ">": "more",
    "≤": "most", "≥": "least", "<=": "most", ">=": "least", "±": "either", "→": "to", "->": "to", "%": "percent",
}  # fmt: skip
_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_LARGE = ["", "thousand", "million", "billion", "trillion"]
_ORDINALS = {  # those that do not just end in "th"
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_FRACTIONS = {2: "half", 3: "third", 4: "quarter"}
_POWERS = {"2": "squared", "3": "cubed"}
_TOKEN = re.compile(
    r"\\[a-zA-Z]+|\\.|\d[\d,]*\d(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+|<=|>=|!=|==|->|\*\*|[a-zA-Z]+|[αβγδεζηθικλμνξπρστυφχψω]|\S"
)

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_RAISED = r"(?:\^\(?-?\w+\)?|\*\*\d+|[²³⁴⁵⁶⁷⁸⁹ⁿ]+|!(?=\s*[-+*/=]))"
_QUANTITY = rf"(?:[$€£]?{NUMBER}%?(?:[a-z](?![^\W\d_]))?|[a-zA-Zπθ](?![a-zA-Z])|[a-zA-Z]{{1,3}}(?=\^))"
_OPERAND = rf"(?:[(√]*[-−]?[(√]*{_QUANTITY}{_RAISED}?[)]*)"
_OPERATOR = r"(?:\s?(?:<=|>=|!=|==|[×·⋅✕÷+*/=<>≤≥≠≈±])\s?|\s[-−–~]\s|[-−](?=\d|[a-z]\b))"
_EXPRESSION = re.compile(rf"(?<![\w.$€£@#^-]){_OPERAND}(?:{_OPERATOR}{_OPERAND})+(?![\w@#^])(?!/)")
_POWER = re.compile(rf"(?<![\w.^])({NUMBER}|[a-zA-Z]{{1,3}}|π)(?:\^\(?(-?\w+)\)?|\*\*(\d+)|([²³⁴⁵⁶⁷⁸⁹ⁿ]+))(?![\w^])")
_BY = re.compile(r"(?<=\d) x (?=\d)")
_SPACED_SLASH = re.compile(r"(?<=[\d)]) / (?=[\d(])")
_SIDES = re.compile(r"(?<![\w.])(\d+)x(\d+)(?![\w.])")
_MIXED = re.compile(r"(?<![\w./,])(\d+) (\d{1,2})/(\d{1,3})(?!\.?[\w/])")
_FRACTION = re.compile(r"(?<![\w./,:-])(\d{1,3})/(\d{1,3})(?!\.?[\w/-])")
_NEGATIVE = re.compile(rf"(?<![\w.)\]-])[−-](?={NUMBER}(?![\w-]))")
_ROOT = re.compile(r"√(?=[\w(])")
_SURE = re.compile(r"[=×·⋅✕÷+*^<>≤≥≠≈±²³~]|\*\*")  # what nothing but arithmetic has
_WORD_AFTER = re.compile(r"\s*[^\W\d_]{2,}|\s?[%°$€£]")
_RANGES = re.compile(
    r"(?:pages?|ages?|aged|years?|between|from|chapters?|verses?|lines?|weeks?|days?|grades?|questions?|pp)\.?\s*$",
    re.IGNORECASE,
)


def arithmetic(text: str, code: str) -> str:
    """``text`` with its arithmetic as words of the language ``code``; unchanged where that has none."""
    signs = language(code).signs
    if not signs or not any(c.isdigit() or c in "=+*^√π<>≤≥≠×÷" for c in text):
        return text
    text = _SIDES.sub(r"\1 by \2", text) if code == "en" else text
    text = _SPACED_SLASH.sub(" ÷ ", _BY.sub(" × ", text))
    text = _EXPRESSION.sub(lambda m: _expression(m, code), text)
    text = _POWER.sub(lambda m: formula(m.group(), code), text)
    if code == "en":
        text = _MIXED.sub(lambda m: f"{m[1]} and {_article(fraction(int(m[2]), int(m[3])))}", text)
        text = _FRACTION.sub(_lone_fraction, text)
    text = _NEGATIVE.sub(f"{signs['minus']} ", text)
    return _ROOT.sub(f"{signs['root']} ", text)


def formula(text: str, code: str) -> str:
    """LaTeX or plain arithmetic, nothing but that -> words."""
    signs = language(code).signs or language("en").signs
    tokens = _TOKEN.findall(text.translate(_plain_roots()))
    said = " ".join(_Reader(tokens, signs, code).all().split())
    return re.sub(r"\s+([,.;:!?])", r"\1", said)


def fraction(above: int, below: int) -> str:
    """3, 8 -> "three eighths"."""
    name = _FRACTIONS.get(below) or ordinal(below).replace(" ", "-")
    plural = "halves" if name == "half" else f"{name}s"
    return f"{cardinal(above)} {name if above == 1 else plural}"


def cardinal(n: int) -> str:
    """234 -> "two hundred and thirty-four"; ``n`` is at least 0."""
    if n < 20:
        return _ONES[n]
    if n < 100:
        return _TENS[n // 10] + (f"-{_ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{_ONES[n // 100]} hundred" + (f" and {cardinal(n % 100)}" if n % 100 else "")
    power = (len(str(n)) - 1) // 3
    head, rest = divmod(n, 1000**power)
    if power >= len(_LARGE):
        return " ".join(_ONES[int(digit)] for digit in str(n))
    said = f"{cardinal(head)} {_LARGE[power]}"
    return f"{said} and {cardinal(rest)}" if 0 < rest < 100 else f"{said} {cardinal(rest)}" if rest else said


def ordinal(n: int) -> str:
    """21 -> "twenty-first"."""
    said = cardinal(n)
    for word, form in _ORDINALS.items():
        if said.endswith(word):
            return said.removesuffix(word) + form
    return f"{said.removesuffix('y')}ieth" if said.endswith("y") else f"{said}th"


def number(written: str) -> str:
    """Digits, perhaps with commas and a point -> English words."""
    whole, _, part = written.replace(",", "").partition(".")
    digits = " ".join(cardinal(int(digit)) for digit in part)
    if len(whole) > 15:
        return written
    said = cardinal(int(whole or "0"))
    return f"{said} point {digits}" if part else said


class _Reader:
    """Reads the tokens of a formula from left to right."""

    def __init__(self, tokens: list[str], signs: Mapping[str, str], code: str) -> None:
        self._tokens, self._signs, self._code, self._at = tokens, signs, code, 0

    def all(self) -> str:
        """Everything up to the end of the group."""
        said: list[str] = []
        while self._at < len(self._tokens):
            token = self._next()
            if token == "}":
                break
            said.append(self._one(token))
        return " ".join(said)

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _group(self) -> str:
        """What is in the braces, or the next token."""
        if self._peek() == "{":
            self._next()
            return self.all()
        return self._one(self._next()) if self._peek() else ""

    def _one(self, token: str) -> str:
        if token.startswith("\\"):
            return self._command(token[1:])
        if token in ("^", "**"):
            return self._power()
        if token == "{":
            return self.all()
        if token in "()":
            return self._parenthesis(token)
        if token in "_[]&$":
            return ""
        if token[0].isdigit() or token[0] == ".":
            return self._numeral(token)
        return self._sign(token)

    def _sign(self, token: str) -> str:
        """A sign, a letter or a word."""
        if token == "√":
            return self._signs["root"]
        if token == "!" and self._code == "en" and self._at > 1:
            return "factorial"
        if token in _SIGNS:
            return self._signs[_SIGNS[token]]
        if re.fullmatch("d[a-z]", token):
            return f"d {token[1]}"
        return _LETTERS.get(token, token)

    def _parenthesis(self, token: str) -> str:
        """ "f of x"; a pause where a parenthesis of several numbers ends before an operator."""
        before = self._tokens[: self._at - 1]
        if token == "(":
            return "of" if self._code == "en" and before[-1:] and before[-1] in ("f", "g", "h") else ""
        opened = len(before) - 1 - before[::-1].index("(") if "(" in before else len(before)
        return "," if len(before) - opened > 2 and self._peek() in _SIGNS and self._peek() != "=" else ""

    def _numeral(self, token: str) -> str:
        """A number, or a fraction of two."""
        ahead = self._tokens[self._at : self._at + 2]
        if self._code == "en" and len(ahead) == 2 and ahead[0] == "/" and ahead[1].isdigit() and token.isdigit():
            after = self._tokens[self._at + 2] if self._at + 2 < len(self._tokens) else ""
            if after not in ("^", "/", "**") and _named(int(token), int(ahead[1])):
                self._at += 2
                return fraction(int(token), int(ahead[1]))
        return number(token) if self._code == "en" else token

    def _power(self) -> str:
        base = self._tokens[self._at - 2] if self._at > 1 else ""
        negative = self._peek() in ("-", "−")
        raised = self._tokens[self._at : self._at + 3]
        exponent = raised[1] if raised[:1] == ["{"] and raised[2:] == ["}"] else self._peek()
        said = self._group() if not negative else f"{self._one(self._next())} {self._group()}"
        if exponent in ("°", "\\circ", "\\degree"):
            return "degrees" if self._code == "en" else "°"
        if exponent == "2" or exponent == "3" and not base[:1].isdigit():
            return self._signs[_POWERS[exponent]]
        return f"{self._signs['power']} {said}"

    def _command(self, name: str) -> str:
        if name in ("frac", "dfrac", "tfrac", "cfrac"):
            above, below = self._digits_apart() or (self._group(), self._group())
            return self._fraction(above, below)
        if name == "sqrt":
            return f"{self._signs['root']} {self._group()}"
        if name in _BOUNDED:
            return self._bounded(_COMMANDS[name])
        if name in _ARGUMENTS:
            return self._group()
        if name in ("left", "right", "big", "Big", "displaystyle", ",", ";", ":", "!", " ", "\\", "(", ")", "[", "]"):
            return ""
        if name in ("begin", "end"):
            self._group()
            return ""
        if name in _COMMANDS:
            return self._one(_COMMANDS[name]) if len(_COMMANDS[name]) == 1 else _COMMANDS[name]
        return self._one(name) if len(name) == 1 and not name.isalpha() else name

    def _bounded(self, what: str) -> str:
        """A sum or an integral "from zero to one"."""
        said = what.removesuffix(" of ")
        for mark, word in (("_", "from"), ("^", "to")):
            if self._peek() == mark:
                self._next()
                said += f" {word} {self._group()}"
        return f"{said} of"

    def _digits_apart(self) -> tuple[str, str] | None:
        """Of two digits without braces one is above and one below."""
        if len(both := self._peek()) != 2 or not both.isdigit():
            return None
        self._next()
        return self._one(both[0]), self._one(both[1])

    def _fraction(self, above: str, below: str) -> str:
        numbers = _counted()
        if self._code == "en" and above in numbers and below in numbers and _named(numbers[above], numbers[below]):
            return fraction(numbers[above], numbers[below])
        return f"{above} {self._signs['over']} {below}"


def _named(above: int, below: int) -> bool:
    """Whether there is a word for the fraction that everybody knows."""
    return 0 < above <= 100 and (2 <= below <= 20 or below in (32, 64, 100, 1000))


def _expression(match: re.Match[str], code: str) -> str:
    said = match.group()
    bare = re.sub(r"[$€£]", "", said)
    if not _SURE.search(said):
        if re.search(r"[$€£]", said) or not _subtraction(match, code):
            return said
    elif not re.search(r"\d", said) and not re.search(r"[=×÷^√²³+]", said):
        return said
    if re.search(r"[$€£]", said):
        return said if code != "en" else _with_money(said)
    lead = len(said) - len(said.lstrip())
    return said[:lead] + formula(bare, code)


def _subtraction(match: re.Match[str], code: str) -> bool:
    """Whether hyphens or slashes between numbers are arithmetic: not ranges, dates or scores."""
    said, after, before = match.group(), match.string[match.end() :], match.string[: match.start()]
    if not re.search(r"\s[-−–]\s", said):
        return False
    numbers = re.findall(NUMBER, said)
    if len(numbers) < 2 or "–" in said:
        return False
    falls = float(numbers[0].replace(",", "")) >= float(numbers[-1].replace(",", ""))
    return not _RANGES.search(before) and (falls or not _WORD_AFTER.match(after))


def _with_money(said: str) -> str:
    """Sums of money keep their sign, which the voice reads; the signs between them become words."""
    signs = language("en").signs
    parts = re.split(r"\s*(<=|>=|[×÷+*/=<>−]|(?<=\s)-(?=\s))\s*", said)
    return " ".join(signs[_SIGNS[part]] if part in _SIGNS else part for part in parts)


def _lone_fraction(match: re.Match[str]) -> str:
    """A fraction in a sentence, if it is no date, no score and no "24/7"."""
    above, below = int(match[1]), int(match[2])
    if match.group() == "24/7":
        return "twenty-four seven"
    proper = 0 < above < below and (below <= 10 or below in (12, 16, 20, 32, 64, 100, 1000))
    improper = 2 <= below <= 8 and below < above <= 30 and above % below
    return fraction(above, below) if proper or improper else match.group()


def _article(said: str) -> str:
    """Say "two and a half" instead of "two and one half"."""
    return said.replace("one ", "an " if said == "one eighth" else "a ", 1) if said.startswith("one ") else said


@functools.cache
def _plain_roots() -> dict[int, str]:
    """Superscripts as LaTeX writes them."""
    return {code: f"^{{{chr(to)}}}" for code, to in _SUPERSCRIPTS.items()}


@functools.cache
def _counted() -> dict[str, int]:
    """The words of small numbers -> their values."""
    return {cardinal(n): n for n in range(1001)}

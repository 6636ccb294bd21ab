"""What a language model writes around its words: marks, links, code, tags, stage directions. Pure.

`parse` tells what of a piece of text is for eyes and what is for the voice. The pieces come from
`companion.speech.text.sentences`, which never cuts one within a construct.
"""

import html
import re
from dataclasses import dataclass
from typing import cast, get_args

from animator.control import Emotion
from companion.speech.text.mathematics import arithmetic, formula
from companion.speech.text.readings import dotted, ranges, read
from companion.speech.text.wording import directions, everyday, feelings, language, language_of, sound_of

EMOTIONS = frozenset(cast(tuple[str, ...], get_args(Emotion)))
GAZES = {"looks away": (14.0, -3.0), "looks down": (0.0, -10.0), "looks up": (5.0, 9.0), "looks at you": (0.0, 0.0)}

CODE = re.compile(r"(`{3,}|~{3,})[^\n]*(?:\n|$).*?(?:\1\s*|$)", re.DOTALL)
BLOCK = re.compile(r"<(script|style|pre|svg)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"(?<!\\)\[\s*([^\[\]\n]{0,60}?)\s*\](?!\()")
_FIRST_MARK, _MOST_MARKS = 0xE000, 200
MARK = re.compile("[\ue000-\ue0c7]")  # where a direction was: the n-th one is U+E000 + n

_DISPLAY = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL)
_DOLLARS = re.compile(r"(?<![\w\\$])\$(?=[^\s$])([^$\n]*?[^\s\\$])\$(?![\d$])")
_BEGIN = re.compile(r"\\begin\{(\w+\*?)\}(.+?)\\end\{\1\}", re.DOTALL)
_COMMAND = re.compile(
    r"\\(?:d?frac|sqrt)(?:\{[^{}]*\})+|\\(?:times|cdot|div|pm|leq?|geq?|neq?|approx|pi|infty)(?![a-zA-Z])"
)
_INLINE = re.compile(r"(`{1,2})(?!`)([^`\n]+?)\1(?!`)")
_NAME = re.compile(r"[\w.\-/ +#']+")
_CALL = re.compile(r"([a-zA-Z_][\w.]*)\(.*\)")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:|www\.)[^<>\s]+|[\w.+-]+@[\w.-]+\.\w+)>")
_URL = re.compile(r"(?:https?://|www\.)([^\s/)<>?#]+)[^\s<>]*?(?=[.,!?;:)\]'\"]*(?:\s|$|<))")
_HTML = re.compile(r"<!--.*?(?:-->|$)|</?[a-zA-Z][^<>]*>|<![a-zA-Z][^<>]*>", re.DOTALL)
_LINE = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|(?:>[ \t]?)+|[-*+•◦▪‣–][ \t]+(?:\[[ xX]\][ \t]+)?)", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$|^[ \t]*\|?[ \t:|-]*-{2,}[ \t:|-]*$", re.MULTILINE)
_ROW = re.compile(r"^[ \t]*\|(?=[ \t]|(?:[^|\n]*\|){2})(.+)\|?[ \t]*$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([*_`~#|>\[\]{}!-])")
_RUNS = re.compile(r"(?<!\d)\*\*+|\*\*+(?!\d)|__+|~~+|(?<![\w*])[*_](?=\S)|(?<=\S)[*_](?![\w*])")
_SILENT = re.compile(
    "[\U0001f000-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff\u2300-\u23ff\u2b00-\u2bff\u200b-\u200f\u2028-\u202e"
    "\u2060-\u2069\ufeff\ufe0e\ufe0f\u20e3\x00-\x08\x0b-\x1f\x7f\U000e0020-\U000e007f]+"
)
_STARRED = re.compile(r"(?<![\w*_\\])([*_])(?![*_\s])([^*_\n]{1,80}?)(?<!\s)\1(?![\w*_])")
_BRACED = re.compile(r"\(([^()\n]{2,60})\)")
_ADVERBS = re.compile(r"^(?:(?:\w+ly,?|then|and|with|an?|the|in|still|just|he|she|they|i|it)\s+)+", re.IGNORECASE)
_LEADS = ("with", "in", "a", "an")
_ACTORS = re.compile(r"\b(?:he|she|it|they|who|i|you|we|everyone|that|which|this)\s*$", re.IGNORECASE)
_MANNER = re.compile(
    r"^(?:with |in )?(?:a |an |the )?(?:[\w-]+ )*(?:smile|laugh|laughter|sigh|voice|grin|nod|pause|tone|chuckle|wink|"
    r"hug|"
    r"giggle|silence|breath|beat|whisper|gaze|music|applause|shrug|frown|gasp|tears)$", re.IGNORECASE
)  # fmt: skip


_Found = tuple[str, str]  # a direction: what it asks for, as `meaning`, and what is heard of it


@dataclass(frozen=True, slots=True)
class Mark:
    """What changes in the face with a word of a sentence; None is as before. ``gaze``: yaw and pitch, degrees;
    ``sound``: what is heard as in `sound_of`."""

    word: int
    emotion: str | None = None
    gaze: tuple[float, float] | None = None
    sound: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """``text`` is for eyes; ``spoken`` for the voice, "" where there is nothing to say.

    ``marks`` count the words of ``text``; ``pause``: the piece has a tag for one.
    """

    text: str
    spoken: str
    marks: tuple[Mark, ...] = ()
    pause: bool = False
    language: str = "en"


def parse(piece: str, default: str = "en") -> Parsed:
    """A piece of a reply, whole constructs only; ``default`` is the language of a text that does not tell its own."""
    found: list[_Found] = []
    text = _marked(_entities(MARK.sub(" ", piece)), found)
    code = language_of(MARK.sub(" ", CODE.sub(" ", text)), default)
    spoken = speakable(MARK.sub(" ", text), code)
    written, marks = _placed(_collapsed(_shown(text)), found)
    return Parsed(written, spoken, marks, any(meant == "pause" for meant, _ in found), code)


def _placed(written: str, found: list[_Found]) -> tuple[str, tuple[Mark, ...]]:
    """The text without the places of its directions, and what these change with which word."""
    marks: list[Mark] = []
    parts = MARK.split(written)
    words = 0
    for part, place in zip(parts, MARK.findall(written), strict=False):
        words += len(part.split())
        meant, sound = found[ord(place) - _FIRST_MARK]
        if meant in GAZES:
            marks.append(Mark(words, gaze=GAZES[meant]))
        elif meant in EMOTIONS or sound:
            marks.append(Mark(words, meant or None, sound=sound))
    joined = re.sub(r"[ \t]+([,.!?;:…])", r"\1", re.sub(r"[ \t]{2,}", " ", " ".join(parts))) if found else written
    return joined.strip(), tuple(marks)


def meaning(content: str, before: str = "", apart: bool = True) -> str | None:
    """What a tag in brackets asks for: an emotion, a gaze, "pause", "" for nothing; None: it is words to be said."""
    tag = content.strip().lower()
    known = feelings().get(tag, tag)
    if known in EMOTIONS or known in GAZES or known == "pause":
        return known
    if not re.search(r"[^\W\d_]{2}", tag):
        return ""  # a reference, a box to be ticked
    shown = direction(content, before, apart)
    return "" if shown is None and apart and re.fullmatch("[a-z]+", content) else shown


def direction(content: str, before: str = "", apart: bool = True, strict: bool = False) -> str | None:
    """What a stage direction asks for, as `meaning`; None: it is no direction, but words to be said.

    Args:
        before: the text that it follows.
        apart: it does not stand within a sentence.
        strict: verbs that say something of other things as well do not count.
    """
    words = content.strip().strip(".!… ").lower()
    if words in GAZES or "?" in words:
        return words if words in GAZES else None
    if _MANNER.match(words) and apart and (words.split()[0] in _LEADS or len(words.split()) == 1):
        return next((feeling for verb, feeling in directions().items() if words.split()[-1] in verb), "")
    plain = _ADVERBS.sub("", words).split()
    verb = plain[0].strip(",") if plain else ""
    if verb not in directions() or _ACTORS.search(before):
        return None
    alone = len(words.split()) == 1
    return None if verb in everyday() and (strict or alone and not apart) else directions()[verb]


def speakable(text: str, code: str = "") -> str:
    """What of ``text`` is said, in its language ``code`` (empty: told by its words); "" if nothing can be."""
    code = code or language_of(text)
    text = _without_code(_entities(text), code)
    text = _IMAGE_OR_LINK.sub(r"\1", _AUTOLINK.sub(r"\1", text))
    text = _URL.sub(lambda m: _host(m[1], code), text.replace("mailto:", ""))
    text = _HTML.sub("", _BLOCKS.sub("\n", text)) if "<" in text else text
    text = _formulas(text, code)
    text = _lines(text)
    text = _RUNS.sub("", _ESCAPED.sub(_kept_sign, text))
    text = _SILENT.sub(" ", text)
    text = ranges(arithmetic(read(text), code)) if code == "en" else arithmetic(text, code)
    text = _signs_left(text, code)
    text = re.sub(r"\s+([,.!?;:])(?!\w)", r"\1", " ".join(text.split()))
    return text if any(c.isalnum() for c in MARK.sub("", text)) else ""


_BLOCKS = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h[1-6]|hr)\b[^<>]*>", re.IGNORECASE)


def _host(name: str, code: str) -> str:
    """Of a web address what one says."""
    host = name.removeprefix("www.").rstrip(".,")
    return dotted(host) if code == "en" else host


def _entities(text: str) -> str:
    return html.unescape(text) if "&" in text and ";" in text else text


def _kept_sign(match: re.Match[str]) -> str:
    """An escaped mark is no markup; of those that are said, none is a word."""
    return match[1] if match[1] in "!-" else " "


def _marked(text: str, found: list[_Found]) -> str:
    """With a `MARK` where tags and stage directions were, whose meanings are added to ``found``."""

    def place(match: re.Match[str], meant: str | None) -> str:
        if meant is None or len(found) >= _MOST_MARKS:
            return match.group() if meant is None else " "
        found.append((meant, sound_of(match.group())))
        return f" {chr(_FIRST_MARK + len(found) - 1)} "

    def bracketed(match: re.Match[str]) -> str:
        return place(match, meaning(match[1], text[: match.start()], _apart(text, match)))

    def starred(match: re.Match[str]) -> str:
        return place(match, direction(match[2], text[: match.start()], _apart(text, match)))

    def braced(match: re.Match[str]) -> str:
        return place(match, direction(match[1], text[: match.start()], _apart(text, match), strict=True))

    parts = _around_code(text)
    if len(parts) > 1:
        return "".join(part if code else _marked(part, found) for part, code in parts)
    if "\\*" in text and _STARRED.search(bare := text.replace("\\*", "*")):
        text = bare
    for sign, pattern, replaced in (
        ("[", TAG, bracketed),
        ("*", _STARRED, starred),
        ("_", _STARRED, starred),
        ("(", _BRACED, braced),
    ):
        text = pattern.sub(replaced, text) if sign in text else text
    return text


def _apart(text: str, match: re.Match[str]) -> bool:
    """Whether the match stands at the edge of a sentence."""
    before, after = text[: match.start()].rstrip("*_ \n\t"), text[match.end() :].lstrip("*_ \n\t")
    return not before or not after or before[-1] in '.!?…,;:—"”)' or bool(MARK.match(before[-1]))


def _shown(text: str) -> str:
    """For eyes: as it was written, less the tags of HTML."""
    if "<" not in text:
        return text
    bare = ((_AUTOLINK.sub(r"\1", part) if not code else part, code) for part, code in _around_code(text))
    return "".join(part if code else _HTML.sub("", _BLOCKS.sub(" ", part)) for part, code in bare)


def _around_code(text: str) -> list[tuple[str, bool]]:
    """The text in parts, with whether each is code."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for match in CODE.finditer(text):
        parts += [(text[at : match.start()], False), (match.group(), True)]
        at = match.end()
    return [*parts, (text[at:], False)]


def _collapsed(text: str) -> str:
    """White space is one space, but in blocks of code, which keep their lines."""
    parts = [part.strip() if code else " ".join(part.split()) for part, code in _around_code(text)]
    return "\n".join(part for part in parts if part)


def _without_code(text: str, code: str) -> str:
    said = language(code)
    text = CODE.sub(lambda m: _announced(m, said.code), text) if "```" in text or "~~~" in text else text
    text = BLOCK.sub(lambda m: _announced(m, said.code), text) if "<" in text else text
    return _INLINE.sub(lambda m: _inline(m[2], said.some), text) if "`" in text else text


def _announced(match: re.Match[str], said: str) -> str:
    """A block of code, unless the words before it have said that it comes."""
    return " " if match.string[: match.start()].rstrip().endswith(":") else f" {said} "


def _inline(content: str, some: str) -> str:
    """The name in it, if it is one."""
    if call := _CALL.fullmatch(content.strip()):
        return call[1].replace("_", " ").replace(".", " dot ")
    if re.fullmatch(r"[\d\s.+*/=()^<>-]+", content):
        return content
    if _NAME.fullmatch(content):
        return dotted(content) if "." in content.strip(".") else content.replace("_", " ")
    return some


def _formulas(text: str, code: str) -> str:
    """LaTeX as words."""
    if "\\" not in text and "$" not in text:
        return text
    text = _BEGIN.sub(lambda m: f" {formula(m[2], code)} ", text)
    text = _DISPLAY.sub(lambda m: f" {formula(next(filter(None, m.groups())), code)} ", text)
    text = _DOLLARS.sub(lambda m: formula(m[1], code) if is_formula(m[1]) else m.group(), text)
    return _COMMAND.sub(lambda m: f" {formula(m.group(), code)} ", text).replace("\\$", "$").replace("\\%", "%")


_PROSE = re.compile(
    r"(?<![\\{a-zA-Z])[a-zA-Z]{3,}(?![a-zA-Z}({_^])|\b(?:or|is|an|to|of|it|at|on|by|as|we|if|and|in|for|a)\b(?!\()"
)
_AMOUNT = re.compile(r"\d[\d,]*(?:\.\d+)?(?:[kKmMbB]n?)?[.,;:!?)]*(?:\s|$)")


def is_formula(content: str) -> bool:
    """Whether what stands between two dollar signs is mathematics, and not the words between two sums of money."""
    content = re.sub(r"\\(?:text|mathrm|operatorname)\{[^}]*\}|\\[a-zA-Z]+", " ", content)
    return not _PROSE.search(content) and not (
        _AMOUNT.match(content) and re.search(r"[^\W\d_]{2}|[-–,;.]\s*$", content)
    )


def _lines(text: str) -> str:
    """Rows of tables, bullets, headings and rules: each line ends as a sentence does."""
    text = _RULE.sub("", text)
    text = _ROW.sub(lambda m: ", ".join(cell.strip() for cell in m[1].split("|") if cell.strip()) + ".", text)
    return _LINE.sub("", text)


def _signs_left(text: str, code: str) -> str:
    """Marks that have no sound, and the one that has."""
    if conjunction := language(code).signs.get("and"):
        text = re.sub(r"(?<=\S)\s+&\s+(?=\S)", f" {conjunction} ", text)
    text = re.sub(r"(?<=\w)_+(?=\w)", " ", text)
    text = re.sub(r"[|`]+|(?<![\w)])[~^\\*_]+|[\\*_~]+(?![\w(])|(?<=\w)~+(?=\w)|#+(?!\d|\w)", " ", text)
    return re.sub(r"[\[\]{}]", " ", text)

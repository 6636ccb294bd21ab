"""What must not be cut while a reply arrives: code, formulas, tags, stage directions. Pure."""

import re
from typing import NamedTuple

from companion.speech.text.markup import is_formula
from companion.speech.text.wording import directions

_STAGED = 80  # characters of a stage direction
_LIMITS = {
    "`": 200,
    "$": 200,
    "$$": 600,
    "\\(": 400,
    "\\[": 600,
    "<": 300,
    "[": 60,
    "](": 500,
    "*": _STAGED,
    "_": _STAGED,
}
_MULTILINE = ("```", "$$", "\\(", "\\[", "<pre", "\\begin{")
_RAW = re.compile(r"<(script|style|pre|svg)\b", re.IGNORECASE)
_MONEY = re.compile(r"\$\d[\d,.]*(?:[kKmMbB]n?\b)?(?:[.,;:!?)]+\s|\s+(?:[^\W\d_]{2}|[$€£&(]|[aI]\s))")
_FIRST_WORDS = frozenset({"a", "an", "the", "with", "in", "he", "she", "they", "i", "it", "still", "just", "then"})


class Construct(NamedTuple):
    """A construct that was opened at position ``start`` of the text."""

    kind: str
    start: int


def opened(text: str) -> Construct | None:
    """The construct that the last character of ``text`` opens, if it does."""
    end = len(text)
    char, before = text[-1], text[-2:-1]
    if char in "`$<[":
        return _plainly(char, before, end)
    if char == "(":
        return Construct("](", end - 1) if before == "]" else Construct("\\(", end - 2) if before == "\\" else None
    if char == "~" and text.rpartition("\n")[2].strip() == "~~~":
        return Construct("~~~", end - 3)
    if char == "{" and text.endswith("\\begin{"):
        return Construct("\\begin{", end - 7)
    return _staged(text) if char.isalpha() and before in ("*", "_") and before else None


def _plainly(char: str, before: str, end: int) -> Construct | None:
    if char == "[" and before == "\\":
        return Construct("\\[", end - 2)
    if before == "\\" or char == "$" and before.isalnum():
        return None
    return Construct(char, end - 1)


def _staged(text: str) -> Construct | None:
    """An asterisk before a word, which may be a stage direction."""
    sign = text[-2]
    before = text[-3:-2]
    escaped = before == "\\"
    before = text[-4:-3] if escaped else before
    return Construct(sign, len(text) - 2) if not before or before in " \t\n([\"'“‘—…" else None


def closed(construct: Construct, text: str) -> bool | None:
    """Whether the construct ends with the last character of ``text``; None: it was no construct after all."""
    kind, span = construct.kind, text[construct.start :]
    if kind in ("`", "```", "~~~"):
        return _code_ends(span)
    if len(span) > _LIMITS.get(kind, 4000):
        return None
    if span[-1] == "\n" and kind not in _MULTILINE and not (kind == "$" and span.startswith("$$")):
        return None if not (kind == "<" and _RAW.match(span)) else False
    if kind == "<":
        return _tag_ends(span)
    if kind == "$":
        return _formula_ends(span)
    if kind in ("*", "_"):
        return _direction_ends(span)
    end = {"\\(": "\\)", "\\[": "\\]", "[": "]", "](": ")"}.get(kind, "")
    if kind == "\\begin{":
        return bool(re.search(r"\\end\{\w+\*?\}$", span))
    return span.endswith(end) and len(span) > len(kind)


def _code_ends(span: str) -> bool | None:
    fence = re.match(r"`+|~+", span)
    marker = fence.group() if fence else "`"
    if len(span) == len(marker):
        return False
    if len(marker) < 3 and (span[-1] == "\n" or len(span) > _LIMITS["`"]):
        return None
    if len(marker) == 2 and span[2] != "`" and span[2].isspace():
        return None  # an empty pair
    body = span[len(marker) :]
    return body.endswith(marker) and len(body) > len(marker)


def _tag_ends(span: str) -> bool | None:
    if len(span) == 2 and not (span[1].isalpha() or span[1] in "/!"):
        return None
    if raw := _RAW.match(span):
        return span.lower().endswith(f"</{raw[1].lower()}>")
    if span.startswith("<!--"):
        return span.endswith("-->")
    return None if span[-1] == "<" and len(span) > 1 else span[-1] == ">"


def _formula_ends(span: str) -> bool | None:
    if span.startswith("$$"):
        return span.endswith("$$") and len(span) > 4
    if len(span) == 1:
        return False
    if span[1].isspace() or _MONEY.match(span):
        return None
    if span[-1] == "$":
        return True if span[-2] not in " \t" and is_formula(span[1:-1]) else None
    words = re.search(r"[\s,.;]$", span) and not is_formula(span[1:].rstrip(" ,.;") or "x")
    return None if words else False


def _direction_ends(span: str) -> bool | None:
    if span[-1] == span[0] and len(span) > 2:
        return True
    words = span[1:].lower().split()
    if not span[-1].isspace() or len(words) > 2:
        return False
    likely = words[-1] in directions() or words[-1] in _FIRST_WORDS or words[-1].rstrip(",").endswith("ly")
    return False if likely or len(words) == 2 and words[0] in directions() else None

"""Where a sentence ends, and where a long one may be cut, in a text that still arrives. Pure."""

import re

from companion.speech.text.wording import endings, language_of

LONGEST_SENTENCE = 240  # characters after which a text without a full stop is cut at a comma or a space
FIRST_CLAUSE = 14  # characters; the first comma or "because" after them lets the first sound out early
FIRST_PHRASE = 28  # characters; the first "for" or "about" after them does, too
HURRY_S, HURRIED = (
    0.7,
    (8, 12),
)  # s of waiting, and the lengths of clause and phrase after them: an opener is over by then
SLOW_S, PIECE = 1.2, 3  # s after which so many words are enough
LONGEST_JOINT = 14  # characters of the words before a clause or a phrase

END = re.compile(r"[.!?…]+[\"'”’)\]*_]*$")
_CLAUSE = re.compile(r"[,;:—–](?=\s)")
_ENTITY = re.compile(r"&#?\w+;$")
_JOINT = re.compile(  # before a clause of its own, not between two words
    r"\s(?:because|but|although|so that|when|while|which|(?:and|or|so) (?:then|i|you|he|she|it|we|they|there)) $",
    re.IGNORECASE,
)
_PHRASE = re.compile(  # before a phrase of its own
    r"\s(?:about|at|by|during|for|from|how|if|in|into|on|what|where|with|without) $", re.IGNORECASE
)


def ends(text: str, follows: str, language: str, whole: bool = False) -> bool | None:
    """Whether a sentence ends with ``text``, after which ``follows`` has come so far.

    Args:
        language: that the reply is in, as far as its words do not tell; an ISO 639-1 code.
        whole: nothing comes after ``follows``.

    Returns:
        None while that depends on what comes next.
    """
    match = END.search(text)
    mark = match.group() if match else ""
    factorial = mark == "!" and text[-2:-1].isdigit()
    if not factorial and not mark.startswith((".", "…")):
        return True
    rest = follows.lstrip(" \t")
    if not rest:
        return True if whole else None
    if factorial:
        return rest[0] not in "=+-*/×÷<>"
    if rest[0].islower() or mark.startswith("..") and rest[0].isdigit():
        return False
    if mark != ".":
        return True
    return _after_full_stop(text[:-1], rest, language, whole)


def early_cut(text: str, char: str, waited: float = 0.0) -> int | None:
    """Where the first sentence of a reply is cut before ``char``, so that its voice begins early; sooner where somebody
    has ``waited`` for so many s."""
    clause, phrase = (FIRST_CLAUSE, FIRST_PHRASE) if waited < HURRY_S else HURRIED
    if len(text) <= clause:
        return None
    if waited >= SLOW_S and text[-1] == " " and char.isalnum() and len(text.split()) >= PIECE:
        return len(text)
    if char.isspace() and _CLAUSE.match(f"{text[-1]} ") and not _ENTITY.search(text):
        return len(text)
    if text[-1] == " " and (char.isalnum() or char == "_"):
        for pattern, least in ((_JOINT, clause), (_PHRASE, phrase)):
            match = pattern.search(text, max(least, len(text) - LONGEST_JOINT))
            if match:
                return match.start() + 1
    return None


def late_cut(text: str) -> int | None:
    """Where a text that grows too long without a full stop is cut."""
    if len(text) < LONGEST_SENTENCE:
        return None
    clause = _CLAUSE.search(text, LONGEST_SENTENCE // 2)
    return clause.end() if clause else text.rfind(" ", 0, LONGEST_SENTENCE) + 1 or LONGEST_SENTENCE


def _after_full_stop(before: str, rest: str, language: str, whole: bool) -> bool | None:
    """Whether the single full stop between ``before`` and ``rest`` ends a sentence."""
    signs, parts = endings(), before.split()
    word = parts[-1].lower().lstrip("(\"'“‘[*_") if parts else ""
    if word in signs.names:
        return word in signs.numbers and not rest[0].isdigit()
    if word.isdigit() and len(parts) == 1:  # "1. First": the number of a list
        return False
    initial = len(word) == 1 and word.isalpha() and word != "i"
    ordinal = word.isdigit() and len(word) <= 2 and language_of(f"{before}. {rest}", language) == "de"
    if not ordinal and not initial and word not in signs.others:
        return True
    match = re.match(r"[^\W_]+", rest)
    if match and match.end() == len(rest) and not whole:
        return None  # the word may go on
    follows = match.group().lower() if match else ""
    if ordinal:  # a day, as German writes it: "am 24. Dezember"
        return follows in signs.begin_after_number
    if word in ("a.m", "p.m"):
        return follows not in signs.after_time and not rest[0].isdigit()
    return follows in signs.begin

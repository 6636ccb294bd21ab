"""Languages whose spelling tells how a word sounds: Spanish, French, Italian and Portuguese, by rules."""

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LETTERS = "a-zàáâãäçèéêëìíîïñòóôõöùúûüœæ"
_VOWELS = "aeiouyàâäéèêëîïôöùûüœ"


class Speller:
    """Reads the words of one ``language`` of ``letters.toml``."""

    def __init__(self, language: str) -> None:
        table = _file()[language]
        self._rules = [(_compiled(letters), sounds) for letters, sounds in table["rules"]]
        self._words: Mapping[str, str] = table["words"]
        self._liaison: Mapping[str, str] = table.get("liaison", {})
        self._vowels: str = table["vowels"]
        self._last, self._unstressed = re.compile(table["last"]), frozenset(table["unstressed"])

    def read(self, word: str, following: str = "") -> str:
        """One word, without digits and marks, before the word ``following`` -> its symbols."""
        lower = word.lower().replace("’", "'")
        said = self._words.get(lower) or self._stressed(lower, self._by_rules(lower))
        joint = self._liaison.get(lower, "") if following[:1].lower() in (*"aeiouyéèêâîôûœh",) else ""
        return said + joint

    def _by_rules(self, word: str) -> str:
        said, at = "", 0
        while at < len(word):
            match, sounds = self._rule(word, at)
            if match is None or not match.group():
                at += 1
                continue
            same = match.group(1) if match.lastindex else match.group()
            said += same if sounds == "=" else sounds.replace("1", same) if match.lastindex else sounds
            at = match.end()
        return said

    def _rule(self, word: str, at: int) -> tuple[re.Match[str] | None, str]:
        for letters, sounds in self._rules:
            if match := letters.match(word, at):
                return match, sounds
        return None, ""

    def _stressed(self, word: str, said: str) -> str:
        if word in self._unstressed:
            return said.replace("ˈ", "")
        if "ˈ" in said:
            return said
        vowels = [at for at, symbol in enumerate(said) if symbol in self._vowels]
        if not vowels:
            return said
        at = vowels[-1] if len(vowels) == 1 or self._last.search(word) else vowels[-2]
        return f"{said[:at]}ˈ{said[at:]}"


def _compiled(letters: str) -> re.Pattern[str]:
    """``L`` stands for any letter, ``V`` for any vowel."""
    return re.compile(letters.replace("L", f"[{_LETTERS}]").replace("V", f"[{_VOWELS}]"))


@functools.cache
def _file() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "letters.toml").read_text("utf-8"))

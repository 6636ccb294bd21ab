"""`prompts/feelings.md`: what each emotion means to words and voices."""

from pathlib import Path

import pytest

from animator.control import EMOTIONS
from companion import emotions, resources
from companion.emotions import Manner, meanings
from companion.frontmatter import PromptError
from companion.speech.text.markup import meaning

FILE = resources.folder("prompts") / "feelings.md"


def changed(folder: Path, old: str, new: str) -> Path:
    text = FILE.read_text("utf-8")
    assert old in text
    (folder / "feelings.md").write_text(text.replace(old, new), "utf-8")
    return folder


def row(name: str) -> str:
    """The table of an emotion, as the file has it."""
    text = FILE.read_text("utf-8")
    start = text.index(f"[emotions.{name}]")
    return text[start : text.index("\n\n", start)]


def test_every_emotion_has_a_meaning():
    assert tuple(meanings()) == EMOTIONS
    assert {name for name, found in meanings().items() if found.voice == Manner()} == {"neutral"}


def test_other_words_in_brackets_mean_an_emotion():
    for name, found in meanings().items():
        assert [meaning(tag) for tag in (name, *found.tags)] == [name] * (1 + len(found.tags))


def test_a_language_model_is_told_of_those_that_are_offered():
    told = emotions.load(FILE.parent).tagging
    assert all((f"[{name}]" in told) == found.offered for name, found in meanings().items())


def test_a_missing_row_is_named(tmp_path: Path):
    with pytest.raises(PromptError, match=r"no table \[emotions.tender\]"):
        emotions.load(changed(tmp_path, row("tender"), ""))


def test_a_name_that_stands_for_another_emotion_is_refused(tmp_path: Path):
    with pytest.raises(PromptError, match="'tender' is an emotion of its own"):
        emotions.load(changed(tmp_path, '"excited"', '"tender"'))


def test_what_is_no_emotion_is_refused(tmp_path: Path):
    with pytest.raises(PromptError, match="emotions.*Input should be"):
        emotions.load(changed(tmp_path, "[emotions.tender]", "[emotions.moody]"))

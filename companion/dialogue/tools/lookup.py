"""Retrieval: finds passages in a folder of texts by embedding, for facts that a language model cannot know."""

import asyncio
import functools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from langchain_core.tools import BaseTool, tool

from companion.config import ConfigError
from companion.dialogue.replying.toolbox import Host
from companion.models.embeddings import Embedder, Vectors
from companion.models.needs import EMBEDDER, needing

FILE_KINDS = (".md", ".txt")
PASSAGE_CHARACTERS = 700  # characters of one passage, at most
MOST_PASSAGES = 5000  # passages of a folder that are indexed; the rest is ignored
MOST_FOUND = 3  # passages given to the language model, at most
RELEVANT_COSINE = 0.25  # cosine similarity from which on a passage is relevant to the question


@dataclass(frozen=True, slots=True)
class Index:
    """``passages`` as (file name, text), and their embeddings ``vectors``, (n, 384) float32, rows of length 1."""

    passages: tuple[tuple[str, str], ...]
    vectors: Vectors

    def search(self, question: str) -> list[tuple[str, str]]:
        """Up to `MOST_FOUND` passages (file name, text) that are relevant to ``question``, best first. Blocks. Raises
        StageError when the embedder's model is missing."""
        if not self.passages:
            return []
        likeness = self.vectors @ Embedder().embed([question])[0]
        best = np.argsort(-likeness)[:MOST_FOUND]
        return [self.passages[place] for place in best if likeness[place] >= RELEVANT_COSINE]


@needing(EMBEDDER)
def lookup(host: Host, folder: str, about: str = "the operator's documents") -> BaseTool:
    """A tool that searches the .md and .txt files of ``folder``, which is indexed on first use; ``about`` tells the
    language model what they contain.

    Raises ConfigError when there is no such folder.
    """
    if not Path(folder).expanduser().is_dir():
        raise ConfigError(f"[tools] lookup: there is no folder {folder!r}")

    @tool(description=f"Look up passages in {about}. Answer only from what is found, and name the file.")
    async def look_up(question: str) -> str:
        found = await asyncio.to_thread(lambda: index(folder).search(question))
        return "\n\n".join(f"{name}: {text}" for name, text in found) or "Nothing was found."

    return look_up


@functools.cache
def index(folder: str) -> Index:
    """Read and embed the files of a folder, once per process; links that lead out of it are ignored. Blocks for some
    milliseconds per passage. Raises StageError when the embedder's model is missing."""
    root = Path(folder).expanduser().resolve()
    files = sorted(
        path for path in root.rglob("*") if path.suffix in FILE_KINDS and path.resolve().is_relative_to(root)
    )
    texts = ((path.name, path.read_text("utf-8", "replace")) for path in files)
    passages = [(name, passage) for name, text in texts for passage in _passages(text)][:MOST_PASSAGES]
    return Index(tuple(passages), Embedder().embed([text for _, text in passages]))


def _passages(text: str) -> list[str]:
    """Split a text into passages: short paragraphs are joined, long ones cut, at `PASSAGE_CHARACTERS`."""
    found: list[str] = []
    for paragraph in (" ".join(part.split()) for part in re.split(r"\n\s*\n", text)):
        if not paragraph:
            continue
        if found and len(found[-1]) + len(paragraph) < PASSAGE_CHARACTERS:
            found[-1] += f" {paragraph}"
        else:
            found += [
                paragraph[start : start + PASSAGE_CHARACTERS] for start in range(0, len(paragraph), PASSAGE_CHARACTERS)
            ]
    return found

"""Tokenizes dialogues as the running system would, and marks the tokens that the language model learns."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from companion.dialogue.personas.personas import Prompts
from companion.dialogue.replying.prompt import Setting, messages
from companion.learn.dialogues import Dialogue
from companion.speech.text.sentences import untagged
from companion.stages.protocols import Message

BEGIN, END = "<|im_start|>", "<|im_end|>"  # delimiters of a message in the model's chat template


@dataclass(frozen=True, slots=True)
class Lesson:
    """A tokenized dialogue: ``tokens`` are the ids after the prompt of its ``persona``, ``learnt`` the indices of those
    that the model has to predict, the replies."""

    persona: str
    tokens: list[int]
    learnt: list[int]


def preamble(prompts: Prompts, persona: str) -> list[Message]:
    """The messages before the first turn, as in the default configuration. Raises KeyError for an unknown persona."""
    who = prompts.personas[persona]
    speech = "\n".join((prompts.speech, *who.rules))
    return messages(Setting(who, speech, who.instructions, tags=False), ())


def told(words: Tokenizer, said: Sequence[Message]) -> list[int]:
    """The token ids of messages in the model's chat template."""
    return words.encode("".join(f"{BEGIN}{one.role}\n{one.content}{END}\n" for one in said)).ids


def lesson(words: Tokenizer, dialogue: Dialogue) -> Lesson:
    """Tokenize a dialogue, without its emotion tags, which small models are not asked to write."""
    tokens, learnt = list[int](), list[int]()
    for turn in dialogue.turns:
        tokens += words.encode(f"{BEGIN}user\n{turn.user}{END}\n{BEGIN}assistant\n").ids
        reply = words.encode(untagged(turn.assistant) + END).ids
        learnt += range(len(tokens), len(tokens) + len(reply))
        tokens += [*reply, *words.encode("\n").ids]
    return Lesson(dialogue.persona, tokens, learnt)

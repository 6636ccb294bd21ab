"""Dialogues -> the tokens that the running system would give the language model, and which of them it has to learn."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from companion.dialogue.personas.personas import Prompts
from companion.dialogue.replying.prompt import Setting, messages
from companion.learn.dialogues import Dialogue
from companion.speech.text.sentences import untagged
from companion.stages.protocols import Message

BEGIN, END = "<|im_start|>", "<|im_end|>"  # of a message, in the model's chat template


@dataclass(frozen=True, slots=True)
class Lesson:
    """``tokens`` of a dialogue, which follow what its ``persona`` is told; ``learnt`` are the places of those that the
    model has to say itself."""

    persona: str
    tokens: list[int]
    learnt: list[int]


def preamble(prompts: Prompts, persona: str) -> list[Message]:
    """What the default configuration tells a language model before anything is said."""
    who = prompts.personas[persona]
    speech = "\n".join((prompts.speech, *who.rules))
    return messages(Setting(who, speech, who.instructions, tags=False), ())


def told(words: Tokenizer, said: Sequence[Message]) -> list[int]:
    """The tokens of messages, as the model's chat template writes them."""
    return words.encode("".join(f"{BEGIN}{one.role}\n{one.content}{END}\n" for one in said)).ids


def lesson(words: Tokenizer, dialogue: Dialogue) -> Lesson:
    """Without the feelings in brackets: small models are not asked for them."""
    tokens, learnt = list[int](), list[int]()
    for turn in dialogue.turns:
        tokens += words.encode(f"{BEGIN}user\n{turn.user}{END}\n{BEGIN}assistant\n").ids
        reply = words.encode(untagged(turn.assistant) + END).ids
        learnt += range(len(tokens), len(tokens) + len(reply))
        tokens += [*reply, *words.encode("\n").ids]
    return Lesson(dialogue.persona, tokens, learnt)

"""Trains the adapter of the embedded language model: ``python -m companion.learn.train_words FILE`` (extra ``train``).

It trains on ``prompts/dialogues/train`` and keeps the round with the lowest loss on ``held-out``. Each dialogue follows
its persona's prompt, as in a conversation, and only the personas' replies are learnt. A round takes about twenty
minutes on one core, computing the frozen layers' output three.
"""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false, reportUntypedBaseClass=false
# pyright: reportUnknownLambdaType=false

import argparse
import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from companion.dialogue.personas import personas
from companion.learn import dialogues, teaching
from companion.learn.qwen import Adapted, KeysValues
from companion.learn.teaching import Lesson
from companion.models import adapter, locate
from companion.models.manifest import LANGUAGE_MODEL

RANK, ADAPTED, STRENGTH, DROPOUT = 16, 16, 2.0, 0.05
RATE, WARM_UP, DECAY, LARGEST_STEP = 5e-4, 10, 0.01, 1.0
BATCH = 6  # dialogues, all of one persona
READ_AT_ONCE = 16  # dialogues that run through the frozen layers together
TOLD_EVERY = 10  # batches between two lines of the log
READ_DTYPE = torch.bfloat16

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """A lesson of n tokens and the output (n, width) of the frozen layers, in `READ_DTYPE`."""

    lesson: Lesson
    hidden: Tensor


class Material:
    """``lessons`` with the output of the frozen layers of ``model``, computed once by the constructor.

    ``preambles``: by persona, the token ids of the prompt before the lessons.
    """

    def __init__(self, model: Adapted, lessons: Sequence[Lesson], preambles: dict[str, list[int]]) -> None:
        self._model, self._before = model, dict[str, Tensor]()
        self._read: dict[str, list[Read]] = {}
        for persona, before in preambles.items():
            own = [one for one in lessons if one.persona == persona]
            with torch.no_grad():
                first, told = model.through(range(model.first), model.embed(before), [len(before)])
            self._before[persona] = first.to(READ_DTYPE)
            self._read[persona] = [read for some in _pieces(own, READ_AT_ONCE) for read in self._below(told, some)]

    def batches(self, draw: random.Random) -> list[Sequence[Read]]:
        """All lessons in batches of one persona each, in random order."""
        mixed = [draw.sample(own, len(own)) for own in self._read.values()]
        batches = [batch for own in mixed for batch in _pieces(own, BATCH)]
        draw.shuffle(batches)
        return batches

    def loss(self, batch: Sequence[Read], dropout: float = 0.0) -> tuple[Tensor, int]:
        """The cross-entropy of ``batch``, of one persona: a scalar, in nats, summed over the learnt tokens; and their
        number. ``dropout``: probability."""
        model, before = self._model, self._before[batch[0].lesson.persona]
        layers, parts = range(model.first, model.shape.layers), [len(one.hidden) for one in batch]
        with torch.no_grad():  # the adapter changes it, too, but to learn from that would take a third longer
            told = model.through(layers, before.float(), [len(before)])[1]
        hidden = torch.cat([one.hidden for one in batch]).float()
        hidden = model.through(layers, hidden, parts, told, dropout)[0]
        places, wanted, start = list[int](), list[int](), 0
        for one, length in zip(batch, parts, strict=True):
            places += [start + place - 1 for place in one.lesson.learnt]
            wanted += [one.lesson.tokens[place] for place in one.lesson.learnt]
            start += length
        losses = functional.cross_entropy(model.logits(hidden[places]), torch.tensor(wanted), reduction="sum")
        return losses, len(wanted)

    @torch.no_grad()
    def mean_loss(self) -> float:
        """The mean cross-entropy over all lessons, in nats per learnt token."""
        found = [self.loss(batch) for own in self._read.values() for batch in _pieces(own, BATCH)]
        return sum(loss.item() for loss, _ in found) / sum(count for _, count in found)

    @torch.no_grad()
    def _below(self, told: Sequence[KeysValues], lessons: Sequence[Lesson]) -> Iterator[Read]:
        parts, tokens = [len(one.tokens) for one in lessons], [token for one in lessons for token in one.tokens]
        hidden = self._model.through(range(self._model.first), self._model.embed(tokens), parts, told)[0]
        for one, own in zip(lessons, hidden.to(READ_DTYPE).split(parts), strict=True):
            yield Read(one, own.clone())


def train(model: Adapted, learnt: Material, held: Material, rounds: int, seed: int = 0) -> Iterator[dict[str, Tensor]]:
    """Train for ``rounds`` epochs on ``learnt``; yield the adapter's tensors (`Adapted.adapter`) after each epoch with
    the lowest loss on ``held`` so far, the untrained model's included."""
    draw, losses = random.Random(seed), [held.mean_loss()]
    log.info("before: %.3f nats a token of the held-out", losses[0])
    steps = rounds * len(learnt.batches(draw))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    falling = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min(1, (n + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * min(1, n / steps)))
    )
    for turn in range(rounds):
        began, told, count = time.monotonic(), 0.0, 0
        for number, batch in enumerate(learnt.batches(draw)):
            loss, tokens = learnt.loss(batch, DROPOUT)
            optimizer.zero_grad()
            (loss / tokens).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_STEP)
            optimizer.step()
            falling.step()
            told, count = told + loss.item(), count + tokens
            if number % TOLD_EVERY == 0:
                log.info("round %d, batch %d: %.3f", turn + 1, number, told / count)
        losses.append(held.mean_loss())
        took = time.monotonic() - began
        log.info("round %d: %.3f, held-out %.3f, %.0f s", turn + 1, told / count, losses[-1], took)
        if losses[-1] == min(losses):
            yield model.adapter()


def described(model: Adapted) -> dict[str, str]:
    """The metadata of the adapter's file, as `companion.models.adapter` reads it."""
    return {adapter.ARCHITECTURE: model.architecture, adapter.ALPHA: f"{model.strength * model.rank:g}"}


def _pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the file to write, of safetensors")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(asked.seed)
    path, prompts = locate.resolve(LANGUAGE_MODEL), personas.load()
    model = Adapted(path, adapted=ADAPTED, rank=RANK, strength=STRENGTH, dtype=torch.bfloat16)
    written = {part: dialogues.load(part) for part in ("train", "held-out")}
    named = {dialogue.persona for part in written.values() for dialogue in part}
    before = {name: teaching.told(model.words, teaching.preamble(prompts, name)) for name in sorted(named)}
    lessons = {part: [teaching.lesson(model.words, one) for one in some] for part, some in written.items()}
    log.info("%d tokens to learn", sum(len(one.learnt) for one in lessons["train"]))
    learnt, held = (Material(model, lessons[part], before) for part in ("train", "held-out"))
    for better in train(model, learnt, held, asked.rounds, asked.seed):
        save_file(better, asked.out, described(model))


if __name__ == "__main__":
    main()

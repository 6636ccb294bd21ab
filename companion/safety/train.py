"""Trains the adapter of the danger classifier: ``python -m companion.safety.train`` (extra ``train``).

The training sentences are those of ``prompts/safety/examples``, one file per kind, and of the turns of
``prompts/safety/check`` the sets in `LEARNT`; nothing else of the latter is used. Each is augmented anew in every
epoch: its beginning, case and punctuation, a neighbouring sentence, and, for danger, a frame of fiction (which makes it
ordinary) or a phrase that says it is meant. ``--start`` trains an adapter further, ``--into`` averages the result with
an earlier one: on sentences that neither has seen, the average of their weights errs less than each. Training takes
about five minutes on one CPU core.
"""

# torch is an extra: where it is missing, pyright knows none of its types.
# pyright: reportMissingImports=false, reportUnknownParameterType=false
# pyright: reportUnknownLambdaType=false, reportUntypedBaseClass=false

import argparse
import logging
import math
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from companion import resources
from companion.models import locate
from companion.models.embeddings import tokenizer
from companion.models.minilm import EPSILON, HEADS, LAYERS, WIDTH
from companion.models.needs import EMBEDDER
from companion.safety.measure import SAME_KINDS, new_turns
from companion.safety.network import ADAPTER, DENSE, KINDS, MAX_TOKENS, SHARPNESS, STRENGTH

RANK = 8
LEARNT = ("dev", "unseen")  # the development half of the second set of turns, and the fourth
FAR = 1e4  # subtracted from the attention scores of padding, so that its softmax is 0
BATCH, BATCHES_SORTED, RATE, WARM_UP, SMOOTHING = 32, 8, 1e-3, 30, 0.05

log = logging.getLogger(__name__)

Example = tuple[str, str]  # (sentence, kind)

BEGINNINGS = (
    *("honestly, ", "well, ", "please, ", "please help, ", "I don't know, ", "um, ", "so ", "look, ", "you know, "),
    *("listen, ", "oh no, ", "today ", "and ", "but ", "because ", "the truth is, ", "hey, ", "help! ", "okay, "),
    *("I have to tell you something. ", "can I tell you something? ", "actually "),
)
PLAYED = (
    *("In my story {}", "In the book he says: {}", "The song goes: {}", "In the film she says: {}"),
    *("My character says: {}", "The hero cries: {}", "In our play I have to say: {}", "The lyrics are: {}"),
    *("Write a story that begins with: {}", "In the game my avatar says: {}", "{} says the villain."),
    *("{} That is the first line of my novel.", "We read a poem, it goes: {}", "In the series somebody says: {}"),
    "Let's play! You are the doctor and I say: {}",
)
MEANT = (
    *("I'm not playing now. {}", "This is not a story. {}", "Stop the game. {}", "For real: {}"),
    *("I mean it. {}", "No joke, {}"),
)


class Adapted(nn.Module):
    """MiniLM with frozen weights, a trainable LoRA adapter of rank `RANK` and a linear head.

    Everything except the mean and the head is computed in bfloat16, which is twice as fast on CPUs that support it.
    """

    def __init__(self, weights: dict[str, Tensor], start: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        self._base = {name: weight.bfloat16() for name, weight in weights.items()}
        shapes = {name: weights[f"{name}.weight"].shape for name in DENSE}
        down = {_key(n): nn.Parameter(torch.randn(RANK, s[1]) / math.sqrt(s[1])) for n, s in shapes.items()}
        self.down = nn.ParameterDict(down)
        self.up = nn.ParameterDict({_key(n): nn.Parameter(torch.zeros(s[0], RANK)) for n, s in shapes.items()})
        self.head, self.drop = nn.Linear(WIDTH, len(KINDS)), nn.Dropout(0.1)
        if start:
            self._go_on(start)

    def _go_on(self, start: Mapping[str, Tensor]) -> None:
        """Take the tensors of an adapter of any rank, as `tensors` gives them."""
        for name in DENSE:
            for part in ("down", "up"):
                getattr(self, part)[_key(name)] = nn.Parameter(start[f"{name}.{part}"].float())
        self.head.load_state_dict({name: start[f"head.{name}"].float() for name in ("weight", "bias")})

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids (n, length) int64 and a mask (n, length) float32, 1 for tokens and 0 for padding -> logits (n,
        kinds) float32."""
        words, places = (self._base[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position"))
        segment = self._base["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(words[ids] + places[: ids.shape[1]] + segment, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        mean = (x.float() * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.head(self.drop(functional.normalize(mean, dim=-1) * SHARPNESS))

    def tensors(self) -> dict[str, Tensor]:
        """The trained tensors by name, as float16: those of the adapter, as in `merged`, and the head's."""
        kept = {f"{name}.{part}": getattr(self, part)[_key(name)] for name in DENSE for part in ("down", "up")}
        kept |= {"head.weight": self.head.weight, "head.bias": self.head.bias}
        return {name: value.detach().half().contiguous() for name, value in kept.items()}

    def _layer(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        shape = (*x.shape[:2], HEADS, WIDTH // HEADS)
        parts = (f"{name}attention.self.{part}" for part in ("query", "key", "value"))
        q, k, v = (self._dense(x, part).view(shape).transpose(1, 2) for part in parts)
        # Written out: for sentences of twenty tokens torch's own attention takes three times as long.
        alike = (q @ k.transpose(-1, -2)).float() / math.sqrt(WIDTH // HEADS) + (mask[:, None, None, :] - 1) * FAR
        mixed = torch.softmax(alike, -1).bfloat16() @ v
        attended = self._dense(mixed.transpose(1, 2).reshape(x.shape), f"{name}attention.output.dense")
        x = self._norm(x + attended, f"{name}attention.output.LayerNorm")
        wide = functional.gelu(self._dense(x, f"{name}intermediate.dense"))
        return self._norm(x + self._dense(wide, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _dense(self, x: Tensor, name: str) -> Tensor:
        down, up = (part[_key(name)].bfloat16() for part in (self.down, self.up))
        change = functional.linear(functional.linear(x, down), up)
        return functional.linear(x, self._base[f"{name}.weight"], self._base[f"{name}.bias"]) + STRENGTH * change

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (WIDTH,), self._base[f"{name}.weight"], self._base[f"{name}.bias"], EPSILON)


def examples(folder: Path | None = None) -> list[Example]:
    """The training sentences of ``prompts/safety/examples``, or another folder with the same files."""
    folder = folder or resources.folder("prompts") / "safety" / "examples"
    return [(text, kind) for kind in KINDS for text in (folder / f"{kind}.txt").read_text("utf-8").splitlines() if text]


def varied(example: Example, draw: random.Random, ordinary: Sequence[str]) -> Example:
    """A random augmentation of ``example``, which may change its kind; ``ordinary`` are sentences to put beside it."""
    text, kind = example
    chance = draw.random()
    if kind != "none" and chance < 0.07:
        return draw.choice(PLAYED).format(text), "none"
    if kind != "none" and chance < 0.14:
        text = draw.choice(MEANT).format(text)
    elif chance < 0.26:
        other = draw.choice(ordinary)
        text = f"{other} {text}" if draw.random() < 0.5 else f"{text} {other}"
    elif chance < 0.45:
        text = draw.choice(BEGINNINGS) + (text if text.startswith(("I ", "I'")) else text[0].lower() + text[1:])
    return _careless(text, draw), kind


def _careless(text: str, draw: random.Random) -> str:
    """Random typing errors: lower case, missing punctuation, apostrophes or a word."""
    text = text.lower() if draw.random() < 0.25 else text
    text = re.sub(r"[.!?,]", "", text) if draw.random() < 0.25 else text
    text = text.replace("'", "") if draw.random() < 0.15 else text
    words = text.split()
    if len(words) > 5 and draw.random() < 0.1:
        words.pop(draw.randrange(len(words)))
    return " ".join(words)


def train(
    told: Sequence[Example], rounds: int, seed: int = 0, start: Mapping[str, Tensor] | None = None, rate: float = RATE
) -> Adapted:
    """Train an adapter on ``told`` for ``rounds`` epochs: a new one, or that of ``start`` (as `Adapted.tensors`).
    Blocks for minutes. Raises StageError for a missing model."""
    torch.manual_seed(seed)
    draw, folder = random.Random(seed), locate.resolve(EMBEDDER)
    words = tokenizer(folder, MAX_TOKENS)
    net = Adapted(load_file(folder / "model.safetensors"), start)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
    steps = rounds * math.ceil(len(told) / BATCH)
    falling = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min(1, (n + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * min(1, n / steps)))
    )
    ordinary = [text for text, kind in told if kind == "none"]
    for turn in range(rounds):
        losses = list[float]()
        for batch in _batches([varied(example, draw, ordinary) for example in told], draw):
            ids, mask = _tokens(words, [text for text, _ in batch])
            wanted = torch.tensor([KINDS.index(kind) for _, kind in batch])
            loss = functional.cross_entropy(net(ids, mask), wanted, label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
            losses.append(loss.item())
        log.info("round %d of %d: loss %.3f", turn + 1, rounds, np.mean(losses))
    return net


def mixed(before: Mapping[str, Tensor], now: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The weighted average of two adapters (model soups, Wortsman et al. 2022); ``share``, from 0 to 1, is the weight
    of ``now``. The products are averaged exactly by concatenation, so that the rank is the sum of both. float16."""
    parts = ((before, 1 - share), (now, share))
    heads = {name: sum(part * kept[name].float() for kept, part in parts) for name in ("head.weight", "head.bias")}
    downs = {f"{name}.down": torch.cat([kept[f"{name}.down"].float() for kept, _ in parts]) for name in DENSE}
    ups = {f"{name}.up": torch.cat([part * kept[f"{name}.up"].float() for kept, part in parts], 1) for name in DENSE}
    return {name: torch.as_tensor(value).half().contiguous() for name, value in {**heads, **downs, **ups}.items()}


def _batches(items: list[Example], draw: random.Random) -> Iterable[list[Example]]:
    """Batches in random order, each of sentences of similar length, which need little padding. Shuffles ``items``."""
    draw.shuffle(items)
    for start in range(0, len(items), BATCH * BATCHES_SORTED):
        some = sorted(items[start : start + BATCH * BATCHES_SORTED], key=lambda item: len(item[0]))
        batches = [some[n : n + BATCH] for n in range(0, len(some), BATCH)]
        draw.shuffle(batches)
        yield from batches


def _tokens(words: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    encoded = [words.encode(text).ids for text in texts]
    longest = max(map(len, encoded))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in encoded])
    return ids, torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in encoded])


def _key(name: str) -> str:
    return name.replace(".", "_")


def main() -> None:
    """Train by the options on the command line, and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=RATE, help="the learning rate at its highest")
    parser.add_argument("--start", type=Path, help="an adapter to train further")
    parser.add_argument("--into", type=Path, help="an adapter with which the new one is averaged")
    parser.add_argument("--share", type=float, default=0.8, help="of the new one in the average, from 0 to 1")
    parser.add_argument("--out", type=Path, default=ADAPTER)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    told = [
        *examples(),
        *((turn.said, SAME_KINDS.get(turn.kind, turn.kind)) for part in LEARNT for turn in new_turns(part)),
    ]
    start = load_file(asked.start) if asked.start else None
    learned = train(told, asked.rounds, asked.seed, start, asked.rate).tensors()
    save_file(mixed(load_file(asked.into), learned, asked.share) if asked.into else learned, asked.out)


if __name__ == "__main__":
    main()

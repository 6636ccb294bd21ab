"""The conversation: what each side said, cut to what was heard, as items for clients and messages for a model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from companion.protocol.events import ItemAdded, ItemDone, Json, ServerEvent
from companion.speech.playout import Line
from companion.stages.protocols import SPEAK_RATE, Call, Message

SECONDS_PER_CHARACTER = 0.065  # s of speech: to estimate the length of a line that is still being synthesized

MOST_ITEMS = 1000  # items of a conversation
LONGEST_TURN = 20_000  # characters that one side may say in a row; only the last ones are kept

Role = Literal["system", "user", "assistant", "tool"]
Status = Literal["in_progress", "completed", "incomplete"]


@dataclass(slots=True)
class Item:
    """One message. ``sound`` says that it was (or is being) spoken; an assistant's spoken item has ``lines``.

    ``text`` is None while a user's speech is not transcribed yet. ``heard`` is the position in the item's sound, in
    samples, where playback ended; None means that all of it was played. An item with a ``call`` says nothing; the
    result of one has the role ``tool`` and its ``call_id``.
    """

    id: str
    role: Role
    text: str | None = ""
    sound: bool = False
    begun: float | None = None  # loop time at which a user's speech in it began, if that was in this session
    status: Status = "completed"
    lines: list[Line] = field(default_factory=list[Line])
    heard: int | None = None
    cut_ms: int | None = None  # where the client truncated it: nothing beyond is restored
    call: Call | None = None
    call_id: str = ""
    language: str = ""  # of a user's speech, where it was told
    tone: float = 0.0  # of a user's speech: above 0 it was livelier than that voice usually is, below lower and flatter
    times: dict[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )  # loop times: see Trace

    def content(self) -> str:
        """The text that counts as said: of an interrupted reply, only what was heard."""
        if self.role != "assistant" or not self.sound:
            return self.text or ""
        if self.heard is None:
            return " ".join(line.text for line in self.lines)
        return heard_text(self.lines, self.heard)

    def without(self, dropped: Callable[[str], bool], sentences: Callable[[str], list[str]]) -> None:
        """Remove the sentences that are ``dropped``."""
        self.text = " ".join(one for one in sentences(self.text or "") if not dropped(one))
        self.lines = [line for line in self.lines if not any(map(dropped, sentences(line.text)))]

    def to_json(self) -> Json:
        """OpenAI's ``realtime.item``."""
        item: Json = {"id": self.id, "object": "realtime.item", "type": "message", "status": self.status}
        if self.call:
            called = {"call_id": self.call.id, "name": self.call.name, "arguments": self.call.arguments}
            return item | {"type": "function_call"} | called
        if self.role == "tool":
            return item | {"type": "function_call_output", "call_id": self.call_id, "output": self.text or ""}
        text = self.content()
        if self.role == "assistant":
            kind = "output_audio" if self.sound else "output_text"
            part = {"type": kind, ("transcript" if self.sound else "text"): text}
            return item | {"role": "assistant", "content": [part] if text or self.status != "in_progress" else []}
        if self.sound:
            return item | {"role": self.role, "content": [{"type": "input_audio", "transcript": self.text}]}
        return item | {"role": self.role, "content": [{"type": "input_text", "text": text}]}


class Conversation:
    """The items in order. Ids are unique; unknown ones raise KeyError. ``running``: what a language model is told of
    calls whose results are not there yet, by ``call_id``."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self.running: dict[str, str] = {}

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Append, or insert after the item ``after`` (``"root"``: first) -> the id of the item before it.

        Of very long conversations the oldest items are forgotten. Raises KeyError where ``after`` does not exist, and
        ValueError where there is an item with this id; nothing has changed then.
        """
        if item.id in self._items:
            raise ValueError(f"There is an item {item.id!r} already.")
        previous = self.last if after is None else None if after == "root" else after
        if previous is not None and previous not in self._items:
            raise KeyError(previous)
        if len(self._items) >= MOST_ITEMS:
            oldest = next(iter(self._items))
            del self._items[oldest]
            previous = None if previous == oldest else previous
        if previous == self.last:
            self._items[item.id] = item
            return previous
        items = list(self._items.items())
        place = list(self._items).index(previous) + 1 if previous else 0
        self._items = dict([*items[:place], (item.id, item), *items[place:]])
        return previous

    @property
    def last(self) -> str | None:
        return next(reversed(self._items), None)

    @property
    def language(self) -> str:
        """The language that a user spoke last, as far as it is known; else ""."""
        return next((item.language for item in reversed(self._items.values()) if item.language), "")

    @property
    def latest(self) -> Item:
        """The last item; an empty one if there is none."""
        return self._items[self.last] if self.last else Item("", "user")

    def __getitem__(self, item_id: str) -> Item:
        return self._items[item_id]

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def delete(self, item_id: str) -> None:
        del self._items[item_id]

    def before(self, item_id: str) -> str | None:
        """The id of the item before ``item_id``."""
        keys = list(self._items)
        place = keys.index(item_id)
        return keys[place - 1] if place else None

    def result(self, call_id: str) -> str:
        """The result of a tool call; "" while there is none."""
        return next((item.text or "" for item in reversed(self._items.values()) if item.call_id == call_id), "")

    def history(self, saying: str = "") -> list[Message]:
        """What was said, oldest first, and what the user is ``saying``; one speaker's messages in a row are one."""
        merged: list[Message] = []
        results = self.running | {item.call_id: item.text or "" for item in self._items.values() if item.role == "tool"}
        for item in [*self._items.values(), Item("", "user", saying)]:
            if item.call and item.call.id in results:
                merged += [Message("assistant", "", (item.call,))]
                merged += [Message("tool", results[item.call.id], call_id=item.call.id)]
            text = item.content().strip()
            if not text or item.role == "tool":
                continue
            if merged and merged[-1].role == item.role:
                merged[-1] = Message(item.role, f"{merged[-1].content} {text}"[-LONGEST_TURN:])
            else:
                merged.append(Message(item.role, text))
        return merged


def announce(item: Item, previous: str | None, tell: Callable[[ServerEvent], None]) -> None:
    """Tell a client about an item that is complete already; ``previous`` is the id of the item before it."""
    tell(ItemAdded(item.to_json(), previous))
    tell(ItemDone(item.to_json(), previous))


def heard_text(lines: Sequence[Line], heard: int) -> str:
    """The text of ``lines`` up to position ``heard`` (samples), cut at a word."""
    parts: list[str] = []
    for line in lines:
        if line.start is None or line.start >= heard:
            break
        if line.whole and line.end - line.start >= line.made and line.end <= heard:
            parts.append(line.text)
            continue
        parts.append(_beginning(line, line.start, heard))
        break
    return " ".join(part for part in parts if part)


def unsaid(item: Item) -> str:
    """The part of an interrupted spoken item that was not heard, with its feeling."""
    whole = " ".join(line.text for line in item.lines)
    rest = whole[len(item.content()) :].strip()
    return f"[{item.lines[-1].emotion}] {rest}" if rest else ""


def _beginning(line: Line, start: int, heard: int) -> str:
    """By word times where the words are known and are the text's own, else by the share of time."""
    tokens = line.text.split()
    if line.words and all(_bare(w.text) == _bare(t) for w, t in zip(line.words, tokens, strict=False)):
        n = sum((w.start + w.end) / 2 * SPEAK_RATE <= heard for w in line.words)
        return " ".join(tokens[:n])
    guess = int(len(line.text) * SECONDS_PER_CHARACTER * SPEAK_RATE)
    length = line.made if line.whole else max(line.made, guess)
    budget = len(line.text) * (heard - start) / max(length, 1)
    said: list[str] = []
    for token in tokens:
        budget -= len(token) + 1
        if budget < -0.5 * len(token):
            break
        said.append(token)
    return " ".join(said)


def _bare(word: str) -> str:
    return "".join(c for c in word.lower() if c.isalnum())

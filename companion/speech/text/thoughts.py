"""Removes from a reply, while it arrives, what a reasoning model writes for itself."""

import re
from collections.abc import AsyncIterator, Iterator

from companion.stages.streams import closing

_NAMES = (
    "think", "thinking", "thought", "thoughts", "reason", "reasoning", "reflection", "scratchpad", "analysis",
    "internal", "inner_monologue", "innermonologue", "monologue", "cot", "chain_of_thought", "seed:think",
    "antthinking",
    "tool_call", "tool_calls", "function_call",
)  # fmt: skip
_NAME = "(?:" + "|".join(map(re.escape, sorted(_NAMES, key=len, reverse=True))) + ")"
_TAG_CLOSE = re.compile(rf"<\s*/\s*{_NAME}\s*>", re.IGNORECASE)
_KINDS = (  # how a thought begins, and how it ends
    (re.compile(rf"<\s*{_NAME}(?:\s[^<>]*)?>", re.IGNORECASE), _TAG_CLOSE),
    (re.compile(r"<\|(?:begin_of_thought|begin_of_thinking|thinking|think)\|>", re.IGNORECASE),
     re.compile(r"<\|(?:end_of_thought|end_of_thinking|/thinking|/think)\|>", re.IGNORECASE)),
    (re.compile(r"<\|channel\|>\s*(?:analysis|commentary)[^<]{0,40}<\|message\|>"),
     re.compile(r"<\|(?:end|return|call)\|>|<\|channel\|>\s*final[^<]{0,20}<\|message\|>")),
    (re.compile(r"<\|channel>\s*thought\b"), re.compile(r"<channel\|>")),
    (re.compile(r"◁think▷"), re.compile(r"◁/think▷")),
    (re.compile(r"\[THINK\]"), re.compile(r"\[/THINK\]")),
)  # fmt: skip
_UNMARKED_KINDS = ((re.compile(r"analysis(?=[A-Z])"), re.compile(r"assistant\s?final(?=\W*[A-Z\W])")),
         (re.compile(r"Thinking\.\.\.\s*\n"), re.compile(r"\.\.\.\s?done thinking\.\s?"))
)  # fmt: skip  # at the very beginning: a server that took the special tokens out, a tool that shows its thoughts
_END_TAG = re.compile(
    rf"{_TAG_CLOSE.pattern}|<\|(?:end_of_thought|end_of_thinking)\|>|◁/think▷|\[/THINK\]|<channel\|>", re.IGNORECASE
)
_SPECIAL_TOKEN = re.compile(
    r"<\|im_start\|>(?:\s*(?:assistant|system|user)\b|(?!\s*[a-z]{0,9}$))|"
    r"<\|start_header_id\|>(?:\s*\w{1,12}\s*<\|end_header_id\|>|(?!\s*\w{0,12}\s*(?:<[|a-z_]{0,16})?$))|"
    r"<\|start\|>\s*assistant|<\|channel\|>\s*final|</?s>|<(?!\|im_start|\|start_header_id)[｜|][^<>｜|]{2,30}[｜|]>"
)
_HEADS = "<[◁"  # what a tag begins with
LONGEST_TAG = 80  # characters of a tag
RETRACTED = "\x18"  # ASCII's CANCEL: all that came before was a thought, too, whose beginning was not marked


class Thoughts:
    """`feed` deltas, get what is not a thought, and `RETRACTED`; `flush` gives the rest. The same for any size of
    delta.

    ``seen`` is True once there was a thought, whether it has ended or not.
    """

    def __init__(self) -> None:
        self._held = ""
        self._end: re.Pattern[str] | None = None  # of the thought that it is in
        self._last = "\n"  # character that was let out
        self._begun = False
        self._ended = False  # a thought, and nothing came after it but space, which goes with it
        self.seen = False

    @property
    def inside(self) -> bool:
        """Whether a thought has not ended."""
        return self._end is not None

    def feed(self, delta: str) -> Iterator[str]:
        self._held += delta
        yield from self._go(ended=False)

    def flush(self) -> Iterator[str]:
        yield from self._go(ended=True)
        self._held = ""

    def _go(self, ended: bool) -> Iterator[str]:
        while self._held:
            if self._ended:
                self._held = self._held.lstrip()
                self._ended = not self._held
            elif self._end:
                if not self._leave(self._end):
                    return
            elif not self._begun and self._held[0].isspace():
                yield self._let_out(1)
            elif not self._begun and (waits := self._bare(ended)) is not None:
                if waits:
                    return
            elif self._held[0] in _HEADS:
                found = self._tag(ended)
                if found is None:
                    return
                yield from found
            else:
                yield self._let_out(self._plain())

    def _leave(self, end: re.Pattern[str]) -> bool:
        """Whether the thought ends in what is held. Its text is dropped either way."""
        match = end.search(self._held)
        self._held = self._held[match.end() :] if match else self._held[-LONGEST_TAG:]
        if match:
            self._end, self._begun, self._ended = None, True, True
        return match is not None

    def _bare(self, ended: bool) -> bool | None:
        """Whether the reply begins with an unmarked thought. True: more is needed to tell; False: it does; None: it
        does not."""
        for begin, end in _UNMARKED_KINDS:
            if begin.match(self._held):
                self._end, self.seen = end, True
                return False
        words = ("analysis", "Thinking...\n")
        if not ended and any(word.startswith(self._held) for word in words):
            return True
        self._begun = True
        return None

    def _tag(self, ended: bool) -> list[str] | None:
        """What becomes of the head of a tag; None: more is needed to tell."""
        if self._last != "`":
            for begin, end in _KINDS:
                if match := begin.match(self._held):
                    self._held, self._end, self.seen = self._held[match.end() :], end, True
                    return []
            if match := _END_TAG.match(self._held):
                self._held, self.seen, self._ended, self._last = self._held[match.end() :], True, True, "\n"
                return [RETRACTED]
            if match := _SPECIAL_TOKEN.match(self._held):
                self._held = self._held[match.end() :]
                return []
            if _unsure(self._held):
                self._held = "" if ended else self._held  # a reply that is cut off ends in half a tag
                return [] if ended else None
        return [self._let_out(1)]

    def _plain(self) -> int:
        """How many characters come before the next head of a tag."""
        return next((i for i, c in enumerate(self._held) if c in _HEADS), len(self._held))

    def _let_out(self, n: int) -> str:
        out, self._held = self._held[:n], self._held[n:]
        self._begun = self._begun or not out.isspace()
        self._last = out[-1]
        return out


async def unthought(deltas: AsyncIterator[str], thoughts: Thoughts) -> AsyncIterator[str]:
    """The deltas without the thoughts that ``thoughts`` finds in them."""
    async with closing(deltas) as stream:
        async for delta in stream:
            for part in thoughts.feed(delta):
                yield part
    for part in thoughts.flush():
        yield part


def thoughtless(text: str) -> str:
    """A whole text without its thoughts."""
    thoughts = Thoughts()
    return "".join((*thoughts.feed(text), *thoughts.flush())).rpartition(RETRACTED)[2]


_TAG_BEGINNING = re.compile(r"<[|｜][^<>\n]*>?$|<\s*/?\s*(?P<name>[\w:]*)(?P<rest>[^<>]*)$|[\[◁](?P<word>/?\w*)$")
_WORDS = ("THINK", "/THINK", "think", "/think")
_CHANNEL = re.compile(
    r"<\|im_start\|>\s*[a-z]{0,9}$|<\|start_header_id\|>\s*\w{0,12}\s*(?:<\|?[a-z_]{0,14}\|?)?$|"
    r"<\|channel\|>\s*(?:\w[^<]{0,40})?(?:<(?:\|\w*\|?)?)?$|<\|start\|>\s*\w*$|<channel\|?$"
)


def _unsure(text: str) -> bool:
    """Whether ``text``, which begins with the head of a tag, may become one."""
    if len(text) > LONGEST_TAG:
        return False
    if _CHANNEL.match(text):
        return True
    match = _TAG_BEGINNING.match(text)
    if not match:
        return False
    if (word := match["word"]) is not None:
        return any(known.startswith(word) for known in _WORDS)
    if (name := match["name"]) is None:
        return True
    return name.lower() in _NAMES if match["rest"] else any(known.startswith(name.lower()) for known in (*_NAMES, "s"))

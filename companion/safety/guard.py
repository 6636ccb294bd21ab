"""One session's care: what is said instead of the language model's reply, and what must not be said at all."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Literal, NamedTuple

from companion.config import Care
from companion.models.embeddings import Embedder, Embeds
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.protocol.settings import Settings
from companion.safety import policy
from companion.safety.detect import Detector, Verdict
from companion.speech.sentences import words
from companion.stages.streams import Beginning, closing, held
from companion.stages.worker import one_thread

LEAK = 7  # words in a row that betray a rule
DIGITS = 3  # that make a word a code
LONGEST_CODE = 200  # characters in which one may be spelled out
LONG = 10  # the same of instructions, which may hold what is to be said
WHOLE = 4  # words of a rule that is betrayed by all of them
_SENTENCE = re.compile(r"[.!?]\s|\n")
FLAG = "[crisis]"  # with which a language model gives its own opinion

Kind = Literal["crisis", "concern", "disclosure", "break"]


class Safety:
    """What all sessions share. Blocks while it loads. Raises PromptError, and StageError for a missing model."""

    def __init__(self, care: Care, embedder: Embeds | None = None) -> None:
        self.care = care
        self.policy = policy.load()
        self._detector = Detector(self.policy.crisis, (embedder or Embedder()) if care.meaning else None)
        self._pool = one_thread("safety")

    @property
    def rules(self) -> str:
        """What every language model is told besides its persona."""
        rules = self.policy.rules
        return f"{rules.always} {rules.flag}" if self.care.trust_model else rules.always

    async def judge(self, text: str) -> Verdict:
        if not self.care.meaning:
            return self._detector.judge(text)  # takes no time
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._detector.judge, text)


class Private(NamedTuple):
    """What users must not read: ``rules``, of which nothing is said again, and ``instructions``."""

    rules: str = ""
    instructions: str = ""


class Guard:
    """``tell`` sends an event; ``settings`` gives the session's; ``clock`` gives seconds; ``private`` gives what no
    user is to read."""

    def __init__(
        self,
        safety: Safety,
        tell: Callable[[ServerEvent], None],
        settings: Callable[[], Settings],
        clock: Callable[[], float],
        private: Callable[[], Private] = Private,
    ) -> None:
        self._safety, self._policy = safety, safety.policy
        self._tell, self._settings, self._clock, self._private = tell, settings, clock, private
        self._begun = clock()
        self._crises = self._listened = 0
        self._stopped: set[str] = set()
        self._said = ""  # in this reply
        self.note = ""  # for the language model, about the last message

    @property
    def careful(self) -> bool:
        """Somebody may be in danger: until the session ends nobody plays a role."""
        return self._crises > 0

    def instructions(self, role: str) -> str:
        """What the model is told to be: ``role``, unless this is no time for roles."""
        return self._policy.handoff.instructions if self.careful else role

    def rules(self) -> str:
        """What the model is told besides, for this user."""
        return self._policy.rules.minor if self._minor else ""

    def notice(self, name: str) -> str:
        """The notice that it is an AI, to be shown."""
        return self._policy.disclosure.notice.format(name=name)

    def disclose(self, name: str) -> None:
        """Tell the client at the start that this is an AI."""
        self._say("disclosure", self.notice(name))

    async def answer(self, said: str, name: str) -> str:
        """What is to be said to this message of the user, "" if that is the language model's business. ``name`` is
        the persona's."""
        self.note, self._said, self._stopped = "", "", set()
        verdict = await self._safety.judge(said)
        if verdict.level == "crisis":
            return self._hand_over()
        if self._policy.disclosure.asked.search(said):
            return self._policy.disclosure.answer.format(name=name)
        if self.careful and not self._safety.care.trust_model:
            return self._listen()
        if any(pattern.search(said) for pattern in self._policy.output.asked):
            return self._policy.output.leak
        if verdict.level == "concern":
            self.note = self._policy.concern
            self._say("concern", "")
        return ""

    def allowed(self, sentence: str) -> str:
        """A sentence of the model, or what takes its place; "" for a second one of a kind in the same reply."""
        output = self._policy.output
        instead = next((stop.say for stop in output.stop if stop.pattern.search(sentence)), "")
        private, so_far = self._private(), f"{self._said[-LONGEST_CODE:]} {sentence}"
        if not instead and (_betrays(sentence, private) or _tells_code(so_far, private, output.digits)):
            instead = output.leak
        if not instead:
            self._said = so_far
            return sentence
        said = instead not in self._stopped
        self._stopped.add(instead)
        return instead if said else ""

    async def watched(self, deltas: AsyncIterator[str]) -> AsyncIterator[str]:
        """The model's deltas. Its flag becomes the hand-off; a break that is due is suggested at the end."""
        before = self._crises
        async with closing(held(deltas, self._flagged)) as stream:
            async for delta in stream:
                yield delta
        if self._crises == before and self._break_is_due():
            yield " " + self._policy.breaks.say

    def _flagged(self, beginning: str, over: bool) -> Beginning | None:
        begun = beginning.lstrip().lower()
        if begun.startswith(FLAG):
            return Beginning(self._hand_over(), alone=True)
        return Beginning(beginning) if over or not FLAG.startswith(begun) else None

    @property
    def _minor(self) -> bool:
        return self._safety.care.minors or self._settings().safety.minor

    def _hand_over(self) -> str:
        words = self._words
        text = words.first if self._crises == 0 else words.again[(self._crises - 1) % len(words.again)]
        self._crises += 1
        text = text.format(help=self._whom_to_call)
        self._say("crisis", text.partition("] ")[2])
        return text

    def _listen(self) -> str:
        """To somebody in danger no word is left to a model that may say anything."""
        text = self._words.listen[self._listened % len(self._words.listen)]
        self._listened += 1
        return text.format(help=self._whom_to_call)

    @property
    def _words(self) -> policy.Words:
        """The words in the user's language, if there are any."""
        asked = self._settings().audio.input.transcription
        return self._policy.handoff.languages.get((asked and asked.language) or "", self._policy.handoff)

    @property
    def _whom_to_call(self) -> str:
        lines = self._lines()
        if not lines:
            return self._words.nobody
        help = self._words.sometimes if lines[0].hours else self._words.help
        return help.format(name=lines[0].name, call=lines[0].call, emergency=lines[0].emergency)

    def _lines(self) -> list[policy.Line]:
        country = self._settings().safety.country or self._safety.care.country
        return self._policy.help.lines_for(country, self._minor)

    def _say(self, kind: Kind, message: str) -> None:
        if kind not in ("crisis", "concern"):
            self._tell(events.AvatarSafety(kind, message))
            return
        lines = [{key: value for key, value in asdict(line).items() if value} for line in self._lines()]
        helps = self._policy.help
        self._tell(events.AvatarSafety(kind, message, [*lines, helps.everywhere], helps.note))

    def _break_is_due(self) -> bool:
        breaks = self._policy.breaks
        if self._clock() - self._begun < 60 * (breaks.minors_minutes if self._minor else breaks.minutes):
            return False
        self._begun = self._clock()
        self._say("break", breaks.say.partition("] ")[2])
        return True


def _betrays(said: str, private: Private) -> bool:
    """Whether it repeats, word for word, `LEAK` words of a rule in a row or all of a short one, a code in a rule, or a
    `LONG` part of the instructions."""
    if _codes(private) & set(words(said)):
        return True
    short = {tuple(words(sentence)) for sentence in _SENTENCE.split(private.rules)}
    whole = any(one in _runs(said, len(one)) for one in short if WHOLE <= len(one) < LEAK)
    return whole or any(_runs(said, n) & _runs(text, n) for text, n in zip(private, (LEAK, LONG), strict=True))


def _tells_code(said: str, private: Private, digits: Sequence[str]) -> bool:
    """Whether it spells out a code in a rule; ``digits`` are the words for 0 to 9."""
    if not (codes := _codes(private)):
        return False
    for value, word in enumerate(digits):
        said = re.sub(rf"\b{word}\b", str(value), said, flags=re.IGNORECASE)
    joined = re.sub(r"(?<=\d)[\W_]+(?=\d)", "", said.lower())
    return any(code in joined for code in codes)


def _codes(private: Private) -> set[str]:
    return {word for word in words(private.rules) if sum(map(str.isdigit, word)) >= DIGITS}


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Every run of this many words."""
    all_words = words(text)
    return {tuple(all_words[start : start + length]) for start in range(len(all_words) - length + 1)}

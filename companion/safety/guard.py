"""One session's care: what is said instead of the language model's reply, and what must not be said at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Literal

from companion.config import Care
from companion.protocol import events
from companion.protocol.events import Json, ServerEvent
from companion.protocol.settings import Settings
from companion.safety import policy
from companion.safety.allowance import Allowance, Stay
from companion.safety.detect import LONGEST_MESSAGE, Detector, Verdict
from companion.safety.helplines import Helplines
from companion.safety.network import Judges, Network
from companion.safety.output import OutputFilter, Private
from companion.safety.watch import Step, Watch
from companion.stages.streams import Beginning, closing, held
from companion.stages.worker import one_thread

FLAG = "[crisis]"  # with which a language model gives its own opinion

Kind = Literal["crisis", "concern", "disclosure", "break"]


class Safety:
    """What all sessions share. Blocks while it loads. Raises PromptError, and StageError for a missing model."""

    def __init__(self, care: Care, network: Judges | None = None) -> None:
        self.care = care
        self.policy = policy.load()
        network = (network or Network()) if care.meaning else None
        if network:
            network.judge(["Hello."])  # it loads on first use
        self.allowance = Allowance(care)
        self._detector = Detector(self.policy.crisis, network)
        self._pool = one_thread("safety")

    @property
    def rules(self) -> str:
        """What every language model is told besides its persona."""
        rules = self.policy.rules
        return f"{rules.always} {rules.flag}" if self.care.trust_model else rules.always

    async def judge(self, text: str, before: Sequence[str] = ()) -> Verdict:
        """As `Detector.judge`. Phrases alone take no time: what is read of a message is bounded."""
        if not self.care.meaning:
            return self._detector.judge(text, before)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._detector.judge, text, before)


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
        self.visitor = ""  # whose key was shown, where it is one user's
        self.stay = Stay(safety.allowance, self._policy.breaks, clock, lambda: self._minor, self._user)
        self._tell, self._settings, self._clock = tell, settings, clock
        self._begun = clock()
        self._crises = self._listened = 0
        self._watch = Watch(self._policy.crisis)
        self._handed: set[str] = set()  # what was spoken of already
        self._told_age = False
        self._output = OutputFilter(self._policy.output, private)
        self._helplines = Helplines(self._policy, safety.care.country, settings, lambda: self._minor)
        self.note = ""  # for the language model, about the last message

    @property
    def careful(self) -> bool:
        """Whether the user may be in danger: then nobody plays a role, until ordinary talk or the user's word that they
        are fine."""
        return bool(self._watch.about)

    def instructions(self, role: str) -> str:
        """The instructions for the language model: those of the ``role``, unless the user may be in danger."""
        if not self.careful:
            return role
        suicide = self._watch.about == "suicide"
        return self._policy.handoff.instructions if suicide else self._policy.emergencies.instructions

    def rules(self) -> str:
        """Additional rules for this user."""
        return self._policy.rules.minor if self._minor else ""

    def state(self) -> Json:
        """What must be known of the user wherever the conversation goes on, as `restore` takes it."""
        return {
            "watch": self._watch.state(),
            "crises": self._crises,
            "listened": self._listened,
            "handed": sorted(self._handed),
            "told_age": self._told_age,
            "talked_s": self._clock() - self._begun,
            "stay": self.stay.state(),
        }

    def restore(self, state: Json) -> None:
        """Go on from the `state` of another session."""
        self._watch.restore(state["watch"])
        self._crises, self._listened = state["crises"], state["listened"]
        self._handed, self._told_age = set(state["handed"]), state["told_age"]
        self._begun = self._clock() - state["talked_s"]
        self.stay.restore(state["stay"])

    def notice(self, name: str) -> str:
        """The notice that it is an AI, to be shown."""
        return self._policy.disclosure.notice.format(name=name)

    def disclose(self, name: str) -> None:
        """Tell the client at the start that this is an AI."""
        self._say("disclosure", self.notice(name))

    async def answer(self, said: str, name: str, before: Sequence[str] = ()) -> str:
        """The answer to this message of the user that takes the place of the language model's; "" for none. ``name`` is
        the persona's; ``before``: the messages before it."""
        self.note = ""
        self._output.begin()
        verdict = await self._safety.judge(said, before)
        said = said[-LONGEST_MESSAGE:]
        self._told_age = self._told_age or bool(self._policy.intimacy.age.search(said))
        return self._cared(self._watch.step(said, verdict)) or self._refused(said, name)

    def _cared(self, step: Step) -> str:
        """The answer of care itself."""
        concern = self._policy.concern
        match step.does:
            case "act":
                return self._hand_over()
            case "ask":
                question = self._policy.emergencies.words(step.about).ask
                self._say("concern", question.partition("] ")[2], step.about)
                return question
            case "listen":
                return "" if self._safety.care.trust_model else self._listen()
            case "relief":
                return concern.relief
            case "believe":
                self.note = concern.calm
            case "concern":
                self.note = concern.note
                self._say("concern", "", step.about)
            case "":
                pass
        return ""

    def _refused(self, said: str, name: str) -> str:
        """The answer to a question that the language model must not get."""
        intimacy, output = self._policy.intimacy, self._policy.output
        if honest := self._policy.disclosure.reply(said, name):
            return honest
        if any(pattern.search(said) for pattern in intimacy.asked):
            return intimacy.minor if self._minor else intimacy.say
        return output.leak if any(pattern.search(said) for pattern in output.asked) else ""

    def allowed(self, sentence: str) -> str:
        """A sentence of the model, or what takes its place; "" for a second one of a kind in the same reply."""
        return self._output.allowed(sentence, self._minor)

    async def watched(self, deltas: AsyncIterator[str]) -> AsyncIterator[str]:
        """The model's deltas. Its flag is replaced by the hand-off; a break that is due is suggested at the end."""
        calm = not self.careful
        async with closing(held(deltas, self._flagged)) as stream:
            async for delta in stream:
                yield delta
        if calm and not self.careful and self._break_is_due():
            yield " " + self._policy.breaks.say

    def _flagged(self, beginning: str, over: bool) -> Beginning | None:
        begun = beginning.lstrip().lower()
        if begun.startswith(FLAG):
            self._watch.act("suicide")
            return Beginning(self._hand_over(), alone=True)
        return Beginning(beginning) if over or not FLAG.startswith(begun) else None

    @property
    def _minor(self) -> bool:
        return self._safety.care.minors or self._settings().safety.minor or self._told_age

    def _user(self) -> str:
        memory = self._settings().memory
        return (memory and memory.user) or self.visitor

    def time_word(self) -> str:
        """What is to be said now of the time that a minor has; each once, else ""."""
        if word := self.stay.word():
            self._say("break", word.partition("] ")[2])
        return word

    @property
    def closing(self) -> str:
        """What is shown when that time is over."""
        return self._policy.breaks.closed

    def _hand_over(self) -> str:
        words, about = self._helplines.words(self._watch.about), self._watch.about
        first = about not in self._handed
        again = words.again[self._crises % len(words.again)]
        self._handed.add(about)
        self._crises = 0 if first else self._crises + 1
        text = (words.first if first else again).format(help=self._helplines.whom_to_call(self._watch.about))
        self._say("crisis", text.partition("] ")[2], about)
        return text

    def _listen(self) -> str:
        """One of the prepared words for somebody in danger, to whom a language model that may say anything is not
        let."""
        listen = self._helplines.words(self._watch.about).listen
        text = listen[self._listened % len(listen)]
        self._listened += 1
        return text.format(help=self._helplines.whom_to_call(self._watch.about))

    def _say(self, kind: Kind, message: str, about: str = "") -> None:
        if kind not in ("crisis", "concern"):
            self._tell(events.AvatarSafety(kind, message))
            return
        lines = [{key: value for key, value in asdict(line).items() if value} for line in self._helplines.lines(about)]
        helps = self._policy.help
        self._tell(events.AvatarSafety(kind, message, [*lines, helps.everywhere], helps.note, about))

    def _break_is_due(self) -> bool:
        breaks = self._policy.breaks
        if self._clock() - self._begun < 60 * (breaks.minors_minutes if self._minor else breaks.minutes):
            return False
        self._begun = self._clock()
        self._say("break", breaks.say.partition("] ")[2])
        return True

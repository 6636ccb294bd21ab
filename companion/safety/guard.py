"""The safety of one session: answers that replace the language model's reply, and sentences that must not be said."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Literal

from companion.config import Care
from companion.protocol import events
from companion.protocol.events import Json, ServerEvent
from companion.protocol.settings import Settings
from companion.safety import policy
from companion.safety.allowance import Allowance, Ledger, Stay
from companion.safety.detect import LONGEST_MESSAGE, Detector, Verdict
from companion.safety.helplines import Helplines
from companion.safety.network import Judges, Network
from companion.safety.output import OutputFilter, Private
from companion.safety.watch import Step, Watch
from companion.stages.streams import Beginning, closing, held
from companion.stages.worker import one_thread

FLAG = "[crisis]"  # with which a language model begins a reply to flag a crisis itself

Kind = Literal["crisis", "concern", "disclosure", "break"]


class Safety:
    """What all sessions share: the policy, the detector and the time limits. Blocks while it loads the network.

    ``ledger`` keeps the time that minors have talked beyond this process. Raises PromptError for an invalid policy, and
    StageError for a missing model.
    """

    def __init__(self, care: Care, network: Judges | None = None, ledger: Ledger | None = None) -> None:
        self.care = care
        self.policy = policy.load()
        network = (network or Network()) if care.meaning else None
        if network:
            network.judge(["Hello."])  # loads the model now instead of on first use
        self.allowance = Allowance(care, ledger=ledger)
        self._detector = Detector(self.policy.crisis, network)
        self._pool = one_thread("safety")

    @property
    def rules(self) -> str:
        """The safety rules in every language model's instructions, beside its persona."""
        rules = self.policy.rules
        return f"{rules.always} {rules.flag}" if self.care.trust_model else rules.always

    async def judge(self, text: str, before: Sequence[str] = ()) -> Verdict:
        """`Detector.judge` without blocking the event loop. Without the network it runs directly: patterns on a text of
        bounded length take no noticeable time."""
        if not self.care.meaning:
            return self._detector.judge(text, before)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._detector.judge, text, before)


class Guard:
    """The safety of one session. ``tell`` sends an event; ``settings`` returns the session's current settings;
    ``clock`` gives seconds; ``private`` returns the texts that no user may read."""

    def __init__(
        self,
        safety: Safety,
        tell: Callable[[ServerEvent], None],
        settings: Callable[[], Settings],
        clock: Callable[[], float],
        private: Callable[[], Private] = Private,
    ) -> None:
        self._safety, self._policy = safety, safety.policy
        self.visitor = ""  # the user of the client secret, "" if it names none
        self.stay = Stay(safety.allowance, self._policy.breaks, clock, lambda: self._minor, self._user)
        self._tell, self._settings, self._clock = tell, settings, clock
        self._begun = clock()
        self._crises = self._listened = 0
        self._watch = Watch(self._policy.crisis)
        self._handed: set[str] = set()  # kinds of danger for which help was named already
        self._told_age = False
        self._output = OutputFilter(self._policy.output, private)
        self._helplines = Helplines(self._policy, safety.care.country, settings, lambda: self._minor)
        self.note = ""  # for the language model, about the user's last message

    @property
    def careful(self) -> bool:
        """Whether the user may be in danger. Then the persona is suspended until the user talks of ordinary things
        again or says that they are fine."""
        return bool(self._watch.about)

    def instructions(self, role: str) -> str:
        """The instructions for the language model: ``role``, the persona's own, unless the user may be in danger."""
        if not self.careful:
            return role
        suicide = self._watch.about == "suicide"
        return self._policy.handoff.instructions if suicide else self._policy.emergencies.instructions

    def rules(self) -> str:
        """Additional rules for the language model about this user; "" if there are none."""
        return self._policy.rules.minor if self._minor else ""

    def state(self) -> Json:
        """The state that a resumed conversation needs, as JSON for `restore`."""
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
        """Continue from the `state` of another session."""
        self._watch.restore(state["watch"])
        self._crises, self._listened = state["crises"], state["listened"]
        self._handed, self._told_age = set(state["handed"]), state["told_age"]
        self._begun = self._clock() - state["talked_s"]
        self.stay.restore(state["stay"])

    def notice(self, name: str) -> str:
        """The notice to show that the persona ``name`` is an AI."""
        return self._policy.disclosure.notice.format(name=name)

    def disclose(self, name: str) -> None:
        """Send the client, at the start of the session, the notice that the persona ``name`` is an AI."""
        self._say("disclosure", self.notice(name))

    async def answer(self, said: str, name: str, before: Sequence[str] = ()) -> str:
        """Judge the user's message ``said`` -> an answer that replaces the language model's; "" if the model answers.

        ``name`` is the persona's; ``before`` are the earlier messages, as in `Detector.judge`. Also sets ``note``.
        """
        self.note = ""
        self._output.begin()
        verdict = await self._safety.judge(said, before)
        said = said[-LONGEST_MESSAGE:]
        self._told_age = self._told_age or bool(self._policy.intimacy.age.search(said))
        return self._cared(self._watch.step(said, verdict)) or self._refused(said, name)

    def _cared(self, step: Step) -> str:
        """The answer to danger, by the step that `Watch` decided on; "" for none."""
        concern = self._policy.concern
        match step.does:
            case "act":
                return self._hand_over()
            case "ask":
                question = self._policy.emergencies.question(step.about)
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
        """The answer to a message that the language model must not get, such as sexual talk; "" for any other."""
        intimacy, output = self._policy.intimacy, self._policy.output
        if honest := self._policy.disclosure.reply(said, name):
            return honest
        if any(pattern.search(said) for pattern in intimacy.asked):
            return intimacy.minor if self._minor else intimacy.say
        return output.leak if any(pattern.search(said) for pattern in output.asked) else ""

    def allowed(self, sentence: str) -> str:
        """Filter a sentence of the language model, as `OutputFilter.allowed`."""
        return self._output.allowed(sentence, self._minor)

    async def watched(self, deltas: AsyncIterator[str]) -> AsyncIterator[str]:
        """Pass on the text deltas of the model's reply. A reply that begins with `FLAG` is replaced by the referral to
        a helpline; if a break is due, the reply ends with a suggestion of one."""
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
        return self._settings().whose(self.visitor)

    def time_word(self) -> str:
        """The sentence to say now about a minor's remaining time, as `Stay.word`; also sends it to the client."""
        if word := self.stay.word():
            self._say("break", word.partition("] ")[2])
        return word

    @property
    def closing(self) -> str:
        """The text to show when a minor's time is up."""
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
        """A prepared answer for somebody in danger, since an untrusted language model must not talk to them; the
        answers are used in turn."""
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

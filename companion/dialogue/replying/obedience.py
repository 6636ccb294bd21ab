"""What follows from orders that are understood by rule: a reply without a model, lasting restraint, other delivery."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from companion.conversation.items import Conversation
from companion.understanding.orders import Given, Order, Phrases, given


class Restraint(Enum):
    """How much the user wants to be spoken to."""

    NONE = "as ever"
    NO_QUESTIONS = "nothing is asked"
    QUIET = "nothing is said unless something is asked, and nothing of its own accord"


SPEEDS = (0.7, 0.8, 0.9, 1.0, 1.15, 1.3)  # of the voice's own pace, from which "slower" and "faster" take the next
GAINS = (0.35, 0.6, 1.0, 1.5, 2.1)  # of its loudness: -9, -4, 0, 3.5 and 6.5 dB; what would clip is limited
DELIVERIES = {
    Order.SLOWER: ("speed", -1),
    Order.FASTER: ("speed", 1),
    Order.SOFTER: ("gain", -1),
    Order.LOUDER: ("gain", 1),
}  # what each changes, and by how many steps


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the user wants to be spoken to: factors of the voice's own ``speed`` and loudness (``gain``)."""

    speed: float = 1.0
    gain: float = 1.0


@dataclass(slots=True, kw_only=True)
class Obedience:
    """One session's. ``spoken`` are the voice's languages (none: unknown), ``names`` of languages by ISO 639-1;
    ``announce`` takes what is to be said in so many seconds; ``paced``: whether the voice has more than one pace."""

    phrases: Mapping[str, Phrases]
    names: Mapping[str, str]
    spoken: Sequence[str]
    conversation: Conversation
    announce: Callable[[str, float], None]
    paced: bool
    delivery: Delivery = field(default=Delivery(), init=False)
    restraint: Restraint = field(default=Restraint.NONE, init=False)
    rests: bool = field(default=False, init=False)  # the last order ends what was going on

    def hear(self, said: str, language: str) -> str | None:
        """What to say to an order, or to a user who wants quiet and asks nothing ("": nothing); None where ``said`` is
        for others to answer."""
        order = given(said, self.phrases, language)
        self.rests = order is not None and order.order in (Order.STOP, Order.QUIET, Order.NO_QUESTIONS)
        if order:
            return self._obey(order)
        if self.restraint is Restraint.QUIET and said.strip():
            if _asks(said):
                self.restraint = Restraint.NO_QUESTIONS  # a user who asks wants an answer, and nothing more
                return None
            return ""
        return None

    def allowed(self, sentence: str) -> str:
        """``sentence``, unless it is a question and the user wants none."""
        return "" if _asks(sentence) and self.restraint is not Restraint.NONE else sentence

    def _obey(self, order: Given) -> str:
        say = self._wording(order.language)
        match order.order:
            case Order.QUIET:
                self.restraint = Restraint.QUIET
            case Order.NO_QUESTIONS:
                self.restraint = Restraint.NO_QUESTIONS
            case Order.TALK | Order.QUESTIONS:
                self.restraint = Restraint.NONE
            case Order.AGAIN:
                return self._last() or say["again"]
            case Order.TIME | Order.DATE:
                return datetime.datetime.now().astimezone().strftime(say[order.order.value])
            case Order.TIMER:
                return self._timed(order, say)
            case Order.LANGUAGE:
                return self._speaks(order.wanted, say)
            case Order.NORMAL:
                self.delivery = Delivery()
            case Order.SLOWER | Order.FASTER | Order.LOUDER | Order.SOFTER:
                return self._delivers(order, say)
            case _:
                pass
        return say[order.order.value]

    def _delivers(self, order: Given, say: Mapping[str, str]) -> str:
        """One step further, and what was said once more if that was asked."""
        what, step = DELIVERIES[order.order]
        if what == "speed" and not self.paced:
            return say["unable"]
        steps = SPEEDS if what == "speed" else GAINS
        at = steps.index(getattr(self.delivery, what)) + step
        if not 0 <= at < len(steps):
            return say["most"]
        self.delivery = replace(self.delivery, **{what: steps[at]})
        return (self._last() if order.again else "") or say[order.order.value]

    def _wording(self, language: str) -> Mapping[str, str]:
        """In the user's language where the voice speaks it."""
        speaks = not self.spoken or language in self.spoken
        return self.phrases[language if speaks else "en"].say

    def _last(self) -> str:
        """The face's last words."""
        replies = [item for item in self.conversation if item.role == "assistant" and item.content()]
        return replies[-1].content() if replies else ""

    def _timed(self, order: Given, say: Mapping[str, str]) -> str:
        minutes, seconds = divmod(round(order.seconds), 60)
        time = " ".join(part for part in (f"{minutes} min" * bool(minutes), f"{seconds} s" * bool(seconds)) if part)
        self.announce(say["rings"].format(time=time), order.seconds)
        return say["timer"].format(time=time)

    def _speaks(self, wanted: str, say: Mapping[str, str]) -> str:
        if not self.spoken or wanted in self.spoken:
            return say["speaks"]
        return say["cannot"].format(spoken=self.names.get(self.spoken[0], self.spoken[0]))


def _asks(text: str) -> bool:
    return text.rstrip().endswith(("?", "？"))

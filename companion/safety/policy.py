"""`prompts/safety`: the policies as data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, with_config

from companion import frontmatter, resources
from companion.frontmatter import Pattern

strict = with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))


@strict
@dataclass(frozen=True, slots=True)
class Sign:
    """A phrase that says outright ``about`` which danger it is."""

    about: str
    pattern: Pattern


@strict
@dataclass(frozen=True, slots=True)
class Crisis:
    """How it is recognised that somebody is in danger. ``certain``: of suicide; ``sure``: the others."""

    near: float
    certain: tuple[Pattern, ...]
    sure: tuple[Sign, ...]
    excuses: tuple[Pattern, ...]
    insists: Pattern
    told: Pattern
    played: Pattern
    real: Pattern
    fine: Pattern
    serious: Pattern


@strict
@dataclass(frozen=True, slots=True)
class Words:
    """What is said when somebody may be in danger, in one language."""

    first: str
    again: tuple[str, ...]
    listen: tuple[str, ...]
    help: str
    sometimes: str
    nobody: str


@strict
@dataclass(frozen=True, slots=True)
class Handoff(Words):
    languages: dict[str, Words] = field(default_factory=dict[str, Words])
    instructions: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Kind(Words):
    """``ask`` is the question where it is near, not sure."""

    ask: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Ask:
    """The question alone: the words of suicide are those of the hand-off."""

    ask: str


@strict
@dataclass(frozen=True, slots=True)
class Emergencies:
    """What is said, by what the danger is about."""

    suicide: Ask
    medical: Kind
    abuse: Kind
    violence: Kind
    intruder: Kind
    child: Kind
    eating: Kind
    psychosis: Kind
    instructions: str = ""

    def words(self, about: str) -> Kind:
        return getattr(self, about)


@strict
@dataclass(frozen=True, slots=True)
class Concern:
    """``relief`` is said when all is well after a hand-off; ``calm`` and ``note`` are for the language model: they
    were asked and are fine, and something may be about danger."""

    relief: str
    calm: str
    note: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Intimacy:
    """Sexual talk: how it is asked for, and what is said instead, to a minor in other words. ``age``: how a minor
    tells theirs."""

    asked: tuple[Pattern, ...]
    say: str
    minor: str
    age: Pattern


@strict
@dataclass(frozen=True, slots=True)
class Rules:
    """What every language model is told besides its persona."""

    flag: str
    minor: str
    always: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Stop:
    """A sentence that matches is replaced by ``say``; ``minors``: only for them."""

    pattern: Pattern
    say: str
    minors: bool = False


@strict
@dataclass(frozen=True, slots=True)
class Output:
    """``leak`` is said to who asks for the instructions, and instead of a sentence that repeats them. ``digits`` are
    the words for 0 to 9."""

    stop: tuple[Stop, ...]
    leak: str
    digits: tuple[str, ...] = ()
    asked: tuple[Pattern, ...] = ()


@strict
@dataclass(frozen=True, slots=True)
class Honest:
    """How it is asked whether this is a person, and what is said then, in one language."""

    asked: Pattern
    answer: str


@strict
@dataclass(frozen=True, slots=True)
class Disclosure(Honest):
    """The disclosure that it is an AI: ``notice`` is shown at the start, the rest said on request; ``also`` in other
    languages."""

    notice: str
    also: tuple[Honest, ...] = ()

    def reply(self, said: str, name: str) -> str:
        """What is said to who asks; "" to who does not."""
        answer = next((words.answer for words in (self, *self.also) if words.asked.search(said)), "")
        return answer.format(name=name)


@strict
@dataclass(frozen=True, slots=True)
class Breaks:
    """``say`` is said after so many ``minutes``. A minor's time is limited: ``soon`` is said ``soon_minutes`` before
    its end, ``over`` at the end, and ``closed`` is shown then."""

    minutes: float
    minors_minutes: float
    say: str
    soon_minutes: float
    soon: str
    over: str
    closed: str


@strict
@dataclass(frozen=True, slots=True)
class Line:
    """Who helps in some countries; ``hours`` are empty for a line that is open day and night."""

    name: str
    call: str
    emergency: str
    country: tuple[str, ...]
    text: str = ""
    url: str = ""
    hours: str = ""
    minors: bool = False
    about: str = "suicide"


@strict
@dataclass(frozen=True, slots=True)
class Help:
    note: str
    everywhere: dict[str, str]
    lines: tuple[Line, ...]

    def lines_for(self, country: str, minor: bool, about: str = "suicide") -> list[Line]:
        """The helplines of ``country`` (ISO 3166) about this danger, else those about suicide, which know the
        emergency number; those for minors first if the user is one."""
        here = [line for line in self.lines if country.upper() in line.country and (minor or not line.minors)]
        kinds = (about, "suicide") if about == "abuse" else ("suicide",)
        return sorted((line for line in here if line.about in kinds), key=lambda n: (not n.minors, n.about != about))


@dataclass(frozen=True, slots=True)
class Policy:
    crisis: Crisis
    handoff: Handoff
    emergencies: Emergencies
    concern: Concern
    intimacy: Intimacy
    rules: Rules
    output: Output
    disclosure: Disclosure
    breaks: Breaks
    help: Help


def load(folder: Path | None = None) -> Policy:
    """``prompts/safety`` (or another folder of that form) -> Policy. Raises PromptError."""
    folder = folder or resources.folder("prompts") / "safety"

    def read(name: str, kind: type[Any], body: str = "") -> Any:
        path = folder / f"{name}.md"
        values, text = frontmatter.read(path)
        return frontmatter.parse(kind, values | ({body: text} if body else {}), path)

    return Policy(
        crisis=read("crisis", Crisis),
        handoff=read("handoff", Handoff, "instructions"),
        emergencies=read("emergencies", Emergencies, "instructions"),
        concern=read("concern", Concern, "note"),
        intimacy=read("intimacy", Intimacy),
        rules=read("rules", Rules, "always"),
        output=read("output", Output),
        disclosure=read("disclosure", Disclosure),
        breaks=read("breaks", Breaks),
        help=read("resources", Help),
    )

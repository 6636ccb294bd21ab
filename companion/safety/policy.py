"""The safety policies as data, read from ``prompts/safety``, whose files explain their fields."""

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
    """A ``pattern`` that is certain evidence of a danger; ``about`` is its kind."""

    about: str
    pattern: Pattern


@strict
@dataclass(frozen=True, slots=True)
class Crisis:
    """How danger is detected, as ``crisis.md`` explains it.

    ``near`` is the probability threshold of the network, 0 to 1. ``certain`` are patterns of suicide, ``sure`` those of
    the other dangers.
    """

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
    """What is said to somebody who may be in danger, in one language; ``{help}`` is replaced by a helpline."""

    first: str
    again: tuple[str, ...]
    listen: tuple[str, ...]
    help: str
    sometimes: str
    nobody: str


@strict
@dataclass(frozen=True, slots=True)
class Handoff(Words):
    """What is said about suicide: in English, and in other ``languages`` (ISO 639-1). ``instructions`` then replace the
    persona's for the language model."""

    languages: dict[str, Words] = field(default_factory=dict[str, Words])
    instructions: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Kind(Words):
    """What is said about one kind of danger; ``ask`` is the question for where it is likely, but not certain."""

    ask: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Ask:
    """The question about suicide; what else is said about it is in `Handoff`."""

    ask: str


@strict
@dataclass(frozen=True, slots=True)
class Emergencies:
    """What is said, by kind of danger."""

    suicide: Ask
    medical: Kind
    abuse: Kind
    violence: Kind
    intruder: Kind
    child: Kind
    eating: Kind
    psychosis: Kind
    instructions: str = ""

    def question(self, about: str) -> str:
        """What is asked where the danger ``about`` is likely, but not certain."""
        return getattr(self, about).ask

    def words(self, about: str) -> Kind:
        """What is said about the danger ``about``. Raises ValueError for "suicide", about which `Handoff` has it."""
        found = getattr(self, about)
        if not isinstance(found, Kind):
            raise ValueError(f"What is said about {about} is in handoff.md.")
        return found


@strict
@dataclass(frozen=True, slots=True)
class Concern:
    """``relief`` is said when the user is fine again after a referral. ``calm`` and ``note`` are told to the language
    model: that the user was asked and is fine, and that a message may be about danger."""

    relief: str
    calm: str
    note: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Intimacy:
    """Sexual talk: ``asked`` detects that a user asks for it; ``say`` is the answer, ``minor`` that to a minor; ``age``
    detects a user who says that they are a minor."""

    asked: tuple[Pattern, ...]
    say: str
    minor: str
    age: Pattern


@strict
@dataclass(frozen=True, slots=True)
class Rules:
    """Safety rules for the language model, beside its persona: ``always``; ``minor`` if the user is one; ``flag`` for a
    model that may flag a crisis itself."""

    flag: str
    minor: str
    always: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Stop:
    """A rule of the output filter: a sentence that matches ``pattern`` is replaced by ``say``; ``minors``: only for
    minors."""

    pattern: Pattern
    say: str
    minors: bool = False


@strict
@dataclass(frozen=True, slots=True)
class Output:
    """The output filter. ``stop`` are its rules; ``leak`` is said instead of a sentence that repeats the instructions,
    and to a user who asks for them, which ``asked`` detects; ``digits`` are the words for 0 to 9."""

    stop: tuple[Stop, ...]
    leak: str
    digits: tuple[str, ...] = ()
    asked: tuple[Pattern, ...] = ()


@strict
@dataclass(frozen=True, slots=True)
class Honest:
    """One language's pattern for the question whether this is a person, and the ``answer``."""

    asked: Pattern
    answer: str


@strict
@dataclass(frozen=True, slots=True)
class Disclosure(Honest):
    """The disclosure that this is an AI: ``notice`` is shown at the start, the rest is said when the user asks;
    ``also`` has other languages. ``{name}`` is the persona's."""

    notice: str
    also: tuple[Honest, ...] = ()

    def reply(self, said: str, name: str) -> str:
        """The answer if ``said`` asks whether this is a person, else ""."""
        answer = next((words.answer for words in (self, *self.also) if words.asked.search(said)), "")
        return answer.format(name=name)


@strict
@dataclass(frozen=True, slots=True)
class Breaks:
    """Breaks: ``say`` suggests one after ``minutes`` of conversation, or ``minors_minutes``. When a minor's time is
    limited, ``soon`` is said ``soon_minutes`` before its end and ``over`` at the end; ``closed`` is then shown."""

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
    """A helpline. ``call`` is its number, ``emergency`` the emergency number, ``country`` the countries (ISO 3166-1
    alpha-2) it serves; ``hours`` is empty if it is open day and night; ``minors``: only for them; ``about``: the kind
    of danger."""

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
    """The helplines. ``note`` and ``everywhere`` are sent to clients with any of them."""

    note: str
    everywhere: dict[str, str]
    lines: tuple[Line, ...]

    def lines_for(self, country: str, minor: bool, about: str = "suicide") -> list[Line]:
        """The helplines of ``country`` (ISO 3166-1 alpha-2), the best one first: for abuse those about it, then those
        about suicide; for any other danger those about suicide, which have the emergency number. Those for minors come
        first, and only if ``minor``."""
        here = [line for line in self.lines if country.upper() in line.country and (minor or not line.minors)]
        kinds = (about, "suicide") if about == "abuse" else ("suicide",)
        return sorted((line for line in here if line.about in kinds), key=lambda n: (not n.minors, n.about != about))


@dataclass(frozen=True, slots=True)
class Policy:
    """All of ``prompts/safety`` that a session needs, one field per file."""

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
    """Read the policy from ``prompts/safety``, or another folder with the same files. Raises PromptError."""
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

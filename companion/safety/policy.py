"""`prompts/safety`: the policies as data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, with_config

from companion import frontmatter, resources
from companion.frontmatter import Pattern, PromptError

strict = with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))


@strict
@dataclass(frozen=True, slots=True)
class Crisis:
    """How a crisis is recognised. ``danger`` and ``safe`` are example sentences."""

    crisis: float
    concern: float
    certain: tuple[Pattern, ...]
    excuses: tuple[Pattern, ...]
    insists: Pattern
    danger: tuple[str, ...] = ()
    safe: tuple[str, ...] = ()


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
class Rules:
    """What every language model is told besides its persona."""

    flag: str
    minor: str
    always: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Stop:
    """A sentence that matches is replaced by ``say``."""

    pattern: Pattern
    say: str


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
class Disclosure:
    """The disclosure that it is an AI: shown at the start, said on request."""

    notice: str
    answer: str
    asked: Pattern


@strict
@dataclass(frozen=True, slots=True)
class Breaks:
    minutes: float
    minors_minutes: float
    say: str


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


@strict
@dataclass(frozen=True, slots=True)
class Help:
    note: str
    everywhere: dict[str, str]
    lines: tuple[Line, ...]

    def lines_for(self, country: str, minor: bool) -> list[Line]:
        """The helplines of ``country`` (ISO 3166); those for minors first if the user is one."""
        found = [line for line in self.lines if country.upper() in line.country and (minor or not line.minors)]
        return sorted(found, key=lambda line: not line.minors)


@dataclass(frozen=True, slots=True)
class Policy:
    crisis: Crisis
    handoff: Handoff
    concern: str
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

    path = folder / "crisis.md"
    values, text = frontmatter.read(path)
    danger, _, safe = text.partition("\n## Not a crisis")
    examples = {"danger": _examples(danger), "safe": _examples(safe)}
    if not all(examples.values()):
        raise PromptError(f"{path}: needs examples under `## Crisis` and under `## Not a crisis`, each after `- `")
    return Policy(
        crisis=frontmatter.parse(Crisis, values | examples, path),
        handoff=read("handoff", Handoff, "instructions"),
        concern=frontmatter.read(folder / "concern.md")[1],
        rules=read("rules", Rules, "always"),
        output=read("output", Output),
        disclosure=read("disclosure", Disclosure),
        breaks=read("breaks", Breaks),
        help=read("resources", Help),
    )


def _examples(text: str) -> list[str]:
    return [line.removeprefix("- ").strip() for line in text.splitlines() if line.startswith("- ")]

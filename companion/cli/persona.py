"""``companion persona``: validates and lists the files of personas."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from animator.cli.terminal import console, fail

if TYPE_CHECKING:
    from companion.dialogue.personas.personas import Persona
    from companion.speech.text.sentences import Sentence

app = typer.Typer(no_args_is_help=True, help="Who speaks: prompts/personas.")

LONG_PROMPT = 1800  # characters of instructions and examples above which a small model starts its replies slowly


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A Markdown file with front matter.")]) -> None:
    """Validates a persona and prints errors and warnings. Exit code 1 if it cannot be used."""
    from companion.dialogue.personas.personas import PromptError, read

    try:
        persona = read(file)
    except PromptError as error:
        fail(str(error))
    faults, remarks = _faults(persona), _remarks(persona)
    for fault in faults:
        console.print(f"[red]{escape(f'{file}: {fault}')}[/]", highlight=False, soft_wrap=True)
    for remark in remarks:
        console.print(f"[yellow]{escape(f'{file}: {remark}')}[/]", highlight=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{file}: {persona.name} can be used: companion serve, then ?persona={persona.id} or session.persona")


@app.command("list")
def show() -> None:
    """Lists the personas, one line each."""
    from companion.dialogue.personas.personas import PromptError, load

    try:
        for persona in load().personas.values():
            typer.echo(f"{persona.id}\t{persona.name}\t{persona.summary}")
    except PromptError as error:
        fail(str(error))


@app.callback()
def main() -> None:
    """Who speaks."""


def _faults(persona: "Persona") -> list[str]:
    """The errors because of which a session would fail."""
    from animator.portrait.characters import characters
    from companion import resources

    found: list[str] = []
    names = [character.name for character in characters()]
    if persona.character and persona.character not in names:
        found.append(f"character: there is no {persona.character!r}; there are {', '.join(names)}")
    if persona.lesson:
        found += _lesson_faults(resources.folder("prompts"), persona.lesson)
    spoken = [persona.greeting, *(example.assistant for example in persona.examples)]
    return found + [f"{text!r} says nothing but tags" for text in spoken if not _sentences(text)]


def _lesson_faults(folder: Path, name: str) -> list[str]:
    from companion.dialogue.lessons.lesson import Lesson, tutoring
    from companion.dialogue.personas.personas import PromptError

    lessons = sorted(path.stem for path in (folder / "lessons").glob("*.md"))
    if name not in lessons:
        return [f"lesson: there is no {name!r}; there are {', '.join(lessons) or 'none'}"]
    try:
        Lesson.read(folder / "lessons" / f"{name}.md", tutoring(folder))
    except PromptError as error:
        return [f"lesson: {error}"]
    return []


def _remarks(persona: "Persona") -> list[str]:
    """Warnings: what works, but could be better."""
    found: list[str] = []
    size = len(persona.instructions) + sum(len(e.user) + len(e.assistant) for e in persona.examples)
    if not persona.examples:
        found.append("examples: there are none; a small model follows examples better than instructions")
    if size > LONG_PROMPT:
        found.append(
            f"{size} characters of instructions and examples; a small model reads more than {LONG_PROMPT} slowly"
        )
    allowed = set(persona.emotions) | {"neutral"}
    for text in (persona.greeting, *(example.assistant for example in persona.examples)):
        shown = {sentence.emotion for sentence in _sentences(text)}
        if persona.emotions and not shown <= allowed:
            found.append(f"{text!r} shows {', '.join(sorted(shown - allowed))}, which is not among `emotions`")
        if len(_sentences(text)) > 4:
            found.append(f"{text[:40]!r}... is long for something spoken")
    return found


def _sentences(text: str) -> list["Sentence"]:
    from companion.speech.text.sentences import Sentences

    return list(Sentences().feed(f"{text}\n"))

"""What the documents name is there: files that they link to, headings, paths, modules, commands and their options."""

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from companion.__main__ import BENCHES

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        ROOT / "llms.txt",
        *ROOT.glob("clients/*/README.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("animator/**/*.md"),
    ],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
TOP = ("companion/", "animator/", "prompts/", "configs/", "clients/", "docs/", "scripts/", "tests/", "deploy/", ".ci/")
MADE = ("prompts/personas/robin.md",)  # files that a guide has its reader make
ELSEWHERE = {"talk": "companion.call.talk:talk", "replay": "companion.call.replay:replay"} | {
    f"bench {name}".strip(): run for name, run in BENCHES.items()
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text("utf-8"))
    targets = [a or b for a, b in LINK.findall(text)]
    assert not [target for target in targets if not target.startswith("http") and not leads(page, target)]


def leads(page: Path, target: str) -> bool:
    """Whether a relative link's file is there, and has the heading that the link names."""
    path, _, heading = target.partition("#")
    file = page.parent / path if path else page
    return file.exists() and (not heading or heading in anchors(file))


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub links to them."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_paths_are_there(page: Path) -> None:
    named = CODE.findall(BLOCK.sub("", page.read_text("utf-8")))
    paths = [
        name for name in named if name.startswith(TOP) and name not in MADE and not re.search(r"[A-Z]{4}|[ *]", name)
    ]
    assert not [name for name in paths if not (ROOT / name).exists()]


SOURCES = ("animator", "clients/web", "companion", "configs", "scripts")


@pytest.mark.parametrize("folder", SOURCES)
def test_pages_that_the_source_names_are_there(folder: str) -> None:
    files = [file for kind in ("py", "js", "toml", "html", "ts") for file in (ROOT / folder).rglob(f"*.{kind}")]
    assert files
    named = {name for file in files for name in re.findall(r"\bdocs/[\w/]+\.md", file.read_text("utf-8"))}
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_import_strings_import(page: Path) -> None:
    """``package.module:Class`` and `package.module.Class` of ours, in code and in the configurations that are shown."""
    named = re.findall(r"\b((?:companion|animator)(?:\.\w+)+):(\w+)", changes_aside(page))
    assert not [f"{module}:{name}" for module, name in named if not hasattr(importlib.import_module(module), name)]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_shown_classes_import_what_is_there(page: Path) -> None:
    blocks = [block for kind, block in BLOCK.findall(page.read_text("utf-8")) if kind == "python"]
    found = [node for block in blocks for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    for node in found:
        if node.module and node.module.startswith(("companion", "animator")):
            module = importlib.import_module(node.module)
            inner = [f"{node.module}.{name.name}" for name in node.names if not hasattr(module, name.name)]
            assert all(find_spec(name) for name in inner)


def changes_aside(page: Path) -> str:
    """A changelog names what is no more."""
    return "" if page.name == "CHANGELOG.md" else page.read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_exist(page: Path) -> None:
    wrong = [problem for command in commands(changes_aside(page)) if (problem := refused(command))]
    assert not wrong


def commands(text: str) -> Iterator[list[str]]:
    """Every command line of ours in a page: in blocks of shell, and in code between backticks."""
    lines = [line for kind, block in BLOCK.findall(text) if kind == "sh" for line in block.splitlines()]
    for line in [*lines, *CODE.findall(BLOCK.sub("", text))]:
        words = shlex.split(line.replace("\\", ""), comments=True) if line.count('"') % 2 == 0 else []
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        if words and Path(words[0]).name in ("companion", "animator", "python", "python3", "make"):
            yield [Path(words[0]).name, *words[1:]]


def refused(command: list[str]) -> str:
    """Why a command line cannot be meant; empty if it can."""
    program, arguments = command[0], command[1:]
    if program == "make":
        return next((f"make {word}" for word in arguments if f"\n{word}:" not in makefile() and "=" not in word), "")
    if program.startswith("python"):
        return _not_run(arguments)
    return _not_taken(program, arguments)


def makefile() -> str:
    return (ROOT / "Makefile").read_text("utf-8")


def _not_run(arguments: list[str]) -> str:
    if arguments[:1] == ["-m"] and arguments[1].startswith(("companion", "animator", "scripts")):
        path = ROOT / arguments[1].replace(".", "/")
        return "" if path.with_suffix(".py").is_file() or (path / "__main__.py").is_file() else " ".join(arguments)
    scripts = [word for word in arguments if word.startswith(TOP) and word.endswith((".py", "/"))]
    return next((word for word in scripts if not (ROOT / word).exists()), "")


def _not_taken(program: str, arguments: list[str]) -> str:
    """Why a command of ours does not take these arguments: an unknown command or option."""
    found: Any = typer.main.get_command(importlib.import_module(f"{program}.__main__").app)
    while (inner := getattr(found, "commands", None)) and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in inner:
            return f"{program}: no command {arguments[0]}"
        found, arguments = inner[arguments[0]], arguments[1:]
    known = {"--help"} | {option for parameter in declared(found, arguments) for option in parameter.opts}
    options = [word.partition("=")[0] for word in arguments if word.startswith("--")]
    return next((f"{program} {found.name}: no option {word}" for word in options if word not in known), "")


def declared(command: Any, arguments: list[str]) -> list[Any]:
    """What a command takes; those whose options are declared where the work is done are asked there."""
    if not command.context_settings.get("ignore_unknown_options"):
        return command.params
    inner = f"{command.name} {arguments[0]}" if arguments else ""
    module, _, run = ELSEWHERE[inner if inner in ELSEWHERE else command.name].partition(":")
    app = typer.Typer()
    app.command()(getattr(importlib.import_module(module), run))
    return typer.main.get_command(app).params


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_shown_configurations_are_valid_toml(page: Path) -> None:
    for kind, block in BLOCK.findall(page.read_text("utf-8")):
        if kind == "toml":
            tomllib.loads(re.sub(r"^ {3}", "", block, flags=re.MULTILINE))


def test_the_readme_is_short_and_shows_a_moving_picture() -> None:
    from PIL import Image

    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 120
    first = re.search(r"!\[[^\]]+\]\(([^)]+)\)", "\n".join(text.splitlines()[:20]))
    assert first
    picture = ROOT / first[1]
    assert picture.stat().st_size < 3_000_000
    with Image.open(picture) as image:
        assert getattr(image, "n_frames", 1) > 50

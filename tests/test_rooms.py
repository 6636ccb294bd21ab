"""Imports run down the list of rooms, `companion` imports `animator` and never the reverse, files have their own names.

A room is a package or a module right below the top package. It may import the rooms below it and nothing else; imports
within functions and for type checkers count like any other.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KNOWN = {"companion": ("animator",), "animator": ()}  # top packages of ours that each may import

COMPANION = """
    __main__
    learn
    cli
    bench
    call
    server
    session
    engine
    hearing dialogue
    understanding
    conversation avatar safety memory filming
    protocol
    speech
    stages
    models emotions
    config frontmatter metrics
    resources errors tasks phases
"""

ANIMATOR = """
    __main__
    learn
    cli
    evaluate
    bench
    live export streaming
    marks
    devices
    render
    portrait
    motion
    media
    face storage onnx
    control
    units
"""

FLOORS = {"companion": COMPANION, "animator": ANIMATOR}
Import = tuple[Path, int, str]  # file, line, imported module with what follows "from"


def imports(folder: Path) -> Iterator[Import]:
    """Of every module below ``folder``, wherever in it they stand; ``from a import b`` imports ``a.b``."""
    for file in sorted(folder.rglob("*.py")):
        package = (folder.name, *file.relative_to(folder).parent.parts)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((file, node.lineno, name.name) for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = ".".join((*package[: len(package) + 1 - node.level], *filter(None, [node.module])))
                base = start if node.level else node.module or ""
                yield from ((file, node.lineno, f"{base}.{name.name}") for name in node.names)


def rooms(folder: Path) -> set[str]:
    """The packages and modules right below a top package."""
    packages = {path.parent.name for path in folder.glob("*/*.py")}
    return packages | {path.stem for path in folder.glob("*.py")} - {"__init__"}


def upward(folder: Path, floors: str) -> list[str]:
    """The imports that do not run down the ``floors``, from top to bottom, one line each."""
    height = {room: number for number, line in enumerate(floors.split("\n")) for room in line.split()}
    found: list[str] = []
    for file, line, module in imports(folder):
        top, _, rest = module.partition(".")
        here, there = file.relative_to(folder).parts[0].removesuffix(".py"), rest.partition(".")[0]
        if top != folder.name or here == there or there not in rooms(folder):
            continue
        if height.get(there, -1) <= height.get(here, -1) or here == "__init__":
            found.append(f"{file.relative_to(folder.parent)}:{line}: {here} imports {module}, which is not below it")
    return found


def packages(folder: Path) -> dict[str, set[str]]:
    """Of each package below a top package, at any depth, those that it imports; modules of the top one stand alone."""
    names = {path.relative_to(folder.parent).with_suffix("").parts for path in folder.rglob("*.py")}
    known = {".".join(name[: max(2, len(name) - 1)]) for name in names}
    graph: dict[str, set[str]] = {name: set() for name in known}
    for file, _, module in imports(folder):
        name = file.relative_to(folder.parent).with_suffix("").parts
        here, there = ".".join(name[: max(2, len(name) - 1)]), module
        while there and there not in known:
            there = there.rpartition(".")[0]
        if there and there != here:
            graph[here].add(there)
    return graph


def order(graph: dict[str, set[str]]) -> list[str]:
    """From the bottom to the top. Raises CycleError, which names the circle."""
    return list(TopologicalSorter(graph).static_order())


def repeated(folder: Path) -> list[str]:
    """The file names that more than one module below a top package has."""
    names = Counter(path.name for path in folder.rglob("*.py") if not path.name.startswith("__"))
    return sorted(name for name, count in names.items() if count > 1)


def write(folder: Path, sources: dict[str, str]) -> None:
    for name, text in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def foreign(folder: Path, allowed: tuple[str, ...]) -> list[str]:
    """The imports of a top package of this repository that ``folder`` may not know."""
    unknown = {"companion", "animator", "tests", "scripts"} - {folder.name, *allowed}
    return [f"{file}:{line}: {module}" for file, line, module in imports(folder) if module.split(".")[0] in unknown]


@pytest.mark.parametrize(("name", "floors"), FLOORS.items())
def test_imports_run_down(name: str, floors: str):
    assert not upward(ROOT / name, floors)


@pytest.mark.parametrize(("name", "floors"), FLOORS.items())
def test_every_room_is_on_a_floor(name: str, floors: str):
    assert rooms(ROOT / name) == set(floors.split())


@pytest.mark.parametrize("name", ["companion", "animator"])
def test_no_top_package_knows_who_uses_it(name: str):
    assert not foreign(ROOT / name, KNOWN[name])


@pytest.mark.parametrize("name", ["companion", "animator"])
def test_packages_do_not_import_each_other_in_a_circle(name: str):
    assert order(packages(ROOT / name))


def test_a_circle_is_named(tmp_path: Path):
    write(tmp_path, {"house/hall/a.py": "import house.hall.deep.b\n", "house/hall/deep/b.py": "from ..c import x\n"})
    with pytest.raises(CycleError, match="deep"):
        order(packages(tmp_path / "house"))


@pytest.mark.parametrize("name", ["companion", "animator"])
def test_a_file_is_found_by_its_name(name: str):
    assert not repeated(ROOT / name)


def test_a_name_that_two_files_have_is_told(tmp_path: Path):
    write(tmp_path, {"house/hall/lamp.py": "", "house/hall/deep/lamp.py": "", "house/hall/__init__.py": ""})
    assert repeated(tmp_path / "house") == ["lamp.py"]


SOURCES = {
    "house/roof/a.py": "from house.cellar import thing\n",
    "house/cellar/thing.py": "import numpy\n",
    "house/cellar/up.py": "def late():\n    from house.roof.a import x\n",
    "house/cellar/typed.py": "if TYPE_CHECKING:\n    from house import roof\n",
    "house/cellar/near.py": "from ..roof import a\n",
    "house/garden/b.py": "import house.cellar.thing\nimport tests.loop\n",
}


def test_an_import_that_runs_up_or_sideways_is_named(tmp_path: Path):
    write(tmp_path, SOURCES)
    found = [line.split(": ")[0] for line in upward(tmp_path / "house", "roof\ncellar garden")]
    assert found == ["house/cellar/near.py:1", "house/cellar/typed.py:2", "house/cellar/up.py:2", "house/garden/b.py:1"]
    assert len(foreign(tmp_path / "house", ())) == 1
    assert rooms(tmp_path / "house") == {"roof", "cellar", "garden"}

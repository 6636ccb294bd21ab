"""An emotion is its name and a row in each of two tables: nothing else lists the names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from animator.control import EMOTIONS
from animator.motion.behaviour.emotions import LOOKS

ROOT = Path(__file__).parent.parent.parent
TABLES = {  # the names, what they look like, and the order in which a trained network knows them
    "animator/control.py",
    "animator/motion/behaviour/emotions.py",
    "animator/motion/behaviour/conditions.py",
}
MOST_NAMES = 4  # that may stand together elsewhere


def listings(source: str) -> Iterator[int]:
    """The lines at which more than a few emotions are listed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.Set):
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            if len({part.value for part in parts if isinstance(part, ast.Constant)} & set(EMOTIONS)) > MOST_NAMES:
                yield node.lineno


def test_every_emotion_has_a_look_of_its_own():
    assert tuple(LOOKS) == EMOTIONS
    faces = np.stack([look.face for look in LOOKS.values()])
    apart = np.abs(faces[:, None] - faces[None]).sum(-1) + 9 * np.eye(len(faces))
    assert apart.min() > 0.5, "two emotions look the same"


def test_no_other_code_lists_the_emotions():
    files = {path for top in ("animator", "companion", "scripts") for path in (ROOT / top).rglob("*.py")}
    found = {str(path.relative_to(ROOT)) for path in files if any(listings(path.read_text("utf-8")))}
    assert found == TABLES


def test_a_listing_is_found():
    names = ", ".join(f"{name!r}: 1" for name in EMOTIONS)
    assert [*listings(f"a = 1\nb = {{{names}}}\n")] == [2]

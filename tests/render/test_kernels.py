"""The cache of compiled kernels."""

import importlib.util
import sys
from types import ModuleType
from typing import Any

import numba
import pytest

SHAPES = "from typing import NamedTuple\n\n\nclass Box(NamedTuple):\n    side: float\n"
KERNEL = "from animator.render.kernels.jit import kernel\n\n\n@kernel\ndef area(box):\n    return box.side * box.side\n"


def _module(folder: Any, name: str, text: str) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of modules, with a cache of its own."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path
    for name in ("old_shapes", "new_shapes", "kernels"):
        sys.modules.pop(name, None)


def _hits(kernel: Any) -> int:
    return sum(kernel.stats.cache_hits.values())


def test_a_kernel_is_compiled_once_and_again_when_the_type_of_its_argument_has_moved(folder):
    box = _module(folder, "old_shapes", SHAPES).Box
    assert _module(folder, "kernels", KERNEL).area(box(3.0)) == 9.0
    again = _module(folder, "kernels", KERNEL).area
    assert (again(box(3.0)), _hits(again)) == (9.0, 1)
    del sys.modules["old_shapes"]  # the cache names a class of a module that is gone
    box = _module(folder, "new_shapes", SHAPES).Box
    moved = _module(folder, "kernels", KERNEL).area
    assert (moved(box(3.0)), _hits(moved)) == (9.0, 0)
    kept = _module(folder, "kernels", KERNEL).area
    assert (kept(box(3.0)), _hits(kept)) == (9.0, 1)


@pytest.mark.parametrize("damage", [b"", b"\x80not a pickle"])
def test_a_damaged_cache_is_replaced(folder, damage):
    box = _module(folder, "old_shapes", SHAPES).Box
    _module(folder, "kernels", KERNEL).area(box(3.0))
    for file in (folder / "cache").rglob("*.nb?"):
        file.write_bytes(damage)
    mended = _module(folder, "kernels", KERNEL).area
    assert (mended(box(3.0)), _hits(mended)) == (9.0, 0)
    kept = _module(folder, "kernels", KERNEL).area
    assert (kept(box(3.0)), _hits(kept)) == (9.0, 1)

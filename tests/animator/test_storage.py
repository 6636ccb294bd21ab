"""Files of the user's cache: in one place, and whole or not there."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from animator.portrait.characters import find
from animator.portrait.portrait import load
from animator.storage import cache_folder, whole
from companion.models import locate


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond 10,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("given", ["~/faces", "~"])
def test_home_is_the_user_s_for_models_and_portraits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VASARI_CACHE", given)
    assert cache_folder() == locate.cache_dir() == tmp_path / given[2:]


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux keeps caches")
@pytest.mark.parametrize(("chosen", "expected"), [("set", "set/vasari"), ("", ".cache/vasari")])
def test_without_a_choice_it_is_the_system_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: str, expected: str
) -> None:
    monkeypatch.delenv("VASARI_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", chosen and str(tmp_path / chosen))
    assert cache_folder() == locate.cache_dir() == tmp_path / expected


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with whole(path) as one, whole(tmp_path / "other") as other:
        one.write(b"new")
        other.write(b"x")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and len(list(tmp_path.iterdir())) == 2


def test_of_a_file_that_fails_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(KeyError), whole(tmp_path / "file") as file:
        file.write(b"new")
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_on_a_full_disk_a_portrait_is_there_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    picture = tmp_path / "face.png"
    with Image.open(find("astronaut").picture) as image:
        image.resize((256, 256)).save(picture)
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path / "cache"))
    cache = tmp_path / "cache"
    with full_disk():
        for _ in range(2):
            assert load(picture, 128).size == 128
        with pytest.raises(OSError, match="too large"):
            locate.keep(cache / "model.bin", bytes(20_000))
    assert not [path for path in cache.rglob("*") if path.is_file()]

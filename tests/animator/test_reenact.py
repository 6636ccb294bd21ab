"""A film that was drawn by ourselves, played again by its own calm frame."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animator.__main__ import app
from animator.evaluate.reenact import Mimic, errors, lengths, reenact, ssim
from animator.evaluate.stills.beside import COLUMNS
from animator.evaluate.tracking.solving import solver
from animator.evaluate.wishes.sweep import row
from animator.export import replay, write
from animator.live import Animator
from animator.media.files import MediaError
from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.geometry.pose import rotation
from animator.portrait.geometry.topology import POINTS
from animator.portrait.portrait import Portrait, load

SIZE = 320  # px


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return load(find("mona_lisa").picture, SIZE)


@pytest.fixture(scope="module")
def film(portrait: Portrait, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames at rest, then a mouth that opens, widens and turns round."""
    mouths = [row()] * 6 + [row(jawOpen=0.5 * s, mouthLowerDown=0.2 * s) for s in (0.3, 0.6, 1)]
    mouths += [row(mouthSmile=s, mouthStretch=0.3 * s) for s in (0.3, 0.6)]
    mouths += [row(mouthPucker=s, mouthFunnel=0.4 * s, head_yaw=4 * s) for s in (0.3, 0.6)]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write(replay(Animator(SIZE).drawer(portrait), np.stack(mouths), np.zeros(0, np.float32)), SIZE, path)
    return path


def test_a_drawn_film_is_played_again_as_it_was(film: Path) -> None:
    made = reenact(film, SIZE)
    assert made.rest < 6, "the portrait is a frame at rest"
    off = np.array([np.linalg.norm(errors(frame), axis=1).mean() for frame in made.frames])
    assert off.mean() < 0.02
    filmed = np.array([lengths(frame.face.points)[:2] for frame in made.frames])
    drawn = np.array([lengths(frame.seen.points)[:2] for frame in made.frames])
    assert np.corrcoef(filmed.T, drawn.T)[[0, 1], [2, 3]].min() > 0.9, "opening and width"


def test_the_command_says_how_near_it_comes(film: Path, tmp_path: Path) -> None:
    strip = tmp_path / "strip.png"
    done = CliRunner().invoke(app, ["evaluate", "--reenact", str(film), "--strip", str(strip)])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout.splitlines()[-1])["clips"]["film"]
    assert figures["inner_lips"] < 0.02
    assert figures["ssim_still"] < figures["ssim"] < 1
    assert 0.6 < figures["opening_gain"] < 1.4
    assert figures["inside_off"] < 20
    with Image.open(strip) as picture:
        assert picture.width > COLUMNS * 100


def test_what_is_too_long_or_no_film_is_told(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animator.evaluate.reenact.LONGEST_CLIP", 5)
    with pytest.raises(MediaError, match="longer than 5 frames"):
        reenact(film, SIZE)
    with pytest.raises(MediaError, match="There is no file"):
        reenact(film.with_name("missing.mp4"), SIZE)


def test_weights_are_those_that_moved_the_landmarks(portrait: Portrait) -> None:
    rest = portrait.vertices[:POINTS].copy()
    mimic, nothing = Mimic(portrait, rest), np.zeros_like(rest)
    assert np.abs(mimic(rest, nothing)).max() < 0.01
    names, weights = ("jawOpen", "mouthSmileLeft", "browInnerUp"), (0.5, 0.4, 0.6)
    shapes = portrait.shapes[[space.INDEX[name] for name in names], :POINTS]
    moved = (rest + np.tensordot(weights, shapes, 1)).astype(np.float32)
    found = mimic(moved, nothing)
    assert found[[space.INDEX[name] for name in names]] == pytest.approx(weights, abs=0.2)
    again = mimic(rest, mimic.moved(moved))
    lids = [space.INDEX[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    assert np.delete(again - found, lids)[:50] == pytest.approx(0, abs=1e-3), "what is further moved counts alike"


def test_the_head_is_where_the_landmarks_are(portrait: Portrait) -> None:
    rest, flip = portrait.vertices[:POINTS].copy(), np.array([1, -1, 1], np.float32)
    turned = 1.1 * (rest - rest[4]) * flip @ rotation(8, -5, 3).T * flip + rest[4]
    found = Mimic(portrait, rest)(turned.astype(np.float32), np.zeros_like(rest))
    assert found[space.HEAD_YAW : space.HEAD_ROLL + 1] == pytest.approx([8, -5, 3], abs=0.1)
    assert found[space.HEAD_Z] == pytest.approx(5.85 * (1 - 1 / 1.1), abs=0.01)
    assert np.abs(found[: len(space.ARKIT)]).max() < 0.02


def test_the_solver_holds_back_what_only_follows_noise() -> None:
    random = np.random.default_rng(0)
    shapes = random.normal(size=(3, 40, 3)).astype(np.float32)
    solve = solver(shapes, 10.0)
    assert solve(0.5 * shapes[0] + 0.2 * shapes[2]) == pytest.approx([0.5, 0, 0.2], abs=0.02)
    assert solve(-shapes[1]) == pytest.approx([0, 0, 0], abs=0.1), "weights are not negative"
    assert solve(5 * shapes[0]).max() <= 1.2


def test_likeness_is_one_of_the_same_and_falls_with_change() -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (72, 96)).astype(np.uint8)
    assert ssim(picture, picture) == pytest.approx(1)
    near = np.clip(picture + random.normal(0, 10, picture.shape), 0, 255).astype(np.uint8)
    far = np.clip(picture + random.normal(0, 60, picture.shape), 0, 255).astype(np.uint8)
    assert 1 > ssim(picture, near) > ssim(picture, far) > ssim(picture, 255 - picture)

"""Faces do as they are told, as far as a tracker sees, and evaluation knows good from bad."""

import cv2
import numpy as np
import pytest

from animator.control import EMOTIONS, Control
from animator.evaluate.stills.sheet import COLUMNS, sheet
from animator.evaluate.tracking.film import Watch
from animator.evaluate.tracking.identity import Descriptor, weights
from animator.evaluate.tracking.looks import Looks, sharpness, steadiness
from animator.evaluate.wishes.obedience import control
from animator.evaluate.wishes.sweep import row
from animator.evaluate.wishes.whole_face import WishScores, amplitudes, moods, parts
from animator.motion.behaviour.emotions import LOOKS
from animator.motion.generator import Generator
from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.units import Motion, Samples


def opened() -> Generator:
    return Generator(1)


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return load(find("astronaut").picture, 256)


def test_wishes_are_seen_in_the_encoded_frames(portrait: Portrait) -> None:
    heard: list[int] = []
    wishes = ("head_yaw", "head_roll", "distance", "gaze_yaw", "gaze_pitch", "jawOpen", "mouthSmileLeft", "browInnerUp")
    scores, shapes = control(portrait, Watch(portrait, heard.append), wishes)
    assert [score.name for score in scores if score.passed] == list(wishes[:6])
    assert [shape.name for shape in shapes if shape.passed] == ["browInnerUp", "jawOpen", "mouthSmileLeft"]
    assert heard == sorted(heard)


def test_emotions_grow_differ_and_let_lips_close(portrait: Portrait) -> None:
    scores = moods(portrait, Watch(portrait), ["happy", "angry"])
    assert [score.passed for score in scores] == [True, True]
    assert [score.like for score in scores] == ["angry", "happy"]


def test_the_more_is_wished_for_the_more_moves(portrait: Portrait) -> None:
    seen = amplitudes(portrait, Watch(portrait), opened, 1.5)
    assert WishScores([], [], seen).grows
    assert not WishScores([], [], seen[::-1]).grows


def test_the_head_or_the_face_moves_alone(portrait: Portrait) -> None:
    scores = parts(Watch(portrait), opened, 2.0)
    assert [(score.name, score.passed) for score in scores] == [("pose", True), ("expression", True)]


def test_the_motion_that_is_asked_for_is_the_one_that_is_measured(portrait: Portrait) -> None:
    class Still(Generator):
        """It moves nothing, not even the lips that a voice moves whatever the behaviour is."""

        def step(self, audio: Samples, control: Control, other: Samples | None = None) -> Motion:
            return np.zeros_like(super().step(audio, control, other))

    watch = Watch(portrait)
    still = amplitudes(portrait, watch, Still, 0.8)
    alive = amplitudes(portrait, watch, opened, 0.8)
    assert max(still) < 0.1 * alive[-1]


def test_rows_are_made_by_name() -> None:
    made = row(jawOpen=0.5, eyeBlink=1, head_yaw=3, gaze_pitch=-2)
    assert made[space.INDEX["eyeBlinkLeft"]] == made[space.INDEX["eyeBlinkRight"]] == 1
    assert made[[space.GAZE_LEFT_PITCH, space.GAZE_RIGHT_PITCH]].tolist() == [-2, -2]
    assert np.count_nonzero(made) == 6
    with pytest.raises(KeyError):
        row(noseWiggle=1)


def test_what_a_video_keeps_of_its_picture(portrait: Portrait) -> None:
    renderer, landmarker = Renderer(portrait), Landmarker()
    looks = Looks(portrait)
    for number in range(12):
        frame = renderer.draw(row(head_yaw=number / 2))
        looks(number, frame, landmarker.detect(frame)[0])
    figures = looks.figures()
    assert figures["rest_psnr"] > 60
    assert 0.6 < figures["sharpness"] < 1.2
    assert figures["picture_jumps"] == 0
    assert figures["background_change"] < 0.5


def test_a_blurred_face_is_less_sharp(portrait: Portrait) -> None:
    x, y = portrait.view
    points = portrait.landmarks - np.array([x, y, 0], np.float32)
    still = Renderer(portrait).draw(row())
    assert sharpness(cv2.GaussianBlur(still, (0, 0), 2), points) < 0.4 * sharpness(still, points)


def test_a_lone_jump_and_rough_borders_are_found() -> None:
    calm = 1 + 0.1 * np.random.default_rng(0).normal(size=100)
    assert steadiness(calm)["picture_jumps"] == 0
    jump = calm.copy()
    jump[40] = 9
    assert steadiness(jump)["picture_jumps"] == 1
    rough = np.where(np.arange(100) % 2 == 1, 2 * calm, calm)
    assert steadiness(rough)["chunk_roughness"] == pytest.approx(2, abs=0.2)


@pytest.mark.skipif(weights() is None, reason="SFace is an optional package")
def test_a_person_is_known_again_and_others_are_not() -> None:
    path = weights()
    assert path
    describe, landmarker = Descriptor(path), Landmarker()

    def vector(name: str, motion: np.ndarray) -> np.ndarray:
        frame = Renderer(load(find(name).picture)).draw(motion)
        return describe(frame, landmarker.detect(frame)[0].points)

    rest = vector("astronaut", row())
    assert rest @ vector("astronaut", row(head_yaw=8, jawOpen=0.3)) > 0.8
    assert rest @ vector("mona_lisa", row()) < 0.4


def test_a_sheet_shows_every_tile(portrait: Portrait) -> None:
    made = sheet(portrait, side=40)
    emotions, strong = (-(-count // COLUMNS) for count in (len(EMOTIONS), len(EMOTIONS) - 1))
    assert made.shape == ((4 + emotions + strong) * 40, 9 * 40, 3)
    rest, turned = made[:20, :40], made[:20, 40:80]
    assert np.abs(rest.astype(int) - turned).mean() > 2


def test_emotions_that_do_not_fit_into_a_row_of_the_sheet_begin_another(
    portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animator.evaluate.stills.sheet.NAMES", (*EMOTIONS[:COLUMNS], "another"))
    monkeypatch.setitem(LOOKS, "another", LOOKS["happy"])
    made = sheet(portrait, side=40)
    assert made.shape == (7 * 40, 9 * 40, 3)
    happy, another = made[4 * 40 : 4 * 40 + 20, 40:80], made[5 * 40 : 5 * 40 + 20, :40]
    assert np.array_equal(happy, another)

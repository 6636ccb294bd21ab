"""Emotions as a viewer sees them: tracked in the encoded frames."""

import numpy as np
import pytest

from animator.control import EMOTIONS, Control, Emotion
from animator.evaluate.tracking.film import film, follow
from animator.evaluate.wishes.sweep import mood
from animator.motion.behaviour.emotions import LOOKS
from animator.motion.generator import Generator
from animator.motion.rows.space import GAZE_LEFT_YAW, HEAD_ROLL, HEAD_YAW, INDEX
from animator.portrait.characters import find
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.portrait import load
from animator.render import Renderer
from animator.render.neutral.parted import parting
from animator.units import SAMPLES_PER_FRAME


@pytest.fixture(scope="module", params=["mona_lisa", "astronaut"])
def faces(request: pytest.FixtureRequest) -> dict[Emotion, FaceLandmarks]:
    """What the tracker sees when each emotion is at its height, on lips that are closed and on lips that are parted."""
    return tracked(request.param)


def tracked(name: str) -> dict[Emotion, FaceLandmarks]:
    portrait = load(find(name).picture)
    rows = np.stack([mood(emotion, 1.0, parting(portrait)) for emotion in EMOTIONS])
    rows[:, HEAD_YAW : HEAD_ROLL + 1] = 0  # heights are compared
    seen = list(follow(Landmarker(), film(Renderer(portrait), rows, portrait.size)))
    assert all(seen)
    return {emotion: face for emotion, face in zip(EMOTIONS, seen, strict=True) if face}


def height(face: FaceLandmarks, upper: int, lower: int) -> float:
    """Of one landmark over another, in distances of the eyes."""
    points = face.points
    return float((points[lower, 1] - points[upper, 1]) / np.linalg.norm(points[468] - points[473]))


def inner(face: FaceLandmarks) -> float:
    """Of the inner ends of the brows over the eyes."""
    return height(face, 55, 133) + height(face, 285, 362)


def outer(face: FaceLandmarks) -> float:
    """Of the outer ends."""
    return height(face, 46, 33) + height(face, 276, 263)


def test_emotions_move_what_people_know_them_by(faces: dict[Emotion, FaceLandmarks]) -> None:
    def corners(emotion: Emotion) -> float:
        return height(faces[emotion], 61, 152) + height(faces[emotion], 291, 152)

    assert inner(faces["sad"]) > inner(faces["neutral"]) + 0.03
    assert inner(faces["angry"]) < inner(faces["neutral"]) - 0.05
    assert outer(faces["surprised"]) > outer(faces["afraid"]) + 0.03
    assert corners("happy") > corners("tender") > corners("sad")
    assert height(faces["surprised"], 159, 145) > 1.15 * height(faces["neutral"], 159, 145)


def test_sad_brows_slant_more_than_surprised_ones() -> None:
    """Not the Mona Lisa's, which rise by half as much: there is too little to see of the skin under them."""
    faces = tracked("astronaut")
    assert inner(faces["sad"]) - outer(faces["sad"]) > inner(faces["surprised"]) - outer(faces["surprised"])


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_mood_leaves_closed_lips_closed_and_open_ones_open(emotion: Emotion) -> None:
    t = np.arange(60 * SAMPLES_PER_FRAME) / 24_000
    voice = (0.2 * np.sign(np.sin(2 * np.pi * 140 * t)) * (np.sin(2 * np.pi * 4 * t) > 0)).astype(np.float32)
    calm = Generator(seed=1).step(voice, Control("speaking"))
    moved = Generator(seed=1).step(voice, Control("speaking", emotion, 1.5))
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    shut = calm[:, close] > 0.9 * calm[:, jaw]
    parting = [i for name, i in INDEX.items() if name.startswith(("mouthUpperUp", "mouthLowerDown"))]
    assert (moved[shut][:, parting] <= calm[shut][:, parting] + 0.1).all()
    assert (moved[:, jaw] >= 0.7 * calm[:, jaw] - 1e-6).all()
    bearing = LOOKS[emotion].bearing
    looks = (moved - calm)[-1, GAZE_LEFT_YAW : GAZE_LEFT_YAW + 2]
    assert looks == pytest.approx([1.5 * bearing.gaze_yaw, 1.5 * bearing.gaze_pitch], abs=0.1)

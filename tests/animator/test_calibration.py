"""What a motion row asks for is what a tracker sees: a weight of a half looks like a half on a person."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from animator.evaluate.wishes.sweep import row
from animator.motion.rows.space import INDEX
from animator.portrait.characters import find
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.portrait import load
from animator.render import Renderer

pytestmark = pytest.mark.model

_EYES = ([33, 133, 159, 145], [263, 362, 386, 374])
Look = Callable[..., FaceLandmarks]


@cache
def looks(name: str) -> Look:
    """The face of a character that is tracked in a frame of ARKit weights, which is not encoded."""
    renderer, landmarker = Renderer(load(find(name).picture)), Landmarker()
    (rest, *_) = landmarker.detect(renderer.draw(row()))

    def at(**weights: float) -> FaceLandmarks:
        face = landmarker.track(renderer.draw(row(**weights)), rest)
        assert face is not None
        return face

    return at


@pytest.fixture(params=["mona_lisa", "pere_tanguy"])
def look(request: pytest.FixtureRequest) -> Look:
    """Of those whose lips are closed at rest."""
    return looks(request.param)


def score(face: FaceLandmarks, name: str) -> float:
    """Of a blendshape; the mean of both sides."""
    names = [name] if name in INDEX else [f"{name}Left", f"{name}Right"]
    return float(np.mean([face.blendshapes[INDEX[each]] for each in names]))


def length(face: FaceLandmarks, one: int, other: int) -> float:
    """Between two landmarks, in distances of the eyes."""
    eyes = [face.points[eye, :2].mean(axis=0) for eye in _EYES]
    return float(np.linalg.norm(face.points[one, :2] - face.points[other, :2]) / np.linalg.norm(eyes[0] - eyes[1]))


def test_an_open_jaw_opens_the_mouth_as_speakers_do(look: Look) -> None:
    """Filmed speakers open it by .18 to .27 eye distances at scores of .37 to .41, and it gets no narrower."""
    rest, half, all_ = look(), look(jawOpen=0.5), look(jawOpen=1)
    assert 0.17 < length(half, 13, 14) < 0.3 < length(all_, 13, 14) < 0.6
    assert length(half, 61, 291) > 0.97 * length(rest, 61, 291)
    assert score(all_, "jawOpen") - score(rest, "jawOpen") > 0.2


def test_lips_part_by_themselves(look: Look) -> None:
    """The tracker sees both lips, where the jaw has hardly moved, and a wider mouth."""
    rest, parted = look(), look(mouthUpperUp=0.4, mouthLowerDown=0.35, mouthSmile=0.25, jawOpen=0.15)
    assert 0.11 < length(parted, 13, 14) < 0.22
    assert length(parted, 61, 291) > 1.07 * length(rest, 61, 291)
    lips = sum(score(parted, name) - score(rest, name) for name in ("mouthUpperUp", "mouthLowerDown"))
    jaw = score(parted, "jawOpen") - score(rest, "jawOpen")
    assert lips > 0.08 > 2 * jaw


def test_brows_rise_by_a_tenth_of_the_distance_of_the_eyes() -> None:
    """At .9: some six millimetres; half as far at half the weight. Neither a hat nor eyes near by hold these."""
    look = looks("astronaut")
    gaps = [
        np.mean([length(face, brow, lid) for brow, lid in ((105, 145), (334, 374), (66, 145), (296, 374))])
        for face in (look(), *(look(browInnerUp=w, browOuterUp=w) for w in (0.45, 0.9)))
    ]
    assert 0.07 < gaps[2] - gaps[0] < 0.2
    assert 0.35 < (gaps[1] - gaps[0]) / (gaps[2] - gaps[0]) < 0.65


def test_rounded_lips_come_in_and_thicken(look: Look) -> None:
    rest, round_ = look(), look(jawOpen=0.2, mouthFunnel=0.4, mouthPucker=0.5)
    assert 0.7 < length(round_, 61, 291) / length(rest, 61, 291) < 0.92
    assert all(1.05 < length(round_, *lip) / length(rest, *lip) < 1.4 for lip in ((0, 13), (14, 17)))
    assert score(round_, "mouthPucker") - score(rest, "mouthPucker") > 0.08


def test_half_a_smile_is_seen_as_half_a_smile(look: Look) -> None:
    rest, half, full = (score(look(mouthSmile=weight), "mouthSmile") for weight in (0, 0.5, 0.9))
    assert 0.3 < half - rest < 0.7
    assert half + 0.15 < full

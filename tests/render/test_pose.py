"""What a head does that is told to turn, lean and move."""

import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.geometry.pose import angles
from animator.portrait.geometry.pose import pose as tracked_pose
from animator.portrait.portrait import Portrait
from animator.render import Renderer
from animator.render.surface.body import areas, body
from animator.render.surface.deform import project
from animator.render.surface.head_pose import pose

Y_UP = np.diag([1.0, -1.0, 1.0]).astype(np.float32)


def row(**values: float) -> NDArray[np.float32]:
    motion = np.zeros(space.SIZE, np.float32)
    for name, value in values.items():
        motion[getattr(space, name)] = value
    return motion


def turned(yaw: float, source: float) -> float:
    """Degrees of yaw that a head which looks ``source`` degrees aside in its picture is given."""
    return angles(Y_UP @ pose(row(HEAD_YAW=yaw), (source, 0, 0), 200).head @ Y_UP)[0]


def test_a_three_quarter_head_turns_on_but_hardly_back() -> None:
    assert turned(-40, -25) < -15
    assert turned(-6, -25) == pytest.approx(turned(-6, 0), abs=0.1)
    assert 5 < turned(40, -25) < 14
    assert turned(40, -25) == pytest.approx(-turned(-40, 25), abs=0.1)


def test_no_wish_turns_a_head_further_than_its_picture_bears() -> None:
    for wish in (50, 500, -500):
        assert abs(turned(wish, 0)) < 33
    assert turned(float("nan"), 0) == 0


@pytest.mark.model
def test_a_tracker_sees_the_head_turn_as_far_as_it_was_told(renderer: Renderer) -> None:
    tracker = Landmarker()
    rest = renderer.draw(row())
    at_rest = tracker.detect(rest)[0]

    def seen(motion: NDArray[np.float32]) -> FaceLandmarks:
        frame, face = renderer.draw(motion), at_rest
        for _ in range(3):
            face = tracker.track(frame, face) or face
        return face

    still = np.array(tracked_pose(seen(row()).points))
    for axis, name in enumerate(("HEAD_YAW", "HEAD_PITCH", "HEAD_ROLL")):
        told = np.array([-8, -4, 4, 8])
        found = np.array([(tracked_pose(seen(row(**{name: angle})).points) - still)[axis] for angle in told])
        assert np.abs(found - told).mean() < 1.5, name
    sizes = [np.ptp(seen(row(HEAD_Z=z)).points[:, 0]) for z in (0, 0.4)]
    assert sizes[1] / sizes[0] == pytest.approx(5.85 / (5.85 - 0.4), abs=0.02)


@pytest.mark.model
def test_cheeks_neither_fold_over_nor_smear_when_the_head_turns(portrait: Portrait) -> None:
    made = body(portrait)
    rest = areas(made.uv, made.face)
    for wish in (row(HEAD_YAW=14), row(HEAD_YAW=-14), row(HEAD_PITCH=12), row(HEAD_PITCH=-12)):
        head = pose(wish, portrait.pose, portrait.face_width).head
        points = ((made.points - made.pivot) @ head.T + made.pivot).astype(np.float32)
        xy = np.empty_like(made.uv)
        project(points, made.camera, made.centre, xy)
        now = areas(xy, made.face)
        assert now[rest > 0].clip(None, 0).sum() > -0.01 * rest.clip(0).sum()
        large = rest > 4
        assert np.percentile(now[large] / rest[large], 99) < 2.5

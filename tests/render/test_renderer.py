"""What a viewer would notice in the frames of a face."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.eyes.eyeball import eyes, turn
from animator.render.mouth.meeting import lips, meet
from animator.render.surface import holes
from animator.render.surface.body import body
from animator.render.surface.deform import blend
from animator.render.surface.head_pose import rotation

pytestmark = pytest.mark.model

Frame = NDArray[np.uint8]
Box = tuple[slice, slice]


def row(**values: float) -> NDArray[np.float32]:
    """A motion row from names of ARKit shapes and of columns."""
    motion = np.zeros(space.SIZE, np.float32)
    for name, value in values.items():
        motion[space.INDEX[name] if name in space.INDEX else getattr(space, name)] = value
    return motion


def gaze(yaw: float, pitch: float) -> dict[str, float]:
    return dict(
        zip(("GAZE_LEFT_YAW", "GAZE_LEFT_PITCH", "GAZE_RIGHT_YAW", "GAZE_RIGHT_PITCH"), (yaw, pitch) * 2, strict=True)
    )


def around(portrait: Portrait, names: list[str], pad: int = 0) -> Box:
    """The box of contours in the frame."""
    ids = np.concatenate([portrait.contours[name] for name in names])
    points = portrait.vertices[ids, :2] - portrait.view
    (left, top), (right, bottom) = points.min(axis=0).astype(int) - pad, points.max(axis=0).astype(int) + pad + 1
    return slice(top, bottom), slice(left, right)


def eye(portrait: Portrait, side: str, pad: int = 0) -> Box:
    return around(portrait, [f"eye_{side}_upper", f"eye_{side}_lower"], pad)


def mouth(portrait: Portrait, pad: int = 0) -> Box:
    return around(portrait, ["lips_outer_upper", "lips_outer_lower"], pad)


def luma(frame: Frame) -> NDArray[np.float64]:
    return frame @ np.array([0.299, 0.587, 0.114])


def shift_of(patch: Frame, frame: Frame, at: tuple[int, int], reach: int) -> tuple[int, int]:
    """Where, at most ``reach`` px (x, y) from ``at``, the frame looks most like ``patch``."""
    height, width = patch.shape[:2]
    best = (np.inf, 0, 0)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            there = frame[at[1] + dy : at[1] + dy + height, at[0] + dx : at[0] + dx + width]
            best = min(best, (float(np.abs(there.astype(int) - patch).mean()), dx, dy))
    return best[1], best[2]


def test_at_rest_the_frame_is_the_picture(renderer: Renderer, portrait: Portrait) -> None:
    x, y = portrait.view
    picture = portrait.picture[y : y + portrait.size, x : x + portrait.size]
    difference = np.abs(renderer.draw(row()).astype(int) - picture)
    assert difference.max() <= 1
    assert (difference > 0).sum() < 20


def test_the_same_motion_gives_the_same_frame_whatever_came_before(renderer: Renderer, portrait: Portrait) -> None:
    motion = row(jawOpen=0.4, HEAD_YAW=7, eyeBlinkLeft=0.5, **gaze(5, -3))
    first = renderer.draw(motion)
    renderer.draw(row(HEAD_ROLL=-9, eyeBlinkLeft=1, eyeBlinkRight=1))
    into = np.zeros_like(first)
    assert renderer.draw(motion, into) is into
    assert np.array_equal(into, first)
    assert np.array_equal(Renderer(portrait).draw(motion), first)


@pytest.mark.parametrize(("motion", "expected"), [
    (row(HEAD_YAW=8), (1, 0)), (row(HEAD_YAW=-8), (-1, 0)), (row(HEAD_PITCH=7), (0, -1)), (row(HEAD_PITCH=-7), (0, 1)),
    (row(HEAD_X=0.05), (1, 0)), (row(HEAD_Y=0.05), (0, -1)),
])  # fmt: skip
def test_the_nose_goes_where_the_head_is_sent(
    renderer: Renderer, portrait: Portrait, motion: NDArray[np.float32], expected: tuple[int, int]
) -> None:
    x, y = (portrait.vertices[1, :2] - portrait.view).astype(int)
    nose = renderer.draw(row())[y - 10 : y + 10, x - 14 : x + 14]
    dx, dy = shift_of(nose, renderer.draw(motion), (x - 14, y - 10), 26)
    along, across = dx * expected[0] + dy * expected[1], abs(dx * expected[1]) + abs(dy * expected[0])
    assert along >= 3
    assert across <= along / 2


def test_a_head_that_leans_clockwise_goes_to_the_right_above_and_a_nearer_one_is_larger(
    renderer: Renderer, portrait: Portrait
) -> None:
    above, below = (portrait.vertices[i, :2] - portrait.view for i in (9, 200))
    for motion, sign in ((row(HEAD_ROLL=8), 1), (row(HEAD_ROLL=-8), -1)):
        x, y = above.astype(int)
        patch = renderer.draw(row())[y - 8 : y + 8, x - 20 : x + 20]
        assert sign * shift_of(patch, renderer.draw(motion), (x - 20, y - 8), 24)[0] > 4
    ys = []
    for point in (above, below):
        x, y = point.astype(int)
        patch = renderer.draw(row())[y - 8 : y + 8, x - 20 : x + 20]
        ys.append(shift_of(patch, renderer.draw(row(HEAD_Z=0.4)), (x - 20, y - 8), 16)[1])
    assert ys[0] < ys[1]


def test_a_blink_covers_the_iris_and_an_eye_closes_alone(renderer: Renderer, portrait: Portrait) -> None:
    rest, shut = renderer.draw(row()), renderer.draw(row(eyeBlinkLeft=1))
    x, y, radius = portrait.iris[0]
    column, line, r = int(x - portrait.view[0]), int(y - portrait.view[1]), int(0.5 * radius)
    iris = np.s_[line - r : line + r, column - r : column + r]
    skin = np.median(luma(rest)[around(portrait, ["lips_outer_upper"], 12)])
    assert luma(rest)[iris].mean() < 0.75 * luma(shut)[iris].mean()
    assert luma(shut)[iris].mean() > 0.45 * skin
    assert np.abs(shut[eye(portrait, "right")].astype(int) - rest[eye(portrait, "right")]).max() <= 2


def test_the_eyes_look_to_both_sides_and_stay_on_you_when_the_head_turns(
    renderer: Renderer, portrait: Portrait
) -> None:
    def dark(frame: Frame, side: str) -> float:
        """Mean column of the dark of the eye, in px of its box."""
        share = np.clip(110 - luma(frame)[eye(portrait, side)], 0, None).sum(axis=0)
        return float((share * np.arange(len(share))).sum() / share.sum())

    for side in ("left", "right"):
        left, ahead, right = (dark(renderer.draw(row(**gaze(yaw, 0))), side) for yaw in (-14, 0, 14))
        assert left < ahead - 1
        assert right > ahead + 1
    for one in eyes(portrait, body(portrait)):
        assert turn(one, (0, 0), rotation(10, 0, 0))[0] < -1
        assert turn(one, (10, 0), rotation(10, 0, 0))[0] == pytest.approx(0, abs=0.2)


def test_the_jaw_opens_the_mouth_and_leaves_the_rest_alone(renderer: Renderer, portrait: Portrait) -> None:
    rest, open_ = renderer.draw(row()), renderer.draw(row(jawOpen=0.5))
    x, y = (portrait.vertices[14, :2] - portrait.view).astype(int)
    drop = np.s_[y + 2 : y + 12, x - 8 : x + 8]
    assert luma(open_)[drop].mean() < luma(rest)[drop].mean() - 15
    changed = np.abs(open_.astype(int) - rest).max(axis=2) > 3
    assert changed[eye(portrait, "left")].mean() < 0.02
    assert changed[eye(portrait, "right")].mean() < 0.02
    assert not changed[:, :40].any()
    assert not changed[:, -40:].any()
    assert changed[mouth(portrait)].any()


def test_closing_the_lips_over_an_open_jaw_hides_the_mouth(renderer: Renderer, portrait: Portrait) -> None:
    def between_the_lips(close: float) -> float:
        """px of the mouth that are seen, per vertex of a rim."""
        frame = renderer.draw(row(jawOpen=0.25, mouthClose=close))
        upper, lower = (renderer._surface.xy[portrait.contours[f"lips_inner_{side}"]] for side in ("upper", "lower"))
        share = holes.covered(np.ascontiguousarray(upper), np.ascontiguousarray(lower), frame)[1]
        return float(share.sum()) / len(upper)

    assert between_the_lips(0.0) > 5
    assert between_the_lips(0.25) < 0.5


@pytest.mark.parametrize("besides", [{}, {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6}, {"mouthFrownLeft": 0.7}])
def test_p_b_and_m_shut_the_lips_whatever_else_the_face_does(portrait: Portrait, besides: dict[str, float]) -> None:
    made = body(portrait)
    weights = row(jawOpen=0.2, mouthClose=0.2, mouthPressLeft=0.3, mouthPressRight=0.3, **besides)[:52]
    points = np.empty_like(made.points)
    blend(made.points, made.shapes, weights, points)
    meet(points, lips(portrait, made.points), weights)
    apart = points[portrait.contours["lips_inner_upper"]] - points[portrait.contours["lips_inner_lower"]]
    assert np.abs(apart).max() < 0.01


def test_shut_lips_stay_shut_in_a_smile() -> None:
    portrait = load(find("mona_lisa").picture)
    made = body(portrait)
    weights = row(mouthSmileLeft=0.8, mouthSmileRight=0.8, cheekSquintLeft=0.5, cheekSquintRight=0.5)[:52]
    points = np.empty_like(made.points)
    blend(made.points, made.shapes, weights, points)
    meet(points, lips(portrait, made.points), weights)
    apart = points[portrait.contours["lips_inner_upper"]] - points[portrait.contours["lips_inner_lower"]]
    assert np.linalg.norm(apart[:, :2], axis=1).max() < 0.004 * portrait.face_width


def test_rounded_lips_touch_towards_the_corners_and_leave_a_small_hole(portrait: Portrait) -> None:
    made = body(portrait)
    weights = row(jawOpen=0.15, mouthFunnel=0.3, mouthPucker=0.7)[:52]
    points = np.empty_like(made.points)
    blend(made.points, made.shapes, weights, points)
    meet(points, lips(portrait, made.points), weights)
    upper, lower = (points[portrait.contours[f"lips_inner_{lip}"], 1] for lip in ("upper", "lower"))
    gap = (lower - upper) / portrait.face_width
    assert gap[10] > 0.02
    assert gap[[1, 2, 18, 19]].max() < 0.005


def test_no_border_ever_comes_into_view(portrait: Portrait) -> None:
    """On a picture that is white but for a black border, the extremes show no black."""
    picture = np.full_like(portrait.picture, 255)
    picture[:1], picture[-1:], picture[:, :1], picture[:, -1:] = 0, 0, 0, 0
    renderer = Renderer(replace(portrait, picture=picture))
    for sign in (-1, 1):
        for motion in (
            row(HEAD_YAW=30 * sign, HEAD_ROLL=25 * sign, HEAD_X=0.3 * sign),
            row(HEAD_PITCH=25 * sign, HEAD_Y=0.3 * sign, TORSO_X=0.3, TORSO_Y=0.3 * sign),
            row(HEAD_Z=sign, HEAD_X=0.2),
        ):
            frame = renderer.draw(motion)
            for edge in (frame[:3], frame[-3:], frame[:, :3], frame[:, -3:]):
                assert edge.min() > 200


def test_wild_and_broken_motion_still_gives_a_frame(renderer: Renderer) -> None:
    rng = np.random.default_rng(7)
    frames = [renderer.draw(rng.normal(0, 30, space.SIZE).astype(np.float32)) for _ in range(6)]
    frames.append(renderer.draw(np.full(space.SIZE, np.nan, np.float32)))
    frames.append(renderer.draw(np.full(space.SIZE, np.inf, np.float32)))
    assert all(frame.shape == (renderer.size, renderer.size, 3) and frame.std() > 10 for frame in frames)


def test_a_row_of_another_length_is_refused(renderer: Renderer) -> None:
    with pytest.raises(ValueError, match="64"):
        renderer.draw(np.zeros(60, np.float32))


def test_faces_of_one_portrait_share_what_they_are_drawn_from_and_draw_side_by_side(portrait: Portrait) -> None:
    motions = [row(jawOpen=0.5, HEAD_YAW=6), row(eyeBlinkLeft=1, eyeBlinkRight=1, HEAD_ROLL=-5)]
    alone = [Renderer(replace(portrait)).draw(motion) for motion in motions]
    mine = replace(portrait)
    tracemalloc.start()
    first = Renderer(mine)
    for_one = tracemalloc.get_traced_memory()[0]
    faces = [first, Renderer(mine)]
    for_both = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert for_both < 1.5 * for_one
    with ThreadPoolExecutor(2) as pool:
        for _ in range(4):
            assert all(
                np.array_equal(seen, expected)
                for seen, expected in zip(pool.map(Renderer.draw, faces, motions), alone, strict=True)
            )


def test_a_face_that_moves_is_about_as_sharp_as_its_picture(renderer: Renderer, portrait: Portrait) -> None:
    """Sampled between pixels, a quarter of the energy of its detail would be lost."""
    around_eyes = around(portrait, ["lips_outer_upper", "eye_left_upper", "eye_right_upper"])

    def detail(away: float) -> float:
        frame = renderer.draw(row(HEAD_X=away, HEAD_Y=away, HEAD_ROLL=20 * away))
        grey = cv2.GaussianBlur(luma(frame)[around_eyes], (0, 0), 1.0)
        return float((cv2.Laplacian(grey, cv2.CV_64F) ** 2).mean())

    assert 0.8 < np.mean([detail(away) for away in (0.007, 0.010, 0.013, 0.017)]) / detail(0) < 1.1

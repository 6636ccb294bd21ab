"""Faces are found where they are, and heads are turned as they look."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from animator import storage
from animator.motion.rows.space import INDEX
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.geometry.pose import align, angles, pose, rotation
from animator.portrait.geometry.topology import canonical
from animator.portrait.picture.reading import Picture


def test_the_eyes_are_where_the_eyes_are(photo: Picture, landmarker: Landmarker) -> None:
    (face,) = landmarker.detect(photo)
    assert face.score > 0.9
    right, left = face.points[468], face.points[473]
    assert right[0] < left[0]  # the subject's right eye is on the left
    for x, y, _ in (right, left):
        pupil = photo[round(float(y)) - 1 : round(float(y)) + 2, round(float(x)) - 1 : round(float(x)) + 2]
        cheek = photo[round(float(face.points[50, 1])), round(float(face.points[50, 0]))]
        assert pupil.mean() < 0.7 * cheek.mean()
    assert face.points[1, 2] > face.points[234, 2]  # the nose is nearer than the ear


def test_a_smile_is_seen(photo: Picture, landmarker: Landmarker) -> None:
    (face,) = landmarker.detect(photo)
    assert face.blendshapes.shape == (52,)
    assert face.blendshapes[INDEX["mouthSmileLeft"]] > 0.5 > face.blendshapes[INDEX["mouthFrownLeft"]]


def test_small_faces_are_found_in_a_wide_scene(photo: Picture, landmarker: Landmarker) -> None:
    scene = np.full((1000, 1600, 3), 90, np.uint8)
    side = 360
    scene[600 : 600 + side, 1200 : 1200 + side] = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
    (face,) = landmarker.detect(scene)
    left, top, right, bottom = face.box
    assert 1200 < left < right < 1200 + side and 600 < top < bottom < 600 + side


def test_tracking_follows_a_face_and_loses_it(photo: Picture, landmarker: Landmarker) -> None:
    (face,) = landmarker.detect(photo)
    moved = np.roll(photo, 5, axis=1)
    followed = landmarker.track(moved, face)
    assert followed is not None
    shift = (followed.points - face.points)[:468, 0]
    assert 3.5 < np.median(shift) < 6.5
    assert landmarker.track(np.full_like(photo, 128), face) is None


def test_signs_of_a_pose_are_the_viewers() -> None:
    for yaw, pitch, roll in ((25, 0, 0), (0, 18, 0), (0, 0, 12), (-20, 10, -8)):
        turned = canonical().vertices @ rotation(yaw, pitch, roll).T
        seen = turned * np.array([30, -30, 30], np.float32)
        assert pose(seen) == pytest.approx((yaw, pitch, roll), abs=0.01)
    nose = rotation(25, 18, 0) @ np.array([0, 0, 1])
    assert nose[0] > 0 and nose[1] > 0  # to the picture's right, and up
    assert (rotation(0, 0, 12) @ np.array([0, 1, 0]))[0] > 0  # the crown leans to the right: clockwise


def test_turning_a_picture_turns_the_pose(photo: Picture, landmarker: Landmarker) -> None:
    height, width = photo.shape[:2]
    clockwise = cv2.getRotationMatrix2D((width / 2, height / 2), -15, 1)
    turned = np.asarray(cv2.warpAffine(photo, clockwise, (width, height)), np.uint8)
    (before,), (after,) = landmarker.detect(photo), landmarker.detect(turned)
    (mirrored,) = landmarker.detect(np.ascontiguousarray(photo[:, ::-1]))
    assert pose(after.points)[2] - pose(before.points)[2] == pytest.approx(15, abs=2)
    assert pose(mirrored.points)[0] == pytest.approx(-pose(before.points)[0], abs=3)


def test_align_finds_a_similarity() -> None:
    points = canonical().vertices
    turn = rotation(10, -20, 5)
    scale, found, shift = align(points, 3 * points @ turn.T + [1, 2, 3], canonical().weights)
    assert scale == pytest.approx(3, abs=1e-4)
    np.testing.assert_allclose(found, turn, atol=1e-5)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-4)
    assert angles(found) == pytest.approx((10, -20, 5), abs=1e-3)


def test_changed_networks_are_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "face_landmarker.task").write_bytes(b"something else")
    monkeypatch.setattr(storage, "ASSETS", tmp_path)
    with pytest.raises(RuntimeError, match="SHA-256"):
        storage.asset.__wrapped__("face_landmarker.task")

"""Finds the face in a picture, whatever the picture's orientation and however the face is drawn.

A detection is trusted if the networks give the same landmarks for slightly different crops. On faces that are upside
down, and on patterns, their scores are just as high, but the landmarks differ between crops ("wander").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.portrait.drawn.contours import find_drawn
from animator.portrait.finding.bending import distance
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.finding.seeking import SAME_FACE_DISTANCE, Sought, glance, seek
from animator.portrait.geometry.pose import pose
from animator.portrait.geometry.topology import POINTS
from animator.portrait.picture.named import Landmarks
from animator.portrait.picture.reading import Picture, Source

Floats = NDArray[np.float32]

# Face widths by which landmarks may differ between crops: up to .0045 in photographs and paintings.
STEADY_WANDER = 0.005
_PATTERN_WANDER = 0.02  # from here on, a smaller face beside another is taken for a pattern
_WILD_WANDER = 0.025  # more than in any drawing whose face was found (up to .022): a face seen where there is none
_LYING_ROLL = 55.0  # degrees of roll from which a picture is rotated by a quarter turn
_BETTER_SHARE = 0.6  # share of the unrotated picture's wander below which the rotated one is preferred
_LARGER_FACTOR = 1.5  # least factor by which a face is larger than drawn eyes, which are seen as faces themselves
LEAST_LOOKS = 4  # crops, of eight, in which a face must be seen
_SURE_BELIEF = 0.9  # belief in a found face from which no other orientation is tried
_BELIEF_MARGIN = 0.3  # by which belief must exceed that in the original orientation for the picture to be rotated
_ROUNDS = 3  # rounds of detection after a rotation
# Least likelihood of contours that justify a rotation, and least factor over that of the other orientations:
# upright drawings have .25 to .95, turned ones up to .56, and .7 of the upright ones'.
_LEAST_CONTOURS, _CLEAR_FACTOR = 0.4, 1.3


@dataclass(frozen=True, slots=True)
class _Seen:
    """The faces of a picture, largest first; ``wander``: how far the landmarks of the first one differ between crops,
    in face widths."""

    source: Source
    faces: list[FaceLandmarks]
    wander: float


def find_faces(source: Source, landmarker: Landmarker) -> tuple[Source, list[FaceLandmarks]]:
    """The faces in ``source``, largest first, and the source, rotated by quarter turns so that the first face is
    upright."""
    first = _as_it_is(source, landmarker)
    if first.wander >= STEADY_WANDER or _quarters(first.faces[0]):
        turned = [_as_it_is(source.turned(quarters), landmarker) for quarters in (1, 2, 3)]
        first, *others = (_righted(seen, landmarker) for seen in (first, *turned))
        best = min(others, key=lambda seen: seen.wander)
        if best.wander < min(STEADY_WANDER, _BETTER_SHARE * first.wander):
            first = best
    if first.wander < STEADY_WANDER:
        return first.source, first.faces
    if standing := _as_drawn(source, landmarker):
        return standing[0], [standing[1]]
    turned, sought = _sought(source, landmarker)
    if sought and (first.wander >= _WILD_WANDER or _height(sought.face) > _LARGER_FACTOR * _height(first.faces[0])):
        return turned, [sought.face]
    return first.source, first.faces


def quarters_of(given: Landmarks) -> int | None:
    """The clockwise quarter turns that make the ``given`` face upright; None if the points do not tell."""
    left, right = _eye(given, "left"), _eye(given, "right")
    if not left or not right:
        return None
    x, y = left[0] - right[0], left[1] - right[1]
    return _turns(float(np.degrees(np.arctan2(y, x))))


def wander(looks: list[FaceLandmarks], points: Floats) -> float:
    """Mean distance of the landmarks in several ``looks`` from the ``points`` (478, 3) of a face, in face widths;
    infinite if few of the crops show a face."""
    if len(looks) < LEAST_LOOKS:
        return float("inf")
    width = float(np.linalg.norm(points[234] - points[454]))
    return float(np.mean([np.abs(look.points - points)[:POINTS, :2].mean() for look in looks])) / max(width, 1e-3)


def _as_it_is(source: Source, landmarker: Landmarker) -> _Seen:
    faces = landmarker.detect(source.picture)
    if not faces:
        return _Seen(source, faces, float("inf"))
    first, *others = faces
    sure = [face for face in others if _wander_of(source.picture, face, landmarker) < _PATTERN_WANDER]
    return _Seen(source, [first, *sure], _wander_of(source.picture, first, landmarker))


def _wander_of(picture: Picture, face: FaceLandmarks, landmarker: Landmarker) -> float:
    looks = landmarker.looks(picture, face)
    return wander(looks, np.median([look.points for look in looks], axis=0)) if looks else float("inf")


def _righted(seen: _Seen, landmarker: Landmarker) -> _Seen:
    """``seen`` after rotating the picture so that the first face is upright."""
    quarters = _quarters(seen.faces[0]) if seen.faces else 0
    if not quarters:
        return seen
    source = seen.source.turned(quarters)
    faces = [_turned(face, quarters, seen.source.picture) for face in seen.faces]
    first = faces[0]
    for _ in range(_ROUNDS):
        first = landmarker.track(source.picture, first) or first
    if _quarters(first):
        return _Seen(source, faces, float("inf"))
    return _Seen(source, [first, *faces[1:]], _wander_of(source.picture, first, landmarker))


def _turned(face: FaceLandmarks, quarters: int, picture: Picture) -> FaceLandmarks:
    """``face`` of ``picture`` in the coordinates of the picture rotated by ``quarters`` quarter turns."""
    points = face.points.copy()
    height, width = picture.shape[:2]
    for _ in range(quarters % 4):
        points[:, 0], points[:, 1] = height - points[:, 1], points[:, 0].copy()
        height, width = width, height
    return FaceLandmarks(points, face.blendshapes, face.score)


def _quarters(face: FaceLandmarks) -> int:
    """The clockwise quarter turns of the picture that make the face upright."""
    return _turns(pose(face.points)[2])


def _turns(roll: float) -> int:
    return 0 if abs(roll) < _LYING_ROLL else round(-roll / 90) % 4


def _sought(source: Source, landmarker: Landmarker) -> tuple[Source, Sought | None]:
    """A face found by the longer search, and ``source`` rotated so that it is upright."""
    upright = seek(source.picture, landmarker)
    known = upright.belief if upright and not _quarters(upright.face) else 0.0
    if known >= _SURE_BELIEF:
        return source, upright
    best = source, upright
    for quarters in (1, 2, 3):
        turned = source.turned(quarters)
        face = glance(turned.picture, landmarker)
        if face and not _quarters(face.face) and face.belief > max(known + _BELIEF_MARGIN, _SURE_BELIEF):
            best, known = (turned, face), face.belief - _BELIEF_MARGIN
    return best


def _as_drawn(source: Source, landmarker: Landmarker) -> tuple[Source, FaceLandmarks] | None:
    """``source``, rotated so that the eyes drawn in it are level and the mouth lies below them, and the face; None if
    it is upright already, if the orientation is unclear, or if the networks see another face."""
    ways = [source, *(source.turned(quarters) for quarters in (1, 2, 3))]
    drawn = [find_drawn(way.picture) for way in ways]
    likely = [max((contours.likely for contours in found), default=0.0) for found in drawn]
    best = int(np.argmax(likely))
    others = max(likely[:best] + likely[best + 1 :])
    if best == 0 or likely[best] < max(_LEAST_CONTOURS, _CLEAR_FACTOR * others):
        return None
    sought = seek(ways[best].picture, landmarker)
    if not sought or not any(
        distance(sought.face.points, contours.points) < SAME_FACE_DISTANCE for contours in drawn[best]
    ):
        return None
    return ways[best], sought.face


def _height(face: FaceLandmarks) -> float:
    return face.box[3] - face.box[1]


def _eye(given: Landmarks, side: str) -> tuple[float, float] | None:
    names = (f"{side}_iris", f"{side}_eye_outer", f"{side}_eye_inner")
    return next((given.points[name] for name in names if name in given.points), None)

"""Crops the view of a portrait around the face in a picture, with hair and shoulders and without a border."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.drawn.drawing import SURE_EYE_SHARE, Drawing, eyes_stand_alone, judge, mouth_stands_alone
from animator.portrait.drawn.drawn_eyes import snap_eyes
from animator.portrait.drawn.drawn_mouth import snap_mouth
from animator.portrait.finding.bending import MEANT_DISTANCE, bend, distance, layout, place_face
from animator.portrait.finding.covered import NOTHING_COVERED, Covered, covered
from animator.portrait.finding.finding import LEAST_LOOKS, find_faces, quarters_of, wander
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.finding.round_eyes import lay_round_eyes
from animator.portrait.finding.seeking import SAME_FACE_DISTANCE, apart
from animator.portrait.picture.named import NAMED_POINTS, Landmarks, Points, check_sides
from animator.portrait.picture.reading import Picture, PortraitError, Source

Floats = NDArray[np.float32]

MIN_FACE = 40  # px, height of the face in the file
MARGIN = 1 / 8  # of the view, on each side
_BLUR = 0.025  # share of the working picture: blur outside the source, and the distance over which it grows
_FACE_SHARE = 0.47  # height of the face, as a share of the view's
_TIGHT_SHARE = 0.8  # the largest such share, for sources cropped close to the face
_FACE_CENTRE = 0.475  # share of the view's height from its top to the centre of the face
_RIM = 16  # px of the file around the crop that resampling needs
# Face widths by which landmarks may differ between crops: .002 to .004 in photographs, .006 in blurred ones.
_STEADY_WANDER = 0.008
# In distances of the eyes: outlines found by colour are wrong if they lie farther from the given points.
_OUTLINE_SLACK = 0.06
_NO_FACE = "No face was found. Use a picture in which one face is well visible, from the front or a little aside."
_SHARPENING_ZOOM = 1.5  # enlargement from which faces are sharpened
_SHARPENING = 0.6  # largest amount of the unsharp mask


@dataclass(frozen=True, slots=True)
class Cut:
    """The working picture of a portrait, with a margin around the view, and the face in it. "Px of the file" are those
    after the file was rotated by ``quarters``."""

    picture: Picture  # (n, n, 3) RGB uint8
    margin: int  # px around the view
    real: tuple[int, int, int, int]  # left, top, right, bottom of the source's pixels; the rest is mirrored
    face: FaceLandmarks
    place: tuple[
        float, float, float
    ]  # x, y of the picture's corner in px of the file; px of the file per px of the picture
    others: Floats  # (n, points of `NAMED_POINTS`, 2) px of the file: the other faces in it
    face_px: float  # height of the face in px of the file
    doubtful: bool  # landmarks differ between crops, or drawn eyes were outlined by colour; never if ``given``
    given: bool  # a person placed the points
    drawing: Drawing  # which treatments for flat drawings the face gets
    quarters: int  # quarter turns, clockwise, that made the face upright
    human: bool  # the networks see a face, or found one in a drawing; False for a drawn one placed by hand
    covered: Covered  # judged in photographs and paintings only


class Told(NamedTuple):
    """What a person says about a face: its landmarks ``points`` in px of the file; whether it is ``drawn`` flat; and
    ``alone``: whether the networks saw no face there, so that only the person's word counts."""

    points: Points | None = None
    drawn: bool | None = None
    alone: bool = False


NOTHING_TOLD = Told()


def cut(source: Source, size: int, landmarker: Landmarker, given: Landmarks | None = None) -> Cut:
    """Finds the largest face in ``source``, or the one at the ``given`` points, and frames it with hair and shoulders
    in a view of ``size`` px.

    Whether it is a flat drawing is judged by its looks unless ``given`` says so. Raises `PortraitError` (no_face,
    face_too_small, invalid_landmarks).
    """
    upright, faces = find_faces(source, landmarker)
    drawn = given.drawn if given else None
    if given and given.points:
        meant = given.scaled(source.width, source.height)
        if (quarters := quarters_of(meant)) not in (None, upright.quarters):
            upright = source.turned(quarters)
            faces = landmarker.detect(upright.picture)
        source, points = upright, meant.turned(upright.quarters).points
        here = {name: (x * source.scale, y * source.scale) for name, (x, y) in points.items()}
        face, others = _corrected(source, faces, here, landmarker)
        alone = not any(distance(seen.points, here) <= MEANT_DISTANCE for seen in faces)
        return frame(source, face, others, size, landmarker, Told(points, drawn, alone))
    if not faces:
        raise PortraitError("no_face", _NO_FACE, layout(source.width, source.height))
    return frame(upright, faces[0], faces[1:], size, landmarker, Told(drawn=drawn))


def _corrected(
    source: Source, faces: list[FaceLandmarks], given: Points, landmarker: Landmarker
) -> tuple[FaceLandmarks, list[FaceLandmarks]]:
    """The face at the ``given`` points (px of the source's picture), warped through them; and the other faces."""
    seen = [face for face in faces if face.score > 0]  # contours alone are worth less than the given points
    nearest = min(seen, key=lambda face: distance(face.points, given), default=None)
    if nearest is None or distance(nearest.points, given) > MEANT_DISTANCE:
        check_sides(given)
        return place_face(source.picture, given, landmarker), seen
    check_sides({name: tuple(nearest.points[number, :2].tolist()) for name, number in NAMED_POINTS.items()} | given)
    return replace(nearest, points=bend(nearest.points, given)), [face for face in faces if face is not nearest]


def frame(
    source: Source,
    face: FaceLandmarks,
    others: list[FaceLandmarks],
    size: int,
    landmarker: Landmarker,
    told: Told = NOTHING_TOLD,
) -> Cut:
    """Frames ``face`` of ``source``, with landmarks found again in that frame, which pass through the points that were
    ``told``. Raises `PortraitError` (face_too_small)."""
    points = face.points / np.float32(source.scale)  # in px of the file
    top, chin = points[10], points[152]
    height = float(np.linalg.norm(top - chin))
    if height < MIN_FACE:
        message = (
            f"The face is {height:.0f} px high; at least {MIN_FACE} are needed. Use a larger picture or crop less."
        )
        raise PortraitError("face_too_small", message)
    left, upper, side = _view(source.width, source.height, (top + chin)[:2] / 2, height)
    picture, real = _cut_out(source, (left, upper, side), size)
    x, y, step = place = (left - side * MARGIN, upper - side * MARGIN, side / size)
    moved = replace(face, points=(points - np.array([x, y, 0], np.float32)) / np.float32(step))
    wanted = {name: ((px - x) / step, (py - y) / step) for name, (px, py) in (told.points or {}).items()}
    seen = _look_closely(picture, moved, landmarker, Told(wanted, told.drawn))
    named = [other.points[list(NAMED_POINTS.values()), :2] / source.scale for other in others]
    elsewhere = np.array(named, np.float32).reshape(-1, len(NAMED_POINTS), 2)
    by_hand, margin = told.points is not None, round(size * MARGIN)
    drawn = any(seen.drawing)
    human = (drawn and not by_hand) or (seen.recognised and not (drawn and told.alone))
    judged = (height, seen.doubtful, by_hand, seen.drawing, source.quarters, human, seen.covered)
    return Cut(picture, margin, real, seen.face, place, elsewhere, *judged)


class _Look(NamedTuple):
    """A face after a closer look: its treatment as a drawing, whether a person should check its landmarks, whether the
    networks recognise it as a face, and what covers it."""

    face: FaceLandmarks
    drawing: Drawing
    doubtful: bool
    recognised: bool
    covered: Covered


def _look_closely(picture: Picture, face: FaceLandmarks, landmarker: Landmarker, told: Told) -> _Look:
    """``face`` with landmarks averaged over several crops, drawn eyes moved onto their outlines, and points moved to
    where they are ``told`` to be."""
    given = told.points or {}
    looks = [look for look in landmarker.looks(picture, face) if apart(face.points, look.points) < SAME_FACE_DISTANCE]
    recognised = len(looks) >= LEAST_LOOKS
    seen = landmarker.merge(looks if recognised else [face])
    points, drawing = _snap(picture, seen.points, judge(picture, seen.points, told.drawn), given)
    drawn = drawing.eyes or drawing.lids or drawing.mouth  # a plain patch in front of a face does not make it a drawing
    hidden = covered(picture, seen.points, looks) if recognised and not drawn else NOTHING_COVERED
    points = bend(points, given) if given else points
    if given and not drawing.eyes and (drawing.colours or not recognised):
        points, drawing = _round(picture, points, drawing)
        points = bend(points, given)
    if drawing.lids and not drawing.eyes and told.drawn is None:
        drawing = drawing._replace(lids=eyes_stand_alone(picture, points, SURE_EYE_SHARE))
    if given:
        bent = replace(seen, points=points, blendshapes=landmarker.blendshapes(points))
        return _Look(bent, drawing, False, recognised, hidden)
    steady = wander(looks, seen.points) < _STEADY_WANDER
    doubtful = not (steady and np.array_equal(points, seen.points))
    return _Look(replace(seen, points=points), drawing, doubtful, recognised, hidden)


def _snap(picture: Picture, points: Floats, drawing: Drawing, given: Points) -> tuple[Floats, Drawing]:
    """Landmarks moved onto the drawn eyes and mouth, if there are any near the ``given`` points."""

    def near(snapped: Floats, *parts: str) -> bool:
        named = {name: place for name, place in given.items() if any(part in name for part in parts)}
        return distance(snapped, named) < _OUTLINE_SLACK

    eyes = snap_eyes(picture, points) if drawing.eyes else points
    eyes_laid = eyes is not points and near(eyes, "eye", "iris") and eyes_stand_alone(picture, eyes)
    points = eyes if eyes_laid else points
    mouth = snap_mouth(picture, points) if drawing.mouth or drawing.skin else points  # pale ones have no contour
    mouth_laid = mouth is not points and near(mouth, "mouth", "lip") and mouth_stands_alone(picture, mouth)
    return mouth if mouth_laid else points, drawing._replace(eyes=eyes_laid, mouth=mouth_laid)


def _round(picture: Picture, points: Floats, drawing: Drawing) -> tuple[Floats, Drawing]:
    """Landmarks of a face placed by hand, with round eyes if they are found; drawn ones get lids then."""
    laid = lay_round_eyes(picture, points)
    if not any(drawing) or laid is points:
        return laid, drawing
    if not eyes_stand_alone(picture, laid):
        return points, drawing
    return laid, drawing._replace(eyes=True, lids=True)


def _view(width: int, height: int, centre: NDArray[np.float32], face: float) -> tuple[float, float, float]:
    """Left, top and side of the view in the source: inside the source where possible, even if that leaves less room for
    the hair."""
    side = min(face / _FACE_SHARE, max(min(width, height), face / _TIGHT_SHARE))
    left, top = float(centre[0]) - side / 2, float(centre[1]) - side * _FACE_CENTRE

    def inside(start: float, length: int) -> float:
        return min(max(start, 0.0), length - side) if side <= length else (length - side) / 2

    return inside(left, width), inside(top, height), side


def _cut_out(source: Source, view: tuple[float, float, float], size: int) -> tuple[Picture, tuple[int, int, int, int]]:
    """The view (px of the file) with its margin, as sharp as the file allows."""
    left, top, side = view
    rim = side * MARGIN + _RIM
    at_least = size / side > source.scale  # the scaled-down picture has less detail than the view
    box = (left - rim, top - rim, left + side + rim, top + side + rim)
    detail = source.detail(box) if at_least else None
    if detail:
        part, (x, y) = detail
        return _crop(part, left - x, top - y, side, size)
    scale = source.scale
    return _crop(source.picture, left * scale, top * scale, side * scale, size)


def _crop(
    picture: Picture, left: float, top: float, side: float, size: int
) -> tuple[Picture, tuple[int, int, int, int]]:
    """The view and its margin, resampled, and the part of it that comes from the source."""
    margin = round(size * MARGIN)
    whole = size + 2 * margin
    scale = enlarged = size / side
    x, y = left - side * MARGIN, top - side * MARGIN
    height, width = picture.shape[:2]
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture, x, y, scale = np.asarray(small, np.uint8), x * scale, y * scale, 1.0
        height, width = picture.shape[:2]
    matrix = np.array([[1 / scale, 0, x + (0.5 / scale - 0.5)], [0, 1 / scale, y + (0.5 / scale - 0.5)]])
    flags = (cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(picture, matrix, (whole, whole), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    low = [max(0, round(-at * scale)) for at in (x, y)]
    high = [min(whole, round((length - at) * scale)) for at, length in ((x, width), (y, height))]
    real = (low[0], low[1], high[0], high[1])
    return _soften(_sharpen(np.asarray(view, np.uint8), enlarged), real), real


def _sharpen(picture: Picture, enlarged: float) -> Picture:
    """``picture`` with crisper edges (unsharp mask), by how far it was ``enlarged``."""
    amount = _SHARPENING * min(1.0, enlarged / _SHARPENING_ZOOM - 1)
    if amount <= 0:
        return picture
    values = picture.astype(np.float32)
    blurred = cv2.GaussianBlur(values, (0, 0), 0.5 * enlarged)
    return (values + amount * (values - blurred)).round().clip(0, 255).astype(np.uint8)


def _soften(picture: Picture, real: tuple[int, int, int, int]) -> Picture:
    """``picture`` whose mirrored parts, outside ``real``, blur with distance, so that nobody sees a second ear."""
    left, top, right, bottom = real
    outside = np.ones(picture.shape[:2], np.uint8)
    outside[top:bottom, left:right] = 0
    if not outside.any():
        return picture
    reach = picture.shape[0] * _BLUR
    away = (cv2.distanceTransform(outside, cv2.DIST_L2, 5) / reach).clip(0, 1)[..., None]
    blurred = cv2.GaussianBlur(picture, (0, 0), reach)
    return ((1 - away) * picture + away * blurred).round().astype(np.uint8)

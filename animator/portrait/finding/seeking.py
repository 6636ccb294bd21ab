"""A longer search for faces that the networks miss at first: drawn, painted, in colours that no skin has.

Weak detections are tried again on many variants of the crop: smoothed, with more contrast, without colours, with
thicker or thinner lines, stretched. A false positive appears in few variants; a face that many show in one place is
accepted. If there is none, or its eyes lie on brows, the networks look where `contours` finds drawn eyes and a mouth;
in a flat drawing the contours suffice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.drawn.contours import Drawn, below_eyes, find_drawn
from animator.portrait.drawn.drawing import judge
from animator.portrait.finding.bending import distance, place_face
from animator.portrait.finding.landmarks import Crop, FaceLandmarks, Landmarker, Treatment, crop_around
from animator.portrait.picture.reading import Picture

Floats = NDArray[np.float32]

_SPANS = (1.6, 1.2, 1.0, 0.7, 0.5, 0.35)  # sides of the searched squares, of the longer side
_LEAST_SCORE = 0.3  # of the detector's score
_OVERLAP = 0.6  # two candidates that overlap more are one
_MOST_CANDIDATES, _MOST_PLACED = 6, 3  # most candidates tried: of the detector, of the contours
_SKIN_TINT = np.array([0.92, 0.73, 0.61], np.float32)  # RGB tint of white paper
_STRETCHES = (1.0, 1 / 1.15, 1.15)  # height over width of the crops, since drawn faces are shorter than people's
_ROUND_SCORES = (0.05, 0.5, 0.5)  # least score in each round, whose crop follows the detection of the round before
SAME_FACE_DISTANCE = 0.35  # of the distance between the eyes: detections that differ less are one face
_LEAST_VOTES, _SURE_VOTES = 0.25, 0.75  # share of the variants that must show a face; share that suffices
_TELLING_LIKELIHOOD = 0.3  # likelihood from which contours can tell brows from eyes
# Factor on the belief in a face whose eyes lie on brows; their largest distance from the brows, in eye distances.
_BROWS_BELIEF, _BROWS_SLACK = 0.3, 0.3
_LEAST_LIKELIHOOD = 0.15  # least likelihood of contours in which the networks see no face
_SIZE_POWER = 0.5  # exponent of a face's size in its weight


@dataclass(slots=True)
class _Face:
    """Detections at one place, in different variants of the picture."""

    looks: list[FaceLandmarks]

    @property
    def points(self) -> Floats:
        return np.median([look.points for look in self.looks], axis=0).astype(np.float32)

    def holds(self, look: FaceLandmarks) -> bool:
        return apart(self.points, look.points) < SAME_FACE_DISTANCE

    def weight(self) -> float:
        """How far it is trusted: by the number of variants that show it, and its size."""
        left, top, right, bottom = self.looks[0].box
        return len(self.looks) * max(right - left, bottom - top) ** _SIZE_POWER


class Sought(NamedTuple):
    """A face that was found, and the belief in it: the share of variants that show it, at most 1, plus the likelihood
    of its contours, at most 1."""

    face: FaceLandmarks
    belief: float


def seek(picture: Picture, landmarker: Landmarker) -> Sought | None:
    """The face in ``picture``, searched in many variants; None if too few of them show one.

    Contours are consulted if the networks alone see nothing, or take drawn brows for eyes.
    """
    crops = landmarker.candidates(picture, _SPANS, _LEAST_SCORE, _OVERLAP)[:_MOST_CANDIDATES]
    faces, ways = _looked_for(picture, crops, landmarker, _TREATMENTS, _STRETCHES)
    drawn = find_drawn(picture)
    seen = [_believed(len(face.looks) / ways, landmarker.merge(face.looks), drawn) for face in faces]
    best = _best([one for one in seen if one.belief >= _LEAST_VOTES])
    if best and not _on_brows(best.face, drawn):
        return best
    return _in_contours(picture, drawn, landmarker) or best


def _in_contours(picture: Picture, drawn: list[Drawn], landmarker: Landmarker) -> Sought | None:
    """The face whose eyes and mouth are ``drawn``, as the networks see it there; in a flat drawing also if they see
    none."""
    placed = [place_face(picture, contours.points, landmarker) for contours in drawn]
    crops = [crop_around(face.points) for face in placed[:_MOST_PLACED]]
    faces, ways = _looked_for(picture, crops, landmarker, _TREATMENTS, _STRETCHES)
    likely = [(len(face.looks) / ways, landmarker.merge(face.looks)) for face in faces]
    likely += [(0.0, face) for face in placed if any(judge(picture, face.points))]
    found = [_believed(share, face, drawn) for share, face in likely if _in_drawn(face, drawn)]
    return _best([one for one in found if one.belief >= (_LEAST_VOTES if one.face.score else _LEAST_LIKELIHOOD)])


def _best(found: list[Sought]) -> Sought | None:
    return max(found, key=lambda one: one.belief * _extent(one.face) ** _SIZE_POWER, default=None)


def glance(picture: Picture, landmarker: Landmarker) -> Sought | None:
    """`seek` with fewer variants and without contours: enough for a face that is certain."""
    crops = landmarker.candidates(picture, _SPANS, _LEAST_SCORE, _OVERLAP)[:_MOST_CANDIDATES]
    faces, ways = _looked_for(picture, crops, landmarker, _GLANCE_TREATMENTS, (1.0,))
    best = max(faces, key=_Face.weight, default=None)
    return Sought(landmarker.merge(best.looks), min(len(best.looks) / ways, 1.0)) if best else None


def _looked_for(
    picture: Picture, crops: list[Crop], landmarker: Landmarker, treatments: Sequence[Treatment], talls: Sequence[float]
) -> tuple[list[_Face], int]:
    """The faces seen in ``crops``, each treated and stretched in every way, and the number of ways."""
    faces: list[_Face] = []
    ways = 0
    for tall in talls:
        for crop, treat in product(crops, treatments):
            if look := _settled(picture, replace(crop, tall=tall), treat, landmarker):
                _add(faces, look)
        ways += len(treatments)
        best = max(faces, key=_Face.weight, default=None)
        if best and len(best.looks) >= _SURE_VOTES * ways:
            break
    return faces, ways


def _believed(share: float, face: FaceLandmarks, drawn: list[Drawn]) -> Sought:
    """``face``, seen in a ``share`` of all variants, and in contours with the same eyes and mouth."""
    agreeing = [contours.likely for contours in _in_drawn(face, drawn)]
    doubt = _BROWS_BELIEF if _on_brows(face, drawn) else 1.0
    return Sought(face, doubt * min(share, 1.0) + max(agreeing, default=0.0))


def _in_drawn(face: FaceLandmarks, drawn: list[Drawn]) -> list[Drawn]:
    """The contours whose eyes and mouth coincide with those of ``face``."""
    return [contours for contours in drawn if distance(face.points, contours.points) < SAME_FACE_DISTANCE]


def _on_brows(face: FaceLandmarks, drawn: list[Drawn]) -> bool:
    """Whether the eyes of ``face`` are drawn brows."""
    return any(_over_eyes(face.points[468, :2], face.points[473, :2], contours) for contours in drawn)


def _over_eyes(right: Floats, left: Floats, contours: Drawn) -> bool:
    """Whether a pair of eyes, (2,) px each, lies relative to the eyes of the ``contours`` as brows do."""
    there = np.array([contours.points["right_iris"], contours.points["left_iris"]], np.float32)
    aside, below = below_eyes(right, left, there.mean(axis=0))
    ratio = float(np.linalg.norm(there[1] - there[0]) / np.linalg.norm(left - right))
    alike = abs(aside) < _BROWS_SLACK and abs(float(np.log(ratio))) < _BROWS_SLACK
    return contours.likely > _TELLING_LIKELIHOOD and alike and SAME_FACE_DISTANCE < below < 2 * SAME_FACE_DISTANCE


def _extent(face: FaceLandmarks) -> float:
    left, top, right, bottom = face.box
    return max(right - left, bottom - top)


def apart(one: Floats, other: Floats) -> float:
    """Mean distance of two faces' landmarks (478, 3), in distances of the first one's eyes."""
    eyes = float(np.linalg.norm(one[468, :2] - one[473, :2]))
    return float(np.linalg.norm(one[:, :2] - other[:, :2], axis=1).mean()) / max(eyes, 1e-3)


def _settled(picture: Picture, crop: Crop, treat: Treatment, landmarker: Landmarker) -> FaceLandmarks | None:
    """The landmarks after the crop has followed them a few times; None if they are lost."""
    look = None
    for least in _ROUND_SCORES:
        look = landmarker.look(picture, crop, treat, least)
        if not look:
            return None
        crop = replace(crop_around(look.points), tall=crop.tall)
    return look


def _add(faces: list[_Face], look: FaceLandmarks) -> None:
    for face in faces:
        if face.holds(look):
            face.looks.append(look)
            return
    faces.append(_Face([look]))


def _as_it_is(square: Picture) -> Picture:
    return square


def _blurred(by: float) -> Treatment:
    return lambda square: np.asarray(cv2.GaussianBlur(square, (0, 0), by), np.uint8)


def _contrasted(square: Picture) -> Picture:
    lab = np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2LAB), np.uint8)
    lab[..., 0] = cv2.createCLAHE(3, (4, 4)).apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), (0, 0), 3), np.uint8)


def _tinted(square: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur((square * _SKIN_TINT).astype(np.uint8), (0, 0), 3), np.uint8)


def _grey(square: Picture) -> Picture:
    grey = cv2.GaussianBlur(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), (0, 0), 3)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _thick(square: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(cv2.erode(square, np.ones((5, 5), np.uint8)), (0, 0), 2), np.uint8)


def _thin(square: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(cv2.dilate(square, np.ones((5, 5), np.uint8)), (0, 0), 2), np.uint8)


_TREATMENTS = (_as_it_is, _blurred(2), _blurred(4), _blurred(6), _contrasted, _tinted, _grey, _thick, _thin)
_GLANCE_TREATMENTS = _TREATMENTS[::2]

"""Faces that the networks do not see at first sight: drawn, painted, in colours that no skin has.

What the detector half believes is looked at again in many ways: smoothed, with more contrast, without colours, with
thicker or thinner lines, stretched. Chance faces are seen in few of them; one that many show at one place is believed.
"""

from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.finding.landmarks import Crop, FaceLandmarks, Landmarker, Treatment, crop_around
from animator.portrait.picture.reading import Picture

Floats = NDArray[np.float32]

_SPANS = (1.6, 1.2, 1.0, 0.7, 0.5, 0.35)  # sides of the searched squares, of the longer side
_LEAST = 0.3  # of the detector's score
_OVERLAP = 0.6  # two candidates that share more are one
_CANDIDATES = 6  # that are looked at, the best ones
_SKIN = np.array([0.92, 0.73, 0.61], np.float32)  # RGB, what white paper is tinted with
_STRETCHED = (1.0, 1 / 1.15, 1.15)  # height over width of the crops: drawn faces are not as long as people's
_BELIEF = (0.05, 0.5, 0.5)  # least score in each round: a crop follows what was seen in the one before
SAME = 0.35  # of the distance of the eyes: what differs less is one face
_VOTES, _SURE = 0.25, 0.75  # least share of the ways in which a face is seen, and enough of them
_SMALL = 0.5  # power of its size by which a larger face is preferred


@dataclass(slots=True)
class _Face:
    """What was seen at one place, in different ways."""

    looks: list[FaceLandmarks]

    @property
    def points(self) -> Floats:
        return np.median([look.points for look in self.looks], axis=0).astype(np.float32)

    def holds(self, look: FaceLandmarks) -> bool:
        return apart(self.points, look.points) < SAME

    def weight(self) -> float:
        """How much it is believed: in how many ways it was seen, and how large it is."""
        left, top, right, bottom = self.looks[0].box
        return len(self.looks) * max(right - left, bottom - top) ** _SMALL


def seek(picture: Picture, landmarker: Landmarker) -> list[FaceLandmarks]:
    """The face in ``picture``, looked for in many ways; an empty list where too few of them show one."""
    crops = landmarker.candidates(picture, _SPANS, _LEAST, _OVERLAP)[:_CANDIDATES]
    faces: list[_Face] = []
    ways = 0
    for tall in _STRETCHED:
        for crop, treat in product(crops, _TREATMENTS):
            if look := _settled(picture, replace(crop, tall=tall), treat, landmarker):
                _add(faces, look)
        ways += len(_TREATMENTS)
        best = max(faces, key=_Face.weight, default=None)
        if best and len(best.looks) >= _SURE * ways:
            break
    likely = [face for face in faces if len(face.looks) >= _VOTES * ways]
    best = max(likely, key=_Face.weight, default=None)
    return [landmarker.merge(best.looks)] if best else []


def apart(one: Floats, other: Floats) -> float:
    """Mean distance of two faces' landmarks (478, 3), in distances of the first one's eyes."""
    eyes = float(np.linalg.norm(one[468, :2] - one[473, :2]))
    return float(np.linalg.norm(one[:, :2] - other[:, :2], axis=1).mean()) / max(eyes, 1e-3)


def _settled(picture: Picture, crop: Crop, treat: Treatment, landmarker: Landmarker) -> FaceLandmarks | None:
    """What is seen once the crop has followed it."""
    look = None
    for least in _BELIEF:
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
    return np.asarray(cv2.GaussianBlur((square * _SKIN).astype(np.uint8), (0, 0), 3), np.uint8)


def _grey(square: Picture) -> Picture:
    grey = cv2.GaussianBlur(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), (0, 0), 3)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _thick(square: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(cv2.erode(square, np.ones((5, 5), np.uint8)), (0, 0), 2), np.uint8)


def _thin(square: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(cv2.dilate(square, np.ones((5, 5), np.uint8)), (0, 0), 2), np.uint8)


_TREATMENTS = (_as_it_is, _blurred(2), _blurred(4), _blurred(6), _contrasted, _tinted, _grey, _thick, _thin)

"""Finds drawn faces by their contours: two eyes that mirror each other, and a mouth below them, on one background.

Networks trained on photographs see no face in a few dots and lines. But in any style a drawn face has a ground (skin,
fur, paper) on which its eyes and its mouth lie as islands. So the picture is segmented at changes of colour. In each
segment that is large enough, the islands are tried as eyes and mouth; the most likely three are taken if the eyes are
alike, level and of similar size, and the mouth has a plausible place.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from animator.portrait.picture.named import Points
from animator.portrait.picture.reading import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_WORK_SIDE = 360  # px, longer side to which the picture is scaled
_GROUND_STEPS = (5.0, 10.0)  # Lab, differences between adjacent pixels at which the ground ends
_LIGHT_LEVELS = (50.0, 65.0, 80.0)  # least L of a ground with soft shades, on which everything drawn is darker
# Shares of the ground's size: narrower bays are closed, so that eyes which touch the hair become islands.
_BAY_WIDTHS = 0.0, 0.035, 0.09
_COLOUR_COUNT = 12  # number of colours among which irises that touch the hair are searched
# Of an iris: least and largest share of the picture, least share of its box, largest aspect.
_SPOT_LIMITS = 0.00015, 0.02, 0.4, 2.6
_MOST_SPOTS = 60  # the largest ones are looked at
_MOST_FACES = 4  # the likeliest ones
_LEAST_GROUND = 0.005  # least share of the picture
_MOST_GROUNDS = 20  # the largest ones are looked at
_ISLAND_RANGE = 0.0004, 0.3  # least and largest share of the ground with its islands
_LEAST_ISLAND = 10  # px, least area of an island
_MOST_ISLANDS = 40  # the largest ones are looked at
_EYE_DISTANCE_RANGE = 1.15, 8.0  # distance of the eyes, in their mean width
_LARGEST_TILT = 0.6  # most by which one eye is higher than the other, in distances of the eyes
_MOUTH_DROP_RANGE = 0.3, 1.7  # how far the mouth lies below the eyes, in distances of the eyes
_LARGEST_MOUTH_OFFSET = 0.5
_MOUTH_WIDTH_RANGE = 0.12, 1.6  # its width, in distances of the eyes
# Factor for a mouth on another ground than the eyes: in a beard, under a visor.
_OTHER_GROUND_FACTOR = 0.6
_LEAST_LIKELIHOOD = 0.02  # least likelihood of two islands that are considered as eyes
_BROW_FACTOR = 0.3  # factor for a pair with another pair below it: the upper ones are brows
_BROW_DISTANCE_RANGE = 0.12, 0.65  # how far below, in distances of the eyes
_SAME_EYE_DISTANCE = 0.3  # in distances of the eyes: two that are nearer are the same eye
_SHAPE_SIDE = 24  # px, side of the squares in which the shapes of two eyes are compared


@dataclass(frozen=True, slots=True, eq=False)
class _Island:
    """Something on the ground: its box (left, top, right, bottom), ``centre`` (x, y), ``area`` and mean ``colour``;
    ``shape`` (24, 24) of 0 and 1 is what of its box it fills."""

    box: tuple[int, int, int, int]
    centre: Floats
    area: int
    colour: Floats
    shape: Floats

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A face by its contours: ``points`` (names of `named.NAMED_POINTS`) in px of the picture, how ``likely`` it is,
    0 to 1."""

    points: Points
    likely: float


class _Three(NamedTuple):
    likely: float
    right: _Island
    left: _Island
    mouth: _Island


_NO_ISLAND = _Island((0, 0, 0, 0), np.zeros(2, np.float32), 0, np.zeros(3, np.float32), np.zeros((0, 0), np.float32))
_NO_FACE = _Three(0.0, _NO_ISLAND, _NO_ISLAND, _NO_ISLAND)


def find_drawn(picture: Picture) -> list[Drawn]:
    """Faces that may be in ``picture`` (h, w, 3) RGB, upright, the likeliest first; they may share an eye."""
    step = max(1.0, max(picture.shape[:2]) / _WORK_SIDE)
    size = [max(8, round(side / step)) for side in picture.shape[1::-1]]
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    lab = np.asarray(cv2.cvtColor((small / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)
    grounds = [_islands(lab, ground, bay) for ground in _grounds(lab) for bay in _BAY_WIDTHS]
    everything = _different([island for islands in grounds for island in islands])
    found = [_best(islands, everything) for islands in (*grounds, _spots(lab))]
    faces: list[_Three] = []
    for three in sorted(found, key=lambda three: -three.likely):
        if three.likely > 0 and not any(_same(three, other) for other in faces):
            faces.append(three)
    return [Drawn(_named(face, step), face.likely) for face in faces[:_MOST_FACES]]


def _same(one: _Three, other: _Three) -> bool:
    """Whether both faces have the same eyes."""
    far = float(np.linalg.norm(other.left.centre - other.right.centre))
    pairs = ((one.left, other.left), (one.right, other.right))
    return all(float(np.linalg.norm(a.centre - b.centre)) < _SAME_EYE_DISTANCE * far for a, b in pairs)


def _grounds(lab: Floats) -> list[Mask]:
    """The parts of the picture in which colours change only gradually, and those that are light; largest first."""
    across = np.linalg.norm(np.diff(lab, axis=1), axis=2)
    down = np.linalg.norm(np.diff(lab, axis=0), axis=2)
    levels = [(lab[..., 0] > light).astype(np.uint8) for light in _LIGHT_LEVELS]
    for most in _GROUND_STEPS:
        calm = np.ones(lab.shape[:2], np.uint8)
        calm[:, 1:][across > most] = 0
        calm[1:][down > most] = 0
        levels.append(calm)
    least = _LEAST_GROUND * lab.shape[0] * lab.shape[1]
    found: list[tuple[int, Mask]] = []
    for level in levels:
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(level, connectivity=4)
        areas = boxes[:, cv2.CC_STAT_AREA]
        found += [(int(areas[number]), labels == number) for number in range(1, count) if areas[number] > least]
    found.sort(key=lambda part: -part[0])
    return [mask for _, mask in found[:_MOST_GROUNDS]]


def _islands(lab: Floats, ground: Mask, bay: float) -> list[_Island]:
    """What lies on the ``ground`` (h, w) after bays narrower than the share ``bay`` of its size are closed; largest
    first."""
    land = np.pad(ground, 1).astype(np.uint8)
    reach = round(bay * float(np.sqrt(ground.sum())))
    land = cv2.morphologyEx(land, cv2.MORPH_CLOSE, np.ones((2 * reach + 1,) * 2, np.uint8)) if reach else land
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(1 - land, connectivity=4)
    outside = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    within = [number for number in range(1, count) if number not in outside]
    whole = int(land.sum()) + sum(int(boxes[number, cv2.CC_STAT_AREA]) for number in within)
    found: list[_Island] = []
    for number in within:
        if max(_ISLAND_RANGE[0] * whole, _LEAST_ISLAND) < boxes[number, cv2.CC_STAT_AREA] < _ISLAND_RANGE[1] * whole:
            box = boxes[number] - np.array([1, 1, 0, 0, 0], np.int32)
            found.append(_island(lab, labels[1:-1, 1:-1] == number, box, centres[number] - 1))
    found.sort(key=lambda island: -island.area)
    return found[:_MOST_ISLANDS]


def _spots(lab: Floats) -> list[_Island]:
    """Compact, small areas of a single colour, anywhere in the picture; largest first."""
    soft = np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.2), np.float32)
    colours = soft[::3, ::3].reshape(-1, 3)
    if len(np.unique(colours.round(), axis=0)) < _COLOUR_COUNT:
        return []  # a plain wall
    centres, _ = kmeans2(colours, _COLOUR_COUNT, minit="++", rng=0)
    nearest = np.linalg.norm(soft[:, :, None] - centres, axis=3).argmin(axis=2)
    found: list[_Island] = []
    for number in range(_COLOUR_COUNT):
        count, labels, boxes, middles = cv2.connectedComponentsWithStats((nearest == number).astype(np.uint8))
        for part in range(1, count):
            _, _, wide, high, area = (int(value) for value in boxes[part])
            within = _SPOT_LIMITS[0] * nearest.size < area < _SPOT_LIMITS[1] * nearest.size
            if within and area > _SPOT_LIMITS[2] * wide * high and max(wide, high) < _SPOT_LIMITS[3] * min(wide, high):
                found.append(_island(lab, labels == part, boxes[part], middles[part]))
    found.sort(key=lambda island: -island.area)
    return found[:_MOST_SPOTS]


def _island(lab: Floats, mask: Mask, box: NDArray[np.int32], centre: NDArray[np.float64]) -> _Island:
    """The part ``mask`` (h, w) of the picture, whose ``box`` is (left, top, width, height, area)."""
    x, y, wide, high, area = (int(value) for value in box)
    part = mask[y : y + high, x : x + wide]
    colour = lab[y : y + high, x : x + wide][part].mean(axis=0)
    shape = cv2.resize(part.astype(np.float32), (_SHAPE_SIDE, _SHAPE_SIDE), interpolation=cv2.INTER_AREA)
    return _Island((x, y, x + wide, y + high), centre.astype(np.float32), area, colour, np.asarray(shape, np.float32))


def _different(islands: list[_Island]) -> list[_Island]:
    """``islands`` without duplicates."""
    kept: dict[tuple[int, ...], _Island] = {}
    for island in islands:
        kept.setdefault(tuple(side // 4 for side in island.box), island)
    return list(kept.values())


def _best(islands: list[_Island], everything: list[_Island]) -> _Three:
    """The most likely face with eyes from ``islands``; its mouth may also come from ``everything``."""
    pairs: list[tuple[float, _Island, _Island]] = []
    for one, other in combinations(islands, 2):
        right, left = (one, other) if one.centre[0] < other.centre[0] else (other, one)
        if (likely := _pair(right, left)) > _LEAST_LIKELIHOOD:
            pairs.append((likely, right, left))
    best = _NO_FACE
    for likely, right, left in sorted(pairs, key=lambda pair: -pair[0]):
        if any(_brows((right, left), (low_right, low_left)) for _, low_right, low_left in pairs):
            likely *= _BROW_FACTOR
        if likely <= best.likely:
            continue
        for mouth in everything:
            share = likely * _under(right, left, mouth) * (1 if mouth in islands else _OTHER_GROUND_FACTOR)
            if share > best.likely:
                best = _Three(share, right, left, mouth)
    return best


def _brows(pair: tuple[_Island, _Island], lower: tuple[_Island, _Island]) -> bool:
    """Whether ``pair`` is a pair of brows because the ``lower`` pair is the eyes."""
    aside, below = below_eyes(pair[0].centre, pair[1].centre, (lower[0].centre + lower[1].centre) / np.float32(2))
    ratio = np.linalg.norm(lower[1].centre - lower[0].centre) / np.linalg.norm(pair[1].centre - pair[0].centre)
    return (
        _BROW_DISTANCE_RANGE[0] < below < _BROW_DISTANCE_RANGE[1]
        and abs(aside) < 0.2
        and abs(float(np.log(ratio))) < 0.3
    )


def _pair(right: _Island, left: _Island) -> float:
    """How likely, 0 to 1, two islands are a pair of eyes."""
    apart = left.centre - right.centre
    far = float(np.linalg.norm(apart))
    wide = (right.width + left.width) / 2
    if not _EYE_DISTANCE_RANGE[0] * wide < far < _EYE_DISTANCE_RANGE[1] * wide or abs(apart[1]) > _LARGEST_TILT * far:
        return 0.0
    sizes = abs(float(np.log(right.area / left.area)))
    high = abs(float(np.log(right.height / left.height)))
    both = max(_shared(right.shape, left.shape), _shared(right.shape, left.shape[:, ::-1]))  # both look aside
    return (
        _bell(sizes, 0.5)
        * _bell(high, 0.4)
        * _bell(float(apart[1]) / far, 0.3)
        * _bell(float(np.linalg.norm(right.colour - left.colour)), 18.0)
        * (0.3 + 0.7 * both)
        * _bell(max(0.0, 0.2 - wide / far), 0.08)
    )


def _shared(one: Floats, other: Floats) -> float:
    return float(np.minimum(one, other).sum() / np.maximum(one, other).sum())


def _under(right: _Island, left: _Island, mouth: _Island) -> float:
    """How likely, 0 to 1, ``mouth`` is the mouth below two eyes."""
    aside, below = below_eyes(right.centre, left.centre, mouth.centre)
    wide = mouth.width / float(np.linalg.norm(left.centre - right.centre))
    if (
        not _MOUTH_DROP_RANGE[0] < below < _MOUTH_DROP_RANGE[1]
        or abs(aside) > _LARGEST_MOUTH_OFFSET
        or not _MOUTH_WIDTH_RANGE[0] < wide < _MOUTH_WIDTH_RANGE[1]
    ):
        return 0.0
    return (
        _bell(aside, 0.25)
        * _bell(below - 0.9, 0.35)
        * _bell(float(np.log(wide / 0.6)), 0.7)
        * _bell(max(0.0, float(np.log(mouth.height / mouth.width))), 0.5)
    )


def below_eyes(right: Floats, left: Floats, point: Floats) -> tuple[float, float]:
    """Where a ``point`` (2,) lies relative to the middle between two eyes: along their line towards the left one, and
    below it; in distances of the eyes."""
    across = left - right
    square = float(across @ across)
    off = point - (left + right) / 2
    return float(off @ across) / square, float(off[1] * across[0] - off[0] * across[1]) / square


def _bell(off: float, spread: float) -> float:
    return float(np.exp(-0.5 * (off / spread) ** 2))


def _named(three: _Three, step: float) -> Points:
    """The face's named points, in px of a picture ``step`` times as large."""
    points: Points = {}
    for side, eye in (("right", three.right), ("left", three.left)):
        left, top, right, bottom = eye.box
        y = (top + bottom) / 2
        outer, inner = (left, right) if side == "right" else (right, left)
        points |= {
            f"{side}_eye_outer": (outer, y),
            f"{side}_eye_inner": (inner, y),
            f"{side}_eye_top": ((left + right) / 2, top),
            f"{side}_eye_bottom": ((left + right) / 2, bottom),
            f"{side}_iris": ((left + right) / 2, y),
        }
    left, top, right, bottom = three.mouth.box
    middle, y = (left + right) / 2, (top + bottom) / 2
    eyes = (three.right.centre + three.left.centre) / 2
    points |= {"mouth_right": (left, y), "mouth_left": (right, y)}
    down = np.array([middle, y]) - eyes
    chin = np.array([middle, bottom]) + 0.55 * down
    points["chin"] = (float(chin[0]), float(chin[1]))
    return {name: ((x + 0.5) * step, (y + 0.5) * step) for name, (x, y) in points.items()}

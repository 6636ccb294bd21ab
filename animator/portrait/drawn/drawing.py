"""Is a face drawn in flat colours? Each treatment for drawings needs evidence of its own; in doubt it is not applied.

A flat drawing is made of areas of one exact colour with steps between them. In a photograph, a painting or a model made
by a computer, however smooth, light changes the colour of the skin all the way from the nose to the cheek: it may have
no texture, but it has slopes. So what counts is measured over whole regions, away from steps: how much of them has one
of a few colours, and how often a colour changes over a short way without any step between.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import FACE_OVAL, RINGS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LIPS = (*RINGS["lips_outer_upper"], *RINGS["lips_outer_lower"][::-1])
_EYES = {side: (*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"][::-1]) for side in ("left", "right")}

_FACE_WIDTH = 128  # px of the face in which all is measured, whatever size it has in the picture
_MARGIN = 0.1  # face widths round the oval that are looked at, too
_BLUR = 1.6  # px, blur that takes away noise, hatching and the marks of compression
_BRIGHT_LEVEL = 235.0  # to which the brightest of the face is brought: a dark or faint picture has its slopes, too
_MOST_GAIN = 8.0
_BLOWN_LEVEL = 248  # of 255: what is lighter in all channels says nothing, but in a line drawing on white
_STEP_SLOPE = 1.3  # Lab a px: steeper is a step between two areas
_SHADING_SLOPES = 0.4, 4.0  # Lab a px: between what compression does to a flat colour and the step of a drawing
_SAME_COLOUR = 1.8  # Lab: colours that differ by less are one
_COLOUR_DISTANCE = 6.5  # Lab between two of the few colours
_MOST_COLOURS = 8  # colours, at most
_LEAST_COLOUR_SHARE = 0.02  # of a region, that a colour has at least
_WAY_LENGTH, _SHADING_CHANGE = 16, 2.0  # px, and Lab by which a colour changes along it where there is shading
_LEAST_REGION = 0.1  # of a region that must lie off steps and not be blown out for it to say anything
# A line drawing on white has fewer slopes, and lines that are sharper, in Lab a px
_PAPER_SLOPES, _PEN_SLOPE = 0.18, 7.6

_FLAT_SCORE = -0.2  # score of a flat face: photographs and paintings have at most -0.5, drawings at least -0.06
_LIT_SLOPES = 0.42  # share of slopes in half a face of no drawing: these have up to .36, photographs .44 or more
# Lab, and least share of a half, for the other half's main colour to occur in it: that of skin does, a mask's does not.
_SHARED_COLOUR, _SHARED_SHARE = 5.0, 0.04
_STEPS_SCORE = -1.0  # score of a region that lies nearly all at steps
_NOSE, _CHIN, _FOREHEAD = (6, 1), 152, 10
_LEAST_GROUND = 0.06  # of what is round an eye or a mouth that lies off steps
_LEAST_FLAT_SHARE = 0.5  # least share of one of few colours round an eye or a mouth
_EYE_REACH, _MOUTH_REACH = 0.24, 0.24  # face widths round an eye and a mouth that are looked at
_INK_DISTANCE = 12.0  # Lab between the skin and what is drawn on it
_RING_RANGE = 2, 6  # px round what was laid on an outline, where there is skin if it was the right one
_RING_COLOUR = 8.0  # Lab by which that skin may differ
_ALONE_EYE_SHARE, _ALONE_MOUTH_SHARE = 0.55, 0.8  # least share of it that is alike: lashes and brows may be near an eye
SURE_EYE_SHARE = 0.8  # of an eye that was found by landmarks only
_CONTOUR_SLOPE = 4.0  # Lab a px at the edge of what is drawn, on average: half of it in photographs


class Drawing(NamedTuple):
    """Which of the treatments for flat drawings a face gets."""

    colours: bool  # teeth, tongue and mouth are of flat colours
    skin: bool  # has no wrinkles
    eyes: bool  # lie on the outlines that are drawn
    lids: bool  # are of the skin's one colour and shut in a line
    mouth: bool  # lies on the stroke or shape that is drawn

    @property
    def eyes_lost(self) -> bool:
        """The face is drawn, but its eyes were not made out: neither lids of drawings nor of people would fit them."""
        return any(self) and not self.lids

    def words(self) -> str:
        """What was decided, in plain words."""
        told = (
            (self.colours, "the mouth has flat colours"),
            (self.skin, "no wrinkles"),
            (self.eyes, "eyes on their outlines"),
            (self.lids, "lids that shut in a line"),
            (self.mouth, "lips on the drawn mouth"),
        )
        yes = [words for does, words in told if does]
        if not yes:
            return "Not a flat drawing: it is treated as a photograph or a painting."
        no = [words for does, words in told if not does]
        return f"A flat drawing: {', '.join(yes)}." + (f" Not: {', '.join(no)}." if no else "")


PHOTOGRAPH = Drawing(False, False, False, False, False)
_FLAT_DRAWING = Drawing(True, True, True, True, True)


class _View(NamedTuple):
    """The face as it is measured: ``lab`` (h, w, 3) and its ``slope`` (h, w) a px, ``points`` (n, 2) px of it; what is
    ``calm``, off all steps, and what is ``blown`` out; ``steps`` (h, w) 1 at and beside steps."""

    lab: Floats
    slope: Floats
    points: Floats
    steps: NDArray[np.uint8]
    blown: Mask


def judge(picture: NDArray[np.uint8], points: Floats, drawn: bool | None = None) -> Drawing:
    """What the face with the landmarks ``points`` (478, 3) px in ``picture`` (h, w, 3) RGB looks like, unless a person
    has said whether it is ``drawn``; `Drawing.eyes` and `Drawing.mouth` say that it is worth to look for outlines."""
    if drawn is not None:
        return _FLAT_DRAWING if drawn else PHOTOGRAPH
    view = _view(picture, points)
    upper, lower = _halves(view)
    lit = _shows_light(view, upper, lower) or _shows_light(view, lower, upper)
    if lit or _score(view, _oval(view)) < _FLAT_SCORE:
        return PHOTOGRAPH
    eyes = [_round(view, eye, _EYE_REACH) for eye in _EYES.values()]
    mouth = _round(view, _LIPS, _MOUTH_REACH)
    skin = _oval(view) & ~(eyes[0] | eyes[1] | mouth)
    outlined, laid = (all(_outlined(view, part) for part in parts) for parts in (eyes, [mouth]))
    return Drawing(_flat_part(view, _oval(view)), _flat_part(view, skin), outlined, outlined, laid)


def eyes_stand_alone(picture: NDArray[np.uint8], points: Floats, least: float = _ALONE_EYE_SHARE) -> bool:
    """Whether there is skin of one colour round each eye, on the ``least`` share of it: where not, it is no eye."""
    view = _view(picture, points)
    return min(_alone(view, eye) for eye in _EYES.values()) > least


def mouth_stands_alone(picture: NDArray[np.uint8], points: Floats) -> bool:
    """The same of the lips."""
    return _alone(_view(picture, points), _LIPS) > _ALONE_MOUTH_SHARE


def _alone(view: _View, outline: tuple[int, ...]) -> float:
    """Share of what lies right round an ``outline`` that is of one colour."""
    inside = _within(view.points[list(outline)], view.slope.shape).astype(np.uint8)
    near, far = (
        cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * away + 1,) * 2)) for away in _RING_RANGE
    )
    ring = view.lab[(far > 0) & (near == 0)]
    return float((np.linalg.norm(ring - np.median(ring, axis=0), axis=1) < _RING_COLOUR).mean()) if len(ring) else 0.0


def _view(picture: NDArray[np.uint8], points: Floats) -> _View:
    oval = points[list(FACE_OVAL), :2]
    width = float(np.linalg.norm(points[234] - points[454]))
    low = np.floor(oval.min(axis=0) - _MARGIN * width).astype(int).clip(0)
    high = np.ceil(oval.max(axis=0) + _MARGIN * width).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    scale = _FACE_WIDTH / width
    size = [max(8, round(scale * side)) for side in part.shape[1::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
    placed = ((points[:, :2] - low) * scale).astype(np.float32)
    lab = cv2.GaussianBlur(cv2.cvtColor(lit(small, placed), cv2.COLOR_RGB2LAB), (0, 0), _BLUR)
    across, down = (cv2.Sobel(lab, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    slope = np.sqrt((across**2 + down**2).sum(axis=2))
    steps = cv2.dilate((slope > _STEP_SLOPE).astype(np.uint8), np.ones((5, 5), np.uint8))
    return _View(
        np.asarray(lab, np.float32), slope, placed, np.asarray(steps, np.uint8), small.min(axis=2) >= _BLOWN_LEVEL
    )


def lit(picture: NDArray[np.uint8], points: Floats) -> Floats:
    """``picture`` (h, w, 3) in 0 to 1, with all of the light that there is in the face of the landmarks ``points``
    (n, 2) px: a dark or a faint one looks as others do."""
    face = picture[_within(points[list(FACE_OVAL)], picture.shape[:2])]
    dark, bright = np.percentile(face, 1), np.percentile(face.max(axis=1), 95)
    gain = min(_BRIGHT_LEVEL / max(float(bright - dark), 1.0), _MOST_GAIN)
    return ((picture - np.float32(dark)) * np.float32(gain / 255)).clip(0, 1).astype(np.float32)


def _within(outline: Floats, shape: tuple[int, ...]) -> Mask:
    return cv2.fillPoly(np.zeros(shape, np.uint8), [outline.round().astype(np.int32)], (1,)) > 0


def _score(view: _View, region: Mask) -> float:
    """How flat the colours in ``region`` (h, w) are: 1 at most."""
    told = region & ~view.blown
    between = _between(view, told)
    calm = told & (view.steps == 0)
    if calm.sum() < _LEAST_REGION * region.sum():
        paper = (region & view.blown & (view.steps == 0)).sum() > _LEAST_REGION * region.sum()
        return 1.0 if paper and between < _PAPER_SLOPES and _contour(view, region) > _PEN_SLOPE else _STEPS_SCORE
    return _few(view.lab[calm]) - _shaded(view, calm) - between


def _halves(view: _View) -> tuple[Mask, Mask]:
    """The face above and below the middle of its nose: a mask, a hand or dark glasses may lie over one of them."""
    (x, y), (right, down) = view.points[list(_NOSE)].mean(axis=0), view.points[_CHIN] - view.points[_FOREHEAD]
    rows, columns = np.mgrid[: view.slope.shape[0], : view.slope.shape[1]]
    lower = (columns - x) * right + (rows - y) * down > 0
    return _oval(view) & ~lower, _oval(view) & lower


def _shows_light(view: _View, region: Mask, other: Mask) -> bool:
    """Whether light changes the colours in ``region`` as in no drawing, whatever the ``other`` half is like. Where
    there is little but steps, it is so if the other half's main colour is not met there."""
    score = _score(view, region)
    if score > _FLAT_SCORE or _between(view, region & ~view.blown) < _LIT_SLOPES:
        return False
    calm = view.lab[other & (view.steps == 0)]
    if score > _STEPS_SCORE or not len(calm):
        return score > _STEPS_SCORE
    alike = np.linalg.norm(view.lab[region] - np.median(calm, axis=0), axis=1) < _SHARED_COLOUR
    return float(alike.mean()) < _SHARED_SHARE


def _between(view: _View, region: Mask) -> float:
    """Share of ``region`` whose colours change, but not by steps."""
    slopes = view.slope[region]
    return float(((slopes > _SHADING_SLOPES[0]) & (slopes < _SHADING_SLOPES[1])).mean()) if len(slopes) else 0.0


def _few(colours: Floats) -> float:
    """Share of ``colours`` (n, 3) Lab that are, as exactly as compression leaves them, those of a few areas."""
    left, count = colours, 0
    for _ in range(_MOST_COLOURS):
        if len(left) <= _LEAST_COLOUR_SHARE * len(colours):
            break
        cells = (left / 1.5).round().astype(np.int64) @ [1, 1000, 1000000]
        _, where, counts = np.unique(cells, return_inverse=True, return_counts=True)
        middle = left[where == counts.argmax()].mean(axis=0)
        for _ in range(3):
            near = left[np.linalg.norm(left - middle, axis=1) < _SAME_COLOUR + 0.2]
            middle = np.median(near, axis=0) if len(near) else middle
        away = np.linalg.norm(left - middle, axis=1)
        found = int((away < _SAME_COLOUR).sum())
        if found < _LEAST_COLOUR_SHARE * len(colours):
            break
        count, left = count + found, left[away > _COLOUR_DISTANCE]
    return count / max(len(colours), 1)


def _shaded(view: _View, calm: Mask) -> float:
    """Share of the ways between two ``calm`` (h, w) pixels, without any step, along which the colour changes."""
    changed = ways = 0
    height, width = calm.shape
    for x, y in ((_WAY_LENGTH, 0), (0, _WAY_LENGTH)):
        start, end = np.s_[: height - y, : width - x], np.s_[y:, x:]
        passed = np.cumsum(view.steps, axis=1 if x else 0)
        clear = calm[start] & calm[end] & (passed[start] == passed[end])
        changed += int((clear & (np.linalg.norm(view.lab[end] - view.lab[start], axis=2) > _SHADING_CHANGE)).sum())
        ways += int(clear.sum())
    return changed / max(ways, 1)


def _oval(view: _View) -> Mask:
    return _within(view.points[list(FACE_OVAL)], view.slope.shape)


def _round(view: _View, ids: tuple[int, ...], reach: float) -> Mask:
    """What lies no farther than ``reach`` face widths from the middle of some points."""
    x, y = view.points[list(ids)].mean(axis=0).round().astype(int).tolist()
    return cv2.circle(np.zeros(view.slope.shape, np.uint8), (x, y), round(reach * _FACE_WIDTH), 1, -1) > 0


def _flat_part(view: _View, region: Mask) -> bool:
    calm = view.lab[region & (view.steps == 0)]
    return len(calm) > float(_LEAST_GROUND * region.sum()) and _few(calm) > _LEAST_FLAT_SHARE


def _outlined(view: _View, region: Mask) -> bool:
    """Whether there are hard edges on a flat ground in ``region``."""
    return _flat_part(view, region) and _contour(view, region) > _CONTOUR_SLOPE


def _contour(view: _View, region: Mask) -> float:
    """Lab a px, the median at the edges of what is drawn on the skin in ``region``; 0 if nothing is."""
    calm = view.lab[region & (view.steps == 0)]
    if not len(calm):
        return 0.0
    drawn = (np.linalg.norm(view.lab - np.median(calm, axis=0), axis=2) > _INK_DISTANCE).astype(np.uint8)
    edge = (cv2.morphologyEx(drawn, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0) & region
    return float(np.median(view.slope[edge])) if edge.any() else 0.0

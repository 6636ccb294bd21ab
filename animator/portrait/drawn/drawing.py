"""Decides whether a face is drawn in flat colours. Each treatment for drawings needs its own evidence; in doubt it is
not applied.

A flat drawing consists of areas of exactly one colour with steps between them. In a photograph, a painting or a
computer rendering, however smooth, light changes the colour of the skin all the way from the nose to the cheek: there
may be no texture, but there are gradients (slopes). The evidence is therefore measured over whole regions, away from
steps: what share of them has one of a few colours, and how often the colour changes over a short distance without a
step between.
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

_FACE_WIDTH = 128  # px, width to which the face is scaled before anything is measured
_MARGIN = 0.1  # face widths around the oval that are included
_BLUR = 1.6  # px, blur that removes noise, hatching and compression artefacts
_BRIGHT_LEVEL = 235.0  # of 255, of the face's brightest parts after scaling: dark pictures have slopes, too
_MOST_GAIN = 8.0
_BLOWN_LEVEL = 248  # of 255: pixels lighter in all channels are not counted, except in a line drawing on white
_STEP_SLOPE = 1.3  # Lab a px: steeper is a step between two areas
_SHADING_SLOPES = 0.4, 4.0  # Lab a px, range of shading: less is compression, more is a drawn step
_SAME_COLOUR = 1.8  # Lab: colours that differ by less are one
_COLOUR_DISTANCE = 6.5  # Lab, least distance between two of the few colours
_MOST_COLOURS = 8  # how many count as few
_LEAST_COLOUR_SHARE = 0.02  # least share of a region that one of the few colours covers
_WAY_LENGTH, _SHADING_CHANGE = 16, 2.0  # px between two pixels; change of Lab over them that is shading
_LEAST_REGION = 0.1  # least share of a region that must lie off steps and not be blown out for it to be evidence
# A line drawing on white has a smaller share of slopes than this, and sharper lines (Lab a px).
_PAPER_SLOPES, _PEN_SLOPE = 0.18, 7.6

_FLAT_SCORE = -0.2  # least score of a flat face: photographs and paintings have at most -0.5, drawings at least -0.06
_LIT_SLOPES = 0.42  # share of slopes in half a face: drawings have up to .36, photographs .44 or more
# Lab and share of a half-face from which the other half's main colour counts as present: skin is in both, a mask not.
_SHARED_COLOUR, _SHARED_SHARE = 5.0, 0.04
_STEPS_SCORE = -1.0  # score of a region that consists almost entirely of steps
_NOSE, _CHIN, _FOREHEAD = (6, 1), 152, 10
_LEAST_GROUND = 0.06  # least share of the surroundings of an eye or a mouth that lies off steps
_LEAST_FLAT_SHARE = 0.5  # least share of these that has one of a few colours
_EYE_REACH, _MOUTH_REACH = 0.24, 0.24  # face widths, radius of the surroundings of an eye and of a mouth
_INK_DISTANCE = 12.0  # Lab, least distance of what is drawn from the skin
_RING_RANGE = 2, 6  # px around landmarks fitted to an outline: skin, if it was the right outline
_RING_COLOUR = 8.0  # Lab by which the colour of that skin may differ
_ALONE_EYE_SHARE, _ALONE_MOUTH_SHARE = 0.55, 0.8  # least share of that ring in one colour: an eye has lashes and brows
SURE_EYE_SHARE = 0.8  # the same for an eye found by landmarks alone
_CONTOUR_SLOPE = 4.0  # Lab a px, least median slope at the edges of what is drawn; photographs have half of it


class Drawing(NamedTuple):
    """Which of the treatments for flat drawings a face gets."""

    colours: bool  # teeth, tongue and the inside of the mouth get flat colours
    skin: bool  # the skin gets no wrinkles
    eyes: bool  # the eyes are fitted to the drawn outlines
    lids: bool  # the lids have the skin's one colour, and shut in a line
    mouth: bool  # the lips are fitted to the drawn stroke or shape

    @property
    def eyes_lost(self) -> bool:
        """Whether the face is drawn but its eyes were not found: neither a drawing's lids nor a person's would fit
        them."""
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
    """The face as it is measured, scaled to `_FACE_WIDTH`, brightened and blurred.

    ``lab`` (h, w, 3): its colours in CIELAB; ``slope`` (h, w): their gradient in Lab a px; ``points`` (n, 2): the
    landmarks in px of this image; ``steps`` (h, w): 1 at and beside steps, else 0; ``blown`` (h, w): whether a pixel is
    blown out.
    """

    lab: Floats
    slope: Floats
    points: Floats
    steps: NDArray[np.uint8]
    blown: Mask


def judge(picture: NDArray[np.uint8], points: Floats, drawn: bool | None = None) -> Drawing:
    """The treatments for the face with landmarks ``points`` (478, 3) px in ``picture`` (h, w, 3) RGB.

    A person's word whether it is ``drawn`` decides. If `Drawing.eyes` or `Drawing.mouth` is set, it is worth searching
    for outlines.
    """
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
    """Whether at least the share ``least`` of the skin around each eye has one colour; otherwise the outline is not an
    eye."""
    view = _view(picture, points)
    return min(_alone(view, eye) for eye in _EYES.values()) > least


def mouth_stands_alone(picture: NDArray[np.uint8], points: Floats) -> bool:
    """As `eyes_stand_alone`, for the lips."""
    return _alone(_view(picture, points), _LIPS) > _ALONE_MOUTH_SHARE


def _alone(view: _View, outline: tuple[int, ...]) -> float:
    """Share of the ring around an ``outline`` that has a single colour."""
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
    """``picture`` (h, w, 3) as 0 to 1, its levels stretched to the range within the face with landmarks ``points`` (n,
    2) px, so that dark and faint pictures are judged like others."""
    face = picture[_within(points[list(FACE_OVAL)], picture.shape[:2])]
    dark, bright = np.percentile(face, 1), np.percentile(face.max(axis=1), 95)
    gain = min(_BRIGHT_LEVEL / max(float(bright - dark), 1.0), _MOST_GAIN)
    return ((picture - np.float32(dark)) * np.float32(gain / 255)).clip(0, 1).astype(np.float32)


def _within(outline: Floats, shape: tuple[int, ...]) -> Mask:
    return cv2.fillPoly(np.zeros(shape, np.uint8), [outline.round().astype(np.int32)], (1,)) > 0


def _score(view: _View, region: Mask) -> float:
    """How flat the colours in ``region`` (h, w) are; at most 1."""
    told = region & ~view.blown
    between = _between(view, told)
    calm = told & (view.steps == 0)
    if calm.sum() < _LEAST_REGION * region.sum():
        paper = (region & view.blown & (view.steps == 0)).sum() > _LEAST_REGION * region.sum()
        return 1.0 if paper and between < _PAPER_SLOPES and _contour(view, region) > _PEN_SLOPE else _STEPS_SCORE
    return _few(view.lab[calm]) - _shaded(view, calm) - between


def _halves(view: _View) -> tuple[Mask, Mask]:
    """The face above and below the middle of its nose, since a mask, a hand or dark glasses may cover one half."""
    (x, y), (right, down) = view.points[list(_NOSE)].mean(axis=0), view.points[_CHIN] - view.points[_FOREHEAD]
    rows, columns = np.mgrid[: view.slope.shape[0], : view.slope.shape[1]]
    lower = (columns - x) * right + (rows - y) * down > 0
    return _oval(view) & ~lower, _oval(view) & lower


def _shows_light(view: _View, region: Mask, other: Mask) -> bool:
    """Whether light shades the colours in ``region`` as it never does in a drawing, whatever the ``other`` half shows.

    If ``region`` is almost entirely steps, the other half's main colour must also be missing from it.
    """
    score = _score(view, region)
    if score > _FLAT_SCORE or _between(view, region & ~view.blown) < _LIT_SLOPES:
        return False
    calm = view.lab[other & (view.steps == 0)]
    if score > _STEPS_SCORE or not len(calm):
        return score > _STEPS_SCORE
    alike = np.linalg.norm(view.lab[region] - np.median(calm, axis=0), axis=1) < _SHARED_COLOUR
    return float(alike.mean()) < _SHARED_SHARE


def _between(view: _View, region: Mask) -> float:
    """Share of ``region`` in which colours change without steps."""
    slopes = view.slope[region]
    return float(((slopes > _SHADING_SLOPES[0]) & (slopes < _SHADING_SLOPES[1])).mean()) if len(slopes) else 0.0


def _few(colours: Floats) -> float:
    """Share of ``colours`` (n, 3) Lab that match one of a few colours as closely as compression allows."""
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
    """Share of pairs of ``calm`` (h, w) pixels, `_WAY_LENGTH` apart without a step between, whose colours differ."""
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
    """The disc with a radius of ``reach`` face widths around the mean of the landmarks ``ids``."""
    x, y = view.points[list(ids)].mean(axis=0).round().astype(int).tolist()
    return cv2.circle(np.zeros(view.slope.shape, np.uint8), (x, y), round(reach * _FACE_WIDTH), 1, -1) > 0


def _flat_part(view: _View, region: Mask) -> bool:
    calm = view.lab[region & (view.steps == 0)]
    return len(calm) > float(_LEAST_GROUND * region.sum()) and _few(calm) > _LEAST_FLAT_SHARE


def _outlined(view: _View, region: Mask) -> bool:
    """Whether there are hard edges on a flat background in ``region``."""
    return _flat_part(view, region) and _contour(view, region) > _CONTOUR_SLOPE


def _contour(view: _View, region: Mask) -> float:
    """The median slope, in Lab a px, at the edges of what is drawn on the skin in ``region``; 0 if nothing is drawn."""
    calm = view.lab[region & (view.steps == 0)]
    if not len(calm):
        return 0.0
    drawn = (np.linalg.norm(view.lab - np.median(calm, axis=0), axis=2) > _INK_DISTANCE).astype(np.uint8)
    edge = (cv2.morphologyEx(drawn, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0) & region
    return float(np.median(view.slope[edge])) if edge.any() else 0.0

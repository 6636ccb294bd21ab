"""Lines that expressions fold into skin: forehead, frown, crow's feet, nasolabial folds.

Drawn once per portrait into a layer over the picture, along landmarks, dark in the crease and light on its shoulders,
in the colours of the skin around; an expression fades its lines in. The more lines the picture shows the deeper and
finer they are; a flat drawing gets none, and at rest there are none.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.space import INDEX
from animator.portrait.geometry.topology import mesh
from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.surface import raster

LEAST_ACTIVITY = 0.03  # of an expression, below which nothing is drawn
_LINE_REACH = 0.055  # face widths around a line that are drawn
_CREASE_TONE, _SHOULDER_TONE = 0.42, 1.22  # colour of crease and shoulder, in those of the skin around
_SKIN_REACH = 0.03  # face widths over which skin is averaged
_DETAIL_SIZE = 0.010  # face widths: finer is detail
_SMOOTH_DETAIL, _LINED_DETAIL = 0.015, 0.045  # detail over luma of a face without lines, and of an old one
_YOUNG_DEPTH, _YOUNG_WIDTH = 0.4, 2.2  # share of the lines' depth and times their width that a face without any gets
_SKIN_DISTANCE = 22.0  # in Lab from the skin's colour that hair, hats and glasses differ by

Spot = tuple[int, int, float]  # a place between two landmarks


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines on the right half of the face, each through `Spot`s; ``width`` of the crease in face widths, ``depth`` at
    full activity; what ``causes`` it: ARKit shapes (without their side) and how much each contributes; whether lines go
    ``through`` to the other half."""

    lines: tuple[tuple[Spot, ...], ...]
    width: float
    depth: float
    causes: dict[str, float]
    through: bool = False


FOLDS = (
    Fold(
        (
            ((105, 104, 0.55), (66, 69, 0.55), (107, 108, 0.60), (9, 151, 0.72)),
            ((104, 103, 0.05), (69, 67, 0.05), (108, 109, 0.10), (151, 10, 0.12)),
            ((104, 103, 0.55), (69, 67, 0.55), (108, 109, 0.60), (151, 10, 0.62)),
        ),
        0.0085, 0.27, {"browInnerUp": 0.75, "browOuterUp": 0.45, "browDown": -0.8}, True,
    ),
    Fold((((168, 193, 0.55), (8, 55, 0.50), (9, 107, 0.42)),), 0.0075, 0.50, {"browDown": 1.0, "noseSneer": 0.3}),
    Fold(
        (
            ((226, 124, 0.15), (226, 124, 0.60), (124, 156, 0.30)),
            ((226, 35, 0.35), (35, 143, 0.30), (35, 143, 0.90)),
            ((31, 35, 0.30), (35, 111, 0.60), (111, 116, 0.40)),
        ),
        0.0055, 0.34, {"mouthSmile": 0.45, "cheekSquint": 0.55, "eyeSquint": 0.35},
    ),
    Fold(
        (((129, 203, 0.15), (203, 203, 0.0), (206, 206, 0.0), (216, 216, 0.0), (212, 57, 0.45)),),
        0.0120, 0.40, {"mouthSmile": 0.9, "noseSneer": 0.7, "mouthUpperUp": 0.4, "mouthPucker": -0.6},
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """A fold on one side: the ARKit weights (52,) that ``cause`` it, (N,) ``opacity`` at full activity, where it is."""

    cause: Floats
    opacity: Floats
    triangles: Ints


@dataclass(frozen=True, slots=True)
class Wrinkles:
    """All lines in one ``texture`` over the picture, and where and when each of the ``groups`` is seen."""

    texture: raster.Texture
    groups: tuple[Group, ...]


def wrinkles(portrait: Portrait, face: Ints, count: int) -> Wrinkles | None:
    """Lines for ``portrait``, whose mesh has ``count`` vertices and the triangles ``face``; none for flat drawings."""
    if portrait.drawing.skin:
        return None
    skin = _skin(portrait)
    lined = _lined(portrait, skin)
    relief = np.zeros(portrait.picture.shape[:2], np.float32)
    groups: list[Group] = []
    for fold in FOLDS:
        sides = {side: [_line(portrait, spots, side) for spots in fold.lines] for side in ("Right", "Left")}
        lines = [line for pair in zip(*sides.values(), strict=True) for line in pair]
        width = float(fold.width * portrait.face_width * np.interp(lined, [0, 1], [_YOUNG_WIDTH, 1]))
        relief += _creases(relief.shape, lines, fold, width)
        groups += [_group(portrait, fold, side, own, face, count) for side, own in sides.items()]
    relief *= skin * np.float32(np.interp(lined, [0, 1], [_YOUNG_DEPTH, 1]))
    return Wrinkles(_texture(portrait, relief), tuple(groups))


def draw(frame: Image, made: Wrinkles, surface: raster.Surface, weights: Floats) -> None:
    """Fade the lines in over the face in ``frame``, its mesh being ``surface``, by ARKit ``weights`` (52,)."""
    for group in made.groups:
        activity = min(float(group.cause @ weights), 1.0)
        if activity > LEAST_ACTIVITY:
            over = surface._replace(opacity=group.opacity * np.float32(activity))
            raster.draw_over(frame, made.texture, over, group.triangles)


def _line(portrait: Portrait, spots: tuple[Spot, ...], side: str) -> Floats:
    """(n, 2) px: a smooth line through ``spots``, mirrored to the other half of the face for the left ``side``."""
    mirror = mesh().mirror
    places: list[Floats] = []
    for a, b, share in spots:
        one, other = (a, b) if side == "Right" else (mirror[a], mirror[b])
        places.append(portrait.vertices[one, :2] * (1 - share) + portrait.vertices[other, :2] * share)
    points = np.array(places)
    at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    dense = np.linspace(0, at[-1], 24)
    line = np.stack([np.interp(dense, at, points[:, d]) for d in (0, 1)], axis=1)
    for _ in range(12):
        line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
    return f32(line)


def _creases(shape: tuple[int, ...], lines: list[Floats], fold: Fold, width: float) -> Floats:
    """(h, w) relief of ``lines`` (n, 2) px of ``fold``, ``width`` px wide: up to its depth in a crease, below 0 on its
    shoulders."""
    drawn = np.zeros(shape, np.float32)
    end = np.pi / 2 if fold.through else np.pi - 0.12
    for number, line in enumerate(lines):
        uneven = 0.85 + 0.15 * np.sin(np.linspace(0, 7, len(line)) + number)
        fade = np.sin(np.linspace(0.12, end, len(line))) ** 0.7
        for (x0, y0), (x1, y1), value in zip(line[:-1] * 16, line[1:] * 16, fade * uneven, strict=False):
            ends = (round(float(x0)), round(float(y0))), (round(float(x1)), round(float(y1)))
            cv2.line(drawn, *ends, (float(value),), 1, cv2.LINE_AA, 4)
    fine, wide = (cv2.GaussianBlur(drawn, (0, 0), sigma) for sigma in (width, 2.6 * width))
    peak = 1 / (np.sqrt(2 * np.pi) * width)  # of the blurred line
    return f32(fold.depth * (fine - 0.75 * wide) / peak / (1 - 0.75 / 2.6))


def _group(portrait: Portrait, fold: Fold, side: str, lines: list[Floats], face: Ints, count: int) -> Group:
    shown = np.zeros(len(INDEX), np.float32)
    for name, share in fold.causes.items():
        shown[INDEX[name if name in INDEX else name + side]] = share
    away = np.linalg.norm(portrait.vertices[:, None, :2] - np.concatenate(lines)[None], axis=2).min(axis=1)
    opacity = np.zeros(count, np.float32)
    opacity[: len(away)] = (2 - 1.6 * away / (_LINE_REACH * portrait.face_width)).clip(0, 1)
    already = float(np.clip(1.3 * shown @ portrait.expression, 0, 0.8))
    return Group(shown, opacity * np.float32(1 - already), face[(opacity[face] > 0).any(axis=1)])


def _skin(portrait: Portrait) -> Floats:
    """(h, w) 0 to 1: where the picture shows skin, by the colour of the cheeks and the forehead around."""
    lab = cv2.cvtColor((portrait.picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    smooth = cv2.GaussianBlur(lab, (0, 0), 0.01 * portrait.face_width)
    spots = portrait.vertices[[50, 280, 205, 425, 151, 9, 36, 266], :2].round().astype(int)
    x, y = spots.clip(0, np.array(smooth.shape[1::-1]) - 1).T  # the border may cut the face off
    apart = np.abs(smooth - np.median(smooth[y, x], axis=0)) * f32([0.5, 1, 1])  # light varies on skin
    likely = (2 - np.linalg.norm(apart, axis=2) / _SKIN_DISTANCE).clip(0, 1)
    return cv2.GaussianBlur(likely, (0, 0), 0.01 * portrait.face_width)


def _lined(portrait: Portrait, skin: Floats) -> float:
    """0 to 1: by how much fine detail the skin of forehead, temples and cheeks has."""
    grey = cv2.cvtColor(portrait.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sigma = _DETAIL_SIZE * portrait.face_width
    fine = cv2.GaussianBlur(grey, (0, 0), 0.3 * sigma) - cv2.GaussianBlur(grey, (0, 0), sigma)
    seen: list[NDArray[np.floating]] = []
    for at in (151, 108, 337, 117, 346, 50, 280, 205, 425):
        x, y = portrait.vertices[at, :2].round().astype(int)
        r = max(int(0.04 * portrait.face_width), 2)
        patch = np.s_[max(y - r, 0) : y + r, max(x - r, 0) : x + r]
        if skin[patch].size and skin[patch].mean() > 0.5:
            seen.append(fine[patch].std() / max(float(grey[patch].mean()), 20.0))
    rough = float(np.median(seen)) if seen else _SMOOTH_DETAIL
    return float(np.interp(rough, [_SMOOTH_DETAIL, _LINED_DETAIL], [0, 1]))


def _texture(portrait: Portrait, relief: Floats) -> raster.Texture:
    """The ``relief`` (h, w), dark above 0 and light below, in the colours of the skin around."""
    around = cv2.GaussianBlur(portrait.picture.astype(np.float32), (0, 0), _SKIN_REACH * portrait.face_width)
    tone = np.where(relief[..., None] > 0, _CREASE_TONE, _SHOULDER_TONE)
    alpha = np.abs(relief).clip(0, 0.6)[..., None]
    paint = np.concatenate([(around * tone).clip(0, 255) * alpha, 255 * alpha], axis=2)
    return raster.pack(paint.round().astype(np.uint8))

"""Procedural teeth, gums and tongue: anatomical widths on two dental arches, painted on unrolled strips.

Units are cm until `mouth` scales them to the face. Strips run along the arch from the subject's right to left.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.render.kernels.arrays import Floats, Ints, f32

Colour = Floats  # (3,) RGB in 0 to 255

TEXELS_PER_CM = 40  # texels
GUM_HEIGHT = 1.0  # cm that the gum reaches beyond the crowns
CORNER_RADIUS = 0.09  # cm by which the corners of a tooth's edge are rounded off
SEAM_WIDTH, SEAM_SHADE = 0.028, 0.13  # cm to both sides of where two teeth touch, and by how much it is darker
UNDERSIDE_SHARE = 0.35  # of the tongue's length that is seen below its tip
TIP_SHARE = 0.3  # of the tongue's length, over which its tip bends
EYE_TOOTH = 2  # from the middle; it is a little yellower
_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row of teeth from the middle outwards: ``widths`` and ``heights`` of the crowns, how far their edges ``rise``
    out of the line of the middle ones; half ``breadth`` and ``depth`` of the arch, an ellipse."""

    widths: tuple[float, ...]
    heights: tuple[float, ...]
    rise: tuple[float, ...]
    breadth: float
    depth: float


UPPER_ROW = Row(
    (0.86, 0.67, 0.77, 0.70, 0.67, 1.0), (1.06, 0.94, 1.02, 0.86, 0.8, 0.75), (0, 0.07, 0.0, 0.08, 0.1, 0.12), 2.75, 3.9
)
LOWER_ROW = Row(
    (0.54, 0.60, 0.68, 0.70, 0.72, 1.1), (0.88, 0.9, 0.95, 0.85, 0.8, 0.75), (0, 0.0, -0.03, 0.06, 0.1, 0.1), 2.4, 3.5
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Textured surface: ``vertices`` (V, 3) cm, x right, y down, z towards the viewer; ``uv`` (V, 2) texels;
    ``shade`` and ``opacity`` (V,); ``triangles`` (T, 3); ``paint`` (h, w, 4) uint8, colour times opacity, and that;
    ``tip`` (V,) how much of a tongue's tip a vertex is."""

    vertices: Floats
    uv: Floats
    shade: Floats
    opacity: Floats
    triangles: Ints
    paint: NDArray[np.uint8]
    tip: Floats


def row_of_teeth(row: Row, white: Colour, gum: Colour) -> Piece:
    """A row with its edges at y = 0 and the middle of its front at the origin, crowns up (negative y)."""
    half = sum(row.widths)
    tall = max(row.heights) + GUM_HEIGHT
    paint = _strip(row, white, gum)
    reach = np.linspace(-half, half, _COLUMNS + 1)
    angle = _angle(reach, row)
    x, z = row.breadth * np.sin(angle), -row.depth * (1 - np.cos(angle))
    below = 0.15  # the strip goes on a little beyond the edges
    vertices = np.concatenate([np.stack([x, np.full_like(x, y), z], axis=1) for y in (-tall, below)])
    texels = (reach + half) * TEXELS_PER_CM
    uv = np.concatenate([np.stack([texels, np.full_like(x, v)], axis=1) for v in (0, (tall + below) * TEXELS_PER_CM)])
    back = np.clip((np.abs(reach) / half - 0.55) / 0.42, 0, 1)
    shade = np.tile((0.3 + 0.7 * np.clip(np.cos(angle), 0, 1)) * (1 - 0.85 * back * back * (3 - 2 * back)), 2)
    return _piece(vertices, uv, (shade, np.tile(1 - back**2, 2)), 2, paint)


def drawn_teeth(row: Row, white: Colour) -> Piece:
    """As `row_of_teeth`, but the plain band that cartoons show: no single teeth, no gum, no shade."""
    made = row_of_teeth(row, white, white)
    paint = np.empty_like(made.paint)
    paint[:] = (*white.round().clip(0, 255), 255)
    paint[-round(0.15 * TEXELS_PER_CM) :] = 0
    return replace(made, shade=np.ones_like(made.shade), opacity=np.ones_like(made.opacity), paint=paint)


def drawn_tongue(colour: Colour) -> Piece:
    """As `tongue`, but in one colour."""
    made = tongue(colour)
    opacity = f32(cv2.GaussianBlur(f32(made.paint[..., 3] > 128), (0, 0), 1.0))
    paint = _premultiplied(np.broadcast_to(colour, (*opacity.shape, 3)), opacity)
    return replace(made, shade=np.ones_like(made.shade), paint=paint, tip=np.zeros_like(made.tip))


def tongue(colour: Colour) -> Piece:
    """A tongue that rests behind lower teeth whose edges are at y = 0: moist, and lost in the dark towards its root."""
    across, along = (
        np.linspace(-1, 1, 13),
        np.concatenate([np.linspace(-UNDERSIDE_SHARE, 0, 5)[:-1], np.linspace(0, 1, 17)]),
    )
    whole, s = np.meshgrid(along, across, indexing="ij")
    t, under = whole.clip(0), (-whole).clip(0) / UNDERSIDE_SHARE  # before the tip its underside goes down and back
    breadth = 2.15 * np.sqrt(np.clip(1 - (1 - np.minimum(t / 0.35, 1)) ** 2 * 0.75, 0, 1))
    x = s * breadth
    z = -0.75 - 3.4 * t - 0.25 * s**2
    y = (
        0.55
        + 0.5 * (np.maximum(0.22 - t, 0) / 0.22) ** 2
        - 0.85 * np.sin(np.minimum(t / 0.7, 1) * np.pi / 2)
        + 0.5 * s**2
    )
    y, z = y + 0.9 * under, z - 0.8 * under
    shade = (0.08 + 0.98 * np.exp(-((np.maximum(t - 0.1, 0) / 0.30) ** 2))) * (0.85 + 0.15 * np.minimum(t / 0.1, 1))
    paint = _tongue_paint(colour)
    rows, columns = paint.shape[:2]
    uv = np.stack([(s.ravel() + 1) / 2 * (columns - 1), t.clip(0.05).ravel() * (rows - 1)], axis=1)
    shade = np.where(under > 0, 0.9 - 0.35 * under, shade)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    made = _piece(vertices, uv, (shade.ravel(), np.ones(shade.size)), len(along), paint)
    return replace(made, tip=f32(np.exp(-((whole / TIP_SHARE) ** 2) - (0.7 * s) ** 2).ravel()))


def _tongue_paint(colour: Colour) -> NDArray[np.uint8]:
    """The texture, with the tip in the first row: a groove in the middle, highlights on both sides of it, and rough
    skin."""
    rows, columns = 64, 96
    v, u = np.mgrid[:rows, :columns].astype(np.float32)
    u, v = u / (columns - 1) * 2 - 1, v / (rows - 1)
    groove = 1 - 0.15 * np.exp(-((u / 0.09) ** 2)) * np.clip(v * 4, 0, 1)
    round_ = 0.3 + 0.7 * np.sqrt(np.clip(1 - u**2, 0, 1))
    rough = np.random.default_rng(0).normal(0, 1, (rows, columns)).astype(np.float32)
    rough = cv2.GaussianBlur(rough, (0, 0), 1.2)
    rgb = colour * (groove * round_ * (1 + 0.1 * rough))[..., None]
    wet = np.exp(-(((np.abs(u) - 0.3) / 0.2) ** 2) - ((v - 0.19) / 0.07) ** 2) * (0.7 + 0.8 * rough).clip(0, 1)
    rgb += (0.34 * wet)[..., None] * (255 * colour / colour.max() - rgb)
    alpha = np.clip((1 - np.abs(u)) / 0.25, 0, 1) * np.clip(v / 0.03, 0, 1) * np.clip((1 - v) / 0.5, 0, 1)
    return _premultiplied(rgb, alpha)


def _angle(reach: Floats, row: Row) -> Floats:
    """The angle on the ellipse, in radians, at the arc length ``reach`` from its middle."""
    angles = np.linspace(0, np.pi / 2, 400)
    steps = np.hypot(np.diff(row.breadth * np.sin(angles)), np.diff(row.depth * np.cos(angles)))
    length = np.concatenate([[0], np.cumsum(steps)])
    return np.sign(reach) * np.interp(np.abs(reach), length, angles)


def _strip(row: Row, white: Colour, gum: Colour) -> NDArray[np.uint8]:
    half, tall = sum(row.widths), max(row.heights) + GUM_HEIGHT
    width, height = round(2 * half * TEXELS_PER_CM) + 1, round((tall + 0.15) * TEXELS_PER_CM) + 1
    v, u = np.mgrid[:height, :width].astype(np.float32) / TEXELS_PER_CM
    s, y = u - half, tall - v  # along the arch; height above the edges of the middle teeth
    bounds = np.cumsum((0, *row.widths))
    number = np.clip(np.searchsorted(bounds, np.abs(s), side="right") - 1, 0, len(row.widths) - 1)
    middle = (bounds[number] + bounds[number + 1]) / 2
    across = (np.abs(s) - middle) / (np.asarray(row.widths)[number] / 2)  # -1 to 1 within a tooth
    crown, rise = np.asarray(row.heights)[number], np.asarray(row.rise)[number]
    up = (y - rise) / crown  # 0 at the edge, 1 at the gum
    soft = 1.3 / TEXELS_PER_CM
    opaque = np.clip((y - rise - CORNER_RADIUS * np.abs(across) ** 6) / soft + 0.5, 0, 1)
    neck = rise + crown * (1 - 0.16 * np.abs(across) ** 2.5)
    in_gum = np.clip((y - neck) / soft + 0.5, 0, 1)
    to_next = (1 - np.abs(across)) * np.asarray(row.widths)[number] / 2  # cm
    deep = np.clip((up - 0.45) / 0.5, 0, 1)  # between two teeth it is darker towards the gum
    seam = np.exp(-((to_next / (SEAM_WIDTH + 0.03 * deep)) ** 2)) * (SEAM_SHADE + 0.22 * deep)
    shading = np.linspace(1, 0.86, len(row.widths))[number]
    body = shading * (1 - 0.07 * across**2) * (1 - 0.06 * np.clip(1 - up / 0.2, 0, 1)) * (1 - seam)
    body *= 1 + 0.05 * np.exp(-((across / 0.5) ** 2) - ((up - 0.4) / 0.22) ** 2) + _uneven(height, width)
    warm = np.clip((up - 0.3) / 0.7, 0, 1)[..., None] + 0.6 * (number == EYE_TOOTH)[..., None] + 2 * seam[..., None]
    colour = white * body[..., None] * (1 - warm * f32([0.015, 0.04, 0.08]))
    ridge = 0.86 + 0.14 * np.clip(1 - (y - neck) / 0.5, 0, 1) + 0.04 * np.cos(across * np.pi)
    colour += (gum * ridge[..., None] - colour) * in_gum[..., None]
    return _premultiplied(colour, np.maximum(opaque, in_gum))


def _uneven(height: int, width: int) -> Floats:
    """(height, width): small variations of the light that enamel reflects."""
    noise = np.random.default_rng(1).normal(0, 1, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 0.06 * TEXELS_PER_CM)
    return 0.018 * smooth / smooth.std()


def _premultiplied(colour: Floats, opacity: Floats) -> NDArray[np.uint8]:
    scaled = np.concatenate([colour * opacity[..., None], 255 * opacity[..., None]], axis=2)
    return scaled.round().clip(0, 255).astype(np.uint8)


def _piece(vertices: Floats, uv: Floats, light: tuple[Floats, Floats], rows: int, paint: NDArray[np.uint8]) -> Piece:
    """A grid of ``rows`` rows; ``light`` is its shade and its opacity."""
    columns = len(vertices) // rows
    a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    b, c, d = a + 1, a + columns + 1, a + columns
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    still = np.zeros(len(vertices), np.float32)
    return Piece(f32(vertices), f32(uv), f32(light[0]), f32(light[1]), triangles, paint, still)

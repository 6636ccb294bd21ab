"""The mouth behind the lips: cavity, tongue and teeth in space, the picture's own teeth where it shows them.

The upper row and what the picture shows of it are rigid to the skull, the lower row and the tongue move with the jaw.
All is drawn at twice the resolution and blended into the opening between the lips.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.portrait import Portrait
from animator.render import raster
from animator.render.body import Body, smoothstep
from animator.render.eyes import height_at
from animator.render.holes import box, coverage
from animator.render.jit import kernel
from animator.render.lookup import bilinear
from animator.render.pose import rotation
from animator.render.teeth import LOWER, UPPER, Piece, row_of_teeth, tongue

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Frame = NDArray[np.uint8]

CM = 1 / 14.2  # face widths
SHOWN = 0.018  # face widths of the upper teeth that show below the lip of a mouth that just opens
OVERBITE = 0.030  # face widths by which the edges of the lower teeth lie below those of the upper ones
BEHIND = 0.012  # face widths that the lower row stands behind the upper one
RAISED = 0.035  # face widths that the tongue lies above its anatomical place
EXTENDED = 0.03  # face widths that the picture's teeth go on above the lip
UNDER_LIP, UNDER_LIP_DEPTH = 0.74, 0.028  # brightness right below the upper lip; face widths where its shadow ends
CORNER, CORNER_WIDTH = 0.45, 0.16  # brightness at the corners; share of the width where their shadow ends
_BESIDE = 0.015  # face widths by which made teeth stay above the edges of those in the picture
_FORGET = 0.02  # face widths of change in the opening over which the picture's own detail gives way


@dataclass(frozen=True, slots=True)
class Part:
    """A drawable piece: ``points`` (V, 3) in px of the picture; ``jaw`` when it moves with the lower jaw."""

    points: Floats
    uv: Floats
    shade: Floats
    opacity: Floats
    triangles: Ints
    texture: raster.Texture
    jaw: bool


@dataclass(frozen=True, slots=True)
class Mouth:
    """``parts`` back to front; ``cavity`` (3,) colour; the layers start at ``corner`` (x, y) of the picture: ``own``
    (h, w, 4), teeth in the picture and their opacity, ``detail`` (h, w, 3), what it shows beyond the parts; ``gap``
    (N,) px between the lips at rest; ``anchor`` (3,) of the teeth in the space of `Body`."""

    parts: tuple[Part, ...]
    cavity: Floats
    corner: tuple[int, int]
    own: Floats
    detail: Floats
    gap: Floats
    anchor: Floats
    upper: Ints
    lower: Ints
    unit: float  # px of a face width


def mouth(portrait: Portrait, body: Body) -> Mouth:
    """Build the mouth of ``portrait`` with colours taken from its picture."""
    corner, own = _own_teeth(portrait)
    colours = _colours(portrait, own)
    cm = _cm(portrait)
    width = portrait.face_width
    teeth = _edge(portrait, corner, own)
    upper_edge = np.float32([0, -_BESIDE * width * own[..., 3].any(), 0])
    lower_edge = np.float32([0, OVERBITE * width, -BEHIND * width])
    above = row_of_teeth(UPPER, colours["teeth"], colours["gum"])
    below = row_of_teeth(LOWER, colours["teeth"] * np.float32(0.93), colours["gum"])
    lap = tongue(colours["tongue"])
    down = lower_edge - np.float32([0, RAISED * width, 0])
    parts = [
        _placed(portrait, lap, teeth, cm * np.float32([1, 1, 1]), down, True),
        _placed(portrait, below, teeth, cm * np.float32([1, -1, 1]), lower_edge, True),
        _placed(portrait, above, teeth, cm * np.float32([1, 1, 1]), upper_edge, False),
    ]
    upper, lower = portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]
    z = teeth[2]
    anchor = np.float32([*((teeth[:2] - body.centre) * (body.camera - z) / body.camera), z])
    gap = np.linalg.norm(portrait.vertices[upper, :2] - portrait.vertices[lower, :2], axis=1)
    made = Mouth(
        tuple(parts), colours["cavity"], corner, own, np.zeros_like(own[..., :3]), gap.astype(np.float32), anchor,
        upper, lower, width,
    )  # fmt: skip
    made.detail[:] = _detail(made, portrait, body)
    return made


def _edge(portrait: Portrait, corner: tuple[int, int], own: Floats) -> Floats:
    """(3,) px: where the edges of the two middle upper teeth meet, as low as the picture shows or lips let expect."""
    upper, lower = portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]
    middle = portrait.vertices[[upper[len(upper) // 2], lower[len(lower) // 2]]]
    x = 0.65 * middle[0, 0] + 0.35 * portrait.teeth[0]
    y = middle[0, 1] + SHOWN * portrait.face_width
    column = own[:, int(np.clip(round(float(middle[0, 0])) - corner[0], 0, own.shape[1] - 1)), 3]
    if (column > 0.5).any():
        y = corner[1] + np.flatnonzero(column > 0.5)[-1]
    return np.float32([x, y, portrait.teeth[2]])


def _placed(portrait: Portrait, piece: Piece, teeth: Floats, scale: Floats, shift: Floats, jaw: bool) -> Part:
    """``piece``, its cm times ``scale`` (3,), at the ``teeth`` of the picture and turned as its head."""
    points = (piece.vertices * scale + shift) @ rotation(*portrait.pose).T + teeth
    opacity = np.ones(len(points), np.float32)
    return Part(
        points.astype(np.float32), piece.uv, piece.shade, opacity, piece.triangles, raster.pack(piece.paint), jaw
    )


def _cm(portrait: Portrait) -> float:
    """px of a centimetre: by the face, but no more than a small painted mouth can hold."""
    ids = portrait.contours["lips_outer_upper"][[0, -1]]
    mouth_width = float(np.linalg.norm(portrait.vertices[ids[0]] - portrait.vertices[ids[1]]))
    fits = float(np.clip(mouth_width / (0.36 * portrait.face_width), 0.75, 1.15))
    return CM * portrait.face_width * fits**0.5


def _ring(portrait: Portrait, ring: str) -> NDArray[np.bool_]:
    outline = np.concatenate([portrait.contours[f"lips_{ring}_upper"], portrait.contours[f"lips_{ring}_lower"][::-1]])
    mask = np.zeros(portrait.picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [(portrait.vertices[outline, :2] * 16).round().astype(np.int32)], (1,), shift=4)
    return mask > 0


def _colours(portrait: Portrait, own: Floats) -> dict[str, Floats]:
    """Colours of the parts, in the picture's own light and palette."""
    picture = portrait.picture.astype(np.float32)
    face = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(face, [portrait.vertices[portrait.contours["face_oval"], :2].round().astype(np.int32)], (1,))
    pixels = picture[face > 0]
    luma = pixels @ np.float32([0.299, 0.587, 0.114])
    low, high = np.percentile(luma, (40, 75))
    skin = np.median(pixels[(luma > low) & (luma < high)], axis=0)
    bright = float(np.percentile(luma, 93))
    lips = np.median(picture[_ring(portrait, "outer") & ~_ring(portrait, "inner")], axis=0)
    sclera = _sclera(portrait, skin)
    white = np.full(3, 255.0)
    hue = 0.35 * white + 0.45 * sclera / sclera.max() * 255 + 0.20 * skin / skin.max() * 255
    hue *= np.float32([1.0, 0.97, 0.90])
    teeth = hue / (hue @ np.float32([0.299, 0.587, 0.114])) * min(bright * 1.02, 235.0)
    shown = own[own[..., 3] > 0.9][:, :3]
    if len(shown) > 20:
        teeth = shown[shown.mean(axis=1) >= np.percentile(shown.mean(axis=1), 60)].mean(axis=0)
    light = bright / 215
    red = np.float32([190, 88, 84]) * light
    flesh = 0.5 * lips + 0.5 * red
    return {
        "teeth": np.minimum(teeth, 250).astype(np.float32),
        "gum": (flesh * np.float32([1.02, 0.92, 0.95])).astype(np.float32),
        "tongue": (0.85 * flesh * np.float32([1.02, 0.86, 0.88])).astype(np.float32),
        "cavity": (0.19 * flesh + np.float32([4, 0, 0])).astype(np.float32),
    }


def _sclera(portrait: Portrait, skin: Floats) -> Floats:
    """Colour of the lightest part of the eyes."""
    found: list[Floats] = []
    for side in ("left", "right"):
        outline = np.concatenate([portrait.contours[f"eye_{side}_upper"], portrait.contours[f"eye_{side}_lower"][::-1]])
        mask = np.zeros(portrait.picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [portrait.vertices[outline, :2].round().astype(np.int32)], (1,))
        found.append(portrait.picture[cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0].astype(np.float32))
    pixels = np.concatenate(found)
    if len(pixels) < 8:
        return skin
    luma = pixels.mean(axis=1)
    return pixels[luma >= np.percentile(luma, 75)].mean(axis=0)


def _own_teeth(portrait: Portrait) -> tuple[tuple[int, int], Floats]:
    """The upper teeth that the picture shows, extended upwards behind the lip: corner and (h, w, 4) layer."""
    inner = _ring(portrait, "inner")
    ids = np.concatenate([portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]])
    low, high = portrait.vertices[ids, :2].min(axis=0), portrait.vertices[ids, :2].max(axis=0)
    pad = int(2 * EXTENDED * portrait.face_width)
    left, top, right, bottom = (int(low[0]) - pad, int(low[1]) - pad, int(high[0]) + pad, int(high[1]) + pad)
    pixels = portrait.picture[top:bottom, left:right].astype(np.float32)
    layer = np.concatenate([pixels, np.zeros((*pixels.shape[:2], 1), np.float32)], axis=2)
    if not portrait.teeth_visible:
        return (left, top), layer
    inside = inner[top:bottom, left:right]
    lightness = cv2.cvtColor(pixels.astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)
    values = lightness[..., 0] - 1.5 * np.abs(lightness[..., 1] - 128)
    dark, bright = np.percentile(values[inside], (8, 85))
    tooth = inside & (values > dark + 0.55 * (bright - dark))
    tops, ends = np.full((2, inside.shape[1]), -1)
    for column in np.flatnonzero(inside.any(axis=0)):
        tops[column], ends[column] = _upper_run(np.flatnonzero(inside[:, column]), tooth[:, column])
    found = np.flatnonzero(tops >= 0)
    for column in found:  # single columns in which a bright lip passes for teeth are cut to their neighbours' length
        near = ends[found[np.abs(found - column) <= 0.03 * portrait.face_width]]
        layer[tops[column] : min(ends[column], int(np.percentile(near, 40)) + 1) + 1, column, 3] = 1
    _extend(layer, tops, EXTENDED * portrait.face_width)
    layer[..., 3] = cv2.GaussianBlur(layer[..., 3], (0, 0), 0.8)
    return (left, top), layer


def _upper_run(rows: NDArray[np.int_], tooth: NDArray[np.bool_]) -> tuple[int, int]:
    """First row clear of the lip and last row of the upper teeth in one column of the opening, whose ``rows`` are
    given; -1 where there are none."""
    rows = rows[: max(len(rows) - 1, 0)]
    lit = rows[tooth[rows]]
    if len(lit) < 2 or lit[0] - rows[0] > max(3, 0.4 * len(rows)):
        return -1, -1
    run = lit[: 1 + int(np.argmax(np.append(np.diff(lit) > 1, True)))]
    return int(min(run[0] + 2, run[-1])), int(run[-1])


def _extend(layer: Floats, tops: NDArray[np.int_], reach: float) -> None:
    """Continue the teeth of ``layer`` upwards from the rows ``tops`` (w,) by ``reach`` px, behind the lip, into gum."""
    columns = np.flatnonzero(tops >= 0)
    if not len(columns):
        return
    edge = layer[tops[columns], columns, :3]
    smooth = cv2.GaussianBlur(edge[None], (0, 0), 2.0)[0]
    for column, start, colour in zip(columns, tops[columns], smooth, strict=True):
        rows = np.arange(max(int(start - 2 * reach), 0), start)
        up = (start - rows) / reach
        into_gum = np.clip((up - 0.25) / 0.5, 0, 1)[:, None]
        layer[rows, column, :3] = colour * (1 - into_gum * (1 - np.float32([0.82, 0.56, 0.56])))
        layer[rows, column, 3] = 1


def _detail(made: Mouth, portrait: Portrait, body: Body) -> Floats:
    """What the picture shows between the lips beyond what the parts give at rest."""
    drawn = portrait.picture.copy()
    xy = np.ascontiguousarray(body.uv)
    skull = np.eye(3, 4, dtype=np.float32)
    still = np.float32([[1, 0, 0], [0, 1, 0]])
    parts = [(part, project(part, body, skull, np.zeros((3, 4), np.float32), body.centre)) for part in made.parts]
    draw(drawn, made, parts, xy, still, 1.0)
    height, width = made.own.shape[:2]
    left, top = made.corner
    area = np.s_[top : top + height, left : left + width]
    share = np.zeros((height, width), np.float32)
    lips = xy[made.upper], xy[made.lower]
    coverage(*lips, left, top, np.empty((4 * height, 4 * width), np.uint8), share)
    missing = portrait.picture[area].astype(np.float32) - drawn[area]
    return missing / np.maximum(share, 0.05)[..., None]


def project(part: Part, body: Body, skull: Floats, jaw: Floats, centre: Floats) -> Floats:
    """(V, 2) px where ``part`` is seen; ``jaw`` (3, 4) is the displacement of the lower jaw in px of the picture."""
    points = part.points
    if part.jaw:
        points = points + points @ jaw[:, :3].T + jaw[:, 3]
    nearness = (body.camera - points[:, 2:]) / np.float32(body.camera)
    space = np.concatenate([(points[:, :2] - body.centre) * nearness, points[:, 2:]], axis=1)
    moved = space @ skull[:, :3].T + skull[:, 3]
    return (moved[:, :2] * (body.camera / (body.camera - moved[:, 2:])) + centre).astype(np.float32)


def draw(
    frame: Frame, made: Mouth, parts: list[tuple[Part, Floats]], xy: Floats, inverse: Floats, light: float
) -> None:
    """Paint the mouth between the lips in ``frame``: ``parts`` with their px, ``xy`` (V, 2) of the body, ``inverse``
    (2, 3) from the frame to the picture at the teeth."""
    upper, lower = xy[made.upper], xy[made.lower]
    if not (where := box(upper, lower, min(frame.shape[:2]))):
        return
    left, top, right, bottom = where
    height, width = bottom - top, right - left
    share = np.empty((height, width), np.float32)
    coverage(upper, lower, left, top, np.empty((4 * height, 4 * width), np.uint8), share)
    if not share.any():
        return
    canvas = np.empty((2 * height, 2 * width, 3), np.uint8)
    canvas[:] = np.minimum(made.cavity * light, 255).astype(np.uint8)
    for part, seen in parts:
        fine = 2 * (seen - np.float32([left, top])) + np.float32(0.5)
        raster.draw_over(
            canvas, part.texture, fine, part.uv, part.shade * np.float32(light), part.opacity, part.triangles
        )
    gap = np.linalg.norm(upper - lower, axis=1)
    change = float(np.abs(gap - made.gap).max()) / (_FORGET * made.unit)
    local = inverse - np.float32([[0, 0, made.corner[0]], [0, 0, made.corner[1]]])
    kept = float(np.exp(-(change**2)))
    compose(frame, canvas, share, (left, top), upper, local, UNDER_LIP_DEPTH * made.unit, kept, made.own, made.detail)


@kernel
def compose(frame, canvas, share, corner, upper, inverse, depth, kept, own, detail):  # noqa: PLR0913
    """Blend ``canvas`` (2 h, 2 w, 3), shaded by lip and corners, and the picture's own teeth into ``frame`` by ``share``."""
    over, extra = np.empty(4, np.float32), np.empty(4, np.float32)
    first, last = upper[0, 0], upper[-1, 0]
    reach = max((last - first) * np.float32(CORNER_WIDTH), np.float32(1.0))
    for column in range(share.shape[1]):
        x = np.float32(column + corner[0])
        lip = height_at(upper, x)
        t = min(max(min(x - first, last - x) / reach, np.float32(0.0)), np.float32(1.0))
        side = np.float32(CORNER) + np.float32(1 - CORNER) * t * (np.float32(2.0) - t)
        for row in range(share.shape[0]):
            part = share[row, column]
            if part == np.float32(0.0):
                continue
            y = np.float32(row + corner[1])
            t = min(max((y - lip) / np.float32(depth), np.float32(0.0)), np.float32(1.0))
            dim = side * (np.float32(UNDER_LIP) + np.float32(1 - UNDER_LIP) * t) * np.float32(0.25)
            u = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
            v = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
            bilinear(own, u, v, over)
            bilinear(detail, u, v, extra)
            i, j = 2 * row, 2 * column
            for c in range(3):
                four = (
                    np.float32(canvas[i, j, c])
                    + np.float32(canvas[i, j + 1, c])
                    + np.float32(canvas[i + 1, j, c])
                    + np.float32(canvas[i + 1, j + 1, c])
                )
                value = four * dim
                value += over[3] * (over[c] - value) + np.float32(kept) * extra[c]
                old = np.float32(frame[row + corner[1], column + corner[0], c])
                mixed = old + part * (value - old) + np.float32(0.5)
                frame[row + corner[1], column + corner[0], c] = np.uint8(
                    min(max(mixed, np.float32(0.0)), np.float32(255.0))
                )

"""The inside of the mouth: cavity, tongue and teeth in 3D, and the picture's own teeth where it shows them.

The upper row and what the picture shows of it are rigid to the skull, the lower row and the tongue move with the jaw.
All is drawn at twice the resolution and blended into the opening between the lips.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, Image, Ints, Real, f32
from animator.render.kernels.jit import kernel
from animator.render.kernels.lookup import below_line, bilinear, height_at, mix
from animator.render.mouth.palette import drawn_palette, palette, side_light
from animator.render.mouth.smile import own_teeth
from animator.render.mouth.teeth import (
    LOWER_ROW,
    TEXELS_PER_CM,
    UPPER_ROW,
    Piece,
    drawn_teeth,
    drawn_tongue,
    row_of_teeth,
    tongue,
)
from animator.render.surface import raster
from animator.render.surface.body import Body
from animator.render.surface.head_pose import rotation
from animator.render.surface.holes import coverage, covered

CM = 1 / 14.2  # face widths
SHOWN_TEETH = 0.021  # face widths of the upper teeth that show below the lip of a mouth that just opens
OVERBITE = 0.012  # face widths by which the edges of the lower teeth lie behind the upper ones
COVERED_TEETH = 0.005  # face widths of the lower teeth that the lip covers at least, while it is not drawn down
LOWER_BRIGHTNESS = np.float32(0.92)  # brightness of the lower teeth, over which the lip leans
OVERJET = 0.012  # face widths that the lower row stands behind the upper one
TIP_RISE = f32([0.0, -0.5, 0.45])  # cm that the tip of the tongue goes up and forward to the upper teeth, for l and th
# Face widths by which the tongue of a mouth that just opens lies higher than later.
TONGUE_LIFT, DRAWN_TONGUE_LIFT = 0.03, -0.02
TONGUE_SINK = 1.15  # as far as the lower jaw goes, goes the tongue, which lies low in an open mouth
# Share of light right below the upper lip; face widths below it where its shadow ends.
UNDER_LIP_LIGHT, UNDER_LIP_DEPTH = 0.52, 0.03
LIP_LINE_DEPTH = 0.012  # face widths below the upper lip in which the picture shows rather its shadow than teeth
SLIT_LIGHT, SLIT_GAP = 0.57, 0.036  # share of light that gets past lips that hardly part; face widths that let all in
LINE_LIGHT, LINE_GAP = 0.35, 0.014  # of that, the share where lips touch, and face widths over which it grows to all
LIGHT_SLANT = 0.8  # of what is lost at half light: so much less above and more below, since light falls in from above
CORNER_LIGHT, CORNER_WIDTH = 0.1, 0.28  # share of light at the corners; share of the width where their shadow ends
# Shares of red, green and blue lost in half shadow: light reaches it after it was reflected by flesh.
REDDENING = (0.0, 0.18, 0.27)
_LARGEST_SLANT = 12.0  # degrees
_PITCH_SHARE = 0.5
_FILE_BLUR, _CRISP_BLUR = 0.4, 0.5  # blur of a file's px, and what of it is none, in px: as soft as an enlarged picture
_OWN_TEETH_MARGIN = 0.015  # face widths by which made teeth stay above the edges of those in the picture
FORGET_CHANGE = 0.02  # face widths of change in the opening over which what the picture shows in it gives way
FORGET_SLIP = 0.03  # face widths that both lips may move up or down against the teeth, likewise


@dataclass(frozen=True, slots=True)
class Part:
    """A drawable piece of the mouth."""

    points: Floats  # (V, 3) px of the picture
    uv: Floats
    shade: Floats
    opacity: Floats
    triangles: Ints
    texture: raster.Texture
    jaw: float  # how far it moves with the lower jaw
    tip: Floats  # (V,) how far it belongs to the tip of the tongue, which leaves the jaw
    rise: Floats  # (3,) px by which the tip rises to the upper teeth


@dataclass(frozen=True, slots=True)
class Mouth:
    """The inside of a mouth. Its layers start at ``corner`` (x, y) of the picture."""

    parts: tuple[Part, ...]  # back to front
    cavity: NDArray[np.uint8]  # (3,) colour
    corner: tuple[int, int]
    own: Floats  # (h, w, 4) the teeth in the picture, continued behind the lip, and their opacity
    between: Floats  # (h, w, 5) the picture, 1 between its lips, and how much of that is teeth or gum
    rims: Floats  # (2, N, 2) px of the picture: the rims of the lips
    anchor: Floats  # (3,) the place of the teeth in the space of `Body`
    upper: Ints  # (N,) vertices of the rims
    lower: Ints
    unit: float  # px of a face width
    shadow: float  # strength of the shadows of lips and corners: 1, and 0 in flat drawings


class Light(NamedTuple):
    """``share`` of what is behind the lips that is lit, the rest has the colour ``cavity`` (3,); ``shadow``, how much
    of it lip and corners throw, the lip's ``depth`` px deep; ``wide``, px between lips that let all light in."""

    share: float
    shadow: float
    depth: float
    wide: float
    cavity: Image


class Shown(NamedTuple):
    """What of the picture is seen between the lips: ``inverse`` (2, 3) from pixels of the frame to those of the layers
    ``own`` and ``between``; ``kept``, the share of the latter, and how far the lips have ``moved`` against the teeth
    there: (2, 2, N, 2) for upper and lower rim and x and y of the layer, at which x of the frame it is so many px; how
    all is lit."""

    inverse: Floats
    kept: float
    moved: Floats
    light: Light
    own: Floats
    between: Floats


def mouth(portrait: Portrait, body: Body) -> Mouth:
    """Build the mouth of ``portrait`` with colours taken from its picture."""
    corner, own = own_teeth(portrait)
    flat = portrait.drawing.colours
    colours = drawn_palette(portrait) if flat else palette(portrait, own)
    cm = _cm(portrait)
    width = portrait.face_width
    teeth = _edge(portrait, corner, own)
    upper_edge = f32([0, -_OWN_TEETH_MARGIN * width * own[..., 3].any(), 0])
    lower_edge = f32([0, -OVERBITE * width, -OVERJET * width])
    above = drawn_teeth(UPPER_ROW, colours.teeth) if flat else row_of_teeth(UPPER_ROW, colours.teeth, colours.gum)
    lap = drawn_tongue(colours.tongue) if flat else tongue(colours.tongue)
    raised = DRAWN_TONGUE_LIFT if flat else TONGUE_LIFT
    parts = [_placed(portrait, lap, teeth, cm * f32([1, 1, 1]), lower_edge - f32([0, raised * width, 0]), TONGUE_SINK)]
    if not flat and portrait.human:
        below = row_of_teeth(LOWER_ROW, colours.teeth * LOWER_BRIGHTNESS, colours.gum)
        covered_by_lip = f32(
            [0, max(_lower_rim(portrait) + COVERED_TEETH * width - float((teeth + lower_edge)[1]), 0.0), 0]
        )
        parts.append(_placed(portrait, below, teeth, cm * f32([1, -1, 1]), lower_edge + covered_by_lip, 1.0))
    if portrait.human:
        parts.append(_placed(portrait, above, teeth, cm * f32([1, 1, 1]), upper_edge, 0.0))
    upper, lower = portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]
    z = teeth[2]
    anchor = f32([*((teeth[:2] - body.centre) * (body.camera - z) / body.camera), z])
    rims = np.ascontiguousarray(body.uv[np.stack([upper, lower])])
    cavity, shadow = colours.cavity.astype(np.uint8), 0.0 if flat else 1.0
    between = _between(portrait, corner, own, rims)
    return Mouth(tuple(parts), cavity, corner, own, between, rims, anchor, upper, lower, width, shadow)


def _edge(portrait: Portrait, corner: tuple[int, int], own: Floats) -> Floats:
    """(3,) px: the lower edge between the central upper incisors, as the picture shows it or as the lips suggest."""
    upper, lower = portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]
    middle = portrait.vertices[[upper[len(upper) // 2], lower[len(lower) // 2]]]
    x = 0.65 * middle[0, 0] + 0.35 * portrait.teeth[0]
    y = middle[0, 1] + SHOWN_TEETH * portrait.face_width
    column = own[:, int(np.clip(round(float(middle[0, 0])) - corner[0], 0, own.shape[1] - 1)), 3]
    if (column > 0.5).any():
        y = corner[1] + np.flatnonzero(column > 0.5)[-1]
    return f32([x, y, portrait.teeth[2]])


def _lower_rim(portrait: Portrait) -> float:
    """y in px of the middle of the lower lip's rim."""
    lower = portrait.contours["lips_inner_lower"]
    return float(portrait.vertices[lower[len(lower) // 2], 1])


def _placed(portrait: Portrait, piece: Piece, teeth: Floats, scale: Floats, shift: Floats, jaw: float) -> Part:
    """``piece``, its cm times ``scale`` (3,), at the ``teeth`` of the picture and turned as its head."""
    points = (piece.vertices * scale + shift) @ _facing(portrait).T + teeth
    blurred = _FILE_BLUR / portrait.place[2] - _CRISP_BLUR  # px
    paint = piece.paint
    if blurred > 0:
        paint = np.asarray(cv2.GaussianBlur(paint, (0, 0), blurred / float(scale[0]) * TEXELS_PER_CM), np.uint8)
    shade = piece.shade * side_light(portrait, points[:, 0])
    painted, rise = raster.pack(paint), f32(TIP_RISE * scale @ _facing(portrait).T)
    return Part(f32(points), piece.uv, f32(shade), piece.opacity, piece.triangles, painted, jaw, piece.tip, rise)


def _facing(portrait: Portrait) -> Floats:
    """(3, 3): the rotation of the head, rolled as far as the lips are; its pitch is reduced, since pictures exaggerate
    it."""
    yaw, pitch, roll = portrait.pose
    turn = rotation(yaw, _PITCH_SHARE * pitch, roll)
    rim = portrait.contours["lips_inner_upper"]
    along = (portrait.vertices[rim[-1]] - portrait.vertices[rim[0]]) @ turn
    aslant = float(np.degrees(np.arctan2(along[1], along[0])))
    return turn @ rotation(0, 0, float(np.clip(aslant, -_LARGEST_SLANT, _LARGEST_SLANT)))


def _cm(portrait: Portrait) -> float:
    """Pixels to a centimetre: by the size of the face, limited by what a small painted mouth can hold."""
    ids = portrait.contours["lips_outer_upper"][[0, -1]]
    mouth_width = float(np.linalg.norm(portrait.vertices[ids[0]] - portrait.vertices[ids[1]]))
    fits = float(np.clip(mouth_width / (0.36 * portrait.face_width), 0.75, 1.15))
    return CM * portrait.face_width * fits**0.5


def _between(portrait: Portrait, corner: tuple[int, int], own: Floats, rims: Floats) -> Floats:
    """`Mouth.between`. Right below the upper lip its shadow is seen, which goes with it."""
    left, top = corner
    height, width = own.shape[:2]
    pixels = portrait.picture[top : top + height, left : left + width].astype(np.float32)
    share = np.zeros((height, width), np.float32)
    coverage(rims[0], rims[1], corner, share)
    below = np.empty_like(share)
    below_line(rims[0], left, top, below)
    teeth = own[..., 3] * (below / (LIP_LINE_DEPTH * portrait.face_width)).clip(0, 1)
    return np.ascontiguousarray(np.dstack([pixels, np.ceil(share), teeth]))


def place(made: Mouth, body: Body, motion: tuple[Floats, Floats, float], centre: Floats) -> list[Floats]:
    """(V, 2) px where each part is seen; ``motion``: the head's (3, 4), the displacement of the lower jaw (3, 4) in px
    of the picture, and how far the tongue's tip is raised; ``centre`` (2,) px is the optical axis."""
    skull, jaw, raised = motion
    seen: list[Floats] = []
    for part in made.parts:
        points = part.points
        if part.jaw:
            tip = (np.float32(raised) * part.tip)[:, None]
            points = points + np.float32(part.jaw) * (1 - tip) * (points @ jaw[:, :3].T + jaw[:, 3]) + tip * part.rise
        nearness = (body.camera - points[:, 2:]) / np.float32(body.camera)
        space = np.concatenate([(points[:, :2] - body.centre) * nearness, points[:, 2:]], axis=1)
        moved = space @ skull[:, :3].T + skull[:, 3]
        seen.append((moved[:, :2] * (body.camera / (body.camera - moved[:, 2:])) + centre).astype(np.float32))
    return seen


def draw(frame: Image, made: Mouth, parts: list[Floats], xy: Floats, seen: tuple[Floats, float]) -> None:
    """Paint the mouth between the lips in ``frame``: ``parts`` from `place`, ``xy`` (V, 2) px of the body; ``seen``:
    (2, 3) from the frame to the picture at the teeth, and the share of light that gets past the lips."""
    (corner, share) = covered(xy[made.upper], xy[made.lower], frame)
    if not share.any():
        return
    to_picture, lit = seen
    rims = np.stack([xy[made.upper], xy[made.lower]])
    canvas = np.empty((2 * share.shape[0], 2 * share.shape[1], 3), np.uint8)
    canvas[:] = made.cavity
    for part, placed in zip(made.parts, parts, strict=True):
        fine = 2 * (placed - f32(corner)) + np.float32(0.5)
        raster.draw_over(canvas, part.texture, raster.Surface(fine, part.uv, part.shade, part.opacity), part.triangles)
    back = rims @ to_picture[:, :2].T + to_picture[:, 2]
    gap, before = (np.linalg.norm(of[0] - of[1], axis=1) for of in (back, made.rims))
    change = float(np.abs(gap - before).max()) / (FORGET_CHANGE * made.unit)
    slip = float(np.abs(back - made.rims)[..., 1].max()) / (FORGET_SLIP * made.unit)
    moved = np.stack(np.broadcast_arrays(rims[:, None, :, 0], (back - made.rims).transpose(0, 2, 1)), axis=-1)
    local = to_picture - f32([[0, 0, made.corner[0]], [0, 0, made.corner[1]]])
    light = Light(lit, made.shadow, UNDER_LIP_DEPTH * made.unit, SLIT_GAP * made.unit, made.cavity)
    shown = Shown(local, float(np.exp(-(change**2) - slip**2)), moved, light, made.own, made.between)
    compose(frame, canvas, share, corner, rims, shown)


@kernel
def _reddened(share: Real, loses: Real) -> Real:
    """The ``share`` of light, 0 to 1, that remains of a colour channel which ``loses`` so much in the shade."""
    return share * (np.float32(1.0) - loses * (np.float32(1.0) - share))


@kernel
def entering(gap: Real, light: Light) -> Real:
    """The share of light that gets past lips ``gap`` px apart."""
    t = min(max(gap / np.float32(light.wide), np.float32(0.0)), np.float32(1.0))
    line = np.float32(1.0) - min(t * np.float32(SLIT_GAP / LINE_GAP), np.float32(1.0))
    slit = np.float32(SLIT_LIGHT) + np.float32(1 - SLIT_LIGHT) * t
    return np.float32(light.share) * slit * (np.float32(1.0) - np.float32(light.shadow * (1 - LINE_LIGHT)) * line)


@kernel
def compose(frame: Image, canvas: Image, share: Floats, corner: tuple[int, int], rims: Floats, shown: Shown) -> None:
    """Blend ``canvas`` (2 h, 2 w, 3), shaded by lip and corners, and what is ``shown`` of the picture into ``frame`` by
    ``share`` (h, w) from the pixel ``corner`` on, between the ``rims`` (2, N, 2) px. Nothing made is darker than the
    cavity."""
    inverse, light, upper = shown.inverse, shown.light, rims[0]
    colour, over, there = np.empty(3, np.float32), np.empty(4, np.float32), np.empty(5, np.float32)
    first, last = upper[0, 0], upper[-1, 0]
    reach = max((last - first) * np.float32(CORNER_WIDTH), np.float32(1.0))
    for column in range(share.shape[1]):
        x = np.float32(column + corner[0])
        lip, chin = height_at(upper, x), height_at(rims[1], x)
        right, down = height_at(shown.moved[0, 0], x), height_at(shown.moved[0, 1], x)
        more_right = height_at(shown.moved[1, 0], x) - right
        more_down = height_at(shown.moved[1, 1], x) - down
        t = min(max(min(x - first, last - x) / reach, np.float32(0.0)), np.float32(1.0))
        side = np.float32(CORNER_LIGHT) + np.float32(1 - CORNER_LIGHT) * t * (np.float32(2.0) - t)
        enters = entering(chin - lip, light)
        for row in range(share.shape[0]):
            if share[row, column] == np.float32(0.0):
                continue
            y = np.float32(row + corner[1])
            u = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
            v = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
            bilinear(shown.own, u, v, over)
            bilinear(shown.between, u, v, there)
            teeth = there[4]
            t = min(max((y - lip) / max(chin - lip, np.float32(0.1)), np.float32(0.0)), np.float32(1.0))
            free, slant = np.float32(1.0) - teeth, np.float32(LIGHT_SLANT) * (np.float32(2.0) * t - np.float32(1.0))
            lit = enters * (np.float32(1.0) + np.float32(light.shadow) * slant * (np.float32(1.0) - enters))
            bilinear(shown.between, u - free * (right + t * more_right), v - free * (down + t * more_down), there)
            kept = np.float32(shown.kept) * there[3] * (np.float32(1.0) - max(there[4] - teeth, np.float32(0.0)))
            t = min(max((y - lip) / np.float32(light.depth), np.float32(0.0)), np.float32(1.0))
            dim = side * (np.float32(UNDER_LIP_LIGHT) + np.float32(1 - UNDER_LIP_LIGHT) * t * (np.float32(2.0) - t))
            dim = np.float32(1.0) + np.float32(light.shadow) * (dim - np.float32(1.0))
            i, j = 2 * row, 2 * column
            for c in range(3):
                four = np.float32(canvas[i, j, c]) + np.float32(canvas[i, j + 1, c])
                four += np.float32(canvas[i + 1, j, c]) + np.float32(canvas[i + 1, j + 1, c])
                dark, red = np.float32(light.cavity[c]), np.float32(light.shadow * REDDENING[c])
                value = dark + _reddened(dim, red) * max(np.float32(0.25) * four - dark, np.float32(0.0))
                value += over[3] * (over[c] - value)
                value = dark + _reddened(lit, red) * (value - dark)
                colour[c] = value + kept * (there[c] - value)
            mix(frame, row + corner[1], column + corner[0], colour, share[row, column])

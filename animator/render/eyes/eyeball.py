"""Eyes behind the lids: sclera, iris and highlight as layers that move with the gaze.

The white stands still in its socket; the iris slides over it as the eyeball turns; the highlight, a mirror image of the
light, follows by less than half. What the lids hide in the picture is inpainted: the iris from its other parts at the
same radius, the white from the hue of both eyes. With the gaze of the picture the layers add up to the picture exactly.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.portrait import Portrait
from animator.render.eyes import flat as drawn
from animator.render.eyes.iris import completed
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.kernels.jit import kernel
from animator.render.kernels.lookup import below_line, bilinear, height_at, mix
from animator.render.surface.body import Body
from animator.render.surface.holes import coverage, covered

IRIS_FACTOR = 1.06  # landmarks see the iris a little small
SHINE_SHARE = 0.45  # share of the iris' way that the highlight goes
IRIS_REACH = (0.32, 0.42)  # of the eye's width and height that the iris may go
SHADOW_BRIGHTNESS = 0.72  # brightness right below the upper lid
CORNER_BRIGHTNESS, CORNER_WIDTH = 0.78, 0.25  # brightness at the corners; share of the eye's width where it is full
SHADOW_DEPTH = 0.17  # of the eye's width, where the lid's shadow ends
LEAST_PIXELS = 8  # pixels: less tell no colour
UNDER_EYE_RANGE = 0.035, 0.06  # face widths under an eye: skin in its light
LEAST_WHITE = 0.8  # least brightness of the white, and
MOST_TINT = 0.4  # largest share of colour, both compared with that skin's
WHITE_LIFT = 0.5  # share of the way to it that a darker white goes when the eye moves
LID_SHARE = 1.0  # share of the iris' way up or down that the upper lid goes
WHITE_PERCENTILE = 75  # percentile of the light of a drawn eye off its iris, over which it is white
_UNSEEN_WHITE = f32([0.85, 0.83, 0.80])  # of eyes that show none, in the strongest channel of the skin under them
SNAP_RANGE = 0.22, 0.42  # closures between which drawn eyes snap shut
DROPPED_CLOSURE = 0.55  # closure to which they drop at once: of lashes that are half gone nothing is seen
SHUT_CLOSURE = 0.97  # closure from which nothing of the eye is seen
# Closures from which, and to which, the lids and their lashes keep the light from what is between
SLIT_RANGE = 0.45, 0.85
# How much darker and deeper the shadow of the lids is in such a slit, relative to an open eye.
SLIT_DARKENING, SLIT_DEEPENING = 0.9, 0.7
# Of 255, largest difference of a drawn eye and its layers: up to 8 where it is one colour on another.
MOST_DIFFERENCE = 12.0
STILL_REACH_PX = 0.5  # px that the iris may go where they differ by more
FORGET_PX = 2.5  # px of gaze over which the picture's own detail gives way to the layers


class Layers(NamedTuple):
    """(h, w, 3) f32 in 0 to 255: the ``white``, the highlight ``shine``, and ``detail``, what the picture has and the
    other layers lack; ``iris`` (h, w, 4) with its share of the pixel as the fourth channel."""

    white: Floats
    iris: Floats
    shine: Floats
    detail: Floats


class View(NamedTuple):
    """How an eye is seen: ``inverse`` (2, 3) from pixels of the frame to those of the layers; ``moved`` (2,) px of the
    iris; ``shadow`` px deep below the lid, ``shading`` how dark (0 in a flat drawing); ``kept`` and ``shining``, the
    shares of the picture's own detail and of the highlight."""

    inverse: Floats
    moved: Floats
    shadow: float
    shading: float
    kept: float
    shining: float


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye of the picture, whose ``layers`` start at the pixel ``corner`` (x, y) of it.

    ``anchor`` (3,) is the iris' place in the space of `Body`, ``radius`` px that of the eyeball; ``reach`` (2,) px;
    ``height`` px of the opening; ``shadow`` px deep is the shadow of the upper lid, ``shading`` 0 to 1 how dark;
    ``upper``, ``lower`` the lids.
    """

    corner: tuple[int, int]
    layers: Layers
    anchor: Floats
    radius: float
    reach: Floats
    height: float
    shadow: float
    shading: float
    upper: Ints
    lower: Ints


def eyes(portrait: Portrait, body: Body) -> tuple[Eye, Eye]:
    """Layers of the left and the right eye."""
    flat = portrait.drawing.lids
    (left, right), shading = _white_hues(portrait, flat), 0.0 if flat else 1.0
    return _eye(portrait, body, 0, left, shading), _eye(portrait, body, 1, right, shading)


def turn(eye: Eye, gaze: tuple[float, float], head: Floats) -> Floats:
    """(2,) px by which the iris moves in its socket: ``gaze`` is yaw and pitch in the world in degrees, ``head`` the
    rotation (3, 3) of the head, against which the eyes turn to keep looking where they look."""
    yaw, pitch = np.radians(gaze[0]), np.radians(gaze[1])
    ahead = np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    moved = eye.radius * (head.T @ ahead)[:2]
    return (eye.reach * np.tanh(moved / eye.reach)).astype(np.float32)


def lid(eye: Eye, moved: Floats, blink: float) -> float:
    """The weight of the blink when the upper lid goes along with an iris ``moved`` (2,) up or down; drawn eyes, which
    are so large that half a blink is a face of its own, stay or drop."""
    if not eye.shading:
        dropped = min((blink - SNAP_RANGE[0]) / (SNAP_RANGE[1] - SNAP_RANGE[0]), 1.0)
        return DROPPED_CLOSURE + (1 - DROPPED_CLOSURE) * dropped if dropped > 0 else 0.0
    along = min(max(LID_SHARE * float(moved[1]) / eye.height, -0.3), 0.6)
    return blink + (1 - min(max(blink, 0.0), 1.0)) * along


def _area(portrait: Portrait, side: str, corner: tuple[int, int], shape: tuple[int, int]) -> Floats:
    upper, lower = (portrait.vertices[portrait.contours[f"eye_{side}_{lid}"], :2] for lid in ("upper", "lower"))
    share = np.zeros(shape, np.float32)
    coverage(f32(upper), f32(lower), corner, share)
    return share


def _frame(portrait: Portrait, index: int, side: str) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the layers: the opening and room for the iris all round."""
    ids = np.concatenate([portrait.contours[f"eye_{side}_{lid}"] for lid in ("upper", "lower")])
    x, y, radius = portrait.iris[index]
    points = np.concatenate([portrait.vertices[ids, :2], [[x - radius, y - radius], [x + radius, y + radius]]])
    low, high = points.min(axis=0) - 1.5 * radius, points.max(axis=0) + 1.5 * radius
    height, width = portrait.picture.shape[:2]
    return max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]) + 2, width), min(int(high[1]) + 2, height)


def _white_hues(portrait: Portrait, flat: bool) -> tuple[Floats, Floats]:
    """(3,) colours for the sclera of the left and of the right eye: one hue, in the light of each."""
    seen = [_seen_white(portrait, index) for index in (0, 1)]
    skins = _skin(portrait, "left"), _skin(portrait, "right")
    pooled = np.concatenate(seen)
    if len(pooled) < LEAST_PIXELS:
        unseen = [_UNSEEN_WHITE * skin.max() for skin in skins]
        return _white_beside(unseen[0], skins[0]), _white_beside(unseen[1], skins[1])
    if flat:
        luma = pooled.mean(axis=1)
        hue = np.median(pooled[luma >= np.percentile(luma, WHITE_PERCENTILE)], axis=0)
        return hue, hue
    luma = pooled.mean(axis=1)
    hue = pooled[luma >= np.percentile(luma, 70)].mean(axis=0)
    light = [float(skin.mean()) for skin in skins]
    left, right = (np.float32(min(2 * own / (light[0] + light[1]), 1.0)) for own in light)
    return _white_beside(hue * left, skins[0]), _white_beside(hue * right, skins[1])


def _seen_white(portrait: Portrait, index: int) -> Floats:
    """(n, 3) pixels of an eye outside its iris."""
    side = ("left", "right")[index]
    left, top, right, bottom = _frame(portrait, index, side)
    share = _area(portrait, side, (left, top), (bottom - top, right - left))
    inside = cv2.erode(share, np.ones((3, 3), np.uint8)) > 0.99
    off = _distance(portrait.iris[index], left, top, share.shape) > 1.2 * portrait.iris[index, 2]
    return portrait.picture[top:bottom, left:right].astype(np.float32)[inside & off]


def _skin(portrait: Portrait, side: str) -> Floats:
    """(3,) the colour of the skin below an eye, which is in the same light."""
    rim = portrait.vertices[portrait.contours[f"eye_{side}_lower"], :2]
    low, high = (rim + f32([0, share * portrait.face_width]) for share in UNDER_EYE_RANGE)
    most = np.array(portrait.picture.shape[1::-1]) - 1
    x, y = np.concatenate([low, high, (low + high) / 2]).round().astype(int).clip(0, most).T
    return np.median(portrait.picture[y, x].astype(np.float32), axis=0)


def _white_beside(seen: Floats, skin: Floats) -> Floats:
    """The white of an eye: ``seen`` (3,), but neither much darker than ``skin`` (3,) nor as colourful."""
    luma, least = float(seen.mean()), LEAST_WHITE * float(skin.mean())
    colour = (seen - luma) * min(1.0, MOST_TINT * float(np.ptp(skin)) / max(float(np.ptp(seen)), 1.0))
    return f32(max(luma, least) + colour)


def _distance(iris: Floats, left: int, top: int, shape: tuple[int, ...]) -> Floats:
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(xs + left - iris[0], ys + top - iris[1]).astype(np.float32)


def _eye(portrait: Portrait, body: Body, index: int, hue: Floats, shading: float) -> Eye:
    side = ("left", "right")[index]
    left, top, right, bottom = _frame(portrait, index, side)
    upper, lower = (portrait.contours[f"eye_{side}_{lid}"] for lid in ("upper", "lower"))
    lids = portrait.vertices[upper, :2], portrait.vertices[lower, :2]
    width = float(np.linalg.norm(lids[0][-1] - lids[0][0]))
    height = float(np.linalg.norm(lids[0] - lids[1], axis=1).max())
    pixels = portrait.picture[top:bottom, left:right].astype(np.float32)
    share = _area(portrait, side, (left, top), pixels.shape[:2])
    shadow = SHADOW_DEPTH * width
    below = np.zeros(pixels.shape[:2], np.float32)
    below_line(f32(lids[0]), left, top, below)
    along = np.arange(left, right, dtype=np.float32)
    inner = np.clip(np.minimum(along - lids[0][0, 0], lids[0][-1, 0] - along) / (CORNER_WIDTH * width), 0, 1)
    corners = CORNER_BRIGHTNESS + (1 - CORNER_BRIGHTNESS) * inner * (2 - inner)
    clear = pixels / (1 - shading * (1 - shade(below, shadow) * corners))[..., None]
    inside = cv2.erode(share, np.ones((3, 3), np.uint8)) > 0.99
    distance = _distance(portrait.iris[index], left, top, share.shape)
    radius = IRIS_FACTOR * float(portrait.iris[index, 2])
    if shading:
        white = _white(clear, inside & (distance > radius + 1.5), hue, radius)
        iris, shine = completed(clear, inside, distance, radius, portrait.iris[index] - (left, top, 0))
    else:
        white, iris, shine = drawn.layers(pixels, share, distance, radius, hue)
    x, y = portrait.iris[index, :2]
    z = float(portrait.eyeballs[index, 2] + portrait.eyeballs[index, 3])
    anchor = np.array([*((f32([x, y]) - body.centre) * (body.camera - z) / body.camera), z], np.float32)
    layers = Layers(white, iris, shine, np.zeros_like(white))
    reach = f32([IRIS_REACH[0] * width, IRIS_REACH[1] * max(height, 0.35 * width)])
    ball = float(portrait.eyeballs[index, 3])
    eye = Eye((left, top), layers, anchor, ball, reach, max(height, 0.2 * width), shadow, shading, upper, lower)
    layers.detail[:] = _detail(eye, portrait, share)
    if not shading and not _told_apart(layers, share):
        eye.reach[:] = STILL_REACH_PX
        layers.white[:], layers.iris[..., 3], layers.detail[:] = pixels, 0, 0
    return eye


def _told_apart(layers: Layers, share: Floats) -> bool:
    """Whether the layers of a drawn eye are what the picture shows in its opening, all but a little."""
    inside = share > 0.99
    return bool(inside.any()) and float(np.abs(layers.detail[inside]).max(axis=1).mean()) < MOST_DIFFERENCE


def shade(below: Floats, depth: float) -> Floats:
    """The brightness, 0 to 1, ``below`` px under the upper lid, whose shadow is ``depth`` px deep."""
    t = np.clip(below / depth, 0, 1)
    return SHADOW_BRIGHTNESS + (1 - SHADOW_BRIGHTNESS) * t * (2 - t)


def _white(clear: Floats, known: NDArray[np.bool_], hue: Floats, radius: float) -> Floats:
    """The white of the eye: the picture's where ``known``, elsewhere what lies near and the hue of both eyes."""
    clear = (
        clear
        + WHITE_LIFT
        * (hue - clear)
        * np.clip(1 - clear.mean(axis=2) / max(float(hue.mean()), 1.0), 0, 1)[..., None] ** 0.5
    )
    weight = known.astype(np.float32)
    near = cv2.GaussianBlur(weight, (0, 0), 0.6 * radius)[..., None]
    filled = cv2.GaussianBlur(clear * weight[..., None], (0, 0), 0.6 * radius) + 0.3 * hue
    filled /= near + 0.3
    soft = cv2.GaussianBlur(cv2.erode(weight, np.ones((3, 3), np.uint8)), (0, 0), 0.7)[..., None]
    return (soft * clear + (1 - soft) * filled).astype(np.float32)


def _detail(eye: Eye, portrait: Portrait, share: Floats) -> Floats:
    """What the picture shows in the opening beyond what the layers give at its own gaze."""
    seen = np.ascontiguousarray(portrait.picture)
    made = seen.copy()
    left, top = eye.corner
    upper = np.ascontiguousarray(portrait.vertices[eye.upper, :2], dtype=np.float32)
    full = (share > 0).astype(np.float32)
    still = f32([[1, 0, -left], [0, 1, -top]])
    view = View(still, np.zeros(2, np.float32), eye.shadow, eye.shading, 0.0, 1.0)
    paint(made, full, (left, top), upper, view, eye.layers)
    area = np.s_[top : top + share.shape[0], left : left + share.shape[1]]
    return (seen[area].astype(np.float32) - made[area]) * full[..., None]


def draw(frame: Image, eye: Eye, xy: Floats, inverse: Floats, state: tuple[Floats, float, float]) -> None:
    """Paint ``eye`` between its lids in ``frame``: ``xy`` (V, 2) px; ``inverse`` (2, 3) from there to the picture;
    ``state``: the way of the iris from `turn`, how far, 0 to 1, the lids are opened beyond the picture's, and how far
    they are shut."""
    moved, wide, shut = state
    shut = min(max(shut, 0.0), 1.0)
    if shut > SHUT_CLOSURE:
        return
    corner, share = covered(xy[eye.upper], xy[eye.lower], frame)
    if not share.any():
        return
    kept = float(np.exp(-float(moved @ moved) / FORGET_PX**2)) * (1 - min(max(wide, 0.0), 1.0)) * (1 - shut)
    local = inverse - f32([[0, 0, eye.corner[0]], [0, 0, eye.corner[1]]])
    slit = min(max((shut - SLIT_RANGE[0]) / (SLIT_RANGE[1] - SLIT_RANGE[0]), 0.0), 1.0)
    shadow = eye.shadow * (max(1 - shut, 0.3) + SLIT_DEEPENING * slit)
    view = View(local, moved, shadow, eye.shading * (1 + SLIT_DARKENING * slit), kept, 1 - eye.shading * shut)
    paint(frame, share, corner, xy[eye.upper], view, eye.layers)


@kernel
def paint(frame: Image, share: Floats, corner: tuple[int, int], upper: Floats, view: View, layers: Layers) -> None:
    """Blend an eye into ``frame`` by ``share`` (h, w) from the pixel ``corner`` on, under the lid ``upper``."""
    inverse, moved = view.inverse, view.moved
    colour, over = np.empty(4, np.float32), np.empty(4, np.float32)
    first, last = upper[0, 0], upper[-1, 0]
    reach = max((last - first) * np.float32(CORNER_WIDTH), np.float32(1.0))
    for column in range(share.shape[1]):
        x = np.float32(column + corner[0])
        lid_y = height_at(upper, x)
        t = min(max(min(x - first, last - x) / reach, np.float32(0.0)), np.float32(1.0))
        side = np.float32(CORNER_BRIGHTNESS) + np.float32(1 - CORNER_BRIGHTNESS) * t * (np.float32(2.0) - t)
        for row in range(share.shape[0]):
            if share[row, column] == np.float32(0.0):
                continue
            y = np.float32(row + corner[1])
            u = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
            v = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
            t = min(max((y - lid_y) / np.float32(view.shadow), np.float32(0.0)), np.float32(1.0))
            dim = side * (np.float32(SHADOW_BRIGHTNESS) + np.float32(1 - SHADOW_BRIGHTNESS) * t * (np.float32(2.0) - t))
            dim = np.float32(1.0) - np.float32(view.shading) * (np.float32(1.0) - dim)
            bilinear(layers.white, u, v, colour)
            bilinear(layers.iris, u - moved[0], v - moved[1], over)
            alpha = over[3]
            for c in range(3):
                colour[c] += alpha * (over[c] - colour[c])
            bilinear(layers.shine, u - np.float32(SHINE_SHARE) * moved[0], v - np.float32(SHINE_SHARE) * moved[1], over)
            for c in range(3):
                colour[c] = (colour[c] + np.float32(view.shining) * over[c]) * dim
            bilinear(layers.detail, u, v, over)
            for c in range(3):
                colour[c] += np.float32(view.kept) * over[c]
            mix(frame, row + corner[1], column + corner[0], colour, share[row, column])

"""Contact of the lips: shut exactly for p, b and m whatever else the face does, and towards the corners when rounded.

Blendshapes add up, contact does not. So the gap that is left between the lips after the shapes are added is measured,
and as much of it as should be shut is closed. The skin of each lip follows its rim.

The dark line between shut lips is shadow, not lip: as the lips part, they turn out and show what it hid.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from animator.motion.rows import space
from animator.portrait.portrait import Portrait
from animator.portrait.shaping.lip_shapes import both_lips, closing
from animator.render.kernels.arrays import Floats, Ints, f32
from animator.render.mouth.palette import LUMA

_JAW, _CLOSE = space.INDEX["jawOpen"], space.INDEX["mouthClose"]
_ROUNDING = {space.INDEX["mouthPucker"]: 1.1, space.INDEX["mouthFunnel"]: 0.6}
_SMILES = [space.INDEX["mouthSmileLeft"], space.INDEX["mouthSmileRight"]]
_HOLE_ASPECT, _LEAST_HOLE = 0.75, 0.032  # half the width of a round hole: of its height, and face widths besides
_RING_SHARE = 0.9  # of the widest gap, which lips that are drawn together leave at most
_ROUNDING_GAIN = 1.35  # over the roundness: the hole is round before the lips come in all the way
_NARROWING = 0.3  # of the mouth's width that fully round lips lose
_ROLL = space.INDEX["mouthRollLower"]
_TUCKED_ROLL = 0.5  # of mouthRollLower that brings the lower lip to the upper teeth, for f and v
# Upper teeth that show above a tucked lip: face widths, or share of what the picture shows.
_TUCKED_TEETH, _TUCKED_OWN_TEETH = 0.03, 0.75
_STICKY_GAP = 0.005  # face widths
# Largest depth of the line between lips: face widths, and share of a lip's thickness.
_LINE_DEPTH, _LINE_SHARE = 0.014, 0.45
_LINE_STEPS = 12
_RESOLVED_PX = 1.5  # px of the file that such a line is deep, at least, for it not to be a blur of both lips
_CLEAR_SHARE = 0.8  # of the way from its darkest to the lip's own brightness, where the line ends
_LINE_CONTRAST = 6.0  # levels of luma that a line is darker than a lip, at least
_FADE_LENGTHS = 2.5  # a lip keeps its order while it is above 1
_TURNING_GAP = 0.02  # face widths of further opening over which it is turned out
_EPSILON = 1e-3  # px


@dataclass(frozen=True, slots=True)
class Lips:
    """The rims of the lips at rest, N vertices each, and how the skin follows them."""

    upper: Ints  # (N,) vertices of the upper rim
    lower: Ints  # (N,)
    gap: Floats  # (N,) px between the rims at rest, along ``down``
    down: Floats  # (2,)
    beside: Floats  # (N,) px along the rim from its middle
    near: Ints  # (K,) vertices that follow the rims
    follow: Floats  # (K, 2 N) by how much, where gaps are closed and where they are closed to make the lips round
    teeth: Floats  # (N,) px of the upper teeth that are seen above a tucked lower lip
    sticky: Floats  # (N,) px by which shut lips part late
    narrow: float  # px, half the width of the smallest round hole
    edge: Ints  # (K,) vertices that turn out as the lips part
    line: Floats  # (K, 2) px of the picture by which they do so: to where the lip is clear of the line between the lips
    at: Ints  # (K,) the place in both rims, 2 N, that each of them follows
    turned: float  # px of further opening over which they turn out
    smile: float  # 0 to 1, how far the picture spreads parted lips: rounding half as far first brings them together


def lips(portrait: Portrait, points: Floats) -> Lips:
    """The lips of ``portrait``, whose mesh in space is ``points`` (V, 3)."""
    upper, lower = portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]
    follow = np.concatenate(closing(portrait.vertices, portrait.face_width), axis=1)
    near = np.flatnonzero(np.abs(follow).max(axis=1) > 1e-3).astype(np.int32)
    along = points[upper[-1], :2] - points[upper[0], :2]
    down = f32([-along[1], along[0]]) / np.linalg.norm(along)
    steps = np.linalg.norm(np.diff(points[upper], axis=0), axis=1)
    reached = np.concatenate([[0], np.cumsum(steps)])
    beside = np.abs(reached - reached[len(reached) // 2])
    gap = (points[lower, :2] - points[upper, :2]) @ down
    sticky = _STICKY_GAP * portrait.face_width * (gap < _STICKY_GAP * portrait.face_width)
    teeth = np.maximum(_TUCKED_TEETH * portrait.face_width, _TUCKED_OWN_TEETH * gap)
    return Lips(
        upper, lower, f32(gap), f32(down), f32(beside), near, np.ascontiguousarray(follow[near]), f32(teeth),
        f32(sticky), _LEAST_HOLE * portrait.face_width, *_edges(portrait), _TURNING_GAP * portrait.face_width,
        float(portrait.expression[_SMILES].mean()) if portrait.mouth_open else 0.0,
    )  # fmt: skip


def _edges(portrait: Portrait) -> tuple[Ints, Floats, Ints]:
    """`Lips.edge`, `Lips.line` and `Lips.at`: what a rim turns out fades over `_FADE_LENGTHS` times that of the lip."""
    lines, first, found = _lines(portrait), 0, list[tuple[Ints, Floats, Ints]]()
    for ids, lip in zip(both_lips(), ("upper", "lower"), strict=True):
        rim = portrait.contours[f"lips_inner_{lip}"]
        far = np.linalg.norm(portrait.vertices[ids, None, :2] - portrait.vertices[rim, :2], axis=2)
        at = first + far.argmin(axis=1)
        long = np.linalg.norm(lines[at], axis=1)
        share = 1 - far.min(axis=1) / np.maximum(_FADE_LENGTHS * long, _EPSILON)
        near = share > 0
        found.append((ids[near], f32(share[near, None] * lines[at[near]]), at[near].astype(np.int32)))
        first += len(rim)
    edge, line, at = (np.concatenate(column) for column in zip(*found, strict=True))
    return edge, line, at


def _lines(portrait: Portrait) -> Floats:
    """(2 N, 2) `Lips.line` of the rims; none in flat drawings, where it is what is drawn of a mouth, and in pictures
    too small to show it."""
    rims = [portrait.contours[f"lips_inner_{lip}"] for lip in ("upper", "lower")]
    if portrait.drawing.colours or _LINE_DEPTH * portrait.face_width * portrait.place[2] < _RESOLVED_PX:
        return np.zeros((2 * len(rims[0]), 2), np.float32)
    grey = portrait.picture.astype(np.float32) @ LUMA
    found: list[Floats] = []
    for rim, lip in zip(rims, ("upper", "lower"), strict=True):
        start = portrait.vertices[rim, :2]
        across = portrait.vertices[portrait.contours[f"lips_outer_{lip}"], :2] - start
        thick = np.linalg.norm(across, axis=1, keepdims=True)
        across = across / np.maximum(thick, _EPSILON)
        deep = np.minimum(_LINE_DEPTH * portrait.face_width, _LINE_SHARE * thick)
        luma = _along(grey, start, across, deep * np.linspace(0, 1, _LINE_STEPS))
        clear = np.median(_along(grey, start, across, thick * np.linspace(0.35, 0.75, 9)), axis=1)
        away = deep[:, 0] * _reached(luma, clear)
        even = np.convolve(np.pad(away, 2, mode="edge"), np.ones(5) / 5, mode="valid")
        found.append(f32((even * np.sin(np.linspace(0, np.pi, len(rim))) ** 0.5)[:, None] * across))
    return np.concatenate(found)


def _along(grey: Floats, start: Floats, across: Floats, away: Floats) -> Floats:
    """(n, k) of ``grey`` (H, W), ``away`` (n, k) px from ``start`` (n, 2) ``across`` (n, 2)."""
    places = f32(start[:, None] + away[..., None] * across[:, None])
    x, y = (np.ascontiguousarray(places[..., axis]) for axis in (0, 1))
    return f32(cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _reached(luma: Floats, clear: Floats) -> Floats:
    """(n,) 0 to 1: where along each row of ``luma`` (n, k) what is dark at its start is as light as ``clear`` (n,)."""
    dark = luma[:, :3].min(axis=1)
    light = luma >= (dark + _CLEAR_SHARE * (clear - dark))[:, None]
    first = np.where(light.any(axis=1), light.argmax(axis=1), luma.shape[1] - 1)
    return f32(np.where(clear - dark > _LINE_CONTRAST, first / (luma.shape[1] - 1), 0))


def roundness(made: Lips, weights: Floats) -> float:
    """0 to 1: how far the ARKit ``weights`` (52,) round the lips."""
    asked = min(sum(share * max(float(weights[at]), 0.0) for at, share in _ROUNDING.items()), 1.0)
    t = min(max(2 * asked / max(made.smile, _EPSILON) - 1, 0.0), 1.0)
    return asked * t * t * (3 - 2 * t)


def meet(points: Floats, made: Lips, weights: Floats) -> Floats:
    """Close of the gap in ``points`` (V, 3) px, in place, what the ARKit ``weights`` (52,) say is shut; returns
    `turned_out`."""
    apart = points[made.lower] - points[made.upper]
    shut = shutting(apart, made, weights)
    if shut.any():
        points[made.near] += made.follow @ shut
    return turned_out(apart, made, shut)


def turned_out(apart: Floats, made: Lips, shut: Floats) -> Floats:
    """(K, 2) px of the picture by which edges of lips show what lies further out, when these are ``apart`` (N, 3) but
    for what is ``shut`` (2 N, 3)."""
    closed, rounded = np.split(shut, 2)
    further = (apart - closed - rounded)[:, :2] @ made.down - made.gap
    t = (further / made.turned).clip(0, 1)
    return f32(np.tile(t * t * (3 - 2 * t), 2)[made.at, None] * made.line)


def shutting(apart: Floats, made: Lips, weights: Floats) -> Floats:
    """(2 N, 3) px of ``apart`` (N, 3), from the upper rim to the lower one, that are shut by ``weights`` (52,): first
    what lips shut, then what else is shut as they become round."""
    jaw, shut = max(float(weights[_JAW]), 0.0), float(weights[_CLOSE])
    seal = min(max(1.1 * shut / (jaw + 0.01), 0.0), 1.0) * min(max(shut / 0.05, 0.0), 1.0)
    gap = apart[:, :2] @ made.down
    tucked = min(max(float(weights[_ROLL]), 0.0) / _TUCKED_ROLL, 1.0)
    parting = gap * (gap.clip(0) / (gap.clip(0) + made.sticky + _EPSILON))
    left = ((parting - tucked * (parting - made.teeth).clip(0)) * np.float32(1 - seal)).clip(0)
    round_ = np.float32(min(_ROUNDING_GAIN * roundness(made, weights), 1.0))
    left = left - round_ * (left - _even(left))
    beyond = round_ * (left - _hole(left, made, weights)).clip(0)
    wide = np.maximum(gap, _EPSILON)
    closed, rounded = 1 - left / wide, beyond / wide
    past = gap < np.minimum(made.gap, 0) - _EPSILON  # one lip past the other
    closed[past], rounded[past] = 1, 0
    closed = closed.clip(0, 1)
    shares = np.concatenate([closed, np.minimum(rounded, 1 - closed)])
    return shares[:, None] * np.concatenate([apart, apart])


def _even(gap: Floats) -> Floats:
    """(N,) px that remain of ``gap`` (N,) where lips are drawn up to a ring: they hang no deeper in their middle."""
    least = np.float32(_RING_SHARE * max(float(gap.max()), _EPSILON))
    return f32(gap / (1 + (gap / least) ** 4) ** np.float32(0.25))


def _hole(gap: Floats, made: Lips, weights: Floats) -> Floats:
    """(N,) px between lips that leave a round hole as high as the middle of ``gap`` (N,), and touch beside it."""
    high = float(gap[len(gap) // 2 - 1 : len(gap) // 2 + 2].max())
    beside = made.beside * np.float32(1 - _NARROWING * roundness(made, weights))
    return f32(high * np.sqrt((1 - (beside / (_HOLE_ASPECT * high + made.narrow)) ** 2).clip(0)))

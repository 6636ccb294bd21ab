"""Lips that meet: shut exactly for p, b and m whatever else the face does, and towards the corners when they are round.

Shapes add up, contact does not. So after they are added the gap that is left between the lips is measured, and what of
it must not be there is closed; the skin of each lip follows its rim.
"""

from dataclasses import dataclass

import numpy as np

from animator.motion import space
from animator.portrait.portrait import Portrait
from animator.portrait.shaping.lip_shapes import closing
from animator.render.arrays import Floats, Ints, f32

_JAW, _CLOSE = space.INDEX["jawOpen"], space.INDEX["mouthClose"]
_ROUND = {space.INDEX["mouthPucker"]: 1.1, space.INDEX["mouthFunnel"]: 0.6}
_HOLE, _NARROW = 0.75, 0.032  # half the width of a round hole: of its height, and face widths besides
_SOON = 1.35  # over the roundness: the hole is round before the lips come in all the way
_COMES_IN = 0.3  # of the mouth's width that fully round lips lose
_ROLL = space.INDEX["mouthRollLower"]
_TUCKED = 0.5  # of mouthRollLower that brings the lower lip to the upper teeth, for f and v
_TEETH, _OWN_TEETH = 0.03, 0.75  # how much of these is seen then: face widths, or of what the picture shows
_STICKY = 0.005  # face widths
_BARELY = 1e-3  # px


@dataclass(frozen=True, slots=True)
class Lips:
    """``upper`` and ``lower`` (N,) rims; ``gap`` (N,) px between them at rest, along ``down`` (2,); ``beside`` (N,) px
    from its middle; the vertices ``near`` (K,) follow by ``follow`` (K, 2 N) what is closed, and what is closed so that
    the lips become round; ``teeth`` (N,) px of the upper ones that are seen above a tucked lip; ``sticky`` (N,) px by
    which shut lips part late; ``narrow`` px, half the width of the least round hole."""

    upper: Ints
    lower: Ints
    gap: Floats
    down: Floats
    beside: Floats
    near: Ints
    follow: Floats
    teeth: Floats
    sticky: Floats
    narrow: float


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
    sticky = _STICKY * portrait.face_width * (gap < _STICKY * portrait.face_width)
    teeth = np.maximum(_TEETH * portrait.face_width, _OWN_TEETH * gap)
    return Lips(
        upper, lower, f32(gap), f32(down), f32(beside), near, np.ascontiguousarray(follow[near]), f32(teeth),
        f32(sticky), _NARROW * portrait.face_width,
    )  # fmt: skip


def roundness(weights: Floats) -> float:
    """0 to 1: how far the ARKit ``weights`` (52,) round the lips."""
    return min(sum(share * max(float(weights[at]), 0.0) for at, share in _ROUND.items()), 1.0)


def meet(points: Floats, made: Lips, weights: Floats) -> None:
    """Close of the gap in ``points`` (V, 3) px, in place, what the ARKit ``weights`` (52,) say is shut."""
    shut = shutting(points[made.lower] - points[made.upper], made, weights)
    if shut.any():
        points[made.near] += made.follow @ shut


def shutting(apart: Floats, made: Lips, weights: Floats) -> Floats:
    """(2 N, 3) px of ``apart`` (N, 3), from the upper rim to the lower one, that are shut by ``weights`` (52,): first
    what lips shut, then what else is shut as they become round."""
    jaw, shut = max(float(weights[_JAW]), 0.0), float(weights[_CLOSE])
    seal = min(max(1.1 * shut / (jaw + 0.01), 0.0), 1.0) * min(max(shut / 0.05, 0.0), 1.0)
    gap = apart[:, :2] @ made.down
    tucked = min(max(float(weights[_ROLL]), 0.0) / _TUCKED, 1.0)
    parting = gap * (gap.clip(0) / (gap.clip(0) + made.sticky + _BARELY))
    left = ((parting - tucked * (parting - made.teeth).clip(0)) * np.float32(1 - seal)).clip(0)
    beyond = np.float32(min(_SOON * roundness(weights), 1.0)) * (left - _hole(left, made, weights)).clip(0)
    wide = np.maximum(gap, _BARELY)
    closed, rounded = 1 - left / wide, beyond / wide
    past = gap < np.minimum(made.gap, 0) - _BARELY  # one lip past the other
    closed[past], rounded[past] = 1, 0
    closed = closed.clip(0, 1)
    shares = np.concatenate([closed, np.minimum(rounded, 1 - closed)])
    return shares[:, None] * np.concatenate([apart, apart])


def _hole(gap: Floats, made: Lips, weights: Floats) -> Floats:
    """(N,) px between lips that leave a round hole as high as the middle of ``gap`` (N,), and touch beside it."""
    high = float(gap[len(gap) // 2 - 1 : len(gap) // 2 + 2].max())
    beside = made.beside * np.float32(1 - _COMES_IN * roundness(weights))
    return f32(high * np.sqrt((1 - (beside / (_HOLE * high + made.narrow)) ** 2).clip(0)))

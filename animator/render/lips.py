"""Lips that meet: shut exactly for p, b and m whatever else the face does, and towards the corners when they are round.

Shapes add up, contact does not. So after they are added the gap that is left between the lips is measured, and what of
it must not be there is closed; the skin of each lip follows its rim.
"""

from dataclasses import dataclass

import numpy as np

from animator.motion import space
from animator.portrait.lips import closing
from animator.portrait.portrait import Portrait
from animator.render.arrays import Floats, Ints, f32

_JAW, _CLOSE = space.INDEX["jawOpen"], space.INDEX["mouthClose"]
_ROUND = {space.INDEX["mouthPucker"]: 1.1, space.INDEX["mouthFunnel"]: 0.6}
_OPEN, _SHUT = 0.12, 0.62  # of the way from the middle to the corner: rounded lips part from each other, and touch
_ROLL = space.INDEX["mouthRollLower"]
_TUCKED = 0.5  # of mouthRollLower that brings the lower lip to the upper teeth, for f and v
_TEETH, _OWN_TEETH = 0.03, 0.75  # how much of these is seen then: face widths, or of what the picture shows
_STICKY = 0.005  # face widths
_BARELY = 1e-3  # px


@dataclass(frozen=True, slots=True)
class Lips:
    """``upper`` and ``lower`` (N,) rims; ``gap`` (N,) px between them at rest, along ``down`` (2,); ``touch`` (N,) how
    far round lips touch there; the vertices ``near`` (K,) follow a closing by ``follow`` (K, N); ``teeth`` (N,)
    px of the upper ones that are seen above a tucked lip; ``sticky`` (N,) px by which shut lips part late."""

    upper: Ints
    lower: Ints
    gap: Floats
    down: Floats
    touch: Floats
    near: Ints
    follow: Floats
    teeth: Floats
    sticky: Floats


def lips(portrait: Portrait, points: Floats) -> Lips:
    """The lips of ``portrait``, whose mesh in space is ``points`` (V, 3)."""
    upper, lower = portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]
    follow = closing(portrait.vertices)
    near = np.flatnonzero(np.abs(follow).max(axis=1) > 1e-3).astype(np.int32)
    along = points[upper[-1], :2] - points[upper[0], :2]
    down = f32([-along[1], along[0]]) / np.linalg.norm(along)
    steps = np.linalg.norm(np.diff(points[upper], axis=0), axis=1)
    reached = np.concatenate([[0], np.cumsum(steps)])
    middle = reached[len(reached) // 2]
    beside = np.where(reached < middle, 1 - reached / middle, (reached - middle) / (reached[-1] - middle))
    touch = ((beside - _OPEN) / (_SHUT - _OPEN)).clip(0, 1)
    touch = touch * touch * (3 - 2 * touch)
    gap = (points[lower, :2] - points[upper, :2]) @ down
    sticky = _STICKY * portrait.face_width * (gap < _STICKY * portrait.face_width)
    teeth = np.maximum(_TEETH * portrait.face_width, _OWN_TEETH * gap)
    return Lips(
        upper, lower, f32(gap), f32(down), f32(touch), near, np.ascontiguousarray(follow[near]), f32(teeth), f32(sticky)
    )


def roundness(weights: Floats) -> float:
    """0 to 1: how far the ARKit ``weights`` (52,) round the lips."""
    return min(sum(share * max(float(weights[at]), 0.0) for at, share in _ROUND.items()), 1.0)


def meet(points: Floats, made: Lips, weights: Floats) -> None:
    """Close of the gap in ``points`` (V, 3) px, in place, what the ARKit ``weights`` (52,) say is shut."""
    shut = shutting(points[made.lower] - points[made.upper], made, weights)
    if shut.any():
        points[made.near] += made.follow @ shut


def shutting(apart: Floats, made: Lips, weights: Floats) -> Floats:
    """(N, 3) px of ``apart`` (N, 3), from the upper rim to the lower one, that are shut by ``weights`` (52,)."""
    jaw, shut = max(float(weights[_JAW]), 0.0), float(weights[_CLOSE])
    seal = min(max(1.1 * shut / (jaw + 0.01), 0.0), 1.0) * min(max(shut / 0.05, 0.0), 1.0)
    round_ = roundness(weights)
    gap = apart[:, :2] @ made.down
    tucked = min(max(float(weights[_ROLL]), 0.0) / _TUCKED, 1.0)
    parting = gap * (gap.clip(0) / (gap.clip(0) + made.sticky + _BARELY))
    left = (parting - tucked * (parting - made.teeth).clip(0)) * (1 - round_ * made.touch) * np.float32(1 - seal)
    closed = 1 - left.clip(0) / np.maximum(gap, _BARELY)
    closed[gap < np.minimum(made.gap, 0) - _BARELY] = 1  # one lip past the other
    return closed.clip(0, 1)[:, None] * apart

"""A tongue whose tip is raised to the upper teeth, or that is put out: drawn over the lower lip, from within the
opening between the lips.

ARKit's tongueOut says both: a little of it is a tip behind the teeth or between them, as for l, n and th.
"""

from dataclasses import dataclass

import numpy as np

from animator.motion.rows.space import INDEX
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.mouth.cavity import Mouth
from animator.render.surface import raster

TONGUE_OUT = INDEX["tongueOut"]
_BREADTH = 0.105  # face widths to either side
_LENGTH = 0.17  # face widths that it comes out over the rim of the lower lip
_RIM_WEIGHT = 0.3  # of tongueOut, at which the tip lies on the rim
# Values of tongueOut from which the tongue comes out, and from which it is out as far as they say.
LEAST_OUT_WEIGHT, WHOLLY_OUT_WEIGHT = 0.25, 0.4
_RAISED_WEIGHT, _LOWERED_WEIGHT = 0.2, 0.5  # of tongueOut: where the tip is at the upper teeth, where it has left them
_SOFT_EDGE_PX = 1.5  # px of the frame over which its edge passes into what is behind it
_NARROWEST_GAP = 0.02  # face widths between lips that let a tongue through
_COLUMNS = f32([-1, -0.86, -0.6, -0.3, 0, 0.3, 0.6, 0.86, 1])
_ROWS = f32([0, 0.1, 0.2, 0.35, 0.5, 0.64, 0.76, 0.86, 0.94, 1])
_COLUMN_COUNT, _ROW_COUNT = len(_COLUMNS), len(_ROWS)


@dataclass(frozen=True, slots=True)
class Tongue:
    """``across`` (N,) -1 to 1 and ``along`` (N,) 0 at the root to 1 at the tip of a grid of vertices, as drawn."""

    across: Floats
    along: Floats
    texture: raster.Texture
    uv: Floats
    shade: Floats
    opacity: Floats
    triangles: Ints


def tongue(texture: raster.Texture) -> Tongue:
    """One in the looks of the tongue that lies in the mouth, whose ``texture`` has its tip in the first row."""
    along, across = (f32(v.ravel()) for v in np.meshgrid(_ROWS, _COLUMNS, indexing="ij"))
    rows, columns = texture.shape[0] - 2, texture.shape[1] - 2
    uv = f32(np.stack([(0.12 + 0.38 * (1 + across)) * (columns - 1), (0.1 + 0.4 * (1 - along)) * (rows - 1)], axis=1))
    edge = 1 - 0.08 * across**2 - 0.05 * along**6
    shade = (0.62 + 0.62 * np.sin(np.pi * (0.1 + 0.75 * along))) * edge
    opacity = (along / 0.18).clip(0, 1)
    start = (np.arange(_ROW_COUNT - 1)[:, None] * _COLUMN_COUNT + np.arange(_COLUMN_COUNT - 1)).ravel()
    a, b, c, d = start, start + 1, start + _COLUMN_COUNT + 1, start + _COLUMN_COUNT
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    return Tongue(across, along, texture, uv, f32(shade), f32(opacity), triangles)


def draw(frame: Image, made: Tongue, mouth: Mouth, xy: Floats, weights: Floats) -> None:
    """Paint it as far out as the ARKit ``weights`` (52,) say, if the lips in ``xy`` (V, 2) px let it through."""
    if surface := put_out(made, mouth, xy, weights):
        raster.draw_over(frame, made.texture, surface, made.triangles)


def raised(weights: Floats) -> float:
    """0 to 1: how far the tip is at the upper teeth by the ARKit ``weights`` (52,)."""
    out = float(weights[TONGUE_OUT])
    return min(
        max(out / _RAISED_WEIGHT, 0.0), max((_LOWERED_WEIGHT - out) / (_LOWERED_WEIGHT - LEAST_OUT_WEIGHT), 0.0), 1.0
    )


def put_out(made: Tongue, mouth: Mouth, xy: Floats, weights: Floats) -> raster.Surface | None:
    """Where it lies then, as `draw` has it; None where it stays in the mouth."""
    out = float(weights[TONGUE_OUT])
    if out < LEAST_OUT_WEIGHT:
        return None
    upper, lower = xy[mouth.upper], xy[mouth.lower]
    middle = len(upper) // 2
    down = lower[middle] - upper[middle]
    gap = float(np.linalg.norm(down))
    reach = 0.5 * gap + _LENGTH * mouth.unit * (min(out, 1.2) - _RIM_WEIGHT)
    reach *= min((out - LEAST_OUT_WEIGHT) / (WHOLLY_OUT_WEIGHT - LEAST_OUT_WEIGHT), 1.0)
    if gap < _NARROWEST_GAP * mouth.unit or reach <= 0:
        return None
    side = upper[-1] - upper[0]
    half = float(np.linalg.norm(side)) / 2
    side, down = side / (2 * half), f32([-side[1], side[0]]) / (2 * half)
    root = upper[middle] + 0.45 * (lower[middle] - upper[middle])
    breadth = min(_BREADTH * mouth.unit, 0.66 * half) * (0.8 + 0.2 * min(out, 1.0))
    t = made.along
    round_ = np.sqrt(1 - 0.93 * ((t - 0.55).clip(0) / 0.45) ** 2) * (0.9 + 0.1 * t)
    x = (made.across * round_ * breadth)[:, None] * side
    y = (t * reach - 0.12 * breadth * made.across**2 * t)[:, None] * down
    points = f32(root + x + y)
    return raster.Surface(points, made.uv, made.shade, made.opacity * (_inwards(points) / _SOFT_EDGE_PX).clip(0, 1))


def _inwards(points: Floats) -> Floats:
    """(N,) px from the vertices of the grid to the nearest of its sides and its tip."""
    grid = points.reshape(_ROW_COUNT, _COLUMN_COUNT, 2)
    edge = np.concatenate([grid[:, 0], grid[-1, 1:], grid[-2::-1, -1]])
    start, way = edge[:-1], np.diff(edge, axis=0)
    beside = points[:, None] - start
    share = ((beside * way).sum(axis=2) / np.maximum((way * way).sum(axis=1), 1e-9)).clip(0, 1)
    return f32(np.linalg.norm(beside - share[..., None] * way, axis=2).min(axis=1))

"""From weights to vertices on the screen, for N frames at once: what `deform`, `light` and `holes` of
`animator.render.surface` do for one frame."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from animator.render.gpu.batch_raster import Corners
from animator.render.gpu.tables import Geometry, Piece
from animator.render.surface.holes import HEM_PX
from animator.render.surface.light import BRIGHTEST_RATIO, DARKEST_RATIO


class Placed(NamedTuple):
    """The deformed meshes of N frames: ``points`` (N, V, 3), the vertices in space.

    The W vertices are those and the hem's: ``xy`` (N, W, 2) px of the frame, ``uv`` (N, W, 2) px of the picture,
    ``shade`` (N, W), a factor of the brightness. ``near`` (N, T, 3): the face's triangles, ordered from far to near.
    """

    points: Tensor
    xy: Tensor
    uv: Tensor
    shade: Tensor
    near: Tensor


class Motion(NamedTuple):
    """The motion of N frames: ``weights`` (N, 52), ``skull`` (N, 3, 4), ``torso`` (N, 3), ``jaw`` (N, 3, 4) and ``tip``
    (N,) as in `animator.render.moment.Moment`; ``shut`` (N, 2 L, 3) px by which the lips are moved to close them, and
    ``turned`` (N, K, 2) px of the picture by which they are turned outwards."""

    weights: Tensor
    skull: Tensor
    torso: Tensor
    jaw: Tensor
    tip: Tensor
    shut: Tensor
    turned: Tensor


def place(made: Geometry, motion: Motion) -> Placed:
    """The meshes ``made`` of N frames, deformed by ``motion``."""
    points = made.points + torch.einsum("ns,nsvd->nvd", motion.weights, made.shapes)
    _add(points, made.near, made.follow @ motion.shut)
    there = moved(points, motion.skull)
    points = points + made.head[..., None] * (there - points) + made.torso[..., None] * motion.torso[:, None]
    xy, shade = torch.zeros_like(made.uv), torch.ones_like(made.opacity)
    xy[:, : points.shape[1]] = projected(points, made.camera, made.centre)
    frames = torch.arange(len(points), device=points.device)[:, None]
    uv = made.uv.clone()
    uv.index_put_((frames, made.rims), taken(motion.turned, made.rim_of), accumulate=True)
    xy[frames, made.hem] = _hem(taken(xy, made.root), taken(xy, made.before), taken(xy, made.after))
    corners = taken(points, made.face)
    facing = _normals(corners, made.face, made.rest.shape[1])
    shade[:, : facing.shape[1]] = _relit(made, facing)
    shade[frames, made.hem] = shade[frames, made.root]
    order = (corners[..., 2].mean(-1) + made.forward).argsort(dim=1, stable=True)
    return Placed(points, xy, uv, shade, made.face.gather(1, order[..., None].expand(-1, -1, 3)))


def corners(made: Geometry, placed: Placed, triangles: Tensor) -> Corners:
    """The corners of ``triangles`` (N, T, 3), vertex numbers of the deformed meshes."""
    return Corners(*(taken(v, triangles) for v in (placed.xy, placed.uv, placed.shade, made.opacity)))


def rigid(part: Piece, xy: Tensor) -> Corners:
    """The corners of all triangles of a rigid ``part`` of N frames, projected to ``xy`` (N, V, 2) px."""
    return Corners(*(taken(v, part.triangles) for v in (xy, part.uv, part.shade, part.opacity)))


def folds(made: Geometry, placed: Placed) -> Corners:
    """Hems (see `animator.render.surface.holes.fold`) along the creases, degenerate where the face is not folded."""
    xy, depth = taken(placed.xy, made.creases), taken(placed.points, made.creases)[..., 2]
    a, b, c, d = xy.unbind(2)
    (ex, ey), (cx, cy), (dx, dy) = ((p - a).unbind(-1) for p in (b, c, d))
    one, other = ex * cy - cx * ey, dx * ey - ex * dy
    middle = 0.5 * (depth[..., 0] + depth[..., 1])
    nearer = (depth[..., 2] - middle) * other.abs() > (depth[..., 3] - middle) * one.abs()
    folded = ((one > 0) != (other > 0)) & (nearer == (one > 0))
    scale = torch.where(one > 0, HEM_PX, -HEM_PX) / ((ex * ex + ey * ey).sqrt() + 1e-3) * folded
    away = torch.stack([ey * scale, -ex * scale], -1)
    ends = torch.stack([a, b, torch.where(folded[..., None], b, a) + away, a + away], 2)
    uv, shade = taken(placed.uv, made.creases[..., :2]), taken(placed.shade, made.creases[..., :2])
    opacity = ends.new_tensor([1.0, 1.0, 0.0, 0.0]).expand(*ends.shape[:3])

    def twice(values: Tensor) -> Tensor:
        return values[:, :, [[0, 1, 2], [0, 2, 3]]].flatten(1, 2)

    return Corners(*map(twice, (ends, uv[:, :, [0, 1, 1, 0]], shade[:, :, [0, 1, 1, 0]], opacity)))


def moved(points: Tensor, affine: Tensor) -> Tensor:
    """``points`` (N, V, 3) transformed by ``affine`` (N, 3, 4)."""
    return points @ affine[..., :3].mT + affine[..., 3][:, None]


def projected(points: Tensor, camera: Tensor, centre: Tensor) -> Tensor:
    """(N, V, 2) px: ``points`` (N, V, 3) seen from (0, 0, ``camera`` (N,)), the optical axis at ``centre`` (N, 2)."""
    far = camera[:, None]
    scale = far / torch.maximum(far - points[..., 2], 0.1 * far)
    return points[..., :2] * scale[..., None] + centre[:, None]


def taken(values: Tensor, numbers: Tensor) -> Tensor:
    """The rows ``numbers`` (N, ...) of ``values`` (N, V, *): (N, ..., *)."""
    frames = torch.arange(len(numbers), device=numbers.device).view(-1, *[1] * (numbers.ndim - 1))
    return values[frames, numbers]


def _add(points: Tensor, at: Tensor, what: Tensor) -> None:
    points.scatter_add_(1, at[..., None].expand(what.shape), what)


def _hem(root: Tensor, before: Tensor, after: Tensor) -> Tensor:
    along = after - before
    scale = HEM_PX / (along.norm(dim=-1, keepdim=True) + 1e-3)
    return root + torch.stack([along[..., 1], -along[..., 0]], -1) * scale


def _normals(corners: Tensor, triangles: Tensor, count: int) -> Tensor:
    """(N, count, 3) unit normals at the first vertices, from the ``corners`` (N, T, 3, 3) of ``triangles``."""
    a, b, c = corners.unbind(2)
    normal = torch.linalg.cross(b - a, c - a)
    total = torch.zeros((len(normal), count, 3), device=normal.device)
    for corner in triangles.unbind(2):
        _add(total, corner, normal)
    return normalize(total, dim=-1, eps=1e-6)


def _relit(made: Geometry, facing: Tensor) -> Tensor:
    now = made.ambient[:, None] + (facing * made.direct[:, None]).sum(-1)
    return (1 + made.strength * (now / made.rest - 1)).clamp(DARKEST_RATIO, BRIGHTEST_RATIO)

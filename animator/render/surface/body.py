"""The mesh of the whole frame: the face, and around it a grid that carries hair, neck, shoulders and background.

Both share the vertices of the face's rim, so nothing tears. Depth and displacements of the face extend into the grid by
the screened Laplace equation: the depth falls to that of the ears, the displacements to 0.
`animator.render.surface.plate` decides how much of the grid covers the still background.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu
from scipy.spatial import Delaunay

from animator.motion.rows.filters import smoothstep
from animator.motion.rows.space import CAMERA
from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, Ints, f32
from animator.render.kernels.jit import kernel
from animator.render.surface.follow import CHIN_POINT, follow

CELL_PX = 22.0  # px of the grid at a size of 512
DEPTH_REACH = 0.30  # face widths over which the depth of the face's rim is forgotten
SHAPE_REACH = 0.20
EAR_FRONT = 0.12  # face widths by which hair and background lie before the ears
STEEPEST_SLOPE = 2.6  # depth a px
STEEPEST_RIM_SLOPE = 1.6
EASED_WIDTH = 0.12  # face widths from the rim that are eased like it, and as far again partly
PIVOT_HEIGHT = 0.22  # face heights above the chin
AHEAD_YAW = 9.0  # degrees of yaw up to which a face looks ahead
_LAP_PX = 4.0  # px by which the surroundings reach under the face, so that its ragged rim leaves no gap


@dataclass(frozen=True, slots=True)
class Body:
    """The frame's mesh at rest; the first ``faces`` vertices are the portrait's.

    ``points`` (V, 3) px in space, x right, y down, z towards the camera, from the centre of the view, such that the
    camera at z = ``camera`` sees the picture; ``uv`` (V, 2) px of the picture; ``shapes`` (52, V, 3), ARKit's;
    ``head`` and ``torso`` (V,) how much a vertex follows either, 0 to 1; ``outer`` (T, 3) and
    ``face`` (T, 3) triangles, clockwise; ``rim`` the vertices where they meet; ``centre`` (2,) px of the picture on
    the optical axis; ``pivot`` (3,).
    """

    points: Floats
    uv: Floats
    shapes: Floats
    head: Floats
    torso: Floats
    outer: Ints
    face: Ints
    rim: Ints
    centre: Floats
    pivot: Floats
    camera: float
    faces: int


def body(portrait: Portrait) -> Body:
    """Build the mesh of ``portrait``, about 0.2 s."""
    width = portrait.face_width
    face = _face(portrait)
    rim = _outline(face)
    grid = _grid(portrait, portrait.vertices[rim, :2])
    faces = len(portrait.vertices)
    flat = np.concatenate([portrait.vertices[:, :2], grid]).astype(np.float32)
    outer = _fill(flat, rim, faces)
    ears = portrait.ear_depth + EAR_FRONT * width
    to_grid = _extension(flat, outer, rim, faces, DEPTH_REACH * width)
    front = _eased(portrait, rim)
    depth = np.concatenate([front, ears + to_grid @ (front[rim] - ears)])
    to_grid = _extension(flat, outer, rim, faces, SHAPE_REACH * width)
    moved = np.einsum("gr,srd->sgd", to_grid, portrait.shapes[:, rim], optimize=True)
    camera = CAMERA * width
    centre = f32(portrait.view) + (portrait.size - 1) / 2
    nearness = ((camera - depth) / camera).astype(np.float32)
    points = np.concatenate([(flat - centre) * nearness[:, None], depth[:, None]], axis=1).astype(np.float32)
    head, torso = follow(portrait, flat, faces)
    chin = portrait.vertices[CHIN_POINT]
    pivot = np.array(
        [
            *((chin[:2] - (0, PIVOT_HEIGHT * portrait.face_height) - centre) * (camera - portrait.ear_depth) / camera),
            portrait.ear_depth,
        ]
    )
    shapes = np.concatenate([portrait.shapes, moved], axis=1).astype(np.float32)
    shapes[..., :2] *= nearness[:, None]
    return Body(
        points, flat, np.ascontiguousarray(shapes), head, torso, outer, face, rim, f32(centre),
        pivot.astype(np.float32), camera, faces,
    )  # fmt: skip


def areas(points: Floats, triangles: Ints) -> Floats:
    """Twice the signed areas, positive where clockwise with y down."""
    a, b, c = (points[triangles[:, i], :2] for i in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])


def _face(portrait: Portrait) -> Ints:
    """The face's triangles, clockwise where the picture shows them.

    Of a face that looks ahead all are kept: what hides before the ears closes the gap there when it is turned into
    view. Of one that looks aside only those that the picture shows, since behind its far cheek lies what is not skin.
    """
    triangles = portrait.triangles
    if np.median(areas(portrait.vertices, triangles)) < 0:
        triangles = triangles[:, ::-1]
    if abs(portrait.pose[0]) > AHEAD_YAW:
        oval = portrait.vertices[portrait.contours["face_oval"], :2]
        apart = portrait.vertices[triangles, :2].mean(axis=1)[:, None] - oval
        inner = np.linalg.norm(apart, axis=2).min(axis=1) > 0.08 * portrait.face_width
        triangles = triangles[(areas(portrait.vertices, triangles) > 1e-3) | inner]
    return np.ascontiguousarray(triangles, dtype=np.int32)


def _eased(portrait: Portrait, rim: Ints) -> Floats:
    """(V,) depth of the portrait's vertices, with steep walls made gentler: those in front of the ears, below the jaw
    and the nose.

    The picture shows them on a few pixels only: turned into view they would smear, and turned away fold over.
    """
    points = f32(portrait.vertices)
    inner, outer = np.empty((2, len(points)), np.float32)
    _envelope(points, STEEPEST_SLOPE, inner)
    _envelope(points, STEEPEST_RIM_SLOPE, outer)
    near = np.linalg.norm(points[:, None, :2] - points[rim, :2], axis=2).min(axis=1) / portrait.face_width
    return outer + smoothstep((near - EASED_WIDTH) / EASED_WIDTH) * (inner - outer)


@kernel
def _envelope(points: Floats, slope: float, out: Floats) -> None:
    """``out`` (V,): the least depth above that of ``points`` (V, 3) which nowhere changes faster than by ``slope``."""
    for i in range(points.shape[0]):
        out[i] = points[i, 2]
        for j in range(points.shape[0]):
            dx, dy = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
            out[i] = max(out[i], points[j, 2] - np.float32(slope) * np.sqrt(dx * dx + dy * dy))


def _outline(triangles: Ints) -> Ints:
    """The longest closed line of edges that belong to one triangle only: the outline of the face."""
    edges = [(int(a), int(b)) for a, b in triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)]
    paired = set(edges)
    following: dict[int, list[int]] = {}
    for a, b in edges:
        if (b, a) not in paired:
            following.setdefault(a, []).append(b)
    longest: list[int] = []
    while following:
        path = [next(iter(following))]
        while path[-1] in following:
            options = following[path[-1]]
            after = options.pop()
            if not options:
                del following[path[-1]]
            if after in path:  # the line met itself: what lies between is a loop of its own
                start = path.index(after)
                longest = max(longest, path[start:], key=len)
                del path[start + 1 :]
            else:
                path.append(after)
    return np.array(longest, np.int32)


def _grid(portrait: Portrait, rim: Floats) -> Floats:
    """Points of a grid over the whole picture, but not within the face nor close to its rim."""
    height, width = portrait.picture.shape[:2]
    cell = CELL_PX * portrait.size / 512
    xs, ys = (np.linspace(0, n - 1, round(n / cell) + 1) for n in (width, height))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    outline = rim.astype(np.float32).reshape(-1, 1, 2)
    inside = np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in grid])
    return grid[inside < -0.6 * cell].astype(np.float32)


def _fill(flat: Floats, rim: Ints, faces: int) -> Ints:
    """Triangles between the rim and the grid, clockwise."""
    used = np.concatenate([rim, np.arange(faces, len(flat))])
    triangles = used[Delaunay(flat[used]).simplices].astype(np.int32)
    outline = flat[rim].reshape(-1, 1, 2)
    middles = flat[triangles].mean(axis=1)
    touches = (triangles < faces).all(axis=1)
    depth = np.zeros(len(triangles))
    depth[touches] = [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in middles[touches]]
    triangles = triangles[depth < _LAP_PX]
    flip = areas(flat, triangles) < 0
    triangles[flip] = triangles[flip][:, ::-1]
    return np.ascontiguousarray(triangles[areas(flat, triangles) > 1e-3])


def _extension(flat: Floats, triangles: Ints, rim: Ints, faces: int, reach: float) -> Floats:
    """(G, R) matrix from values on the rim to the grid, falling to 0 over ``reach`` px (screened Laplace)."""
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    length = np.linalg.norm(flat[edges[:, 0]] - flat[edges[:, 1]], axis=1)
    weight = 1 / np.maximum(length, 1.0) ** 2
    count = len(flat)
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    near = coo_array((np.tile(weight, 2), (rows, columns)), (count, count)).tocsr()
    total = np.asarray(near.sum(axis=1)).ravel() + 4 / reach**2
    grid = np.arange(faces, count)
    system = (
        coo_array((total[grid], (grid - faces, grid - faces)), (len(grid), len(grid))).tocsr() - near[grid][:, grid]
    ).tocsc()
    return splu(system).solve(near[grid][:, rim].toarray()).astype(np.float32)

"""The skin of MakeHuman's head, and where MediaPipe's mesh lies on it."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.geometry.pose import rotation
from animator.portrait.geometry.topology import POINTS, RINGS, Mesh, canonical, mesh

Floats = NDArray[np.float64]
SIZE = 900  # px of a render
NEAR = 40.0  # decimetres from the camera to the head
WIDE = 2.7  # decimetres in a render
VIEWS = ((0.0, 0.0), (-28.0, 0.0), (28.0, 0.0), (0.0, 12.0), (0.0, -12.0))  # yaw, pitch
OPEN = 0.22  # jawOpen in the renders that show the rims of the lips
SKIN, EYE, INSIDE, EAR = 0, 1, 2, 3
CENTRE = np.array([0, 7.15, 0.6])  # of the head, decimetres
# The two bands of points between the outer and the inner edge of the lips.
LIP_BANDS = (
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)  # fmt: skip


@njit(cache=False)
def _raster(points, triangles, size):  # type: ignore[no-untyped-def]
    """Nearest triangle and its barycentric weights at each pixel."""
    depth = np.full((size, size), -1e9)
    ids = np.full((size, size), -1, np.int64)
    weights = np.zeros((size, size, 3))
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area >= -1e-9:  # seen from behind (y is down on screen)
            continue
        for y in range(max(0, int(min(a[1], b[1], c[1]))), min(size, int(max(a[1], b[1], c[1])) + 2)):
            for x in range(max(0, int(min(a[0], b[0], c[0]))), min(size, int(max(a[0], b[0], c[0])) + 2)):
                u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
                v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
                w = 1 - u - v
                if u < -1e-6 or v < -1e-6 or w < -1e-6:
                    continue
                z = u * a[2] + v * b[2] + w * c[2]
                if z > depth[y, x]:
                    depth[y, x] = z
                    ids[y, x] = t
                    weights[y, x, 0], weights[y, x, 1], weights[y, x, 2] = u, v, w
    return ids, weights


@dataclass(frozen=True)
class View:
    """A render: picture (n, n, 3) uint8, triangle ids (n, n) or -1, barycentric weights (n, n, 3)."""

    picture: NDArray[np.uint8]
    ids: NDArray[np.int64]
    weights: Floats


def _normals(vertices: Floats, triangles: NDArray[np.integer]) -> Floats:
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(normals, triangles[:, i], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


class Surface:
    """Skin, eyes and mouth parts of a head as one triangle soup."""

    def __init__(
        self, vertices: Floats, groups: dict[str, NDArray[np.int64]], above: float, ears: NDArray[np.bool_]
    ) -> None:
        self.vertices = vertices
        body = groups["body"]
        body = body[(vertices[body, 1] > above).all(axis=1)]
        eyes = np.concatenate([groups["helper-l-eye"], groups["helper-r-eye"]])
        inside = np.concatenate([groups["helper-upper-teeth"], groups["helper-lower-teeth"], groups["helper-tongue"]])
        self.triangles = np.concatenate([body, eyes, inside])
        self.kinds = np.repeat([SKIN, EYE, INSIDE], [len(body), len(eyes), len(inside)])
        self.kinds[: len(body)][ears[body].any(axis=1)] = EAR
        self.eyes = {side: vertices[np.unique(groups[f"helper-{side}-eye"])] for side in "lr"}

    def render(self, vertices: Floats, yaw: float, pitch: float) -> View:
        """The head with its ``vertices`` (n, 3) where they are said to be, turned, in mild perspective."""
        turned = (vertices - CENTRE) @ rotation(yaw, pitch, 0).T
        scale = SIZE / WIDE * NEAR / (NEAR - turned[:, 2])
        screen = np.column_stack([SIZE / 2 + turned[:, 0] * scale, SIZE / 2 - turned[:, 1] * scale, turned[:, 2]])
        ids, weights = _raster(screen, self.triangles, SIZE)
        normals = _normals(turned, self.triangles)
        return View(self._shade(normals, ids, weights), ids, weights)

    def at(self, vertices: Floats, ids: NDArray[np.int64], weights: Floats) -> Floats:
        """Positions on the surface: triangle numbers (...) and weights (..., 3) -> (..., 3)."""
        return (vertices[self.triangles[ids]] * weights[..., None]).sum(axis=-2)

    def _shade(self, normals: Floats, ids: NDArray[np.int64], weights: Floats) -> NDArray[np.uint8]:
        seen = ids >= 0
        normal = self.at(normals, ids, weights)
        normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-9)
        light = 0.35 + 0.45 * normal[..., 2].clip(0) + 0.35 * (normal @ np.array([-0.4, 0.6, 0.69])).clip(0)
        colour = np.full((SIZE, SIZE, 3), 150.0)
        kinds = np.where(seen, self.kinds[ids], -1)
        colour[(kinds == SKIN) | (kinds == EAR)] = (222, 178, 152)
        colour[kinds == INSIDE] = (70, 30, 30)
        colour[kinds == EYE] = (235, 232, 228)
        place = self.at(self.vertices, ids, weights)
        for points in self.eyes.values():
            middle = (points.min(axis=0) + points.max(axis=0)) / 2
            radius = np.linalg.norm((points.max(axis=0) - points.min(axis=0))[:2]) / 2 / np.sqrt(2)
            away = np.linalg.norm((place - middle)[..., :2], axis=2) / radius
            near = (kinds == EYE) & (np.abs(place[..., 0] - middle[0]) < radius)
            colour[near & (away < 0.48)] = (92, 66, 48)
            colour[near & (away < 0.2)] = (12, 10, 10)
        return np.where(seen[..., None], colour * light[..., None], colour).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Places:
    """Where the vertices of the mesh are on the head: triangles ``corners`` (V, 3) of vertices, ``weights`` (V, 3)."""

    corners: NDArray[np.int64]
    weights: Floats
    mesh: Mesh

    @property
    def count(self) -> int:
        return len(self.corners)

    def sample(self, values: Floats) -> Floats:
        """(n, 3) at the head's vertices -> (V, 3)."""
        return (values[self.corners] * self.weights[..., None]).sum(axis=1)


def correspondences(surface: Surface, jaw_open: Floats) -> Places:
    """Looks at renders of the head from several sides, with parted lips, and finds each landmark on the skin."""
    opened = surface.vertices + OPEN * jaw_open
    landmarker = Landmarker()
    face = canonical()
    normals = _normals(face.vertices.astype(np.float64), face.triangles)
    total, amount = np.zeros((POINTS, 3)), np.zeros((POINTS, 1))
    rims = sorted({i for name, ring in RINGS.items() if "outer" not in name for i in ring} | set(LIP_BANDS))
    rim_places = np.zeros((POINTS, 3))
    samples: list[View] = []
    for yaw, pitch in VIEWS:
        view = surface.render(opened, yaw, pitch)
        faces = landmarker.detect(view.picture)
        looks = landmarker.looks(view.picture, faces[0]) or faces[:1]
        points = landmarker.merge(looks).points[:POINTS, :2].astype(np.float64)
        if not samples:
            points = _snapped(surface, view, points)
        column, row = _nearest_skin(surface, view, points)
        place = surface.at(opened, view.ids[row, column], view.weights[row, column])
        if not samples:
            rim_places = place
        weight = np.maximum(normals @ rotation(yaw, pitch, 0)[2], 0.02)[:, None] ** 4
        total, amount = total + weight * place, amount + weight
        samples.append(view)
    places = total / amount
    places[rims] = rim_places[rims]
    places = (places + places[mesh().mirror[:POINTS]] * [-1, 1, 1]) / 2
    places = _on_skin(surface, opened, samples, places).sample(opened)
    everywhere = np.concatenate([places, places[mesh().parents].mean(axis=1)])
    return _on_skin(surface, opened, samples, everywhere)


def _on_skin(surface: Surface, opened: Floats, views: list[View], points: Floats) -> Places:
    """The nearest of all skin points seen in ``views`` to each of ``points`` (V, 3)."""
    skins = [(view.ids >= 0) & (surface.kinds[view.ids] == SKIN) for view in views]
    ids = np.concatenate([view.ids[skin] for view, skin in zip(views, skins, strict=True)])
    weights = np.concatenate([view.weights[skin] for view, skin in zip(views, skins, strict=True)])
    distance, nearest = cKDTree(surface.at(opened, ids, weights)).query(points)
    print(f"distance of the mesh to the skin: mean {distance.mean():.4f}, greatest {distance.max():.4f} dm")
    return Places(surface.triangles[ids[nearest]], weights[nearest], mesh())


def _nearest_skin(surface: Surface, view: View, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and rows of the skin pixels nearest to ``points`` (n, 2) px."""
    skin = (view.ids >= 0) & (surface.kinds[view.ids] == SKIN)
    rows, columns = np.nonzero(skin)
    nearest = cKDTree(np.column_stack([columns, rows])).query(points)[1]
    return columns[nearest], rows[nearest]


def _snapped(surface: Surface, view: View, points: Floats) -> Floats:
    """Landmarks (468, 2) of the front view with lids and inner lips moved onto the true edges of the skin."""
    snapped = points.copy()
    kinds = np.where(view.ids >= 0, surface.kinds[view.ids], -1)
    for side in ("left", "right"):
        upper, lower = RINGS[f"eye_{side}_upper"], RINGS[f"eye_{side}_lower"]
        _snap(snapped, upper, lower, kinds == EYE)
    lips = sorted({i for name in ("upper", "lower") for i in RINGS[f"lips_inner_{name}"]})
    _snap(snapped, RINGS["lips_inner_upper"], RINGS["lips_inner_lower"], kinds == INSIDE)
    outer = [i for name in ("upper", "lower") for i in RINGS[f"lips_outer_{name}"]]
    pulled = snapped[lips] - points[lips]
    for i in LIP_BANDS:
        to_inner = np.linalg.norm(points[lips] - points[i], axis=1)
        to_outer = np.linalg.norm(points[outer] - points[i], axis=1)
        share = to_outer.min() / (to_outer.min() + to_inner.min())
        weight = np.exp(-((to_inner / (to_inner.min() + 3)) ** 2))
        snapped[i] += share * (weight @ pulled) / weight.sum()
    return snapped


def _snap(points: Floats, upper: tuple[int, ...], lower: tuple[int, ...], hole: NDArray[np.bool_]) -> None:
    """Moves two rims onto the upper and lower edge of a hole, keeping their spacing along it."""
    columns = np.flatnonzero(hole.sum(axis=0) >= 1)
    parts = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    middle = points[[upper[0], upper[-1]], 0].mean()
    part = min(parts, key=lambda run: abs(run.mean() - middle) - 10 * len(run))
    start, stop = points[upper[0], 0], points[upper[-1], 0]
    for ring, last in ((upper, False), (lower, True)):
        for i in ring:
            share = (points[i, 0] - start) / (stop - start)
            x = part[0] - 1 + share * (part[-1] - part[0] + 2)
            rows = np.flatnonzero(hole[:, int(np.clip(round(x), part[0], part[-1]))])
            y = rows[-1] + 1 if last else rows[0] - 1
            if i in (upper[0], upper[-1]):
                y = rows.mean()
            points[i] = x, y

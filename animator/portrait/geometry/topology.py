"""MediaPipe's face mesh (468 points, canonical geometry), with holes cut for mouth and eyes, and subdivided once.

The geometry comes from metadata in the landmark bundle (Apache-2.0): a protobuf with the canonical mesh (positions in
cm, y up, z towards the viewer) and the weight of each point in estimating a head pose.
"""

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from animator.storage import asset

POINTS = 468

# Contours as MediaPipe's vertex numbers, each from left to right in the picture.
RINGS: dict[str, tuple[int, ...]] = {
    "lips_outer_upper": (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    "lips_outer_lower": (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    "lips_inner_upper": (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    "lips_inner_lower": (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    "eye_right_upper": (33, 246, 161, 160, 159, 158, 157, 173, 133),
    "eye_right_lower": (33, 7, 163, 144, 145, 153, 154, 155, 133),
    "eye_left_upper": (362, 398, 384, 385, 386, 387, 388, 466, 263),
    "eye_left_lower": (362, 382, 381, 380, 374, 373, 390, 249, 263),
}
# Vertices along the edges of each brow, starting at its inner end.
BROW_LOWER_EDGES = {"left": (285, 295, 282, 283, 276), "right": (55, 65, 52, 53, 46)}
BROW_UPPER_EDGES = {"left": (336, 296, 334, 293, 300), "right": (107, 66, 105, 63, 70)}
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
HOLES = (
    ("lips_inner_upper", "lips_inner_lower"),
    ("eye_right_upper", "eye_right_lower"),
    ("eye_left_upper", "eye_left_lower"),
)


@dataclass(frozen=True, slots=True)
class Canonical:
    """The canonical face: ``vertices`` (468, 3) f32 cm, ``triangles`` (898, 3) i32, ``weights`` (468,) f32."""

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mesh:
    """The mesh with holes, subdivided: vertex i >= 468 is the midpoint of the edge ``parents[i - 468]`` between two of
    the 468 points.

    ``triangles`` (T, 3) i32; ``contours``: vertex numbers of the contours, ordered as in `RINGS` but twice as dense,
    and ``face_oval``, a closed loop that does not repeat its first vertex; ``mirror`` (V,): each vertex's counterpart
    on the other side.
    """

    parents: NDArray[np.int32]
    triangles: NDArray[np.int32]
    contours: dict[str, NDArray[np.int32]]
    mirror: NDArray[np.int32]

    @property
    def count(self) -> int:
        return POINTS + len(self.parents)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message as (number, value)."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(at)
        elif kind == 2:
            length, at = varint(at)
            value, at = message[at : at + length], at + length
        else:
            value, at = message[at : at + 4], at + 4
        yield number, value


def bundle_file(name: str) -> bytes:
    """The content of one file in the landmark bundle."""
    with zipfile.ZipFile(io.BytesIO(asset("face_landmarker.task"))) as bundle:
        return bundle.read(name)


@cache
def canonical() -> Canonical:
    vertices: list[float] = []
    triangles: list[int] = []
    weights = np.zeros(POINTS, np.float32)
    for number, value in _fields(bundle_file("geometry_pipeline_metadata_landmarks.binarypb")):
        if not isinstance(value, bytes):
            continue
        inner = list(_fields(value))
        if number == 1:
            vertices = [struct.unpack("<f", v)[0] for n, v in inner if n == 3 and isinstance(v, bytes)]
            triangles = [v for n, v in inner if n == 4 and isinstance(v, int)]
        elif number == 2:
            entry = dict(inner)
            weights[int(entry.get(1, 0))] = struct.unpack("<f", bytes(entry[2]))[0]  # pyright: ignore[reportArgumentType]
    mesh = np.array(vertices, np.float32).reshape(POINTS, 5)[:, :3]
    return Canonical(mesh, np.array(triangles, np.int32).reshape(-1, 3), weights)


def _opened() -> NDArray[np.int32]:
    """The canonical triangles except those inside the mouth or an eye."""
    triangles = canonical().triangles
    keep = np.ones(len(triangles), bool)
    for upper, lower in HOLES:
        keep &= ~np.isin(triangles, RINGS[upper] + RINGS[lower]).all(axis=1)
    return triangles[keep]


@cache
def mesh() -> Mesh:
    """The mesh that all portraits share."""
    coarse = _opened()
    edges = np.sort(coarse[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    parents, numbers = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (POINTS + numbers.reshape(-1, 3).astype(np.int32)).T
    a, b, c = coarse.T
    triangles = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    middle = {(int(i), int(j)): POINTS + n for n, (i, j) in enumerate(parents)}

    def dense(ring: tuple[int, ...], closed: bool = False) -> NDArray[np.int32]:
        path: list[int] = []
        following = ring[1:] + (ring[:1] if closed else ())
        for i, j in zip(ring, following, strict=False):
            path += [i, middle[min(i, j), max(i, j)]]
        return np.array(path if closed else [*path, ring[-1]], np.int32)

    contours = {name: dense(ring) for name, ring in RINGS.items()} | {"face_oval": dense(FACE_OVAL, closed=True)}
    return Mesh(parents.astype(np.int32), triangles, contours, _mirror(parents, middle))


def _mirror(parents: NDArray[np.int32], middle: dict[tuple[int, int], int]) -> NDArray[np.int32]:
    points = canonical().vertices
    distance = np.linalg.norm(points[:, None] * np.array([-1, 1, 1], np.float32) - points[None], axis=2)
    of_points = distance.argmin(axis=1)
    of_middles = [middle.get((min(i, j), max(i, j)), -1) for i, j in of_points[parents]]
    return np.array([*of_points, *of_middles], np.int32)

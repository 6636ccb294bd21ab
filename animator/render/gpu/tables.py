"""`Tables`: the `Layers` of several portraits stacked on one device, padded to the same shapes.

Nothing is computed here: these are the arrays that the CPU draws from. Triangles that are padding are degenerate.
"""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from animator.motion.rows.space import ARKIT
from animator.render.eyes.eyeball import Eye
from animator.render.eyes.lids import Lid
from animator.render.eyes.raised_brows import BROW_SHAPES
from animator.render.eyes.spectacles import Glasses
from animator.render.kernels.arrays import f32
from animator.render.layers import Layers
from animator.render.mouth.cavity import Part
from animator.render.surface import raster

Array = NDArray[Any]
Row = tuple[Any, ...]  # arrays and numbers of one portrait
Group = TypeVar("Group", bound=tuple[Tensor, ...])


class Geometry(NamedTuple):
    """Vertices and triangles of P portraits, as in `Body` and `Mesh`; ``hem`` (P, H): the numbers of the hems'
    vertices."""

    points: Tensor
    shapes: Tensor
    head: Tensor
    torso: Tensor
    camera: Tensor
    centre: Tensor
    uv: Tensor
    opacity: Tensor
    hem: Tensor
    root: Tensor
    before: Tensor
    after: Tensor
    face: Tensor
    forward: Tensor
    around: Tensor
    edge: Tensor
    rim_hem: Tensor
    edge_hem: Tensor
    creases: Tensor
    ambient: Tensor
    direct: Tensor
    rest: Tensor
    strength: Tensor
    near: Tensor
    follow: Tensor
    rims: Tensor
    rim_of: Tensor


class Lids(NamedTuple):
    """The lids of both eyes: ``texel`` (P, 2, K), numbers of texels of the packed picture, and the ``change`` (P, 2, K,
    4) of these when the lids shut, which for some comes ``late`` (P, 2, K); the ``ink`` (P, 2, 3) of drawn lids and its
    ``breadth`` (P, 2), 0 where there is none."""

    texel: Tensor
    change: Tensor
    late: Tensor
    ink: Tensor
    breadth: Tensor


class Eyes(NamedTuple):
    """Both eyes: ``layers`` (P, 2, h, w, 13) of white, iris, highlight and detail, of which the part ``size`` (P, 2, 2)
    is used; the rest as in `Eye`."""

    layers: Tensor
    size: Tensor
    corner: Tensor
    shadow: Tensor
    shading: Tensor


class Mouths(NamedTuple):
    """Mouths: ``layers`` (P, h, w, 9) of the picture's own teeth and of what it shows between its lips, of which the
    part ``size`` (P, 2) is used; the rest as in `Mouth`."""

    layers: Tensor
    size: Tensor
    corner: Tensor
    cavity: Tensor
    rims: Tensor
    unit: Tensor
    shadow: Tensor
    centre: Tensor


class Piece(NamedTuple):
    """A part with a mesh of its own: of the mouth, the frame of glasses, drawn brows. ``points`` (P, V, 3); ``jaw``
    (P,): how far it moves with the lower jaw; ``tip`` (P, V) and ``rise`` (P, 3) as in
    `animator.render.mouth.cavity.Part`."""

    points: Tensor
    uv: Tensor
    shade: Tensor
    opacity: Tensor
    triangles: Tensor
    jaw: Tensor
    tip: Tensor
    rise: Tensor


class Lines(NamedTuple):
    """Wrinkles: ``triangles`` (P, T, 3) with the ``opacity`` (P, T, 3) of their corners. Each belongs to a ``group``
    (P, T), which shows as far as the weights times ``cause`` (P, G, 52) say."""

    triangles: Tensor
    opacity: Tensor
    group: Tensor
    cause: Tensor


class Tables(NamedTuple):
    """All layers of P portraits. ``picture``, ``sharp`` and ``cutout`` are textures (P, h, w, 4), ``still`` is (P,
    size, size, 3); ``contours`` are vertex numbers; for ``brows`` see `_brows`; ``inked``: whether any lids are drawn
    in ink. ``lines``, ``glasses`` and ``brows`` are None where no portrait has any."""

    geometry: Geometry
    lids: Lids
    eyes: Eyes
    mouth: Mouths
    parts: tuple[tuple[Piece, Tensor], ...]
    lines: tuple[Lines, Tensor] | None
    glasses: tuple[Piece, Tensor] | None
    brows: tuple[Piece, Tensor, Tensor] | None
    inked: bool
    picture: Tensor
    sharp: Tensor
    cutout: Tensor
    still: Tensor
    contours: dict[str, Tensor]


def pick(group: Group, which: Tensor) -> Group:
    """The entries ``which`` (N,) of every table in ``group``."""
    return type(group)(*(table[which] for table in group))


def tables(faces: Sequence[Layers], device: torch.device) -> Tables:
    """The tables of ``faces``, whose frames and contours all have the same size."""
    contours = faces[0].portrait.contours
    most = max(len(face.mouth.parts) for face in faces)
    parts = [[*face.mouth.parts, *[None] * (most - len(face.mouth.parts))] for face in faces]
    return Tables(
        geometry=Geometry(*_stacked(map(_geometry, faces), device)),
        lids=Lids(*_stacked((_lids(face) for face in faces), device)),
        eyes=Eyes(*_stacked((_eyes(face.eyes) for face in faces), device)),
        mouth=Mouths(*_stacked((_mouth(face) for face in faces), device)),
        parts=tuple(_piece([row[i] for row in parts], device) for i in range(most)),
        lines=_lines(faces, device) if any(face.wrinkles for face in faces) else None,
        glasses=_piece([_glasses(face) for face in faces], device) if any(face.glasses for face in faces) else None,
        brows=_brows(faces, device) if any(face.brows for face in faces) else None,
        inked=any(lid.ink for face in faces for lid in face.lids),
        picture=_textures((face.texture for face in faces), device),
        sharp=_textures((face.sharp for face in faces), device),
        cutout=_textures((face.cutout for face in faces), device),
        still=torch.from_numpy(np.stack([face.still for face in faces])).to(device),
        contours={name: torch.from_numpy(ids).long().to(device) for name, ids in contours.items()},
    )


def _stacked(rows: Iterable[Row], device: torch.device) -> list[Tensor]:
    return [torch.from_numpy(array).to(device) for array in _stacked_arrays(rows)]


def _stacked_arrays(rows: Iterable[Row]) -> list[Array]:
    """For each column, the arrays of all ``rows``, zero-padded to the largest: int64, uint8 or f32."""
    made: list[Array] = []
    for column in zip(*rows, strict=True):
        arrays = [np.asarray(array) for array in column]
        kind = arrays[0].dtype.kind
        shape = np.max([array.shape for array in arrays], axis=0) if arrays[0].ndim else ()
        dtype = np.uint8 if arrays[0].dtype == np.uint8 else np.int64 if kind in "iu" else np.float32
        padded = np.zeros((len(arrays), *shape), dtype)
        for number, array in enumerate(arrays):
            padded[(number, *map(slice, array.shape))] = array
        made.append(padded)
    return made


def _textures(packed: Iterable[raster.Texture], device: torch.device) -> Tensor:
    """(P, h, w, 4) uint8."""
    return _stacked(((unpacked(texture),) for texture in packed), device)[0]


def unpacked(texture: raster.Texture) -> Array:
    """(h, w, 4) uint8 of a texture (h, w) as `raster.pack` has it."""
    lanes = np.array([0, 16, 32, 48], np.uint64)
    return ((texture[..., None] >> lanes) & np.uint64(0xFF)).astype(np.uint8)


def _geometry(face: Layers) -> Row:
    body, mesh, light, lips = face.body, face.mesh, face.light, face.lips
    hem = mesh.hem
    numbers = len(body.points) + np.arange(len(hem.root))
    return (
        body.points, body.shapes, body.head, body.torso, np.float32(body.camera), face.centre, mesh.uv, mesh.opacity,
        numbers, hem.root, hem.before, hem.after, body.face, mesh.forward, mesh.around, mesh.edge, mesh.rim_hem,
        mesh.edge_hem, mesh.creases, np.float32(light.ambient), light.direct, light.rest, light.strength, lips.near,
        lips.follow, mesh.rims, mesh.rim_of,
    )  # fmt: skip


def _lids(face: Layers) -> Row:
    texel, change, late = _stacked_arrays([_lid(lid, face.texture.shape[1]) for lid in face.lids])
    ink = [np.zeros(3, np.float32) if lid.ink is None else lid.ink.colour for lid in face.lids]
    breadth = [0.0 if lid.ink is None else lid.ink.breadth for lid in face.lids]
    return texel, change, late, np.stack(ink), np.array(breadth)


def _lid(lid: Lid, width: int) -> tuple[Array, Array, Array]:
    rows, columns = (np.arange(n) for n in lid.shut.shape)
    texel = (lid.corner[1] + rows[:, None]) * width + lid.corner[0] + columns
    change = unpacked(lid.shut).astype(np.float32) - unpacked(lid.opened)
    return texel.ravel(), change.reshape(-1, 4), lid.late.ravel().astype(np.float32)


def _eyes(pair: tuple[Eye, ...]) -> Row:
    layers, size = _stacked_arrays([(np.concatenate(eye.layers, axis=2), eye.layers.white.shape[:2]) for eye in pair])
    corner, shadow, shading = zip(*((eye.corner, eye.shadow, eye.shading) for eye in pair), strict=True)
    return layers, size, np.array(corner), np.array(shadow), np.array(shading)


def _mouth(face: Layers) -> Row:
    made = face.mouth
    layers = np.concatenate([made.own, made.between], axis=2)
    values = made.cavity.astype(np.float32), made.rims, np.float32(made.unit), np.float32(made.shadow)
    return layers, np.array(made.own.shape[:2]), np.array(made.corner), *values, face.body.centre


def _lines(faces: Sequence[Layers], device: torch.device) -> tuple[Lines, Tensor]:
    none = np.zeros((0, 3), np.int32), np.zeros((0, 3)), np.zeros(0, np.int32), np.zeros((0, len(ARKIT)))
    rows: list[Row] = []
    for face in faces:
        groups = face.wrinkles.groups if face.wrinkles else ()
        each = [
            (group.triangles, group.opacity[group.triangles], np.full(len(group.triangles), number), group.cause[None])
            for number, group in enumerate(groups)
        ]
        rows.append(tuple(np.concatenate(column) for column in zip(none, *each, strict=True)))
    empty = np.zeros((1, 1), np.uint64)
    textures = (face.wrinkles.texture if face.wrinkles else empty for face in faces)
    return Lines(*_stacked(rows, device)), _textures(textures, device)


def _piece(parts: Sequence[Part | None], device: torch.device) -> tuple[Piece, Tensor]:
    """One part of every portrait, and its textures."""
    flat = np.zeros((1, 3)), np.zeros((1, 2)), np.zeros(1), np.zeros(1), np.zeros((0, 3), np.int32), np.float32(0)
    rows = [
        (p.points, p.uv, p.shade, p.opacity, p.triangles, np.float32(p.jaw), p.tip, p.rise)
        if p
        else (*flat, np.zeros(1), np.zeros(3))
        for p in parts
    ]
    textures = (part.texture if part else np.zeros((2, 2), np.uint64) for part in parts)
    return Piece(*_stacked(rows, device)), _textures(textures, device)


def _glasses(face: Layers) -> Part | None:
    return _sheet(face.glasses) if face.glasses else None


def _brows(faces: Sequence[Layers], device: torch.device) -> tuple[Piece, Tensor, Tensor]:
    """Drawn brows of every portrait, their textures, and (P, 5, V, 3) by which their points move at weight 1."""
    piece, texels = _piece([_sheet(face.brows.sheet) if face.brows else None for face in faces], device)
    none = np.zeros((len(BROW_SHAPES), 1, 3), np.float32)
    return piece, texels, _stacked(((face.brows.shapes if face.brows else none,) for face in faces), device)[0]


def _sheet(made: Glasses) -> Part:
    """As a part whose points are in the space of `Body`."""
    _, uv, shade, opacity = made.surface
    return Part(
        made.points, uv, shade, opacity, made.triangles, made.texture, 0.0, np.zeros_like(shade), f32([0, 0, 0])
    )

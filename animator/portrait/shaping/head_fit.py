"""Fits MakeHuman's head (CC0) to landmarks, which gives the picture depth and blendshapes.

``assets/head.npz`` (made by ``scripts/build_head.py``) holds the head at the vertices of `topology.mesh`: the mean
head, the principal components of identity, and the 52 ARKit blendshapes. Units are decimetres, y up, z towards the
viewer.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.space import ARKIT
from animator.portrait.geometry.pose import FLIP_Y, align
from animator.portrait.geometry.topology import POINTS, mesh
from animator.storage import ASSETS

Floats = NDArray[np.float32]

_DEPTH_TRUST = 0.35  # weight of the landmarks' z, relative to x and y
_LANDMARK_NOISE = 0.012  # decimetres, standard deviation of the landmarks' noise
_EXPRESSION_SPREAD = 0.3  # prior standard deviation of the blendshape weights of a face in a picture
_ROUNDS = 4
_UNSEEN_SHAPES = ("jawForward", "mouthClose", "tongueOut")  # cannot be told from other shapes in a single picture
_SHOWN_SHAPES = (
    "mouthSmile",
    "mouthDimple",
    "mouthStretch",
    "mouthUpperUp",
    "mouthFrown",
    "brow",
    "eyeSquint",
    "cheekSquint",
)
_SHOWN_SHARE = 1.0
_SHAPE_GAINS = {
    "browInnerUp": 1.7,
    "browOuterUp": 1.6,
    "mouthSmile": 1.15,
}  # chosen so that a tracker measures the requested weights in the frames


@dataclass(frozen=True, slots=True)
class _Model:
    points: Floats  # (V + extra, 3)
    identity: Floats  # (modes, V + extra, 3), displacements for one standard deviation of each mode
    shapes: Floats  # (52, V, 3)
    jaw: Floats  # (52, 3, 4)
    parts: dict[str, slice]  # which of the extra points belong to eyes, teeth and ears


@dataclass(frozen=True, slots=True)
class FittedHead:
    """The fitted head, in px of the picture; see `animator.portrait.portrait.Portrait` for most fields.

    ``expression`` (52,): blendshape weights of the face in the picture; ``left`` (52,): the share of each blendshape
    that can still be added to it, by which ``shapes`` are scaled; ``error``: mean distance of the fitted head from the
    landmarks in face widths.
    """

    vertices: Floats
    shapes: Floats
    jaw: Floats
    eyeballs: Floats
    teeth: Floats
    ear_depth: float
    expression: Floats
    left: Floats
    error: float


@cache
def _model() -> _Model:
    with np.load(ASSETS / "head.npz") as stored:
        values = {name: stored[name].astype(np.float32) for name in ("points", "identity", "shapes", "jaw")}
        counts = stored["counts"]
    ends = mesh().count + np.cumsum(counts)
    names = ("left_eye", "right_eye", "upper_teeth", "lower_teeth", "ears")
    parts = {name: slice(int(end - n), int(end)) for name, end, n in zip(names, ends, counts, strict=True)}
    return _Model(**values, parts=parts)


def fit(landmarks: Floats, blendshapes: Floats) -> FittedHead:
    """The head that fits ``landmarks`` (>= 468, 3) in px (y down, z towards the camera).

    Pose (weighted Procrustes) and identity and expression (ridge least squares with Gaussian priors) are solved
    alternately. ``blendshapes`` (52,), the landmark network's scores, complete the expression, see `FittedHead`.
    """
    model = _model()
    seen = landmarks[:POINTS] * FLIP_Y
    usable = [i for i, name in enumerate(ARKIT) if name not in _UNSEEN_SHAPES and not name.startswith("eyeLook")]
    basis = np.concatenate([model.identity[:, :POINTS], model.shapes[usable, :POINTS]])
    spread = np.repeat(np.array([1, _EXPRESSION_SPREAD], np.float32), [len(model.identity), len(usable)])
    weights = np.ones(POINTS, np.float32)
    found = np.zeros(len(basis), np.float32)
    pose = align(model.points[:POINTS], seen, weights)
    for _ in range(_ROUNDS):
        scale, turn, shift = pose
        target = (((seen - shift) @ turn) / scale - model.points[:POINTS]).astype(np.float32)
        found = _ridge(basis, target, turn, spread, len(model.identity))
        pose = align(model.points[:POINTS] + np.tensordot(found, basis, 1), seen, weights)
    identity, expression = found[: len(model.identity)], np.zeros(len(ARKIT), np.float32)
    expression[usable] = found[len(model.identity) :]
    head = _place(model, identity, expression, pose, landmarks)
    left = _left(expression, blendshapes)
    return replace(head, shapes=head.shapes * left[:, None, None], left=left)


def _ridge(basis: Floats, target: Floats, turn: Floats, spread: Floats, free: int) -> Floats:
    """Coefficients of ``basis`` that fit ``target``. Those after the first ``free`` are kept in [0, 1.2]: negative ones
    are set to 0, and the rest is solved again."""
    trust = np.array([1, 1, _DEPTH_TRUST], np.float32)
    rows = ((basis @ turn.T) * trust).reshape(len(basis), -1)
    right = rows @ ((target @ turn.T) * trust).ravel()
    normal = rows @ rows.T + np.diag((_LANDMARK_NOISE / spread) ** 2 * 12)
    found = np.zeros(len(basis), np.float32)
    active = np.ones(len(basis), bool)
    for _ in range(6):
        found[active] = np.linalg.solve(normal[np.ix_(active, active)], right[active])
        wrong = (found < 0) & (np.arange(len(basis)) >= free)
        if not wrong.any():
            break
        active &= ~wrong
        found[wrong] = 0
    found[free:] = found[free:].clip(0, 1.2)
    return found


def _place(
    model: _Model, identity: Floats, expression: Floats, pose: tuple[float, Floats, Floats], landmarks: Floats
) -> FittedHead:
    """The fitted head in px, shifted in x and y so that its points lie exactly on the landmarks."""
    scale, turn, shift = pose
    count = mesh().count
    head = model.points + np.tensordot(identity, model.identity, 1)
    neutral = head[:count].copy()
    head[:count] += np.tensordot(expression, model.shapes, 1)
    placed = ((scale * head @ turn.T + shift) * FLIP_Y).astype(np.float32)
    residual = (landmarks[:POINTS] - placed[:POINTS]) * np.array([1, 1, 0], np.float32)
    everywhere = np.concatenate([residual, residual[mesh().parents].mean(axis=1)])
    vertices = placed[:count] + everywhere
    to_picture = (FLIP_Y[:, None] * turn * scale).astype(np.float32)
    shapes = _sized(model, neutral) @ to_picture.T
    skull = residual[[2, 94, 164, 0, 61, 291]].mean(axis=0)
    eyes = [_eyeball(placed[model.parts[f"{side}_eye"]], residual[[outer, inner]].mean(axis=0))
            for side, outer, inner in (("left", 263, 362), ("right", 33, 133))]  # fmt: skip
    teeth = placed[model.parts["upper_teeth"]][_incisors(model)].mean(axis=0)
    return FittedHead(
        vertices=vertices.astype(np.float32),
        shapes=shapes.astype(np.float32),
        jaw=_jaw(model.jaw, to_picture, shift * FLIP_Y),
        eyeballs=np.array(eyes, np.float32),
        teeth=(teeth + skull).astype(np.float32),
        ear_depth=float(placed[model.parts["ears"], 2].mean()),
        expression=expression,
        left=np.ones(len(ARKIT), np.float32),
        error=float(np.linalg.norm(residual, axis=1).mean() / np.linalg.norm(landmarks[234] - landmarks[454])),
    )


def _sized(model: _Model, neutral: Floats) -> Floats:
    """The blendshapes (52, V, 3), scaled by `_SHAPE_GAINS`, and those of the mouth by the width of this person's
    mouth."""
    width = np.linalg.norm(neutral[61] - neutral[291]) / np.linalg.norm(model.points[61] - model.points[291])
    factor = np.clip(width, 0.85, 1.2).astype(np.float32)
    moves_mouth = np.array([name.startswith("mouth") and name != "mouthClose" for name in ARKIT])
    gains = np.array(
        [_SHAPE_GAINS.get(name.removesuffix("Left").removesuffix("Right"), 1.0) for name in ARKIT], np.float32
    )
    return model.shapes * (gains * np.where(moves_mouth, factor, np.float32(1)))[:, None, None]


def _left(expression: Floats, blendshapes: Floats) -> Floats:
    """(52,): the share of each shape that can be added to a face that shows ``expression``: a smiling face can smile
    little more.

    Smiles and raised lips are also taken from the landmark network's ``blendshapes``, since the fit spreads them over
    several shapes.
    """
    seen = [name.startswith(("mouthSmile", "mouthUpperUp")) for name in ARKIT]
    shown = np.where(seen, np.maximum(expression, blendshapes), expression)
    left = np.where([name.startswith(_SHOWN_SHAPES) for name in ARKIT], (1 - _SHOWN_SHARE * shown).clip(0.1, 1), 1)
    return left.astype(np.float32)


def _incisors(model: _Model) -> NDArray[np.int64]:
    """The indices of the points on the lower front edge of the upper incisors."""
    teeth = model.points[model.parts["upper_teeth"]]
    rank = teeth[:, 1] - teeth[:, 2] + 4 * np.abs(teeth[:, 0])
    return np.argsort(rank)[:2]


def _eyeball(points: Floats, shift: Floats) -> Floats:
    """(4,): x, y, z and radius of the sphere through ``points`` (n, 3), translated by ``shift``."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = np.linalg.norm(points - centre, axis=1).mean()
    return np.append(centre + shift, radius).astype(np.float32)


def _jaw(motion: Floats, to_picture: Floats, origin: Floats) -> Floats:
    """The jaw's affine motions (52, 3, 4) of head coordinates, in px of the picture."""
    turned = to_picture @ motion[:, :, :3] @ np.linalg.inv(to_picture)
    moved = motion[:, :, 3] @ to_picture.T - turned @ origin
    return np.concatenate([turned, moved[:, :, None]], axis=2).astype(np.float32)

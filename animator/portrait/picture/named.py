"""The landmarks that a person can name, see and correct, and their JSON format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from animator.portrait.picture.reading import PortraitError

Floats = NDArray[np.float32]
Points = dict[str, tuple[float, float]]

# MediaPipe's landmark numbers. "Left" is the subject's left, the right side of the picture.
NAMED_POINTS: dict[str, int] = {
    "left_eye_outer": 263,
    "left_eye_inner": 362,
    "left_eye_top": 386,
    "left_eye_bottom": 374,
    "left_iris": 473,
    "right_eye_outer": 33,
    "right_eye_inner": 133,
    "right_eye_top": 159,
    "right_eye_bottom": 145,
    "right_iris": 468,
    "left_brow_inner": 336,
    "left_brow_middle": 334,
    "left_brow_outer": 300,
    "right_brow_inner": 107,
    "right_brow_middle": 105,
    "right_brow_outer": 70,
    "nose": 1,
    "mouth_left": 291,
    "mouth_right": 61,
    "upper_lip_top": 0,
    "upper_lip_bottom": 13,
    "lower_lip_top": 14,
    "lower_lip_bottom": 17,
    "chin": 152,
    "forehead": 10,
    "left_side": 454,
    "right_side": 234,
}
_CROSSING_SLACK = 0.05  # of the distance between the eyes: tolerance of the order of points
_MOST_CHARACTERS = 100_000  # of the JSON text


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Named points of one face in px of an upright picture of ``width`` x ``height``: x right, y down. ``drawn`` says
    whether it is a flat drawing; None leaves that open. Without points, the face that the networks find is meant."""

    points: Points
    width: int
    height: int
    drawn: bool | None = None

    def json(self) -> dict[str, Any]:
        """The format that `parse` reads, rounded to a tenth of a px."""
        points = {name: [round(x, 1), round(y, 1)] for name, (x, y) in self.points.items()}
        told = {} if self.drawn is None else {"drawn": self.drawn}
        return {"width": self.width, "height": self.height, **told, "points": points}

    def text(self) -> str:
        """`json` as text, one point a line."""
        written = self.json()
        lines = ",\n".join(f'  "{name}": {place}' for name, place in written.pop("points").items())
        return f'{json.dumps(written)[:-1]}, "points": {{\n{lines}\n}}}}\n'

    def scaled(self, width: int, height: int) -> "Landmarks":
        """The same points in a picture of another size. Raises `PortraitError` if its aspect ratio differs."""
        if abs(self.width / self.height * height / width - 1) > 0.02:
            raise invalid(
                f"The points belong to a picture of {self.width}x{self.height}, but this one has {width}x{height}. "
                "Use those that were saved for it."
            )
        factor = width / self.width
        points = {name: (x * factor, y * factor) for name, (x, y) in self.points.items()}
        return Landmarks(points, width, height, self.drawn)

    def turned(self, quarters: int) -> "Landmarks":
        """The same points in the picture rotated clockwise by ``quarters`` quarter turns."""
        points, width, height = self.points, self.width, self.height
        for _ in range(quarters % 4):
            points = {name: (height - y, x) for name, (x, y) in points.items()}
            width, height = height, width
        return Landmarks(points, width, height, self.drawn)


def invalid(message: str) -> PortraitError:
    return PortraitError("invalid_landmarks", message)


def parse(text: str | bytes) -> Landmarks:
    """Landmarks from JSON: ``{"width": 800, "height": 600, "points": {"left_iris": [420, 250.5], ...}}``. With
    ``"drawn": true`` or ``false`` the points may be missing.

    Raises `PortraitError` (invalid_landmarks) for other JSON, unknown names, values that are not numbers, and points
    outside the picture.
    """
    try:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError("too long")
        read: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("The landmarks are not JSON. Save some with --save-landmarks to see how they look.") from None
    names = set(cast("dict[str, Any]", read)) if isinstance(read, dict) else set[str]()
    known = names - {"drawn"} == {"width", "height", "points"}
    if not known or not isinstance(read["points"], dict):
        raise invalid('The landmarks must be {"width": ..., "height": ..., "points": {"left_iris": [x, y], ...}}.')
    width, height = (_side(read[name], name) for name in ("width", "height"))
    points = {str(name): _point(str(name), value) for name, value in cast("dict[str, Any]", read["points"]).items()}
    drawn = read.get("drawn")
    if not (drawn is None or isinstance(drawn, bool)):
        raise invalid(f"drawn must be true or false; got {str(drawn)[:40]!r}.")
    if not points and drawn is None:
        raise invalid(f"There are no points. Give some of: {', '.join(NAMED_POINTS)}.")
    for name, (x, y) in points.items():
        if not (0 <= x <= width and 0 <= y <= height):
            raise invalid(f"{name} is at {x:g}, {y:g}: outside the picture of {width}x{height}.")
    return Landmarks(points, width, height, drawn)


def _side(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1_000_000:
        raise invalid(f"{name} must be the picture's {name} in px, a whole number; got {str(value)[:40]!r}.")
    return value


def _point(name: str, value: Any) -> tuple[float, float]:
    if name not in NAMED_POINTS:
        raise invalid(f"There is no point {name[:40]!r}. Known are: {', '.join(NAMED_POINTS)}.")
    numbers = cast("list[Any]", value) if isinstance(value, list) else []
    if len(numbers) != 2 or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        raise invalid(f"{name} must be [x, y], two numbers in px; got {str(value)[:40]!r}.")
    return float(numbers[0]), float(numbers[1])


def check_sides(points: Mapping[str, tuple[float, float]]) -> None:
    """Raises `PortraitError` if left and right, or top and bottom, are swapped among the given ``points``. The face may
    be upside down: "down" is the direction from the eyes to mouth and chin."""
    at = {name: np.array(place) for name, place in points.items()}
    left, right = _eye(at, "left"), _eye(at, "right")
    low = next((at[name] for name in ("chin", "lower_lip_bottom", "mouth_left", "upper_lip_top") if name in at), None)
    if left is None or right is None or low is None:
        return
    across, down = left - right, low - (left + right) / 2
    apart = float(np.linalg.norm(across))
    if across[0] * down[1] - across[1] * down[0] <= 0 or apart == 0:
        raise invalid(
            "Left and right are exchanged: the person's own left eye is on the right of the picture. Exchange the "
            "points' names."
        )
    down = down / np.linalg.norm(down)
    across = across / apart
    for one, other, axis in _ORDER:
        if (
            one in at
            and other in at
            and float((at[other] - at[one]) @ (down if axis else across)) < -_CROSSING_SLACK * apart
        ):
            raise invalid(f"{one} and {other} are exchanged. Exchange the points' names.")


_ORDER = (  # whether the first lies above the second (True) or to the left of it in the picture (False)
    ("left_eye_top", "left_eye_bottom", True),
    ("right_eye_top", "right_eye_bottom", True),
    ("upper_lip_top", "upper_lip_bottom", True),
    ("upper_lip_bottom", "lower_lip_top", True),
    ("lower_lip_top", "lower_lip_bottom", True),
    ("forehead", "chin", True),
    ("left_eye_inner", "left_eye_outer", False),
    ("right_eye_outer", "right_eye_inner", False),
    ("mouth_right", "mouth_left", False),
    ("right_side", "left_side", False),
)


def _eye(at: Mapping[str, NDArray[np.float64]], side: str) -> NDArray[np.float64] | None:
    """The middle of an eye, as far as its points are given."""
    corners = [at[name] for name in (f"{side}_eye_outer", f"{side}_eye_inner") if name in at]
    return np.mean(corners, axis=0) if len(corners) == 2 else at.get(f"{side}_iris", corners[0] if corners else None)

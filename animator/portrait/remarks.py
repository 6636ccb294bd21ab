"""What to expect of a portrait, in plain words for the person who chose the picture."""

import numpy as np

from animator.motion.space import INDEX
from animator.portrait.framing import Cut
from animator.portrait.pose import pose
from animator.portrait.topology import FACE_OVAL

_SHARP_FACE = 110  # px; below, the face is visibly soft at 512
_ASIDE, _TILTED = 28.0, 22.0  # degrees of yaw, pitch
_TURNED = ("", "on its side", "upside down", "on its side")
_EDGE = 0.01  # of the face's height: landmarks nearer to the border of the picture, or beyond, were guessed
_SHUT = 0.6  # weight of a blink


def remarks(framed: Cut) -> tuple[str, ...]:
    """The warnings of a portrait; none for a picture that will do well."""
    found: list[str] = []
    if len(framed.others) and not framed.given:
        found.append(f"{len(framed.others) + 1} faces were found; the largest one is used.")
    if framed.face_px < _SHARP_FACE:
        found.append(f"The face is only {framed.face_px:.0f} px high: it will look soft. Use a larger picture.")
    if _cut_off(framed):
        found.append("The picture cuts the face off: what is missing is made up. Use a picture that shows all of it.")
    if framed.quarters:
        found.append(f"The face was {_TURNED[framed.quarters]} in the picture, which was turned to show it upright.")
    found += _angle(*pose(framed.face.points)[:2])
    if min(framed.face.blendshapes[INDEX["eyeBlinkLeft"]], framed.face.blendshapes[INDEX["eyeBlinkRight"]]) > _SHUT:
        found.append("The eyes are shut in the picture: they cannot open. Use a picture with open eyes.")
    if framed.doubtful:
        found.append("Eyes or mouth were hard to make out: check that the points lie on them.")
    return tuple(found)


def _cut_off(framed: Cut) -> bool:
    outline = framed.face.points[list(FACE_OVAL), :2]
    left, top, right, bottom = framed.real
    edge = _EDGE * float(np.ptp(outline[:, 1]))
    low, high = outline.min(axis=0) - edge, outline.max(axis=0) + edge
    return bool((low < [left, top]).any() or (high > [right, bottom]).any())


def _angle(yaw: float, pitch: float) -> list[str]:
    if abs(yaw) > _ASIDE or abs(pitch) > _TILTED:
        return ["The face looks far aside, up or down: it can turn only a little. One from the front does best."]
    return []

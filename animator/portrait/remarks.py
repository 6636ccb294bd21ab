"""Warnings about a portrait, in plain words for the person who chose the picture."""

import cv2
import numpy as np

from animator.motion.rows.space import INDEX
from animator.portrait.finding.covered import Covered
from animator.portrait.finding.framing import Cut
from animator.portrait.geometry.pose import pose
from animator.portrait.geometry.topology import FACE_OVAL

_SHARP_FACE_PX = 110  # px of the file: a smaller face is visibly soft at 512
_LARGEST_YAW, _LARGEST_PITCH = 28.0, 22.0  # degrees of yaw, pitch
_TURN_WORDS = ("", "on its side", "upside down", "on its side")
_BORDER_SHARE = 0.01  # of the face's height: landmarks closer to the picture's border, or beyond it, are guesses
_DARK_LIGHTNESS = 25.0  # L of Lab; black people in a dim room have 50, Vermeer's girl in the shadow of her hat 41
_SHUT_BLINK, _HALF_SHUT_BLINK = 0.6, 0.45  # blink weights: of both eyes; of their mean


def remarks(framed: Cut) -> tuple[str, ...]:
    """The warnings about a portrait; none if the picture is suitable."""
    found: list[str] = []
    if len(framed.others) and not framed.given:
        found.append(f"{len(framed.others) + 1} faces were found; the largest one is used.")
    if framed.face_px < _SHARP_FACE_PX:
        found.append(f"The face is only {framed.face_px:.0f} px high: it will look soft. Use a larger picture.")
    if _cut_off(framed):
        found.append("The picture cuts the face off: what is missing is made up. Use a picture that shows all of it.")
    if framed.quarters:
        found.append(
            f"The face was {_TURN_WORDS[framed.quarters]} in the picture, which was turned to show it upright."
        )
    found += _angle(*pose(framed.face.points)[:2])
    if _bright(framed) < _DARK_LIGHTNESS:
        found.append("The face is dark in the picture, and stays so. Brighten the picture, or use one with more light.")
    found += _hidden(framed.covered)
    if framed.drawing.eyes_lost:
        found.append(
            "The eyes of the drawing were not made out: they neither blink nor look about. Place their points, and say "
            "that it is drawn (--drawn yes), to have them tried."
        )
    blinks = [float(framed.face.blendshapes[INDEX[name]]) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    if min(blinks) > _SHUT_BLINK:
        found.append("The eyes are shut in the picture: they cannot open. Use a picture with open eyes.")
    elif np.mean(blinks) > _HALF_SHUT_BLINK and not framed.covered.left_eye:
        found.append("The eyes are half shut in the picture: what opens is made up. Use a picture with open eyes.")
    if framed.doubtful:
        found.append("Eyes or mouth were hard to make out: check that the points lie on them.")
    return tuple(found)


def _bright(framed: Cut) -> float:
    """Lightness (L of Lab) of the brighter parts of the face."""
    oval = np.zeros(framed.picture.shape[:2], np.uint8)
    cv2.fillPoly(oval, [framed.face.points[list(FACE_OVAL), :2].round().astype(np.int32)], 1)
    shown = framed.picture[oval > 0].reshape(-1, 1, 3)
    light = cv2.cvtColor((shown / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[..., 0]
    return float(np.percentile(light, 90)) if light.size else 100.0


def _cut_off(framed: Cut) -> bool:
    outline = framed.face.points[list(FACE_OVAL), :2]
    left, top, right, bottom = framed.real
    edge = _BORDER_SHARE * float(np.ptp(outline[:, 1]))
    low, high = outline.min(axis=0) - edge, outline.max(axis=0) + edge
    return bool((low < [left, top]).any() or (high > [right, bottom]).any())


def _hidden(covered: Covered) -> list[str]:
    found: list[str] = []
    if covered.left_eye and covered.right_eye:
        found.append("Dark glasses hide the eyes: they neither blink nor look about. Use a picture that shows them.")
    elif covered.left_eye or covered.right_eye:
        found.append("One eye is hidden, by hair perhaps: it does not blink. Use a picture that shows both.")
    if covered.mouth:
        found.append(
            "The mouth is hard to see, behind a beard, a hand or something else: what hides it will move as lips do. "
            "Check that the points lie on the lips, or use a picture that shows them."
        )
    return found


def _angle(yaw: float, pitch: float) -> list[str]:
    if abs(yaw) > _LARGEST_YAW or abs(pitch) > _LARGEST_PITCH:
        return ["The face looks far aside, up or down: it can turn only a little. One from the front does best."]
    return []

"""Colours of teeth, gums and tongue for pictures with a closed mouth, derived from the rest of the face.

Teeth are as white as the light of the picture allows, tinted by its eyes and its skin; gums and tongue are its lips
and flesh. So a painting gets painted teeth, and a photograph at dusk dim ones.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, f32

_NOSE_TIP = 4
_CHEEK_POINTS = (216, 436)  # points of the cheeks beside the mouth, from left to right
_PATCH_SIZE = 0.05  # face widths
LUMA = f32([0.299, 0.587, 0.114])
_LEAST_SIDE_LIGHT = 0.6  # at least, of the light on the other one


class Palette(NamedTuple):
    """(3,) RGB colours in 0 to 255."""

    teeth: Floats
    gum: Floats
    tongue: Floats
    cavity: Floats


_DARK_LINE = 95.0  # a lighter line than this is no colour for what is behind it
# Percent of a picture, or of its face, that is its black; how much of the picture's lies over the dark of a mouth, and
# of the face's, which that has at least
_BLACK_PERCENT, _HAZE_SHARE, _FACE_BLACK_SHARE = 0.1, 0.7, 0.75
_HAZE_TINT = 0.4  # of the tint of flesh, in that haze
# Lab, spread of a face's colours around its tone: 1.3 in engravings, 2.6 in photographs.
_ONE_TONE_SPREAD, _COLOUR_SPREAD = 1.5, 2.5
_LEAST_RED, _MOST_RED = 0.25, 0.4  # of the a* of skin in Lab that teeth have; with lips beside them, .57 on film
_HIDDEN_TINT = 0.5  # of the skin's tint that the light is thought to have where no white of an eye tells it


def drawn_palette(portrait: Portrait) -> Palette:
    """Colours for a mouth that is drawn flat: the darkest it is drawn with, and clean white and red in its light."""
    picture = portrait.picture.astype(np.float32)
    bright = float(np.percentile(picture[_face(portrait) > 0].mean(axis=1), 90)) / 255
    mouth = picture[lip_ring(portrait, "outer")]
    luma = mouth.mean(axis=1)
    line = mouth[luma <= np.percentile(luma, 15)].mean(axis=0)
    red = f32([222, 98, 102]) * bright
    dark = 0.6 * line + 0.08 * red if line.mean() < _DARK_LINE else 0.34 * red
    white = f32([252, 250, 246]) * min(1.0, bright + 0.15)
    return Palette(white, white, red, f32(dark))


def palette(portrait: Portrait, own: Floats) -> Palette:
    """Colours in the light and within the range of the picture; ``own`` is the layer of `smile.own_teeth`.

    A picture of one tone, such as an old photograph, has a mouth of that tone; where its black is a grey, as in haze,
    or that of its face is, as in what is faded or soft, the dark of the mouth is hardly blacker. Black may be as thin
    as a hair or a stroke of a brush.
    """
    made = _lit(portrait, own)
    inside = _face(portrait) > 0
    luma = portrait.picture.astype(np.float32) @ LUMA
    black, face_black = (float(np.percentile(part, _BLACK_PERCENT)) for part in (luma, luma[inside]))
    hazed = made.cavity + _HAZE_SHARE * black * (made.cavity / (made.cavity @ LUMA)) ** _HAZE_TINT
    lift = max(_FACE_BLACK_SHARE * face_black / float(hazed @ LUMA), 1.0)
    return Palette(*_toned(f32([*made[:3], lift * hazed]), portrait.picture[inside]))


def _toned(colours: Floats, face: NDArray[np.uint8]) -> Floats:
    """``colours`` (n, 3), in the tone of the pixels of a ``face`` (m, 3) as far as these have only one."""
    seen, made = _lab(face), _lab(colours)
    terms, wanted = (np.stack([lab[:, 0] ** power for power in range(3)], axis=1) for lab in (seen, made))
    tone, *_ = np.linalg.lstsq(terms, seen[:, 1:], rcond=None)
    apart = float(np.linalg.norm((seen[:, 1:] - terms @ tone).std(axis=0)))
    coloured = float(np.clip((apart - _ONE_TONE_SPREAD) / (_COLOUR_SPREAD - _ONE_TONE_SPREAD), 0, 1))
    made[:, 1:] += (1 - coloured) * (wanted @ tone - made[:, 1:])
    return _rgb(made)


def _lab(colours: NDArray[np.generic]) -> Floats:
    """(n, 3) RGB in 0 to 255 -> CIE Lab."""
    return f32(cv2.cvtColor(f32(colours)[None] / np.float32(255), cv2.COLOR_RGB2LAB)[0])


def _rgb(lab: Floats) -> Floats:
    return f32(255 * cv2.cvtColor(lab[None], cv2.COLOR_LAB2RGB)[0]).clip(0, 255)


def _lit(portrait: Portrait, own: Floats) -> Palette:
    """Colours in the light of the picture."""
    picture = portrait.picture.astype(np.float32)
    pixels = picture[_face(portrait) > 0]
    luma = pixels @ LUMA
    low, high = np.percentile(luma, (40, 75))
    skin = np.median(pixels[(luma >= low) & (luma <= high)], axis=0)
    below = np.argwhere(_face(portrait))[:, 0] > portrait.landmarks[_NOSE_TIP, 1]
    bright = float(np.mean([np.percentile(part, 93) for part in (luma, luma[below])]))
    lips = np.median(picture[lip_ring(portrait, "outer") & ~lip_ring(portrait, "inner")], axis=0)
    sclera = _sclera(portrait, skin)
    hue = (sclera / sclera.max()) ** 0.6 * (skin / skin.max()) ** 0.3
    lit = min(max(1.15 * bright, min(1.15 * float(sclera @ LUMA), 1.3 * bright)), 240.0)
    hue = _likely(hue / (hue @ LUMA) * (skin @ LUMA), skin)
    teeth = hue / (hue @ LUMA) * lit
    shown = own[own[..., 3] > 0.9][:, :3]
    if len(shown) > 20:
        teeth = shown[shown.mean(axis=1) >= np.percentile(shown.mean(axis=1), 60)].mean(axis=0)
    light = bright / 215
    red = f32([190, 88, 84]) * light
    flesh = 0.5 * lips + 0.5 * red
    return Palette(
        f32(teeth * min(1.0, 250 / float(teeth.max()))),
        (flesh * f32([1.02, 0.92, 0.95])).astype(np.float32),
        (0.85 * flesh * f32([1.02, 0.86, 0.88])).astype(np.float32),
        (0.15 * flesh * f32([1.0, 0.8, 0.75])).astype(np.float32),
    )


def _likely(teeth: Floats, skin: Floats) -> Floats:
    """The colour of ``teeth`` (3,), no greener, redder or yellower than light on ``skin`` (3,) can make it."""
    made, flesh = _lab(f32([teeth])), _lab(f32([skin]))[0]
    red = max(float(flesh[1]), 0.0)
    made[0, 1] = min(max(float(made[0, 1]), _LEAST_RED * red), _MOST_RED * red)
    made[0, 2] = min(float(made[0, 2]), max(float(flesh[2]), 0.0))
    return _rgb(made)[0]


def side_light(portrait: Portrait, x: Floats) -> Floats:
    """(n,) the light at ``x`` (n,) px of the picture, as a share of that on the brighter cheek."""
    grey = cv2.cvtColor(portrait.picture, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), _PATCH_SIZE * portrait.face_width)
    cheeks = portrait.landmarks[list(_CHEEK_POINTS), :2]
    column, row = cheeks.round().astype(int).clip(0, np.array(soft.shape[::-1]) - 1).T
    luma = soft[row, column] / max(float(soft[row, column].max()), 1.0)
    return f32(np.interp(x, cheeks[:, 0], luma.clip(_LEAST_SIDE_LIGHT, 1)))


def _face(portrait: Portrait) -> NDArray[np.uint8]:
    """(H, W) 1 within the face's oval."""
    face = np.zeros(portrait.picture.shape[:2], np.uint8)
    cv2.fillPoly(face, [portrait.vertices[portrait.contours["face_oval"], :2].round().astype(np.int32)], (1,))
    return face


def _sclera(portrait: Portrait, skin: Floats) -> Floats:
    """Colour of the lightest part of the eyes, or an estimate where an eye is hidden."""
    if any(portrait.eyes_hidden):
        return f32(skin.max() * (skin / skin.max()) ** _HIDDEN_TINT)
    found: list[Floats] = []
    for side in ("left", "right"):
        outline = np.concatenate([portrait.contours[f"eye_{side}_upper"], portrait.contours[f"eye_{side}_lower"][::-1]])
        mask = np.zeros(portrait.picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [portrait.vertices[outline, :2].round().astype(np.int32)], (1,))
        found.append(portrait.picture[cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0].astype(np.float32))
    pixels = np.concatenate(found)
    if len(pixels) < 8:
        return skin
    luma = pixels.mean(axis=1)
    return pixels[luma >= np.percentile(luma, 75)].mean(axis=0)


def lip_ring(portrait: Portrait, ring: str) -> NDArray[np.bool_]:
    """(H, W) mask of what lies within the ``inner`` or ``outer`` contour of the lips."""
    outline = np.concatenate([portrait.contours[f"lips_{ring}_upper"], portrait.contours[f"lips_{ring}_lower"][::-1]])
    mask = np.zeros(portrait.picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [(portrait.vertices[outline, :2] * 16).round().astype(np.int32)], (1,), shift=4)
    return mask > 0

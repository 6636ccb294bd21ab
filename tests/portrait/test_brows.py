"""Raised brows stay as thick as they are in the picture, lashes as long, and what a frame covers stays covered."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows.space import INDEX
from animator.portrait.characters import find
from animator.portrait.geometry.topology import BROW_LOWER_EDGES, BROW_UPPER_EDGES, RINGS
from animator.portrait.portrait import load
from animator.portrait.shaping.brows import RAISING_SHAPES, level_brows, rise

pytestmark = pytest.mark.model

_RAISING = [INDEX[shape] for shape in RAISING_SHAPES]


@pytest.mark.parametrize("name", ["astronaut", "mona_lisa"])
def test_brows_rise_as_a_whole(name: str) -> None:
    portrait = load(find(name).picture)
    up = -portrait.shapes[_RAISING].sum(axis=0)[:, 1]
    lower, upper = up[[285, 295, 282, 283]], up[[336, 296, 334, 293]]
    assert upper.min() > 0.02 * portrait.face_width
    assert np.abs(upper - lower).max() < 0.25 * upper.max()
    lids = up[list(RINGS["eye_left_upper"] + RINGS["eye_right_upper"])]
    assert np.abs(lids).max() < 0.12 * upper.max()


def test_no_point_of_a_tall_drawn_eye_goes_with_the_brow_above_it() -> None:
    """Its lid would become a saw, whose teeth are the points between the landmarks."""
    portrait = load(find("toon").picture)
    vertices, lid = portrait.vertices.copy(), portrait.contours["eye_left_upper"]
    top = vertices[lid, 1].min()
    brow = [*BROW_LOWER_EDGES["left"], *BROW_UPPER_EDGES["left"]]
    vertices[brow, 1] = top - 0.03 * portrait.face_width
    shapes = np.zeros_like(portrait.shapes)
    shapes[INDEX["browInnerUp"], brow, 1] = -10
    raised = level_brows(vertices, shapes, portrait.picture)[INDEX["browInnerUp"]]
    assert np.abs(raised[lid]).max() < 0.1
    assert raised[brow, 1].max() < -4


@pytest.mark.parametrize(("hair", "lashes"), [(0.1, 0.8), (0.35, 0.8), (0.1, 0.55), (0.4, 0.75)])
def test_only_the_skin_between_hair_and_lashes_stretches(hair: float, lashes: float) -> None:
    """``hair`` and ``lashes``, painted over a face: where on the way from brow to lid they end and begin."""
    portrait = load(find("astronaut").picture)
    picture, way = _painted(portrait.vertices, hair, lashes)
    shapes = np.zeros_like(portrait.shapes)
    shapes[INDEX["browInnerUp"], [*BROW_LOWER_EDGES["left"], *BROW_UPPER_EDGES["left"]], 1] = -10
    up = -level_brows(portrait.vertices, shapes, picture)[INDEX["browInnerUp"]][:, 1]
    stiff, still = (way > 0) & (way < hair - 0.05), (way > lashes + 0.05) & (way < 1)
    assert still.sum() > 10
    assert up[282] > 5
    assert np.abs(up[stiff] - up[282]).max(initial=0) < 0.15 * up[282]
    assert np.abs(up[still]).max() < 0.15 * up[282]


def test_brows_rise_as_far_as_there_is_skin_under_them() -> None:
    """Near the eye a brow has little; behind a frame nothing is known of it, and what is made up would come out."""
    portrait = load(find("astronaut").picture)
    frame = np.zeros(portrait.picture.shape[:2], np.uint8)
    edges = [*BROW_LOWER_EDGES["left"], *BROW_UPPER_EDGES["left"][::-1]]
    seen = portrait.vertices, portrait.shapes
    narrow, wide = (rise(*seen, _painted(portrait.vertices, *at)[0], frame) for at in ((0.4, 0.7), (0.1, 0.8)))
    free = rise(*seen, portrait.picture, frame)
    cv2.fillPoly(frame, [portrait.vertices[edges, :2].round().astype(np.int32)], (255,))
    assert free > 0.9
    assert 0.4 < narrow < 0.65 * wide
    assert rise(*seen, portrait.picture, frame) == pytest.approx(0.15)


def _painted(
    vertices: NDArray[np.float32], hair: float, lashes: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A picture of skin with the left brow and the lashes under it, and (V,) how far on the way between lower edge of
    the brow and lid each vertex there lies; infinite elsewhere."""
    lid, lower, upper = (
        vertices[list(ids)][np.argsort(vertices[list(ids), 0])]
        for ids in (RINGS["eye_left_upper"], BROW_LOWER_EDGES["left"], BROW_UPPER_EDGES["left"])
    )
    picture = np.full((640, 640, 3), (205, 160, 140), np.uint8)
    columns = np.arange(640)
    top, start, end = (np.interp(columns, line[:, 0], line[:, 1]) for line in (upper, lower, lid))
    row, room = np.arange(640)[:, None], end - start
    picture[((row > top) & (row < start + hair * room)) | ((row > start + lashes * room) & (row < end + 3))] = 40
    x, y = vertices[:, 0], vertices[:, 1]
    way = (y - np.interp(x, columns, start)) / np.interp(x, columns, room)
    within = (x > lower[1, 0]) & (x < lower[-2, 0]) & (way < 1)
    return picture, np.where(within, way, np.inf).astype(np.float32)

"""A preview of the landmarks in a picture: the mesh, and the named points that a person can correct."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import POINTS
from animator.portrait.picture.named import NAMED_POINTS
from animator.portrait.portrait import Portrait

_HEIGHT = 1200  # px
_MARGIN = 0.12  # of the face's height, on each side
_MESH_COLOUR, _POINT_COLOUR, _NAME_COLOUR, _EDGE_COLOUR = (90, 220, 255), (255, 60, 60), (255, 255, 255), (0, 0, 0)


def preview(portrait: Portrait) -> NDArray[np.uint8]:
    """(h, w, 3) RGB: the face, enlarged, with its landmarks drawn in."""
    points = portrait.landmarks[:, :2]
    room = _MARGIN * portrait.face_height
    low = (points.min(axis=0) - room).astype(int).clip(0)
    high = (points.max(axis=0) + room).astype(int).clip(low + 1, portrait.picture.shape[0])
    face = portrait.picture[low[1] : high[1], low[0] : high[0]]
    zoom = _HEIGHT / face.shape[0]
    drawn = cv2.resize(face, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    places = ((points - low) * zoom).round().astype(int).tolist()
    for place in places[:POINTS]:
        cv2.circle(drawn, place, 1, _MESH_COLOUR, -1, cv2.LINE_AA)
    for name, number in NAMED_POINTS.items():
        x, y = places[number]
        cv2.circle(drawn, (x, y), 4, _POINT_COLOUR, -1, cv2.LINE_AA)
        for colour, width in (_EDGE_COLOUR, 3), (_NAME_COLOUR, 1):
            cv2.putText(drawn, name, (x + 6, y + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, width, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)

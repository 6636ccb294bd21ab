"""`Layers`: the textures and meshes from which a portrait is drawn. They never change, so all faces of a portrait share
them."""

import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np

from animator.portrait.portrait import Portrait
from animator.render.eyes import eyeball, lids, spectacles
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.mouth import cavity, meeting, tongue
from animator.render.surface import holes, plate, raster, wrinkles
from animator.render.surface.body import Body, body
from animator.render.surface.light import Light, light
from animator.render.surface.sharp import sharpened

_LID_FORWARD = 0.03  # face widths
_OPENINGS = ("lips_inner", "eye_left", "eye_right")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Layers:
    """``still`` (size, size, 3) RGB is the background; ``texture`` the packed picture, ``sharp`` what it is
    drawn from when it has moved, ``cutout`` the person in it;
    ``centre`` (2,) px of the frame on the optical axis. ``uv`` (N, 2) px of the picture and ``opacity`` (N,) are the
    body's and the hem's vertices; triangles (T, 3) of these are ``around`` the face, at the ``edge`` of the person, the
    hem of the face's rim and of the openings' edges, and by ``forward`` (T,) px the face's own are drawn over others.
    ``creases`` (E, 4) are where the face may fold. ``rims`` (R,) are `Lips.edge` and the vertices of its
    hem, ``rim_of`` (R,) whose `Lips.line` they follow."""

    portrait: Portrait
    body: Body
    light: Light
    eyes: tuple[eyeball.Eye, ...]
    lids: tuple[lids.Lid, ...]
    lips: meeting.Lips
    mouth: cavity.Mouth
    tongue: tongue.Tongue
    wrinkles: wrinkles.Wrinkles | None
    glasses: spectacles.Glasses | None
    texture: raster.Texture
    sharp: raster.Texture
    cutout: raster.Texture
    still: Image
    centre: Floats
    hem: holes.Hem
    rim_hem: Ints
    edge_hem: Ints
    creases: Ints
    rims: Ints
    rim_of: Ints
    around: Ints
    edge: Ints
    forward: Floats
    uv: Floats
    opacity: Floats


_known: WeakValueDictionary[int, Layers] = WeakValueDictionary()
_building = threading.Lock()


def layers(portrait: Portrait) -> Layers:
    """The layers of ``portrait``, built in about 0.2 s unless another open face shows the same portrait."""
    with _building:
        known = _known.get(id(portrait))
        if known is None or known.portrait is not portrait:
            known = _known[id(portrait)] = _build(portrait)
        return known


def _build(portrait: Portrait) -> Layers:
    made = body(portrait)
    bare = spectacles.take_off(portrait)
    behind = cavity.mouth(bare, made)
    x, y = portrait.view
    opaque = plate.opacity(portrait)
    background = plate.plate(bare.picture, opaque, portrait.face_width)
    whole, edge = plate.split(opaque, made.uv, made.outer)
    contours = portrait.contours
    pairs = [(contours[f"{name}_upper"], contours[f"{name}_lower"]) for name in _OPENINGS]
    uppers = [upper for upper, _ in pairs]
    hem = holes.hems(made.rim, uppers, len(made.points))
    rim_hem, edge_hem = np.split(hem.triangles, [2 * len(made.rim)])
    beyond = np.empty((len(hem.root), 2), np.float32)
    holes.hem(made.uv, hem.root, hem.before, hem.after, beyond)
    meet = meeting.lips(portrait, made.points)
    rims, rim_of = _rims(meet.edge, hem, len(made.points))
    # A closed lid and a closed upper lip lie over the lower ones, whichever is nearer by a hair.
    on_top = np.isin(made.face, np.concatenate(uppers)).any(axis=1)
    return Layers(
        portrait=portrait,
        body=made,
        light=light(bare, made),
        eyes=tuple(eyeball.eyes(bare, made)),
        lids=tuple(lids.lids(bare)),
        lips=meet,
        mouth=behind,
        tongue=tongue.tongue(behind.parts[0].texture),
        wrinkles=wrinkles.wrinkles(bare, made.face, len(made.points) + len(beyond)),
        glasses=spectacles.put_on(portrait, bare, made),
        texture=raster.pack(bare.picture),
        sharp=raster.pack(sharpened(bare.picture)),
        cutout=plate.cutout(bare.picture, background, opaque),
        still=np.ascontiguousarray(background[y : y + portrait.size, x : x + portrait.size]),
        centre=made.centre - f32(portrait.view),
        hem=hem,
        rim_hem=rim_hem,
        edge_hem=edge_hem,
        creases=holes.creases(made.uv, made.face),
        rims=rims,
        rim_of=rim_of,
        around=np.concatenate([whole, holes.fillers(pairs)]),
        edge=edge,
        forward=f32(on_top * _LID_FORWARD * portrait.face_width),
        uv=np.concatenate([made.uv, beyond]),
        opacity=f32(np.arange(len(made.points) + len(beyond)) < len(made.points)),
    )


def _rims(edge: Ints, hem: holes.Hem, first: int) -> tuple[Ints, Ints]:
    """`Layers.rims` and `Layers.rim_of`; the hem's vertices are numbered from ``first`` on."""
    order = {int(vertex): number for number, vertex in enumerate(edge)}
    hemmed = np.flatnonzero(np.isin(hem.root, edge))
    following = [order[int(hem.root[number])] for number in hemmed]
    rims, rim_of = np.append(edge, first + hemmed), np.append(np.arange(len(edge)), following)
    return rims.astype(np.int32), rim_of.astype(np.int32)

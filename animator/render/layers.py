"""`Layers`: the textures and meshes from which a portrait is drawn. They never change, so all faces of a portrait share
them."""

import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np

from animator.portrait.portrait import Portrait
from animator.render.eyes import eyeball, lids, raised_brows, spectacles
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.mouth import cavity, meeting, tongue
from animator.render.surface import holes, plate, raster, wrinkles
from animator.render.surface.body import Body, body
from animator.render.surface.light import Light, light
from animator.render.surface.sharp import sharpened

_LID_FORWARD = 0.03  # face widths
_RIM_WIDTH = 0.025  # face widths
_OPENINGS = ("lips_inner", "eye_left", "eye_right")


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """The triangles of a frame. Their vertices are those of `Body`, then those of the hems."""

    uv: Floats  # (N, 2) px of the picture
    opacity: Floats  # (N,) 1, and 0 at the outer side of a hem
    hem: holes.Hem  # of the face's rim, then of the upper edges of the openings
    rim_hem: Ints  # (T, 3) the hem of the face's rim
    edge_hem: Ints  # (T, 3) the hem of the openings
    around: Ints  # (T, 3) hair, neck, shoulders, fillers between the edges of the openings, and `_hidden`
    edge: Ints  # (T, 3) where the person fades into the background
    forward: Floats  # (T,) px by which triangles of the face are sorted nearer than they are
    creases: Ints  # (E, 4) where the face may fold, see `holes.creases`
    rims: Ints  # (R,) `Lips.edge`, and the vertices of its hem
    rim_of: Ints  # (R,) whose `Lips.line` they follow


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Layers:
    """All that a portrait is drawn from."""

    portrait: Portrait
    body: Body
    mesh: Mesh
    light: Light
    eyes: tuple[eyeball.Eye, ...]
    lids: tuple[lids.Lid, ...]
    lips: meeting.Lips
    mouth: cavity.Mouth
    tongue: tongue.Tongue
    wrinkles: wrinkles.Wrinkles | None
    glasses: spectacles.Glasses | None
    brows: raised_brows.Brows | None
    texture: raster.Texture  # the packed picture
    sharp: raster.Texture  # what it is drawn from once the face has moved
    cutout: raster.Texture  # the person in it
    still: Image  # (size, size, 3) RGB, the background
    centre: Floats  # (2,) px of the frame on the optical axis


_known: WeakValueDictionary[int, Layers] = WeakValueDictionary()
_building = threading.Lock()


def layers(portrait: Portrait) -> Layers:
    """The layers of ``portrait``: built in about 0.2 s, or shared with another open face of the same portrait."""
    with _building:
        known = _known.get(id(portrait))
        if known is None or known.portrait is not portrait:
            known = _known[id(portrait)] = _build(portrait)
        return known


def _build(portrait: Portrait) -> Layers:
    made, glassless = body(portrait), spectacles.take_off(portrait)
    bare = raised_brows.take_off(glassless)
    brows = raised_brows.put_on(glassless, bare, made)
    if brows:
        raised_brows.hold_face(made)
    behind, meet = cavity.mouth(bare, made), meeting.lips(portrait, made.points)
    opaque = plate.opacity(portrait)
    background = plate.plate(bare.picture, opaque, portrait.face_width)
    mesh = _mesh(portrait, made, opaque, meet)
    x, y = portrait.view
    return Layers(
        portrait=portrait,
        body=made,
        mesh=mesh,
        light=light(bare, made),
        eyes=tuple(eyeball.eyes(bare, made)),
        lids=tuple(lids.lids(bare)),
        lips=meet,
        mouth=behind,
        tongue=tongue.tongue(behind.parts[0].texture),
        wrinkles=wrinkles.wrinkles(bare, made.face, len(mesh.uv)),
        glasses=spectacles.put_on(portrait, glassless, made),
        brows=brows,
        texture=raster.pack(bare.picture),
        sharp=raster.pack(sharpened(bare.picture)),
        cutout=plate.cutout(bare.picture, background, opaque),
        still=np.ascontiguousarray(background[y : y + portrait.size, x : x + portrait.size]),
        centre=made.centre - f32(portrait.view),
    )


def _mesh(portrait: Portrait, made: Body, opaque: Image, meet: meeting.Lips) -> Mesh:
    """The mesh of a portrait whose person is ``opaque`` (n, n), with the hems that soften its edges."""
    contours, count = portrait.contours, len(made.points)
    pairs = [(contours[f"{name}_upper"], contours[f"{name}_lower"]) for name in _OPENINGS]
    uppers = [upper for upper, _ in pairs]
    whole, edge = plate.split(opaque, made.uv, made.outer)
    hem = holes.hems(made.rim, uppers, count)
    rim_hem, edge_hem = np.split(hem.triangles, [2 * len(made.rim)])
    beyond = np.empty((len(hem.root), 2), np.float32)
    holes.hem(made.uv, hem.root, hem.before, hem.after, beyond)
    rims, rim_of = _rims(meet.edge, hem, count)
    # A closed lid and a closed upper lip lie over the lower ones, whichever is nearer by a hair.
    on_top = np.isin(made.face, np.concatenate(uppers)).any(axis=1)
    return Mesh(
        uv=np.concatenate([made.uv, beyond]),
        opacity=f32(np.arange(count + len(beyond)) < count),
        hem=hem,
        rim_hem=rim_hem,
        edge_hem=edge_hem,
        around=np.concatenate([whole, holes.fillers(pairs), _hidden(portrait, made)]),
        edge=edge,
        forward=f32(on_top * _LID_FORWARD * portrait.face_width),
        creases=holes.creases(made.uv, made.face),
        rims=rims,
        rim_of=rim_of,
    )


def _hidden(portrait: Portrait, made: Body) -> Ints:
    """(T, 3) what the picture hides within the face: the cheek of a head that looks aside may leave the nose. What it
    hides at the rim is not skin."""
    if len(made.face) == len(portrait.triangles):
        return np.zeros((0, 3), np.int32)
    kept = {tuple(sorted(corners)) for corners in made.face.tolist()}
    hidden = [corners for corners in portrait.triangles.tolist() if tuple(sorted(corners)) not in kept]
    triangles = np.array(hidden, np.int32).reshape(-1, 3)
    apart = made.uv[triangles].mean(axis=1)[:, None] - made.uv[made.rim]
    inner = np.linalg.norm(apart, axis=2).min(axis=1) > _RIM_WIDTH * portrait.face_width
    return np.ascontiguousarray(triangles[inner])


def _rims(edge: Ints, hem: holes.Hem, first: int) -> tuple[Ints, Ints]:
    """`Mesh.rims` and `Mesh.rim_of`; the hem's vertices are numbered from ``first`` on."""
    order = {int(vertex): number for number, vertex in enumerate(edge)}
    hemmed = np.flatnonzero(np.isin(hem.root, edge))
    following = [order[int(hem.root[number])] for number in hemmed]
    rims, rim_of = np.append(edge, first + hemmed), np.append(np.arange(len(edge)), following)
    return rims.astype(np.int32), rim_of.astype(np.int32)

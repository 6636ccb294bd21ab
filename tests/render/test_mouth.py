"""What is seen between the lips."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from animator.evaluate.wishes.sweep import row
from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.mouth import cavity, meeting, smile
from animator.render.mouth.palette import palette
from animator.render.surface.body import body

pytestmark = pytest.mark.model


def opened(portrait: Portrait) -> np.ndarray:
    """(n, 3) colours of the frame well within the opened mouth."""
    motion = np.zeros(space.SIZE, np.float32)
    motion[space.INDEX["jawOpen"]] = 0.5
    frame = Renderer(portrait).draw(motion)
    x, y = (portrait.vertices[13, :2] - portrait.view).round().astype(int)
    across, down = int(0.05 * portrait.face_width), int(0.09 * portrait.face_width)
    return frame[y + 3 : y + down, x - across : x + across].reshape(-1, 3)


def test_a_drawing_gets_a_flat_mouth_and_a_painting_a_shaded_one() -> None:
    def flat(name: str) -> float:
        """Share of the pixels that have one of the three commonest colours."""
        counts = np.unique(opened(load(find(name).picture)) // 8, axis=0, return_counts=True)[1]
        return float(np.sort(counts)[-3:].sum() / counts.sum())

    assert flat("toon") > 0.6
    assert flat("mona_lisa") < 0.45


def test_the_teeth_of_a_drawing_are_white_and_its_tongue_is_red() -> None:
    colours = opened(load(find("toon").picture)).astype(int)
    assert (colours.min(axis=1) > 215).mean() > 0.05
    assert ((colours[:, 0] - colours[:, 2]) > 70).mean() > 0.2


def painting() -> np.ndarray:
    """(h, w, 3) RGB."""
    return cv2.cvtColor(np.asarray(cv2.imread(str(find("mona_lisa").picture))), cv2.COLOR_BGR2RGB)


def mouth_of(picture: np.ndarray) -> np.ndarray:
    """`opened` of an RGB picture."""
    coded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    return opened(load(coded.tobytes())).astype(int)


def test_a_grey_picture_has_a_grey_mouth_and_a_sepia_one_a_brown_mouth() -> None:
    colour = painting()
    grey = np.repeat(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    red, plain, brown = (
        mouth_of(picture) for picture in (colour, grey, (grey * np.array([0.95, 0.8, 0.6])).astype(np.uint8))
    )
    assert np.ptp(red, axis=1).max() > 60
    assert np.ptp(plain, axis=1).max() <= 4
    seen = brown[brown.sum(axis=1) > 150]
    np.testing.assert_allclose(seen[:, 2] / seen[:, 0], 0.6 / 0.95, atol=0.08)


def test_a_mouth_is_no_blacker_than_the_haze_that_lies_over_the_picture() -> None:
    clear = painting()
    dark, grey = (mouth_of(seen).mean(axis=1).min() for seen in (clear, (60 + clear * (195 / 255)).astype(np.uint8)))
    assert dark < 20
    assert 40 < grey < 75


def test_dark_glasses_do_not_colour_the_teeth() -> None:
    portrait = load(find("mona_lisa").picture)
    picture = portrait.picture.copy()
    for side in ("left", "right"):
        ids = portrait.contours[f"eye_{side}_upper"]
        centre = tuple(portrait.vertices[ids, :2].mean(axis=0).round().astype(int).tolist())
        cv2.circle(picture, centre, 20, (20, 60, 10), -1)
    bare, hidden = (
        palette(replace(portrait, picture=seen, eyes_hidden=(shaded, shaded)), np.zeros((9, 9, 4), np.float32)).teeth
        for seen, shaded in ((portrait.picture, False), (picture, True))
    )
    assert hidden[0] >= hidden[1] >= hidden[2]
    np.testing.assert_allclose(hidden / hidden.max(), bare / bare.max(), atol=0.2)


@pytest.mark.parametrize("red", [1.0, 1.3])
def test_made_teeth_are_less_red_than_skin(red: float) -> None:
    """By .21 to .81, in ten speakers of GRID (lips beside them redden them there), also where all is lit red."""
    portrait = load(find("mona_lisa").picture)
    picture = (portrait.picture * np.float32([red, 1, 1])).clip(0, 255).astype(np.uint8)
    made = palette(replace(portrait, picture=picture), np.zeros((9, 9, 4), np.float32))
    cheeks = portrait.landmarks[[50, 280], :2].round().astype(int)
    skin = np.median([picture[y - 6 : y + 6, x - 6 : x + 6].reshape(-1, 3) for x, y in cheeks], axis=(0, 1))
    teeth, cheek = (cv2.cvtColor(np.float32([[of]]) / 255, cv2.COLOR_RGB2LAB)[0, 0] for of in (made.teeth, skin))
    assert 0.19 < teeth[1] / cheek[1] < 0.6


def test_lips_of_a_toothy_smile_come_together_before_they_make_a_hole() -> None:
    """A round hole amid lips as wide as a smile looks like a wound, and no shadow of round lips falls into it."""
    smiling, shut = load(find("astronaut").picture), load(find("mona_lisa").picture)
    asked = row(mouthPucker=0.1, mouthFunnel=0.07)[: len(space.ARKIT)]
    made = [meeting.lips(portrait, body(portrait).points) for portrait in (smiling, shut)]
    assert meeting.roundness(made[1], asked) == pytest.approx(0.152)
    assert 0.15 < made[0].smile < 0.45
    assert meeting.roundness(made[0], asked) < 0.08
    assert meeting.roundness(made[0], 3 * asked) == pytest.approx(0.456)


def test_light_hardly_enters_between_lips_that_only_just_part() -> None:
    """Else the teeth of a picture that smiles are a bright line between lips at rest; drawings throw no shadow."""
    cavity_colour = np.zeros(3, np.uint8)
    photo, drawn = (cavity.Light(0.9, shadow, 6.0, 8.0, cavity_colour) for shadow in (1.0, 0.0))
    enters = [float(cavity.entering(np.float32(gap), photo)) for gap in (0, 1, 2, 4, 8, 20)]
    assert enters == sorted(enters)
    assert enters[0] < 0.2 < 0.6 < enters[3]
    assert enters[4] == enters[5] == pytest.approx(0.9)
    assert cavity.entering(np.float32(0), drawn) > 0.5


def profile(portrait: Portrait, **weights: float) -> np.ndarray:
    """(n,) luma down the middle of the mouth, from the upper lip's rim to the lower one's."""
    motion = np.zeros(space.SIZE, np.float32)
    for name, weight in weights.items():
        motion[space.INDEX[name]] = weight
    renderer = Renderer(portrait)
    grey = renderer.draw(motion).mean(axis=2)
    upper, lower = (renderer._surface.xy[portrait.contours[f"lips_inner_{side}"]] for side in ("upper", "lower"))
    x, top, bottom = (int(v) for v in (*upper[len(upper) // 2].round(), lower[len(lower) // 2, 1]))
    return grey[top + 1 : bottom, x - 4 : x + 5].mean(axis=1)


@pytest.mark.parametrize("name", ["mona_lisa", "pere_tanguy", "astronaut"])
def test_a_mouth_wide_open_shows_teeth_above_a_tongue_that_is_lost_in_the_dark(name: str) -> None:
    down = profile(load(find(name).picture), jawOpen=0.5, mouthUpperUpLeft=0.1, mouthUpperUpRight=0.1)
    third = len(down) // 3
    teeth, dark, tongue = down[:third].max(), down.min(), down[-third:].mean()
    assert teeth > 1.6 * tongue
    assert tongue > 1.4 * dark


@pytest.mark.parametrize("name", ["mona_lisa", "toon"])
def test_lips_that_hardly_part_show_no_white_line(name: str) -> None:
    portrait = load(find(name).picture)
    slit, open_ = profile(portrait, jawOpen=0.05), profile(portrait, jawOpen=0.3)
    assert slit.max() < 0.75 * open_.max()


def test_a_tongue_comes_out_over_the_lower_lip_only_where_the_lips_let_it(portrait: Portrait) -> None:
    x, y = (portrait.vertices[17, :2] - portrait.view).round().astype(int)
    motion = np.zeros(space.SIZE, np.float32)
    motion[space.INDEX["jawOpen"]] = 0.3
    renderer = Renderer(portrait)
    inside = renderer.draw(motion)
    motion[space.INDEX["tongueOut"]] = 1
    changed = np.abs(renderer.draw(motion).astype(int) - inside).max(axis=2) > 8
    lip = y + int(0.04 * portrait.face_width)
    assert changed[lip - 4 : lip + 4, x - 4 : x + 4].mean() > 0.8
    motion[space.INDEX["jawOpen"]] = 0
    motion[space.INDEX["mouthClose"]] = 0.2
    shut = renderer.draw(motion)
    motion[space.INDEX["tongueOut"]] = 0
    assert np.array_equal(renderer.draw(motion), shut)


@pytest.mark.parametrize("out", [0.7, 1.0])
def test_a_tongue_that_is_out_has_no_dark_line_around_it(out: float) -> None:
    renderer = Renderer(load(find("mona_lisa").picture))
    before, after = (renderer.draw(row(jawOpen=0.3, tongueOut=by)).mean(axis=2) for by in (0.0, out))
    rim = renderer._surface.xy[renderer.portrait.contours["lips_inner_lower"]]
    over = after[round(float(rim[:, 1].max())) + 2 :][np.abs(before - after)[round(float(rim[:, 1].max())) + 2 :] > 6]
    assert len(over) > 100
    assert over.min() > 0.7 * np.median(over)


def rims(renderer: Renderer, **weights: float) -> np.ndarray:
    """(2, n, 2) face widths: rims of both lips, x along a face that is upright."""
    renderer.draw(row(**weights))
    contours = renderer.portrait.contours
    both = np.stack([renderer._surface.xy[contours[f"lips_inner_{lip}"]] for lip in ("upper", "lower")])
    along = both[0, -1] - both[0, 0]
    along /= np.linalg.norm(along)
    return both @ np.column_stack([along, [-along[1], along[0]]]) / renderer.portrait.face_width


def hole(renderer: Renderer, **weights: float) -> tuple[float, float, float]:
    """Width and height of what is open between the lips, face widths, and the share of their rectangle that it is:
    0.79 for an ellipse, 0.5 for a diamond."""
    upper, lower = rims(renderer, **weights)
    x = np.linspace(upper[0, 0], upper[-1, 0], 400)
    gap = np.interp(x, *lower.T) - np.interp(x, *upper.T)
    wide, high = float((gap > 0.004).mean() * np.ptp(x)), float(gap.max())
    return wide, high, float(gap.clip(0).sum() * (x[1] - x[0]) / (wide * high))


@pytest.mark.parametrize("name", ["mona_lisa", "astronaut", "pere_tanguy"])
def test_rounded_lips_leave_a_round_hole(name: str) -> None:
    renderer = Renderer(load(find(name).picture))
    wide, high, full = hole(renderer, jawOpen=0.25, mouthFunnel=0.5, mouthPucker=0.4)
    narrow, low, _ = hole(renderer, jawOpen=0.1, mouthPucker=0.85)
    open_wide, *_ = hole(renderer, jawOpen=0.5)
    assert 0.68 < full < 0.86
    assert high > 0.04 and 1 < wide / high < 3.5
    assert narrow < wide < 0.85 * open_wide and narrow < 0.14
    assert 0.005 < low < high


@pytest.mark.parametrize("name", ["mona_lisa", "astronaut", "pere_tanguy"])
def test_lips_round_no_further_than_lips_can_whatever_two_shapes_add_up_to(name: str) -> None:
    """On film a mouth gets no narrower than .78 of itself, its lips by 1.24 thicker then; a smile narrows further."""
    portrait = load(find(name).picture)
    renderer = Renderer(portrait)

    def looks(**weights: float) -> tuple[float, float]:
        inner = rims(renderer, **weights)
        edge = renderer._surface.xy[portrait.contours["lips_outer_lower"]] / portrait.face_width
        return float(np.ptp(inner[0, :, 0])), float(edge[len(edge) // 2, 1] - inner[1, len(inner[1]) // 2, 1])

    (wide, thin), (narrow, thick) = looks(), looks(jawOpen=0.3, mouthPucker=1.0, mouthFunnel=0.9)
    assert narrow > (0.45 if name == "astronaut" else 0.65) * wide
    assert thick < 1.45 * thin


@pytest.mark.parametrize("name", ["mona_lisa", "pere_tanguy"])
def test_an_open_mouth_hangs_from_its_corners_and_parts_its_upper_lip(name: str) -> None:
    """As in tracked speakers: corners go a quarter of the lower lip's way, and the mouth gets no narrower."""
    renderer = Renderer(load(find(name).picture))
    rest, ah = rims(renderer), rims(renderer, jawOpen=0.5)
    down = ah[1, 10, 1] - rest[1, 10, 1]
    assert 0.15 < (ah[0, [0, -1], 1] - rest[0, [0, -1], 1]).mean() / down < 0.4
    assert np.ptp(ah[0, :, 0]) > 0.98 * np.ptp(rest[0, :, 0])
    both = rims(renderer, jawOpen=0.5, mouthUpperUp=0.5)
    lifted = ah[0, :, 1] - both[0, :, 1]
    assert lifted[[5, 15]].mean() > lifted[10] > 0.015, "most at the eye teeth"
    assert np.abs(both[1, 3:18, 1] - ah[1, 3:18, 1]).max() < 0.01, "and the lower lip stays"


@pytest.mark.parametrize("name", ["mona_lisa", "pere_tanguy"])
def test_teeth_are_no_grid(name: str) -> None:
    """Along the middle of the upper teeth it gets a little darker between two of them, not dark."""
    renderer = Renderer(load(find(name).picture))
    upper, _ = rims(renderer)  # for the frame
    frame = renderer.draw(row(mouthUpperUp=0.6, jawOpen=0.3)).mean(axis=2)
    xy = renderer._surface.xy[renderer.portrait.contours["lips_inner_upper"]]
    x = np.arange(xy[6, 0], xy[14, 0])
    y = np.interp(x, *xy.T) + 0.025 * renderer.portrait.face_width
    seen = frame[y.round().astype(int), x.round().astype(int)]
    smooth = np.convolve(seen, np.ones(15) / 15, "valid")
    middle = seen[7:-7]
    assert (middle / smooth).min() > 0.82
    assert middle.mean() > 0.75 * np.percentile(renderer.portrait.picture.mean(axis=2), 60)


@pytest.mark.parametrize("name", ["mona_lisa", "pere_tanguy"])
def test_the_tip_of_the_tongue_rises_to_the_upper_teeth_before_it_comes_out(name: str) -> None:
    """A little of tongueOut fills the dark below the upper teeth, and shows nowhere but between the lips."""
    renderer = Renderer(load(find(name).picture))
    low, raised = (renderer.draw(row(jawOpen=0.5, mouthUpperUp=0.2, tongueOut=out)).astype(float) for out in (0, 0.2))
    contours, xy = renderer.portrait.contours, renderer._surface.xy
    upper, lower = (xy[contours[f"lips_inner_{lip}"]] for lip in ("upper", "lower"))
    x, top, bottom = (int(v) for v in (upper[10, 0], upper[10, 1], lower[10, 1]))
    down = [frame[top + 4 : bottom - 4, x - 4 : x + 5].mean(axis=(1, 2)) for frame in (low, raised)]
    assert down[1][down[0].argmin()] > 1.3 * down[0].min(), "where it was darkest"
    assert down[1].min() > down[0].min()
    assert down[1][: len(down[1]) // 3].max() == pytest.approx(down[0][: len(down[0]) // 3].max(), abs=1), "teeth"
    changed = np.argwhere(np.abs(raised - low).max(axis=2) > 2)
    assert len(changed) > 100
    assert (changed.min(axis=0) >= upper[:, ::-1].min(axis=0) - 2).all()
    assert (changed.max(axis=0) <= np.concatenate([upper, lower])[:, ::-1].max(axis=0) + 2).all()


@pytest.mark.parametrize("yaw", [-8, 8])
def test_a_smile_that_turns_keeps_its_looks_down_to_the_lower_lip(yaw: float) -> None:
    """What is just above the lower lip goes along with it: no dark line stays where it was."""
    renderer = Renderer(load(find("astronaut").picture))

    def above_the_lip(yaw: float) -> np.ndarray:
        motion = np.zeros(space.SIZE, np.float32)
        motion[space.HEAD_YAW] = yaw
        frame, xy = renderer.draw(motion).astype(float), renderer._surface.xy
        rims = [xy[renderer.portrait.contours[f"lips_inner_{side}"]] for side in ("upper", "lower")]
        line = 0.15 * rims[0] + 0.85 * rims[1]
        steps = np.linspace(1, len(line) - 2, 50)
        x, y = (np.interp(steps, np.arange(len(line)), line[:, axis]).round().astype(int) for axis in (0, 1))
        return frame[y, x]

    change = np.abs(above_the_lip(yaw) - above_the_lip(0)).mean(axis=1)
    assert change.mean() < 12
    assert np.percentile(change, 95) < 40


def test_no_tooth_of_a_smile_is_lost_where_the_gum_shines() -> None:
    """A bright spot over a tooth is not taken for it: what is found is as long as its neighbours are."""
    rows, light = np.arange(40), np.full(60, 200, np.float32)
    tooth = np.zeros(60, np.bool_)
    tooth[2:4] = tooth[8:36] = True
    assert smile._upper_run(rows, tooth, light) == (10, 35)
    light[26:29] = 170  # the line between two rows
    assert 24 <= smile._upper_run(rows, tooth, light)[1] <= 27


def composed(white: tuple[int, int, int], shadow: float = 1.0) -> np.ndarray:
    """(40, 90, 3): nothing but ``white`` behind parted lips, in the light that gets past them."""
    frame, canvas = np.zeros((40, 90, 3), np.uint8), np.full((80, 180, 3), white, np.uint8)
    x = np.linspace(0, 89, 9, dtype=np.float32)
    bow = 20 - 18 * np.sin(np.pi * x / 89)
    rims = np.stack([np.stack([x, y], axis=1) for y in (bow, 40 - bow)]).astype(np.float32)
    light = cavity.Light(0.9, shadow, 12, 20, np.array([40, 15, 12], np.uint8))
    none = np.zeros((2, 2, 5), np.float32)
    shown = cavity.Shown(np.eye(2, 3, dtype=np.float32), 0, np.zeros((2, 2, 9, 2), np.float32), light, none, none)
    cavity.compose(frame, canvas, np.ones((40, 90), np.float32), (0, 0), rims, shown)
    return frame.astype(float)


def test_light_between_lips_falls_off_to_the_lip_above_and_to_the_corners_and_gets_redder() -> None:
    seen = composed((220, 200, 170))
    under, middle, beside = seen[4, 45], seen[24, 45], seen[20, 12]
    assert under.mean() < 0.65 * middle.mean()
    assert beside.mean() < 0.65 * middle.mean()
    for shaded in (under, beside):
        assert shaded[0] / shaded[2] > 1.1 * middle[0] / middle[2]
        assert (shaded > [40, 15, 12]).all(), "nothing is darker than the cavity"
    down = seen[3:36, 45].mean(axis=1)
    assert (np.diff(down) >= -0.5).all(), "it comes from above, past the lip"


def test_no_light_falls_off_in_a_flat_drawing() -> None:
    seen = composed((220, 200, 170), shadow=0.0)
    assert np.ptp(seen[10:30, 30:60].reshape(-1, 3), axis=0).max() <= 1


@pytest.mark.parametrize("lip", ["upper", "lower"])
def test_lips_that_part_turn_out_what_the_line_between_them_hid(lip: str) -> None:
    """A dark line where shut lips meet is no edge of either lip; at rest it stays."""
    portrait = load(find("mona_lisa").picture)
    picture = portrait.picture.copy()
    seam = portrait.vertices[portrait.contours["lips_inner_upper"][2:-2], :2].round().astype(np.int32)
    cv2.polylines(picture, [seam], False, (20, 12, 10), 3)
    renderer = Renderer(replace(portrait, picture=picture))

    def edge(frame: np.ndarray) -> float:
        """Mean brightness right within the middle of the ``lip``."""
        rim, outer = (
            renderer._surface.xy[portrait.contours[f"lips_{ring}_{lip}"]][7:14] for ring in ("inner", "outer")
        )
        away = outer - rim
        x, y = (rim + away / np.linalg.norm(away, axis=1, keepdims=True)).round().astype(int).T
        return float(frame[y, x].mean())

    rest, turned = renderer.draw(row()), edge(renderer.draw(row(jawOpen=0.4)))
    left, top = portrait.view
    x, y = (seam[4:-4] - (left, top)).T
    assert rest[y, x].mean() < 40
    renderer._made.lips.line[:] = 0
    assert turned > 1.4 * edge(renderer.draw(row(jawOpen=0.4)))
    assert np.array_equal(renderer.draw(row()), rest)


def test_no_line_is_turned_out_of_a_flat_drawing() -> None:
    drawn = load(find("toon").picture)
    assert not meeting.lips(drawn, body(drawn).points).line.any()


@pytest.mark.parametrize("faded", [0.0, 0.35])
def test_the_dark_of_a_mouth_is_hardly_blacker_than_the_darkest_of_the_face(faded: float) -> None:
    """In a faded picture, even if it has black elsewhere, a black hole would look cut out."""
    portrait = load(find("mona_lisa").picture)
    picture = (portrait.picture * np.float32(1 - faded) + np.float32(255 * faded * 0.6)).astype(np.uint8)
    picture[-40:] = 0
    face = cv2.convexHull(portrait.landmarks[:468, :2].round().astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros(picture.shape[:2], np.uint8), face, 1) > 0
    black = np.percentile(picture[inside].mean(axis=1), 0.3)
    made = palette(replace(portrait, picture=picture), np.zeros((9, 9, 4), np.float32))
    assert 0.5 * black < made.cavity.mean() < max(1.2 * black, 30)


def test_strokes_of_a_brush_are_black_enough_for_the_dark_of_a_mouth() -> None:
    """As in a painting of thin dark lines: a mouth that is as light as these are from afar is not seen to be open."""
    portrait = load(find("mona_lisa").picture)
    picture = (portrait.picture * np.float32(0.65) + np.float32(54)).astype(np.uint8)
    picture[::12] = 10
    assert palette(replace(portrait, picture=picture), np.zeros((9, 9, 4), np.float32)).cavity.mean() < 25

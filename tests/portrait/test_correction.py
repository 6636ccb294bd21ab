"""Landmarks corrected by hand: the named points lie where a person put them, and the face follows."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from animator.motion.rows.space import INDEX
from animator.portrait.characters import find
from animator.portrait.finding.bending import bend, distance, place_face
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.picture.named import NAMED_POINTS, Landmarks, check_sides, parse
from animator.portrait.picture.reading import PortraitError
from animator.portrait.portrait import Portrait, load
from animator.portrait.shaping.lip_gap import lips_parted

PortraitOf = Callable[[str], Portrait]
PARTS = ("left_eye", "right_eye", "left_iris", "right_iris", "mouth", "upper_lip", "lower_lip", "chin", "nose")
ROBOT = {
    "left_iris": (480, 350), "left_eye_outer": (512, 350), "left_eye_inner": (448, 350),
    "left_eye_top": (480, 298), "left_eye_bottom": (480, 402),
    "right_iris": (320, 350), "right_eye_outer": (288, 350), "right_eye_inner": (352, 350),
    "right_eye_top": (320, 298), "right_eye_bottom": (320, 402),
    "mouth_left": (520, 508), "mouth_right": (280, 508), "upper_lip_top": (400, 560), "upper_lip_bottom": (400, 568),
    "lower_lip_top": (400, 568), "lower_lip_bottom": (400, 576), "chin": (400, 645), "nose": (400, 450),
}  # fmt: skip


def written(points: dict[str, Any], width: int = 800, height: int = 800) -> str:
    return json.dumps({"width": width, "height": height, "points": points})


@pytest.fixture(scope="module")
def robot() -> bytes:
    """A face that no network takes for one."""
    picture = Image.new("RGB", (800, 800), (240, 240, 235))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((150, 150, 650, 650), fill=(255, 215, 60), outline=(60, 40, 0), width=8)
    for x in (320, 480):
        draw.ellipse((x - 30, 300, x + 30, 400), fill=(40, 30, 0))
    draw.line(((280, 508), (400, 568), (520, 508)), fill=(40, 30, 0), width=12)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_what_was_found_is_saved_and_changes_nothing_when_it_is_given_back(portrait_of: PortraitOf) -> None:
    portrait = portrait_of("mona_lisa")
    saved = parse(json.dumps(portrait.named().json()))
    assert set(saved.points) == set(NAMED_POINTS)
    assert (saved.width, saved.height) == (743, 1155)
    again = load(find("mona_lisa").picture.read_bytes(), given=saved)
    assert again.id != portrait.id
    np.testing.assert_allclose(again.landmarks[:, :2], portrait.landmarks[:, :2], atol=2)
    for name, place in again.named().points.items():
        np.testing.assert_allclose(place, saved.points[name], atol=0.1)


def test_a_corrected_point_takes_its_surroundings_along(portrait_of: PortraitOf) -> None:
    points = portrait_of("mona_lisa").landmarks
    width = portrait_of("mona_lisa").face_width
    x, y = points[NAMED_POINTS["mouth_left"], :2]
    named = {name: tuple(points[number, :2].tolist()) for name, number in NAMED_POINTS.items()}
    moved = bend(points, named | {"mouth_left": (float(x) + 0.1 * width, float(y))}) - points
    assert moved[291] == pytest.approx([0.1 * width, 0, 0], abs=0.01)
    assert 0.03 * width < moved[308, 0] < 0.12 * width, "the inner corner goes along"
    assert np.abs(moved[[33, 468, 61, 152, 10]]).max() < 0.01, "what was right stays"
    lips_and_cheek = moved[[291, 409, 270, 410, 436, 432], 0]
    assert lips_and_cheek.min() > 0 and np.abs(moved).max() < 0.13 * width


def test_lips_part_without_tearing_the_face(portrait_of: PortraitOf) -> None:
    points = portrait_of("mona_lisa").landmarks
    width = portrait_of("mona_lisa").face_width
    named = {name: tuple(points[number, :2].tolist()) for name, number in NAMED_POINTS.items()}
    down = {
        name: (named[name][0], named[name][1] + 0.1 * width) for name in ("lower_lip_top", "lower_lip_bottom", "chin")
    }
    moved = bend(points, named | down) - points
    assert np.abs(moved[[13, 82, 312]]).max() < 0.02 * width, "the upper lip stays"
    assert moved[[14, 87, 317], 1].min() > 0.07 * width, "the lower lip goes"
    assert moved[[61, 291]] == pytest.approx(np.zeros((2, 3)), abs=0.02)


def test_lips_shut_in_their_whole_length(portrait_of: PortraitOf) -> None:
    points = portrait_of("astronaut").landmarks
    named = {name: tuple(points[number, :2].tolist()) for name, number in NAMED_POINTS.items()}
    moved = bend(points, named | {"upper_lip_bottom": named["lower_lip_top"]})
    assert lips_parted(points) and not lips_parted(moved)


def test_an_eye_given_by_its_iris_alone_moves_as_a_whole(portrait_of: PortraitOf) -> None:
    points = portrait_of("mona_lisa").landmarks
    x, y = points[473, :2]
    moved = bend(points, {"left_iris": (float(x) + 8, float(y) + 4)}) - points
    for number in (473, 386, 374, 263, 362):
        assert moved[number, :2] == pytest.approx([8, 4], abs=1.5)
    assert np.abs(moved[[33, 133, 61, 291, 152]]).max() < 0.1


def test_given_points_choose_among_several_faces() -> None:
    with Image.open(find("mona_lisa").picture) as one, Image.open(find("astronaut").picture) as other:
        scene = Image.new("RGB", (1500, 1155), "gray")
        scene.paste(one, (0, 0))
        scene.paste(other.convert("RGB"), (900, 100))
    file = io.BytesIO()
    scene.save(file, "PNG")
    small = load(find("astronaut").picture.read_bytes(), 256).named()
    moved = Landmarks({name: (x + 900, y + 100) for name, (x, y) in small.points.items()}, 1500, 1155)
    chosen = load(file.getvalue(), 256, moved)
    assert distance(chosen.landmarks, {n: (p[0], p[1]) for n, p in _seen(chosen, moved).items()}) < 0.02
    assert not any("faces" in warning for warning in chosen.warnings)
    largest = load(file.getvalue(), 256)
    assert largest.named().points["nose"][0] < 743 and "2 faces" in largest.warnings[0]
    (other,) = largest.other_faces()
    assert load(file.getvalue(), 256, other).named().points["nose"] == pytest.approx(other.points["nose"], abs=0.5)
    assert chosen.other_faces()[0].points["nose"][0] < 743
    assert chosen.named().points["nose"][0] > 900


def _seen(portrait: Portrait, given: Landmarks) -> dict[str, tuple[float, float]]:
    x, y, step = portrait.place
    return {name: ((px - x) / step, (py - y) / step) for name, (px, py) in given.points.items()}


def test_a_face_that_only_its_contours_show_asks_to_be_checked(robot: bytes) -> None:
    found = load(robot, 256)
    assert found.doubtful and any("check that the points" in told for told in found.warnings)
    for name in ("left_iris", "right_iris"):
        assert found.named().points[name] == pytest.approx(ROBOT[name], abs=15)


def test_points_make_a_face_where_networks_see_none(robot: bytes) -> None:
    portrait = load(robot, given=parse(written(ROBOT)))
    for name, place in portrait.named().points.items():
        if name in ROBOT:
            np.testing.assert_allclose(place, ROBOT[name], atol=1)
    assert np.abs(portrait.pose).max() < 20
    assert not portrait.mouth_open and not portrait.doubtful
    assert portrait.shapes[INDEX["jawOpen"], 152, 1] > 0.05 * portrait.face_width
    for x, y, radius in portrait.iris:
        assert portrait.picture[round(float(y)), round(float(x))].max() < 80 and radius > 3


def test_a_tilted_face_is_placed_tilted(robot: bytes) -> None:
    with Image.open(io.BytesIO(robot)) as picture:
        turned = picture.rotate(-20, fillcolor=(240, 240, 235))
    file = io.BytesIO()
    turned.save(file, "PNG")
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    points = {
        n: (400 + c * (x - 400) - s * (y - 400), 400 + s * (x - 400) + c * (y - 400)) for n, (x, y) in ROBOT.items()
    }
    assert load(file.getvalue(), 256, Landmarks(points, 800, 800)).pose[2] == pytest.approx(20, abs=3)


@pytest.mark.parametrize("missing", ["chin", "mouth_left", "left"])
def test_too_few_points_for_a_face_are_named(landmarker: Landmarker, missing: str) -> None:
    some = {name: place for name, place in ROBOT.items() if not name.startswith(missing)}
    with pytest.raises(PortraitError, match="the chin") as caught:
        place_face(np.zeros((800, 800, 3), np.uint8), some, landmarker)
    assert caught.value.code == "invalid_landmarks"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("[" * 50_000, "not JSON"),
        ("[1, 2]", "must be"),
        ('{"points": {}}', "must be"),
        (written({}), "no points"),
        (written({"third_eye": [1, 2]}), "third_eye.*left_iris"),
        (written({"chin": [1]}), "two numbers"),
        (written({"chin": ["1", 2]}), "two numbers"),
        (written({"chin": [True, 2]}), "two numbers"),
        (written({"chin": [801, 2]}), "outside"),
        ('{"width": 800, "height": 800, "points": {"chin": [NaN, 2]}}', "outside"),
        (written({"chin": [8, 2]}, width=-3), "width"),
        ('{"width": 800, "height": 800, "points": {}, "drawn": 1}', "drawn must be true or false"),
    ],
)
def test_mistakes_in_the_file_are_explained(text: str, told: str) -> None:
    with pytest.raises(PortraitError, match=told) as caught:
        parse(text)
    assert caught.value.code == "invalid_landmarks"


def test_points_of_another_picture_are_refused(robot: bytes) -> None:
    with pytest.raises(PortraitError, match="800x400"):
        load(robot, 256, parse(written({"chin": [5, 5]}, 800, 400)))
    half = {name: [x / 2, y / 2] for name, (x, y) in ROBOT.items()}
    load(robot, 256, parse(written(half, 400, 400)))  # placed on a smaller copy of it


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("left", "right", "own left eye"),
        ("left_eye_top", "left_eye_bottom", "left_eye_top and left_eye_bottom"),
        ("mouth_left", "mouth_right", "mouth_right and mouth_left"),
    ],
)
def test_exchanged_points_are_noticed(one: str, other: str, told: str) -> None:
    def exchanged(name: str) -> str:
        first, second = (other, one) if name.startswith(other) else (one, other)
        return name.replace(first, second) if name.startswith(first) else name

    points = {exchanged(name): place for name, place in ROBOT.items()}
    assert set(points) == set(ROBOT) and points != ROBOT
    check_sides(ROBOT)
    check_sides({name: (800 - x, 800 - y) for name, (x, y) in ROBOT.items()})  # upside down
    with pytest.raises(PortraitError, match=told):
        check_sides(points)
    check_sides({name: points[name] for name in ("left_iris", "chin")})  # too little to tell

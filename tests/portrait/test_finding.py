"""Faces are found however the picture is held and however they are drawn."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.portrait.characters import find
from animator.portrait.finding.finding import find_faces, quarters_of
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.finding.seeking import apart
from animator.portrait.geometry.pose import pose
from animator.portrait.picture.named import Landmarks
from animator.portrait.picture.reading import Picture, PortraitError, Source, decode, read
from animator.portrait.portrait import Portrait, load
from tests.portrait.faces import Faces

PortraitOf = Callable[[str], Portrait]
PICTURES = Path(__file__).parent / "pictures"


def held(picture: Picture, quarters: int) -> Source:
    """A source that comes as ``picture`` turned clockwise."""
    turned = Source(picture, picture.shape[1], picture.shape[0]).turned(quarters)
    return Source(turned.picture, turned.width, turned.height)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", ["astronaut", "mona_lisa"])
def test_a_face_is_turned_upright(landmarker: Landmarker, name: str, quarters: int) -> None:
    picture = decode(read(find(name).picture)).picture
    upright, (before, *_) = find_faces(held(picture, 0), landmarker)
    assert upright.quarters == 0
    source, (face, *_) = find_faces(held(picture, quarters), landmarker)
    assert source.quarters == 4 - quarters
    assert source.picture.shape == picture.shape
    assert abs(pose(face.points)[2]) < 15
    assert apart(before.points, face.points) < 0.05


def test_a_head_that_leans_is_left_as_it_is(photo: Picture, landmarker: Landmarker) -> None:
    turned = np.asarray(Image.fromarray(photo).rotate(-30, fillcolor=(90, 90, 90)), np.uint8)
    source, (face, *_) = find_faces(held(turned, 0), landmarker)
    assert source.quarters == 0 and 20 < pose(face.points)[2] < 45


def test_a_portrait_of_a_picture_upside_down_says_so(portrait_of: PortraitOf) -> None:
    file = io.BytesIO()
    with Image.open(find("astronaut").picture) as picture:
        picture.convert("RGB").transpose(Image.Transpose.ROTATE_180).save(file, "PNG")
    portrait, upright = load(file.getvalue()), portrait_of("astronaut")
    assert "upside down" in portrait.warnings[0] and not any("upside" in told for told in upright.warnings)
    np.testing.assert_allclose(portrait.landmarks, upright.landmarks, atol=3)
    width, height = portrait.named().width, portrait.named().height
    for name, (x, y) in portrait.named().points.items():
        assert (width - x, height - y) == pytest.approx(upright.named().points[name], abs=4)
    moved = portrait.named().points | {"chin": tuple(np.add(portrait.named().points["chin"], (0, -8)))}
    corrected = load(file.getvalue(), given=Landmarks(moved, width, height))
    assert corrected.quarters == 2
    assert corrected.named().points["chin"] == pytest.approx(moved["chin"], abs=0.5)


def test_points_say_how_a_picture_is_to_be_turned() -> None:
    eyes = {"left_iris": (60.0, 40.0), "right_iris": (40.0, 40.0)}
    assert quarters_of(Landmarks(eyes, 100, 80)) == 0
    for quarters in range(4):
        turned = Landmarks(eyes, 100, 80).turned(quarters)
        assert quarters_of(turned) == (4 - quarters) % 4
        assert turned.turned(4 - quarters).points == eyes
    assert quarters_of(Landmarks({"left_iris": (60.0, 40.0)}, 100, 80)) is None


@pytest.mark.parametrize(
    ("name", "right", "left", "mouth"),
    [("peep", (0.57, 0.52), (0.74, 0.52), (0.69, 0.64)), ("adventurer", (0.34, 0.55), (0.53, 0.53), (0.40, 0.68))],
)
def test_what_is_drawn_unlike_any_person_is_found(
    landmarker: Landmarker, name: str, right: tuple[float, float], left: tuple[float, float], mouth: tuple[float, float]
) -> None:
    source = decode(read(PICTURES / f"{name}.png"))
    assert not landmarker.detect(source.picture), "what is seen at first sight is no test"
    _, (face,) = find_faces(source, landmarker)
    for number, place in ((468, right), (473, left), (13, mouth)):
        assert face.points[number, :2] / source.width == pytest.approx(place, abs=0.05)


def test_nothing_is_found_where_nothing_is() -> None:
    noise = np.random.default_rng(4).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    clouds = Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    clouds.save(file, "PNG")
    with pytest.raises(PortraitError) as caught:
        load(file.getvalue(), 256)
    assert caught.value.code == "no_face"
    assert caught.value.landmarks and (caught.value.landmarks.width, caught.value.landmarks.height) == (640, 480)


def test_a_drawing_on_its_side_that_networks_do_not_know_is_turned(landmarker: Landmarker, faces: Faces) -> None:
    picture = np.pad(faces["drawn_big_ears_nora"][0], ((30, 30), (30, 30), (0, 0)), mode="edge")
    turned, found = find_faces(held(picture, 1), landmarker)
    assert turned.quarters == 3
    across, down = found[0].points[473, :2] - found[0].points[468, :2]
    assert abs(down) < 0.2 * across

"""What is hidden of a face is noticed and said; what is seen is not taken for hidden."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from animator.motion.rows.space import INDEX
from animator.portrait.characters import find
from animator.portrait.finding.framing import Cut, cut
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.picture.reading import Picture, Source, decode, read
from animator.portrait.remarks import remarks


@dataclass
class Face:
    """A portrait's picture, to be drawn on at places in face widths from its landmarks."""

    framed: Cut

    @property
    def width(self) -> float:
        return float(np.linalg.norm(self.framed.face.points[234] - self.framed.face.points[454]))

    def at(self, number: int, right: float = 0, down: float = 0) -> list[int]:
        return (self.framed.face.points[number, :2] + self.width * np.array([right, down])).round().astype(int).tolist()

    def painted(self, mask: Picture, colour: tuple[float, ...], share: float = 1.0, grain: float = 6.0) -> Picture:
        """The picture with ``mask`` (h, w) of 0 and 1 in a colour with some texture."""
        noise = cv2.GaussianBlur(np.random.default_rng(2).normal(0, 1, mask.shape), (0, 0), 2)
        shown = np.array(colour) + (grain * noise / noise.std())[..., None]
        soft = share * cv2.GaussianBlur(mask.astype(np.float64), (0, 0), 1.2)[..., None]
        return (self.framed.picture * (1 - soft) + shown * soft).round().clip(0, 255).astype(np.uint8)

    @property
    def blank(self) -> Picture:
        return np.zeros(self.framed.picture.shape[:2], np.uint8)

    def with_lenses(self, colour: tuple[float, ...], share: float, grain: float) -> Picture:
        mask = self.blank
        for iris in (468, 473):
            axes = (round(0.155 * self.width), round(0.115 * self.width))
            cv2.ellipse(mask, self.at(iris, down=0.02), axes, 0, 0, 360, 1, -1)
        cv2.line(mask, self.at(468), self.at(473), 1, max(2, round(0.03 * self.width)))
        return self.painted(mask, colour, share, grain)

    def with_hair(self) -> Picture:
        mask = self.blank
        outline = [self.at(10, 0.15, -0.2), self.at(454, 0.1, -0.3), self.at(454, 0.0, 0.25), self.at(473, -0.1, 0.3)]
        cv2.fillPoly(mask, [np.array(outline, np.int32)], 1)
        return self.painted(mask, (190, 150, 95))

    def with_microphone(self) -> Picture:
        mask = self.blank
        cv2.circle(mask, self.at(14, 0.02, 0.1), round(0.2 * self.width), 1, -1)
        return self.painted(mask, (38, 36, 40))

    def with_fingers(self) -> Picture:
        places = np.array([self.at(50), self.at(280)])
        skin = np.median(self.framed.picture[places[:, 1], places[:, 0]], axis=0)
        face = self
        for down in (-0.02, 0.07, 0.16, 0.25):
            for high, shade in ((0.075, 0.55), (0.055, 0.95)):  # its outline, then the finger
                mask, axes = self.blank, (round(0.55 * self.width), round(high * self.width))
                cv2.ellipse(mask, self.at(13, 0.2, down), axes, -8, 0, 360, 1, -1)
                picture = face.painted(mask, tuple((shade * skin).tolist()), grain=2.0)
                face = Face(replace(self.framed, picture=picture))
        return face.framed.picture


@pytest.fixture(scope="module", params=["astronaut", "mona_lisa"])
def face(request: pytest.FixtureRequest, landmarker: Landmarker) -> Face:
    return Face(cut(decode(read(find(request.param).picture)), 512, landmarker))


def again(picture: Picture, landmarker: Landmarker) -> Cut:
    return cut(Source(picture, picture.shape[1], picture.shape[0]), 512, landmarker)


def test_an_open_face_hides_nothing(face: Face) -> None:
    assert not any(face.framed.covered)
    assert not remarks(face.framed)


@pytest.mark.parametrize(
    ("colour", "share", "grain"),
    [((22, 20, 24), 1.0, 1.0), ((22, 20, 24), 0.9, 1.0), ((60, 90, 150), 1.0, 3.0), ((90, 60, 40), 0.92, 2.0)],
)
def test_dark_glasses_hide_both_eyes(
    face: Face, landmarker: Landmarker, colour: tuple[float, ...], share: float, grain: float
) -> None:
    hidden = again(face.with_lenses(colour, share, grain), landmarker)
    assert hidden.covered.left_eye and hidden.covered.right_eye
    assert any("neither blink" in told for told in remarks(hidden))


def test_glasses_that_one_looks_through_hide_nothing(face: Face, landmarker: Landmarker) -> None:
    tinted = again(face.with_lenses((120, 110, 90), 0.3, 1.0), landmarker)
    assert not tinted.covered.left_eye and not tinted.covered.right_eye


def test_hair_hides_one_eye(face: Face, landmarker: Landmarker) -> None:
    hidden = again(face.with_hair(), landmarker)
    assert hidden.covered.left_eye and not hidden.covered.right_eye
    assert any("One eye" in told for told in remarks(hidden))


def test_what_is_held_before_the_mouth_hides_it(face: Face, landmarker: Landmarker) -> None:
    for picture in (face.with_microphone(), face.with_fingers()):
        hidden = again(picture, landmarker)
        assert hidden.covered.mouth and not hidden.covered.left_eye
        assert any("mouth is hard to see" in told for told in remarks(hidden))


@pytest.mark.parametrize("change", ["dark", "small", "compressed", "grey"])
def test_a_poor_picture_is_not_taken_for_a_hidden_face(face: Face, landmarker: Landmarker, change: str) -> None:
    picture = face.framed.picture
    if change == "dark":
        picture = (picture * 0.3).astype(np.uint8)
    elif change == "small":
        picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    elif change == "compressed":
        coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
        picture = np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
    else:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert not any(again(np.asarray(picture, np.uint8), landmarker).covered)


def test_a_picture_too_dark_to_see_much_is_told(face: Face, landmarker: Landmarker) -> None:
    dark = again((face.framed.picture * 0.15).astype(np.uint8), landmarker)
    assert any("dark" in told for told in remarks(dark))


@pytest.mark.parametrize(("score", "told"), [(0.05, ""), (0.5, "half shut"), (0.7, "are shut")])
def test_eyes_that_are_not_open_are_told(face: Face, score: float, told: str) -> None:
    scores = face.framed.face.blendshapes.copy()
    scores[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = score
    said = " ".join(remarks(replace(face.framed, face=replace(face.framed.face, blendshapes=scores))))
    assert (told in said) if told else not said

"""The rows of people, on tracks and pictures whose truth is known."""

import numpy as np
import pytest
from rich.console import Console

from animator.evaluate.lifelike import Lifelike, distance, lifelike, memory, people
from animator.evaluate.lifelike import signals as signals_of
from animator.evaluate.report import lifelike_table
from animator.evaluate.tracking.shown_teeth import inside, teeth_area
from animator.motion.rows.space import INDEX
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.topology import RINGS

FPS = 25.0
NAMES = ("jaw", "upper_lip", "lower_lip", "rounding", "smile", "brow_up", "brow_down", "squint", "blink", "sideways",
         "opening", "width", "upper_thickness", "lower_thickness", "teeth")  # fmt: skip


def signals(n: int = 500, **moving: np.ndarray) -> dict[str, np.ndarray]:
    """A face that keeps still but for what is given."""
    still = {name: np.full(n, 0.1, np.float32) for name in NAMES}
    return still | {name: values.astype(np.float32) for name, values in moving.items()}


def test_spreads_shares_and_what_belongs_together_are_those_of_the_track() -> None:
    swing = np.sin(np.arange(500) * 2 * np.pi / 50)
    known = signals(
        upper_lip=0.2 + 0.1 * swing, smile=0.2 + 0.2 * swing, opening=0.1 + 0.1 * swing, width=0.6 - 0.06 * swing,
        teeth=np.where(swing > 0, 0.02, 0.0),
    )  # fmt: skip
    figures = lifelike(known, FPS)
    assert figures["upper_lip_sd"] == pytest.approx(0.1 / np.sqrt(2), rel=1e-3)
    assert figures["upper_lip_share"] == pytest.approx(0.5, abs=0.03)
    assert figures["opening_p50"] == pytest.approx(0.1, abs=0.005)
    assert figures["width_range"] == pytest.approx(0.2, abs=0.005)
    assert figures["teeth_share"] == pytest.approx(0.5, abs=0.03)
    assert figures["smile_with_upper_lip"] == pytest.approx(1)
    assert figures["opening_with_width"] == pytest.approx(-1)
    assert figures["jaw_with_upper_lip"] is None, "a jaw that keeps still belongs to nothing"
    assert figures["upper_lip_speed"] == pytest.approx(0.1 * 4 / 50 * FPS, rel=0.01), "up and down, four times a period"


def test_episodes_are_counted_and_timed() -> None:
    smile = np.zeros(1500)
    for start in range(100, 1500, 300):
        smile[start : start + 20] = 0.6
    figures = lifelike(signals(1500, smile=smile), FPS)
    assert figures["smile_rate"] == pytest.approx(5)
    assert figures["smile_length"] == pytest.approx(0.8)
    assert figures["brow_up_rate"] == 0
    assert figures["brow_up_length"] is None


def test_memory_is_that_of_the_process() -> None:
    random = np.random.default_rng(0)
    for seconds in (0.2, 0.6):
        keep = np.exp(-1 / (seconds * FPS))
        found = []
        for _ in range(20):
            values = np.zeros(2000)
            for i, kick in enumerate(random.normal(size=1999), 1):
                values[i] = keep * values[i - 1] + kick
            found.append(memory(values, FPS))
        assert np.mean(found) == pytest.approx(seconds, abs=3 * np.std(found) / np.sqrt(20) + 0.02)
    assert memory(np.full(100, 0.3), FPS) is None


def test_people_are_no_distance_from_themselves_and_a_mask_is_far_away() -> None:
    average = {name: row.people for name, row in people().items()}
    assert distance(average) == 0
    assert distance({name: row.vasa for name, row in people().items()}) < 1
    assert distance(lifelike(signals(), FPS)) > 1.5
    assert distance({}) is None
    one = next(iter(people().values()))
    assert distance({one.name: one.people + 2 * one.spread}) == pytest.approx(2)


def face(opening: float, scores: np.ndarray | None = None) -> FaceLandmarks:
    """Eyes 100 px apart, and an ellipse between the lips, 40 px wide and ``opening`` px high."""
    points = np.zeros((478, 3), np.float32)
    points[33], points[263], points[50], points[280] = (50, 60, 0), (150, 60, 0), (55, 110, 0), (145, 110, 0)
    points[61], points[291] = (75, 140, 0), (125, 140, 0)
    for name, sign in (("lips_inner_upper", -1), ("lips_inner_lower", 1)):
        turn = np.linspace(np.pi, 0, 11)
        points[list(RINGS[name]), 0] = 100 + 20 * np.cos(turn)
        points[list(RINGS[name]), 1] = 140 + sign * opening / 2 * np.sin(turn)
    return FaceLandmarks(points, np.zeros(52, np.float32) if scores is None else scores, 1.0)


def picture(teeth: int, scale: int = 1) -> np.ndarray:
    """Skin with a dark red mouth, in which ``teeth`` rows of pixels from 130 down are white."""
    image = np.full((200, 200, 3), (210, 150, 125), np.uint8)
    image[128:152, 78:122] = (70, 20, 25)
    image[130 : 130 + teeth, 78:122] = (225, 215, 205)
    return image.repeat(scale, 0).repeat(scale, 1)


def test_teeth_are_counted_where_the_lips_are_apart() -> None:
    assert teeth_area(picture(0), face(20).points) == 0
    assert teeth_area(picture(20), face(20).points) == pytest.approx(np.pi * 20 * 10 / 100**2, rel=0.06)
    assert teeth_area(picture(10), face(20).points) == pytest.approx(np.pi * 20 * 10 / 2 / 100**2, rel=0.1)
    assert teeth_area(picture(20), face(2).points) == 0, "lips that are shut show none"
    assert teeth_area(picture(20, 3), 3 * face(20).points + 1) == pytest.approx(np.pi * 200 / 100**2, rel=0.06)


@pytest.mark.parametrize("teeth", [0, 20])
def test_teeth_in_grey_pictures_count_by_their_lightness(teeth: int) -> None:
    """Their a* is noise about 0, which says nothing of teeth or skin."""
    grey = picture(teeth).mean(axis=2, keepdims=True).repeat(3, axis=2)
    grey = np.clip(grey + np.random.default_rng(0).normal(0, 1, grey.shape), 0, 255).astype(np.uint8)
    assert teeth_area(grey, face(20).points) == pytest.approx(teeth * np.pi * 10 / 100**2, rel=0.06)


def test_scores_are_means_of_both_sides_and_of_both_kinds() -> None:
    scores = np.zeros(52, np.float32)
    for name, score in (("browInnerUp", 0.3), ("browOuterUpLeft", 0.4), ("mouthPucker", 0.8), ("mouthFunnel", 0.2)):
        scores[INDEX[name]] = score
    seen = dict(zip(NAMES, signals_of(picture(0), face(20, scores)), strict=True))
    assert seen["brow_up"] == pytest.approx((0.3 + 0.2) / 2)
    assert seen["rounding"] == pytest.approx(0.5)
    assert seen["smile"] == 0
    assert (seen["opening"], seen["width"]) == pytest.approx((0.2, 0.5))


def test_the_inside_of_a_mouth_has_a_colour() -> None:
    dark, light = inside(picture(0), face(20).points), inside(picture(20), face(20).points)
    assert dark == pytest.approx([13.6, 23.6, 6.8], abs=3), "CIELAB of (70, 20, 25)"
    assert light == pytest.approx([86.8, 1.6, 5.9], abs=3)
    assert inside(picture(20), face(2).points) is None


def test_a_video_is_seen_frame_by_frame() -> None:
    scores = np.zeros(52, np.float32)
    scores[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = 0.4, 0.6
    seen = Lifelike()
    for number in (0, 1, 2, 5, 6, 7, 8, 9):  # 3 and 4 were skipped: what was shown before stays
        seen(number, picture(20), face(20, scores if number % 2 else None))
    seen(10, picture(20), None)
    figures = seen.figures(FPS)
    assert figures["smile_share"] == pytest.approx(0.4)
    assert figures["opening_mean"] == pytest.approx(0.2)
    assert figures["width_sd"] == 0
    assert figures["teeth_share"] == 1
    assert seen.figures(FPS, 1 / FPS)["smile_share"] == pytest.approx(4 / 9)
    assert seen.figures(FPS, 10.0) == {}, "all of it is margin"
    assert seen_nothing().figures(FPS) == {}


def seen_nothing() -> Lifelike:
    nothing = Lifelike()
    for number in range(20):
        nothing(number, picture(0), None)
    return nothing


def test_two_videos_can_be_read_beside_each_other_in_a_narrow_terminal(capsys: pytest.CaptureFixture) -> None:
    known = lifelike(signals(smile=0.2 + 0.2 * np.sin(np.arange(500))), FPS) | {"distance": 1.234}
    Console(width=80, color_system=None).print(lifelike_table({"A": known, "B": known}))
    text = capsys.readouterr().out
    assert "…" not in text
    assert all(row.label in text for row in people().values())
    assert "1.2" in text

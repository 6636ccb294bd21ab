"""The lip-sync scorer, on a character that says sentences of the embedded voice."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hibari import Hibari

from animator.control import Control
from animator.evaluate.rows import observed
from animator.evaluate.sync import sync_figures
from animator.evaluate.tracking.track import Track, track
from animator.export import speak, write
from animator.live import Animator
from animator.motion.generator import Generator
from animator.portrait.characters import find
from animator.portrait.portrait import load
from animator.units import RATE, SAMPLES_PER_FRAME

SENTENCES = (
    "Remember the summer when we picked blackberries by the bridge? My brother brought bread and plum jam.",
    "Every morning the baker opens his shop before six, and people come from far away to buy his buns.",
    "Maybe I am wrong, but please give me a moment, and I will try to explain the whole problem to you.",
)
SEEDS = (1, 2, 3)
OFFSETS_MS = (120, 200, -160)


@cache
def said(number: int) -> np.ndarray:
    return np.asarray(Hibari()(SENTENCES[number], seed=0), np.float32)


@cache
def seen(number: int, seed: int) -> Track:
    sound = said(number)
    padded = np.pad(sound, (0, -len(sound) % SAMPLES_PER_FRAME + 2 * SAMPLES_PER_FRAME))
    return observed(Generator(seed).step(padded, Control("speaking"))[2:])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Track:
    """The first sentence, drawn, encoded and tracked."""
    out: Path = tmp_path_factory.mktemp("sync") / "said.mp4"
    face = Animator(256, seed=1).open(load(find("mona_lisa").picture, 256))
    write(speak(face, said(0), Control("speaking")), 256, out)
    return track(out)


def late(sound: np.ndarray, ms: int) -> np.ndarray:
    """The sound as it is when the picture comes ``ms`` after it."""
    samples = ms * RATE // 1000
    return sound[samples:] if samples > 0 else np.concatenate([np.zeros(-samples, np.float32), sound])


def test_lips_in_a_video_are_in_time_and_offsets_are_found(film: Track) -> None:
    right = sync_figures(film, said(0))
    assert right["sync"] > 0.4
    assert abs(right["offset_ms"]) <= 40
    for ms in OFFSETS_MS:
        assert sync_figures(film, late(said(0), ms))["offset_ms"] == pytest.approx(right["offset_ms"] + ms, abs=25)


def test_the_right_sound_fits_better_than_any_other() -> None:
    every = range(len(SENTENCES))
    fits = np.array([
        [[sync_figures(seen(number, seed), said(other))["sync"] for other in every] for number in every]
        for seed in SEEDS
    ])  # fmt: skip
    right = np.diagonal(fits, axis1=1, axis2=2)
    others = np.where(np.eye(len(SENTENCES), dtype=bool), -1, fits).max(axis=2)
    assert (right - others).min() > 0.1
    assert right.mean() > 0.55  # of five seeds, .590 to .603
    assert (right - others).mean() > 0.3


def test_a_mouth_that_stays_shut_is_not_in_sync() -> None:
    still = Generator(1).step(np.zeros(150 * SAMPLES_PER_FRAME, np.float32), Control("speaking"))
    figures = sync_figures(observed(still), said(0))
    assert abs(figures["sync"]) < 0.1
    assert figures["offset_ms"] is None


def test_a_video_of_another_frame_rate_is_compared_at_the_same_times() -> None:
    found = seen(1, 1)
    n = len(found)
    half = np.arange(0, n - 1, 2)
    slow = Track(12.5, *((part[half] + part[half + 1]) / 2 for part in
                         (found.opening, found.width, found.lids, found.brows, found.head, found.lift)))  # fmt: skip
    assert sync_figures(slow, said(1))["offset_ms"] == pytest.approx(sync_figures(found, said(1))["offset_ms"], abs=20)

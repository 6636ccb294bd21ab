"""Ends of turns with the real Smart Turn."""

import logging
from importlib import metadata

import numpy as np
import pytest

from companion.stages.turn_end import SmartTurn

pytestmark = pytest.mark.model


async def test_a_whole_sentence_is_over_and_its_beginning_is_not(say):
    judge = SmartTurn()
    whole = await say("What time does the museum open tomorrow?")
    assert await judge.finished(whole) > 0.9
    assert await judge.finished(np.pad(whole[: int(0.45 * len(whole))], (0, 2400))) < 0.5


async def test_only_the_last_eight_seconds_matter(say):
    sentence = await say("What time does the museum open tomorrow?")
    long = np.concatenate([np.zeros(3 * 16_000, np.float32)] * 4 + [sentence])
    assert await SmartTurn().finished(long) == pytest.approx(await SmartTurn().finished(long[-8 * 16_000 :]))


async def test_without_its_model_it_says_so_once_and_knows_nothing(tmp_path, monkeypatch, caplog):
    def absent(package: str) -> None:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    monkeypatch.setattr(metadata, "distribution", absent)  # a package that is installed has the model, too
    with caplog.at_level(logging.WARNING):
        judge = SmartTurn()
    assert await judge.finished(np.zeros(16_000, np.float32)) is None
    assert await judge.finished(np.zeros(16_000, np.float32)) is None
    assert len(caplog.records) == 1
    assert "companion setup --only smart-turn" in caplog.text

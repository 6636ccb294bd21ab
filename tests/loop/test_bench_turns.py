"""The bench of turns measures the rules that ship."""

from functools import partial

import numpy as np
import pytest

from companion import config
from companion.bench import pauses
from companion.bench.latency import waits
from companion.bench.pauses import Judgement, Lags
from companion.call.caller import Saying, call
from companion.call.recording import Turn
from companion.call.virtual_time import run
from companion.config import Turns
from companion.hearing.audio.detection import rules
from companion.session.client.effective import defaults
from companion.session.session import Session
from companion.stages import fakes
from tests.loop.conversation import engine

WINDOW, RATE = 512, 16_000
SHIPPED = config.load("default").turns


def test_a_session_that_asks_for_nothing_has_the_rules_that_are_measured():
    made = engine(turns=SHIPPED)
    settings = defaults("anna", personas=made.prompts.personas, tts=made.tts, turns=made.config.turns)
    assert pauses.ways(SHIPPED)["semantic, medium"] == rules(settings.audio.input.turn_detection, SHIPPED)


@pytest.mark.parametrize("turns", [Turns(pause_ms=70, min_speech_ms=40, threshold=0.3), SHIPPED])
def test_only_the_way_to_the_end_differs(turns):
    for name, by in pauses.ways(turns).items():
        assert by.pause == turns.pause_ms / 1000
        assert by.min_speech == turns.min_speech_ms / 1000
        assert by.threshold == turns.threshold
        assert (by.patience is None) == name.startswith("silence")
        if by.patience is None:
            assert f"{by.silence:.1f} s" in name


@pytest.mark.parametrize(("pause_ms", "judged"), [(100, 2), (150, 1)])
async def test_a_pause_is_judged_when_it_is_as_long_as_the_rules_say(pause_ms, judged):
    """0.128 s of silence between two stretches of speech."""
    loud = [1.0] * 20 + [0.0] * 4 + [1.0] * 20
    probabilities = iter(loud + [0.0] * 1000)
    heard = await pauses.hear(
        np.zeros(len(loud) * WINDOW, np.float32),
        lambda window: next(probabilities),
        fakes.ScriptedTurnEnd(),
        fakes.ScriptedASR(),
        [],
        Turns(pause_ms=pause_ms),
    )
    assert len(heard.judged) == judged


def test_a_turn_ends_when_its_silence_is_over():
    heard = pauses.Heard([1.0] * 20 + [0.0] * 100, {})
    (plain,) = pauses.ends(heard, pauses.ways(SHIPPED)["silence 0.5 s"], Lags(0.0, 0.0))
    assert plain[0] == pytest.approx(20 * WINDOW / RATE)
    assert plain[1] - plain[0] == pytest.approx(0.5, abs=WINDOW / RATE)


def test_one_that_sounds_finished_ends_sooner_than_one_that_does_not():
    ways, lags = pauses.ways(SHIPPED), Lags(0.05, 0.3)
    said = [1.0] * 20 + [0.0] * 300
    ((spoken, _),) = pauses.ends(pauses.Heard(said, {}), ways["silence 0.5 s"], lags)
    delays = []
    for done in (0.95, 0.05):
        heard = pauses.Heard(said, {spoken: Judgement(done, "I went to the market.", "en")})
        ((at, believed),) = pauses.ends(heard, ways["semantic, medium"], lags)
        delays.append(believed - at)
    assert 0.3 < delays[0] < 0.6 < delays[1]


@pytest.mark.parametrize("hummed", [True, False], ids=["the tone of the face itself", "a voice of its own"])
def test_an_interruption_in_vain_counts_as_one_and_the_call_goes_on(hummed):
    long = fakes.ScriptedLLM(["The sea is wide and mostly blue, and it keeps all of its secrets for itself again."])
    made = engine(llm=long, turns=Turns(detection="server_vad"))

    async def script() -> tuple[float | None, str]:
        question, stop = (np.random.default_rng(seed).normal(0, 0.1, 36_000).astype(np.float32) for seed in (1, 2))
        if hummed:
            stop = fakes.ToneTTS()._hum(["hm"] * 8).audio
        said = [Saying(sound, fakes.EnergyVAD(), 0.5) for sound in (question, stop)]
        async with call(opens=partial(Session, made), read=_nothing, persona="anna", character="") as caller:
            silent_after = await caller.interrupt(said[0], said[1])
            turn = await caller.ask(question, said[0].end, "The next question was not answered")
            return silent_after, turn.status

    silent_after, status = run(script())
    assert silent_after == np.inf if hummed else 0.0 < (silent_after or 0.0) < 0.5
    assert status == "completed"


async def _nothing(persona: str) -> None:
    """There is nothing to be read."""


def test_what_a_first_sound_waited_for_adds_up_to_its_time() -> None:
    steps = {"turn_end": 430.0, "transcript": 432.0, "first_token": 764.0, "first_speech": 900.0, "first_audio": 1010.0}
    waited = waits(Turn(steps=steps, times={"first_audio": 1.05}))
    assert waited == {
        "turn_end": 430.0,
        "transcript": 2.0,
        "first_token": 332.0,
        "first_speech": 136.0,
        "first_audio": 110.0,
        "heard": 40.0,
    }


def test_a_model_that_is_slower_than_the_opener_holds_no_first_sound_up() -> None:
    steps = {"turn_end": 430.0, "transcript": 432.0, "first_token": 764.0, "first_speech": 466.0, "first_audio": 576.0}
    waited = waits(Turn(steps=steps, times={"first_audio": 0.616}))
    assert "first_token" not in waited
    assert waited["first_speech"] == 34.0
    assert sum(waited.values()) == 616.0

"""Who worked on a turn, and when; and how long it takes to fall silent."""

from typing import Any

import pytest

from companion.call.virtual_time import run
from companion.metrics import Span, Turn
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import BRISK, Conversation, engine


def talked(**changes: Any) -> tuple[Any, Conversation]:
    """One spoken turn of a second, heard from 0 to 1 s, understood in 0.2 s."""
    made = engine(turns=BRISK, asr=fakes.ScriptedASR(["What is it?"], 0.2), **changes)

    async def script() -> Conversation:
        async with Conversation(made, avatar=True) as talk:
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            return talk

    return made, run(script())


def spans(turn: Turn, name: str) -> list[Span]:
    return [span for span in turn.spans if span.name == name]


def test_every_stage_of_a_turn_has_its_time():
    made, talk = talked(llm=fakes.ScriptedLLM(["One is this. Two is that."], 0.05))
    (turn,) = made.metrics.turns
    assert (turn.response, turn.status) == (talk.all(events.ResponseDone)[0].response["id"], "completed")
    (hear,), (judge,), (transcribe,) = (spans(turn, name) for name in ("hear", "judge", "transcribe"))
    assert hear.end == pytest.approx(0.0, abs=0.001) and hear.end - hear.start == pytest.approx(1.0, abs=0.1)
    assert judge.start == 0.0 and judge.end == pytest.approx(0.5, abs=0.1), "half a second of silence"
    assert transcribe.end - transcribe.start == pytest.approx(0.2, abs=0.01)
    assert transcribe.start < judge.end, "it is understood while it is judged"
    (think,), (draw,), (send,) = (spans(turn, name) for name in ("think", "draw", "send"))
    assert judge.end <= think.start and len(spans(turn, "speak")) == 2
    assert draw.start <= send.start < send.end
    marks = talk.all(events.AvatarMetrics)[0].ms
    assert 1000 * send.start == pytest.approx(marks["first_audio"], abs=0.1)
    value = made.metrics.registry.get_sample_value
    assert value("vasari_stage_seconds_count", {"stage": "speak"}) == 2
    assert value("vasari_draw_seconds_count") > 25


def test_no_words_are_in_it():
    made, _ = talked(llm=fakes.ScriptedLLM(["Secret answers."], 0.05))
    assert "Secret" not in repr(made.metrics.turns) and "What" not in repr(made.metrics.turns)


def test_how_long_a_face_takes_to_be_silent_is_counted_once():
    said = " ".join(["one two three four five six seven eight nine ten"] * 5)
    made = engine(turns=BRISK, llm=fakes.ScriptedLLM([said]), asr=fakes.ScriptedASR(["Stop it now."], 0.2))

    async def script() -> None:
        async with Conversation(made) as talk:
            talk.ask("Count.")
            await talk.until(events.AudioDelta)
            await talk.silence(1.0)
            await talk.hear(1.0)
            await talk.until(events.ResponseDone)

    run(script())
    value = made.metrics.registry.get_sample_value
    assert value("vasari_barge_in_seconds_count") == 1
    assert 0.09 <= value("vasari_barge_in_seconds_sum") <= 0.3, "the shortest speech that counts, and a chunk"

"""When the answer is long in coming, something is said meanwhile."""

from dataclasses import replace

import pytest

from companion import events, fakes
from companion.personas import Prompts
from tests.loop.conversation import PERSONA, Conversation, engine
from tests.virtual_time import run


def _asked(delay_s: float, fillers: tuple[str, ...]) -> Conversation:
    prompts = Prompts({"anna": replace(PERSONA, fillers=fillers)}, "Be short.")
    made = replace(engine(llm=fakes.ScriptedLLM(["Answer."], delay_s)), prompts=prompts)

    async def script() -> Conversation:
        async with Conversation(made) as talk:
            for number in (1, 2):
                await talk.hear(0.6)
                talk.marks.append(talk.now())
                await talk.silence(0.8)
                await talk.until(events.ResponseDone, number)
            return talk

    return run(script())


def _said(talk: Conversation) -> list[str]:
    return [done.response["output"][0]["content"][0]["transcript"] for done in talk.all(events.ResponseDone)]


def test_a_slow_answer_is_preceded_by_fillers_in_turn():
    talk = _asked(5.0, ("Hmm.", "Well."))
    assert sorted(_said(talk)) == ["Hmm. Answer.", "Well. Answer."]
    assert talk.at(events.AudioDelta) - talk.marks[0] == pytest.approx(2.5, abs=0.3)


def test_a_quick_answer_needs_none():
    assert _said(_asked(0.1, ("Hmm.",))) == ["Answer.", "Answer."]


def test_a_persona_without_fillers_waits():
    assert _said(_asked(5.0, ())) == ["Answer.", "Answer."]

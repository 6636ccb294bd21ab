"""When the answer is long in coming, something is said meanwhile."""

from dataclasses import replace

import pytest

from companion.dialogue.personas.openers import Book, Kind, Language
from companion.dialogue.personas.personas import Prompts
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import PERSONA, Conversation, asked, engine, said


def _talk(delay_s: float, fillers: tuple[str, ...]) -> Conversation:
    prompts = Prompts({"anna": replace(PERSONA, fillers=fillers)}, "Be short.")
    return asked(replace(engine(llm=fakes.ScriptedLLM(["Answer."], delay_s)), prompts=prompts), 2)


def test_a_slow_answer_is_preceded_by_fillers_in_turn():
    talk = _talk(5.0, ("Hmm.", "Well."))
    assert sorted(said(talk)) == ["Hmm. Answer.", "Well. Answer."]
    assert talk.at(events.AudioDelta) - talk.marks[0] == pytest.approx(2.5, abs=0.3)


@pytest.mark.parametrize(
    ("opener", "filler", "both"),
    [
        ("[thoughtful] Well,", "Let me think.", "Well, let me think. Those shoes are nice."),
        ("[thoughtful] Well,", "Well, let me see.", "Well, let me see. Those shoes are nice."),
        ("[thoughtful] Oh,", "Well, let me see.", "Oh, let me see. Those shoes are nice."),
        ("I see.", "Hmm.", "I see. Hmm. Those shoes are nice."),
        ("[thoughtful] Let me think.", "Well, let me see.", "Let me think. Those shoes are nice."),
        ("[sad] Oh no,", "Well, let me see.", "Oh no, those shoes are nice."),
    ],
)
def test_a_filler_goes_on_from_the_opener(opener: str, filler: str, both: str):
    book = Book({"en": Language({"any": (opener,)}, (Kind("any"),))})
    prompts = Prompts({"anna": replace(PERSONA, fillers=(filler,))}, "Be short.", openers=book)
    llm = fakes.ScriptedLLM(["those shoes are nice."], 5.0)
    assert said(asked(replace(engine(llm=llm), prompts=prompts), 1)) == [both]


def test_a_quick_answer_needs_none():
    assert said(_talk(0.1, ("Hmm.",))) == ["Answer.", "Answer."]


def test_a_persona_without_fillers_waits():
    assert said(_talk(5.0, ())) == ["Answer.", "Answer."]

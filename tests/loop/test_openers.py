"""Replies begin at once with an opener, and the language model goes on from it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.config import Talk
from companion.dialogue.personas import personas
from companion.dialogue.personas.openers import LONGEST_RUN, Openers, continued
from companion.dialogue.personas.personas import Prompts
from companion.protocol import events
from companion.speech.breath import breath
from companion.stages import fakes
from companion.stages.protocols import Abilities
from tests.loop.conversation import BRISK, PERSONA, RATE, Conversation, asked, engine, said

BOOK = personas.load().openers


class Continuing(fakes.ScriptedLLM):
    abilities = Abilities(continues=True)


class German(fakes.ToneTTS):
    abilities = Abilities(languages=("de",))


def _talk(times: int = 1, llm: fakes.ScriptedLLM | None = None, persona: Any = PERSONA, **changes: Any) -> Conversation:
    """The user says ``times`` things to a language model that takes two seconds for its first word."""
    llm = llm or fakes.ScriptedLLM(["it depends on the weather."], 2.0)
    asr = fakes.ScriptedASR(["Why is that?", "I sold my bicycle today.", "What do you like?", "Where is it?"])
    made = engine(**{"llm": llm, "asr": asr} | changes)
    return asked(replace(made, prompts=Prompts({"anna": persona}, "Be short.", openers=BOOK)), times)


def test_the_opener_sounds_as_soon_as_the_turn_is_understood():
    talk = _talk(turns=BRISK)
    assert talk.at(events.AudioDelta) - talk.marks[0] < 0.8
    assert said(talk) == ["Well, it depends on the weather."]


def test_a_model_that_can_goes_on_from_the_opener():
    model = Continuing(["it depends."])
    _talk(llm=model)
    assert [(m.role, m.content) for m in model.asked[-1][-2:]] == [("user", "Why is that?"), ("assistant", "Well,")]


def test_another_model_is_told_and_what_it_repeats_is_not_said():
    model = fakes.ScriptedLLM(["Well, it depends."])
    talk = _talk(llm=model)
    assert model.asked[-1][-1].role == "user" and '"Well,"' in model.asked[-1][-1].content
    assert said(talk) == ["Well, it depends."]


def test_the_next_question_finds_the_opener_in_the_history():
    model = fakes.ScriptedLLM(["it depends."])
    _talk(2, llm=model)
    assert ("assistant", "Well, it depends.") in [(m.role, m.content) for m in model.asked[-1]]


def test_no_two_replies_in_a_row_begin_alike_and_some_begin_plainly():
    beginnings = [text.split(" it depends")[0] for text in said(_talk(12))]
    assert all(a.split()[0] != b.split()[0] for a, b in zip(beginnings, beginnings[1:], strict=False)), beginnings
    plain = [text == "it depends on the weather." for text in beginnings]
    assert plain == [number % (LONGEST_RUN + 1) == LONGEST_RUN for number in range(12)], beginnings


def test_a_user_who_interrupts_the_opener_heard_no_more_than_it():
    made = engine(llm=fakes.ScriptedLLM(["it depends."], 5.0), asr=fakes.ScriptedASR(["Why is that?"]))
    made = replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", openers=BOOK))

    async def script() -> Conversation:
        async with Conversation(made) as talk:
            await talk.hear(0.6)
            await talk.silence(1.2)
            await talk.hear(1.5)
            await talk.until(events.ResponseDone)
            return talk

    done = run(script()).all(events.ResponseDone)[0].response
    assert done["status"] == "cancelled"
    assert done["output"][0]["content"][0]["transcript"] == "Well,"


@pytest.mark.parametrize(
    "changes",
    [
        {"persona": replace(PERSONA, openers=False)},
        {"talk": Talk(persona="anna", openers=False)},
        {"tts": German()},
        {"asr": fakes.ScriptedASR(["I want to kill myself."])},
        {"asr": fakes.ScriptedASR(["Stop."])},
    ],
)
def test_no_opener_where_it_would_be_out_of_place(changes: dict[str, Any]):
    opened = [text for language in BOOK.languages.values() for texts in language.words.values() for text in texts]
    text = said(_talk(**changes))[0]
    assert not any(text.startswith(opener.partition("] ")[2] or opener) for opener in opened), text


def test_a_client_with_instructions_of_its_own_gets_the_model_s_words_alone():
    made = engine(llm=fakes.ScriptedLLM(["Aye."]), asr=fakes.ScriptedASR(["Why is that?"]))
    made = replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", openers=BOOK))

    async def script() -> Conversation:
        async with Conversation(made) as talk:
            talk.send(events.SessionUpdate({"instructions": "Say nothing but Aye."}))
            await talk.hear(0.6)
            await talk.silence(0.8)
            await talk.until(events.ResponseDone)
            return talk

    assert said(run(script())) == ["Aye."]


def test_a_persona_s_own_words_take_the_place_of_others():
    persona = replace(PERSONA, openers={"en": {"question": ("[happy] Arr,",)}})
    tts = fakes.ToneTTS()
    assert said(_talk(persona=persona, tts=tts)) == ["Arr, it depends on the weather."]
    assert [said for said in tts.spoken if said[0] == "Arr,"] == [("Arr,", "happy")], "said twice: it was not rehearsed"


def test_a_persona_with_words_for_an_unknown_kind_is_refused():
    assert BOOK.unknown({"en": {"sneeze": ("Achoo,",)}}) == "en.sneeze"
    assert BOOK.unknown({"en": {"question": ("Well,",)}}) == ""


@pytest.mark.parametrize(
    ("said", "feeling", "fitting"),
    [
        ("Hello, how are you today?", "happy", {"Hello!", "Oh, hello!", "Hi!"}),
        ("Hello, my name is Peter.", "happy", {"Nice to meet you,", "Hello,", "Oh, hello,"}),
        ("What is my name?", "neutral", {""}),
        ("My grandmother died on Sunday.", "sad", {"Oh,", "Oh no,", "Oh dear,"}),
        ("My grandmother died on Sunday.", "neutral", {"Oh,", "I see.", "I hear you."}),
        ("I thought I would be happy, but I am not.", "happy", {"Oh,", "I see,", "Ah,"}),
        ("I passed my exam!", "happy", {"Oh, how nice!", "Oh,", "Ah,"}),
        ("Could you be quiet?", "neutral", {""}),
        ("Say the word apple.", "neutral", {""}),
        ("Good night, see you tomorrow.", "tender", {""}),
        ("Yes.", "neutral", {"Ah,", "I see,", "Mm,"}),
        ("No, not yet.", "neutral", {"Ah,", "I see,", "Mm,"}),
        ("No, that is wrong.", "neutral", {""}),
        ("What?", "neutral", {""}),
        ("She died.", "neutral", {"Oh,", "I see.", "I hear you."}),
        ("Can you tell me about the stars?", "neutral", {"Sure,", "Let me think.", "Of course.", "All right,"}),
    ],
)
def test_openers_suit_what_was_said(said: str, feeling: str, fitting: set[str]):
    openers, found = Openers(BOOK), list[str]()
    for _ in range(8):
        opener = openers.choose(said, "en", feeling, {})
        found.append(opener.text if opener else "")
    assert found[0] in fitting and {text for text in found if text} <= fitting, found


@pytest.mark.parametrize(
    ("model", "rest"),
    [
        ("Well, it is late.", "it is late."),
        ("[happy] Well... it is late.", "[happy] it is late."),
        ("Wellington is late.", "Wellington is late."),
        ("It is late. Well, very late.", "It is late. Well, very late."),
        ("Well", ""),
    ],
)
def test_only_a_repeated_opener_is_cut(model: str, rest: str):
    async def deltas():
        for character in model:
            yield character

    async def script() -> str:
        return "".join([delta async for delta in continued(deltas(), "Well,")])

    assert run(script()) == rest


@pytest.mark.parametrize(
    ("said", "feeling", "kind"),
    [
        ("Tell me a story about a dragon.", "neutral", "task"),
        ("Show me a table of the planets.", "neutral", "task"),
        ("Tell me another joke.", "neutral", "task"),
        ("Spell the word necessary.", "neutral", "task"),
        ("Can you count to five?", "neutral", "task"),
        ("Please solve x plus three is seven.", "neutral", "task"),
        ("Write a poem for my mother.", "neutral", "task"),
        ("Could you sing something?", "neutral", "task"),
        ("Translate good morning into French.", "neutral", "task"),
        ("Set the table, said my mother.", "neutral", "task"),
        ("I write every day.", "neutral", "statement"),
        ("Call me Hank.", "neutral", "statement"),
        ("Oh brilliant, the bus is late again.", "happy", "statement"),
        ("I put flowers on his grave, it was a lovely day.", "happy", "statement"),
        ("Oh great, it's raining on my only day off. Just wonderful.", "happy", "statement"),
        ("I eat lunch alone every day.", "happy", "hard"),
        ("Tell me about the sea.", "neutral", "request"),
        ("I got the job!", "happy", "joy"),
    ],
)
def test_what_a_turn_wants_and_how_it_is_meant_decide_its_opener(said: str, feeling: str, kind: str):
    kinds = personas.load().openers.languages["en"].kinds
    assert next(one.kind for one in kinds if one.fits(said, feeling)) == kind


def _joke(delay_s: float) -> tuple[Conversation, np.ndarray]:
    """A turn that gets no opener -> the conversation, and the first fifth of a second of what is heard."""
    llm = fakes.ScriptedLLM(["Why did the hen cross the road?"], delay_s)
    talk = _talk(llm=llm, asr=fakes.ScriptedASR(["You are wrong about the hen."]), turns=BRISK)
    assert said(talk) == ["Why did the hen cross the road?"]
    assert talk.all(events.AudioTranscriptDelta)[0].delta.startswith("Why")
    return talk, talk.sound()[: RATE // 5]


def test_a_reply_that_begins_with_no_such_words_is_heard_to_breathe_first():
    talk, first = _joke(2.0)
    assert talk.at(events.AudioDelta) - talk.marks[0] < 0.8
    assert 0.003 < np.abs(first).max() < 0.08
    assert talk.at(events.AudioTranscriptDelta) - talk.marks[0] > 2.0


def test_nobody_breathes_who_has_something_to_say_at_once():
    assert np.abs(_joke(0.0)[1]).max() > 0.2


def test_a_breath_begins_and_ends_in_silence_and_is_far_quieter_than_speech():
    for seed in range(5):
        sound = breath(np.random.default_rng(seed))
        assert 0.25 * RATE < len(sound) < 0.45 * RATE
        assert np.abs(sound[[0, -1]]).max() < 0.001
        assert 0.003 < np.sqrt(np.mean(sound**2)) < 0.02 and np.abs(sound).max() < 0.08


@pytest.mark.parametrize("words", ["", " ", "\n"])
def test_an_opener_that_nothing_follows_is_followed_by_a_reply_of_its_own(words: str):
    model = Continuing([words, "Because of the sea."])
    talk = _talk(llm=model)
    assert said(talk) == ["Well, Because of the sea."] or said(talk) == ["Well, because of the sea."]
    assert model.asked[-1][-1].role == "user", "the second time it begins anew"
    (turn,) = talk.engine.metrics.turns
    assert turn.changes == {"opener": 1, "again": 1}


def test_what_is_to_be_made_is_begun_anew():
    model = Continuing(["Why did the tomato blush?"])
    made = engine(llm=model, asr=fakes.ScriptedASR(["Tell me a joke."]))
    talk = asked(replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", openers=BOOK)), 1)
    assert said(talk)[0].endswith(" Why did the tomato blush?") and not said(talk)[0].startswith("Why")
    assert model.asked[-1][-1].role == "user"

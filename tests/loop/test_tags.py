"""What a language model writes in brackets moves the face and the voice, and is never said."""

from typing import Any

import numpy as np

from companion.call.virtual_time import run
from companion.protocol import events
from companion.speech.text.sentences import Sentences
from companion.stages import fakes
from companion.stages.protocols import SPEAK_RATE
from tests.loop.conversation import Conversation, Watching, engine


def _answer(text: str) -> tuple[Conversation, Watching, fakes.ToneTTS]:
    animator, tts = Watching(), fakes.ToneTTS()

    async def script() -> Conversation:
        model = fakes.ScriptedLLM([text])
        async with Conversation(engine(llm=model, animator=animator, tts=tts), avatar=True) as talk:
            talk.ask("Well?")
            await talk.until(events.ResponseDone)
            return talk

    return run(script()), animator, tts


def _runs(values: list[Any]) -> list[Any]:
    return [value for i, value in enumerate(values) if i == 0 or value != values[i - 1]]


def test_a_feeling_changes_in_the_middle_of_a_sentence():
    talk, animator, tts = _answer("[sad] I am so sorry about that, [warm] but we will find a way together.")
    assert [text for text, _ in tts.spoken] == ["I am so sorry about that,", "but we will find a way together."]
    talk, animator, tts = _answer("[sad] I am sorry [warm] yet we find a way.")
    assert tts.spoken == [("I am sorry yet we find a way.", "sad")]
    assert _runs([control.emotion for control in animator.asked])[:3] == ["neutral", "sad", "tender"]
    sad = sum(control.emotion == "sad" for control in animator.asked)
    assert abs(sad / 25 - 3 * tts.word_s) <= 0.08, "the change comes with its word"


def test_the_eyes_follow_a_gaze_tag_and_come_back():
    _, animator, tts = _answer("Now [looks away] let me think. There it is.")
    gazes = _runs([(control.gaze_yaw_deg, control.gaze_pitch_deg) for control in animator.asked])
    assert gazes == [(0.0, 0.0), (14.0, -3.0), (0.0, 0.0)]
    assert "looks" not in " ".join(text for text, _ in tts.spoken)


def test_a_pause_is_heard():
    talk, _, tts = _answer("Ready. [pause] Go.")
    assert [text for text, _ in tts.spoken] == ["Ready.", "Go."]
    quiet = np.abs(talk.sound()) < 0.001
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    longest = (edges[1::2] - edges[::2]).max() / SPEAK_RATE
    assert 0.55 <= longest <= 0.75


def test_laughter_and_unknown_tags_are_not_said():
    stream = Sentences()
    found = [*stream.feed("[laughs] That was fun! [does a backflip] Again? "), *stream.flush()]
    assert [(s.spoken, s.emotion) for s in found] == [("That was fun!", "happy"), ("Again?", "happy")]

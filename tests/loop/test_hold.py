"""The face gives way as soon as somebody begins to speak, and goes on if it was nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from animator.control import Control
from animator.units import FPS, Samples
from companion.avatar.cartoon import CartoonAnimator, CartoonFace
from companion.avatar.delivery import FADE_SAMPLES
from companion.call.virtual_time import run
from companion.config import Turns
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Speech
from tests.loop.conversation import BRISK, RATE, Conversation, Inline, engine

FRAME = 1 / FPS  # s
REPLY = "One two three four five six seven eight nine ten eleven twelve."


def _talk(
    user: list[tuple[float, float]], heard: list[str], avatar: bool = False, confidence: float = 1.0, **changes: Any
) -> Conversation:
    """The face says `REPLY`; after one second of it the user makes sound and silence for so many seconds each."""

    async def script() -> Conversation:
        model = fakes.ScriptedLLM([REPLY, "Sorry."])
        async with Conversation(
            engine(llm=model, asr=fakes.ScriptedASR(heard, 0.2, confidence), **changes), avatar=avatar
        ) as talk:
            talk.ask("Count.")
            await talk.until(events.AudioDelta)
            await talk.silence(1.0)
            for loud, silent in user:
                talk.marks.append(talk.now())
                await talk.hear(loud)
                await talk.silence(silent)
            await talk.until(events.ResponseDone, len(talk.all(events.ResponseCreated)), within=20)
            return talk

    return run(script())


def _sent_loud(talk: Conversation) -> list[float]:
    """Seconds at which audible sound was sent."""
    return [
        at
        for at, event in talk.log
        if isinstance(event, events.AudioDelta) and np.abs(np.frombuffer(event.delta, "<i2")).max() > 100
    ]


@pytest.mark.parametrize("avatar", [False, True])
def test_the_face_is_silent_soon_after_somebody_begins_to_speak(avatar: bool):
    talk = _talk([(1.5, 1.0)], ["Stop it now."], avatar)
    began = talk.marks[0]
    stale = [at for at in _sent_loud(talk) if began < at < talk.at(events.ResponseDone)]
    assert max(stale) - began < 0.2


class Shy(CartoonFace):
    """Notes when its mouth is open."""

    def __init__(self, mouths: list[tuple[float, bool]]) -> None:
        self._mouths = mouths
        super().__init__(16, 1, 0)

    def _draw(self, audio: Samples, control: Control) -> NDArray[np.uint8]:
        self._mouths.append((asyncio.get_running_loop().time(), bool(np.abs(audio).max() > 0.01)))
        return super()._draw(audio, control)


def test_the_mouth_closes_with_the_first_picture_after_the_pause_is_told_and_stays_closed():
    mouths: list[tuple[float, bool]] = []

    class Animator(CartoonAnimator):
        def open(self, portrait: Any) -> CartoonFace:
            return Shy(mouths)

    talk = _talk([(1.5, 1.0)], ["Stop it now."], avatar=True, animator=Animator(16))
    states = [(at, event.state) for at, event in talk.log if isinstance(event, events.AvatarState)]
    told = next(at for at, state in states if state == "listening" and at > talk.marks[0])
    end = talk.at(events.ResponseDone)
    assert any(is_open for at, is_open in mouths if told - 0.2 < at < told)
    assert [at - told for at, is_open in mouths if told + FRAME < at < end and is_open] == []


@pytest.mark.parametrize("avatar", [False, True])
def test_mm_hm_makes_the_face_pause_and_go_on_with_the_word_that_was_cut(avatar: bool):
    talk = _talk([(0.3, 4.0)], ["Mm-hm."], avatar)
    (done,) = talk.all(events.ResponseDone)
    assert done.response["status"] == "completed"
    assert done.response["output"][0]["content"][0]["transcript"] == REPLY
    began = talk.marks[0]
    pause = [at for at in _sent_loud(talk) if began + 0.2 < at < began + 0.4]
    assert not pause
    whole = fakes.ToneTTS()._hum(REPLY.split()).audio
    assert 0 < len(talk.sound()) - len(whole) <= 0.45 * RATE, "a word and a short pause"
    assert np.abs(talk.sound()).sum() > np.abs(whole).sum(), "nothing is missing"


def test_words_after_a_pause_keep_their_place_in_the_sound():
    talk = _talk([(0.3, 4.0)], ["Mm-hm."], avatar=True)
    words = talk.all(events.AudioTimestampDelta)
    assert [word.text for word in words] == REPLY.split()
    at = [word.audio_offset_ms * RATE // 1000 for word in words]
    assert at[-1] > 11 * 0.25 * RATE, "the word that was cut is said again"
    loud = np.convolve(np.abs(talk.sound()), np.ones(240) / 240, "same")
    for start in at[:4] + at[-6:]:
        assert loud[start] < 0.02 < 0.1 < loud[start + RATE // 8], "a word begins there"


def test_who_interrupts_while_a_word_is_said_again_has_not_heard_what_follows():
    talk = _talk([(0.3, 0.4), (1.5, 6.0)], ["Mm-hm.", "No, stop."], turns=BRISK)
    response = talk.all(events.ResponseDone)[0].response
    cut = response["output"][0]["content"][0]["transcript"].split()
    assert cut == REPLY.split()[: len(cut)]
    sent = [event.delta for event in talk.all(events.AudioDelta) if event.response_id == response["id"]]
    said = len(b"".join(sent)) / 2 / (0.25 * RATE)
    assert said - 3 < len(cut) < said - 0.5, "one of the words was said twice"


def test_a_word_that_stops_the_face_is_not_talked_over_again():
    talk = _talk([(0.3, 4.0)], ["Stop."])
    (cut, *_) = talk.all(events.ResponseDone)
    assert cut.response["status"] == "cancelled"
    began, over = talk.marks[0], talk.at(events.ResponseDone)
    assert over - began < 0.8, "as soon as it is understood, before the turn is over"
    assert not [at for at in _sent_loud(talk) if began + 0.2 < at < over]


def test_words_that_were_made_of_a_laugh_do_not_interrupt_but_stop_does():
    assert _talk([(0.3, 4.0)], ["Turn them."], confidence=0.3).at(events.ResponseDone) > 3.0
    assert _talk([(0.3, 4.0)], ["Stop."], confidence=0.3).at(events.ResponseDone) < 3.0


def test_a_noise_that_interrupted_lets_the_face_finish_its_sentence():
    talk = _talk([(0.8, 6.0)], [""], turns=BRISK)
    cut, rest = talk.all(events.ResponseDone)
    assert (cut.response["status"], rest.response["status"]) == ("cancelled", "completed")
    said = [done.response["output"][0]["content"][0]["transcript"] for done in (cut, rest)]
    assert " ".join(said) == REPLY
    assert len(said[0].split()) >= 3


def test_what_the_user_said_instead_is_answered_and_the_sentence_dropped():
    talk = _talk([(0.8, 6.0)], ["No, wait."])
    cut, answer = talk.all(events.ResponseDone)
    assert answer.response["output"][0]["content"][0]["transcript"] == "Sorry."


def _slowly_understood(then: Callable[[Conversation], None]) -> Conversation:
    """A short word over the face, which takes 0.9 s to be understood; ``then`` comes between its end and that."""

    async def script() -> Conversation:
        made = engine(llm=fakes.ScriptedLLM([REPLY, "Sorry."]), asr=fakes.ScriptedASR(["Stop it.", "I say."], 0.9))
        async with Conversation(made) as talk:
            talk.ask("Count.")
            await talk.until(events.AudioDelta)
            await talk.silence(1.0)
            await talk.hear(0.3)
            await talk.silence(0.6)
            then(talk)
            await talk.hear(0.3)
            await talk.silence(3.0)
            await talk.until(events.ResponseDone, len(talk.all(events.ResponseCreated)), within=20)
            return talk

    return run(script())


def test_each_of_two_short_turns_over_the_face_that_end_have_begun():
    talk = _slowly_understood(lambda talk: None)
    begun, over = (talk.all(kind) for kind in (events.SpeechStarted, events.SpeechStopped))
    assert [event.item_id for event in begun] == [event.item_id for event in over]
    assert talk.all(events.ResponseDone)[0].response["status"] == "cancelled"


def test_a_word_over_the_face_that_is_cleared_before_it_is_understood_was_not_said():
    talk = _slowly_understood(lambda talk: talk.send(events.InputAudioBufferClear()))
    (understood,) = talk.all(events.TranscriptionCompleted)
    assert talk.at(events.TranscriptionCompleted) - talk.at(events.InputAudioBufferCleared) > 0.9, "of the second word"
    assert [event.item_id for event in talk.all(events.SpeechStarted)] == [understood.item_id]


def test_what_was_heard_at_a_pause_is_what_the_client_played():
    """The client reports the playback clock; while the face pauses the item stands still."""

    async def script() -> int:
        async with Conversation(engine(llm=fakes.ScriptedLLM([REPLY]))) as talk:
            talk.ask("Count.")
            first = await talk.until(events.AudioDelta)
            await talk.silence(1.0)
            await talk.hear(0.35)  # the face pauses some 0.15 s later
            show = talk.session.show
            assert show.holding
            show.played(first.pts_ms + 1350)
            return show.heard()

    assert run(script()) / RATE == pytest.approx(1.16, abs=0.06)


def test_what_is_being_drawn_when_somebody_begins_to_speak_is_not_said_in_full():
    async def script() -> list[float]:
        made = engine(llm=fakes.ScriptedLLM([REPLY]), device=Inline(0.03))
        async with Conversation(made, avatar=True) as talk:
            talk.ask("Count.")
            await talk.until(events.AudioDelta, 8)
            await asyncio.sleep(0.06)  # sound is sent 0.03 s into a chunk of 0.08 s: this is 0.01 s into the next one
            talk.session.show.hold()
            count = len(talk.all(events.AudioDelta))
            await asyncio.sleep(0.5)
            (last,) = talk.all(events.AudioDelta)[count:]
            return [float(np.abs(part).max()) for part in np.split(np.frombuffer(last.delta, "<i2"), [FADE_SAMPLES])]

    fading, rest = run(script())
    assert fading > 100 and rest == 0


class Noisy:
    """A voice that says nothing twice: noise, half a second of it a word."""

    def __init__(self) -> None:
        self.noise = np.random.default_rng(0)

    async def speak(self, text: str, emotion: str = "neutral"):
        for _ in text.split():
            yield Speech((0.2 * self.noise.standard_normal(RATE // 2)).astype(np.float32))


def _over_noise(at: float, user: Callable[[np.ndarray], np.ndarray]) -> tuple[Conversation, float]:
    """The face has spoken for ``at`` seconds when a microphone that hears nothing else hears ``user`` (what was said
    so far, to what is heard) -> the conversation, and when that began."""

    async def script() -> tuple[Conversation, float]:
        turns = Turns(barge_in_ms=1500)
        made = engine(tts=Noisy(), llm=fakes.ScriptedLLM([REPLY]), turns=turns, asr=fakes.ScriptedASR(["Stop."], 0.2))
        async with Conversation(made) as talk:
            talk.ask("Count.")
            await talk.until(events.AudioDelta)
            await talk.silence(at)
            began = talk.now()
            await talk.play(user(talk.sound()))
            await talk.silence(1.5)
            return talk, began

    return run(script())


def _gave_way(talk: Conversation, began: float) -> float:
    """Seconds until nothing more was heard of the face, or it paused."""
    loud = [at for at in _sent_loud(talk) if at > began]
    gaps = [a for a, b in zip(loud, [*loud[1:], np.inf], strict=True) if b - a > 0.1]
    return gaps[0] - began


def test_who_says_a_syllable_as_the_face_did_is_heard_with_the_next_one():
    """Two voices can be alike for a fifth of a second, by chance or by a word: that is no echo yet."""

    def alike(said: np.ndarray) -> np.ndarray:
        other = 0.2 * np.random.default_rng(1).standard_normal(RATE)
        return np.concatenate([said[-round(2.5 * RATE) :][: round(0.22 * RATE)], other])

    assert _gave_way(*_over_noise(3.5, alike)) < 0.45


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_quiet_user_is_heard_soon_after_the_face_s_first_words(seed: int):
    """Until then all that is heard may be an echo; where none has come by then, there is none."""

    def quiet(said: np.ndarray) -> np.ndarray:
        return 0.04 * np.random.default_rng(seed).standard_normal(RATE)

    assert _gave_way(*_over_noise(1.1, quiet)) < 0.25


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("at", [0.1, 0.3, 0.6])
def test_who_speaks_in_the_face_s_first_words_is_heard_at_once(at: float, seed: int):
    """What is loud enough, and nothing like what is played, is no echo, though none has had the time to come."""

    def other(said: np.ndarray) -> np.ndarray:
        return 0.1 * np.random.default_rng(seed).standard_normal(RATE)

    assert _gave_way(*_over_noise(at, other)) < 0.25

"""What others fell into, each as a conversation on a clock that jumps."""

import asyncio

import numpy as np
import pytest
from scipy.signal import fftconvolve

from companion.avatar.cartoon import CartoonFace
from companion.call.virtual_time import run
from companion.hearing.hearing import LOST_PACKETS_S
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Speech
from tests.loop.conversation import BRISK, RATE, Changing, Conversation, Inline, Watching, engine


def test_speech_that_resumes_during_transcription_is_a_pause():
    """The utterance is put back, and the whole is transcribed; no response was ever announced."""

    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(["Both parts."], 1.0), turns=BRISK)) as talk:
            await talk.hear(1.0)
            await talk.silence(0.7)
            await talk.hear(1.0)
            await talk.silence(2.5)
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert len(talk.all(events.SpeechStopped)) == 2
    assert talk.all(events.ItemDeleted)[0].item_id == talk.all(events.SpeechStopped)[0].item_id
    assert [e.transcript for e in talk.all(events.TranscriptionCompleted)] == ["Both parts."]
    assert talk.engine.asr.heard[-1] == pytest.approx(2 * 1.0 + 0.2 + 0.2 + 0.3, abs=0.15)  # both, with their margins
    assert len(talk.all(events.ResponseCreated)) == 1
    assert not talk.all(events.OutputAudioCleared)
    assert talk.history() == [("user", "Both parts.")]


def test_speech_that_resumes_while_the_model_thinks_starts_anew():
    async def script():
        model = fakes.ScriptedLLM(["Never said.", "Answer."], delay_s=2.0)
        async with Conversation(engine(asr=fakes.ScriptedASR(["One.", "Two."]), llm=model, turns=BRISK)) as talk:
            await talk.hear(1.0)
            await talk.silence(0.9)
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert [e.response["status"] for e in talk.all(events.ResponseDone)] == ["cancelled", "completed"]
    assert talk.history() == [("user", "One. Two.")]


@pytest.mark.parametrize("piece_takes", [0.0, 0.06])
@pytest.mark.parametrize("avatar", [False, True])
def test_done_comes_after_the_last_sound_was_sent(piece_takes, avatar):
    async def script():
        voice = fakes.ToneTTS(piece_s=0.25, delay_s=piece_takes)
        async with Conversation(engine(tts=voice, llm=fakes.ScriptedLLM(["One two three. Four."])), avatar) as talk:
            talk.ask("Count")
            await talk.until(events.ResponseDone)
            await asyncio.sleep(1)
            return talk

    talk = run(script())
    sent = [event for _, event in talk.log if isinstance(event, events.AudioDelta | events.ResponseDone)]
    assert isinstance(sent[-1], events.ResponseDone)
    assert len(talk.sound()) == RATE
    assert talk.at(events.ResponseDone) >= talk.at(events.AudioDelta) + 0.9


def test_a_voice_slower_than_speech_makes_pauses_and_loses_nothing():
    async def script():
        voice = fakes.ToneTTS(piece_s=0.25, delay_s=0.4)
        async with Conversation(engine(tts=voice, llm=fakes.ScriptedLLM(["One two three four."]))) as talk:
            talk.ask("Count")
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    loud = np.abs(talk.sound().reshape(-1, 240)).max(1) > 0.01
    assert loud.sum() * 240 / RATE == pytest.approx(1.0, abs=0.15)
    words = [e.delta for e in talk.all(events.AudioTranscriptDelta)]
    assert words == ["One two three four. "]
    assert len(talk.all(events.AudioDone)) == 1


@pytest.mark.parametrize(("stage", "code"), [("llm", "llm_down"), ("tts", "tts_down"), ("asr", "asr_down")])
def test_a_failing_stage_does_not_end_the_session(stage, code):
    async def script():
        changing = Changing(fakes.Broken(code))
        setup = engine(**{stage: changing})
        async with Conversation(setup) as talk:
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            changing.now = {"llm": fakes.ScriptedLLM, "tts": fakes.ToneTTS, "asr": fakes.ScriptedASR}[stage]()
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    failed, fine = (event.response for event in talk.all(events.ResponseDone))
    assert failed["status"] == "failed"
    assert failed["status_details"]["error"]["code"] == code
    assert talk.all(events.Error)[0].error.code == code
    assert fine["status"] == "completed"


def test_a_stage_that_raises_anything_is_reported_without_what_it_said():
    class Bad:
        async def reply(self, messages):
            yield "Fine so far. "
            raise ValueError("the secret words of the user")

    async def script():
        async with Conversation(engine(llm=Bad())) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            return talk

    problem = run(script()).all(events.Error)[0].error
    assert problem.code == "llm_failed"
    assert "secret" not in problem.message


def test_a_face_that_fails_leaves_the_voice():
    class Face(CartoonFace):
        def step(self, audio, control, other=None, every=1):
            if control.state == "speaking":
                raise RuntimeError("no picture")
            return super().step(audio, control)

    class Animator:
        size = 16

        def open(self, portrait):
            return Face(16, 2, 0)

    async def script():
        async with Conversation(engine(animator=Animator()), avatar=True) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert talk.all(events.Error)[0].error.code == "face_failed"
    assert talk.all(events.ResponseDone)[0].response["status"] == "completed"
    assert np.abs(talk.sound()).max() > 0.05


def test_cancelling_a_response_waits_for_no_stage():
    """The queue of two sentences lies between two tasks: neither can hold the other, or the cancellation, up."""

    class Endless:
        def __init__(self):
            self.stopped = False

        async def speak(self, text, emotion="neutral"):
            try:
                while True:
                    await asyncio.sleep(0.01)
                    yield Speech(np.full(240, 0.1, np.float32))
            finally:
                self.stopped = True

    async def script():
        voice = Endless()
        async with Conversation(engine(tts=voice, llm=fakes.ScriptedLLM(["A b. C d. E f. G h. I j."]))) as talk:
            talk.ask("Sing")
            await talk.until(events.AudioDelta, 50)
            begin = asyncio.get_running_loop().time()
            talk.send(events.ResponseCancel())
            await asyncio.sleep(0.02)
            return talk, begin, voice.stopped

    talk, begin, stopped = run(script())
    assert talk.at(events.ResponseDone) == begin
    assert stopped
    assert talk.all(events.ResponseDone)[0].response["status_details"]["reason"] == "client_cancelled"


def test_speech_made_in_advance_is_bounded():
    async def script():
        voice = fakes.ToneTTS()
        async with Conversation(
            engine(tts=voice, llm=fakes.ScriptedLLM(["One two three four five six. " * 30]))
        ) as talk:
            talk.ask("Tell me everything")
            await talk.until(events.AudioDelta, 10)
            return voice.spoken

    assert 4 <= len(run(script())) <= 7  # 6 s in the mouth, 1.5 s a sentence


def test_mm_hm_does_not_interrupt():
    async def script():
        async with Conversation(
            engine(asr=fakes.ScriptedASR(["Mm-hmm."]), llm=fakes.ScriptedLLM(["word " * 20]))
        ) as talk:
            talk.ask("Talk")
            await talk.until(events.AudioDelta, 10)
            await talk.hear(0.3)
            await talk.silence(1.5)
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert talk.all(events.ResponseDone)[0].response["status"] == "completed"
    assert not talk.all(events.SpeechStarted)
    assert 0 < len(talk.sound()) - 20 * 0.25 * RATE < 0.45 * RATE, "a word is said again, nothing else"


def test_a_short_word_that_is_no_mm_hm_interrupts():
    async def script():
        async with Conversation(
            engine(asr=fakes.ScriptedASR(["Stop!"]), llm=fakes.ScriptedLLM(["word " * 40]))
        ) as talk:
            talk.ask("Talk")
            await talk.until(events.AudioDelta, 10)
            await talk.hear(0.3)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert talk.all(events.ResponseDone)[0].response["status"] == "cancelled"
    assert talk.history()[-1] == ("user", "Stop!")


def test_the_face_does_not_interrupt_itself():
    """The microphone hears the reply, 180 ms late, quieter and through a small room."""

    async def script():
        async with Conversation(engine(tts=Voice(), llm=fakes.ScriptedLLM(["word " * 12]))) as talk:
            talk.ask("Talk")
            room = np.zeros(2400)
            room[[0, 310, 701, 1400]] = [0.5, 0.15, 0.1, 0.05]
            while not talk.all(events.ResponseDone):
                echo = fftconvolve(np.concatenate([np.zeros(4320), talk.sound()]), room)
                heard = talk.all(events.AudioDelta) and asyncio.get_running_loop().time() - talk.at(events.AudioDelta)
                at = round((heard or 0.0) * RATE)
                await talk.play(np.pad(echo[at : at + 480], (0, 480))[:480])
            return talk

    talk = run(script())
    assert talk.all(events.ResponseDone)[0].response["status"] == "completed"
    assert not talk.all(events.SpeechStarted)


def _uninterrupted(said, when, lasts=0.5, **stages):
    """A client without `interrupt_response` asks for something and speaks ``when`` seconds after that."""

    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(said), **stages)) as talk:
            detection = {"type": "server_vad", "interrupt_response": False}
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": detection}}}))
            talk.ask("Talk")
            await talk.silence(when)
            for _ in said:
                await talk.hear(lasts)
                await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            await talk.silence(2.0)
            return talk

    return run(script())


@pytest.mark.parametrize("thinks", [0.0, 2.0])
def test_what_a_user_says_who_does_not_want_to_interrupt_is_an_item_and_ends_no_reply(thinks):
    """While the face speaks, and while it thinks."""

    class Model(fakes.ScriptedLLM):
        async def reply(self, messages):
            await asyncio.sleep(thinks)
            async for delta in super().reply(messages):
                yield delta

    talk = _uninterrupted(["My dog is called Rex."], 1.0, llm=Model(["word " * 20]))
    (done,) = talk.all(events.ResponseDone)
    assert done.response["status"] == "completed"
    assert len(talk.sound()) == pytest.approx(20 * 0.25 * RATE, abs=RATE / 10)  # and without a pause
    assert [e.transcript for e in talk.all(events.TranscriptionCompleted)] == ["My dog is called Rex."]
    assert any("My dog is called Rex." in message.content for message in talk.session.conversation.history())
    assert talk.at(events.SpeechStopped) < talk.at(events.ResponseDone)


def test_who_does_not_want_to_interrupt_is_answered_once_the_face_is_silent():
    talk = _uninterrupted(["One.", "Two."], 0.5, llm=fakes.ScriptedLLM(["word " * 8, "Well."]))
    assert [e.response["status"] for e in talk.all(events.ResponseDone)] == ["completed", "completed"]
    assert talk.history()[-1] == ("user", "One. Two.")


def test_mm_hm_is_no_item_of_who_does_not_want_to_interrupt():
    talk = _uninterrupted(["Mm-hm."], 1.0, 0.3, llm=fakes.ScriptedLLM(["word " * 20]))
    assert not talk.all(events.SpeechStarted)
    assert [e.response["status"] for e in talk.all(events.ResponseDone)] == ["completed"]


def test_silent_sound_shows_a_closed_mouth():
    """What is given to the face outside of speech is exact silence, also right after an interruption."""
    animator = Watching()

    async def script():
        async with Conversation(engine(animator=animator, llm=fakes.ScriptedLLM(["word " * 40])), avatar=True) as talk:
            talk.ask("Talk")
            await talk.until(events.AudioDelta, 10)
            talk.send(events.ResponseCancel())
            animator.said.clear()
            await asyncio.sleep(1)
            return talk

    talk = run(script())
    assert len(animator.said) > 10
    assert max(np.abs(sound).max() for sound in animator.said) == 0.0
    after = [e for t, e in talk.log if isinstance(e, events.VideoDelta) and t > talk.at(events.ResponseDone) + 0.01]
    assert {frame.response_id for frame in after} == {None}


def test_sound_that_was_being_drawn_at_the_interruption_is_not_sent():
    async def script():
        async with Conversation(
            engine(device=Inline(0.06), llm=fakes.ScriptedLLM(["word " * 40])), avatar=True
        ) as talk:
            talk.ask("Talk")
            await talk.until(events.AudioDelta, 10)
            for _ in range(9):  # at any phase of the device's work
                await asyncio.sleep(0.011)
            talk.send(events.ResponseCancel())
            await asyncio.sleep(1)
            return talk

    talk = run(script())
    assert talk.at(events.AudioDelta, -1) <= talk.at(events.ResponseDone)


def test_a_response_is_done_even_if_the_model_says_nothing():
    class Mute:
        async def reply(self, messages):
            return
            yield ""

    async def script():
        async with Conversation(engine(llm=Mute()), avatar=True) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone, within=2)
            return talk

    done = run(script()).all(events.ResponseDone)[0].response
    assert (done["status"], done["output"]) == ("completed", [])


def test_a_voice_that_makes_no_sound_of_a_sentence_does_not_hang():
    class Empty(fakes.ToneTTS):
        async def speak(self, text, emotion="neutral"):
            if "Two" in text:
                return
            async for piece in super().speak(text, emotion):
                yield piece

    async def script():
        async with Conversation(engine(tts=Empty(), llm=fakes.ScriptedLLM(["One. Two. Three."]))) as talk:
            talk.ask("Count")
            await talk.until(events.ResponseDone, within=5)
            return talk

    assert len(run(script()).sound()) == 2 * 0.25 * RATE


def test_attention_ends_with_the_microphone():
    async def script():
        async with Conversation(engine(), avatar=True) as talk:
            await talk.silence(1.0)
            await asyncio.sleep(LOST_PACKETS_S + 1)
            return talk

    assert [e.state for e in run(script()).all(events.AvatarState)] == ["initializing", "idle", "listening", "idle"]


class Voice(fakes.ToneTTS):
    """Noise with the rhythm of words, which resembles only itself (a tone resembles every tone)."""

    async def speak(self, text, emotion="neutral"):
        noise = np.random.default_rng(len(text))
        async for piece in super().speak(text, emotion):
            shaped = piece.audio * noise.normal(size=len(piece.audio)).astype(np.float32)
            yield Speech(shaped, piece.words)

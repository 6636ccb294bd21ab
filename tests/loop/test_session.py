"""Conversations as a user would have them, on a clock that jumps."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.config import Talk
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Abilities, Transcript
from tests.loop.conversation import BRISK, RATE, Conversation, Inline, Watching, asked, engine, said


def test_a_spoken_turn_is_answered_in_openai_s_order():
    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(["How are you?"], 0.2))) as talk:
            await talk.hear(1.0)
            await talk.silence(1.5)
            await talk.until(events.ResponseDone)
            await asyncio.sleep(0.5)
            return talk

    talk = run(script())
    assert talk.kinds() == [
        "session.created",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "output_audio_buffer.started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "output_audio_buffer.stopped",
    ]
    assert talk.history() == [("user", "How are you?")]
    assert talk.all(events.ResponseDone)[0].response["status"] == "completed"


def test_transcription_begins_before_the_silence_is_over():
    """0.2 s of silence start it, 0.5 s end the turn: a transcription of 0.3 s costs nothing."""

    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(["Hi."], 0.28))) as talk:
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            return talk, talk.at(events.TranscriptionCompleted) - talk.at(events.SpeechStopped)

    talk, waited = run(script())
    assert waited < 0.05
    assert len(talk.engine.asr.heard) == 1


def test_speech_after_a_pause_in_a_turn_is_transcribed_with_it():
    async def script():
        async with Conversation(engine()) as talk:
            await talk.hear(1.0)
            await talk.silence(0.3)
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert len(talk.all(events.SpeechStopped)) == 1
    assert talk.engine.asr.heard[-1] == pytest.approx(2.3 + 0.2, abs=0.1)


def test_a_click_starts_no_turn_and_noise_no_answer():
    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR([""]), turns=BRISK)) as talk:
            await talk.hear(0.06)
            await talk.silence(1.0)
            clicks = len(talk.all(events.SpeechStarted))
            await talk.hear(0.5)
            await talk.silence(1.0)
            return talk, clicks

    talk, clicks = run(script())
    assert clicks == 0
    assert talk.all(events.TranscriptionCompleted)[0].transcript == ""
    assert talk.all(events.ItemDeleted)
    assert not talk.all(events.ResponseCreated)


def test_typed_text_is_answered_aloud_or_in_writing():
    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["[happy] Well. It is fine."]))) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            talk.ask("And now?", output_modalities=["text"])
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    first, second = talk.all(events.ResponseDone)
    assert first.response["output"][0]["content"] == [{"type": "output_audio", "transcript": "Well. It is fine."}]
    assert second.response["output"][0]["content"] == [{"type": "output_text", "text": "Well. It is fine."}]
    assert talk.history() == [("user", "Hello"), ("assistant", "Well. It is fine."), ("user", "And now?")]
    assert ("Well.", "happy") in talk.engine.tts.spoken


def test_the_reply_is_sent_in_real_time_and_whole():
    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["One two three four. Five six seven."]))) as talk:
            talk.ask("Count")
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert len(talk.sound()) == 7 * 0.25 * RATE
    deltas = talk.all(events.AudioDelta)
    assert talk.at(events.AudioDelta, -1) - talk.at(events.AudioDelta, 0) == pytest.approx(0.08 * (len(deltas) - 1))
    assert all(b.pts_ms - a.pts_ms == pytest.approx(80) for a, b in zip(deltas, deltas[1:], strict=False))


def test_sound_and_picture_of_a_chunk_have_one_time_and_the_sound_is_delayed_with_the_face():
    async def script():
        async with Conversation(engine(), avatar=True) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            await asyncio.sleep(0.3)
            return talk

    talk = run(script())
    sounds, frames = talk.all(events.AudioDelta), talk.all(events.VideoDelta)
    shown = {frame.pts_ms: frame for frame in frames}
    assert all(shown[sound.pts_ms].response_id == sound.response_id for sound in sounds)
    assert [b.pts_ms - a.pts_ms for a, b in zip(frames, frames[1:], strict=False)] == [40.0] * (len(frames) - 1)
    assert frames[0].response_id is None
    assert frames[-1].response_id is None
    assert np.abs(talk.sound()[:2400]).max() > 0.05  # what the face held back is not sent as silence


def test_interrupting_stops_the_sound_and_the_model_at_once():
    async def script():
        model = fakes.ScriptedLLM(["word " * 400], delay_s=0.05)
        async with Conversation(engine(llm=model, turns=BRISK)) as talk:
            talk.ask("Tell me a story")
            await talk.until(events.AudioDelta, 12)
            begin = asyncio.get_running_loop().time()
            await talk.hear(0.7)
            await talk.silence(0.1)
            return talk, begin, model

    talk, begin, model = run(script())
    done = talk.all(events.ResponseDone)[0].response
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert talk.at(events.ResponseDone) - begin < 0.55
    assert talk.at(events.OutputAudioCleared) == talk.at(events.ResponseDone)
    assert not [t for t, e in talk.log if isinstance(e, events.AudioDelta) and t > talk.at(events.ResponseDone)]
    assert model.closed == 1


def test_history_keeps_what_was_heard():
    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["One two three four five six seven eight."]))) as talk:
            talk.ask("Count")
            await talk.until(events.AudioDelta, 12)  # 0.96 s of sound: four words, less what the client buffers
            talk.send(events.ResponseCancel())
            talk.ask("Go on")
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert talk.history()[1] == ("assistant", "One two three")


def test_the_client_knows_better_what_was_heard():
    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["One two three four five six seven eight."]))) as talk:
            talk.ask("Count")
            sound = await talk.until(events.AudioDelta, 16)
            talk.send(events.ResponseCancel())
            talk.send(events.ConversationItemTruncate(sound.item_id, 500))
            talk.ask("Go on")
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert talk.all(events.ItemTruncated)[0].audio_end_ms == 500
    assert talk.history()[1] == ("assistant", "One two")


def test_playback_reports_say_what_was_heard():
    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["One two three four five six seven eight."]))) as talk:
            talk.ask("Count")
            first = await talk.until(events.AudioDelta)
            await talk.until(events.AudioDelta, 20)
            talk.send(events.AvatarPlayback(first.pts_ms + 800))
            talk.send(events.ResponseCancel())
            talk.ask("Go on")
            await talk.until(events.ResponseDone, 2)
            return talk

    assert run(script()).history()[1] == ("assistant", "One two three")


def test_manual_turns():
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": None}}}))
            await talk.hear(1.0)
            await talk.silence(2.0)
            quiet = talk.all(events.SpeechStarted)
            talk.send(events.InputAudioBufferCommit())
            talk.send(events.ResponseCreate())
            await talk.until(events.ResponseDone)
            talk.send(events.InputAudioBufferCommit())
            return talk, quiet

    talk, quiet = run(script())
    assert not quiet
    assert talk.engine.asr.heard == [pytest.approx(3.0, abs=0.01)]
    assert talk.history() == [("user", "Hello.")]
    assert talk.all(events.Error)[0].error.code == "input_audio_buffer_commit_empty"


def test_a_second_response_is_refused_while_one_runs():
    async def script():
        async with Conversation(engine()) as talk:
            talk.ask("Hello")
            talk.send(events.ResponseCreate(event_id="mine"))
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert [(e.error.code, e.error.event_id) for e in talk.all(events.Error)] == [
        ("conversation_already_has_active_response", "mine")
    ]
    assert len(talk.all(events.ResponseDone)) == 1


@pytest.mark.parametrize("end", [events.ResponseCancel(), events.OutputAudioBufferClear()])
def test_a_response_that_is_cancelled_before_the_words_are_there_is_created_and_cancelled(end):
    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(["Hello."], delay_s=1.0))) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": None}}}))
            await talk.hear(1.0)
            talk.send(events.InputAudioBufferCommit())
            talk.send(events.ResponseCreate())
            talk.send(end)
            await talk.until(events.TranscriptionCompleted)
            await asyncio.sleep(1.0)
            talk.send(events.ResponseCreate())
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert [event.response["status"] for event in talk.all(events.ResponseDone)] == ["cancelled", "completed"]
    assert len(talk.all(events.ResponseCreated)) == 2
    assert not talk.all(events.Error)


def test_states_of_the_face():
    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(["Hi."], 0.6)), avatar=True) as talk:
            await talk.hear(1.0)
            await talk.silence(0.6)
            await talk.until(events.ResponseDone)
            await asyncio.sleep(2)
            return talk

    states = [event.state for event in run(script()).all(events.AvatarState)]
    assert states == ["initializing", "idle", "listening", "thinking", "speaking", "idle"]


def test_a_stock_client_is_not_told_about_faces():
    async def script():
        async with Conversation(engine()) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            return talk

    own = [kind for kind in run(script()).kinds() if kind.startswith(("avatar.", "session.avatar.", "response.video"))]
    assert own == []


def test_another_face_in_the_middle_of_a_sentence():
    async def script():
        async with Conversation(engine(), avatar=True) as talk:
            talk.ask("Hello")
            await talk.until(events.AudioDelta, 3)
            talk.send(events.SessionUpdate({"avatar": {"character": "circle"}}))
            talk.send(events.SessionUpdate({"avatar": {"character": "nobody"}}))
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert [e.session["avatar"]["character"] for e in talk.all(events.SessionUpdated)] == ["dot", "circle"]
    assert talk.all(events.Error)[0].error.code == "unknown_character"
    assert sum(frame.keyframe for frame in talk.all(events.VideoDelta)) == 2


def test_a_persona_brings_its_words_and_its_face():
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate({"persona": "bert", "avatar": {}}))
            talk.send(events.SessionUpdate({"persona": "nobody"}))
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    session = talk.all(events.SessionUpdated)[0].session
    assert session["avatar"]["character"] == "circle"
    assert talk.engine.llm.asked[0][0].content.startswith("You are Bert.")
    assert talk.all(events.Error)[0].error.code == "unknown_persona"


@pytest.mark.parametrize(
    "change",
    [
        {"memory": {"user": "u1", "consent": False}},
        {"instructions": "Be kind."},
        {"avatar": {"emotion": "happy"}},
        {"avatar": {"video": {"codec": "jpeg"}}},
    ],
)
def test_a_session_whose_picture_is_gone_takes_any_change_and_gets_another_face(change):
    made = engine()

    async def script():
        async with Conversation(made, avatar=True) as talk:
            made.portraits._uploads["upload_1"] = (SimpleNamespace(waits=False), None)
            talk.send(events.SessionUpdate({"avatar": {"character": "upload_1"}}))
            await asyncio.sleep(0.2)
            del made.portraits._uploads["upload_1"]
            before = len(talk.all(events.SessionUpdated))
            talk.send(events.SessionUpdate(change))
            await talk.until(events.SessionUpdated, before + 2)
            await talk.until(events.VideoDelta, len(talk.all(events.VideoDelta)) + 4)
            return talk

    talk = run(script())
    assert [e.session["avatar"]["character"] for e in talk.all(events.SessionUpdated)[-2:]] == ["upload_1", "dot"]
    problems = [e.error for e in talk.all(events.Error)]
    assert [p.code for p in problems].count("picture_withdrawn") == 1
    assert {p.param for p in problems} == {"session.avatar.character"}


def test_the_face_may_speak_first():
    async def script():
        async with Conversation(engine(talk=Talk(persona="anna", greet=True)), avatar=True) as talk:
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert talk.engine.tts.spoken == [("Good to see you.", "happy")]
    assert talk.engine.llm.asked == []


def test_memory_needs_consent():
    async def script(consent: bool):
        memory = fakes.DictMemory()
        memory.facts["u1"] = ["Has a dog called Rex."]
        async with Conversation(engine(memory=memory)) as talk:
            talk.send(events.SessionUpdate({"memory": {"user": "u1", "consent": consent}}))
            talk.ask("I like tea.")
            await talk.until(events.ResponseDone)
        return memory.facts["u1"], talk.engine.llm.asked[0][0].content

    facts, prompt = run(script(True))
    assert facts[-1] == "I like tea."
    assert "Rex" in prompt
    facts, prompt = run(script(False))
    assert len(facts) == 1
    assert "Rex" not in prompt


def test_a_microphone_that_goes_away_in_mid_word_ends_the_turn():
    async def script():
        async with Conversation(engine()) as talk:
            await talk.hear(1.0)
            await talk.until(events.ResponseDone, within=5)
            return talk

    assert run(script()).history() == [("user", "Hello.")]


def test_an_hour_of_idling_keeps_the_clock():
    async def script():
        async with Conversation(engine(), avatar=True) as talk:
            await asyncio.sleep(120)
            return talk, asyncio.get_running_loop().time()

    talk, now = run(script())
    assert talk.all(events.VideoDelta)[-1].pts_ms / 1000 == pytest.approx(now, abs=0.2)


def test_a_device_too_slow_for_a_moment_is_caught_up_with():
    """The sound goes on, and the face with it: with every second frame until it has caught up."""

    async def script():
        device = Inline()
        async with Conversation(engine(device=device, llm=fakes.ScriptedLLM(["one " * 20])), avatar=True) as talk:
            talk.ask("Count")
            await talk.until(events.AudioDelta, 3)
            device.seconds = 0.3
            await talk.until(events.AudioDelta, 4)
            device.seconds = 0.0
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert len(talk.sound()) == 20 * 0.25 * RATE
    assert talk.at(events.AudioDelta, -1) - talk.at(events.AudioDelta) == pytest.approx(4.92, abs=0.07)
    frames = talk.all(events.VideoDelta)
    steps = [b.pts_ms - a.pts_ms for a, b in zip(frames, frames[1:], strict=False)]
    slow = [at for at, step in enumerate(steps) if step != 40.0]
    assert [steps[at] for at in slow] == [80.0] * len(slow)
    assert 0 < len(slow) <= 0.3 / 0.04 and slow[-1] - slow[0] < 2 * len(slow)


def test_a_device_that_is_always_too_slow_costs_frames_and_no_sound():
    async def script():
        setup = engine(device=Inline(0.2), llm=fakes.ScriptedLLM(["one " * 20]))
        async with Conversation(setup, avatar=True) as talk:
            talk.ask("Count")
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert len(talk.sound()) == 20 * 0.25 * RATE
    assert talk.at(events.AudioDelta, -1) - talk.at(events.AudioDelta) == pytest.approx(4.92, abs=0.07)
    sent = [(at, event.pts_ms) for at, event in talk.log if isinstance(event, events.VideoDelta)]
    assert 20 < len(sent) < 80
    assert max(at * 1000 - pts for at, pts in sent) < 700


def test_control_reaches_the_face():
    animator = Watching()

    async def script():
        async with Conversation(
            engine(animator=animator, llm=fakes.ScriptedLLM(["[sad] Oh no."])), avatar=True
        ) as talk:
            talk.send(events.AvatarControl(gaze=events.Gaze(yaw_deg=5), distance=0.9))
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
            await asyncio.sleep(0.3)

    run(script())
    speaking = [control for control in animator.asked if control.state == "speaking"]
    assert {(c.gaze_yaw_deg, c.distance) for c in speaking} == {(5.0, 0.9)}
    assert "sad" in {c.emotion for c in speaking}
    assert animator.asked[-1].emotion == "neutral"


def test_a_transcript_of_spaces_is_silence():
    class Spaces:
        async def transcribe(self, audio):
            return Transcript("  ")

    async def script():
        async with Conversation(engine(asr=Spaces())) as talk:
            await talk.hear(1.0)
            await talk.silence(1.0)
            return talk

    assert not run(script()).all(events.ResponseCreated)


class Local(fakes.ScriptedLLM):
    abilities = Abilities(continues=True)


def test_a_sentence_of_an_earlier_reply_is_not_said_again_unless_it_is_all_there_is():
    story = "The fox sailed across the wide sea."
    model = Local([story, f"A storm came. {story} It was cold.", story, "Oh no. Oh no."])
    hearing = fakes.ScriptedASR(["Tell me a story.", "Go on.", "What was it about?", "Really?"])
    assert said(asked(engine(llm=model, asr=hearing), 4)) == [
        story,
        "A storm came. It was cold.",
        story,
        "Oh no. Oh no.",
    ]

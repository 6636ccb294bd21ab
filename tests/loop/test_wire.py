"""Messages on the wire, and settings, against the types of the `openai` package."""

import asyncio
import base64
import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from companion.call.virtual_time import run
from companion.protocol import codec, events
from companion.protocol.changes import update
from companion.protocol.codec import WireError
from companion.protocol.settings import Avatar, Settings
from companion.stages import fakes
from tests.loop.conversation import Changing, Conversation, engine

OFFICIAL = {
    typing.get_args(kind.model_fields["type"].annotation)[0]: TypeAdapter(kind)
    for kind in typing.get_args(typing.get_args(RealtimeServerEvent)[0])
}
OURS = ("avatar.", "session.avatar.", "response.video.", "response.audio_timestamp.")


async def everything():
    """A conversation in which every event of the server occurs."""
    llm, asr = Changing(fakes.ScriptedLLM(["One two three."])), Changing(fakes.ScriptedASR())
    async with Conversation(engine(llm=llm, asr=asr), avatar=True) as talk:
        await talk.hear(1.0)
        await talk.silence(1.0)
        await talk.until(events.ResponseDone)
        asyncio.get_running_loop().now += 2.0  # nobody is served for so long
        await talk.until(events.AvatarDelayed)
        talk.ask("Written?", output_modalities=["text"], metadata={"a": "b"})
        await talk.until(events.ResponseDone, 2)
        talk.ask("Aloud?")
        sound = await talk.until(events.AudioDelta, 15)
        talk.send(events.ConversationItemTruncate(sound.item_id, 100))
        talk.send(events.ConversationItemRetrieve(sound.item_id))
        talk.send(events.ConversationItemDelete(sound.item_id))
        talk.send(events.InputAudioBufferClear())
        talk.send(events.ResponseCancel())
        llm.now = fakes.Broken()
        talk.ask("Fail?")
        await talk.until(events.ResponseDone, 4)
        asr.now = fakes.Broken()
        await talk.hear(1.0)
        await talk.silence(1.0)
        await talk.until(events.TranscriptionFailed)
        llm.now = fakes.ScriptedCaller('{"city": "Oslo"}')
        tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
        talk.send(events.SessionUpdate({"persona": "carl", "output_modalities": ["text"], "tools": [tool]}))
        talk.ask("How is the weather in Oslo?")
        await talk.until(events.ResponseDone, 5)
        talk.send(
            events.ConversationItemCreate({"type": "function_call_output", "call_id": "call_1", "output": "Rain"})
        )
        talk.send(events.ResponseCreate())
        await talk.until(events.ResponseDone, 6)
        talk.ask("Ask me some questions.")
        await talk.until(events.ResponseDone, 7)
        talk.ask("Three")
        await talk.until(events.AvatarProgress)
        talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": {"idle_timeout_ms": 5000}}}}))
        await talk.silence(6.0)
        assert talk.all(events.InputAudioBufferTimeoutTriggered)
        return talk


def test_every_event_of_openai_s_is_as_openai_defines_it():
    encode = codec.Encoder(binary=False)
    sent = [json.loads(encode(event)) for _, event in run(everything()).log]
    for event in sent:
        if event["type"] in OFFICIAL:
            OFFICIAL[event["type"]].validate_python(event, strict=True)
        else:
            assert event["type"].startswith(OURS), event["type"]
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.ServerEvent)]
    never = {kind.type for kind in kinds if hasattr(kind, "type")} - {event["type"] for event in sent}
    assert {name for name in never if isinstance(name, str)} == set()


def test_media_are_base64_or_bytes():
    sound = events.AudioDelta("r", "i", b"\x01\x02\n\x03", 80.0)
    as_json = json.loads(codec.Encoder(binary=False)(sound))
    assert base64.b64decode(as_json["delta"]) == sound.delta
    head, _, body = codec.Encoder(binary=True)(sound).partition(b"\n")
    assert body == sound.delta
    assert json.loads(head) == {key: value for key, value in as_json.items() if key != "delta"}


def test_both_forms_of_an_append():
    sound = bytes(range(20))
    text = json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(sound).decode()})
    binary = b'{"type": "input_audio_buffer.append"}\n' + sound
    assert codec.decode(text).audio == codec.decode(binary).audio == sound


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("[" * 100_000, "invalid_json", None),
        ("[]", "invalid_message", None),
        ("{}", "missing_type", "type"),
        ('{"type": 3}', "missing_type", "type"),
        ('{"type": "conversation.item.explode"}', "unknown_event", "type"),
        (b"no newline", "invalid_message", None),
        (b"\xff\xfe\n", "invalid_json", None),
        ('{"type": "input_audio_buffer.append"}', "invalid_value", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "?"}', "invalid_value", "audio"),
        ('{"type": "session.update", "session": 3}', "invalid_value", "session"),
        ('{"type": "conversation.item.truncate", "item_id": "a", "audio_end_ms": -1}', "invalid_value", "audio_end_ms"),
        ('{"type": "avatar.control", "gaze": {"yaw_deg": 400}}', "invalid_value", "gaze.yaw_deg"),
        ('{"type": "avatar.playback", "played_ms": NaN}', "invalid_json", None),
        ('{"type": "avatar.playback", "played_ms": 1e999}', "invalid_json", None),
        ('{"type": "session.update", "session": ' + '{"a":' * 700 + "1" + "}" * 701, "invalid_json", None),
        ('{"type": "session.update", "session": ' + "[" * 100 + "]" * 100 + "}", "invalid_json", None),
        ('{"type": "session.update", "session": {"a": [' + "{}," * 125_000 + "{}]}}", "invalid_json", None),
        ('{"type": "session.update", "session": {"a": ' + "9" * 5000 + "}}", "invalid_json", None),
        (b'{"type": "session.update", "session": {"a": "\xed\xa0\xbd"}}\n', "invalid_json", None),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(message, code, param):
    with pytest.raises(WireError) as caught:
        codec.decode(message)
    assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("\\ud83d", "?"),
        ("Oh \\uDe00!", "Oh ?!"),
        ("\\ud83d\\ude00", "\N{GRINNING FACE}"),
        ("\ud83d", "?"),
        ("\\u0041", "A"),
    ],
)
def test_a_cut_emoji_is_a_question_mark(sent, taken):
    session = '{"instructions": "' + sent + '", "n": [1.5, {}]}'
    event = codec.decode('{"type": "session.update", "session": ' + session + "}")
    assert event.session == {"instructions": taken, "n": [1.5, {}]}


def test_what_is_not_too_deep_is_taken():
    event = codec.decode('{"type": "session.update", "session": {"a": ' + "[" * 98 + "]" * 98 + "}}")
    assert json.dumps(event.session).count("[") == 98


def test_the_client_s_event_id_comes_back_and_unknown_fields_do_not_matter():
    with pytest.raises(WireError) as caught:
        codec.decode('{"type": "conversation.item.delete", "event_id": "mine"}')
    assert caught.value.event_id == "mine"
    assert codec.decode('{"type": "response.cancel", "mood": "good"}') == events.ResponseCancel()


@given(st.one_of(st.text(), st.binary()))
def test_any_message_is_an_event_or_refused(message):
    try:
        assert isinstance(codec.decode(message), events.ClientEvent)
    except WireError as error:
        assert error.code


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
BASE = Settings("anna", "You are Anna.")


@given(st.dictionaries(st.sampled_from(["audio", "avatar", "instructions", "output_modalities", "x"]), anything))
def test_any_update_is_effective_or_refused(change):
    try:
        assert isinstance(update(BASE, change, BASE), Settings)
    except WireError as error:
        assert error.code


def test_updates_add_up_and_null_switches_off():
    detection = {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 700}}}}
    new = update(BASE, detection, BASE)
    assert new.audio.input.turn_detection.silence_duration_ms == 700
    assert new.audio.input.turn_detection.prefix_padding_ms == 300
    off = update(new, {"audio": {"input": {"turn_detection": None}}}, BASE)
    assert off.audio.input.turn_detection is None
    assert update(off, {"audio": {"input": {"turn_detection": {}}}}, BASE).audio.input.turn_detection is not None


@pytest.mark.parametrize(
    ("codecs", "taken"), [(["jpeg", "h264"], "h264"), (["vp8", "jpeg"], "vp8"), (["av1", "jpeg"], "jpeg")]
)
def test_the_best_codec_that_the_client_decodes(codecs, taken):
    assert update(BASE, {"avatar": {"video": {"codecs": codecs}}}, BASE).avatar.video.codec == taken


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tools": [{"type": "function"}]}, "session.tools.0.name"),
        ({"avatar": {"video": {"codecs": ["av1"]}}}, "session.avatar.video.codecs"),
        ({"avatar": {"video": {"container": "fmp4"}}}, "session.avatar.video.container"),
        ({"audio": {"input": {"format": {"type": "audio/opus"}}}}, "session.audio.input.format.type"),
        ({"audio": {"output": {"format": {"rate": 44100}}}}, "session.audio.output.format.rate"),
        ({"output_modalities": ["audio", "text"]}, "session.output_modalities"),
        ({"output_modalities": []}, "session.output_modalities"),
    ],
)
def test_what_the_server_cannot_do_is_refused_by_name(change, param):
    with pytest.raises(WireError) as caught:
        update(BASE, change, BASE)
    assert caught.value.param == param


def test_scene_and_gaze_are_wishes_to_the_face():
    avatar = update(BASE, {"avatar": {"scene": {"zoom": 1.25, "rotation_y": 5}, "gaze": {"yaw_deg": -3}}}, BASE).avatar
    control = avatar.control()
    assert (control.distance, control.yaw_deg, control.gaze_yaw_deg) == (0.8, 5.0, -3.0)
    assert Avatar().control().distance == 1.0

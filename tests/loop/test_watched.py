"""A face that nobody sees is not drawn; its voice goes on."""

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import Conversation, engine


def test_what_nobody_sees_is_not_drawn_and_not_missed():
    made = engine(llm=fakes.ScriptedLLM(["One two three four five six seven eight."]))

    async def script() -> tuple[Conversation, list[float]]:
        async with Conversation(made, avatar=True) as talk:
            await talk.silence(1.0)
            talk.send(events.AvatarWatch(False))
            hidden = talk.now()
            talk.ask("Count.")
            await talk.until(events.ResponseDone)
            shown = talk.now()
            talk.send(events.AvatarWatch(True))
            await talk.silence(1.0)
            return talk, [hidden, shown]

    talk, (hidden, shown) = run(script())
    frames = [(at, event) for at, event in talk.log if isinstance(event, events.VideoDelta)]
    assert [at for at, _ in frames if hidden + 0.1 < at < shown] == []
    assert sum(at <= hidden for at, _ in frames) >= 24
    again = [(at, frame) for at, frame in frames if at >= shown]
    assert len(again) >= 23 and again[0][1].keyframe, "a picture can be decoded at once"
    assert again[0][1].pts_ms / 1000 - frames[0][1].pts_ms / 1000 == again[0][0] - frames[0][0]
    assert talk.all(events.ResponseDone)[0].response["status"] == "completed"
    assert sum(len(event.delta) for event in talk.all(events.AudioDelta)) > 24_000
    assert made.metrics.registry.get_sample_value("vasari_frames_dropped_total") == 0

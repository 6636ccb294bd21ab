"""Whatever a client sends, its session lives, every answer is proper JSON, and the next question is answered."""

import json
import math

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from companion.call.virtual_time import run
from companion.protocol import codec, events
from companion.stages import fakes
from tests.abuse.hostile import hostile
from tests.loop.conversation import Conversation, engine

EACH = 25  # messages of one session
RESET = {"persona": "anna", "instructions": "", "memory": None, "tools": [], "output_modalities": ["text"]}


async def attacked(sent: list[str | bytes]) -> Conversation:
    """A conversation in which these were sent, and then a question."""
    made = engine(llm=fakes.ScriptedLLM(["Still here."]))
    async with Conversation(made, avatar=True) as talk:
        for message in sent:
            try:
                await talk.session.take(codec.decode(message))
            except codec.WireError as error:
                talk.session.complain(events.Problem(error.code, str(error), param=error.param))
        talk.send(events.SessionUpdate(RESET))
        talk.send(events.OutputAudioBufferClear())
        done = len(talk.all(events.ResponseDone))
        talk.ask("Are you there?")
        await talk.until(events.ResponseDone, done + 1)
        return talk


def proper(value: float) -> None:
    assert math.isfinite(value)


def test_a_session_outlives_whatever_is_sent(messages):
    @settings(
        max_examples=max(1, messages // EACH),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.lists(hostile, min_size=EACH, max_size=EACH))
    def attack(sent: list[str | bytes]) -> None:
        talk = run(attacked(sent))
        assert talk.all(events.ResponseDone)[-1].response["status"] == "completed"
        encode = codec.Encoder(binary=False)
        for _, event in talk.log:
            text = encode(event)
            assert isinstance(text, str)
            json.loads(text, parse_constant=lambda constant: proper(float("nan")))
            text.encode()

    attack()

"""While somebody speaks for long, a listener is heard at the pauses, and takes no floor with it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from companion.avatar.show import MURMUR_ID
from companion.call.virtual_time import run
from companion.config import Talk, Turns
from companion.dialogue.personas import personas
from companion.dialogue.personas.personas import Prompts
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import PERSONA, Conversation, engine

BOOK = personas.load().openers


def _talk(seconds: float = 5.0, persona: Any = PERSONA, avatar: bool = True, done: float = 0.1, **changes: Any):
    """After a first exchange the user speaks for so long, pauses, and goes on for three seconds."""
    asr = fakes.ScriptedASR(["Hello there, Anna."])
    made = engine(turns=Turns("semantic_vad"), asr=asr, turn_end=fakes.ScriptedTurnEnd([done]), **changes)
    made = replace(made, prompts=Prompts({"anna": persona}, "Be short.", openers=BOOK))

    async def script() -> Conversation:
        async with Conversation(made, avatar=avatar) as talk:
            await talk.hear(1.0)
            await talk.silence(4.0)
            await talk.until(events.ResponseDone)
            await talk.silence(2.0)
            talk.marks.append(talk.now())
            await talk.hear(seconds)
            await talk.silence(0.8)
            await talk.hear(3.0)
            talk.marks.append(talk.now())
            await talk.silence(4.0)
            return talk

    return run(script())


def _murmured(talk: Conversation) -> list[float]:
    return [
        at
        for at, event in talk.log
        if isinstance(event, events.AudioDelta) and event.response_id == MURMUR_ID and any(event.delta)
    ]


def test_a_listener_is_heard_at_the_pause_of_a_long_turn():
    talk = _talk()
    heard = _murmured(talk)
    assert heard and 5.0 < heard[0] - talk.marks[0] < 6.0
    assert heard[-1] - heard[0] < 1.0


def test_it_is_quiet():
    talk = _talk()
    loudest = {
        kind: max(
            np.abs(np.frombuffer(event.delta, "<i2")).max()
            for event in talk.all(events.AudioDelta)
            if (event.response_id == MURMUR_ID) == kind
        )
        for kind in (True, False)
    }
    assert loudest[True] < 0.5 * loudest[False]


def test_it_neither_ends_the_turn_nor_enters_the_history():
    talk = _talk()
    assert len(talk.all(events.SpeechStarted)) == 2
    assert not any("mm" in content.lower() for _, content in talk.history())
    assert not [
        state for at, state in _states(talk) if talk.marks[0] + 0.2 < at < talk.marks[1] and state == "speaking"
    ]


def _states(talk: Conversation) -> list[tuple[float, str]]:
    return [(at, event.state) for at, event in talk.log if isinstance(event, events.AvatarState)]


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 0.6},
        {"done": 0.45},
        {"avatar": False},
        {"persona": replace(PERSONA, openers={"en": {"listening": ()}})},
        {"talk": Talk(persona="anna", murmurs=False)},
    ],
)
def test_nothing_is_heard_where_it_does_not_belong(changes: dict[str, Any]):
    assert not _murmured(_talk(**changes))


def test_a_tutor_listens_in_silence():
    tutor = personas.load().personas["tutor"]
    assert tutor.openers and tutor.openers["en"]["listening"] == ()

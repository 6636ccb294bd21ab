"""What a client cuts off a reply stays off."""

import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import Conversation, engine


async def truncated(*cuts, part=0):
    async with Conversation(engine(llm=fakes.ScriptedLLM(["One two three four five six seven eight."]))) as talk:
        talk.ask("Count")
        sound = await talk.until(events.AudioDelta, 16)
        talk.send(events.ResponseCancel())
        for cut in cuts:
            talk.send(events.ConversationItemTruncate(sound.item_id, cut, part))
        talk.ask("Go on")
        await talk.until(events.ResponseDone, 2)
        return talk


@pytest.mark.parametrize(
    ("cuts", "told", "words"),
    [
        ((500,), [500], "One two"),
        ((500, 57_340), [500, 500], "One two"),
        ((500, 200), [500, 200], "One"),
        ((500, 200, 400), [500, 200, 200], "One"),
    ],
)
def test_no_later_cut_brings_words_back(cuts, told, words):
    talk = run(truncated(*cuts))
    assert [event.audio_end_ms for event in talk.all(events.ItemTruncated)] == told
    assert talk.history()[1] == ("assistant", words)


@pytest.mark.parametrize("part", [1, 7, -1])
def test_a_part_that_there_is_not_is_refused_by_name(part):
    talk = run(truncated(500, part=part))
    (problem,) = [event.error for event in talk.all(events.Error)]
    assert (problem.code, problem.param) == ("invalid_value", "content_index")
    assert not talk.all(events.ItemTruncated)

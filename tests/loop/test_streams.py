"""What is wrapped around a stage's stream closes it: a model whose reply nobody hears any more stops at once."""

from functools import partial

import pytest

from companion.call.virtual_time import run
from companion.dialogue.lessons.tutor import Tutor
from companion.dialogue.personas.openers import continued
from companion.dialogue.replying.toolbox import _ask
from companion.speech.repertoire import Repertoire
from companion.stages.protocols import Abilities, Speech
from tests.loop.conversation import SUMS, TUTORING, Conversation, engine


class Source:
    """A stream that knows whether it was closed."""

    def __init__(self, item):
        self.item, self.closed = item, False

    async def stream(self):
        try:
            while True:
                yield self.item
        finally:
            self.closed = True


def _conversing(source):
    class Caller:
        abilities = Abilities(calls_tools=True)

        def converse(self, messages, tools):
            return source.stream()

    talk = Conversation(engine(llm=Caller()))
    toolbox = talk.session._agent.mind._answering.toolbox
    return toolbox._converse(partial(_ask, toolbox._llm, []), [], {}, None, must=False)


def _voiced(source):
    class Voice:
        def speak(self, text, emotion="neutral"):
            return source.stream()

    return Repertoire().voice(Voice()).speak("Hello.")


WRAPPERS = {
    "lesson": ("word ", lambda source: Tutor(SUMS, TUTORING["en"], print).guided(source.stream())),
    "opener": ("word ", lambda source: continued(source.stream(), "Well,")),
    "tools": ("word ", _conversing),
    "repertoire": (Speech([]), _voiced),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_closing_what_wraps_a_stream_closes_the_stream(name):
    item, wrap = WRAPPERS[name]
    source = Source(item)

    async def script():
        wrapped = wrap(source)
        assert await anext(wrapped)
        await wrapped.aclose()
        return source.closed

    assert run(script())

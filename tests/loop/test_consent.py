"""What is remembered of whom: what was said while that user agreed, and nothing else."""

import asyncio

import pytest

from companion.call.virtual_time import run
from companion.errors import StageError
from companion.protocol import events
from companion.session.resuming.snapshot import dumps, loads
from companion.stages import fakes
from tests.loop.conversation import BRISK, Conversation, engine


class Notebook(fakes.DictMemory):
    """Keeps every call in order; takes ``seconds`` for each, and fails while ``broken``."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.calls, self.seconds, self.broken, self.recalled = [], seconds, False, 0

    async def recall(self, user, about, limit=5):
        self.recalled += 1
        await self._work()
        return [f"{user} has a dog."] if not about else []

    async def remember(self, user, conversation, messages):
        await self._work()
        self.calls += [(user, conversation, m.content) for m in messages if m.role == "user"]

    async def conclude(self, conversation):
        self.calls.append(("conclude", conversation))

    async def discard(self, conversation):
        self.calls.append(("discard", conversation))

    async def _work(self):
        await asyncio.sleep(self.seconds)
        if self.broken:
            raise StageError("memory_down", "No.")

    def said(self, user):
        return [call[2] for call in self.calls if call[0] == user]


def _agree(talk, user, consent=True):
    talk.send(events.SessionUpdate({"memory": {"user": user, "consent": consent}}))


async def _turn(talk, text):
    talk.ask(text)
    await talk.until(events.ResponseDone, len(talk.all(events.ResponseDone)) + 1)


def test_a_second_user_of_a_session_has_a_memory_of_their_own():
    memory = Notebook()

    async def script():
        async with Conversation(engine(memory=memory)) as talk:
            for user, words in (("anna", "I live in Rome."), ("bert", "I am ill."), ("anna", "I like tea.")):
                _agree(talk, user)
                await _turn(talk, words)
                assert f"{user} has a dog." in talk.engine.llm.asked[-1][0].content
                assert talk.engine.llm.asked[-1][0].content.count("has a dog") == 1

    run(script())
    assert memory.said("anna") == ["I live in Rome.", "I like tea."]
    assert memory.said("bert") == ["I am ill."]
    conversations = {call[1]: call[0] for call in memory.calls if len(call) == 3}
    assert len(conversations) == 3  # no conversation is of two users
    assert [call[1] for call in memory.calls if call[0] == "conclude"] == [*conversations]


class Minutes(Notebook):
    """Keeps what both sides say."""

    async def remember(self, user, conversation, messages):
        self.calls += [(user, conversation, m.content) for m in messages]


@pytest.mark.parametrize("first", ["anna", None])
def test_an_answer_belongs_to_whoever_asked(first):
    memory = Minutes()

    async def script():
        asr = fakes.ScriptedASR(["I am ill."], delay_s=2.0)
        llm = fakes.ScriptedLLM(["You are ill.", "It is noon."])
        async with Conversation(engine(memory=memory, asr=asr, llm=llm, turns=BRISK)) as talk:
            if first:
                _agree(talk, first)
            await talk.hear(1.0)
            await talk.silence(1.0)
            _agree(talk, "bert")  # while it is still being understood
            await talk.until(events.ResponseDone)
            await _turn(talk, "What time is it?")

    run(script())
    assert memory.said("bert") == ["What time is it?", "It is noon."]
    assert memory.said("anna") == (["I am ill.", "You are ill."] if first else [])
    for name in {call[1] for call in memory.calls}:  # what is stored late is read, too
        assert [call for call in memory.calls if call[1] == name][-1] == ("conclude", name)


def test_what_was_said_before_consent_is_not_stored_after_it():
    memory = Notebook()

    async def script():
        asr = fakes.ScriptedASR(["I am still being understood."], delay_s=2.0)
        async with Conversation(engine(memory=memory, asr=asr, turns=BRISK)) as talk:
            await _turn(talk, "I play the violin.")
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "I am ill."}]}
            talk.send(events.ConversationItemCreate(item))  # nobody answers it
            await talk.hear(1.0)
            await talk.silence(0.8)  # said, and not understood yet
            _agree(talk, "anna")
            await talk.until(events.ResponseDone, 2)
            await _turn(talk, "I like tea.")

    run(script())
    assert memory.said("anna") == ["I like tea."]


def test_what_was_said_with_consent_is_stored_as_that_users_when_another_comes():
    memory = Notebook()

    async def script():
        asr = fakes.ScriptedASR(["I am still being understood."], delay_s=2.0)
        async with Conversation(engine(memory=memory, asr=asr, turns=BRISK)) as talk:
            _agree(talk, "anna")
            await talk.hear(1.0)
            await talk.silence(0.8)
            _agree(talk, "bert")
            await talk.until(events.ResponseDone)

    run(script())
    assert memory.said("anna") == ["I am still being understood."]
    assert memory.said("bert") == []


def test_withdrawn_consent_discards_what_is_unread_and_stores_nothing_of_it_later():
    memory = Notebook()

    async def script():
        asr = fakes.ScriptedASR(["I am still being understood."], delay_s=2.0)
        async with Conversation(engine(memory=memory, asr=asr)) as talk:
            _agree(talk, "anna")
            await _turn(talk, "I like tea.")
            await talk.hear(1.0)
            await talk.silence(0.8)
            _agree(talk, "anna", consent=False)
            await talk.until(events.ResponseDone, 2)
            await _turn(talk, "I like coffee.")

    run(script())
    assert memory.said("anna") == ["I like tea."]
    assert [call for call in memory.calls if len(call) == 2] == [("discard", memory.calls[0][1])]


def test_what_is_recalled_of_one_user_is_not_told_to_the_next():
    memory = Notebook(1.0)

    async def script():
        async with Conversation(engine(memory=memory)) as talk:
            _agree(talk, "anna")
            await asyncio.sleep(0.5)
            _agree(talk, "bert")  # anna's memories are on their way
            await _turn(talk, "Hello.")
            return talk.engine.llm.asked[-1][0].content

    prompt = run(script())
    assert "bert has a dog." in prompt and "anna" not in prompt


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_memory_that_fails_fails_no_reply_and_is_told_of_once(seconds, caplog):
    """It fails at once, or does not answer at all."""
    memory = Notebook()

    async def script():
        async with Conversation(engine(memory=memory)) as talk:
            memory.seconds, memory.broken = seconds, True
            _agree(talk, "anna")
            begun = talk.now()
            for _ in range(4):
                await _turn(talk, "Hello.")
            return talk, talk.now() - begun

    talk, took = run(script())
    assert [done.response["status"] for done in talk.all(events.ResponseDone)] == ["completed"] * 4
    assert len(talk.all(events.Error)) == 1
    assert caplog.text.count("memory failed") == 1
    plain = 4 * 0.8
    assert took < plain + 2.5  # one of them waited for it, once


def test_what_is_known_comes_back_with_the_memory():
    memory = Notebook()

    async def script():
        async with Conversation(engine(memory=memory)) as talk:
            memory.broken = True
            _agree(talk, "anna")
            await _turn(talk, "Hello.")
            memory.broken = False
            await asyncio.sleep(60)
            await _turn(talk, "And now?")
            return talk

    talk = run(script())
    assert "anna has a dog." in talk.engine.llm.asked[-1][0].content
    assert len(talk.all(events.Error)) == 1


@pytest.mark.parametrize("first", ["anna", None])
def test_an_utterance_that_began_before_consent_is_stored_for_nobody(first):
    """Not what is said while the user of the session changes, either: whose it is cannot be told."""
    memory, words = Notebook(), fakes.ScriptedASR(["My secret is out.", "I like tea."])

    async def script():
        async with Conversation(engine(memory=memory, asr=words, turns=BRISK)) as talk:
            if first:
                _agree(talk, first)
            await talk.hear(1.0)
            _agree(talk, "bert")
            for turn in (1, 2):
                await talk.hear(1.0)
                await talk.silence(1.5)
                await talk.until(events.ResponseDone, turn)
                await asyncio.sleep(2.0)

    run(script())
    assert memory.said("bert") == ["I like tea."]
    assert not memory.said("anna")


def test_sound_from_before_consent_that_is_committed_after_it_is_stored_for_nobody():
    memory = Notebook()

    async def script():
        async with Conversation(engine(memory=memory, asr=fakes.ScriptedASR(["My secret.", "I like tea."]))) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": None}}}))
            for _ in range(2):
                await talk.hear(1.0)
                _agree(talk, "anna")
                talk.send(events.InputAudioBufferCommit())
                talk.send(events.ResponseCreate())
                await talk.until(events.ResponseDone, len(talk.all(events.ResponseDone)) + 1)

    run(script())
    assert memory.said("anna") == ["I like tea."]


def _raise(*_):
    raise ConnectionError


async def _cancelled(*_):
    raise asyncio.CancelledError


async def _read(*_):
    return []


@pytest.mark.parametrize(("read", "write"), [(_raise, _raise), (_cancelled, _raise), (_read, _raise)])
def test_replies_do_without_a_memory_however_it_fails_and_it_is_told_of_once(read, write):
    """One that is no coroutine, one whose own tasks are cancelled, one that can only be read."""
    memory = fakes.DictMemory()
    memory.recall, memory.remember = read, write

    async def script():
        async with Conversation(engine(memory=memory)) as talk:
            _agree(talk, "anna")
            for _ in range(4):
                await _turn(talk, "Hello.")
            assert [done.response["status"] for done in talk.all(events.ResponseDone)] == ["completed"] * 4
            assert len(talk.all(events.Error)) == 1

    run(script())


def test_when_speech_began_counts_in_its_own_session_only():
    """The clock of the session that goes on with it is another one."""

    async def script():
        async with Conversation(engine(turns=BRISK)) as talk:
            await talk.hear(0.8)
            await talk.silence(0.8)
            await talk.until(events.ResponseDone)
            return talk, talk.session._carrying.snapshot()

    talk, snapshot = run(script())
    aloud = next(iter(talk.session.conversation))
    assert aloud.role == "user" and aloud.begun is not None
    assert [item.begun for item in loads(dumps(snapshot)).items] == [None, None]

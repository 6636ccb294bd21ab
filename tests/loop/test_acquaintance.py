"""What the user said of themself is known for the whole session, and gone when they drop it."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from companion.call.virtual_time import run
from companion.dialogue.personas import manners
from companion.dialogue.personas.personas import Prompts
from companion.protocol import events
from companion.stages import fakes
from companion.stages.llm.chat_model import LangChain
from companion.stages.protocols import Abilities, Kept
from companion.understanding import facts
from companion.understanding.told import sentences
from tests.loop.conversation import PERSONA, Conversation, engine, said

BOOK = facts.load()
SMALL_TALK = ["The soup was good.", "It rains.", "I saw a film.", "Go on.", "Why is the sky blue?"]
ASKED = ("What is my name?", "What did we talk about last time?")
INTRODUCTION = ["My name is Henryk. My brother is called Tom.", "I work as a nurse."]


class Small(fakes.ScriptedLLM):
    abilities = Abilities(continues=True)


class Shelf(fakes.DictMemory):
    """Keeps sentences that can be seen and changed."""

    abilities = Abilities(keeps=True)

    def __init__(self, *texts):
        super().__init__()
        self.shelf = [Kept(n, "said", text, 0.5, datetime(2026, 1, 1)) for n, text in enumerate(texts)]

    async def remember(self, user, conversation, messages):
        known = {kept.text for kept in self.shelf}
        new = [s for m in messages if m.role == "user" for s in sentences(m.content) if BOOK.told(s)[0]]
        self.shelf += [Kept(99 + len(known), "said", text, 0.5, datetime(2026, 1, 2)) for text in new]

    async def recall(self, user, about, limit=5):
        return []

    async def memories(self, user):
        return [*self.shelf]

    async def delete(self, user, memory_id):
        self.shelf = [kept for kept in self.shelf if kept.id != memory_id]
        return True


def talk(*lines, llm=None, memory=None, consent=False, between=None, clock=run):
    """What is answered to each line, and the conversation; ``between`` is done before the last one."""

    async def script():
        made = engine(llm=llm or Small(["Fine."] * 99), memory=memory or fakes.DictMemory())
        prompts = Prompts({"anna": PERSONA}, "Be short.", manners=manners.load(), facts=BOOK)
        async with Conversation(replace(made, prompts=prompts)) as conversation:
            if consent:
                conversation.send(events.SessionUpdate({"memory": {"user": "h", "consent": True}}))
            for number, line in enumerate(lines, 1):
                if between and number == len(lines):
                    between(conversation)
                conversation.ask(line, output_modalities=["text"])
                await conversation.until(events.ResponseDone, number)
            done = [
                event.response["output"][0]["content"][0]["text"] for event in conversation.all(events.ResponseDone)
            ]
            return [text.strip() for text in done], conversation

    return clock(script())


def test_after_forty_turns_of_other_things_nobody_is_forgotten():
    said, _ = talk(*INTRODUCTION, *SMALL_TALK * 8, "What is my name?", "And my brother's?", "What do I do?")
    assert said[-3:] == ["Your name is Henryk.", "Your brother is called Tom.", "You work as a nurse."]


def test_a_capable_model_is_told_and_finds_its_own_words():
    said, conversation = talk(*INTRODUCTION, *SMALL_TALK * 8, "What is my name?", llm=fakes.ScriptedLLM(["Well."] * 99))
    assert said[-1] == "Well."
    assert "Your name is Henryk." in conversation.engine.llm.asked[-1][-1].content


def test_nothing_is_remembered_beyond_the_session_without_consent():
    memory = Shelf()
    said, _ = talk(*INTRODUCTION, "What is my name?", memory=memory)
    assert said[-1] == "Your name is Henryk."
    assert not memory.shelf


@pytest.mark.parametrize(("consent", "heard"), [(False, "I keep nothing"), (True, "I remember no earlier talk")])
def test_in_a_first_session_there_was_no_last_time(consent, heard):
    said, _ = talk("Hello.", "What did we talk about last time?", memory=Shelf(), consent=consent)
    assert heard in said[-1]


def test_in_a_later_one_there_was():
    said, _ = talk("What did we talk about last time?", memory=Shelf("I live in Leeds."), consent=True)
    assert said[-1].endswith("You live in Leeds.")


def test_what_was_kept_before_is_known():
    said, _ = talk("Hi.", "What is my name?", memory=Shelf("My name is Ada."), consent=True)
    assert said[-1] == "Your name is Ada."


@pytest.mark.parametrize("order", ["Please forget my name.", "Forget what I told you about my name."])
def test_who_wants_a_fact_forgotten_is_obeyed(order):
    memory = Shelf()
    said, conversation = talk(*INTRODUCTION, "It rains.", order, "What is my name?", memory=memory, consent=True)
    assert "forgotten" in said[-2]
    assert said[-1].startswith("You have not told me")
    assert not [kept for kept in memory.shelf if "Henryk" in kept.text]
    assert "Henryk" not in str(conversation.session.conversation.history())


def test_what_was_deleted_elsewhere_is_gone_at_once_and_what_was_corrected_is_right():
    memory = Shelf()

    def delete(conversation):
        memory.shelf = [kept for kept in memory.shelf if "Henryk" not in kept.text]

    lines = ("My name is Henryk.", "I work as a nurse.", "It rains.", "What is my name?")
    said, conversation = talk(*lines, memory=memory, consent=True, between=delete)
    assert said[-1].startswith("You have not told me")
    assert "Henryk" not in str(conversation.session.conversation.history())

    memory = Shelf()

    def correct(conversation):
        memory.shelf = [replace(kept, kind="told", text="My name is Henrik.") for kept in memory.shelf]

    said, _ = talk("My name is Henryk.", "It rains.", "What is my name?", memory=memory, consent=True, between=correct)
    assert said[-1] == "Your name is Henrik."


def test_an_item_that_the_client_deletes_is_not_known():
    def delete(conversation):
        item = next(item for item in conversation.session.conversation if "Henryk" in (item.text or ""))
        conversation.send(events.ConversationItemDelete(item.id))

    said, _ = talk("My name is Henryk.", "It rains.", "What is my name?", between=delete)
    assert said[-1].startswith("You have not told me")


@pytest.mark.model
def test_the_embedded_model_knows_its_user_after_other_talk():
    lines = (*INTRODUCTION, *SMALL_TALK[:1], "What is my name?", "And my brother's?", "What do I do?")
    said, _ = talk(*lines, llm=LangChain(), clock=asyncio.run)
    assert said[-3:] == ["Your name is Henryk.", "Your brother is called Tom.", "You work as a nurse."]


class Diaries(Shelf):
    """Has what each user said in an earlier conversation."""

    async def memories(self, user):
        return [Kept(ord(user[0]), "said", f"I play the {user}phone.", 0.5, datetime(2026, 1, 1))]


def test_what_one_user_of_a_session_said_is_not_told_to_the_next():
    async def script():
        made = engine(llm=Small(["Fine."] * 99), memory=Diaries())
        prompts = Prompts({"anna": PERSONA}, "Be short.", manners=manners.load(), facts=BOOK)
        async with Conversation(replace(made, prompts=prompts)) as conversation:
            for user in ("anna", "bert", "anna"):
                conversation.send(events.SessionUpdate({"memory": {"user": user, "consent": True}}))
                for line in ("My name is Henryk.",)[: user == "anna"] + ASKED:
                    conversation.ask(line)
                    await conversation.until(events.ResponseDone, len(conversation.all(events.ResponseDone)) + 1)
                name, before = said(conversation)[-2:]
                assert ("Henryk" in name) == (user == "anna")
                assert f"{user}phone" in before
            return [item.text for item in conversation.session.conversation if item.role == "user"]

    assert run(script()).count("My name is Henryk.") == 2  # what another one's memory lacks is not taken for forgotten

"""Orders are obeyed without the language model, and ordinary sentences are no orders."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from animator.units import from_pcm16
from companion import resources
from companion.call.virtual_time import run
from companion.dialogue.personas.personas import Languages
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Abilities
from companion.understanding import orders
from companion.understanding.orders import Order, given
from tests.loop.conversation import BRISK, Conversation, engine

PHRASES = orders.load(resources.folder("prompts"))

GIVEN = {
    Order.STOP: [
        "Stop.",
        "Please stop.",
        "Stop it!",
        "Stop, stop, stop.",
        "That's enough.",
        "Can you stop?",
        "I said stop.",
        "Stopp!",
        "Hör auf.",
        "Arrête.",
        "Basta.",
        "Para.",
        "止めて",
        "停",
        "रुको",
    ],
    Order.QUIET: [
        "Be quiet.",
        "Quiet!",
        "Please be quiet now.",
        "I want silence for a while.",
        "Shut up.",
        "I need some quiet.",
        "Don't talk to me.",
        "Leave me alone.",
        "Could you be quiet for a moment?",
        "Sei still.",
        "Ich will meine Ruhe.",
        "Tais-toi.",
        "Cállate.",
        "Silenzio.",
        "静かにして",
        "安静",
    ],
    Order.NO_QUESTIONS: [
        "No more questions.",
        "Stop asking me questions.",
        "Don't ask me anything, please.",
        "No more questions, please.",
        "Keine Fragen mehr.",
        "Plus de questions.",
        "No más preguntas.",
    ],
    Order.TALK: [
        "You can talk again.",
        "I'm back.",
        "Are you still there?",
        "Du darfst wieder reden.",
    ],
    Order.AGAIN: [
        "Say that again.",
        "Can you say that again, please?",
        "Repeat that.",
        "Pardon?",
        "What did you say?",
        "I didn't hear that.",
        "Come again?",
        "Noch mal.",
        "Wie bitte?",
        "Répète.",
        "Repite eso.",
        "もう一度",
        "再说一遍",
    ],
    Order.TIME: [
        "What time is it?",
        "What's the time?",
        "Do you know what time it is?",
        "Wie spät ist es?",
        "Quelle heure est-il?",
        "¿Qué hora es?",
    ],
    Order.DATE: [
        "What day is it today?",
        "What's the date?",
        "Welcher Tag ist heute?",
    ],
    Order.SLOWER: [
        "Slower.",
        "Speak slower, please.",
        "Can you speak a bit more slowly?",
        "Not so fast.",
        "Say that again, slower.",
        "Langsamer, bitte.",
        "Peux-tu parler plus lentement ?",
        "¿Puedes hablar más despacio?",
        "Puoi parlare più lentamente?",
        "Fala mais devagar.",
        "もう一度ゆっくり言ってください",
        "你能说慢一点吗",
        "थोड़ा धीरे बोलिए",
    ],
    Order.FASTER: ["Faster.", "You're too slow.", "Sprich schneller.", "Plus vite.", "Più veloce.", "快一点"],
    Order.LOUDER: [
        "Louder!",
        "Speak up.",
        "I can't hear you.",
        "Kannst du lauter sprechen?",
        "Parle plus fort.",
        "Habla más alto, por favor.",
        "Alza la voce.",
        "Pode falar mais alto?",
        "大きな声で話して",
        "我听不清",
        "ज़ोर से बोलो",
    ],
    Order.SOFTER: ["You're too loud.", "Nicht so laut.", "Moins fort.", "Más bajo.", "声が大きいです", "小声一点"],
    Order.NORMAL: ["Speak normally again.", "Sprich wieder normal.", "Parle comme avant."],
    Order.LANGUAGE: [
        "Speak German.",
        "Do you speak French?",
        "Can you speak Spanish?",
        "Talk to me in Italian.",
        "Kannst du Deutsch sprechen?",
        "Sprich Deutsch.",
        "Parle français.",
        "Parla italiano.",
        "Fala português?",
        "日本語で話してください",
        "请说中文",
        "हिंदी में बोलो",
    ],
}

ORDINARY = """
    I can't stop thinking.
    I can't stop thinking about him.
    He told me to be quiet.
    She said stop and I did not.
    The bus stop is far away.
    We had to stop at the border.
    It was a quiet evening.
    I like the quiet of the morning.
    My boss wants me to be quiet in meetings.
    The teacher said be quiet to the whole class.
    I have no more questions for the lawyer.
    There were no more questions after my talk.
    They kept asking me questions all day.
    He never says sorry.
    She said it again and again.
    I don't want to say that again to her.
    Can you believe what he said?
    What did you say to her when she left?
    I need some quiet time with my kids.
    It takes time.
    What time is the concert?
    I don't know what time she comes home.
    The time was half past three.
    My sister speaks German at work.
    I want to learn to speak Spanish.
    Do you speak to your mother?
    My dad should speak slower.
    Life goes slower here.
    The music was louder than ever.
    I wish time went slower.
    My heart beats faster when I run.
    They turned the volume down next door.
    The teacher speaks too fast for me.
    He whispered something.
    La vida va más despacio en el campo.
    Mein Bruder spricht lauter als ich.
    I set a timer for the eggs and forgot it.
    The timer on my oven is broken.
    Remind me of a time you laughed.
    Enough people came to the party.
    That's enough sugar for the cake.
    We talked again yesterday.
    I'm back at work since Monday.
    My back hurts again.
    Silence makes me nervous.
    Don't talk about him like that.
    Shut the window, it is cold.
    I wish I could leave my job.
    What day is the best for you?
    I stop smoking tomorrow.
    Nobody leaves me alone with the dog.
"""


@pytest.mark.parametrize(("order", "said"), [(order, text) for order, texts in GIVEN.items() for text in texts])
def test_an_order_is_understood(order, said):
    found = given(said, PHRASES)
    assert found and found.order is order


@pytest.mark.parametrize("said", [text.strip() for text in ORDINARY.strip().split("\n")])
def test_an_ordinary_sentence_is_no_order(said):
    assert given(said, PHRASES) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Set a timer for ten minutes.", 600),
        ("Can you set a timer for 5 minutes?", 300),
        ("Set a ten-minute timer, please.", 600),
        ("Start a timer for an hour and a half.", 5400),
        ("Set a timer for half an hour.", 1800),
        ("Wake me in twenty minutes.", 1200),
        ("Set a timer for one minute and thirty seconds.", 90),
        ("Timer, 90 seconds.", 90),
        ("Stell einen Timer auf zehn Minuten.", 600),
        ("Mets un minuteur de dix minutes.", 600),
        ("Pon un temporizador de diez minutos.", 600),
        ("Set a timer for twenty-five minutes.", 1500),
        ("Svegliami tra mezz'ora.", 1800),
        ("Põe um temporizador de cinco minutos.", 300),
        ("1時間半のタイマー", 5400),
        ("十分钟后提醒我", 600),
        ("दस मिनट का टाइमर लगाओ", 600),
    ],
)
def test_a_timer_is_set_for_as_long_as_is_said(said, seconds):
    found = given(said, PHRASES)
    assert found and (found.order, found.seconds) == (Order.TIMER, seconds)


def replies(*said, wait=0.0, **parts):
    """What is answered to each, typed."""

    async def script():
        model = fakes.ScriptedLLM(["That is nice. What did you do?"])
        made = engine(llm=model, **parts)
        languages = Languages(names={"en": "English", "de": "German"})
        made = replace(made, prompts=replace(made.prompts, orders=PHRASES, languages=languages))
        async with Conversation(made) as talk:
            talk.send(events.SessionUpdate({"output_modalities": ["text"]}))
            for count, text in enumerate(said, 1):
                talk.ask(text)
                await talk.until(events.ResponseDone, count)
            await asyncio.sleep(wait)
        return talk

    talk = run(script())
    texts = []
    for done in talk.all(events.ResponseDone):
        output = done.response["output"]
        texts.append(output[0]["content"][0]["text"].strip() if output else "")
    return texts, talk


def test_who_wants_quiet_is_spoken_to_when_they_ask():
    turns = ("I want silence for a while.", "My day was long.", "Is it late?", "You can talk again.", "Hello.")
    texts, talk = replies(*turns)
    assert "quiet" in texts[0]
    assert texts[1] == ""
    assert texts[2] == "That is nice."
    assert texts[4] == "That is nice. What did you do?"
    assert len(talk.engine.llm.asked) == 2


def test_nothing_is_asked_of_who_wants_no_questions():
    texts, _ = replies("No more questions.", "I was out.")
    assert texts[1] == "That is nice."


def test_the_last_words_are_said_again():
    texts, talk = replies("Hello.", "Say that again.")
    assert texts[1] == texts[0]
    assert len(talk.engine.llm.asked) == 1


class Paced(fakes.ToneTTS):
    """Notes at which pace it speaks."""

    abilities = Abilities(paced=True)

    def at_pace(self, speed):
        other = Paced(word_s=self.word_s / speed)
        other.spoken = self.spoken
        return other


def test_the_voice_is_slower_and_louder_from_the_order_on():
    """What is sent of the answer to each: seconds of sound, and its loudest sample."""

    async def script():
        made = engine(tts=Paced(), llm=fakes.ScriptedLLM(["That is nice."]))
        made = replace(made, prompts=replace(made.prompts, orders=PHRASES))
        sent = []
        async with Conversation(made) as talk:
            for count, text in enumerate(("Hello.", "Slower.", "Hello.", "Louder.", "Hello.", "As before.", "Hello.")):
                talk.ask(text)
                await talk.until(events.ResponseDone, count + 1)
                pieces = [from_pcm16(event.delta) for event in talk.all(events.AudioDelta)]
                sound = np.concatenate(pieces)[sum(map(len, sent)) :]
                sent.append(sound)
        return sent

    sent = run(script())
    loud = [np.abs(sound).max() for sound in sent]
    lasts = [len(np.trim_zeros(sound)) for sound in sent]
    assert lasts[2] == pytest.approx(lasts[0] / 0.9, rel=0.05)
    assert lasts[4] == pytest.approx(lasts[2], rel=0.02)
    assert lasts[6] == pytest.approx(lasts[0], rel=0.02)
    assert loud[4] == pytest.approx(1.5 * loud[2], rel=0.02)
    assert loud[6] == pytest.approx(loud[0], rel=0.02)


def test_a_voice_says_that_it_cannot_go_further_or_has_one_pace():
    texts, _ = replies(*["Slower."] * 4, tts=Paced())
    assert len(set(texts[:3])) == 1 and "as far as" in texts[3]
    assert "only one pace" in replies("Slower.")[0][0]


def test_the_last_words_are_said_again_as_they_were_asked_for():
    texts, _ = replies("Hello.", "Say that again, slower.", tts=Paced())
    assert texts[1] == texts[0]


def test_a_timer_rings_when_its_time_is_up():
    texts, _ = replies("Set a timer for ten minutes.", wait=601.0)
    assert texts == ["I will tell you in 10 min.", "The time is up: 10 min."]


def test_the_server_knows_the_time():
    texts, talk = replies("What time is it?")
    assert texts[0].startswith("It is ") and not talk.engine.llm.asked


def test_a_voice_says_honestly_which_language_it_cannot_speak():
    class English(fakes.ToneTTS):
        abilities = Abilities(languages=("en",))

    texts, _ = replies("Speak German.", "Kannst du Deutsch sprechen?", "Do you speak English?", tts=English())
    assert texts[0] == texts[1] and "only English" in texts[0]
    assert texts[2].startswith("Yes.")


def test_a_quiet_face_says_nothing_of_its_own_accord():
    async def script():
        made = engine(asr=fakes.ScriptedASR(["Be quiet.", "I walk to the window."]), turns=BRISK)
        made = replace(made, prompts=replace(made.prompts, orders=PHRASES))
        async with Conversation(made) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": {"idle_timeout_ms": 5000}}}}))
            for number in (1, 2):
                await talk.hear(0.6)
                await talk.silence(0.8)
                await talk.until(events.ResponseDone, number)
            await talk.silence(12.0)
        return talk

    talk = run(script())
    assert len(talk.all(events.ResponseDone)) == 2
    assert talk.all(events.ResponseDone)[1].response["status"] == "completed"
    assert not talk.all(events.ResponseDone)[1].response["output"]

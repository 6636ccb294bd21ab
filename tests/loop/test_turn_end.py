"""When a turn is over: silence, the sound's own judgement, and what the words say."""

import pytest

from companion.call.virtual_time import run
from companion.errors import StageError
from companion.hearing.audio.turns import Kind, Patience, Rules, TurnDetector
from companion.hearing.transcription import words
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Transcript
from tests.loop.conversation import Conversation, engine

FRAME = 0.032
RULES = Rules(silence=0.6, pause=0.15, patience=Patience(0.4, 4.0))


def silence_until_stopped(done: float | None, rules: Rules = RULES) -> float:
    """Seconds of silence after a second of speech when the pause is judged as ``done``."""
    detector = TurnDetector(rules)
    for _ in range(31):
        detector.feed(1.0, FRAME)
    spoken = detector.now
    while detector.now < 20:
        turn = detector.feed(0.0, FRAME)
        if turn and turn.kind is Kind.PAUSED and done is not None:
            detector.expect(done)
        if turn and turn.kind is Kind.STOPPED:
            return detector.now - spoken
    raise AssertionError("the turn never ended")


def test_the_surer_the_end_the_shorter_the_silence_that_ends_the_turn():
    waits = [silence_until_stopped(done) for done in (1.0, 0.8, 0.5, 0.2, 0.0)]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(0.4, abs=FRAME)
    assert waits[-1] == pytest.approx(4.0, abs=FRAME), "a turn always ends"
    assert silence_until_stopped(None) == pytest.approx(0.6, abs=FRAME)
    assert silence_until_stopped(0.0, Rules(silence=0.6)) == pytest.approx(0.6, abs=FRAME), "silence alone counts"


def test_what_was_expected_of_one_pause_says_nothing_about_the_next():
    detector = TurnDetector(RULES)
    for probability, seconds in ((1, 1), (0, 0.3), (1, 0.5)):
        for _ in range(round(seconds / FRAME)):
            if (turn := detector.feed(probability, FRAME)) and turn.kind is Kind.PAUSED:
                detector.expect(0.0)
    spoken = detector.now
    while not ((turn := detector.feed(0.0, FRAME)) and turn.kind is Kind.STOPPED):
        pass
    assert detector.now - spoken == pytest.approx(0.6, abs=FRAME)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I like dogs, but", "en"),
        ("Tell me a story about a", "en"),
        ("My name is Anna and I, um", "en"),
        ("I was going to...", "en"),
        ("If I had more time", "en"),
        ("When I was a child.", "en"),
        ("Can you tell me?", "en"),
        ("Ich möchte gerne wissen, ob", "de"),
        ("Je voudrais un", "fr"),
        ("Me gusta mucho la", "es"),
        ("Vorrei sapere se", "it"),
        ("我喜欢狗，但是", "zh"),
        ("昨日は雨だったので", "ja"),
    ],
)
def test_a_sentence_that_wants_another_word_is_not_over(text, language):
    assert words.done(0.98, text, language) <= 0.2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No, thank you.", "en"),
        ("I don't know.", "en"),
        ("What time does the museum open?", "en"),
        ("Keine Ahnung.", "de"),
        ("Je ne sais pas.", "fr"),
        ("谢谢。", "zh"),
    ],
)
def test_short_answers_and_questions_are_over(text, language):
    assert words.done(0.1, text, language) >= 0.6


@pytest.mark.parametrize("text", ["I went home.", "If I had more time, I would learn Italian.", "", "Is it?"])
def test_other_words_leave_it_to_the_sound(text):
    assert words.done(0.5, text, "en") == 0.5
    assert words.done(0.5, "и потом", "ru") == 0.5, "a language without lists"


@pytest.mark.parametrize(
    "text",
    [
        "Mm-hmm.",
        "Yeah, okay.",
        "Uh huh",
        "I see.",
        "Right, right.",
        "Genau.",
        "D'accord.",
        "Claro.",
        "Ho capito!",
        "嗯。",
        "なるほど。",
    ],
)
def test_listeners_of_any_language_may_say_that_they_listen(text):
    assert words.is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["Stop!", "Okay, but why?", "No.", "", "I see a dog.", "Nein.", "Attends.", "不是", "やめて"]
)
def test_a_word_that_contradicts_is_no_backchannel(text):
    assert not words.is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "confidence", "stops"),
    [
        ("My sister said no.", 0.8, True),
        ("Stop.", 0.2, True),
        ("Wait, wait.", 0.3, True),
        ("Nein!", 0.2, True),
        ("待って", 0.2, True),
        ("Mamo!", 0.4, False),
        ("", 1.0, False),
        ("Mm-hmm.", 1.0, False),
        ("Right, right, right, right, right, right.", 0.7, False),
    ],
)
def test_who_says_little_takes_the_floor_by_clear_words_or_a_known_stop(text, confidence, stops):
    assert words.takes_floor(text, confidence) is stops


def seconds_to_stop(turn_end, said: str, detection: dict[str, str]) -> float:
    """How long after a second of speech that says ``said`` the turn is said to be over."""

    async def script():
        stages = {"turn_end": turn_end, "asr": fakes.ScriptedASR([said], 0.1)}
        async with Conversation(engine(**stages)) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": detection}}}))
            await talk.hear(1.0)
            await talk.silence(6.0)
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    return talk.at(events.SpeechStopped) - talk.at(events.SpeechStarted)


def test_semantic_turns_end_by_sound_and_words():
    semantic = {"type": "semantic_vad"}
    plain = seconds_to_stop(fakes.ScriptedTurnEnd([0.0]), "I went home.", {"type": "server_vad"})
    sure = seconds_to_stop(fakes.ScriptedTurnEnd([0.99]), "I went home.", semantic)
    open_end = seconds_to_stop(fakes.ScriptedTurnEnd([0.99]), "I went home and", semantic)
    unsure = seconds_to_stop(fakes.ScriptedTurnEnd([0.02]), "I went home.", semantic)
    assert sure < plain < unsure < open_end


def test_without_a_judge_silence_decides():
    class Absent:
        async def finished(self, audio):
            return None

    silent = seconds_to_stop(Absent(), "I went home and", {"type": "semantic_vad", "eagerness": "low"})
    hasty = seconds_to_stop(Absent(), "I went home and", {"type": "semantic_vad", "eagerness": "high"})
    assert silent - hasty == pytest.approx(0.5, abs=0.07)


def test_a_judge_that_fails_leaves_it_to_silence():
    class Failing:
        async def finished(self, audio):
            raise ValueError("no")

    assert seconds_to_stop(Failing(), "I went home and", {"type": "semantic_vad"}) < 1.7


def test_a_transcription_that_fails_leaves_the_turn_to_end_by_its_sound():
    class Deaf:
        async def transcribe(self, audio) -> Transcript:
            raise StageError("asr_down", "No.")

    async def script():
        async with Conversation(engine(turn_end=fakes.ScriptedTurnEnd([0.9]), asr=Deaf())) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}))
            await talk.hear(1.0)
            await talk.silence(3.0)
            return talk

    assert run(script()).all(events.SpeechStopped)


def test_a_voice_that_was_doubted_at_first_has_begun_earlier():
    detector = TurnDetector(Rules(min_speech=0.09, prefix_padding=0.0))
    assert not any(detector.feed(0.0, 0.032) for _ in range(10))
    turn = detector.feed(0.9, 0.032, earlier=0.064)
    assert turn is not None and turn.kind is Kind.STARTED
    assert turn.at == pytest.approx(8 * 0.032)


def test_one_window_that_was_not_doubted_is_no_turn():
    detector = TurnDetector(Rules(min_speech=0.09))
    assert detector.feed(0.9, 0.032) is None


@pytest.mark.parametrize("text", ["M, U with two dots,", "m u with two dots double l", "It is M, U.", "S"])
def test_who_spells_is_given_time_for_the_next_letter(text: str):
    patience = Patience(0.3, 4.0)
    assert patience.silence(words.done(0.9, text, "en")) > 1.2


@pytest.mark.parametrize(
    "text", ["She is taller than you.", "The dots are blue.", "Vitamin C is in it, and I like it a lot."]
)
def test_a_sentence_with_a_letter_in_it_is_no_spelling(text: str):
    assert words.done(0.9, text, "en") >= 0.9

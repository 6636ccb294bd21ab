"""The parts that are arithmetic: turns, sentences, the mouth, what was heard, echoes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from companion.conversation import items
from companion.conversation.items import Conversation, Item, heard_text
from companion.dialogue.personas.personas import Example, Persona
from companion.dialogue.replying.prompt import Setting, messages
from companion.hearing.audio.echo import is_echo, likeness
from companion.hearing.audio.microphone import BufferFullError, Microphone
from companion.hearing.audio.resampling import Resampler
from companion.hearing.audio.turns import Kind, Rules, TurnDetector
from companion.speech.playout import Line, Mouth
from companion.speech.text.sentences import Sentences, speakable
from companion.stages.fakes import EnergyVAD
from companion.stages.protocols import SPEAK_RATE, Message, Speech, Word

FRAME = 0.032


def turns(*stretches: tuple[float, float]) -> list[tuple[str, float]]:
    """(probability, seconds) stretches -> what the detector says, with times rounded to a frame or so."""
    detector, found = TurnDetector(Rules()), []
    for probability, seconds in stretches:
        for _ in range(round(seconds / FRAME)):
            if turn := detector.feed(probability, FRAME):
                found.append((turn.kind.value, turn.at))
    return found


def test_a_turn_starts_with_its_padding_and_stops_where_the_speech_did():
    found = turns((0.0, 1.0), (0.9, 1.0), (0.0, 1.0))
    assert [kind for kind, _ in found] == ["started", "paused", "stopped"]
    assert [at for _, at in found] == pytest.approx([0.7, 2.0, 2.0], abs=0.06)


def test_a_pause_shorter_than_the_silence_is_resumed():
    assert [k for k, _ in turns((0.9, 1.0), (0.0, 0.3), (0.9, 0.5), (0.0, 1.0))] == [
        "started", "paused", "resumed", "paused", "stopped",
    ]  # fmt: skip


@pytest.mark.parametrize("click", [0.032, 0.064])
def test_clicks_are_no_turns(click):
    assert turns((0.0, 0.5), (0.9, click), (0.0, 0.5), (0.9, click), (0.0, 1.0)) == []


def test_a_voice_that_gets_unsure_is_still_a_voice():
    assert [k for k, _ in turns((0.9, 0.5), (0.4, 2.0), (0.0, 1.0))] == ["started", "paused", "stopped"]


def test_a_turn_ends_at_the_longest():
    assert [at for kind, at in turns((0.9, 130.0)) if kind == "stopped"] == pytest.approx([60, 120], abs=0.7)


@given(st.lists(st.floats(0, 1), max_size=400))
def test_turns_alternate_whatever_is_heard(probabilities):
    detector, kinds = TurnDetector(Rules()), []
    for probability in probabilities:
        if turn := detector.feed(probability, FRAME):
            kinds.append(turn.kind)
            assert 0 <= turn.at <= detector.now
    outer = [kind for kind in kinds if kind in (Kind.STARTED, Kind.STOPPED)]
    assert outer[::2] == [Kind.STARTED] * len(outer[::2])
    assert outer[1::2] == [Kind.STOPPED] * len(outer[1::2])


def sentences(text: str, step: int = 1) -> list[tuple[str, str]]:
    stream = Sentences()
    found = [s for i in range(0, len(text), step) for s in stream.feed(text[i : i + step])]
    return [(s.spoken, s.emotion) for s in [*found, *stream.flush()]]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello there. How are you? Fine!", ["Hello there.", "How are you?", "Fine!"]),
        ("Dr. Smith paid $3.14 at 5 p.m. today. Good.", ["Dr. Smith paid $3.14 at 5 p.m. today.", "Good."]),
        ("J. K. Rowling wrote it. She did.", ["J. K. Rowling wrote it.", "She did."]),
        ("Well... maybe. Or not.", ["Well... maybe.", "Or not."]),
        ('"Really?" Yes. (I think so.) Right.', ['"Really?"', "Yes.", "(I think so.)", "Right."]),
        ("First line\nsecond line", ["First line", "second line"]),
        ("你好。你叫什么？", ["你好。", "你叫什么？"]),
        ("**Bold** and `code` 😀 here.", ["Bold and code here."]),
        ("See https://www.example.com/a?b=c now.", ["See example dot com now."]),
        ("A [link](http://x.y/z) here.", ["A link here."]),
        ("1. First thing. 2. Second thing.", ["1. First thing.", "2. Second thing."]),
        ("😀 ... !", []),
        ("I live in the U.S. now.", ["I live in the U.S. now."]),
    ],
)
def test_sentences(text, spoken):
    assert [s for s, _ in sentences(text)] == spoken
    assert [s for s, _ in sentences(text, 7)] == spoken


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("I like to walk with my dog and then we drink some tea.", "I like to walk with my dog"),
        ("I would rather stay at home because it is raining.", "I would rather stay at home"),
        ("The sea is wide and deep and mostly blue and green.", "The sea is wide and deep and mostly blue and green."),
        ("I do because I can.", "I do because I can."),
        ("The sky is blue because it scatters the light.", "The sky is blue"),
        ("I do not have any special idea for a rainy day at home.", "I do not have any special idea"),
        ("I went to the park with my dog.", "I went to the park with my dog."),
    ],
)
def test_a_long_first_clause_ends_where_another_begins(text: str, first: str):
    assert [s for s, _ in sentences(text)][0] == first


def test_the_first_clause_is_spoken_early_and_only_the_first():
    text = "When the sun comes up in the morning, the birds begin to sing, one after the other, everywhere."
    assert [s for s, _ in sentences(text)][0] == "When the sun comes up in the morning,"
    assert len(sentences(text)) == 2


def test_a_text_without_an_end_is_cut_at_a_space():
    found = [s for s, _ in sentences("word " * 200)]
    assert len(found) > 3
    assert all(len(s) <= 240 and s.split()[-1] == "word" for s in found)


def test_emotions_are_cut_out_and_stay_until_the_next():
    assert sentences("[happy] Hello. Nice. [sad]Oh no. [winks slowly] Bye.") == [
        ("Hello.", "happy"), ("Nice.", "happy"), ("Oh no.", "sad"), ("Bye.", "sad"),
    ]  # fmt: skip


@settings(max_examples=200)
@given(st.text(), st.integers(1, 9))
def test_any_text_is_spoken_once_however_it_arrives(text, step):
    joined = ["".join("".join(s for s, _ in sentences(text, n)).split()) for n in (step, len(text) or 1)]
    assert joined[0] == joined[1]
    assert speakable(text) == " ".join(speakable(text).split())


def tone(seconds: float) -> np.ndarray:
    return np.full(round(seconds * SPEAK_RATE), 0.5, np.float32)


def test_the_mouth_gives_back_what_it_got_with_silence_where_it_got_nothing():
    mouth, line = Mouth(), Line("One two")
    assert not mouth.take(100).audio.any()
    assert mouth.taken == 0
    feed = mouth.begin()
    feed.say(line)
    feed.put(Speech(tone(0.01), (Word("One", 0.0, 0.01),)))
    first = mouth.take(300)
    feed.put(Speech(tone(0.01), (Word("two", 0.0, 0.01),)))
    feed.finish()
    second = mouth.take(300)
    assert [int(np.count_nonzero(t.audio)) for t in (first, second)] == [240, 240]
    assert [(c.at, c.word and c.word.text) for c in first.cues + second.cues] == [(0, None), (0, "One"), (300, "two")]
    assert mouth.ends_at == 540
    assert line.words[1].start == pytest.approx(300 / SPEAK_RATE)


def spoken(*texts: str, words: bool = False) -> list[Line]:
    """Lines as they are after being said entirely, 0.25 s a word."""
    lines, at = [], 0
    for text in texts:
        length = len(text.split()) * SPEAK_RATE // 4
        times = [Word(w, at / SPEAK_RATE + i / 4, at / SPEAK_RATE + (i + 1) / 4) for i, w in enumerate(text.split())]
        lines.append(Line(text, "neutral", at, at + length, length, True, times if words else []))
        at += length
    return lines


@pytest.mark.parametrize("words", [True, False])
def test_what_was_heard_is_cut_at_words(words):
    lines = spoken("This one was heard.", "That wont be heard.", words=words)
    cut = [heard_text(lines, round(seconds * SPEAK_RATE)) for seconds in (0.0, 1.0, 1.55, 2.0)]
    assert cut == [
        "",
        "This one was heard.",
        "This one was heard. That wont",
        "This one was heard. That wont be heard.",
    ]


def test_a_line_that_is_not_made_yet_is_cut_by_its_likely_length():
    line = Line("Twenty words or so would be in this line if anybody had waited for all of it.", start=0)
    line.made = line.end = SPEAK_RATE
    assert heard_text([line], SPEAK_RATE) == "Twenty words or"


def test_history_joins_neighbours_and_drops_what_is_empty():
    talk = Conversation()
    for item in (Item("a", "user", "One."), Item("b", "assistant", sound=True), Item("c", "user", "Two.")):
        talk.add(item)
    assert talk.history() == [Message("user", "One. Two.")]


def test_items_go_where_the_client_wants_them():
    talk = Conversation()
    talk.add(Item("a", "user", "A"))
    talk.add(Item("c", "user", "C"))
    assert talk.add(Item("b", "user", "B"), after="a") == "a"
    assert talk.add(Item("z", "user", "Z"), after="root") is None
    assert [item.id for item in talk] == ["z", "a", "b", "c"]
    with pytest.raises(KeyError):
        talk.add(Item("d", "user", "D"), after="nowhere")


@pytest.mark.parametrize(
    ("after", "previous", "order"),
    [
        (None, "m4", ["m1", "m2", "m3", "m4", "new"]),
        ("m4", "m4", ["m1", "m2", "m3", "m4", "new"]),
        ("m1", "m1", ["m1", "new", "m2", "m3", "m4"]),
        ("m0", None, ["new", "m1", "m2", "m3", "m4"]),
        ("root", None, ["new", "m1", "m2", "m3", "m4"]),
        ("nowhere", KeyError, ["m0", "m1", "m2", "m3", "m4"]),
        ("", KeyError, ["m0", "m1", "m2", "m3", "m4"]),
    ],
)
def test_a_full_conversation_forgets_its_oldest_item_for_one_that_is_taken(monkeypatch, after, previous, order):
    monkeypatch.setattr(items, "MOST_ITEMS", 5)
    talk = Conversation()
    for i in range(5):
        talk.add(Item(f"m{i}", "user", "A"))
    new = Item("new", "user", "B")
    if previous is KeyError:
        with pytest.raises(KeyError):
            talk.add(new, after)
    else:
        assert talk.add(new, after) == previous
        assert talk.before("new") == previous
    assert [item.id for item in talk] == order


@pytest.mark.parametrize("after", [None, "root", "m1"])
@pytest.mark.parametrize("twice", ["m0", "m2", "m4"])
def test_a_second_item_of_an_id_changes_nothing(monkeypatch, twice, after):
    monkeypatch.setattr(items, "MOST_ITEMS", 5)
    talk = Conversation()
    for i in range(5):
        talk.add(Item(f"m{i}", "user", "A"))
    with pytest.raises(ValueError, match=twice):
        talk.add(Item(twice, "user", "B"), after)
    assert [(item.id, item.text) for item in talk] == [(f"m{i}", "A") for i in range(5)]


def test_the_first_item_of_all_follows_nothing():
    talk = Conversation()
    assert (talk.add(Item("a", "user", "A")), talk.last) == (None, "a")


PERSONA = Persona("p", "P", "", "", "You are P.", "", (Example("Hi", "Hello."),))


def test_the_prompt_has_examples_memories_and_the_latest_messages():
    history = [Message("user" if i % 2 == 0 else "assistant", str(i)) for i in range(9)]
    asked = messages(Setting(PERSONA, "Be short.", "You are P.", ["Likes tea."], limit=4), history)
    assert "Likes tea." in asked[0].content
    assert "Be short." in asked[0].content
    assert [m.content for m in asked[1:]] == ["Hi", "Hello.", "6", "7", "8"]


def test_a_client_s_own_instructions_replace_the_persona():
    asked = messages(Setting(PERSONA, "Be short.", "You are a pirate."), [Message("user", "Ahoy")])
    assert [m.content for m in asked] == ["You are a pirate.\n\nBe short.", "Ahoy"]


@pytest.mark.parametrize("rate", [24_000, 16_000])
@pytest.mark.parametrize("step", [480, 317])
def test_resampling_keeps_a_tone_without_seams(rate, step):
    sound = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    resample = Resampler(rate)
    out = np.concatenate([resample(sound[i : i + step]) for i in range(0, rate, step)])
    assert len(out) == pytest.approx(16_000, abs=3)
    spectrum = np.abs(np.fft.rfft(out[1000:15000] * np.hanning(14000)))
    peak = int(spectrum.argmax())
    assert peak * 16_000 / 14_000 == pytest.approx(440, abs=2)
    assert np.delete(spectrum, range(peak - 4, peak + 5)).max() < 1e-3 * spectrum.max()


def test_resampling_removes_what_the_lower_rate_cannot_hold():
    sound = np.sin(2 * np.pi * 10_000 * np.arange(24_000) / 24_000).astype(np.float32)
    assert np.abs(Resampler(24_000)(sound)[500:]).max() < 0.02


def test_ears_forget_old_silence_and_refuse_endless_sound():
    microphone = Microphone(EnergyVAD(), Rules(), 16_000)
    for _ in range(100):
        assert not list(microphone.append(bytes(32_000)))
    assert len(microphone.recent(1000)) < 3 * 16_000
    assert microphone.now == 100.0
    manual = Microphone(EnergyVAD(), None, 16_000)
    with pytest.raises(BufferFullError):
        for _ in range(400):
            list(manual.append(bytes(32_000)))


def voice(seed: int, seconds: float) -> np.ndarray:
    """Noise with the rhythm and roughly the spectrum of speech."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * 16_000))
    rhythm = np.abs(np.sin(np.arange(len(noise)) * (3 + seed) / 16_000 * np.pi))
    return (fftconvolve(noise, np.exp(-np.arange(60) / 6), mode="same") * rhythm * 0.05).astype(np.float32)


def test_an_echo_is_known_through_a_room_and_a_user_is_not_one():
    played = voice(1, 3.0)
    room = np.zeros(3000)
    room[[0, 200, 450, 1100, 2300]] = [0.4, 0.12, -0.1, 0.06, 0.03]
    echo = fftconvolve(played, room)[20_000:28_000].astype(np.float32)
    user = voice(2, 0.5)
    assert is_echo(echo, played)
    assert not is_echo(user, played)
    assert not is_echo(user * 3 + echo, played)
    assert likeness(user, np.zeros(100, np.float32)) == 0.0
    assert likeness(np.zeros(8000, np.float32), played) == 0.0


@pytest.mark.parametrize(
    ("waited", "first"),
    [
        (0.0, "The weather is lovely in the garden today."),
        (0.8, "The weather is lovely"),
        (1.5, "The weather is"),
    ],
)
def test_the_first_piece_is_the_shorter_the_longer_somebody_waits(waited: float, first: str):
    text = "The weather is lovely in the garden today. I like it there, you know."
    sentences, whole = Sentences(waited=waited), Sentences(waited=waited)
    pieces = [piece.text for word in text.split() for piece in sentences.feed(f"{word} ")]
    pieces += [piece.text for piece in sentences.flush()]
    assert pieces[0] == first
    assert (" ".join(pieces), pieces[-1]) == (text, "I like it there, you know.")
    assert next(whole.feed(text)).text == "The weather is lovely in the garden today.", "what is there is not cut"

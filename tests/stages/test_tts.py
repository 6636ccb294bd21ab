"""The voice: what it says can be understood, and the times of words and phonemes are those of the sound."""

import numpy as np
import pytest
from scipy.signal import resample_poly
from wer import word_error_rate

from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE, Speech
from companion.stages.tts import Coqui, Hibari, Kokoro, synthesis
from companion.stages.tts.english import English, Spoken, Utterance, align, cut
from companion.stages.tts.timing import time_symbols


def test_words_keep_their_spelling_and_get_the_symbols_of_what_they_became():
    normal = [Spoken("paid", 0, 4), Spoken("nine", 5, 9), Spoken("dollars", 10, 17), Spoken("today.", 18, 24)]
    assert align(["paid", "$9", "today."], normal) == (
        Spoken("paid", 0, 4),
        Spoken("$9", 5, 17),
        Spoken("today.", 18, 24),
    )


def test_a_word_that_makes_no_sound_takes_no_time():
    assert align(["so", "—", "go"], [Spoken("so", 0, 2), Spoken("go", 3, 5)])[1] == Spoken("—", 2, 2)


def test_long_text_is_cut_after_a_clause_and_loses_nothing():
    symbols = "aa bb, cc dd ee"
    words = tuple(Spoken(word, symbols.index(word), symbols.index(word) + len(word)) for word in symbols.split())
    pieces = cut(Utterance(symbols, words), 11)
    assert [piece.symbols for piece in pieces] == ["aa bb,", " cc dd ee"]
    assert [[word.text for word in piece.words] for piece in pieces] == [["aa", "bb,"], ["cc", "dd", "ee"]]
    for piece in pieces:
        assert all(piece.symbols[word.start : word.end] == word.text for word in piece.words)


def test_text_without_any_place_to_cut_is_cut_anyway():
    pieces = cut(Utterance("a" * 25, (Spoken("a" * 25, 0, 25),)), 10)
    assert [len(piece.symbols) for piece in pieces] == [10, 10, 5]


def test_silence_at_the_edges_goes_and_the_times_follow():
    tone = 0.3 * np.sin(np.arange(SPEAK_RATE // 2) * 0.1)
    sound = np.concatenate([np.zeros(SPEAK_RATE // 2), tone, np.zeros(SPEAK_RATE)]).astype(np.float32)
    durations = np.array([22, 10, 10, 0, 38], np.float32)  # 25 ms each, and 50 ms late as the networks are
    speech = time_symbols(sound, durations, Utterance("ab.", (Spoken("ab.", 0, 3),)))
    assert len(speech.audio) / SPEAK_RATE == pytest.approx(0.03 + 0.5 + 0.30, abs=0.02)
    assert [phoneme.symbol for phoneme in speech.phonemes] == ["a", "b"]
    assert speech.phonemes[0].start == pytest.approx(0.03, abs=0.02)
    assert speech.words[0].end == pytest.approx(0.53, abs=0.02)
    assert np.abs(speech.audio[: int(0.02 * SPEAK_RATE)]).max() < 0.01


def test_louder_never_clips():
    loud = synthesis.level(np.linspace(-2, 2, 1000, dtype=np.float32), 3.0)
    assert np.abs(loud).max() <= 1.0
    assert np.all(np.diff(loud) >= 0), "the order of the samples is kept"
    assert synthesis.level(np.array([0.2], np.float32), 2.0)[0] == pytest.approx(0.4)


def test_unknown_voices_are_refused_with_the_known_ones():
    with pytest.raises(StageError, match="heart"):
        Hibari(voice="nobody")
    with pytest.raises(StageError, match="af_bella"):
        Kokoro(voice="nobody")


def test_kokoro_without_its_model_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    with pytest.raises(StageError, match="companion setup --only kokoro"):
        Kokoro()


def test_coqui_without_its_package_gives_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "TTS.api", None)
    with pytest.raises(StageError, match=r'pip install "vasari\[coqui\]"'):
        Coqui(model="tts_models/en/ljspeech/vits")
    with pytest.raises(StageError, match="no Coqui model at"):
        Coqui(model_path=str(tmp_path / "model.pth"), config_path=str(tmp_path / "config.json"))


async def pieces(tts, text: str, emotion: str = "neutral") -> list[Speech]:
    return [piece async for piece in tts.speak(text, emotion)]


@pytest.mark.model
@pytest.mark.parametrize("emotion", ["neutral", "happy", "sad", "angry"])
async def test_what_it_says_can_be_understood_in_any_mood(hibari, whisper, emotion):
    text = "The museum opens at nine in the morning, and the garden is free for everybody."
    sound = np.concatenate([piece.audio for piece in await pieces(hibari, text, emotion)])
    heard = await whisper.transcribe(resample_poly(sound, 2, 3).astype(np.float32))
    assert word_error_rate(text, heard.text) <= 0.15


@pytest.mark.model
async def test_each_sentence_is_a_piece_with_its_words_in_order(hibari):
    text = 'On March 3rd, Dr. Lee paid $9.99. "Really?" she asked; then we   left 😀 at 7:30!'
    said = await pieces(hibari, text)
    assert len(said) == 2
    assert " ".join(word.text for piece in said for word in piece.words).split() == text.split()
    for piece in said:
        times = [time for word in piece.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= len(piece.audio) / SPEAK_RATE


@pytest.mark.model
async def test_phoneme_times_are_those_of_the_sound(hibari):
    """Where the times say s, the sound hisses; where they say a vowel, it does not."""
    hertz = np.fft.rfftfreq(600, 1 / SPEAK_RATE)
    right: list[bool] = []
    for text in (
        "See the sea.",
        "Six sick sheep sit silently beside the stormy sea.",
        "Peace of mind is what he seeks.",
    ):
        (said,) = await pieces(hibari, text)
        for phoneme in said.phonemes:
            if phoneme.symbol in ("s", "ʃ", "i", "ɪ", "aɪ", "ɔ"):
                at = int((phoneme.start + phoneme.end) / 2 * SPEAK_RATE)
                power = np.abs(np.fft.rfft(said.audio[at - 300 : at + 300] * np.hanning(600))) ** 2
                hisses = power[hertz > 3500].sum() > power[hertz < 1000].sum()
                right.append(bool(hisses) == (phoneme.symbol in ("s", "ʃ")))
    assert len(right) > 25
    assert np.mean(right) > 0.85


@pytest.mark.model
async def test_speech_starts_at_once_and_the_same_text_sounds_the_same(hibari):
    (first,), (second,) = await pieces(hibari, "Hello there."), await pieces(hibari, "Hello there.")
    assert np.array_equal(first.audio, second.audio)
    loud = np.flatnonzero(np.abs(first.audio) > 0.02)
    assert loud[0] < 0.12 * SPEAK_RATE
    assert np.abs(first.audio).max() <= 1.0


@pytest.mark.model
def test_no_is_a_word_unless_a_number_follows():
    symbols = [[u.symbols for u in English().utterances(text)] for text in ("Oh no.", "Oh no!", "It is house no. 5.")]
    assert symbols[0][0].rstrip(".") == symbols[1][0].rstrip("!")
    assert "nˈʌmbəɹ" in symbols[2][0]


@pytest.mark.model
@pytest.mark.parametrize("text", ["", "   ", "😀", "...", "—", "你好", "\x00\x07"])
async def test_what_cannot_be_said_is_silence_and_no_error(hibari, text):
    assert await pieces(hibari, text) == []


@pytest.mark.model
@pytest.mark.parametrize("text", ["word " * 200, "a" * 3000, "x", "<b>&nbsp;</b> http://a.b/c?d=e#f 100% C++"])
async def test_odd_text_is_said_somehow(hibari, text):
    said = await pieces(hibari, text)
    assert said
    assert all(np.isfinite(piece.audio).all() for piece in said)


@pytest.mark.model
async def test_the_first_piece_comes_before_the_whole_is_made_and_the_rest_can_be_dropped(hibari):
    speech = hibari.speak("This is one sentence of very many. " * 300)
    assert len((await anext(speech)).audio) < 5 * SPEAK_RATE
    await speech.aclose()
    assert await pieces(hibari, "Next.")

"""From the durations that a network chose to the times of words and phonemes."""

import numpy as np
from numpy.typing import NDArray

from companion.stages.protocols import SPEAK_RATE, Phoneme, Samples, Speech, Word
from companion.stages.tts.english import IPA, Spoken, Utterance

UNIT_S = 600 / SPEAK_RATE  # what hibari and Kokoro count durations in
EARLY_S = 0.05  # the sound of both comes this much earlier than the durations say: where hiss and sibilants agree best
SILENCE_RMS = 10 ** (-45 / 20)  # RMS below which the edges of a sentence count as silence
LEAD_S = 0.03  # silence kept before the first sound: the networks put 0.3 s there, which one would wait for
TAIL_S = 0.30  # after a sentence
CLAUSE_TAIL_S = 0.12  # after a part of a sentence
STRESS = frozenset("ˈˌ")
LENGTH_SIGN = "ː"
TRANSLATED_LETTERS = IPA | {
    "T": "ɾ",
    "ᵊ": "ə",
    "ᵻ": "ɪ",
    "ʥ": "dʑ",
    "ʨ": "tɕ",
    "ʣ": "dz",
    "ʦ": "ts",
}  # Kokoro's letters


def time_symbols(
    audio: Samples, durations: NDArray[np.float32], utterance: Utterance, early: float = EARLY_S
) -> Speech:
    """The sound of an utterance with its times, less the silence at its edges.

    Args:
        audio: (n,) at `SPEAK_RATE`.
        durations: (len(symbols) + 2,) in units of 25 ms, with the paddings at both ends; they sum to the sound.
        early: s by which the sound comes before what the durations say.
    """
    begin, end = _edges(audio, utterance.symbols)
    cut, seconds = audio[begin:end], (end - begin) / SPEAK_RATE
    ends = np.cumsum(durations) * UNIT_S - early - begin / SPEAK_RATE
    at = [float(t) for t in np.clip(ends, 0.0, seconds)]  # at[i] is where symbol i starts, at[i + 1] where it ends
    words = tuple(Word(w.text, at[w.start], at[_voiced_end(utterance.symbols, w)]) for w in utterance.words)
    return Speech(cut, words, _phonemes(utterance.symbols, at))


def _voiced_end(symbols: str, word: Spoken) -> int:
    """Where the last phoneme of a word ends: the pause of a full stop is not part of it."""
    return next((i for i in range(word.end, word.start, -1) if symbols[i - 1].isalpha()), word.start)


def _phonemes(symbols: str, at: list[float]) -> tuple[Phoneme, ...]:
    """A stress mark has a duration of its own, which goes to the phoneme after it; punctuation is a pause."""
    result: list[Phoneme] = []
    start = at[0]
    for i, symbol in enumerate(symbols):
        if symbol == LENGTH_SIGN and result:
            last = result.pop()
            result.append(Phoneme(last.symbol + LENGTH_SIGN, last.start, at[i + 1]))
            start = at[i + 1]
        elif symbol not in STRESS:
            if symbol.isalpha():
                result.append(Phoneme(TRANSLATED_LETTERS.get(symbol, symbol), start, at[i + 1]))
            start = at[i + 1]
    return tuple(result)


def _edges(audio: Samples, symbols: str) -> tuple[int, int]:
    """The samples [begin, end) to keep."""
    hop = SPEAK_RATE // 100
    blocks = audio[: len(audio) // hop * hop].reshape(-1, hop)
    loud = np.flatnonzero(np.sqrt(np.mean(blocks**2, axis=1)) > SILENCE_RMS)
    if len(loud) == 0:
        return 0, len(audio)
    tail = TAIL_S if symbols.rstrip(' "”)')[-1:] in (".", "!", "?", "…") else CLAUSE_TAIL_S
    begin = max(0, int(loud[0]) * hop - int(LEAD_S * SPEAK_RATE))
    return begin, min(len(audio), (int(loud[-1]) + 1) * hop + int(tail * SPEAK_RATE))

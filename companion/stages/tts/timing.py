"""Word and phoneme timings from the durations that a network predicts."""

import numpy as np
from numpy.typing import NDArray

from companion.stages.protocols import SPEAK_RATE, Phoneme, Samples, Speech, Word
from companion.stages.tts.english import IPA, Spoken, Utterance

UNIT_S = 600 / SPEAK_RATE  # s, unit of the durations of hibari and Kokoro
EARLY_S = 0.05  # s by which their audio precedes the durations; found by aligning hiss in it with sibilants
SILENCE_RMS = 10 ** (-45 / 20)  # RMS below which the edges of a sentence count as silence
LEAD_S = 0.03  # s of silence kept at the start; the 0.3 s of the networks would add latency
TAIL_S = 0.30  # s of silence kept after a sentence
CLAUSE_TAIL_S = 0.12  # s of silence kept after a part of a sentence
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
    """The audio of an utterance with word and phoneme timings, trimmed of the silence at its edges.

    Args:
        audio: (n,) float32 at `SPEAK_RATE`.
        durations: (len(symbols) + 2,) float32 in units of 25 ms, of the symbols and the padding at both ends; they
            sum to the length of ``audio``.
        early: s by which the audio precedes the durations.
    """
    begin, end = _edges(audio, utterance.symbols)
    cut, seconds = audio[begin:end], (end - begin) / SPEAK_RATE
    ends = np.cumsum(durations) * UNIT_S - early - begin / SPEAK_RATE
    at = [float(t) for t in np.clip(ends, 0.0, seconds)]  # at[i] is where symbol i starts, at[i + 1] where it ends
    words = tuple(Word(w.text, at[w.start], at[_voiced_end(utterance.symbols, w)]) for w in utterance.words)
    return Speech(cut, words, _phonemes(utterance.symbols, at))


def _voiced_end(symbols: str, word: Spoken) -> int:
    """The index after the last phoneme of a word, which excludes the pause of a full stop."""
    return next((i for i in range(word.end, word.start, -1) if symbols[i - 1].isalpha()), word.start)


def _phonemes(symbols: str, at: list[float]) -> tuple[Phoneme, ...]:
    """The duration of a stress mark goes to the phoneme after it; punctuation is a pause."""
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
    """The range [begin, end) of samples to keep."""
    hop = SPEAK_RATE // 100
    blocks = audio[: len(audio) // hop * hop].reshape(-1, hop)
    loud = np.flatnonzero(np.sqrt(np.mean(blocks**2, axis=1)) > SILENCE_RMS)
    if len(loud) == 0:
        return 0, len(audio)
    tail = TAIL_S if symbols.rstrip(' "”)')[-1:] in (".", "!", "?", "…") else CLAUSE_TAIL_S
    begin = max(0, int(loud[0]) * hop - int(LEAD_S * SPEAK_RATE))
    return begin, min(len(audio), (int(loud[-1]) + 1) * hop + int(tail * SPEAK_RATE))

"""The coarticulation teacher: phonemes with exact times -> blendshape weights of the mouth.

Cohen and Massaro's dominance functions over viseme targets, with the rules of JALI (Edwards et al. 2016): bilabials
always close, labiodentals touch, sibilants narrow the jaw, rounded sounds start early and end late, and the lips of
sounds that the tongue makes alone follow their neighbours.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from animator.motion.voice.mouth_net import CHANNELS
from animator.units import FPS

FINE_HZ = 200  # Hz, rate at which targets are evaluated before they are averaged to frames
LEAD_S = 0.035  # s by which the mouth precedes the sound


@dataclass(frozen=True, slots=True)
class Segment:
    """One phoneme (IPA, empty for a pause) from ``start`` to ``end`` in seconds."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Viseme:
    """Target weights by blendshape, how strongly ``jaw`` and ``lips`` pull towards them against those of neighbours,
    and how far in time they ``reach`` and by how much they ``lead`` (s)."""

    target: dict[str, float]
    jaw: float = 1.0
    lips: float = 1.0
    reach: float = 0.055
    lead: float = 0.0
    row: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        row = np.array([self.target.get(name, 0.0) for name in CHANNELS], np.float32)
        object.__setattr__(self, "row", row)


# How far the lips move in each sound, the jaw excepted, is fitted to film: least squares of these dominance functions
# on the tracked lips of 179 sentences (GRID, 16 speakers). Sounds that are unstressed or missing there (oh, oo, y, ae,
# th, sh) are set by hand, in line with similar sounds.
VISEMES: dict[str, Viseme] = {
    "sil": Viseme({}, 1.0, 1.0, 0.06),
    "a": Viseme({"jawOpen": 0.46, "mouthLowerDown": 0.17, "mouthUpperUp": 0.21, "mouthShrugUpper": 0.10,
                 "mouthFunnel": 0.05, "mouthDimple": 0.05, "mouthRollUpper": 0.06}, 1.2, 1.0),
    "ae": Viseme({"jawOpen": 0.40, "mouthLowerDown": 0.17, "mouthUpperUp": 0.20, "mouthShrugUpper": 0.09,
                  "mouthStretch": 0.05, "mouthSmile": 0.08, "mouthDimple": 0.06, "mouthRollUpper": 0.06}, 1.2, 1.1),
    "uh": Viseme({"jawOpen": 0.24, "mouthLowerDown": 0.09, "mouthUpperUp": 0.12, "mouthShrugUpper": 0.09,
                  "mouthPucker": 0.08, "mouthRollUpper": 0.06}, 0.8, 0.7),
    "e": Viseme({"jawOpen": 0.26, "mouthLowerDown": 0.17, "mouthUpperUp": 0.19, "mouthShrugUpper": 0.09,
                 "mouthSmile": 0.07, "mouthDimple": 0.07, "mouthPucker": 0.03, "mouthRollUpper": 0.06}, 1.0, 1.1),
    "i": Viseme({"jawOpen": 0.13, "mouthLowerDown": 0.14, "mouthUpperUp": 0.17, "mouthShrugUpper": 0.12,
                 "mouthSmile": 0.08, "mouthStretch": 0.06, "mouthDimple": 0.06, "mouthRollUpper": 0.06}, 1.0, 1.3),
    "aw": Viseme({"jawOpen": 0.38, "mouthFunnel": 0.16, "mouthPucker": 0.36, "mouthLowerDown": 0.05,
                  "mouthUpperUp": 0.04, "mouthRollUpper": 0.10}, 1.1, 1.3, 0.065),
    "o": Viseme({"jawOpen": 0.26, "mouthFunnel": 0.22, "mouthPucker": 0.34, "mouthShrugUpper": 0.04}, 1.0, 1.5, 0.075,
                0.015),
    "u": Viseme({"jawOpen": 0.15, "mouthFunnel": 0.16, "mouthPucker": 0.46}, 1.0, 1.6, 0.080, 0.025),
    "y": Viseme({"jawOpen": 0.12, "mouthFunnel": 0.16, "mouthPucker": 0.44}, 1.0, 1.6, 0.080, 0.025),
    "w": Viseme({"jawOpen": 0.12, "mouthFunnel": 0.14, "mouthPucker": 0.58}, 1.0, 1.8, 0.085, 0.030),
    "r": Viseme({"jawOpen": 0.16, "mouthFunnel": 0.14, "mouthPucker": 0.30, "mouthRollUpper": 0.06}, 0.8, 1.0, 0.065),
    "m": Viseme({"jawOpen": 0.10, "mouthClose": 1.0, "mouthPress": 0.12, "mouthRollLower": 0.12,
                 "mouthRollUpper": 0.13, "mouthPucker": 0.06}, 2.0, 4.0, 0.030),
    "f": Viseme({"jawOpen": 0.08, "mouthClose": 0.45, "mouthRollLower": 0.42, "mouthUpperUp": 0.16,
                 "mouthShrugUpper": 0.10, "mouthShrugLower": 0.12}, 2.0, 2.6, 0.040),
    "s": Viseme({"jawOpen": 0.06, "mouthLowerDown": 0.10, "mouthUpperUp": 0.18, "mouthShrugUpper": 0.20,
                 "mouthStretch": 0.04, "mouthSmile": 0.05, "mouthRollUpper": 0.08}, 1.8, 0.8, 0.045),
    "sh": Viseme({"jawOpen": 0.09, "mouthFunnel": 0.28, "mouthPucker": 0.24, "mouthLowerDown": 0.06,
                  "mouthUpperUp": 0.20, "mouthShrugUpper": 0.20}, 1.6, 1.6, 0.065, 0.010),
    "t": Viseme({"jawOpen": 0.11, "mouthLowerDown": 0.06, "mouthUpperUp": 0.11, "mouthShrugUpper": 0.10,
                 "mouthStretch": 0.03}, 0.70, 0.45, 0.045),
    "l": Viseme({"jawOpen": 0.18, "mouthLowerDown": 0.10, "mouthUpperUp": 0.11, "mouthShrugUpper": 0.07}, 0.60, 0.45,
                0.050),
    "th": Viseme({"jawOpen": 0.14, "mouthLowerDown": 0.10, "mouthUpperUp": 0.13, "mouthShrugUpper": 0.12}, 1.0, 0.9,
                 0.045),
    "k": Viseme({"jawOpen": 0.17, "mouthLowerDown": 0.11, "mouthUpperUp": 0.15, "mouthShrugUpper": 0.09,
                 "mouthSmile": 0.03, "mouthDimple": 0.04}, 0.45, 0.35, 0.050),
    "h": Viseme({"jawOpen": 0.22, "mouthLowerDown": 0.08, "mouthUpperUp": 0.08}, 0.25, 0.20, 0.050),
}  # fmt: skip

_VISEME_SYMBOLS = {
    "a": "a ɑ ɐ ɒ", "ae": "æ", "uh": "ə ʌ ɘ ɤ ɵ ɨ ᵻ ᵊ ɯ", "e": "e ɛ", "i": "i ɪ j ʝ ɟ ʎ ɲ", "aw": "ɔ", "o": "o ɞ ø œ",
    "u": "u ʊ", "y": "y ʏ ɥ", "w": "w ʍ ʷ ᵝ", "r": "ɹ ɜ ɚ ɝ ɻ", "m": "m p b ɓ ɸ β", "f": "f v ʋ ɱ", "s": "s z ʦ ʣ",
    "sh": "ʃ ʒ ʧ ʤ ʂ ʐ ɕ ʑ ʨ ʥ", "t": "t d n ɾ ɽ r ʈ ɖ ɳ ɗ T", "l": "l ɫ ɭ ʟ ɬ", "th": "θ ð",
    "k": "k ɡ g ŋ q ɢ x ɣ χ ʁ ʀ c ç ɰ ɴ", "h": "h ɦ ħ ʕ ʔ",
}  # fmt: skip
VISEME_OF: dict[str, str] = {symbol: name for name, symbols in _VISEME_SYMBOLS.items() for symbol in symbols.split()}
VISEME_OF["ꭧ"] = "sh"
# How far the tip of the tongue is raised: between the teeth for th, at the upper teeth for l and n, and behind them for
# t and d, where it is hardly seen. Sounds made with the blade (s, sh) keep it down.
TIP_TARGETS: dict[str, float] = {
    symbol: raised
    for symbols, raised in (("θ ð", 1.0), ("l ɫ ɭ ɬ", 0.8), ("n ɳ", 0.7), ("t d ɾ ɽ ʈ ɖ ɗ T", 0.45))
    for symbol in symbols.split()
}
DIPHTHONGS = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "S": "ə", "ʍ": "w"}


def visemes(segments: list[Segment]) -> list[tuple[str, float, float]]:
    """Segments -> (viseme, start, end) in seconds; a symbol of several sounds is cut into equal parts, and marks such
    as stress are dropped."""
    cut: list[tuple[str, float, float]] = []
    for segment in segments:
        letters = "".join(DIPHTHONGS.get(letter, letter) for letter in segment.symbol)
        names = [VISEME_OF[letter] for letter in letters if letter in VISEME_OF] or ["sil"]
        edges = np.linspace(segment.start, segment.end, len(names) + 1)
        cut += [(name, float(edges[i]), float(edges[i + 1])) for i, name in enumerate(names)]
    return cut


def _dominance(cut: list[tuple[str, float, float]], times: NDArray[np.float64]) -> NDArray[np.float32]:
    """How much each segment dominates at each time: (times, segments) in (0, 1]."""
    shapes = [VISEMES[name] for name, _, _ in cut]
    start, end = np.array([s for _, s, _ in cut]), np.array([e for _, _, e in cut])
    lead = np.array([LEAD_S + shape.lead for shape in shapes])
    silent = np.array([name == "sil" for name, _, _ in cut])
    half = (end - start) / 2  # long sounds, as in song, are held except for their last 80 ms
    flat = np.where(silent, np.maximum(half - 0.09, 0.0), np.maximum(0.6 * half, half - 0.08))
    distance = np.maximum(np.abs(times[:, None] - ((start + end) / 2 - lead)) - flat, 0.0)
    reach = np.array([shape.reach for shape in shapes])
    return np.exp(-((distance / reach) ** 1.3)).astype(np.float32)


def _closures(cut: list[tuple[str, float, float]], times: NDArray[np.float64]) -> NDArray[np.float32]:
    """(times,) in [0, 1]: 1 in the core of every bilabial, however short it is."""
    close = np.zeros(len(times), np.float32)
    for name, start, end in cut:
        if name == "m":
            half = max(0.3 * (end - start), 0.015)
            away = np.maximum(np.abs(times - ((start + end) / 2 - LEAD_S / 2)) - half, 0.0)
            close = np.maximum(close, np.exp(-((away / 0.022) ** 2)).astype(np.float32))
    return close


def tip(segments: list[Segment], frames: int) -> NDArray[np.float32]:
    """(frames,) at 25 fps in [0, 1]: how far the tip of the tongue is raised, see `TIP_TARGETS`.

    It reaches its height for the middle of the sound, and rises and falls in about 30 ms before and after.
    """
    times = (np.arange(frames * FINE_HZ // FPS) + 0.5) / FINE_HZ
    raised = np.zeros(len(times), np.float32)
    for segment in segments:
        height = max((TIP_TARGETS.get(letter, 0.0) for letter in segment.symbol), default=0.0)
        if height:
            half = 0.4 * (segment.end - segment.start)
            away = np.maximum(np.abs(times - ((segment.start + segment.end) / 2 - LEAD_S / 2)) - half, 0.0)
            raised = np.maximum(raised, height * np.exp(-((away / 0.030) ** 2)).astype(np.float32))
    return raised.reshape(frames, FINE_HZ // FPS).mean(axis=1)


def _loudness(sound: NDArray[np.float32], rate: int, times: NDArray[np.float64]) -> NDArray[np.float32]:
    """(times,) root mean square over 50 ms, relative to the loud syllables of this sound, where it is 1."""
    width = rate // 20
    energy = np.convolve(sound.astype(np.float64) ** 2, np.ones(width) / width, "same")
    level = np.sqrt(energy[np.clip((times * rate).astype(int), 0, len(sound) - 1)])
    return np.clip(level / max(float(np.percentile(level, 92)), 1e-6), 0, 1.3).astype(np.float32)


def teach(segments: list[Segment], sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The mouth that makes ``sound``, (n,) at ``rate`` Hz: (frames, len(CHANNELS)) at 25 fps.

    ``mouthClose`` is a fraction of the opening of the jaw. Frame i is the mean over its 40 ms, except that its closure
    is the highest within them: at 25 fps a bilabial must not be missed.
    """
    frames = int(len(sound) / rate * FPS)
    times = (np.arange(frames * FINE_HZ // FPS) + 0.5) / FINE_HZ
    cut = visemes(segments)
    near = _dominance(cut, times)
    shapes = [VISEMES[name] for name, _, _ in cut]
    rows = np.stack([shape.row for shape in shapes])
    fine = np.empty((len(times), len(CHANNELS)), np.float32)
    jaw_columns = np.array([name == "jawOpen" for name in CHANNELS])
    for columns, strength in ((jaw_columns, [s.jaw for s in shapes]), (~jaw_columns, [s.lips for s in shapes])):
        weight = near * np.array(strength, np.float32) + 1e-6
        fine[:, columns] = weight @ rows[:, columns] / weight.sum(axis=1, keepdims=True)
    fine[:, jaw_columns] *= (0.72 + 0.4 * _loudness(sound, rate, times))[:, None]
    close = CHANNELS.index("mouthClose")
    fine[:, close] = np.maximum(fine[:, close], _closures(cut, times))
    steps = fine.reshape(frames, FINE_HZ // FPS, len(CHANNELS))
    mouth = steps.mean(axis=1)
    mouth[:, close] = steps[:, :, close].max(axis=1)
    return mouth

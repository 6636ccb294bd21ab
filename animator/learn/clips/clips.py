"""Training clips of speech, one .npz file each: the sound as mel power, and the mouth that said it."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from animator.media.files import MediaError
from animator.media.mel import HOP_SAMPLES, MELS, WINDOW_SAMPLES, mel_power
from animator.motion.voice.mouth_net import CHANNELS, HOPS_PER_FRAME
from animator.storage import whole

FRAME_SAMPLES = HOP_SAMPLES * HOPS_PER_FRAME  # samples
SILENCE_POWER = -10.0  # log10 of mel power

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance of a ``voice`` of a ``source`` (a synthesizer or a set of recordings). ``held`` clips are held out
    for validation.

    ``power`` (frames * 4, MELS) log10 of mel power at 100 Hz, `SILENCE_POWER` at least; ``mouth`` (frames,
    len(CHANNELS)) at 25 fps, see `animator.motion.voice.mouth_net.CHANNELS`; ``mouthClose`` is a fraction
    of the jaw; ``tip`` (frames,), how far the tip of the tongue is raised, 0 to 1; 0 where the source does not say.
    """

    source: str
    voice: str
    held: bool
    power: NDArray[np.float16]
    mouth: NDArray[np.float16]
    tip: NDArray[np.float16]


def to_power(sound: Floats) -> NDArray[np.float16]:
    """(frames * FRAME_SAMPLES,) float32 mono at 24 kHz -> (frames * 4, MELS), as ``power`` of `Clip`."""
    padded = np.concatenate([np.zeros(WINDOW_SAMPLES - HOP_SAMPLES, np.float32), sound])
    return np.log10(np.maximum(mel_power(padded), 10**SILENCE_POWER)).astype(np.float16)


def save(path: Path, clip: Clip) -> None:
    """Writes one clip. The file appears only once it is complete."""
    with whole(path) as file:
        known = {"source": clip.source, "voice": clip.voice, "held": clip.held}
        np.savez(file, allow_pickle=False, **known, power=clip.power, mouth=clip.mouth, tip=clip.tip)


def load(path: Path) -> Clip:
    """Raises `MediaError` for a file that is not a clip."""
    try:
        with path.open("rb") as file, np.load(file) as data:
            clip = Clip(
                str(data["source"]), str(data["voice"]), bool(data["held"]), data["power"], data["mouth"], data["tip"]
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise MediaError(f"{path} is not a clip of speech ({error}). Remove it, and make it again.") from error
    frames = len(clip.mouth)
    expected = (frames * HOPS_PER_FRAME, MELS), (frames, len(CHANNELS)), (frames,)
    shapes = clip.power.shape, clip.mouth.shape, clip.tip.shape
    if shapes != expected:
        raise MediaError(
            f"{path} has sound, mouth and tongue of shapes {shapes}; expected {expected}. Remove it, and make it again."
        )
    return clip


def load_all(folder: Path) -> list[Clip]:
    """Every clip of ``folder``. Raises `MediaError` when there is none."""
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise MediaError(f"{folder} has no clips of speech. Make some with: animator data speech {folder}")
    return [load(path) for path in paths]

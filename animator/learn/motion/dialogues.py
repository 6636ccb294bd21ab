"""Shards of synthetic conversations: the mouth comes from the clips of speech, the rest from the fitted processes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from animator.learn.clips.captured import CURVE_MIX
from animator.learn.clips.clips import Clip, load_all
from animator.learn.clips.shards import Shard, save
from animator.learn.motion.behaviour import perform
from animator.learn.motion.scenes import wish, write
from animator.media.files import MediaError
from animator.motion.behaviour.channels import CHANNELS, MOUTH, MOUTH_AT
from animator.units import FPS

SOURCE_SHARES = {"heart": 0.26, "kokoro": 0.24, "espeak": 0.15, "flite": 0.08, "captured": 0.20, "sung": 0.07}
HELD_SHARE = 0.08  # share of the scenes that are for validation; they consist of held-out clips alone
LENGTH_RANGE_S = (20.0, 60.0)

Voices = dict[str, dict[str, list[Clip]]]  # clips by source and voice


def make(out: Path, speech: Path, hours: float, seed: int, progress: Callable[[float], None]) -> float:
    """Writes ``hours`` of scenes as shards; shards that ``out`` already has are kept. Returns the hours it then has.

    ``progress`` is called with the hours that are done. Raises `MediaError` when ``speech`` lacks clips of two voices.
    """
    clips = load_all(speech)
    sets = [_by_voice([clip for clip in clips if clip.held == held]) for held in (False, True)]
    for voices, what in zip(sets, ("training", "validation"), strict=True):
        if sum(map(len, voices.values())) < 2:
            raise MediaError(f"{speech} has fewer than two voices for {what}. Make clips of more sources.")
    out.mkdir(parents=True, exist_ok=True)
    done, index = 0.0, 0
    while done < hours:
        random = np.random.default_rng([seed, index])
        frames = int(random.uniform(*LENGTH_RANGE_S) * FPS)
        held = bool(random.random() < HELD_SHARE)
        path = out / f"dialogue-{index:05d}.npz"
        if not path.exists():
            save(path, _shard(sets[held], frames, held, random))
        done, index = done + frames / FPS / 3600, index + 1
        progress(min(done, hours))
    return done


def _shard(voices: Voices, frames: int, held: bool, random: np.random.Generator) -> Shard:
    sources = list(voices)
    shares = np.array([SOURCE_SHARES[source] for source in sources])
    source = sources[random.choice(len(sources), p=shares / shares.sum())]
    voice = str(random.choice(list(voices[source])))
    others = [(s, v) for s in sources for v in voices[s] if v != voice]
    other = others[random.integers(0, len(others))]
    scene, wishes = write(voices[source][voice], voices[other[0]][other[1]], frames, random), wish(frames, random)
    known = np.ones(len(CHANNELS), np.bool_)
    if source == "captured":
        known[MOUTH_AT] = [name in CURVE_MIX for name in MOUTH]
    return Shard(
        scene.own, scene.other, perform(scene, wishes, random).astype(np.float16), known, scene.state,
        wishes.emotion, wishes.strength, wishes.gaze, wishes.distance, held, source,
    )  # fmt: skip


def _by_voice(clips: list[Clip]) -> Voices:
    voices: Voices = {}
    for clip in clips:
        voices.setdefault(clip.source, {}).setdefault(clip.voice, []).append(clip)
    return voices

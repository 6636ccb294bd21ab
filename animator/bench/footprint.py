"""How much memory faces take, and whether it stays flat for hours."""

import gc
import resource
import sys
from pathlib import Path
from typing import TypedDict

from animator.control import Control
from animator.live import Animator, LiveFace
from animator.media.encoder import VideoEncoder
from animator.portrait.portrait import Portrait
from animator.units import SAMPLES_PER_FRAME, Samples

FURTHER_FACES = 4  # opened besides the first one, to share its portrait
SETTLED_FRAMES = 500  # frames after which everything that a face keeps has been made

_STATM = Path("/proc/self/statm")


class Memory(TypedDict):
    """MB: ``first_face`` with code, networks and all that faces of its portrait share; ``per_face`` each further one,
    its encoder included."""

    first_face: float
    per_face: float


class Soak(TypedDict):
    """Resident MB before and after ``frames`` frames of one face."""

    frames: int
    rss_before_mb: float
    rss_after_mb: float


def resident_mb() -> float:
    """MB of this process in memory now; where the system does not tell, the most there ever were."""
    gc.collect()
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize() / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def memory(animator: Animator, portrait: Portrait, sound: Samples) -> Memory:
    """What faces of ``portrait`` that say ``sound`` add to a process in which none was open before."""
    start = resident_mb()
    faces = [_speaking(animator, portrait, sound)]
    first = resident_mb()
    faces += [_speaking(animator, portrait, sound) for _ in range(FURTHER_FACES)]
    more = resident_mb()
    del faces
    return {"first_face": round(first - start, 1), "per_face": round((more - first) / FURTHER_FACES, 1)}


def soak(animator: Animator, portrait: Portrait, sound: Samples, frames: int) -> Soak:
    """Draw and encode ``frames`` frames of one face that says ``sound`` again and again."""
    face, encoder = _speaking(animator, portrait, sound)
    _say(face, encoder, sound, SETTLED_FRAMES)
    before = resident_mb()
    done = _say(face, encoder, sound, frames)
    return {"frames": done, "rss_before_mb": round(before, 1), "rss_after_mb": round(resident_mb(), 1)}


def _speaking(animator: Animator, portrait: Portrait, sound: Samples) -> tuple[LiveFace, VideoEncoder]:
    face, encoder = animator.open(portrait), VideoEncoder(portrait.size, portrait.size)
    _say(face, encoder, sound, 2 * face.chunk_frames)
    return face, encoder


def _say(face: LiveFace, encoder: VideoEncoder, sound: Samples, frames: int) -> int:
    """Show at least ``frames`` frames -> how many were shown."""
    chunk = face.chunk_frames * SAMPLES_PER_FRAME
    starts = range(0, len(sound) - chunk + 1, chunk)
    done = 0
    while done < frames:
        start = starts[done // face.chunk_frames % len(starts)]
        for frame in face.step(sound[start : start + chunk], Control(state="speaking")).frames:
            encoder.encode(frame)
            done += 1
    return done

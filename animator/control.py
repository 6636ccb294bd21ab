"""What can be asked of a face, chunk by chunk."""

from dataclasses import dataclass
from typing import Literal, get_args

State = Literal["idle", "listening", "thinking", "speaking"]
Emotion = Literal[
    "neutral",
    "happy",
    "sad",
    "angry",
    "surprised",
    "afraid",
    "disgusted",
    "tender",
    "thoughtful",
]
STATES: tuple[State, ...] = get_args(State)
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)


@dataclass(frozen=True, slots=True)
class Control:
    """The wishes for the next chunk. Each is an offset from what the face does by itself.

    Signs are the viewer's, looking at the picture: yaw > 0 turns or looks to the picture's right, pitch > 0 up,
    roll > 0 leans the head clockwise. ``x`` > 0 moves right and ``y`` > 0 up, in face widths.
    """

    state: State = "idle"
    emotion: Emotion = "neutral"
    emotion_strength: float = 1.0  # 0 to 1.5
    gaze_yaw_deg: float = 0.0
    gaze_pitch_deg: float = 0.0
    distance: float = 1.0  # head to camera, relative to the picture: 0.8 is closer, 1.2 farther
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    x: float = 0.0
    y: float = 0.0
    amplitude: float = 1.0  # of all generated motion, 0 to 1.5
    articulation: float = 1.0  # of the mouth that speaks: 0.5 mumbles, 1.5 speaks very clearly

"""The motion space: one row of 64 numbers is one frame of any face.

| columns | what | unit |
|---|---|---|
| 0-51 | the 52 ARKit blendshape weights, in `ARKIT`'s order | 0 to 1 (a little over is allowed) |
| 52-54 | head yaw, pitch, roll, relative to the pose in the picture | degrees |
| 55-57 | head translation right, up, towards the camera | face widths |
| 58-61 | gaze: left eye yaw, pitch, right eye yaw, pitch, **in the world**: 0 looks where the picture looks | degrees |
| 62-63 | torso translation right, up (sway and breath) | face widths |

Signs are the viewer's, as in `animator.control.Control`: yaw > 0 to the picture's right, pitch > 0 up, roll > 0
clockwise. "Left" in ARKit names and for eyes is the *subject's* left (the right side of the picture). The ``eyeLook*``
weights stay zero inside the project (gaze is given in degrees); they are filled on export for ARKit tools.
Up to .3 of ``tongueOut`` raise the tongue's tip to the upper teeth, as for l, n and th; more puts it out.
"""

CAMERA = 5.85  # face widths from the camera to the face of the picture

ARKIT: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
INDEX: dict[str, int] = {name: i for i, name in enumerate(ARKIT)}

HEAD_YAW, HEAD_PITCH, HEAD_ROLL = 52, 53, 54
HEAD_X, HEAD_Y, HEAD_Z = 55, 56, 57
GAZE_LEFT_YAW, GAZE_LEFT_PITCH, GAZE_RIGHT_YAW, GAZE_RIGHT_PITCH = 58, 59, 60, 61
TORSO_X, TORSO_Y = 62, 63
SIZE = 64

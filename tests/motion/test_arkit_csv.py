"""Motion files of other tools, and our own ones."""

from pathlib import Path

import numpy as np
import pytest

from animator.media.files import MediaError
from animator.motion.rows import space
from animator.motion.rows.arkit_csv import read_motion, write_motion


def sheet(path: Path, columns: str, *lines: str) -> Path:
    path.write_text("\n".join([columns, *lines]) + "\n", "utf-8")
    return path


def wandering(frames: int) -> np.ndarray:
    """(frames, 64) of all that the format carries, within its usual ranges."""
    noise = np.random.default_rng(0)
    motion = np.zeros((frames, space.SIZE), np.float32)
    motion[:, :52] = noise.uniform(0, 1, (frames, 52))
    motion[:, [i for name, i in space.INDEX.items() if name.startswith("eyeLook")]] = 0
    motion[:, space.HEAD_YAW : space.HEAD_ROLL + 1] = noise.uniform(-15, 15, (frames, 3))
    motion[:, space.GAZE_LEFT_YAW : space.GAZE_RIGHT_PITCH + 1] = noise.uniform(-25, 25, (frames, 4))
    return motion


@pytest.mark.parametrize("frames", [26, 80])
def test_what_is_written_is_read_again(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "motion.csv"
    motion = wandering(frames)
    write_motion(path, motion)
    again = read_motion(path)
    assert again.ignored == ()
    assert np.allclose(again.motion, motion, atol=1e-4)
    assert [file.name for file in tmp_path.iterdir()] == ["motion.csv"]


def test_columns_are_those_of_live_link_face(tmp_path: Path) -> None:
    write_motion(tmp_path / "motion.csv", wandering(2))
    header, first, second = (tmp_path / "motion.csv").read_text().split()
    names = header.split(",")
    assert names[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert names[-9:-6] == ["HeadYaw", "HeadPitch", "HeadRoll"]
    assert len(names) == 2 + 61 == len(second.split(","))
    assert first.startswith("00:00:00:00.000,61,")
    assert second.startswith("00:00:00:01.000,61,")


def test_sixty_lines_a_second_become_twenty_five_frames(tmp_path: Path) -> None:
    lines = [f"09:59:{58 + i // 60}:{i % 60:02d}.250,61,{i / 120:.4f}" for i in range(121)]
    motion = read_motion(sheet(tmp_path / "a.csv", "Timecode,BlendShapeCount,JawOpen", *lines)).motion
    assert len(motion) == 51
    assert np.allclose(motion[:, space.INDEX["jawOpen"]], np.linspace(0, 1, 51), atol=0.01)


def test_audio2face_files_have_seconds_and_prefixes(tmp_path: Path) -> None:
    lines = [f"{i},{i / 30:.4f},{i / 30:.4f},0.5" for i in range(31)]
    columns = ",timeCode,blendShapes.MouthSmileLeft,blendShapes.TongueTipUp"
    found = read_motion(sheet(tmp_path / "a.csv", columns, *lines))
    assert found.ignored == ("blendShapes.TongueTipUp",)
    assert np.allclose(found.motion[:, space.INDEX["mouthSmileLeft"]], np.linspace(0, 1, 26), atol=0.01)


def test_eyes_look_where_their_weights_say(tmp_path: Path) -> None:
    columns = "Timecode,HeadYaw,EyeLookOutLeft,EyeLookInRight,EyeLookDownLeft,EyeLookDownRight"
    motion = read_motion(sheet(tmp_path / "a.csv", columns, f"0,{np.radians(10)},0.5,0.5,0.2,0.2")).motion[0]
    assert motion[space.HEAD_YAW] == pytest.approx(10)
    assert motion[[space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW]] == pytest.approx([25, 25])
    assert motion[space.GAZE_LEFT_PITCH] == pytest.approx(-6)


def test_eyes_without_weights_follow_their_angles(tmp_path: Path) -> None:
    columns = "Timecode,EyeLookOutLeft,LeftEyeYaw,LeftEyePitch"
    motion = read_motion(sheet(tmp_path / "a.csv", columns, "0,0,0.1,0.2")).motion[0]
    assert motion[[space.GAZE_LEFT_YAW, space.GAZE_LEFT_PITCH]] == pytest.approx(np.degrees([0.1, 0.2]))


def test_a_lost_face_is_bridged(tmp_path: Path) -> None:
    lines = ["0.0,2,0.2,0", "0.04,0,,", "0.08,0", "0.12,2,0.8,0"]
    motion = read_motion(sheet(tmp_path / "a.csv", "time,BlendShapeCount,JawOpen,JawLeft", *lines)).motion
    assert motion[:, space.INDEX["jawOpen"]] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_a_file_without_times_needs_a_rate(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.csv", "JawOpen,JawLeft,JawRight", *["0.1,0.2,0.3"] * 50)
    with pytest.raises(MediaError, match="no column Timecode"):
        read_motion(path)
    assert len(read_motion(path, fps=50).motion) == 25


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["Timecode,Count,Nose", "0,1,2"], "none of the columns"),
        (["Timecode,BlendShapeCount,JawOpen"], "no line with values"),
        (["Timecode,BlendShapeCount,JawOpen", "0,1,0.5", "1,1,wide"], "line 3: JawOpen is 'wide'"),
        (["Timecode,BlendShapeCount,JawOpen", "0,1,nan"], "line 2: JawOpen is 'nan'"),
        (["Timecode,BlendShapeCount,JawOpen", "0,1,0.1,0.2"], "line 2: 4 values for 3 columns"),
        (["Timecode,BlendShapeCount,JawOpen", "0,1,87"], "JawOpen reaches 87"),
        (["Timecode,BlendShapeCount,JawOpen", "2,1,0.1", "1,1,0.2"], "line 3: the time 1 is before"),
        (["Timecode,BlendShapeCount,JawOpen", "1:2:3,1,0.1"], "not hours:minutes:seconds:frame"),
        (["\udcff\udcfe"], "cannot be read as CSV"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, lines: list[str], reason: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    with pytest.raises(MediaError, match=reason):
        read_motion(path)


def test_missing_files_and_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="There is no file"):
        read_motion(tmp_path / "none.csv")
    with pytest.raises(MediaError, match="no folder"):
        write_motion(tmp_path / "none" / "motion.csv", wandering(1))

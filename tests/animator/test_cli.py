"""The `animator` command on a shipped character."""

import asyncio
import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animator.__main__ import app
from animator.evaluate.lifelike import people
from animator.media.files import Mp4Writer
from animator.motion.rows import space
from animator.motion.rows.arkit_csv import read_motion, write_motion
from animator.motion.rows.parts import only
from companion.stages.tts import Hibari

WORDS = "Good morning! My mother bought a big blue balloon. We are about to go home."


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of silence, two sentences, a second of silence."""

    async def say() -> np.ndarray:
        return np.concatenate([piece.audio async for piece in Hibari().speak(WORDS)])

    rest = np.zeros(24_000, np.float32)
    path = tmp_path_factory.mktemp("voice") / "voice.mp4"
    with Mp4Writer(path, 16, 16) as writer:
        writer.write(np.zeros((1, 16, 16, 3), np.uint8), np.concatenate([rest, asyncio.run(say()), rest]))
    return path


@pytest.fixture(scope="module")
def video(voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("video") / "out.mp4"
    code, _, errors = run("render", "mona_lisa", voice, out, "--size", 320, "--seed", 4)
    assert code == 0, errors
    return out


def test_a_character_says_a_sound_file(video: Path) -> None:
    with av.open(video) as container:
        lengths = {s.type: float(s.duration * s.time_base) for s in container.streams}
        frames = [f.to_ndarray(format="gray").astype(int) for f in container.decode(video=0)]
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 320)
    assert abs(lengths["video"] - lengths["audio"]) < 0.04
    change = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:], strict=False)]
    assert min(change) > 0, "a living face is never frozen"
    assert max(change) < 12, "and never jumps"


def test_a_face_is_corrected_by_a_file(tmp_path: Path) -> None:
    points, seen = tmp_path / "points.json", tmp_path / "seen.png"
    code, _, errors = run("portrait", "mona_lisa", "--size", 128, "--save-landmarks", points, "--preview", seen)
    assert code == 0, errors
    with Image.open(seen) as preview:
        assert preview.height == 1200
    found = json.loads(points.read_text())
    found["points"]["chin"][1] += 60
    (tmp_path / "longer.json").write_text(json.dumps(found))
    code, _, errors = run("portrait", "mona_lisa", "--landmarks", tmp_path / "longer.json", "--save-landmarks", points)
    assert code == 0, errors
    assert json.loads(points.read_text())["points"]["chin"] == pytest.approx(found["points"]["chin"], abs=0.2)
    code, _, errors = run("portrait", "toon", "--landmarks", points)
    assert code == 1 and "belong to a picture of 743x1155" in errors


def test_what_is_taken_for_a_drawing_is_said_and_corrected(tmp_path: Path) -> None:
    points = tmp_path / "points.json"
    code, _, errors = run("portrait", "toon", "--size", 128)
    assert code == 0 and "A flat drawing" in errors, errors
    code, _, errors = run("portrait", "toon", "--size", 128, "--drawn", "no", "--save-landmarks", points)
    assert code == 0 and "Not a flat drawing" in errors, errors
    code, _, errors = run("portrait", "toon", "--size", 128, "--landmarks", points)
    assert code == 0 and "Not a flat drawing" in errors, errors
    code, _, errors = run("portrait", "toon", "--drawn", "perhaps")
    assert code == 2 and "perhaps" in errors


def test_where_no_face_is_found_one_can_be_placed(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "tan").save(tmp_path / "wall.png")
    code, _, errors = run("portrait", tmp_path / "wall.png")
    assert code == 1 and "--save-landmarks points.json" in errors.replace("\n", ""), "what to do is said"
    code, _, errors = run("portrait", tmp_path / "wall.png", "--save-landmarks", tmp_path / "points.json")
    assert code == 1 and "No face" in errors and "points.json" in errors.replace("\n", "")
    code, _, errors = run("portrait", tmp_path / "wall.png", "--landmarks", tmp_path / "points.json")
    assert code == 0, errors


def test_its_lips_follow_the_sound(video: Path) -> None:
    code, output, errors = run("evaluate", video)
    assert code == 0, errors
    figures = json.loads(output.splitlines()[-1])
    assert figures["frames_without_face"] == 0
    assert figures["sync"] > 0.3
    assert abs(figures["offset_ms"]) <= 60
    assert figures["pause_mad"] < 0.03
    known = [figures[name] for name in people() if figures[name] is not None]
    assert len(known) > 0.6 * len(people()) and np.isfinite(known).all(), "rows of people, as far as it moves at all"
    assert 0 <= figures["teeth_share"] <= 1
    assert 0 < figures["distance"] < 5


def test_the_same_seed_repeats(video: Path, voice: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    assert run("render", "mona_lisa", voice, again, "--size", 320, "--seed", 4)[0] == 0
    assert packets(again) == packets(video)


def packets(file: Path) -> list[bytes]:
    """Of picture and sound; what the file says of its making has a time."""
    with av.open(file) as container:
        return [bytes(packet) for packet in container.demux()]


def test_a_recorded_motion_moves_any_face(tmp_path: Path) -> None:
    motion = np.zeros((6, space.SIZE), np.float32)
    motion[:, space.HEAD_ROLL] = np.linspace(0, 10, 6)
    motion[:, space.INDEX["jawOpen"]] = np.linspace(0, 0.6, 6)
    recorded, again, out = tmp_path / "motion.csv", tmp_path / "again.csv", tmp_path / "out.mp4"
    write_motion(recorded, motion)
    for part, seen in (("all", motion), ("pose", only(motion, "pose")), ("expression", only(motion, "expression"))):
        code, _, errors = run(
            "render", "toon", out, "--size", 128, "--motion", recorded, "--motion-fps", 25, "--only", part,
            "--save-motion", again,
        )  # fmt: skip
        assert code == 0, errors
        assert np.allclose(read_motion(again, fps=25).motion, seen, atol=1e-4)
        with av.open(out) as container:
            frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
        assert len(frames) == 6
        assert np.abs(frames[5] - frames[0]).max() > 40, "the last frame leans or speaks"


def test_nothing_to_say_is_a_mistake(tmp_path: Path) -> None:
    code, _, errors = run("render", "toon", tmp_path / "out.mp4")
    assert code == 1
    assert "nothing to say" in errors


def test_figures_of_speed_end_in_one_json_line() -> None:
    code, output, errors = run("bench", "--sizes", "128", "--seconds", 1, "--frames", 100)
    assert code == 0, errors
    figures = json.loads(output.splitlines()[-1])
    of = figures["sizes"]["128"]
    assert of["fps_one_core"] > 0
    assert 0 < of["ms"]["p50"] <= of["ms"]["p95"] <= of["ms"]["p99"]
    assert set(of["steps"]) == {"motion", "render", "encode"}
    assert all(0 <= step["p50"] <= step["p99"] for step in of["steps"].values())
    assert figures["memory_mb"]["per_face"] < 60
    assert figures["soak"]["frames"] >= 100
    assert figures["soak"]["rss_after_mb"] < figures["soak"]["rss_before_mb"] + 20
    assert figures["faces_at_25fps"] >= 0
    assert figures["prepare_s"] > 0
    assert 0 < figures["motion_core_share"] < 1


def test_a_video_without_a_face_cannot_be_measured(voice: Path) -> None:
    code, output, errors = run("evaluate", voice)
    assert code == 1
    assert "shows a face" in errors
    assert not output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("mona_lisa", "missing.wav", "out.mp4"), "There is no file missing.wav"),
        (("nobody", "voice", "out.mp4"), "There is no file and no character 'nobody'"),
        (("text.jpg", "voice", "out.mp4"), "text.jpg"),
        (("mona_lisa", "voice", "nowhere/out.mp4"), "There is no folder nowhere"),
        (("mona_lisa", "voice", "out.mp4", "--size", "321"), "even"),
        (("mona_lisa",), "give AUDIO and OUT"),
        (("mona_lisa", "out.mp4", "voice.wav"), "ends in .mp4"),
    ],
)
def test_mistakes_are_named_and_leave_nothing(
    arguments: tuple[str, ...], reason: str, voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.jpg").write_text("no picture")
    code, output, errors = run("render", *[voice if a == "voice" else a for a in arguments])
    assert code != 0
    assert reason in errors
    assert not output
    assert [file.name for file in tmp_path.iterdir()] == ["text.jpg"]

"""The motion network: trained in seconds, resumed, exported, and at work without torch."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from animator.__main__ import app  # noqa: E402
from animator.control import Control  # noqa: E402
from animator.learn.clips.shards import load  # noqa: E402
from animator.learn.motion import weights as trained  # noqa: E402
from animator.learn.motion.config import Architecture, ConfigError, Training, read  # noqa: E402
from animator.learn.motion.listen import listen  # noqa: E402
from animator.learn.motion.network import Cache, MotionNetwork, Windows, turns  # noqa: E402
from animator.learn.motion.train_motion import GRAPH_FILE, WEIGHTS_FILE, Run  # noqa: E402
from animator.motion.behaviour import conditions  # noqa: E402
from animator.motion.behaviour.channels import CHANNELS  # noqa: E402
from animator.motion.behaviour.flow import MODEL, MotionNet, Sampling  # noqa: E402
from animator.motion.voice.prosody import Heard  # noqa: E402
from animator.motion.voice.voices import NOBODY, Own  # noqa: E402

pytestmark = pytest.mark.torch

TINY = Architecture(width=32, layers=2, heads=2, past=8, window=4)
JAW = CHANNELS.index("speech.jawOpen")


def training(shards: Path, out: Path, **changed: object) -> Training:
    given = {"shards": shards, "out": out, "architecture": TINY, "steps": 12, "batch": 4, "stretch": 32, "windows": 4,
             "variants": 1, "warm_up": 5, "rate": 4e-3, "average": 0.9, "validate_every": 6}  # fmt: skip
    return Training.model_validate(given | changed)


def run(given: Training) -> Run:
    return Run(given, listen(given.shards, given.variants, given.seed, lambda *_: None))


def restless() -> MotionNetwork:
    """A network whose every weight matters."""
    torch.manual_seed(3)
    network = MotionNetwork(TINY).eval()
    for weights in network.parameters():
        if not weights.abs().max():
            torch.nn.init.normal_(weights, std=0.1)
    return network


@torch.no_grad()
def test_a_stream_is_what_was_trained() -> None:
    """Frame by frame with kept keys and values, the network says the same as over a whole stretch at once."""
    network, time, window = restless(), 24, TINY.window
    past, told = torch.randn(1, time, len(CHANNELS)), torch.randn(1, time, conditions.SIZE)
    noisy, levels = torch.randn(1, 1, window, len(CHANNELS)), torch.rand(1, 1, window)
    ahead = torch.randn(1, 1, window, conditions.SIZE)
    windows = Windows(noisy, levels, ahead, torch.tensor([[20]]), torch.ones(1, 1, dtype=torch.bool))
    at_once = network(past, told, windows)[0, 0]
    kept = torch.zeros(TINY.layers, 1, TINY.past - 1, TINY.width)
    cache = Cache(kept, kept, torch.zeros(TINY.past - 1))
    for frame in range(20):
        turn = turns(frame + torch.arange(window + 1.0), TINY.width // TINY.heads)
        frames = torch.cat([past[0, frame : frame + 1], noisy[0, 0]])[None]
        conditions_now = torch.cat([told[0, frame : frame + 1], ahead[0, 0]])[None]
        streamed, keys, values = network.step(
            frames, conditions_now, torch.cat([torch.ones(1), levels[0, 0]]), cache, turn
        )
        keys, values = (
            torch.cat([old, new[:, :, None]], 2) for old, new in ((cache.keys, keys), (cache.values, values))
        )
        cache = Cache(keys[:, :, 1:], values[:, :, 1:], torch.cat([cache.filled, torch.ones(1)])[1:])
    assert torch.allclose(streamed[0], at_once, atol=1e-4)


@torch.no_grad()
def agree(weights: Path, graph: Path) -> None:
    """The exported graph says within 1e-3 what torch says, for three variants of random conditions."""
    import onnxruntime

    random = np.random.default_rng(1)
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    shapes = {given.name: [3 if side == "variants" else side for side in given.shape] for given in session.get_inputs()}
    feed = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    feed["filled"] = (np.arange(len(feed["filled"])) < 3).astype(np.float32)
    said = trained.Step(trained.load(weights))(*(torch.from_numpy(feed[name]) for name in shapes))
    for torch_says, onnx_says in zip(said, session.run(None, feed), strict=True):
        assert np.abs(torch_says.numpy() - onnx_says).max() < 1e-3


def test_the_exported_graph_says_what_torch_says(tmp_path: Path) -> None:
    trained.save(restless(), tmp_path / WEIGHTS_FILE)
    trained.to_onnx(trained.load(tmp_path / WEIGHTS_FILE), tmp_path / GRAPH_FILE)
    agree(tmp_path / WEIGHTS_FILE, tmp_path / GRAPH_FILE)


def test_the_graph_that_ships_is_that_of_the_weights_that_ship() -> None:
    agree(MODEL.with_name(WEIGHTS_FILE), MODEL)


def test_a_run_goes_on_where_it_was_stopped(shards: Path, tmp_path: Path) -> None:
    first = run(training(shards, tmp_path / "run"))

    def stop(part: float) -> None:
        if first.progress.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first(stop)
    parts: list[float] = []
    second = run(training(shards, tmp_path / "run"))
    assert second.progress.step == 7
    second(parts.append)
    assert parts[0] == pytest.approx(8 / 12) and parts[-1] == 1
    assert {WEIGHTS_FILE, GRAPH_FILE, "curves.csv", "checkpoint"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
    curves = (tmp_path / "run/curves.csv").read_text().splitlines()
    assert curves[0].startswith("step,seconds,mouth") and [line.split(",")[0] for line in curves[1:]] == ["6", "12"]


@pytest.fixture(scope="module")
def learned(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph of a network that had some seconds to learn."""
    out = tmp_path_factory.mktemp("learned")
    config = out / "tiny.toml"
    config.write_text(
        f'shards = "{shards}"\nout = "{out}"\n'
        "steps = 100\nbatch = 8\nstretch = 48\nwindows = 6\nvariants = 1\nwarm_up = 10\nrate = 4e-3\naverage = 0.9\n"
        "validate_every = 100\n[architecture]\nwidth = 32\nlayers = 2\nheads = 2\npast = 8\nwindow = 4\n"
    )
    result = CliRunner().invoke(app, ["train", str(config)])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["jaw_r"] > 0.8
    return out / GRAPH_FILE


def follow(graph: Path, shards: Path, seed: int, sampling: Sampling) -> tuple[np.ndarray, np.ndarray]:
    """The jaw that the stream makes of a held clip's sound, and the clip's own."""
    shard = load(shards / "bursts-13.npz")
    clip = listen(shards, 1, 1, lambda *_: None)[13]
    network = MotionNet(np.random.default_rng(seed), sampling, graph)
    rows = []
    for sounds in clip.sounds[0].astype(np.float32):
        own = sounds[: conditions.GROUP_SLICES["own"].stop]
        heard, mouth, prosody = (
            own[: conditions.SOUND_SIZE - 14],
            own[conditions.SOUND_SIZE - 14 : conditions.SOUND_SIZE],
            own[-5:],
        )
        rows.append(network(Own(mouth, heard, Heard(*prosody)), NOBODY, Control("speaking")))
    return np.array(rows), shard.motion.astype(np.float32)


def test_the_trained_jaw_follows_a_voice_that_it_never_heard(learned: Path, shards: Path) -> None:
    moved, truth = follow(learned, shards, 1, Sampling({}))
    assert np.corrcoef(moved[20:, JAW], truth[20:, JAW])[0, 1] > 0.7


def test_the_same_seed_repeats_and_another_differs(learned: Path, shards: Path) -> None:
    first, again, other = (follow(learned, shards, seed, Sampling({}))[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 0.02


def test_guidance_stresses_the_voice(learned: Path, shards: Path) -> None:
    plain, stressed = (follow(learned, shards, 1, Sampling({"own": more}))[0][20:, JAW] for more in (0.0, 1.0))
    assert stressed.std() > plain.std()


def test_weights_of_another_architecture_are_refused(shards: Path, tmp_path: Path) -> None:
    trained.save(restless(), tmp_path / "tiny.safetensors")
    with pytest.raises(ConfigError, match=r"tiny\.safetensors has the architecture .*width=32"):
        run(training(shards, tmp_path, start=tmp_path / "tiny.safetensors", architecture=Architecture(width=64)))


@pytest.mark.parametrize(
    ("text", "said"),
    [("steps = 'many'", "steps"), ("stps = 3", "stps"), ("steps = = 3", "not TOML"),
     ("shards = 'a'\nout = 'b'\n[architecture]\nwidth = 30", "multiple")],
)  # fmt: skip
def test_a_wrong_config_says_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read(tmp_path / "wrong.toml")


def test_no_clips_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(f'shards = "{tmp_path}"\nout = "{tmp_path / "out"}"\n')
    result = CliRunner().invoke(app, ["train", str(tmp_path / "run.toml")])
    assert result.exit_code == 1
    assert "animator data" in " ".join(result.output.split())

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from animator.__main__ import app
from animator.learn.clips.clips import load_all, save
from animator.media.mel import to_features
from animator.motion.voice import mouth_net
from animator.motion.voice.articulation import SHAPES
from animator.motion.voice.closing import TIP_TOUCH, TOUCH_COUNT

from .speaking import clip

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for i, held in enumerate((False, False, True)):
        save(folder / f"heart-{i}.npz", clip("heart", "one", held, 110 + 20 * i))
    return folder


def train(corpus, out, *options):
    said = CliRunner().invoke(app, ["train-speech", str(corpus), str(out), "--minutes", "0.02", *options])
    assert said.exit_code == 0, said.output
    return corpus, out, json.loads(said.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    return train(corpus, tmp_path_factory.mktemp("out") / "mouth.onnx")


@pytest.fixture(scope="module")
def trained_to_close(corpus, tmp_path_factory):
    return train(corpus, tmp_path_factory.mktemp("out") / "closing.onnx", "--network", "closing")


@pytest.fixture(scope="module")
def trained_to_articulate(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    for i, held in enumerate((False, False, True)):
        save(folder / f"heart-{i}.npz", clip("heart", "one", held, 110 + 20 * i))
        save(folder / f"film-{i}.npz", clip("film", f"s{i}", held, 130 + 20 * i))
    return train(folder, tmp_path_factory.mktemp("out") / "articulation.onnx", "--network", "articulation")


def test_the_command_ends_with_the_scores_on_held_out_clips(trained):
    assert trained[2].keys() == {"heart"} and trained[2]["heart"]["gain"] > 0


def test_a_missed_closure_costs_more_than_one_too_many():
    from animator.learn.speech.train_mouth import CLOSE_AT, loss_of

    open_lips, closed = torch.zeros(1, 10, len(mouth_net.CHANNELS)), torch.zeros(1, 10, len(mouth_net.CHANNELS))
    closed[..., CLOSE_AT] = 1.0
    assert loss_of(open_lips, closed) > 2 * loss_of(closed, open_lips) > 0


def test_the_exported_network_says_frame_by_frame_what_torch_says_at_once(trained):
    from animator.learn.speech.mouth_network import MouthNetwork
    from animator.learn.speech.train_mouth import padded

    corpus, out, _ = trained
    heard = to_features(10.0 ** load_all(corpus)[0].power.astype(np.float32))
    network = MouthNetwork()
    network.load_state_dict(torch.load(out.with_suffix(".pt")))
    with torch.no_grad():
        *_, both = network.eval()(padded(torch.from_numpy(heard)[None]), torch.zeros(1, 1, mouth_net.HIDDEN_SIZE))
    session = onnxruntime.InferenceSession(out)
    window = np.pad(heard, ((24, 8), (0, 0)))
    state, features = np.zeros((1, 1, mouth_net.HIDDEN_SIZE), np.float32), []
    for i in range(len(heard) // 4):
        _, state, one = session.run(None, {"features": window[None, 4 * i : 4 * i + 36], "state": state})
        features.append(one[0, 0])
    np.testing.assert_allclose(np.stack(features), both[0].numpy(), atol=1e-4)


def test_the_network_of_touching_lips_is_scored_by_what_it_finds_and_makes_up(trained_to_close):
    scores = trained_to_close[2]["heart"]
    assert scores.keys() == {"closed", "false_closed", "teeth", "false_teeth"}
    assert all(0 <= value <= 1 for value in scores.values())


def test_the_tongue_is_scored_where_its_tip_is_raised():
    from animator.learn.speech.train_closing import ClosingNetwork, told, validate

    network, one = ClosingNetwork(), clip("heart", "one", True, 110)
    said = told(network.eval(), one)[:, TIP_TOUCH]
    truth = ((said - said.mean()) / said.std()).astype(np.float16)
    scores = validate(network, [replace(one, tip=truth)])
    assert scores["heart"]["tip"] > 0.99


def test_a_tip_that_is_half_raised_is_told_as_half():
    from animator.learn.speech.train_closing import loss_of

    truth = torch.zeros(1, 20, TOUCH_COUNT)
    truth[..., TIP_TOUCH] = 0.5
    logits = {share: torch.full((1, 20, TOUCH_COUNT), -8.0) for share in (0.1, 0.5, 0.9)}
    for share, said in logits.items():
        said[..., TIP_TOUCH] = float(np.log(share / (1 - share)))
    costs = {share: float(loss_of(said, truth)) for share, said in logits.items()}
    assert min(costs, key=costs.__getitem__) == 0.5


def test_a_touch_beside_its_frame_costs_less_than_one_that_is_made_up():
    from animator.learn.speech.train_closing import loss_of

    truth, beside, made_up = (torch.zeros(1, 20, TOUCH_COUNT) for _ in range(3))
    truth[:, 5, :TIP_TOUCH] = 1
    beside[:, [5, 6], :TIP_TOUCH] = 1
    made_up[:, [5, 12], :TIP_TOUCH] = 1
    costs = [float(loss_of(8 * said - 4, truth)) for said in (truth, beside, made_up, torch.zeros(1, 20, TOUCH_COUNT))]
    assert costs == sorted(costs) and costs[1] < 0.5 * costs[2] < 0.5 * costs[3]


def test_touches_are_told_frame_by_frame_as_at_once(trained_to_close):
    from animator.learn.speech.train_closing import ClosingNetwork, told
    from animator.motion.voice.closing import HIDDEN_SIZE

    corpus, out, _ = trained_to_close
    one = load_all(corpus)[0]
    network = ClosingNetwork()
    network.load_state_dict(torch.load(out.with_suffix(".pt")))
    window = np.pad(to_features(10.0 ** one.power.astype(np.float32)), ((24, 8), (0, 0)))
    session, state, rows = onnxruntime.InferenceSession(out), np.zeros((1, 1, HIDDEN_SIZE), np.float32), []
    for i in range(len(one.mouth)):
        row, state = session.run(None, {"features": window[None, 4 * i : 4 * i + 36], "state": state})
        rows.append(row[0, 0])
    np.testing.assert_allclose(np.stack(rows), told(network.eval(), one), atol=1e-4)


def test_articulation_is_scored_shape_by_shape_on_film_and_on_rules(trained_to_articulate):
    scores = trained_to_articulate[2]
    assert scores.keys() == {"film", "heart"}
    assert set(scores["film"]) == set(SHAPES)


def test_shapes_are_told_frame_by_frame_as_at_once_and_as_far_as_on_film(trained_to_articulate):
    from animator.learn.speech.train_articulation import ArticulationNetwork, sizes, told
    from animator.motion.voice.articulation import HIDDEN_SIZE

    corpus, out, _ = trained_to_articulate
    clips = [one for one in load_all(corpus) if one.source == "film"]
    network = ArticulationNetwork()
    network.load_state_dict(torch.load(out.with_suffix(".pt")))
    window = np.pad(to_features(10.0 ** clips[0].power.astype(np.float32)), ((24, 8), (0, 0)))
    session, state, rows = onnxruntime.InferenceSession(out), np.zeros((1, 1, HIDDEN_SIZE), np.float32), []
    for i in range(len(clips[0].mouth)):
        row, state = session.run(None, {"features": window[None, 4 * i : 4 * i + 36], "state": state})
        rows.append(row[0, 0])
    rest, gain = sizes(network, clips)
    expected = (told(network.eval(), clips[0]) - rest.numpy()) * gain.numpy()
    np.testing.assert_allclose(np.stack(rows), expected, atol=1e-4)
    assert (gain >= 1).all()


def test_articulation_without_film_says_how_to_get_some(corpus, tmp_path):
    out = str(tmp_path / "articulation.onnx")
    said = CliRunner().invoke(app, ["train-speech", str(corpus), out, "--network", "articulation"])
    assert said.exit_code == 1
    assert "--film" in said.output


def test_what_the_teacher_says_comes_later_to_be_as_on_film():
    from animator.learn.speech.train_articulation import AHEAD_S, later

    one = clip("heart", "one", False, 110)
    moved, jaw = later(one), mouth_net.CHANNELS.index("jawOpen")
    times = np.arange(len(one.mouth)) / 25
    expected = np.interp(times - AHEAD_S, times, one.mouth[:, jaw].astype(float))
    np.testing.assert_allclose(moved.mouth[:, jaw], expected, atol=2e-3)

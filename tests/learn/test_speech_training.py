import json

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from animator.__main__ import app
from animator.audio import to_features
from animator.learn.speech.clips import load_all, save
from animator.motion import mouth

from .speaking import clip

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    corpus, out = tmp_path_factory.mktemp("corpus"), tmp_path_factory.mktemp("out") / "mouth.onnx"
    for i, held in enumerate((False, False, True)):
        save(corpus / f"heart-{i}.npz", clip("heart", "one", held, 110 + 20 * i))
    said = CliRunner().invoke(app, ["train-speech", str(corpus), str(out), "--minutes", "0.02"])
    assert said.exit_code == 0, said.output
    return corpus, out, json.loads(said.stdout.splitlines()[-1])


def test_the_command_ends_with_the_scores_on_held_out_clips(trained):
    assert trained[2].keys() == {"heart"} and trained[2]["heart"]["gain"] > 0


def test_a_missed_closure_costs_more_than_one_too_many():
    from animator.learn.speech.train import CLOSE, loss_of

    open_lips, closed = torch.zeros(1, 10, len(mouth.CHANNELS)), torch.zeros(1, 10, len(mouth.CHANNELS))
    closed[..., CLOSE] = 1.0
    assert loss_of(open_lips, closed) > 2 * loss_of(closed, open_lips) > 0


def test_the_exported_network_says_frame_by_frame_what_torch_says_at_once(trained):
    from animator.learn.speech.encoder import MouthNetwork
    from animator.learn.speech.train import padded

    corpus, out, _ = trained
    heard = to_features(10.0 ** load_all(corpus)[0].power.astype(np.float32))
    network = MouthNetwork()
    network.load_state_dict(torch.load(out.with_suffix(".pt")))
    with torch.no_grad():
        *_, both = network.eval()(padded(torch.from_numpy(heard)[None]), torch.zeros(1, 1, mouth.HIDDEN))
    session = onnxruntime.InferenceSession(out)
    window = np.pad(heard, ((24, 8), (0, 0)))
    state, features = np.zeros((1, 1, mouth.HIDDEN), np.float32), []
    for i in range(len(heard) // 4):
        _, state, one = session.run(None, {"features": window[None, 4 * i : 4 * i + 36], "state": state})
        features.append(one[0, 0])
    np.testing.assert_allclose(np.stack(features), both[0].numpy(), atol=1e-4)

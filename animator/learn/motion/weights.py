"""Trained weights -> safetensors and the ONNX graph that the real-time path runs."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false, reportUntypedBaseClass=false

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from animator.learn.motion.config import Architecture
from animator.learn.motion.network import Cache, MotionNetwork
from animator.motion.behaviour import conditions
from animator.motion.behaviour.channels import CHANNELS

_LARGE_TENSOR = 1024  # weights; smaller tensors stay as they are


class Step(nn.Module):
    """`MotionNetwork.step` as a graph of plain tensors; ``keys`` and ``values`` (layers, 1, past - 1, width) and
    ``filled`` (past - 1,) are kept by the caller, who puts the new ones in place of the oldest."""

    def __init__(self, network: MotionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(  # noqa: PLR0913 - the inputs of a graph
        self, frames: Tensor, told: Tensor, levels: Tensor, turn: Tensor, keys: Tensor, values: Tensor, filled: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.step(frames, told, levels, Cache(keys, values, filled), turn)


def save(network: MotionNetwork, path: Path) -> None:
    """Writes the weights in half precision as safetensors, with the architecture in the metadata. Raises OSError."""
    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(halves, path, {"architecture": network.shape.model_dump_json()})


def load(path: Path) -> MotionNetwork:
    """The network that `save` wrote, in float32, in evaluation mode. Raises OSError, or SafetensorError for another
    file."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        shape = Architecture.model_validate_json((file.metadata() or {})["architecture"])
    network = MotionNetwork(shape)
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network.eval()


def to_onnx(network: MotionNetwork, path: Path) -> None:
    """Writes `Step` as ONNX, with the scales of the channels in its metadata."""
    shape = network.shape
    kept, count = torch.zeros(shape.layers, 1, shape.past - 1, shape.width), 1 + shape.window
    given = {
        "frames": torch.zeros(2, count, len(CHANNELS)), "told": torch.zeros(2, count, conditions.SIZE),
        "levels": torch.zeros(count), "turn": torch.zeros(count, shape.width // shape.heads),
        "keys": kept, "values": kept, "filled": torch.zeros(shape.past - 1),
    }  # fmt: skip
    with warnings.catch_warnings():  # the newer exporter takes half a minute for the same graph
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            Step(network).eval(), tuple(given.values()), path, opset_version=18, dynamo=False, input_names=list(given),
            output_names=["clean", "new_keys", "new_values"],
            dynamic_axes={name: {0: "variants"} for name in ("frames", "told")},
        )  # fmt: skip
    model = onnx.load(str(path))
    _halve(model)
    for name in ("mean", "spread", "reach"):
        entry = model.metadata_props.add()
        entry.key, entry.value = name, " ".join(f"{v:.7g}" for v in getattr(network, name).flatten().tolist())
    onnx.save(model, str(path))


def _halve(model: onnx.ModelProto) -> None:
    """Stores large weights in half precision; the graph casts them back when it is loaded."""
    graph = model.graph
    casts: list[onnx.NodeProto] = []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < _LARGE_TENSOR:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)

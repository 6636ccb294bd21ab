"""Exports all-MiniLM-L6-v2 to ONNX with int8 weights, so that embedding needs neither torch nor 90 MB.

The network is BERT (Devlin et al. 2018) with 6 layers, distilled (Wang et al. 2020) and trained on sentence pairs
(Reimers and Gurevych 2019). Weights are quantized per output channel, activations per tensor at run time.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 6, 12, 384
OPSET = 20
EPSILON = 1e-12

Weights = Mapping[str, NDArray[np.float32]]


def export(weights: Weights) -> ModelProto:
    """The tensors of model.safetensors -> a model that maps ``ids`` (1, n) int64 to ``embedding`` (1, 384) float32, a
    unit vector. Raises KeyError for a missing tensor."""
    made = _Graph(weights)
    x = made.embed("ids")
    for layer in range(LAYERS):
        x = made.layer(x, f"encoder.layer.{layer}.")
    mean = made.node("ReduceMean", [x, made.constant(np.array([1], np.int64))], keepdims=0)
    length = made.node("ReduceL2", [mean, made.constant(np.array([1], np.int64))], keepdims=1)
    made.node("Div", [mean, length], "embedding")
    return made.model()


def graph(source: Path) -> bytes:
    """The path of model.safetensors -> the content of the ONNX file. Raises OSError or SafetensorError."""
    from safetensors.numpy import load_file

    return export(load_file(source)).SerializeToString()


class _Graph:
    """Builds the graph node by node; every method but `model` returns the name of its output tensor."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def embed(self, ids: str) -> str:
        """Token ids (1, n) -> sum of token, position and segment embeddings, normalised (1, n, 384)."""
        words, scales = _quantize(self._weights["embeddings.word_embeddings.weight"])
        row = self.node("Cast", [self.node("Gather", [self.constant(words), ids])], to=TensorProto.FLOAT)
        row = self.node("Mul", [row, self.node("Gather", [self.constant(scales), ids])])
        segment = self._weights["embeddings.token_type_embeddings.weight"][0]
        places = self.constant(self._weights["embeddings.position_embeddings.weight"] + segment)
        length = self.node("Shape", [ids], start=1, end=2)
        here = self.node("Slice", [places, self.constant(np.array([0], np.int64)), length])
        return self._norm(self.node("Add", [row, here]), "embeddings.LayerNorm")

    def layer(self, x: str, name: str) -> str:
        """One layer of the encoder: self-attention and feed-forward, each with a residual connection and LayerNorm."""
        attended = self._dense(self._attention(x, f"{name}attention.self."), [f"{name}attention.output.dense"])
        x = self._norm(self.node("Add", [x, attended]), f"{name}attention.output.LayerNorm")
        wide = self.node("Gelu", [self._dense(x, [f"{name}intermediate.dense"])])
        return self._norm(self.node("Add", [x, self._dense(wide, [f"{name}output.dense"])]), f"{name}output.LayerNorm")

    def _attention(self, x: str, name: str) -> str:
        joined = self._dense(x, [f"{name}query", f"{name}key", f"{name}value"])
        heads = self.node("Reshape", [joined, self.constant(np.array([-1, 3, HEADS, WIDTH // HEADS], np.int64))])
        stacked = self.node("Transpose", [heads], perm=[1, 2, 0, 3])  # (3, heads, n, 32)
        q, k, v = (self.node("Gather", [stacked, self.constant(np.array(i, np.int64))]) for i in range(3))
        scale = self.constant(np.array((WIDTH / HEADS) ** -0.5, np.float32))
        scores = self.node("MatMul", [self.node("Mul", [q, scale]), self.node("Transpose", [k], perm=[0, 2, 1])])
        mixed = self.node("MatMul", [self.node("Softmax", [scores]), v])
        flat = self.node("Transpose", [mixed], perm=[1, 0, 2])
        return self.node("Reshape", [flat, self.constant(np.array([1, -1, WIDTH], np.int64))])

    def _dense(self, x: str, names: list[str]) -> str:
        """The linear layers ``names``, their outputs concatenated, as one integer matrix product."""
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])  # (out, in)
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        integers, scales = _quantize(weight)
        whole, scale, zero = (f"{kind}_{len(self._nodes)}" for kind in ("whole", "scale", "zero"))
        self._nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [whole, scale, zero]))
        # Unsigned weights with zero point 128: signed ones saturate on processors without VNNI.
        shifted = self.constant((integers.T.astype(np.int16) + 128).astype(np.uint8))
        middle = self.constant(np.array(128, np.uint8))
        product = self.node("MatMulInteger", [whole, shifted, zero, middle])
        real = self.node("Cast", [product], to=TensorProto.FLOAT)
        scaled = self.node("Mul", [real, self.node("Mul", [scale, self.constant(scales[:, 0])])])
        return self.node("Add", [scaled, self.constant(bias)])

    def _norm(self, x: str, name: str) -> str:
        scale, bias = (self.constant(self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", [x, scale, bias], epsilon=EPSILON)

    def model(self) -> ModelProto:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, WIDTH])
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", [ids], [embedding], self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def _quantize(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(n, m) -> int8 (n, m) and the scale of each row, float32 (n, 1)."""
    scales = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(rows / scales).astype(np.int8), scales.astype(np.float32)

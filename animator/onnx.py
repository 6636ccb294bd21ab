"""Networks on onnxruntime, on the CPU."""

from pathlib import Path

import onnxruntime


def session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """A network from an ONNX file or its bytes, on so many ``threads``: one by default, since each network is small and
    the cores are busy drawing. Logs errors but no warnings. Raises what onnxruntime raises."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

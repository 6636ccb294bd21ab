"""Networks on onnxruntime, on the CPU."""

from pathlib import Path

import onnxruntime


def session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """A network in an ONNX file, or in the bytes of one, on so many threads: each of ours is small, and the cores are
    those of a face that draws. It tells of errors and not of warnings. Raises what onnxruntime raises."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

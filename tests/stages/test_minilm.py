"""The embeddings' network, exported on first use."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from companion import minilm


def test_all_that_need_it_may_export_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Model:
        def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
            return b"graph" * 100_000

    monkeypatch.setattr(minilm, "export", lambda weights: Model())
    monkeypatch.setattr("safetensors.numpy.load_file", lambda source: {})
    target = tmp_path / "minilm-int8.onnx"
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(minilm.write, tmp_path / "model.safetensors", target) for _ in range(40)]:
            done.result()
    assert target.read_bytes() == b"graph" * 100_000
    assert list(tmp_path.iterdir()) == [target]

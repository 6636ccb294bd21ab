"""A device that cannot be used is refused with what to do."""

import sys

import pytest

from animator.devices import DeviceError
from animator.live import Animator


def test_without_torch_there_is_no_other_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DeviceError, match=r"pip install .*torch"):
        Animator(device="cuda")


@pytest.mark.torch
@pytest.mark.parametrize("name", ["cuda:99", "cuda:x", "tpu"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    pytest.importorskip("torch")
    with pytest.raises(DeviceError, match="choose cpu|Choose cpu"):
        Animator(device=name)

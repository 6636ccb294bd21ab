"""Where faces are drawn: on the CPU by default, or many at once on a GPU."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animator.render.gpu.pool import Pool

CPU = "cpu"
TORCH_CPU = "torch-cpu"  # the GPU's code without a GPU: slow, for trying it out


class DeviceError(ValueError):
    """The requested device cannot be used; the message says why and what to do."""


def pool(name: str) -> "Pool":
    """The pool of the device ``name``, such as ``cuda`` or ``cuda:1``, for all faces of a process."""
    try:
        import torch  # pyright: ignore[reportMissingImports]

        from animator.render.gpu.pool import Pool
    except ImportError as error:
        raise DeviceError(f'Drawing on {name} needs torch: pip install "vasari[torch]", or choose {CPU}.') from error
    if name == TORCH_CPU:
        torch.set_num_threads(1)  # more would fight for the cores with everything else
        return Pool(torch.device("cpu"))
    if not name.startswith("cuda"):
        raise DeviceError(f"There is no device {name!r}. Choose {CPU}, cuda, cuda:1 and so on, or {TORCH_CPU}.")
    number = name.removeprefix("cuda").removeprefix(":") or "0"
    if not number.isdecimal() or int(number) >= torch.cuda.device_count():
        raise DeviceError(
            f"torch {torch.__version__} finds {torch.cuda.device_count()} CUDA devices, and so no {name}. Look for it "
            f"with nvidia-smi, install a torch built for CUDA, or choose {CPU}."
        )
    return Pool(torch.device("cuda", int(number)))

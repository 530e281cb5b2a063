"""Choosing the device, with pycaffe's names.

A net, and so a solver, computes on the device that was chosen when it was made.
"""

from .errors import CaffeError
from .kernels import twins


def set_mode_cpu() -> None:
    """Have new nets compute on the CPU, as is the default."""
    twins.use_cpu()


def set_mode_gpu() -> None:
    """Have new nets compute on the GPU: the first, unless `set_device` chose another.

    Raises CaffeError where there is none, or where the package that drives it is missing.
    """
    twins.use_gpu()


def set_device(device_id: int) -> None:
    """Choose the GPU to compute on. Call it before the first net is made.

    Raises CaffeError where there is no GPU of this number.
    """
    why = twins.why_no_gpu()
    if why:
        raise CaffeError(why)
    from numba import cuda

    count = len(cuda.gpus)
    if not 0 <= device_id < count:
        has = "one GPU, number 0" if count == 1 else f"{count} GPUs, numbers 0 to {count - 1}"
        raise CaffeError(f"there is no GPU {device_id}: this machine has {has}")
    cuda.select_device(device_id)

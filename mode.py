"""Choosing the device, with pycaffe's names."""

from .errors import CaffeError


def set_mode_cpu() -> None:
    """Compute on the CPU, as is the default."""


def set_mode_gpu() -> None:
    """Compute on the GPU. Raises CaffeError: the CUDA kernels do not exist yet."""
    raise _no_gpu()


def set_device(device_id: int) -> None:
    """Choose the GPU to compute on. Raises CaffeError: the CUDA kernels do not exist yet."""
    raise _no_gpu()


def _no_gpu() -> CaffeError:
    return CaffeError(
        "this version of numba-caffe has no GPU kernels yet; call caffe.set_mode_cpu() instead"
    )

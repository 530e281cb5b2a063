"""Which twin of the kernels computes: the CPU's, or the GPU's once `use_gpu` has found one."""

import importlib
from types import ModuleType

import numba

from ..errors import CaffeError
from . import cpu
from .threads import note_gpu

NEEDED_DRIVER = (13, 0)
INSTALL = "pip install 'numba-caffe[cuda]'"
_current: ModuleType = cpu


def current() -> ModuleType:
    """The twin that new nets compute with."""
    return _current


def use_cpu() -> None:
    """Compute on the CPU, as is the default."""
    global _current
    _current = cpu


def use_gpu() -> None:
    """Compute on the GPU. Raises CaffeError where there is none, or nothing to drive it with."""
    global _current
    why = why_no_gpu()
    if why:
        raise CaffeError(why)
    _current = importlib.import_module(".cuda", __package__)
    note_gpu()


def why_no_gpu() -> str:
    """What is missing for kernels to run on a GPU, and how to get it; "" where nothing is."""
    try:
        numba_cuda = importlib.import_module("numba.cuda")
        drives_gpus = getattr(numba_cuda, "implementation", "") == "NVIDIA"
    except ImportError:
        drives_gpus = False
    if not drives_gpus:
        return f"the package numba-cuda is missing; install it: {INSTALL}"
    if not numba_cuda.is_available():
        return "no NVIDIA GPU is found; look with nvidia-smi whether the driver is installed"
    if not is_simulated() and _driver_version(numba_cuda) < NEEDED_DRIVER:
        return "the NVIDIA driver is older than CUDA 13; install a newer one (580 or later)"
    return ""


def _driver_version(numba_cuda: ModuleType) -> tuple[int, int]:
    """The newest CUDA that the driver knows."""
    return numba_cuda.cudadrv.driver.driver.get_version()


def is_simulated() -> bool:
    """Whether the GPU is Numba's simulator of one (NUMBA_ENABLE_CUDASIM=1)."""
    return bool(numba.config.ENABLE_CUDASIM)

"""Has some CUDA kernels compiled as on a GPU, up to the machine code, and says how many of them
were found on the disk. Run by test_kernel_cache.py, each time in a process of its own."""

from types import SimpleNamespace
from typing import Any

import numba.cuda.cudadrv.devices
import numba.cuda.dispatcher

FUNCTIONS = ("gemm", "convolution_backward_weight", "max_pooling_backward", "softmax_loss_forward")


def pretend_gpu() -> None:
    """Let Numba take what it would load into a GPU of compute capability 9.0 as loaded."""
    device = SimpleNamespace(compute_capability=(9, 0), id=0)
    loaded = SimpleNamespace(module=SimpleNamespace(initialized=True))
    image = SimpleNamespace(get_function=lambda name: loaded, setup=None)
    context = SimpleNamespace(device=device, create_module_image=lambda *_: image)

    def get_context(*_: Any) -> Any:
        return context

    numba.cuda.cudadrv.devices.get_context = get_context
    numba.cuda.dispatcher.get_context = get_context
    numba.cuda.dispatcher.get_current_device = lambda: device


def main() -> None:
    """Print how many kernels were on the disk, and how many were not."""
    from tests.cuda.compiled import launches

    pretend_gpu()
    found, compiled, seen = 0, 0, set()
    for launch in launches():
        if launch.function in FUNCTIONS and launch.function not in seen:
            seen.add(launch.function)
            launch.kernel.compile(launch.types)
            found += sum(launch.kernel.stats.cache_hits.values())
            compiled += sum(launch.kernel.stats.cache_misses.values())
    print(found, compiled)


if __name__ == "__main__":
    main()

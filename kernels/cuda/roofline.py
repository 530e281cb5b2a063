"""What the GPU can do at most."""

from numba import cuda

_LANES = {  # float32 multiply-adds of a multiprocessor in a cycle, by compute capability
    (7, 0): 64,
    (7, 5): 64,
    (8, 0): 64,
}
_LANES_SINCE = 128  # from 8.6 on


def multiply_add_peak() -> float:
    """GFLOP/s of float32 multiply-adds, each two operations, at the highest clock that the GPU
    runs at. From its properties, not measured."""
    device = cuda.get_current_device()
    lanes = _LANES.get(tuple(device.compute_capability), _LANES_SINCE)
    return 2e-6 * lanes * device.MULTIPROCESSOR_COUNT * device.CLOCK_RATE  # in kHz

"""Helpers of the kernel tests: call a kernel and its definition, compare what they wrote.

The kernels under test are the CPU's or, with CAFFE_TEST_TWIN=cuda, the GPU's: on a GPU, or in
Numba's simulator (NUMBA_ENABLE_CUDASIM=1), where only the small cases are run.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
import pytest

from caffe.kernels import cpu, reference

ON_GPU = os.environ.get("CAFFE_TEST_TWIN") == "cuda"
SIMULATED = ON_GPU and bool(int(os.environ.get("NUMBA_ENABLE_CUDASIM", "0")))
cpu_only = pytest.mark.skipif(ON_GPU, reason="of the CPU's kernels")

gpu_only = pytest.mark.skipif(not ON_GPU, reason="of the GPU's kernels")


def cases(small: Sequence[Any], large: Sequence[Any] = ()) -> list[Any]:
    """Parameters of a test: the simulator runs the small ones only."""
    return [*small, *([] if SIMULATED else large)]


def examples(count: int) -> int:
    """How many examples hypothesis makes up: few where each shape is compiled, and fewer in the
    simulator."""
    return min(count, 8 if SIMULATED else 25) if ON_GPU else count


def run_kernel(name: str, *arguments: Any) -> tuple[list[Any], Any]:
    """Call the kernel under test with copies of the arrays among the arguments. Gives back the
    arguments as it left them, arrays as NumPy's, and what it returned."""
    if not ON_GPU:
        copied = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        return copied, getattr(cpu, name)(*copied)
    from numba import cuda as numba_cuda

    from caffe.kernels import cuda

    def is_filled(a: Any) -> bool:  # an empty array stays NumPy's, as NO_BIAS is
        return isinstance(a, np.ndarray) and a.size > 0

    copied = [numba_cuda.to_device(a) if is_filled(a) else a for a in arguments]
    returned = getattr(cuda, name)(*copied)
    return [
        b.copy_to_host() if is_filled(a) else b for a, b in zip(arguments, copied, strict=True)
    ], returned


def assert_twins_agree(
    name: str, *arguments: Any, rtol: float = 1e-5, atol: float = 1e-6
) -> tuple[list[np.ndarray], Any]:
    """Call the kernel under test and reference.NAME on copies of the arguments and compare every
    array and what they return. Gives back the arrays as the kernel left them, and what it
    returned."""
    left, returned = run_kernel(name, *arguments)
    copied = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    expected = getattr(reference, name)(*copied)
    arrays = [a for a in left if isinstance(a, np.ndarray)]
    expected_arrays = [a for a in copied if isinstance(a, np.ndarray)]
    for i, (array, wanted) in enumerate(zip(arrays, expected_arrays, strict=True)):
        np.testing.assert_allclose(array, wanted, rtol, atol, err_msg=f"array argument {i}")
    if expected is not None:
        np.testing.assert_allclose(returned, expected, rtol, atol, err_msg="returned")
    return arrays, returned


def assert_same_bits_for_any_threads(call: Callable[[], list[np.ndarray]]) -> None:
    """`call` computes afresh and returns its outputs; one thread and two must agree exactly."""
    before = numba.get_num_threads()
    try:
        outputs = []
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            outputs.append([array.tobytes() for array in call()])
    finally:
        numba.set_num_threads(before)
    assert outputs[0] == outputs[1]


def convolution_operands(
    num: int, channels: int, inputs: Any, outputs: int, kernel: Any, group: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random bottom, weight and bias, the same each time."""
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(num, channels, *inputs)).astype(np.float32),
        rng.normal(size=(outputs, channels // group, *kernel)).astype(np.float32),
        rng.normal(size=outputs).astype(np.float32),
    )

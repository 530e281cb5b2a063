"""Helpers of the kernel tests: call a kernel and its definition, compare what they wrote."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from caffe.kernels import cpu, reference


def assert_twins_agree(
    name: str, *arguments: Any, rtol: float = 1e-5, atol: float = 1e-6
) -> tuple[list[np.ndarray], Any]:
    """Call cpu.NAME and reference.NAME on copies of the arguments and compare every array and
    what they return. Gives back the arrays as the CPU kernel left them, and what it returned."""
    results = []
    for twin in (cpu, reference):
        copied = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        returned = getattr(twin, name)(*copied)
        results.append(([a for a in copied if isinstance(a, np.ndarray)], returned))
    (arrays, returned), (expected_arrays, expected) = results
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
